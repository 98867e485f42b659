// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/base/workers.h"
#include "server/keys/keystore.h"
#include "server/store/store.h"
#include "waarborg/v1/audit.pb.h"

namespace waarborg::journal {

// One round of destruction after another: the keys of what has ended go, then their ciphertext, and then it
// is looked whether it is so.
//
//   next generation on disk -> in force -> old generation key destroyed -> ciphertext out of every file of
//   the database -> freed blocks discarded where the file system can
//
// The entry that says that something is to go is durable before Begin; the one that says that it is gone is
// for the caller, when done() is true. A crash anywhere between is taken up by beginning again: keys that are
// gone are passed over.
//
// Belongs to the writer's thread. What takes long is done by `background`; without one, here and now.
class Destruction {
 public:
  struct Parts {
    keys::Keystore* photo_keys = nullptr;
    keys::Keystore* file_keys = nullptr;
    store::Store* store = nullptr;
    base::Workers* background = nullptr;
    std::string trim_folder;  // on the file system whose freed blocks are discarded; empty: none are
  };
  explicit Destruction(Parts parts) : parts_(std::move(parts)) {}

  // Called when a step that was done elsewhere is finished, on that thread. Must not block.
  void OnStep(std::function<void()> f) { on_step_ = std::move(f); }

  bool idle() const { return step_ == Step::kIdle; }
  // Takes these up; only when idle. `rows` are what holds their ciphertext.
  void Begin(const std::vector<std::string>& photo_ids, const std::vector<std::string>& file_ids,
             std::vector<std::string> rows);

  // Goes on as far as it can; with `wait`, until it is done or something fails. Without `may_sweep` (a full
  // disk) it stops where the keys are gone. An error is final: the keystore must not be used any more. What
  // merely fails for now (a token that does not answer, a disk without room) is tried again after a while;
  // see trouble().
  absl::Status Advance(bool may_sweep, bool wait);

  // True from where the keys are gone for good.
  bool keyless() const { return step_ == Step::kSweep || step_ == Step::kDone; }
  bool done() const { return step_ == Step::kDone; }
  // Ready for the next round.
  void End();

  // Keyless, but what is left cannot be swept up now, or takes long. End may be called, and all of it begun
  // again with more: a key does not wait for the sweeping up of another.
  bool stuck() const;

  // The generation that was destroyed with this key, photo or file; 0 when it was found gone. To be asked
  // once.
  uint64_t TakeGeneration(const std::string& id);
  // What was found, in order; complete when done.
  const std::vector<waarborg::v1::DestructionCheck>& checks() const { return checks_; }
  waarborg::v1::KeyHome home() const;
  // Why the last step has to be tried again; ok when nothing is wrong.
  const absl::Status& trouble() const { return trouble_; }
  // True when Advance would move on at once.
  bool pressing() const;

 private:
  enum class Step { kIdle, kWrite, kSwitch, kDestroyOld, kSweep, kDone };
  class Job;

  void Start(std::function<absl::Status()> work);
  // The work of the present step that takes long.
  std::function<absl::Status()> Work();

  Parts parts_;
  std::function<void()> on_step_;
  Step step_ = Step::kIdle;
  std::shared_ptr<Job> job_;
  std::shared_ptr<keys::Keystore::Roll> photo_roll_, file_roll_;
  std::vector<std::string> rows_;
  std::vector<std::string> photos_going_, files_going_;  // whose keys are there
  std::map<std::string, uint64_t> gone_in_;
  bool may_sweep_ = true;
  std::shared_ptr<bool> trimmed_;
  std::vector<waarborg::v1::DestructionCheck> checks_;
  absl::Status trouble_;
  // By a clock that runs evenly: whatever is done to the time of day, what failed is tried again.
  std::chrono::steady_clock::time_point try_again_at_;
  std::chrono::milliseconds patience_{};
};

}  // namespace waarborg::journal

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "audit/proof.h"
#include "audit/tiles.h"
#include "audit/witness.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"
#include "server/base/secret.h"
#include "server/journal/journal.h"
#include "server/journal/log_files.h"
#include "server/store/store.h"

namespace waarborg::journal {

// Brings requests to witnesses and their answers back.
class WitnessCaller {
 public:
  struct Request {
    std::string url;
    std::string body;
  };
  virtual ~WitnessCaller() = default;
  // All at once; an answer for each, with status 0 for one that did not come in time. Blocks.
  virtual std::vector<audit::WitnessAnswer> Call(const std::vector<Request>& requests,
                                                 absl::Duration within) = 0;
};

// Writes the log down for the world: tiles, bundles and signed checkpoints, one folder for each log, under
// the last part of its origin ("2026/checkpoint", "2026/tile/0/000"). Everything here is derived from rows
// that are durable and can be built again. A checkpoint at most a second after an entry, at most two a
// second, and none when there is nothing new.
//
// The newest checkpoint is on disk, apart from the published folder, before anybody sees it. From then on the
// log can only go on from there: Start refuses one that is shorter or another, by our own memory or a
// witness's.
class Publisher {
 public:
  struct Parts {
    Journal* journal;
    const store::Store* store;
    LogFiles* published;
    LogFiles* memory;          // "newest": the newest checkpoint signed here
    WitnessCaller* witnesses;  // null: none are asked
    base::Secret seed;         // of the log's Ed25519 key
  };
  explicit Publisher(Parts parts) : parts_(std::move(parts)) {}
  ~Publisher();

  // Compares the log with the newest checkpoint and the witnesses, and brings the folder up to date. Reads
  // what is new since that checkpoint, not the whole log. `overruled` names witnesses whose word is not
  // taken. DataLoss: the server must not run. Any other error: nothing speaks against the log, but it cannot
  // be published yet.
  absl::Status Start(const std::set<std::string>& overruled);
  // Called after each round of Run, on its thread; before Run.
  void AfterRound(std::function<void()> f) { after_round_ = std::move(f); }
  // Publishes every second what has come, until Stop; calls `on_failure` once when the log turns out damaged.
  void Run(std::function<void(const absl::Status&)> on_failure);
  // Publishes what is left and ends the threads.
  void Stop();
  // One round. DataLoss when the log is damaged; any other error can be tried again.
  absl::Status Publish();
  // Reads all of the log and of the published folders. A damaged log is an error; a damaged folder is built
  // again by the next Publish.
  absl::Status CheckEverything();

  struct WitnessState {
    std::string id;
    bool good = false;
    std::string why;  // when not
  };
  struct State {
    audit::SignedCheckpoint newest;  // published; with cosignatures
    std::vector<WitnessState> witnesses;
    size_t cosignatures = 0;
    // Since when the newest checkpoint has had no quorum; nothing when it has, or none is asked for.
    std::optional<std::chrono::steady_clock::time_point> lacking_since;
  };
  // From any thread; null before Start.
  std::shared_ptr<const State> state() const;
  // Whether the last round could not publish what there is.
  bool failing() const;
  // Whether a step that waits for witnesses must wait now.
  bool WaitsForWitnesses(const domain::Municipality& municipality) const;

  // The offline proof that this commitment stands at `index` of the log; from any thread. Unavailable when no
  // checkpoint covers it yet: a second later there is one.
  absl::StatusOr<audit::ProofFile> Prove(const std::string& origin, uint64_t index,
                                         const std::string& commitment) const;
  // Who signs for the log of this origin.
  audit::VerifierKey KeyOf(const std::string& origin) const;

 private:
  // One log in the making.
  struct Open {
    waarborg::v1::LogRecord log;
    audit::TreeEdge edge;
    std::string bundle;  // entries beyond the last full bundle
  };
  // What must hold of a log, by an earlier checkpoint; looked at when the tree has that size.
  using Seen = std::vector<audit::Checkpoint>;

  audit::SigningKey SignerOf(const std::string& origin) const;
  audit::SignedCheckpoint Sign(const Open& open) const;
  absl::StatusOr<Seen> ReadSeen(const Journal::Committed& committed) const;
  // Holds the log against what was published and what witnesses have seen, and brings the folder up to date.
  absl::Status Hold();
  // From the folder, at its checkpoint; empty when that is not there or not whole.
  Open Resume(const waarborg::v1::LogRecord& log) const;
  // Calls `each` with the entries from `from` up to `size`; DataLoss when there are fewer.
  absl::Status Entries(const waarborg::v1::LogRecord& log, uint64_t from, uint64_t size,
                       const std::function<absl::Status(std::string_view commitment)>& each) const;
  // Whether the entries up to `size` lead to this root, and through every checkpoint seen. Writes nothing.
  absl::Status CheckAhead(const Open& open, uint64_t size, const audit::Hash& root) const;
  // Adds the entries up to `size`, once they are found right.
  absl::Status Grow(Open& open, uint64_t size, const audit::Hash& root);
  // The same; from nothing when what is published is what is wrong.
  absl::Status GrowOrRebuild(Open& open, uint64_t size, const audit::Hash& root);
  absl::Status WriteEdge(const Open& open);
  absl::Status WriteTile(const Open& open, const audit::TileName& name, std::string_view bytes);
  // As "newest", unless what is there is newer.
  absl::Status Remember(const audit::SignedCheckpoint& checkpoint, const Journal::Committed& committed);
  // Signs, remembers, has it cosigned, publishes.
  absl::StatusOr<std::shared_ptr<State>> SignAndPublish(const Open& open,
                                                        const Journal::Committed& committed);
  // Puts cosignatures on the note; a conflict is an error when `strict`.
  absl::Status AskWitnesses(const Open& open, const Journal::Committed& committed,
                            audit::SignedCheckpoint& checkpoint, State& state, bool strict);
  // Logs that were closed since, and those whose term has passed.
  absl::Status FinishClosed(const Journal::Committed& committed);
  // Whether it is published whole, with its quorum.
  absl::StatusOr<bool> FinishOne(const waarborg::v1::LogRecord& log, const Journal::Committed& committed);
  audit::ReadTile TilesOf(const Open& open) const;
  audit::ReadTile PublishedTiles(const std::string& folder, uint64_t size) const;
  // At least as wide as asked for.
  std::optional<std::string> ReadTile(const std::string& folder, audit::TileName name) const;
  bool IsFolderDamaged(const std::string& path, const std::string& origin) const;
  // Writes when that changes anything.
  absl::Status WriteChanged(const std::string& path, const std::string& bytes, bool durable);
  absl::Status PublishRound();
  void Fail(const absl::Status& s);
  void Loop();

  Parts parts_;
  std::function<void()> after_round_;
  std::function<void(const absl::Status&)> on_failure_;
  std::set<std::string> overruled_;
  std::set<std::string> contradicting_;  // witnesses; said once
  bool held_ = false;                    // Hold has succeeded
  std::optional<Open> open_;
  Seen seen_;                                      // that a log has not been held against yet
  std::map<std::string, uint64_t> witness_sizes_;  // by url: what it has seen, as far as we know
  std::chrono::steady_clock::time_point witnesses_asked_;
  // Closed logs that lack their quorum: when to ask next, and how long to wait after that.
  struct Retry {
    std::chrono::steady_clock::time_point at;
    std::chrono::seconds pause;
  };
  std::map<uint32_t, Retry> retries_;
  std::set<std::string> outgrown_;  // folders of partial tiles that are full now
  std::set<uint32_t> finished_;     // closed logs that are published whole, or gone
  std::set<uint32_t> pruned_;
  std::set<uint32_t> rebuild_;  // folders that are damaged

  mutable base::Mutex mutex_;
  std::shared_ptr<const State> state_ WB_GUARDED_BY(mutex_);
  mutable std::set<uint32_t> damaged_ WB_GUARDED_BY(mutex_);  // the same, as found by the checker
  // Since when nothing could be published.
  std::optional<std::chrono::steady_clock::time_point> failing_since_ WB_GUARDED_BY(mutex_);
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> failed_ = false;  // and said so
  base::Condition wake_;
  std::thread thread_;
  std::thread checker_;
};

// The folder of a log: the last part of its origin.
std::string FolderOf(const std::string& origin);

}  // namespace waarborg::journal

// SPDX-License-Identifier: EUPL-1.2
#include "server/journal/destruction.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "server/base/mutex.h"
#include "server/base/trim.h"

namespace waarborg::journal {
namespace {

namespace pb = waarborg::v1;

// A sweep that takes longer than this does not keep other keys waiting.
constexpr std::chrono::seconds kSweepAlone(2);
// What failed is tried again after a while, and then after longer ones.
constexpr std::chrono::milliseconds kFirstPatience(250);
constexpr std::chrono::milliseconds kLongestPatience(10'000);

std::vector<std::string> ThoseIn(const keys::Keystore& keys, std::vector<std::string> ids) {
  std::erase_if(ids, [&](const std::string& id) { return keys.Find(id) == nullptr; });
  return ids;
}

}  // namespace

// A step that is done elsewhere.
class Destruction::Job {
 public:
  void Finish(absl::Status status) {
    const base::Lock lock(mutex_);
    status_ = std::move(status);
    done_ = true;
    wake_.NotifyAll();
  }
  bool done() const {
    const base::Lock lock(mutex_);
    return done_;
  }
  absl::Status Wait() {
    const base::Lock lock(mutex_);
    while (!done_) wake_.Wait(mutex_);
    return status_;
  }

 private:
  mutable base::Mutex mutex_;
  base::Condition wake_;
  bool done_ WB_GUARDED_BY(mutex_) = false;
  absl::Status status_ WB_GUARDED_BY(mutex_);
};

void Destruction::Begin(const std::vector<std::string>& photo_ids, const std::vector<std::string>& file_ids,
                        std::vector<std::string> rows) {
  rows_ = std::move(rows);
  checks_.clear();
  photos_going_ = ThoseIn(*parts_.photo_keys, photo_ids);
  files_going_ = ThoseIn(*parts_.file_keys, file_ids);
  if (!photos_going_.empty()) photo_roll_ = parts_.photo_keys->BeginRoll(photos_going_);
  if (!files_going_.empty()) file_roll_ = parts_.file_keys->BeginRoll(files_going_);
  // After a crash the keys may be gone already: what is left is to sweep up and to say so.
  step_ = photo_roll_ != nullptr || file_roll_ != nullptr ? Step::kWrite : Step::kSweep;
  if (step_ == Step::kSweep) checks_.push_back(pb::DESTRUCTION_CHECK_KEY_ABSENT);
  trouble_ = absl::OkStatus();
}

void Destruction::End() {
  photo_roll_.reset();
  file_roll_.reset();
  rows_.clear();
  job_.reset();  // what still sweeps does so to its end, and what follows sweeps again
  step_ = Step::kIdle;
}

bool Destruction::stuck() const {
  if (step_ != Step::kSweep) return false;
  if (job_ != nullptr) return !job_->done() && std::chrono::steady_clock::now() > try_again_at_;
  return !may_sweep_ || !trouble_.ok();
}

uint64_t Destruction::TakeGeneration(const std::string& id) {
  auto it = gone_in_.find(id);
  if (it == gone_in_.end()) return 0;
  const uint64_t generation = it->second;
  gone_in_.erase(it);
  return generation;
}

pb::KeyHome Destruction::home() const {
  return parts_.photo_keys->home().OutlivesImages() ? pb::KEY_HOME_TOKEN : pb::KEY_HOME_FILE;
}

bool Destruction::pressing() const {
  return job_ != nullptr ? job_->done() : step_ == Step::kSwitch || step_ == Step::kDestroyOld;
}

void Destruction::Start(std::function<absl::Status()> work) {
  job_ = std::make_shared<Job>();
  if (step_ == Step::kSweep) try_again_at_ = std::chrono::steady_clock::now() + kSweepAlone;
  auto run = [job = job_, work = std::move(work), on_step = on_step_] {
    job->Finish(work());
    if (on_step) on_step();
  };
  if (parts_.background == nullptr || !parts_.background->Submit(run)) run();
}

std::function<absl::Status()> Destruction::Work() {
  switch (step_) {
    case Step::kWrite:
      return [photos = photo_roll_, files = file_roll_] {
        for (const auto& roll : {photos, files}) {
          if (roll == nullptr) continue;
          if (auto s = roll->Write(); !s.ok()) return s;
        }
        return absl::OkStatus();
      };
    case Step::kDestroyOld:
      return [photos = photo_roll_, files = file_roll_] {
        for (const auto& roll : {photos, files}) {
          if (roll == nullptr) continue;
          if (auto s = roll->DestroyOld(); !s.ok()) return s;
        }
        return absl::OkStatus();
      };
    case Step::kSweep:
      trimmed_ = std::make_shared<bool>(false);
      return [store = parts_.store, rows = rows_, folder = parts_.trim_folder, trimmed = trimmed_] {
        if (auto s = store->Erase(rows); !s.ok()) return s;
        *trimmed = !folder.empty() && base::TrimFreed(folder).ok();
        return absl::OkStatus();
      };
    case Step::kIdle:
    case Step::kSwitch:
    case Step::kDone:
      break;
  }
  return nullptr;
}

absl::Status Destruction::Advance(bool may_sweep, bool wait) {
  may_sweep_ = may_sweep;
  for (;;) {
    if (job_ != nullptr) {
      if (!wait && !job_->done()) return absl::OkStatus();
      const absl::Status s = job_->Wait();
      job_.reset();
      if (!s.ok()) {
        std::fprintf(stderr, "waarborgd: a destruction has to wait: %s\n", std::string(s.message()).c_str());
        patience_ = trouble_.ok() ? kFirstPatience : std::min(2 * patience_, kLongestPatience);
        try_again_at_ = std::chrono::steady_clock::now() + patience_;
        trouble_ = s;
        return absl::OkStatus();
      }
      trouble_ = absl::OkStatus();
      if (step_ == Step::kWrite) {
        step_ = Step::kSwitch;
      } else if (step_ == Step::kDestroyOld) {
        checks_ = {pb::DESTRUCTION_CHECK_KEY_ABSENT, pb::DESTRUCTION_CHECK_OLD_GENERATION_GONE};
        for (const std::string& id : photos_going_) gone_in_[id] = photo_roll_->old_generation();
        for (const std::string& id : files_going_) gone_in_[id] = file_roll_->old_generation();
        step_ = Step::kSweep;
      } else {
        checks_.insert(checks_.end(), {pb::DESTRUCTION_CHECK_ROW_GONE, pb::DESTRUCTION_CHECK_FILES_GONE});
        if (*trimmed_) checks_.push_back(pb::DESTRUCTION_CHECK_TRIMMED);
        step_ = Step::kDone;
      }
    }
    switch (step_) {
      case Step::kIdle:
      case Step::kDone:
        return absl::OkStatus();
      case Step::kSwitch:
        for (const auto& [roll, keys] :
             {std::pair{photo_roll_, parts_.photo_keys}, {file_roll_, parts_.file_keys}}) {
          if (roll == nullptr) continue;
          if (auto s = keys->FinishRoll(*roll); !s.ok()) return s;
        }
        step_ = Step::kDestroyOld;
        break;
      case Step::kSweep:
        if (!may_sweep) return absl::OkStatus();
        [[fallthrough]];
      case Step::kWrite:
      case Step::kDestroyOld:
        if (!trouble_.ok() && std::chrono::steady_clock::now() < try_again_at_) return absl::OkStatus();
        Start(Work());
        break;
    }
  }
}

}  // namespace waarborg::journal

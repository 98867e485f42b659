// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "audit/checkpoint.h"
#include "audit/merkle.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"
#include "server/base/random.h"
#include "server/base/room.h"
#include "server/base/workers.h"
#include "server/journal/destruction.h"
#include "server/journal/log_index.h"
#include "server/journal/log_reader.h"
#include "server/journal/timekeeper.h"
#include "server/keys/keystore.h"
#include "server/state/world.h"
#include "server/store/store.h"
#include "waarborg/v1/audit.pb.h"
#include "waarborg/v1/store.pb.h"

namespace waarborg::journal {

class Journal;

// One piece of work at its place in the order: it reads the state, stages changes and logs entries. What is
// staged takes effect when the work returns without having called Discard, together with the entries or not
// at all. Lives on the writer's thread for as long as the work runs.
class Turn {
 public:
  // The instant of this turn: never before that of an earlier entry, whatever the system's clock does.
  absl::Time now() const { return now_; }
  absl::CivilDay today() const { return base::LocalDay(now_); }
  // The clock runs ahead without being synchronised: now() stands still, and what depends on the time of day
  // must not be answered.
  bool clock_in_doubt() const;
  // What the clock itself says, also while now() stands still: for one-time codes, caps and throttles.
  absl::Time clock_reading() const;
  // Two people have looked: the clock is right. Takes effect with the turn.
  void BelieveClock() { believe_clock_ = true; }
  const state::World& world() const { return world_; }
  // Sessions are not persisted and may be changed at once; nothing about them leaves before the entry is
  // durable.
  state::World& sessions() { return world_; }
  base::Random& random() { return random_; }

  void Put(domain::Ban ban) { bans_.push_back(std::move(ban)); }
  void Put(domain::Person person) { people_.push_back(std::move(person)); }
  void Put(domain::Station station) { stations_.push_back(std::move(station)); }
  void Put(domain::Change change) { changes_.push_back(std::move(change)); }
  void Put(waarborg::v1::ReviewRecord review) { reviews_.push_back(std::move(review)); }
  void PutConfiguration(std::string toml, domain::Municipality m);
  // Keeps a normalised photo, sealed under a key of its own that is on disk before it.
  void PutPhoto(std::string photo_id, std::string jpeg);
  // The file is to go: its key is destroyed after the entries of this turn are durable, and its record with
  // it.
  void ShredFile(std::string ban_id);
  // The certificate of this entry was made; counted through all logs.
  void Certified(uint64_t number);
  // Forgets the ciphertext of a photo whose key was lost.
  void DeletePhoto(std::string photo_id);

  // Forgets everything staged so far, entries included.
  void Discard();

  // Adds an entry; time is filled in. The words are kept beside the record, encrypted, and committed to.
  // Returns its index in the log.
  uint64_t Log(waarborg::v1::AuditRecord record, const waarborg::v1::Words& words = {});
  // The index that the next Log will return, and in which log.
  uint64_t NextIndex() const { return first_index_ + entries_.size(); }
  const std::string& log_origin() const;

  // Commands carried out before, by the digest of their idempotency key.
  std::optional<waarborg::v1::IdempotencyRecord> Recall(const std::string& digest) const;
  void Remember(std::string digest, waarborg::v1::IdempotencyRecord record);
  // HMAC under the house key: hides what it covers, equal for equal input.
  std::string HouseMac(std::string_view data) const;

  // What stays of the files that were destroyed and whose bans were closed in this year.
  std::map<std::string, uint64_t> CountsOf(int64_t year) const;
  // A copy of a photo's key, or nothing when it was destroyed or lost.
  std::optional<base::Secret> PhotoKey(const std::string& photo_id) const;

 private:
  friend class Journal;
  Turn(Journal& journal, state::World& world, base::Random& random, absl::Time now, uint64_t next_index)
      : journal_(journal), world_(world), random_(random), now_(now), first_index_(next_index) {}

  Journal& journal_;
  state::World& world_;
  base::Random& random_;
  absl::Time now_;
  uint64_t first_index_;
  std::vector<domain::Ban> bans_;
  std::vector<domain::Person> people_;
  std::vector<domain::Station> stations_;
  std::vector<domain::Change> changes_;
  std::optional<std::pair<std::string, domain::Municipality>> configuration_;
  std::vector<std::pair<std::string, std::string>> photos_;
  std::vector<std::string> photos_gone_;
  std::vector<std::string> files_going_;
  std::vector<uint64_t> certified_;
  std::vector<waarborg::v1::ReviewRecord> reviews_;
  std::vector<std::pair<waarborg::v1::AuditRecord, waarborg::v1::Words>> entries_;
  std::vector<std::pair<std::string, waarborg::v1::IdempotencyRecord>> remembered_;
  bool believe_clock_ = false;
};

// The single writer. Work queues up from any thread; the writer's thread takes it in order, gathers what has
// queued meanwhile, and commits state and log entries in one synced batch. Only then are the answers given. A
// failed commit stops the writer for good: nothing is run or answered as done after it.
//
// Which thread that is, is for its owner to say: the one that calls RunQueued. In the server it is the thread
// that polls for calls, because no call can be answered before a sync, and a hop between two threads costs
// more than everything a check does.
class Journal {
 public:
  struct Work {
    std::function<void(Turn&)> run;
    // Called once on the writer's thread, after the sync: true when what `run` did is durable, false when it
    // is not and must not be answered. Must not block.
    std::function<void(bool durable)> done;
  };

  struct Parts {
    base::Clock* clock;
    base::Random* random;
    store::Store* store;
    keys::Keystore* file_keys;   // one key for each ban, and the house key
    keys::Keystore* photo_keys;  // one key for each photo
    base::Room* room;
    // What the origins of the logs begin with, "waterdam.example/lokaalverboden". May not change while there
    // are entries.
    std::string log_name;
    // So many entries of the index are kept in memory before they become rows.
    uint64_t index_chunk = 2048;
    // For what takes long in a destruction; null: it is done here and now. Stopped before the journal goes.
    base::Workers* background = nullptr;
    // A folder on the file system whose freed blocks are discarded after a destruction; empty: none are.
    std::string trim_folder = {};
  };

  // Reads everything back but the log, of which the head is taken; CheckLog looks at the rest. All parts
  // outlive the journal.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(const Parts& parts);

  // What the clock sets off; called at the start of every batch in which something is due, before the work in
  // it.
  void SetClockwork(std::function<void(Turn&)> clockwork) { clockwork_ = std::move(clockwork); }
  // What stands in the way of the house's promises. Changes only on the writer's thread.
  struct Condition {
    bool failed = false;          // a commit failed: the writer has stopped for good
    bool no_room = false;         // the disk is full: nothing is recorded but destruction
    bool clock_in_doubt = false;  // the time is not to be believed
    bool clock_behind = false;    // the clock is behind the log: time stands still until it has caught up
    absl::Time destruction_due = absl::InfiniteFuture();  // since when a key waits to be destroyed
    absl::Time sweeping_due = absl::InfiniteFuture();     // since when what it opened waits to be swept up
  };
  Condition condition() const;
  // How long keys, and what they opened, have been waiting to be destroyed; zero when nothing waits. From any
  // thread.
  struct Waiting {
    absl::Duration keys, sweeping;
  };
  Waiting waiting() const;
  // The instant of the newest batch. On the writer's thread.
  absl::Time time() const { return time_.now(); }
  // Called once, on the writer's thread, when the writer has stopped because it cannot record.
  void OnFailure(std::function<void(const absl::Status&)> f) { on_failure_ = std::move(f); }

  // Called when work has come for a writer that may be asleep, on the thread that brought it. Must not block.
  void OnWork(std::function<void()> f);

  // Runs `work` and what is due at once; for setting up and for catching up. On the writer's thread.
  absl::Status RunNow(const std::function<void(Turn&)>& work);
  // Runs what has queued, and what the clock says is due, as one batch. On the writer's thread, whenever
  // there is work and at least once a second.
  void RunQueued();
  // Work that waits; from any thread.
  size_t queued() const { return queued_; }
  // The journal has more of its own to do at once: RunQueued should be called without waiting. On the
  // writer's thread.
  bool pressing() const;

  // False when the queue is full or the journal is stopping; then nothing of `work` is called. From any
  // thread.
  bool Submit(Work work);
  // Takes no more work; what was taken is done by RunQueued.
  void Stop();

  // What is durable of the log. From any thread.
  struct Committed {
    std::shared_ptr<const std::vector<waarborg::v1::LogRecord>> closed;  // in order
    waarborg::v1::LogRecord log;  // that is written to; without size and root
    audit::Frontier frontier;     // of that log
    std::shared_ptr<const domain::Municipality> municipality;
  };
  Committed committed() const;
  // The same as every log in order, the last one with its size and root of the moment. From any thread.
  std::vector<waarborg::v1::LogRecord> Logs() const;
  // The log as it is at this turn, for reading on another thread.
  std::shared_ptr<const LogReader> NewReader();  // on the writer's thread
  // Rebuilds every log from its entries: whatever was changed, taken out or added behind our back shows.
  // Reads everything; from any thread.
  // Cancelled when `stop` becomes true.
  absl::Status CheckLog(const std::atomic<bool>* stop = nullptr) const;
  // Whether the log of this checkpoint has more entries than are known here, or other ones. From any thread.
  absl::StatusOr<bool> IsBehind(const audit::Checkpoint& checkpoint) const;
  // Begins the next log, whose first entry commits to `previous`: the last checkpoint known of the one
  // before, which may have more entries than are here. Before the journal runs.
  absl::Status ContinueAfter(const audit::Checkpoint& previous);
  // Entries about a destruction whose certificate is still to be made; from any thread.
  size_t certificates_waiting() const { return certificates_waiting_; }
  // The sealed photo; open it with Turn::PhotoKey.
  absl::StatusOr<std::string> ReadSealedPhoto(const std::string& photo_id) const;

  uint64_t size() const { return frontier_.size(); }  // of the log that is written to; on the writer's thread
  audit::Hash Root() const { return frontier_.Root(); }
  const std::string& log_origin() const { return log_.origin(); }  // on the writer's thread
  absl::Time begun() const;                                        // of the oldest log that is kept
  const state::World& world() const { return world_; }             // on the writer's thread

 private:
  friend class Turn;
  explicit Journal(const Parts& parts) : parts_(parts) {}

  absl::Status Load();
  absl::Status LoadLog();
  // Takes in what is not in rows of the index yet: after a start some thousand entries, after an upgrade all.
  absl::Status LoadIndex();
  // Makes rows of what the index has in memory: all entries below `next` are in rows then.
  void FlushIndex(uint64_t next, store::Batch& batch);
  // A batch for when the disk is full: destruction, in the room kept for it.
  absl::Status RunDestructionOnly();
  // One batch, and the answers to it.
  absl::Status RunBatch(std::vector<Work>& works);
  void Apply(Turn& turn, store::Batch& batch);
  // Returns the opening.
  waarborg::v1::OpeningRecord AppendEntry(waarborg::v1::AuditRecord record, const waarborg::v1::Words& words,
                                          store::Batch& batch);
  absl::Status Commit(store::Batch& batch, absl::Time now);
  // Closes the log and begins the next, which goes on from `previous`.
  void BeginLog(const audit::Checkpoint& previous, std::string origin, absl::Time now, store::Batch& batch);
  // A new year begins a new log; a closed one whose term has passed goes.
  void TurnThePage(absl::Time now, store::Batch& batch);
  // Removes some rows of logs that were pruned; false when there are none left.
  absl::StatusOr<bool> SweepPruned();
  void SetCommitted();
  // Photo keys that no file names: what a crash between keystore and store leaves behind. And files whose
  // photo has no key: lost, since what is destroyed is on record.
  void CompareKeys();
  // The photos whose keys were lost can be supplied again.
  void WriteOffLostPhotos(Turn& turn);
  // The clock has something to do.
  bool DueNow() const;
  // Goes on with what is to be destroyed; with `wait`, until all of it is.
  absl::Status Destroy(bool wait);
  absl::Status TakeDestructionOn(bool wait);
  // Whether there is more to destroy than is under way.
  bool MoreToDestroy() const;
  // Adds what is counted of a file to the counts of its year.
  void Count(const domain::Ban& ban, store::Batch& batch);
  // Says of some of what was destroyed that it is gone; true when there is more to say.
  absl::StatusOr<bool> ReportDestroyed();
  std::string SealHouse(const std::string& key, const std::string& value);
  const base::Secret& house_key() const { return *parts_.file_keys->Find("house"); }

  Parts parts_;
  state::World world_;
  audit::Frontier frontier_;
  waarborg::v1::LogRecord log_;
  std::vector<waarborg::v1::LogRecord> closed_;
  absl::Time page_ends_ = absl::InfinitePast();  // when TurnThePage has something to do
  bool closed_changed_ = true;
  std::string day_row_;  // of the newest entry
  std::vector<waarborg::v1::LogRecord> to_sweep_;
  std::string swept_;  // the last row that went
  std::optional<LogIndexer> indexer_;
  // For as long as somebody reads: no copy of a key outlives the answers it was made for.
  std::weak_ptr<const OpeningKeys> opening_keys_;
  uint64_t opening_keys_version_ = 0;
  Timekeeper time_;
  absl::Time recorded_until_ = absl::InfinitePast();  // the time in the head on disk
  bool no_room_ = false;
  // What is being destroyed: photos by the id of their ban, files, and keys that no file names.
  std::optional<Destruction> destruction_;
  std::vector<std::string> destroying_;
  std::vector<std::string> shredding_;
  std::vector<std::string> orphans_going_;
  absl::Time destruction_due_ = absl::InfiniteFuture();
  absl::Time sweeping_due_ = absl::InfiniteFuture();
  // The same for other threads, in milliseconds since 1970; 0: nothing waits.
  std::atomic<int64_t> destruction_due_ms_ = 0, sweeping_due_ms_ = 0;
  std::vector<std::string> orphans_;
  std::vector<std::string> lost_;
  std::map<std::string, absl::Time>
      file_due_;  // of files that are being destroyed: since when they had to go
  std::map<int64_t, waarborg::v1::CountsRecord> counts_;  // by year
  std::set<uint64_t> to_certify_;                         // numbers of entries
  std::atomic<size_t> certificates_waiting_ = 0;
  std::map<std::string, waarborg::v1::IdempotencyRecord> idempotency_;
  absl::Time idempotency_swept_ = absl::InfinitePast();
  base::Secret idempotency_key_;
  std::function<void(Turn&)> clockwork_;
  std::function<void(const absl::Status&)> on_failure_;

  std::function<void()> on_work_;

  mutable base::Mutex mutex_;
  std::vector<Work> queue_ WB_GUARDED_BY(mutex_);
  bool stopping_ WB_GUARDED_BY(mutex_) = false;
  Committed committed_ WB_GUARDED_BY(mutex_);
  std::atomic<size_t> queued_ = 0;
  std::vector<Work> batch_;  // the writer's own, kept for its memory
  bool failed_ = false;
};

}  // namespace waarborg::journal

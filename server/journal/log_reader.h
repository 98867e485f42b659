// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/secret.h"
#include "server/journal/log_index.h"
#include "server/store/store.h"
#include "waarborg/v1/audit.pb.h"
#include "waarborg/v1/store.pb.h"

namespace waarborg::journal {

// What opens openings: a key for each ban and the house key. A copy, so that a worker can read while the
// writer goes on; whoever holds one lets it go when the answer is given, for a destroyed key lives on in it
// until then.
struct OpeningKeys {
  base::Secret house;
  absl::flat_hash_map<std::string, base::Secret> by_ban;
};

// What is asked of the log. Empty means: any.
struct LogQuery {
  std::string ban_id, person_id, station_id, subject_id;
  std::vector<std::string> events;  // any of these
  bool refused_only = false;
  absl::Time from = absl::InfinitePast(), until = absl::InfiniteFuture();  // [from, until)
  uint64_t before = UINT64_MAX;                                            // numbers below this only

  bool HasFilter() const;
};

struct LogEntry {
  uint64_t number = 0;  // through all logs of this store
  uint64_t index = 0;   // in its log
  std::string origin;   // of its log
  std::string commitment;
  // Absent when the key of the opening is gone, or the entry is damaged.
  std::optional<waarborg::v1::OpeningRecord> opening;
  std::optional<waarborg::v1::AuditRecord> record;
  bool damaged = false;  // the key is there, and what it opens is not what was committed to
};

// The log at one moment, for reading on any thread.
class LogReader {
 public:
  // `logs` in order, the last one with its size of the moment.
  LogReader(const store::Store& store, std::shared_ptr<const OpeningKeys> keys,
            std::shared_ptr<const IndexTail> tail, std::vector<waarborg::v1::LogRecord> logs);

  // Calls `each` with what fits, newest first, until it returns false. Openings that are gone fit no filter;
  // damaged entries fit every one.
  absl::Status ReadBack(const LogQuery& query, const std::function<bool(const LogEntry&)>& each) const;
  // One entry. NotFound when there is no such log or entry, or it was pruned.
  absl::StatusOr<LogEntry> ReadOne(const std::string& origin, uint64_t index) const;

  // A ban's id, encrypted, for whoever may not know it; equal for equal bans. And back: nothing when it is
  // not one of ours.
  std::string SubjectOf(const std::string& ban_id) const;
  std::optional<std::string> BanOf(const std::string& subject) const;

  const std::vector<waarborg::v1::LogRecord>& logs() const { return logs_; }
  uint64_t size() const;  // of all logs: the number that comes next

 private:
  absl::StatusOr<LogEntry> Read(const waarborg::v1::LogRecord& log, uint64_t number) const;
  std::unique_ptr<Postings> Find(const waarborg::v1::LogRecord& log, const LogQuery& query, uint64_t first,
                                 uint64_t last) const;
  // The first number of the day of `t` or later.
  absl::StatusOr<uint64_t> FirstOfDay(absl::Time t) const;

  const store::Store& store_;
  std::shared_ptr<const OpeningKeys> keys_;
  std::shared_ptr<const IndexTail> tail_;
  std::vector<waarborg::v1::LogRecord> logs_;
  Terms terms_;
  base::Secret subject_key_;
};

}  // namespace waarborg::journal

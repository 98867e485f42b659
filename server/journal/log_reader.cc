// SPDX-License-Identifier: EUPL-1.2
#include "server/journal/log_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "audit/merkle.h"
#include "server/base/hex.h"
#include "server/journal/rows.h"
#include "server/keys/sealing.h"

namespace waarborg::journal {
namespace {

namespace pb = waarborg::v1;

uint64_t End(const pb::LogRecord& log) {
  return log.first() + log.size();
}

}  // namespace

bool LogQuery::HasFilter() const {
  return !ban_id.empty() || !person_id.empty() || !station_id.empty() || !subject_id.empty() ||
         !events.empty() || refused_only || from != absl::InfinitePast() || until != absl::InfiniteFuture();
}

LogReader::LogReader(const store::Store& store, std::shared_ptr<const OpeningKeys> keys,
                     std::shared_ptr<const IndexTail> tail, std::vector<pb::LogRecord> logs)
    : store_(store),
      keys_(std::move(keys)),
      tail_(std::move(tail)),
      logs_(std::move(logs)),
      terms_(keys_->house),
      subject_key_(keys::Derive(keys_->house, "subject")) {}

uint64_t LogReader::size() const {
  return logs_.empty() ? 0 : End(logs_.back());
}

std::string LogReader::SubjectOf(const std::string& ban_id) const {
  return base::ToHex(keys::SealEqually(subject_key_, ban_id, "subject"));
}

std::optional<std::string> LogReader::BanOf(const std::string& subject) const {
  if (subject.size() > 200 || !base::IsHex(subject, subject.size())) return std::nullopt;
  return keys::Unseal(subject_key_, base::FromHex(subject), "subject");
}

absl::StatusOr<uint64_t> LogReader::FirstOfDay(absl::Time t) const {
  uint64_t number = size();
  const auto s = store_.Scan("y/", DayRow(t), [&](std::string_view, std::string_view value) {
    number = NumberAt(value, 0);
    return false;
  });
  if (!s.ok()) return s;
  return number;
}

std::unique_ptr<Postings> LogReader::Find(const pb::LogRecord& log, const LogQuery& q, uint64_t first,
                                          uint64_t last) const {
  std::vector<std::unique_ptr<Postings>> all;
  const auto add = [&](TermKind kind, const std::string& value) {
    if (!value.empty()) all.push_back(PostingsOf(store_, tail_, log.number(), terms_.Of(kind, value)));
  };
  add(TermKind::kBan, q.ban_id);
  add(TermKind::kPerson, q.person_id);
  add(TermKind::kStation, q.station_id);
  add(TermKind::kSubject, q.subject_id);
  if (q.refused_only)
    all.push_back(PostingsOf(store_, tail_, log.number(), terms_.Of(TermKind::kRefused, "")));
  if (!q.events.empty()) {
    std::vector<std::unique_ptr<Postings>> any;
    for (const std::string& event : q.events) {
      any.push_back(PostingsOf(store_, tail_, log.number(), terms_.Of(TermKind::kEvent, event)));
    }
    all.push_back(AnyOf(std::move(any)));
  }
  all.push_back(EveryNumber(first, last));
  return AllOf(std::move(all));
}

absl::Status LogReader::ReadBack(const LogQuery& query,
                                 const std::function<bool(const LogEntry&)>& each) const {
  uint64_t begin = 0, end = std::min(query.before, size());
  if (query.from != absl::InfinitePast()) {
    auto first = FirstOfDay(query.from);
    if (!first.ok()) return first.status();
    begin = *first;
  }
  if (query.until != absl::InfiniteFuture()) {
    auto after = FirstOfDay(query.until + absl::Hours(24));
    if (!after.ok()) return after.status();
    end = std::min(end, *after);
  }
  const bool filtered = query.HasFilter();
  for (auto log = logs_.rbegin(); log != logs_.rend(); ++log) {
    const uint64_t first = std::max(begin, log->first()), behind = std::min(end, End(*log));
    if (log->pruned() || first >= behind) continue;
    const auto numbers = Find(*log, query, first, behind - 1);
    for (auto n = numbers->AtOrBelow(behind - 1); n; n = numbers->AtOrBelow(*n - 1)) {
      auto entry = Read(*log, *n);
      if (absl::IsNotFound(entry.status())) break;  // the log was pruned meanwhile
      if (!entry.ok()) return entry.status();
      const absl::Time at =
          entry->record ? absl::FromUnixMillis(entry->record->at_ms()) : absl::InfinitePast();
      const bool fits = entry->record ? at >= query.from && at < query.until : entry->damaged || !filtered;
      if (fits && !each(*entry)) return absl::OkStatus();
      if (*n == 0) break;
    }
    if (auto s = numbers->status(); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::StatusOr<LogEntry> LogReader::ReadOne(const std::string& origin, uint64_t index) const {
  for (const pb::LogRecord& log : logs_) {
    if (log.origin() == origin && index < log.size() && !log.pruned()) return Read(log, log.first() + index);
  }
  return absl::NotFoundError("no such entry");
}

absl::StatusOr<LogEntry> LogReader::Read(const pb::LogRecord& log, uint64_t number) const {
  LogEntry entry;
  entry.number = number;
  entry.index = number - log.first();
  entry.origin = log.origin();
  const std::string row = EntryRow(number);
  auto value = store_.Get(row);
  if (!value.ok() && !absl::IsNotFound(value.status())) return value.status();
  if (!value.ok()) {
    pb::LogRecord now;
    const auto closed = store_.Get(ClosedLogRow(log.number()));
    if (closed.ok() && now.ParseFromString(*closed) && now.pruned()) return absl::NotFoundError("pruned");
  }
  const auto parts = value.ok() ? SplitEntry(*value) : std::nullopt;
  if (!parts) {
    entry.damaged = true;
    return entry;
  }
  entry.commitment = std::string(parts->commitment);
  const base::Secret* key = &keys_->house;
  if (!parts->ban_id.empty()) {
    auto it = keys_->by_ban.find(std::string(parts->ban_id));
    key = it == keys_->by_ban.end() ? nullptr : &it->second;
  }
  if (key == nullptr) {
    // Shredded with its file; unless that file never had this entry, for then its id was changed.
    const std::string id(parts->ban_id);
    const auto numbers = PostingsOf(store_, tail_, log.number(), terms_.Of(TermKind::kBan, id));
    entry.damaged = numbers->AtOrBelow(number) != number;
    if (auto s = numbers->status(); !s.ok()) return s;
    return entry;
  }
  const auto plain = keys::Unseal(*key, parts->sealed_opening, row);
  pb::OpeningRecord opening;
  pb::AuditRecord record;
  entry.damaged = !plain || !opening.ParseFromString(*plain) || !record.ParseFromString(opening.record()) ||
                  audit::Commit(opening.key(), opening.record()) != entry.commitment;
  if (entry.damaged) return entry;
  entry.opening = std::move(opening);
  entry.record = std::move(record);
  return entry;
}

}  // namespace waarborg::journal

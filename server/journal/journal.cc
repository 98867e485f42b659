// SPDX-License-Identifier: EUPL-1.2
#include "server/journal/journal.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "audit/opening.h"
#include "audit/record.h"
#include "audit/text.h"
#include "server/base/hex.h"
#include "server/config/config.h"
#include "server/domain/file_term.h"
#include "server/journal/rows.h"
#include "server/keys/sealing.h"
#include "server/state/codec.h"

namespace waarborg::journal {
namespace {

namespace pb = waarborg::v1;

constexpr size_t kMaxQueue = 4096;
constexpr absl::Duration kRecordTimeEvery = absl::Minutes(10);
constexpr absl::Duration kIdempotencyTerm = absl::Hours(24);
constexpr size_t kSweepAtOnce = 1000;
// So many files are changed in one turn of the journal's own, so that checks get theirs in between.
constexpr size_t kAtOnce = state::World::kDueAtOnce;

std::string CertificateRow(uint64_t number) {
  std::string row = "d/";
  AppendNumber(row, number);
  return row;
}
std::string ShreddingRow(const std::string& id) {
  return "k/" + id;
}

std::string IdempotencyRow(const std::string& digest) {
  return "i/" + base::ToHex(digest);
}

absl::Status Corrupt(std::string_view key) {
  return absl::DataLossError(
      absl::StrCat("store: the record ", std::string(key.substr(0, 40)), " does not open"));
}

// The name of the log after a restored backup: the last one known, and a number. It was never used, or the
// last one known would be another.
std::string OriginAfter(const std::string& origin) {
  const size_t slash = origin.rfind('/');
  const size_t dash = origin.rfind('-');
  int count = 1;
  if (dash == std::string::npos || slash == std::string::npos || dash < slash ||
      !absl::SimpleAtoi(origin.substr(dash + 1), &count)) {
    return origin + "-2";
  }
  return absl::StrCat(origin.substr(0, dash), "-", count + 1);
}

// The declaration of destruction (Archiefwet): what, on which ground, when, by which process.
std::string DeclarationOf(const pb::LogRecord& log, absl::Time now, int keep_years, const std::string& origin,
                          uint64_t index) {
  return absl::StrCat(
      "Verklaring van vernietiging\n\nWat:      de ", log.size(), " regels van het logboek ", log.origin(),
      "\n          en wat daarbij hoorde; het laatste controlepunt blijft bewaard\nGrond:    bewaartermijn "
      "van ",
      keep_years, " jaar na sluiting\nWanneer:  ", base::FormatLocal(now),
      "\nWaardoor: vanzelf, door het systeem\nRegel:    ", index, " van het logboek ", origin, "\n");
}

}  // namespace

void Turn::PutConfiguration(std::string toml, domain::Municipality m) {
  configuration_.emplace(std::move(toml), std::move(m));
}

void Turn::PutPhoto(std::string photo_id, std::string jpeg) {
  photos_.emplace_back(std::move(photo_id), std::move(jpeg));
}

void Turn::ShredFile(std::string ban_id) {
  files_going_.push_back(std::move(ban_id));
}

void Turn::Certified(uint64_t number) {
  certified_.push_back(number);
}

void Turn::DeletePhoto(std::string photo_id) {
  photos_gone_.push_back(std::move(photo_id));
}

void Turn::Discard() {
  bans_.clear();
  people_.clear();
  stations_.clear();
  changes_.clear();
  reviews_.clear();
  configuration_.reset();
  photos_.clear();
  photos_gone_.clear();
  files_going_.clear();
  certified_.clear();
  entries_.clear();
  remembered_.clear();
  believe_clock_ = false;
}

uint64_t Turn::Log(pb::AuditRecord record, const pb::Words& words) {
  record.set_at_ms(absl::ToUnixMillis(now_));
  entries_.emplace_back(std::move(record), words);
  return first_index_ + entries_.size() - 1;
}

const std::string& Turn::log_origin() const {
  return journal_.log_.origin();
}

std::optional<pb::IdempotencyRecord> Turn::Recall(const std::string& digest) const {
  auto it = journal_.idempotency_.find(IdempotencyRow(digest));
  if (it == journal_.idempotency_.end()) return std::nullopt;
  if (absl::FromUnixMillis(it->second.at_ms()) + kIdempotencyTerm <= now_) return std::nullopt;
  return it->second;
}

void Turn::Remember(std::string digest, pb::IdempotencyRecord record) {
  remembered_.emplace_back(std::move(digest), std::move(record));
}

std::string Turn::HouseMac(std::string_view data) const {
  return keys::Mac(journal_.idempotency_key_, data);
}

std::map<std::string, uint64_t> Turn::CountsOf(int64_t year) const {
  auto it = journal_.counts_.find(year);
  if (it == journal_.counts_.end()) return {};
  return {it->second.counts().begin(), it->second.counts().end()};
}

std::optional<base::Secret> Turn::PhotoKey(const std::string& photo_id) const {
  const base::Secret* key = journal_.parts_.photo_keys->Find(photo_id);
  if (key == nullptr) return std::nullopt;
  return key->Clone();
}

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(const Parts& parts) {
  std::unique_ptr<Journal> journal(new Journal(parts));
  journal->destruction_.emplace(Destruction::Parts{parts.photo_keys, parts.file_keys, parts.store,
                                                   parts.background, parts.trim_folder});
  if (auto s = journal->Load(); !s.ok()) return s;
  return journal;
}

absl::Status Journal::Load() {
  bool fresh = false;
  if (auto s = UpgradeSchema(*parts_.store, *parts_.file_keys, *parts_.random, fresh); !s.ok()) return s;
  const bool keys_of_files =
      parts_.file_keys->size() > (parts_.file_keys->Find("house") == nullptr ? 0u : 1u);
  if (fresh && (keys_of_files || parts_.photo_keys->size() > 0)) {
    return absl::DataLossError(
        "the database is empty, but the keystore beside it is not: is the database missing, or not mounted? "
        "Nothing was "
        "touched.");
  }
  if (parts_.file_keys->Find("house") == nullptr) {
    if (!fresh)
      return absl::DataLossError("the keystore holds no house key, but there are data: wrong keystore?");
    parts_.file_keys->Add("house");
    if (auto s = parts_.file_keys->Sync(); !s.ok()) return s;
  }
  idempotency_key_ = keys::Derive(house_key(), "idempotency");
  indexer_.emplace(house_key());
  if (fresh) {
    store::Batch batch;
    batch.Put("m/schema", absl::StrCat(kSchema));
    if (auto s = parts_.store->Commit(batch); !s.ok()) return s;
  }

  absl::Status broken;
  auto each_house = [&](const char* prefix,
                        const std::function<bool(const std::string&, const std::string&)>& take) {
    if (!broken.ok()) return;
    auto s = parts_.store->Scan(prefix, prefix, [&](std::string_view key, std::string_view value) {
      auto plain = keys::Unseal(house_key(), value, key);
      if (!plain || !take(std::string(key), *plain)) broken = Corrupt(key);
      return broken.ok();
    });
    if (!s.ok()) broken = s;
  };
  each_house("f/", [&](const std::string&, const std::string& toml) {
    config::Errors errors;
    domain::Municipality m = config::ParseMunicipality(toml, "municipality", errors);
    if (!errors.empty()) return false;
    world_.PutConfiguration(toml, std::move(m));
    return true;
  });
  auto take = [&](auto decode) {
    return [this, decode](const std::string&, const std::string& bytes) {
      auto value = decode(bytes);
      if (!value) return false;
      world_.Put(std::move(*value));
      return true;
    };
  };
  each_house("p/", take(state::DecodePerson));
  each_house("s/", take(state::DecodeStation));
  each_house("c/", take(state::DecodeChange));
  each_house("r/", [&](const std::string&, const std::string& bytes) {
    pb::ReviewRecord review;
    if (!review.ParseFromString(bytes)) return false;
    world_.Put(std::move(review));
    return true;
  });
  each_house("n/", [&](const std::string& key, const std::string& bytes) {
    int64_t year = 0;
    return absl::SimpleAtoi(key.substr(2), &year) && counts_[year].ParseFromString(bytes);
  });
  each_house("i/", [&](const std::string& key, const std::string& bytes) {
    return idempotency_[key].ParseFromString(bytes);
  });
  if (!broken.ok()) return broken;
  auto s = parts_.store->Scan("k/", "k/", [&](std::string_view key, std::string_view value) {
    const std::string id(key.substr(2));
    world_.Shred(id);
    if (value.size() == 8) file_due_[id] = absl::FromUnixMillis(static_cast<int64_t>(NumberAt(value, 0)));
    return true;
  });
  if (!s.ok()) return s;
  s = parts_.store->Scan("d/", "d/", [&](std::string_view key, std::string_view) {
    if (const auto number = IndexOf(key)) to_certify_.insert(*number);
    return true;
  });
  certificates_waiting_ = to_certify_.size();
  if (!s.ok()) return s;
  s = parts_.store->Scan("b/", "b/", [&](std::string_view key, std::string_view value) {
    const std::string id(key.substr(2));
    const base::Secret* file_key = parts_.file_keys->Find(id);
    // The key went, and then came a crash: what is left of the file goes with the rest.
    if (file_key == nullptr && world_.shredding().contains(id)) return true;
    auto plain = file_key == nullptr ? std::nullopt : keys::Unseal(*file_key, value, key);
    auto ban = plain ? state::DecodeBan(*plain) : std::nullopt;
    if (!ban) {
      broken = Corrupt(key);
      return false;
    }
    world_.Put(std::move(*ban));
    return true;
  });
  if (!s.ok()) return s;
  if (!broken.ok()) return broken;
  CompareKeys();
  return LoadLog();
}

void Journal::CompareKeys() {
  std::set<std::string> named;
  for (const auto& [id, ban] : world_.bans()) {
    named.insert(ban.release.photo_id);
    if (ban.release.HasPhoto() && parts_.photo_keys->Find(ban.release.photo_id) == nullptr) {
      lost_.push_back(id);
    }
  }
  parts_.photo_keys->ForEach([&](const std::string& id, const base::Secret&) {
    if (!named.contains(id)) orphans_.push_back(id);
  });
}

absl::Status Journal::LoadLog() {
  pb::LogHeadRecord head;
  auto stored = parts_.store->Get("a/head");
  if (stored.ok()) {
    if (!head.ParseFromString(*stored)) return Corrupt("a/head");
  } else if (!absl::IsNotFound(stored.status())) {
    return stored.status();
  }
  auto frontier = FrontierOf(head);
  if (!frontier) return Corrupt("a/head");
  frontier_ = std::move(*frontier);
  log_ = head.log();
  recorded_until_ = head.at_ms() == 0 ? absl::InfinitePast() : absl::FromUnixMillis(head.at_ms());
  time_.Start(*parts_.clock, recorded_until_);
  absl::Status broken;
  auto s = parts_.store->Scan("g/", "g/", [&](std::string_view row, std::string_view value) {
    pb::LogRecord log;
    if (!log.ParseFromArray(value.data(), static_cast<int>(value.size()))) broken = Corrupt(row);
    if (log.pruned()) to_sweep_.push_back(log);
    closed_.push_back(std::move(log));
    return broken.ok();
  });
  if (!s.ok()) return s;
  if (!broken.ok()) return broken;
  if (log_.number() == 0) {
    const absl::Time begun = std::max(time_.Look(), recorded_until_);
    log_.set_number(1);
    log_.set_origin(absl::StrCat(parts_.log_name, "/", base::LocalDay(begun).year()));
    log_.set_begun_ms(absl::ToUnixMillis(begun));
  } else if (!absl::StartsWith(log_.origin(), parts_.log_name + "/")) {
    return absl::FailedPreconditionError(absl::StrCat("this log is called ", log_.origin(),
                                                      ", the configuration says ", parts_.log_name,
                                                      ": a log keeps its name; set [log] name back"));
  }
  // What the head says stands at the end, and nothing behind it. The rest is CheckLog's.
  const uint64_t end = log_.first() + frontier_.size();
  uint64_t there = 0;
  s = parts_.store->ScanBack("l/", EntryRow(UINT64_MAX), [&](std::string_view row, std::string_view) {
    there = IndexOf(row).value_or(UINT64_MAX - 1) + 1;
    return false;
  });
  if (!s.ok()) return s;
  if (there != end) {
    return absl::DataLossError(
        absl::StrCat("the audit log ", log_.origin(), " does not match its head: ", end,
                     " entries expected, the last one stored is number ", there,
                     ". Somebody changed the data, or they are damaged; restore a backup."));
  }
  if (s = LoadIndex(); !s.ok()) return s;
  SetCommitted();
  return absl::OkStatus();
}

void Journal::FlushIndex(uint64_t next, store::Batch& batch) {
  indexer_->Flush(batch);
  batch.Put(kIndexed, NumberValue(next));
}

absl::Status Journal::LoadIndex() {
  auto marked = parts_.store->Get(kIndexed);
  if (!marked.ok() && !absl::IsNotFound(marked.status())) return marked.status();
  uint64_t from = marked.ok() && marked->size() == 8 ? NumberAt(*marked, 0) : 0;
  const uint64_t end = log_.first() + frontier_.size();
  auto log = closed_.begin();
  while (from < end) {
    // One log at a time: a row of the index holds numbers of one.
    while (log != closed_.end() && (from >= log->first() + log->size() || log->pruned())) ++log;
    const pb::LogRecord& its = log == closed_.end() ? log_ : *log;
    const uint64_t its_end = log == closed_.end() ? end : its.first() + its.size();
    from = std::max(from, its.first());
    store::Batch batch;
    std::string day;
    auto s = parts_.store->Scan("l/", EntryRow(from), [&](std::string_view row, std::string_view value) {
      if (from == its_end || indexer_->pending() >= parts_.index_chunk) return false;
      const auto parts = SplitEntry(value);
      if (!parts || IndexOf(row) != from) return false;
      const std::string ban_id(parts->ban_id);
      const base::Secret* key = ban_id.empty() ? &house_key() : parts_.file_keys->Find(ban_id);
      const auto plain = key == nullptr ? std::nullopt : keys::Unseal(*key, parts->sealed_opening, row);
      pb::OpeningRecord opening;
      pb::AuditRecord record;
      if (plain && opening.ParseFromString(*plain) && record.ParseFromString(opening.record())) {
        indexer_->Add(record, its.number(), from);
        // Before schema 3 the days had no rows.
        if (std::string its_day = DayRow(absl::FromUnixMillis(record.at_ms())); its_day != day) {
          if (absl::IsNotFound(parts_.store->Get(its_day).status())) {
            batch.Put(its_day, NumberValue(from));
          }
          day = std::move(its_day);
        }
      } else if (!ban_id.empty()) {
        indexer_->AddBan(ban_id, its.number(), from);
      }
      ++from;
      return true;
    });
    if (!s.ok()) return s;
    const bool more = from < end && (from == its_end || indexer_->pending() >= parts_.index_chunk);
    if (!more && from < end) break;  // damaged there, which CheckLog says
    if (!more && batch.writes.empty()) break;
    if (more) FlushIndex(from, batch);
    if (s = parts_.store->Commit(batch); !s.ok()) return s;
  }
  return absl::OkStatus();
}

void Journal::SetCommitted() {
  base::Lock lock(mutex_);
  if (closed_changed_) {
    committed_.closed = std::make_shared<const std::vector<pb::LogRecord>>(closed_);
    committed_.log = log_;
    closed_changed_ = false;
  }
  committed_.frontier = frontier_;
  committed_.municipality = world_.shared_municipality();
}

Journal::Committed Journal::committed() const {
  base::Lock lock(mutex_);
  return committed_;
}

std::vector<pb::LogRecord> Journal::Logs() const {
  const Committed now = committed();
  std::vector<pb::LogRecord> logs = *now.closed;
  logs.push_back(now.log);
  logs.back().set_size(now.frontier.size());
  const audit::Hash root = now.frontier.Root();
  logs.back().set_root(root.data(), root.size());
  return logs;
}

absl::Status Journal::CheckLog(const std::atomic<bool>* stop) const {
  for (const pb::LogRecord& log : Logs()) {
    if (log.pruned()) continue;
    const auto rebuilt = RebuildTree(*parts_.store, log.first(), log.size(), stop);
    if (!rebuilt.ok()) return rebuilt.status();
    if (rebuilt->size() == log.size() && audit::View(rebuilt->Root()) == log.root()) continue;
    const auto closed = committed().closed;
    if (std::any_of(closed->begin(), closed->end(),
                    [&](const pb::LogRecord& l) { return l.number() == log.number() && l.pruned(); })) {
      continue;  // meanwhile
    }
    return absl::DataLossError(
        absl::StrCat("the audit log ", log.origin(), " does not match its head: ", log.size(),
                     " entries expected, ", rebuilt->size(),
                     " in order were found. Somebody changed the data, or they are damaged; "
                     "restore a backup."));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Journal::IsBehind(const audit::Checkpoint& checkpoint) const {
  const std::vector<pb::LogRecord> logs = Logs();
  for (size_t i = 0; i < logs.size(); ++i) {
    const pb::LogRecord& log = logs[i];
    if (log.origin() != checkpoint.origin) continue;
    const auto next =
        i + 1 < logs.size() ? audit::PreviousOf(logs[i + 1].continued().record()) : std::nullopt;
    // A later log may commit to more than is here.
    if (next && next->size != log.size()) {
      return checkpoint.size > next->size || (checkpoint.size == next->size && checkpoint.root != next->root);
    }
    if (checkpoint.size > log.size()) return true;
    if (log.pruned()) return checkpoint.size == log.size() && audit::View(checkpoint.root) != log.root();
    const auto rebuilt = RebuildTree(*parts_.store, log.first(), checkpoint.size, nullptr);
    if (!rebuilt.ok()) return rebuilt.status();
    return rebuilt->Root() != checkpoint.root;
  }
  return true;
}

std::shared_ptr<const LogReader> Journal::NewReader() {
  std::shared_ptr<const OpeningKeys> shared = opening_keys_.lock();
  if (shared == nullptr || opening_keys_version_ != parts_.file_keys->version()) {
    auto keys = std::make_shared<OpeningKeys>();
    parts_.file_keys->ForEach([&](const std::string& id, const base::Secret& key) {
      if (id == "house") {
        keys->house = key.Clone();
      } else {
        keys->by_ban.emplace(id, key.Clone());
      }
    });
    shared = std::move(keys);
    opening_keys_ = shared;
    opening_keys_version_ = parts_.file_keys->version();
  }
  std::vector<pb::LogRecord> logs = closed_;
  logs.push_back(log_);
  logs.back().set_size(frontier_.size());
  return std::make_shared<LogReader>(*parts_.store, std::move(shared), indexer_->Tail(), std::move(logs));
}

bool Turn::clock_in_doubt() const {
  return journal_.time_.in_doubt();
}

absl::Time Turn::clock_reading() const {
  return journal_.time_.reading();
}

Journal::Condition Journal::condition() const {
  return {failed_, no_room_, time_.in_doubt(), time_.behind(), destruction_due_, sweeping_due_};
}

Journal::Waiting Journal::waiting() const {
  const absl::Time now = parts_.clock->Now();
  const auto since = [now](int64_t ms) {
    return ms == 0 ? absl::ZeroDuration() : std::max(absl::ZeroDuration(), now - absl::FromUnixMillis(ms));
  };
  return {since(destruction_due_ms_), since(sweeping_due_ms_)};
}

absl::Time Journal::begun() const {
  for (const pb::LogRecord& log : closed_) {
    if (!log.pruned()) return absl::FromUnixMillis(log.begun_ms());
  }
  return absl::FromUnixMillis(log_.begun_ms());
}

absl::Status Journal::RunNow(const std::function<void(Turn&)>& work) {
  std::vector<Work> works;
  works.push_back({work, [](bool) {}});
  do {
    if (auto s = RunBatch(works); !s.ok()) return s;
    works.clear();
  } while (DueNow() || !lost_.empty());
  return Destroy(/*wait=*/true);
}

void Journal::OnWork(std::function<void()> f) {
  destruction_->OnStep(f);
  on_work_ = std::move(f);
}

void Journal::Stop() {
  base::Lock lock(mutex_);
  stopping_ = true;
}

bool Journal::Submit(Work work) {
  bool first = false;
  {
    base::Lock lock(mutex_);
    if (stopping_ || queue_.size() >= kMaxQueue) return false;
    queue_.push_back(std::move(work));
    first = queue_.size() == 1;  // else the writer has been woken already
    queued_ = queue_.size();
  }
  if (first && on_work_) on_work_();
  return true;
}

void Journal::RunQueued() {
  {
    base::Lock lock(mutex_);
    batch_.swap(queue_);
    queued_ = 0;
  }
  no_room_ = !failed_ && !parts_.room->Enough();
  if (failed_ || no_room_) {
    for (Work& w : batch_) w.done(false);
    batch_.clear();
  }
  if (failed_) return;
  const bool busy = !batch_.empty();
  absl::Status s = no_room_ ? RunDestructionOnly() : RunBatch(batch_);
  batch_.clear();
  if (s.ok() && !no_room_) s = Destroy(/*wait=*/false);
  if (s.ok() && !no_room_ && !busy) s = SweepPruned().status();
  if (!s.ok()) {
    failed_ = true;
    if (on_failure_) on_failure_(s);
  }
}

absl::Status Journal::RunDestructionOnly() {
  const bool begun = destruction_->keyless() && !MoreToDestroy();
  const bool due = world_.NextDue() <= time_.Look() ||
                   (!(world_.destroying().empty() && world_.shredding().empty()) && !begun);
  if (!due || time_.in_doubt()) return absl::OkStatus();
  parts_.room->Release();
  const absl::Status s = RunNow([](Turn&) {});
  parts_.room->Hold();
  return s;
}

absl::Status Journal::RunBatch(std::vector<Work>& works) {
  const absl::Time now = time_.Look();
  store::Batch batch;
  if (now >= page_ends_ && !time_.in_doubt()) TurnThePage(now, batch);
  bool believe_clock = false;
  if (clockwork_ && world_.NextDue() <= now && !time_.in_doubt()) {
    Turn turn(*this, world_, *parts_.random, now, frontier_.size());
    clockwork_(turn);
    Apply(turn, batch);
  }
  for (Work& work : works) {
    Turn turn(*this, world_, *parts_.random, now, frontier_.size());
    work.run(turn);
    believe_clock |= turn.believe_clock_;
    Apply(turn, batch);
  }
  // Last, for what is put back after a loss may know that a key was destroyed and not lost.
  if (!lost_.empty()) {
    Turn turn(*this, world_, *parts_.random, now, frontier_.size());
    WriteOffLostPhotos(turn);
    Apply(turn, batch);
  }
  if (idempotency_swept_ + absl::Hours(1) < now) {
    idempotency_swept_ = now;
    std::erase_if(idempotency_, [&](const auto& row) {
      if (absl::FromUnixMillis(row.second.at_ms()) + kIdempotencyTerm > now) return false;
      batch.Delete(row.first);
      return true;
    });
  }
  // So that a restart after a quiet night does not look like a jump of the clock.
  const bool head_is_old = recorded_until_ + kRecordTimeEvery < now;
  absl::Status s = absl::OkStatus();
  if (!batch.writes.empty() || head_is_old) s = Commit(batch, now);
  if (s.ok() && believe_clock) time_.Believe();
  for (Work& work : works) work.done(s.ok());
  return s;
}

void Journal::Apply(Turn& turn, store::Batch& batch) {
  for (auto& ban : turn.bans_) {
    const domain::Ban* old = world_.FindBan(ban.id);
    // The entry that says that a photo is to go stands in the log before its key goes.
    if (ban.release.state == domain::PhotoState::kDestroying &&
        (old == nullptr || old->release.state != domain::PhotoState::kDestroying)) {
      const bool ended = ban.release.destruction_reason == domain::DestructionReason::kBanEnded;
      ban.release.destruction_due_at = ended ? std::min(ban.ends_at, turn.now_) : turn.now_;
      pb::AuditRecord record;
      record.set_event("PhotoDestructionStarted");
      record.set_result(pb::RESULT_DONE);
      record.set_ban_id(ban.id);
      record.set_photo_id(ban.release.photo_id);
      record.set_destruction_reason(static_cast<pb::DestructionReason>(ban.release.destruction_reason));
      record.set_ban_state(static_cast<pb::BanState>(ban.state));
      record.set_photo_state(pb::PHOTO_STATE_DESTROYING);
      turn.Log(std::move(record));
    }
    const base::Secret* key = parts_.file_keys->Find(ban.id);
    if (key == nullptr) key = &parts_.file_keys->Add(ban.id);
    const std::string row = BanRow(ban.id);
    batch.Put(row, keys::Seal(*key, state::EncodeBan(ban), row, *parts_.random));
    world_.Put(std::move(ban));
  }
  auto put = [&](const std::string& row, const std::string& value) { batch.Put(row, SealHouse(row, value)); };
  for (auto& person : turn.people_) {
    put("p/" + person.id, state::EncodePerson(person));
    world_.Put(std::move(person));
  }
  for (auto& station : turn.stations_) {
    put("s/" + station.id, state::EncodeStation(station));
    world_.Put(std::move(station));
  }
  for (auto& change : turn.changes_) {
    put("c/" + change.id, state::EncodeChange(change));
    world_.Put(std::move(change));
  }
  if (turn.configuration_) {
    put("f/municipality", turn.configuration_->first);
    world_.PutConfiguration(turn.configuration_->first, std::move(turn.configuration_->second));
    page_ends_ = absl::InfinitePast();
  }
  for (auto& [id, jpeg] : turn.photos_) {
    const std::string row = PhotoRow(id);
    batch.Put(row, keys::Seal(parts_.photo_keys->Add(id), jpeg, row, *parts_.random));
    base::Wipe(jpeg);
  }
  for (const std::string& id : turn.photos_gone_) batch.Delete(PhotoRow(id));
  for (const std::string& id : turn.files_going_) {
    const domain::Ban* ban = world_.FindBan(id);
    if (ban == nullptr || world_.shredding().contains(id)) continue;
    // What has to be known of it is kept now: once its key is gone, nothing of it can be read.
    const absl::Time due = std::min(domain::FileTermEnds(world_.municipality(), *ban), turn.now_);
    batch.Put(ShreddingRow(id), NumberValue(static_cast<uint64_t>(absl::ToUnixMillis(due))));
    file_due_[id] = due;
    Count(*ban, batch);
    world_.Shred(id);
  }
  for (uint64_t number : turn.certified_) {
    batch.Delete(CertificateRow(number));
    to_certify_.erase(number);
    certificates_waiting_ = to_certify_.size();
  }
  for (auto& [digest, record] : turn.remembered_) {
    const std::string row = IdempotencyRow(digest);
    put(row, record.SerializeAsString());
    idempotency_[row] = std::move(record);
  }
  for (auto& review : turn.reviews_) {
    put("r/" + review.id(), review.SerializeAsString());
    world_.Put(std::move(review));
  }
  for (auto& [record, words] : turn.entries_) AppendEntry(std::move(record), words, batch);
}

pb::OpeningRecord Journal::AppendEntry(pb::AuditRecord record, const pb::Words& words, store::Batch& batch) {
  pb::OpeningRecord opening;
  if (words.words_size() > 0) {
    opening.set_words_key(parts_.random->Bytes(audit::kOpeningKeySize));
    opening.set_words(words.SerializeAsString());
    record.set_words_commitment(audit::Commit(opening.words_key(), opening.words()));
  }
  opening.set_key(parts_.random->Bytes(audit::kOpeningKeySize));
  opening.set_record(record.SerializeAsString());
  const std::string commitment = audit::Commit(opening.key(), opening.record());
  const base::Secret* file_key = record.ban_id().empty() ? nullptr : parts_.file_keys->Find(record.ban_id());
  const uint64_t number = log_.first() + frontier_.size();
  std::string row = EntryRow(number);
  const std::string sealed = keys::Seal(file_key == nullptr ? house_key() : *file_key,
                                        opening.SerializeAsString(), row, *parts_.random);
  if (record.event() == "PhotoDestroyed" || record.event() == "FileDestroyed" ||
      record.event() == "OrphanKeyDestroyed") {
    // Under the house key: a certificate outlives the file it is about.
    const std::string waiting = CertificateRow(number);
    batch.Put(waiting, SealHouse(waiting, opening.SerializeAsString()));
    to_certify_.insert(number);
    certificates_waiting_ = to_certify_.size();
  }
  batch.Put(std::move(row),
            JoinEntry({commitment, file_key == nullptr ? std::string_view() : record.ban_id(), sealed}));
  indexer_->Add(record, log_.number(), number);
  if (std::string day = DayRow(absl::FromUnixMillis(record.at_ms())); day != day_row_) {
    // The first after a start may not be the first of its day; then the row is there.
    if (!day_row_.empty() || !parts_.store->Get(day).ok()) {
      batch.Put(day, NumberValue(number));
    }
    day_row_ = std::move(day);
  }
  frontier_.Append(audit::LeafHash(commitment));
  return opening;
}

void Journal::BeginLog(const audit::Checkpoint& previous, std::string origin, absl::Time now,
                       store::Batch& batch) {
  FlushIndex(log_.first() + frontier_.size(), batch);
  const audit::Hash root = frontier_.Root();
  log_.set_size(frontier_.size());
  log_.set_root(root.data(), root.size());
  log_.set_closed_ms(absl::ToUnixMillis(now));
  batch.Put(ClosedLogRow(log_.number()), log_.SerializeAsString());
  closed_.push_back(log_);
  pb::LogRecord next;
  next.set_number(log_.number() + 1);
  next.set_origin(std::move(origin));
  next.set_first(log_.first() + log_.size());
  next.set_begun_ms(absl::ToUnixMillis(now));
  log_ = std::move(next);
  frontier_ = audit::Frontier();
  pb::AuditRecord record;
  record.set_event("LogContinued");
  record.set_result(pb::RESULT_DONE);
  record.set_at_ms(absl::ToUnixMillis(now));
  record.set_previous_origin(previous.origin);
  record.set_previous_size(previous.size);
  record.set_previous_root(previous.root.data(), previous.root.size());
  *log_.mutable_continued() = AppendEntry(std::move(record), {}, batch);
  closed_changed_ = true;
}

absl::Status Journal::ContinueAfter(const audit::Checkpoint& previous) {
  store::Batch batch;
  const absl::Time now = time_.Look();
  BeginLog(previous, OriginAfter(previous.origin), now, batch);
  return Commit(batch, now);
}

void Journal::TurnThePage(absl::Time now, store::Batch& batch) {
  const auto year = base::LocalDay(now).year();
  if (frontier_.size() > 0 && base::LocalDay(absl::FromUnixMillis(log_.begun_ms())).year() < year) {
    BeginLog({log_.origin(), frontier_.size(), frontier_.Root()}, absl::StrCat(parts_.log_name, "/", year),
             now, batch);
  }
  page_ends_ = base::StartOfDay(absl::CivilDay(year + 1, 1, 1));
  const int keep = world_.municipality().log_keep_years;
  for (pb::LogRecord& log : closed_) {
    if (log.pruned() || keep == 0) continue;
    const absl::CivilDay closed = base::LocalDay(absl::FromUnixMillis(log.closed_ms()));
    const absl::Time ends =
        base::StartOfDay(absl::CivilDay(closed.year() + keep, closed.month(), closed.day()));
    if (ends > now) {
      page_ends_ = std::min(page_ends_, ends);
      continue;
    }
    pb::AuditRecord record;
    record.set_event("LogPruned");
    record.set_result(pb::RESULT_DONE);
    record.set_at_ms(absl::ToUnixMillis(now));
    record.set_previous_origin(log.origin());
    record.set_previous_size(log.size());
    record.set_previous_root(log.root());
    log.set_pruned(true);
    log.set_declaration(DeclarationOf(log, now, keep, log_.origin(), frontier_.size()));
    batch.Put(ClosedLogRow(log.number()), log.SerializeAsString());
    AppendEntry(std::move(record), {}, batch);
    to_sweep_.push_back(log);
    closed_changed_ = true;
  }
}

absl::StatusOr<bool> Journal::SweepPruned() {
  if (to_sweep_.empty()) return false;
  const pb::LogRecord& log = to_sweep_.back();
  store::Batch batch;
  const auto remove = [&](std::string_view row, std::string_view) {
    batch.Delete(std::string(row));
    return batch.writes.size() < kSweepAtOnce;
  };
  const std::string behind = EntryRow(log.first() + log.size());
  // From where the last sweep ended: what was removed before would be passed over one by one.
  const bool entries_gone = swept_.starts_with("x/");
  absl::Status s;
  if (!entries_gone) {
    s = parts_.store->Scan(
        "l/", std::max(swept_, EntryRow(log.first())),
        [&](std::string_view row, std::string_view value) { return row < behind && remove(row, value); });
  }
  if (s.ok() && batch.writes.empty()) {
    const std::string prefix = IndexPrefix(log.number(), "");
    s = parts_.store->Scan(prefix, std::max(swept_, prefix), remove);
  }
  if (!s.ok()) return s;
  if (batch.writes.empty()) {
    to_sweep_.pop_back();
    swept_.clear();
    return !to_sweep_.empty();
  }
  swept_ = batch.writes.back().key;
  if (s = parts_.store->Commit(batch); !s.ok()) return s;
  return true;
}

absl::Status Journal::Commit(store::Batch& batch, absl::Time now) {
  // New keys are on disk before the records that need them.
  if (auto s = parts_.file_keys->Sync(); !s.ok()) return s;
  if (auto s = parts_.photo_keys->Sync(); !s.ok()) return s;
  if (indexer_->pending() >= parts_.index_chunk) FlushIndex(log_.first() + frontier_.size(), batch);
  pb::LogHeadRecord head;
  head.set_size(frontier_.size());
  for (const audit::Hash& h : frontier_.subtrees()) head.add_frontier(h.data(), h.size());
  head.set_at_ms(absl::ToUnixMillis(now));
  *head.mutable_log() = log_;
  batch.Put("a/head", head.SerializeAsString());
  if (auto s = parts_.store->Commit(batch); !s.ok()) return s;
  recorded_until_ = now;
  SetCommitted();
  return absl::OkStatus();
}

void Journal::WriteOffLostPhotos(Turn& turn) {
  for (size_t i = 0; i < kAtOnce && !lost_.empty(); ++i) {
    domain::Ban ban = *world_.FindBan(lost_.back());
    lost_.pop_back();
    if (!ban.release.HasPhoto()) continue;
    pb::AuditRecord record;
    record.set_event("PhotoKeyLost");
    record.set_result(pb::RESULT_DONE);
    record.set_ban_id(ban.id);
    record.set_photo_id(ban.release.photo_id);
    turn.DeletePhoto(ban.release.photo_id);
    domain::LosePhoto(ban.release);
    record.set_ban_state(static_cast<pb::BanState>(ban.state));
    record.set_photo_state(static_cast<pb::PhotoState>(ban.release.state));
    turn.Log(std::move(record));
    turn.Put(std::move(ban));
  }
}

bool Journal::DueNow() const {
  return clockwork_ && !time_.in_doubt() && world_.NextDue() <= time_.now();
}

bool Journal::pressing() const {
  if (failed_ || time_.in_doubt()) return false;
  return DueNow() || destruction_->pressing() || (destruction_->done() && !no_room_);
}

// The intent is in the log. Now the keys go, then the ciphertext, then comes the entry that says so. A crash
// anywhere between leaves the bans in kDestroying, and the next start comes here again before it serves.
absl::Status Journal::Destroy(bool wait) {
  if (time_.in_doubt()) return absl::OkStatus();
  const absl::Status s = TakeDestructionOn(wait);
  const auto ms = [](absl::Time t) { return t == absl::InfiniteFuture() ? 0 : absl::ToUnixMillis(t); };
  destruction_due_ms_ = ms(destruction_due_);
  sweeping_due_ms_ = ms(sweeping_due_);
  return s;
}

absl::Status Journal::TakeDestructionOn(bool wait) {
  for (;;) {
    if (destruction_->idle()) {
      // What ends at the same moment goes in one generation.
      if (DueNow() && !wait) return absl::OkStatus();
      if (world_.destroying().empty() && world_.shredding().empty() && orphans_.empty())
        return absl::OkStatus();
      destroying_.assign(world_.destroying().begin(), world_.destroying().end());
      shredding_.assign(world_.shredding().begin(), world_.shredding().end());
      orphans_going_ = std::exchange(orphans_, {});
      std::vector<std::string> photo_ids = orphans_going_;
      for (const std::string& id : destroying_) photo_ids.push_back(world_.FindBan(id)->release.photo_id);
      std::vector<std::string> rows;
      for (const std::string& id : photo_ids) rows.push_back(PhotoRow(id));
      for (const std::string& id : shredding_) rows.push_back(BanRow(id));
      destruction_->Begin(photo_ids, shredding_, std::move(rows));
      destruction_due_ = time_.now();
    }
    if (auto s = destruction_->Advance(/*may_sweep=*/!no_room_, wait); !s.ok()) return s;
    if (destruction_->stuck() && MoreToDestroy()) {
      // More has ended meanwhile, and a key does not wait for the sweeping up of another.
      destruction_->End();
      orphans_.insert(orphans_.end(), orphans_going_.begin(), orphans_going_.end());
      continue;
    }
    if (destruction_->keyless()) {
      if (sweeping_due_ == absl::InfiniteFuture()) sweeping_due_ = destruction_due_;
      destruction_due_ = absl::InfiniteFuture();
    }
    if (!destruction_->done() || no_room_) return absl::OkStatus();
    auto more = ReportDestroyed();
    if (!more.ok()) return more.status();
    if (!*more) {
      destruction_->End();
      sweeping_due_ = absl::InfiniteFuture();
    }
    if (!wait) return absl::OkStatus();
  }
}

bool Journal::MoreToDestroy() const {
  return world_.destroying().size() > destroying_.size() || world_.shredding().size() > shredding_.size();
}

void Journal::Count(const domain::Ban& ban, store::Batch& batch) {
  const int64_t year = base::LocalDay(domain::ClosedAt(ban)).year();
  pb::CountsRecord& counts = counts_[year];
  for (const std::string& what : domain::CountsOf(ban)) ++(*counts.mutable_counts())[what];
  const std::string row = absl::StrCat("n/", year);
  batch.Put(row, SealHouse(row, counts.SerializeAsString()));
}

absl::StatusOr<bool> Journal::ReportDestroyed() {
  const absl::Time now = time_.Look();
  store::Batch batch;
  Turn turn(*this, world_, *parts_.random, now, frontier_.size());
  const auto record_of = [&](const char* event, const std::string& photo_id) {
    pb::AuditRecord record;
    record.set_event(event);
    record.set_result(pb::RESULT_DONE);
    record.set_photo_id(photo_id);
    record.set_key_generation(parts_.photo_keys->generation());
    record.set_destroyed_generation(destruction_->TakeGeneration(photo_id));
    for (pb::DestructionCheck check : destruction_->checks()) record.add_checks(check);
    record.set_key_home(destruction_->home());
    return record;
  };
  size_t said = 0;
  for (; said < kAtOnce && !destroying_.empty(); ++said) {
    domain::Ban ban = *world_.FindBan(destroying_.back());
    destroying_.pop_back();
    pb::AuditRecord record = record_of("PhotoDestroyed", ban.release.photo_id);
    record.set_ban_id(ban.id);
    record.set_destruction_reason(static_cast<pb::DestructionReason>(ban.release.destruction_reason));
    record.set_due_at_ms(absl::ToUnixMillis(ban.release.destruction_due_at.value_or(now)));
    domain::CompleteDestruction(ban.release, domain::IsFinal(ban.state), now);
    record.set_ban_state(static_cast<pb::BanState>(ban.state));
    record.set_photo_state(static_cast<pb::PhotoState>(ban.release.state));
    turn.Log(std::move(record));
    turn.Put(std::move(ban));
  }
  for (; said < kAtOnce && !shredding_.empty(); ++said) {
    const std::string id = shredding_.back();
    shredding_.pop_back();
    pb::AuditRecord record = record_of("FileDestroyed", "");
    record.set_ban_id(id);
    record.set_key_generation(parts_.file_keys->generation());
    record.set_destroyed_generation(destruction_->TakeGeneration(id));
    record.set_due_at_ms(absl::ToUnixMillis(file_due_[id]));
    file_due_.erase(id);
    batch.Delete(ShreddingRow(id));
    world_.RemoveBan(id);
    turn.Log(std::move(record));
  }
  for (; said < kAtOnce && !orphans_going_.empty(); ++said) {
    turn.Log(record_of("OrphanKeyDestroyed", orphans_going_.back()));
    orphans_going_.pop_back();
  }
  Apply(turn, batch);
  if (auto s = Commit(batch, now); !s.ok()) return s;
  return !destroying_.empty() || !shredding_.empty() || !orphans_going_.empty();
}

std::string Journal::SealHouse(const std::string& key, const std::string& value) {
  return keys::Seal(house_key(), value, key, *parts_.random);
}

absl::StatusOr<std::string> Journal::ReadSealedPhoto(const std::string& photo_id) const {
  return parts_.store->Get(PhotoRow(photo_id));
}

}  // namespace waarborg::journal

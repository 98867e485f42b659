// SPDX-License-Identifier: EUPL-1.2
#include "server/journal/journal.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/hex.h"
#include "server/config/config.h"
#include "server/journal/rows.h"
#include "server/keys/sealing.h"
#include "server/state/codec.h"

namespace waarborg::journal {
namespace {

namespace pb = waarborg::v1;

constexpr size_t kMaxQueue = 4096;
constexpr absl::Duration kRecordTimeEvery = absl::Minutes(10);
constexpr absl::Duration kIdempotencyTerm = absl::Hours(24);

std::string IdempotencyRow(const std::string& digest) {
  return "i/" + base::ToHex(digest);
}

absl::Status Corrupt(std::string_view key) {
  return absl::DataLossError(
      absl::StrCat("store: the record ", std::string(key.substr(0, 40)), " does not open"));
}

}  // namespace

void Turn::PutConfiguration(std::string toml, domain::Municipality m) {
  configuration_.emplace(std::move(toml), std::move(m));
}

void Turn::PutPhoto(std::string photo_id, std::string jpeg) {
  photos_.emplace_back(std::move(photo_id), std::move(jpeg));
}

void Turn::Discard() {
  bans_.clear();
  people_.clear();
  stations_.clear();
  changes_.clear();
  configuration_.reset();
  photos_.clear();
  entries_.clear();
  remembered_.clear();
  believe_clock_ = false;
}

uint64_t Turn::Log(pb::AuditRecord record) {
  record.set_at_ms(absl::ToUnixMillis(now_));
  entries_.push_back(std::move(record));
  return first_index_ + entries_.size() - 1;
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

std::optional<base::Secret> Turn::PhotoKey(const std::string& photo_id) const {
  const base::Secret* key = journal_.parts_.photo_keys->Find(photo_id);
  if (key == nullptr) return std::nullopt;
  return key->Clone();
}

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(const Parts& parts) {
  std::unique_ptr<Journal> journal(new Journal(parts));
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
  each_house("i/", [&](const std::string& key, const std::string& bytes) {
    return idempotency_[key].ParseFromString(bytes);
  });
  if (!broken.ok()) return broken;
  auto s = parts_.store->Scan("b/", "b/", [&](std::string_view key, std::string_view value) {
    const base::Secret* file_key = parts_.file_keys->Find(std::string(key.substr(2)));
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
  FindOrphans();
  return LoadLog();
}

void Journal::FindOrphans() {
  std::set<std::string> named;
  for (const auto& [id, ban] : world_.bans()) named.insert(ban.release.photo_id);
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
  std::vector<audit::Hash> subtrees;
  for (const std::string& h : head.frontier()) {
    audit::Hash hash{};
    if (h.size() != hash.size()) return Corrupt("a/head");
    std::memcpy(hash.data(), h.data(), h.size());
    subtrees.push_back(hash);
  }
  bool ok = false;
  frontier_ = audit::Frontier::FromStored(head.size(), std::move(subtrees), ok);
  if (!ok) return Corrupt("a/head");
  recorded_until_ = head.size() == 0 ? absl::InfinitePast() : absl::FromUnixMillis(head.at_ms());
  time_.Start(*parts_.clock, recorded_until_);

  // The tree once more, from its leaves: whatever was changed, taken out or added behind our back shows.
  audit::Frontier rebuilt;
  bool in_order = true;
  auto s = parts_.store->Scan("l/", "l/", [&](std::string_view row, std::string_view value) {
    const auto entry = SplitEntry(value);
    in_order = entry && IndexOf(row) == rebuilt.size();
    if (in_order) rebuilt.Append(audit::LeafHash(entry->commitment));
    return in_order;
  });
  if (!s.ok()) return s;
  if (!in_order || rebuilt.size() != frontier_.size() || rebuilt.Root() != frontier_.Root()) {
    return absl::DataLossError(
        absl::StrCat("the audit log does not match its head: ", frontier_.size(),
                     " entries expected, the stored ones stop matching at ", rebuilt.size(),
                     ". Somebody changed the data, or they are damaged; restore a backup."));
  }
  return absl::OkStatus();
}

bool Turn::clock_in_doubt() const {
  return journal_.time_.in_doubt();
}

absl::Time Turn::clock_reading() const {
  return journal_.time_.reading();
}

Journal::Condition Journal::condition() const {
  return {failed_, no_room_, time_.in_doubt(), time_.behind(), destruction_due_};
}

absl::Status Journal::RunNow(const std::function<void(Turn&)>& work) {
  std::vector<Work> works;
  works.push_back({work, [](bool) {}});
  if (auto s = RunBatch(works); !s.ok()) return s;
  return DestroyPhotos();
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
  absl::Status s = no_room_ ? RunDestructionOnly() : RunBatch(batch_);
  batch_.clear();
  if (s.ok() && !no_room_) s = DestroyPhotos();
  if (!s.ok()) {
    failed_ = true;
    if (on_failure_) on_failure_(s);
  }
}

absl::Status Journal::RunDestructionOnly() {
  const bool due = world_.NextDue() <= time_.Look() || !world_.destroying().empty();
  if (!due || time_.in_doubt()) return absl::OkStatus();
  parts_.room->Release();
  std::vector<Work> none;
  absl::Status s = RunBatch(none);
  if (s.ok()) s = DestroyPhotos();
  parts_.room->Hold();
  return s;
}

absl::Status Journal::RunBatch(std::vector<Work>& works) {
  const absl::Time now = time_.Look();
  store::Batch batch;
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
    const std::string row = "b/" + ban.id;
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
  }
  for (auto& [id, jpeg] : turn.photos_) {
    const std::string row = "ph/" + id;
    batch.Put(row, keys::Seal(parts_.photo_keys->Add(id), jpeg, row, *parts_.random));
    base::Wipe(jpeg);
  }
  for (auto& [digest, record] : turn.remembered_) {
    const std::string row = IdempotencyRow(digest);
    put(row, record.SerializeAsString());
    idempotency_[row] = std::move(record);
  }
  for (const auto& entry : turn.entries_) AppendEntry(entry, batch);
}

void Journal::AppendEntry(const pb::AuditRecord& record, store::Batch& batch) {
  pb::OpeningRecord opening;
  opening.set_key(parts_.random->Bytes(32));
  opening.set_record(record.SerializeAsString());
  const std::string commitment = audit::Commit(opening.key(), opening.record());
  const base::Secret* file_key = record.ban_id().empty() ? nullptr : parts_.file_keys->Find(record.ban_id());
  std::string row = EntryRow(frontier_.size());
  const std::string sealed = keys::Seal(file_key == nullptr ? house_key() : *file_key,
                                        opening.SerializeAsString(), row, *parts_.random);
  batch.Put(std::move(row),
            JoinEntry({commitment, file_key == nullptr ? std::string_view() : record.ban_id(), sealed}));
  frontier_.Append(audit::LeafHash(commitment));
}

absl::Status Journal::Commit(store::Batch& batch, absl::Time now) {
  // New keys are on disk before the records that need them.
  if (auto s = parts_.file_keys->Sync(); !s.ok()) return s;
  if (auto s = parts_.photo_keys->Sync(); !s.ok()) return s;
  pb::LogHeadRecord head;
  head.set_size(frontier_.size());
  for (const audit::Hash& h : frontier_.subtrees()) head.add_frontier(h.data(), h.size());
  head.set_at_ms(absl::ToUnixMillis(now));
  batch.Put("a/head", head.SerializeAsString());
  if (auto s = parts_.store->Commit(batch); !s.ok()) return s;
  recorded_until_ = now;
  return absl::OkStatus();
}

// The intent is in the log. Now the keys go, then the ciphertext, with the entry that says so. A crash
// anywhere between leaves the bans in kDestroying, and the next start comes here again before it serves.
absl::Status Journal::DestroyPhotos() {
  if (world_.destroying().empty() && orphans_.empty()) return absl::OkStatus();
  if (time_.in_doubt()) return absl::OkStatus();
  const absl::Time now = time_.Look();
  destruction_due_ = std::min(destruction_due_, now);
  const std::vector<std::string> ban_ids(world_.destroying().begin(), world_.destroying().end());
  std::vector<std::string> photo_ids;
  for (const std::string& id : ban_ids) photo_ids.push_back(world_.FindBan(id)->release.photo_id);
  photo_ids.insert(photo_ids.end(), orphans_.begin(), orphans_.end());
  auto generation = parts_.photo_keys->Destroy(photo_ids);
  if (!generation.ok()) return generation.status();

  store::Batch batch;
  Turn turn(*this, world_, *parts_.random, now, frontier_.size());
  for (const std::string& id : ban_ids) {
    domain::Ban ban = *world_.FindBan(id);
    pb::AuditRecord record;
    record.set_event("PhotoDestroyed");
    record.set_result(pb::RESULT_DONE);
    record.set_ban_id(id);
    record.set_photo_id(ban.release.photo_id);
    record.set_destruction_reason(static_cast<pb::DestructionReason>(ban.release.destruction_reason));
    record.set_key_generation(*generation);
    batch.Delete("ph/" + ban.release.photo_id);
    domain::CompleteDestruction(ban.release, domain::IsFinal(ban.state), now);
    record.set_ban_state(static_cast<pb::BanState>(ban.state));
    record.set_photo_state(static_cast<pb::PhotoState>(ban.release.state));
    turn.Log(std::move(record));
    turn.Put(std::move(ban));
  }
  for (const std::string& photo_id : orphans_) {
    pb::AuditRecord record;
    record.set_event("OrphanKeyDestroyed");
    record.set_result(pb::RESULT_DONE);
    record.set_photo_id(photo_id);
    record.set_key_generation(*generation);
    batch.Delete("ph/" + photo_id);
    turn.Log(std::move(record));
  }
  orphans_.clear();
  Apply(turn, batch);
  if (auto s = Commit(batch, now); !s.ok()) return s;
  destruction_due_ = absl::InfiniteFuture();
  if (no_room_) return absl::OkStatus();
  // The keys are gone and that is on record; what is left is noise, and sweeping it up may wait for a better
  // moment.
  if (auto s = parts_.store->Compact("ph/"); !s.ok()) {
    std::fprintf(stderr, "waarborgd: could not sweep up after a destruction: %s\n",
                 std::string(s.message()).c_str());
  }
  return absl::OkStatus();
}

std::string Journal::SealHouse(const std::string& key, const std::string& value) {
  return keys::Seal(house_key(), value, key, *parts_.random);
}

Journal::OpeningKeys Journal::CopyOpeningKeys(const Turn& turn) const {
  OpeningKeys out;
  out.house = house_key().Clone();
  for (const auto& [id, ban] : turn.world().bans()) {
    if (const base::Secret* key = parts_.file_keys->Find(id)) out.by_ban.emplace_back(id, key->Clone());
  }
  return out;
}

absl::Status Journal::ReadBack(const OpeningKeys& keys, uint64_t newest,
                               const std::function<bool(const Entry&)>& each) const {
  return parts_.store->ScanBack("l/", EntryRow(newest), [&](std::string_view row, std::string_view value) {
    Entry entry;
    const auto parts = SplitEntry(value);
    const auto index = IndexOf(row);
    if (!parts || !index) return false;  // checked at the start: only damage since then leads here
    entry.index = *index;
    entry.commitment = std::string(parts->commitment);
    const base::Secret* key = &keys.house;
    if (!parts->ban_id.empty()) {
      auto it = std::lower_bound(keys.by_ban.begin(), keys.by_ban.end(), parts->ban_id,
                                 [](const auto& pair, std::string_view id) { return pair.first < id; });
      key = it != keys.by_ban.end() && it->first == parts->ban_id ? &it->second : nullptr;
    }
    auto plain = key == nullptr ? std::nullopt : keys::Unseal(*key, parts->sealed_opening, row);
    pb::OpeningRecord opening;
    pb::AuditRecord record;
    if (plain && opening.ParseFromString(*plain) && record.ParseFromString(opening.record()) &&
        audit::Commit(opening.key(), opening.record()) == entry.commitment) {
      entry.record = std::move(record);
    }
    return each(entry);
  });
}

absl::StatusOr<std::string> Journal::ReadSealedPhoto(const std::string& photo_id) const {
  return parts_.store->Get("ph/" + photo_id);
}

}  // namespace waarborg::journal

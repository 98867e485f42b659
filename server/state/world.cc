// SPDX-License-Identifier: EUPL-1.2
#include "server/state/world.h"

#include <algorithm>

#include "server/base/hex.h"
#include "server/domain/file_term.h"
#include "server/keys/sealing.h"

namespace waarborg::state {
namespace {

// Names that do not exist can be guessed without end; what is remembered of them is bounded.
constexpr size_t kMaxFailures = 10000;

template <class Map>
auto* Find(Map& map, const std::string& id) {
  auto it = map.find(id);
  return it == map.end() ? nullptr : &it->second;
}

std::vector<std::string> DueOf(const std::set<std::pair<absl::Time, std::string>>& due, absl::Time now) {
  std::vector<std::string> ids;
  for (const auto& [at, id] : due) {
    if (at > now || ids.size() == World::kDueAtOnce) break;
    ids.push_back(id);
  }
  return ids;
}

}  // namespace

World::World() : municipality_(std::make_shared<domain::Municipality>()) {}

const domain::Ban* World::FindBan(const std::string& id) const {
  return Find(bans_, id);
}
const domain::Person* World::FindPerson(const std::string& id) const {
  return Find(people_, id);
}
const domain::Station* World::FindStation(const std::string& id) const {
  return Find(stations_, id);
}
const domain::Change* World::FindChange(const std::string& id) const {
  return Find(changes_, id);
}

const domain::Person* World::FindPersonByLogin(const std::string& login) const {
  const std::string* id = Find(person_by_login_, login);
  return id == nullptr ? nullptr : FindPerson(*id);
}

const domain::Person* World::FindPersonByHandle(const std::string& user_handle) const {
  const std::string* id = Find(person_by_handle_, user_handle);
  return id == nullptr ? nullptr : FindPerson(*id);
}

const domain::Station* World::FindStationByKey(const std::string& fingerprint) const {
  const std::string* id = Find(station_by_key_, fingerprint);
  return id == nullptr ? nullptr : FindStation(*id);
}

void World::Unschedule(const domain::Ban& ban) {
  due_.erase({ban.ends_at, ban.id});
  due_copies_.erase({domain::NextCopyStep(ban.release), ban.id});
  due_files_.erase({domain::FileDestructionDue(*municipality_, ban), ban.id});
}

void World::Schedule(const domain::Ban& ban) {
  if (domain::IsEnforceable(ban.state)) due_.insert({ban.ends_at, ban.id});
  if (const absl::Time next = domain::NextCopyStep(ban.release); next != absl::InfiniteFuture()) {
    due_copies_.insert({next, ban.id});
  }
  const absl::Time file = domain::FileDestructionDue(*municipality_, ban);
  if (file != absl::InfiniteFuture() && !shredding_.contains(ban.id)) due_files_.insert({file, ban.id});
}

void World::NoteChange(const domain::Scope& scope) {
  ++version_;
  if (scope.all_municipal) ++version_everywhere_;
  for (const std::string& id : scope.location_ids) ++version_at_[id];
}

uint64_t World::VersionAt(const std::string& location_id) const {
  const uint64_t* here = Find(version_at_, location_id);
  return version_everywhere_ + (here == nullptr ? 0 : *here);
}

void World::Put(domain::Ban ban) {
  if (const domain::Ban* old = FindBan(ban.id)) {
    Unschedule(*old);
    if (!(old->scope == ban.scope)) NoteChange(old->scope);
  }
  Schedule(ban);
  NoteChange(ban.scope);
  if (ban.release.state == domain::PhotoState::kDestroying) {
    destroying_.insert(ban.id);
  } else {
    destroying_.erase(ban.id);
  }
  matches_.Put(ban);
  std::string id = ban.id;
  bans_.insert_or_assign(std::move(id), std::move(ban));
}

void World::Shred(const std::string& ban_id) {
  shredding_.insert(ban_id);
  if (const domain::Ban* ban = FindBan(ban_id)) {
    due_files_.erase({domain::FileDestructionDue(*municipality_, *ban), ban_id});
  }
}

void World::RemoveBan(const std::string& ban_id) {
  shredding_.erase(ban_id);
  const domain::Ban* ban = FindBan(ban_id);
  if (ban == nullptr) return;
  Unschedule(*ban);
  NoteChange(ban->scope);
  destroying_.erase(ban_id);
  matches_.Remove(ban_id);
  bans_.erase(ban_id);
}

void World::Put(domain::Person person) {
  ++version_;
  if (const domain::Person* old = FindPerson(person.id)) {
    due_names_.erase({domain::NameRemovalDue(*municipality_, *old), old->id});
    if (old->login != person.login) person_by_login_.erase(old->login);
    if (old->user_handle != person.user_handle) person_by_handle_.erase(old->user_handle);
  }
  if (!person.display_name.empty())
    due_names_.insert({domain::NameRemovalDue(*municipality_, person), person.id});
  person_by_login_[person.login] = person.id;
  if (!person.user_handle.empty()) person_by_handle_[person.user_handle] = person.id;
  std::string id = person.id;
  people_.insert_or_assign(std::move(id), std::move(person));
}

void World::Put(domain::Station station) {
  ++version_;
  station_by_key_[station.key_fingerprint] = station.id;
  std::string id = station.id;
  stations_.insert_or_assign(std::move(id), std::move(station));
}

void World::Put(domain::Change change) {
  std::string id = change.id;
  changes_.insert_or_assign(std::move(id), std::move(change));
}

void World::Put(waarborg::v1::ReviewRecord review) {
  std::string id = review.id();
  reviews_.insert_or_assign(std::move(id), std::move(review));
}

void World::PutConfiguration(std::string toml, domain::Municipality municipality) {
  instruction_version_ = base::ToHex(keys::Sha256(municipality.instruction)).substr(0, 12);
  configuration_ = std::move(toml);
  ++version_;
  ++version_everywhere_;
  municipality_ = std::make_shared<const domain::Municipality>(std::move(municipality));
  due_files_.clear();
  for (const auto& [id, ban] : bans_) Schedule(ban);
  due_names_.clear();
  for (const auto& [id, person] : people_) {
    if (!person.display_name.empty()) due_names_.insert({domain::NameRemovalDue(*municipality_, person), id});
  }
}

std::vector<std::string> World::DueBans(absl::Time now) const {
  return DueOf(due_, now);
}

std::vector<std::string> World::DueNames(absl::Time now) const {
  return DueOf(due_names_, now);
}

std::vector<std::string> World::DueCopies(absl::Time now) const {
  return DueOf(due_copies_, now);
}

std::vector<std::string> World::DueFiles(absl::Time now) const {
  return DueOf(due_files_, now);
}

absl::Time World::NextDue() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto* due : {&due_, &due_names_, &due_copies_, &due_files_}) {
    if (!due->empty()) next = std::min(next, due->begin()->first);
  }
  return next;
}

Session* World::FindSession(const std::string& token_digest) {
  return Find(sessions_, token_digest);
}

const Session* World::FindSession(const std::string& token_digest) const {
  return Find(sessions_, token_digest);
}

void World::OpenSession(Session session) {
  if (session.full_sign_in) full_sign_ins_[{session.person_id, session.station_id}] = session.opened_at;
  std::string digest = session.token_digest;
  sessions_.insert_or_assign(std::move(digest), std::move(session));
}

void World::CloseSession(const std::string& token_digest) {
  sessions_.erase(token_digest);
  ++version_;
}

int World::CloseSessionsIf(const std::function<bool(const Session&)>& which) {
  int closed = 0;
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    if (which(it->second)) {
      sessions_.erase(it++);
      ++closed;
    } else {
      ++it;
    }
  }
  if (closed > 0) ++version_;
  return closed;
}

absl::Time World::LastFullSignIn(const std::string& person_id, const std::string& station_id) const {
  auto it = full_sign_ins_.find({person_id, station_id});
  return it == full_sign_ins_.end() ? absl::InfinitePast() : it->second;
}

void World::ForgetFullSignIns(
    const std::function<bool(const std::string& person_id, const std::string& station_id)>& which) {
  std::erase_if(full_sign_ins_,
                [&](const auto& entry) { return which(entry.first.first, entry.first.second); });
}

World::Failures World::FailuresOf(const std::string& login, const std::string& station_id) const {
  auto it = failures_.find({login, station_id});
  return it == failures_.end() ? Failures{} : it->second;
}

void World::NoteFailure(const std::string& login, const std::string& station_id, absl::Time now) {
  if (failures_.size() >= kMaxFailures) {
    // The oldest goes, so that a flood of made-up names cannot wipe what is remembered of a real one in a
    // moment.
    auto oldest = std::min_element(failures_.begin(), failures_.end(), [](const auto& a, const auto& b) {
      return a.second.last < b.second.last;
    });
    failures_.erase(oldest);
  }
  Failures& f = failures_[{login, station_id}];
  ++f.count;
  f.last = now;
}

void World::ForgetFailures(const std::string& login, const std::string& station_id) {
  failures_.erase({login, station_id});
}

}  // namespace waarborg::state

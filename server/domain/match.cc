// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/match.h"

#include <algorithm>
#include <set>

namespace waarborg::domain {
namespace {

int DateKey(const BirthDate& d) {
  return d.year * 10000 + d.month * 100 + d.day;
}

std::set<std::string> SurnameKeys(const FoldedName& name) {
  std::set<std::string> keys(name.surname.begin(), name.surname.end());
  keys.insert(name.surname_words.begin(), name.surname_words.end());
  return keys;
}

template <class Map, class Key>
void Erase(Map& map, const Key& key, const std::string& ban_id) {
  auto it = map.find(key);
  if (it == map.end()) return;
  std::erase_if(it->second, [&](const auto& e) { return e->ban_id == ban_id; });
  if (it->second.empty()) map.erase(it);
}

}  // namespace

void MatchIndex::Put(const Ban& ban) {
  Remove(ban.id);
  if (!IsEnforceable(ban.state)) return;
  auto entry = std::make_shared<Entry>();
  entry->ban_id = ban.id;
  entry->starts_at = ban.starts_at;
  entry->ends_at = ban.ends_at;
  if (!ban.identity.name.surname.empty()) {
    entry->known.push_back({FoldName(ban.identity.name), ban.identity.birth_date, ban.identity.established});
    for (const PersonName& other : ban.identity.other_names) {
      if (other.surname.empty()) continue;
      PersonName full = other;
      if (full.given_names.empty()) full.given_names = ban.identity.name.given_names;
      entry->known.push_back({FoldName(full), ban.identity.birth_date, ban.identity.established});
    }
  }
  auto add = [&](Index& index) {
    index.by_id[ban.id] = entry;
    std::set<std::string> surnames;
    std::set<int> dates;
    for (const Known& known : entry->known) {
      surnames.merge(SurnameKeys(known.name));
      if (known.birth_date.complete()) dates.insert(DateKey(known.birth_date));
    }
    for (const std::string& key : surnames) index.by_surname[key].push_back(entry);
    for (int key : dates) index.by_birth_date[key].push_back(entry);
  };
  if (ban.scope.all_municipal) add(everywhere_);
  for (const std::string& location : ban.scope.location_ids) add(by_location_[location]);
  where_[ban.id] = ban.scope;
}

void MatchIndex::Remove(const std::string& ban_id) {
  auto where = where_.find(ban_id);
  if (where == where_.end()) return;
  auto remove = [&](Index& index) {
    auto it = index.by_id.find(ban_id);
    if (it == index.by_id.end()) return;
    for (const Known& known : it->second->known) {
      for (const std::string& key : SurnameKeys(known.name)) Erase(index.by_surname, key, ban_id);
      if (known.birth_date.complete()) Erase(index.by_birth_date, DateKey(known.birth_date), ban_id);
    }
    index.by_id.erase(it);
  };
  if (where->second.all_municipal) remove(everywhere_);
  for (const std::string& location : where->second.location_ids) remove(by_location_[location]);
  where_.erase(where);
}

void MatchIndex::FindIn(const Index& index, const Query& query, absl::Time now,
                        absl::flat_hash_map<std::string, Grade>& found) {
  auto consider = [&](const std::vector<EntryPtr>& entries) {
    for (const EntryPtr& entry : entries) {
      if (now < entry->starts_at || now >= entry->ends_at) continue;
      for (const Known& known : entry->known) {
        const Grade grade = Compare(query, known);
        if (grade == Grade::kNone) continue;
        Grade& best = found[entry->ban_id];
        best = std::max(best, grade);
      }
    }
  };
  for (const std::string& key : SurnameKeys(query.name)) {
    if (auto it = index.by_surname.find(key); it != index.by_surname.end()) consider(it->second);
  }
  if (query.birth_date.complete()) {
    if (auto it = index.by_birth_date.find(DateKey(query.birth_date)); it != index.by_birth_date.end()) {
      consider(it->second);
    }
  }
}

std::vector<Hit> MatchIndex::Find(const std::string& location_id, bool all_municipal, const Query& query,
                                  absl::Time now) const {
  absl::flat_hash_map<std::string, Grade> found;
  if (auto it = by_location_.find(location_id); it != by_location_.end())
    FindIn(it->second, query, now, found);
  if (all_municipal) FindIn(everywhere_, query, now, found);
  std::vector<Hit> hits;
  for (const auto& [id, grade] : found) hits.push_back({id, grade});
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
    return a.grade != b.grade ? a.grade > b.grade : a.ban_id < b.ban_id;
  });
  // A person certainly known needs no list of people it might have been; two certain files of one person both
  // count.
  if (!hits.empty() && hits.front().grade == Grade::kExact) {
    std::erase_if(hits, [](const Hit& h) { return h.grade != Grade::kExact; });
  }
  return hits;
}

std::vector<std::string> MatchIndex::Everyone(const std::string& location_id, bool all_municipal,
                                              absl::Time now) const {
  std::set<std::string> ids;
  auto collect = [&](const Index& index) {
    for (const auto& [id, entry] : index.by_id) {
      if (entry->starts_at <= now && now < entry->ends_at) ids.insert(id);
    }
  };
  if (auto it = by_location_.find(location_id); it != by_location_.end()) collect(it->second);
  if (all_municipal) collect(everywhere_);
  return {ids.begin(), ids.end()};
}

}  // namespace waarborg::domain

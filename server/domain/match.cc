// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/match.h"

#include <algorithm>
#include <bit>
#include <set>

#include "absl/hash/hash.h"

namespace waarborg::domain {
namespace {

// The letters of a surname as a set; spaces do not count.
uint32_t Letters(const std::string& surname) {
  uint32_t letters = 0;
  for (char c : surname) {
    if (c != ' ') letters |= 1u << (static_cast<unsigned char>(c) & 31);
  }
  return letters;
}

// False only when Compare cannot find the surnames the same or near: it allows two edits, each of which
// changes two letters of the set at most, or one surname within the other.
bool MayBeNear(uint32_t a, uint32_t b) {
  constexpr int kLettersOfTwoEdits = 4;
  return std::popcount(a ^ b) <= kLettersOfTwoEdits || (a & b) == a || (a & b) == b;
}

uint64_t DateKey(const BirthDate& d) {
  return absl::HashOf(d.year, d.month, d.day);
}
uint64_t SurnameDateKey(const std::string& surname, const BirthDate& d) {
  return absl::HashOf(surname, d.year, d.month, d.day);
}
uint64_t YearKey(const std::string& surname, const BirthDate& d) {
  return absl::HashOf(surname, d.year);
}
uint64_t DayKey(const std::string& surname, const BirthDate& d) {
  return absl::HashOf(surname, d.month, d.day);
}
uint64_t SurnameKey(const std::string& surname) {
  return absl::HashOf(surname);
}

}  // namespace

template <class Each>
void MatchIndex::ForEachPlace(Index& index, const Entry& entry, Each each) {
  for (uint32_t i = 0; i < entry.known.size(); ++i) {
    const Known& known = entry.known[i];
    for (const std::string& surname : known.name.surname) {
      const BirthDate& born = known.birth_date;
      const Spelling spelling{Letters(surname), born, i, &entry};
      each(index.by_surname, SurnameKey(surname), spelling);
      if (!born.complete()) {
        each(index.by_surname_open, SurnameKey(surname), spelling);
        continue;
      }
      each(index.by_surname_date, SurnameDateKey(surname, born), spelling);
      each(index.by_date, DateKey(born), spelling);
      each(index.by_surname_year, YearKey(surname, born), spelling);
      each(index.by_surname_day, DayKey(surname, born), spelling);
    }
  }
}

void MatchIndex::Put(const Ban& ban) {
  Remove(ban.id);
  if (!IsEnforceable(ban.state)) return;
  Entry entry;
  entry.ban_id = ban.id;
  entry.starts_at = ban.starts_at;
  entry.ends_at = ban.ends_at;
  if (!ban.identity.name.surname.empty()) {
    entry.known.push_back({FoldName(ban.identity.name), ban.identity.birth_date, ban.identity.established});
    for (const PersonName& other : ban.identity.other_names) {
      if (other.surname.empty()) continue;
      PersonName full = other;
      if (full.given_names.empty()) full.given_names = ban.identity.name.given_names;
      entry.known.push_back({FoldName(full), ban.identity.birth_date, ban.identity.established});
    }
  }
  auto add = [&](Index& index) {
    auto& stored = index.by_id[ban.id];
    if (stored != nullptr) return;  // a location named twice
    stored = std::make_unique<const Entry>(entry);
    ForEachPlace(index, *stored, [](Index::Buckets& buckets, uint64_t key, const Spelling& spelling) {
      buckets[key].push_back(spelling);
    });
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
    ForEachPlace(index, *it->second, [](Index::Buckets& buckets, uint64_t key, const Spelling& spelling) {
      auto bucket = buckets.find(key);
      if (bucket == buckets.end()) return;
      auto& spellings = bucket->second;
      spellings.erase(std::remove_if(spellings.begin(), spellings.end(),
                                     [&](const Spelling& s) { return s.entry == spelling.entry; }),
                      spellings.end());
      if (spellings.empty()) buckets.erase(bucket);
    });
    index.by_id.erase(it);
  };
  if (where->second.all_municipal) remove(everywhere_);
  for (const std::string& location : where->second.location_ids) remove(by_location_[location]);
  where_.erase(where);
}

void MatchIndex::Consider(const Index::Buckets& buckets, uint64_t key, uint32_t letters, const Query& query,
                          absl::Time now, Found& found) {
  const auto bucket = buckets.find(key);
  if (bucket == buckets.end()) return;
  for (const Spelling& spelling : bucket->second) {
    if (!MayBeNear(letters, spelling.letters) || !DatesMayAgree(query.birth_date, spelling.birth_date))
      continue;
    const Entry& entry = *spelling.entry;
    if (now < entry.starts_at || now >= entry.ends_at) continue;
    const Grade grade = Compare(query, entry.known[spelling.known]);
    if (grade == Grade::kNone) continue;
    Grade& best = found[entry.ban_id];
    best = std::max(best, grade);
  }
}

void MatchIndex::FindCertain(const Index& index, const Query& query, absl::Time now, Found& found) {
  if (!query.birth_date.complete()) return;
  for (const std::string& surname : query.name.surname) {
    Consider(index.by_surname_date, SurnameDateKey(surname, query.birth_date), Letters(surname), query, now,
             found);
  }
}

void MatchIndex::FindPossible(const Index& index, const Query& query, absl::Time now, Found& found) {
  const BirthDate& born = query.birth_date;
  for (const std::string& surname : query.name.surname) {
    const uint32_t letters = Letters(surname);
    auto consider = [&](const Index::Buckets& buckets, uint64_t key) {
      Consider(buckets, key, letters, query, now, found);
    };
    if (!born.known()) {
      consider(index.by_surname, SurnameKey(surname));
      continue;
    }
    consider(index.by_surname_open, SurnameKey(surname));
    consider(index.by_surname_year, YearKey(surname, born));
    if (!born.complete()) continue;
    consider(index.by_surname_day, DayKey(surname, born));
    consider(index.by_date, DateKey(born));
  }
}

std::vector<Hit> MatchIndex::Find(const std::string& location_id, bool all_municipal, const Query& query,
                                  absl::Time now) const {
  std::vector<const Index*> indexes;
  if (auto it = by_location_.find(location_id); it != by_location_.end()) indexes.push_back(&it->second);
  if (all_municipal) indexes.push_back(&everywhere_);
  Found found;
  for (const Index* index : indexes) FindCertain(*index, query, now, found);
  // A person certainly known needs no list of people it might have been; two certain files of one person both
  // count.
  absl::erase_if(found, [](const auto& f) { return f.second != Grade::kExact; });
  if (found.empty()) {
    for (const Index* index : indexes) FindPossible(*index, query, now, found);
  }
  std::vector<Hit> hits;
  for (const auto& [id, grade] : found) hits.push_back({id, grade});
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
    return a.grade != b.grade ? a.grade > b.grade : a.ban_id < b.ban_id;
  });
  return hits;
}

template <class Each>
void MatchIndex::ForEachAt(const std::string& location_id, bool all_municipal, Each each) const {
  auto in = [&](const Index& index) {
    for (const auto& [id, entry] : index.by_id) each(*entry);
  };
  if (auto it = by_location_.find(location_id); it != by_location_.end()) in(it->second);
  if (all_municipal) in(everywhere_);
}

std::vector<std::string> MatchIndex::Everyone(const std::string& location_id, bool all_municipal,
                                              absl::Time now) const {
  std::set<std::string> ids;
  ForEachAt(location_id, all_municipal, [&](const Entry& entry) {
    if (entry.starts_at <= now && now < entry.ends_at) ids.insert(entry.ban_id);
  });
  return {ids.begin(), ids.end()};
}

absl::Time MatchIndex::NextChange(const std::string& location_id, bool all_municipal, absl::Time now) const {
  absl::Time next = absl::InfiniteFuture();
  ForEachAt(location_id, all_municipal, [&](const Entry& entry) {
    for (const absl::Time at : {entry.starts_at, entry.ends_at}) {
      if (at > now) next = std::min(next, at);
    }
  });
  return next;
}

}  // namespace waarborg::domain

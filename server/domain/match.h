// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/time/time.h"
#include "server/domain/ban.h"
#include "server/domain/names.h"

namespace waarborg::domain {

struct Hit {
  std::string ban_id;
  Grade grade = Grade::kNone;
};

// Finds people among the bans of one location. There is one index for each location and one for the bans of
// all municipal locations, so that a look-up never touches a ban that holds elsewhere: what is elsewhere
// shows neither in the answer nor in the time it takes. Not thread-safe: belongs to the writer's thread.
class MatchIndex {
 public:
  // Adds the ban, or replaces what was known of it. A ban that is not enforceable is only removed.
  void Put(const Ban& ban);
  void Remove(const std::string& ban_id);

  // Bans in force at the location: the exact matches when there are any, else the possible ones.
  // `all_municipal` tells whether the location counts among all municipal ones.
  std::vector<Hit> Find(const std::string& location_id, bool all_municipal, const Query& query,
                        absl::Time now) const;

  // Every ban in force at the location, by id: the briefing.
  std::vector<std::string> Everyone(const std::string& location_id, bool all_municipal, absl::Time now) const;
  // The next instant after `now` at which Everyone answers otherwise by itself: a ban begins or ends.
  absl::Time NextChange(const std::string& location_id, bool all_municipal, absl::Time now) const;

 private:
  struct Entry {
    std::string ban_id;
    std::vector<Known> known;  // one for each name of the person
    absl::Time starts_at;
    absl::Time ends_at;
  };
  // One spelling of one name in a bucket, with enough of it to pass over most strangers without touching
  // their entry.
  struct Spelling {
    uint32_t letters;  // a bit for each letter that occurs in the surname
    BirthDate birth_date;
    uint32_t known;  // which of the entry's names
    const Entry* entry;
  };
  // What Compare can find falls into a few cases, and each has buckets that stay small however many bans
  // there are. Keys are hashes: a collision costs a comparison, no more.
  struct Index {
    absl::flat_hash_map<std::string, std::unique_ptr<const Entry>> by_id;
    using Buckets = absl::flat_hash_map<uint64_t, absl::InlinedVector<Spelling, 1>>;
    Buckets by_surname_date;  // same surname and complete birth date: where every certain match stands
    Buckets by_date;          // same complete birth date, surname the same or near
    Buckets by_surname_year;  // same surname and year; month or day mistyped, exchanged or unknown
    Buckets by_surname_day;   // same surname, month and day; year mistyped
    Buckets by_surname_open;  // same surname; the file does not know the date completely
    Buckets by_surname;       // same surname; the visitor's date is not known
  };

  // Calls `each(entry)` for every ban of the location, in force or not.
  template <class Each>
  void ForEachAt(const std::string& location_id, bool all_municipal, Each each) const;
  // Calls `each(buckets, key, spelling)` for every place where the entry stands in the index.
  template <class Each>
  static void ForEachPlace(Index& index, const Entry& entry, Each each);
  using Found = absl::flat_hash_map<std::string, Grade>;
  static void Consider(const Index::Buckets& buckets, uint64_t key, uint32_t letters, const Query& query,
                       absl::Time now, Found& found);
  // What may be a certain match, and whatever else there is.
  static void FindCertain(const Index& index, const Query& query, absl::Time now, Found& found);
  static void FindPossible(const Index& index, const Query& query, absl::Time now, Found& found);

  absl::flat_hash_map<std::string, Index> by_location_;
  Index everywhere_;
  absl::flat_hash_map<std::string, Scope> where_;  // indexes each ban stands in
};

}  // namespace waarborg::domain

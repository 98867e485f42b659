// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
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

  // Bans in force at the location: the exact matches when there are any, else the possible ones.
  // `all_municipal` tells whether the location counts among all municipal ones.
  std::vector<Hit> Find(const std::string& location_id, bool all_municipal, const Query& query,
                        absl::Time now) const;

  // Every ban in force at the location, by id: the briefing.
  std::vector<std::string> Everyone(const std::string& location_id, bool all_municipal, absl::Time now) const;

 private:
  struct Entry {
    std::string ban_id;
    std::vector<Known> known;  // one for each name of the person
    absl::Time starts_at;
    absl::Time ends_at;
  };
  using EntryPtr = std::shared_ptr<const Entry>;
  struct Index {
    absl::flat_hash_map<std::string, EntryPtr> by_id;
    absl::flat_hash_map<std::string, std::vector<EntryPtr>> by_surname;  // whole and word by word
    absl::flat_hash_map<int, std::vector<EntryPtr>> by_birth_date;       // complete dates, yyyymmdd
  };

  void Remove(const std::string& ban_id);
  static void FindIn(const Index& index, const Query& query, absl::Time now,
                     absl::flat_hash_map<std::string, Grade>& found);

  absl::flat_hash_map<std::string, Index> by_location_;
  Index everywhere_;
  absl::flat_hash_map<std::string, Scope> where_;  // indexes each ban stands in
};

}  // namespace waarborg::domain

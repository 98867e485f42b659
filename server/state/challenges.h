// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "server/base/secret.h"

namespace waarborg::state {

// Challenges that were handed out for security keys and are not answered yet. Each is good at the station it
// was given to, for what it was given for, for five minutes and one answer. Only in memory: a restart voids
// them all. `now` is the clock's own reading; when that goes back, what was handed out later than it is void.
class Challenges {
 public:
  static constexpr absl::Duration kLife = absl::Minutes(5);
  // So many a station has at most; the oldest makes room, so that nobody is kept out by pages left open.
  // Stations are those that are registered, so this bounds the whole.
  static constexpr size_t kPerStation = 64;

  // `session` is the digest of the session it was given in; empty for signing in.
  void Add(const std::string& station_id, std::string challenge, std::string session, absl::Time now) {
    std::deque<Open>& open = open_[station_id];
    if (open.size() >= kPerStation) open.pop_front();
    open.push_back({std::move(challenge), std::move(session), now});
  }

  // Takes the challenge back, whatever comes of the answer. False when it was not given to this station for
  // this, or is stale.
  bool Take(const std::string& station_id, const std::string& challenge, const std::string& session,
            absl::Time now) {
    auto it = open_.find(station_id);
    if (it == open_.end()) return false;
    std::deque<Open>& open = it->second;
    const auto found = std::find_if(open.begin(), open.end(), [&](const Open& o) {
      return base::ConstantTimeEquals(o.challenge, challenge) && o.session == session;
    });
    if (found == open.end()) return false;
    const absl::Duration age = now - found->at;
    open.erase(found);
    return age >= absl::ZeroDuration() && age < kLife;
  }

 private:
  struct Open {
    std::string challenge;
    std::string session;
    absl::Time at;
  };
  absl::flat_hash_map<std::string, std::deque<Open>> open_;
};

}  // namespace waarborg::state

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "server/domain/ban.h"
#include "server/domain/match.h"
#include "server/domain/municipality.h"
#include "server/domain/people.h"
#include "server/state/challenges.h"
#include "server/state/meter.h"
#include "waarborg/v1/store.pb.h"

namespace waarborg::state {

// A person at a station, for as long as it lasts. Only in memory: a restart ends all sessions.
struct Session {
  std::string token_digest;  // SHA-256 of the token
  std::string person_id;
  std::string station_id;
  absl::Time opened_at;
  absl::Time last_used_at;
  bool full_sign_in = true;  // with the password or a security key, not only a code
  // When given: of the account's roles only these are in force in this session.
  std::optional<std::vector<domain::Role>> only_roles = std::nullopt;
};

// The state of the municipality, decrypted, with its indexes. Belongs to the writer's thread: nobody else
// reads or changes it, so it needs no lock and every answer is true at one point of the log.
class World {
 public:
  World();

  const domain::Municipality& municipality() const { return *municipality_; }
  // Shared, so that a worker may go on with the configuration it started with.
  std::shared_ptr<const domain::Municipality> shared_municipality() const { return municipality_; }
  const std::string& configuration() const { return configuration_; }
  const std::string& instruction_version() const { return instruction_version_; }

  const domain::Ban* FindBan(const std::string& id) const;
  const domain::Person* FindPerson(const std::string& id) const;
  const domain::Person* FindPersonByLogin(const std::string& login) const;
  // By the handle under which security keys know the account; nobody when that is empty.
  const domain::Person* FindPersonByHandle(const std::string& user_handle) const;
  const domain::Station* FindStation(const std::string& id) const;
  const domain::Station* FindStationByKey(const std::string& fingerprint) const;
  const domain::Change* FindChange(const std::string& id) const;

  // In order of id, login, id.
  const std::map<std::string, domain::Ban>& bans() const { return bans_; }
  const std::map<std::string, domain::Person>& people() const { return people_; }
  const std::map<std::string, domain::Station>& stations() const { return stations_; }
  const std::map<std::string, domain::Change>& changes() const { return changes_; }
  // Periods of the log that were signed off, by id.
  const std::map<std::string, waarborg::v1::ReviewRecord>& reviews() const { return reviews_; }
  const domain::MatchIndex& matches() const { return matches_; }

  // Goes up with everything that may change what somebody may be shown, or whether: files, accounts,
  // stations, the configuration, the end of a session. Not when time passes by itself.
  uint64_t version() const { return version_; }
  // The same for the files of a location only: what holds or held there, and the configuration.
  uint64_t VersionAt(const std::string& location_id) const;

  void Put(domain::Ban ban);
  void Put(domain::Person person);
  void Put(domain::Station station);
  void Put(domain::Change change);
  void Put(waarborg::v1::ReviewRecord review);
  void PutConfiguration(std::string toml, domain::Municipality municipality);

  // At most so many of a kind are due at once, so that a turn stays short; the rest is due as soon as these
  // are done.
  static constexpr size_t kDueAtOnce = 50;
  // Ids of bans whose end is due at `now`, longest due first; of people whose name is to be removed; of bans
  // about whose copies somebody is to be reminded or told.
  std::vector<std::string> DueBans(absl::Time now) const;
  std::vector<std::string> DueNames(absl::Time now) const;
  std::vector<std::string> DueCopies(absl::Time now) const;
  // Ids of bans whose file is to be destroyed at `now`.
  std::vector<std::string> DueFiles(absl::Time now) const;
  // The next instant at which any of these is due, in the past while some are; InfiniteFuture when none is.
  absl::Time NextDue() const;
  // Ids of bans whose photo waits for its key to be destroyed.
  const std::set<std::string>& destroying() const { return destroying_; }
  // Ids of bans whose file waits for its key to be destroyed. Some may not be among the bans any more: a
  // crash came when the key was gone.
  const std::set<std::string>& shredding() const { return shredding_; }
  void Shred(const std::string& ban_id);
  // The file is gone, and with it the ban.
  void RemoveBan(const std::string& ban_id);

  Session* FindSession(const std::string& token_digest);
  const Session* FindSession(const std::string& token_digest) const;
  void OpenSession(Session session);
  void CloseSession(const std::string& token_digest);
  // Ends the sessions for which `which` holds and returns how many.
  int CloseSessionsIf(const std::function<bool(const Session&)>& which);
  // When this person last signed in in full on this station; InfinitePast when never or since
  // forgotten.
  absl::Time LastFullSignIn(const std::string& person_id, const std::string& station_id) const;
  void ForgetFullSignIns(
      const std::function<bool(const std::string& person_id, const std::string& station_id)>& which);

  // Failed sign-ins of a name on a station since the last success: how many, and when the last.
  struct Failures {
    int count = 0;
    absl::Time last;
  };
  Failures FailuresOf(const std::string& login, const std::string& station_id) const;
  void NoteFailure(const std::string& login, const std::string& station_id, absl::Time now);
  void ForgetFailures(const std::string& login, const std::string& station_id);

  // What people and stations do often; forgotten at a restart. Keys are "person ID" and "station ID".
  Meter checks{absl::Hours(1)};
  Meter photos{absl::Hours(1)};
  // Attempts to sign in or enrol, by station.
  Meter sign_ins{absl::Minutes(1)};
  // Challenges for security keys.
  Challenges challenges;
  // Attempts of a station that are being looked into now: that is dear, and one station must not take it all.
  // Keys are the station's id, what takes another way with a word before it.
  std::map<std::string, std::shared_ptr<std::atomic<int>>> sign_ins_under_way;
  // Refusals by station, and how many of them were not listed one by one, since when.
  Meter refusals{absl::Minutes(1)};
  struct NotListed {
    uint64_t count = 0;
    absl::Time since;
  };
  std::map<std::string, NotListed> refusals_not_listed;

 private:
  // Takes a ban out of everything that is ordered by when something is due.
  void Unschedule(const domain::Ban& ban);
  void Schedule(const domain::Ban& ban);
  void NoteChange(const domain::Scope& scope);

  std::shared_ptr<const domain::Municipality> municipality_;
  std::string configuration_;
  std::string instruction_version_;
  std::map<std::string, domain::Ban> bans_;
  std::map<std::string, domain::Person> people_;
  std::map<std::string, domain::Station> stations_;
  std::map<std::string, domain::Change> changes_;
  std::map<std::string, waarborg::v1::ReviewRecord> reviews_;
  absl::flat_hash_map<std::string, std::string> person_by_login_;
  absl::flat_hash_map<std::string, std::string> person_by_handle_;
  absl::flat_hash_map<std::string, std::string> station_by_key_;
  domain::MatchIndex matches_;
  std::set<std::pair<absl::Time, std::string>> due_;
  std::set<std::pair<absl::Time, std::string>> due_names_;
  std::set<std::pair<absl::Time, std::string>> due_copies_;
  std::set<std::pair<absl::Time, std::string>> due_files_;
  std::set<std::string> destroying_;
  std::set<std::string> shredding_;
  uint64_t version_ = 0, version_everywhere_ = 0;
  absl::flat_hash_map<std::string, uint64_t> version_at_;
  absl::flat_hash_map<std::string, Session> sessions_;
  std::map<std::pair<std::string, std::string>, absl::Time> full_sign_ins_;
  std::map<std::pair<std::string, std::string>, Failures> failures_;
};

}  // namespace waarborg::state

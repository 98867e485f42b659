// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "server/domain/municipality.h"
#include "server/domain/rules.h"
#include "server/domain/types.h"

namespace waarborg::domain {

// What an account may do and where, and from when to when.
struct Assignment {
  std::vector<Role> roles;
  std::vector<std::string> unit_ids;
  std::vector<std::string> location_ids;
  std::string department;
  std::string employer;
  absl::CivilDay from;
  absl::CivilDay until;  // to and including
};

struct Deputyship {
  Role role = Role::kNone;
  std::string in_place_of;  // person id
  absl::CivilDay from;
  absl::CivilDay until;  // to and including
};

// A role held now, and in whose place.
struct HeldRole {
  Role role = Role::kNone;
  std::string in_place_of;
};

// A security key (WebAuthn): signs its holder in without a password.
struct SecurityKey {
  std::string id;             // "S-" and ten characters
  std::string credential_id;  // what the key calls itself
  int algorithm = 0;          // COSE: -7 (ES256) or -8 (EdDSA)
  std::string public_key;     // x and y of the point on P-256, or the 32 bytes of Ed25519
  uint32_t sign_count = 0;    // by its own count; 0 for one that does not count
  std::string label;          // its holder's word for it
  absl::Time added_at;
};

// So many an account may have, those included that wait for a second person.
inline constexpr size_t kMaxSecurityKeys = 5;

struct Person {
  std::string id;
  std::string login;
  std::string display_name;
  Assignment assignment;
  std::vector<Deputyship> deputyships;
  bool blocked = false;
  std::string password_hash;     // Argon2id, libsodium's text form; empty before enrolment
  std::string totp_secret;       // 20 bytes; empty before enrolment
  int64_t last_totp_step = 0;    // no code of this step or an earlier one is accepted again
  std::string enrolment_digest;  // empty when enrolment is not open
  std::string instruction_version;
  std::optional<absl::Time> instruction_acknowledged_at;
  std::string user_handle;  // by which security keys know the account; empty before the first
  std::vector<SecurityKey> security_keys;

  bool enrolled() const { return !password_hash.empty() && !totp_secret.empty(); }
  // True when the account works on this day.
  bool WorksOn(absl::CivilDay day) const;
  // Roles held on this day, own ones first. None when the account does not work.
  std::vector<HeldRole> RolesOn(absl::CivilDay day) const;
  bool AssignedTo(const std::string& location_id) const;
};

struct Station {
  std::string id;
  std::string location_id;
  std::string key_fingerprint;  // lower-case hexadecimal SHA-256 of SubjectPublicKeyInfo
  bool revoked = false;
};

enum class ChangeKind {
  kUnspecified = 0,
  kNewPerson,
  kPerson,
  kReset,
  kDeputy,
  kStation,
  kConfiguration,
  kClock,
  kSecurityKey
};
enum class ChangeState { kUnspecified = 0, kOpen, kConfirmed, kRejected };

// A proposal that waits for, or got, its second person.
struct Change {
  std::string id;
  ChangeKind kind = ChangeKind::kUnspecified;
  ChangeState state = ChangeState::kUnspecified;
  std::string proposed_by;
  absl::Time proposed_at;
  std::string decided_by;
  std::string subject_id;
  std::vector<std::string> summary;
  Person person;  // for kNewPerson and kPerson: as it would be
  Deputyship deputyship;
  Station station;
  std::string configuration;
  std::string base_digest;  // SHA-256 of the configuration it was proposed against
  std::string first_half_digest;
  absl::Time clock;          // for kClock: what it said
  SecurityKey security_key;  // for kSecurityKey
};

// Shape and meaning of an assignment: known units and locations, dates in order, roles that may be held
// together.
Verdict CheckAssignment(const Municipality& m, const Assignment& a);
// When the name of this person is removed: so many months after their term. Never for a name that is gone.
absl::Time NameRemovalDue(const Municipality& m, const Person& person);
// Removes name, sign-in name and what they signed in with; the id stays, for the log names it.
void RemoveName(Person& person);
// A role held alone is not held beside a deputyship that runs or is to come.
Verdict CheckHeldAlone(const Person& person, absl::CivilDay today);
// A deputyship of a role that can be deputised, in dates that run forward, by somebody who may hold it.
Verdict CheckDeputyship(const Person& person, const Deputyship& d);
Verdict CheckLogin(const std::string& login);
Verdict CheckStation(const Municipality& m, const Station& station);

}  // namespace waarborg::domain

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace waarborg::domain {

// The numbers of these enumerations are those of the API (proto/waarborg/v1/common.proto); the codec checks
// it.

enum class Role {
  kNone = 0,
  kDeskStaff,
  kSecurityCoordinator,
  kManager,
  kCivilAffairs,
  kMunicipalSecretary,
  kBoardSecretariat,
  kLegal,
  kHr,
  kPoliceContact,
  kAuditor,
  kDataProtectionOfficer,
  kPrivacyOfficer,
  kAdministrator,
  kCount,
};

// A set of roles, small enough to pass by value and to stand in a constant table.
class RoleSet {
 public:
  constexpr RoleSet() = default;
  constexpr RoleSet(std::initializer_list<Role> roles) {
    for (Role r : roles) bits_ |= 1u << static_cast<unsigned>(r);
  }
  constexpr bool Has(Role r) const { return (bits_ >> static_cast<unsigned>(r)) & 1u; }
  constexpr bool empty() const { return bits_ == 0; }
  std::vector<Role> List() const {
    std::vector<Role> out;
    for (int i = 1; i < static_cast<int>(Role::kCount); ++i) {
      if (Has(static_cast<Role>(i))) out.push_back(static_cast<Role>(i));
    }
    return out;
  }

 private:
  uint32_t bits_ = 0;
};

enum class Measure { kNone = 0, kTimeOut, kAccessBan, kProvisional };

// A date of birth: month and day may be 0, unknown; year 0 when nothing is known.
struct BirthDate {
  int year = 0;
  int month = 0;
  int day = 0;
  bool known() const { return year != 0; }
  bool complete() const { return year != 0 && month != 0 && day != 0; }
  auto operator<=>(const BirthDate&) const = default;
};

struct PersonName {
  std::string given_names;
  std::string prefix;
  std::string surname;
  bool empty() const { return given_names.empty() && prefix.empty() && surname.empty(); }
  bool operator==(const PersonName&) const = default;
};

struct Identity {
  PersonName name;
  std::vector<PersonName> other_names;
  BirthDate birth_date;
  bool established = false;
  std::string description;
  bool operator==(const Identity&) const = default;
};

// Where a ban holds. All: every municipal location, also one opened later.
struct Scope {
  bool all_municipal = false;
  std::vector<std::string> location_ids;
  bool operator==(const Scope&) const = default;
};

}  // namespace waarborg::domain

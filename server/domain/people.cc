// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/people.h"

#include <algorithm>

#include "server/base/clock.h"

namespace waarborg::domain {
namespace {

// Supervision and administration are never mixed with the work they look after.
constexpr RoleSet kHeldAlone{Role::kAdministrator, Role::kAuditor, Role::kDataProtectionOfficer};
// Roles that others wait for; they can be deputised.
constexpr RoleSet kCanBeDeputised{Role::kMunicipalSecretary, Role::kBoardSecretariat,    Role::kManager,
                                  Role::kCivilAffairs,       Role::kSecurityCoordinator, Role::kLegal,
                                  Role::kPrivacyOfficer};

bool IsSlug(const std::string& s, const char* extra) {
  if (s.size() < 2 || s.size() > 40) return false;
  return std::all_of(s.begin(), s.end(), [extra](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string(extra).find(c) != std::string::npos;
  });
}

}  // namespace

bool Person::WorksOn(absl::CivilDay day) const {
  return !blocked && assignment.from <= day && day <= assignment.until;
}

std::vector<HeldRole> Person::RolesOn(absl::CivilDay day) const {
  std::vector<HeldRole> held;
  if (!WorksOn(day)) return held;
  for (Role r : assignment.roles) held.push_back({r, ""});
  for (const Deputyship& d : deputyships) {
    if (d.from <= day && day <= d.until) held.push_back({d.role, d.in_place_of});
  }
  return held;
}

bool Person::AssignedTo(const std::string& location_id) const {
  const auto& ids = assignment.location_ids;
  return std::find(ids.begin(), ids.end(), location_id) != ids.end();
}

Verdict CheckAssignment(const Municipality& m, const Assignment& a) {
  if (a.roles.empty()) return Refusal(Rule::kFieldMissing, "assignment.roles");
  for (Role r : a.roles) {
    if (r <= Role::kNone || r >= Role::kCount) return Refusal(Rule::kFieldInvalid, "assignment.roles");
    if (kHeldAlone.Has(r) && a.roles.size() > 1) return Refusal(Rule::kRoleHeldAlone, "assignment.roles");
  }
  for (const std::string& id : a.unit_ids) {
    if (m.FindUnit(id) == nullptr) return Refusal(Rule::kUnknownUnit, "assignment.unit_ids");
  }
  for (const std::string& id : a.location_ids) {
    if (m.FindLocation(id) == nullptr) return Refusal(Rule::kUnknownLocation, "assignment.location_ids");
  }
  if (a.until < a.from) return Refusal(Rule::kDatesInWrongOrder, "assignment.until");
  return kAllowed;
}

absl::Time NameRemovalDue(const Municipality& m, const Person& person) {
  if (person.display_name.empty()) return absl::InfiniteFuture();
  const absl::CivilDay last = person.assignment.until;
  return base::EndOfDay(absl::CivilDay(last.year(), last.month() + m.staff_names_keep_months, last.day()));
}

void RemoveName(Person& person) {
  person.display_name.clear();
  // Still one of a kind, and of the letters that a sign-in name has.
  person.login = person.id;
  for (char& c : person.login) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  person.password_hash.clear();
  person.totp_secret.clear();
  person.enrolment_digest.clear();
  person.user_handle.clear();
  person.security_keys.clear();
}

Verdict CheckHeldAlone(const Person& person, absl::CivilDay today) {
  const bool alone = std::any_of(person.assignment.roles.begin(), person.assignment.roles.end(),
                                 [](Role r) { return kHeldAlone.Has(r); });
  const bool deputises = std::any_of(person.deputyships.begin(), person.deputyships.end(),
                                     [&](const Deputyship& d) { return d.until >= today; });
  if (alone && deputises) return Refusal(Rule::kRoleHeldAlone, "assignment.roles");
  return kAllowed;
}

Verdict CheckDeputyship(const Person& person, const Deputyship& d) {
  if (!kCanBeDeputised.Has(d.role)) return Refusal(Rule::kFieldInvalid, "deputy.role");
  if (d.in_place_of == person.id) return Refusal(Rule::kFieldInvalid, "deputy.in_place_of");
  if (d.until < d.from) return Refusal(Rule::kDatesInWrongOrder, "deputy.until");
  for (Role r : person.assignment.roles) {
    if (kHeldAlone.Has(r)) return Refusal(Rule::kRoleHeldAlone, "person_id");
  }
  return kAllowed;
}

Verdict CheckLogin(const std::string& login) {
  if (!IsSlug(login, ".-")) return Refusal(Rule::kFieldInvalid, "login");
  return kAllowed;
}

Verdict CheckStation(const Municipality& m, const Station& station) {
  if (!IsSlug(station.id, "-")) return Refusal(Rule::kFieldInvalid, "station.id");
  if (m.FindLocation(station.location_id) == nullptr)
    return Refusal(Rule::kUnknownLocation, "station.location_id");
  const std::string& f = station.key_fingerprint;
  if (f.size() != 64 || f.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return Refusal(Rule::kFieldInvalid, "station.key_fingerprint");
  }
  return kAllowed;
}

}  // namespace waarborg::domain

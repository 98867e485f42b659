// SPDX-License-Identifier: EUPL-1.2
#include "server/access/access.h"

#include <algorithm>

#include "server/base/clock.h"
#include "server/domain/names.h"
#include "server/keys/sealing.h"

namespace waarborg::access {

using domain::HeldRole;
using domain::Outcome;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;

namespace {

Verdict CheckPhotoReleased(const domain::Ban& ban) {
  if (ban.release.state == domain::PhotoState::kDarkened) return Refusal(Rule::kPhotoDarkened);
  if (ban.release.state != domain::PhotoState::kReleased) return Refusal(Rule::kPhotoNotReleased);
  return domain::kAllowed;
}

// One of the person's units was named, and the configuration still lets that unit see photos.
bool IsRecipient(const domain::Municipality& m, const domain::Person& person,
                 const domain::Release& release) {
  const auto& named = release.recipient_unit_ids;
  return std::any_of(person.assignment.unit_ids.begin(), person.assignment.unit_ids.end(),
                     [&](const std::string& id) {
                       const domain::Unit* unit = m.FindUnit(id);
                       return unit != nullptr && unit->may_see_photos &&
                              std::find(named.begin(), named.end(), id) != named.end();
                     });
}

// Whose unit it is not learns nothing about the ban; whose it is, only that the unit was asked.
Verdict CheckOwnUnit(const domain::Ban* ban, const domain::Person& person, const std::string& unit_id) {
  const auto& mine = person.assignment.unit_ids;
  if (std::find(mine.begin(), mine.end(), unit_id) == mine.end()) return Refusal(Rule::kUnitOfOthers);
  if (ban == nullptr || !domain::WasAskedAboutCopies(ban->release, unit_id)) return Refusal(Rule::kNotFound);
  return domain::kAllowed;
}

bool WroteTheFile(const domain::Ban& ban, const std::string& person_id) {
  return ban.proposed_by == person_id ||
         std::find(ban.prepared_by.begin(), ban.prepared_by.end(), person_id) != ban.prepared_by.end();
}

// A mandated official takes a decision; the secretariat only records the board's.
bool TookADecision(const domain::Ban& ban, const std::string& person_id) {
  auto took = [&](const domain::Decision& d) {
    return d.level != domain::Role::kBoardSecretariat && d.recorded_by == person_id;
  };
  return (ban.decision && took(*ban.decision)) ||
         std::any_of(ban.extensions.begin(), ban.extensions.end(),
                     [&](const domain::Extension& e) { return took(e.decision); });
}

// Departments are words that people write: compared as names are. Where none was written, the manager who
// proposed the measure is taken to be of the team that was hit.
bool OwnTeamWasHit(const domain::Ban& ban, const domain::Person& person) {
  if (ban.affected_department.empty()) return ban.proposed_by == person.id;
  return domain::Fold(ban.affected_department) == domain::Fold(person.assignment.department);
}

Verdict Unless(bool holds, Rule rule) {
  if (holds) return domain::kAllowed;
  return Refusal(rule);
}

Verdict Check(Condition condition, const state::World& world, const Grant& grant, const Asker& asker,
              const Subject& subject, absl::Time now) {
  const domain::Ban* ban = subject.ban;
  const std::string& me = asker.person->id;
  switch (condition) {
    case Condition::kPurposeStated:
      return Unless(subject.purpose_stated, Rule::kPurposeMissing);
    case Condition::kAssignedHere:
      return Unless(asker.person->AssignedTo(asker.station->location_id), Rule::kNotAssignedHere);
    case Condition::kNotOwnChange:
      return Unless(subject.change != nullptr && subject.change->proposed_by != me, Rule::kChangeOwnProposal);
    case Condition::kOwnChange:
      return Unless(subject.change != nullptr && subject.change->proposed_by == me, Rule::kChangeOfAnother);
    case Condition::kNotAboutYourself:
      return Unless(subject.change != nullptr && subject.change->subject_id != me,
                    Rule::kChangeAboutYourself);
    case Condition::kOwnUnit:
      return CheckOwnUnit(ban, *asker.person, subject.unit_id);
    default:
      break;
  }
  // The rest is about a ban: without one nothing is allowed.
  if (ban == nullptr) return Refusal(Rule::kNotFound);
  switch (condition) {
    case Condition::kOwnLocation:
      return Unless(world.municipality().Covers(ban->scope, asker.station->location_id), Rule::kNotFound);
    case Condition::kConsentOnRecord:
      return Unless(!ban->release.consent_by.empty() && ban->release.state != domain::PhotoState::kRefused,
                    Rule::kNotFound);
    case Condition::kBanInForce:
      return Unless(domain::InForce(*ban, now), Rule::kBanNotInForce);
    case Condition::kPhotoReleased:
      return CheckPhotoReleased(*ban);
    case Condition::kPhotoForPreview:
      return Unless(ban->release.state == domain::PhotoState::kSupplied &&
                        domain::IsEnforceable(ban->state) && now < ban->ends_at,
                    Rule::kPhotoNotForPreview);
    case Condition::kNamedRecipient:
      return Unless(IsRecipient(world.municipality(), *asker.person, ban->release), Rule::kNotNamedRecipient);
    case Condition::kInstructionAcknowledged:
      return Unless(asker.person->instruction_version == world.instruction_version(),
                    Rule::kInstructionNotAcknowledged);
    case Condition::kNotProposer:
      return Unless(!WroteTheFile(*ban, me), Rule::kProposedItYourself);
    case Condition::kNotRequester:
      return Unless(ban->release.requested_by != me, Rule::kRequestedItYourself);
    case Condition::kNotConsenter:
      return Unless(ban->release.consent_by != me, Rule::kConsentedYourself);
    case Condition::kNotSupplier:
      return Unless(ban->release.supplied_by != me, Rule::kSuppliedItYourself);
    case Condition::kNotDecider:
      return Unless(!TookADecision(*ban, me), Rule::kDecidedItYourself);
    case Condition::kOwnDenial:
      return Unless(ban->state == domain::BanState::kProvisional && ban->proposed_by == me, Rule::kNotFound);
    case Condition::kOtherTeamThanHit:
      return Unless(!OwnTeamWasHit(*ban, *asker.person), Rule::kOwnTeamWasHit);
    case Condition::kDecidingLevel: {
      const domain::Role level = domain::DecidingLevel(world.municipality(), *ban);
      return Unless(level == domain::Role::kNone || level == grant.role.role, Rule::kOtherLevelDecides);
    }
    default:
      return Refusal(Rule::kInternal);  // a condition nobody wrote a check for never holds
  }
}

}  // namespace

std::string DigestOfToken(const std::string& token) {
  return keys::Sha256(token);
}

std::vector<HeldRole> LetThrough(std::vector<HeldRole> held,
                                 const std::optional<std::vector<domain::Role>>& only) {
  if (only) {
    std::erase_if(held, [&](const HeldRole& role) {
      return std::find(only->begin(), only->end(), role.role) == only->end();
    });
  }
  return held;
}

std::vector<HeldRole> Asker::RolesOn(absl::CivilDay day) const {
  if (person == nullptr) return {};
  return LetThrough(person->RolesOn(day), only_roles);
}

Verdict Recognise(const state::World& world, const Credentials& credentials, Caller needed, absl::Time now,
                  Asker& asker) {
  const domain::Station* station = world.FindStationByKey(credentials.key_fingerprint);
  if (station == nullptr || station->revoked) return Refusal(Rule::kStationUnknown);
  asker.station = station;
  if (needed == Caller::kStation) return domain::kAllowed;

  if (credentials.session_token.empty()) return Refusal(Rule::kSessionRequired);
  const std::string digest = DigestOfToken(credentials.session_token);
  const state::Session* session = world.FindSession(digest);
  if (session == nullptr) return Refusal(Rule::kSessionRequired);
  const domain::Person* person = world.FindPerson(session->person_id);
  if (person == nullptr) return Refusal(Rule::kSessionRequired);
  asker.person = person;
  if (session->station_id != station->id) return Refusal(Rule::kSessionElsewhere);
  asker.session_digest = digest;
  const domain::Municipality& m = world.municipality();
  const bool alive = session->last_used_at + m.session_idle > now &&
                     session->opened_at + m.session_max > now && person->WorksOn(base::LocalDay(now));
  if (!alive) return Refusal(Rule::kSessionRequired);
  asker.only_roles = session->only_roles;
  return domain::kAllowed;
}

Verdict Identify(state::World& world, const Credentials& credentials, Caller needed, bool is_use,
                 absl::Time now, Asker& asker) {
  auto refused = Recognise(world, credentials, needed, now, asker);
  if (asker.session_digest.empty()) return refused;
  if (refused) {
    world.CloseSession(asker.session_digest);
  } else if (is_use) {
    world.FindSession(asker.session_digest)->last_used_at = now;
  }
  return refused;
}

Outcome<std::vector<Grant>> GrantsFor(Rpc rpc, const Asker& asker, absl::CivilDay today) {
  std::vector<Grant> grants;
  const std::vector<HeldRole> held = asker.RolesOn(today);
  for (const Row& row : Policy()) {
    if (row.rpc != rpc) continue;
    if (row.caller != Caller::kRole) grants.push_back({HeldRole{}, &row});
    for (const HeldRole& role : held) {
      if (row.roles.Has(role.role)) grants.push_back({role, &row});
    }
  }
  if (grants.empty()) return Rule::kRoleNotAllowed;
  return grants;
}

Outcome<Grant> CheckConditions(const state::World& world, const std::vector<Grant>& grants,
                               const Asker& asker, const Subject& subject, absl::Time now) {
  Verdict first;
  for (const Grant& grant : grants) {
    Verdict verdict;
    for (int c = 0; c < static_cast<int>(Condition::kCount) && !verdict; ++c) {
      if (!grant.row->conditions.Has(static_cast<Condition>(c))) continue;
      verdict = Check(static_cast<Condition>(c), world, grant, asker, subject, now);
    }
    if (!verdict) return grant;
    if (!first) first = verdict;
  }
  return *first;
}

}  // namespace waarborg::access

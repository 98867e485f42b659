// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/ban.h"

#include <algorithm>

#include "server/base/clock.h"

namespace waarborg::domain {
namespace {

using S = BanState;
using E = BanEvent;

struct Row {
  BanState from;
  BanEvent event;
  BanState to;
};

constexpr Row kTable[] = {
    {S::kUnspecified, E::kPropose, S::kProposed},
    {S::kUnspecified, E::kDeny, S::kProvisional},
    {S::kUnspecified, E::kRaiseAlert, S::kAlert},

    {S::kAlert, E::kAmend, S::kAlert},
    {S::kAlert, E::kEstablishIdentity, S::kProposed},
    {S::kAlert, E::kEndPasses, S::kExpired},

    {S::kProposed, E::kAmend, S::kProposed},
    {S::kProposed, E::kEstablishIdentity, S::kProposed},
    {S::kProposed, E::kAdvise, S::kProposed},
    {S::kProposed, E::kApprove, S::kActive},
    {S::kProposed, E::kReject, S::kRejected},

    {S::kProvisional, E::kAmend, S::kProvisional},
    {S::kProvisional, E::kEstablishIdentity, S::kProvisional},
    {S::kProvisional, E::kAdvise, S::kProvisional},
    {S::kProvisional, E::kApprove, S::kActive},
    {S::kProvisional, E::kReject, S::kRejected},
    {S::kProvisional, E::kEndPasses, S::kLapsed},

    {S::kActive, E::kAmend, S::kActive},  // earlier names that come to light; never the terms
    {S::kActive, E::kExtend, S::kExtended},
    {S::kActive, E::kLift, S::kLifted},
    {S::kActive, E::kEndPasses, S::kExpired},

    {S::kExtended, E::kAmend, S::kExtended},
    {S::kExtended, E::kExtend, S::kExtended},
    {S::kExtended, E::kLift, S::kLifted},
    {S::kExtended, E::kEndPasses, S::kExpired},
};

// Making somebody leave. A demand comes after so many others, which tells it from another; the rest may come
// at any moment of an open breach, police before the first demand too: where police are nearer than staff is
// wise (sports hall, pool), they are called first and the demands are made in their presence.
constexpr int kAnyNumber = -1;
struct DemandRow {
  DemandStep step;
  int demands_before;
  bool begins;  // may be the first step of a breach
  BreachOutcome ends_as;
};
constexpr DemandRow kDemands[] = {
    {DemandStep::kFirst, 0, true, BreachOutcome::kUnspecified},
    {DemandStep::kSecond, 1, false, BreachOutcome::kUnspecified},
    {DemandStep::kThird, 2, false, BreachOutcome::kUnspecified},
    {DemandStep::kPoliceCalled, kAnyNumber, true, BreachOutcome::kUnspecified},
    {DemandStep::kLeft, kAnyNumber, false, BreachOutcome::kLeft},
    {DemandStep::kRemoved, kAnyNumber, false, BreachOutcome::kRemoved},
};

// `open` is the breach at the location, or null.
Verdict CheckDemand(const DemandRow& row, const Location& location, const Breach* open) {
  if (row.demands_before >= location.max_demands) return Refusal(Rule::kNoMoreDemands, "step");
  const auto made = open == nullptr ? 0 : static_cast<int>(open->demands.size());
  const bool fits = (open != nullptr || row.begins) &&
                    (row.demands_before == kAnyNumber || row.demands_before == made) &&
                    !(row.step == DemandStep::kPoliceCalled && open != nullptr && open->police_called);
  if (!fits) return Refusal(Rule::kDemandOutOfOrder, "step");
  return kAllowed;
}

Verdict Step(Ban& ban, BanEvent event) {
  auto next = NextState(ban.state, event);
  if (!next) return Refusal(Rule::kWrongState);
  ban.state = *next;
  return kAllowed;
}

Verdict FitsState(const Ban& ban, BanEvent event) {
  if (!NextState(ban.state, event)) return Refusal(Rule::kWrongState);
  return kAllowed;
}

// The same day `months` later; the last day of the month when it has no such day.
absl::CivilDay AddMonths(absl::CivilDay day, int months) {
  absl::CivilMonth month = absl::CivilMonth(day) + months;
  absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  return std::min(absl::CivilDay(month) + (day.day() - 1), last);
}

Verdict CheckScope(const Municipality& m, const Scope& scope) {
  if (scope.all_municipal) {
    if (!scope.location_ids.empty()) return Refusal(Rule::kFieldInvalid, "scope.location_ids");
    return kAllowed;
  }
  if (scope.location_ids.empty()) return Refusal(Rule::kFieldMissing, "scope");
  for (const std::string& id : scope.location_ids) {
    const Location* location = m.FindLocation(id);
    if (location == nullptr) return Refusal(Rule::kUnknownLocation, "scope.location_ids");
    if (location->run_by == Operator::kThirdParty && location->sharing_basis.empty()) {
      return Refusal(Rule::kThirdPartyLocation, "scope.location_ids");
    }
  }
  return kAllowed;
}

Verdict CheckIdentity(const Identity& identity) {
  if (identity.established) {
    if (identity.name.surname.empty()) return Refusal(Rule::kFieldMissing, "identity.name.surname");
    if (!identity.birth_date.known()) return Refusal(Rule::kFieldMissing, "identity.birth_date");
  }
  return kAllowed;
}

// The same person, and every name known before is still there.
bool OnlyGainsNames(const Identity& before, const Identity& after) {
  return after.established && after.name == before.name && after.birth_date == before.birth_date &&
         after.description == before.description &&
         std::all_of(before.other_names.begin(), before.other_names.end(), [&](const PersonName& known) {
           return std::find(after.other_names.begin(), after.other_names.end(), known) !=
                  after.other_names.end();
         });
}

// What was advised was about another person, other terms or another story.
void ForgetAdvice(Ban& ban) {
  ban.advice.clear();
  ban.advised_by.clear();
}

void NotePreparer(Ban& ban, const std::string& person_id) {
  if (std::find(ban.prepared_by.begin(), ban.prepared_by.end(), person_id) == ban.prepared_by.end()) {
    ban.prepared_by.push_back(person_id);
  }
}

bool DepartsFromGuideline(const Ground& ground, const Terms& terms) {
  if (terms.measure != ground.measure) return true;
  switch (ground.scope) {
    case GuidelineScope::kIncidentLocation:
      if (terms.scope.all_municipal || terms.scope.location_ids.size() != 1) return true;
      break;
    case GuidelineScope::kSeveral:
      if (terms.scope.all_municipal) return true;
      break;
    case GuidelineScope::kAllMunicipal:
      if (!terms.scope.all_municipal) return true;
      break;
  }
  const int min_months = terms.repeat_offence ? ground.repeat_min_months : ground.first_min_months;
  const int max_months = terms.repeat_offence ? ground.repeat_max_months : ground.first_max_months;
  // Three months from 2 March run to and including 1 June; writing 2 June is the same three months to most
  // people.
  return terms.until < AddMonths(terms.from, min_months) - 1 ||
         terms.until > AddMonths(terms.from, max_months);
}

// The papers of a decision. That the level is the right one is a condition in the policy table.
Verdict CheckDecision(const DecisionInput& input, absl::Time now, Decision& out) {
  const absl::CivilDay today = base::LocalDay(now);
  if (input.level == Role::kBoardSecretariat && (input.number.empty() || !input.date)) {
    return Refusal(Rule::kBoardDecisionIncomplete,
                   input.number.empty() ? "decision_number" : "decision_date");
  }
  if (input.date && *input.date > today) return Refusal(Rule::kDateInFuture, "decision_date");
  out = Decision{input.level, input.number, input.date.value_or(today), input.person_id};
  return kAllowed;
}

}  // namespace

std::optional<BanState> NextState(BanState from, BanEvent event) {
  for (const Row& row : kTable) {
    if (row.from == from && row.event == event) return row.to;
  }
  return std::nullopt;
}

bool IsFinal(BanState state) {
  return state == S::kRejected || state == S::kLapsed || state == S::kLifted || state == S::kExpired;
}

bool IsEnforceable(BanState state) {
  return state == S::kProvisional || state == S::kAlert || state == S::kActive || state == S::kExtended;
}

bool InForce(const Ban& ban, absl::Time now) {
  return IsEnforceable(ban.state) && ban.starts_at <= now && now < ban.ends_at;
}

bool EndIsDue(const Ban& ban, absl::Time now) {
  return IsEnforceable(ban.state) && ban.ends_at <= now;
}

Verdict CheckTerms(const Municipality& m, const Terms& terms, absl::Time now) {
  const Ground* ground = m.FindGround(terms.ground_id);
  if (terms.ground_id.empty()) return Refusal(Rule::kFieldMissing, "terms.ground_id");
  if (ground == nullptr) return Refusal(Rule::kUnknownGround, "terms.ground_id");
  if (terms.measure != Measure::kTimeOut && terms.measure != Measure::kAccessBan) {
    return Refusal(Rule::kFieldMissing, "terms.measure");
  }
  if (terms.legal_form == LegalForm::kUnspecified) return Refusal(Rule::kFieldMissing, "terms.legal_form");
  if (auto v = CheckScope(m, terms.scope)) return Refusal(v->rule, "terms." + v->field);
  if (terms.until < terms.from || terms.until < base::LocalDay(now)) {
    return Refusal(Rule::kDatesInWrongOrder, "terms.until");
  }
  if (terms.departure_reason.empty() && DepartsFromGuideline(*ground, terms)) {
    return Refusal(Rule::kDepartureNeedsReason, "terms.departure_reason");
  }
  return kAllowed;
}

Verdict Propose(const Municipality& m, Ban& ban, absl::Time now) {
  if (auto v = FitsState(ban, E::kPropose)) return v;
  if (auto v = CheckIdentity(ban.identity)) return v;
  if (!ban.identity.established && ban.identity.description.empty()) {
    return Refusal(Rule::kFieldMissing, "identity.description");
  }
  if (!ban.terms) return Refusal(Rule::kFieldMissing, "terms");
  if (auto v = CheckTerms(m, *ban.terms, now)) return v;
  if (ban.reasons.empty()) return Refusal(Rule::kFieldMissing, "reasons");
  if (ban.open_channels.empty()) return Refusal(Rule::kFieldMissing, "open_channels");
  ban.proposed_at = now;
  return Step(ban, E::kPropose);
}

Verdict Deny(const Municipality& m, Ban& ban, absl::Time now) {
  if (auto v = FitsState(ban, E::kDeny)) return v;
  if (auto v = CheckIdentity(ban.identity)) return v;
  if (auto v = CheckScope(m, Scope{false, {ban.incident_location_id}})) return v;
  ban.scope = Scope{false, {ban.incident_location_id}};
  ban.proposed_at = now;
  ban.starts_at = now;
  ban.ends_at = now + m.confirm_within;
  return Step(ban, E::kDeny);
}

Verdict RaiseAlert(const Municipality& m, Ban& ban, absl::CivilDay until, absl::Time now) {
  if (auto v = FitsState(ban, E::kRaiseAlert)) return v;
  if (ban.identity.description.empty()) return Refusal(Rule::kFieldMissing, "description");
  if (ban.reasons.empty()) return Refusal(Rule::kFieldMissing, "reasons");
  if (auto v = CheckScope(m, ban.scope)) return v;
  const absl::CivilDay today = base::LocalDay(now);
  if (until < today || until > today + m.alert_max_days) return Refusal(Rule::kDatesInWrongOrder, "until");
  ban.proposed_at = now;
  ban.starts_at = now;
  ban.ends_at = base::EndOfDay(until);
  return Step(ban, E::kRaiseAlert);
}

Verdict Amend(const Municipality& m, Ban& ban, const Amendment& a, absl::Time now) {
  const bool establishes = a.identity && a.identity->established && !ban.identity.established;
  const BanEvent event = establishes ? E::kEstablishIdentity : E::kAmend;
  if (auto v = FitsState(ban, event)) return v;
  const bool decided = ban.state == S::kActive || ban.state == S::kExtended;
  if (decided) {
    if (a.terms) return Refusal(Rule::kWrongState, "terms");
    if (!a.reasons.empty()) return Refusal(Rule::kWrongState, "reasons");
    if (!a.affected_department.empty()) return Refusal(Rule::kWrongState, "affected_department");
    if (!a.open_channels.empty()) return Refusal(Rule::kWrongState, "open_channels");
    if (a.identity && !OnlyGainsNames(ban.identity, *a.identity))
      return Refusal(Rule::kWrongState, "identity");
  }
  if (a.identity) {
    if (ban.identity.established && !a.identity->established) {
      return Refusal(Rule::kFieldInvalid, "identity.established");
    }
    if (auto v = CheckIdentity(*a.identity)) return v;
  }
  if (a.terms) {
    if (auto v = CheckTerms(m, *a.terms, now)) return v;
  }
  if (a.identity) ban.identity = *a.identity;
  if (a.terms) ban.terms = a.terms;
  if (!decided && (a.identity || a.terms || !a.reasons.empty())) ForgetAdvice(ban);
  if (!decided) NotePreparer(ban, a.person_id);
  if (!a.reasons.empty()) ban.reasons = a.reasons;
  if (!a.affected_department.empty()) ban.affected_department = a.affected_department;
  if (!a.open_channels.empty()) ban.open_channels = a.open_channels;
  return Step(ban, event);
}

Verdict Correct(Ban& ban, const Identity& identity, const std::string& reason, const std::string& person_id,
                absl::Time now) {
  if (ban.state == S::kUnspecified) return Refusal(Rule::kWrongState);
  if (reason.empty()) return Refusal(Rule::kFieldMissing, "reason");
  if (identity.established != ban.identity.established) {
    return Refusal(Rule::kFieldInvalid, "identity.established");
  }
  if (auto v = CheckIdentity(identity)) return v;
  // A file that describes somebody goes on doing so until the identity is established.
  if (!identity.established && identity.description.empty() && !ban.identity.description.empty()) {
    return Refusal(Rule::kFieldMissing, "identity.description");
  }
  if (identity == ban.identity) return Refusal(Rule::kNothingToCorrect, "identity");
  ban.corrections.push_back({ban.identity, reason, person_id, now});
  ban.identity = identity;
  if (ban.state == S::kProposed || ban.state == S::kProvisional || ban.state == S::kAlert) {
    ForgetAdvice(ban);
    NotePreparer(ban, person_id);
  }
  return kAllowed;
}

Verdict Advise(Ban& ban, const std::string& advice, const std::string& person_id) {
  if (auto v = FitsState(ban, E::kAdvise)) return v;
  if (!ban.terms) return Refusal(Rule::kFieldMissing, "terms");
  if (advice.empty()) return Refusal(Rule::kFieldMissing, "advice");
  ban.advice = advice;
  ban.advised_by = person_id;
  return Step(ban, E::kAdvise);
}

Role DecidingLevel(const Municipality& m, const Ban& ban) {
  if (ban.decision) return ban.decision->level;
  const Ground* ground = ban.terms ? m.FindGround(ban.terms->ground_id) : nullptr;
  return ground == nullptr ? Role::kNone : ground->decided_by;
}

Verdict Decide(const Municipality& m, Ban& ban, bool approve, const DecisionInput& input, absl::Time now) {
  const BanEvent event = approve ? E::kApprove : E::kReject;
  if (auto v = FitsState(ban, event)) return v;
  if (!ban.terms) return Refusal(Rule::kFieldMissing, "terms");
  const Ground* ground = m.FindGround(ban.terms->ground_id);
  if (ground == nullptr) return Refusal(Rule::kUnknownGround, "terms.ground_id");
  Decision decision;
  if (auto v = CheckDecision(input, now, decision)) return v;
  if (approve) {
    if (!ban.identity.established) return Refusal(Rule::kIdentityNotEstablished, "identity");
    if (ban.reasons.empty()) return Refusal(Rule::kFieldMissing, "reasons");
    if (ban.open_channels.empty()) return Refusal(Rule::kFieldMissing, "open_channels");
    if (auto v = CheckScope(m, ban.terms->scope)) return Refusal(v->rule, "terms." + v->field);
    if (ground->advice_needed && ban.advised_by.empty()) return Refusal(Rule::kAdviceMissing);
    if (base::EndOfDay(ban.terms->until) <= now) return Refusal(Rule::kDecidedAfterEnd, "terms.until");
    ban.scope = ban.terms->scope;
    // A denial that is confirmed holds on without a gap, whatever first day was written.
    const absl::Time first_day = base::StartOfDay(ban.terms->from);
    ban.starts_at = ban.state == S::kProvisional ? std::min(ban.starts_at, first_day) : first_day;
    ban.ends_at = base::EndOfDay(ban.terms->until);
  } else {
    EndRelease(m, ban.release, DestructionReason::kBanEnded, now);
  }
  ban.decision = decision;
  return Step(ban, event);
}

Verdict Extend(Ban& ban, absl::CivilDay until, const std::string& reason, const DecisionInput& input,
               absl::Time now) {
  if (auto v = FitsState(ban, E::kExtend)) return v;
  if (reason.empty()) return Refusal(Rule::kFieldMissing, "reason");
  if (until <= ban.terms->until) return Refusal(Rule::kDatesInWrongOrder, "until");
  Decision decision;
  if (auto v = CheckDecision(input, now, decision)) return v;
  ban.extensions.push_back(Extension{ban.terms->until, until, reason, decision});
  ban.terms->until = until;
  ban.ends_at = base::EndOfDay(until);
  return Step(ban, E::kExtend);
}

Verdict LiftBan(const Municipality& m, Ban& ban, const std::string& reason, const DecisionInput& input,
                absl::Time now) {
  if (auto v = FitsState(ban, E::kLift)) return v;
  if (reason.empty()) return Refusal(Rule::kFieldMissing, "reason");
  Decision decision;
  if (auto v = CheckDecision(input, now, decision)) return v;
  ban.lift = Lift{reason, decision};
  ban.ends_at = std::min(ban.ends_at, now);
  EndRelease(m, ban.release, DestructionReason::kBanLifted, now);
  return Step(ban, E::kLift);
}

void PassEnd(const Municipality& m, Ban& ban, absl::Time now) {
  if (Step(ban, E::kEndPasses)) return;
  EndRelease(m, ban.release, DestructionReason::kBanEnded, now);
}

bool RepeatDestruction(const Municipality& m, Ban& ban, const std::string& photo_id, DestructionReason reason,
                       BanState state, absl::Time at) {
  // A ban that ended since ends again; what else changed since the backup is for people to do again.
  if (IsFinal(state) && IsEnforceable(ban.state)) {
    ban.state = state;
    ban.ends_at = std::min(ban.ends_at, at);
    if (ban.release.photo_id != photo_id) EndRelease(m, ban.release, reason, at);
  }
  Release& release = ban.release;
  const bool was_there = release.HasPhoto() || release.state == PhotoState::kDestroying;
  if (release.photo_id != photo_id || !was_there) return false;
  if (reason == DestructionReason::kObjectionUpheld) release.objection_upheld = true;
  if (release.HasPhoto() && reason == DestructionReason::kWrongPhoto) {
    (void)WithdrawWrong(m, release, at);
  } else {
    (void)EndRelease(m, release, reason, at);
  }
  release.destruction_reason = reason;
  CompleteDestruction(release, IsFinal(ban.state), at);
  return true;
}

Verdict AddBreach(const Municipality& m, Ban& ban, const Breach& breach, absl::Time now) {
  if (!InForce(ban, now) || !m.Covers(ban.scope, breach.location_id)) return Refusal(Rule::kBanNotInForce);
  if (breach.outcome == BreachOutcome::kUnspecified) return Refusal(Rule::kFieldMissing, "outcome");
  if (breach.demands.size() > 10) return Refusal(Rule::kFieldTooLong, "demands");
  absl::Time previous = absl::InfinitePast();
  for (const DemandToLeave& demand : breach.demands) {
    if (demand.words.empty()) return Refusal(Rule::kFieldMissing, "demands.words");
    if (demand.at > now) return Refusal(Rule::kDateInFuture, "demands.at");
    if (demand.at < previous) return Refusal(Rule::kDatesInWrongOrder, "demands.at");
    previous = demand.at;
  }
  ban.breaches.push_back(breach);
  return kAllowed;
}

absl::Time OpenUntil(const Breach& breach) {
  if (breach.outcome != BreachOutcome::kUnspecified) return absl::InfinitePast();
  absl::Time last = std::max(breach.at, breach.police_called_at.value_or(breach.at));
  if (!breach.demands.empty()) last = std::max(last, breach.demands.back().at);
  return last + kBreachOpenFor;
}

const Breach* OpenBreach(const Ban& ban, const std::string& location_id, absl::Time now) {
  for (auto breach = ban.breaches.rbegin(); breach != ban.breaches.rend(); ++breach) {
    if (breach->location_id == location_id && now < OpenUntil(*breach)) return &*breach;
  }
  return nullptr;
}

std::vector<DemandStep> NextDemandSteps(const Municipality& m, const Ban& ban, const std::string& location_id,
                                        absl::Time now) {
  std::vector<DemandStep> next;
  const Location* location = m.FindLocation(location_id);
  if (location == nullptr) return next;
  for (const DemandRow& row : kDemands) {
    if (!CheckDemand(row, *location, OpenBreach(ban, location_id, now))) next.push_back(row.step);
  }
  return next;
}

Verdict RecordDemand(const Municipality& m, Ban& ban, const DemandMade& made, absl::Time now) {
  if (!InForce(ban, now) || !m.Covers(ban.scope, made.location_id)) return Refusal(Rule::kBanNotInForce);
  const DemandRow* row = std::find_if(std::begin(kDemands), std::end(kDemands),
                                      [&](const DemandRow& r) { return r.step == made.step; });
  if (row == std::end(kDemands)) return Refusal(Rule::kFieldMissing, "step");
  const Breach* open = OpenBreach(ban, made.location_id, now);
  if (auto v = CheckDemand(*row, *m.FindLocation(made.location_id), open)) return v;
  if (open == nullptr) {
    Breach begun;
    begun.at = now;
    begun.location_id = made.location_id;
    begun.reported_by = made.person_id;
    ban.breaches.push_back(std::move(begun));
    open = &ban.breaches.back();
  }
  Breach& breach = ban.breaches[static_cast<size_t>(open - ban.breaches.data())];
  if (row->demands_before != kAnyNumber) breach.demands.push_back({now, m.demand});
  if (made.step == DemandStep::kPoliceCalled) {
    breach.police_called = true;
    breach.police_called_at = now;
  }
  if (row->ends_as != BreachOutcome::kUnspecified) {
    breach.outcome = row->ends_as;
    breach.ended_at = now;
  }
  return kAllowed;
}

}  // namespace waarborg::domain

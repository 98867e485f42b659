// SPDX-License-Identifier: EUPL-1.2
#include "server/state/codec.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

namespace waarborg::state {

using domain::Outcome;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;

// The domain's numbers are the API's numbers.
static_assert(static_cast<int>(domain::Role::kAdministrator) == pb::ROLE_ADMINISTRATOR);
static_assert(static_cast<int>(domain::Role::kCount) == pb::Role_MAX + 1);
static_assert(static_cast<int>(domain::BanState::kExpired) == pb::BAN_STATE_EXPIRED);
static_assert(static_cast<int>(domain::BanState::kCount) == pb::BanState_MAX + 1);
static_assert(static_cast<int>(domain::PhotoState::kClosed) == pb::PHOTO_STATE_CLOSED);
static_assert(static_cast<int>(domain::PhotoState::kCount) == pb::PhotoState_MAX + 1);
static_assert(static_cast<int>(domain::Measure::kProvisional) == pb::MEASURE_PROVISIONAL);
static_assert(static_cast<int>(domain::DestructionReason::kWrongPhoto) == pb::DESTRUCTION_REASON_WRONG_PHOTO);
static_assert(static_cast<int>(domain::ChangeKind::kSecurityKey) == pb::CHANGE_KIND_SECURITY_KEY);
static_assert(static_cast<int>(domain::BreachOutcome::kRemoved) == pb::BREACH_OUTCOME_REMOVED);
static_assert(static_cast<int>(domain::DemandStep::kRemoved) == pb::DEMAND_STEP_REMOVED);
static_assert(static_cast<int>(domain::DemandStep::kCount) == pb::DemandStep_MAX + 1);
static_assert(static_cast<int>(domain::InformedHow::kLetter) == pb::INFORMED_HOW_LETTER);
static_assert(static_cast<int>(domain::LegalForm::kOwnership) == pb::LEGAL_FORM_OWNERSHIP);

namespace {

constexpr size_t kMaxNames = 10;
constexpr size_t kMaxList = 50;

// A domain enumeration as its API twin.
template <class Proto, class Domain>
Proto Enum(Domain d) {
  return static_cast<Proto>(static_cast<int>(d));
}

template <class List>
std::vector<std::string> Strings(const List& list) {
  return {list.begin(), list.end()};
}

// Our own records: dates were checked before they were written.
absl::CivilDay StoredDay(const pb::Date& d) {
  return absl::CivilDay(d.year(), d.month(), d.day());
}
domain::BirthDate StoredBirthDate(const pb::Date& d) {
  return {d.year(), d.month(), d.day()};
}

domain::PersonName StoredName(const pb::PersonName& n) {
  return {n.given_names(), n.prefix(), n.surname()};
}

domain::Identity StoredIdentity(const pb::Identity& p) {
  domain::Identity out;
  out.name = StoredName(p.name());
  for (const auto& other : p.other_names()) out.other_names.push_back(StoredName(other));
  out.birth_date = StoredBirthDate(p.birth_date());
  out.established = p.established();
  out.description = p.description();
  return out;
}

domain::Scope StoredScope(const pb::Scope& p) {
  return {p.all_municipal(), Strings(p.location_ids())};
}

domain::Terms StoredTerms(const pb::Terms& p) {
  domain::Terms out;
  out.ground_id = p.ground_id();
  out.measure = Enum<domain::Measure>(p.measure());
  out.scope = StoredScope(p.scope());
  out.from = StoredDay(p.from());
  out.until = StoredDay(p.until());
  out.repeat_offence = p.repeat_offence();
  out.departure_reason = p.departure_reason();
  out.legal_form = Enum<domain::LegalForm>(p.legal_form());
  return out;
}

pb::Decision ToProto(const domain::Decision& d) {
  pb::Decision out;
  out.set_level(Enum<pb::Role>(d.level));
  out.set_number(d.number);
  *out.mutable_date() = state::ToProto(d.date);
  out.set_recorded_by(d.recorded_by);
  return out;
}

domain::Decision StoredDecision(const pb::Decision& p) {
  return {Enum<domain::Role>(p.level()), p.number(), StoredDay(p.date()), p.recorded_by()};
}

domain::Assignment StoredAssignment(const pb::Assignment& p) {
  domain::Assignment out;
  for (int r : p.roles()) out.roles.push_back(static_cast<domain::Role>(r));
  out.unit_ids = Strings(p.unit_ids());
  out.location_ids = Strings(p.location_ids());
  out.department = p.department();
  out.employer = p.employer();
  out.from = StoredDay(p.from());
  out.until = StoredDay(p.until());
  return out;
}

pb::Deputy ToProto(const domain::Deputyship& d) {
  pb::Deputy out;
  out.set_role(Enum<pb::Role>(d.role));
  out.set_in_place_of(d.in_place_of);
  *out.mutable_from() = state::ToProto(d.from);
  *out.mutable_until() = state::ToProto(d.until);
  return out;
}

domain::Deputyship StoredDeputy(const pb::Deputy& p) {
  return {Enum<domain::Role>(p.role()), p.in_place_of(), StoredDay(p.from()), StoredDay(p.until())};
}

domain::Person StoredPerson(const pb::Person& p) {
  domain::Person out;
  out.id = p.id();
  out.login = p.login();
  out.display_name = p.display_name();
  out.assignment = StoredAssignment(p.assignment());
  for (const auto& d : p.deputies()) out.deputyships.push_back(StoredDeputy(d));
  out.blocked = p.blocked();
  return out;
}

pb::SecurityKeyRecord RecordOf(const domain::SecurityKey& key) {
  pb::SecurityKeyRecord out;
  out.set_id(key.id);
  out.set_credential_id(key.credential_id);
  out.set_algorithm(key.algorithm);
  out.set_public_key(key.public_key);
  out.set_sign_count(key.sign_count);
  out.set_label(key.label);
  *out.mutable_added_at() = state::ToProto(key.added_at);
  return out;
}

domain::SecurityKey StoredSecurityKey(const pb::SecurityKeyRecord& p) {
  return {p.id(),         p.credential_id(), p.algorithm(),          p.public_key(),
          p.sign_count(), p.label(),         FromProto(p.added_at())};
}

domain::Station StoredStation(const pb::Station& p) {
  return {p.id(), p.location_id(), p.key_fingerprint(), p.revoked()};
}

domain::Release StoredRelease(const pb::PhotoRelease& p) {
  domain::Release out;
  out.state = Enum<domain::PhotoState>(p.state());
  out.informed_how = Enum<domain::InformedHow>(p.informed_how());
  if (p.has_informed_on()) out.informed_on = StoredDay(p.informed_on());
  out.informed_by = p.informed_by();
  out.requested_by = p.requested_by();
  out.consent_by = p.consent_by();
  for (const auto& a : p.answers()) out.answers.push_back({a.criterion_id(), a.met(), a.explanation()});
  out.supplied_by = p.supplied_by();
  out.source_id = p.source_id();
  out.legal_basis_id = p.legal_basis_id();
  out.decline_reason = p.decline_reason();
  out.photo_id = p.photo_id();
  out.released_by = p.released_by();
  out.recipient_unit_ids = Strings(p.recipient_unit_ids());
  out.darken_reason = p.darken_reason();
  out.darkened_by = p.darkened_by();
  out.destruction_reason = Enum<domain::DestructionReason>(p.destruction_reason());
  if (p.has_destruction_due_at()) out.destruction_due_at = FromProto(p.destruction_due_at());
  if (p.has_destroyed_at()) out.destroyed_at = FromProto(p.destroyed_at());
  out.objection_upheld = p.objection_upheld();
  for (const auto& c : p.copies()) {
    domain::CopyCheck check;
    check.photo_id = c.photo_id();
    check.unit_id = c.unit_id();
    check.asked_at = FromProto(c.asked_at());
    check.remind_at = FromProto(c.remind_at());
    check.due_at = FromProto(c.due_at());
    if (c.has_reminded_at()) check.reminded_at = FromProto(c.reminded_at());
    if (c.has_escalated_at()) check.escalated_at = FromProto(c.escalated_at());
    check.confirmed_by = c.confirmed_by();
    if (c.has_confirmed_at()) check.confirmed_at = FromProto(c.confirmed_at());
    check.found = c.copies_found();
    check.note = c.note();
    check.exports = c.exports();
    out.copies.push_back(std::move(check));
  }
  for (const auto& e : p.exports()) {
    out.exports.push_back({e.photo_id(), e.unit_id(), e.person_id(), FromProto(e.at()), e.basis()});
  }
  return out;
}

bool IsLeap(int y) {
  return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}
int DaysIn(int year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kDays[month - 1];
}
bool OnCalendar(const pb::Date& d) {
  return d.year() >= 1900 && d.year() <= 2199 && d.month() >= 1 && d.month() <= 12 && d.day() >= 1 &&
         d.day() <= DaysIn(d.year(), d.month());
}

// Runs a check and leaves the surrounding function when it refuses.
#define WB_CHECK(expression) \
  if (auto verdict_ = (expression)) return *verdict_

Verdict CheckIds(const google::protobuf::RepeatedPtrField<std::string>& ids, const std::string& field) {
  if (static_cast<size_t>(ids.size()) > kMaxList) return Refusal(Rule::kFieldTooLong, field);
  for (const std::string& id : ids) WB_CHECK(CheckText(id, 64, field));
  return domain::kAllowed;
}

}  // namespace

google::protobuf::Timestamp ToProto(absl::Time t) {
  return google::protobuf::util::TimeUtil::MillisecondsToTimestamp(absl::ToUnixMillis(t));
}
absl::Time FromProto(const google::protobuf::Timestamp& t) {
  const int64_t seconds = std::clamp<int64_t>(t.seconds(), 0, 1LL << 40);  // a client may send anything
  return absl::FromUnixMillis(seconds * 1000 + std::clamp(t.nanos(), 0, 999'999'999) / 1'000'000);
}

pb::Date ToProto(absl::CivilDay day) {
  pb::Date out;
  out.set_year(static_cast<int>(day.year()));
  out.set_month(day.month());
  out.set_day(day.day());
  return out;
}

pb::Date ToProto(const domain::BirthDate& date) {
  pb::Date out;
  out.set_year(date.year);
  out.set_month(date.month);
  out.set_day(date.day);
  return out;
}

pb::PersonName ToProto(const domain::PersonName& name) {
  pb::PersonName out;
  out.set_given_names(name.given_names);
  out.set_prefix(name.prefix);
  out.set_surname(name.surname);
  return out;
}

pb::Identity ToProto(const domain::Identity& identity) {
  pb::Identity out;
  *out.mutable_name() = ToProto(identity.name);
  for (const auto& other : identity.other_names) *out.add_other_names() = ToProto(other);
  if (identity.birth_date.known()) *out.mutable_birth_date() = ToProto(identity.birth_date);
  out.set_established(identity.established);
  out.set_description(identity.description);
  return out;
}

pb::Scope ToProto(const domain::Scope& scope) {
  pb::Scope out;
  out.set_all_municipal(scope.all_municipal);
  for (const auto& id : scope.location_ids) out.add_location_ids(id);
  return out;
}

pb::Terms ToProto(const domain::Terms& terms) {
  pb::Terms out;
  out.set_ground_id(terms.ground_id);
  out.set_measure(Enum<pb::Measure>(terms.measure));
  *out.mutable_scope() = ToProto(terms.scope);
  *out.mutable_from() = ToProto(terms.from);
  *out.mutable_until() = ToProto(terms.until);
  out.set_repeat_offence(terms.repeat_offence);
  out.set_departure_reason(terms.departure_reason);
  out.set_legal_form(Enum<pb::LegalForm>(terms.legal_form));
  return out;
}

pb::PhotoRelease ToProto(const domain::Release& r) {
  pb::PhotoRelease out;
  out.set_state(Enum<pb::PhotoState>(r.state));
  out.set_informed_how(Enum<pb::InformedHow>(r.informed_how));
  if (!r.informed_by.empty()) *out.mutable_informed_on() = ToProto(r.informed_on);
  out.set_informed_by(r.informed_by);
  out.set_requested_by(r.requested_by);
  out.set_consent_by(r.consent_by);
  for (const auto& a : r.answers) {
    auto* p = out.add_answers();
    p->set_criterion_id(a.criterion_id);
    p->set_met(a.met);
    p->set_explanation(a.explanation);
  }
  out.set_supplied_by(r.supplied_by);
  out.set_source_id(r.source_id);
  out.set_legal_basis_id(r.legal_basis_id);
  out.set_decline_reason(r.decline_reason);
  out.set_photo_id(r.photo_id);
  out.set_released_by(r.released_by);
  for (const auto& id : r.recipient_unit_ids) out.add_recipient_unit_ids(id);
  out.set_darken_reason(r.darken_reason);
  out.set_darkened_by(r.darkened_by);
  out.set_destruction_reason(Enum<pb::DestructionReason>(r.destruction_reason));
  if (r.destruction_due_at) *out.mutable_destruction_due_at() = ToProto(*r.destruction_due_at);
  if (r.destroyed_at) *out.mutable_destroyed_at() = ToProto(*r.destroyed_at);
  out.set_objection_upheld(r.objection_upheld);
  for (const auto& c : r.copies) {
    auto* p = out.add_copies();
    p->set_photo_id(c.photo_id);
    p->set_unit_id(c.unit_id);
    *p->mutable_asked_at() = ToProto(c.asked_at);
    *p->mutable_remind_at() = ToProto(c.remind_at);
    *p->mutable_due_at() = ToProto(c.due_at);
    if (c.reminded_at) *p->mutable_reminded_at() = ToProto(*c.reminded_at);
    if (c.escalated_at) *p->mutable_escalated_at() = ToProto(*c.escalated_at);
    p->set_confirmed_by(c.confirmed_by);
    if (c.confirmed_at) *p->mutable_confirmed_at() = ToProto(*c.confirmed_at);
    p->set_copies_found(c.found);
    p->set_note(c.note);
    p->set_exports(c.exports);
  }
  for (const auto& e : r.exports) {
    auto* p = out.add_exports();
    p->set_photo_id(e.photo_id);
    p->set_unit_id(e.unit_id);
    p->set_person_id(e.person_id);
    *p->mutable_at() = ToProto(e.at);
    p->set_basis(e.basis);
  }
  return out;
}

pb::Ban ToProto(const domain::Ban& ban) {
  pb::Ban out;
  out.set_id(ban.id);
  out.set_state(Enum<pb::BanState>(ban.state));
  *out.mutable_identity() = ToProto(ban.identity);
  if (ban.terms) *out.mutable_terms() = ToProto(*ban.terms);
  out.set_reasons(ban.reasons);
  out.set_affected_department(ban.affected_department);
  out.set_open_channels(ban.open_channels);
  out.set_proposed_by(ban.proposed_by);
  for (const auto& id : ban.prepared_by) out.add_prepared_by(id);
  *out.mutable_proposed_at() = ToProto(ban.proposed_at);
  out.set_incident_location_id(ban.incident_location_id);
  out.set_advice(ban.advice);
  out.set_advised_by(ban.advised_by);
  if (ban.decision) *out.mutable_decision() = ToProto(*ban.decision);
  for (const auto& e : ban.extensions) {
    auto* p = out.add_extensions();
    *p->mutable_previous_until() = ToProto(e.previous_until);
    *p->mutable_until() = ToProto(e.until);
    p->set_reason(e.reason);
    *p->mutable_decision() = ToProto(e.decision);
  }
  if (ban.handed_over) {
    out.mutable_handed_over()->set_reference(ban.handed_over->reference);
    out.mutable_handed_over()->set_by(ban.handed_over->by);
    *out.mutable_handed_over()->mutable_at() = ToProto(ban.handed_over->at);
  }
  if (ban.lift) {
    out.mutable_lift()->set_reason(ban.lift->reason);
    *out.mutable_lift()->mutable_decision() = ToProto(ban.lift->decision);
  }
  for (const auto& b : ban.breaches) {
    auto* p = out.add_breaches();
    *p->mutable_at() = ToProto(b.at);
    p->set_location_id(b.location_id);
    p->set_reported_by(b.reported_by);
    for (const auto& d : b.demands) {
      auto* q = p->add_demands();
      *q->mutable_at() = ToProto(d.at);
      q->set_words(d.words);
    }
    p->set_police_called(b.police_called);
    p->set_outcome(Enum<pb::BreachOutcome>(b.outcome));
    if (b.police_called_at) *p->mutable_police_called_at() = ToProto(*b.police_called_at);
    if (b.ended_at) *p->mutable_ended_at() = ToProto(*b.ended_at);
  }
  *out.mutable_release() = ToProto(ban.release);
  for (const auto& c : ban.corrections) {
    auto* p = out.add_corrections();
    *p->mutable_previous() = ToProto(c.previous);
    p->set_reason(c.reason);
    p->set_corrected_by(c.by);
    *p->mutable_at() = ToProto(c.at);
  }
  if (domain::IsEnforceable(ban.state) || domain::IsFinal(ban.state)) {
    *out.mutable_starts_at() = ToProto(ban.starts_at);
    *out.mutable_ends_at() = ToProto(ban.ends_at);
    *out.mutable_scope() = ToProto(ban.scope);
  }
  return out;
}

pb::Assignment ToProto(const domain::Assignment& a) {
  pb::Assignment out;
  for (domain::Role r : a.roles) out.add_roles(Enum<pb::Role>(r));
  for (const auto& id : a.unit_ids) out.add_unit_ids(id);
  for (const auto& id : a.location_ids) out.add_location_ids(id);
  out.set_department(a.department);
  out.set_employer(a.employer);
  *out.mutable_from() = ToProto(a.from);
  *out.mutable_until() = ToProto(a.until);
  return out;
}

pb::Person ToProto(const domain::Person& person) {
  pb::Person out;
  out.set_id(person.id);
  out.set_login(person.login);
  out.set_display_name(person.display_name);
  *out.mutable_assignment() = ToProto(person.assignment);
  for (const auto& d : person.deputyships) *out.add_deputies() = ToProto(d);
  out.set_enrolled(person.enrolled());
  out.set_blocked(person.blocked);
  return out;
}

pb::Station ToProto(const domain::Station& station) {
  pb::Station out;
  out.set_id(station.id);
  out.set_location_id(station.location_id);
  out.set_key_fingerprint(station.key_fingerprint);
  out.set_revoked(station.revoked);
  return out;
}

pb::Change ToProto(const domain::Change& change) {
  pb::Change out;
  out.set_id(change.id);
  out.set_kind(Enum<pb::ChangeKind>(change.kind));
  out.set_state(Enum<pb::ChangeState>(change.state));
  out.set_proposed_by(change.proposed_by);
  *out.mutable_proposed_at() = ToProto(change.proposed_at);
  out.set_decided_by(change.decided_by);
  out.set_subject_id(change.subject_id);
  for (const auto& line : change.summary) out.add_summary(line);
  return out;
}

pb::AuditRecord CopiesEntry(const char* event, const domain::Ban& ban, const domain::CopyCheck& check) {
  pb::AuditRecord record;
  record.set_event(event);
  record.set_result(pb::RESULT_DONE);
  record.set_ban_id(ban.id);
  record.set_ban_state(Enum<pb::BanState>(ban.state));
  record.set_photo_id(check.photo_id);
  record.set_photo_state(Enum<pb::PhotoState>(ban.release.state));
  record.set_unit_id(check.unit_id);
  return record;
}

Verdict CheckText(const std::string& text, size_t max, const std::string& field) {
  size_t code_points = 0;
  for (char c : text) {
    const auto b = static_cast<unsigned char>(c);
    if ((b < 0x20 && c != '\n' && c != '\t') || b == 0x7F) return Refusal(Rule::kFieldInvalid, field);
    if ((b & 0xC0) != 0x80) ++code_points;
  }
  if (code_points > max) return Refusal(Rule::kFieldTooLong, field);
  return domain::kAllowed;
}

Outcome<absl::CivilDay> DayFrom(const pb::Date& date, const std::string& field) {
  if (!OnCalendar(date)) return Refusal(Rule::kDateInvalid, field);
  return absl::CivilDay(date.year(), date.month(), date.day());
}

Outcome<domain::BirthDate> BirthDateFrom(const pb::Date& date, const std::string& field) {
  const domain::BirthDate out{date.year(), date.month(), date.day()};
  if (out == domain::BirthDate{}) return out;
  // A day without its month, or either without a year, says nothing that could be compared.
  pb::Date filled = date;
  if (out.month == 0 && out.day == 0) filled.set_month(1);
  if (out.day == 0) filled.set_day(1);
  if (!OnCalendar(filled)) return Refusal(Rule::kDateInvalid, field);
  return out;
}

Outcome<domain::PersonName> NameFrom(const pb::PersonName& name, const std::string& field) {
  WB_CHECK(CheckText(name.given_names(), 120, field + ".given_names"));
  WB_CHECK(CheckText(name.prefix(), 20, field + ".prefix"));
  WB_CHECK(CheckText(name.surname(), 120, field + ".surname"));
  return StoredName(name);
}

Outcome<domain::Identity> IdentityFrom(const pb::Identity& p, const std::string& field) {
  domain::Identity out;
  auto name = NameFrom(p.name(), field + ".name");
  if (!name.ok()) return name.refusal();
  out.name = *name;
  if (static_cast<size_t>(p.other_names_size()) > kMaxNames)
    return Refusal(Rule::kFieldTooLong, field + ".other_names");
  for (const auto& other : p.other_names()) {
    auto n = NameFrom(other, field + ".other_names");
    if (!n.ok()) return n.refusal();
    if (n->surname.empty()) return Refusal(Rule::kFieldMissing, field + ".other_names.surname");
    out.other_names.push_back(*n);
  }
  auto birth = BirthDateFrom(p.birth_date(), field + ".birth_date");
  if (!birth.ok()) return birth.refusal();
  out.birth_date = *birth;
  out.established = p.established();
  WB_CHECK(CheckText(p.description(), 500, field + ".description"));
  out.description = p.description();
  return out;
}

Outcome<domain::Scope> ScopeFrom(const pb::Scope& p, const std::string& field) {
  WB_CHECK(CheckIds(p.location_ids(), field + ".location_ids"));
  return StoredScope(p);
}

Outcome<domain::Terms> TermsFrom(const pb::Terms& p, const std::string& field) {
  WB_CHECK(CheckText(p.ground_id(), 64, field + ".ground_id"));
  WB_CHECK(CheckText(p.departure_reason(), 2000, field + ".departure_reason"));
  auto scope = ScopeFrom(p.scope(), field + ".scope");
  if (!scope.ok()) return scope.refusal();
  auto from = DayFrom(p.from(), field + ".from");
  if (!from.ok()) return from.refusal();
  auto until = DayFrom(p.until(), field + ".until");
  if (!until.ok()) return until.refusal();
  if (!pb::Measure_IsValid(p.measure())) return Refusal(Rule::kFieldInvalid, field + ".measure");
  if (!pb::LegalForm_IsValid(p.legal_form())) return Refusal(Rule::kFieldInvalid, field + ".legal_form");
  return StoredTerms(p);
}

Outcome<domain::Assignment> AssignmentFrom(const pb::Assignment& p, const std::string& field) {
  if (p.roles_size() > pb::Role_MAX) return Refusal(Rule::kFieldTooLong, field + ".roles");
  WB_CHECK(CheckIds(p.unit_ids(), field + ".unit_ids"));
  WB_CHECK(CheckIds(p.location_ids(), field + ".location_ids"));
  WB_CHECK(CheckText(p.department(), 80, field + ".department"));
  WB_CHECK(CheckText(p.employer(), 80, field + ".employer"));
  auto from = DayFrom(p.from(), field + ".from");
  if (!from.ok()) return from.refusal();
  auto until = DayFrom(p.until(), field + ".until");
  if (!until.ok()) return until.refusal();
  return StoredAssignment(p);
}

#undef WB_CHECK

std::string EncodeBan(const domain::Ban& ban) {
  pb::BanRecord record;
  *record.mutable_ban() = ToProto(ban);
  // The record keeps the instants in every state; a proposal shows none.
  *record.mutable_ban()->mutable_starts_at() = ToProto(ban.starts_at);
  *record.mutable_ban()->mutable_ends_at() = ToProto(ban.ends_at);
  *record.mutable_ban()->mutable_scope() = ToProto(ban.scope);
  for (const auto& o : ban.release.objections) {
    auto* p = record.add_objections();
    p->set_upheld(o.upheld);
    p->set_reasons(o.reasons);
    p->set_decided_by(o.decided_by);
    *p->mutable_at() = ToProto(o.at);
  }
  return record.SerializeAsString();
}

std::optional<domain::Ban> DecodeBan(const std::string& bytes) {
  pb::BanRecord record;
  if (!record.ParseFromString(bytes)) return std::nullopt;
  const pb::Ban& p = record.ban();
  domain::Ban out;
  out.id = p.id();
  out.state = Enum<domain::BanState>(p.state());
  out.identity = StoredIdentity(p.identity());
  if (p.has_terms()) out.terms = StoredTerms(p.terms());
  out.reasons = p.reasons();
  out.affected_department = p.affected_department();
  out.open_channels = p.open_channels();
  out.proposed_by = p.proposed_by();
  out.prepared_by = Strings(p.prepared_by());
  out.proposed_at = FromProto(p.proposed_at());
  out.incident_location_id = p.incident_location_id();
  out.scope = StoredScope(p.scope());
  out.starts_at = FromProto(p.starts_at());
  out.ends_at = FromProto(p.ends_at());
  out.advice = p.advice();
  out.advised_by = p.advised_by();
  if (p.has_decision()) out.decision = StoredDecision(p.decision());
  for (const auto& e : p.extensions()) {
    out.extensions.push_back(
        {StoredDay(e.previous_until()), StoredDay(e.until()), e.reason(), StoredDecision(e.decision())});
  }
  if (p.has_handed_over()) {
    out.handed_over = domain::HandedOver{p.handed_over().reference(), p.handed_over().by(),
                                         FromProto(p.handed_over().at())};
  }
  if (p.has_lift()) out.lift = domain::Lift{p.lift().reason(), StoredDecision(p.lift().decision())};
  for (const auto& b : p.breaches()) {
    domain::Breach breach;
    breach.at = FromProto(b.at());
    breach.location_id = b.location_id();
    breach.reported_by = b.reported_by();
    for (const auto& d : b.demands()) breach.demands.push_back({FromProto(d.at()), d.words()});
    breach.police_called = b.police_called();
    breach.outcome = Enum<domain::BreachOutcome>(b.outcome());
    if (b.has_police_called_at()) breach.police_called_at = FromProto(b.police_called_at());
    if (b.has_ended_at()) breach.ended_at = FromProto(b.ended_at());
    out.breaches.push_back(std::move(breach));
  }
  out.release = StoredRelease(p.release());
  for (const auto& c : p.corrections()) {
    out.corrections.push_back(
        {StoredIdentity(c.previous()), c.reason(), c.corrected_by(), FromProto(c.at())});
  }
  for (const auto& o : record.objections()) {
    out.release.objections.push_back({o.upheld(), o.reasons(), o.decided_by(), FromProto(o.at())});
  }
  return out;
}

std::string EncodePerson(const domain::Person& person) {
  pb::PersonRecord record;
  *record.mutable_person() = ToProto(person);
  record.set_password_hash(person.password_hash);
  record.set_totp_secret(person.totp_secret);
  record.set_last_totp_step(person.last_totp_step);
  record.set_enrolment_digest(person.enrolment_digest);
  record.set_instruction_version(person.instruction_version);
  if (person.instruction_acknowledged_at) {
    *record.mutable_instruction_acknowledged_at() = ToProto(*person.instruction_acknowledged_at);
  }
  record.set_user_handle(person.user_handle);
  for (const auto& key : person.security_keys) *record.add_security_keys() = RecordOf(key);
  return record.SerializeAsString();
}

std::optional<domain::Person> DecodePerson(const std::string& bytes) {
  pb::PersonRecord record;
  if (!record.ParseFromString(bytes)) return std::nullopt;
  domain::Person out = StoredPerson(record.person());
  out.password_hash = record.password_hash();
  out.totp_secret = record.totp_secret();
  out.last_totp_step = record.last_totp_step();
  out.enrolment_digest = record.enrolment_digest();
  out.instruction_version = record.instruction_version();
  if (record.has_instruction_acknowledged_at()) {
    out.instruction_acknowledged_at = FromProto(record.instruction_acknowledged_at());
  }
  out.user_handle = record.user_handle();
  for (const auto& key : record.security_keys()) out.security_keys.push_back(StoredSecurityKey(key));
  return out;
}

std::string EncodeStation(const domain::Station& station) {
  return ToProto(station).SerializeAsString();
}

std::optional<domain::Station> DecodeStation(const std::string& bytes) {
  pb::Station p;
  if (!p.ParseFromString(bytes)) return std::nullopt;
  return StoredStation(p);
}

std::string EncodeChange(const domain::Change& change) {
  pb::ChangeRecord record;
  *record.mutable_change() = ToProto(change);
  if (!change.person.id.empty()) *record.mutable_person() = ToProto(change.person);
  if (!change.station.id.empty()) *record.mutable_station() = ToProto(change.station);
  if (change.kind == domain::ChangeKind::kDeputy) *record.mutable_deputy() = ToProto(change.deputyship);
  record.set_configuration(change.configuration);
  record.set_base_digest(change.base_digest);
  record.set_first_half_digest(change.first_half_digest);
  if (!change.security_key.id.empty()) *record.mutable_security_key() = RecordOf(change.security_key);
  if (change.kind == domain::ChangeKind::kClock) record.set_clock_ms(absl::ToUnixMillis(change.clock));
  return record.SerializeAsString();
}

std::optional<domain::Change> DecodeChange(const std::string& bytes) {
  pb::ChangeRecord record;
  if (!record.ParseFromString(bytes)) return std::nullopt;
  const pb::Change& p = record.change();
  domain::Change out;
  out.id = p.id();
  out.kind = Enum<domain::ChangeKind>(p.kind());
  out.state = Enum<domain::ChangeState>(p.state());
  out.proposed_by = p.proposed_by();
  out.proposed_at = FromProto(p.proposed_at());
  out.decided_by = p.decided_by();
  out.subject_id = p.subject_id();
  out.summary = Strings(p.summary());
  if (record.has_person()) out.person = StoredPerson(record.person());
  if (record.has_station()) out.station = StoredStation(record.station());
  if (record.has_deputy()) out.deputyship = StoredDeputy(record.deputy());
  out.configuration = record.configuration();
  out.base_digest = record.base_digest();
  out.first_half_digest = record.first_half_digest();
  out.clock = absl::FromUnixMillis(record.clock_ms());
  if (record.has_security_key()) out.security_key = StoredSecurityKey(record.security_key());
  return out;
}

}  // namespace waarborg::state

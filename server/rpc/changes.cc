// SPDX-License-Identifier: EUPL-1.2
#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "server/config/config.h"
#include "server/keys/sealing.h"
#include "server/rpc/calls.h"
#include "server/rpc/enrolment.h"
#include "server/rpc/propose.h"
#include "server/rpc/sign_in.h"
#include "server/state/codec.h"
#include "waarborg/v1/changes.grpc.pb.h"

namespace waarborg::rpc {
namespace {

using access::Rpc;
using domain::ChangeKind;
using domain::ChangeState;
using domain::Outcome;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;

constexpr size_t kMaxConfiguration = size_t{256} * 1024;
constexpr int kMaxChanges = 200;

Verdict ListChanges(Context& c, const pb::ListChangesRequest& in, pb::ListChangesResponse& out) {
  std::vector<const domain::Change*> found;
  for (const auto& [id, change] : c.world().changes()) {
    if (!in.open_only() || change.state == ChangeState::kOpen) found.push_back(&change);
  }
  std::sort(found.begin(), found.end(), [](const auto* a, const auto* b) {
    return a->proposed_at != b->proposed_at ? a->proposed_at > b->proposed_at : a->id < b->id;
  });
  for (const auto* change : found) {
    if (out.changes_size() == kMaxChanges) break;
    auto* p = out.add_changes();
    *p = state::ToProto(*change);
    if (change->state == ChangeState::kOpen) p->set_proposed_toml(change->configuration);
  }
  return domain::kAllowed;
}

Outcome<domain::Change> OpenChange(Context& c, const std::string& id) {
  const domain::Change* change = c.world().FindChange(id);
  if (change == nullptr) return Refusal(Rule::kNotFound, "change_id");
  c.record.set_subject_id(id);
  if (auto v = c.Require({nullptr, change})) return *v;
  if (change->state != ChangeState::kOpen) return Rule::kWrongState;
  return *change;
}

// Puts the change into effect. What was checked when it was proposed is checked again: the world may have
// moved on.
Verdict TakeEffect(Context& c, domain::Change& change, std::string* second_half) {
  const domain::Municipality& m = c.municipality();
  auto give_enrolment_code = [&](domain::Person& person) {
    *second_half = NewHalf(c.turn.random());
    person.enrolment_digest = EnrolmentDigest(change.first_half_digest, *second_half);
  };
  const domain::Person* known = c.world().FindPerson(change.subject_id);
  const bool about_somebody = change.kind == ChangeKind::kPerson || change.kind == ChangeKind::kReset ||
                              change.kind == ChangeKind::kDeputy || change.kind == ChangeKind::kSecurityKey;
  if (about_somebody && known == nullptr) {
    return Refusal(Rule::kNotFound);
  }
  switch (change.kind) {
    case ChangeKind::kNewPerson: {
      if (auto v = domain::CheckAssignment(m, change.person.assignment)) return v;
      if (c.world().FindPersonByLogin(change.person.login) != nullptr)
        return Refusal(Rule::kAlreadyExists, "login");
      domain::Person person = change.person;
      give_enrolment_code(person);
      c.turn.Put(std::move(person));
      return domain::kAllowed;
    }
    case ChangeKind::kPerson: {
      if (auto v = domain::CheckAssignment(m, change.person.assignment)) return v;
      domain::Person person = *known;
      person.assignment = change.person.assignment;
      if (auto v = domain::CheckHeldAlone(person, c.turn.today())) return v;
      person.blocked = false;  // two people have looked: a blocked account works again
      EndSessionsOf(c, person.id);
      c.turn.Put(std::move(person));
      return domain::kAllowed;
    }
    case ChangeKind::kReset: {
      domain::Person person = *known;
      person.password_hash.clear();
      person.totp_secret.clear();
      person.security_keys.clear();
      RejectOpenSecurityKeys(c, person.id);
      give_enrolment_code(person);
      EndSessionsOf(c, person.id);
      c.turn.Put(std::move(person));
      return domain::kAllowed;
    }
    case ChangeKind::kDeputy: {
      if (auto v = domain::CheckDeputyship(*known, change.deputyship)) return v;
      if (auto v = CheckHolds(c, change.deputyship)) return v;
      domain::Person person = *known;
      person.deputyships.push_back(change.deputyship);
      c.turn.Put(std::move(person));
      return domain::kAllowed;
    }
    case ChangeKind::kStation:
      if (auto v = domain::CheckStation(m, change.station)) return v;
      if (auto v = CheckStationIsNew(c, change.station)) return v;
      c.turn.Put(change.station);
      return domain::kAllowed;
    case ChangeKind::kConfiguration: {
      if (change.base_digest != keys::Sha256(c.world().configuration()))
        return Refusal(Rule::kChangeOutdated);
      config::Errors errors;
      domain::Municipality parsed = config::ParseMunicipality(change.configuration, "configuration", errors);
      NameDroppedLocations(c.world(), parsed, errors);
      if (!errors.empty()) return Refusal(Rule::kConfigurationInvalid, "", absl::StrJoin(errors, "; "));
      c.record.set_configuration_digest(keys::Sha256(change.configuration));
      c.turn.PutConfiguration(change.configuration, std::move(parsed));
      return domain::kAllowed;
    }
    case ChangeKind::kClock: {
      // What was proposed must still be what the clock says, give or take the day it took to confirm it.
      const absl::Time reading = c.turn.clock_reading();
      if (!c.turn.clock_in_doubt()) return Refusal(Rule::kWrongState);
      if (reading < change.clock || reading > change.clock + absl::Hours(24))
        return Refusal(Rule::kChangeOutdated);
      c.turn.BelieveClock();
      return domain::kAllowed;
    }
    case ChangeKind::kSecurityKey: {
      // Emptied with the name of an account whose term is long over.
      if (change.security_key.id.empty()) return Refusal(Rule::kWrongState);
      if (auto v = CheckSecurityKeyIsNew(c, change.security_key)) return v;
      domain::Person person = *known;
      if (person.security_keys.size() >= domain::kMaxSecurityKeys) return Refusal(Rule::kTooManySecurityKeys);
      person.security_keys.push_back(change.security_key);
      c.turn.Put(std::move(person));
      return domain::kAllowed;
    }
    case ChangeKind::kUnspecified:
      break;
  }
  return Refusal(Rule::kInternal);
}

Outcome<std::string> ConfirmChange(Context& c, const pb::ConfirmChangeRequest& in,
                                   pb::ConfirmChangeResponse& out) {
  auto change = OpenChange(c, in.change_id());
  if (!change.ok()) return change.refusal();
  if (auto v = TakeEffect(c, change.value(), out.mutable_enrolment_half())) return *v;
  change.value().state = ChangeState::kConfirmed;
  change.value().decided_by = c.me();
  std::string id = change->subject_id.empty() ? change->id : change->subject_id;
  c.turn.Put(std::move(change.value()));
  return id;
}

Outcome<std::string> RejectChange(Context& c, const pb::RejectChangeRequest& in, pb::RejectChangeResponse&) {
  auto change = OpenChange(c, in.change_id());
  if (!change.ok()) return change.refusal();
  change.value().state = ChangeState::kRejected;
  change.value().decided_by = c.me();
  std::string id = change->id;
  c.turn.Put(std::move(change.value()));
  return id;
}

Outcome<std::string> ProposeConfiguration(Context& c, const pb::ProposeConfigurationRequest& in,
                                          pb::ProposeConfigurationResponse&) {
  if (in.toml().size() > kMaxConfiguration) return Refusal(Rule::kFieldTooLong, "toml");
  config::Errors errors;
  const domain::Municipality parsed = config::ParseMunicipality(in.toml(), "toml", errors);
  NameDroppedLocations(c.world(), parsed, errors);
  if (!errors.empty()) return Refusal(Rule::kConfigurationInvalid, "toml", absl::StrJoin(errors, "; "));
  domain::Change change;
  change.kind = ChangeKind::kConfiguration;
  change.configuration = in.toml();
  change.base_digest = keys::Sha256(c.world().configuration());
  change.summary = ConfigurationSummary(c.world().configuration(), in.toml());
  return Propose(c, std::move(change));
}

Outcome<std::string> ProposeClock(Context& c, const pb::ProposeClockRequest&, pb::ProposeClockResponse&) {
  if (!c.turn.clock_in_doubt()) return Rule::kWrongState;
  domain::Change change;
  change.kind = ChangeKind::kClock;
  change.clock = c.turn.clock_reading();
  change.summary = {"the clock of the server says " + base::FormatLocal(change.clock),
                    "the newest entry of the log is of " + base::FormatLocal(c.now()),
                    "confirmed, bans that have ended by then end, and their photos are destroyed"};
  return Propose(c, std::move(change));
}

static_assert(static_cast<int>(domain::Operator::kThirdParty) + 1 == pb::RUN_BY_THIRD_PARTY);
static_assert(static_cast<int>(domain::GuidelineScope::kAllMunicipal) + 1 ==
              pb::GUIDELINE_SCOPE_ALL_MUNICIPAL);

void FillMonths(int min, int max, pb::Months& out) {
  out.set_min(min);
  out.set_max(max);
}

void FillChoices(const domain::Municipality& m, pb::Choices& out) {
  out.set_municipality(m.name);
  for (const domain::Location& l : m.locations) {
    pb::LocationChoice& p = *out.add_locations();
    p.set_id(l.id);
    p.set_name(l.name);
    p.set_municipal(l.municipal);
    p.set_run_by(static_cast<pb::RunBy>(static_cast<int>(l.run_by) + 1));
    p.set_shares_bans(m.Serves(l.id));
    for (const std::string& step : l.steps) p.add_steps(step);
    p.set_phone(l.phone.empty() ? m.phone : l.phone);
    p.set_max_demands(l.max_demands);
  }
  for (const domain::Unit& u : m.units) {
    pb::UnitChoice& p = *out.add_units();
    p.set_id(u.id);
    p.set_name(u.name);
    p.set_may_see_photos(u.may_see_photos);
  }
  for (const domain::Ground& g : m.grounds) {
    pb::GroundChoice& p = *out.add_grounds();
    p.set_id(g.id);
    p.set_name(g.name);
    p.set_measure(static_cast<pb::Measure>(static_cast<int>(g.measure)));
    p.set_scope(static_cast<pb::GuidelineScope>(static_cast<int>(g.scope) + 1));
    p.set_decided_by(static_cast<pb::Role>(static_cast<int>(g.decided_by)));
    p.set_secretary_advises(g.advice_needed);
    FillMonths(g.first_min_months, g.first_max_months, *p.mutable_months_first());
    FillMonths(g.repeat_min_months, g.repeat_max_months, *p.mutable_months_repeat());
  }
  for (const domain::Criterion& criterion : m.criteria) {
    pb::CriterionChoice& p = *out.add_criteria();
    p.set_id(criterion.id);
    p.set_text(criterion.text);
  }
  for (const domain::PhotoSource& s : m.sources) {
    pb::PhotoSourceChoice& p = *out.add_photo_sources();
    p.set_id(s.id);
    p.set_name(s.name);
    p.set_allowed(s.allowed);
  }
  for (const domain::LegalBasis& b : m.legal_bases) {
    pb::LegalBasisChoice& p = *out.add_legal_bases();
    p.set_id(b.id);
    p.set_name(b.name);
  }
  out.set_demand(m.demand);
  pb::TermsInForce& terms = *out.mutable_terms();
  terms.set_confirm_denial_within_days(static_cast<int>(m.confirm_within / absl::Hours(24)));
  terms.set_alert_max_days(m.alert_max_days);
  terms.set_confirm_copies_days(m.deadlines.confirm_copies_days);
  terms.set_remind_after_days(m.deadlines.remind_after_days);
  terms.set_review_every_days(m.review_every_days);
  terms.set_file_keep_months(m.file_keep_months);
  terms.set_file_hand_over(m.file_hand_over);
  terms.set_session_idle_minutes(static_cast<int>(absl::ToInt64Minutes(m.session_idle)));
  terms.set_session_max_hours(static_cast<int>(absl::ToInt64Hours(m.session_max)));
  terms.set_session_resume_minutes(static_cast<int>(absl::ToInt64Minutes(m.session_resume)));
}

Verdict GetConfiguration(Context& c, const pb::GetConfigurationRequest&, pb::GetConfigurationResponse& out) {
  out.set_toml(c.world().configuration());
  FillChoices(c.municipality(), *out.mutable_choices());
  *out.mutable_now() = state::ToProto(c.now());
  return domain::kAllowed;
}

}  // namespace

std::string Propose(Context& c, domain::Change change) {
  do {
    change.id = c.turn.random().Id("W-");
  } while (c.world().FindChange(change.id) != nullptr);
  change.state = ChangeState::kOpen;
  change.proposed_by = c.me();
  change.proposed_at = c.now();
  c.record.set_subject_id(change.id);
  std::string id = change.id;
  c.turn.Put(std::move(change));
  return id;
}

Verdict CheckStationIsNew(Context& c, const domain::Station& station) {
  if (c.world().FindStation(station.id) != nullptr) return Refusal(Rule::kAlreadyExists, "station.id");
  if (c.world().FindStationByKey(station.key_fingerprint) != nullptr) {
    return Refusal(Rule::kAlreadyExists, "station.key_fingerprint");
  }
  return domain::kAllowed;
}

Verdict CheckHolds(const Context& c, const domain::Deputyship& deputyship) {
  const domain::Person* replaced = c.world().FindPerson(deputyship.in_place_of);
  if (replaced == nullptr) return Refusal(Rule::kNotFound, "deputy.in_place_of");
  const auto& own = replaced->assignment.roles;
  if (std::find(own.begin(), own.end(), deputyship.role) == own.end()) {
    return Refusal(Rule::kFieldInvalid, "deputy.role");
  }
  return domain::kAllowed;
}

void NameDroppedLocations(const state::World& world, const domain::Municipality& next,
                          config::Errors& errors) {
  std::set<std::string> used;
  for (const auto& [id, station] : world.stations()) {
    if (!station.revoked) used.insert(station.location_id);
  }
  for (const auto& [id, ban] : world.bans()) {
    if (domain::IsEnforceable(ban.state))
      used.insert(ban.scope.location_ids.begin(), ban.scope.location_ids.end());
  }
  for (const std::string& id : used) {
    if (next.FindLocation(id) == nullptr) {
      errors.push_back(absl::StrCat("location \"", id, "\" is in use by a station or a ban and must stay"));
    }
  }
}

std::vector<std::string> ConfigurationSummary(const std::string& before, const std::string& after) {
  // Each line carries the heading and id it stands under, so that moving a line to another section shows.
  auto lines_of = [](const std::string& text) {
    std::vector<std::string> lines;
    std::string section;
    for (absl::string_view raw : absl::StrSplit(text, '\n')) {
      const std::string line(absl::StripAsciiWhitespace(raw));
      if (line.empty() || line[0] == '#') continue;
      if (line[0] == '[') section = line;
      if (absl::StartsWith(line, "id = ")) section += " " + line.substr(5);
      lines.push_back(section.empty() || section == line ? line : absl::StrCat(section, " ", line));
    }
    return lines;
  };
  const std::vector<std::string> old_lines = lines_of(before), new_lines = lines_of(after);
  auto missing_in = [](const std::vector<std::string>& all, const std::vector<std::string>& other,
                       const char* mark) {
    std::multiset<std::string> left(other.begin(), other.end());
    std::vector<std::string> out;
    for (const std::string& line : all) {
      if (auto it = left.find(line); it != left.end()) {
        left.erase(it);
      } else {
        out.push_back(absl::StrCat(mark, line));
      }
    }
    return out;
  };
  std::vector<std::string> summary = missing_in(old_lines, new_lines, "- ");
  for (std::string& line : missing_in(new_lines, old_lines, "+ ")) summary.push_back(std::move(line));
  if (summary.empty()) summary.emplace_back("nothing but remarks, or the order of lines");
  return summary;
}

Bound BindChanges(Server& server) {
  using S = pb::ChangeService::AsyncService;
  auto service = std::make_unique<S>();
  Binder<S> b(server, service.get());
  b.Query<pb::ListChangesRequest, pb::ListChangesResponse>(Rpc::kListChanges, &S::RequestListChanges,
                                                           ListChanges);
  b.Command<pb::ConfirmChangeRequest, pb::ConfirmChangeResponse>(Rpc::kConfirmChange,
                                                                 &S::RequestConfirmChange, ConfirmChange);
  b.Command<pb::RejectChangeRequest, pb::RejectChangeResponse>(Rpc::kRejectChange, &S::RequestRejectChange,
                                                               RejectChange);
  b.Command<pb::ProposeConfigurationRequest, pb::ProposeConfigurationResponse>(
      Rpc::kProposeConfiguration, &S::RequestProposeConfiguration, ProposeConfiguration);
  b.Command<pb::ProposeClockRequest, pb::ProposeClockResponse>(Rpc::kProposeClock, &S::RequestProposeClock,
                                                               ProposeClock);
  b.Query<pb::GetConfigurationRequest, pb::GetConfigurationResponse>(
      Rpc::kGetConfiguration, &S::RequestGetConfiguration, GetConfiguration);
  Arm arm = b.TakeArm();
  return {std::move(service), std::move(arm)};
}

}  // namespace waarborg::rpc

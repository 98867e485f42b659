// SPDX-License-Identifier: EUPL-1.2
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/rpc/calls.h"
#include "server/rpc/enrolment.h"
#include "server/rpc/propose.h"
#include "server/state/codec.h"
#include "waarborg/v1/people.grpc.pb.h"

namespace waarborg::rpc {
namespace {

using access::Rpc;
using domain::ChangeKind;
using domain::Outcome;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;

std::string NameOfRole(domain::Role role) {
  return pb::Role_Name(static_cast<pb::Role>(static_cast<int>(role)));
}

std::vector<std::string> Summary(const std::string& title, const domain::Assignment& a) {
  std::vector<std::string> roles;
  for (domain::Role r : a.roles) roles.push_back(NameOfRole(r));
  return {title,
          "roles: " + absl::StrJoin(roles, ", "),
          "units: " + absl::StrJoin(a.unit_ids, ", "),
          "locations: " + absl::StrJoin(a.location_ids, ", "),
          absl::StrCat("department: ", a.department, a.employer.empty() ? "" : ", employer: ", a.employer),
          absl::StrCat("from ", absl::FormatCivilTime(a.from), " to and including ",
                       absl::FormatCivilTime(a.until))};
}

Outcome<std::string> ProposePerson(Context& c, const pb::ProposePersonRequest& in,
                                   pb::ProposePersonResponse& out) {
  if (auto v = domain::CheckLogin(in.login())) return *v;
  if (in.display_name().empty()) return Refusal(Rule::kFieldMissing, "display_name");
  if (auto v = state::CheckText(in.display_name(), 80, "display_name")) return *v;
  auto assignment = state::AssignmentFrom(in.assignment(), "assignment");
  if (!assignment.ok()) return assignment.refusal();
  if (auto v = domain::CheckAssignment(c.municipality(), *assignment)) return *v;
  if (c.world().FindPersonByLogin(in.login()) != nullptr) return Refusal(Rule::kAlreadyExists, "login");
  domain::Change change;
  change.kind = ChangeKind::kNewPerson;
  do {
    change.person.id = c.turn.random().Id("M-");
  } while (c.world().FindPerson(change.person.id) != nullptr);
  change.subject_id = change.person.id;
  change.person.login = in.login();
  change.person.display_name = in.display_name();
  change.person.assignment = *assignment;
  change.summary =
      Summary(absl::StrCat("new account ", in.login(), " (", in.display_name(), ")"), *assignment);
  out.set_enrolment_half(NewHalf(c.turn.random()));
  change.first_half_digest = FirstHalfDigest(out.enrolment_half());
  return Propose(c, std::move(change));
}

Outcome<domain::Person> Subject(Context& c, const std::string& person_id) {
  const domain::Person* person = c.world().FindPerson(person_id);
  if (person == nullptr) return Refusal(Rule::kNotFound, "person_id");
  return *person;
}

Outcome<std::string> ProposePersonChange(Context& c, const pb::ProposePersonChangeRequest& in,
                                         pb::ProposePersonChangeResponse&) {
  auto person = Subject(c, in.person_id());
  if (!person.ok()) return person.refusal();
  auto assignment = state::AssignmentFrom(in.assignment(), "assignment");
  if (!assignment.ok()) return assignment.refusal();
  if (auto v = domain::CheckAssignment(c.municipality(), *assignment)) return *v;
  domain::Change change;
  change.kind = ChangeKind::kPerson;
  change.subject_id = person->id;
  change.person = *person;
  change.person.assignment = *assignment;
  if (auto v = domain::CheckHeldAlone(change.person, c.turn.today())) return *v;
  change.summary = Summary("new rights for " + person->login, *assignment);
  if (person->blocked) change.summary.emplace_back("the account is blocked now and would work again");
  return Propose(c, std::move(change));
}

Outcome<std::string> ProposeReset(Context& c, const pb::ProposeResetRequest& in,
                                  pb::ProposeResetResponse& out) {
  auto person = Subject(c, in.person_id());
  if (!person.ok()) return person.refusal();
  domain::Change change;
  change.kind = ChangeKind::kReset;
  change.subject_id = person->id;
  change.summary = {"new password and second factor for " + person->login};
  out.set_enrolment_half(NewHalf(c.turn.random()));
  change.first_half_digest = FirstHalfDigest(out.enrolment_half());
  return Propose(c, std::move(change));
}

Outcome<std::string> ProposeDeputy(Context& c, const pb::ProposeDeputyRequest& in,
                                   pb::ProposeDeputyResponse&) {
  auto person = Subject(c, in.person_id());
  if (!person.ok()) return person.refusal();
  auto from = state::DayFrom(in.deputy().from(), "deputy.from");
  if (!from.ok()) return from.refusal();
  auto until = state::DayFrom(in.deputy().until(), "deputy.until");
  if (!until.ok()) return until.refusal();
  domain::Change change;
  change.deputyship = {static_cast<domain::Role>(in.deputy().role()), in.deputy().in_place_of(), *from,
                       *until};
  if (auto v = CheckHolds(c, change.deputyship)) return *v;
  const domain::Person* replaced = c.world().FindPerson(change.deputyship.in_place_of);
  if (auto v = domain::CheckDeputyship(*person, change.deputyship)) return *v;
  change.kind = ChangeKind::kDeputy;
  change.subject_id = person->id;
  change.summary = {absl::StrCat(person->login, " deputises for ", replaced->login, " as ",
                                 NameOfRole(change.deputyship.role), " from ", absl::FormatCivilTime(*from),
                                 " to and including ", absl::FormatCivilTime(*until))};
  return Propose(c, std::move(change));
}

// True when somebody other than `person` who can sign in holds one of the roles today.
bool SomebodyElseHolds(const Context& c, const domain::Person& person, domain::RoleSet roles) {
  for (const auto& [id, other] : c.world().people()) {
    if (id == person.id || !other.enrolled()) continue;
    for (const domain::HeldRole& held : other.RolesOn(c.turn.today())) {
      if (roles.Has(held.role)) return true;
    }
  }
  return false;
}

Outcome<std::string> BlockPerson(Context& c, Core& core, const pb::BlockPersonRequest& in) {
  auto person = Subject(c, in.person_id());
  if (!person.ok()) return person.refusal();
  c.record.set_subject_id(person->id);
  // One person alone must not be able to stop every further change.
  const domain::RoleSet proposers{domain::Role::kAdministrator};
  const domain::RoleSet confirmers{domain::Role::kPrivacyOfficer, domain::Role::kMunicipalSecretary};
  if (!SomebodyElseHolds(c, *person, proposers) || !SomebodyElseHolds(c, *person, confirmers)) {
    return Refusal(Rule::kLastOfItsKind, "person_id");
  }
  person.value().blocked = true;
  person.value().enrolment_digest.clear();
  std::set<std::string> keys;
  c.turn.sessions().CloseSessionsIf([&](const state::Session& s) {
    if (s.person_id != person->id) return false;
    if (const domain::Station* station = c.world().FindStation(s.station_id))
      keys.insert(station->key_fingerprint);
    return true;
  });
  EndSessionsOf(c, person->id);
  for (const std::string& key : keys) core.RightsEnded(key);
  // A proposal made before the block must not undo it.
  for (const auto& [change_id, open] : c.world().changes()) {
    if (open.state != domain::ChangeState::kOpen || open.subject_id != person->id) continue;
    domain::Change closed = open;
    closed.state = domain::ChangeState::kRejected;
    closed.decided_by = c.me();
    c.turn.Put(std::move(closed));
  }
  std::string id = person->id;
  c.turn.Put(std::move(person.value()));
  return id;
}

Verdict ListPeople(Context& c, const pb::ListPeopleRequest&, pb::ListPeopleResponse& out) {
  std::map<std::string, const domain::Person*> by_login;
  for (const auto& [id, person] : c.world().people()) by_login[person.login] = &person;
  for (const auto& [login, person] : by_login) *out.add_people() = state::ToProto(*person);
  return domain::kAllowed;
}

}  // namespace

Bound BindPeople(Server& server) {
  using S = pb::PeopleService::AsyncService;
  auto service = std::make_unique<S>();
  Binder<S> b(server, service.get());
  Core& core = server.core();
  b.Command<pb::ProposePersonRequest, pb::ProposePersonResponse>(Rpc::kProposePerson,
                                                                 &S::RequestProposePerson, ProposePerson);
  b.Command<pb::ProposePersonChangeRequest, pb::ProposePersonChangeResponse>(
      Rpc::kProposePersonChange, &S::RequestProposePersonChange, ProposePersonChange);
  b.Command<pb::ProposeResetRequest, pb::ProposeResetResponse>(Rpc::kProposeReset, &S::RequestProposeReset,
                                                               ProposeReset);
  b.Command<pb::ProposeDeputyRequest, pb::ProposeDeputyResponse>(Rpc::kProposeDeputy,
                                                                 &S::RequestProposeDeputy, ProposeDeputy);
  b.Command<pb::BlockPersonRequest, pb::BlockPersonResponse>(
      Rpc::kBlockPerson, &S::RequestBlockPerson,
      [&core](Context& c, const auto& in, auto&) { return BlockPerson(c, core, in); });
  b.Query<pb::ListPeopleRequest, pb::ListPeopleResponse>(Rpc::kListPeople, &S::RequestListPeople, ListPeople);
  Arm arm = b.TakeArm();
  return {std::move(service), std::move(arm)};
}

}  // namespace waarborg::rpc

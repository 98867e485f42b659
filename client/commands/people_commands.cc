// SPDX-License-Identifier: EUPL-1.2
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/commands/parts.h"
#include "server/access/wire.h"
#include "waarborg/v1/changes.grpc.pb.h"
#include "waarborg/v1/people.grpc.pb.h"
#include "waarborg/v1/stations.grpc.pb.h"

namespace waarborg::client {
namespace {

using People = pb::PeopleService::Stub;
using Stations = pb::StationService::Stub;
using Changes = pb::ChangeService::Stub;

std::unique_ptr<People> PeopleStub(const Call& c) {
  return pb::PeopleService::NewStub(c.connection.channel());
}
std::unique_ptr<Stations> StationStub(const Call& c) {
  return pb::StationService::NewStub(c.connection.channel());
}
std::unique_ptr<Changes> ChangeStub(const Call& c) {
  return pb::ChangeService::NewStub(c.connection.channel());
}

pb::Assignment ReadAssignment(const Arguments& a) {
  pb::Assignment out;
  for (const std::string& word : a.List("roles")) {
    out.add_roles(static_cast<pb::Role>(ReadEnum("roles", word, pb::Role_descriptor())));
  }
  for (const std::string& id : a.List("units")) out.add_unit_ids(id);
  for (const std::string& id : a.List("locations")) out.add_location_ids(id);
  out.set_department(a.Get("department"));
  out.set_employer(a.Get("employer"));
  *out.mutable_from() = ReadDate("from", a.Get("from"), false);
  *out.mutable_until() = ReadDate("until", a.Get("until"), false);
  return out;
}

std::vector<Option> AssignmentOptions() {
  return {{"roles", Kind::kList, "desk-staff, manager, civil-affairs ...", true},
          {"units", Kind::kList, "units the person belongs to"},
          {"locations", Kind::kList, "locations where the person works at a desk"},
          {"department", Kind::kText, "department"},
          {"employer", Kind::kText, "employer, for hired people"},
          {"from", Kind::kDate, "first day", true},
          {"until", Kind::kDate, "last day, to and including", true},
          KeyOption()};
}

void AddHalf(const Call& call, Reply& reply, const std::string& half) {
  if (half.empty()) return;
  reply.Fact("half", half);
  reply.lines.push_back(absl::StrCat(call.Say("Helft van de aanmeldcode, geef deze zelf aan de persoon: ",
                                              "Half of the enrolment code, hand it to the person yourself: "),
                                     half));
}

Reply ProposePerson(Call& call) {
  const Arguments& a = call.arguments;
  pb::ProposePersonRequest request;
  request.set_login(a.Get("name"));
  request.set_display_name(a.Get("display"));
  *request.mutable_assignment() = ReadAssignment(a);
  std::shared_ptr<pb::ProposePersonResponse> response;
  Reply reply = Tell(call, &People::ProposePerson, PeopleStub(call), request, response);
  if (reply.ok()) AddHalf(call, reply, response->enrolment_half());
  return reply;
}

Reply ProposeChange(Call& call) {
  pb::ProposePersonChangeRequest request;
  request.set_person_id(call.arguments.Get("person"));
  *request.mutable_assignment() = ReadAssignment(call.arguments);
  std::shared_ptr<pb::ProposePersonChangeResponse> response;
  return Tell(call, &People::ProposePersonChange, PeopleStub(call), request, response);
}

Reply ProposeReset(Call& call) {
  pb::ProposeResetRequest request;
  request.set_person_id(call.arguments.Get("person"));
  std::shared_ptr<pb::ProposeResetResponse> response;
  Reply reply = Tell(call, &People::ProposeReset, PeopleStub(call), request, response);
  if (reply.ok()) AddHalf(call, reply, response->enrolment_half());
  return reply;
}

Reply ProposeDeputy(Call& call) {
  const Arguments& a = call.arguments;
  pb::ProposeDeputyRequest request;
  request.set_person_id(a.Get("person"));
  auto* deputy = request.mutable_deputy();
  deputy->set_role(static_cast<pb::Role>(ReadEnum("role", a.Get("role"), pb::Role_descriptor())));
  deputy->set_in_place_of(a.Get("for"));
  *deputy->mutable_from() = ReadDate("from", a.Get("from"), false);
  *deputy->mutable_until() = ReadDate("until", a.Get("until"), false);
  std::shared_ptr<pb::ProposeDeputyResponse> response;
  return Tell(call, &People::ProposeDeputy, PeopleStub(call), request, response);
}

Reply Block(Call& call) {
  pb::BlockPersonRequest request;
  request.set_person_id(call.arguments.Get("person"));
  std::shared_ptr<pb::BlockPersonResponse> response;
  return Tell(call, &People::BlockPerson, PeopleStub(call), request, response);
}

Reply ListPeople(Call& call) {
  std::shared_ptr<pb::ListPeopleResponse> response;
  Reply reply = Ask(call, &People::ListPeople, PeopleStub(call), pb::ListPeopleRequest(), response);
  if (!reply.ok()) return reply;
  reply.Fact("count", absl::StrCat(response->people_size()));
  for (const auto& person : response->people()) {
    std::vector<std::string> roles;
    for (int role : person.assignment().roles())
      roles.push_back(Shown(call, WordOf(pb::Role_descriptor(), role)));
    for (const auto& d : person.deputies()) {
      roles.push_back(absl::StrCat(Word(d.role()), " (", call.Say("vervangt", "for"), " ", d.in_place_of(),
                                   " ", Text(d.from()), call.Say(" t/m ", " to "), Text(d.until()), ")"));
    }
    reply.Fact("person", person.id());
    reply.Fact("login", person.login());
    reply.lines.push_back(absl::StrCat(
        person.id(), "  ", person.login(), "  ", person.display_name(), "  ", absl::StrJoin(roles, ", "),
        person.blocked() ? call.Say("  GEBLOKKEERD", "  BLOCKED") : "",
        person.enrolled() ? "" : call.Say("  (nog niet aangemeld)", "  (not enrolled)")));
  }
  return reply;
}

Reply ProposeStation(Call& call) {
  const Arguments& a = call.arguments;
  pb::ProposeStationRequest request;
  request.mutable_station()->set_id(a.Get("station"));
  request.mutable_station()->set_location_id(a.Get("location"));
  std::string fingerprint = a.Get("fingerprint");
  if (a.Has("certificate")) {
    fingerprint = access::FingerprintOfPem(ReadFileBytes("certificate", a.Get("certificate")));
    if (fingerprint.empty()) throw BadOption{"certificate: this is not a certificate in PEM form"};
  }
  request.mutable_station()->set_key_fingerprint(fingerprint);
  std::shared_ptr<pb::ProposeStationResponse> response;
  return Tell(call, &Stations::ProposeStation, StationStub(call), request, response);
}

Reply RevokeStation(Call& call) {
  pb::RevokeStationRequest request;
  request.set_station_id(call.arguments.Get("station"));
  std::shared_ptr<pb::RevokeStationResponse> response;
  return Tell(call, &Stations::RevokeStation, StationStub(call), request, response);
}

Reply ListStations(Call& call) {
  std::shared_ptr<pb::ListStationsResponse> response;
  Reply reply = Ask(call, &Stations::ListStations, StationStub(call), pb::ListStationsRequest(), response);
  if (!reply.ok()) return reply;
  reply.Fact("count", absl::StrCat(response->stations_size()));
  for (const auto& station : response->stations()) {
    reply.Fact("station", station.id());
    reply.lines.push_back(absl::StrCat(station.id(), "  ", station.location_id(), "  ",
                                       station.key_fingerprint(),
                                       station.revoked() ? call.Say("  INGETROKKEN", "  REVOKED") : ""));
  }
  return reply;
}

Reply ListChanges(Call& call) {
  pb::ListChangesRequest request;
  request.set_open_only(!call.arguments.Has("all"));
  std::shared_ptr<pb::ListChangesResponse> response;
  Reply reply = Ask(call, &Changes::ListChanges, ChangeStub(call), request, response);
  if (!reply.ok()) return reply;
  reply.Fact("count", absl::StrCat(response->changes_size()));
  for (const auto& change : response->changes()) {
    reply.Fact("change", change.id());
    reply.lines.push_back(absl::StrCat(change.id(), "  ", Shown(call, Word(change.kind())), "  ",
                                       Shown(call, Word(change.state())), "  ", change.proposed_by(), "  ",
                                       Text(change.proposed_at())));
    for (const std::string& line : change.summary()) reply.lines.push_back("    " + line);
  }
  return reply;
}

Reply Confirm(Call& call) {
  pb::ConfirmChangeRequest request;
  request.set_change_id(call.arguments.Get("change"));
  std::shared_ptr<pb::ConfirmChangeResponse> response;
  Reply reply = Tell(call, &Changes::ConfirmChange, ChangeStub(call), request, response);
  if (reply.ok()) AddHalf(call, reply, response->enrolment_half());
  return reply;
}

Reply Reject(Call& call) {
  pb::RejectChangeRequest request;
  request.set_change_id(call.arguments.Get("change"));
  std::shared_ptr<pb::RejectChangeResponse> response;
  return Tell(call, &Changes::RejectChange, ChangeStub(call), request, response);
}

Reply ProposeConfiguration(Call& call) {
  pb::ProposeConfigurationRequest request;
  request.set_toml(ReadFileBytes("file", call.arguments.Get("file")));
  std::shared_ptr<pb::ProposeConfigurationResponse> response;
  return Tell(call, &Changes::ProposeConfiguration, ChangeStub(call), request, response);
}

Reply ProposeClock(Call& call) {
  std::shared_ptr<pb::ProposeClockResponse> response;
  pb::ProposeClockRequest request;
  return Tell(call, &Changes::ProposeClock, ChangeStub(call), request, response);
}

Reply ShowConfiguration(Call& call) {
  std::shared_ptr<pb::GetConfigurationResponse> response;
  Reply reply =
      Ask(call, &Changes::GetConfiguration, ChangeStub(call), pb::GetConfigurationRequest(), response);
  if (reply.ok()) reply.lines.push_back(response->toml());
  return reply;
}

Reply ShowChoices(Call& call) {
  std::shared_ptr<pb::GetConfigurationResponse> response;
  Reply reply =
      Ask(call, &Changes::GetConfiguration, ChangeStub(call), pb::GetConfigurationRequest(), response);
  if (!reply.ok()) return reply;
  const pb::Choices& c = response->choices();
  auto add = [&](const char* kind, const std::string& id, const std::string& words) {
    reply.Fact(kind, id);
    reply.lines.push_back(absl::StrCat(kind, "  ", id, "  ", words));
  };
  reply.Fact("municipality", c.municipality());
  reply.lines.push_back(c.municipality());
  for (const auto& l : c.locations()) {
    add("location", l.id(), absl::StrCat(l.name(), "  ", l.phone()));
    reply.Fact("phone", l.phone());
    reply.Fact("max-demands", absl::StrCat(l.id(), " ", l.max_demands()));
  }
  for (const auto& u : c.units()) add("unit", u.id(), u.name());
  for (const auto& g : c.grounds()) {
    add("ground", g.id(), g.name());
    reply.Fact("guideline",
               absl::StrCat(g.id(), " ", Word(g.measure()), " ", Word(g.scope()), " ", Word(g.decided_by()),
                            " ", g.months_first().min(), "-", g.months_first().max(), " ",
                            g.months_repeat().min(), "-", g.months_repeat().max()));
  }
  for (const auto& k : c.criteria()) add("criterion", k.id(), k.text());
  for (const auto& s : c.photo_sources())
    add(s.allowed() ? "source" : "source-not-allowed", s.id(), s.name());
  for (const auto& b : c.legal_bases()) add("legal-basis", b.id(), b.name());
  reply.Fact("demand", c.demand());
  reply.lines.push_back(c.demand());
  reply.Fact("confirm-within-days", absl::StrCat(c.terms().confirm_denial_within_days()));
  reply.Fact("idle-minutes", absl::StrCat(c.terms().session_idle_minutes()));
  return reply;
}

}  // namespace

void AddPeopleCommands(std::vector<Command>& out) {
  const Option person{"person", Kind::kText, "the account, M-...", true};
  const Option station{"station", Kind::kText, "id of the station", true};
  const Option change{"change", Kind::kText, "the proposal, W-...", true};
  out.push_back(
      {"people propose", "Propose a new account (administrator)",
       With({{"name", Kind::kText, "sign-in name", true}, {"display", Kind::kText, "name to show", true}},
            AssignmentOptions()),
       ProposePerson});
  out.push_back({"people change", "Propose other rights for an account", With({person}, AssignmentOptions()),
                 ProposeChange});
  out.push_back(
      {"people reset", "Propose a new password and second factor", {person, KeyOption()}, ProposeReset});
  out.push_back({"people deputy",
                 "Propose a deputyship with dates",
                 {person,
                  {"role", Kind::kWord, "the role", true},
                  {"for", Kind::kText, "in whose place, M-...", true},
                  {"from", Kind::kDate, "first day", true},
                  {"until", Kind::kDate, "last day, to and including", true},
                  KeyOption()},
                 ProposeDeputy});
  out.push_back({"people block", "Block an account at once", {person, KeyOption()}, Block});
  out.push_back({"people list", "All accounts", {}, ListPeople});
  out.push_back({"station propose",
                 "Propose a station (administrator)",
                 {station,
                  {"location", Kind::kText, "its location", true},
                  {"certificate", Kind::kFile, "its certificate (PEM)"},
                  {"fingerprint", Kind::kText, "or the SHA-256 of its public key, hexadecimal"},
                  KeyOption()},
                 ProposeStation});
  out.push_back(
      {"station revoke", "Revoke a station at once and for good", {station, KeyOption()}, RevokeStation});
  out.push_back({"station list", "All stations", {}, ListStations});
  out.push_back({"change list",
                 "Proposals that wait for a second person",
                 {{"all", Kind::kFlag, "decided ones too"}},
                 ListChanges});
  out.push_back(
      {"change confirm", "Put a proposal into effect (second person)", {change, KeyOption()}, Confirm});
  out.push_back({"change reject", "Turn a proposal down", {change, KeyOption()}, Reject});
  out.push_back({"config propose",
                 "Propose another municipal configuration",
                 {{"file", Kind::kFile, "municipality.toml", true}, KeyOption()},
                 ProposeConfiguration});
  out.push_back({"clock propose",
                 "Propose to believe the clock of the server, while it is in doubt (administrator)",
                 {KeyOption()},
                 ProposeClock});
  out.push_back({"config show", "The municipal configuration in force", {}, ShowConfiguration});
  out.push_back({"config choices", "What forms offer, and the words for ids", {}, ShowChoices});
}

}  // namespace waarborg::client

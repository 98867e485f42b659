// SPDX-License-Identifier: EUPL-1.2
// For the administrator and the second person: accounts, workplaces, proposals, the configuration, the
// promises. No ban and no photo.
#include "client/station/admin.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/station/diff.h"
#include "client/station/facts.h"
#include "client/station/forms.h"
#include "client/station/station.h"
#include "server/access/wire.h"
#include "server/base/clock.h"
#include "waarborg/v1/backups.grpc.pb.h"
#include "waarborg/v1/changes.grpc.pb.h"
#include "waarborg/v1/health.grpc.pb.h"
#include "waarborg/v1/people.grpc.pb.h"
#include "waarborg/v1/stations.grpc.pb.h"

namespace waarborg::station {
namespace {

using People = pb::PeopleService;
using Stations = pb::StationService;
using Changes = pb::ChangeService;

constexpr int kMostToml = 256 << 10;
// A backup is made and read again before the answer comes.
constexpr auto kBackupTakes = std::chrono::minutes(10);

struct RoleText {
  pb::Role role;
  const char* about;  // Dutch
};
constexpr RoleText kRoles[] = {
    {pb::ROLE_DESK_STAFF, T("controleert bezoekers op de eigen locatie")},
    {pb::ROLE_SECURITY_COORDINATOR, T("bereidt voor, vraagt toestemming, verspreidt")},
    {pb::ROLE_MANAGER, T("stelt voor, voert het STOP-gesprek, geeft toestemming voor de foto")},
    {pb::ROLE_CIVIL_AFFAIRS, T("keurt de foto goed en verstrekt")},
    {pb::ROLE_MUNICIPAL_SECRETARY, T("besluit en adviseert; bevestigt wijzigingen")},
    {pb::ROLE_BOARD_SECRETARIAT, T("legt besluiten van het college vast")},
    {pb::ROLE_LEGAL, T("toetst besluiten, behandelt bezwaar")},
    {pb::ROLE_HR, T("cijfers, geen foto's")},
    {pb::ROLE_POLICE_CONTACT, T("ontvangt het verbod en de vrijgegeven foto")},
    {pb::ROLE_PRIVACY_OFFICER, T("inzageverzoeken; bevestigt wijzigingen")},
    {pb::ROLE_AUDITOR, T("leest het logboek; zonder andere rol")},
    {pb::ROLE_DATA_PROTECTION_OFFICER, T("houdt toezicht; zonder andere rol")},
    {pb::ROLE_ADMINISTRATOR, T("beheert accounts en werkplekken; zonder andere rol")},
};

// Roles that others wait for.
constexpr pb::Role kDeputised[] = {
    pb::ROLE_SECURITY_COORDINATOR, pb::ROLE_MANAGER, pb::ROLE_CIVIL_AFFAIRS,  pb::ROLE_MUNICIPAL_SECRETARY,
    pb::ROLE_BOARD_SECRETARIAT,    pb::ROLE_LEGAL,   pb::ROLE_PRIVACY_OFFICER};

const char* KindName(pb::ChangeKind kind) {
  switch (kind) {
    case pb::CHANGE_KIND_NEW_PERSON:
      return T("Nieuw account");
    case pb::CHANGE_KIND_PERSON:
      return T("Andere rechten");
    case pb::CHANGE_KIND_RESET:
      return T("Nieuw wachtwoord en nieuwe codeapp");
    case pb::CHANGE_KIND_DEPUTY:
      return T("Vervanging");
    case pb::CHANGE_KIND_STATION:
      return T("Nieuwe werkplek");
    case pb::CHANGE_KIND_CONFIGURATION:
      return T("Andere instellingen");
    case pb::CHANGE_KIND_CLOCK:
      return T("De klok geloven");
    case pb::CHANGE_KIND_SECURITY_KEY:
      return T("Nieuwe beveiligingssleutel");
    default:
      return T("Wijziging");
  }
}

std::string RoleNames(const Visit& v, const pb::Assignment& a) {
  std::vector<std::string> out;
  for (const int role : a.roles()) out.push_back(v.words.RoleName(static_cast<pb::Role>(role)));
  return absl::StrJoin(out, ", ");
}

using PeopleById = std::map<std::string, pb::Person>;

// Everybody, by id; what the core refuses stands on the page.
PeopleById Everybody(Visit& v) {
  pb::ListPeopleResponse response;
  PeopleById out;
  if (const auto error = v.Ask<People>(&People::Stub::ListPeople, pb::ListPeopleRequest(), &response);
      !error.ok())
    v.Problem(error);
  for (auto& person : *response.mutable_people()) out.emplace(person.id(), std::move(person));
  return out;
}

std::string NameOf(const PeopleById& people, const std::string& id) {
  const auto it = people.find(id);
  return it == people.end() ? id : it->second.display_name();
}

View Tag(const char* kind, const std::string& text) {
  return std::move(View().Set("kind", kind).Set("text", text));
}

bool MayPropose(const Visit& v) {
  return v.Has(pb::ROLE_ADMINISTRATOR);
}
bool MayConfirm(const Visit& v) {
  return v.Has(pb::ROLE_PRIVACY_OFFICER) || v.Has(pb::ROLE_MUNICIPAL_SECRETARY);
}
bool MayTakeAway(const Visit& v) {
  return MayPropose(v) || MayConfirm(v);
}

std::string Lower(const std::string& text) {
  return absl::AsciiStrToLower(text);
}

FieldOptions Long(int length, const std::string& hint = "", bool optional = false) {
  FieldOptions o;
  o.max_length = length;
  o.hint = hint;
  o.optional = optional;
  return o;
}

Response NotThere(Visit& v, const std::string& text, const std::string& path) {
  View view;
  view.Set("text", text).Set("next_step", false).Set("rule", false);
  view.Set("back", View().Set("path", path).Set("label", v.Say("Terug")));
  return v.Page("error", v.Say("Niet gevonden"), std::move(view), 404);
}

// A step in between, posting to the path it is shown at.
struct Step {
  std::string tab;  // the title in the browser's tab: names nobody
  std::string title, text, yes, back;
  std::vector<View> facts;
  bool danger = true;
};
Response Confirmation(Visit& v, const Step& step) {
  View view;
  view.Set("title", step.title).Set("text", step.text).Set("yes", step.yes).Set("danger", step.danger);
  view.Set("facts", step.facts).Set("hidden", false).Set("path", v.request.path).Set("back_path", step.back);
  return v.Page("confirm", step.tab, std::move(view));
}

// One half of an enrolment code, shown this once.
Response ShowHalf(Visit& v, const std::string& half, bool first, const pb::Person& person, bool reset) {
  View view;
  view.Set("half", half).Set("first", first).Set("reset", reset);
  view.Set("person", person.display_name()).Set("login", person.login());
  return v.Page("enrolment_half", v.Say("Helft van de aanmeldcode"), std::move(view));
}

std::string NowWaits(const Visit& v) {
  return v.Say("Voorgesteld. Een privacy officer of de gemeentesecretaris moet het nog bevestigen.");
}

// ---- Accounts.

std::vector<View> Tags(const Visit& v, const pb::Person& person) {
  std::vector<View> tags;
  if (person.blocked()) {
    tags.push_back(Tag("banned", v.Say("geblokkeerd")));
  } else if (!person.enrolled()) {
    tags.push_back(Tag("possible", v.Say("nog niet in gebruik")));
  } else {
    tags.push_back(Tag("clear", v.Say("in gebruik")));
  }
  return tags;
}

Response ListOfPeople(Visit& v) {
  const PeopleById people = Everybody(v);
  const std::string search = Lower(v.Field("search"));
  std::vector<const pb::Person*> found;
  for (const auto& [id, person] : people) {
    const std::string all = Lower(absl::StrCat(
        person.display_name(), " ", person.login(), " ", RoleNames(v, person.assignment()), " ",
        Names(v, person.assignment().location_ids(), LocationName), " ",
        Names(v, person.assignment().unit_ids(), UnitName), " ", person.assignment().employer()));
    if (absl::StrContains(all, search)) found.push_back(&person);
  }
  std::sort(found.begin(), found.end(),
            [](const pb::Person* a, const pb::Person* b) { return a->display_name() < b->display_name(); });
  View view;
  std::vector<View> rows;
  for (const pb::Person* person : found) {
    const pb::Assignment& a = person->assignment();
    View row;
    row.Set("path", absl::StrCat("/people/", person->id()))
        .Set("name", person->display_name())
        .Set("login", person->login());
    row.Set("roles", RoleNames(v, a)).Set("where", Names(v, a.location_ids(), LocationName));
    row.Set("until", a.has_until() ? v.words.ShortDay(a.until()) : "").Set("tags", Tags(v, *person));
    rows.push_back(std::move(row));
  }
  view.Set("rows", rows).Set("search", v.Field("search")).Set("may_propose", MayPropose(v));
  view.Set("found",
           v.Say("{n} van {all}", {{"n", absl::StrCat(found.size())}, {"all", absl::StrCat(people.size())}}));
  return v.Page("people", v.Say("Mensen"), std::move(view));
}

// The fields of an assignment, filled with `now`; and what was posted of them.
void SetAssignment(Visit& v, const pb::Assignment& now, View& view) {
  const auto among = [](const auto& list, const auto& one) {
    return std::find(list.begin(), list.end(), one) != list.end();
  };
  std::vector<View> roles;
  for (const RoleText& text : kRoles) {
    View one = OneOfField(v, "assignment.roles",
                          {pb::Role_Name(text.role), v.words.RoleName(text.role), v.Say(text.about)},
                          among(now.roles(), static_cast<int>(text.role)));
    // What is wrong with them stands once, above all of them.
    roles.push_back(std::move(one.Set("error", false)));
  }
  view.Set("roles", roles).Set("roles_error", v.FaultAt("assignment.roles"));
  const auto several = [&](const char* field, const char* key, const std::string& label,
                           const std::vector<Choice>& choices, const auto& chosen) {
    if (choices.empty()) {
      FieldOptions o = Long(400, v.Say("De ids, met komma's ertussen"), true);
      o.value = absl::StrJoin(chosen, ", ");
      view.Set(absl::StrCat(key, "_typed"), TextField(v, field, label, o)).Set(key, false);
      return;
    }
    std::vector<View> boxes;
    for (const Choice& choice : choices) {
      View one = OneOfField(v, field, choice, among(chosen, choice.code));
      boxes.push_back(std::move(one.Set("error", false)));
    }
    view.Set(key, boxes)
        .Set(absl::StrCat(key, "_typed"), false)
        .Set(absl::StrCat(key, "_error"), v.FaultAt(field));
  };
  std::vector<Choice> locations, units;
  for (const auto& one : v.choices().locations()) locations.push_back({one.id(), one.name(), ""});
  for (const auto& one : v.choices().units()) {
    units.push_back({one.id(), one.name(), one.may_see_photos() ? v.Say("kan foto's ontvangen") : ""});
  }
  several("assignment.location_ids", "locations", v.Say("Locaties"), locations, now.location_ids());
  several("assignment.unit_ids", "units", v.Say("Groepen"), units, now.unit_ids());
  FieldOptions department =
      Long(80, v.Say("Een leidinggevende geeft geen toestemming als het eigen team getroffen is."), true);
  department.value = now.department();
  view.Set("department", TextField(v, "assignment.department", v.Say("Afdeling"), department));
  FieldOptions employer = Long(80, v.Say("Alleen voor ingehuurde mensen"), true);
  employer.value = now.employer();
  view.Set("employer", TextField(v, "assignment.employer", v.Say("Werkgever"), employer));
  FieldOptions from, until;
  from.value = IsoDay(now.from());
  until.value = IsoDay(now.until());
  until.hint = v.Say("Verplicht, zodat geen account vergeten wordt");
  view.Set("from", DayField(v, "assignment.from", v.Say("Eerste dag"), from));
  view.Set("until", DayField(v, "assignment.until", v.Say("Laatste dag"), until));
}

// Boxes that were ticked, or ids that were typed with commas between them.
std::vector<std::string> Ids(const Visit& v, const std::string& field) {
  std::vector<std::string> out;
  for (const std::string& text : v.request.Fields(field)) {
    for (const absl::string_view id : absl::StrSplit(text, absl::ByAnyChar(", ;"), absl::SkipEmpty()))
      out.emplace_back(id);
  }
  return out;
}

bool ReadAssignment(Visit& v, pb::Assignment* out) {
  for (const std::string& name : v.request.Fields("assignment.roles")) {
    pb::Role role = pb::ROLE_UNSPECIFIED;
    if (pb::Role_Parse(name, &role)) out->add_roles(role);
  }
  for (const std::string& id : Ids(v, "assignment.location_ids")) out->add_location_ids(id);
  for (const std::string& id : Ids(v, "assignment.unit_ids")) out->add_unit_ids(id);
  out->set_department(v.Field("assignment.department"));
  out->set_employer(v.Field("assignment.employer"));
  const bool from = ReadDate(v, "assignment.from", false, out->mutable_from());
  const bool until = ReadDate(v, "assignment.until", false, out->mutable_until());
  return from && until;
}

Response ShowNewPerson(Visit& v) {
  View view;
  FieldOptions display = Long(80),
               login = Long(40, v.Say("2 tot 40 tekens: kleine letters, cijfers, punt en koppelteken"));
  display.autofocus = true;
  view.Set("display_name", TextField(v, "display_name", v.Say("Naam"), display));
  view.Set("login", TextField(v, "login", v.Say("Aanmeldnaam"), login));
  pb::Assignment now;
  *now.mutable_from() = v.Today();
  SetAssignment(v, now, view);
  view.Set("is_new", true)
      .Set("heading", v.Say("Nieuw account voorstellen"))
      .Set("path", "/people/new")
      .Set("back_path", "/people");
  return v.Page("person_form", v.Say("Nieuw account"), std::move(view));
}

Response ProposePerson(Visit& v) {
  pb::ProposePersonRequest request;
  request.set_idempotency_key(v.Key());
  request.set_login(v.Field("login"));
  request.set_display_name(v.Field("display_name"));
  if (!ReadAssignment(v, request.mutable_assignment())) return ShowNewPerson(v);
  pb::ProposePersonResponse response;
  if (const auto error = v.Ask<People>(&People::Stub::ProposePerson, request, &response); !error.ok()) {
    v.Problem(error);
    return ShowNewPerson(v);
  }
  // Sent twice: the half was shown the first time.
  if (response.enrolment_half().empty()) return v.Done("/changes", NowWaits(v));
  pb::Person person;
  person.set_login(request.login());
  person.set_display_name(request.display_name());
  return ShowHalf(v, response.enrolment_half(), true, person, false);
}

std::optional<pb::Person> PersonOf(Visit& v) {
  const PeopleById people = Everybody(v);
  const auto it = people.find(v.Part("person"));
  if (it == people.end()) return std::nullopt;
  return it->second;
}

Response NobodyHere(Visit& v) {
  return NotThere(v, v.Say("Dit account is er niet."), "/people");
}

std::string PathOf(const pb::Person& person) {
  return absl::StrCat("/people/", person.id());
}

std::vector<View> FactsOf(Visit& v, const pb::Person& person) {
  const pb::Assignment& a = person.assignment();
  FactList facts;
  facts.Add(v.Say("Aanmeldnaam"), person.login());
  facts.Add(v.Say("Rollen"), RoleNames(v, a));
  facts.Add(v.Say("Locaties"), Names(v, a.location_ids(), LocationName));
  facts.Add(v.Say("Groepen"), Names(v, a.unit_ids(), UnitName));
  facts.Add(v.Say("Afdeling"), a.department());
  facts.Add(v.Say("Werkgever"), a.employer());
  if (a.has_from()) facts.Add(v.Say("Eerste dag"), v.words.Day(a.from()));
  if (a.has_until()) facts.Add(v.Say("Laatste dag"), v.words.Day(a.until()));
  return facts.views();
}

Response ShowPerson(Visit& v) {
  const PeopleById people = Everybody(v);
  const auto it = people.find(v.Part("person"));
  if (it == people.end()) return NobodyHere(v);
  const pb::Person& person = it->second;
  View view;
  view.Set("name", person.display_name())
      .Set("tags", Tags(v, person))
      .Set("facts", FactsOf(v, person))
      .Set("path", PathOf(person));
  std::vector<View> deputies;
  for (const auto& d : person.deputies()) {
    deputies.push_back(
        View().Set("text", v.Say("{role}, in de plaats van {who}, van {from} tot en met {until}",
                                 {{"role", v.words.RoleName(d.role())},
                                  {"who", NameOf(people, d.in_place_of())},
                                  {"from", v.words.Day(d.from())},
                                  {"until", v.words.Day(d.until())}})));
  }
  view.Set("deputies", deputies).Set("may_propose", MayPropose(v));
  view.Set("may_block", MayTakeAway(v) && !person.blocked()).Set("may_any", MayTakeAway(v));
  return v.Page("person", v.Say("Account"), std::move(view));
}

Response ShowRights(Visit& v) {
  const auto person = PersonOf(v);
  if (!person) return NobodyHere(v);
  View view;
  SetAssignment(v, person->assignment(), view);
  view.Set("is_new", false).Set("display_name", false).Set("login", false).Set("back_path", PathOf(*person));
  view.Set("heading", v.Say("Rechten van {name}", {{"name", person->display_name()}}))
      .Set("path", v.request.path);
  return v.Page("person_form", v.Say("Rechten wijzigen"), std::move(view));
}

Response ProposeRights(Visit& v) {
  pb::ProposePersonChangeRequest request;
  request.set_person_id(v.Part("person"));
  if (!ReadAssignment(v, request.mutable_assignment())) return ShowRights(v);
  if (const auto error = v.Tell<People>(&People::Stub::ProposePersonChange, request); !error.ok()) {
    v.Problem(error);
    return ShowRights(v);
  }
  return v.Done("/changes", NowWaits(v));
}

Response ShowReset(Visit& v) {
  const auto person = PersonOf(v);
  if (!person) return NobodyHere(v);
  return Confirmation(
      v,
      {v.Say("Nieuw wachtwoord en nieuwe codeapp"),
       v.Say("Nieuw wachtwoord en nieuwe codeapp voor {name}?", {{"name", person->display_name()}}),
       v.Say(
           "Voor een vergeten wachtwoord of een verloren telefoon. U krijgt de eerste helft van een nieuwe "
           "aanmeldcode; "
           "na bevestiging door een tweede persoon werken het oude wachtwoord en de oude codeapp niet meer."),
       v.Say("Voorstellen"),
       PathOf(*person),
       {},
       false});
}

Response ProposeReset(Visit& v) {
  pb::ProposeResetRequest request;
  request.set_idempotency_key(v.Key());
  request.set_person_id(v.Part("person"));
  pb::ProposeResetResponse response;
  if (const auto error = v.Ask<People>(&People::Stub::ProposeReset, request, &response); !error.ok()) {
    v.Problem(error);
    return ShowReset(v);
  }
  if (response.enrolment_half().empty()) return v.Done("/changes", NowWaits(v));
  return ShowHalf(v, response.enrolment_half(), true, PersonOf(v).value_or(pb::Person()), true);
}

Response ShowDeputy(Visit& v) {
  const PeopleById people = Everybody(v);
  const auto it = people.find(v.Part("person"));
  if (it == people.end()) return NobodyHere(v);
  View view;
  // One choice for both: a person, in a role that this person holds.
  std::vector<Choice> others;
  for (const auto& [id, person] : people) {
    if (id == it->first || person.blocked()) continue;
    for (const pb::Role role : kDeputised) {
      const auto& held = person.assignment().roles();
      if (std::find(held.begin(), held.end(), static_cast<int>(role)) == held.end()) continue;
      others.push_back({absl::StrCat(id, " ", pb::Role_Name(role)),
                        absl::StrCat(person.display_name(), ", ", v.words.RoleName(role)), ""});
    }
  }
  std::sort(others.begin(), others.end(), [](const Choice& a, const Choice& b) { return a.text < b.text; });
  view.Set("heading", v.Say("{name} vervangt iemand", {{"name", it->second.display_name()}}));
  view.Set("in_place_of", ChoiceField(v, "deputy.in_place_of", v.Say("In de plaats van"), others));
  FieldOptions from;
  from.value = IsoDay(v.Today());
  view.Set("from", DayField(v, "deputy.from", v.Say("Eerste dag"), from));
  view.Set("until", DayField(v, "deputy.until", v.Say("Laatste dag")));
  view.Set("path", v.request.path).Set("back_path", PathOf(it->second));
  return v.Page("deputy", v.Say("Vervanging"), std::move(view));
}

Response ProposeDeputy(Visit& v) {
  pb::ProposeDeputyRequest request;
  request.set_person_id(v.Part("person"));
  auto* deputy = request.mutable_deputy();
  const std::vector<std::string> chosen = absl::StrSplit(v.Field("deputy.in_place_of"), ' ');
  pb::Role role = pb::ROLE_UNSPECIFIED;
  if (chosen.size() == 2 && pb::Role_Parse(chosen[1], &role)) {
    deputy->set_in_place_of(chosen[0]);
    deputy->set_role(role);
  }
  const bool from = ReadDate(v, "deputy.from", false, deputy->mutable_from());
  if (!ReadDate(v, "deputy.until", false, deputy->mutable_until()) || !from) return ShowDeputy(v);
  if (const auto error = v.Tell<People>(&People::Stub::ProposeDeputy, request); !error.ok()) {
    v.Problem(error);
    return ShowDeputy(v);
  }
  return v.Done("/changes", NowWaits(v));
}

Response ShowBlock(Visit& v) {
  const auto person = PersonOf(v);
  if (!person) return NobodyHere(v);
  return Confirmation(
      v, {v.Say("Een account blokkeren"), v.Say("{name} blokkeren?", {{"name", person->display_name()}}),
          v.Say("Het account werkt meteen niet meer en wie ermee is aangemeld, wordt "
                "afgemeld. Er is geen tweede persoon "
                "nodig. Weer toegang geven gaat met een voorstel."),
          v.Say("Nu blokkeren"), PathOf(*person), FactsOf(v, *person)});
}

Response Block(Visit& v) {
  pb::BlockPersonRequest request;
  request.set_person_id(v.Part("person"));
  if (const auto error = v.Tell<People>(&People::Stub::BlockPerson, request); !error.ok()) {
    v.Problem(error);
    return ShowBlock(v);
  }
  return v.Done(absl::StrCat("/people/", v.Part("person")),
                v.Say("Geblokkeerd. Het account werkt niet meer."));
}

// ---- Workplaces.

// In groups of four, so that two people can compare them aloud.
std::string InFours(const std::string& hex) {
  std::string out;
  for (size_t i = 0; i < hex.size(); i += 4) absl::StrAppend(&out, i == 0 ? "" : " ", hex.substr(i, 4));
  return out;
}

Response ListOfStations(Visit& v) {
  pb::ListStationsResponse response;
  if (const auto error = v.Ask<Stations>(&Stations::Stub::ListStations, pb::ListStationsRequest(), &response);
      !error.ok())
    v.Problem(error);
  View view;
  std::vector<View> rows;
  for (const auto& station : response.stations()) {
    View row;
    row.Set("id", station.id())
        .Set("location", LocationName(v, station.location_id()))
        .Set("fingerprint", InFours(station.key_fingerprint()));
    row.Set("revoked", station.revoked()).Set("here", station.id() == v.seat->session.station_id());
    row.Set("may_revoke", MayTakeAway(v) && !station.revoked())
        .Set("path", absl::StrCat("/stations/", station.id(), "/revoke"));
    rows.push_back(std::move(row));
  }
  view.Set("rows", rows).Set("may_propose", MayPropose(v)).Set("may_revoke_any", MayTakeAway(v));
  return v.Page("stations", v.Say("Werkplekken"), std::move(view));
}

Response ShowNewStation(Visit& v) {
  View view;
  FieldOptions id =
      Long(40, v.Say("2 tot 40 tekens: kleine letters, cijfers en koppelteken; bijvoorbeeld balie-2"));
  id.autofocus = true;
  view.Set("id", TextField(v, "station.id", v.Say("Naam van de werkplek"), id));
  std::vector<Choice> locations;
  for (const auto& one : v.choices().locations()) locations.push_back({one.id(), one.name(), ""});
  const std::string label = v.Say("Locatie");
  view.Set("location", locations.empty()
                           ? View().Set("text", TextField(v, "station.location_id", label, Long(40)))
                           : View().Set("select", ChoiceField(v, "station.location_id", label, locations)));
  FieldOptions file = Long(
      0, v.Say("station.pem, van de werkplek zelf. Nooit station.key: dat is de geheime sleutel."), true);
  file.accept = ".pem,.crt,.cer,application/x-pem-file";
  view.Set("file", TextField(v, "station.key_fingerprint", v.Say("Bestand met het certificaat"), file));
  FieldOptions typed = Long(16000, v.Say("Begint met -----BEGIN CERTIFICATE-----"), true);
  typed.rows = 4;
  view.Set("pasted", TextField(v, "certificate", v.Say("Of plak het certificaat"), typed));
  return v.Page("station_form", v.Say("Nieuwe werkplek"), std::move(view));
}

Response ProposeStation(Visit& v) {
  pb::ProposeStationRequest request;
  request.mutable_station()->set_id(v.Field("station.id"));
  request.mutable_station()->set_location_id(v.Field("station.location_id"));
  const auto file = v.request.files.find("station.key_fingerprint");
  const bool sent = file != v.request.files.end() && !file->second.bytes.empty();
  const std::string pem = sent ? file->second.bytes : v.Field("certificate");
  const std::string field = sent ? "station.key_fingerprint" : "certificate";
  std::string wrong;
  if (absl::StrContains(pem, "PRIVATE KEY")) {
    wrong = v.Say(
        "Dit is de geheime sleutel. Die blijft op de werkplek; maak een nieuwe als hij is meegestuurd of "
        "gemaild. Kies het certificaat.");
  } else if (pem.empty()) {
    v.Fault("station.key_fingerprint", v.Say("Kies het certificaat van de werkplek, of plak het hieronder."));
    return ShowNewStation(v);
  } else {
    request.mutable_station()->set_key_fingerprint(access::FingerprintOfPem(pem));
    if (request.station().key_fingerprint().empty()) wrong = v.Say("Dit is geen certificaat in PEM-vorm.");
  }
  if (!wrong.empty()) {
    v.Fault(field, wrong);
    return ShowNewStation(v);
  }
  if (const auto error = v.Tell<Stations>(&Stations::Stub::ProposeStation, request); !error.ok()) {
    v.Problem(error);
    return ShowNewStation(v);
  }
  return v.Done("/changes",
                absl::StrCat(NowWaits(v), " ", v.Say("Laat die dit kenmerk vergelijken met de werkplek:"),
                             " ", InFours(request.station().key_fingerprint())));
}

Response ShowRevoke(Visit& v) {
  return Confirmation(v, {v.Say("Een werkplek intrekken"),
                          v.Say("Werkplek {name} intrekken?", {{"name", v.Part("station")}}),
                          v.Say("Wie daar is aangemeld, wordt meteen afgemeld en er kan niet meer worden "
                                "gecontroleerd. Dit kan niet terug: "
                                "voor deze werkplek is daarna een nieuwe sleutel nodig."),
                          v.Say("Nu intrekken"),
                          "/stations",
                          {}});
}

Response Revoke(Visit& v) {
  pb::RevokeStationRequest request;
  request.set_station_id(v.Part("station"));
  if (const auto error = v.Tell<Stations>(&Stations::Stub::RevokeStation, request); !error.ok()) {
    v.Problem(error);
    return ShowRevoke(v);
  }
  return v.Done("/stations", v.Say("Ingetrokken. De werkplek werkt niet meer."));
}

// ---- Proposals.

// The core keeps what a proposal says in English, in its log too. These are its lines, by how they begin.
struct SummaryLine {
  const char* begins;
  const char* said;  // Dutch; {rest} is what follows
};
constexpr SummaryLine kSummaryLines[] = {
    {"new account ", T("Nieuw account: {rest}")},
    {"new rights for ", T("Nieuwe rechten voor {rest}; ze komen in de plaats van alle oude:")},
    {"new password and second factor for ", T("Nieuw wachtwoord en nieuwe codeapp voor {rest}")},
    {"the account is blocked now and would work again",
     T("Het account is nu geblokkeerd en werkt dan weer.")},
    {"roles: ", T("Rollen: {rest}")},
    {"units: ", T("Groepen: {rest}")},
    {"locations: ", T("Locaties: {rest}")},
    {"department: ", T("Afdeling: {rest}")},
    {"from ", T("Van {rest}")},
    {"new station ", T("Nieuwe werkplek {rest}")},
    {"public key (SHA-256): ", T("Kenmerk van de sleutel: {rest}")},
    {"security key for ", T("Beveiligingssleutel voor {rest}")},
    {"made at ", T("Gemaakt op werkplek {rest}")},
    {"whoever holds it, and its PIN or finger, signs in as ",
     T("Wie hem heeft, met de pincode of vinger erbij, meldt zich aan als {rest}")},
    {"the clock of the server says ", T("De klok van de server zegt: {rest}")},
    {"the newest entry of the log is of ", T("De nieuwste regel van het logboek is van: {rest}")},
    {"confirmed, bans that have ended by then end, and their photos are destroyed",
     T("Na bevestiging eindigen verboden die dan voorbij zijn, en worden hun foto's vernietigd.")},
};

// What joins the parts of a line that holds `within`.
struct Joint {
  const char* within;
  const char* english;
  const char* dutch;
};
constexpr Joint kJoints[] = {
    {"department: ", ", employer: ", T("; werkgever: ")},
    {"new station ", " at ", T(" op locatie ")},
    {"made at ", " on ", T(" op ")},
    {"whoever holds it", ": ask them whether they made it", T(". Vraag of hij zelf is gemaakt.")},
    {" deputises for ", " as ", T(" als ")},
    {" deputises for ", " from ", T(" van ")},
    {" deputises for ", " deputises for ", T(" vervangt ")},
    {" to and including ", " to and including ", T(" tot en met ")},
};

// The day that stands there as 2026-03-02, apart from other digits.
bool DayAt(const std::string& text, size_t at, pb::Date& out) {
  const auto digit = [&](size_t i) {
    return i < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[i]));
  };
  for (size_t i = 0; i < 10; ++i) {
    if (i == 4 || i == 7 ? text[at + i] != '-' : !digit(at + i)) return false;
  }
  if ((at > 0 && digit(at - 1)) || digit(at + 10)) return false;
  out.set_year(std::stoi(text.substr(at, 4)));
  out.set_month(std::stoi(text.substr(at + 5, 2)));
  out.set_day(std::stoi(text.substr(at + 8, 2)));
  return out.month() >= 1 && out.month() <= 12 && out.day() >= 1 && out.day() <= 31;
}

// A line in words. What is not known stands there as the core wrote it, rather than not at all.
std::string SummaryInWords(Visit& v, const std::string& line) {
  std::string rest = line, said = "{rest}";
  for (const SummaryLine& known : kSummaryLines) {
    if (absl::StartsWith(line, known.begins)) {
      rest = line.substr(absl::string_view(known.begins).size());
      said = known.said;
      break;
    }
  }
  // What its holder called it stays as it is.
  if (absl::StartsWith(line, "security key for ")) return v.Say(said, {{"rest", rest}});
  if (absl::StartsWith(line, "public key")) rest = InFours(rest);
  for (const RoleText& text : kRoles) {
    // By whole words: one role's name could begin another's.
    const std::string name = pb::Role_Name(text.role);
    for (size_t at = rest.find(name); at != std::string::npos; at = rest.find(name, at + 1)) {
      const size_t end = at + name.size();
      if (end < rest.size() &&
          (rest[end] == '_' || absl::ascii_isupper(static_cast<unsigned char>(rest[end]))))
        continue;
      rest.replace(at, name.size(), v.words.RoleName(text.role));
    }
  }
  for (const Joint& joint : kJoints) {
    const size_t at = rest.find(joint.english);
    if (absl::StrContains(line, joint.within) && at != std::string::npos) {
      rest.replace(at, absl::string_view(joint.english).size(), v.Say(joint.dutch));
    }
  }
  // 2026-03-02 as "2 maart 2026".
  for (size_t at = 0; at + 10 <= rest.size(); ++at) {
    pb::Date date;
    if (DayAt(rest, at, date)) rest.replace(at, 10, v.words.Day(date));
  }
  if (rest.empty()) rest = v.Say("geen");
  return v.Say(said, {{"rest", rest}});
}

std::vector<View> DiffView(const Visit& v, const std::string& before, const std::string& after) {
  std::vector<View> out;
  for (const DiffLine& line : Diff(before, after)) {
    View one;
    one.Set("gone", line.kind == DiffLine::Kind::kGone).Set("new", line.kind == DiffLine::Kind::kNew);
    one.Set("same", line.kind == DiffLine::Kind::kSame).Set("text", line.text);
    one.Set("skipped", line.kind == DiffLine::Kind::kSkipped
                           ? v.Say("{n} regels gelijk", {{"n", absl::StrCat(line.skipped)}})
                           : "");
    out.push_back(std::move(one));
  }
  return out;
}

Response ListOfChanges(Visit& v) {
  pb::ListChangesResponse response;
  if (const auto error = v.Ask<Changes>(&Changes::Stub::ListChanges, pb::ListChangesRequest(), &response);
      !error.ok())
    v.Problem(error);
  const PeopleById people = Everybody(v);
  const bool any_configuration = std::any_of(response.changes().begin(), response.changes().end(),
                                             [](const pb::Change& c) { return !c.proposed_toml().empty(); });
  pb::GetConfigurationResponse configuration;
  if (any_configuration) {
    const auto error =
        v.Ask<Changes>(&Changes::Stub::GetConfiguration, pb::GetConfigurationRequest(), &configuration);
    if (!error.ok()) v.Problem(error);
  }
  std::vector<View> open, decided;
  for (const pb::Change& c : response.changes()) {
    View one;
    const bool own = c.proposed_by() == v.seat->session.person_id();
    one.Set("id", c.id()).Set("kind", v.Say(KindName(c.kind()))).Set("who", NameOf(people, c.proposed_by()));
    one.Set("when", v.words.Moment(c.proposed_at()));
    // An account that is only proposed has no name yet but in the summary.
    one.Set("about", c.kind() == pb::CHANGE_KIND_NEW_PERSON && !people.contains(c.subject_id())
                         ? ""
                         : NameOf(people, c.subject_id()));
    std::vector<View> lines;
    // Of a configuration the summary repeats the lines that the difference shows in their places.
    const bool shown = c.state() == pb::CHANGE_STATE_OPEN && !c.proposed_toml().empty() &&
                       configuration.toml() != c.proposed_toml();
    for (const std::string& line : c.summary()) {
      if (!shown) lines.push_back(View().Set("text", SummaryInWords(v, line)));
    }
    one.Set("summary", lines);
    if (c.state() != pb::CHANGE_STATE_OPEN) {
      const bool confirmed = c.state() == pb::CHANGE_STATE_CONFIRMED,
                 withdrawn = !confirmed && c.decided_by() == c.proposed_by();
      one.Set("confirmed", confirmed).Set("withdrawn", withdrawn).Set("rejected", !confirmed && !withdrawn);
      one.Set("decided_by", NameOf(people, c.decided_by()));
      decided.push_back(std::move(one));
      continue;
    }
    one.Set("own", own).Set("about_you", !own && c.subject_id() == v.seat->session.person_id());
    one.Set("may_confirm", MayConfirm(v) && !own && c.subject_id() != v.seat->session.person_id());
    one.Set("may_reject", MayConfirm(v) && !own).Set("waits", !own && !MayConfirm(v));
    one.Set("toml", c.proposed_toml());
    one.Set("diff", c.proposed_toml().empty() ? std::vector<View>()
                                              : DiffView(v, configuration.toml(), c.proposed_toml()));
    open.push_back(std::move(one));
  }
  View view;
  view.Set("open", open).Set("decided", decided).Set("has_decided", !decided.empty());
  return v.Page("changes", v.Say("Wijzigingen"), std::move(view));
}

Response Confirm(Visit& v) {
  pb::ConfirmChangeRequest request;
  request.set_idempotency_key(v.Key());
  request.set_change_id(v.Part("change"));
  pb::ConfirmChangeResponse response;
  if (const auto error = v.Ask<Changes>(&Changes::Stub::ConfirmChange, request, &response); !error.ok()) {
    v.Problem(error);
    return ListOfChanges(v);
  }
  if (response.enrolment_half().empty())
    return v.Done("/changes", v.Say("Bevestigd. De wijziging geldt nu."));
  const PeopleById people = Everybody(v);
  const auto it = people.find(response.receipt().id());
  return ShowHalf(v, response.enrolment_half(), false, it == people.end() ? pb::Person() : it->second, false);
}

Response Reject(Visit& v) {
  pb::RejectChangeRequest request;
  request.set_change_id(v.Part("change"));
  if (const auto error = v.Tell<Changes>(&Changes::Stub::RejectChange, request); !error.ok()) {
    v.Problem(error);
    return ListOfChanges(v);
  }
  return v.Done("/changes", v.Checked("own") ? v.Say("Ingetrokken. Er verandert niets.")
                                             : v.Say("Afgewezen. Er verandert niets."));
}

// ---- The configuration.

pb::GetHealthResponse Health(Visit& v) {
  pb::GetHealthResponse response;
  const auto error =
      v.Ask<pb::HealthService>(&pb::HealthService::Stub::GetHealth, pb::GetHealthRequest(), &response);
  if (!error.ok()) v.Problem(error);
  return response;
}

bool ClockInDoubt(const pb::GetHealthResponse& health) {
  return std::any_of(health.promises().begin(), health.promises().end(),
                     [](const pb::PromiseHealth& p) { return p.name() == "clock" && !p.kept(); });
}

View Section(const std::string& title, std::vector<View> rows) {
  return std::move(View().Set("title", title).Set("rows", rows));
}
View Row(const std::string& name, const std::string& about) {
  return std::move(View().Set("name", name).Set("about", about));
}

std::string MonthsOf(const Visit& v, const pb::Months& m) {
  return v.Say("{min} tot {max} maanden", {{"min", absl::StrCat(m.min())}, {"max", absl::StrCat(m.max())}});
}

std::string ScopeName(const Visit& v, pb::GuidelineScope scope) {
  switch (scope) {
    case pb::GUIDELINE_SCOPE_INCIDENT_LOCATION:
      return v.Say("op de locatie van het voorval");
    case pb::GUIDELINE_SCOPE_SEVERAL:
      return v.Say("op één of meer locaties");
    default:
      return v.Say("op alle gemeentelijke locaties");
  }
}

std::vector<View> Sections(Visit& v) {
  const pb::Choices& c = v.choices();
  std::vector<View> out, rows;
  const auto end = [&](const std::string& title) {
    if (!rows.empty()) out.push_back(Section(title, rows));
    rows.clear();
  };
  for (const auto& one : c.locations()) {
    std::vector<std::string> about;
    if (one.run_by() == pb::RUN_BY_PROCESSOR) about.push_back(v.Say("van een verwerker"));
    if (one.run_by() == pb::RUN_BY_THIRD_PARTY) about.push_back(v.Say("van een derde"));
    if (!one.shares_bans()) about.push_back(v.Say("hoort niet van verboden"));
    if (!one.municipal()) about.push_back(v.Say("telt niet mee voor ‘alle gemeentelijke locaties’"));
    if (!one.phone().empty())
      about.push_back(v.Say("Toezicht en Veiligheid: {number}", {{"number", one.phone()}}));
    about.push_back(v.Say("ten hoogste {n} vorderingen", {{"n", absl::StrCat(one.max_demands())}}));
    rows.push_back(Row(one.name(), absl::StrJoin(about, "; ")));
  }
  end(v.Say("Locaties"));
  for (const auto& one : c.units())
    rows.push_back(
        Row(one.name(), one.may_see_photos() ? v.Say("kan foto's ontvangen") : v.Say("geen foto's")));
  end(v.Say("Groepen"));
  for (const auto& one : c.grounds()) {
    rows.push_back(Row(
        one.name(),
        absl::StrCat(
            one.measure() == pb::MEASURE_TIME_OUT ? v.Say("Time-out") : v.Say("Toegangsverbod"), ", ",
            ScopeName(v, one.scope()), "; ", MonthsOf(v, one.months_first()), ", ", v.Say("bij herhaling"),
            " ", MonthsOf(v, one.months_repeat()), "; ", v.Say("besluit:"), " ",
            one.decided_by() == pb::ROLE_MUNICIPAL_SECRETARY ? v.Say("gemeentesecretaris") : v.Say("college"),
            one.secretary_advises() ? absl::StrCat(", ", v.Say("de gemeentesecretaris adviseert")) : "")));
  }
  end(v.Say("Richtlijn: wat hoort bij welke grond"));
  for (const auto& one : c.criteria()) rows.push_back(Row(one.text(), ""));
  end(v.Say("Criteria voor toestemming"));
  for (const auto& one : c.photo_sources())
    rows.push_back(Row(one.name(), one.allowed() ? v.Say("toegestaan") : v.Say("niet toegestaan")));
  end(v.Say("Bronnen van foto's"));
  for (const auto& one : c.legal_bases()) rows.push_back(Row(one.name(), ""));
  end(v.Say("Grondslagen"));
  if (c.has_terms()) {
    const pb::TermsInForce& t = c.terms();
    const auto days = [&](int n) { return v.Say("{n} dagen", {{"n", absl::StrCat(n)}}); };
    rows.push_back(Row(v.Say("Een directe ontzegging vervalt na"), days(t.confirm_denial_within_days())));
    rows.push_back(Row(v.Say("Een signalement blijft ten hoogste"), days(t.alert_max_days())));
    rows.push_back(Row(v.Say("Vernietiging bevestigen binnen"), days(t.confirm_copies_days())));
    rows.push_back(Row(v.Say("Herinneren na"), days(t.remind_after_days())));
    rows.push_back(Row(v.Say("Logboek nakijken elke"), days(t.review_every_days())));
    rows.push_back(Row(v.Say("Dossier bewaren na het einde"),
                       v.Say("{n} maanden", {{"n", absl::StrCat(t.file_keep_months())}})));
    rows.push_back(Row(v.Say("Aanmelding eindigt na"),
                       v.Say("{idle} minuten zonder gebruik, en in elk geval na {hours} uur",
                             {{"idle", absl::StrCat(t.session_idle_minutes())},
                              {"hours", absl::StrCat(t.session_max_hours())}})));
  }
  end(v.Say("Termijnen"));
  return out;
}

Response ShowConfiguration(Visit& v) {
  pb::GetConfigurationResponse response;
  const auto error =
      v.Ask<Changes>(&Changes::Stub::GetConfiguration, pb::GetConfigurationRequest(), &response);
  if (!error.ok()) v.Problem(error);
  View view;
  view.Set("municipality", v.choices().municipality())
      .Set("demand", v.choices().demand())
      .Set("sections", Sections(v));
  view.Set("toml", response.toml()).Set("may_propose", MayPropose(v));
  view.Set("clock", MayPropose(v) && ClockInDoubt(Health(v)));
  return v.Page("configuration", v.Say("Instellingen"), std::move(view));
}

// The lines that a refusal names ("municipality.toml:12: ..."), as they stand in the text.
std::vector<View> LinesNamed(const Visit& v, const std::string& refusal, const std::string& toml) {
  const std::vector<absl::string_view> lines = absl::StrSplit(toml, '\n');
  std::vector<View> out;
  for (size_t at = refusal.find(':'); at != std::string::npos && out.size() < 20;
       at = refusal.find(':', at + 1)) {
    const size_t end = refusal.find(':', at + 1);
    size_t number = 0;
    if (end == std::string::npos || !absl::SimpleAtoi(refusal.substr(at + 1, end - at - 1), &number))
      continue;
    if (number < 1 || number > lines.size()) continue;
    View one;
    out.push_back(one.Set("number", v.Say("Regel {n}", {{"n", absl::StrCat(number)}}))
                      .Set("text", std::string(lines[number - 1])));
  }
  return out;
}

Response ConfigurationForm(Visit& v, const std::string& toml) {
  View view;
  FieldOptions text = Long(kMostToml, v.Say("De hele tekst, met wat u verandert"));
  text.rows = 24;
  text.value = toml;
  View field = TextField(v, "toml", v.Say("Instellingen (TOML)"), text);
  // What came from a file is shown too, to be mended here.
  view.Set("toml", field.Set("value", toml));
  FieldOptions file = Long(0, v.Say("Dan telt de tekst hieronder niet."), true);
  file.accept = ".toml,text/plain";
  view.Set("file", TextField(v, "file", v.Say("Of kies een bestand"), file));
  const std::vector<View> lines = LinesNamed(v, v.FaultAt("toml"), toml);
  view.Set("lines", lines).Set("has_lines", !lines.empty());
  return v.Page("configuration_form", v.Say("Instellingen voorstellen"), std::move(view));
}

Response ShowNewConfiguration(Visit& v) {
  pb::GetConfigurationResponse response;
  const auto error =
      v.Ask<Changes>(&Changes::Stub::GetConfiguration, pb::GetConfigurationRequest(), &response);
  if (!error.ok()) v.Problem(error);
  return ConfigurationForm(v, response.toml());
}

Response ProposeConfiguration(Visit& v) {
  const auto file = v.request.files.find("file");
  std::string toml = file != v.request.files.end() && !file->second.bytes.empty() ? file->second.bytes
                                                                                  : v.request.Field("toml");
  // A browser ends lines in its own way.
  toml.erase(std::remove(toml.begin(), toml.end(), '\r'), toml.end());
  if (toml.size() > kMostToml) {
    v.Fault("toml", v.Say("Deze tekst is te lang: ten hoogste 256 kB."));
    return ConfigurationForm(v, "");
  }
  pb::ProposeConfigurationRequest request;
  request.set_toml(toml);
  if (const auto error = v.Tell<Changes>(&Changes::Stub::ProposeConfiguration, request); !error.ok()) {
    v.Problem(error);
    return ConfigurationForm(v, toml);
  }
  return v.Done("/changes", NowWaits(v));
}

Response ProposeClock(Visit& v) {
  if (const auto error = v.Tell<Changes>(&Changes::Stub::ProposeClock, pb::ProposeClockRequest());
      !error.ok()) {
    v.Problem(error);
    return ShowConfiguration(v);
  }
  return v.Done("/changes", NowWaits(v));
}

// ---- The promises.

std::string PromiseName(const Visit& v, const std::string& name) {
  static const std::map<std::string, const char*> names = {
      {"recording", T("Alles wordt vastgelegd")},
      {"destruction", T("Foto's worden op tijd vernietigd")},
      {"clock", T("De klok loopt goed")},
      {"certificate", T("Het certificaat is geldig")},
      {"publishing", T("Het logboek wordt gepubliceerd")},
      {"witnesses", T("Getuigen tekenen het logboek mee")},
      {"reviews", T("Het logboek wordt nagekeken")},
  };
  const auto it = names.find(name);
  return it == names.end() ? name : v.Say(it->second);
}

Response HealthPage(Visit& v, const std::optional<pb::CreateBackupResponse>& made) {
  const pb::GetHealthResponse health = Health(v);
  View view;
  std::vector<View> rows;
  bool all = health.promises_size() > 0;
  for (const auto& p : health.promises()) {
    View row;
    row.Set("name", PromiseName(v, p.name())).Set("kept", p.kept()).Set("blocks", !p.kept() && p.blocks());
    row.Set("warns", !p.kept() && !p.blocks()).Set("message", v.words.Message(p));
    row.Set("next_step", v.words.NextStep(p));
    row.Set("until", p.has_until() ? v.words.Moment(p.until()) : "");
    all = all && p.kept();
    rows.push_back(std::move(row));
  }
  view.Set("rows", rows)
      .Set("all", all)
      .Set("clock", MayPropose(v) && ClockInDoubt(health))
      .Set("may_backup", MayPropose(v));
  view.Set("made", false);
  if (made) {
    FactList facts;
    facts.Add(v.Say("Naam"), made->id());
    facts.Add(v.Say("Gemaakt"), v.words.Moment(made->made_at()));
    facts.Add(v.Say("Omvang"), v.Say("{n} kB", {{"n", absl::StrCat((made->bytes() + 1023) / 1024)}}));
    facts.Add(v.Say("Regels van het logboek"), absl::StrCat(made->entries()));
    facts.Add(v.Say("Sleutels van dossiers bewaard tot"), v.words.Moment(made->keys_kept_until()));
    view.Set("made", View().Set("facts", facts.views()));
  }
  return v.Page("health", v.Say("Gezondheid"), std::move(view));
}

Response ShowHealth(Visit& v) {
  return HealthPage(v, std::nullopt);
}

Response MakeBackup(Visit& v) {
  pb::CreateBackupResponse response;
  const auto error =
      v.Ask<pb::BackupService>(&pb::BackupService::Stub::CreateBackup, pb::CreateBackupRequest(), &response,
                               std::chrono::duration_cast<std::chrono::milliseconds>(kBackupTakes));
  if (!error.ok()) {
    v.Problem(error);
    return HealthPage(v, std::nullopt);
  }
  return HealthPage(v, response);
}

constexpr Route kRoutes[] = {
    {"GET", "/people", Who::kSignedIn, &ListOfPeople},
    {"POST", "/people", Who::kSignedIn, &ListOfPeople},
    {"GET", "/people/new", Who::kSignedIn, &ShowNewPerson},
    {"POST", "/people/new", Who::kSignedIn, &ProposePerson},
    {"GET", "/people/:person", Who::kSignedIn, &ShowPerson},
    {"GET", "/people/:person/rights", Who::kSignedIn, &ShowRights},
    {"POST", "/people/:person/rights", Who::kSignedIn, &ProposeRights},
    {"GET", "/people/:person/reset", Who::kSignedIn, &ShowReset},
    {"POST", "/people/:person/reset", Who::kSignedIn, &ProposeReset},
    {"GET", "/people/:person/deputy", Who::kSignedIn, &ShowDeputy},
    {"POST", "/people/:person/deputy", Who::kSignedIn, &ProposeDeputy},
    {"GET", "/people/:person/block", Who::kSignedIn, &ShowBlock},
    {"POST", "/people/:person/block", Who::kSignedIn, &Block},
    {"GET", "/stations", Who::kSignedIn, &ListOfStations},
    {"GET", "/stations/new", Who::kSignedIn, &ShowNewStation},
    {"POST", "/stations/new", Who::kSignedIn, &ProposeStation},
    {"GET", "/stations/:station/revoke", Who::kSignedIn, &ShowRevoke},
    {"POST", "/stations/:station/revoke", Who::kSignedIn, &Revoke},
    {"GET", "/changes", Who::kSignedIn, &ListOfChanges},
    {"POST", "/changes/:change/confirm", Who::kSignedIn, &Confirm},
    {"POST", "/changes/:change/reject", Who::kSignedIn, &Reject},
    {"GET", "/configuration", Who::kSignedIn, &ShowConfiguration},
    {"GET", "/configuration/new", Who::kSignedIn, &ShowNewConfiguration},
    {"POST", "/configuration/new", Who::kSignedIn, &ProposeConfiguration},
    {"POST", "/clock", Who::kSignedIn, &ProposeClock},
    {"GET", "/health", Who::kSignedIn, &ShowHealth},
    {"POST", "/health/backup", Who::kSignedIn, &MakeBackup},
    {"GET", "/policy", Who::kSignedIn, &PolicyPage},
};

}  // namespace

std::span<const Route> AdministrationRoutes() {
  return kRoutes;
}

}  // namespace waarborg::station

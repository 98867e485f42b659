// SPDX-License-Identifier: EUPL-1.2
// A new measure on one page, with the guideline beside it; the same page completes a file.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/station/forms.h"
#include "client/station/work.h"
#include "waarborg/v1/bans.grpc.pb.h"

namespace waarborg::station {
namespace {

using Stub = pb::BanService::Stub;
using Service = pb::BanService;

// The core takes ten earlier names at most; this many can be added at a time.
constexpr int kOtherNames = 10, kNewNames = 2;

struct MeasureChoice {
  const char* code;
  const char* label;  // Dutch
  pb::Measure measure;
};
constexpr MeasureChoice kMeasures[] = {
    {"time-out", T("Time-out"), pb::MEASURE_TIME_OUT},
    {"access-ban", T("Toegangsverbod"), pb::MEASURE_ACCESS_BAN},
};

FieldOptions Options(int length, bool optional, const std::string& value, const std::string& hint = "") {
  FieldOptions o;
  o.max_length = length;
  o.optional = optional;
  o.value = value;
  o.hint = hint;
  return o;
}

std::string CodeOf(pb::Measure measure) {
  for (const MeasureChoice& m : kMeasures) {
    if (m.measure == measure) return m.code;
  }
  return "";
}

std::string CodeOf(pb::LegalForm form) {
  return form == pb::LEGAL_FORM_AWB_DECISION ? "awb" : form == pb::LEGAL_FORM_OWNERSHIP ? "ownership" : "";
}

std::string OtherName(int i, const char* part) {
  return absl::StrCat("identity.other_names.", i, ".", part);
}

// ---- Fields.

View NameFields(Visit& v, const std::string& prefix, const pb::PersonName& name, bool optional) {
  const auto field = [&](const char* part, const std::string& label, int length, const std::string& value) {
    FieldOptions o = Options(length, optional, value);
    o.personal = true;
    return TextField(v, absl::StrCat(prefix, part), label, o);
  };
  View fields;
  fields.Set("given_names", field("given_names", v.Say("Voornamen"), 120, name.given_names()));
  fields.Set("prefix", field("prefix", v.Say("Tussenvoegsel"), 20, name.prefix()));
  return fields.Set("surname", field("surname", v.Say("Achternaam"), 120, name.surname()));
}

void SetIdentity(Visit& v, const pb::Identity& who, View& view) {
  view.Set("name", NameFields(v, "identity.name.", who.name(), true));
  view.Set("birth_date", DateField(v, "identity.birth_date", v.Say("Geboortedatum"), who.birth_date(),
                                   Options(10, true, "", v.Say("Laat open wat niet bekend is"))));
  view.Set("established",
           CheckField(v, "identity.established", v.Say("De identiteit staat vast (document gezien)"),
                      who.established(), Options(0, true, "")));
  view.Set("description",
           TextField(v, "identity.description", v.Say("Signalement"),
                     Options(500, true, who.description(),
                             v.Say("Nodig zolang de identiteit niet vaststaat: hoe iemand eruitziet"))));
}

void SetOtherNames(Visit& v, const pb::Identity& who, View& view) {
  std::vector<View> rows;
  const int count = std::min(who.other_names_size() + kNewNames, kOtherNames);
  for (int i = 0; i < count; ++i) {
    const pb::PersonName known = i < who.other_names_size() ? who.other_names(i) : pb::PersonName();
    View row = NameFields(v, absl::StrCat("identity.other_names.", i, "."), known, true);
    row.Set("legend", v.Say("Andere naam {n}", {{"n", absl::StrCat(i + 1)}}));
    rows.push_back(std::move(row));
  }
  view.Set("other_names", rows).Set("has_other_names", !rows.empty());
  view.Set("other_names_open", who.other_names_size() > 0 || !v.Field(OtherName(0, "surname")).empty());
}

void SetGuideline(Visit& v, const std::string& chosen, View& view) {
  std::vector<View> lines;
  for (const auto& ground : v.choices().grounds()) {
    View line;
    line.Set("ground", ground.name()).Set("measure", MeasureText(v, ground.measure()));
    line.Set("scope", GuidelineScopeText(v, ground.scope()))
        .Set("first", MonthsText(v, ground.months_first()));
    line.Set("repeat_terms", MonthsText(v, ground.months_repeat()));
    line.Set("decided_by", ground.decided_by() == pb::ROLE_BOARD_SECRETARIAT
                               ? ground.secretary_advises()
                                     ? v.Say("college, na advies van de gemeentesecretaris")
                                     : v.Say("college")
                               : v.Say("gemeentesecretaris"));
    lines.push_back(line.Set("current", ground.id() == chosen));
  }
  view.Set("guideline", lines).Set("has_guideline", !lines.empty());
}

// A proposal is whole; a file that is there may be completed in steps.
void SetTerms(Visit& v, const pb::Ban& ban, bool whole, View& view) {
  const pb::Terms& terms = ban.terms();
  std::vector<Choice> grounds, measures;
  for (const auto& ground : v.choices().grounds()) grounds.push_back({ground.id(), ground.name(), ""});
  FieldOptions ground;
  ground.value = terms.ground_id();
  ground.optional = !whole;
  // Where the core names no grounds, it still knows them by id.
  view.Set("ground", false).Set("ground_id", false);
  if (grounds.empty()) {
    view.Set("ground_id", TextField(v, "terms.ground_id", v.Say("Grond"), ground));
  } else {
    view.Set("ground", ChoiceField(v, "terms.ground_id", v.Say("Grond"), grounds, ground));
  }
  view.Set("repeat",
           CheckField(v, "terms.repeat_offence", v.Say("Dit is een herhaling"), terms.repeat_offence(),
                      Options(0, true, "", v.Say("De langere termijn van de richtlijn geldt"))));
  for (const MeasureChoice& m : kMeasures) measures.push_back({m.code, v.Say(m.label), ""});
  FieldOptions measure, form;
  measure.value = CodeOf(terms.measure());
  measure.in_row = true;
  measure.optional = form.optional = !whole;
  view.Set("measure", ChoiceField(v, "terms.measure", v.Say("Welke maatregel"), measures, measure));
  View where;
  SetWhere(v, "terms.scope", terms.scope(), where);
  view.Set("where", where);
  FieldOptions from, until;
  from.value = IsoDay(terms.has_from() ? terms.from() : v.Today());
  until.value = IsoDay(terms.until());
  from.optional = until.optional = !whole;
  view.Set("from", DayField(v, "terms.from", v.Say("Eerste dag"), from));
  view.Set("until", DayField(v, "terms.until", v.Say("Laatste dag, tot en met"), until));
  view.Set("departure", TextField(v, "terms.departure_reason", v.Say("Waarom anders dan de richtlijn"),
                                  Options(2000, true, terms.departure_reason(),
                                          v.Say("Alleen als maatregel, plaats of termijn ervan afwijkt"))));
  form.value = CodeOf(terms.legal_form());
  view.Set("legal_form", ChoiceField(v, "terms.legal_form", v.Say("Rechtsvorm"),
                                     {{"awb", LegalFormText(v, pb::LEGAL_FORM_AWB_DECISION), ""},
                                      {"ownership", LegalFormText(v, pb::LEGAL_FORM_OWNERSHIP), ""}},
                                     form));
  view.Set(
      "open_channels",
      TextField(
          v, "open_channels", v.Say("Hoe betrokkene ons blijft bereiken"),
          Options(500, !whole, ban.open_channels(),
                  v.Say("Bijvoorbeeld telefoon, post, afspraak op een andere plek. Nooit alles dicht."))));
  FieldOptions reasons =
      Options(4000, !whole, ban.reasons(), v.Say("Wat, waar en wanneer; ook wat ons eigen aandeel was"));
  reasons.rows = 6;
  view.Set("reasons", TextField(v, "reasons", v.Say("Wat er gebeurde"), reasons));
  view.Set("department", TextField(v, "affected_department", v.Say("Afdeling die het trof"),
                                   Options(100, true, ban.affected_department(),
                                           v.Say("Een leidinggevende daarvan beslist niet over de foto"))));
}

// ---- What was sent.

pb::PersonName ReadName(const Visit& v, const std::string& prefix) {
  pb::PersonName name;
  name.set_given_names(v.Field(prefix + "given_names"));
  name.set_prefix(v.Field(prefix + "prefix"));
  name.set_surname(v.Field(prefix + "surname"));
  return name;
}

void ReadOtherNames(const Visit& v, pb::Identity* who) {
  for (int i = 0; i < kOtherNames; ++i) {
    const pb::PersonName name = ReadName(v, absl::StrCat("identity.other_names.", i, "."));
    if (!name.surname().empty() || !name.given_names().empty()) *who->add_other_names() = name;
  }
}

bool ReadIdentity(Visit& v, pb::Identity* who) {
  *who->mutable_name() = ReadName(v, "identity.name.");
  who->set_established(v.Checked("identity.established"));
  who->set_description(v.Field("identity.description"));
  ReadOtherNames(v, who);
  if (!ReadDate(v, "identity.birth_date", true, who->mutable_birth_date())) return false;
  if (who->birth_date().year() == 0) who->clear_birth_date();
  return true;
}

bool ReadTerms(Visit& v, pb::Terms* terms) {
  terms->set_ground_id(v.Field("terms.ground_id"));
  for (const MeasureChoice& m : kMeasures) {
    if (v.Field("terms.measure") == m.code) terms->set_measure(m.measure);
  }
  *terms->mutable_scope() = ReadScope(v, "terms.scope");
  terms->set_repeat_offence(v.Checked("terms.repeat_offence"));
  terms->set_departure_reason(v.Field("terms.departure_reason"));
  const std::string form = v.Field("terms.legal_form");
  terms->set_legal_form(form == "awb"         ? pb::LEGAL_FORM_AWB_DECISION
                        : form == "ownership" ? pb::LEGAL_FORM_OWNERSHIP
                                              : pb::LEGAL_FORM_UNSPECIFIED);
  // Both are read, so that both are told.
  const bool from = ReadDate(v, "terms.from", false, terms->mutable_from());
  const bool until = ReadDate(v, "terms.until", false, terms->mutable_until());
  return from && until;
}

void Type(Visit& v, const std::string& name, const std::string& value) {
  v.request.form.erase(name);
  if (!value.empty()) v.request.form.emplace(name, value);
}

// Fills in what the guideline says for the ground: the measure, where where it leaves no choice, and the
// shortest term.
void ApplyGuideline(Visit& v) {
  const pb::GroundChoice* ground = FindGround(v, v.Field("terms.ground_id"));
  if (ground == nullptr) {
    v.Fault("terms.ground_id", v.Say("Kies eerst een grond; dan vult de richtlijn de rest in."));
    return;
  }
  Type(v, "terms.measure", CodeOf(ground->measure()));
  if (ground->scope() == pb::GUIDELINE_SCOPE_ALL_MUNICIPAL) {
    Type(v, "terms.scope.all_municipal", "yes");
    Type(v, "terms.scope.location_ids", "");
  } else {
    Type(v, "terms.scope.all_municipal", "");
    if (v.Field("terms.scope.location_ids").empty() &&
        std::any_of(v.choices().locations().begin(), v.choices().locations().end(), [&](const auto& l) {
          return l.id() == v.seat->session.location_id() && l.shares_bans();
        }))
      Type(v, "terms.scope.location_ids", v.seat->session.location_id());
  }
  pb::Date from;
  if (!ReadDate(v, "terms.from", false, &from)) return;
  if (from.year() == 0) {
    from = v.Today();
    Type(v, "terms.from", IsoDay(from));
  }
  const pb::Months& months =
      v.Checked("terms.repeat_offence") ? ground->months_repeat() : ground->months_first();
  Type(v, "terms.until", IsoDay(LastDayOfMonths(from, months.min())));
}

// ---- The page: for a new measure, and for a file that is there.

Response MeasurePage(Visit& v, const pb::Ban& ban) {
  const bool fresh = ban.id().empty();
  const bool decided = ban.state() == pb::BAN_STATE_ACTIVE || ban.state() == pb::BAN_STATE_EXTENDED;
  View view;
  view.Set("ban_id", false).Set("identity", false).Set("terms", false).Set("other_names", false);
  std::string title = v.Say("Nieuwe maatregel");
  if (fresh) {
    view.Set("heading", title)
        .Set("button", v.Say("Maatregel voorstellen"))
        .Set("path", "/new-ban")
        .Set("cancel", "/files");
  } else {
    title = decided ? v.Say("Andere namen toevoegen") : v.Say("Dossier aanvullen");
    SetFileHead(v, ban, FilePath(ban.id()), v.Say("Dossier"), view);
    view.Set("button", v.Say("Opslaan"))
        .Set("path", FilePath(ban.id(), "amend"))
        .Set("cancel", FilePath(ban.id()));
  }
  view.Set("doing", fresh ? "" : title).Set("has_guideline", false).Set("decided", decided);
  view.Set("in_steps", !fresh && !decided);
  if (!decided) {
    View identity, terms;
    SetIdentity(v, ban.identity(), identity);
    view.Set("identity", identity);
    SetTerms(v, ban, fresh, terms);
    // The guideline stands beside the form.
    SetGuideline(v, v.request.method == "POST" ? v.Field("terms.ground_id") : ban.terms().ground_id(), view);
    view.Set("terms", terms);
  }
  SetOtherNames(v, ban.identity(), view);
  if (decided) view.Set("other_names_open", true);
  return v.Page("new_ban", title, std::move(view));
}

}  // namespace

void SetWhere(Visit& v, const std::string& prefix, const pb::Scope& scope, View& view) {
  const std::string all = prefix + ".all_municipal", some = prefix + ".location_ids";
  view.Set("id", FieldId(some)).Set("error", v.FaultAt(prefix));
  FieldOptions o;
  o.optional = true;
  view.Set("all_municipal",
           CheckField(v, all, v.Say("Alle gemeentelijke locaties, ook een die er later bij komt"),
                      scope.all_municipal(), o));
  std::vector<View> locations;
  for (const auto& location : v.choices().locations()) {
    if (!location.shares_bans()) continue;
    const bool chosen = std::find(scope.location_ids().begin(), scope.location_ids().end(), location.id()) !=
                        scope.location_ids().end();
    locations.push_back(OneOfField(v, some, {location.id(), location.name(), ""}, chosen));
  }
  view.Set("locations", locations);
}

pb::Scope ReadScope(const Visit& v, const std::string& prefix) {
  pb::Scope scope;
  scope.set_all_municipal(v.Checked(prefix + ".all_municipal"));
  for (const std::string& id : v.request.Fields(prefix + ".location_ids")) scope.add_location_ids(id);
  return scope;
}

Response ShowNewBan(Visit& v) {
  return MeasurePage(v, {});
}

Response ProposeBan(Visit& v) {
  if (v.Field("do") == "guideline") {
    ApplyGuideline(v);
    return ShowNewBan(v);
  }
  pb::ProposeBanRequest request;
  request.set_idempotency_key(v.Key());
  const bool identity = ReadIdentity(v, request.mutable_identity());
  if (!ReadTerms(v, request.mutable_terms()) || !identity) return ShowNewBan(v);
  request.set_reasons(v.Field("reasons"));
  request.set_affected_department(v.Field("affected_department"));
  request.set_open_channels(v.Field("open_channels"));
  pb::ProposeBanResponse response;
  if (const auto error = v.Ask<Service>(&Stub::ProposeBan, request, &response); !error.ok()) {
    v.Problem(error);
    return ShowNewBan(v);
  }
  return v.Done(FilePath(response.receipt().id()),
                v.Say("Het voorstel is vastgelegd. Het ligt nu bij wie adviseert of beslist; niemand wordt "
                      "er nog op geweigerd."));
}

Response ShowAmend(Visit& v) {
  pb::Ban ban;
  if (!ReadFile(v, &ban)) return NoFile(v);
  return MeasurePage(v, ban);
}

Response Amend(Visit& v) {
  if (v.Field("do") == "guideline") {
    ApplyGuideline(v);
    return ShowAmend(v);
  }
  pb::AmendBanRequest request;
  request.set_ban_id(v.Part("ban"));
  if (v.Checked("only_names")) {
    // The rest of who it is stays as it stands.
    pb::Ban ban;
    if (!ReadFile(v, &ban)) return NoFile(v);
    *request.mutable_identity() = ban.identity();
    request.mutable_identity()->clear_other_names();
    ReadOtherNames(v, request.mutable_identity());
  } else {
    if (!ReadIdentity(v, request.mutable_identity())) return ShowAmend(v);
    // Without a ground the terms stay open.
    if (!v.Field("terms.ground_id").empty() && !ReadTerms(v, request.mutable_terms())) return ShowAmend(v);
    request.set_reasons(v.Field("reasons"));
    request.set_affected_department(v.Field("affected_department"));
    request.set_open_channels(v.Field("open_channels"));
  }
  if (const auto error = v.Tell<Service>(&Stub::AmendBan, request); !error.ok()) {
    v.Problem(error);
    return ShowAmend(v);
  }
  return v.Done(FilePath(v.Part("ban")), v.Say("Het dossier is bijgewerkt."));
}

}  // namespace waarborg::station

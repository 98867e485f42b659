// SPDX-License-Identifier: EUPL-1.2
// What is done with a file in one short form: a table of forms, shown on one page. Beside the form stands
// what it is about.
#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "client/station/forms.h"
#include "client/station/work.h"
#include "waarborg/v1/bans.grpc.pb.h"
#include "waarborg/v1/releases.grpc.pb.h"

namespace waarborg::station {
namespace {

using Bans = pb::BanService;
using Photos = pb::PhotoReleaseService;
using Fields = std::vector<View>;

// A field as act.mustache draws it: as_text, as_area, as_day, as_select, as_radio or as_check.
View As(const char* kind, View field) {
  View one;
  one.Set(kind, field);
  return one;
}

View Area(const Visit& v, const char* name, const std::string& label, const std::string& hint, int length,
          bool optional = false) {
  FieldOptions o;
  o.hint = hint;
  o.max_length = length;
  o.optional = optional;
  o.rows = 5;
  return As("as_area", TextField(v, name, label, o));
}

bool IsBoards(Visit& v, const pb::Ban& ban) {
  if (ban.has_decision()) return ban.decision().level() == pb::ROLE_BOARD_SECRETARIAT;
  const pb::GroundChoice* ground = FindGround(v, ban.terms().ground_id());
  return ground == nullptr ? v.Has(pb::ROLE_BOARD_SECRETARIAT)
                           : ground->decided_by() == pb::ROLE_BOARD_SECRETARIAT;
}

// The papers of a decision of the board; of the secretary's own it is today, without a number.
void AddDecision(Visit& v, const pb::Ban& ban, Fields& fields) {
  if (!IsBoards(v, ban)) return;
  FieldOptions number, day;
  number.max_length = 40;
  number.hint = v.Say("Zoals het op het collegebesluit staat");
  day.value = IsoDay(v.Today());
  fields.push_back(As("as_text", TextField(v, "decision_number", v.Say("Nummer van het besluit"), number)));
  fields.push_back(As("as_day", DayField(v, "decision_date", v.Say("Datum van het besluit"), day)));
}

template <class Request>
bool ReadDecision(Visit& v, Request& request) {
  request.set_ban_id(v.Part("ban"));
  request.set_decision_number(v.Field("decision_number"));
  pb::Date date;
  if (!ReadDate(v, "decision_date", false, &date)) return false;
  if (date.year() != 0) *request.mutable_decision_date() = date;
  return true;
}

// ---- The forms. `send` returns what the core said; nothing when a field was wrong before it was asked.

using Sent = std::optional<client::Error>;

Fields AdviseFields(Visit& v, const pb::Ban& ban) {
  FieldOptions o;
  o.hint = v.Say("Over de termijn en de uitsluiting");
  o.max_length = 4000;
  o.rows = 6;
  o.value = ban.advice();
  return {As("as_area", TextField(v, "advice", v.Say("Advies"), o))};
}
Sent SendAdvice(Visit& v) {
  pb::AdviseBanRequest request;
  request.set_ban_id(v.Part("ban"));
  request.set_advice(v.Field("advice"));
  return v.Tell<Bans>(&Bans::Stub::AdviseBan, request);
}

Fields DecideFields(Visit& v, const pb::Ban& ban) {
  Fields fields;
  AddDecision(v, ban, fields);
  return fields;
}
Sent SendDecision(Visit& v) {
  pb::DecideBanRequest request;
  if (!ReadDecision(v, request)) return std::nullopt;
  request.set_approve(v.Field("do") == "approve");
  return v.Tell<Bans>(&Bans::Stub::DecideBan, request);
}

Fields ExtendFields(Visit& v, const pb::Ban& ban) {
  FieldOptions day;
  day.min = IsoDay(ban.terms().until());
  day.hint = v.Say("Nu tot en met {day}", {{"day", v.words.Day(ban.terms().until())}});
  Fields fields = {As("as_day", DayField(v, "until", v.Say("Nieuwe laatste dag"), day)),
                   Area(v, "reason", v.Say("Waarom verlengen"), "", 2000)};
  AddDecision(v, ban, fields);
  return fields;
}
Sent SendExtension(Visit& v) {
  pb::ExtendBanRequest request;
  if (!ReadDecision(v, request) || !ReadDate(v, "until", false, request.mutable_until())) return std::nullopt;
  request.set_reason(v.Field("reason"));
  return v.Tell<Bans>(&Bans::Stub::ExtendBan, request);
}

Fields LiftFields(Visit& v, const pb::Ban& ban) {
  Fields fields = {Area(v, "reason", v.Say("Waarom opheffen"), "", 2000)};
  AddDecision(v, ban, fields);
  return fields;
}
Sent SendLift(Visit& v) {
  pb::LiftBanRequest request;
  if (!ReadDecision(v, request)) return std::nullopt;
  request.set_reason(v.Field("reason"));
  return v.Tell<Bans>(&Bans::Stub::LiftBan, request);
}

Fields InformFields(Visit& v, const pb::Ban&) {
  FieldOptions how, on;
  how.value = "talk";
  on.value = IsoDay(v.Today());
  on.max = IsoDay(v.Today());
  return {As("as_radio", ChoiceField(v, "how", v.Say("Hoe"),
                                     {{"talk", v.Say("In het STOP-gesprek"), ""},
                                      {"letter", v.Say("In de bevestigingsbrief"),
                                       v.Say("Als het gesprek niet is doorgegaan")}},
                                     how)),
          As("as_day", DayField(v, "on", v.Say("Op welke dag"), on))};
}
Sent SendInformed(Visit& v) {
  pb::RecordInformedRequest request;
  request.set_ban_id(v.Part("ban"));
  request.set_how(v.Field("how") == "talk"     ? pb::INFORMED_HOW_STOP_TALK
                  : v.Field("how") == "letter" ? pb::INFORMED_HOW_LETTER
                                               : pb::INFORMED_HOW_UNSPECIFIED);
  if (!ReadDate(v, "on", false, request.mutable_on())) return std::nullopt;
  return v.Tell<Photos>(&Photos::Stub::RecordInformed, request);
}

Fields DarkenFields(Visit& v, const pb::Ban&) {
  return {Area(v, "reason", v.Say("Waarom"), v.Say("Zonder namen"), 2000)};
}
Sent SendDarken(Visit& v) {
  pb::DarkenPhotoRequest request;
  request.set_ban_id(v.Part("ban"));
  request.set_reason(v.Field("reason"));
  return v.Tell<Photos>(&Photos::Stub::DarkenPhoto, request);
}
Sent SendRestore(Visit& v) {
  pb::RestorePhotoRequest request;
  request.set_ban_id(v.Part("ban"));
  request.set_reason(v.Field("reason"));
  return v.Tell<Photos>(&Photos::Stub::RestorePhoto, request);
}

Fields ObjectionFields(Visit& v, const pb::Ban&) {
  return {Area(v, "reasons", v.Say("Motivering"), v.Say("Nodig bij gegrond en bij ongegrond"), 4000)};
}
Sent SendObjection(Visit& v) {
  pb::DecidePhotoObjectionRequest request;
  request.set_ban_id(v.Part("ban"));
  request.set_upheld(v.Field("do") == "uphold");
  request.set_reasons(v.Field("reasons"));
  return v.Tell<Photos>(&Photos::Stub::DecidePhotoObjection, request);
}

// The units that still have to answer: from this person's tasks, and for T&V from the file.
Fields CopiesFields(Visit& v, const pb::Ban& ban) {
  std::vector<Choice> units;
  const auto add = [&](const std::string& id) {
    if (std::none_of(units.begin(), units.end(), [&](const Choice& c) { return c.code == id; }))
      units.push_back({id, UnitName(v, id), ""});
  };
  for (const auto& task : TasksAbout(v, v.Part("ban"))) {
    if (task.kind() == pb::TASK_KIND_CONFIRM_COPIES_GONE) add(task.unit_id());
  }
  const bool for_others = v.Has(pb::ROLE_SECURITY_COORDINATOR);
  for (const auto& check : ban.release().copies()) {
    if (for_others && check.confirmed_by().empty()) add(check.unit_id());
  }
  if (units.empty()) return {};
  FieldOptions unit, found;
  if (units.size() == 1) unit.value = units[0].code;
  Fields fields = {
      As("as_radio", ChoiceField(v, "unit_id", v.Say("Voor welke groep"), units, unit)),
      As("as_radio", ChoiceField(v, "copies_found", v.Say("Wat is er gevonden"),
                                 {{"no", v.Say("Niets: er was geen kopie"), ""},
                                  {"yes", v.Say("Er waren kopieën, en die zijn vernietigd"), ""}},
                                 found))};
  fields.push_back(
      Area(v, "note", v.Say("Toelichting"),
           for_others
               ? v.Say("Namens een groep: van wie u het hebt gehoord, en hoe. Zonder namen van betrokkenen.")
               : v.Say("Zonder namen"),
           2000, !for_others));
  return fields;
}
Sent SendCopiesGone(Visit& v) {
  pb::ConfirmCopiesGoneRequest request;
  request.set_ban_id(v.Part("ban"));
  request.set_unit_id(v.Field("unit_id"));
  request.set_copies_found(v.Field("copies_found") == "yes");
  request.set_note(v.Field("note"));
  if (v.Field("copies_found").empty()) {
    v.Fault("copies_found", v.Say("Kies wat er is gevonden."));
    return std::nullopt;
  }
  return v.Tell<Photos>(&Photos::Stub::ConfirmCopiesGone, request);
}

Fields HandOverFields(Visit& v, const pb::Ban&) {
  FieldOptions o;
  o.max_length = 100;
  o.hint = v.Say("Het kenmerk in het archief of zaaksysteem, zonder namen");
  return {As("as_text", TextField(v, "reference", v.Say("Kenmerk"), o))};
}
Sent SendHandOver(Visit& v) {
  pb::HandOverFileRequest request;
  request.set_ban_id(v.Part("ban"));
  request.set_reference(v.Field("reference"));
  return v.Tell<Bans>(&Bans::Stub::HandOverFile, request);
}

struct Form {
  const char* name;   // last part of the path
  const char* title;  // Dutch, as all below
  const char* intro;  // what it means
  Fields (*fields)(Visit&, const pb::Ban&);
  Sent (*send)(Visit&);
  const char* button;
  const char* code;  // what the button sends as `do`
  bool danger;
  const char* done;
  const char* other_button;  // a second way out, or null
  const char* other_code;
  const char* other_done;
};

constexpr Form kForms[] = {
    {"advise", T("Advies aan het college"),
     T("Het college beslist; uw advies staat erbij. Verandert het dossier daarna nog, dan is een nieuw "
       "advies nodig."),
     &AdviseFields, &SendAdvice, T("Advies vastleggen"), "advise", false,
     T("Uw advies is vastgelegd. Het voorstel ligt nu bij wie beslist."), nullptr, nullptr, nullptr},
    {"decide", T("Besluit"),
     T("Lees eerst het dossier. Neemt u de maatregel, dan geldt zij vanaf de eerste dag die erin staat. "
       "Wijst u af, dan is het dossier gesloten."),
     &DecideFields, &SendDecision, T("Maatregel nemen"), "approve", false,
     T("Het besluit is vastgelegd. De balies zien de maatregel vanaf de eerste dag."), T("Voorstel afwijzen"),
     "reject", T("Het voorstel is afgewezen en het dossier is gesloten.")},
    {"inform", T("Betrokkene geïnformeerd"),
     T("Leg vast dat betrokkene weet dat er een foto kan worden gebruikt, wanneer die wordt vernietigd en "
       "wat een verlenging betekent."),
     &InformFields, &SendInformed, T("Vastleggen"), "inform", false,
     T("Vastgelegd. Toezicht en Veiligheid kan nu toestemming voor de foto vragen."), nullptr, nullptr,
     nullptr},
    {"darken", T("Foto verduisteren"),
     T("Niemand ziet de foto meer, meteen, totdat u haar weer toont. De maatregel blijft gelden."),
     &DarkenFields, &SendDarken, T("Foto verduisteren"), "darken", true, T("Niemand ziet de foto nog."),
     nullptr, nullptr, nullptr},
    {"restore", T("Foto weer tonen"), T("Wie de foto mocht zien, ziet haar daarna weer."), &DarkenFields,
     &SendRestore, T("Foto weer tonen"), "restore", false,
     T("De foto is weer te zien voor wie haar mocht zien."), nullptr, nullptr, nullptr},
    {"objection", T("Bezwaar tegen de foto (AVG art. 21)"),
     T("Gegrond: de foto wordt vernietigd en er komt geen andere; de maatregel blijft gelden. Ongegrond: de "
       "foto blijft in gebruik."),
     &ObjectionFields, &SendObjection, T("Ongegrond verklaren"), "dismiss", false,
     T("Vastgelegd: het bezwaar is ongegrond."), T("Gegrond: foto vernietigen"), "uphold",
     T("Vastgelegd: het bezwaar is gegrond. De foto wordt vernietigd.")},
    {"extend", T("Verlengen"),
     T("Een nieuw besluit met een latere laatste dag. Een foto blijft dan langer in gebruik; betrokkene "
       "hoort dat te weten."),
     &ExtendFields, &SendExtension, T("Verlengen"), "extend", false, T("De maatregel is verlengd."), nullptr,
     nullptr, nullptr},
    {"lift", T("Opheffen"),
     T("Betrokkene mag meteen weer naar binnen. Een foto wordt vernietigd. Dit kan niet worden "
       "teruggedraaid."),
     &LiftFields, &SendLift, T("Maatregel opheffen"), "lift", true, T("De maatregel is opgeheven."), nullptr,
     nullptr, nullptr},
    {"copies", T("Geen kopie van de foto meer"),
     T("De foto is vernietigd. Kijk na of er in de groep nog iets van is: een afdruk, een schermfoto, een "
       "bericht. Vernietig wat u vindt."),
     &CopiesFields, &SendCopiesGone, T("Bevestigen"), "confirm", false, T("Dank u. Het is vastgelegd."),
     nullptr, nullptr, nullptr},
    {"hand-over", T("Dossier overdragen"),
     T("Leg vast dat het dossier in het archief of zaaksysteem staat. Aan het einde van zijn termijn wordt "
       "het hier vernietigd."),
     &HandOverFields, &SendHandOver, T("Vastleggen"), "hand-over", false,
     T("Vastgelegd: het dossier is overgedragen."), nullptr, nullptr, nullptr},
};

const Form& FormOf(const Visit& v) {
  const std::string& path = v.request.path;
  const std::string name = path.substr(path.rfind('/') + 1);
  // Each of their routes ends in the name of one.
  return *std::find_if(std::begin(kForms), std::end(kForms) - 1,
                       [&](const Form& f) { return name == f.name; });
}

View Button(const std::string& label, const char* code, bool primary, bool danger) {
  View button;
  button.Set("label", label).Set("code", code).Set("primary", primary).Set("danger", danger);
  return button;
}

// A page with a form and without a file.
Response Plain(Visit& v, const char* path, const std::string& title, const std::string& intro,
               const Fields& fields, View button, View view) {
  view.Set("ban_id", false)
      .Set("heading", title)
      .Set("doing", false)
      .Set("intro", intro)
      .Set("fields", fields);
  view.Set("path", path)
      .Set("buttons", std::vector<View>{std::move(button)})
      .Set("cancel", "/files")
      .Set("has_buttons", true);
  view.Set("about", false);
  return v.Page("act", title, std::move(view));
}

}  // namespace

Response ShowAction(Visit& v) {
  const Form& form = FormOf(v);
  const std::string id = v.Part("ban");
  View view;
  pb::Ban ban;
  // Who confirms for a unit at a desk may not open the file, and needs nothing of it.
  const bool without_file = form.fields == &CopiesFields && !v.Has(pb::ROLE_SECURITY_COORDINATOR);
  if (without_file) {
    View back;
    view.Set("back", back.Set("path", "/tasks").Set("label", v.Say("Mijn taken"))).Set("ban_id", id);
    view.Set("heading", v.Say(form.title))
        .Set("private_heading", false)
        .Set("state", false)
        .Set("doing", false);
    view.Set("about", false).Set("cancel", "/tasks");
  } else {
    if (!ReadFile(v, &ban)) return NoFile(v);
    SetFileHead(v, ban, FilePath(id), v.Say("Dossier"), view);
    View about;
    about.Set("facts", MeasureFacts(v, ban).views())
        .Set("reasons", ban.reasons())
        .Set("parts", FileParts(v, ban));
    view.Set("doing", v.Say(form.title)).Set("about", about).Set("cancel", FilePath(id));
  }
  const Fields fields = form.fields(v, ban);
  view.Set("intro", v.Say(form.intro)).Set("fields", fields).Set("path", v.request.path);
  std::vector<View> buttons;
  // Nothing to fill in means: nothing to answer for.
  if (!(form.fields == &CopiesFields && fields.empty())) {
    buttons.push_back(Button(v.Say(form.button), form.code, !form.danger, form.danger));
    if (form.other_button != nullptr)
      buttons.push_back(Button(v.Say(form.other_button), form.other_code, false, true));
  } else {
    view.Set("intro", v.Say("Hier wacht niets op u."));
  }
  view.Set("buttons", buttons).Set("has_buttons", !buttons.empty());
  return v.Page("act", v.Say(form.title), std::move(view));
}

Response DoAction(Visit& v) {
  const Form& form = FormOf(v);
  const Sent sent = form.send(v);
  if (!sent || !sent->ok()) {
    if (sent) v.Problem(*sent);
    return ShowAction(v);
  }
  const bool other = form.other_code != nullptr && v.Field("do") == form.other_code;
  const std::string done = v.Say(other ? form.other_done : form.done);
  // Who may not open the file goes back to the tasks.
  const bool without_file = form.send == &SendCopiesGone && !v.Has(pb::ROLE_SECURITY_COORDINATOR);
  return v.Done(without_file ? "/tasks" : FilePath(v.Part("ban")), done);
}

// ---- An alert: what somebody looks like, when nobody knows who it is.

Response ShowAlert(Visit& v) {
  View where;
  SetWhere(v, "scope", {}, where);
  FieldOptions until;
  const int days = v.choices().terms().alert_max_days();
  if (days > 0) until.hint = v.Say("Ten hoogste {n} dagen", {{"n", absl::StrCat(days)}});
  until.min = IsoDay(v.Today());
  const Fields fields = {
      Area(v, "description", v.Say("Signalement"), v.Say("Hoe iemand eruitziet, zonder oordeel"), 500),
      As("as_where", std::move(where)), As("as_day", DayField(v, "until", v.Say("Hangt tot en met"), until)),
      Area(v, "reasons", v.Say("Wat er gebeurde"), "", 4000)};
  return Plain(v, "/alert", v.Say("Signalement verspreiden"),
               v.Say("De balies die u kiest weten dan naar wie zij uitkijken. Het is geen verbod: niemand "
                     "wordt erop geweigerd."),
               fields, Button(v.Say("Verspreiden"), "alert", true, false), View());
}

Response RaiseAlert(Visit& v) {
  pb::RaiseAlertRequest request;
  request.set_idempotency_key(v.Key());
  request.set_description(v.Field("description"));
  *request.mutable_scope() = ReadScope(v, "scope");
  request.set_reasons(v.Field("reasons"));
  if (!ReadDate(v, "until", false, request.mutable_until())) return ShowAlert(v);
  pb::RaiseAlertResponse response;
  if (const auto error = v.Ask<Bans>(&Bans::Stub::RaiseAlert, request, &response); !error.ok()) {
    v.Problem(error);
    return ShowAlert(v);
  }
  return v.Done(FilePath(response.receipt().id()), v.Say("Het signalement is verspreid."));
}

// ---- Denying on the spot, away from a desk.

Response ShowDenyNow(Visit& v) {
  const std::string where = LocationName(v, v.seat->session.location_id());
  return Plain(v, "/deny", v.Say("Toegang direct ontzeggen"),
               v.Say("De ontzegging geldt meteen bij {where}, en vervalt als zij niet op tijd wordt "
                     "bevestigd. Wie het is en wat er gebeurde vult u daarna in.",
                     {{"where", where}}),
               {}, Button(v.Say("Nu ontzeggen"), "deny", false, true), View());
}

Response DenyNow(Visit& v) {
  pb::DenyOnTheSpotRequest request;
  request.set_idempotency_key(v.Key());
  pb::DenyOnTheSpotResponse response;
  if (const auto error = v.Ask<Bans>(&Bans::Stub::DenyOnTheSpot, request, &response); !error.ok()) {
    v.Problem(error);
    return ShowDenyNow(v);
  }
  return v.Done(FilePath(response.receipt().id(), "amend"),
                v.Say("De toegang is ontzegd, met ingang van nu, tot {when} tenzij het wordt bevestigd.",
                      {{"when", v.words.Moment(response.lapses_at())}}));
}

}  // namespace waarborg::station

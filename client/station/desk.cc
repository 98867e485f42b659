// SPDX-License-Identifier: EUPL-1.2
// The desk: checking a visitor, the photo, the demands to leave, denying on the spot, the briefing.
#include "client/station/desk.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/station/forms.h"
#include "client/station/station.h"
#include "client/station/visitor.h"
#include "waarborg/v1/bans.grpc.pb.h"
#include "waarborg/v1/checks.grpc.pb.h"

namespace waarborg::station {
namespace {

using Stub = pb::CheckService::Stub;
using Service = pb::CheckService;

// While somebody waits at the desk: after this it is "cannot check".
constexpr auto kAtDesk = std::chrono::milliseconds(3000);

std::string MeasureName(const pb::Match& m, const Words& words) {
  if (m.provisional()) return words.Say("Directe ontzegging");
  switch (m.measure()) {
    case pb::MEASURE_ACCESS_BAN:
      return words.Say("Toegangsverbod");
    case pb::MEASURE_TIME_OUT:
      return words.Say("Time-out");
    default:
      return words.Say("Signalement");
  }
}

void SetPerson(View& view, const pb::Match& m) {
  view.Set("name", FullName(m.name())).Set("description", m.name().surname().empty() ? m.description() : "");
}

DeskPlace Here(Visit& v) {
  DeskPlace place;
  place.location.set_max_demands(3);
  for (const auto& location : v.choices().locations()) {
    if (location.id() == v.seat->session.location_id()) place.location = location;
  }
  place.demand = v.choices().demand();
  return place;
}

// What one touch can record, in the order of the procedure.
struct Touch {
  pb::DemandStep step;
  const char* code;
  const char* label;  // Dutch
  const char* key;
  bool ends;
};
constexpr Touch kTouches[] = {
    {pb::DEMAND_STEP_FIRST, "demand-1", T("Eerste vordering"), "1", false},
    {pb::DEMAND_STEP_SECOND, "demand-2", T("Tweede vordering"), "2", false},
    {pb::DEMAND_STEP_THIRD, "demand-3", T("Derde vordering"), "3", false},
    {pb::DEMAND_STEP_POLICE_CALLED, "police", T("Politie gebeld"), "P", false},
    {pb::DEMAND_STEP_LEFT, "left", T("Vertrokken"), "V", true},
    {pb::DEMAND_STEP_REMOVED, "removed", T("Verwijderd door politie"), "W", true},
};

// The touches of a ban: what was recorded, and what can be recorded next.
std::vector<View> Touches(const Words& words, const pb::OpenBreach* breach, int max_demands) {
  std::vector<View> out;
  const int demands = breach == nullptr ? 0 : breach->demands();
  bool first_open = true;
  for (const Touch& touch : kTouches) {
    const int number = touch.step <= pb::DEMAND_STEP_THIRD ? static_cast<int>(touch.step) : 0;
    if (number > max_demands) continue;
    const bool done = number > 0 ? number <= demands
                                 : breach != nullptr && touch.step == pb::DEMAND_STEP_POLICE_CALLED &&
                                       breach->police_called();
    // Without a breach the first demand begins one, and so does calling the police; nobody has left yet.
    const bool can = breach == nullptr ? number == 1 || touch.step == pb::DEMAND_STEP_POLICE_CALLED
                                       : std::find(breach->next().begin(), breach->next().end(),
                                                   touch.step) != breach->next().end();
    if (!done && !can) continue;
    View view;
    view.Set("code", touch.code).Set("label", words.Say(touch.label)).Set("key", touch.key).Set("done", done);
    view.Set("end", touch.ends).Set("next", !done && can && first_open && !touch.ends);
    if (!done && can && !touch.ends) first_open = false;
    out.push_back(std::move(view));
  }
  return out;
}

// An answer of this kind, with every name that desk_answer.mustache asks for.
View Answer(const std::string& kind) {
  View answer;
  for (const char* other : {"clear", "banned", "possible", "expected", "unknown"})
    answer.Set(other, kind == other);
  for (const char* name :
       {"measure", "until", "ban_id", "person", "steps", "numbers", "demand", "events", "photo", "candidates",
        "appointment", "contact", "why", "ended", "refused", "provisional", "more", "typed_wrong"}) {
    answer.Set(name, false);
  }
  answer.Set("kind", kind);
  return answer;
}

// What the photo of a ban is asked for with.
View PhotoOf(const std::string& ban, bool large) {
  View photo;
  for (const char* name : {"path", "refused", "instruction_first"}) photo.Set(name, false);
  photo.Set("ban_id", ban).Set("seconds", "30").Set("large", large);
  return photo;
}

// What the answer shows of somebody who may not enter.
View Banned(const Words& words, const DeskPlace& here, const pb::Match& m) {
  View answer = Answer("banned");
  answer.Set("measure", MeasureName(m, words)).Set("ban_id", m.ban_id());
  if (m.has_until()) answer.Set("until", words.Day(m.until()));
  answer.Set("provisional", m.provisional());
  View person;
  SetPerson(person, m);
  answer.Set("person", person);
  std::vector<View> steps;
  for (const std::string& step : m.steps()) steps.push_back(View().Set("text", step));
  answer.Set("steps", steps);
  std::vector<View> numbers;
  numbers.push_back(
      View().Set("label", words.Say("Alarmnummer")).Set("number", "112").Set("path", "tel:112"));
  if (!here.location.phone().empty()) {
    View phone;
    numbers.push_back(phone.Set("label", words.Say("Toezicht en Veiligheid"))
                          .Set("number", here.location.phone())
                          .Set("path", TelephonePath(here.location.phone())));
  }
  answer.Set("numbers", numbers);
  if (!here.demand.empty()) answer.Set("demand", View().Set("text", here.demand));
  answer.Set("events", Touches(words, m.has_breach() ? &m.breach() : nullptr, here.location.max_demands()));
  if (m.photo_available()) answer.Set("photo", PhotoOf(m.ban_id(), false));
  return answer;
}

View Possible(const Words& words, const pb::CheckVisitorResponse& response) {
  View answer = Answer("possible");
  answer.Set("more", response.more());
  std::vector<View> candidates;
  for (const auto& m : response.matches()) {
    View one;
    SetPerson(one, m);
    one.Set("ban_id", m.ban_id())
        .Set("measure", MeasureName(m, words))
        .Set("photo_available", m.photo_available());
    one.Set("until", m.has_until() ? words.Day(m.until()) : "");
    candidates.push_back(std::move(one));
  }
  answer.Set("candidates", candidates);
  return answer;
}

// Any error of a check: it says nothing about the visitor.
View CannotCheck() {
  return Answer("unknown");
}

// The desk, with an answer or without.
Response Desk(Visit& v, std::optional<View> answer, const std::string& query = "",
              const std::string& query_error = "") {
  if (v.fragment() && answer) return v.Fragment("desk_answer", std::move(*answer));
  View view;
  if (answer) view.Set("answer", *answer);
  return DeskPage(v, std::move(view), query, query_error);
}

pb::Purpose PurposeOf(const Visit& v) {
  return v.Field("purpose") == "sighting" ? pb::PURPOSE_SIGHTING : pb::PURPOSE_VISITOR_AT_DESK;
}

// Asks the core, and makes the answer of what it says.
View Checked(Visit& v, pb::CheckVisitorRequest request, client::Error& error) {
  request.set_purpose(PurposeOf(v));
  pb::CheckVisitorResponse response;
  error = v.Ask<Service>(&Stub::CheckVisitor, request, &response, kAtDesk);
  return error.ok() ? DeskAnswer(response, Here(v), v.words) : CannotCheck();
}

// Faults in what was typed are for the person who typed; everything else is "cannot check", with the reason.
Response AnswerTo(Visit& v, const pb::CheckVisitorRequest& request, const std::string& typed = "") {
  client::Error error;
  View answer = Checked(v, request, error);
  if (!error.ok()) {
    const std::string why = v.words.Whole(error.detail);
    if (error.code == grpc::StatusCode::INVALID_ARGUMENT && !v.fragment())
      return Desk(v, std::nullopt, typed, why);
    answer.Set("why", why);
    answer.Set("typed_wrong", error.code == grpc::StatusCode::INVALID_ARGUMENT);
  }
  return Desk(v, std::move(answer));
}

Response Show(Visit& v) {
  return Desk(v, std::nullopt);
}

Response Check(Visit& v) {
  pb::CheckVisitorRequest request;
  const std::string typed = v.Field("visitor");
  if (const std::string wrong = ReadVisitor(typed, request); !wrong.empty()) {
    if (!v.fragment()) return Desk(v, std::nullopt, typed, v.Say(wrong));
    View answer = CannotCheck();
    answer.Set("why", v.Say(wrong)).Set("typed_wrong", true);
    return Desk(v, std::move(answer));
  }
  return AnswerTo(v, request, typed);
}

// Somebody on the list, or one of the possible ones that a document settled.
Response Open(Visit& v) {
  pb::CheckVisitorRequest request;
  request.set_ban_id(v.Field("ban_id"));
  return AnswerTo(v, request);
}

// ---- The photo.

Response ShowPhoto(Visit& v, const std::string& ban, pb::Purpose purpose, bool large) {
  pb::ShowPhotoRequest request;
  request.set_ban_id(ban);
  request.set_purpose(purpose);
  std::string jpeg;
  const auto error = v.Receive<pb::ShowPhotoResponse>(
      [&](grpc::ClientContext& context) {
        return pb::CheckService::NewStub(v.CoreConnection().channel())->ShowPhoto(&context, request);
      },
      jpeg);
  View photo = PhotoOf(ban, large);
  if (error.ok()) {
    photo.Set("path", "/photo/" + v.seat->HoldPhoto(std::move(jpeg), v.station.random()));
  } else {
    photo.Set("refused", v.words.Message(error.detail));
    photo.Set("instruction_first", error.rule() == "instruction-not-acknowledged");
  }
  if (v.fragment()) return v.Fragment("desk_photo", std::move(photo));
  // Without script: the answer again, with the photo in it.
  pb::CheckVisitorRequest again;
  again.set_ban_id(ban);
  client::Error checked;
  View answer = Checked(v, again, checked);
  answer.Set("photo", photo);
  return Desk(v, std::move(answer));
}

Response Photo(Visit& v) {
  const bool briefing = v.Field("purpose") == "briefing";
  return ShowPhoto(v, v.Field("ban_id"), briefing ? pb::PURPOSE_BRIEFING : PurposeOf(v), briefing);
}

Response PhotoBytes(Visit& v) {
  Response out;
  out.body = v.seat->TakePhoto(v.Part("name"));
  if (out.body.empty()) return Response::Plain(404, "gone\n");
  out.content_type = "image/jpeg";
  out.wipe = true;
  return out;
}

Response Match(Visit& v) {
  const std::string what = v.Field("do");
  if (what == "photo") return Photo(v);
  if (what == "confirm") return Open(v);
  if (!v.fragment()) return Response::Redirect("/desk");
  return Desk(v, Answer("clear"));
}

// ---- The demands to leave.

Response Log(Visit& v) {
  pb::RecordDemandRequest request;
  request.set_idempotency_key(v.Key());
  request.set_ban_id(v.Field("ban_id"));
  const auto touch = TouchOf(v.Field("event"));
  if (touch) {
    request.set_step(touch->step);
    // The touches of one form have its key together, and each is a command of its own.
    request.mutable_idempotency_key()->back() = "0123456789abcdef"[touch->place];
  }
  const bool ends = touch && touch->ends;
  pb::RecordDemandResponse response;
  const auto error = v.Ask<Service>(&Stub::RecordDemand, request, &response);
  View log =
      DeskLogView(request.ban_id(), response.has_breach() ? &response.breach() : nullptr, Here(v), v.words);
  if (!error.ok()) {
    v.Problem(error);
    log.Set("refused", v.words.Message(error.detail));
  }
  if (error.ok() && ends) log.Set("ended", true).Set("events", false);
  if (v.fragment()) return v.Fragment("desk_log", std::move(log));
  if (error.ok() && ends) return v.Done("/desk", v.Say("Vastgelegd. De overtreding is gemeld."));
  return Open(v);
}

// ---- Denying on the spot: one action; the rest afterwards.

Response Deny(Visit& v) {
  pb::DenyOnTheSpotRequest request;
  request.set_idempotency_key(v.Key());
  pb::DenyOnTheSpotResponse response;
  const auto error = v.Ask<pb::BanService>(&pb::BanService::Stub::DenyOnTheSpot, request, &response);
  if (!error.ok()) {
    v.Problem(error);
    return Desk(v, std::nullopt);
  }
  return v.Done(absl::StrCat("/desk/denial/", response.receipt().id()),
                v.Say("De toegang is ontzegd, met ingang van nu, tot {when} tenzij het wordt bevestigd.",
                      {{"when", v.words.Moment(response.lapses_at())}}));
}

Response ShowDenial(Visit& v) {
  return DenialPage(v, v.Part("ban"));
}

Response FillInDenial(Visit& v) {
  pb::AmendBanRequest request;
  request.set_ban_id(v.Part("ban"));
  auto* identity = request.mutable_identity();
  identity->mutable_name()->set_given_names(v.Field("identity.name.given_names"));
  identity->mutable_name()->set_prefix(v.Field("identity.name.prefix"));
  identity->mutable_name()->set_surname(v.Field("identity.name.surname"));
  identity->set_description(v.Field("identity.description"));
  identity->set_established(v.Checked("identity.established"));
  if (!ReadDate(v, "identity.birth_date", true, identity->mutable_birth_date())) return ShowDenial(v);
  if (identity->birth_date().year() == 0) identity->clear_birth_date();
  std::vector<std::string> reasons;
  for (const auto& [field, label] :
       {std::pair{"reasons", ""}, {"words", "Gesproken woorden: "}, {"witness", "Getuige: "}}) {
    if (const std::string text = v.Field(field); !text.empty()) reasons.push_back(absl::StrCat(label, text));
  }
  request.set_reasons(absl::StrJoin(reasons, "\n"));
  if (const auto error = v.Tell<pb::BanService>(&pb::BanService::Stub::AmendBan, request); !error.ok()) {
    v.Problem(error);
    return ShowDenial(v);
  }
  return v.Done("/desk", v.Say("Vastgelegd. Toezicht en Veiligheid neemt het over."));
}

// ---- The briefing: one at a time.

Response Briefing(Visit& v, const std::string& after, bool begin) {
  if (!begin) return BriefingPage(v, "/briefing", nullptr);
  pb::NextBriefingRequest request;
  request.set_after_ban_id(after);
  pb::NextBriefingResponse response;
  const auto error = v.Ask<Service>(&Stub::NextBriefing, request, &response);
  if (!error.ok()) v.Problem(error);
  return BriefingPage(v, "/briefing", error.ok() ? &response : nullptr);
}

Response StartBriefing(Visit& v) {
  return Briefing(v, "", false);
}
Response NextBriefing(Visit& v) {
  if (v.Field("do") == "stop") return Response::Redirect("/desk");
  return Briefing(v, v.Field("ban_id"), true);
}

// ---- The instruction on photos.

Response ShowInstruction(Visit& v) {
  pb::GetInstructionResponse response;
  View view;
  if (const auto error = v.Ask<Service>(&Stub::GetInstruction, pb::GetInstructionRequest(), &response);
      !error.ok())
    v.Problem(error);
  std::vector<View> paragraphs;
  for (absl::string_view line : absl::StrSplit(response.text(), '\n', absl::SkipWhitespace())) {
    paragraphs.push_back(View().Set("text", std::string(line)));
  }
  view.Set("paragraphs", paragraphs).Set("version", response.version());
  if (response.has_acknowledged_at()) view.Set("acknowledged_at", v.words.Moment(response.acknowledged_at()));
  return v.Page("instruction", v.Say("Instructie"), std::move(view));
}

Response Acknowledge(Visit& v) {
  pb::AcknowledgeInstructionRequest request;
  request.set_version(v.Field("version"));
  if (const auto error = v.Tell<Service>(&Stub::AcknowledgeInstruction, request); !error.ok()) {
    v.Problem(error);
    return ShowInstruction(v);
  }
  return v.Done(v.Has(pb::ROLE_DESK_STAFF) ? "/desk" : "/files",
                v.Say("Dank u. U kunt nu foto's zien van wie hier een verbod heeft."));
}

// ---- The list, for a browser without script.

Response List(Visit& v) {
  const auto stub = Service::NewStub(v.CoreConnection().channel());
  pb::WatchDeskResponse response;
  const auto error =
      v.Settled(v.CoreConnection().Ask(std::chrono::seconds(5), [&](grpc::ClientContext& context) {
        const auto stream = stub->WatchDesk(&context, {});
        if (!stream->Read(&response)) return stream->Finish();
        context.TryCancel();
        (void)stream->Finish();
        return grpc::Status::OK;
      }));
  View view;
  if (error.ok()) {
    view.Set("list", DeskListView(response, v.words));
  } else {
    v.Problem(error);
  }
  return v.Page("desk_list_page", v.Say("Hier van kracht"), std::move(view));
}

constexpr Route kRoutes[] = {
    {"GET", "/desk", Who::kSignedIn, &Show},
    {"POST", "/desk/check", Who::kSignedIn, &Check},
    {"POST", "/desk/open", Who::kSignedIn, &Open},
    {"POST", "/desk/match", Who::kSignedIn, &Match},
    {"POST", "/desk/photo", Who::kSignedIn, &Photo},
    {"GET", "/photo/:name", Who::kSignedIn, &PhotoBytes},
    {"POST", "/desk/log", Who::kSignedIn, &Log},
    {"POST", "/desk/deny", Who::kSignedIn, &Deny},
    {"GET", "/desk/denial/:ban", Who::kSignedIn, &ShowDenial},
    {"POST", "/desk/denial/:ban", Who::kSignedIn, &FillInDenial},
    {"GET", "/desk/list", Who::kSignedIn, &List},
    {"GET", "/briefing", Who::kSignedIn, &StartBriefing},
    {"POST", "/briefing", Who::kSignedIn, &NextBriefing},
    {"GET", "/instruction", Who::kSignedIn, &ShowInstruction},
    {"POST", "/instruction", Who::kSignedIn, &Acknowledge},
};

}  // namespace

View DeskAnswer(const pb::CheckVisitorResponse& response, const DeskPlace& here, const Words& words) {
  switch (response.answer()) {
    case pb::CHECK_ANSWER_NO_BAN_FOUND:
      return Answer("clear");
    case pb::CHECK_ANSWER_BANNED:
      if (response.matches_size() > 0) return Banned(words, here, response.matches(0));
      return CannotCheck();
    case pb::CHECK_ANSWER_POSSIBLE:
      return Possible(words, response);
    default:
      return CannotCheck();
  }
}

Response DeskPage(Visit& v, View view, const std::string& query, const std::string& query_error) {
  view.Set("query", query).Set("query_error", query_error);
  const std::string purpose = v.Field("purpose").empty() ? "desk" : v.Field("purpose");
  std::vector<View> purposes;
  for (const auto& [code, label] :
       {std::pair{"desk", T("Bezoeker aan de balie")}, {"sighting", T("Gezien in het gebouw")}}) {
    View one;
    purposes.push_back(one.Set("code", code).Set("label", v.Say(label)).Set("checked", purpose == code));
  }
  view.Set("purposes", purposes).Set("can_deny", true);
  if (!v.training) {
    view.Set("spare", CannotCheck());
    pb::GetInstructionResponse instruction;
    const bool asked =
        v.Ask<Service>(&Stub::GetInstruction, pb::GetInstructionRequest(), &instruction, kAtDesk).ok();
    view.Set("instruction_first", asked && !instruction.has_acknowledged_at());
  }
  return v.Page("desk", v.Say("Balie"), std::move(view));
}

std::optional<DeskTouch> TouchOf(const std::string& code) {
  static_assert(std::size(kTouches) <= 16);
  for (size_t i = 0; i < std::size(kTouches); ++i) {
    if (code == kTouches[i].code) return DeskTouch{i, kTouches[i].step, kTouches[i].ends};
  }
  return std::nullopt;
}

View DeskLogView(const std::string& ban, const pb::OpenBreach* breach, const DeskPlace& here,
                 const Words& words) {
  View log;
  log.Set("ban_id", ban)
      .Set("ended", false)
      .Set("refused", false)
      .Set("events", Touches(words, breach, here.location.max_demands()));
  return log;
}

Response DenialPage(Visit& v, const std::string& ban) {
  View view;
  view.Set("ban_id", ban).Set("path", v.request.path);
  const auto optional = [](int length) {
    FieldOptions o;
    o.optional = true;
    o.max_length = length;
    return o;
  };
  view.Set("given_names", TextField(v, "identity.name.given_names", v.Say("Voornamen"), optional(120)));
  view.Set("prefix", TextField(v, "identity.name.prefix", v.Say("Tussenvoegsel"), optional(20)));
  view.Set("surname", TextField(v, "identity.name.surname", v.Say("Achternaam"), optional(120)));
  view.Set("birth_date", DateField(v, "identity.birth_date", v.Say("Geboortedatum"), {}, optional(10)));
  view.Set("established",
           CheckField(v, "identity.established", v.Say("De identiteit staat vast (document gezien)"), false,
                      optional(0)));
  view.Set("description", TextField(v, "identity.description", v.Say("Signalement, als u de naam niet weet"),
                                    optional(500)));
  view.Set("reasons", TextField(v, "reasons", v.Say("Wat er gebeurde"), optional(2000)));
  view.Set("words", TextField(v, "words", v.Say("Gesproken woorden"), optional(500)));
  view.Set("witness", TextField(v, "witness", v.Say("Wie het zag (functie, geen naam van een bezoeker)"),
                                optional(200)));
  return v.Page("denial", v.Say("Directe ontzegging"), std::move(view));
}

Response BriefingPage(Visit& v, const std::string& path, const pb::NextBriefingResponse* response) {
  View view;
  view.Set("next_path", path);
  if (response == nullptr) {
    view.Set("start", !v.has_problem());
    return v.Page("briefing", v.Say("Briefing"), std::move(view));
  }
  view.Set("total", response->total()).Set("position", response->position());
  if (response->has_match()) {
    const pb::Match& m = response->match();
    View match;
    SetPerson(match, m);
    match.Set("ban_id", m.ban_id()).Set("measure", MeasureName(m, v.words));
    match.Set("until", m.has_until() ? v.words.Day(m.until()) : "").Set("photo", false);
    if (m.photo_available()) match.Set("photo", PhotoOf(m.ban_id(), true));
    view.Set("match", match);
  } else {
    view.Set(response->total() == 0 ? "nobody" : "done", true);
  }
  return v.Page("briefing", v.Say("Briefing"), std::move(view));
}

View DeskListView(const pb::WatchDeskResponse& list, const Words& words, const std::string& root) {
  View view;
  view.Set("root", root).Set("any", list.bans_size() > 0);
  view.Set("count", list.bans_size() == 0 ? "" : absl::StrCat(list.bans_size()))
      .Set("as_of", words.Clock(list.as_of()));
  view.Set("more", list.more());
  std::vector<View> rows;
  for (const auto& m : list.bans()) {
    View row;
    SetPerson(row, m);
    row.Set("ban_id", m.ban_id()).Set("measure", MeasureName(m, words));
    row.Set("until", m.has_until() ? words.ShortDay(m.until()) : "");
    rows.push_back(std::move(row));
  }
  view.Set("rows", rows);
  return view;
}

std::span<const Route> DeskRoutes() {
  return kRoutes;
}

}  // namespace waarborg::station

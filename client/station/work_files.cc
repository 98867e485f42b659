// SPDX-License-Identifier: EUPL-1.2
// The list of files, and a file with its timeline and what can be done with it now.
#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/station/work.h"
#include "waarborg/v1/bans.grpc.pb.h"

namespace waarborg::station {
namespace {

using Stub = pb::BanService::Stub;
using Service = pb::BanService;

// ---- What can be done with a file.

using Roles = SetOf<pb::Role>;
using Bans = SetOf<pb::BanState>;
using Photos = SetOf<pb::PhotoState>;

constexpr Roles kManagerOrSecurity{pb::ROLE_MANAGER, pb::ROLE_SECURITY_COORDINATOR};
constexpr Roles kSecurity{pb::ROLE_SECURITY_COORDINATOR};
constexpr Roles kLevels{pb::ROLE_MUNICIPAL_SECRETARY, pb::ROLE_BOARD_SECRETARIAT};
constexpr Bans kUndecided{pb::BAN_STATE_PROPOSED, pb::BAN_STATE_PROVISIONAL};
constexpr Bans kNotDecided{pb::BAN_STATE_PROPOSED, pb::BAN_STATE_PROVISIONAL, pb::BAN_STATE_ALERT};
constexpr Bans kDecided{pb::BAN_STATE_ACTIVE, pb::BAN_STATE_EXTENDED};
constexpr Bans kClosed{pb::BAN_STATE_REJECTED, pb::BAN_STATE_LAPSED, pb::BAN_STATE_LIFTED,
                       pb::BAN_STATE_EXPIRED};
constexpr Bans kAnyBan{pb::BAN_STATE_PROPOSED, pb::BAN_STATE_PROVISIONAL, pb::BAN_STATE_ALERT,
                       pb::BAN_STATE_ACTIVE,   pb::BAN_STATE_EXTENDED,    pb::BAN_STATE_REJECTED,
                       pb::BAN_STATE_LAPSED,   pb::BAN_STATE_LIFTED,      pb::BAN_STATE_EXPIRED};
constexpr Photos kAnyPhoto{pb::PHOTO_STATE_UNSPECIFIED, pb::PHOTO_STATE_NONE,       pb::PHOTO_STATE_INFORMED,
                           pb::PHOTO_STATE_REQUESTED,   pb::PHOTO_STATE_CONSENTED,  pb::PHOTO_STATE_REFUSED,
                           pb::PHOTO_STATE_DECLINED,    pb::PHOTO_STATE_SUPPLIED,   pb::PHOTO_STATE_RELEASED,
                           pb::PHOTO_STATE_DARKENED,    pb::PHOTO_STATE_DESTROYING, pb::PHOTO_STATE_DESTROYED,
                           pb::PHOTO_STATE_CLOSED};
constexpr Photos kOnItsWay{pb::PHOTO_STATE_INFORMED, pb::PHOTO_STATE_REQUESTED, pb::PHOTO_STATE_CONSENTED,
                           pb::PHOTO_STATE_SUPPLIED, pb::PHOTO_STATE_RELEASED,  pb::PHOTO_STATE_DARKENED};

constexpr Photos kThere{pb::PHOTO_STATE_SUPPLIED, pb::PHOTO_STATE_RELEASED, pb::PHOTO_STATE_DARKENED};

bool CopiesOpen(const pb::Ban& ban) {
  return std::any_of(ban.release().copies().begin(), ban.release().copies().end(),
                     [](const pb::CopyCheck& c) { return c.confirmed_by().empty(); });
}
bool NotHandedOver(const pb::Ban& ban) {
  return !ban.has_handed_over();
}

// ---- The timeline.

struct Event {
  const char* name;
  const char* what;  // Dutch
};
constexpr Event kEvents[] = {
    {"ProposeBan", T("Maatregel voorgesteld")},
    {"DenyOnTheSpot", T("Toegang direct ontzegd")},
    {"RaiseAlert", T("Signalement verspreid")},
    {"AmendBan", T("Dossier aangevuld")},
    {"AdviseBan", T("Advies gegeven")},
    {"ExtendBan", T("Verlengd")},
    {"LiftBan", T("Opgeheven")},
    {"RecordInformed", T("Betrokkene over de foto verteld")},
    {"RequestRelease", T("Toestemming voor de foto gevraagd")},
    {"SupplyPhoto", T("Foto verstrekt")},
    {"DeclineSupply", T("Van de foto afgezien")},
    {"ReleasePhoto", T("Foto vrijgegeven")},
    {"DarkenPhoto", T("Foto verduisterd")},
    {"RestorePhoto", T("Foto weer zichtbaar gemaakt")},
    {"WithdrawWrongPhoto", T("Verkeerde foto ingetrokken")},
    {"DecidePhotoObjection", T("Over het bezwaar tegen de foto beslist")},
    {"ExportPhoto", T("Foto aan de politie uitgereikt")},
    {"ConfirmCopiesGone", T("Bevestigd dat er geen kopie meer is")},
    {"ReportBreach", T("Overtreding gemeld")},
    {"CorrectFile", T("Gegevens van betrokkene verbeterd")},
    {"HandOverFile", T("Dossier overgedragen")},
    {"BanExpired", T("Maatregel afgelopen")},
    {"BanLapsed", T("Directe ontzegging vervallen")},
    {"PhotoDestroyed", T("Foto vernietigd")},
};

const char* DemandText(pb::DemandStep step) {
  switch (step) {
    case pb::DEMAND_STEP_FIRST:
      return T("Overtreding: eerste vordering");
    case pb::DEMAND_STEP_SECOND:
      return T("Tweede vordering");
    case pb::DEMAND_STEP_THIRD:
      return T("Derde vordering");
    case pb::DEMAND_STEP_POLICE_CALLED:
      return T("Politie gebeld");
    case pb::DEMAND_STEP_LEFT:
      return T("Betrokkene is vertrokken");
    case pb::DEMAND_STEP_REMOVED:
      return T("Betrokkene is door de politie verwijderd");
    default:
      return T("Vordering");
  }
}

std::string StepText(const Visit& v, const pb::TimelineStep& step) {
  if (step.event() == "DecideBan")
    return step.ban_state() == pb::BAN_STATE_REJECTED ? v.Say("Voorstel afgewezen")
                                                      : v.Say("Maatregel genomen");
  if (step.event() == "DecideConsent") {
    return step.photo_state() == pb::PHOTO_STATE_REFUSED ? v.Say("Toestemming voor de foto geweigerd")
                                                         : v.Say("Toestemming voor de foto gegeven");
  }
  if (step.event() == "RecordDemand") return v.Say(DemandText(step.demand_step()));
  const auto* event = std::find_if(std::begin(kEvents), std::end(kEvents),
                                   [&](const Event& e) { return step.event() == e.name; });
  return event == std::end(kEvents) ? step.event() : v.Say(event->what);
}

View TimelineItem(const char* state, const std::string& what, const std::string& when, const std::string& who,
                  const std::string& note) {
  View item;
  item.Set("state", state).Set("what", what).Set("when", when).Set("who", who).Set("note", note);
  return item;
}

// What happened, what waits, and the end. Nothing when the core gives no timeline: half of one would mislead.
std::vector<View> Timeline(Visit& v, const pb::Ban& ban, const std::vector<pb::Task>& tasks) {
  pb::GetTimelineRequest request;
  request.set_ban_id(ban.id());
  pb::GetTimelineResponse response;
  std::vector<View> items;
  if (!v.Ask<Service>(&Stub::GetTimeline, request, &response).ok() || response.steps_size() == 0)
    return items;
  if (response.more())
    items.push_back(TimelineItem("done", v.Say("Eerdere stappen staan in het logboek"), "", "", ""));
  for (const auto& step : response.steps()) {
    std::string who = step.person_name();
    if (step.role() != pb::ROLE_UNSPECIFIED)
      who = absl::StrCat(who, who.empty() ? "" : ", ", v.words.RoleName(step.role()));
    items.push_back(TimelineItem("done", StepText(v, step), v.words.Moment(step.at()), who, ""));
  }
  for (const auto& task : tasks)
    items.push_back(TimelineItem("next", TaskText(v, task), TaskTerm(v, task), v.Say("u"), ""));
  if (kDecided.Has(ban.state()) && ban.terms().has_until()) {
    items.push_back(TimelineItem("ahead", v.Say("Maatregel loopt af"),
                                 v.Say("tot en met {day}", {{"day", v.words.Day(ban.terms().until())}}), "",
                                 v.Say("Een foto wordt dan vanzelf vernietigd.")));
  } else if (ban.state() == pb::BAN_STATE_PROVISIONAL) {
    items.push_back(
        TimelineItem("ahead", v.Say("Vervalt, tenzij bevestigd"), v.words.Moment(ban.ends_at()), "", ""));
  }
  return items;
}

// ---- The list.

struct Filter {
  const char* code;
  const char* label;  // Dutch
  std::vector<pb::BanState> states;
};
const std::vector<Filter>& Filters() {
  static const auto* const filters = new std::vector<Filter>{
      {"", T("Alle"), {}},
      {"open",
       T("Nog niet beslist"),
       {pb::BAN_STATE_PROPOSED, pb::BAN_STATE_PROVISIONAL, pb::BAN_STATE_ALERT}},
      {"decided", T("Besloten"), {pb::BAN_STATE_ACTIVE, pb::BAN_STATE_EXTENDED}},
      {"closed",
       T("Gesloten"),
       {pb::BAN_STATE_REJECTED, pb::BAN_STATE_LAPSED, pb::BAN_STATE_LIFTED, pb::BAN_STATE_EXPIRED}},
  };
  return *filters;
}

constexpr int kPage = 25;

std::string Query(const Visit& v, const std::string& name) {
  const auto it = v.request.query.find(name);
  return it == v.request.query.end() ? "" : it->second;
}

View Cell(const std::string& label, const std::string& text, const std::string& path = "",
          bool personal = false) {
  View cell;
  cell.Set("label", label).Set("text", text).Set("path", path).Set("private", personal).Set("number", false);
  return cell;
}

View Button(const char* path, const std::string& label, const char* icon, bool primary, bool danger) {
  View button;
  button.Set("path", path)
      .Set("label", label)
      .Set("icon", icon)
      .Set("primary", primary)
      .Set("danger", danger);
  return button;
}

}  // namespace

const std::vector<Action>& Actions() {
  using enum pb::PhotoState;
  static const auto* const actions = new std::vector<Action>{
      {"amend", T("Dossier aanvullen"), "pencil", kManagerOrSecurity, kNotDecided, kAnyPhoto, nullptr, false},
      {"advise",
       T("Adviseren"),
       "messages",
       {pb::ROLE_MUNICIPAL_SECRETARY},
       kUndecided,
       kAnyPhoto,
       nullptr,
       false},
      {"decide", T("Beslissen"), "gavel", kLevels, kUndecided, kAnyPhoto, nullptr, false},
      {"inform",
       T("Vastleggen dat betrokkene het weet"),
       "speakerphone",
       kManagerOrSecurity,
       kDecided,
       {PHOTO_STATE_NONE},
       nullptr,
       false},
      {"request",
       T("Toestemming voor de foto vragen"),
       "photo",
       kSecurity,
       kDecided,
       {PHOTO_STATE_INFORMED},
       nullptr,
       false},
      {"consent",
       T("Over de foto beslissen"),
       "photo",
       {pb::ROLE_MANAGER},
       kDecided,
       {PHOTO_STATE_REQUESTED},
       nullptr,
       false},
      {"supply",
       T("Foto verstrekken"),
       "upload",
       {pb::ROLE_CIVIL_AFFAIRS},
       kDecided,
       {PHOTO_STATE_CONSENTED},
       nullptr,
       false},
      {"preview",
       T("Verstrekte foto bekijken"),
       "photo",
       {pb::ROLE_CIVIL_AFFAIRS},
       kDecided,
       {PHOTO_STATE_SUPPLIED},
       nullptr,
       false},
      {"view",
       T("Foto zien"),
       "photo",
       {pb::ROLE_POLICE_CONTACT},
       kDecided,
       {PHOTO_STATE_RELEASED},
       nullptr,
       false},
      {"export",
       T("Foto als bestand"),
       "download",
       {pb::ROLE_POLICE_CONTACT},
       kDecided,
       {PHOTO_STATE_RELEASED},
       nullptr,
       false},
      {"release", T("Foto vrijgeven"), "eye", kSecurity, kDecided, {PHOTO_STATE_SUPPLIED}, nullptr, false},
      {"restore", T("Foto weer tonen"), "eye", kSecurity, kDecided, {PHOTO_STATE_DARKENED}, nullptr, false},
      {"copies", T("Kopieën: vastleggen dat ze weg zijn"), "shield-check", kSecurity, kAnyBan, kAnyPhoto,
       &CopiesOpen, false},
      {"amend", T("Andere namen toevoegen"), "user", kManagerOrSecurity, kDecided, kAnyPhoto, nullptr, false},
      {"extend", T("Verlengen"), "calendar-event", kLevels, kDecided, kAnyPhoto, nullptr, false},
      {"objection",
       T("Bezwaar tegen de foto beslissen"),
       "gavel",
       {pb::ROLE_LEGAL},
       kDecided,
       kOnItsWay,
       nullptr,
       false},
      {"hand-over",
       T("Dossier overdragen"),
       "file-text",
       {pb::ROLE_LEGAL, pb::ROLE_PRIVACY_OFFICER},
       kClosed,
       kAnyPhoto,
       &NotHandedOver,
       false},
      {"withdraw",
       T("Verkeerde foto intrekken"),
       "photo-off",
       {pb::ROLE_CIVIL_AFFAIRS},
       kDecided,
       kThere,
       nullptr,
       true},
      {"darken",
       T("Foto verduisteren"),
       "photo-off",
       kSecurity,
       kDecided,
       {PHOTO_STATE_RELEASED},
       nullptr,
       true},
      {"lift", T("Opheffen"), "x", kLevels, kDecided, kAnyPhoto, nullptr, true},
  };
  return *actions;
}

std::vector<const Action*> ActionsFor(const Visit& v, const pb::Ban& ban) {
  std::vector<const Action*> out;
  for (const Action& action : Actions()) {
    const auto& roles = v.seat->session.roles();
    const bool mine = std::any_of(roles.begin(), roles.end(),
                                  [&](int role) { return action.roles.Has(static_cast<pb::Role>(role)); });
    if (mine && action.ban.Has(ban.state()) && action.photo.Has(ban.release().state()) &&
        (action.when == nullptr || action.when(ban)))
      out.push_back(&action);
  }
  return out;
}

std::string FilePath(const std::string& ban_id, const std::string& action) {
  return action.empty() ? absl::StrCat("/files/", ban_id) : absl::StrCat("/files/", ban_id, "/", action);
}

bool ReadFile(Visit& v, pb::Ban* ban) {
  pb::GetBanRequest request;
  request.set_ban_id(v.Part("ban"));
  pb::GetBanResponse response;
  if (const auto error = v.Ask<Service>(&Stub::GetBan, request, &response); !error.ok()) {
    v.Problem(error);
    return false;
  }
  *ban = std::move(*response.mutable_ban());
  return true;
}

Response NoFile(Visit& v) {
  View view, back;
  view.Set("text", v.Say("Het is er niet, of uw rol ziet het nu niet."))
      .Set("next_step", false)
      .Set("rule", false);
  view.Set("back", back.Set("path", "/tasks").Set("label", v.Say("Naar mijn taken")));
  return v.Page("error", v.Say("Dit dossier kunt u niet openen"), std::move(view), 403);
}

Response ShowFile(Visit& v) {
  pb::Ban ban;
  if (!ReadFile(v, &ban)) return NoFile(v);
  const std::vector<pb::Task> tasks = TasksAbout(v, ban.id());
  View view;
  SetFileHead(v, ban, "/files", v.Say("Dossiers"), view);
  view.Set("facts", MeasureFacts(v, ban).views())
      .Set("reasons", ban.reasons())
      .Set("parts", FileParts(v, ban));
  const std::vector<View> timeline = Timeline(v, ban, tasks);
  view.Set("timeline", timeline).Set("has_timeline", !timeline.empty());
  // The first task on top, with its place; the rest beside it.
  std::string first;
  view.Set("next", false);
  for (const auto& task : tasks) {
    const std::string path = TaskPath(v, task);
    if (path == FilePath(ban.id())) continue;
    View next;
    const std::string term = TaskTerm(v, task);
    const auto& actions = Actions();
    const auto action = std::find_if(actions.begin(), actions.end(),
                                     [&](const Action& one) { return path == FilePath(ban.id(), one.name); });
    next.Set("text", v.Say("Dit wacht op u: {task}", {{"task", TaskText(v, task)}})).Set("path", path);
    next.Set("label", action == actions.end() ? TaskText(v, task) : v.Say(action->label));
    next.Set("overdue", task.overdue()).Set("term", term);
    view.Set("next", next);
    first = path;
    break;
  }
  std::vector<View> actions;
  for (const Action* action : ActionsFor(v, ban)) {
    const std::string path = FilePath(ban.id(), action->name);
    if (path == first) continue;
    View one;
    actions.push_back(one.Set("path", path)
                          .Set("label", v.Say(action->label))
                          .Set("icon", action->icon)
                          .Set("danger", action->danger));
  }
  view.Set("actions", actions).Set("has_actions", !actions.empty());
  return v.Page("file", v.Say("Dossier {id}", {{"id", ban.id()}}), std::move(view));
}

Response ShowFiles(Visit& v) {
  const std::string wanted = Query(v, "state"), after = Query(v, "after");
  pb::ListBansRequest request;
  request.set_page_size(kPage);
  request.set_page_token(after);
  View view;
  std::vector<View> tabs;
  for (const Filter& filter : Filters()) {
    const bool current = wanted == filter.code;
    if (current) {
      for (const pb::BanState state : filter.states) request.add_states(state);
    }
    View tab;
    const std::string path = *filter.code == 0 ? "/files" : absl::StrCat("/files?state=", filter.code);
    tabs.push_back(tab.Set("path", path).Set("label", v.Say(filter.label)).Set("current", current));
  }
  pb::ListBansResponse response;
  if (const auto error = v.Ask<Service>(&Stub::ListBans, request, &response); !error.ok()) v.Problem(error);
  const std::string who = v.Say("Betrokkene"), what = v.Say("Maatregel"), state = v.Say("Stand"),
                    until = v.Say("Tot en met"), photo = v.Say("Foto"), file = v.Say("Dossier");
  std::vector<View> rows, columns;
  for (const std::string& label : {who, what, state, until, photo, file})
    columns.push_back(View().Set("label", label));
  for (const auto& ban : response.bans()) {
    const std::string path = FilePath(ban.id());
    const bool decided = !kNotDecided.Has(ban.state());
    rows.push_back(View().Set(
        "cells",
        std::vector<View>{Cell(who, Heading(v, ban.identity()), path, true),
                          Cell(what, MeasureText(v, ban.terms().measure())), Cell(state, StateText(v, ban)),
                          Cell(until, ban.terms().has_until() ? v.words.ShortDay(ban.terms().until())
                                      : ban.has_ends_at()     ? v.words.ShortMoment(ban.ends_at())
                                                              : "–"),
                          Cell(photo, decided ? PhotoText(v, ban.release().state()) : "–"),
                          Cell(file, ban.id())}));
  }
  view.Set("tabs", tabs).Set("tabs_label", v.Say("Welke dossiers"));
  std::vector<View> buttons;
  if (v.Has(pb::ROLE_MANAGER))
    buttons.push_back(Button("/new-ban", v.Say("Nieuwe maatregel"), "plus", true, false));
  if (v.Has(pb::ROLE_SECURITY_COORDINATOR))
    buttons.push_back(Button("/alert", v.Say("Signalement verspreiden"), "speakerphone", false, false));
  if (v.Has(pb::ROLE_MANAGER) || v.Has(pb::ROLE_SECURITY_COORDINATOR))
    buttons.push_back(Button("/deny", v.Say("Toegang direct ontzeggen"), "hand-stop", false, true));
  view.Set("buttons", buttons).Set("has_buttons", !buttons.empty());
  if (!rows.empty()) {
    View table;
    view.Set("table", table.Set("caption", v.Say("Dossiers")).Set("columns", columns).Set("rows", rows));
  } else if (!v.has_problem()) {
    View nothing;
    nothing.Set("icon", "file-text").Set("title", v.Say("Geen dossiers")).Set("action", false);
    view.Set("nothing", nothing.Set("text", v.Say("Er zijn er geen die u hier kunt zien.")));
  }
  const std::string also = wanted.empty() ? "" : absl::StrCat("&state=", wanted);
  if (!response.next_page_token().empty())
    view.Set("older", absl::StrCat("/files?after=", response.next_page_token(), also));
  if (!after.empty()) view.Set("newest", wanted.empty() ? "/files" : absl::StrCat("/files?state=", wanted));
  return v.Page("files", v.Say("Dossiers"), std::move(view));
}

}  // namespace waarborg::station

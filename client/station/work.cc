// SPDX-License-Identifier: EUPL-1.2
// Tasks and figures, and the routes of the workbench.
#include "client/station/work.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/station/forms.h"
#include "server/base/clock.h"
#include "waarborg/v1/audit.grpc.pb.h"
#include "waarborg/v1/tasks.grpc.pb.h"

namespace waarborg::station {
namespace {

struct TaskRow {
  pb::TaskKind kind;
  const char* what;    // Dutch
  const char* action;  // page of the file where it is done; null: the file itself, or a page of the house
};

constexpr TaskRow kTaskRows[] = {
    {pb::TASK_KIND_COMPLETE_FILE, T("Dossier aanvullen voor het besluit"), "amend"},
    {pb::TASK_KIND_ADVISE, T("Adviseren over de maatregel"), "advise"},
    {pb::TASK_KIND_DECIDE_BAN, T("Beslissen over het voorstel"), "decide"},
    {pb::TASK_KIND_CONFIRM_DENIAL, T("Directe ontzegging bevestigen of afwijzen"), "decide"},
    {pb::TASK_KIND_RECORD_INFORMED, T("Betrokkene over de foto vertellen, en dat vastleggen"), "inform"},
    {pb::TASK_KIND_REQUEST_RELEASE, T("Toestemming voor de foto vragen"), "request"},
    {pb::TASK_KIND_DECIDE_CONSENT, T("Toestemming voor de foto geven of weigeren"), "consent"},
    {pb::TASK_KIND_SUPPLY_PHOTO, T("Foto verstrekken"), "supply"},
    {pb::TASK_KIND_RELEASE_PHOTO, T("Foto vrijgeven"), "release"},
    {pb::TASK_KIND_CONFIRM_COPIES_GONE, T("Bevestigen dat er geen kopie van de foto meer is"), "copies"},
    {pb::TASK_KIND_COPIES_OVERDUE, T("Niet bevestigd dat er geen kopie meer is: spreek de groep aan"),
     nullptr},
    {pb::TASK_KIND_HAND_OVER_FILE, T("Dossier overdragen aan archief of zaaksysteem"), "hand-over"},
    {pb::TASK_KIND_DESTRUCTION_OVERDUE, T("Een vernietiging is te laat: kijk naar token, schijf en klok"),
     nullptr},
};

constexpr bool EveryKindOnce() {
  int kind = 0;
  for (const TaskRow& row : kTaskRows) {
    if (row.kind != ++kind) return false;
  }
  return kind == pb::TaskKind_MAX;
}
static_assert(EveryKindOnce(), "a kind of task has no row, or stands in another order");

const TaskRow* RowOf(pb::TaskKind kind) {
  const auto* row = std::find_if(std::begin(kTaskRows), std::end(kTaskRows),
                                 [&](const TaskRow& r) { return r.kind == kind; });
  return row == std::end(kTaskRows) ? nullptr : row;
}

absl::Time TimeOf(const google::protobuf::Timestamp& t) {
  return absl::FromUnixSeconds(t.seconds()) + absl::Nanoseconds(t.nanos());
}

pb::Date DateOf(absl::CivilDay day) {
  pb::Date date;
  date.set_year(static_cast<int>(day.year()));
  date.set_month(day.month());
  date.set_day(day.day());
  return date;
}

client::Error ListTasks(const Visit& v, pb::ListTasksResponse* response) {
  return v.Ask<pb::TaskService>(&pb::TaskService::Stub::ListTasks, pb::ListTasksRequest(), response);
}

// The first part of what is counted, and what stands for the second.
std::string CountText(Visit& v, const std::string& what) {
  static const auto* const words = new std::map<std::string, const char*>{
      {"file", T("Gesloten dossiers")},
      {"closed/expired", T("Afgelopen")},
      {"closed/lifted", T("Opgeheven")},
      {"closed/lapsed", T("Vervallen (directe ontzegging niet bevestigd)")},
      {"closed/rejected", T("Voorstel afgewezen")},
      {"measure/time-out", T("Time-out")},
      {"measure/access-ban", T("Toegangsverbod")},
      {"measure/provisional", T("Nog geen maatregel")},
      {"photo/destroyed", T("Foto vernietigd")},
      {"destroyed/ban-ended", T("Foto vernietigd: verbod geëindigd")},
      {"destroyed/ban-lifted", T("Foto vernietigd: verbod opgeheven")},
      {"destroyed/objection-upheld", T("Foto vernietigd: bezwaar gegrond")},
      {"destroyed/wrong-photo", T("Foto vernietigd: verkeerde foto")},
      {"extension", T("Verlengingen")},
      {"breach", T("Overtredingen")},
      {"objection/upheld", T("Bezwaar tegen de foto: gegrond")},
      {"objection/dismissed", T("Bezwaar tegen de foto: ongegrond")},
      {"repeat-offence", T("Herhaling")},
  };
  if (const auto it = words->find(what); it != words->end()) return v.Say(it->second);
  if (absl::StartsWith(what, "ground/")) {
    const std::string id = what.substr(7);
    const pb::GroundChoice* ground = FindGround(v, id);
    return v.Say("Grond: {ground}", {{"ground", ground == nullptr ? id : ground->name()}});
  }
  return what;
}

constexpr Route kRoutes[] = {
    {"GET", "/tasks", Who::kSignedIn, &ShowTasks},
    {"GET", "/files", Who::kSignedIn, &ShowFiles},
    {"GET", "/files/:ban", Who::kSignedIn, &ShowFile},
    {"GET", "/new-ban", Who::kSignedIn, &ShowNewBan},
    {"POST", "/new-ban", Who::kSignedIn, &ProposeBan},
    {"GET", "/alert", Who::kSignedIn, &ShowAlert},
    {"POST", "/alert", Who::kSignedIn, &RaiseAlert},
    {"GET", "/deny", Who::kSignedIn, &ShowDenyNow},
    {"POST", "/deny", Who::kSignedIn, &DenyNow},
    {"GET", "/files/:ban/amend", Who::kSignedIn, &ShowAmend},
    {"POST", "/files/:ban/amend", Who::kSignedIn, &Amend},
    {"GET", "/files/:ban/advise", Who::kSignedIn, &ShowAction},
    {"POST", "/files/:ban/advise", Who::kSignedIn, &DoAction},
    {"GET", "/files/:ban/decide", Who::kSignedIn, &ShowAction},
    {"POST", "/files/:ban/decide", Who::kSignedIn, &DoAction},
    {"GET", "/files/:ban/inform", Who::kSignedIn, &ShowAction},
    {"POST", "/files/:ban/inform", Who::kSignedIn, &DoAction},
    {"GET", "/files/:ban/darken", Who::kSignedIn, &ShowAction},
    {"POST", "/files/:ban/darken", Who::kSignedIn, &DoAction},
    {"GET", "/files/:ban/restore", Who::kSignedIn, &ShowAction},
    {"POST", "/files/:ban/restore", Who::kSignedIn, &DoAction},
    {"GET", "/files/:ban/objection", Who::kSignedIn, &ShowAction},
    {"POST", "/files/:ban/objection", Who::kSignedIn, &DoAction},
    {"GET", "/files/:ban/extend", Who::kSignedIn, &ShowAction},
    {"POST", "/files/:ban/extend", Who::kSignedIn, &DoAction},
    {"GET", "/files/:ban/lift", Who::kSignedIn, &ShowAction},
    {"POST", "/files/:ban/lift", Who::kSignedIn, &DoAction},
    {"GET", "/files/:ban/copies", Who::kSignedIn, &ShowAction},
    {"POST", "/files/:ban/copies", Who::kSignedIn, &DoAction},
    {"GET", "/files/:ban/hand-over", Who::kSignedIn, &ShowAction},
    {"POST", "/files/:ban/hand-over", Who::kSignedIn, &DoAction},
    {"GET", "/figures", Who::kSignedIn, &ShowFigures},
};

}  // namespace

// ---- Tasks.

std::string TaskText(const Visit& v, const pb::Task& task) {
  const TaskRow* row = RowOf(task.kind());
  return v.Say(row == nullptr ? T("Iets te doen") : row->what);
}

std::string TaskPath(const Visit& v, const pb::Task& task) {
  if (task.kind() == pb::TASK_KIND_DESTRUCTION_OVERDUE) return "/health";
  // T&V may answer for a unit; a manager sees to it that the unit does.
  if (task.kind() == pb::TASK_KIND_COPIES_OVERDUE && v.Has(pb::ROLE_SECURITY_COORDINATOR))
    return FilePath(task.ban_id(), "copies");
  const TaskRow* row = RowOf(task.kind());
  return FilePath(task.ban_id(), row == nullptr || row->action == nullptr ? "" : row->action);
}

std::string TaskTerm(const Visit& v, const pb::Task& task) {
  if (!task.has_due_at()) return "";
  const absl::Time due = TimeOf(task.due_at());
  const absl::CivilDay day = base::LocalDay(due);
  // Overdue from midnight on is to most people: up to and including the day before.
  if (due == base::StartOfDay(day)) return v.Say("tot en met {day}", {{"day", v.words.Day(DateOf(day - 1))}});
  return v.Say("vóór {when}", {{"when", v.words.Moment(due)}});
}

std::vector<pb::Task> TasksAbout(const Visit& v, const std::string& ban_id) {
  pb::ListTasksResponse response;
  std::vector<pb::Task> out;
  if (!ListTasks(v, &response).ok()) return out;
  for (const auto& task : response.tasks()) {
    if (task.ban_id() == ban_id) out.push_back(task);
  }
  return out;
}

Response ShowTasks(Visit& v) {
  pb::ListTasksResponse response;
  View view;
  const auto error = ListTasks(v, &response);
  if (!error.ok()) v.Problem(error);
  const absl::Time week = v.Now() + absl::Hours(24 * 7);
  struct Group {
    const char* title;
    std::vector<View> tasks;
  };
  Group groups[] = {{T("Te laat"), {}}, {T("Deze week"), {}}, {T("Later"), {}}, {T("Zonder termijn"), {}}};
  for (const auto& task : response.tasks()) {
    View one;
    std::vector<std::string> about;
    if (!task.ban_id().empty()) about.push_back(task.ban_id());
    if (!task.unit_id().empty()) about.push_back(UnitName(v, task.unit_id()));
    if (task.handed_out() > 0)
      about.push_back(v.Say("{n} keer uitgereikt", {{"n", absl::StrCat(task.handed_out())}}));
    if (task.reminded()) about.push_back(v.Say("herinnerd"));
    one.Set("path", TaskPath(v, task))
        .Set("what", TaskText(v, task))
        .Set("about", absl::StrJoin(about, " · "));
    one.Set("due", TaskTerm(v, task)).Set("overdue", task.overdue()).Set("reminded", task.reminded());
    // The core does not say in whose place a task is done.
    one.Set("deputy", false);
    const int group = task.overdue() ? 0 : !task.has_due_at() ? 3 : TimeOf(task.due_at()) <= week ? 1 : 2;
    groups[group].tasks.push_back(std::move(one));
  }
  std::vector<View> shown;
  for (const Group& group : groups) {
    if (group.tasks.empty()) continue;
    View one;
    shown.push_back(one.Set("title", v.Say(group.title)).Set("tasks", group.tasks));
  }
  view.Set("groups", shown).Set("nothing", error.ok() && shown.empty()).Set("more", response.more());
  return v.Page("tasks", v.Say("Mijn taken"), std::move(view));
}

// ---- Figures.

Response ShowFigures(Visit& v) {
  const int this_year = v.Today().year();
  int year = this_year;
  if (const auto it = v.request.query.find("year"); it != v.request.query.end()) {
    if (!absl::SimpleAtoi(it->second, &year) || year < 2000 || year > 2199) year = this_year;
  }
  pb::ReportCountsRequest request;
  request.set_year(year);
  pb::ReportCountsResponse response;
  if (const auto error = v.Ask<pb::AuditService>(&pb::AuditService::Stub::ReportCounts, request, &response);
      !error.ok())
    v.Problem(error);
  View view;
  std::vector<View> years, rows;
  for (int one = this_year; one > this_year - 4; --one) {
    View tab;
    years.push_back(
        tab.Set("path", absl::StrCat("/figures?year=", one)).Set("label", one).Set("current", one == year));
  }
  const std::string what = v.Say("Wat"), count = v.Say("Aantal");
  for (const auto& counted : response.counts()) {
    const auto cell = [](const std::string& label, const std::string& text, bool number) {
      View c;
      c.Set("label", label).Set("text", text).Set("path", false).Set("private", false).Set("number", number);
      return c;
    };
    const std::string number = counted.few() ? v.Say("minder dan 5") : absl::StrCat(counted.count());
    rows.push_back(View().Set("cells", std::vector<View>{cell(what, CountText(v, counted.what()), false),
                                                         cell(count, number, true)}));
  }
  view.Set("tabs", years).Set("tabs_label", v.Say("Jaar"));
  if (!rows.empty()) {
    View table;
    table.Set("caption", v.Say("Dossiers die in {year} zijn gesloten", {{"year", absl::StrCat(year)}}));
    table.Set("columns", std::vector<View>{View().Set("label", what), View().Set("label", count)})
        .Set("rows", rows);
    view.Set("table", table);
  } else if (!v.has_problem()) {
    View empty;
    empty.Set("icon", "circle-check").Set("title", v.Say("Nog niets te tellen")).Set("action", false);
    view.Set(
        "nothing",
        empty.Set(
            "text",
            v.Say("Een dossier telt mee in het jaar waarin het werd gesloten, zodra het is vernietigd.")));
  }
  return v.Page("figures", v.Say("Cijfers"), std::move(view));
}

// ---- Days.

pb::Date LastDayOfMonths(const pb::Date& from, int months) {
  const absl::CivilDay day(from.year(), from.month(), from.day());
  const absl::CivilMonth month = absl::CivilMonth(day) + months;
  const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  return DateOf(std::min(absl::CivilDay(month) + (day.day() - 1), last) - 1);
}

std::span<const Route> WorkbenchRoutes() {
  return kRoutes;
}

}  // namespace waarborg::station

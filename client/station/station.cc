// SPDX-License-Identifier: EUPL-1.2
#include "client/station/station.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "audit/merkle.h"
#include "client/station/embedded.h"
#include "client/station/live.h"
#include "client/station/log_check.h"
#include "server/base/clock.h"
#include "server/base/hex.h"
#include "waarborg/v1/changes.grpc.pb.h"
#include "waarborg/v1/health.grpc.pb.h"

namespace waarborg::station {

namespace {

constexpr auto kBeat = std::chrono::milliseconds(1000);
// Longer than this without an answer, and the desk is told that it cannot check.
constexpr auto kBeatWaits = std::chrono::milliseconds(1500);

// Promises without which the core answers no check.
constexpr std::string_view kNeededToCheck[] = {"recording", "clock"};

using RolesT = std::vector<pb::Role>;
// Who finds what in the navigation. The core decides what each may do; this only leaves out what would be
// refused.
const std::vector<NavigationItem>& Navigation() {
  static const auto* const items = new std::vector<NavigationItem>{
      {"/desk", T("Balie"), RolesT{pb::ROLE_DESK_STAFF}},
      {"/briefing", T("Briefing"), RolesT{pb::ROLE_DESK_STAFF}},
      {"/tasks", T("Mijn taken"),
       RolesT{pb::ROLE_DESK_STAFF, pb::ROLE_SECURITY_COORDINATOR, pb::ROLE_MANAGER, pb::ROLE_CIVIL_AFFAIRS,
              pb::ROLE_MUNICIPAL_SECRETARY, pb::ROLE_BOARD_SECRETARIAT, pb::ROLE_LEGAL,
              pb::ROLE_POLICE_CONTACT, pb::ROLE_PRIVACY_OFFICER, pb::ROLE_ADMINISTRATOR}},
      {"/files", T("Dossiers"),
       RolesT{pb::ROLE_SECURITY_COORDINATOR, pb::ROLE_MANAGER, pb::ROLE_CIVIL_AFFAIRS,
              pb::ROLE_MUNICIPAL_SECRETARY, pb::ROLE_BOARD_SECRETARIAT, pb::ROLE_LEGAL,
              pb::ROLE_POLICE_CONTACT, pb::ROLE_PRIVACY_OFFICER}},
      {"/new-ban", T("Nieuw verbod"), RolesT{pb::ROLE_MANAGER}},
      {"/log", T("Logboek"), RolesT{pb::ROLE_AUDITOR, pb::ROLE_DATA_PROTECTION_OFFICER}},
      {"/log/words", T("Woorden bij het logboek"), RolesT{pb::ROLE_LEGAL}},
      {"/subject", T("Inzageverzoek"), RolesT{pb::ROLE_PRIVACY_OFFICER}},
      {"/changes", T("Wijzigingen"),
       RolesT{pb::ROLE_ADMINISTRATOR, pb::ROLE_PRIVACY_OFFICER, pb::ROLE_MUNICIPAL_SECRETARY,
              pb::ROLE_AUDITOR, pb::ROLE_DATA_PROTECTION_OFFICER}},
      {"/people", T("Mensen"),
       RolesT{pb::ROLE_ADMINISTRATOR, pb::ROLE_PRIVACY_OFFICER, pb::ROLE_MUNICIPAL_SECRETARY,
              pb::ROLE_AUDITOR, pb::ROLE_DATA_PROTECTION_OFFICER}},
      {"/stations", T("Werkplekken"),
       RolesT{pb::ROLE_ADMINISTRATOR, pb::ROLE_PRIVACY_OFFICER, pb::ROLE_MUNICIPAL_SECRETARY,
              pb::ROLE_AUDITOR, pb::ROLE_DATA_PROTECTION_OFFICER}},
      {"/configuration", T("Instellingen"),
       RolesT{pb::ROLE_ADMINISTRATOR, pb::ROLE_PRIVACY_OFFICER, pb::ROLE_MUNICIPAL_SECRETARY}},
      {"/health", T("Gezondheid"), RolesT{pb::ROLE_ADMINISTRATOR}},
      {"/figures", T("Cijfers"), RolesT{pb::ROLE_HR, pb::ROLE_MUNICIPAL_SECRETARY}},
  };
  return *items;
}

using Group = std::span<const Route> (*)();
constexpr Group kGroups[] = {
    &SignInRoutes,   &OpenIdRoutes,    &SecurityKeyRoutes,    &DeskRoutes,      &PhotoRoutes,
    &TrainingRoutes, &WorkbenchRoutes, &AdministrationRoutes, &OversightRoutes, &PrivacyRoutes,
};

// The parts that the pattern names, when the path fits.
std::optional<std::map<std::string, std::string>> Fit(std::string_view pattern, std::string_view path) {
  std::map<std::string, std::string> parts;
  const std::vector<std::string> want =
      absl::StrSplit(absl::string_view(pattern.data(), pattern.size()), '/');
  const std::vector<std::string> have = absl::StrSplit(absl::string_view(path.data(), path.size()), '/');
  if (want.size() != have.size()) return std::nullopt;
  for (size_t i = 0; i < want.size(); ++i) {
    if (!want[i].empty() && want[i][0] == ':') {
      if (have[i].empty() || have[i].size() > 80) return std::nullopt;
      parts[want[i].substr(1)] = have[i];
    } else if (want[i] != have[i]) {
      return std::nullopt;
    }
  }
  return parts;
}

// The language that was chosen, else the one the browser asks for first of the two, else Dutch.
const Words& WordsOf(const Request& request) {
  if (const auto it = request.cookies.find(Station::kLanguageCookie); it != request.cookies.end()) {
    return Words::Of(it->second == "en" ? Language::kEnglish : Language::kDutch);
  }
  for (const absl::string_view part : absl::StrSplit(request.Header("accept-language"), ',')) {
    const absl::string_view wish = absl::StripAsciiWhitespace(part);
    if (absl::StartsWith(wish, "nl")) break;
    if (absl::StartsWith(wish, "en")) return Words::Of(Language::kEnglish);
  }
  return Words::Of(Language::kDutch);
}

const char* TypeOf(std::string_view path) {
  if (path.ends_with(".css")) return "text/css; charset=utf-8";
  if (path.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (path.ends_with(".svg")) return "image/svg+xml";
  if (path.ends_with(".woff2")) return "font/woff2";
  if (path.ends_with(".txt")) return "text/plain; charset=utf-8";
  return "application/octet-stream";
}

}  // namespace

// ---- The pulse.

Pulse::Pulse(client::Connection connection)
    : connection_(std::move(connection)), thread_([this] { Run(); }) {}

Pulse::~Pulse() {
  stop_ = true;
  thread_.join();
}

void Pulse::Run() {
  const auto stub = pb::HealthService::NewStub(connection_.channel());
  while (!stop_) {
    pb::GetHealthResponse response;
    const client::Error error = connection_.Ask(kBeatWaits, [&](grpc::ClientContext& context) {
      // A call that fails at once leaves nobody to carry a new connection on: gRPC works in the threads that
      // wait in it.
      context.set_wait_for_ready(true);
      return stub->GetHealth(&context, {}, &response);
    });
    std::string why =
        error.ok() ? "" : absl::StrCat("the core does not answer: ", error.rule(), " ", error.transport);
    for (const auto& promise : response.promises()) {
      const bool needed = std::find(std::begin(kNeededToCheck), std::end(kNeededToCheck), promise.name()) !=
                          std::end(kNeededToCheck);
      if (needed && promise.blocks()) why = absl::StrCat("the core cannot check: ", promise.name());
    }
    const bool beats = why.empty();
    if (beats != beats_) {
      std::fprintf(stderr, "waarborg-station: %s\n", beats ? "the core answers again" : why.c_str());
    }
    beats_ = beats;
    for (int i = 0; i < 10 && !stop_; ++i) std::this_thread::sleep_for(kBeat / 10);
  }
}

// ---- A visit.

std::string Visit::Part(const std::string& name) const {
  const auto it = parts_.find(name);
  return it == parts_.end() ? "" : it->second;
}

std::string Visit::Field(const std::string& name) const {
  // Browsers end the lines of a text field with two characters; the core takes one.
  return absl::StrReplaceAll(absl::StripAsciiWhitespace(request.Field(name)), {{"\r\n", "\n"}});
}

std::string Visit::Key() const {
  const std::string key = request.Field("key");
  return base::IsHex(key, 32) ? key : client::NewIdempotencyKey();
}

bool Visit::Has(pb::Role role) const {
  return seat != nullptr && std::find(seat->session.roles().begin(), seat->session.roles().end(), role) !=
                                seat->session.roles().end();
}

const client::Connection& Visit::CoreConnection() const {
  return seat == nullptr ? station.connection() : seat->connection;
}

const client::Connection& Visit::StationConnection() const {
  return station.connection();
}

client::Error Visit::Settled(client::Error error) const {
  if (seat != nullptr && error.code == grpc::StatusCode::UNAUTHENTICATED) {
    throw SessionEnded();
  }
  return error;
}

const pb::Choices& Visit::choices() {
  if (!configuration_) {
    configuration_.emplace();
    const auto error = Ask<pb::ChangeService>(&pb::ChangeService::Stub::GetConfiguration,
                                              pb::GetConfigurationRequest(), &*configuration_);
    // Without them a page shows ids; what it is for still works.
    if (!error.ok()) configuration_->Clear();
  }
  return configuration_->choices();
}

absl::Time Visit::Now() {
  if (seat != nullptr) choices();
  if (!configuration_ || !configuration_->has_now()) return base::SystemClock().Now();
  return absl::FromUnixSeconds(configuration_->now().seconds()) +
         absl::Nanoseconds(configuration_->now().nanos());
}

pb::Date Visit::Today() {
  const absl::CivilDay day = base::LocalDay(Now());
  pb::Date out;
  out.set_year(static_cast<int>(day.year()));
  out.set_month(day.month());
  out.set_day(day.day());
  return out;
}

void Visit::Problem(const client::Error& error) {
  if (!error.detail.field().empty()) {
    Fault(error.detail.field(), words.Whole(error.detail));
  } else {
    Problem(words.Message(error.detail), words.NextStep(error.detail));
  }
}

void Visit::Problem(const std::string& what, const std::string& next_step) {
  problem_what_ = what;
  problem_next_ = next_step;
}

void Visit::Fault(const std::string& field, const std::string& text) {
  faults_.emplace_back(field, text);
}

std::string Visit::FaultAt(const std::string& field) const {
  for (const auto& [at, text] : faults_) {
    if (at == field || absl::StartsWith(at, field + ".")) return text;
  }
  return "";
}

View Visit::Frame(View view) {
  view.Set("key", client::NewIdempotencyKey())
      .Set("problem_what", problem_what_)
      .Set("problem_next", problem_next_);
  view.Set("root", root()).Set("training", training);
  std::vector<View> items;
  for (const auto& [field, text] : faults_)
    items.push_back(View().Set("id", FieldId(field)).Set("text", text));
  if (items.empty()) {
    view.Set("errors", false);
  } else {
    view.Set("errors", View().Set("items", items));
  }
  return view;
}

Response Visit::Fragment(const std::string& tmpl, View view, int status) {
  Response out;
  out.status = status;
  out.body = Frame(std::move(view)).Render(tmpl, words);
  out.wipe = true;
  return out;
}

Response Visit::Page(const std::string& tmpl, const std::string& title, View view, int status) {
  View page = Frame(std::move(view));
  page.Set("lang", words.code())
      .Set("title", title)
      .Set("here", request.method == "POST" ? "/" : request.path);
  page.Set("at", absl::FormatTime("%H:%M", Now(), base::Amsterdam()));
  std::vector<View> languages;
  for (const Language language : {Language::kDutch, Language::kEnglish}) {
    const bool dutch = language == Language::kDutch;
    View one;
    one.Set("code", dutch ? "nl" : "en")
        .Set("label", dutch ? "NL" : "EN")
        .Set("name", dutch ? "Nederlands" : "English");
    one.Set("current", language == words.language());
    languages.push_back(std::move(one));
  }
  page.Set("languages", languages);
  std::vector<std::string> classes;
  if (training) classes.push_back("is-training");
  if (!station.pulse().beats()) classes.push_back("is-offline");
  if (seat == nullptr) classes.push_back("is-plain");
  page.Set("offline", !station.pulse().beats());
  std::vector<View> notices;
  if (seat != nullptr) {
    View person;
    std::vector<std::string> roles;
    for (int role : seat->session.roles()) roles.push_back(words.RoleName(static_cast<pb::Role>(role)));
    person.Set("person_name", seat->session.display_name()).Set("role_name", absl::StrJoin(roles, ", "));
    person.Set("can_switch", true).Set("idle_seconds", seat->session.idle_limit_seconds());
    page.Set("signed_in", person).Set("station", seat->session.station_id());
    page.Set("own_keys", station.options().security_keys);
    page.Set("municipality", choices().municipality());
    // The place matters to who works at a desk.
    for (const auto& location : choices().locations()) {
      if (location.id() == seat->session.location_id() && Has(pb::ROLE_DESK_STAFF))
        page.Set("location", location.name());
    }
    std::vector<View> navigation;
    for (const NavigationItem& item : Navigation()) {
      if (!item.roles.empty() &&
          std::none_of(item.roles.begin(), item.roles.end(), [&](pb::Role r) { return Has(r); }))
        continue;
      View entry;
      entry.Set("path", item.path).Set("label", Say(item.label));
      entry.Set("current",
                request.path == item.path || absl::StartsWith(request.path, absl::StrCat(item.path, "/")));
      navigation.push_back(std::move(entry));
    }
    page.Set("nav", navigation);
    if (const std::string notice = seat->TakeNotice(); !notice.empty()) {
      View one;
      notices.push_back(
          one.Set("kind", "ok").Set("icon", "circle-check").Set("title", false).Set("text", notice));
    }
  }
  if (!problem_what_.empty()) {
    View one;
    notices.push_back(one.Set("kind", "error")
                          .Set("icon", "urgent")
                          .Set("title", problem_what_)
                          .Set("text", problem_next_));
  }
  page.Set("notice", notices).Set("body_class", absl::StrJoin(classes, " "));
  Response out;
  out.status = status;
  out.body = page.Render("layout", words, tmpl);
  out.wipe = true;
  return out;
}

Response Visit::Done(const std::string& path, const std::string& notice) const {
  if (seat != nullptr) seat->Tell(notice);
  return Response::Redirect(path);
}

// ---- The station.

std::string Cookie(const std::string& name, const std::string& value, bool forget) {
  return absl::StrCat(name, "=", value, "; Path=/; Secure; HttpOnly; SameSite=Strict",
                      forget ? "; Max-Age=0" : "");
}

Station::Station(StationOptions options, base::Random& random)
    : options_(std::move(options)),
      random_(random),
      connection_(options_.files),
      pulse_(connection_),
      seats_(random),
      log_check_(std::make_unique<LogCheck>(options_.log_key, options_.log_folder, clock_)) {
  std::string everything;
  for (const EmbeddedFile& file : EmbeddedFiles()) everything.append(file.path).append(file.bytes);
  absl::StrAppend(&everything, options_.theme_css, options_.logo_svg);
  const audit::Hash hash = audit::LeafHash(everything);
  assets_version_ = base::ToHex(std::string_view(reinterpret_cast<const char*>(hash.data()), 6));
  sweeper_ = std::thread([this] {
    for (int turn = 0; !stop_; ++turn) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      if (turn % 10 == 0) seats_.Sweep();
    }
  });
}

Station::~Station() {
  server_.reset();
  stop_ = true;
  sweeper_.join();
}

std::unique_ptr<Station> Station::Start(StationOptions options, base::Random& random, std::string& error) {
  if (const std::string wrong = CheckTemplates(); !wrong.empty()) {
    error = wrong;
    return nullptr;
  }
  std::unique_ptr<Station> station(new Station(std::move(options), random));
  station->server_ = HttpServer::Start(
      station->options_.http, [s = station.get()](Request& r) { return s->Answer(r); }, error);
  return station->server_ == nullptr ? nullptr : std::move(station);
}

void Station::SitDown(Response& response, client::Connection connection, const pb::Session& session) {
  const std::string secret = seats_.Take(std::make_shared<Seat>(std::move(connection), session));
  response.headers.emplace_back("Set-Cookie", Cookie(kSeatCookie, secret));
}

void Station::StandUp(Visit& visit, Response& response) {
  if (const auto it = visit.request.cookies.find(kSeatCookie); it != visit.request.cookies.end())
    seats_.Leave(it->second);
  response.headers.emplace_back("Set-Cookie", Cookie(kSeatCookie, "", true));
  response.headers.emplace_back("Clear-Site-Data", "\"cache\", \"storage\"");
}

Response Station::Asset(const Request& request) const {
  const std::string file = request.path.substr(1);
  Response out;
  out.content_type = TypeOf(file);
  out.etag = assets_version_;
  if (file == "assets/theme.css" && !options_.theme_css.empty()) {
    out.body = options_.theme_css;
    return out;
  }
  if (file == "assets/logo.svg" && !options_.logo_svg.empty()) {
    out.body = options_.logo_svg;
    return out;
  }
  for (const EmbeddedFile& embedded : EmbeddedFiles()) {
    if (embedded.path == file) {
      out.body = std::string(embedded.bytes);
      return out;
    }
  }
  return Response::Plain(404, "not found\n");
}

Response Station::Answer(Request& request) {
  if (absl::StartsWith(request.path, "/assets/")) return Asset(request);
  std::shared_ptr<Seat> seat;
  if (const auto it = request.cookies.find(kSeatCookie); it != request.cookies.end())
    seat = seats_.Find(it->second);
  Visit visit(*this, request, WordsOf(request), seat);

  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  bool known = false;
  for (const Group group : kGroups) {
    for (const Route& route : group()) {
      auto parts = Fit(route.path, request.path);
      if (!parts) continue;
      known = true;
      if (method != route.method) continue;
      if (route.who == Who::kSignedIn && seat == nullptr) {
        if (visit.fragment()) return Response::Plain(401, "sign in\n");
        return Response::Redirect("/sign-in");
      }
      visit.parts_ = std::move(*parts);
      try {
        return route.handler(visit);
      } catch (const SessionEnded&) {
        Response out =
            visit.fragment() ? Response::Plain(401, "sign in\n") : Response::Redirect("/sign-in?ended=1");
        StandUp(visit, out);
        return out;
      }
    }
  }
  const std::string title = known ? visit.Say("Zo kan het niet") : visit.Say("Niet gevonden");
  View view;
  view.Set("text", known ? visit.Say("Deze pagina kan zo niet worden opgevraagd.")
                         : visit.Say("Deze pagina is er niet."));
  view.Set("back", View().Set("path", "/").Set("label", visit.Say("Naar het begin")));
  return visit.Page("error", title, std::move(view), known ? 405 : 404);
}

// ---- Parts of views.

std::string FieldId(const std::string& name) {
  return absl::StrReplaceAll(name, {{".", "-"}});
}

std::string FullName(const pb::PersonName& name) {
  std::vector<std::string> parts;
  for (const std::string& part : {name.given_names(), name.prefix(), name.surname()}) {
    if (!part.empty()) parts.push_back(part);
  }
  return absl::StrJoin(parts, " ");
}

}  // namespace waarborg::station

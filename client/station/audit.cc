// SPDX-License-Identifier: EUPL-1.2
// Oversight: the log checked, what stands out, periods reviewed, destructions and their certificates, words.
#include "client/station/audit.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "audit/certificate.h"
#include "audit/text.h"
#include "client/station/events.h"
#include "client/station/forms.h"
#include "client/station/station.h"
#include "server/base/clock.h"
#include "waarborg/v1/audit.grpc.pb.h"

namespace waarborg::station {
namespace {

using Service = pb::AuditService;
using Stub = Service::Stub;

constexpr auto kReading = std::chrono::seconds(30);
// How long a page waits for a check; a longer one goes on, and the page that comes asks again by itself.
constexpr auto kCheckWaits = std::chrono::seconds(20);
constexpr auto kCheckAsksAgain = "3";
// What the core takes: days of signals and of destructions in one question.
constexpr int kSignalDays = 93;
constexpr int kDestructionDays = 366;
constexpr int kFirstDays = 31;

struct CheckWords {
  CheckKind what;
  const char* label;  // Dutch
  const char* good;   // Dutch, with {values} of the finding
};
constexpr CheckWords kChecks[] = {
    {CheckKind::kContents, T("Elke regel nagerekend"),
     T("{size} regels in {files} bestanden; elke tegel en de wortel kloppen.")},
    {CheckKind::kSignature, T("Handtekening"), T("Van de sleutel {key}, die deze werkplek kent.")},
    {CheckKind::kWitnesses, T("Getuigen"), T("{count} getuigen ondertekenden mee; {needed} zijn nodig.")},
    {CheckKind::kPrevious, T("Sluit aan op het vorige logboek"), T("Op {origin}, met {size} regels.")},
    {CheckKind::kCoreKey, T("De dienst tekent met deze sleutel"),
     T("De sleutel die de dienst noemt, is de sleutel van deze werkplek.")},
    {CheckKind::kCore, T("De dienst heeft hetzelfde logboek"),
     T("De {size} regels van de dienst zijn het begin van wat gepubliceerd is, of gelijk eraan.")},
    {CheckKind::kSinceLast, T("Sinds de vorige controle hier"),
     T("De {size} regels van {at} staan er nog precies zo.")},
    {CheckKind::kSinceGiven, T("Sinds uw bewaarde controlepunt"),
     T("De {size} regels van toen staan er nog precies zo.")},
    {CheckKind::kEntry, T("De regel en haar bewijs"),
     T("Dit is regel {index} van een logboek van {size} regels.")},
    {CheckKind::kPublished, T("In het gepubliceerde logboek"), T("Op plaats {index} staat deze regel.")},
};

struct Tab {
  const char* path;
  const char* label;  // Dutch
  std::vector<pb::Role> roles;
};
const std::vector<Tab>& Tabs() {
  using Roles = std::vector<pb::Role>;
  const Roles overseers = {pb::ROLE_AUDITOR, pb::ROLE_DATA_PROTECTION_OFFICER};
  static const auto* const tabs = new std::vector<Tab>{
      {"/log", T("Zoeken"), overseers},
      {"/log/verify", T("Controleren"), overseers},
      {"/log/signals", T("Signalen"), overseers},
      {"/log/reviews", T("Beoordelingen"), overseers},
      {"/log/destructions", T("Vernietigingen"), overseers},
      {"/log/words", T("Woorden"), Roles{pb::ROLE_DATA_PROTECTION_OFFICER, pb::ROLE_LEGAL}},
  };
  return *tabs;
}

std::string Query(const Visit& v, const char* name) {
  const auto it = v.request.query.find(name);
  return it == v.request.query.end() ? "" : it->second;
}

std::string Iso(absl::CivilDay day) {
  return absl::FormatCivilTime(day);
}
absl::CivilDay DayOf(const google::protobuf::Timestamp& t) {
  return base::LocalDay(absl::FromUnixSeconds(t.seconds()) + absl::Nanoseconds(t.nanos()));
}
int64_t Ms(const google::protobuf::Timestamp& t) {
  return t.seconds() * 1000 + t.nanos() / 1'000'000;
}

View PeriodField(const Visit& v, const char* name, const std::string& label, const std::string& value,
                 const std::string& hint = "") {
  FieldOptions o;
  o.value = value;
  o.hint = hint;
  return DayField(v, name, label, o);
}

// The period that a page is about: from the query, else the last days up to today.
template <class Request>
bool Period(Visit& v, View& view, int days, Request& request) {
  std::string from = Query(v, "from"), until = Query(v, "until");
  if (from.empty() && until.empty()) {
    const absl::CivilDay today = base::LocalDay(v.Now());
    until = Iso(today);
    from = Iso(today - days);
  }
  view.Set("from", PeriodField(v, "from", v.Say("Van"), from))
      .Set("until", PeriodField(v, "until", v.Say("Tot en met"), until));
  bool has_from = false, has_until = false;
  return ReadDays(v, from, until, request.mutable_from(), &has_from, request.mutable_until(), &has_until) &&
         has_from && has_until;
}

// ---- The check.

Response ShowVerify(Visit& v) {
  View view;
  SetLogHead(view, v, v.Say("Is dit logboek wat het was?"), "/log/verify");
  LogCheck& check = v.station.log_check();
  view.Set("configured", check.configured());
  for (const char* name : {"running", "verdict", "logs", "problems", "keys"}) view.Set(name, false);
  if (!check.configured()) {
    view.Set("no_key", check.keys().logs.empty()).Set("no_folder", check.folder().empty());
    return v.Page("log_verify", v.Say("Controleren"), std::move(view));
  }
  std::vector<View> keys;
  for (const auto* list : {&check.keys().logs, &check.keys().witnesses}) {
    for (const audit::VerifierKey& key : *list) {
      keys.push_back(View().Set("text", key.Text()).Set("witness", list == &check.keys().witnesses));
    }
  }
  view.Set("keys", keys);
  FieldOptions file;
  file.optional = true;
  file.hint = v.Say(
      "Het bestand dat u bij een eerdere controle bewaarde. Zo ziet u dat er sindsdien niets is veranderd.");
  view.Set("given", TextField(v, "given", v.Say("Eerder controlepunt"), file));
  const LogCheck::Standing standing = check.standing();
  if (standing.running) {
    view.Set("running", standing.total == 0 ? v.Say("De controle loopt.")
                                            : v.Say("De controle loopt: {done} van {total} regels.",
                                                    {{"done", absl::StrCat(standing.entries)},
                                                     {"total", absl::StrCat(standing.total)}}));
  }
  if (standing.last != nullptr) {
    const CheckedLogs& last = *standing.last;
    View verdict = VerdictView(v, last.verdict(), v.Say("Alles wat is nagekeken, klopt."));
    verdict.Set("at", v.words.Moment(last.at));
    view.Set("verdict", verdict).Set("given_unknown", last.given_unknown);
    std::vector<View> problems;
    for (const std::string& problem : last.problems) problems.push_back(View().Set("text", problem));
    view.Set("problems", problems);
    std::vector<View> logs;
    for (const CheckedLog& log : last.logs) {
      View one;
      one.Set("name", log.name)
          .Set("wrong", log.verdict() == Verdict::kWrong)
          .Set("findings", FindingViews(v, log.findings));
      std::vector<View> facts;
      const auto add = [&](const std::string& label, const std::string& value) {
        facts.push_back(View().Set("label", label).Set("value", value).Set("private", false));
      };
      if (!log.checkpoint.origin.empty()) {
        add(v.Say("Logboek"), log.checkpoint.origin);
        add(v.Say("Regels"), absl::StrCat(log.checkpoint.size));
        add(v.Say("Wortel"), audit::Base64(audit::View(log.checkpoint.root)));
      }
      add(v.Say("Duur"), absl::StrFormat("%.2f s", log.seconds));
      one.Set("facts", facts)
          .Set("checkpoint", log.note.empty() ? "" : absl::StrCat("/log/checkpoint/", log.name));
      logs.push_back(std::move(one));
    }
    view.Set("logs", logs);
  }
  Response out = v.Page("log_verify", v.Say("Controleren"), std::move(view));
  if (standing.running) out.headers.emplace_back("Refresh", kCheckAsksAgain);
  return out;
}

Response Verify(Visit& v) {
  LogCheck& check = v.station.log_check();
  if (!check.configured()) return ShowVerify(v);
  LogQuestion question;
  pb::GetTreeHeadResponse head;
  if (const auto error = v.Ask<Service>(&Stub::GetTreeHead, pb::GetTreeHeadRequest(), &head); !error.ok()) {
    v.Problem(error);
    return ShowVerify(v);
  }
  if (head.root().size() == sizeof(audit::Hash)) {
    CoreHead core;
    core.head = {head.origin(), head.size(), audit::ToHash(head.root())};
    core.note = head.checkpoint();
    core.key = head.verifier_key();
    core.quorum = static_cast<size_t>(std::max(0, head.quorum()));
    question.core = std::move(core);
  }
  if (const auto file = v.request.files.find("given"); file != v.request.files.end())
    question.given = file->second.bytes;
  if (!check.Run(question, kCheckWaits)) {
    return v.Done("/log/verify", v.Say("Er liep al een controle van iemand anders. Hieronder staat wat die "
                                       "vond; vraag het zo nodig nog eens."));
  }
  return Response::Redirect("/log/verify");
}

Response DownloadCheckpoint(Visit& v) {
  const LogCheck::Standing standing = v.station.log_check().standing();
  if (standing.last != nullptr) {
    for (const CheckedLog& log : standing.last->logs) {
      if (log.name == v.Part("log") && !log.note.empty()) {
        return Download(
            absl::StrCat("controlepunt-", LogName(log.checkpoint.origin), "-", log.checkpoint.size, ".txt"),
            "text/plain; charset=utf-8", log.note);
      }
    }
  }
  v.Problem(v.Say("Dit controlepunt is er niet meer."), v.Say("Controleer het logboek nog eens."));
  return ShowVerify(v);
}

// ---- Signals.

Response ShowSignals(Visit& v) {
  View view;
  SetLogHead(view, v, v.Say("Signalen"), "/log/signals");
  pb::ListSignalsRequest request;
  pb::ListSignalsResponse response;
  const bool asked = Period(v, view, kFirstDays, request);
  if (asked) {
    // A longer period is what it is up to; the newest of it is looked at first.
    const int64_t most = int64_t{kSignalDays} * 24 * 3600;
    if (request.until().seconds() - request.from().seconds() > most)
      request.mutable_from()->set_seconds(request.until().seconds() - most);
    if (const auto error = v.Ask<Service>(&Stub::ListSignals, request, &response, kReading); !error.ok())
      v.Problem(error);
  }
  std::vector<View> rows;
  for (const pb::Signal& s : response.signals()) {
    View row;
    const std::string day = IsoDay(s.day());
    std::string path = absl::StrCat("/log/entries?from=", day, "&until=", day);
    if (!s.person_id().empty()) absl::StrAppend(&path, "&person_id=", Escaped(s.person_id()));
    if (s.person_id().empty() && !s.station_id().empty())
      absl::StrAppend(&path, "&station_id=", Escaped(s.station_id()));
    if (s.kind() == pb::SIGNAL_KIND_REPEATED_REFUSALS || s.kind() == pb::SIGNAL_KIND_OUTSIDE_ASSIGNMENT)
      absl::StrAppend(&path, "&refused_only=yes");
    if (s.kind() == pb::SIGNAL_KIND_MANY_VIEWS || s.kind() == pb::SIGNAL_KIND_OUTSIDE_OPENING_HOURS)
      absl::StrAppend(&path, "&kind=photo-seen");
    if (s.kind() == pb::SIGNAL_KIND_MANY_CHECKS) absl::StrAppend(&path, "&kind=desk");
    if (s.kind() == pb::SIGNAL_KIND_ON_CALL_RELEASE) absl::StrAppend(&path, "&kind=release");
    row.Set("day", v.words.ShortDay(s.day())).Set("what", NameOf(v.words, s.kind())).Set("path", path);
    row.Set("who", !s.person_name().empty() ? s.person_name()
                   : !s.person_id().empty() ? s.person_id()
                                            : v.Say("niemand aangemeld"));
    row.Set("where", s.station_id()).Set("count", absl::StrCat(s.count(), "×"));
    row.Set("threshold",
            s.threshold() > 1 ? v.Say("signaal vanaf {n}", {{"n", absl::StrCat(s.threshold())}}) : "");
    rows.push_back(std::move(row));
  }
  view.Set("any", !rows.empty()).Set("rows", rows).Set("asked", asked && !v.has_problem());
  return v.Page("log_signals", v.Say("Signalen"), std::move(view));
}

// ---- Reviews.

Response ShowReviews(Visit& v) {
  View view;
  SetLogHead(view, v, v.Say("Beoordelingen"), "/log/reviews");
  pb::ListReviewsResponse response;
  if (const auto error = v.Ask<Service>(&Stub::ListReviews, pb::ListReviewsRequest(), &response); !error.ok())
    v.Problem(error);
  view.Set("overdue", response.overdue())
      .Set("due_at", response.has_due_at() ? v.words.Moment(response.due_at()) : "");
  std::vector<View> gaps;
  std::string from, until;
  for (const pb::Gap& gap : response.gaps()) {
    const std::string first = Iso(DayOf(gap.from()));
    // Today is not over; what is signed off lies behind us.
    const absl::CivilDay last_day = DayOf(gap.until()) - 1;
    const std::string last = Iso(std::max(last_day, DayOf(gap.from())));
    if (from.empty()) {
      from = first;
      until = last;
    }
    View one;
    one.Set("from", v.words.Moment(gap.from())).Set("until", v.words.Moment(gap.until()));
    one.Set("signals", absl::StrCat("/log/signals?from=", first, "&until=", last));
    one.Set("refused", absl::StrCat("/log/entries?refused_only=yes&from=", first, "&until=", last));
    one.Set("photos", absl::StrCat("/log/entries?kind=photo-seen&from=", first, "&until=", last));
    one.Set("entries", absl::StrCat("/log/entries?from=", first, "&until=", last));
    gaps.push_back(std::move(one));
  }
  view.Set("any_gaps", !gaps.empty()).Set("gaps", gaps);
  view.Set("from", PeriodField(v, "from", v.Say("Van"), from));
  view.Set("until", PeriodField(v, "until", v.Say("Tot en met"), until, v.Say("uiterlijk gisteren")));
  FieldOptions findings;
  findings.max_length = 4000;
  findings.rows = 5;
  findings.hint = v.Say("Wat u vond en wat ermee gebeurt. Zonder namen. Vond u niets, schrijf dat dan.");
  view.Set("findings", TextField(v, "findings", v.Say("Bevindingen"), findings));
  std::vector<View> reviews;
  for (const pb::Review& r : response.reviews()) {
    View one;
    one.Set("period",
            absl::StrCat(Stamp(Ms(r.from())).substr(0, 10), " – ", Stamp(Ms(r.until()) - 1).substr(0, 10)));
    one.Set("findings", r.findings())
        .Set("by", r.by_name().empty() ? r.by() : r.by_name())
        .Set("at", Stamp(Ms(r.at())).substr(0, 16));
    one.Set("place", Place(r.origin(), r.index()));
    one.Set("path", absl::StrCat("/log/entry/", LogName(r.origin()), "/", r.index(), "?at=", Ms(r.at())));
    reviews.push_back(std::move(one));
  }
  view.Set("any_reviews", !reviews.empty()).Set("reviews", reviews);
  return v.Page("log_reviews", v.Say("Beoordelingen"), std::move(view));
}

Response SignOff(Visit& v) {
  pb::SignOffPeriodRequest request;
  bool has_from = false, has_until = false;
  if (!ReadDays(v, v.Field("from"), v.Field("until"), request.mutable_from(), &has_from,
                request.mutable_until(), &has_until))
    return ShowReviews(v);
  if (!has_from) request.clear_from();
  if (!has_until) request.clear_until();
  request.set_findings(v.Field("findings"));
  if (const auto error = v.Tell<Service>(&Stub::SignOffPeriod, request); !error.ok()) {
    v.Problem(error);
    return ShowReviews(v);
  }
  return v.Done("/log/reviews", v.Say("De periode is beoordeeld. Dat staat nu zelf in het logboek."));
}

// ---- Destructions.

std::string Lasting(const Visit& v, int64_t ms) {
  if (ms < 60'000)
    return v.Say("{n} seconden", {{"n", absl::StrFormat("%.1f", static_cast<double>(ms) / 1000)}});
  if (ms < 3'600'000) return v.Say("{n} minuten", {{"n", absl::StrCat(ms / 60'000)}});
  if (ms < 48 * int64_t{3'600'000}) return v.Say("{n} uur", {{"n", absl::StrCat(ms / 3'600'000)}});
  return v.Say("{n} dagen", {{"n", absl::StrCat(ms / (24 * int64_t{3'600'000}))}});
}

Response ShowDestructions(Visit& v) {
  View view;
  SetLogHead(view, v, v.Say("Vernietigingen"), "/log/destructions");
  pb::ReportDestructionRequest request;
  pb::ReportDestructionResponse response;
  if (Period(v, view, kDestructionDays - 1, request)) {
    if (const auto error = v.Ask<Service>(&Stub::ReportDestruction, request, &response, kReading);
        !error.ok())
      v.Problem(error);
  }
  std::vector<View> rows;
  for (const pb::Destruction& d : response.destructions()) {
    View row;
    row.Set("destroyed", Stamp(Ms(d.destroyed_at()))).Set("due", Stamp(Ms(d.due_at())));
    row.Set("took", Lasting(v, Ms(d.destroyed_at()) - Ms(d.due_at())))
        .Set("reason", NameOf(v.words, d.reason()));
    row.Set("ban_id", d.ban_id()).Set("photo_id", d.photo_id()).Set("place", Place(d.origin(), d.index()));
    row.Set("path",
            absl::StrCat("/log/entry/", LogName(d.origin()), "/", d.index(), "?at=", Ms(d.destroyed_at())));
    row.Set("certificate", absl::StrCat("/log/certificate/", Escaped(d.photo_id())));
    rows.push_back(std::move(row));
  }
  view.Set("any", !rows.empty()).Set("rows", rows).Set("more", response.more());
  view.Set("longest", Lasting(v, response.longest_ms())).Set("amount", absl::StrCat(rows.size()));
  FieldOptions of;
  of.max_length = 40;
  of.hint = v.Say("F-… van een foto, of LV-… van een vernietigd dossier");
  view.Set("id", TextField(v, "id", v.Say("Verklaring van vernietiging van"), of));
  return v.Page("log_destructions", v.Say("Vernietigingen"), std::move(view));
}

Response FindCertificate(Visit& v) {
  const std::string id = v.Field("id");
  if (id.empty() || id.size() > 40 ||
      id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != std::string::npos) {
    v.Fault("id", v.Say("Dit is geen nummer van een foto of een dossier."));
    return ShowDestructions(v);
  }
  return Response::Redirect(absl::StrCat("/log/certificate/", id));
}

Response ShowCertificate(Visit& v) {
  View view;
  SetLogHead(view, v, absl::StrCat(v.Say("Verklaring van vernietiging"), " ", v.Part("id")),
             "/log/destructions");
  pb::GetCertificateRequest request;
  request.set_id(v.Part("id"));
  pb::GetCertificateResponse response;
  view.Set("text", "").Set("download", "").Set("verdict", false).Set("findings", false);
  if (const auto error = v.Ask<Service>(&Stub::GetCertificate, request, &response); !error.ok()) {
    v.Problem(error);
    return v.Page("log_certificate", v.Say("Verklaring van vernietiging"), std::move(view));
  }
  std::vector<Finding> findings;
  if (const auto certificate = audit::Certificate::Parse(response.certificate()); certificate.ok()) {
    view.Set("text", certificate->declaration());
    findings = v.station.log_check().CheckOpening(certificate->opening().Text()).findings;
  } else {
    Finding f;
    f.what = CheckKind::kEntry;
    f.verdict = Verdict::kWrong;
    f.details = {certificate.error()};
    findings = {std::move(f)};
  }
  CheckedOpening all;
  all.findings = findings;
  view.Set("findings", FindingViews(v, findings))
      .Set("verdict", VerdictView(v, all.verdict(), v.Say("Wat hier staat, staat zo in het logboek.")));
  view.Set("download", absl::StrCat(v.request.path, "/file"));
  return v.Page("log_certificate", v.Say("Verklaring van vernietiging"), std::move(view));
}

Response DownloadCertificate(Visit& v) {
  pb::GetCertificateRequest request;
  request.set_id(v.Part("id"));
  pb::GetCertificateResponse response;
  if (const auto error = v.Ask<Service>(&Stub::GetCertificate, request, &response); !error.ok())
    return ShowCertificate(v);
  return Download("verklaring.txt", "text/plain; charset=utf-8", std::move(*response.mutable_certificate()));
}

// ---- Words.

Response WordsPage(Visit& v, View view) {
  SetLogHead(view, v, v.Say("Woorden bij een regel"), "/log/words");
  FieldOptions entry;
  entry.max_length = 200;
  entry.hint = v.Say("zoals 2026:17");
  view.Set("entry", TextField(v, "entry", v.Say("Regel van het logboek"), entry));
  return v.Page("log_words", v.Say("Woorden bij een regel"), std::move(view));
}

Response ShowWordsForm(Visit& v) {
  View view;
  view.Set("shown", false).Set("words", false).Set("place", "");
  return WordsPage(v, std::move(view));
}

Response ShowWords(Visit& v) {
  View view;
  view.Set("shown", false).Set("words", false).Set("place", "");
  const std::string typed = v.Field("entry");
  const size_t colon = typed.rfind(':');
  uint64_t index = 0;
  std::string origin = colon == std::string::npos ? "" : typed.substr(0, colon);
  if (origin.empty() || !absl::SimpleAtoi(typed.substr(colon + 1), &index)) {
    v.Fault("entry", v.Say("Schrijf het jaar en het nummer van de regel, zoals 2026:17."));
    return WordsPage(v, std::move(view));
  }
  // The short name of a log is known from the keys of this station.
  for (const audit::VerifierKey& key : v.station.log_check().keys().logs) {
    if (origin == LogName(key.name())) origin = key.name();
  }
  pb::GetWordsRequest request;
  request.set_origin(origin);
  request.set_index(index);
  pb::GetWordsResponse response;
  if (const auto error = v.Ask<Service>(&Stub::GetWords, request, &response, kReading); !error.ok()) {
    v.Problem(error);
    return WordsPage(v, std::move(view));
  }
  std::vector<View> words;
  for (const pb::Word& word : response.words().words())
    words.push_back(View().Set("field", word.field()).Set("text", word.text()));
  view.Set("shown", true).Set("place", Place(origin, index)).Set("any", !words.empty()).Set("words", words);
  return WordsPage(v, std::move(view));
}

constexpr Route kRoutes[] = {
    {"GET", "/log", Who::kSignedIn, &ShowLog},
    {"POST", "/log/search", Who::kSignedIn, &SearchLog},
    {"GET", "/log/entries", Who::kSignedIn, &ListLog},
    {"POST", "/log/export", Who::kSignedIn, &ExportLog},
    {"GET", "/log/entry/:log/:index", Who::kSignedIn, &ShowEntry},
    {"GET", "/log/entry/:log/:index/opening", Who::kSignedIn, &DownloadOpening},
    {"GET", "/log/verify", Who::kSignedIn, &ShowVerify},
    {"POST", "/log/verify", Who::kSignedIn, &Verify},
    {"GET", "/log/checkpoint/:log", Who::kSignedIn, &DownloadCheckpoint},
    {"GET", "/log/signals", Who::kSignedIn, &ShowSignals},
    {"GET", "/log/reviews", Who::kSignedIn, &ShowReviews},
    {"POST", "/log/reviews", Who::kSignedIn, &SignOff},
    {"GET", "/log/destructions", Who::kSignedIn, &ShowDestructions},
    {"POST", "/log/certificate", Who::kSignedIn, &FindCertificate},
    {"GET", "/log/certificate/:id", Who::kSignedIn, &ShowCertificate},
    {"GET", "/log/certificate/:id/file", Who::kSignedIn, &DownloadCertificate},
    {"GET", "/log/words", Who::kSignedIn, &ShowWordsForm},
    {"POST", "/log/words", Who::kSignedIn, &ShowWords},
};

}  // namespace

std::span<const Route> OversightRoutes() {
  return kRoutes;
}

// ---- Parts.

void SetLogHead(View& view, Visit& v, const std::string& heading, const std::string& tab) {
  std::vector<View> tabs;
  for (const Tab& t : Tabs()) {
    if (std::none_of(t.roles.begin(), t.roles.end(), [&](pb::Role role) { return v.Has(role); })) continue;
    tabs.push_back(View().Set("path", t.path).Set("label", v.Say(t.label)).Set("current", tab == t.path));
  }
  view.Set("heading", heading).Set("tabs", tabs).Set("has_tabs", tabs.size() > 1);
}

std::vector<View> FindingViews(const Visit& v, const std::vector<Finding>& findings) {
  std::vector<View> out;
  for (const Finding& f : findings) {
    const auto* words = std::find_if(std::begin(kChecks), std::end(kChecks),
                                     [&](const CheckWords& w) { return w.what == f.what; });
    View one;
    one.Set("good", f.verdict == Verdict::kGood)
        .Set("wrong", f.verdict == Verdict::kWrong)
        .Set("unchecked", f.verdict == Verdict::kNotChecked);
    one.Set("title", v.Say(words->label)).Set("text", "");
    if (f.verdict == Verdict::kGood) {
      std::string text = v.Say(words->good, {f.values.begin(), f.values.end()});
      if (f.values.contains("absent"))
        absl::StrAppend(&text, " ", v.Say("Dat logboek staat niet in de map; dit is zijn eigen woord."));
      one.Set("text", text);
    }
    std::vector<View> details;
    for (const std::string& detail : f.details) details.push_back(View().Set("text", detail));
    one.Set("details", details).Set("has_details", !details.empty());
    out.push_back(std::move(one));
  }
  return out;
}

View VerdictView(const Visit& v, Verdict verdict, const std::string& good) {
  View view;
  view.Set("at", "");
  switch (verdict) {
    case Verdict::kGood:
      return view.Set("kind", "ok")
          .Set("icon", "circle-check")
          .Set("title", v.Say("Het klopt"))
          .Set("text", good)
          .Set("next", "");
    case Verdict::kWrong:
      return view.Set("kind", "error")
          .Set("icon", "urgent")
          .Set("title", v.Say("HET KLOPT NIET"))
          .Set("text", v.Say("Hieronder staat wat er mis is en waar."))
          .Set("next", v.Say("Verander niets. Bewaar deze pagina en een kopie van de map, en waarschuw de "
                             "functionaris gegevensbescherming en de beheerder samen."));
    case Verdict::kNotChecked:
      break;
  }
  return view.Set("kind", "warning")
      .Set("icon", "alert-triangle")
      .Set("title", v.Say("Niet alles kon worden nagekeken"))
      .Set("text",
           v.Say("Wat hieronder geen vinkje heeft, is niet bewezen. Dat betekent niet dat het fout is."))
      .Set("next", "");
}

std::string LogName(const std::string& origin) {
  return origin.substr(origin.rfind('/') + 1);
}

std::string Place(const std::string& origin, uint64_t index) {
  return absl::StrCat(LogName(origin), ":", index);
}

std::string Stamp(int64_t ms) {
  return absl::FormatTime("%d-%m-%Y %H:%M:%S", absl::FromUnixMillis(ms), base::Amsterdam());
}

bool ReadDays(Visit& v, const std::string& from, const std::string& until, google::protobuf::Timestamp* begin,
              bool* has_begin, google::protobuf::Timestamp* end, bool* has_end) {
  bool good = true;
  const auto read = [&](const char* name, const std::string& text, int more, google::protobuf::Timestamp* out,
                        bool* has) {
    *has = !text.empty();
    if (text.empty()) return;
    absl::CivilDay day;
    if (text.size() != 10 || !absl::ParseCivilTime(text, &day) || day.year() < 1900 || day.year() > 2199) {
      v.Fault(name, v.Say("Deze datum bestaat niet. Vul dag, maand en jaar in."));
      good = false;
      return;
    }
    out->set_seconds(absl::ToUnixSeconds(base::StartOfDay(day + more)));
  };
  read("from", from, 0, begin, has_begin);
  read("until", until, 1, end, has_end);
  if (good && *has_begin && *has_end && begin->seconds() >= end->seconds()) {
    v.Fault("until", v.Say("Deze dag ligt vóór de eerste. Kies een latere."));
    good = false;
  }
  return good;
}

std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.') {
      out += c;
    } else {
      absl::StrAppendFormat(&out, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

Response Download(const std::string& name, const std::string& type, std::string bytes) {
  Response out;
  out.content_type = type;
  out.headers.emplace_back("Content-Disposition", absl::StrCat("attachment; filename=\"", name, "\""));
  out.body = std::move(bytes);
  out.wipe = true;
  return out;
}

}  // namespace waarborg::station

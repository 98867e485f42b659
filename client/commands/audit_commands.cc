// SPDX-License-Identifier: EUPL-1.2
#include <google/protobuf/util/time_util.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/commands/audit_rows.h"
#include "client/commands/parts.h"
#include "server/base/clock.h"
#include "waarborg/v1/audit.grpc.pb.h"

namespace waarborg::client {
namespace {

using Stub = pb::AuditService::Stub;
using google::protobuf::util::TimeUtil;

constexpr int kPage = 1000;
constexpr int kPageWithProofs = 100;

std::unique_ptr<Stub> NewStub(const Call& call) {
  return pb::AuditService::NewStub(call.connection.channel());
}

google::protobuf::Timestamp StartOf(absl::CivilDay day) {
  return TimeUtil::MillisecondsToTimestamp(absl::ToUnixMillis(base::StartOfDay(day)));
}

// --month 2026-03, or --from and --until.
template <class Request>
void FillPeriod(const Arguments& a, Request& request) {
  if (a.Has("month")) {
    const std::string text = a.Get("month");
    int year = 0, month = 0;
    if (text.size() != 7 || text[4] != '-' || !absl::SimpleAtoi(text.substr(0, 4), &year) ||
        !absl::SimpleAtoi(text.substr(5), &month) || month < 1 || month > 12) {
      throw BadOption{"month must be like 2026-03"};
    }
    *request.mutable_from() = StartOf(absl::CivilDay(year, month, 1));
    *request.mutable_until() = StartOf(absl::CivilDay(year, month + 1, 1));
  }
  if (a.Has("from")) *request.mutable_from() = ReadTime("from", a.Get("from"));
  if (a.Has("until")) *request.mutable_until() = ReadTime("until", a.Get("until"));
}

std::vector<Option> PeriodOptions() {
  return {{"month", Kind::kText, "in this month, 2026-03"},
          {"from", Kind::kTime, "at or after, 2026-03-02T14:05"},
          {"until", Kind::kTime, "before"}};
}

std::vector<Option> EntryOptions() {
  return {
      {"prove", Kind::kOut, "folder to write each entry to, with its proof, for waarborg-verify opening"}};
}

// "2026:17", as people refer to an entry.
std::string Place(const std::string& origin, uint64_t index) {
  return absl::StrCat(origin.substr(origin.rfind('/') + 1), ":", index);
}

void ShowEntry(const Call& call, const pb::AuditEntry& entry, Reply& reply) {
  const std::string place = Place(entry.origin(), entry.index());
  reply.table.push_back(EntryRow(entry));
  if (entry.damaged()) {
    reply.Fact("damaged", place);
    reply.lines.push_back(
        absl::StrCat(place, call.Say("  BESCHADIGD: deze regel is veranderd; waarschuw de beheerder",
                                     "  DAMAGED: this entry was changed; tell the administrator")));
    return;
  }
  if (!entry.has_record()) {
    reply.lines.push_back(absl::StrCat(place, call.Say("  (opening vernietigd)", "  (opening destroyed)")));
    return;
  }
  const pb::AuditRecord& r = entry.record();
  const std::string time = Text(TimeUtil::MillisecondsToTimestamp(r.at_ms()));
  const bool refused = r.result() == pb::RESULT_REFUSED;
  const std::string role = r.role() == 0 ? "" : Word(r.role()),
                    purpose = r.purpose() == 0 ? "" : Word(r.purpose());
  reply.Fact("event", r.event());
  reply.Fact("who", entry.person_name());
  reply.Fact("at-station", r.station_id());
  if (refused) reply.Fact("refused-by", r.rule());
  if (!r.ban_id().empty()) reply.Fact("about", r.ban_id());
  if (r.destruction_reason() != 0) reply.Fact("destruction", Word(r.destruction_reason()));
  if (!r.unit_id().empty()) reply.Fact("unit", r.unit_id());
  if (r.copies_found()) reply.Fact("copies-found", r.unit_id());
  if (r.sign_in_means() != 0) reply.Fact("by-means-of", Word(r.sign_in_means()));

  std::string line = absl::StrCat(place, "  ", time, "  ", r.event());
  if (refused) absl::StrAppend(&line, call.Say("  GEWEIGERD: ", "  REFUSED: "), r.rule());
  if (!entry.person_name().empty()) {
    absl::StrAppend(&line, "  ", entry.person_name());
  } else if (!r.person_id().empty()) {
    absl::StrAppend(&line, "  ", r.person_id(), call.Say(" (naam verwijderd)", " (name removed)"));
  } else {
    absl::StrAppend(&line, r.station_id().empty()
                               ? call.Say("  (het systeem)", "  (the system)")
                               : call.Say("  (niemand aangemeld)", "  (nobody signed in)"));
  }
  if (!role.empty()) absl::StrAppend(&line, " (", Shown(call, role), ")");
  if (!r.station_id().empty()) absl::StrAppend(&line, " @ ", r.station_id());
  for (const std::string& more : {r.ban_id(), r.photo_id(), r.unit_id()}) {
    if (!more.empty()) absl::StrAppend(&line, "  ", more);
  }
  if (!purpose.empty()) absl::StrAppend(&line, "  ", Shown(call, purpose));
  if (r.destruction_reason() != 0) absl::StrAppend(&line, "  ", Shown(call, Word(r.destruction_reason())));
  if (r.sign_in_means() != 0) absl::StrAppend(&line, "  ", Shown(call, Word(r.sign_in_means())));
  if (r.copies_found()) absl::StrAppend(&line, call.Say("  KOPIEËN GEVONDEN", "  COPIES FOUND"));
  if (r.on_call()) absl::StrAppend(&line, call.Say("  MET BEREIKBAARHEIDSDIENST", "  ON CALL"));
  if (!r.previous_origin().empty()) absl::StrAppend(&line, "  ", r.previous_origin(), ":", r.previous_size());
  reply.lines.push_back(line);
}

// Writes the files of --prove. Returns how many.
int WriteProofs(const Call& call, const pb::ListEntriesResponse& response, Reply& reply) {
  const std::string folder = call.arguments.Get("prove");
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    throw BadOption{"prove: cannot make the folder " + folder};
  int written = 0;
  for (const auto& entry : response.entries()) {
    if (entry.opening_file().empty()) {
      if (entry.has_record()) {
        reply.lines.push_back(absl::StrCat(Place(entry.origin(), entry.index()),
                                           call.Say("  nog geen bewijs: vraag het over een seconde nog eens",
                                                    "  no proof yet: ask again in a second")));
      }
      continue;
    }
    const std::string path = absl::StrCat(folder, "/", entry.origin().substr(entry.origin().rfind('/') + 1),
                                          "-", entry.index(), ".opening");
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << entry.opening_file();
    out.close();
    if (!out) throw BadOption{"prove: cannot write " + path};
    ++written;
  }
  return written;
}

// Asks page by page, until the answer is whole or there are `most`.
Reply AskEntries(Call& call, pb::ListEntriesRequest request, int most, bool oldest_first) {
  const bool prove = call.arguments.Has("prove");
  request.set_with_proofs(prove);
  auto all = std::make_shared<pb::ListEntriesResponse>();
  Reply reply;
  int proofs = 0;
  do {
    request.set_page_size(std::min(prove ? kPageWithProofs : kPage, most - all->entries_size()));
    std::shared_ptr<pb::ListEntriesResponse> page;
    Reply asked = Ask(call, &Stub::ListEntries, NewStub(call), request, page);
    if (!asked.ok()) return asked;
    if (prove) proofs += WriteProofs(call, *page, reply);
    for (auto& entry : *page->mutable_entries()) *all->add_entries() = std::move(entry);
    all->set_next_page_token(page->next_page_token());
    request.set_page_token(page->next_page_token());
  } while (!all->next_page_token().empty() && all->entries_size() < most);
  if (oldest_first) std::reverse(all->mutable_entries()->begin(), all->mutable_entries()->end());
  reply.message = all;
  reply.table.push_back(EntryColumns());
  reply.Fact("count", absl::StrCat(all->entries_size()));
  for (const auto& entry : all->entries()) ShowEntry(call, entry, reply);
  if (all->entries().empty()) reply.lines.push_back(call.Say("Geen regels.", "No entries."));
  if (prove) {
    reply.Fact("proofs", absl::StrCat(proofs));
    reply.lines.push_back(
        absl::StrCat(proofs, call.Say(" bewijzen in ", " proofs in "), call.arguments.Get("prove")));
  }
  if (!all->next_page_token().empty()) {
    reply.Fact("next", all->next_page_token());
    reply.lines.push_back(
        call.Say("Er is meer; kies een kortere periode, of lees verder met: audit list --page ",
                 "There is more; choose a shorter period, or go on with: audit list --page ") +
        all->next_page_token());
  }
  return reply;
}

Reply List(Call& call) {
  const Arguments& a = call.arguments;
  pb::ListEntriesRequest request;
  request.set_ban_id(a.Get("ban"));
  request.set_person_id(a.Get("person"));
  request.set_station_id(a.Get("station"));
  request.set_subject_id(a.Get("subject"));
  for (const std::string& event : a.List("event")) request.add_events(event);
  FillPeriod(a, request);
  request.set_refused_only(a.Has("refused"));
  request.set_page_token(a.Get("page"));
  const int size = a.Has("size") ? ReadCount("size", a.Get("size")) : 100;
  if (size < 1 || size > kMostEntries) throw BadOption{absl::StrCat("size must be 1 to ", kMostEntries)};
  return AskEntries(call, request, size, /*oldest_first=*/false);
}

// The questions that auditors ask, each a filter of the log.
struct Question {
  const char* name;
  const char* summary;
  const char* about;  // the option that must be given; null when none
  const char* about_help;
  std::vector<const char*> events;
  bool refused_only;
  bool oldest_first;
};

std::function<Reply(Call&)> Answer(const Question& question) {
  return [question](Call& call) {
    pb::ListEntriesRequest request;
    request.set_ban_id(call.arguments.Get("ban"));
    request.set_person_id(call.arguments.Get("person"));
    request.set_station_id(call.arguments.Get("station"));
    for (const char* event : question.events) request.add_events(event);
    request.set_refused_only(question.refused_only);
    FillPeriod(call.arguments, request);
    return AskEntries(call, request, kMostEntries, question.oldest_first);
  };
}

const std::vector<Question>& Questions() {
  static const std::vector<Question> questions = {
      {"audit photo",
       "Who saw this ban's photo",
       "ban",
       "id of the ban, LV-...",
       {"ShowPhoto", "PreviewPhoto", "ExportPhoto"},
       false,
       false},
      {"audit person", "What this employee did", "person", "sign-in name or id, M-...", {}, false, false},
      {"audit station", "What happened at this station", "station", "id of the station", {}, false, false},
      {"audit refusals", "What was refused", nullptr, nullptr, {}, true, false},
      {"audit release",
       "Every step of one release, oldest first",
       "ban",
       "id of the ban, LV-...",
       {"RecordInformed",   "RequestRelease", "DecideConsent",      "SupplyPhoto",
        "DeclineSupply",    "PreviewPhoto",   "ReleasePhoto",       "ExportPhoto",
        "DarkenPhoto",      "RestorePhoto",   "WithdrawWrongPhoto", "DecidePhotoObjection",
        "LiftBan",          "BanExpired",     "BanLapsed",          "PhotoDestructionStarted",
        "PhotoDestroyed",   "CopiesAsked",    "CopiesReminded",     "CopiesEscalated",
        "ConfirmCopiesGone"},
       false,
       true},
  };
  return questions;
}

Reply Head(Call& call) {
  std::shared_ptr<pb::GetTreeHeadResponse> response;
  Reply reply = Ask(call, &Stub::GetTreeHead, NewStub(call), pb::GetTreeHeadRequest(), response);
  if (!reply.ok()) return reply;
  reply.Fact("size", absl::StrCat(response->size()));
  reply.Fact("root", absl::BytesToHexString(response->root()));
  reply.Fact("origin", response->origin());
  reply.Fact("key", response->verifier_key());
  reply.lines.push_back(absl::StrCat(call.Say("logboek  ", "log      "), response->origin()));
  reply.lines.push_back(absl::StrCat(call.Say("regels   ", "entries  "), response->size()));
  reply.lines.push_back(
      absl::StrCat(call.Say("wortel   ", "root     "), absl::BytesToHexString(response->root())));
  reply.lines.push_back(absl::StrCat(call.Say("sleutel  ", "key      "), response->verifier_key()));
  int cosigned = 0;
  for (const auto& witness : response->witnesses()) {
    cosigned += witness.cosigned() ? 1 : 0;
    reply.Fact(witness.cosigned() ? "cosigned" : "not-cosigned", witness.id());
    reply.lines.push_back(absl::StrCat(call.Say("getuige  ", "witness  "), witness.id(),
                                       witness.cosigned()
                                           ? call.Say("  heeft medeondertekend", "  has cosigned")
                                           : call.Say("  NIET: ", "  NOT: ") + witness.why()));
  }
  if (response->quorum() > 0) {
    reply.lines.push_back(
        absl::StrCat(call.Say("nodig    ", "quorum   "), cosigned, "/", response->quorum()));
  }
  if (call.arguments.Has("checkpoint")) reply.lines.push_back(response->checkpoint());
  return reply;
}

// ORIGIN:INDEX
void ReadPlace(const std::string& text, pb::GetWordsRequest& request) {
  const size_t colon = text.rfind(':');
  uint64_t index = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(text.substr(colon + 1), &index)) {
    throw BadOption{"entry must be like waterdam.example/lokaalverboden/2026:17"};
  }
  request.set_origin(text.substr(0, colon));
  request.set_index(index);
}

Reply Words(Call& call) {
  pb::GetWordsRequest request;
  ReadPlace(call.arguments.Get("entry"), request);
  std::shared_ptr<pb::GetWordsResponse> response;
  Reply reply = Ask(call, &Stub::GetWords, NewStub(call), request, response);
  if (!reply.ok()) return reply;
  for (const auto& word : response->words().words()) {
    reply.Fact(word.field(), word.text());
    reply.lines.push_back(absl::StrCat(word.field(), ": ", word.text()));
  }
  if (response->words().words().empty()) {
    reply.lines.push_back(call.Say("Bij deze regel horen geen woorden, of ze zijn vernietigd.",
                                   "This entry has no words, or they were destroyed."));
  }
  return reply;
}

std::string Lasting(int64_t ms) {
  if (ms < 60'000) return absl::StrFormat("%.1f s", static_cast<double>(ms) / 1000);
  return absl::FormatDuration(absl::Seconds(ms / 1000));
}

Reply ReportDestruction(Call& call) {
  pb::ReportDestructionRequest request;
  FillPeriod(call.arguments, request);
  std::shared_ptr<pb::ReportDestructionResponse> response;
  Reply reply = Ask(call, &Stub::ReportDestruction, NewStub(call), request, response);
  if (!reply.ok()) return reply;
  reply.Fact("count", absl::StrCat(response->destructions_size()));
  reply.Fact("longest-ms", absl::StrCat(response->longest_ms()));
  reply.table.push_back({"log", "entry", "ban", "photo", "reason", "due", "destroyed", "ms"});
  for (const auto& d : response->destructions()) {
    const int64_t took =
        TimeUtil::TimestampToMilliseconds(d.destroyed_at()) - TimeUtil::TimestampToMilliseconds(d.due_at());
    reply.table.push_back({d.origin(), absl::StrCat(d.index()), d.ban_id(), d.photo_id(), Word(d.reason()),
                           Text(d.due_at()), Text(d.destroyed_at()), absl::StrCat(took)});
    reply.lines.push_back(absl::StrCat(Place(d.origin(), d.index()), "  ", d.ban_id(), "  ", d.photo_id(),
                                       "  ", Shown(call, Word(d.reason())), "  ", Text(d.due_at()),
                                       call.Say("  vernietigd na ", "  destroyed after "), Lasting(took)));
  }
  reply.lines.push_back(absl::StrCat(response->destructions_size(),
                                     call.Say(" vernietigd; langst: ", " destroyed; longest: "),
                                     Lasting(response->longest_ms())));
  if (response->more()) {
    reply.lines.push_back(
        call.Say("Er zijn er meer: kies een kortere periode.", "There are more: choose a shorter period."));
  }
  return reply;
}

Reply SignOff(Call& call) {
  pb::SignOffPeriodRequest request;
  FillPeriod(call.arguments, request);
  request.set_findings(call.arguments.Get("findings"));
  std::shared_ptr<pb::SignOffPeriodResponse> response;
  return Tell(call, &Stub::SignOffPeriod, NewStub(call), request, response);
}

Reply Reviews(Call& call) {
  std::shared_ptr<pb::ListReviewsResponse> response;
  Reply reply = Ask(call, &Stub::ListReviews, NewStub(call), pb::ListReviewsRequest(), response);
  if (!reply.ok()) return reply;
  reply.Fact("count", absl::StrCat(response->reviews_size()));
  reply.Fact("overdue", response->overdue() ? "yes" : "no");
  reply.table.push_back({"id", "from", "until", "by", "at", "log", "entry", "findings"});
  for (const auto& r : response->reviews()) {
    reply.Fact("findings", r.findings());
    reply.table.push_back({r.id(), Text(r.from()), Text(r.until()), r.by(), Text(r.at()), r.origin(),
                           absl::StrCat(r.index()), r.findings()});
    reply.lines.push_back(absl::StrCat(Place(r.origin(), r.index()), "  ", Text(r.from()), " - ",
                                       Text(r.until()), "  ", r.by_name().empty() ? r.by() : r.by_name(),
                                       ": ", r.findings()));
  }
  for (const auto& gap : response->gaps()) {
    reply.Fact("gap", absl::StrCat(Text(gap.from()), " - ", Text(gap.until())));
    reply.lines.push_back(absl::StrCat(call.Say("nog niet beoordeeld: ", "not reviewed yet: "),
                                       Text(gap.from()), " - ", Text(gap.until())));
  }
  if (response->has_due_at()) {
    reply.lines.push_back(absl::StrCat(
        response->overdue()
            ? call.Say("TE LAAT: had beoordeeld moeten zijn op ", "OVERDUE: should have been reviewed by ")
            : call.Say("te beoordelen voor ", "to be reviewed before "),
        Text(response->due_at())));
  }
  return reply;
}

Reply Signals(Call& call) {
  pb::ListSignalsRequest request;
  FillPeriod(call.arguments, request);
  std::shared_ptr<pb::ListSignalsResponse> response;
  Reply reply = Ask(call, &Stub::ListSignals, NewStub(call), request, response);
  if (!reply.ok()) return reply;
  reply.Fact("count", absl::StrCat(response->signals_size()));
  reply.table.push_back(
      {"day", "signal", "person_id", "person", "station", "count", "threshold", "log", "first_entry"});
  for (const auto& s : response->signals()) {
    const std::string who = !s.person_name().empty() ? s.person_name() : s.person_id();
    const std::string where = s.indexes().empty() ? "" : Place(s.origin(), s.indexes(0));
    reply.Fact("signal", Word(s.kind()));
    reply.Fact("about", who);
    reply.table.push_back({Text(s.day()), Word(s.kind()), s.person_id(), s.person_name(), s.station_id(),
                           absl::StrCat(s.count()), absl::StrCat(s.threshold()), s.origin(),
                           s.indexes().empty() ? "" : absl::StrCat(s.indexes(0))});
    reply.lines.push_back(absl::StrCat(
        Text(s.day()), "  ", Shown(call, Word(s.kind())), "  ",
        who.empty() ? call.Say("(niemand aangemeld) @ ", "(nobody signed in) @ ") + s.station_id() : who,
        "  ", s.count(), s.threshold() > 1 ? absl::StrCat(" (", s.threshold(), ")") : "", "  ", where));
  }
  if (response->signals().empty()) reply.lines.push_back(call.Say("Geen signalen.", "No signals."));
  return reply;
}

// A line of JSON as the Logboek Dataverwerkingen describes a record.
std::string JsonLine(const pb::ProcessingRecord& r) {
  const auto quoted = [](const std::string& text) {
    std::string out = "\"";
    for (char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      if (static_cast<unsigned char>(c) < 0x20) {
        absl::StrAppendFormat(&out, "\\u%04x", static_cast<int>(c));
      } else {
        out += c;
      }
    }
    return out + "\"";
  };
  return absl::StrCat(
      "{\"trace_id\":", quoted(r.trace_id()), ",\"span_id\":", quoted(r.span_id()),
      ",\"status\":", quoted(r.status()), ",\"name\":", quoted(r.name()), ",\"start_time\":", r.start_time(),
      ",\"end_time\":", r.end_time(),
      ",\"resource\":{\"attributes\":{\"service.name\":\"waarborg\",\"waarborg.log\":", quoted(r.origin()),
      ",\"waarborg.entry\":", r.index(),
      "}},\"attributes\":{\"dpl.core.processing_activity_id\":", quoted(r.processing_activity_id()),
      ",\"dpl.core.data_subject_id\":", quoted(r.data_subject_id()),
      ",\"dpl.core.data_subject_id_type\":", quoted(r.data_subject_id_type()), "}}");
}

Reply Export(Call& call) {
  pb::ExportProcessingRequest request;
  FillPeriod(call.arguments, request);
  const std::string path = call.arguments.Get("out");
  std::ofstream file;
  if (!path.empty()) {
    file.open(path, std::ios::binary | std::ios::trunc);
    if (!file) throw BadOption{"out: cannot write " + path};
  }
  Reply reply;
  auto all = std::make_shared<pb::ExportProcessingResponse>();
  int count = 0;
  do {
    std::shared_ptr<pb::ExportProcessingResponse> page;
    Reply asked = Ask(call, &Stub::ExportProcessing, NewStub(call), request, page);
    if (!asked.ok()) return asked;
    for (const auto& record : page->records()) {
      ++count;
      const std::string line = JsonLine(record);
      if (path.empty()) {
        reply.lines.push_back(line);
        *all->add_records() = record;
      } else {
        file << line << "\n";
      }
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  reply.message = all;
  reply.Fact("count", absl::StrCat(count));
  if (!path.empty()) {
    file.close();
    if (!file) throw BadOption{"out: cannot write " + path};
    reply.lines.push_back(absl::StrCat(count, call.Say(" verwerkingen in ", " processings in "), path));
  }
  return reply;
}

Reply Certificate(Call& call) {
  pb::GetCertificateRequest request;
  request.set_id(call.arguments.Get("of"));
  std::shared_ptr<pb::GetCertificateResponse> response;
  Reply reply = Ask(call, &Stub::GetCertificate, NewStub(call), request, response);
  if (!reply.ok()) return reply;
  const std::string path = call.arguments.Get("out");
  if (path.empty()) {
    reply.lines.push_back(response->certificate());
    return reply;
  }
  std::ofstream file(path, std::ios::binary);
  file << response->certificate();
  file.close();
  if (!file) throw BadOption{"out: cannot write " + path};
  reply.lines.push_back(absl::StrCat(
      path,
      call.Say("; nagaan met: waarborg-verify certificate ", "; check it with: waarborg-verify certificate "),
      path, " --key log.vkey"));
  return reply;
}

Reply Counts(Call& call) {
  pb::ReportCountsRequest request;
  request.set_year(ReadCount("year", call.arguments.Get("year")));
  std::shared_ptr<pb::ReportCountsResponse> response;
  Reply reply = Ask(call, &Stub::ReportCounts, NewStub(call), request, response);
  if (!reply.ok()) return reply;
  reply.table.push_back({"what", "count"});
  for (const pb::Count& c : response->counts()) {
    const std::string count = c.few() ? "<5" : absl::StrCat(c.count());
    reply.Fact(c.what(), count);
    reply.table.push_back({c.what(), count});
    reply.lines.push_back(absl::StrCat(c.what(), "  ", count));
  }
  if (response->counts().empty())
    reply.lines.push_back(call.Say("Er is niets geteld.", "Nothing was counted."));
  return reply;
}

}  // namespace

std::vector<std::string> EntryColumns() {
  return {"log",  "entry",   "time",     "event", "result", "rule",    "person_id", "person",
          "role", "station", "location", "ban",   "photo",  "purpose", "subject",   "unit"};
}

std::vector<std::string> EntryRow(const pb::AuditEntry& entry) {
  std::vector<std::string> row = {entry.origin(), absl::StrCat(entry.index())};
  if (entry.damaged() || !entry.has_record()) {
    row.resize(EntryColumns().size());
    row[4] = entry.damaged() ? "damaged" : "destroyed";
    return row;
  }
  const pb::AuditRecord& r = entry.record();
  for (const std::string& value :
       {Text(TimeUtil::MillisecondsToTimestamp(r.at_ms())), r.event(),
        std::string(r.result() == pb::RESULT_REFUSED ? "refused" : "done"), r.rule(), r.person_id(),
        entry.person_name(), r.role() == 0 ? "" : Word(r.role()), r.station_id(), r.location_id(), r.ban_id(),
        r.photo_id(), r.purpose() == 0 ? "" : Word(r.purpose()), r.subject_id(), r.unit_id()}) {
    row.push_back(value);
  }
  return row;
}

void AddAuditCommands(std::vector<Command>& out) {
  out.push_back({"audit list", "Who did what: entries of the log, newest first",
                 With(With({{"ban", Kind::kText, "only about this ban"},
                            {"person", Kind::kText, "only by this person: sign-in name or id, M-..."},
                            {"station", Kind::kText, "only at this station"},
                            {"subject", Kind::kText, "only about this account, station or change"},
                            {"event", Kind::kList, "only these events (ShowPhoto, PhotoDestroyed ...)"},
                            {"refused", Kind::kFlag, "only refusals"},
                            {"size", Kind::kCount, "how many at most; 100 when not given"},
                            {"page", Kind::kText, "from the answer before"}},
                           PeriodOptions()),
                      EntryOptions()),
                 List});
  for (const Question& q : Questions()) {
    std::vector<Option> options;
    if (q.about != nullptr) options.push_back({q.about, Kind::kText, q.about_help, true});
    out.push_back(
        {q.name, q.summary, With(With(std::move(options), PeriodOptions()), EntryOptions()), Answer(q)});
  }
  out.push_back({"audit destruction", "Time between the end and the destruction of each photo",
                 PeriodOptions(), ReportDestruction});
  out.push_back(
      {"audit certificate",
       "The certificate of a destruction, with its proof",
       {{"of", Kind::kText, "the photo (F-...), or the ban whose file was destroyed (LV-...)", true},
        {"out", Kind::kOut, "file to write; else it is shown"}},
       Certificate});
  out.push_back({"audit counts",
                 "What stays of files that were destroyed: counts",
                 {{"year", Kind::kCount, "in which their bans were closed", true}},
                 Counts});
  out.push_back({"audit signals", "What stands out, by the configured thresholds", PeriodOptions(), Signals});
  out.push_back({"audit reviews",
                 "Periods that were signed off, what was not, and whether that is overdue",
                 {},
                 Reviews});
  out.push_back(
      {"audit sign-off", "A period of the log was reviewed: sign it off",
       With(PeriodOptions(), {{"findings", Kind::kText, "what was found, without names", true}, KeyOption()}),
       SignOff});
  out.push_back({"audit words",
                 "The words that belong to an entry, for legal and the data protection officer",
                 {{"entry", Kind::kText, "ORIGIN:INDEX, waterdam.example/lokaalverboden/2026:17", true}},
                 Words});
  out.push_back({"audit export",
                 "Logboek Dataverwerkingen: a line of JSON for each processing of each person concerned",
                 With(PeriodOptions(), {{"out", Kind::kOut, "file to write; else they are shown"}}), Export});
  out.push_back({"audit head",
                 "Size and root of the log, its key and its witnesses",
                 {{"checkpoint", Kind::kFlag, "show the newest checkpoint as well"}},
                 Head});
}

}  // namespace waarborg::client

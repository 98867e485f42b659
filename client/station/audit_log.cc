// SPDX-License-Identifier: EUPL-1.2
// The log: searching, reading, one entry with its proof, and what was found as a file.
#include <algorithm>
#include <functional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "audit/text.h"
#include "client/commands/audit_rows.h"
#include "client/commands/command.h"
#include "client/station/audit.h"
#include "client/station/events.h"
#include "client/station/facts.h"
#include "client/station/forms.h"
#include "client/station/station.h"
#include "server/base/clock.h"
#include "server/base/hex.h"
#include "waarborg/v1/audit.grpc.pb.h"

namespace waarborg::station {
namespace {

using Service = pb::AuditService;
using Stub = Service::Stub;

constexpr int kOnAPage = 100;
constexpr int kInAFile = 1000;
constexpr auto kReading = std::chrono::seconds(30);

// What is searched for. It stands in the address of the list, so that going back from an entry finds it: ids
// and days, nothing personal.
struct Search {
  std::string ban, person, station, subject, kind, from, until, older;
  bool refused = false;

  bool any() const {
    return refused || !(ban.empty() && person.empty() && station.empty() && subject.empty() && kind.empty() &&
                        from.empty() && until.empty());
  }
  // Names as in the form and the query.
  std::vector<std::pair<const char*, std::string>> fields() const {
    return {{"ban_id", ban},         {"person_id", person},
            {"station_id", station}, {"subject_id", subject},
            {"kind", kind},          {"from", from},
            {"until", until},        {"refused_only", refused ? "yes" : ""}};
  }
  std::string path() const {
    std::vector<std::string> parts;
    for (const auto& [name, value] : fields()) {
      if (!value.empty()) parts.push_back(absl::StrCat(name, "=", Escaped(value)));
    }
    if (!older.empty()) parts.push_back(absl::StrCat("older=", Escaped(older)));
    return absl::StrCat("/log/entries", parts.empty() ? "" : "?", absl::StrJoin(parts, "&"));
  }
};

Search ReadSearch(const std::function<std::string(const char*)>& field) {
  Search s;
  s.ban = field("ban_id");
  s.person = field("person_id");
  s.station = field("station_id");
  s.subject = field("subject_id");
  s.kind = field("kind");
  s.from = field("from");
  s.until = field("until");
  s.older = field("older");
  s.refused = !field("refused_only").empty();
  return s;
}

Search FromQuery(const Visit& v) {
  return ReadSearch([&v](const char* name) {
    const auto it = v.request.query.find(name);
    return it == v.request.query.end() ? std::string() : it->second;
  });
}
Search FromForm(const Visit& v) {
  return ReadSearch([&v](const char* name) { return v.Field(name); });
}

// Ids, and what an export calls a ban. A name is not one of these: it must not come to stand in an address.
bool IsId(const std::string& text) {
  return text.size() <= 120 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return c < 0x80 && (std::isalnum(c) != 0 || std::string_view("-_.+/=").find(
                                                           static_cast<char>(c)) != std::string_view::npos);
         });
}
bool StartsAs(const std::string& text, std::string_view prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

// False when it is no question; the faults stand at their fields.
bool Fill(Visit& v, const Search& s, pb::ListEntriesRequest& request) {
  request.set_ban_id(s.ban);
  request.set_person_id(s.person);
  request.set_station_id(s.station);
  request.set_subject_id(s.subject);
  request.set_refused_only(s.refused);
  request.set_page_token(s.older);
  for (const std::string& event : EventsOf(s.kind)) request.add_events(event);
  bool has_from = false, has_until = false;
  google::protobuf::Timestamp from, until;
  if (!ReadDays(v, s.from, s.until, &from, &has_from, &until, &has_until)) return false;
  if (has_from) *request.mutable_from() = from;
  if (has_until) *request.mutable_until() = until;
  return true;
}

void SetSearchForm(View& view, Visit& v, const Search& s) {
  const auto text = [&](const char* name, const std::string& label, const std::string& value,
                        const std::string& hint = "") {
    FieldOptions o;
    o.optional = true;
    o.max_length = 120;
    o.value = value;
    o.hint = hint;
    return TextField(v, name, label, o);
  };
  view.Set("ban_id", text("ban_id", v.Say("Dossier"), s.ban, "LV-…"));
  view.Set("person_id", text("person_id", v.Say("Medewerker"), s.person, v.Say("aanmeldnaam of M-…")));
  view.Set("station_id", text("station_id", v.Say("Werkplek"), s.station, v.Say("bijvoorbeeld balie-1")));
  std::vector<Choice> kinds;
  for (const EventKind& kind : EventKinds()) kinds.push_back({kind.code, v.Say(kind.label), ""});
  FieldOptions o;
  o.optional = true;
  o.value = s.kind;
  view.Set("kind", ChoiceField(v, "kind", v.Say("Wat er gebeurde"), kinds, o));
  FieldOptions day;
  day.optional = true;
  day.value = s.from;
  view.Set("from", DayField(v, "from", v.Say("Van"), day));
  day.value = s.until;
  view.Set("until", DayField(v, "until", v.Say("Tot en met"), day));
  view.Set("refused_only", CheckField(v, "refused_only", v.Say("Alleen wat werd geweigerd"), s.refused, o));
}

std::string Who(const Visit& v, const pb::AuditEntry& entry) {
  const pb::AuditRecord& r = entry.record();
  if (!entry.person_name().empty()) return entry.person_name();
  if (!r.person_id().empty()) return absl::StrCat(r.person_id(), " ", v.Say("(naam verwijderd)"));
  return r.station_id().empty() ? v.Say("het systeem") : v.Say("niemand aangemeld");
}

std::string EntryPath(const pb::AuditEntry& entry) {
  return absl::StrCat("/log/entry/", LogName(entry.origin()), "/", entry.index(),
                      "?at=", entry.record().at_ms());
}

// One line of a list.
View RowView(Visit& v, const pb::AuditEntry& entry) {
  View row;
  row.Set("place", Place(entry.origin(), entry.index())).Set("damaged", entry.damaged());
  row.Set("destroyed", !entry.damaged() && !entry.has_record());
  row.Set("leaf", audit::Base64(entry.commitment()));
  const bool known = !entry.damaged() && entry.has_record();
  row.Set("known", known);
  for (const char* name : {"time", "day", "path", "what", "refused", "who", "who_path", "role", "where",
                           "where_path", "location", "ban_id", "ban_path", "about"}) {
    row.Set(name, "");
  }
  if (!known) return row;
  const pb::AuditRecord& r = entry.record();
  const std::string stamp = Stamp(r.at_ms());
  row.Set("day", stamp.substr(0, 10))
      .Set("time", stamp.substr(11))
      .Set("path", EntryPath(entry))
      .Set("what", EventName(v.words, r.event()));
  if (r.result() == pb::RESULT_REFUSED) row.Set("refused", RuleName(v.words, r.rule()));
  row.Set("who", Who(v, entry));
  Search by;
  if (!r.person_id().empty()) {
    by.person = r.person_id();
    row.Set("who_path", by.path());
  }
  if (r.role() != pb::ROLE_UNSPECIFIED) row.Set("role", v.words.RoleName(r.role()));
  if (!r.station_id().empty()) {
    by = Search();
    by.station = r.station_id();
    row.Set("where", r.station_id()).Set("where_path", by.path());
  }
  if (!r.location_id().empty()) row.Set("location", LocationName(v, r.location_id()));
  if (!r.ban_id().empty()) {
    by = Search();
    by.ban = r.ban_id();
    row.Set("ban_id", r.ban_id()).Set("ban_path", by.path());
  }
  std::vector<std::string> about;
  if (r.purpose() != pb::PURPOSE_UNSPECIFIED) about.push_back(NameOf(v.words, r.purpose()));
  if (r.demand_step() != pb::DEMAND_STEP_UNSPECIFIED) about.push_back(NameOf(v.words, r.demand_step()));
  if (r.destruction_reason() != pb::DESTRUCTION_REASON_UNSPECIFIED)
    about.push_back(NameOf(v.words, r.destruction_reason()));
  if (!r.unit_id().empty()) about.push_back(UnitName(v, r.unit_id()));
  if (!r.subject_id().empty() && r.subject_id() != r.person_id())
    about.push_back(absl::StrCat(v.Say("over"), " ", r.subject_id()));
  if (r.copies_found()) about.push_back(v.Say("kopieën gevonden"));
  if (r.on_call()) about.push_back(v.Say("met de bereikbaarheidsdienst"));
  if (r.count() > 0) about.push_back(absl::StrCat(r.count(), "×"));
  row.Set("about", absl::StrJoin(about, " · "));
  return row;
}

// What was searched, in words: "Wie de foto zag · LV-7K2M9QX4TB".
std::string InWords(const Visit& v, const Search& s) {
  std::vector<std::string> parts;
  for (const EventKind& kind : EventKinds()) {
    if (s.kind == kind.code) parts.push_back(v.Say(kind.label));
  }
  if (s.refused) parts.push_back(v.Say("Alleen geweigerd"));
  for (const std::string& id : {s.ban, s.person, s.station, s.subject}) {
    if (!id.empty()) parts.push_back(id);
  }
  if (!s.from.empty()) parts.push_back(absl::StrCat(v.Say("van"), " ", s.from));
  if (!s.until.empty()) parts.push_back(absl::StrCat(v.Say("tot en met"), " ", s.until));
  return parts.empty() ? v.Say("Alle regels") : absl::StrJoin(parts, " · ");
}

// The entry that the path names; the time in the query finds it. Empty with the problem on the visit when it
// is not there.
std::optional<pb::AuditEntry> FindEntry(Visit& v) {
  const auto at = v.request.query.find("at");
  int64_t ms = 0;
  uint64_t index = 0;
  if (at == v.request.query.end() || !absl::SimpleAtoi(at->second, &ms) || ms < 0 || ms > 7'258'118'400'000 ||
      !absl::SimpleAtoi(v.Part("index"), &index)) {
    v.Problem(v.Say("Deze regel is niet te vinden."), v.Say("Zoek hem op in het logboek."));
    return std::nullopt;
  }
  pb::ListEntriesRequest request;
  request.set_with_proofs(true);
  request.set_page_size(kOnAPage);
  request.mutable_from()->set_seconds(ms / 1000);
  request.mutable_from()->set_nanos(static_cast<int32_t>(ms % 1000) * 1'000'000);
  request.mutable_until()->set_seconds((ms + 1) / 1000);
  request.mutable_until()->set_nanos(static_cast<int32_t>((ms + 1) % 1000) * 1'000'000);
  do {
    pb::ListEntriesResponse response;
    if (const auto error = v.Ask<Service>(&Stub::ListEntries, request, &response, kReading); !error.ok()) {
      v.Problem(error);
      return std::nullopt;
    }
    for (pb::AuditEntry& entry : *response.mutable_entries()) {
      if (entry.index() == index && LogName(entry.origin()) == v.Part("log")) return std::move(entry);
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  v.Problem(v.Say("Deze regel is er niet."), v.Say("Zoek hem op in het logboek."));
  return std::nullopt;
}

std::vector<View> Facts(Visit& v, const pb::AuditEntry& entry) {
  std::vector<View> out;
  const auto add = [&](const std::string& label, const std::string& value) {
    if (!value.empty()) out.push_back(View().Set("label", label).Set("value", value).Set("private", false));
  };
  const pb::AuditRecord& r = entry.record();
  add(v.Say("Wanneer"),
      absl::StrCat(v.words.Moment(absl::FromUnixMillis(r.at_ms())), ":",
                   absl::FormatTime("%E3S", absl::FromUnixMillis(r.at_ms()), base::Amsterdam())));
  add(v.Say("Uitkomst"),
      r.result() == pb::RESULT_REFUSED
          ? absl::StrCat(v.Say("geweigerd"), ": ", RuleName(v.words, r.rule()), " (", r.rule(), ")")
      : r.replayed() ? v.Say("was al gedaan; het antwoord is herhaald")
                     : v.Say("gedaan"));
  add(v.Say("Wie"),
      r.person_id().empty() ? Who(v, entry) : absl::StrCat(Who(v, entry), " (", r.person_id(), ")"));
  if (r.role() != pb::ROLE_UNSPECIFIED) add(v.Say("Rol"), v.words.RoleName(r.role()));
  add(v.Say("In plaats van"), r.in_place_of());
  add(v.Say("Werkplek"), r.station_id());
  add(v.Say("Locatie"), LocationName(v, r.location_id()));
  add(v.Say("Dossier"), r.ban_id());
  add(v.Say("Foto"), r.photo_id());
  if (r.purpose() != pb::PURPOSE_UNSPECIFIED) add(v.Say("Doel"), NameOf(v.words, r.purpose()));
  add(v.Say("Over"), r.subject_id());
  if (r.demand_step() != pb::DEMAND_STEP_UNSPECIFIED) add(v.Say("Stap"), NameOf(v.words, r.demand_step()));
  if (r.ban_state() != pb::BAN_STATE_UNSPECIFIED)
    add(v.Say("Stand van het dossier daarna"), NameOf(v.words, r.ban_state()));
  if (r.photo_state() != pb::PHOTO_STATE_UNSPECIFIED)
    add(v.Say("Stand van de foto daarna"), NameOf(v.words, r.photo_state()));
  add(v.Say("Ontvangers van de foto"), Names(v, r.recipient_unit_ids(), UnitName));
  add(v.Say("Groep"), UnitName(v, r.unit_id()));
  if (r.copies_found()) add(v.Say("Kopieën"), v.Say("gevonden en vernietigd"));
  if (r.on_call())
    add(v.Say("Vrijgave"), v.Say("met de bereikbaarheidsdienst, zonder op de getuigen te wachten"));
  if (r.destruction_reason() != pb::DESTRUCTION_REASON_UNSPECIFIED) {
    add(v.Say("Reden van vernietiging"), NameOf(v.words, r.destruction_reason()));
  }
  if (r.due_at_ms() > 0) add(v.Say("Moest weg zijn sinds"), Stamp(r.due_at_ms()));
  std::vector<std::string> checks;
  for (const int check : r.checks())
    checks.push_back(NameOf(v.words, static_cast<pb::DestructionCheck>(check)));
  add(v.Say("Daarna nagekeken"), absl::StrJoin(checks, "; "));
  if (r.key_home() != pb::KEY_HOME_UNSPECIFIED) {
    add(v.Say("Waar de sleutel was"), r.key_home() == pb::KEY_HOME_TOKEN ? v.Say("in een beveiligd apparaat")
                                                                         : v.Say("in een verzegeld bestand"));
  }
  if (r.destroyed_generation() > 0)
    add(v.Say("Vernietigde generatie sleutels"), absl::StrCat(r.destroyed_generation()));
  if (r.key_generation() > 0) add(v.Say("Generatie sleutels daarna"), absl::StrCat(r.key_generation()));
  if (r.period_until_ms() > 0)
    add(v.Say("Periode"), absl::StrCat(Stamp(r.period_from_ms()), " – ", Stamp(r.period_until_ms())));
  if (r.count() > 0) add(v.Say("Aantal"), absl::StrCat(r.count()));
  add(v.Say("Vingerafdruk van de instellingen"), base::ToHex(r.configuration_digest()));
  if (!r.previous_origin().empty())
    add(v.Say("Vorig logboek"),
        absl::StrCat(r.previous_origin(), ", ", r.previous_size(), " ", v.Say("regels")));
  return out;
}

}  // namespace

Response ShowLog(Visit& v) {
  View view;
  SetLogHead(view, v, v.Say("Logboek"), "/log");
  const Search s = v.request.method == "POST" ? FromForm(v) : Search();
  SetSearchForm(view, v, s);
  FieldOptions ban, person;
  ban.max_length = 120;
  ban.hint = "LV-…";
  ban.autofocus = v.request.method != "POST";
  person.max_length = 120;
  person.hint = v.Say("aanmeldnaam of M-…");
  // These ask one thing each; their fields have names of their own so that an error is shown at the one that
  // was used.
  view.Set("photo_of", TextField(v, "photo_of", v.Say("Dossier"), ban));
  view.Set("done_by", TextField(v, "done_by", v.Say("Medewerker"), person));
  return v.Page("log", v.Say("Logboek"), std::move(view));
}

Response SearchLog(Visit& v) {
  Search s = FromForm(v);
  s.older.clear();
  std::string at_ban = "ban_id", at_person = "person_id";
  if (const std::string of = v.Field("photo_of"); !of.empty()) {
    s.ban = of;
    s.kind = "photo-seen";
    at_ban = "photo_of";
  }
  if (const std::string by = v.Field("done_by"); !by.empty()) {
    s.person = by;
    at_person = "done_by";
  }
  if (!IsId(s.ban))
    v.Fault(
        at_ban,
        v.Say(
            "Dit is geen nummer van een dossier. Vul LV- en tien tekens in; zoeken op naam kan hier niet."));
  if (!IsId(s.station))
    v.Fault("station_id", v.Say("Dit is geen werkplek. Vul haar korte naam in, zoals balie-1."));
  if (!s.kind.empty() && EventsOf(s.kind).empty()) v.Fault("kind", v.Say("Kies een soort uit de lijst."));
  pb::ListEntriesRequest unused;
  if (v.has_problem() || !Fill(v, s, unused)) return ShowLog(v);
  // A sign-in name is for this question only: in the address stands the id, found from one entry of this
  // person.
  if (!s.person.empty() && !StartsAs(s.person, "M-")) {
    pb::ListEntriesRequest request;
    request.set_person_id(s.person);
    request.set_page_size(1);
    pb::ListEntriesResponse response;
    if (const auto error = v.Ask<Service>(&Stub::ListEntries, request, &response, kReading); !error.ok()) {
      v.Problem(error);
      return ShowLog(v);
    }
    if (response.entries().empty() || response.entries(0).record().person_id().empty()) {
      v.Fault(
          at_person,
          v.Say(
              "Van deze medewerker staat niets in het logboek. Vul de aanmeldnaam in, of het nummer (M-…)."));
      return ShowLog(v);
    }
    s.person = response.entries(0).record().person_id();
  }
  if (!IsId(s.person)) {
    v.Fault(at_person, v.Say("Dit is geen medewerker. Vul de aanmeldnaam in, of het nummer (M-…)."));
    return ShowLog(v);
  }
  return Response::Redirect(s.path());
}

Response ListLog(Visit& v) {
  View view;
  const Search s = FromQuery(v);
  SetLogHead(view, v, v.Say("Logboek"), "/log");
  SetSearchForm(view, v, s);
  view.Set("searched", InWords(v, s)).Set("first", s.older.empty());
  pb::ListEntriesRequest request;
  request.set_page_size(kOnAPage);
  pb::ListEntriesResponse response;
  if (Fill(v, s, request)) {
    if (const auto error = v.Ask<Service>(&Stub::ListEntries, request, &response, kReading); !error.ok())
      v.Problem(error);
  }
  std::vector<View> rows;
  for (const pb::AuditEntry& entry : response.entries()) rows.push_back(RowView(v, entry));
  view.Set("any", !rows.empty()).Set("rows", rows);
  const std::string count = absl::StrCat(rows.size());
  view.Set("amount", response.next_page_token().empty() && s.older.empty()
                         ? (rows.size() == 1 ? v.Say("1 regel") : v.Say("{n} regels", {{"n", count}}))
                         : v.Say("{n} regels op deze pagina", {{"n", count}}));
  view.Set("older", "").Set("newest", "").Set("photo", "").Set("everything", "");
  Search other = s;
  if (!response.next_page_token().empty()) {
    other.older = response.next_page_token();
    view.Set("older", other.path());
  }
  if (!s.older.empty()) {
    other.older.clear();
    view.Set("newest", other.path());
  }
  // About a file: from everything to who saw the photo, and back, in one step.
  if (!s.ban.empty()) {
    other = s;
    other.older.clear();
    other.kind = s.kind == "photo-seen" ? "" : "photo-seen";
    view.Set(s.kind == "photo-seen" ? "everything" : "photo", other.path());
  }
  std::vector<View> hidden;
  for (const auto& [name, value] : s.fields()) hidden.push_back(View().Set("name", name).Set("value", value));
  view.Set("hidden", hidden);
  return v.Page("log_entries", v.Say("Logboek"), std::move(view));
}

Response ExportLog(Visit& v) {
  const Search s = FromForm(v);
  pb::ListEntriesRequest request;
  if (!Fill(v, s, request)) return ShowLog(v);
  request.clear_page_token();
  std::vector<std::vector<std::string>> table = {client::EntryColumns()};
  do {
    request.set_page_size(kInAFile);
    pb::ListEntriesResponse response;
    if (const auto error = v.Ask<Service>(&Stub::ListEntries, request, &response, kReading); !error.ok()) {
      v.Problem(error);
      return ShowLog(v);
    }
    for (const pb::AuditEntry& entry : response.entries()) table.push_back(client::EntryRow(entry));
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty() && table.size() <= static_cast<size_t>(client::kMostEntries));
  if (!request.page_token().empty()) {
    v.Problem(v.Say("Dit zijn meer dan {n} regels.", {{"n", absl::StrCat(client::kMostEntries)}}),
              v.Say("Kies een kortere periode."));
    return ShowLog(v);
  }
  return Download("logboek.csv", "text/csv; charset=utf-8", client::Csv(table));
}

Response ShowEntry(Visit& v) {
  View view;
  const auto entry = FindEntry(v);
  SetLogHead(
      view, v,
      entry ? absl::StrCat(v.Say("Regel"), " ", Place(entry->origin(), entry->index())) : v.Say("Regel"),
      "/log");
  view.Set("known", false).Set("damaged", false).Set("words", "").Set("opening_path", "").Set("ban_path", "");
  if (!entry) return v.Page("log_entry", v.Say("Regel"), std::move(view), 404);
  view.Set("damaged", entry->damaged()).Set("known", entry->has_record() && !entry->damaged());
  view.Set("origin", entry->origin())
      .Set("index", absl::StrCat(entry->index()))
      .Set("leaf", audit::Base64(entry->commitment()));
  view.Set("what", EventName(v.words, entry->record().event())).Set("event", entry->record().event());
  view.Set("facts", Facts(v, *entry));
  if (!entry->record().ban_id().empty()) {
    Search s;
    s.ban = entry->record().ban_id();
    view.Set("ban_path", s.path()).Set("ban_id", s.ban);
  }
  view.Set("has_words", !entry->record().words_commitment().empty());
  if (!entry->record().words_commitment().empty() && v.Has(pb::ROLE_DATA_PROTECTION_OFFICER)) {
    view.Set("words", absl::StrCat(entry->origin(), ":", entry->index()));
  }
  if (!entry->opening_file().empty()) {
    const CheckedOpening checked = v.station.log_check().CheckOpening(entry->opening_file());
    std::vector<Finding> findings = checked.findings;
    // The proof must be of the entry that is shown, and of nothing else.
    pb::AuditRecord proven;
    const bool same = proven.ParseFromString(checked.record) &&
                      proven.SerializeAsString() == entry->record().SerializeAsString();
    if (checked.verdict() != Verdict::kWrong &&
        (checked.origin != entry->origin() || checked.index != entry->index() ||
         checked.leaf != entry->commitment() || !same)) {
      findings.front().verdict = Verdict::kWrong;
      findings.front().details.emplace_back(
          "the proof that the core gives is of another entry than the one that is shown");
    }
    view.Set("findings", FindingViews(v, findings));
    CheckedOpening all;
    all.findings = findings;
    view.Set("verdict", VerdictView(v, all.verdict(), v.Say("Deze regel staat zo in het logboek.")));
    view.Set("opening_path", absl::StrCat(v.request.path, "/opening?at=", entry->record().at_ms()));
  }
  return v.Page("log_entry", v.Say("Regel"), std::move(view));
}

Response DownloadOpening(Visit& v) {
  const auto entry = FindEntry(v);
  if (!entry || entry->opening_file().empty()) return ShowEntry(v);
  return Download(absl::StrCat("regel-", LogName(entry->origin()), "-", entry->index(), ".opening"),
                  "text/plain; charset=utf-8", entry->opening_file());
}

}  // namespace waarborg::station

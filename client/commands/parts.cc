// SPDX-License-Identifier: EUPL-1.2
#include "client/commands/parts.h"

#include <fcntl.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "server/base/clock.h"

namespace waarborg::client {
namespace {

pb::PersonName ReadName(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '|');
  if (parts.size() != 3) throw BadOption{"alias must be \"given names|prefix|surname\""};
  pb::PersonName name;
  name.set_given_names(parts[0]);
  name.set_prefix(parts[1]);
  name.set_surname(parts[2]);
  return name;
}

}  // namespace

std::string Arguments::Get(const std::string& name) const {
  auto it = values_.find(name);
  return it == values_.end() || it->second.empty() ? "" : it->second.front();
}

const std::vector<std::string>& Arguments::All(const std::string& name) const {
  static const std::vector<std::string> none;
  auto it = values_.find(name);
  return it == values_.end() ? none : it->second;
}

std::vector<std::string> Arguments::List(const std::string& name) const {
  return absl::StrSplit(Get(name), ',', absl::SkipEmpty());
}

std::optional<std::string> Reply::FindFact(const std::string& name) const {
  for (const auto& [n, value] : facts) {
    if (n == name) return value;
  }
  return std::nullopt;
}

const std::vector<Command>& AllCommands() {
  static const std::vector<Command> all = [] {
    std::vector<Command> commands;
    AddSessionCommands(commands);
    AddKeyCommands(commands);
    AddCheckCommands(commands);
    AddBanCommands(commands);
    AddPhotoCommands(commands);
    AddSubjectCommands(commands);
    AddTaskCommands(commands);
    AddPeopleCommands(commands);
    AddAuditCommands(commands);
    AddBackupCommands(commands);
    // A bad option is reported the same way everywhere.
    for (Command& command : commands) {
      command.run = [run = std::move(command.run)](Call& call) {
        try {
          return run(call);
        } catch (const BadOption& bad) {
          Reply reply;
          reply.usage_error = bad.what;
          return reply;
        }
      };
    }
    return commands;
  }();
  return all;
}

std::string Csv(const std::vector<std::vector<std::string>>& table) {
  std::string out;
  for (const auto& row : table) {
    for (size_t i = 0; i < row.size(); ++i) {
      out += i == 0 ? "\"" : ",\"";
      if (row[i].find_first_of("=+-@\t\r") == 0) out += '\'';
      for (const char c : row[i]) {
        if (c == '"') out += '"';
        out += c;
      }
      out += '"';
    }
    out += "\r\n";
  }
  return out;
}

std::string Json(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string out;
  if (!google::protobuf::util::MessageToJsonString(message, &out, options).ok()) return "{}\n";
  return out;
}

const Command* FindCommand(const std::string& name) {
  for (const Command& command : AllCommands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

std::string CheckArguments(const Command& command, const Arguments& arguments) {
  for (const auto& [name, values] : arguments.values()) {
    auto it = std::find_if(command.options.begin(), command.options.end(),
                           [&n = name](const Option& o) { return o.name == n; });
    if (it == command.options.end())
      return absl::StrCat("\"", command.name, "\" has no option \"", name, "\"");
    if (values.size() > 1 && it->kind != Kind::kMany)
      return absl::StrCat("option \"", name, "\" is given twice");
  }
  for (const Option& option : command.options) {
    if (option.required && !arguments.Has(option.name)) {
      return absl::StrCat("\"", command.name, "\" needs the option \"", option.name, "\" (", option.help,
                          ")");
    }
  }
  return "";
}

pb::Date ReadDate(const std::string& name, const std::string& text, bool parts_may_be_unknown) {
  pb::Date date;
  const std::vector<std::string> parts = absl::StrSplit(text, '-');
  int year = 0, month = 0, day = 0;
  if (parts.size() != 3 || parts[0].size() != 4 || parts[1].size() != 2 || parts[2].size() != 2 ||
      !absl::SimpleAtoi(parts[0], &year) || !absl::SimpleAtoi(parts[1], &month) ||
      !absl::SimpleAtoi(parts[2], &day)) {
    throw BadOption{absl::StrCat(name, " must be a date like 2026-03-02",
                                 parts_may_be_unknown ? "; write 00 for an unknown month or day" : "")};
  }
  date.set_year(year);
  date.set_month(month);
  date.set_day(day);
  return date;
}

google::protobuf::Timestamp ReadTime(const std::string& name, const std::string& text) {
  absl::Time t;
  std::string error;
  if (!absl::ParseTime("%Y-%m-%dT%H:%M", text, base::Amsterdam(), &t, &error)) {
    throw BadOption{absl::StrCat(name, " must be a time like 2026-03-02T14:05")};
  }
  return google::protobuf::util::TimeUtil::MillisecondsToTimestamp(absl::ToUnixMillis(t));
}

bool HasIdentity(const Arguments& a) {
  for (const char* name : {"given", "prefix", "surname", "born", "alias", "established", "description"}) {
    if (a.Has(name)) return true;
  }
  return false;
}

pb::Identity ReadIdentity(const Arguments& a) {
  pb::Identity identity;
  identity.mutable_name()->set_given_names(a.Get("given"));
  identity.mutable_name()->set_prefix(a.Get("prefix"));
  identity.mutable_name()->set_surname(a.Get("surname"));
  for (const std::string& alias : a.All("alias")) *identity.add_other_names() = ReadName(alias);
  if (a.Has("born")) *identity.mutable_birth_date() = ReadDate("born", a.Get("born"), true);
  identity.set_established(a.Has("established"));
  identity.set_description(a.Get("description"));
  return identity;
}

pb::Scope ReadScope(const Arguments& a) {
  pb::Scope scope;
  if (a.Get("where") == "all") {
    scope.set_all_municipal(true);
  } else {
    for (const std::string& id : a.List("where")) scope.add_location_ids(id);
  }
  return scope;
}

bool HasTerms(const Arguments& a) {
  for (const char* name : {"ground", "measure", "where", "from", "until", "repeat", "departure", "form"}) {
    if (a.Has(name)) return true;
  }
  return false;
}

pb::Terms ReadTerms(const Arguments& a) {
  pb::Terms terms;
  terms.set_ground_id(a.Get("ground"));
  if (a.Has("measure")) {
    terms.set_measure(
        static_cast<pb::Measure>(ReadEnum("measure", a.Get("measure"), pb::Measure_descriptor())));
  }
  *terms.mutable_scope() = ReadScope(a);
  if (a.Has("from")) *terms.mutable_from() = ReadDate("from", a.Get("from"), false);
  if (a.Has("until")) *terms.mutable_until() = ReadDate("until", a.Get("until"), false);
  terms.set_repeat_offence(a.Has("repeat"));
  terms.set_departure_reason(a.Get("departure"));
  terms.set_legal_form(pb::LEGAL_FORM_AWB_DECISION);
  if (a.Has("form")) {
    terms.set_legal_form(
        static_cast<pb::LegalForm>(ReadEnum("form", a.Get("form"), pb::LegalForm_descriptor())));
  }
  return terms;
}

pb::Purpose ReadPurpose(const Arguments& a, const std::string& otherwise) {
  const std::string word = a.Has("purpose") ? a.Get("purpose") : otherwise;
  if (word == "none") return pb::PURPOSE_UNSPECIFIED;
  return static_cast<pb::Purpose>(ReadEnum("purpose", word, pb::Purpose_descriptor()));
}

std::string ReadFileBytes(const std::string& name, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw BadOption{absl::StrCat(name, ": cannot read ", path)};
  return {std::istreambuf_iterator<char>(in), {}};
}

void WritePrivately(const std::string& name, const std::string& path, const std::string& bytes) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  // A file that was there keeps its rights unless they are taken away, before there is anything in it. What
  // is no file (a pipe, /dev/stdout) is left as it is.
  struct stat info {};
  bool good = file >= 0 && fstat(file, &info) == 0 && (!S_ISREG(info.st_mode) || fchmod(file, 0600) == 0);
  for (size_t at = 0; good && at < bytes.size();) {
    const ssize_t n = write(file, bytes.data() + at, bytes.size() - at);
    good = n > 0;
    if (good) at += static_cast<size_t>(n);
  }
  if (file >= 0) good = close(file) == 0 && good;
  if (!good) throw BadOption{absl::StrCat(name, ": cannot write ", path)};
}

int ReadCount(const std::string& name, const std::string& text) {
  int n = 0;
  if (!absl::SimpleAtoi(text, &n)) throw BadOption{absl::StrCat(name, " must be a whole number")};
  return n;
}

std::string WordOf(const google::protobuf::EnumDescriptor* type, int value) {
  const auto* v = type->FindValueByNumber(value);
  if (v == nullptr) return "unknown";
  // ROLE_CIVIL_AFFAIRS of Role: the prefix is the type's name in capitals.
  const std::string zero = type->FindValueByNumber(0)->name();
  const std::string prefix = zero.substr(0, zero.size() - std::string("UNSPECIFIED").size());
  std::string word = v->name().substr(prefix.size());
  for (char& c : word) c = c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

int ReadEnum(const std::string& name, const std::string& word, const google::protobuf::EnumDescriptor* type) {
  std::vector<std::string> words;
  for (int i = 1; i < type->value_count(); ++i) {
    words.push_back(WordOf(type, type->value(i)->number()));
    if (words.back() == word) return type->value(i)->number();
  }
  throw BadOption{absl::StrCat(name, " must be one of: ", absl::StrJoin(words, ", "))};
}

std::string Shown(const Call& call, const std::string& word) {
  static const std::map<std::string, const char*> kDutch{
      {"proposed", "voorgesteld"},
      {"provisional", "directe ontzegging"},
      {"alert", "signalement"},
      {"active", "besloten"},
      {"extended", "verlengd"},
      {"rejected", "afgewezen"},
      {"lapsed", "vervallen"},
      {"lifted", "opgeheven"},
      {"expired", "afgelopen"},
      {"none", "geen"},
      {"informed", "betrokkene is verteld"},
      {"requested", "toestemming gevraagd"},
      {"consented", "toestemming gegeven"},
      {"refused", "toestemming geweigerd"},
      {"declined", "niet verstrekt"},
      {"supplied", "verstrekt"},
      {"released", "vrijgegeven"},
      {"darkened", "afgeschermd"},
      {"destroying", "wordt vernietigd"},
      {"destroyed", "vernietigd"},
      {"closed", "niet meer mogelijk"},
      {"left", "vertrokken"},
      {"removed", "door politie verwijderd"},
      {"ban-ended", "verbod afgelopen"},
      {"ban-lifted", "verbod opgeheven"},
      {"objection-upheld", "bezwaar gegrond"},
      {"wrong-photo", "verkeerde foto"},
      {"visitor-at-desk", "bezoeker aan de balie"},
      {"sighting", "in het gebouw gezien"},
      {"briefing", "briefing"},
      {"incident", "incident"},
      {"outside-opening-hours", "foto bekeken buiten openingstijd"},
      {"many-views", "veel foto's bekeken"},
      {"many-checks", "veel controles"},
      {"outside-assignment", "poging buiten de eigen indeling"},
      {"repeated-refusals", "herhaald geweigerd"},
      {"on-call-release", "vrijgegeven met bereikbaarheidsdienst"},
      {"password-and-code", "wachtwoord en code"},
      {"code-only", "alleen code"},
      {"security-key", "beveiligingssleutel"},
      {"openid", "aanmelddienst"},
      {"desk-staff", "balie"},
      {"security-coordinator", "T&V"},
      {"manager", "leidinggevende"},
      {"civil-affairs", "Burgerzaken"},
      {"municipal-secretary", "gemeentesecretaris"},
      {"board-secretariat", "college (secretariaat)"},
      {"legal", "Juridische Zaken"},
      {"hr", "P&O"},
      {"police-contact", "politie"},
      {"auditor", "auditor"},
      {"data-protection-officer", "FG"},
      {"privacy-officer", "privacy officer"},
      {"administrator", "beheerder"},
      {"open", "wacht op een tweede persoon"},
      {"confirmed", "bevestigd"},
      {"new-person", "nieuw account"},
      {"person", "andere rechten"},
      {"reset", "herstel"},
      {"deputy", "vervanging"},
      {"station", "werkplek"},
      {"configuration", "configuratie"},
      {"security-key", "beveiligingssleutel"},
  };
  if (call.language == Language::kEnglish) return word;
  auto it = kDutch.find(word);
  return it == kDutch.end() ? word : it->second;
}

std::string Text(const pb::Date& d) {
  return absl::StrCat(absl::Dec(d.year(), absl::kZeroPad4), "-", absl::Dec(d.month(), absl::kZeroPad2), "-",
                      absl::Dec(d.day(), absl::kZeroPad2));
}

std::string Text(const google::protobuf::Timestamp& t) {
  const int64_t ms = google::protobuf::util::TimeUtil::TimestampToMilliseconds(t);
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixMillis(ms), base::Amsterdam());
}

std::string Text(const pb::PersonName& n) {
  std::vector<std::string> parts;
  for (const std::string& part : {n.given_names(), n.prefix(), n.surname()}) {
    if (!part.empty()) parts.push_back(part);
  }
  return absl::StrJoin(parts, " ");
}

std::string Text(const pb::Identity& identity) {
  std::vector<std::string> parts;
  if (identity.has_name()) parts.push_back(Text(identity.name()));
  if (identity.has_birth_date()) parts.push_back(Text(identity.birth_date()));
  if (!identity.description().empty()) parts.push_back(absl::StrCat("\"", identity.description(), "\""));
  parts.erase(std::remove(parts.begin(), parts.end(), ""), parts.end());
  std::string out = absl::StrJoin(parts, ", ");
  for (const auto& other : identity.other_names()) absl::StrAppend(&out, " (", Text(other), ")");
  return out;
}

std::string Text(const pb::Scope& scope) {
  return scope.all_municipal() ? "all" : absl::StrJoin(scope.location_ids(), ",");
}

std::vector<Option> With(std::vector<Option> first, std::vector<Option> then) {
  for (Option& o : then) first.push_back(std::move(o));
  return first;
}

std::vector<Option> IdentityOptions() {
  return {{"given", Kind::kText, "given names, in full"},
          {"prefix", Kind::kText, "prefix of the surname (van, de ...)"},
          {"surname", Kind::kText, "surname without prefix"},
          {"born", Kind::kDate, "date of birth; 00 for an unknown month or day"},
          {"alias", Kind::kMany, "earlier name or alias, as \"given|prefix|surname\""},
          {"established", Kind::kFlag, "the identity is established"},
          {"description", Kind::kText, "what the person looks like, while the identity is not established"}};
}

std::vector<Option> TermsOptions(bool required) {
  return {{"ground", Kind::kText, "ground, from the guideline", required},
          {"measure", Kind::kWord, "time-out or access-ban", required},
          {"where", Kind::kList, "locations, or \"all\" for all municipal ones", required},
          {"from", Kind::kDate, "first day", required},
          {"until", Kind::kDate, "last day, to and including", required},
          {"repeat", Kind::kFlag, "a later offence"},
          {"departure", Kind::kText, "why this departs from the guideline"},
          {"form", Kind::kWord, "awb-decision (default) or ownership"}};
}

Option BanOption() {
  return {"ban", Kind::kText, "the ban, LV-...", true};
}
Option KeyOption() {
  return {"key", Kind::kText, "idempotency key, to try the same command again"};
}

std::string HandedOut(const Call& call, int times) {
  return times == 0 ? "" : absl::StrCat(times, call.Say(" keer uitgereikt, ", " times handed out, "));
}

void AddReceipt(const Call& call, Reply& reply, const pb::Receipt& receipt) {
  reply.Fact("id", receipt.id());
  reply.Fact("entry", absl::StrCat(receipt.log_index()));
  reply.Fact("log", receipt.log_origin());
  reply.Fact("replayed", receipt.replayed() ? "yes" : "no");
  reply.lines.push_back(absl::StrCat(
      receipt.id(), "  ", call.Say("vastgelegd als regel ", "recorded as entry "), receipt.log_index(), ", ",
      Text(receipt.recorded_at()), receipt.replayed() ? call.Say(" (was al gedaan)", " (done before)") : ""));
}

}  // namespace waarborg::client

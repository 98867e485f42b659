// SPDX-License-Identifier: EUPL-1.2
#include "server/config/config.h"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "audit/note.h"

namespace waarborg::config {
namespace {

using domain::GuidelineScope;
using domain::Measure;
using domain::Municipality;
using domain::Operator;
using domain::Role;

// The words of a demand go into the file, where 500 characters fit.
constexpr size_t kMaxDemand = 500;

// One table of the file. Every key that is asked for is noted, so that Done can report the ones nobody asked
// for: a misspelt key is an error, never silently a default.
class Reader {
 public:
  Reader(const toml::table& table, std::string name, Errors& errors)
      : table_(table), name_(std::move(name)), errors_(errors) {}

  void Error(const toml::node* at, const std::string& what) {
    const auto line = at != nullptr ? at->source().begin.line : table_.source().begin.line;
    errors_.push_back(absl::StrCat(name_, ":", line, ": ", what));
  }

  // Where a key stands, for an error about it.
  const toml::node* Find(const char* key) const { return table_.get(key); }

  std::string Text(const char* key, bool required) {
    const toml::node* node = Node(key, required);
    if (node == nullptr) return "";
    if (auto v = node->value_exact<std::string>()) {
      if (required && v->empty()) Error(node, absl::StrCat(key, " is empty"));
      return *v;
    }
    Error(node, absl::StrCat(key, " must be a text in quotes"));
    return "";
  }

  bool Flag(const char* key, bool otherwise) {
    const toml::node* node = Node(key, false);
    if (node == nullptr) return otherwise;
    if (auto v = node->value_exact<bool>()) return *v;
    Error(node, absl::StrCat(key, " must be true or false"));
    return otherwise;
  }

  int Number(const char* key, int low, int high, std::optional<int> otherwise) {
    const toml::node* node = Node(key, !otherwise);
    if (node == nullptr) return otherwise.value_or(low);
    auto v = node->value_exact<int64_t>();
    if (v && *v >= low && *v <= high) return static_cast<int>(*v);
    Error(node, absl::StrCat(key, " must be a whole number from ", low, " to ", high));
    return low;
  }

  std::vector<std::string> Texts(const char* key, bool required = true) {
    std::vector<std::string> out;
    const toml::node* node = Node(key, required);
    if (node == nullptr) return out;
    const toml::array* list = node->as_array();
    if (list != nullptr) {
      for (const toml::node& one : *list) {
        if (auto v = one.value_exact<std::string>()) {
          out.push_back(*v);
        } else {
          Error(&one, absl::StrCat(key, " must be a list of texts in quotes"));
        }
      }
    }
    if (list == nullptr || (required && out.empty())) {
      Error(node, absl::StrCat(key, " must be a list of ", required ? "at least one text" : "texts"));
    }
    return out;
  }

  // One of the words, by position.
  size_t Choice(const char* key, const std::vector<std::string>& words, std::optional<size_t> otherwise) {
    const toml::node* node = Node(key, !otherwise);
    if (node == nullptr) return otherwise.value_or(0);
    const auto v = node->value_exact<std::string>();
    for (size_t i = 0; v && i < words.size(); ++i) {
      if (*v == words[i]) return i;
    }
    Error(node, absl::StrCat(key, " must be one of: ", absl::StrJoin(words, ", ")));
    return 0;
  }

  // Low and high, as [low, high].
  void Range(const char* key, int& low, int& high) {
    const toml::node* node = Node(key, true);
    if (node == nullptr) return;
    const toml::array* list = node->as_array();
    if (list != nullptr && list->size() == 2) {
      const auto a = list->get(0)->value_exact<int64_t>(), b = list->get(1)->value_exact<int64_t>();
      if (a && b && *a >= 1 && *a <= *b && *b <= 60) {
        low = static_cast<int>(*a);
        high = static_cast<int>(*b);
        return;
      }
    }
    Error(node, absl::StrCat(key, " must be two whole numbers of months, the lower first, from 1 to 60"));
  }

  // Calls `each` with every table of a list of tables, which have an id unless `with_ids` is false.
  template <class F>
  void Tables(const char* key, F each, bool required = true, bool with_ids = true) {
    const toml::node* node = Node(key, required);
    if (node == nullptr) return;
    const toml::array* list = node->as_array();
    if (list == nullptr || list->empty()) {
      Error(node, absl::StrCat("[[", key, "]] must stand at least once"));
      return;
    }
    std::set<std::string> ids;
    for (const toml::node& one : *list) {
      const toml::table* table = one.as_table();
      if (table == nullptr) {
        Error(&one, absl::StrCat(key, " must be tables: [[", key, "]]"));
        continue;
      }
      Reader reader(*table, name_, errors_);
      if (!with_ids) {
        each(reader, "");
        reader.Done();
        continue;
      }
      const std::string id = reader.Text("id", true);
      if (!id.empty() && id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) {
        reader.Error(table->get("id"), "id must be of a-z, 0-9 and hyphen");
      }
      if (!id.empty() && !ids.insert(id).second) {
        reader.Error(table->get("id"), absl::StrCat("the id \"", id, "\" stands twice in [[", key, "]]"));
      }
      each(reader, id);
      reader.Done();
    }
  }

  // A table of its own.
  template <class F>
  void Table(const char* key, F each, bool required = false) {
    const toml::node* node = Node(key, required);
    if (node == nullptr) return;
    const toml::table* table = node->as_table();
    if (table == nullptr) {
      Error(node, absl::StrCat(key, " must be a table: [", key, "]"));
      return;
    }
    Reader reader(*table, name_, errors_);
    each(reader);
    reader.Done();
  }

  void Done() {
    for (const auto& [key, node] : table_) {
      if (!asked_.contains(std::string(key.str())))
        Error(&node, absl::StrCat("unknown key \"", std::string(key.str()), "\""));
    }
  }

 private:
  const toml::node* Node(const char* key, bool required) {
    asked_.insert(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr && required) Error(nullptr, absl::StrCat(key, " is missing"));
    return node;
  }

  const toml::table& table_;
  std::string name_;
  Errors& errors_;
  std::set<std::string> asked_;
};

// "ma-vr 08:30-17:00", or one day.
bool ParseOpeningHours(const std::string& text, domain::OpeningHours& out) {
  constexpr std::string_view kDays[] = {"ma", "di", "wo", "do", "vr", "za", "zo"};
  const auto day = [&](std::string_view word, absl::Weekday& found) {
    for (size_t i = 0; i < std::size(kDays); ++i) {
      if (word != kDays[i]) continue;
      found = static_cast<absl::Weekday>(static_cast<int>(absl::Weekday::monday) + static_cast<int>(i));
      return true;
    }
    return false;
  };
  const auto minute = [](std::string_view word, int& found) {
    int hours = 0, minutes = 0;
    if (word.size() != 5 || word[2] != ':' || !absl::SimpleAtoi(absl::string_view(word.data(), 2), &hours) ||
        !absl::SimpleAtoi(absl::string_view(word.data() + 3, 2), &minutes)) {
      return false;
    }
    found = hours * 60 + minutes;
    return hours >= 0 && minutes >= 0 && minutes < 60 && found <= 24 * 60;
  };
  const std::string_view all = text;
  const size_t space = all.find(' ');
  if (space == std::string_view::npos || all.size() != space + 12 || all[space + 6] != '-') return false;
  const std::string_view days = all.substr(0, space);
  const bool range = days.size() == 5 && days[2] == '-';
  return day(days.substr(0, 2), out.first_day) && (range || days.size() == 2) &&
         day(range ? days.substr(3) : days, out.last_day) && out.first_day <= out.last_day &&
         minute(all.substr(space + 1, 5), out.from_minute) &&
         minute(all.substr(space + 7), out.until_minute) && out.from_minute < out.until_minute;
}

// The line of the first character beyond ASCII outside quotes and remarks, or of the first line that ends in
// a backslash inside quotes; 0 when there is none. TOML has no use for the one, nor we for the other, and on
// both the library's tables of Unicode spaces run into code that must not be reached (toml++ 3.3,
// is_non_ascii_horizontal_whitespace).
int LineTheLibraryCannotTake(std::string_view text) {
  int line = 1;
  std::string_view quote;  // that opened the string we are in; empty outside
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n') {
      ++line;
      if (quote.size() == 1) quote = {};  // not closed: the library says so
      continue;
    }
    if (quote.empty()) {
      if ((c & 0x80) != 0) return line;
      if (c == '#') {
        at = std::min(text.find('\n', at), text.size()) - 1;
        continue;
      }
      for (const std::string_view q : {"\"\"\"", "\'\'\'", "\"", "\'"}) {
        if (text.substr(at, q.size()) != q) continue;
        quote = q;
        at += q.size() - 1;
        break;
      }
    } else if (c == '\\' && quote[0] == '"') {
      if (at + 1 < text.size() && (text[at + 1] & 0x80) != 0) return line;
      if (text.find_first_not_of(" \t\r", at + 1) != std::string_view::npos &&
          text[text.find_first_not_of(" \t\r", at + 1)] == '\n') {
        return line;
      }
      ++at;
    } else if (text.substr(at, quote.size()) == quote) {
      at += quote.size() - 1;
      // Up to two quotes may stand right before the closing three.
      while (quote.size() == 3 && at + 1 < text.size() && text[at + 1] == quote[0]) ++at;
      quote = {};
    }
  }
  return 0;
}

// "2026-05-15", and nothing else.
bool ParseDay(const std::string& text, absl::CivilDay& out) {
  return absl::ParseCivilTime(text, &out) && absl::FormatCivilTime(out) == text;
}

bool Parse(const std::string& text, const std::string& name, Errors& errors, toml::table& out) {
  if (const int line = LineTheLibraryCannotTake(text); line != 0) {
    errors.push_back(absl::StrCat(
        name, ":", line, ": a letter beyond a-z outside quotes, or a backslash at the end of a line"));
    return false;
  }
  toml::parse_result result = toml::parse(text);
  if (!result) {
    const auto& e = result.error();
    errors.push_back(absl::StrCat(name, ":", e.source().begin.line, ": ", std::string(e.description())));
    return false;
  }
  out = std::move(result).table();
  return true;
}

// As the role is called in files and commands; in the order of the enumeration.
const std::vector<std::string>& RoleWords() {
  static const std::vector<std::string> kWords = {"desk-staff",
                                                  "security-coordinator",
                                                  "manager",
                                                  "civil-affairs",
                                                  "municipal-secretary",
                                                  "board-secretariat",
                                                  "legal",
                                                  "hr",
                                                  "police-contact",
                                                  "auditor",
                                                  "data-protection-officer",
                                                  "privacy-officer",
                                                  "administrator"};
  return kWords;
}

void ReadOpenId(Reader& t, OpenIdConfig& c) {
  c.issuer = t.Text("issuer", true);
  if (!c.issuer.empty() && (!IsPrivateUrl(c.issuer) || c.issuer.find('?') != std::string::npos)) {
    t.Error(nullptr, "issuer must be an https address without a question mark");
  }
  c.client_id = t.Text("client_id", true);
  c.redirect_uris = t.Texts("redirect_uris");
  for (const std::string& uri : c.redirect_uris) {
    if (!IsPrivateUrl(uri))
      t.Error(nullptr, absl::StrCat("redirect_uris: \"", uri, "\" is not an https address"));
  }
  c.client_key_file = t.Text("client_key_file", false);
  c.key_id = t.Text("key_id", false);
  const std::vector<std::string> algs = {"PS256", "RS256", "ES256"};
  c.alg = algs[t.Choice("alg", algs, 0)];
  c.audience_is_issuer = t.Choice("assertion_audience", {"issuer", "token-endpoint"}, 0) == 0;
  c.tls_certificate_file = t.Text("tls_certificate_file", false);
  c.tls_key_file = t.Text("tls_key_file", false);
  const bool by_key = !c.client_key_file.empty() && !c.key_id.empty();
  const bool by_certificate = !c.tls_certificate_file.empty() && !c.tls_key_file.empty();
  const bool half = c.client_key_file.empty() != c.key_id.empty() ||
                    c.tls_certificate_file.empty() != c.tls_key_file.empty();
  if (half || by_key == by_certificate) {
    t.Error(nullptr,
            "either client_key_file and key_id, or tls_certificate_file and tls_key_file must be given: the "
            "core proves to the sign-in service who it is");
  }
  c.scope = t.Text("scope", false);
  if (c.scope.empty()) c.scope = "openid";
  if (!absl::StrContains(absl::StrCat(" ", c.scope, " "), " openid "))
    t.Error(nullptr, "scope must hold openid");
  c.acr = t.Texts("acr", false);
  if (const int minutes = t.Number("max_age_minutes", 0, 24 * 60, -1); minutes >= 0)
    c.max_age_minutes = minutes;
  c.account_claim = t.Text("account_claim", true);
  c.ca_file = t.Text("ca_file", false);
  t.Tables(
      "role",
      [&](Reader& role, const std::string&) {
        c.roles.push_back({role.Text("claim", true), role.Text("value", true),
                           static_cast<Role>(role.Choice("role", RoleWords(), std::nullopt) + 1)});
      },
      /*required=*/false, /*with_ids=*/false);
}

// A domain name as browsers write it: lower case, Punycode. No address, for WebAuthn takes none, and no bare
// top level.
bool IsDomain(std::string_view name) {
  if (name == "localhost") return true;
  if (name.size() > 253) return false;
  const std::vector<std::string> labels = absl::StrSplit(absl::string_view(name.data(), name.size()), '.');
  const auto good = [](const std::string& label) {
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           label.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  };
  return labels.size() > 1 && std::all_of(labels.begin(), labels.end(), good) &&
         labels.back().find_first_not_of("0123456789") != std::string::npos;
}

// What is wrong with an origin of this relying party; empty when it is as browsers write it.
std::string FaultOfOrigin(std::string_view origin, const std::string& rp_id) {
  const size_t slashes = origin.find("://");
  const std::string_view scheme = origin.substr(0, std::min(slashes, origin.size()));
  if (slashes == std::string_view::npos || (scheme != "https" && scheme != "http")) {
    return "must begin with https://";
  }
  std::string_view host = origin.substr(slashes + 3);
  if (const size_t colon = host.find(':'); colon != std::string_view::npos) {
    const std::string port(host.substr(colon + 1));
    host = host.substr(0, colon);
    int number = 0;
    if (!absl::SimpleAtoi(port, &number) || number < 1 || number > 65535 || absl::StrCat(number) != port) {
      return "has a port that is none";
    }
    if (number == (scheme == "https" ? 443 : 80)) return "must leave out the port that goes without saying";
  }
  if (!IsDomain(host)) return "must be a domain name in lower case, with nothing behind it but a port";
  if (scheme == "http" && host != "localhost" && !host.ends_with(".localhost")) {
    return "must begin with https:// (http:// is for localhost alone)";
  }
  if (host != rp_id && !host.ends_with("." + rp_id)) return "is not within rp_id";
  return "";
}

// Whether the path is the folder or below it.
bool Inside(const std::string& path, const std::string& folder) {
  return !folder.empty() && (path == folder || path.starts_with(folder + "/"));
}

}  // namespace

bool IsPrivateUrl(std::string_view url) {
  const bool https = url.starts_with("https://");
  if (!https && !url.starts_with("http://")) return false;
  for (const char c : url) {
    if (c <= ' ' || c > '~' || c == '\\' || c == '#' || c == '@' || c == '"') return false;
  }
  url.remove_prefix(https ? 8 : 7);
  std::string_view host = url.substr(0, url.find_first_of("/?"));
  const auto made_of = [](std::string_view text, std::string_view letters) {
    return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
  };
  if (const size_t colon = host.find(':'); colon != std::string_view::npos) {
    if (!made_of(host.substr(colon + 1), "0123456789")) return false;
    host = host.substr(0, colon);
  }
  if (!made_of(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")) return false;
  return https || host == "localhost" || host.ends_with(".localhost");
}

ServerConfig ParseServer(const std::string& toml, const std::string& name, Errors& errors) {
  ServerConfig c;
  toml::table table;
  if (!Parse(toml, name, errors, table)) return c;
  Reader r(table, name, errors);
  c.listen = r.Text("listen", true);
  c.data_folder = r.Text("data_folder", true);
  c.root_key_file = r.Text("root_key_file", true);
  c.certificate_file = r.Text("certificate_file", true);
  c.key_file = r.Text("key_file", true);
  c.client_ca_file = r.Text("client_ca_file", true);
  r.Table("password_hash", [&](Reader& t) {
    c.argon2_memory_kib = t.Number("memory_kib", 8192, 1 << 20, c.argon2_memory_kib);
    c.argon2_passes = t.Number("passes", 1, 16, c.argon2_passes);
  });
  r.Table(
      "log",
      [&](Reader& t) {
        c.log_name = t.Text("name", true);
        c.log_folder = t.Text("folder", false);
        c.log_key_file = t.Text("key_file", false);
        // The name of the log's key is its origin, so it must be one.
        if (!c.log_name.empty() && (!audit::SigningKey::FromSeed(
                                         c.log_name + "/2026", audit::KeyType::kEd25519, std::string(32, 'k'))
                                         .ok() ||
                                    c.log_name.find("://") != std::string::npos ||
                                    c.log_name.ends_with("/") || c.log_name.size() > 100)) {
          t.Error(nullptr,
                  "name must be an address without https:// and without a slash at the end, such as "
                  "waterdam.example/lokaalverboden");
        }
      },
      /*required=*/true);
  if (c.log_folder.empty()) c.log_folder = c.data_folder + "/published";
  r.Table("openid", [&](Reader& t) { ReadOpenId(t, c.openid.emplace()); });
  r.Table("token", [&](Reader& t) {
    c.token_module = t.Text("module", true);
    c.token_label = t.Text("label", true);
    c.token_pin_file = t.Text("pin_file", true);
    c.token_instance = t.Text("instance", true);
  });
  r.Table("backup", [&](Reader& t) {
    c.backup_folder = t.Text("folder", true);
    c.backup_keys_folder = t.Text("keys_folder", true);
    c.backup_keys_keep_days = t.Number("keys_keep_days", 1, 90, c.backup_keys_keep_days);
    if (Inside(c.backup_keys_folder, c.backup_folder) || Inside(c.backup_folder, c.backup_keys_folder)) {
      t.Error(nullptr, "folder and keys_folder must lie apart: whoever has both can read names and reasons");
    }
  });
  r.Table("destruction", [&](Reader& t) {
    c.trim = t.Flag("trim", true);
    c.certificates_folder = t.Text("certificates_folder", false);
  });
  if (c.certificates_folder.empty()) c.certificates_folder = c.data_folder + "/certificates";
  r.Table("metrics", [&](Reader& t) { c.metrics_file = t.Text("file", true); });
  r.Table("security_keys", [&](Reader& t) {
    c.security_keys.rp_id = t.Text("rp_id", true);
    c.security_keys.origins = t.Texts("origins");
    c.security_keys.synced = t.Flag("synced", false);
    if (c.security_keys.rp_id.empty()) return;
    if (!IsDomain(c.security_keys.rp_id)) {
      t.Error(t.Find("rp_id"),
              "rp_id must be a domain name in lower case, such as waarborg.waterdam.example");
      return;
    }
    for (const std::string& origin : c.security_keys.origins) {
      if (const std::string fault = FaultOfOrigin(origin, c.security_keys.rp_id); !fault.empty()) {
        t.Error(t.Find("origins"), absl::StrCat("origins: \"", origin, "\" ", fault));
      }
    }
  });
  r.Table("disk", [&](Reader& t) {
    c.keep_free_bytes =
        int64_t{t.Number("keep_free_mib", 32, 1 << 20, static_cast<int>(c.keep_free_bytes >> 20))} << 20;
  });
  r.Done();
  if (!c.listen.empty() && c.listen.rfind(':') == std::string::npos) {
    r.Error(table.get("listen"), "listen must be \"host:port\"");
  }
  for (const auto& [place, what] : {std::pair{c.root_key_file, "root_key_file"},
                                    {c.token_pin_file, "pin_file"},
                                    {c.backup_folder, "[backup] folder"},
                                    {c.backup_keys_folder, "[backup] keys_folder"}}) {
    if (!c.data_folder.empty() && Inside(place, c.data_folder)) {
      r.Error(table.get(what), absl::StrCat(what,
                                            " must lie outside data_folder: a copy of the one must not "
                                            "hold the other"));
    }
  }
  return c;
}

Municipality ParseMunicipality(const std::string& toml, const std::string& name, Errors& errors) {
  Municipality m;
  toml::table table;
  if (!Parse(toml, name, errors, table)) return m;
  Reader r(table, name, errors);
  m.name = r.Text("name", true);
  m.instruction = r.Text("instruction", true);
  m.confirm_within = absl::Hours(24) * r.Number("confirm_denial_within_days", 1, 60, std::nullopt);
  m.alert_max_days = r.Number("alert_max_days", 1, 365, 90);
  r.Table("desk", [&](Reader& t) {
    const std::string demand = t.Text("demand", false);
    if (demand.size() > kMaxDemand)
      t.Error(nullptr, absl::StrCat("demand is longer than ", kMaxDemand, " bytes"));
    if (!demand.empty()) m.demand = demand;
    m.phone = t.Text("phone", false);
  });
  r.Table("session", [&](Reader& t) {
    m.session_idle = absl::Minutes(t.Number("idle_minutes", 1, 60, 10));
    m.session_max = absl::Hours(t.Number("max_hours", 1, 24, 10));
    m.session_resume = absl::Minutes(t.Number("resume_minutes", 0, 720, 240));
  });
  r.Table("limits", [&](Reader& t) {
    m.checks_per_hour = t.Number("checks_per_hour", 10, 1'000'000'000, m.checks_per_hour);
    m.photos_per_hour = t.Number("photos_per_hour", 5, 1'000'000'000, m.photos_per_hour);
  });
  r.Table("log", [&](Reader& t) {
    m.log_keep_years = t.Number("keep_years", 0, 100, m.log_keep_years);
    m.review_every_days = t.Number("review_every_days", 1, 366, m.review_every_days);
    m.staff_names_keep_months = t.Number("staff_names_keep_months", 0, 120, m.staff_names_keep_months);
    m.log_quorum = t.Number("quorum", 0, 16, m.log_quorum);
    m.log_witness_grace = absl::Minutes(t.Number("witness_grace_minutes", 0, 7 * 24 * 60, 15));
    m.release_waits_for_witnesses = t.Flag("release_waits_for_witnesses", true);
    m.processing_activity = t.Text("processing_activity", false);
  });
  std::set<std::string> witness_keys;
  r.Tables(
      "witness",
      [&](Reader& t, const std::string& id) {
        domain::LogWitness w{id, t.Text("url", true), t.Text("key", true)};
        const auto key = audit::VerifierKey::Parse(w.key);
        if (!w.key.empty() && !key.ok()) {
          t.Error(nullptr, absl::StrCat("key of witness \"", id, "\": ", key.error()));
        } else if (key.ok() && key->type() != audit::KeyType::kCosignature) {
          t.Error(nullptr, absl::StrCat("key of witness \"", id, "\" is not one for cosignatures"));
        }
        if (!w.url.empty() &&
            (w.url.ends_with("/") || (w.url.rfind("https://", 0) != 0 && w.url.rfind("http://", 0) != 0))) {
          t.Error(nullptr, absl::StrCat("url of witness \"", id,
                                        "\" must begin with https:// or http:// and not end with a slash"));
        }
        m.witnesses.push_back(std::move(w));
      },
      /*required=*/false);
  if (m.log_quorum > static_cast<int>(m.witnesses.size())) {
    r.Error(nullptr, absl::StrCat("[log] quorum is ", m.log_quorum, ", but there are ", m.witnesses.size(),
                                  " witnesses"));
  }
  r.Table("signals", [&](Reader& t) {
    m.signals.checks_a_day = t.Number("checks_a_day", 1, 1'000'000'000, m.signals.checks_a_day);
    m.signals.photos_a_day = t.Number("photos_a_day", 1, 1'000'000'000, m.signals.photos_a_day);
    m.signals.refusals_a_day = t.Number("refusals_a_day", 1, 1'000'000'000, m.signals.refusals_a_day);
  });
  r.Table("file", [&](Reader& t) {
    m.file_keep_months = t.Number("keep_months", 1, 120, m.file_keep_months);
    m.file_hand_over = t.Flag("hand_over", m.file_hand_over);
  });
  r.Table("deadlines", [&](Reader& t) {
    m.deadlines.confirm_copies_days = t.Number("confirm_copies_days", 1, 90, m.deadlines.confirm_copies_days);
    m.deadlines.remind_after_days = t.Number("remind_after_days", 1, 89, m.deadlines.remind_after_days);
    if (m.deadlines.remind_after_days >= m.deadlines.confirm_copies_days) {
      t.Error(nullptr, "remind_after_days must be less than confirm_copies_days");
    }
    for (const std::string& text : t.Texts("equal_days", false)) {
      absl::CivilDay day;
      if (!ParseDay(text, day)) {
        t.Error(nullptr, absl::StrCat("equal_days: \"", text, "\" must be a day like \"2026-05-15\""));
      } else if (auto& days = m.deadlines.equal_days;
                 std::find(days.begin(), days.end(), day) != days.end()) {
        t.Error(nullptr, absl::StrCat("equal_days: \"", text, "\" stands twice"));
      } else {
        days.push_back(day);
      }
    }
  });
  r.Tables("location", [&](Reader& t, const std::string& id) {
    domain::Location l;
    l.id = id;
    l.name = t.Text("name", true);
    l.municipal = t.Flag("municipal", true);
    l.run_by = static_cast<Operator>(t.Choice("run_by", {"own", "processor", "third-party"}, 0));
    l.sharing_basis = t.Text("sharing_basis", false);
    for (const std::string& hours : t.Texts("opens", false)) {
      domain::OpeningHours parsed;
      if (!ParseOpeningHours(hours, parsed)) {
        t.Error(nullptr, absl::StrCat("opens: \"", hours,
                                      "\" must be like \"ma-vr 08:30-17:00\" or \"za 10:00-16:00\""));
      }
      l.opens.push_back(parsed);
    }
    l.steps = t.Texts("steps");
    l.phone = t.Text("phone", false);
    l.max_demands = t.Number("max_demands", 1, 3, l.max_demands);
    m.locations.push_back(std::move(l));
  });
  r.Tables("unit", [&](Reader& t, const std::string& id) {
    m.units.push_back({id, t.Text("name", true), t.Flag("may_see_photos", false)});
  });
  r.Tables("ground", [&](Reader& t, const std::string& id) {
    domain::Ground g;
    g.id = id;
    g.name = t.Text("name", true);
    g.measure = t.Choice("measure", {"time-out", "access-ban"}, std::nullopt) == 0 ? Measure::kTimeOut
                                                                                   : Measure::kAccessBan;
    g.scope = static_cast<GuidelineScope>(
        t.Choice("scope", {"incident-location", "several", "all-municipal"}, std::nullopt));
    g.decided_by = t.Choice("decided_by", {"municipal-secretary", "board"}, std::nullopt) == 0
                       ? Role::kMunicipalSecretary
                       : Role::kBoardSecretariat;
    g.advice_needed = t.Flag("secretary_advises", false);
    t.Range("months_first", g.first_min_months, g.first_max_months);
    t.Range("months_repeat", g.repeat_min_months, g.repeat_max_months);
    m.grounds.push_back(std::move(g));
  });
  r.Tables("criterion", [&](Reader& t, const std::string& id) {
    m.criteria.push_back({id, t.Text("text", true)});
  });
  r.Tables("photo_source", [&](Reader& t, const std::string& id) {
    m.sources.push_back({id, t.Text("name", true), t.Flag("allowed", false)});
  });
  r.Tables("legal_basis", [&](Reader& t, const std::string& id) {
    m.legal_bases.push_back({id, t.Text("name", true)});
  });
  r.Done();
  return m;
}

}  // namespace waarborg::config

// SPDX-License-Identifier: EUPL-1.2
#include "client/station/visitor.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "client/station/words.h"

namespace waarborg::station {

namespace pb = v1;

namespace {

constexpr std::array<const char*, 12> kMonths = {"januari",   "februari", "maart",    "april",
                                                 "mei",       "juni",     "juli",     "augustus",
                                                 "september", "oktober",  "november", "december"};
constexpr std::array<const char*, 12> kEnglishMonths = {"january",   "february", "march",    "april",
                                                        "may",       "june",     "july",     "august",
                                                        "september", "october",  "november", "december"};

bool IsDigits(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
}

bool Number(const std::string& text, int& out) {
  return IsDigits(text) && text.size() <= 4 && absl::SimpleAtoi(text, &out);
}

// The month that a word names, in full or by its first three letters; 0 when none.
int MonthOf(const std::string& word) {
  const std::string lower = absl::AsciiStrToLower(word);
  if (lower.size() < 3) return 0;
  for (const auto& names : {kMonths, kEnglishMonths}) {
    for (size_t i = 0; i < names.size(); ++i) {
      if (lower == names[i] || (lower.size() == 3 && absl::StartsWith(names[i], lower)))
        return static_cast<int>(i) + 1;
    }
  }
  return lower == "mrt" ? 3 : 0;
}

bool Make(int year, int month, int day, pb::Date& out) {
  if (year < 1900 || year > 2199 || month < 0 || month > 12 || day < 0 || day > 31 ||
      (month == 0 && day != 0))
    return false;
  if (month != 0 && day != 0 && absl::CivilDay(year, month, day).month() != month) return false;
  out.set_year(year);
  out.set_month(month);
  out.set_day(day);
  return true;
}

// One word that is a whole date: 12-03-1985, 12/3/1985, 1985-03-12, 12031985, 19850312.
bool DateOf(const std::string& word, pb::Date& out) {
  std::vector<std::string> parts = absl::StrSplit(word, absl::ByAnyChar("-/."), absl::SkipEmpty());
  if (parts.size() == 1 && IsDigits(word) && word.size() == 8) {
    if (Make(std::stoi(word.substr(4)), std::stoi(word.substr(2, 2)), std::stoi(word.substr(0, 2)), out))
      return true;
    return Make(std::stoi(word.substr(0, 4)), std::stoi(word.substr(4, 2)), std::stoi(word.substr(6)), out);
  }
  std::array<int, 3> n{};
  if (parts.size() != 3) return false;
  for (size_t i = 0; i < 3; ++i) {
    if (!Number(parts[i], n[i])) return false;
  }
  return parts[0].size() == 4 ? Make(n[0], n[1], n[2], out) : Make(n[2], n[1], n[0], out);
}

}  // namespace

std::string ReadVisitor(const std::string& typed, pb::CheckVisitorRequest& request) {
  if (typed.find('<') != std::string::npos) {
    request.set_mrz(typed);
    return "";
  }
  // A comma belongs to the name before it.
  const std::vector<std::string> words = absl::StrSplit(typed, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty());
  std::vector<std::string> name;
  pb::Date date;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string word = std::string(absl::StripSuffix(words[i], ","));
    int year = 0, day = 0;
    if (const bool has_digit =
            std::any_of(word.begin(), word.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
        !has_digit) {
      name.push_back(words[i]);
      continue;
    }
    if (date.year() != 0) return T("Er staan twee geboortedatums. Typ er één.");
    if (DateOf(word, date)) continue;
    // "12 maart 1985" and "12 3 1985".
    if (i + 2 < words.size() && Number(word, day) && day >= 1 && day <= 31) {
      int month = MonthOf(words[i + 1]);
      if (month == 0) Number(words[i + 1], month);
      if (month != 0 && Number(std::string(absl::StripSuffix(words[i + 2], ",")), year) &&
          Make(year, month, day, date)) {
        i += 2;
        continue;
      }
    }
    // A year alone: the rest is not known.
    if (Number(word, year) && word.size() == 4 && Make(year, 0, 0, date)) continue;
    return T("Deze datum is niet te lezen. Typ bijvoorbeeld 12-03-1985.");
  }
  if (name.empty()) return T("Typ ook een naam, of scan het document.");
  auto* visitor = request.mutable_typed();
  visitor->set_full_name(absl::StrJoin(name, " "));
  if (date.year() != 0) *visitor->mutable_birth_date() = date;
  return "";
}

std::string TelephonePath(const std::string& number) {
  std::string digits;
  for (const char c : number) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c == '+' && digits.empty())) {
      digits += c;
    } else if (c != ' ' && c != '-' && c != '(' && c != ')') {
      return "";
    }
  }
  return digits.size() < 3 ? "" : absl::StrCat("tel:", digits);
}

}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/mrz.h"

#include <algorithm>

namespace waarborg::domain {
namespace {

constexpr size_t kTd1Line = 30;
constexpr size_t kTd2Line = 36;
constexpr size_t kTd3Line = 44;

// Where the fields of a format stand, as offsets in the lines run together.
struct Layout {
  size_t length;
  size_t number, number_check;
  size_t birth, birth_check;
  size_t expiry, expiry_check;
  size_t name, name_length;
};
constexpr Layout kTd1{90, 5, 14, 30, 36, 38, 44, 60, 30};
constexpr Layout kTd3{88, 44, 53, 57, 63, 65, 71, 5, 39};

int Value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 0;  // the filler
}

// Weights 7-3-1, modulo 10.
bool CheckDigitHolds(std::string_view field, char digit) {
  static constexpr int kWeights[] = {7, 3, 1};
  int sum = 0;
  for (size_t i = 0; i < field.size(); ++i) sum += Value(field[i]) * kWeights[i % 3];
  return digit >= '0' && digit <= '9' && sum % 10 == digit - '0';
}

bool IsDigits(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int Number(std::string_view s) {
  int n = 0;
  for (char c : s) n = n * 10 + (c - '0');
  return n;
}

// YYMMDD, month and day possibly unknown (filler or 00).
Outcome<BirthDate> ParseBirth(std::string_view f, int today_year) {
  auto part = [&](size_t at) -> int {
    std::string_view p = f.substr(at, 2);
    if (p == "<<") return 0;
    return IsDigits(p) ? Number(p) : -1;
  };
  if (f.substr(0, 2) == "<<") return BirthDate{};
  BirthDate date{part(0), part(2), part(4)};
  if (date.year < 0 || date.month < 0 || date.month > 12 || date.day < 0 || date.day > 31)
    return Rule::kMrzUnreadable;
  date.year += date.year > today_year % 100 ? today_year / 100 * 100 - 100 : today_year / 100 * 100;
  return date;
}

std::string Words(std::string_view field) {
  std::string out;
  for (char c : field) {
    if (c != '<') {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace

Outcome<MrzName> ParseMrz(std::string_view text, int today_year) {
  if (text.size() > 400) return Refusal(Rule::kMrzUnreadable, "mrz");
  std::string zone;
  for (char c : text) {
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '<'))
      return Refusal(Rule::kMrzUnreadable, "mrz");
    zone += c;
  }
  if (zone.size() == kTd1Line && zone.rfind("D1NLD", 0) == 0) return Refusal(Rule::kMrzDrivingLicence, "mrz");
  if (zone.size() == 2 * kTd2Line) return Refusal(Rule::kMrzNotSupported, "mrz");
  if (zone.size() == 2 * kTd3Line && zone[0] == 'V') return Refusal(Rule::kMrzNotSupported, "mrz");
  const bool td1 = zone.size() == kTd1.length && (zone[0] == 'I' || zone[0] == 'A' || zone[0] == 'C');
  const bool td3 = zone.size() == kTd3.length && zone[0] == 'P';
  if (!td1 && !td3) return Refusal(Rule::kMrzUnreadable, "mrz");
  const Layout& at = td1 ? kTd1 : kTd3;
  const std::string_view z = zone;

  // A document number longer than nine characters (TD1) leaves a filler as check digit and goes on in the
  // optional field, which is not read here.
  const bool long_number = td1 && z[at.number_check] == '<';
  if (!long_number && !CheckDigitHolds(z.substr(at.number, 9), z[at.number_check])) {
    return Refusal(Rule::kMrzCheckDigit, "mrz");
  }
  if (!CheckDigitHolds(z.substr(at.birth, 6), z[at.birth_check]) ||
      !CheckDigitHolds(z.substr(at.expiry, 6), z[at.expiry_check])) {
    return Refusal(Rule::kMrzCheckDigit, "mrz");
  }
  auto birth = ParseBirth(z.substr(at.birth, 6), today_year);
  if (!birth.ok()) return Refusal(birth.refusal().rule, "mrz");

  const std::string_view name = z.substr(at.name, at.name_length);
  const size_t split = name.find("<<");
  MrzName out;
  out.surname = Words(name.substr(0, split));
  if (split != std::string_view::npos) out.given_names = Words(name.substr(split + 2));
  out.truncated = name.back() != '<';
  out.birth_date = *birth;
  if (out.surname.empty()) return Refusal(Rule::kMrzUnreadable, "mrz");
  return out;
}

}  // namespace waarborg::domain

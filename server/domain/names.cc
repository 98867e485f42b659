// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/names.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace waarborg::domain {
namespace {

// Letters that lose more than a mark. `first` is what people type; `second` what many documents print (ICAO
// 9303-3, section 6). Letters not listed lose their marks through decomposition.
struct Letter {
  char32_t letter;  // lower case
  const char* first;
  const char* second;
};
constexpr Letter kLetters[] = {
    {U'ä', "a", "ae"},  {U'ö', "o", "oe"},  {U'ü', "u", "ue"},  {U'å', "a", "aa"},  {U'ø', "o", "oe"},
    {U'ñ', "n", "nxx"}, {U'æ', "ae", "ae"}, {U'œ', "oe", "oe"}, {U'ß', "ss", "ss"}, {U'þ', "th", "th"},
    {U'ð', "d", "d"},   {U'đ', "d", "d"},   {U'ł', "l", "l"},   {U'ı', "i", "i"},   {U'ħ', "h", "h"},
    {U'ŋ', "n", "n"},   {U'ĳ', "y", "y"},
};

// Prefixes of surnames, folded. They count as such only while another word remains.
constexpr std::string_view kPrefixes[] = {
    "aan", "af",  "al",  "by",  "d",     "da",   "dal",  "de", "degli", "dei", "del", "della", "den",
    "der", "des", "di",  "do",  "don",   "dos",  "du",   "el", "het",   "in",  "la",  "las",   "le",
    "les", "lo",  "los", "of",  "onder", "op",   "over", "s",  "t",     "te",  "ten", "ter",   "tot",
    "uit", "uyt", "van", "vom", "von",   "voor", "vor",  "y",  "zu",    "zum", "zur"};

bool IsPrefix(std::string_view word) {
  return std::find(std::begin(kPrefixes), std::end(kPrefixes), word) != std::end(kPrefixes);
}

const icu::Normalizer2* Normalizer(bool compose) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* n =
      compose ? icu::Normalizer2::getNFCInstance(error) : icu::Normalizer2::getNFKDInstance(error);
  if (U_FAILURE(error)) std::abort();  // ICU's own data is missing: nothing can be compared
  return n;
}

bool IsAscii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
}

// ij, y and y-diaeresis (which decomposition made y) are one letter.
void JoinIj(std::string& folded) {
  for (size_t at = 0; (at = folded.find("ij", at)) != std::string::npos; ++at) folded.replace(at, 2, "y");
}

// What the general folding below does with letters that have no marks, without its tables.
std::string FoldAscii(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool space = false;
  for (char c : text) {
    if (c == '\'' || c == '`' || c == '.') continue;
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      if (space && !out.empty()) out += ' ';
      space = false;
      out += c;
    } else {
      space = true;
    }
  }
  JoinIj(out);
  return out;
}

std::string FoldVariant(std::string_view utf8, bool second) {
  if (IsAscii(utf8)) return FoldAscii(utf8);
  UErrorCode error = U_ZERO_ERROR;
  icu::UnicodeString text =
      icu::UnicodeString::fromUTF8(icu::StringPiece(utf8.data(), static_cast<int32_t>(utf8.size())));
  // Compose first, so that a letter with a separate mark is found in the table; lower case after the Turkish
  // dotted capital has been taken apart from its dot by the decomposition below.
  text = Normalizer(true)->normalize(text, error);
  icu::UnicodeString lower(text);
  lower.foldCase();
  std::string out;
  bool space = false;
  auto put = [&](std::string_view letters) {
    if (space && !out.empty()) out += ' ';
    space = false;
    out += letters;
  };
  auto put_listed = [&](UChar32 c) {
    const auto* row = std::find_if(std::begin(kLetters), std::end(kLetters),
                                   [c](const Letter& l) { return l.letter == static_cast<char32_t>(c); });
    if (row == std::end(kLetters)) return false;
    put(second ? row->second : row->first);
    return true;
  };
  for (int32_t i = 0; i < lower.length(); i = lower.moveIndex32(i, 1)) {
    const UChar32 c = lower.char32At(i);
    if (put_listed(c)) continue;
    icu::UnicodeString parts = Normalizer(false)->normalize(icu::UnicodeString(c), error);
    parts.foldCase();
    for (int32_t k = 0; k < parts.length(); k = parts.moveIndex32(k, 1)) {
      const UChar32 p = parts.char32At(k);
      if (u_getCombiningClass(p) != 0) continue;
      if (p == '\'' || p == 0x2019 || p == 0x2018 || p == '`' || p == '.' || p == 0x02BC) continue;
      if (put_listed(p)) continue;  // what is left when an accent was taken off a letter of the table
      if (u_isUAlphabetic(p) || u_isdigit(p)) {
        std::string letter;
        icu::UnicodeString(p).toUTF8String(letter);
        put(letter);
      } else {
        space = true;
      }
    }
  }
  JoinIj(out);
  return out;
}

std::vector<std::string> Words(const std::string& folded) {
  return absl::StrSplit(folded, ' ', absl::SkipEmpty());
}

struct SplitSurname {
  std::string prefix;
  std::string in_order;
  std::vector<std::string> words;  // sorted
};

SplitSurname Split(const std::string& folded_prefix, const std::string& folded_surname) {
  SplitSurname out;
  std::vector<std::string> prefixes = Words(folded_prefix);
  std::vector<std::string> words = Words(folded_surname);
  std::vector<std::string> kept;
  for (size_t i = 0; i < words.size(); ++i) {
    const bool something_follows = i + 1 < words.size();
    if (something_follows && IsPrefix(words[i])) {
      if (kept.empty()) prefixes.push_back(words[i]);  // an inner prefix belongs to a partner's name
    } else {
      kept.push_back(words[i]);
    }
  }
  out.in_order = absl::StrJoin(kept, " ");
  std::sort(kept.begin(), kept.end());
  out.prefix = absl::StrJoin(prefixes, " ");
  out.words = std::move(kept);
  return out;
}

// Edit distance with transpositions, given up above `limit`.
int Distance(std::string_view a, std::string_view b, int limit) {
  const int n = static_cast<int>(a.size()), m = static_cast<int>(b.size());
  if (std::abs(n - m) > limit || n > 120 || m > 120) return limit + 1;
  std::array<int, 122> before{}, last{}, now{};
  for (int j = 0; j <= m; ++j) last[j] = j;
  for (int i = 1; i <= n; ++i) {
    now[0] = i;
    int best = now[0];
    for (int j = 1; j <= m; ++j) {
      const int cost = a[i - 1] == b[j - 1] ? 0 : 1;
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], before[j - 2] + 1);
      best = std::min(best, now[j]);
    }
    if (best > limit) return limit + 1;
    before = last;
    last = now;
  }
  return last[m];
}

enum class SurnameIs { kSame, kNear, kOther };

bool Near(const std::string& a, const std::string& b) {
  const size_t longest = std::max(a.size(), b.size());
  const int limit = longest >= 9 ? 2 : longest >= 4 ? 1 : 0;
  return limit > 0 && Distance(a, b, limit) <= limit;
}

SurnameIs CompareSurname(const FoldedName& a, const FoldedName& b, bool truncated) {
  const bool prefixes_agree = a.prefix.empty() || b.prefix.empty() || a.prefix == b.prefix;
  for (const std::string& x : a.surname) {
    for (const std::string& y : b.surname) {
      if (x == y) return prefixes_agree ? SurnameIs::kSame : SurnameIs::kNear;
    }
  }
  for (const std::string& x : a.surname) {
    for (const std::string& y : b.surname) {
      if (Near(x, y)) return SurnameIs::kNear;
    }
  }
  if (truncated && a.in_order.size() >= 10 && b.in_order.rfind(a.in_order, 0) == 0) return SurnameIs::kNear;
  // One partner's name only.
  auto has = [](const std::vector<std::string>& all, const std::string& w) {
    return std::find(all.begin(), all.end(), w) != all.end();
  };
  auto within = [&](const FoldedName& part, const FoldedName& whole) {
    return std::any_of(part.surname.begin(), part.surname.end(), [&](const std::string& variant) {
      const std::vector<std::string> words = Words(variant);
      return !words.empty() && std::all_of(words.begin(), words.end(),
                                           [&](const std::string& w) { return has(whole.surname_words, w); });
    });
  };
  return within(a, b) || within(b, a) ? SurnameIs::kNear : SurnameIs::kOther;
}

enum class GivenIs { kSame, kPartly, kAbsent, kOther };

// A shared name, or an initial that fits, in the first place or anywhere: the same person may well be meant.
bool ShareGiven(const std::vector<std::string>& a, const std::vector<std::string>& b, bool truncated) {
  for (const std::string& x : a) {
    for (const std::string& y : b) {
      if (x == y || Near(x, y)) return true;
      if ((x.size() == 1 || y.size() == 1) && x[0] == y[0]) return true;
      if (truncated && (x.rfind(y, 0) == 0 || y.rfind(x, 0) == 0)) return true;
    }
  }
  return false;
}

GivenIs CompareGiven(const FoldedName& query, const FoldedName& known, bool truncated) {
  if (query.given[0].empty() || known.given[0].empty()) return GivenIs::kAbsent;
  for (const auto& x : query.given) {
    for (const auto& y : known.given) {
      if (x == y) return GivenIs::kSame;
    }
  }
  for (const auto& x : query.given) {
    for (const auto& y : known.given) {
      if (ShareGiven(x, y, truncated)) return GivenIs::kPartly;
    }
  }
  return GivenIs::kOther;
}

enum class DateIs { kSame, kCompatible, kNear, kAbsent, kOther };

DateIs CompareDate(const BirthDate& a, const BirthDate& b) {
  if (!a.known() || !b.known()) return DateIs::kAbsent;
  if (a.complete() && a == b) return DateIs::kSame;
  auto agrees = [](int x, int y) { return x == 0 || y == 0 || x == y; };
  if ((!a.complete() || !b.complete()) && a.year == b.year && agrees(a.month, b.month) &&
      agrees(a.day, b.day)) {
    return DateIs::kCompatible;
  }
  if (!a.complete() || !b.complete()) return DateIs::kOther;
  if (a.year == b.year && a.month == b.day && a.day == b.month) return DateIs::kNear;
  auto different_digits = [](int x, int y) {
    int n = 0;
    for (; x != y; x /= 10, y /= 10) n += x % 10 != y % 10;
    return n;
  };
  const int different =
      different_digits(a.year, b.year) + different_digits(a.month, b.month) + different_digits(a.day, b.day);
  return different == 1 ? DateIs::kNear : DateIs::kOther;
}

}  // namespace

std::string Fold(std::string_view utf8) {
  return FoldVariant(utf8, false);
}

FoldedName FoldName(const PersonName& name) {
  FoldedName out;
  const bool one_variant = IsAscii(name.prefix) && IsAscii(name.surname) && IsAscii(name.given_names);
  for (bool second : {false, true}) {
    if (second && one_variant) break;
    const SplitSurname s = Split(FoldVariant(name.prefix, second), FoldVariant(name.surname, second));
    const std::string joined = absl::StrJoin(s.words, " ");
    std::vector<std::string> given = Words(FoldVariant(name.given_names, second));
    if (!second) {
      out.prefix = s.prefix;
      out.in_order = s.in_order;
    }
    for (const std::string& word : s.words) {
      if (std::find(out.surname_words.begin(), out.surname_words.end(), word) == out.surname_words.end()) {
        out.surname_words.push_back(word);
      }
    }
    if (out.surname.empty() || out.surname[0] != joined) out.surname.push_back(joined);
    if (out.given.empty() || out.given[0] != given) out.given.push_back(std::move(given));
  }
  return out;
}

std::vector<PersonName> ReadingsOf(std::string_view full_name) {
  std::vector<std::string> words;
  size_t comma = 0;  // words before the first one
  for (absl::string_view part : absl::StrSplit(absl::string_view(full_name.data(), full_name.size()), ',')) {
    for (absl::string_view word : absl::StrSplit(part, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty()))
      words.emplace_back(word);
    if (comma == 0) comma = words.size();
  }
  std::vector<PersonName> out;
  if (words.empty() || words.size() > kMaxWordsOfName) return out;
  const auto join = [&](size_t from, size_t to) {
    return absl::StrJoin(words.begin() + static_cast<ptrdiff_t>(from),
                         words.begin() + static_cast<ptrdiff_t>(to), " ");
  };
  const bool has_comma = full_name.find(',') != std::string_view::npos && comma < words.size();
  if (has_comma) {
    // "Vries, Jan de": prefixes at the end belong to the surname.
    size_t end = words.size();
    while (end > comma + 1 && IsPrefix(Fold(words[end - 1]))) --end;
    out.push_back({join(comma, end), join(end, words.size()), join(0, comma)});
    return out;
  }
  for (size_t i = 0; i < words.size(); ++i) {
    out.push_back({join(0, i), "", join(i, words.size())});
    if (i > 0) out.push_back({join(i, words.size()), "", join(0, i)});
  }
  return out;
}

bool DatesMayAgree(const BirthDate& a, const BirthDate& b) {
  return CompareDate(a, b) != DateIs::kOther;
}

Grade Compare(const Query& query, const Known& known) {
  const SurnameIs surname = CompareSurname(query.name, known.name, query.name_truncated);
  if (surname == SurnameIs::kOther) return Grade::kNone;
  const DateIs date = CompareDate(query.birth_date, known.birth_date);
  if (date == DateIs::kOther) return Grade::kNone;
  const GivenIs given = CompareGiven(query.name, known.name, query.name_truncated);
  if (surname == SurnameIs::kNear) {
    return date == DateIs::kSame && given != GivenIs::kOther ? Grade::kPossible : Grade::kNone;
  }
  if (given == GivenIs::kSame && date == DateIs::kSame && known.established && !query.name_truncated) {
    return Grade::kExact;
  }
  if (given == GivenIs::kOther) {
    // Typed: people go by a call name that no document shows. A document shows all names and settles it.
    // ... unless the file itself holds no more than what somebody said.
    const bool call_name = (!query.from_document || !known.established) &&
                           (date == DateIs::kSame || date == DateIs::kCompatible);
    return call_name ? Grade::kPossible : Grade::kNone;
  }
  return Grade::kPossible;
}

}  // namespace waarborg::domain

// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/deadlines.h"

#include <algorithm>

#include "server/base/clock.h"

namespace waarborg::domain {
namespace {

// Art. 4.
constexpr int kLongestMoved = 90;
// Art. 2.
constexpr int kShortestWithWorkingDays = 3;
constexpr int kWorkingDays = 2;

struct Row {
  Term term;
  int Deadlines::*days;
  bool by_law;  // ends as the act says; otherwise at the beginning of the day so many days on
};

constexpr Row kTerms[] = {
    {Term::kConfirmCopies, &Deadlines::confirm_copies_days, true},
    {Term::kRemindOfCopies, &Deadlines::remind_after_days, false},
};

constexpr bool InOrder() {
  for (size_t i = 0; i < static_cast<size_t>(Term::kCount); ++i) {
    if (kTerms[i].term != static_cast<Term>(i)) return false;
  }
  return true;
}
static_assert(sizeof(kTerms) / sizeof(kTerms[0]) == static_cast<size_t>(Term::kCount), "a term has no row");
static_assert(InOrder(), "the rows stand in another order than the terms");

}  // namespace

// The anonymous Gregorian algorithm (Nature, 1876), as in J. Meeus, Astronomical Algorithms, chapter 8; its
// letters are kept, for they have no names.
absl::CivilDay EasterSunday(absl::civil_year_t year) {
  const auto a = year % 19, b = year / 100, c = year % 100;
  const auto d = b / 4, e = b % 4, f = (b + 8) / 25, g = (b - f + 1) / 3;
  const auto h = (19 * a + b - d - g + 15) % 30;
  const auto i = c / 4, k = c % 4, l = (32 + 2 * e + 2 * i - h - k) % 7;
  const auto m = (a + 11 * h + 22 * l) / 451;
  const auto n = h + l - 7 * m + 114;
  return absl::CivilDay(year, n / 31, n % 31 + 1);
}

bool IsRecognisedHoliday(absl::CivilDay day) {
  const absl::civil_year_t year = day.year();
  const absl::CivilDay kings_day(year, 4, 27);
  const bool on_sunday = absl::GetWeekday(kings_day) == absl::Weekday::sunday;
  if (day == absl::CivilDay(year, 1, 1) || day == (on_sunday ? kings_day - 1 : kings_day) ||
      day == absl::CivilDay(year, 5, 5) || day == absl::CivilDay(year, 12, 25) ||
      day == absl::CivilDay(year, 12, 26)) {
    return true;
  }
  // Good Friday, Easter Monday, Ascension Day, Whit Monday.
  const auto after_easter = day - EasterSunday(year);
  return after_easter == -2 || after_easter == 1 || after_easter == 39 || after_easter == 50;
}

bool IsWorkingDay(const Municipality& m, absl::CivilDay day) {
  const absl::Weekday weekday = absl::GetWeekday(day);
  if (weekday == absl::Weekday::saturday || weekday == absl::Weekday::sunday) return false;
  const auto& equal = m.deadlines.equal_days;
  return !IsRecognisedHoliday(day) && std::find(equal.begin(), equal.end(), day) == equal.end();
}

absl::CivilDay TermEnd(const Municipality& m, absl::CivilDay from, int days) {
  absl::CivilDay end = from + days;
  if (days > kLongestMoved) return end;
  if (days >= kShortestWithWorkingDays) {
    int working = 0;
    for (absl::CivilDay day = from + 1; day <= end || working < kWorkingDays; ++day) {
      working += IsWorkingDay(m, day) ? 1 : 0;
      end = std::max(end, day);
    }
  }
  while (!IsWorkingDay(m, end)) ++end;
  return end;
}

absl::Time EndOfTerm(const Municipality& m, Term term, absl::Time from) {
  const Row& row = kTerms[static_cast<size_t>(term)];
  const absl::CivilDay day = base::LocalDay(from);
  const int days = m.deadlines.*row.days;
  return row.by_law ? base::EndOfDay(TermEnd(m, day, days)) : base::StartOfDay(day + days);
}

}  // namespace waarborg::domain

// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/deadlines.h"

#include <gtest/gtest.h>

#include "server/base/clock.h"
#include "server/domain/testing.h"

namespace waarborg::domain {
namespace {

using Day = absl::CivilDay;

class DeadlinesTest : public ::testing::Test {
 protected:
  DeadlinesTest() { m.deadlines.equal_days = {Day(2026, 1, 2), Day(2026, 5, 15)}; }
  Municipality m = TestMunicipality();
};

TEST(Holidays, EasterIsWhereTheCalendarsPutIt) {
  for (Day easter :
       {Day(1954, 4, 18), Day(1981, 4, 19), Day(2000, 4, 23), Day(2024, 3, 31), Day(2025, 4, 20),
        Day(2026, 4, 5), Day(2027, 3, 28), Day(2028, 4, 16), Day(2038, 4, 25), Day(2285, 3, 22)}) {
    EXPECT_EQ(EasterSunday(easter.year()), easter);
  }
  for (absl::civil_year_t year = 1900; year < 2200; ++year) {
    EXPECT_EQ(absl::GetWeekday(EasterSunday(year)), absl::Weekday::sunday) << year;
  }
}

TEST(Holidays, AYearHasTheDaysOfTheActAndNoOthers) {
  const auto holidays = [](absl::civil_year_t year) {
    std::vector<Day> days;
    for (Day day(year, 1, 1); day.year() == year; ++day) {
      if (IsRecognisedHoliday(day)) days.push_back(day);
    }
    return days;
  };
  EXPECT_EQ(holidays(2026), (std::vector<Day>{Day(2026, 1, 1), Day(2026, 4, 3), Day(2026, 4, 6),
                                              Day(2026, 4, 27), Day(2026, 5, 5), Day(2026, 5, 14),
                                              Day(2026, 5, 25), Day(2026, 12, 25), Day(2026, 12, 26)}));
  // The 27th of April is a Sunday.
  EXPECT_EQ(holidays(2025)[3], Day(2025, 4, 26));
  // Ascension Day on the 5th of May, King's Day the week before.
  EXPECT_EQ(holidays(2016),
            (std::vector<Day>{Day(2016, 1, 1), Day(2016, 3, 25), Day(2016, 3, 28), Day(2016, 4, 27),
                              Day(2016, 5, 5), Day(2016, 5, 16), Day(2016, 12, 25), Day(2016, 12, 26)}));
}

TEST_F(DeadlinesTest, DaysSetEqualByDecreeComeFromTheConfiguration) {
  EXPECT_FALSE(IsWorkingDay(m, Day(2026, 5, 15)));
  EXPECT_FALSE(IsRecognisedHoliday(Day(2026, 5, 15)));
  m.deadlines.equal_days.clear();
  EXPECT_TRUE(IsWorkingDay(m, Day(2026, 5, 15)));
}

// The example of the act's own notes: notified on 13 November, six weeks end on Christmas Day, a Friday.
TEST_F(DeadlinesTest, AnEndOnAHolidayOrInAWeekendMovesToTheNextWorkingDay) {
  EXPECT_EQ(TermEnd(m, Day(2026, 11, 13), 42), Day(2026, 12, 28));
  EXPECT_EQ(TermEnd(m, Day(2026, 6, 2), 14), Day(2026, 6, 16));   // a Tuesday stays
  EXPECT_EQ(TermEnd(m, Day(2026, 6, 6), 14), Day(2026, 6, 22));   // a Saturday
  EXPECT_EQ(TermEnd(m, Day(2026, 5, 11), 14), Day(2026, 5, 26));  // Whit Monday
  // Ascension Day, the Friday set equal to it, a weekend.
  EXPECT_EQ(TermEnd(m, Day(2026, 4, 30), 14), Day(2026, 5, 18));
  // Over the turn of the year: a holiday, a day set equal, a weekend.
  EXPECT_EQ(TermEnd(m, Day(2025, 12, 18), 14), Day(2026, 1, 5));
}

TEST_F(DeadlinesTest, AtLeastThreeDaysHoldAtLeastTwoWorkingDays) {
  // From the Thursday before Easter on: Good Friday, a weekend and Easter Monday do not count.
  EXPECT_EQ(TermEnd(m, Day(2026, 4, 2), 3), Day(2026, 4, 8));
  EXPECT_EQ(TermEnd(m, Day(2026, 4, 2), 5), Day(2026, 4, 8));
  EXPECT_EQ(TermEnd(m, Day(2026, 4, 2), 6), Day(2026, 4, 8));
  EXPECT_EQ(TermEnd(m, Day(2026, 4, 2), 7), Day(2026, 4, 9));
  // From a Friday on, three days end on the Monday, which is the only working day among them.
  EXPECT_EQ(TermEnd(m, Day(2026, 6, 5), 3), Day(2026, 6, 9));
  // A shorter term only moves.
  EXPECT_EQ(TermEnd(m, Day(2026, 4, 2), 2), Day(2026, 4, 7));
  EXPECT_EQ(TermEnd(m, Day(2026, 6, 5), 1), Day(2026, 6, 8));
}

TEST_F(DeadlinesTest, AboveNinetyDaysNothingMoves) {
  const Day from(2026, 9, 26);  // ninety days on is Christmas Day, ninety-one the day after
  EXPECT_EQ(TermEnd(m, from, 90), Day(2026, 12, 28));
  EXPECT_EQ(TermEnd(m, from, 91), Day(2026, 12, 26));
}

TEST_F(DeadlinesTest, TheTermsOfTheHouseEndWithALocalDayOrBeginOne) {
  m.deadlines.confirm_copies_days = 14;
  m.deadlines.remind_after_days = 7;
  const absl::Time noon = base::StartOfDay(Day(2026, 10, 20)) + absl::Hours(12);
  // The clocks go back in between.
  EXPECT_EQ(EndOfTerm(m, Term::kRemindOfCopies, noon), base::StartOfDay(Day(2026, 10, 27)));
  EXPECT_EQ(EndOfTerm(m, Term::kConfirmCopies, noon), base::EndOfDay(Day(2026, 11, 3)));
  // The first instant of a day is of that day.
  EXPECT_EQ(EndOfTerm(m, Term::kConfirmCopies, base::StartOfDay(Day(2026, 10, 20))),
            base::EndOfDay(Day(2026, 11, 3)));
  // A reminder may come on a Sunday.
  EXPECT_EQ(EndOfTerm(m, Term::kRemindOfCopies, noon - absl::Hours(48)), base::StartOfDay(Day(2026, 10, 25)));
}

}  // namespace
}  // namespace waarborg::domain

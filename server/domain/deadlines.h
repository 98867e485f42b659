// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "server/domain/municipality.h"

// When terms end: the Algemene termijnenwet (General Act on terms) and the terms of this house. Days are
// local days, Europe/Amsterdam.
namespace waarborg::domain {

// Easter Sunday of a year of the Gregorian calendar.
absl::CivilDay EasterSunday(absl::civil_year_t year);

// Art. 3, first and second paragraph: 1 January, Good Friday, Easter Monday, Ascension Day, Whit Monday,
// King's Day (27 April; 26 April when the 27th is a Sunday), 5 May, 25 and 26 December. The days set equal by
// decree (third paragraph) are data, and stand in the municipal configuration.
bool IsRecognisedHoliday(absl::CivilDay day);

// No Saturday, no Sunday, no recognised holiday, and no day set equal to one.
bool IsWorkingDay(const Municipality& m, absl::CivilDay day);

// The last day of a term of `days` days that begins to run on the day after `from`.
//   Art. 1, first paragraph: an end on a Saturday, Sunday or holiday moves to the next working day.
//   Art. 2: a term of at least three days holds at least two working days.
//   Art. 4: neither goes for a term of more than 90 days.
// Not for terms that are counted back from a moment (art. 1, second paragraph), nor for the end of a ban,
// which is what the decision says.
absl::CivilDay TermEnd(const Municipality& m, absl::CivilDay from, int days);

// The terms of this house. Their lengths stand in the municipal configuration.
enum class Term {
  kConfirmCopies,   // for a recipient to confirm that no copy is left, from the day on which it is asked
  kRemindOfCopies,  // until a recipient that has not confirmed is reminded; our own habit, so it is not moved
  kCount,
};

// The first instant after the term that began to run on the local day of `from`.
absl::Time EndOfTerm(const Municipality& m, Term term, absl::Time from);

}  // namespace waarborg::domain

// SPDX-License-Identifier: EUPL-1.2
#include "server/base/clock.h"

#include <sys/timex.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>

#include "absl/time/clock.h"

namespace waarborg::base {

absl::Time SystemClock::Now() const {
  return absl::FromUnixMillis(absl::ToUnixMillis(absl::Now()));
}

absl::Duration SystemClock::Running() const {
  timespec t{};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return absl::DurationFromTimespec(t);
}

bool SystemClock::Synchronised() const {
  timex t{};
  return adjtimex(&t) >= 0 && (t.status & STA_UNSYNC) == 0;
}

absl::TimeZone Amsterdam() {
  static const absl::TimeZone zone = [] {
    absl::TimeZone z;
    if (!absl::LoadTimeZone("Europe/Amsterdam", &z)) {
      std::fputs("waarborg: no time zone data for Europe/Amsterdam; install the package tzdata\n", stderr);
      std::exit(78);
    }
    return z;
  }();
  return zone;
}

absl::Time StartOfDay(absl::CivilDay day) {
  return absl::FromCivil(absl::CivilSecond(day), Amsterdam());
}

absl::Time EndOfDay(absl::CivilDay day) {
  return StartOfDay(day + 1);
}

absl::CivilDay LocalDay(absl::Time t) {
  return absl::ToCivilDay(t, Amsterdam());
}

std::string FormatLocal(absl::Time t) {
  return absl::FormatTime("%Y-%m-%d %H:%M", t, Amsterdam());
}

}  // namespace waarborg::base

// SPDX-License-Identifier: EUPL-1.2
#include "server/state/meter.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace waarborg::state {
namespace {

TEST(Meter, CountsEachKeyInItsOwnWindow) {
  Meter meter(absl::Hours(1));
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  EXPECT_EQ(meter.Count("a", now), 1);
  EXPECT_EQ(meter.Count("a", now + absl::Minutes(59)), 2);
  EXPECT_EQ(meter.Count("b", now), 1);
  EXPECT_EQ(meter.Peek("a", now + absl::Minutes(59)), 2);
  EXPECT_EQ(meter.Peek("a", now + absl::Minutes(60)), 0);
  EXPECT_EQ(meter.Count("a", now + absl::Minutes(60)), 1);
}

TEST(Meter, AClockThatGoesBackBeginsANewWindow) {
  Meter meter(absl::Hours(1));
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  for (int i = 0; i < 5; ++i) meter.Count("a", now);
  EXPECT_EQ(meter.Peek("a", now - absl::Hours(24)), 0);
  EXPECT_EQ(meter.Count("a", now - absl::Hours(24)), 1);
}

TEST(Meter, ForgetsRatherThanGrowsWithoutEnd) {
  Meter meter(absl::Hours(1));
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  for (int i = 0; i < 9000; ++i) meter.Count(absl::StrCat("old", i), now - absl::Hours(2));
  for (int i = 0; i < 9000; ++i) meter.Count(absl::StrCat("new", i), now);
  EXPECT_EQ(meter.Peek("new0", now), 1) << "what still counts went before what did not";
  EXPECT_EQ(meter.Peek("new8999", now), 1);
}

}  // namespace
}  // namespace waarborg::state

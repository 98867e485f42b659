// SPDX-License-Identifier: EUPL-1.2
#include "server/journal/timekeeper.h"

#include <gtest/gtest.h>

namespace waarborg::journal {
namespace {

// A clock that can be set apart from the even pace.
class TwoClocks : public base::Clock {
 public:
  absl::Time Now() const override { return now; }
  absl::Duration Running() const override { return running; }
  bool Synchronised() const override { return synchronised; }
  void Pass(absl::Duration d) {
    now += d;
    running += d;
  }
  absl::Time now = absl::FromUnixSeconds(1'772'438'400);
  absl::Duration running = absl::Hours(3);
  bool synchronised = false;
};

class TimekeeperTest : public ::testing::Test {
 protected:
  TwoClocks clock;
  Timekeeper time;
};

TEST_F(TimekeeperTest, AFirstStartBelievesTheClock) {
  time.Start(clock, absl::InfinitePast());
  EXPECT_EQ(time.Look(), clock.now);
  EXPECT_FALSE(time.in_doubt());
}

TEST_F(TimekeeperTest, TimeThatPassesIsBelievedHoweverLong) {
  time.Start(clock, clock.now);
  for (int day = 0; day < 400; ++day) {
    clock.Pass(absl::Hours(24));
    EXPECT_EQ(time.Look(), clock.now);
  }
  EXPECT_FALSE(time.in_doubt());
}

TEST_F(TimekeeperTest, GoingBackStandsStillUntilTheClockIsThereAgain) {
  time.Start(clock, clock.now);
  const absl::Time newest = clock.now;
  clock.now -= absl::Hours(5);
  EXPECT_EQ(time.Look(), newest);
  clock.Pass(absl::Hours(4));
  EXPECT_EQ(time.Look(), newest);
  clock.Pass(absl::Hours(2));
  EXPECT_EQ(time.Look(), newest + absl::Hours(1));
  EXPECT_FALSE(time.in_doubt());
}

TEST_F(TimekeeperTest, AJumpIsDoubtedAndTheTimeStandsStill) {
  time.Start(clock, clock.now);
  const absl::Time before = clock.now;
  clock.now += absl::Hours(1) + absl::Seconds(1);
  EXPECT_EQ(time.Look(), before);
  EXPECT_TRUE(time.in_doubt());
  EXPECT_EQ(time.reading(), clock.now);
  // Set right again.
  clock.now = before + absl::Minutes(1);
  EXPECT_EQ(time.Look(), clock.now);
  EXPECT_FALSE(time.in_doubt());
}

TEST_F(TimekeeperTest, ManySmallJumpsAreOneLargeOne) {
  time.Start(clock, clock.now);
  for (int i = 0; i < 3; ++i) {
    clock.now += absl::Minutes(25);
    clock.Pass(absl::Seconds(1));
    time.Look();
  }
  EXPECT_TRUE(time.in_doubt());
}

TEST_F(TimekeeperTest, ALongDowntimeIsDoubtedUntilTheClockIsSynchronised) {
  time.Start(clock, clock.now - absl::Hours(24 * 30));
  EXPECT_EQ(time.Look(), clock.now - absl::Hours(24 * 30));
  EXPECT_TRUE(time.in_doubt());
  clock.synchronised = true;
  EXPECT_EQ(time.Look(), clock.now);
  EXPECT_FALSE(time.in_doubt());
  // And believed from here, synchronised or not.
  clock.synchronised = false;
  clock.Pass(absl::Hours(10));
  EXPECT_EQ(time.Look(), clock.now);
  EXPECT_FALSE(time.in_doubt());
}

TEST_F(TimekeeperTest, TwoPeopleSettleIt) {
  time.Start(clock, clock.now - absl::Hours(24 * 30));
  time.Look();
  ASSERT_TRUE(time.in_doubt());
  time.Believe();
  EXPECT_EQ(time.Look(), clock.now);
  EXPECT_FALSE(time.in_doubt());
}

}  // namespace
}  // namespace waarborg::journal

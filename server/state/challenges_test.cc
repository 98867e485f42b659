// SPDX-License-Identifier: EUPL-1.2
#include "server/state/challenges.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace waarborg::state {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'000'000);

class ChallengesTest : public ::testing::Test {
 protected:
  void SetUp() override { challenges.Add("receptie-1", "uitdaging", "", kNow); }
  Challenges challenges;
};

TEST_F(ChallengesTest, EachIsAnsweredOnce) {
  EXPECT_TRUE(challenges.Take("receptie-1", "uitdaging", "", kNow));
  EXPECT_FALSE(challenges.Take("receptie-1", "uitdaging", "", kNow));
}

TEST_F(ChallengesTest, OnlyAtItsStationAndForWhatItWasGiven) {
  EXPECT_FALSE(challenges.Take("sporthal-1", "uitdaging", "", kNow));
  EXPECT_FALSE(challenges.Take("receptie-1", "uitdaging", "sessie", kNow));
  EXPECT_FALSE(challenges.Take("receptie-1", "verzonnen", "", kNow));
  EXPECT_FALSE(challenges.Take("receptie-1", "", "", kNow));
  challenges.Add("receptie-1", "andere", "sessie", kNow);
  EXPECT_FALSE(challenges.Take("receptie-1", "andere", "", kNow));
  EXPECT_FALSE(challenges.Take("receptie-1", "andere", "sessie van een ander", kNow));
  EXPECT_TRUE(challenges.Take("receptie-1", "andere", "sessie", kNow));
  EXPECT_TRUE(challenges.Take("receptie-1", "uitdaging", "", kNow)) << "what others tried does it no harm";
}

TEST_F(ChallengesTest, AfterFiveMinutesItIsStale) {
  challenges.Add("receptie-1", "net op tijd", "", kNow);
  EXPECT_TRUE(challenges.Take("receptie-1", "net op tijd", "", kNow + Challenges::kLife - absl::Seconds(1)));
  EXPECT_FALSE(challenges.Take("receptie-1", "uitdaging", "", kNow + Challenges::kLife));
  EXPECT_FALSE(challenges.Take("receptie-1", "uitdaging", "", kNow)) << "a late answer used it up";
}

TEST_F(ChallengesTest, AClockThatGoesBackVoidsIt) {
  EXPECT_FALSE(challenges.Take("receptie-1", "uitdaging", "", kNow - absl::Seconds(1)));
}

TEST_F(ChallengesTest, TheOldestOfAStationMakesRoomAndNoOtherStations) {
  challenges.Add("sporthal-1", "elders", "", kNow);
  for (size_t i = 0; i < Challenges::kPerStation; ++i)
    challenges.Add("receptie-1", absl::StrCat("c", i), "", kNow);
  EXPECT_FALSE(challenges.Take("receptie-1", "uitdaging", "", kNow));
  EXPECT_TRUE(challenges.Take("receptie-1", "c0", "", kNow));
  EXPECT_TRUE(challenges.Take("receptie-1", absl::StrCat("c", Challenges::kPerStation - 1), "", kNow));
  EXPECT_TRUE(challenges.Take("sporthal-1", "elders", "", kNow));
}

}  // namespace
}  // namespace waarborg::state

// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/release.h"

#include <gtest/gtest.h>

#include <map>

#include "server/domain/testing.h"

namespace waarborg::domain {
namespace {

using S = PhotoState;
using E = PhotoEvent;

const std::map<std::pair<S, E>, S> kLegal{
    {{S::kNone, E::kInform}, S::kInformed},
    {{S::kInformed, E::kRequest}, S::kRequested},
    {{S::kRequested, E::kConsent}, S::kConsented},
    {{S::kRequested, E::kRefuse}, S::kRefused},
    {{S::kConsented, E::kSupply}, S::kSupplied},
    {{S::kConsented, E::kDecline}, S::kDeclined},
    {{S::kSupplied, E::kRelease}, S::kReleased},
    {{S::kReleased, E::kDarken}, S::kDarkened},
    {{S::kDarkened, E::kRestore}, S::kReleased},
    {{S::kSupplied, E::kWithdrawWrong}, S::kDestroying},
    {{S::kReleased, E::kWithdrawWrong}, S::kDestroying},
    {{S::kDarkened, E::kWithdrawWrong}, S::kDestroying},
    {{S::kNone, E::kEnd}, S::kClosed},
    {{S::kInformed, E::kEnd}, S::kClosed},
    {{S::kRequested, E::kEnd}, S::kClosed},
    {{S::kConsented, E::kEnd}, S::kClosed},
    {{S::kSupplied, E::kEnd}, S::kDestroying},
    {{S::kReleased, E::kEnd}, S::kDestroying},
    {{S::kDarkened, E::kEnd}, S::kDestroying},
    {{S::kDestroying, E::kEnd}, S::kDestroying},
    {{S::kDestroying, E::kKeyDestroyed}, S::kDestroyed},
    {{S::kDestroying, E::kWrongKeyDestroyed}, S::kConsented},
    {{S::kSupplied, E::kLoseKey}, S::kConsented},
    {{S::kReleased, E::kLoseKey}, S::kConsented},
    {{S::kDarkened, E::kLoseKey}, S::kConsented},
};

TEST(ReleaseTable, EveryStateAndEventLeadsWhereTheProcedureSays) {
  for (int s = 0; s < static_cast<int>(S::kCount); ++s) {
    for (int e = 0; e < static_cast<int>(E::kCount); ++e) {
      const auto it = kLegal.find({static_cast<S>(s), static_cast<E>(e)});
      const auto next = NextState(static_cast<S>(s), static_cast<E>(e));
      ASSERT_EQ(next.has_value(), it != kLegal.end()) << "state " << s << " event " << e;
      if (next) {
        EXPECT_EQ(*next, it->second) << "state " << s << " event " << e;
      }
    }
  }
}

TEST(Release, RefusalsSayWhatIsMissing) {
  Release release;
  EXPECT_EQ(Advance(release, E::kRequest)->rule, Rule::kNotInformed);
  EXPECT_EQ(Advance(release, E::kSupply)->rule, Rule::kWrongState);
  release.state = S::kClosed;
  release.objection_upheld = true;
  EXPECT_EQ(Advance(release, E::kRequest)->rule, Rule::kObjectionUpheld);
  EXPECT_EQ(release.state, S::kClosed);
}

TEST(Release, CriteriaAreAnsweredEachOnceAndMetForConsent) {
  const Municipality m = TestMunicipality();
  const CriterionAnswer yes1{"noodzaak", true, "x"}, yes2{"evenredig", true, "x"},
      no2{"evenredig", false, "x"};
  EXPECT_FALSE(CheckCriteria(m, {yes1, yes2}, true));
  EXPECT_EQ(CheckCriteria(m, {yes1}, true)->rule, Rule::kCriteriaIncomplete);
  EXPECT_EQ(CheckCriteria(m, {yes1, yes1}, true)->rule, Rule::kCriteriaIncomplete);
  EXPECT_EQ(CheckCriteria(m, {yes1, {"evenredig", true, ""}}, true)->rule, Rule::kCriteriaIncomplete);
  EXPECT_EQ(CheckCriteria(m, {yes1, no2}, true)->rule, Rule::kCriteriaNotMet);
  EXPECT_FALSE(CheckCriteria(m, {yes1, no2}, false));
}

TEST(Release, AWrongPhotoMakesRoomForTheRightOneUnlessTheBanIsOver) {
  const absl::Time now = absl::FromUnixSeconds(1);
  Release release;
  release.state = S::kReleased;
  release.photo_id = "F-1";
  ASSERT_FALSE(Advance(release, E::kWithdrawWrong));
  release.destruction_reason = DestructionReason::kWrongPhoto;
  Release over = release;
  CompleteDestruction(release, false, now);
  EXPECT_EQ(release.state, S::kConsented);
  EXPECT_TRUE(release.photo_id.empty());
  CompleteDestruction(over, true, now);
  EXPECT_EQ(over.state, S::kDestroyed);
  EXPECT_EQ(over.destroyed_at, now);
}

TEST(Release, TheEndOfTheBanOvertakesAWrongPhoto) {
  Release release;
  release.state = S::kDestroying;
  release.destruction_reason = DestructionReason::kWrongPhoto;
  EXPECT_TRUE(EndRelease(release, DestructionReason::kObjectionUpheld));
  CompleteDestruction(release, false, absl::FromUnixSeconds(1));
  EXPECT_EQ(release.state, S::kDestroyed);
}

}  // namespace
}  // namespace waarborg::domain

// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/release.h"

#include <gtest/gtest.h>

#include <map>

#include "server/base/clock.h"
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
  const absl::Time now = absl::FromUnixSeconds(1);
  EXPECT_TRUE(EndRelease(TestMunicipality(), release, DestructionReason::kObjectionUpheld, now));
  CompleteDestruction(release, false, now);
  EXPECT_EQ(release.state, S::kDestroyed);
}

class CopiesTest : public ::testing::Test {
 protected:
  const Municipality m = TestMunicipality();
  // A Tuesday; two weeks on is one too.
  const absl::Time now = base::StartOfDay(absl::CivilDay(2026, 6, 2)) + absl::Hours(10);
  static Release Released() {
    Release release;
    release.state = S::kReleased;
    release.photo_id = "F-1";
    release.recipient_unit_ids = {"receptie", "sporthal", "receptie"};
    return release;
  }
};

TEST_F(CopiesTest, EveryRecipientIsAskedOnceWhateverEndsThePhoto) {
  for (bool wrong : {false, true}) {
    for (bool darkened : {false, true}) {
      Release release = Released();
      if (darkened) release.state = S::kDarkened;
      if (wrong) {
        ASSERT_FALSE(WithdrawWrong(m, release, now));
        EXPECT_EQ(release.destruction_reason, DestructionReason::kWrongPhoto);
        // The ban ends before the wrong photo is gone: nobody is asked again.
        ASSERT_TRUE(EndRelease(m, release, DestructionReason::kBanEnded, now + absl::Hours(1)));
      } else {
        ASSERT_TRUE(EndRelease(m, release, DestructionReason::kObjectionUpheld, now));
      }
      ASSERT_EQ(release.copies.size(), 2u);
      EXPECT_EQ(release.copies[0].unit_id, "receptie");
      EXPECT_EQ(release.copies[1].unit_id, "sporthal");
      for (const CopyCheck& check : release.copies) {
        EXPECT_EQ(check.photo_id, "F-1");
        EXPECT_EQ(check.asked_at, now);
        EXPECT_EQ(check.remind_at, base::StartOfDay(absl::CivilDay(2026, 6, 9)));
        EXPECT_EQ(check.due_at, base::EndOfDay(absl::CivilDay(2026, 6, 16)));
        EXPECT_TRUE(check.open());
      }
    }
  }
}

TEST_F(CopiesTest, WhatWasNeverReleasedHasNoCopies) {
  Release release;
  release.state = S::kSupplied;
  release.photo_id = "F-1";
  Release wrong = release;
  ASSERT_TRUE(EndRelease(m, release, DestructionReason::kBanEnded, now));
  ASSERT_FALSE(WithdrawWrong(m, wrong, now));
  EXPECT_TRUE(release.copies.empty());
  EXPECT_TRUE(wrong.copies.empty());
  EXPECT_EQ(NextCopyStep(release), absl::InfiniteFuture());
}

TEST_F(CopiesTest, TheCopiesOfAWrongPhotoAreNotForgottenWhenTheRightOneComes) {
  Release release = Released();
  ASSERT_FALSE(WithdrawWrong(m, release, now));
  CompleteDestruction(release, false, now);
  ASSERT_TRUE(release.recipient_unit_ids.empty());
  ASSERT_EQ(release.copies.size(), 2u);
  EXPECT_EQ(release.copies[0].photo_id, "F-1");
  // The right one goes to one of them, and ends a day later: about that one it is asked anew.
  release.state = S::kReleased;
  release.photo_id = "F-2";
  release.recipient_unit_ids = {"receptie"};
  ASSERT_TRUE(EndRelease(m, release, DestructionReason::kBanEnded, now + absl::Hours(24)));
  ASSERT_EQ(release.copies.size(), 3u);
  EXPECT_EQ(release.copies[2].photo_id, "F-2");
  // One answer covers both.
  const auto photos = ConfirmCopiesGone(release, {"receptie", false, "", "M-1"}, now + absl::Hours(48));
  ASSERT_TRUE(photos.ok());
  EXPECT_EQ(*photos, (std::vector<std::string>{"F-1", "F-2"}));
  EXPECT_TRUE(release.copies[1].open()) << "the other unit";
}

TEST_F(CopiesTest, AConfirmationIsGivenOnceAndByWhoWasAsked) {
  Release release = Released();
  EXPECT_EQ(ConfirmCopiesGone(release, {"receptie", false, "", "M-1"}, now).refusal().rule, Rule::kNotFound)
      << "the photo is still in use";
  ASSERT_TRUE(EndRelease(m, release, DestructionReason::kBanLifted, now));
  const absl::Time later = now + absl::Hours(30);
  EXPECT_EQ(ConfirmCopiesGone(release, {"zwembad", false, "", "M-1"}, later).refusal().rule, Rule::kNotFound);
  ASSERT_TRUE(ConfirmCopiesGone(release, {"receptie", true, "In een lade.", "M-1"}, later).ok());
  const CopyCheck& check = release.copies[0];
  EXPECT_FALSE(check.open());
  EXPECT_EQ(check.confirmed_at, later);
  EXPECT_EQ(check.confirmed_by, "M-1");
  EXPECT_TRUE(check.found);
  EXPECT_EQ(check.note, "In een lade.");
  EXPECT_EQ(ConfirmCopiesGone(release, {"receptie", false, "", "M-2"}, later).refusal().rule,
            Rule::kCopiesConfirmedBefore);
  EXPECT_EQ(release.copies[0].confirmed_by, "M-1");
}

TEST_F(CopiesTest, WhoHasNotConfirmedIsRemindedOnceAndThenItGoesUpOnce) {
  Release release = Released();
  ASSERT_TRUE(EndRelease(m, release, DestructionReason::kBanLifted, now));
  ASSERT_TRUE(ConfirmCopiesGone(release, {"sporthal", false, "", "M-1"}, now).ok());
  CopyCheck& check = release.copies[0];
  EXPECT_EQ(NextCopyStep(release), check.remind_at);
  EXPECT_EQ(TakeCopyStep(check, check.remind_at - absl::Seconds(1)), CopyStep::kNone);
  EXPECT_EQ(TakeCopyStep(check, check.remind_at), CopyStep::kRemind);
  EXPECT_EQ(check.reminded_at, check.remind_at);
  EXPECT_EQ(TakeCopyStep(check, check.remind_at), CopyStep::kNone);
  EXPECT_EQ(NextCopyStep(release), check.due_at);
  EXPECT_EQ(TakeCopyStep(check, check.due_at - absl::Seconds(1)), CopyStep::kNone);
  EXPECT_EQ(TakeCopyStep(check, check.due_at), CopyStep::kEscalate);
  EXPECT_EQ(TakeCopyStep(check, check.due_at + absl::Hours(1000)), CopyStep::kNone);
  EXPECT_EQ(NextCopyStep(release), absl::InfiniteFuture());
  EXPECT_EQ(TakeCopyStep(release.copies[1], check.due_at), CopyStep::kNone) << "confirmed";
}

TEST_F(CopiesTest, AfterALongStandstillItGoesUpWithoutAReminder) {
  Release release = Released();
  ASSERT_TRUE(EndRelease(m, release, DestructionReason::kBanLifted, now));
  CopyCheck& check = release.copies[0];
  EXPECT_EQ(TakeCopyStep(check, check.due_at + absl::Hours(1)), CopyStep::kEscalate);
  EXPECT_FALSE(check.reminded_at.has_value());
  EXPECT_EQ(TakeCopyStep(check, check.due_at + absl::Hours(1)), CopyStep::kNone);
}

TEST_F(CopiesTest, WhatWasHandedOutIsCountedForWhoAnswersForIt) {
  Release release;
  release.state = S::kReleased;
  release.photo_id = "F-1";
  release.recipient_unit_ids = {"receptie", "politie"};
  EXPECT_EQ(*AddExport(release, "politie", "M-1", "", now), Refusal(Rule::kFieldMissing, "basis"));
  EXPECT_EQ(AddExport(release, "milieustraat", "M-1", "proces-verbaal 1", now)->rule,
            Rule::kNotNamedRecipient);
  EXPECT_FALSE(AddExport(release, "politie", "M-1", "proces-verbaal 1", now));
  EXPECT_FALSE(AddExport(release, "politie", "M-2", "proces-verbaal 2", now + absl::Hours(1)));
  for (S state : {S::kConsented, S::kSupplied, S::kDarkened, S::kDestroying, S::kDestroyed}) {
    Release other = release;
    other.state = state;
    EXPECT_TRUE(AddExport(other, "politie", "M-1", "proces-verbaal 3", now)) << static_cast<int>(state);
    EXPECT_EQ(other.exports.size(), 2u);
  }
  // A wrong photo that went out is answered for as well, and not counted again for the right one.
  ASSERT_FALSE(WithdrawWrong(m, release, now));
  ASSERT_EQ(release.copies.size(), 2u);
  EXPECT_EQ(release.copies[0].exports, 0);
  EXPECT_EQ(release.copies[1].unit_id, "politie");
  EXPECT_EQ(release.copies[1].exports, 2);
  CompleteDestruction(release, false, now);
  release.state = S::kReleased;
  release.photo_id = "F-2";
  release.recipient_unit_ids = {"politie"};
  EXPECT_FALSE(AddExport(release, "politie", "M-1", "proces-verbaal 4", now));
  EXPECT_TRUE(EndRelease(m, release, DestructionReason::kBanEnded, now));
  ASSERT_EQ(release.copies.size(), 3u);
  EXPECT_EQ(release.copies[2].photo_id, "F-2");
  EXPECT_EQ(release.copies[2].exports, 1);
}

TEST_F(CopiesTest, AFileOfAPhotoWhoseKeyWasLostIsStillAnsweredFor) {
  Release release;
  release.state = S::kReleased;
  release.photo_id = "F-1";
  release.recipient_unit_ids = {"politie"};
  ASSERT_FALSE(AddExport(release, "politie", "M-1", "proces-verbaal 1", now));
  LosePhoto(release);
  EXPECT_TRUE(release.copies.empty());
  // Also when Burgerzaken did not supply another one, so that there is nothing else to end.
  Release declined = release;
  ASSERT_FALSE(Advance(declined, E::kDecline));
  for (Release* one : {&release, &declined}) {
    EXPECT_EQ(EndRelease(m, *one, DestructionReason::kBanEnded, now), one == &release);
    ASSERT_EQ(one->copies.size(), 1u);
    EXPECT_EQ(one->copies[0].photo_id, "F-1");
    EXPECT_EQ(one->copies[0].exports, 1);
    EXPECT_FALSE(EndRelease(m, *one, DestructionReason::kBanLifted, now));
    EXPECT_EQ(one->copies.size(), 1u);
  }
}

}  // namespace
}  // namespace waarborg::domain

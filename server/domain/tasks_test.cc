// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/tasks.h"

#include <gtest/gtest.h>

#include <tuple>

#include "server/base/clock.h"
#include "server/domain/testing.h"

namespace waarborg::domain {
namespace {

using K = TaskKind;
using S = BanState;
using P = PhotoState;

class TasksTest : public ::testing::Test {
 protected:
  Municipality m = TestMunicipality();
  absl::Time now = base::StartOfDay(absl::CivilDay(2026, 3, 2)) + absl::Hours(9);

  Ban File(S state, const std::string& ground = "verbaal") const {
    Ban ban;
    ban.id = "LV-TEST";
    ban.state = state;
    ban.identity.name = {"Jan", "de", "Vries"};
    ban.identity.established = true;
    ban.terms = Terms();
    ban.terms->ground_id = ground;
    ban.reasons = "r";
    ban.open_channels = "post";
    ban.proposed_by = "M-1";
    ban.starts_at = now - absl::Hours(1);
    ban.ends_at = now + absl::Hours(48);
    return ban;
  }
  std::vector<K> Kinds(const Ban& ban) const {
    std::vector<K> kinds;
    for (const Task& task : TasksOf(m, ban, now)) kinds.push_back(task.kind);
    return kinds;
  }
};

TEST_F(TasksTest, AProposalIsCompletedAdvisedAndDecidedInThatOrder) {
  Ban ban = File(S::kProposed, "fysiek-medewerker");
  ban.identity.established = false;
  EXPECT_EQ(Kinds(ban), std::vector<K>{K::kCompleteFile});
  EXPECT_TRUE(TasksOf(m, ban, now)[0].roles.Has(Role::kManager));
  ban.identity.established = true;
  EXPECT_EQ(Kinds(ban), std::vector<K>{K::kAdvise});
  EXPECT_TRUE(TasksOf(m, ban, now)[0].roles.Has(Role::kMunicipalSecretary));
  ban.advised_by = "M-2";
  const auto tasks = TasksOf(m, ban, now);
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_EQ(tasks[0].kind, K::kDecideBan);
  EXPECT_EQ(tasks[0].ban_id, "LV-TEST");
  EXPECT_TRUE(tasks[0].roles.Has(Role::kBoardSecretariat));
  EXPECT_FALSE(tasks[0].roles.Has(Role::kMunicipalSecretary));
  EXPECT_FALSE(tasks[0].due_at.has_value());
  // The secretary decides the lighter grounds, without advice.
  const auto lighter = TasksOf(m, File(S::kProposed), now);
  ASSERT_EQ(lighter.size(), 1u);
  EXPECT_EQ(lighter[0].kind, K::kDecideBan);
  EXPECT_TRUE(lighter[0].roles.Has(Role::kMunicipalSecretary));
}

TEST_F(TasksTest, EverythingAboutADenialIsDueBeforeItLapses) {
  Ban ban = File(S::kProvisional);
  auto tasks = TasksOf(m, ban, now);
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_EQ(tasks[0].kind, K::kConfirmDenial);
  EXPECT_EQ(tasks[0].due_at, ban.ends_at);
  EXPECT_FALSE(tasks[0].Overdue(now));
  ban.terms.reset();
  tasks = TasksOf(m, ban, now);
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_EQ(tasks[0].kind, K::kCompleteFile);
  EXPECT_EQ(tasks[0].due_at, ban.ends_at);
  // The clock is about to let it lapse.
  EXPECT_TRUE(TasksOf(m, ban, ban.ends_at).empty());
}

TEST_F(TasksTest, ThePhotoGoesFromOneToTheNext) {
  const std::vector<std::tuple<P, K, Role>> steps{
      {P::kNone, K::kRecordInformed, Role::kManager},
      {P::kInformed, K::kRequestRelease, Role::kSecurityCoordinator},
      {P::kRequested, K::kDecideConsent, Role::kManager},
      {P::kConsented, K::kSupplyPhoto, Role::kCivilAffairs},
      {P::kSupplied, K::kReleasePhoto, Role::kSecurityCoordinator},
  };
  for (S state : {S::kActive, S::kExtended}) {
    for (const auto& [photo, kind, role] : steps) {
      Ban ban = File(state);
      ban.release.state = photo;
      const auto tasks = TasksOf(m, ban, now);
      ASSERT_EQ(tasks.size(), 1u) << static_cast<int>(photo);
      EXPECT_EQ(tasks[0].kind, kind);
      EXPECT_TRUE(tasks[0].roles.Has(role));
      // Not once the ban has ended, nor before it was decided.
      EXPECT_TRUE(TasksOf(m, ban, ban.ends_at).empty());
      ban.state = S::kExpired;
      EXPECT_TRUE(TasksOf(m, ban, now).empty());
    }
    for (P photo :
         {P::kRefused, P::kDeclined, P::kReleased, P::kDarkened, P::kDestroying, P::kDestroyed, P::kClosed}) {
      Ban ban = File(state);
      ban.release.state = photo;
      EXPECT_TRUE(TasksOf(m, ban, now).empty()) << static_cast<int>(photo);
    }
  }
}

TEST_F(TasksTest, WhatIsOverOrOnlyADescriptionWaitsForNobody) {
  for (S state : {S::kAlert, S::kRejected, S::kLapsed, S::kLifted, S::kExpired}) {
    EXPECT_TRUE(TasksOf(m, File(state), now).empty()) << static_cast<int>(state);
  }
}

TEST_F(TasksTest, ARecipientConfirmsAndOnceItIsOverdueOthersSeeToIt) {
  Ban ban = File(S::kActive);
  ban.release.state = P::kReleased;
  ban.release.photo_id = "F-1";
  ban.release.recipient_unit_ids = {"receptie", "sporthal"};
  ASSERT_FALSE(LiftBan(m, ban, "r", {Role::kMunicipalSecretary, "", {}, "M-2"}, now));
  auto tasks = TasksOf(m, ban, now);
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_EQ(tasks[0].kind, K::kConfirmCopiesGone);
  EXPECT_EQ(tasks[0].unit_id, "receptie");
  EXPECT_EQ(tasks[0].due_at, base::EndOfDay(absl::CivilDay(2026, 3, 16)));
  EXPECT_FALSE(tasks[0].reminded);
  EXPECT_TRUE(tasks[0].roles.Has(Role::kDeskStaff));
  EXPECT_TRUE(tasks[0].roles.Has(Role::kPoliceContact));
  EXPECT_EQ(tasks[1].unit_id, "sporthal");

  ASSERT_TRUE(ConfirmCopiesGone(ban.release, {"receptie", false, "", "M-3"}, now).ok());
  const absl::Time due = *tasks[0].due_at;
  ASSERT_EQ(TakeCopyStep(ban.release.copies[1], due - absl::Hours(1)), CopyStep::kRemind);
  tasks = TasksOf(m, ban, due - absl::Hours(1));
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_TRUE(tasks[0].reminded);
  tasks = TasksOf(m, ban, due);
  ASSERT_EQ(tasks.size(), 3u);
  EXPECT_EQ(tasks[0].kind, K::kConfirmCopiesGone);
  for (size_t i : {1u, 2u}) {
    EXPECT_EQ(tasks[i].kind, K::kCopiesOverdue);
    EXPECT_EQ(tasks[i].unit_id, "sporthal");
    EXPECT_TRUE(tasks[i].Overdue(due));
  }
  EXPECT_TRUE(tasks[1].roles.Has(Role::kSecurityCoordinator));
  EXPECT_TRUE(tasks[1].person_id.empty());
  EXPECT_TRUE(tasks[2].roles.Has(Role::kManager));
  EXPECT_EQ(tasks[2].person_id, "M-1");
  ASSERT_TRUE(ConfirmCopiesGone(ban.release, {"sporthal", true, "x", "M-3"}, due).ok());
  EXPECT_TRUE(TasksOf(m, ban, due).empty());
}

// A wrong photo: the right one has to be supplied while the recipients of the wrong one answer for it.
TEST_F(TasksTest, AfterAWrongPhotoBurgerzakenSupplyAgain) {
  Ban ban = File(S::kActive);
  ban.release.state = P::kReleased;
  ban.release.photo_id = "F-1";
  ban.release.recipient_unit_ids = {"receptie"};
  ASSERT_FALSE(WithdrawWrong(m, ban.release, now));
  CompleteDestruction(ban.release, false, now);
  EXPECT_EQ(Kinds(ban), (std::vector<K>{K::kSupplyPhoto, K::kConfirmCopiesGone}));
  // The right one went to the same unit: it has one task, due when the first of the two is.
  ban.release.state = P::kReleased;
  ban.release.photo_id = "F-2";
  ban.release.recipient_unit_ids = {"receptie"};
  ASSERT_TRUE(EndRelease(m, ban.release, DestructionReason::kBanEnded, now + absl::Hours(24)));
  const auto tasks = TasksOf(m, ban, now);
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_EQ(tasks[0].due_at, ban.release.copies[0].due_at);
}

TEST_F(TasksTest, ATaskSaysHowOftenAPhotoWasHandedOut) {
  Ban ban = File(S::kLifted);
  CopyCheck check;
  check.unit_id = "politie";
  check.asked_at = now;
  check.due_at = now + absl::Hours(48);
  check.photo_id = "F-1";
  check.exports = 1;
  ban.release.copies.push_back(check);
  check.photo_id = "F-2";
  check.exports = 2;
  ban.release.copies.push_back(check);
  const auto tasks = TasksOf(m, ban, now);
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_EQ(tasks[0].handed_out, 3);
  ban.release.copies[0].confirmed_at = now;
  EXPECT_EQ(TasksOf(m, ban, now)[0].handed_out, 2);
}

}  // namespace
}  // namespace waarborg::domain

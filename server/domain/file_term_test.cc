// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/file_term.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "server/base/clock.h"
#include "server/domain/tasks.h"

namespace waarborg::domain {
namespace {

Ban ClosedOn(absl::CivilDay day) {
  Ban ban;
  ban.id = "LV-1";
  ban.state = BanState::kExpired;
  ban.proposed_at = base::StartOfDay(day - 100);
  ban.ends_at = base::StartOfDay(day) + absl::Hours(15);
  ban.release.state = PhotoState::kDestroyed;
  return ban;
}

TEST(FileTerm, RunsFromTheDayOfTheEndByTheConfiguredMonths) {
  Municipality m;
  m.file_keep_months = 24;
  EXPECT_EQ(FileTermEnds(m, ClosedOn(absl::CivilDay(2026, 3, 2))),
            base::StartOfDay(absl::CivilDay(2028, 3, 2)));
  // There is no 31 April: later, not earlier.
  m.file_keep_months = 1;
  EXPECT_EQ(FileTermEnds(m, ClosedOn(absl::CivilDay(2026, 3, 31))),
            base::StartOfDay(absl::CivilDay(2026, 5, 1)));
  // A rejected proposal never had an end; it was closed when it was proposed, at the latest known.
  Ban rejected = ClosedOn(absl::CivilDay(2026, 3, 2));
  rejected.state = BanState::kRejected;
  rejected.ends_at = absl::UnixEpoch();
  EXPECT_EQ(ClosedAt(rejected), rejected.proposed_at);
}

TEST(FileTerm, DoesNotEndWhileTheBanRunsOrThePhotoIsThere) {
  const Municipality m;
  for (BanState state : {BanState::kProposed, BanState::kProvisional, BanState::kAlert, BanState::kActive,
                         BanState::kExtended}) {
    Ban ban = ClosedOn(absl::CivilDay(2026, 3, 2));
    ban.state = state;
    EXPECT_EQ(FileTermEnds(m, ban), absl::InfiniteFuture());
  }
  for (PhotoState state :
       {PhotoState::kSupplied, PhotoState::kReleased, PhotoState::kDarkened, PhotoState::kDestroying}) {
    Ban ban = ClosedOn(absl::CivilDay(2026, 3, 2));
    ban.release.state = state;
    EXPECT_EQ(FileTermEnds(m, ban), absl::InfiniteFuture());
  }
}

TEST(FileTerm, WaitsForTheHandOverWhereThatIsAskedForAndItIsATask) {
  Municipality m;
  m.file_hand_over = true;
  Ban ban = ClosedOn(absl::CivilDay(2026, 3, 2));
  const absl::Time ends = FileTermEnds(m, ban);
  EXPECT_EQ(FileDestructionDue(m, ban), absl::InfiniteFuture());
  const auto task = [&](absl::Time now) -> std::optional<Task> {
    for (Task& t : TasksOf(m, ban, now)) {
      if (t.kind == TaskKind::kHandOverFile) return std::move(t);
    }
    return std::nullopt;
  };
  ASSERT_TRUE(task(ends - absl::Hours(1)));
  EXPECT_FALSE(task(ends - absl::Hours(1))->Overdue(ends - absl::Hours(1)));
  EXPECT_TRUE(task(ends)->Overdue(ends));
  EXPECT_EQ(HandOver(ban, "", "M-1", ends)->rule, Rule::kFieldMissing);
  ASSERT_FALSE(HandOver(ban, "Z-2028-1", "M-1", ends));
  EXPECT_EQ(FileDestructionDue(m, ban), ends);
  EXPECT_FALSE(task(ends));
  Ban running = ClosedOn(absl::CivilDay(2026, 3, 2));
  running.state = BanState::kActive;
  EXPECT_EQ(HandOver(running, "Z-1", "M-1", ends)->rule, Rule::kWrongState);
}

TEST(FileTerm, WhatIsCountedTellsNoFileFromAnother) {
  Ban ban = ClosedOn(absl::CivilDay(2026, 3, 2));
  ban.terms = Terms{};
  ban.terms->ground_id = "verbaal";
  ban.terms->measure = Measure::kTimeOut;
  ban.identity = {{"Jan", "de", "Vries"}, {}, {1985, 3, 12}, true, ""};
  ban.reasons = "Wat er gebeurde.";
  ban.release.destruction_reason = DestructionReason::kBanEnded;
  ban.extensions.resize(2);
  ban.breaches.resize(1);
  ban.release.objections = {{false, "Nee.", "M-1", ban.ends_at}};
  std::vector<std::string> counts = CountsOf(ban);
  std::sort(counts.begin(), counts.end());
  EXPECT_EQ(counts, (std::vector<std::string>{"breach", "closed/expired", "destroyed/ban-ended", "extension",
                                              "extension", "file", "ground/verbaal", "measure/time-out",
                                              "objection/dismissed", "photo/destroyed"}));
}

}  // namespace
}  // namespace waarborg::domain

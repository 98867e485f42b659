// SPDX-License-Identifier: EUPL-1.2
#include "server/jobs/clockwork.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "absl/strings/str_cat.h"
#include "server/domain/file_term.h"
#include "tests/support/memory_room.h"
#include "tests/support/memory_store.h"

namespace waarborg::jobs {
namespace {

using journal::Turn;

class ClockworkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/waarborg-clockwork-XXXXXX";
    folder = mkdtemp(name);
    Open();
  }
  void TearDown() override {
    house.reset();
    std::filesystem::remove_all(folder);
  }
  // As after a restart.
  void Open() {
    house.reset();
    file_keys = *keys::Keystore::Open(folder, "file", *home, random);
    photo_keys = *keys::Keystore::Open(folder, "photo", *home, random);
    auto opened = journal::Journal::Open(
        {&clock, &random, &store, file_keys.get(), photo_keys.get(), &room, "test.example/log"});
    ASSERT_TRUE(opened.ok()) << opened.status();
    house = std::move(*opened);
    house->SetClockwork(RunDue);
  }
  // Bans in force until `ends_at`, each with a photo at reception and sports hall.
  void Put(int first, int count, absl::Time ends_at) {
    ASSERT_TRUE(house
                    ->RunNow([&](Turn& turn) {
                      for (int i = first; i < first + count; ++i) {
                        domain::Ban ban;
                        ban.id = absl::StrCat("LV-", i);
                        ban.state = domain::BanState::kActive;
                        ban.starts_at = turn.now();
                        ban.ends_at = ends_at;
                        ban.release.state = domain::PhotoState::kReleased;
                        ban.release.photo_id = absl::StrCat("F-", i);
                        ban.release.recipient_unit_ids = {"receptie", "sporthal"};
                        turn.PutPhoto(ban.release.photo_id, "jpeg");
                        turn.Put(std::move(ban));
                      }
                    })
                    .ok());
  }
  // How often each event stands in the log.
  std::map<std::string, int> Events() {
    std::map<std::string, int> events;
    EXPECT_TRUE(house->NewReader()
                    ->ReadBack({},
                               [&](const journal::LogEntry& e) {
                                 ++events[e.record ? e.record->event() : "?"];
                                 return true;
                               })
                    .ok());
    return events;
  }
  const domain::Ban& Ban(const std::string& id) { return *house->world().FindBan(id); }

  std::string folder;
  // Monday 2 March 2026, 09:00.
  base::ManualClock clock{absl::FromUnixSeconds(1'772'438'400)};
  base::SystemRandom random;
  base::Secret root{std::string(32, 'r')};
  testing::MemoryStore store;
  testing::MemoryRoom room;
  std::unique_ptr<keys::GenerationHome> home = keys::NewFileHome(root, random);
  std::unique_ptr<keys::Keystore> file_keys, photo_keys;
  std::unique_ptr<journal::Journal> house;
};

TEST_F(ClockworkTest, RecipientsAreAskedRemindedAndThenItGoesUp) {
  Put(1, 1, clock.Now() + absl::Hours(1));
  clock.Set(clock.Now() + absl::Hours(1));
  house->RunQueued();
  EXPECT_EQ(
      Events(),
      (std::map<std::string, int>{
          {"BanExpired", 1}, {"CopiesAsked", 2}, {"PhotoDestructionStarted", 1}, {"PhotoDestroyed", 1}}));
  ASSERT_EQ(Ban("LV-1").release.copies.size(), 2u);
  EXPECT_EQ(house->world().NextDue(), base::StartOfDay(absl::CivilDay(2026, 3, 9)));
  // A restart forgets nothing.
  Open();
  EXPECT_EQ(house->world().NextDue(), base::StartOfDay(absl::CivilDay(2026, 3, 9)));
  clock.Set(house->world().NextDue());
  house->RunQueued();
  EXPECT_EQ(Events()["CopiesReminded"], 2);
  house->RunQueued();
  EXPECT_EQ(Events()["CopiesReminded"], 2);
  EXPECT_EQ(house->world().NextDue(), base::EndOfDay(absl::CivilDay(2026, 3, 16)));
  // One confirms in time.
  ASSERT_TRUE(
      house
          ->RunNow([](Turn& turn) {
            domain::Ban ban = *turn.world().FindBan("LV-1");
            ASSERT_TRUE(
                domain::ConfirmCopiesGone(ban.release, {"receptie", false, "", "M-1"}, turn.now()).ok());
            turn.Put(std::move(ban));
          })
          .ok());
  clock.Set(house->world().NextDue());
  house->RunQueued();
  EXPECT_EQ(Events()["CopiesEscalated"], 1);
  EXPECT_EQ(house->world().NextDue(),
            domain::FileTermEnds(house->world().municipality(), house->world().bans().begin()->second))
      << "nothing is left but the term of the file";
}

// A holiday's worth of ends and obligations, after the server stood still: no turn does more than so many,
// and nothing is left over.
TEST_F(ClockworkTest, ManyAtOnceAreDoneInTurnsThatStayShort) {
  constexpr int kMany = 450;
  const int at_once = static_cast<int>(state::World::kDueAtOnce);
  Put(0, kMany, clock.Now() + absl::Hours(1));
  clock.Set(clock.Now() + absl::Hours(2));
  for (int done = at_once; done < kMany + at_once; done += at_once) {
    EXPECT_LE(house->world().NextDue(), clock.Now());
    house->RunQueued();
    EXPECT_EQ(Events()["BanExpired"], std::min(done, kMany));
    EXPECT_EQ(Events()["CopiesAsked"], 2 * std::min(done, kMany));
  }
  EXPECT_EQ(photo_keys->size(), 0u);
  EXPECT_GT(house->world().NextDue(), clock.Now());
  clock.Set(clock.Now() + absl::Hours(24 * 30));
  while (house->world().NextDue() <= clock.Now()) house->RunQueued();
  EXPECT_EQ(Events()["CopiesEscalated"], 2 * kMany);
  EXPECT_EQ(Events()["CopiesReminded"], 0) << "their term had passed already";
}

// What is due about the copies of a wrong photo and the end of the ban itself, at one moment.
TEST_F(ClockworkTest, AnEndAndAReminderOfOneBanDoNotUndoEachOther) {
  const absl::Time end = base::StartOfDay(absl::CivilDay(2026, 3, 9));
  Put(1, 1, end);
  ASSERT_TRUE(house
                  ->RunNow([](Turn& turn) {
                    domain::Ban ban = *turn.world().FindBan("LV-1");
                    domain::CopyCheck wrong;
                    wrong.photo_id = "F-0";
                    wrong.unit_id = "zwembad";
                    wrong.remind_at = base::StartOfDay(absl::CivilDay(2026, 3, 9));
                    wrong.due_at = base::EndOfDay(absl::CivilDay(2026, 3, 16));
                    ban.release.copies.push_back(wrong);
                    turn.Put(std::move(ban));
                  })
                  .ok());
  clock.Set(end);
  house->RunQueued();
  EXPECT_EQ(Ban("LV-1").state, domain::BanState::kExpired);
  EXPECT_EQ(Ban("LV-1").release.state, domain::PhotoState::kDestroyed);
  ASSERT_EQ(Ban("LV-1").release.copies.size(), 3u);
  EXPECT_EQ(Ban("LV-1").release.copies[0].reminded_at, end);
  auto events = Events();
  EXPECT_EQ(events["CopiesReminded"], 1);
  EXPECT_EQ(events["CopiesAsked"], 2);
}

}  // namespace
}  // namespace waarborg::jobs

// SPDX-License-Identifier: EUPL-1.2
#include "server/journal/journal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "server/base/file.h"
#include "server/jobs/clockwork.h"
#include "server/journal/rows.h"
#include "server/keys/sealing.h"
#include "tests/support/memory_home.h"
#include "tests/support/memory_room.h"
#include "tests/support/memory_store.h"

namespace waarborg::journal {
namespace {

namespace fs = std::filesystem;
namespace pb = waarborg::v1;

class JournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/waarborg-journal-XXXXXX";
    folder = mkdtemp(name);
    Open();
  }
  void TearDown() override {
    journal.reset();
    fs::remove_all(folder);
  }
  // As after a restart: everything in memory is gone.
  void Open() {
    journal.reset();
    file_keys = *keys::Keystore::Open(folder, "file", *home, random);
    photo_keys = *keys::Keystore::Open(folder, "photo", *home, random);
    Journal::Parts parts{&clock, &random,           &store, file_keys.get(), photo_keys.get(),
                         &room,  "test.example/log"};
    parts.background = parts_background;
    auto opened = Journal::Open(parts);
    ASSERT_TRUE(opened.ok()) << opened.status();
    journal = std::move(*opened);
    journal->SetClockwork(jobs::RunDue);
  }
  static pb::AuditRecord Entry(const std::string& event) {
    pb::AuditRecord record;
    record.set_event(event);
    record.set_result(pb::RESULT_DONE);
    return record;
  }
  // A ban in force for a day, with a photo released.
  domain::Ban WithPhoto(const std::string& id) {
    domain::Ban ban;
    ban.id = id;
    ban.state = domain::BanState::kActive;
    ban.identity = {{"Jan", "de", "Vries"}, {}, {1985, 3, 12}, true, ""};
    ban.terms = domain::Terms{};
    ban.terms->from = ban.terms->until = absl::CivilDay(2026, 3, 2);
    ban.scope.location_ids = {"gemeentehuis"};
    ban.starts_at = clock.Now();
    ban.ends_at = clock.Now() + absl::Hours(24);
    ban.release.state = domain::PhotoState::kReleased;
    ban.release.photo_id = "F-" + id;
    return ban;
  }
  absl::Status Put(const std::string& id) {
    return journal->RunNow([&](Turn& turn) {
      turn.Put(WithPhoto(id));
      turn.PutPhoto("F-" + id, "jpeg of " + id);
      turn.Log(Entry("SupplyPhoto"));
    });
  }
  // In order; only those of one event when it is given.
  std::vector<pb::AuditRecord> Records(const std::string& event = "") {
    std::vector<pb::AuditRecord> records;
    EXPECT_TRUE(journal->NewReader()
                    ->ReadBack({},
                               [&](const LogEntry& e) {
                                 EXPECT_TRUE(e.record);
                                 if (event.empty() || e.record->event() == event)
                                   records.push_back(*e.record);
                                 return true;
                               })
                    .ok());
    return {records.rbegin(), records.rend()};
  }
  std::vector<std::string> Events() {
    std::vector<std::string> events;
    for (const pb::AuditRecord& record : Records()) events.push_back(record.event());
    return events;
  }

  std::string folder;
  base::ManualClock clock{absl::FromUnixSeconds(1'772'438'400)};
  base::SystemRandom random;
  base::Secret root{std::string(32, 'r')};
  testing::MemoryStore store;
  testing::MemoryRoom room;
  std::unique_ptr<keys::GenerationHome> home = keys::NewFileHome(root, random);
  std::unique_ptr<keys::Keystore> file_keys, photo_keys;
  base::Workers* parts_background = nullptr;
  std::unique_ptr<Journal> journal;
};

TEST_F(JournalTest, StateAndEntriesComeBackTogether) {
  ASSERT_TRUE(Put("LV-1").ok());
  const audit::Hash head = journal->Root();
  Open();
  EXPECT_EQ(journal->Root(), head);
  ASSERT_NE(journal->world().FindBan("LV-1"), nullptr);
  EXPECT_EQ(journal->world().FindBan("LV-1")->identity.name.surname, "Vries");
  EXPECT_EQ(Events(), std::vector<std::string>{"SupplyPhoto"});
}

TEST_F(JournalTest, WhatCannotBeRecordedIsNotAnsweredAndNothingIsRunAfterIt) {
  std::string failure;
  journal->OnFailure([&](const absl::Status& s) { failure = std::string(s.message()); });
  store.commits_left = 0;
  std::optional<bool> first, second;
  bool second_ran = false;
  ASSERT_TRUE(journal->Submit({[](Turn& turn) { turn.Log(Entry("A")); }, [&](bool d) { first = d; }}));
  journal->RunQueued();
  EXPECT_EQ(first, false);
  EXPECT_EQ(failure, "no space left on device");
  // There is room again, but what is in memory can no longer be trusted.
  store.commits_left = -1;
  ASSERT_TRUE(journal->Submit({[&](Turn&) { second_ran = true; }, [&](bool d) { second = d; }}));
  journal->RunQueued();
  EXPECT_EQ(second, false);
  EXPECT_FALSE(second_ran);
  Open();
  EXPECT_TRUE(Events().empty());
}

TEST_F(JournalTest, WhatWasDiscardedLeavesNothing) {
  ASSERT_TRUE(journal
                  ->RunNow([&](Turn& turn) {
                    turn.Put(WithPhoto("LV-1"));
                    turn.Log(Entry("A"));
                    turn.Discard();
                    turn.Log(Entry("B"));
                  })
                  .ok());
  EXPECT_EQ(journal->world().FindBan("LV-1"), nullptr);
  EXPECT_EQ(Events(), std::vector<std::string>{"B"});
}

TEST_F(JournalTest, StopTakesNoMoreAndWhatWasTakenIsDone) {
  int done = 0, woken = 0;
  journal->OnWork([&] { ++woken; });
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(journal->Submit({[](Turn& turn) { turn.Log(Entry("A")); }, [&](bool d) { done += d; }}));
  }
  EXPECT_EQ(woken, 1);
  journal->Stop();
  EXPECT_FALSE(journal->Submit({[](Turn&) {}, [](bool) {}}));
  journal->RunQueued();
  EXPECT_EQ(done, 500);
  Open();
  EXPECT_EQ(journal->size(), 500u);
}

TEST_F(JournalTest, WorkFromManyThreadsIsDoneInOneOrder) {
  std::vector<std::thread> threads;
  std::atomic<int> left = 4;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 250;) {
        pb::AuditRecord record = Entry("T");
        record.set_subject_id(std::to_string(t) + "/" + std::to_string(i));
        i += journal->Submit(
            {[record](Turn& turn) { turn.Log(record); }, [](bool durable) { EXPECT_TRUE(durable); }});
      }
      --left;
    });
  }
  while (left > 0 || journal->queued() > 0) journal->RunQueued();
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(Events().size(), 1000u);
}

// ---- A full disk.

TEST_F(JournalTest, WithoutRoomNothingIsRunAndItGoesOnByItselfAfterwards) {
  ASSERT_TRUE(Put("LV-1").ok());
  const auto rows = store.rows;
  room.enough = false;
  bool ran = false;
  std::optional<bool> durable;
  ASSERT_TRUE(journal->Submit({[&](Turn&) { ran = true; }, [&](bool d) { durable = d; }}));
  journal->RunQueued();
  EXPECT_FALSE(ran);
  EXPECT_EQ(durable, false);
  EXPECT_TRUE(journal->condition().no_room);
  EXPECT_EQ(store.rows, rows);
  room.enough = true;
  ASSERT_TRUE(journal->Submit({[&](Turn& turn) { turn.Log(Entry("A")); }, [&](bool d) { durable = d; }}));
  journal->RunQueued();
  EXPECT_EQ(durable, true);
  EXPECT_FALSE(journal->condition().no_room);
}

TEST_F(JournalTest, WithoutRoomAPhotoIsDestroyedAllTheSame) {
  ASSERT_TRUE(Put("LV-1").ok());
  room.enough = false;
  room.held = true;
  clock.Set(clock.Now() + absl::Hours(25));
  journal->RunQueued();
  EXPECT_EQ(photo_keys->size(), 0u);
  EXPECT_TRUE(room.held) << "the room kept for the next time was not set aside again";
  // Sweeping up needs room, and the certificate says that it was done.
  EXPECT_EQ(journal->world().FindBan("LV-1")->release.state, domain::PhotoState::kDestroying);
  EXPECT_TRUE(store.rows.contains("ph/F-LV-1"));
  EXPECT_EQ(journal->condition().destruction_due, absl::InfiniteFuture());
  EXPECT_NE(journal->condition().sweeping_due, absl::InfiniteFuture());
  room.enough = true;
  journal->RunQueued();
  EXPECT_EQ(journal->world().FindBan("LV-1")->release.state, domain::PhotoState::kDestroyed);
  EXPECT_FALSE(store.rows.contains("ph/F-LV-1"));
  EXPECT_EQ(journal->condition().sweeping_due, absl::InfiniteFuture());
  EXPECT_EQ(Events(), (std::vector<std::string>{"SupplyPhoto", "BanExpired", "PhotoDestructionStarted",
                                                "PhotoDestroyed"}));
}

TEST_F(JournalTest, WithoutRoomAKeyDoesNotWaitForTheSweepingUpOfAnother) {
  ASSERT_TRUE(Put("LV-1").ok());
  clock.Set(clock.Now() + absl::Hours(1));
  ASSERT_TRUE(Put("LV-2").ok());
  room.enough = false;
  for (size_t left : {1, 0}) {
    clock.Set(clock.Now() + absl::Hours(left == 1 ? 23 : 2));
    journal->RunQueued();
    EXPECT_EQ(photo_keys->size(), left);
  }
  room.enough = true;
  journal->RunQueued();
  const auto destroyed = Records("PhotoDestroyed");
  ASSERT_EQ(destroyed.size(), 2u);
  for (const pb::AuditRecord& record : destroyed) {
    EXPECT_EQ(record.destroyed_generation(), record.ban_id() == "LV-1" ? 1u : 2u);
    EXPECT_EQ(record.key_generation(), 3u);
  }
}

// ---- Destruction beside other work.

// A house whose long work is done by another thread, on a token.
class DestructionTest : public JournalTest {
 protected:
  void SetUp() override {
    token = new testing::MemoryHome(random);
    home.reset(token);
    background = std::make_unique<base::Workers>(2, 8);
    parts_background = background.get();
    JournalTest::SetUp();
  }
  void TearDown() override {
    background->Stop();
    JournalTest::TearDown();
  }
  // As the server does, until `done` says so.
  bool RunUntil(const std::function<bool()>& done) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      if (std::chrono::steady_clock::now() > until) return false;
      journal->RunQueued();
    }
    return true;
  }
  domain::PhotoState StateOf(const std::string& id) { return journal->world().FindBan(id)->release.state; }

  testing::MemoryHome* token = nullptr;
  std::unique_ptr<base::Workers> background;
};

TEST_F(DestructionTest, WorkGoesOnMeanwhileAndWhatIsSuppliedMeanwhileStays) {
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(Put("LV-" + std::to_string(i)).ok());
  clock.Set(clock.Now() + absl::Hours(24));
  int supplied = 0;
  ASSERT_TRUE(RunUntil([&] {
    // A photo with every turn; each is acknowledged before the next.
    const std::string id = "LV-new" + std::to_string(supplied++);
    EXPECT_TRUE(journal->Submit({[&, id](Turn& turn) {
                                   turn.Put(WithPhoto(id));
                                   turn.PutPhoto("F-" + id, "jpeg of " + id);
                                   turn.Log(Entry("SupplyPhoto"));
                                 },
                                 [](bool durable) { EXPECT_TRUE(durable); }}));
    journal->RunQueued();
    return StateOf("LV-0") == domain::PhotoState::kDestroyed && journal->world().destroying().empty();
  }));
  EXPECT_EQ(photo_keys->size(), static_cast<size_t>(supplied));
  background->Stop();
  Open();
  for (int i = 0; i < supplied; ++i) {
    EXPECT_NE(photo_keys->Find("F-LV-new" + std::to_string(i)), nullptr) << i;
  }
  const auto destroyed = Records("PhotoDestroyed");
  ASSERT_EQ(destroyed.size(), 300u);
  for (const pb::AuditRecord& record : destroyed) {
    EXPECT_EQ(record.destroyed_generation(), 1u) << "all in one generation";
    EXPECT_EQ(record.key_home(), pb::KEY_HOME_TOKEN);
    EXPECT_EQ(record.checks_size(), 4);
  }
}

TEST_F(DestructionTest, ATokenThatDoesNotAnswerDelaysTheEntryAndRaisesAnAlarm) {
  ASSERT_TRUE(Put("LV-1").ok());
  token->Silence(true);
  clock.Set(clock.Now() + absl::Hours(24));
  ASSERT_TRUE(RunUntil([&] { return StateOf("LV-1") == domain::PhotoState::kDestroying; }));
  for (int i = 0; i < 5; ++i) {
    clock.Set(clock.Now() + absl::Minutes(1));
    journal->RunQueued();
  }
  EXPECT_EQ(StateOf("LV-1"), domain::PhotoState::kDestroying);
  EXPECT_LT(journal->condition().destruction_due, clock.Now() - absl::Minutes(2));
  // The house goes on meanwhile.
  ASSERT_TRUE(journal->Submit({[](Turn& turn) { turn.Log(Entry("A")); }, [](bool d) { EXPECT_TRUE(d); }}));
  journal->RunQueued();
  token->Silence(false);
  clock.Set(clock.Now() + absl::Minutes(1));
  ASSERT_TRUE(RunUntil([&] { return StateOf("LV-1") == domain::PhotoState::kDestroyed; }));
  EXPECT_EQ(photo_keys->size(), 0u);
  EXPECT_EQ(token->Guarded("photo")->size(), 1u);
}

TEST_F(DestructionTest, AKeyDoesNotWaitForALongSweepOfAnother) {
  ASSERT_TRUE(Put("LV-1").ok());
  clock.Set(clock.Now() + absl::Hours(1));
  ASSERT_TRUE(Put("LV-2").ok());
  // Owned by the store as well, which may sweep up once more when this test is over; let go also when an
  // assertion ends it.
  const auto goes_on = std::make_shared<std::atomic<bool>>(false);
  store.on_erase = [goes_on] {
    while (!*goes_on) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  };
  const std::unique_ptr<std::atomic<bool>, void (*)(std::atomic<bool>*)> let_go(
      goes_on.get(), [](std::atomic<bool>* b) { *b = true; });
  clock.Set(clock.Now() + absl::Hours(23));
  ASSERT_TRUE(RunUntil([&] { return photo_keys->size() == 1; }));
  clock.Set(clock.Now() + absl::Hours(1));
  EXPECT_TRUE(RunUntil([&] { return photo_keys->size() == 0; })) << "while the first is swept up";
  *goes_on = true;
  EXPECT_TRUE(RunUntil([&] { return journal->world().destroying().empty(); }));
  for (const pb::AuditRecord& record : Records("PhotoDestroyed")) {
    EXPECT_EQ(record.destroyed_generation(), record.ban_id() == "LV-1" ? 1u : 2u);
  }
}

TEST_F(DestructionTest, AnOlderCopyOfTheWholeFolderOpensNothingAndDestroysNothing) {
  ASSERT_TRUE(Put("LV-1").ok());
  fs::copy(folder, folder + ".copy");
  clock.Set(clock.Now() + absl::Hours(24));
  ASSERT_TRUE(RunUntil([&] { return StateOf("LV-1") == domain::PhotoState::kDestroyed; }));
  auto older = keys::Keystore::Open(folder + ".copy", "photo", *home, random);
  EXPECT_TRUE(absl::IsFailedPrecondition(older.status())) << older.status();
  EXPECT_EQ(token->Guarded("photo")->size(), 1u) << "the key in force is still there";
  fs::remove_all(folder + ".copy");
}

// ---- The rest of the file.

class FileTermTest : public JournalTest {
 protected:
  static constexpr absl::Duration kTwoYears = absl::Hours(24 * 735);
  // A file whose term has nearly passed.
  void OldFile(const std::string& id) {
    ASSERT_TRUE(Put(id).ok());
    clock.Set(clock.Now() + absl::Hours(24));
    ASSERT_TRUE(journal->RunNow([](Turn&) {}).ok());
    ASSERT_NE(journal->world().FindBan(id), nullptr);
  }
  std::map<std::string, uint64_t> Counts() {
    std::map<std::string, uint64_t> counts;
    EXPECT_TRUE(journal->RunNow([&](Turn& turn) { counts = turn.CountsOf(2026); }).ok());
    return counts;
  }
};

TEST_F(FileTermTest, AFileIsDestroyedWhenItsTermEndsAndIsCounted) {
  OldFile("LV-1");
  const std::string row = store.rows.at("b/LV-1");
  clock.Set(clock.Now() + kTwoYears);
  ASSERT_TRUE(journal->RunNow([](Turn&) {}).ok());
  EXPECT_EQ(journal->world().FindBan("LV-1"), nullptr);
  EXPECT_EQ(file_keys->Find("LV-1"), nullptr);
  EXPECT_FALSE(store.rows.contains("b/LV-1"));
  EXPECT_FALSE(store.rows.contains("k/LV-1"));
  EXPECT_EQ(Counts()["closed/expired"], 1u);
  EXPECT_EQ(Counts()["destroyed/ban-ended"], 1u);
  Open();
  EXPECT_EQ(journal->world().FindBan("LV-1"), nullptr);
  EXPECT_EQ(Counts()["file"], 1u);
  // Two certificates wait to be made, of the photo and of the file; they can be read without its key.
  EXPECT_EQ(journal->certificates_waiting(), 2u);
  ASSERT_TRUE(journal
                  ->RunNow([&](Turn& turn) {
                    for (uint64_t number = 0; number < 10; ++number) turn.Certified(number);
                  })
                  .ok());
  EXPECT_EQ(journal->certificates_waiting(), 0u);
}

// The disk gives out at every commit in turn: never is a file half gone, its end told twice or not at all, or
// it counted twice.
TEST_F(FileTermTest, AnInterruptedEndOfAFileIsFinishedByTheNextStart) {
  for (int commits = 0; commits < 3; ++commits) {
    const std::string id = "LV-" + std::to_string(commits);
    OldFile(id);
    clock.Set(clock.Now() + kTwoYears);
    store.commits_left = commits;
    const bool whole = journal->RunNow([](Turn&) {}).ok();
    EXPECT_EQ(whole, commits == 2);
    store.commits_left = -1;
    Open();
    ASSERT_TRUE(journal->RunNow([](Turn&) {}).ok());
    EXPECT_EQ(journal->world().FindBan(id), nullptr) << commits;
    EXPECT_EQ(file_keys->Find(id), nullptr) << commits;
    EXPECT_FALSE(store.rows.contains("b/" + id)) << commits;
    size_t told = 0;
    ASSERT_TRUE(journal->NewReader()
                    ->ReadBack({},
                               [&](const LogEntry& e) {
                                 told += e.record && e.record->event() == "FileDestroyed" &&
                                         e.record->ban_id() == id;
                                 return true;
                               })
                    .ok());
    EXPECT_EQ(told, 1u) << commits;
  }
}

// ---- Lost keys.

TEST_F(JournalTest, PhotosWhoseKeysWereLostCanBeSuppliedAgainAndTheBansGoOn) {
  ASSERT_TRUE(Put("LV-1").ok());
  journal.reset();
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("photo")) fs::remove(entry.path());
  }
  Open();
  ASSERT_TRUE(journal->RunNow([](Turn&) {}).ok());
  const domain::Ban* ban = journal->world().FindBan("LV-1");
  EXPECT_EQ(ban->release.state, domain::PhotoState::kConsented);
  EXPECT_TRUE(ban->release.photo_id.empty());
  EXPECT_TRUE(domain::InForce(*ban, clock.Now()));
  EXPECT_FALSE(store.rows.contains("ph/F-LV-1"));
  EXPECT_EQ(Events(), (std::vector<std::string>{"SupplyPhoto", "PhotoKeyLost"}));
  Open();
  ASSERT_TRUE(journal->RunNow([](Turn&) {}).ok());
  EXPECT_EQ(Events().size(), 2u) << "said once";
}

// ---- A clock in doubt.

TEST_F(JournalTest, WhileTheClockIsInDoubtNothingEndsAndNothingIsDestroyed) {
  ASSERT_TRUE(Put("LV-1").ok());
  clock.SetSynchronised(false);
  clock.Set(clock.Now() + absl::Hours(25));
  journal->RunQueued();
  EXPECT_TRUE(journal->condition().clock_in_doubt);
  EXPECT_EQ(photo_keys->size(), 1u);
  Open();  // a restart changes nothing
  journal->RunQueued();
  EXPECT_EQ(photo_keys->size(), 1u);
  ASSERT_TRUE(journal->RunNow([](Turn& turn) { turn.BelieveClock(); }).ok());
  journal->RunQueued();
  EXPECT_EQ(photo_keys->size(), 0u);
}

TEST_F(JournalTest, AQuietNightIsNoJump) {
  ASSERT_TRUE(Put("LV-1").ok());
  clock.SetSynchronised(false);
  // Nobody works, and the server is restarted now and then: that the time has passed is remembered without
  // entries.
  for (int i = 0; i < 10; ++i) {
    clock.Set(clock.Now() + absl::Minutes(50));
    journal->RunQueued();
    ASSERT_FALSE(journal->condition().clock_in_doubt) << i;
    Open();
  }
}

TEST_F(JournalTest, TimeNeverGoesBackAlongTheLog) {
  ASSERT_TRUE(journal->RunNow([](Turn& turn) { turn.Log(Entry("A")); }).ok());
  clock.Set(clock.Now() - absl::Hours(5));
  Open();
  const absl::Time before = clock.Now();
  ASSERT_TRUE(journal
                  ->RunNow([&](Turn& turn) {
                    EXPECT_GT(turn.now(), before);
                    turn.Log(Entry("B"));
                  })
                  .ok());
}

TEST_F(JournalTest, TheEndOfABanDestroysItsKeyWithAnEntryBeforeAndAfter) {
  ASSERT_TRUE(Put("LV-1").ok());
  ASSERT_TRUE(Put("LV-2").ok());
  ASSERT_TRUE(store.rows.contains("ph/F-LV-1"));
  clock.Set(clock.Now() + absl::Hours(24));
  ASSERT_TRUE(journal->RunNow([](Turn&) {}).ok());
  EXPECT_EQ(photo_keys->size(), 0u);
  EXPECT_FALSE(store.rows.contains("ph/F-LV-1"));
  EXPECT_EQ(journal->world().FindBan("LV-1")->release.state, domain::PhotoState::kDestroyed);
  EXPECT_EQ(Events(), (std::vector<std::string>{"SupplyPhoto", "SupplyPhoto", "BanExpired", "BanExpired",
                                                "PhotoDestructionStarted", "PhotoDestructionStarted",
                                                "PhotoDestroyed", "PhotoDestroyed"}));
}

// The disk gives out at every commit in turn: whatever was interrupted is finished by the next start, and
// never is a key gone without its entry, or an entry "destroyed" with a key that is still there.
TEST_F(JournalTest, AnInterruptedDestructionIsFinishedByTheNextStart) {
  for (int commits = 0; commits < 3; ++commits) {
    const std::string id = "LV-" + std::to_string(commits);
    ASSERT_TRUE(Put(id).ok());
    clock.Set(clock.Now() + absl::Hours(24));
    store.commits_left = commits;
    const bool whole = journal->RunNow([](Turn&) {}).ok();
    EXPECT_EQ(whole, commits == 2);
    store.commits_left = -1;
    const bool key_there = photo_keys->Find("F-" + id) != nullptr;
    EXPECT_TRUE(commits > 0 || key_there) << "a key is gone that no entry speaks of";
    Open();
    ASSERT_TRUE(journal->RunNow([](Turn&) {}).ok());
    EXPECT_EQ(photo_keys->Find("F-" + id), nullptr);
    EXPECT_FALSE(store.rows.contains("ph/F-" + id));
    EXPECT_EQ(journal->world().FindBan(id)->release.state, domain::PhotoState::kDestroyed);
    const auto events = Events();
    EXPECT_EQ(std::count(events.begin(), events.end(), "PhotoDestructionStarted"), commits + 1);
    EXPECT_EQ(std::count(events.begin(), events.end(), "PhotoDestroyed"), commits + 1);
  }
}

TEST_F(JournalTest, AKeyThatNoFileNamesIsDestroyedAtTheStart) {
  store.commits_left = 0;
  EXPECT_FALSE(Put("LV-1").ok());  // the key is on disk, the record is not
  store.commits_left = -1;
  Open();
  EXPECT_EQ(photo_keys->size(), 1u);
  ASSERT_TRUE(journal->RunNow([](Turn&) {}).ok());
  EXPECT_EQ(photo_keys->size(), 0u);
  EXPECT_EQ(Events(), std::vector<std::string>{"OrphanKeyDestroyed"});
}

TEST_F(JournalTest, AnEntryThatWasChangedTakenOutOrAddedIsNoticed) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(journal->RunNow([](Turn& turn) { turn.Log(Entry("A")); }).ok());
  const auto good = store.rows;
  const std::string third = std::string("l/") + std::string(7, '\0') + '\2';
  auto refuses = [&] {
    auto opened = Journal::Open(
        {&clock, &random, &store, file_keys.get(), photo_keys.get(), &room, "test.example/log"});
    return absl::IsDataLoss(opened.ok() ? (*opened)->CheckLog() : opened.status());
  };
  ASSERT_TRUE(store.rows.contains(third));
  store.rows[third][0] = static_cast<char>(store.rows[third][0] ^ 1);
  EXPECT_TRUE(refuses());
  store.rows = good;
  store.rows.erase(third);
  EXPECT_TRUE(refuses());
  store.rows = good;
  store.rows[std::string("l/") + std::string(7, '\0') + '\5'] = std::string(32, 'x');
  EXPECT_TRUE(refuses());
  store.rows = good;
  EXPECT_FALSE(refuses());
}

// An unmounted disk must not look like a first start: the photos' keys would be taken for orphans.
TEST_F(JournalTest, AMissingDatabaseBesideAKeystoreIsRefusedAndNothingIsTouched) {
  ASSERT_TRUE(Put("LV-1").ok());
  store.rows.clear();
  auto opened =
      Journal::Open({&clock, &random, &store, file_keys.get(), photo_keys.get(), &room, "test.example/log"});
  EXPECT_TRUE(absl::IsDataLoss(opened.status())) << opened.status();
  EXPECT_TRUE(store.rows.empty());
  EXPECT_EQ(photo_keys->size(), 1u);
}

TEST_F(JournalTest, NewerDataAreRefused) {
  store.rows["m/schema"] = "5";
  auto opened =
      Journal::Open({&clock, &random, &store, file_keys.get(), photo_keys.get(), &room, "test.example/log"});
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.status().message().find("have schema 5"), std::string::npos);
}

// Schema 1 kept commitment and opening of an entry in two rows. The upgrade is stopped after each of its
// commits in turn, and ends in the same log whatever happened on the way.
TEST_F(JournalTest, DataOfTheFirstSchemaAreUpgradedThroughAnyCrash) {
  ASSERT_TRUE(Put("LV-1").ok());
  ASSERT_TRUE(journal
                  ->RunNow([&](Turn& turn) {
                    for (int i = 0; i < 2500; ++i) {
                      pb::AuditRecord record = Entry("E" + std::to_string(i));
                      if (i % 2 == 0) record.set_ban_id("LV-1");
                      turn.Log(std::move(record));
                    }
                  })
                  .ok());
  const std::vector<std::string> events = Events();
  const audit::Hash root_hash = journal->Root();
  for (auto& [row, value] : std::map(store.rows.begin(), store.rows.end())) {
    if (!row.starts_with("l/")) continue;
    const auto parts = *SplitEntry(value);
    const base::Secret& key = *file_keys->Find(parts.ban_id.empty() ? "house" : std::string(parts.ban_id));
    const std::string old_row = "o/" + row.substr(2);
    const std::string sealed =
        keys::Seal(key, *keys::Unseal(key, parts.sealed_opening, row), old_row, random);
    store.rows[old_row] = JoinEntry({parts.commitment, parts.ban_id, sealed}).substr(32);
    store.rows[row] = std::string(parts.commitment);
  }
  // Nor was there an index, or a name of the log.
  const auto asked = [&] {
    LogQuery q;
    q.ban_id = "LV-1";
    q.from = clock.Now();
    size_t found = 0;
    EXPECT_TRUE(journal->NewReader()->ReadBack(q, [&](const LogEntry&) { return ++found < 10'000; }).ok());
    return found;
  };
  const size_t indexed = asked();
  EXPECT_EQ(indexed, 1250u);
  std::erase_if(store.rows, [](const auto& row) {
    return row.first.starts_with("x/") || row.first.starts_with("y/") || row.first == "m/indexed";
  });
  pb::LogHeadRecord head;
  ASSERT_TRUE(head.ParseFromString(store.rows["a/head"]));
  head.clear_log();
  store.rows["a/head"] = head.SerializeAsString();
  store.rows["m/schema"] = "1";

  int crashes = 0;
  for (;; ++crashes) {
    const auto before = store.rows;
    store.commits_left = 1;
    auto opened = Journal::Open(
        {&clock, &random, &store, file_keys.get(), photo_keys.get(), &room, "test.example/log"});
    store.commits_left = -1;
    if (opened.ok()) break;
    ASSERT_NE(store.rows, before) << "no progress: " << opened.status();
  }
  EXPECT_EQ(crashes, 6);
  Open();
  EXPECT_EQ(store.rows["m/schema"], "4");
  EXPECT_EQ(asked(), indexed);
  EXPECT_EQ(store.rows.lower_bound("o/"), store.rows.lower_bound("o0")) << "an old row was left";
  EXPECT_EQ(journal->Root(), root_hash);
  EXPECT_EQ(Events(), events);
}

// The log keeps the id; who that was is told only for so long.
TEST_F(JournalTest, TheNameOfAMemberOfStaffIsRemovedAfterTheirTermAndTheLogStaysWhatItWas) {
  domain::Municipality m;
  m.staff_names_keep_months = 2;
  domain::Person person;
  person.id = "M-ABC";
  person.login = "mus";
  person.display_name = "Mies Mus";
  person.password_hash = "hash";
  person.totp_secret = "secret";
  person.user_handle = std::string(32, 'h');
  person.security_keys.push_back({"S-1", "credential", -7, "public key", 3, "sleutelbos", clock.Now()});
  person.assignment.from = absl::CivilDay(2026, 1, 1);
  person.assignment.until = absl::CivilDay(2026, 3, 31);
  domain::Change change;
  change.id = "W-1";
  change.subject_id = person.id;
  change.summary = {"new account mus (Mies Mus)"};
  change.person = person;
  change.security_key = person.security_keys[0];
  const std::string toml = *base::ReadFile(WAARBORG_SOURCE_FOLDER "/deploy/example/municipality.toml");
  ASSERT_TRUE(journal
                  ->RunNow([&](Turn& turn) {
                    turn.PutConfiguration(toml, m);
                    turn.Put(person);
                    turn.Put(change);
                    pb::AuditRecord record = Entry("ShowPhoto");
                    record.set_person_id(person.id);
                    turn.Log(std::move(record));
                  })
                  .ok());
  clock.Set(absl::FromCivil(absl::CivilSecond(2026, 5, 31, 23, 59, 59), base::Amsterdam()));
  ASSERT_TRUE(journal->RunNow([](Turn&) {}).ok());
  EXPECT_EQ(journal->world().FindPerson("M-ABC")->display_name, "Mies Mus");
  EXPECT_EQ(journal->world().FindPersonByHandle(person.user_handle)->security_keys[0].label, "sleutelbos");
  clock.Set(clock.Now() + absl::Seconds(1));
  ASSERT_TRUE(journal->RunNow([](Turn&) {}).ok());
  const auto nameless = [&] {
    const domain::Person& now = *journal->world().FindPerson("M-ABC");
    EXPECT_EQ(now.display_name, "");
    EXPECT_EQ(now.login, "m-abc");
    EXPECT_FALSE(now.enrolled());
    EXPECT_EQ(journal->world().FindPersonByLogin("mus"), nullptr);
    EXPECT_TRUE(now.security_keys.empty());
    EXPECT_EQ(journal->world().FindPersonByHandle(person.user_handle), nullptr);
    EXPECT_EQ(journal->world().FindPersonByHandle(""), nullptr);
    EXPECT_EQ(journal->world().FindChange("W-1")->security_key.label, "");
    EXPECT_TRUE(journal->world().FindChange("W-1")->summary.empty());
    EXPECT_EQ(journal->world().FindChange("W-1")->person.display_name, "");
  };
  nameless();
  EXPECT_EQ(Events(), (std::vector<std::string>{"ShowPhoto", "StaffNameRemoved"}));
  Open();
  nameless();
  ASSERT_TRUE(journal->RunNow([](Turn&) {}).ok());
  EXPECT_EQ(Events().size(), 2u) << "once is enough";
  EXPECT_TRUE(journal->CheckLog().ok());
}

TEST_F(JournalTest, ACommandIsRememberedForADay) {
  pb::IdempotencyRecord record;
  record.set_id("LV-1");
  record.set_at_ms(absl::ToUnixMillis(clock.Now()));
  ASSERT_TRUE(journal->RunNow([&](Turn& turn) { turn.Remember("digest", record); }).ok());
  Open();
  auto recalled = [&] {
    bool there = false;
    EXPECT_TRUE(journal->RunNow([&](Turn& turn) { there = turn.Recall("digest").has_value(); }).ok());
    return there;
  };
  EXPECT_TRUE(recalled());
  clock.Set(clock.Now() + absl::Hours(24));
  EXPECT_FALSE(recalled());
}

}  // namespace
}  // namespace waarborg::journal

// SPDX-License-Identifier: EUPL-1.2
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/base/room.h"
#include "server/base/secret.h"
#include "server/base/workers.h"

namespace waarborg::base {
namespace {

TEST(Workers, DoEverythingTheyTookAndTakeNoMoreThanTheirQueueHolds) {
  std::atomic<int> done = 0;
  std::atomic<bool> go = false;
  int taken = 0;
  {
    Workers workers(2, 10);
    for (int i = 0; i < 100; ++i) {
      taken += workers.Submit([&] {
        while (!go) std::this_thread::yield();
        ++done;
      });
    }
    EXPECT_GE(taken, 10);
    EXPECT_LE(taken, 12);
    go = true;
    workers.Stop();
    EXPECT_FALSE(workers.Submit([] {}));
  }
  EXPECT_EQ(done, taken);
}

TEST(Workers, TakeWorkFromManyThreads) {
  Workers workers(3, 1000);
  std::atomic<int> done = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) EXPECT_TRUE(workers.Submit([&] { ++done; }));
    });
  }
  for (auto& t : threads) t.join();
  workers.Stop();
  EXPECT_EQ(done, 800);
}

TEST(SystemRandom, NeverGivesTheSameTwiceInAnyThread) {
  std::vector<std::set<std::string>> drawn(4);
  std::vector<std::thread> threads;
  for (auto& mine : drawn) {
    threads.emplace_back([&mine] {
      SystemRandom random;
      for (int i = 0; i < 2000; ++i) mine.insert(random.Bytes(16));
    });
  }
  for (auto& t : threads) t.join();
  std::set<std::string> all;
  for (const auto& mine : drawn) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 8000u);
  SystemRandom random;
  const std::string zeros(1000, '\0');
  EXPECT_NE(random.Bytes(1000), zeros);
  EXPECT_NE(random.Bytes(64).substr(32), zeros.substr(0, 32));
}

TEST(DiskRoom, SetsAPieceAsideAndGivesItBack) {
  char name[] = "/tmp/waarborg-room-XXXXXX";
  const std::string folder = mkdtemp(name);
  DiskRoom room(folder, 1);
  EXPECT_TRUE(room.Enough());
  room.Hold();
  struct stat info {};
  ASSERT_EQ(stat((folder + "/reserve").c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 16 << 20);
  EXPECT_GE(info.st_blocks * 512, 16 << 20) << "a hole keeps nothing free";
  room.Release();
  EXPECT_NE(stat((folder + "/reserve").c_str(), &info), 0);
  EXPECT_FALSE(DiskRoom(folder, INT64_MAX).Enough());
  EXPECT_FALSE(DiskRoom(folder + "/not-there", 1).Enough()) << "what cannot be told counts as full";
  std::filesystem::remove_all(folder);
}

TEST(SystemClock, RunsForward) {
  SystemClock clock;
  const absl::Duration before = clock.Running();
  const absl::Time now = clock.Now();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_GE(clock.Running() - before, absl::Milliseconds(19));
  EXPECT_GE(clock.Now() - now, absl::Milliseconds(15));
}

TEST(Secret, IsWipedMovedAndCompared) {
  Secret a(std::string_view("geheim"));
  EXPECT_TRUE(a.Equals("geheim"));
  EXPECT_FALSE(a.Equals("geheid"));
  EXPECT_FALSE(a.Equals("geheimer"));
  Secret b = std::move(a);
  EXPECT_TRUE(a.empty());  // NOLINT: what is left after a move is what is tested
  EXPECT_EQ(b.Reveal(), "geheim");
  std::string plain = "geheim";
  Wipe(plain);
  EXPECT_EQ(plain, std::string(6, '\0'));
}

}  // namespace
}  // namespace waarborg::base

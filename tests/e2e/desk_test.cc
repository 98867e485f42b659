// SPDX-License-Identifier: EUPL-1.2
// The live list beside a desk, against the real server.
#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/e2e/town_test.h"
#include "tests/support/signing_in.h"
#include "waarborg/v1/checks.grpc.pb.h"

namespace waarborg::testing {
namespace {

namespace pb = waarborg::v1;
using std::chrono::seconds;

// What a screen shows has to follow within a second; the rest is for a busy machine.
constexpr seconds kSoon(2);
constexpr seconds kLong(15);

// One screen that watches. Opens the stream at once and reads until it is ended.
class Screen {
 public:
  Screen(client::Connection& connection) : stub_(pb::CheckService::NewStub(connection.channel())) {
    connection.PrepareStanding(context_);
    reader_ = stub_->WatchDesk(&context_, pb::WatchDeskRequest());
    thread_ = std::thread([this] { ReadAll(); });
  }
  ~Screen() {
    context_.TryCancel();
    thread_.join();
  }

  // The ids on the screen; nothing before the first list, and none once it has ended.
  std::optional<std::set<std::string>> Ids() {
    const std::lock_guard lock(mutex_);
    if (!latest_ || ended_) return std::nullopt;
    std::set<std::string> ids;
    for (const auto& match : latest_->bans()) ids.insert(match.ban_id());
    return ids;
  }
  std::optional<pb::Match> Find(const std::string& ban) {
    const std::lock_guard lock(mutex_);
    if (latest_) {
      for (const auto& match : latest_->bans()) {
        if (match.ban_id() == ban) return match;
      }
    }
    return std::nullopt;
  }
  int lists() {
    const std::lock_guard lock(mutex_);
    return lists_;
  }
  // The rule that ended it; nothing while it goes on.
  std::optional<std::string> EndedBy() {
    const std::lock_guard lock(mutex_);
    if (!ended_) return std::nullopt;
    return ended_->rule();
  }

 private:
  void ReadAll() {
    pb::WatchDeskResponse list;
    while (reader_->Read(&list)) {
      const std::lock_guard lock(mutex_);
      latest_ = list;
      ++lists_;
    }
    const client::Error error = client::ErrorFrom(reader_->Finish());
    const std::lock_guard lock(mutex_);
    ended_ = error;
  }

  std::unique_ptr<pb::CheckService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<pb::WatchDeskResponse>> reader_;
  std::thread thread_;
  std::mutex mutex_;
  std::optional<pb::WatchDeskResponse> latest_;
  std::optional<client::Error> ended_;
  int lists_ = 0;
};

using Ids = std::set<std::string>;

class DeskTest : public TownTest {
 protected:
  std::unique_ptr<Screen> Watch(const std::string& person, const std::string& station) {
    auto screen = std::make_unique<Screen>(town->At(person, station));
    EXPECT_TRUE(Within(kLong, [&] { return screen->Ids() || screen->EndedBy(); }));
    return screen;
  }
  std::string Count(const Pairs& filter) {
    return Do("auditor", "kantoor-1", "audit list", filter).FindFact("count").value_or("");
  }
  void Lift(const std::string& ban) {
    Do("collegesecretariaat", "kantoor-1", "ban lift",
       {{"ban", ban}, {"reason", "Gesprek gevoerd."}, {"number", "2026-9"}, {"date", "2026-03-02"}});
  }
  static void ExpectShown(Screen& screen, const Ids& ids, seconds limit = kSoon) {
    EXPECT_TRUE(Within(limit, [&] { return screen.Ids() == ids; }));
  }
  static void ExpectEnds(Screen& screen, const std::string& rule, seconds limit = kSoon) {
    EXPECT_TRUE(Within(limit, [&] { return screen.EndedBy().has_value(); }));
    EXPECT_EQ(screen.EndedBy(), rule);
  }
};

TEST_F(DeskTest, ALiftedBanDisappearsFromEveryScreenAndOneElsewhereNeverShows) {
  const std::string first = ActiveBan();
  auto reception = Watch("receptie", "receptie-1"), hall = Watch("sporthal", "sporthal-1"),
       pool = Watch("zwembad", "zwembad-1");
  ExpectShown(*reception, {first});
  ExpectShown(*hall, {first});
  ExpectShown(*pool, {});
  const std::string second = ActiveBan("Kees", "Bakker", "1970-01-31");
  ExpectShown(*reception, {first, second});
  ExpectShown(*hall, {first, second});
  const auto match = reception->Find(first);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->name().surname(), "Vries");
  EXPECT_EQ(match->measure(), pb::MEASURE_ACCESS_BAN);
  EXPECT_EQ(match->until().month(), 6);
  EXPECT_EQ(match->steps_size(), 0);
  Lift(first);
  ExpectShown(*reception, {second});
  ExpectShown(*hall, {second});

  // Each person once for each screen; that somebody is gone has no entry, and the pool was shown nobody.
  EXPECT_EQ(Count({{"ban", first}, {"event", "MatchShown"}, {"station", "receptie-1"}}), "1");
  EXPECT_EQ(Count({{"ban", first}, {"event", "MatchShown"}}), "2");
  EXPECT_EQ(Count({{"ban", second}, {"event", "MatchShown"}}), "2");
  EXPECT_EQ(Count({{"event", "MatchShown"}, {"station", "zwembad-1"}}), "0");
  EXPECT_EQ(Count({{"event", "WatchDesk"}}), "3");
  EXPECT_EQ(pool->lists(), 1) << "that something changed elsewhere shows in nothing";
}

TEST_F(DeskTest, WhatChangesOfAPersonShowsAndIsAnEntry) {
  auto screen = Watch("receptie", "receptie-1");
  ExpectShown(*screen, {});
  const std::string denied = *Do("receptie", "receptie-1", "ban deny", {}).FindFact("id");
  ExpectShown(*screen, {denied});
  EXPECT_TRUE(screen->Find(denied)->provisional());
  const std::string ban = ActiveBan();
  ExpectShown(*screen, {denied, ban});
  EXPECT_FALSE(screen->Find(ban)->photo_available());
  ReleasePhoto(ban, 1);
  EXPECT_TRUE(Within(kSoon, [&] { return screen->Find(ban)->photo_available(); }));
  Do("toezicht", "kantoor-1", "photo darken", {{"ban", ban}, {"reason", "Navraag."}});
  EXPECT_TRUE(Within(kSoon, [&] { return !screen->Find(ban)->photo_available(); }));
  Do("collegesecretariaat", "kantoor-1", "ban extend",
     {{"ban", ban},
      {"until", "2026-09-01"},
      {"reason", "Nog niet veilig."},
      {"number", "2026-2"},
      {"date", "2026-03-02"}});
  EXPECT_TRUE(Within(kSoon, [&] { return screen->Find(ban)->until().month() == 9; }));
  // What is no business of the desk brings no news.
  const int lists = screen->lists();
  Do("jurist", "kantoor-1", "photo objection", {{"ban", ban}, {"reasons", "Noodzaak blijft."}});
  Do("receptie", "receptie-1", "desk demand", {{"ban", ban}, {"step", "first"}});
  EXPECT_TRUE(Within(kSoon, [&] { return screen->Find(ban)->breach().demands() == 1; }));
  EXPECT_EQ(screen->lists(), lists + 1);
  EXPECT_EQ(Count({{"ban", ban}, {"event", "MatchShown"}}), "5");
}

TEST_F(DeskTest, BansBeginAndEndAtMidnightOnTheScreenToo) {
  ActiveBan();
  const std::string next = *Do("teamleider", "kantoor-1", "ban propose",
                               {{"given", "Els"},
                                {"surname", "Water"},
                                {"born", "1999-09-09"},
                                {"established", "yes"},
                                {"ground", "verbaal"},
                                {"measure", "time-out"},
                                {"where", "gemeentehuis"},
                                {"from", "2026-06-02"},
                                {"until", "2026-09-01"},
                                {"reasons", "Schold."},
                                {"channels", "post"}})
                                .FindFact("id");
  Do("secretaris", "kantoor-1", "ban approve", {{"ban", next}});
  town->SetClock(*ParseMoment("2026-06-01 23:55", town->Now()));
  auto screen = Watch("receptie", "receptie-1");
  EXPECT_EQ(screen->Ids()->size(), 1u);
  EXPECT_FALSE(screen->Find(next));
  town->SetClock(*ParseMoment("2026-06-02 00:00:01", town->Now()));
  ExpectShown(*screen, {next});
}

TEST_F(DeskTest, WatchingKeepsNobodySignedIn) {
  ActiveBan();
  auto screen = Watch("receptie", "receptie-1");
  town->SetClock(town->Now() + absl::Minutes(6));
  EXPECT_FALSE(Within(seconds(1), [&] { return screen->EndedBy().has_value(); }));
  // Nor does opening the list again.
  auto again = Watch("receptie", "receptie-1");
  EXPECT_TRUE(again->Ids());
  town->SetClock(town->Now() + absl::Minutes(6));
  ExpectEnds(*screen, "session-required");
  ExpectEnds(*again, "session-required");
  EXPECT_EQ(Count({{"event", "WatchDesk"}, {"refused", "yes"}}), "0") << "nobody was refused what they asked";
}

TEST_F(DeskTest, TheListEndsWithTheRightToIt) {
  ActiveBan();
  auto screen = Watch("receptie", "receptie-1");
  Do("receptie", "receptie-1", "session logout", {});
  ExpectEnds(*screen, "session-required");

  screen = Watch("receptie-2", "receptie-1");
  ASSERT_TRUE(screen->Ids());
  Do("beheer", "kantoor-1", "people block", {{"person", town->people().at("receptie-2").id}});
  ExpectEnds(*screen, "session-required");

  screen = Watch("receptie", "receptie-1");
  ASSERT_TRUE(screen->Ids());
  Do("beheer", "kantoor-1", "station revoke", {{"station", "receptie-1"}});
  ExpectEnds(*screen, "station-unknown");

  // Neither somebody of another location nor another role gets one.
  EXPECT_EQ(Watch("zwembad", "sporthal-1")->EndedBy(), "not-assigned-here");
  EXPECT_EQ(Watch("teamleider", "kantoor-1")->EndedBy(), "role-not-allowed");
}

TEST_F(DeskTest, ADoubtfulClockAndAStopEndTheList) {
  ActiveBan();
  auto screen = Watch("receptie", "receptie-1");
  const absl::Time now = town->Now();
  town->SetClock(now + absl::Hours(24 * 30), /*synchronised=*/false);
  ExpectEnds(*screen, "clock-in-doubt");
  town->SetClock(now);
  screen = Watch("sporthal", "sporthal-1");
  ASSERT_TRUE(screen->Ids());
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(town->Stop(SIGTERM), 0);
  ExpectEnds(*screen, "stopping");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(5));
}

TEST_F(DeskTest, AFullDiskEndsTheList) {
  ActiveBan();
  const std::string room = town->folder() + "/room";
  std::ofstream(room) << int64_t{10} * 1024 * 1024 * 1024;
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  town->SetServerOptions({"--test-room", "room"});
  ASSERT_TRUE(town->Start()) << town->Log();
  auto screen = Watch("receptie", "receptie-1");
  ASSERT_TRUE(screen->Ids());
  std::ofstream(room) << 1000;
  ExpectEnds(*screen, "cannot-record");
  EXPECT_EQ(Watch("receptie", "receptie-1")->EndedBy(), "cannot-record");
  std::ofstream(room) << int64_t{10} * 1024 * 1024 * 1024;
  EXPECT_TRUE(Within(kLong, [&] { return Watch("receptie", "receptie-1")->Ids().has_value(); }));
}

TEST_F(DeskTest, AStationHasAFewListsAndOthersHaveTheirs) {
  std::vector<std::unique_ptr<Screen>> screens;
  for (int i = 0; i < 8; ++i) screens.push_back(Watch("receptie", "receptie-1"));
  for (auto& screen : screens) EXPECT_TRUE(screen->Ids());
  EXPECT_EQ(Watch("receptie", "receptie-1")->EndedBy(), "busy");
  EXPECT_TRUE(Watch("sporthal", "sporthal-1")->Ids());
  // A screen that goes away makes room.
  screens.pop_back();
  EXPECT_TRUE(Within(kLong, [&] { return Watch("receptie", "receptie-1")->Ids().has_value(); }));
}

}  // namespace
}  // namespace waarborg::testing

// SPDX-License-Identifier: EUPL-1.2
#include "client/station/log_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "audit/text.h"
#include "client/station/events.h"
#include "tests/support/log_folder.h"

namespace waarborg::station {
namespace {

namespace fs = std::filesystem;
using waarborg::testing::LogFolder;
using waarborg::testing::ReadFile;
using waarborg::testing::WriteFile;

constexpr char kOrigin[] = "waarborg.example/2026";
constexpr auto kLong = std::chrono::minutes(1);

audit::SigningKey Key(char seed) {
  return *audit::SigningKey::FromSeed(kOrigin, audit::KeyType::kEd25519, std::string(32, seed));
}

std::vector<std::string> Entries(int from, int to, const std::string& what = "record ") {
  std::vector<std::string> out;
  for (int i = from; i < to; ++i)
    out.push_back(audit::Commit(std::string(32, 'k'), what + std::to_string(i)));
  return out;
}

class LogCheckTest : public ::testing::Test {
 protected:
  LogCheckTest() {
    std::string name = (fs::temp_directory_path() / "waarborg-logs-XXXXXX").string();
    base_ = mkdtemp(name.data());
  }
  ~LogCheckTest() override {
    std::error_code ignored;
    fs::remove_all(base_, ignored);
  }

  // A question with what a core would answer that has this log.
  LogQuestion Core(const fs::path& folder) const {
    CoreHead core;
    core.note = ReadFile(folder / "checkpoint");
    core.head = audit::ReadCheckpoint(core.note)->checkpoint;
    core.key = Key('s').verifier().Text();
    LogQuestion q;
    q.core = core;
    return q;
  }
  static const Finding* Find(const CheckedLogs& logs, CheckKind what) {
    for (const CheckedLog& log : logs.logs) {
      for (const Finding& f : log.findings) {
        if (f.what == what) return &f;
      }
    }
    return nullptr;
  }
  static Verdict VerdictOf(const LogCheck& check, CheckKind what) {
    const Finding* f = Find(*check.standing().last, what);
    return f == nullptr ? Verdict::kNotChecked : f->verdict;
  }

  fs::path base_;
  base::ManualClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  const std::string keys_ = Key('s').verifier().Text() + "\n";
};

TEST_F(LogCheckTest, AWholeLogIsGoodAndStaysWhatItWas) {
  LogFolder log(base_ / "2026", Key('s'));
  log.Publish(Entries(0, 300));
  LogCheck check(keys_, base_.string(), clock_);
  ASSERT_TRUE(check.configured());
  ASSERT_TRUE(check.Run(Core(base_ / "2026"), kLong));
  EXPECT_EQ(check.standing().last->verdict(), Verdict::kGood);
  EXPECT_EQ(Find(*check.standing().last, CheckKind::kSinceLast), nullptr);

  LogQuestion later;
  later.given = ReadFile(base_ / "2026/checkpoint");
  log.Publish(Entries(300, 310));
  later.core = Core(base_ / "2026").core;
  ASSERT_TRUE(check.Run(later, kLong));
  EXPECT_EQ(check.standing().last->verdict(), Verdict::kGood);
  EXPECT_EQ(VerdictOf(check, CheckKind::kSinceLast), Verdict::kGood);
  EXPECT_EQ(VerdictOf(check, CheckKind::kSinceGiven), Verdict::kGood);
}

TEST_F(LogCheckTest, OneChangedByteShows) {
  LogFolder(base_ / "2026", Key('s')).Publish(Entries(0, 300));
  const fs::path bundle = base_ / "2026/tile/entries/000";
  std::string bytes = ReadFile(bundle);
  bytes[100] = static_cast<char>(bytes[100] ^ 1);
  WriteFile(bundle, bytes);
  LogCheck check(keys_, base_.string(), clock_);
  ASSERT_TRUE(check.Run(Core(base_ / "2026"), kLong));
  EXPECT_EQ(check.standing().last->verdict(), Verdict::kWrong);
  EXPECT_EQ(VerdictOf(check, CheckKind::kContents), Verdict::kWrong);
}

// Whole in itself and signed by the right key, and yet another log than it was.
TEST_F(LogCheckTest, ALogWrittenAnewShows) {
  LogFolder(base_ / "2026", Key('s')).Publish(Entries(0, 300));
  LogQuestion question = Core(base_ / "2026");
  LogCheck check(keys_, base_.string(), clock_);
  ASSERT_TRUE(check.Run(question, kLong));
  question.given = ReadFile(base_ / "2026/checkpoint");
  fs::remove_all(base_ / "2026");
  LogFolder(base_ / "2026", Key('s')).Publish(Entries(0, 320, "another "));
  ASSERT_TRUE(check.Run(question, kLong));
  EXPECT_EQ(VerdictOf(check, CheckKind::kContents), Verdict::kGood);
  EXPECT_EQ(VerdictOf(check, CheckKind::kCore), Verdict::kWrong);
  EXPECT_EQ(VerdictOf(check, CheckKind::kSinceLast), Verdict::kWrong);
  EXPECT_EQ(VerdictOf(check, CheckKind::kSinceGiven), Verdict::kWrong);
}

TEST_F(LogCheckTest, AnotherKeyIsNotBelieved) {
  LogFolder(base_ / "2026", Key('x')).Publish(Entries(0, 5));
  LogCheck check(keys_, base_.string(), clock_);
  ASSERT_TRUE(check.Run({}, kLong));
  EXPECT_EQ(check.standing().last->verdict(), Verdict::kWrong);
  EXPECT_EQ(VerdictOf(check, CheckKind::kSignature), Verdict::kWrong);
}

TEST_F(LogCheckTest, WithoutKeyOrLogNothingIsGood) {
  EXPECT_FALSE(LogCheck("", base_.string(), clock_).configured());
  EXPECT_FALSE(LogCheck(keys_, "", clock_).configured());
  LogCheck empty(keys_, base_.string(), clock_);
  ASSERT_TRUE(empty.Run({}, kLong));
  EXPECT_EQ(empty.standing().last->verdict(), Verdict::kNotChecked);
  EXPECT_EQ(LogKeys::Read(keys_ + "no key\n" + keys_).problems.size(), 2u);
}

TEST(Events, EveryKindCanBeAsked) {
  for (const EventKind& kind : EventKinds()) EXPECT_FALSE(EventsOf(kind.code).empty()) << kind.code;
  const auto seen = EventsOf("photo-seen");
  for (const char* event : {"ShowPhoto", "PreviewPhoto", "ExportPhoto"})
    EXPECT_NE(std::find(seen.begin(), seen.end(), event), seen.end()) << event;
  EXPECT_EQ(EventName(Words::Of(Language::kDutch), "ShowPhoto"), "Foto bekeken");
  EXPECT_EQ(EventName(Words::Of(Language::kDutch), "OfLater"), "OfLater");
}

}  // namespace
}  // namespace waarborg::station

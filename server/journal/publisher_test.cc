// SPDX-License-Identifier: EUPL-1.2
#include "server/journal/publisher.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "audit/opening.h"
#include "audit/record.h"
#include "audit/text.h"
#include "audit/verify.h"
#include "server/config/config.h"
#include "server/journal/rows.h"
#include "tests/support/memory_files.h"
#include "tests/support/memory_room.h"
#include "tests/support/memory_store.h"

namespace waarborg::journal {
namespace {

namespace fs = std::filesystem;
namespace pb = waarborg::v1;
using testing::DiskWrites;
using testing::FakeWitnesses;
using testing::MemoryFiles;
using Mood = FakeWitnesses::Mood;
using Files = MemoryFiles::Files;

constexpr char kName[] = "test.example/log";
constexpr char kOrigin[] = "test.example/log/2026";
constexpr char kW1[] = "https://w1.example";
constexpr char kW2[] = "https://w2.example";

// For use by several threads, as a store is; and something else may happen just before the next scan.
class HookedStore : public testing::MemoryStore {
 public:
  absl::StatusOr<std::string> Get(std::string_view key) const override {
    const std::lock_guard lock(mutex_);
    return MemoryStore::Get(key);
  }
  absl::Status Scan(std::string_view prefix, std::string_view from, const Each& each) const override {
    if (const auto once = std::exchange(before_scan, nullptr)) once();
    const std::lock_guard lock(mutex_);
    return MemoryStore::Scan(prefix, from, each);
  }
  absl::Status Commit(const store::Batch& batch) override {
    const std::lock_guard lock(mutex_);
    return MemoryStore::Commit(batch);
  }
  mutable std::function<void()> before_scan;

 private:
  mutable std::recursive_mutex mutex_;
};

class PublisherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // In memory where there is such a folder: a keystore syncs much, and this makes many.
    std::string name = fs::is_directory("/dev/shm") ? "/dev/shm" : "/tmp";
    name += "/waarborg-publisher-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder = name;
    file_keys = *keys::Keystore::Open(folder + "/keys", "file", *home, random);
    photo_keys = *keys::Keystore::Open(folder + "/keys", "photo", *home, random);
    Open();
  }
  void TearDown() override {
    publisher.reset();
    journal.reset();
    fs::remove_all(folder);
  }

  // As after a restart; the publisher is not started.
  void Open() {
    publisher.reset();
    journal.reset();
    auto opened = Journal::Open({&clock, &random, &store, file_keys.get(), photo_keys.get(), &room, kName});
    ASSERT_TRUE(opened.ok()) << opened.status();
    journal = std::move(*opened);
    publisher = std::make_unique<Publisher>(
        Publisher::Parts{journal.get(), &store, &published, &memory, &witnesses, seed.Clone()});
  }
  void Restart() {
    Open();
    if (HasFatalFailure()) return;
    const absl::Status s = publisher->Start({});
    ASSERT_TRUE(s.ok()) << s;
  }

  static pb::AuditRecord Entry(const std::string& event) {
    pb::AuditRecord record;
    record.set_event(event);
    record.set_result(pb::RESULT_DONE);
    return record;
  }
  absl::Status TryAppend(uint64_t count, const std::string& event = "A") {
    return journal->RunNow([&](Turn& turn) {
      for (uint64_t i = 0; i < count; ++i) turn.Log(Entry(event));
    });
  }
  void Append(uint64_t count, const std::string& event = "A") {
    const absl::Status s = TryAppend(count, event);
    ASSERT_TRUE(s.ok()) << s;
  }
  void Publish() {
    const absl::Status s = publisher->Publish();
    ASSERT_TRUE(s.ok()) << s;
  }
  void AppendAndPublish(uint64_t count, const std::string& event = "A") {
    Append(count, event);
    Publish();
  }
  // Of what was published last; empty when nothing was.
  Publisher::State State() const {
    const auto state = publisher->state();
    return state == nullptr ? Publisher::State{} : *state;
  }
  Publisher::WitnessState Witness(size_t i) const {
    const auto state = State();
    return i < state.witnesses.size() ? state.witnesses[i] : Publisher::WitnessState{};
  }
  // The municipal configuration as it stands in the example, with these terms and witnesses.
  void Configure(int keep_years, int quorum = 0, const std::vector<std::string>& urls = {}) {
    std::string toml = testing::ReadFile(WAARBORG_SOURCE_FOLDER "/deploy/example/municipality.toml");
    const int changed = absl::StrReplaceAll({{"keep_years = 7", absl::StrCat("keep_years = ", keep_years)},
                                             {"quorum = 0", absl::StrCat("quorum = ", quorum)},
                                             {"witness_grace_minutes = 15", "witness_grace_minutes = 0"}},
                                            &toml);
    ASSERT_EQ(changed, 3);
    for (const std::string& url : urls) {
      absl::StrAppend(&toml, "\n[[witness]]\nid = \"", url.substr(8, 2), "\"\nurl = \"", url, "\"\nkey = \"",
                      (url == kW1 ? w1 : w2).Text(), "\"\n");
    }
    config::Errors errors;
    domain::Municipality m = config::ParseMunicipality(toml, "municipality", errors);
    ASSERT_TRUE(errors.empty()) << errors.front();
    ASSERT_TRUE(journal
                    ->RunNow([&](Turn& turn) {
                      turn.PutConfiguration(toml, std::move(m));
                      turn.Log(Entry("ConfirmChange"));
                    })
                    .ok());
  }
  void UseWitnesses(int quorum) { Configure(0, quorum, {kW1, kW2}); }

  // ---- What stands on disk.

  struct Copy {
    testing::MemoryStore::Rows rows;
    Files published, memory;
  };
  Copy Now() const { return {store.rows, published.files, memory.files}; }
  void Restore(const Copy& copy) {
    store.rows = copy.rows;
    published.files = copy.published;
    memory.files = copy.memory;
    store.commits_left = -1;
    disk.left = -1;
  }
  // As `cut` writes from now on, and no more.
  void CutAfter(int cut) { disk.left = cut; }
  void Mend() {
    disk.left = -1;
    store.commits_left = -1;
  }

  audit::VerifierKey KeyOf(const std::string& log) { return publisher->KeyOf(absl::StrCat(kName, "/", log)); }
  // What waarborg-verify says of the published log, in the strict form.
  audit::Report Verify(const std::string& log = "2026", std::optional<std::string> since = std::nullopt,
                       bool live = false) {
    const fs::path out = fs::path(folder) / "out";
    fs::remove_all(out);
    published.WriteOut(log, out);
    audit::VerifyOptions options;
    options.key = KeyOf(log);
    options.witnesses = {w1, w2};
    options.since = std::move(since);
    options.threads = 1;
    options.live = live;
    audit::Progress progress;
    return audit::VerifyLog(out, options, progress);
  }
  static std::string First(const audit::Report& report) {
    return report.problems.empty() ? "" : report.problems.front();
  }
  std::string Note(const std::string& log = "2026") const {
    const auto it = published.files.find(log + "/checkpoint");
    return it == published.files.end() ? "" : it->second;
  }
  static audit::Checkpoint CheckpointIn(const std::string& note) {
    const auto read = audit::ReadCheckpoint(note);
    return read.ok() ? read->checkpoint : audit::Checkpoint{};
  }
  audit::Checkpoint Published(const std::string& log = "2026") const { return CheckpointIn(Note(log)); }
  audit::Checkpoint Newest() const {
    const auto it = memory.files.find("newest");
    return it == memory.files.end() ? audit::Checkpoint{} : CheckpointIn(it->second);
  }
  Files FolderOfLog(const std::string& log) const {
    Files out;
    for (const auto& [path, bytes] : published.files) {
      if (path.starts_with(log + "/")) out[path] = bytes;
    }
    return out;
  }
  // The names of the files that are not the same; readable where the files are not.
  static std::vector<std::string> Changed(const Files& before, const Files& after) {
    std::vector<std::string> out;
    for (const auto& [path, bytes] : before) {
      const auto it = after.find(path);
      if (it == after.end()) {
        out.push_back("gone: " + path);
      } else if (it->second != bytes) {
        out.push_back("other: " + path);
      }
    }
    for (const auto& [path, bytes] : after) {
      // A partial tile that has grown full meanwhile may stay behind; verifiers know that.
      const size_t partial = path.find(".p/");
      const bool stale = partial != std::string::npos && after.contains(path.substr(0, partial));
      if (!before.contains(path) && !stale) out.push_back("new: " + path);
    }
    return out;
  }
  static inline const std::vector<std::string> kNone;
  // From now on every checkpoint is watched: none is smaller than one before, and whatever leaves the house,
  // to readers or to witnesses, is remembered first.
  void Watch() {
    published.on_write = [this](const std::string& path) {
      if (!path.ends_with("/checkpoint")) return;
      const audit::Checkpoint c = CheckpointIn(published.files[path]);
      EXPECT_GE(c.size, largest[c.origin]) << "a smaller checkpoint was published than before";
      largest[c.origin] = c.size;
      EXPECT_TRUE(Remembered(c)) << c.Body() << "was published, but " << Newest().Body() << "is remembered";
    };
    witnesses.before_each = [this](const journal::WitnessCaller::Request& request) {
      const auto parsed = audit::AddCheckpoint::Parse(request.body);
      ASSERT_TRUE(parsed.ok());
      const audit::Checkpoint c = CheckpointIn(parsed->checkpoint);
      EXPECT_TRUE(Remembered(c)) << c.Body() << "left the house, but " << Newest().Body() << "is remembered";
    };
  }
  bool Remembered(const audit::Checkpoint& c) const {
    const audit::Checkpoint newest = Newest();
    return newest.origin == c.origin ? newest.size >= c.size : newest.origin > c.origin;
  }
  std::vector<LogEntry> Entries() {
    std::vector<LogEntry> out;
    EXPECT_TRUE(journal
                    ->RunNow([&](Turn&) {
                      const auto s = journal->NewReader()->ReadBack({}, [&](const LogEntry& e) {
                        out.push_back(e);
                        return true;
                      });
                      EXPECT_TRUE(s.ok()) << s;
                    })
                    .ok());
    return {out.rbegin(), out.rend()};
  }

  std::string folder;
  base::ManualClock clock{absl::FromUnixSeconds(1'772'438'400)};  // 2026-03-02
  base::SystemRandom random;
  base::Secret root{std::string(32, 'r')};
  base::Secret seed{std::string(32, 's')};
  HookedStore store;
  testing::MemoryRoom room;
  DiskWrites disk;
  MemoryFiles published{disk}, memory{disk};
  FakeWitnesses witnesses{Logs()};
  audit::VerifierKey w1 = witnesses.Add(kW1, 'v'), w2 = witnesses.Add(kW2, 'w');
  std::map<std::string, uint64_t> largest;  // published, by origin
  std::unique_ptr<keys::GenerationHome> home = keys::NewFileHome(root, random);
  std::unique_ptr<keys::Keystore> file_keys, photo_keys;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Publisher> publisher;

 private:
  static std::vector<audit::VerifierKey> Logs() {
    std::vector<audit::VerifierKey> out;
    for (const char* log : {"2026", "2026-2", "2026-3", "2027", "2028"}) {
      out.push_back(audit::SigningKey::FromSeed(absl::StrCat(kName, "/", log), audit::KeyType::kEd25519,
                                                std::string(32, 's'))
                        ->verifier());
    }
    return out;
  }
};

// ---- What is published.

TEST_F(PublisherTest, WhatIsPublishedVerifiesAndBeginsWithEverythingPublishedBefore) {
  Watch();
  ASSERT_TRUE(publisher->Start({}).ok());
  std::vector<std::string> notes;
  for (const uint64_t size : {1, 2, 255, 256, 257, 511, 512, 1000}) {
    AppendAndPublish(size - journal->size());
    ASSERT_FALSE(HasFatalFailure());
    EXPECT_EQ(Published().size, size);
    EXPECT_EQ(Published().root, journal->Root());
    EXPECT_EQ(memory.files["newest"], Note());
    const audit::Report report = Verify();
    EXPECT_TRUE(report.problems.empty()) << size << ": " << First(report);
    EXPECT_TRUE(report.signature_checked);
    EXPECT_EQ(report.previous, std::nullopt);
    for (const std::string& note : notes) {
      const audit::Report since = Verify("2026", note);
      EXPECT_TRUE(since.problems.empty()) << size << ": " << First(since);
    }
    notes.push_back(Note());
  }
  for (const auto& [path, bytes] : published.files) {
    const size_t partial = path.find(".p/");
    EXPECT_TRUE(partial == std::string::npos || !published.files.contains(path.substr(0, partial)))
        << path << " was left beside the full tile";
  }
}

TEST_F(PublisherTest, ALogThatNeedsAThirdLevelVerifies) {
  Append(65'535);
  ASSERT_TRUE(publisher->Start({}).ok());
  Publish();
  std::string before = Note();
  for (const uint64_t size : {65'536, 65'537, 66'000}) {
    AppendAndPublish(size - journal->size());
    ASSERT_FALSE(HasFatalFailure());
    const audit::Report report = Verify("2026", before);
    EXPECT_TRUE(report.problems.empty()) << size << ": " << First(report);
    EXPECT_EQ(report.checkpoint.size, size);
    before = Note();
    Restart();
  }
  EXPECT_TRUE(published.files.contains("2026/tile/2/000.p/1"));
}

TEST_F(PublisherTest, WhatIsNotDurableIsNotPublished) {
  ASSERT_TRUE(publisher->Start({}).ok());
  AppendAndPublish(300);
  const Files before = published.files;
  store.commits_left = 0;
  EXPECT_FALSE(TryAppend(10).ok());
  EXPECT_TRUE(publisher->Publish().ok());
  EXPECT_EQ(Changed(before, published.files), kNone);
  EXPECT_EQ(Newest().size, 300u);
  store.commits_left = -1;
  Restart();
  AppendAndPublish(10);
  EXPECT_EQ(Published().size, 310u);
  EXPECT_TRUE(Verify("2026", before.at("2026/checkpoint")).problems.empty());
}

TEST_F(PublisherTest, NothingIsWrittenWhileThereIsNothingNew) {
  ASSERT_TRUE(publisher->Start({}).ok());
  Publish();
  EXPECT_TRUE(published.files.empty()) << "an empty log was published";
  EXPECT_TRUE(memory.files.empty());
  AppendAndPublish(300);
  const Files before = published.files;
  const int writes = disk.done;
  for (int i = 0; i < 5; ++i) Publish();
  EXPECT_EQ(disk.done, writes);
  EXPECT_EQ(Changed(before, published.files), kNone);
  Restart();
  Publish();
  EXPECT_EQ(Changed(before, published.files), kNone) << "a restart made other files of the same log";
}

TEST_F(PublisherTest, AFolderThatWasLostIsBuiltAgain) {
  ASSERT_TRUE(publisher->Start({}).ok());
  AppendAndPublish(600);
  const Files before = published.files;
  published.files.clear();
  Restart();
  Publish();
  EXPECT_EQ(Changed(before, published.files), kNone);
}

// The partial bundle is read back at a start and goes on growing: if its damage went unseen it would end in a
// full one.
TEST_F(PublisherTest, ADamagedPartialTileOrBundleIsNotBuiltUpon) {
  for (const char* path : {"2026/tile/entries/000.p/10", "2026/tile/0/000.p/10"}) {
    Restore({});
    Open();
    Append(10);
    ASSERT_TRUE(publisher->Start({}).ok());
    Publish();
    ASSERT_TRUE(published.files.contains(path));
    published.files[path][5] = static_cast<char>(published.files[path][5] ^ 1);
    Restart();
    AppendAndPublish(5);
    published.files.erase("2026/tile/entries/000.p/10");
    published.files.erase("2026/tile/0/000.p/10");
    EXPECT_EQ(First(Verify()), "") << path;
  }
}

// ---- Crashes.

// Every point at which the power can fail, in the round that fills a tile and in the start after it.
TEST_F(PublisherTest, ACrashBetweenAnyTwoWritesLeavesNothingThatTheNextStartDoesNotMend) {
  ASSERT_TRUE(publisher->Start({}).ok());
  AppendAndPublish(250);
  const std::string first = Note();
  Append(270);
  const Copy base = Now();
  Publish();
  const Files whole = published.files;
  ASSERT_EQ(Published().size, 520u);
  EXPECT_EQ(First(Verify("2026", first)), "");

  Watch();
  int cuts = 0;
  for (bool cut_off = true; cut_off; ++cuts) {
    ASSERT_LT(cuts, 100);
    for (int again = 0; again <= cuts; ++again) {
      Restore(base);
      largest[kOrigin] = 250;
      Open();
      ASSERT_FALSE(HasFatalFailure());
      CutAfter(cuts);
      const absl::Status started = publisher->Start({});
      EXPECT_FALSE(absl::IsDataLoss(started)) << started;
      const absl::Status s = publisher->Publish();
      EXPECT_FALSE(absl::IsDataLoss(s)) << s;
      cut_off = !s.ok();
      EXPECT_GE(Newest().size, Published().size);
      Open();
      CutAfter(again);
      EXPECT_FALSE(absl::IsDataLoss(publisher->Start({})));
      EXPECT_FALSE(absl::IsDataLoss(publisher->Publish()));
      Mend();
      Restart();
      ASSERT_FALSE(HasFatalFailure()) << cuts << " " << again;
      Publish();
      EXPECT_EQ(Published().size, 520u);
      EXPECT_EQ(Changed(whole, published.files), kNone) << cuts << " " << again;
      EXPECT_EQ(memory.files["newest"], Note());
    }
  }
  EXPECT_GT(cuts, 8);
}

TEST_F(PublisherTest, AfterWritesThatFailTheSamePublisherGoesOn) {
  ASSERT_TRUE(publisher->Start({}).ok());
  AppendAndPublish(250);
  Append(300);
  const Copy base = Now();
  Publish();
  const Files whole = published.files;
  for (int cut = 0;; ++cut) {
    ASSERT_LT(cut, 100);
    Restore(base);
    Open();
    ASSERT_FALSE(HasFatalFailure());
    CutAfter(cut);
    const bool good = publisher->Start({}).ok() && publisher->Publish().ok();
    Mend();
    Publish();
    EXPECT_EQ(Changed(whole, published.files), kNone) << cut;
    if (good) break;
  }
}

TEST_F(PublisherTest, ARoundThatFailsHalfwayIsTakenUpByTheNextOne) {
  ASSERT_TRUE(publisher->Start({}).ok());
  AppendAndPublish(250);
  const Copy base = Now();
  const std::string before = Note();
  for (int cut = 0;; ++cut) {
    ASSERT_LT(cut, 100);
    Restore(base);
    Restart();
    ASSERT_FALSE(HasFatalFailure());
    Append(300);
    CutAfter(cut);
    const bool good = publisher->Publish().ok();
    Mend();
    Append(1);
    Publish();
    EXPECT_EQ(Published().size, 551u);
    EXPECT_EQ(First(Verify("2026", before)), "") << cut;
    if (good) break;
  }
}

// Whoever reads meanwhile sees the log of before, or that of afterwards.
TEST_F(PublisherTest, AtEveryMomentTheFolderVerifiesForWhoeverReadsItThen) {
  ASSERT_TRUE(publisher->Start({}).ok());
  AppendAndPublish(250);
  Append(270);
  const Copy base = Now();
  for (int cut = 0;; ++cut) {
    ASSERT_LT(cut, 100);
    Restore(base);
    Open();
    CutAfter(cut);
    const bool good = publisher->Start({}).ok() && publisher->Publish().ok();
    const audit::Report report = Verify("2026", std::nullopt, /*live=*/true);
    EXPECT_EQ(First(report), "") << "after " << cut << " writes";
    if (good) break;
  }
}

// ---- A start that must not be.

class RolledBackTest : public PublisherTest {
 protected:
  // A log of 300 entries was published and cosigned; these data are a copy from when there were 100.
  void SetUp() override {
    PublisherTest::SetUp();
    UseWitnesses(1);
    ASSERT_TRUE(publisher->Start({}).ok());
    AppendAndPublish(99);
    copy = Now();
    AppendAndPublish(200);
    ASSERT_EQ(Published().size, 300u);
    ASSERT_EQ(witnesses.SizeOf(kW1, kOrigin), 300u);
    newest = Now();
    store.rows = copy.rows;
    Open();
  }
  // The copy goes another way, up to this size.
  void Fork(uint64_t size) {
    Append(size - journal->size(), "B");
    Open();
  }
  void Forget() {
    published.files = copy.published;
    memory.files = copy.memory;
  }
  // Refuses, says what to find out or do, and leaves what was published as it was.
  void ExpectRefused(const std::string& what) {
    const Files before = published.files;
    ExpectRefusedByWitness(what);
    EXPECT_EQ(Changed(before, published.files), kNone);
  }
  // The witnesses are asked at last, when the tiles are there for a proof; nothing tells of those yet.
  void ExpectRefusedByWitness(const std::string& what) {
    const Files remembered = memory.files;
    const std::string note = Note();
    const absl::Status s = publisher->Start({});
    EXPECT_TRUE(absl::IsDataLoss(s)) << s;
    EXPECT_NE(std::string(s.message()).find(what), std::string::npos) << s;
    EXPECT_EQ(Changed(remembered, memory.files), kNone);
    EXPECT_EQ(Note(), note);
    Open();
  }

  Copy copy, newest;
};

TEST_F(RolledBackTest, DataShorterThanWhatIsRememberedAreRefused) {
  published.files = copy.published;
  ExpectRefused("begin-log");
  published.files.clear();
  ExpectRefused("begin-log");
}

TEST_F(RolledBackTest, DataShorterThanWhatIsPublishedAreRefused) {
  memory.files = copy.memory;
  ExpectRefused("begin-log");
  memory.files.clear();
  ExpectRefused("begin-log");
}

TEST_F(RolledBackTest, DataShorterThanWhatAWitnessHasSeenAreRefused) {
  Forget();
  ExpectRefusedByWitness("--overrule-witness w1");
  published.files.clear();
  memory.files.clear();
  ExpectRefusedByWitness("begin-log");
  witnesses.Set(kW1, Mood::kAway);
  ExpectRefusedByWitness("--overrule-witness w2");
}

// Nothing speaks against it, and a municipality must be able to work while its witnesses are away.
TEST_F(RolledBackTest, WithoutMemoryAndWitnessesThereIsNothingToRefuseItBy) {
  Forget();
  witnesses.SetAll(Mood::kAway);
  const absl::Status s = publisher->Start({});
  EXPECT_TRUE(s.ok()) << s;
}

TEST_F(RolledBackTest, OtherEntriesUpToTheSameSizeAreRefusedByMemoryFolderAndWitness) {
  Fork(300);
  memory.files = copy.memory;
  ExpectRefused("not the one that was published");
  memory.files = newest.memory;
  published.files = copy.published;
  ExpectRefused("not the one that was published");
  Forget();
  ExpectRefusedByWitness("--overrule-witness w1");
}

TEST_F(RolledBackTest, OtherEntriesBeyondTheSizeAreRefusedByMemoryFolderAndWitness) {
  Fork(310);
  ExpectRefused("");
  memory.files = copy.memory;
  ExpectRefused("");
  memory.files = newest.memory;
  published.files = copy.published;
  ExpectRefused("its first 300 entries are not those that were published");
  published.files.clear();
  ExpectRefused("its first 300 entries are not those that were published");
  Forget();
  ExpectRefusedByWitness("--overrule-witness w1");
}

// Whoever is refused at night reads what to do, not only what is wrong.
TEST_F(RolledBackTest, EveryRefusalOfAForkSaysWhatToDo) {
  Fork(300);
  ExpectRefused("begin-log");
  Open();
  Fork(310);
  ExpectRefused("begin-log");
}

TEST_F(RolledBackTest, ANewestCheckpointThatIsNotOursIsRefused) {
  Restore(newest);
  Open();
  const auto foreign = *audit::SigningKey::FromSeed(kOrigin, audit::KeyType::kEd25519, std::string(32, 'x'));
  const std::string body = Published().Body();
  memory.files["newest"] = audit::Note{body, {foreign.Sign(body)}}.Text();
  ExpectRefused("not signed with the key of this log");
  memory.files["newest"] = "nonsense";
  ExpectRefused("newest");
  memory.files["newest"] = "";
  ExpectRefused("newest");
  const audit::Checkpoint other{"other.example/log/2026", 3, audit::LeafHash("x")};
  const auto its = *audit::SigningKey::FromSeed(other.origin, audit::KeyType::kEd25519, seed.Reveal());
  memory.files["newest"] = audit::Note{other.Body(), {its.Sign(other.Body())}}.Text();
  ExpectRefused("which these data do not know");
}

TEST_F(RolledBackTest, APublishedCheckpointThatWasEditedIsRefused) {
  Restore(newest);
  Open();
  std::string& note = published.files["2026/checkpoint"];
  note.replace(note.find("\n300\n"), 5, "\n301\n");
  ExpectRefused("not signed with the key of this log");
}

// A disk that cannot be read for a moment is no reason to forget what was published.
TEST_F(RolledBackTest, NothingIsPublishedUntilItWasHeldAgainstTheNewestCheckpoint) {
  published.files = copy.published;
  memory.readable = false;
  const absl::Status started = publisher->Start({});
  EXPECT_FALSE(started.ok());
  EXPECT_FALSE(absl::IsDataLoss(started)) << started;
  memory.readable = true;
  Append(1, "B");
  const absl::Status s = publisher->Publish();
  EXPECT_TRUE(absl::IsDataLoss(s)) << s;
  EXPECT_EQ(Newest().size, 300u);
  EXPECT_EQ(Published().size, 100u);
}

TEST_F(RolledBackTest, AFullDiskAtTheStartDoesNotSpareItTheWitnesses) {
  Forget();
  published.files.clear();
  CutAfter(0);
  const absl::Status started = publisher->Start({});
  EXPECT_FALSE(started.ok());
  EXPECT_FALSE(absl::IsDataLoss(started)) << started;
  Mend();
  const absl::Status s = publisher->Publish();
  EXPECT_TRUE(absl::IsDataLoss(s)) << s;
  EXPECT_EQ(Note(), "");
}

// ---- Overruling a witness.

TEST_F(RolledBackTest, AnOverruledWitnessIsNotAsked) {
  Forget();
  witnesses.asked.clear();
  ASSERT_TRUE(publisher->Start({"w1", "w2"}).ok());
  Append(1);
  Publish();
  EXPECT_TRUE(witnesses.asked.empty());
  ASSERT_EQ(State().witnesses.size(), 2u);
  EXPECT_NE(Witness(0).why.find("--overrule-witness"), std::string::npos);
  EXPECT_EQ(State().cosignatures, 0u);
  EXPECT_TRUE(State().lacking_since.has_value());
}

TEST_F(RolledBackTest, OverrulingOneWitnessLeavesTheWordOfTheOther) {
  Forget();
  const absl::Status s = publisher->Start({"w1"});
  EXPECT_TRUE(absl::IsDataLoss(s));
  EXPECT_NE(std::string(s.message()).find("--overrule-witness w2"), std::string::npos) << s;
}

TEST_F(PublisherTest, AWitnessThatClaimsMoreRefusesAStartButDoesNotStopWhatRuns) {
  UseWitnesses(1);
  witnesses.Set(kW1, Mood::kLarger);
  const absl::Status refused = publisher->Start({});
  EXPECT_TRUE(absl::IsDataLoss(refused)) << refused;
  Open();
  ASSERT_TRUE(publisher->Start({"w1"}).ok());
  Publish();

  Open();
  witnesses.SetAll(Mood::kWell);
  ASSERT_TRUE(publisher->Start({}).ok());
  witnesses.Set(kW1, Mood::kLarger);
  AppendAndPublish(3);
  EXPECT_EQ(State().cosignatures, 1u);
  EXPECT_FALSE(Witness(0).good);
  EXPECT_TRUE(Witness(1).good);
  EXPECT_EQ(State().lacking_since, std::nullopt);
  witnesses.Set(kW2, Mood::kLarger);
  AppendAndPublish(3);
  EXPECT_EQ(State().cosignatures, 0u);
  EXPECT_TRUE(State().lacking_since.has_value());
  EXPECT_EQ(Published().size, journal->size());
}

// ---- Witnesses.

TEST_F(PublisherTest, CosignaturesOfTheQuorumStandOnThePublishedCheckpoint) {
  UseWitnesses(2);
  ASSERT_TRUE(publisher->Start({}).ok());
  AppendAndPublish(300);
  const auto read = audit::ReadCheckpoint(Note());
  ASSERT_TRUE(read.ok());
  const auto counted = audit::CountCosignatures(read->note, {w1, w2});
  ASSERT_TRUE(counted.ok()) << counted.error();
  EXPECT_EQ(*counted, 2u);
  EXPECT_EQ(State().cosignatures, 2u);
  EXPECT_EQ(State().lacking_since, std::nullopt);
  EXPECT_FALSE(publisher->WaitsForWitnesses(journal->world().municipality()));
  EXPECT_EQ(First(Verify()), "");
}

TEST_F(PublisherTest, BeforeTheFirstCheckpointNothingThatNeedsWitnessesGoesAhead) {
  UseWitnesses(1);
  EXPECT_TRUE(publisher->WaitsForWitnesses(journal->world().municipality()));
  Configure(0, 0);
  EXPECT_FALSE(publisher->WaitsForWitnesses(journal->world().municipality()));
}

TEST_F(PublisherTest, WithoutItsWitnessesTheLogIsPublishedAndWhatNeedsThemWaits) {
  UseWitnesses(1);
  ASSERT_TRUE(publisher->Start({}).ok());
  witnesses.SetAll(Mood::kAway);
  AppendAndPublish(10);
  EXPECT_EQ(Published().size, 11u);
  EXPECT_EQ(audit::ReadCheckpoint(Note())->note.signatures.size(), 1u);
  const auto since = State().lacking_since;
  ASSERT_TRUE(since.has_value());
  EXPECT_TRUE(publisher->WaitsForWitnesses(journal->world().municipality()));
  domain::Municipality patient = journal->world().municipality();
  patient.log_witness_grace = absl::Hours(1);
  EXPECT_FALSE(publisher->WaitsForWitnesses(patient));
  AppendAndPublish(10);
  EXPECT_EQ(State().lacking_since, since) << "the wait began anew with each checkpoint";
  witnesses.Set(kW2, Mood::kWell);
  AppendAndPublish(1);
  EXPECT_EQ(State().lacking_since, std::nullopt);
  EXPECT_FALSE(publisher->WaitsForWitnesses(journal->world().municipality()));
  EXPECT_EQ(*audit::CountCosignatures(audit::ReadCheckpoint(Note())->note, {w1, w2}), 1u);
}

// After a restart nobody here knows what the witness knows; it says so, and the proof follows.
TEST_F(PublisherTest, AWitnessThatHasSeenLessIsShownAProofFromThere) {
  UseWitnesses(1);
  ASSERT_TRUE(publisher->Start({}).ok());
  AppendAndPublish(299);
  witnesses.Set(kW2, Mood::kAway);
  AppendAndPublish(300);
  witnesses.Set(kW2, Mood::kWell);
  ASSERT_EQ(witnesses.SizeOf(kW2, kOrigin), 300u);
  Open();
  witnesses.asked.clear();
  ASSERT_TRUE(publisher->Start({}).ok());
  ASSERT_EQ(witnesses.asked.size(), 4u);
  for (const auto& asked : witnesses.asked) EXPECT_EQ(asked.status, asked.old_size == 0 ? 409 : 200);
  EXPECT_EQ(witnesses.SizeOf(kW2, kOrigin), 600u);
  witnesses.asked.clear();
  AppendAndPublish(1);
  for (const auto& asked : witnesses.asked) EXPECT_EQ(asked.old_size, 600u);
  EXPECT_EQ(State().cosignatures, 2u);
}

TEST_F(PublisherTest, AnswersThatAreNoCosignaturesCountForNothing) {
  UseWitnesses(1);
  ASSERT_TRUE(publisher->Start({}).ok());
  witnesses.Set(kW2, Mood::kAway);
  for (const Mood mood : {Mood::kWrongSignature, Mood::kGarbage, Mood::kFickle, Mood::kStrange}) {
    witnesses.Set(kW1, mood);
    Open();
    const absl::Status s = publisher->Start({});
    EXPECT_TRUE(s.ok()) << s;
    witnesses.asked.clear();
    AppendAndPublish(3);
    EXPECT_LE(witnesses.asked.size(), 3u) << "asked again and again";
    EXPECT_EQ(State().cosignatures, 0u);
    EXPECT_FALSE(Witness(0).good);
    EXPECT_FALSE(Witness(0).why.empty());
    EXPECT_EQ(audit::ReadCheckpoint(Note())->note.signatures.size(), 1u) << "a worthless line was published";
    EXPECT_EQ(First(Verify()), "");
  }
}

// A cosignature that was given once is not lost because the next asking goes unanswered.
TEST_F(PublisherTest, ARestartWithoutWitnessesKeepsTheCosignaturesThatAreThere) {
  UseWitnesses(2);
  ASSERT_TRUE(publisher->Start({}).ok());
  AppendAndPublish(10);
  const std::string cosigned = Note();
  witnesses.SetAll(Mood::kAway);
  Restart();
  Publish();
  EXPECT_EQ(Note(), cosigned);
}

TEST_F(PublisherTest, WhatLeavesTheHouseIsRememberedFirst) {
  UseWitnesses(1);
  Watch();
  ASSERT_TRUE(publisher->Start({}).ok());
  AppendAndPublish(10);
  Append(10);
  Restart();
  Publish();
}

// ---- After a restored backup.

TEST_F(RolledBackTest, ANewLogGoesOnFromTheLastCheckpointKnown) {
  const audit::Checkpoint last = Published();
  const Files old = FolderOfLog("2026");
  const std::string old_note = Note();
  ASSERT_TRUE(journal->ContinueAfter(last).ok());
  EXPECT_EQ(journal->log_origin(), std::string(kOrigin) + "-2");
  for (int restart = 0; restart < 2; ++restart) {
    Restart();
    ASSERT_FALSE(HasFatalFailure());
    AppendAndPublish(5);
    EXPECT_EQ(Changed(old, FolderOfLog("2026")), kNone) << "the old log is not as it was published";
  }
  const audit::Report report = Verify("2026-2");
  EXPECT_EQ(First(report), "");
  EXPECT_EQ(report.checkpoint.size, 11u);
  ASSERT_TRUE(report.previous.has_value());
  EXPECT_EQ(report.previous->Body(), last.Body());
  EXPECT_EQ(First(Verify("2026")), "");
  EXPECT_TRUE(journal->CheckLog().ok());
  EXPECT_EQ(Entries().size(), 100u + 11u);
}

TEST_F(RolledBackTest, DataThatWentAnotherWayGoOnInANewLog) {
  witnesses.SetAll(Mood::kAway);
  for (const uint64_t size : {299u, 300u, 310u}) {
    Restore(newest);
    store.rows = copy.rows;
    Open();
    Fork(size);
    const Files old = FolderOfLog("2026");
    ASSERT_TRUE(journal->ContinueAfter(Published()).ok());
    Restart();
    ASSERT_FALSE(HasFatalFailure()) << size;
    Publish();
    EXPECT_EQ(Changed(old, FolderOfLog("2026")), kNone) << size;
    EXPECT_EQ(First(Verify("2026-2")), "") << size;
    EXPECT_TRUE(journal->CheckLog().ok()) << size;
  }
}

// The same copy is put back a second time, when a log has gone on from it already. Also when, by chance, the
// new log is as long as the copy is.
TEST_F(RolledBackTest, EachRestoreGivesAnotherOrigin) {
  witnesses.SetAll(Mood::kAway);
  for (const uint64_t length : {7u, 100u}) {
    Restore(newest);
    store.rows = copy.rows;
    Open();
    const Files old = FolderOfLog("2026");
    ASSERT_TRUE(journal->ContinueAfter(Published()).ok());
    Restart();
    AppendAndPublish(length - 1);
    ASSERT_EQ(Published("2026-2").size, length);
    const Files second = FolderOfLog("2026-2");

    store.rows = copy.rows;
    Open();
    ExpectRefused("begin-log");
    ASSERT_TRUE(journal->ContinueAfter(Newest()).ok());
    EXPECT_EQ(journal->log_origin(), std::string(kOrigin) + "-3");
    Restart();
    ASSERT_FALSE(HasFatalFailure()) << length;
    AppendAndPublish(3);
    EXPECT_EQ(Changed(old, FolderOfLog("2026")), kNone) << length;
    EXPECT_EQ(Changed(second, FolderOfLog("2026-2")), kNone) << length;
    const audit::Report report = Verify("2026-3");
    EXPECT_EQ(First(report), "");
    ASSERT_TRUE(report.previous.has_value());
    EXPECT_EQ(report.previous->origin, std::string(kOrigin) + "-2");
    EXPECT_EQ(report.previous->size, length);
  }
}

// Before a new log is begun: is there anything that these data have lost, or say otherwise?
TEST_F(RolledBackTest, WhatIsBehindACheckpointIsToldFromWhatIsNot) {
  const audit::Checkpoint last = Published();
  const auto behind = [&](const audit::Checkpoint& c) {
    const auto answer = journal->IsBehind(c);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.value_or(false);
  };
  EXPECT_TRUE(behind(last));
  EXPECT_FALSE(behind(CheckpointIn(copy.published.at("2026/checkpoint"))));
  EXPECT_TRUE(behind({"test.example/log/2027", 1, last.root}));
  Fork(310);  // grown past it, another way
  EXPECT_TRUE(behind(last));
  ASSERT_TRUE(journal->ContinueAfter(last).ok());
  EXPECT_FALSE(behind(last)) << "the new log says so already";
  EXPECT_TRUE(behind({last.origin, last.size + 1, last.root}));
  Restore(newest);
  Open();
  EXPECT_FALSE(behind(last));
}

// What the old log's files prove stays proven, also for entries that these data have lost.
TEST_F(RolledBackTest, TheOldLogStillProvesWhatItHolds) {
  ASSERT_TRUE(journal->ContinueAfter(Published()).ok());
  Restart();
  Publish();
  const auto kept = Entries();
  ASSERT_GE(kept.size(), 100u);
  for (const size_t i : {size_t{0}, size_t{99}}) {
    EXPECT_TRUE(publisher->Prove(kOrigin, i, kept[i].commitment).ok()) << i;
  }
}

// ---- A new year.

class YearsTest : public PublisherTest {
 protected:
  static absl::Time Noon(int year, int month, int day) {
    return base::StartOfDay(absl::CivilDay(year, month, day)) + absl::Hours(12);
  }
  void ExpectTwoGoodLogs(uint64_t entries_after) {
    const audit::Report old = Verify("2026");
    EXPECT_EQ(First(old), "");
    EXPECT_EQ(old.checkpoint.size, 300u);
    const audit::Report report = Verify("2027");
    EXPECT_EQ(First(report), "");
    EXPECT_EQ(report.checkpoint.size, 1 + entries_after);
    ASSERT_TRUE(report.previous.has_value());
    EXPECT_EQ(report.previous->Body(), old.checkpoint.Body());
    EXPECT_EQ(Newest().Body(), report.checkpoint.Body());
  }
};

class NewYearTest : public YearsTest {
 protected:
  // 300 entries in 2026, of which 290 were published.
  void SetUp() override {
    PublisherTest::SetUp();
    ASSERT_TRUE(publisher->Start({}).ok());
    AppendAndPublish(290);
    Append(10);
  }
};

TEST_F(NewYearTest, ANewYearBeginsANewLogAndClosesTheOldOne) {
  Watch();
  clock.Set(base::StartOfDay(absl::CivilDay(2027, 1, 1)) - absl::Milliseconds(1));
  Append(0);
  EXPECT_EQ(journal->log_origin(), kOrigin);
  clock.Set(base::StartOfDay(absl::CivilDay(2027, 1, 1)));
  ASSERT_TRUE(journal
                  ->RunNow([&](Turn& turn) {
                    // What a receipt names.
                    EXPECT_EQ(turn.log_origin(), "test.example/log/2027");
                    EXPECT_EQ(turn.NextIndex(), 1u);
                    EXPECT_EQ(turn.Log(Entry("First")), 1u);
                    EXPECT_EQ(turn.Log(Entry("Second")), 2u);
                  })
                  .ok());
  Publish();
  ExpectTwoGoodLogs(2);
  EXPECT_TRUE(journal->CheckLog().ok());
  const auto entries = Entries();
  ASSERT_EQ(entries.size(), 303u);
  for (size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].number, i);
    EXPECT_EQ(entries[i].index, i < 300 ? i : i - 300);
    EXPECT_EQ(entries[i].origin, i < 300 ? kOrigin : "test.example/log/2027");
    ASSERT_TRUE(entries[i].record.has_value());
  }
  EXPECT_EQ(entries[300].record->event(), "LogContinued");
  EXPECT_EQ(entries[301].record->event(), "First");
  auto one = journal->NewReader()->ReadOne("test.example/log/2027", 2);
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->record->event(), "Second");
  EXPECT_TRUE(absl::IsNotFound(journal->NewReader()->ReadOne("test.example/log/2027", 3).status()));
  EXPECT_TRUE(absl::IsNotFound(journal->NewReader()->ReadOne(kOrigin, 300).status()));
  // Only once.
  AppendAndPublish(5);
  Restart();
  AppendAndPublish(5);
  EXPECT_EQ(journal->log_origin(), "test.example/log/2027");
  ExpectTwoGoodLogs(12);
}

TEST_F(NewYearTest, NothingButTheTurnOfTheYearIsWrittenWhenNothingElseHappens) {
  clock.Set(Noon(2027, 1, 2));
  journal->RunQueued();
  EXPECT_EQ(journal->size(), 1u);
  Publish();
  ExpectTwoGoodLogs(0);
}

TEST_F(NewYearTest, ACrashAnywhereInTheTurnOfTheYearLeavesBothLogsWhole) {
  const Copy base = Now();
  clock.Set(Noon(2027, 1, 2));
  Watch();
  bool done = false;
  for (int commits = 0; commits < 2; ++commits) {
    done = false;
    for (int cut = 0; !done; ++cut) {
      ASSERT_LT(cut, 100);
      SCOPED_TRACE(absl::StrCat(commits, " commits, ", cut, " writes"));
      Restore(base);
      largest = {{kOrigin, 290}};
      Open();
      ASSERT_FALSE(HasFatalFailure());
      EXPECT_TRUE(publisher->Start({}).ok());
      store.commits_left = commits;
      EXPECT_EQ(TryAppend(1).ok(), commits == 1);
      CutAfter(cut);
      done = publisher->Publish().ok();
      Mend();
      Restart();
      ASSERT_FALSE(HasFatalFailure());
      if (commits == 0) Append(1);
      // Cut once more in the start that mends.
      Open();
      CutAfter(cut / 2);
      EXPECT_FALSE(absl::IsDataLoss(publisher->Start({})));
      EXPECT_FALSE(absl::IsDataLoss(publisher->Publish()));
      Mend();
      Restart();
      ASSERT_FALSE(HasFatalFailure());
      Publish();
      ExpectTwoGoodLogs(1);
    }
  }
}

TEST_F(NewYearTest, AFailedWriteInTheTurnOfTheYearIsMadeUpForByTheSamePublisher) {
  clock.Set(Noon(2027, 1, 2));
  Append(1);
  const Copy base = Now();
  for (int cut = 0;; ++cut) {
    ASSERT_LT(cut, 100);
    Restore(base);
    Open();
    CutAfter(cut);
    (void)publisher->Start({});
    const bool good = publisher->Publish().ok();
    Mend();
    Publish();
    ExpectTwoGoodLogs(1);
    if (good) break;
  }
}

// The witness is away in the very second in which the year turns.
TEST_F(NewYearTest, TheLastCheckpointOfAClosedLogIsCosignedWhenTheWitnessComesBack) {
  UseWitnesses(1);
  AppendAndPublish(1);
  witnesses.SetAll(Mood::kAway);
  Append(1);
  clock.Set(Noon(2027, 1, 2));
  AppendAndPublish(1);
  witnesses.SetAll(Mood::kWell);
  Restart();
  AppendAndPublish(1);
  EXPECT_EQ(Verify("2027").cosignatures, 2u);
  EXPECT_EQ(Verify("2026").cosignatures, 2u);
}

TEST_F(NewYearTest, UntilTheNewLogIsPublishedItsEntriesCannotBeProvenYet) {
  Publish();
  clock.Set(Noon(2027, 1, 2));
  Append(1);
  const auto entries = Entries();
  ASSERT_EQ(entries.size(), 302u);
  EXPECT_TRUE(
      absl::IsUnavailable(publisher->Prove("test.example/log/2027", 1, entries.back().commitment).status()));
  Publish();
  EXPECT_TRUE(publisher->Prove("test.example/log/2027", 1, entries.back().commitment).ok());
  EXPECT_TRUE(publisher->Prove(kOrigin, 299, entries[299].commitment).ok());
  EXPECT_TRUE(publisher->Prove(kOrigin, 0, entries[0].commitment).ok());
}

// The folder of a closed log is lost and built again; what is remembered of the log of now is not undone.
TEST_F(NewYearTest, AClosedLogThatIsBuiltAgainDoesNotTakeThePlaceOfTheNewestCheckpoint) {
  clock.Set(Noon(2027, 1, 2));
  AppendAndPublish(5);
  const std::string old_note = Note("2026"), note = Note("2027");
  published.files.clear();
  memory.on_write = [this](const std::string&) { EXPECT_EQ(Newest().origin, "test.example/log/2027"); };
  Restart();
  Publish();
  EXPECT_EQ(Note("2026"), old_note);
  EXPECT_EQ(Note("2027"), note);
  ExpectTwoGoodLogs(5);
}

// Data from before the turn of the year are put back after it.
TEST_F(NewYearTest, ABackupFromTheYearBeforeGoesOnFromTheLogOfTheNewYear) {
  const auto rows = store.rows;
  AppendAndPublish(20);
  const Copy whole = Now();
  clock.Set(Noon(2027, 1, 2));
  for (const uint64_t length : {20u, 300u}) {  // 300: by chance as many as the copy has
    Restore(whole);
    Restart();
    Append(length - 1);
    Publish();
    ASSERT_EQ(Published("2027").size, length);
    const Files old = published.files;
    store.rows = rows;
    Open();
    const absl::Status refused = publisher->Start({});
    EXPECT_TRUE(absl::IsDataLoss(refused)) << refused;
    EXPECT_NE(std::string(refused.message()).find("begin-log"), std::string::npos);
    ASSERT_TRUE(journal->ContinueAfter(Published("2027")).ok());
    EXPECT_EQ(journal->log_origin(), "test.example/log/2027-2");
    Restart();
    ASSERT_FALSE(HasFatalFailure()) << length;
    AppendAndPublish(1);
    for (const auto& [path, bytes] : old) EXPECT_TRUE(published.files[path] == bytes) << path;
    EXPECT_EQ(First(Verify("2027-2")), "");
  }
}

// ---- The term of a log.

class RetentionTest : public YearsTest {
 protected:
  // 2026 holds 1200 entries, which is more than goes in one sweep; 2027 holds a few.
  void TwoYears(int keep) {
    Configure(keep);
    ASSERT_TRUE(publisher->Start({}).ok());
    AppendAndPublish(1199);
    clock.Set(Noon(2027, 1, 2));
    AppendAndPublish(5);
  }
  size_t RowsOf(std::string_view prefix, const std::string& from, const std::string& to) const {
    size_t n = 0;
    for (auto it = store.rows.lower_bound(std::string(prefix) + from); it != store.rows.end() && n < 10'000;
         ++it) {
      if (it->first >= std::string(prefix) + to) break;
      ++n;
    }
    return n;
  }
  size_t EntriesOf2026() const { return RowsOf("", EntryRow(0), EntryRow(1200)); }
  size_t IndexOf2026() const { return RowsOf("", IndexPrefix(1, ""), IndexPrefix(2, "")); }
  void ExpectPruned() {
    EXPECT_EQ(EntriesOf2026(), 0u);
    EXPECT_EQ(IndexOf2026(), 0u);
    EXPECT_GT(RowsOf("", IndexPrefix(2, ""), IndexPrefix(4, "")), 0u);
    std::vector<std::string> left;
    for (const auto& [path, bytes] : FolderOfLog("2026")) left.push_back(path);
    EXPECT_EQ(left, (std::vector<std::string>{"2026/checkpoint", "2026/declaration"}));
    EXPECT_NE(published.files["2026/declaration"].find("Verklaring van vernietiging"), std::string::npos);
    EXPECT_NE(published.files["2026/declaration"].find("1200 regels"), std::string::npos);
    EXPECT_EQ(Published("2026").size, 1200u);
    EXPECT_EQ(First(Verify("2027")), "");
    EXPECT_EQ(First(Verify("2028")), "");
    EXPECT_TRUE(journal->CheckLog().ok());
    const absl::Status s = publisher->CheckEverything();
    EXPECT_TRUE(s.ok()) << s;
    int pruned = 0;
    for (const LogEntry& e : Entries()) {
      EXPECT_NE(e.origin, kOrigin);
      EXPECT_FALSE(e.damaged);
      if (!e.record || e.record->event() != "LogPruned") continue;
      ++pruned;
      EXPECT_EQ(e.origin, "test.example/log/2028");
      EXPECT_EQ(e.record->previous_origin(), kOrigin);
      EXPECT_EQ(e.record->previous_size(), 1200u);
      EXPECT_EQ(audit::ToHash(e.record->previous_root()), Published("2026").root);
    }
    EXPECT_EQ(pruned, 1);
    EXPECT_TRUE(absl::IsNotFound(journal->NewReader()->ReadOne(kOrigin, 0).status()));
  }
  // Writing fails at every point while the folder of 2026 is emptied; `then` is what happens before it works
  // again.
  void CutEmptying(const std::function<void()>& then) {
    TwoYears(1);
    clock.Set(Noon(2028, 1, 3));
    for (int i = 0; i < 20; ++i) journal->RunQueued();
    const Copy base = Now();
    for (int cut = 0;; ++cut) {
      ASSERT_LT(cut, 100);
      Restore(base);
      Open();
      CutAfter(cut);
      const bool good = publisher->Start({}).ok() && publisher->Publish().ok();
      Mend();
      then();
      ASSERT_FALSE(HasFatalFailure());
      Publish();
      ExpectPruned();
      if (good || HasFailure()) break;
    }
  }
};

TEST_F(RetentionTest, AClosedLogGoesWhenItsTermHasPassedAndNotBefore) {
  TwoYears(1);
  clock.Set(base::StartOfDay(absl::CivilDay(2028, 1, 2)) - absl::Milliseconds(1));
  journal->RunQueued();
  Publish();
  EXPECT_EQ(EntriesOf2026(), 1200u);
  EXPECT_EQ(First(Verify("2026")), "");
  clock.Set(base::StartOfDay(absl::CivilDay(2028, 1, 2)));
  for (int i = 0; i < 20; ++i) journal->RunQueued();
  Publish();
  ExpectPruned();
  EXPECT_EQ(journal->begun(), Noon(2027, 1, 2));
  const auto done = disk.done;
  Publish();
  EXPECT_EQ(disk.done, done);
}

// Removing a log takes many rounds, and whoever checks meanwhile, or writes, must not see damage where there
// is none.
TEST_F(RetentionTest, BetweenTheSweepsOfAPrunedLogTheOthersCheck) {
  TwoYears(1);
  clock.Set(Noon(2028, 1, 3));
  bool half_entries = false, half_index = false;
  for (int i = 0; i < 20; ++i) {
    journal->RunQueued();
    EXPECT_TRUE(journal->CheckLog().ok()) << i;
    half_entries |= EntriesOf2026() > 0 && EntriesOf2026() < 1200;
    half_index |= EntriesOf2026() == 0 && IndexOf2026() > 0;
  }
  EXPECT_TRUE(half_entries);
  EXPECT_TRUE(half_index);
  Publish();
  ExpectPruned();
}

TEST_F(RetentionTest, ACrashAnywhereInThePruningIsMadeUpForByTheNextStart) {
  TwoYears(1);
  const Copy base = Now();
  clock.Set(Noon(2028, 1, 3));
  bool done = false;
  for (int commits = 0; !done; ++commits) {
    ASSERT_LT(commits, 100);
    SCOPED_TRACE(absl::StrCat(commits, " commits"));
    Restore(base);
    Open();
    ASSERT_FALSE(HasFatalFailure());
    ASSERT_TRUE(publisher->Start({}).ok());
    bool failed = false;
    journal->OnFailure([&](const absl::Status&) { failed = true; });
    store.commits_left = commits;
    for (int i = 0; i < 20; ++i) {
      journal->RunQueued();
      if (i % 3 == 0) {
        EXPECT_TRUE(publisher->Publish().ok());
      }
    }
    done = !failed;
    Mend();
    Restart();
    ASSERT_FALSE(HasFatalFailure());
    for (int i = 0; i < 20; ++i) journal->RunQueued();
    Publish();
    ExpectPruned();
  }
}

TEST_F(RetentionTest, ACrashAnywhereInEmptyingTheFolderIsMadeUpForByTheNextStart) {
  CutEmptying([this] { Restart(); });
}

TEST_F(RetentionTest, WritesThatFailWhileAFolderIsEmptiedAreMadeUpForByTheSamePublisher) {
  CutEmptying([] {});
}

TEST_F(RetentionTest, WithoutATermNothingEverGoes) {
  TwoYears(0);
  for (const int year : {2028, 2029, 2040, 2150}) {
    clock.Set(Noon(year, 2, 1));
    for (int i = 0; i < 20; ++i) journal->RunQueued();
    Publish();
  }
  EXPECT_EQ(EntriesOf2026(), 1200u);
  EXPECT_GT(IndexOf2026(), 0u);
  for (const char* log : {"2026", "2027", "2028", "2029", "2040", "2150"}) {
    EXPECT_EQ(First(Verify(log)), "") << log;
  }
}

TEST_F(RetentionTest, AShorterTermTakesEffectWithTheConfigurationThatSetsIt) {
  TwoYears(0);
  clock.Set(Noon(2029, 5, 1));
  for (int i = 0; i < 3; ++i) journal->RunQueued();
  EXPECT_EQ(EntriesOf2026(), 1200u);
  Configure(2);
  for (int i = 0; i < 20; ++i) journal->RunQueued();
  Publish();
  EXPECT_EQ(EntriesOf2026(), 0u);
  EXPECT_FALSE(FolderOfLog("2027").contains("2027/declaration"));
  EXPECT_EQ(First(Verify("2027")), "");
}

// A check takes its time, and so does an auditor.
TEST_F(RetentionTest, ALogThatIsPrunedWhileItIsReadIsNoDamage) {
  TwoYears(1);
  const auto reader = journal->NewReader();
  clock.Set(Noon(2028, 1, 3));
  store.before_scan = [&] {
    for (int i = 0; i < 20; ++i) journal->RunQueued();
  };
  const absl::Status s = publisher->CheckEverything();
  EXPECT_TRUE(s.ok()) << s;
  EXPECT_EQ(EntriesOf2026(), 0u);
  size_t read = 0;
  EXPECT_TRUE(reader
                  ->ReadBack({},
                             [&](const LogEntry& e) {
                               EXPECT_FALSE(e.damaged) << e.number;
                               return ++read < 20;
                             })
                  .ok());
  EXPECT_EQ(read, 6u);
  EXPECT_TRUE(absl::IsNotFound(reader->ReadOne(kOrigin, 5).status()));
}

// A clock that runs ahead must not be able to destroy a year.
TEST_F(RetentionTest, AClockInDoubtClosesAndPrunesNothing) {
  TwoYears(1);
  clock.SetSynchronised(false);
  clock.Set(Noon(2040, 1, 3));
  for (int i = 0; i < 5; ++i) journal->RunQueued();
  EXPECT_EQ(journal->log_origin(), "test.example/log/2027");
  EXPECT_EQ(EntriesOf2026(), 1200u);
}

// ---- Proofs.

TEST_F(PublisherTest, EveryEntryIsProvenAgainstTheNewestCheckpoint) {
  ASSERT_TRUE(publisher->Start({}).ok());
  AppendAndPublish(600);
  Append(1);
  const auto entries = Entries();
  ASSERT_EQ(entries.size(), 601u);
  for (uint64_t i = 0; i < 600; ++i) {
    const auto proof = publisher->Prove(kOrigin, i, entries[i].commitment);
    ASSERT_TRUE(proof.ok()) << proof.status();
    const auto read = audit::ProofFile::Parse(proof->Text());
    ASSERT_TRUE(read.ok()) << read.error();
    EXPECT_EQ(read->index, i);
    EXPECT_EQ(read->extra, entries[i].commitment);
    const auto opened = audit::OpenCheckpoint(read->checkpoint.note.Text(), KeyOf("2026"));
    ASSERT_TRUE(opened.ok()) << opened.error();
    const audit::Checkpoint& c = opened->checkpoint;
    EXPECT_EQ(c.size, 600u);
    EXPECT_TRUE(
        audit::VerifyInclusion(i, c.size, audit::LeafHash(entries[i].commitment), read->proof, c.root));
    const audit::OpeningFile opening{entries[i].opening->key(), entries[i].opening->record(), *read};
    EXPECT_TRUE(opening.Holds());
  }
  EXPECT_TRUE(absl::IsUnavailable(publisher->Prove(kOrigin, 600, entries[600].commitment).status()));
  // Not what stands there.
  EXPECT_TRUE(absl::IsDataLoss(publisher->Prove(kOrigin, 5, entries[6].commitment).status()));
  Publish();
  EXPECT_TRUE(publisher->Prove(kOrigin, 600, entries[600].commitment).ok());
}

TEST_F(PublisherTest, ADamagedTileIsNotHandedOutAsAProof) {
  ASSERT_TRUE(publisher->Start({}).ok());
  AppendAndPublish(600);
  const auto entries = Entries();
  ASSERT_EQ(entries.size(), 600u);
  std::string& tile = published.files["2026/tile/0/000"];
  char& byte = tile[size_t{32} * 7];
  byte = static_cast<char>(byte ^ 1);
  // Every proof of the others that needs this hash, and that of the entry before it.
  EXPECT_TRUE(absl::IsDataLoss(publisher->Prove(kOrigin, 6, entries[6].commitment).status()));
  EXPECT_TRUE(absl::IsDataLoss(publisher->Prove(kOrigin, 200, entries[200].commitment).status()));
  EXPECT_TRUE(publisher->Prove(kOrigin, 300, entries[300].commitment).ok());
  published.files.erase("2026/tile/0/000");
  EXPECT_TRUE(absl::IsDataLoss(publisher->Prove(kOrigin, 6, entries[6].commitment).status()));
  // It says that they are being built again.
  Publish();
  EXPECT_TRUE(publisher->Prove(kOrigin, 6, entries[6].commitment).ok());
}

// ---- Everything is read again.

TEST_F(PublisherTest, AStoreThatWasChangedIsNoticed) {
  ASSERT_TRUE(publisher->Start({}).ok());
  AppendAndPublish(300);
  const auto rows = store.rows;
  EXPECT_TRUE(publisher->CheckEverything().ok());
  store.rows[EntryRow(5)][0] = static_cast<char>(store.rows[EntryRow(5)][0] ^ 1);
  EXPECT_TRUE(absl::IsDataLoss(publisher->CheckEverything()));
  store.rows = rows;
  std::swap(store.rows[EntryRow(5)], store.rows[EntryRow(6)]);
  EXPECT_TRUE(absl::IsDataLoss(publisher->CheckEverything()));
  store.rows = rows;
  store.rows.erase(EntryRow(5));
  EXPECT_TRUE(absl::IsDataLoss(publisher->CheckEverything()));
  store.rows = rows;
  store.rows.erase(EntryRow(299));
  EXPECT_TRUE(absl::IsDataLoss(publisher->CheckEverything()));
  // One behind the last is for the next start: the head says where the log ends.
  store.rows = rows;
  store.rows[EntryRow(300)] = rows.at(EntryRow(5));
  auto opened = Journal::Open({&clock, &random, &store, file_keys.get(), photo_keys.get(), &room, kName});
  EXPECT_TRUE(absl::IsDataLoss(opened.status()));
}

// On a real disk, with a folder that others read.
class OnDiskTest : public YearsTest {
 protected:
  void SetUp() override {
    PublisherTest::SetUp();
    files = *OpenLogFiles(folder + "/published", /*open_to_all=*/true);
    own = *OpenLogFiles(folder + "/newest", /*open_to_all=*/false);
    Reopen();
  }
  void Reopen() {
    publisher.reset();
    publisher = std::make_unique<Publisher>(
        Publisher::Parts{journal.get(), &store, files.get(), own.get(), &witnesses, seed.Clone()});
    const absl::Status s = publisher->Start({});
    ASSERT_TRUE(s.ok()) << s;
  }
  fs::path On(const std::string& path) const { return fs::path(folder) / "published" / path; }
  void Damage(const std::string& path, size_t at) const {
    std::string bytes = testing::ReadFile(On(path));
    bytes.at(at) = static_cast<char>(bytes.at(at) ^ 1);
    testing::WriteFile(On(path), bytes);
  }
  std::string ProblemOnDisk(const std::string& log) {
    audit::VerifyOptions options;
    options.key = KeyOf(log);
    options.witnesses = {w1, w2};
    options.threads = 1;
    audit::Progress progress;
    return First(audit::VerifyLog(On(log), options, progress));
  }
  void Check() {
    const absl::Status s = publisher->CheckEverything();
    ASSERT_TRUE(s.ok()) << s;
  }

  std::unique_ptr<LogFiles> files, own;
};

TEST_F(OnDiskTest, FilesAreThereForEverybodyAndTheNewestCheckpointForUsAlone) {
  AppendAndPublish(600);
  EXPECT_EQ(ProblemOnDisk("2026"), "");
  const auto others = fs::perms::others_read;
  EXPECT_EQ(fs::status(On("2026/checkpoint")).permissions() & others, others);
  EXPECT_EQ(fs::status(On("2026/tile/0/000")).permissions() & others, others);
  EXPECT_EQ(fs::status(fs::path(folder) / "newest/newest").permissions() & others, fs::perms::none);
  for (const auto& found : fs::directory_iterator(On(""))) {
    EXPECT_EQ(found.path().filename(), "2026") << "left behind";
  }
}

TEST_F(OnDiskTest, ADamagedFolderIsBuiltAgainByTheNextRound) {
  AppendAndPublish(600);
  for (const char* path : {"2026/tile/0/000", "2026/tile/0/002.p/88", "2026/tile/1/000.p/2",
                           "2026/tile/entries/001", "2026/tile/entries/002.p/88", "2026/checkpoint"}) {
    Damage(path, 20);
    ASSERT_NE(ProblemOnDisk("2026"), "");
    Check();
    Publish();
    EXPECT_EQ(ProblemOnDisk("2026"), "") << path;
    fs::remove(On(path));
    Check();
    Publish();
    EXPECT_EQ(ProblemOnDisk("2026"), "") << path;
  }
}

TEST_F(OnDiskTest, ADamagedFolderOfAClosedLogIsBuiltAgainByTheNextRound) {
  AppendAndPublish(300);
  clock.Set(Noon(2027, 1, 2));
  AppendAndPublish(3);
  for (const char* path :
       {"2026/tile/0/000", "2026/tile/0/001.p/44", "2026/tile/entries/001.p/44", "2026/checkpoint"}) {
    Damage(path, 20);
    Check();
    Publish();
    EXPECT_EQ(ProblemOnDisk("2026"), "") << path;
    fs::remove(On(path));
    Check();
    Publish();
    EXPECT_EQ(ProblemOnDisk("2026"), "") << path;
  }
  Damage("2027/previous", 25);
  Check();
  Publish();
  EXPECT_EQ(ProblemOnDisk("2027"), "");
}

// What does not belong there is not ours to explain to readers, but it must not stop the log either.
TEST_F(OnDiskTest, AFolderThatIsBuiltAgainIsSoOnceOnly) {
  AppendAndPublish(600);
  Damage("2026/tile/0/000", 20);
  Check();
  Publish();
  const auto at = fs::last_write_time(On("2026/tile/0/000"));
  Publish();
  Check();
  Publish();
  EXPECT_EQ(fs::last_write_time(On("2026/tile/0/000")), at);
}

// Cosignatures of a witness that is no longer in the configuration are no damage.
TEST_F(OnDiskTest, AWitnessThatLeftDoesNotMakeItsOldCosignaturesDamage) {
  UseWitnesses(2);
  AppendAndPublish(300);
  clock.Set(Noon(2027, 1, 2));
  AppendAndPublish(3);
  ASSERT_EQ(ProblemOnDisk("2026"), "");
  Configure(0, 1, {kW2});
  Publish();
  const auto at = fs::last_write_time(On("2026/tile/0/000"));
  Check();
  Publish();
  EXPECT_EQ(fs::last_write_time(On("2026/tile/0/000")), at) << "the closed log was built again";
}

// Fails the first writes, then works.
class StubbornFiles : public LogFiles {
 public:
  explicit StubbornFiles(LogFiles& files) : files_(files) {}
  absl::StatusOr<std::string> Read(const std::string& path) const override { return files_.Read(path); }
  absl::Status Write(const std::string& path, std::string_view bytes, bool durable) override {
    if (writes_left == 0) return absl::UnavailableError("no space left on device");
    if (writes_left > 0) --writes_left;
    return files_.Write(path, bytes, durable);
  }
  absl::Status Remove(const std::string& path) override { return files_.Remove(path); }
  std::string folder() const override { return files_.folder(); }

  int writes_left = -1;

 private:
  LogFiles& files_;
};

TEST_F(OnDiskTest, ARebuildThatWasInterruptedIsTakenUpAgain) {
  AppendAndPublish(300);
  clock.Set(Noon(2027, 1, 2));
  AppendAndPublish(300);
  StubbornFiles stubborn(*files);
  for (const char* path : {"2026/tile/0/000", "2027/tile/0/000"}) {
    publisher = std::make_unique<Publisher>(
        Publisher::Parts{journal.get(), &store, &stubborn, own.get(), &witnesses, seed.Clone()});
    ASSERT_TRUE(publisher->Start({}).ok());
    Publish();
    Damage(path, 20);
    Check();
    stubborn.writes_left = 0;
    EXPECT_FALSE(publisher->Publish().ok());
    stubborn.writes_left = -1;
    Publish();
    EXPECT_EQ(ProblemOnDisk("2026"), "");
    EXPECT_EQ(ProblemOnDisk("2027"), "");
  }
}

TEST_F(OnDiskTest, AfterARestoreWithAnOldFolderUntouchedEverythingChecks) {
  AppendAndPublish(100);
  const auto rows = store.rows;
  AppendAndPublish(200);
  const std::string last = testing::ReadFile(On("2026/checkpoint"));
  store.rows = rows;
  Open();
  ASSERT_TRUE(journal->ContinueAfter(CheckpointIn(last)).ok());
  Reopen();
  AppendAndPublish(3);
  Check();
  Publish();
  EXPECT_EQ(testing::ReadFile(On("2026/checkpoint")), last);
  EXPECT_EQ(ProblemOnDisk("2026"), "");
  EXPECT_EQ(ProblemOnDisk("2026-2"), "");
}

// ---- On its own thread.

TEST_F(PublisherTest, StoppingPublishesWhatIsLeft) {
  UseWitnesses(1);
  ASSERT_TRUE(publisher->Start({}).ok());
  Append(1);
  // The first round is under way when the last entry comes and the house stops.
  std::thread stop;
  std::atomic<bool> runs = false;
  bool first = true;
  witnesses.before_each = [&](const WitnessCaller::Request&) {
    if (!first) return;
    first = false;
    EXPECT_TRUE(TryAppend(1, "Last").ok());
    stop = std::thread([&] {
      while (!runs) std::this_thread::yield();
      publisher->Stop();
    });
    // Long enough for it to have said so; were it not, this would prove nothing, and fail nothing.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  };
  absl::Status failure;
  publisher->Run([&](const absl::Status& s) { failure = s; });
  runs = true;
  for (int i = 0; i < 500 && publisher->state() == nullptr; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  if (stop.joinable()) stop.join();
  EXPECT_TRUE(failure.ok()) << failure;
  EXPECT_EQ(Published().size, journal->size());
}

TEST_F(PublisherTest, ALogThatTurnsOutDamagedIsReported) {
  ASSERT_TRUE(publisher->Start({}).ok());
  AppendAndPublish(10);
  store.rows[EntryRow(5)][0] = static_cast<char>(store.rows[EntryRow(5)][0] ^ 1);
  std::atomic<int> failures = 0;
  publisher->Run([&](const absl::Status& s) {
    EXPECT_TRUE(absl::IsDataLoss(s)) << s;
    ++failures;
  });
  for (int i = 0; i < 500 && failures == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  publisher->Stop();
  EXPECT_EQ(failures, 1);
}

// The published log does not depend on what is shredded.
TEST_F(PublisherTest, WhenTheKeyOfAFileIsDestroyedTheLogStillVerifiesAndItsEntriesSayNothing) {
  ASSERT_TRUE(journal
                  ->RunNow([&](Turn& turn) {
                    for (const char* id : {"LV-1", "LV-2"}) {
                      domain::Ban ban;
                      ban.id = id;
                      turn.Put(ban);
                    }
                  })
                  .ok());
  ASSERT_TRUE(journal
                  ->RunNow([&](Turn& turn) {
                    for (int i = 0; i < 300; ++i) {
                      pb::AuditRecord record = Entry("CheckVisitor");
                      if (i % 3 > 0) record.set_ban_id(i % 3 == 1 ? "LV-1" : "LV-2");
                      turn.Log(std::move(record));
                    }
                  })
                  .ok());
  ASSERT_TRUE(publisher->Start({}).ok());
  Publish();
  ASSERT_TRUE(file_keys->Destroy({"LV-1"}).ok());
  EXPECT_TRUE(publisher->CheckEverything().ok());
  EXPECT_EQ(First(Verify()), "");
  const auto entries = Entries();
  ASSERT_EQ(entries.size(), 300u);
  for (size_t i = 0; i < entries.size(); ++i) {
    EXPECT_FALSE(entries[i].damaged);
    EXPECT_EQ(entries[i].record.has_value(), i % 3 != 1) << i;
    EXPECT_EQ(entries[i].opening.has_value(), i % 3 != 1) << i;
    EXPECT_EQ(entries[i].commitment.size(), audit::kCommitmentSize);
    EXPECT_TRUE(publisher->Prove(kOrigin, i, entries[i].commitment).ok());
  }
  // No filter finds them any more, not even that of the file.
  EXPECT_TRUE(journal
                  ->RunNow([&](Turn&) {
                    LogQuery query;
                    query.ban_id = "LV-1";
                    int found = 0;
                    EXPECT_TRUE(journal->NewReader()
                                    ->ReadBack(query,
                                               [&](const LogEntry&) {
                                                 ++found;
                                                 return true;
                                               })
                                    .ok());
                    EXPECT_EQ(found, 0);
                  })
                  .ok());
}

}  // namespace
}  // namespace waarborg::journal

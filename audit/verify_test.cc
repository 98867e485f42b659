// SPDX-License-Identifier: EUPL-1.2
#include "audit/verify.h"

#include <fcntl.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include "audit/record.h"
#include "audit/text.h"
#include "tests/support/log_folder.h"
#include "waarborg/v1/audit.pb.h"

namespace waarborg::audit {
namespace {

namespace fs = std::filesystem;
using waarborg::testing::LogFolder;
using waarborg::testing::ReadFile;
using waarborg::testing::WriteFile;

constexpr char kOrigin[] = "waarborg.example/log";

SigningKey Key(const std::string& name, char seed = 's', KeyType type = KeyType::kEd25519) {
  return *SigningKey::FromSeed(name, type, std::string(32, seed));
}

std::vector<std::string> Commitments(uint64_t from, uint64_t to) {
  std::vector<std::string> out;
  for (uint64_t i = from; i < to; ++i) {
    out.push_back(Commit(std::string(32, 'k'), "record " + std::to_string(i)));
  }
  return out;
}

// A record as the first entry of a log that goes on from another has it.
std::string Continued() {
  waarborg::v1::AuditRecord record;
  record.set_event("LogContinued");
  record.set_previous_origin("waarborg.example/older");
  record.set_previous_size(12);
  record.set_previous_root(std::string(View(LeafHash("older"))));
  return record.SerializeAsString();
}

class VerifyTest : public ::testing::Test {
 protected:
  VerifyTest() {
    std::string name = (fs::temp_directory_path() / "waarborg-verify-XXXXXX").string();
    base_ = mkdtemp(name.data());
  }
  ~VerifyTest() override {
    std::error_code ignored;
    fs::remove_all(base_, ignored);
  }

  LogFolder Log(const std::string& name, uint64_t size, char seed = 's') {
    LogFolder log(base_ / name, Key(kOrigin, seed));
    if (size > 0) log.Publish(Commitments(0, size));
    return log;
  }

  // A small log with everything in it: full, partial and outgrown tiles of both kinds, and a log before it.
  LogFolder Whole(const std::string& name) {
    LogFolder log(base_ / name, Key(kOrigin));
    const PreviousFile previous{std::string(32, 'p'), Continued()};
    auto entries = Commitments(0, 259);
    entries[0] = Commit(previous.key, previous.record);
    log.Publish({entries.begin(), entries.begin() + 3});
    log.Publish({entries.begin() + 3, entries.begin() + 257});
    log.Publish({entries.begin() + 257, entries.end()});
    log.WritePrevious(previous);
    return log;
  }

  static VerifyOptions Options(unsigned threads = 1) {
    VerifyOptions options;
    options.key = Key(kOrigin).verifier();
    options.threads = threads;
    return options;
  }

  static Report Check(const fs::path& folder, const VerifyOptions& options = Options()) {
    Progress progress;
    return VerifyLog(folder.string(), options, progress);
  }

  static std::string Problems(const Report& report) {
    std::string out;
    for (const std::string& problem : report.problems) out += problem + "\n";
    return out;
  }

  static ::testing::AssertionResult Good(const Report& report) {
    if (report.problems.empty() && !report.unreadable) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << Problems(report);
  }

  // Whether a problem was found, and the first one names one of these files.
  static ::testing::AssertionResult Names(const Report& report, const std::vector<std::string>& files) {
    if (report.problems.empty()) return ::testing::AssertionFailure() << "found good";
    for (const std::string& file : files) {
      if (report.problems[0].find(file + ": ") != std::string::npos) return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << Problems(report);
  }

  // What may be named when this file is changed. An entry that was changed no longer hashes to what stands in
  // the tile above it: which of the two was changed nobody can tell, so the tile is named.
  static std::vector<std::string> MayName(const std::string& path) {
    const auto name = TileName::FromPath(path);
    if (!name || name->kind == TileName::Kind::kHashes) return {path};
    return {path, TileName{TileName::Kind::kHashes, 0, name->index, name->width}.Path()};
  }

  static std::vector<std::string> Files(const fs::path& folder) {
    std::vector<std::string> out;
    for (const auto& file : fs::recursive_directory_iterator(folder)) {
      if (file.is_regular_file()) out.push_back(fs::relative(file.path(), folder).string());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  // The file, and the folders that are empty without it.
  static void Remove(const fs::path& folder, const std::string& path) {
    fs::remove(folder / path);
    for (fs::path up = (folder / path).parent_path(); up != folder && fs::is_empty(up);
         up = up.parent_path()) {
      fs::remove(up);
    }
  }

  static bool Stale(const std::string& path, uint64_t size) {
    const auto name = TileName::FromPath(path);
    return name && !name->full() && name->index * kTileWidth + name->width < HashesAt(name->level, size);
  }

  fs::path base_;
};

// Changes bytes of a file where it stands.
class Editor {
 public:
  explicit Editor(const fs::path& path) : fd_(open(path.c_str(), O_WRONLY | O_CLOEXEC)) {}
  ~Editor() { close(fd_); }
  Editor(const Editor&) = delete;
  Editor& operator=(const Editor&) = delete;
  void Put(size_t at, char c) const { ASSERT_EQ(pwrite(fd_, &c, 1, static_cast<off_t>(at)), 1); }

 private:
  int fd_;
};

TEST_F(VerifyTest, ALogOfAnySizeIsGoodWithAnyNumberOfThreads) {
  // Grown from one to the next, so that outgrown tiles lie about from the second size on.
  const std::vector<uint64_t> sizes = {0,   1,    2,    255,  256,   257,   511,   512,
                                       513, 4095, 4096, 5000, 65535, 65536, 65539, 65536 + 257};
  LogFolder log(base_ / "log", Key(kOrigin));
  uint64_t size = 0;
  std::string before = log.note();
  for (const uint64_t next : sizes) {
    log.Publish(Commitments(size, next));
    size = next;
    for (const unsigned threads : {1u, 4u, 0u}) {
      VerifyOptions options = Options(threads);
      options.since = before;
      Progress progress;
      const Report report = VerifyLog(log.folder().string(), options, progress);
      ASSERT_TRUE(Good(report)) << size << " with " << threads;
      EXPECT_TRUE(report.signature_checked);
      EXPECT_EQ(report.checkpoint.size, size);
      EXPECT_EQ(report.checkpoint.root, log.checkpoint().root);
      EXPECT_EQ(report.checkpoint.origin, kOrigin);
      EXPECT_EQ(report.files, Files(log.folder()).size());
      EXPECT_EQ(report.files_ahead, 0u);
      EXPECT_TRUE(report.since);
      EXPECT_FALSE(report.previous);
      EXPECT_EQ(progress.entries, size);
      EXPECT_EQ(progress.total, size);
    }
    before = log.note();
  }
}

TEST_F(VerifyTest, AFolderWithoutOutgrownTilesIsGoodToo) {
  for (const uint64_t size : {1u, 256u, 300u, 600u}) {
    const LogFolder log = Log("fresh" + std::to_string(size), size);
    const Report report = Check(log.folder());
    ASSERT_TRUE(Good(report)) << size;
    for (const std::string& path : Files(log.folder())) EXPECT_FALSE(Stale(path, size)) << path;
  }
}

TEST_F(VerifyTest, AFolderThatIsNoneOfALogIsUnreadable) {
  EXPECT_TRUE(Check(base_ / "nowhere").unreadable);
  EXPECT_FALSE(Check(base_ / "nowhere").problems.empty());
  fs::create_directories(base_ / "empty");
  EXPECT_TRUE(Check(base_ / "empty").unreadable);
  WriteFile(base_ / "file", "text");
  EXPECT_TRUE(Check(base_ / "file").unreadable);
  fs::create_directories(base_ / "folder" / "checkpoint");
  EXPECT_TRUE(Check(base_ / "folder").unreadable);
  const LogFolder log = Log("log", 2);
  fs::create_directories(base_ / "link");
  fs::create_symlink(log.folder() / "checkpoint", base_ / "link" / "checkpoint");
  EXPECT_TRUE(Check(base_ / "link").unreadable);
}

// A pipe has no end until its writer goes: waiting for it would be waiting for ever.
TEST_F(VerifyTest, ACheckpointThatIsAPipeIsNotWaitedFor) {
  fs::create_directories(base_ / "log");
  const fs::path pipe = base_ / "log" / "checkpoint";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  // Lets a reader that waits go on, so that the test ends all the same.
  std::atomic<bool> done = false, waited = false;
  std::thread rescuer([&] {
    const auto begin = std::chrono::steady_clock::now();
    while (!done) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (std::chrono::steady_clock::now() - begin < std::chrono::seconds(2)) continue;
      const int fd = open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
      if (fd < 0) continue;
      waited = true;
      close(fd);
    }
  });
  const Report report = Check(base_ / "log");
  done = true;
  rescuer.join();
  EXPECT_FALSE(waited);
  EXPECT_TRUE(Names(report, {"checkpoint"}));
}

TEST_F(VerifyTest, EveryByteOfEveryFileCounts) {
  const LogFolder log = Whole("log");
  ASSERT_TRUE(Good(Check(log.folder())));
  const std::vector<std::string> files = Files(log.folder());
  const std::vector<std::string> expected = {"checkpoint",           "previous",
                                             "tile/0/000",           "tile/0/000.p/3",
                                             "tile/0/001.p/1",       "tile/0/001.p/3",
                                             "tile/1/000.p/1",       "tile/entries/000",
                                             "tile/entries/000.p/3", "tile/entries/001.p/1",
                                             "tile/entries/001.p/3"};
  ASSERT_EQ(files, expected);
  for (const std::string& path : files) {
    const std::string bytes = ReadFile(log.folder() / path);
    const auto may_name = MayName(path);
    const Editor editor(log.folder() / path);
    for (size_t at = 0; at < bytes.size(); ++at) {
      editor.Put(at, static_cast<char>(bytes[at] ^ (1 << at % 8)));
      ASSERT_TRUE(Names(Check(log.folder()), may_name)) << path << " at " << at;
      editor.Put(at, bytes[at]);
    }
  }
  EXPECT_TRUE(Good(Check(log.folder())));
}

TEST_F(VerifyTest, EveryBitOfASampleOfFilesCounts) {
  const LogFolder log = Whole("log");
  for (const std::string path : {"checkpoint", "previous", "tile/0/001.p/3", "tile/0/001.p/1",
                                 "tile/1/000.p/1", "tile/entries/001.p/3", "tile/entries/001.p/1"}) {
    const std::string bytes = ReadFile(log.folder() / path);
    const Editor editor(log.folder() / path);
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      editor.Put(bit / 8, static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8)));
      ASSERT_TRUE(Names(Check(log.folder()), MayName(path))) << path << " at bit " << bit;
      editor.Put(bit / 8, bytes[bit / 8]);
    }
  }
  EXPECT_TRUE(Good(Check(log.folder())));
}

TEST_F(VerifyTest, AByteChangedAnywhereInALargeLogIsFoundByEveryNumberOfThreads) {
  const LogFolder log = Log("log", 65536 + 300);
  const std::vector<std::string> files = Files(log.folder());
  std::mt19937_64 random(162);
  std::vector<std::string> sample = {"tile/2/000.p/1", "tile/1/000", "tile/1/001.p/1", "tile/0/257.p/44",
                                     "tile/entries/257.p/44"};
  for (int i = 0; i < 25; ++i) sample.push_back(files[random() % files.size()]);
  for (const std::string& path : sample) {
    const std::string bytes = ReadFile(log.folder() / path);
    const size_t at = random() % bytes.size();
    {
      const Editor editor(log.folder() / path);
      editor.Put(at, static_cast<char>(bytes[at] ^ (1 << random() % 8)));
      for (const unsigned threads : {1u, 4u}) {
        ASSERT_TRUE(Names(Check(log.folder(), Options(threads)), MayName(path))) << path << " at " << at;
      }
      editor.Put(at, bytes[at]);
    }
  }
  EXPECT_TRUE(Good(Check(log.folder(), Options(4))));
}

TEST_F(VerifyTest, AByteMoreOrLessInAnyFileIsFound) {
  const LogFolder log = Whole("log");
  for (const std::string& path : Files(log.folder())) {
    const std::string bytes = ReadFile(log.folder() / path);
    for (const std::string& other :
         {bytes + std::string(1, '\0'), bytes + "\n", bytes + bytes, bytes.substr(0, bytes.size() - 1),
          bytes.substr(1), bytes.substr(0, bytes.size() / 2), std::string()}) {
      WriteFile(log.folder() / path, other);
      ASSERT_TRUE(Names(Check(log.folder()), {path})) << path << ", now of " << other.size();
    }
    WriteFile(log.folder() / path, bytes);
  }
  EXPECT_TRUE(Good(Check(log.folder())));
}

TEST_F(VerifyTest, AFileThatIsGoneIsMissedUnlessItMayGo) {
  const LogFolder log = Whole("log");
  for (const std::string& path : Files(log.folder())) {
    const std::string bytes = ReadFile(log.folder() / path);
    Remove(log.folder(), path);
    const Report report = Check(log.folder());
    if (Stale(path, log.checkpoint().size)) {
      EXPECT_TRUE(Good(report)) << path;  // a publisher may clear away what has grown since
    } else if (path == "previous") {
      EXPECT_TRUE(Good(report));
      EXPECT_FALSE(report.previous);  // only its word that it goes on from another log is gone
    } else {
      EXPECT_TRUE(Names(report, {path})) << path;
      EXPECT_EQ(report.unreadable, path == "checkpoint");
    }
    WriteFile(log.folder() / path, bytes);
  }
  EXPECT_TRUE(Good(Check(log.folder())));
}

TEST_F(VerifyTest, AFileThatDoesNotBelongIsNamed) {
  const LogFolder log = Log("log", 300);
  for (const std::string path : {"readme",           "checkpoint~",      "checkpoint.tmp",
                                 "Checkpoint",       "previous.p/1",     "tile/0/000~",
                                 "tile/0/000.p/256", "tile/0/000.p/0",   "tile/0/000.p/01",
                                 "tile/0/0000",      "tile/0/x000/000",  "tile/00/000",
                                 "tile/entries/0",   "tile/data/000",    "tile/8/0/000",
                                 "tile/6/000",       "tile/7/000.p/1",   "tile/0/000.p/1/2",
                                 ".hidden",          "tile/.hidden",     "folder/folder/file",
                                 "tile/0/002",       "tile/0/002.p/1",   "tile/entries/002.p/1",
                                 "tile/1/001.p/1",   "tile/2/000.p/1",   "tile/5/000",
                                 "tile/0/001",       "tile/0/001.p/45",  "tile/1/000.p/2",
                                 "tile/1/000",       "tile/entries/001", "tile/entries/x123/456"}) {
    WriteFile(log.folder() / path, ReadFile(log.folder() / "tile/0/000"));
    EXPECT_TRUE(Names(Check(log.folder()), {path})) << path;
    Remove(log.folder(), path);
  }
  EXPECT_TRUE(Good(Check(log.folder())));
}

// Of a number so large that 256 times it comes round to a tile that exists.
TEST_F(VerifyTest, ATileOfANumberBeyondAllLogsDoesNotBelong) {
  const LogFolder log = Log("log", 300);
  for (const uint64_t index : {uint64_t{1} << 55, uint64_t{1} << 56, (uint64_t{1} << 56) + 1,
                               uint64_t{1} << 60, (uint64_t{1} << 60) - 1}) {
    for (const uint32_t width : {256u, 1u}) {
      for (const auto kind : {TileName::Kind::kHashes, TileName::Kind::kEntries}) {
        const std::string path = TileName{kind, 0, index, width}.Path();
        WriteFile(log.folder() / path, "whatever");
        EXPECT_TRUE(Names(Check(log.folder()), {path})) << path;
        Remove(log.folder(), path);
      }
    }
  }
  EXPECT_TRUE(Good(Check(log.folder())));
}

// Nobody's memory may depend on what a checkpoint claims.
TEST_F(VerifyTest, ACheckpointOfMoreEntriesThanThereAreFilesIsRefusedAtOnce) {
  for (const uint64_t size : {uint64_t{1} << 47, (uint64_t{1} << 48) - 1, uint64_t{1} << 48,
                              uint64_t{1} << 56, (uint64_t{1} << 63) - 1}) {
    const LogFolder log = Log("log" + std::to_string(size), 300);
    const Checkpoint claimed{kOrigin, size, LeafHash("root")};
    WriteFile(log.folder() / "checkpoint", Note{claimed.Body(), {log.key().Sign(claimed.Body())}}.Text());
    Report report;
    EXPECT_NO_THROW(report = Check(log.folder())) << size;
    EXPECT_FALSE(report.problems.empty()) << size;
  }
}

TEST_F(VerifyTest, ALinkIsNotTakenForAFileOrAFolder) {
  const LogFolder log = Log("log", 300);
  for (const std::string path : {"tile/0/000", "tile/entries/001.p/44", "tile/0", "tile/entries", "tile"}) {
    fs::rename(log.folder() / path, base_ / "elsewhere");
    fs::create_symlink(base_ / "elsewhere", log.folder() / path);
    EXPECT_TRUE(Names(Check(log.folder()), {path})) << path;
    VerifyOptions live = Options();
    live.live = true;
    EXPECT_TRUE(Names(Check(log.folder(), live), {path})) << path;
    fs::remove(log.folder() / path);
    fs::rename(base_ / "elsewhere", log.folder() / path);
  }
  ASSERT_EQ(mkfifo((log.folder() / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(Names(Check(log.folder()), {"pipe"}));
  fs::remove(log.folder() / "pipe");
  EXPECT_TRUE(Good(Check(log.folder())));
}

TEST_F(VerifyTest, AFolderInAFilesPlaceIsNoFile) {
  const LogFolder log = Log("log", 300);
  for (const std::string path : {"tile/0/000", "tile/entries/001.p/44", "tile/1/000.p/1"}) {
    fs::rename(log.folder() / path, base_ / "elsewhere");
    fs::create_directories(log.folder() / path);
    EXPECT_TRUE(Names(Check(log.folder()), {path, "tile/entries"})) << path;
    fs::remove(log.folder() / path);
    fs::rename(base_ / "elsewhere", log.folder() / path);
  }
}

TEST_F(VerifyTest, TilesAheadOfTheCheckpointAreRefusedUnlessItIsLive) {
  LogFolder log = Log("log", 300);
  log.WriteTiles(Commitments(300, 900));
  // Of tiles and bundles each one that has grown, one that is full and one that is not; one more at level 1.
  const Report report = Check(log.folder());
  EXPECT_FALSE(report.problems.empty());
  for (const std::string& problem : report.problems) {
    EXPECT_NE(problem.find("goes beyond the checkpoint's 300 entries"), std::string::npos) << problem;
  }
  VerifyOptions live = Options();
  live.live = true;
  const Report passed = Check(log.folder(), live);
  EXPECT_TRUE(Good(passed));
  EXPECT_EQ(passed.checkpoint.size, 300u);
  EXPECT_EQ(passed.files_ahead, 7u);
  // What belongs to the checkpoint is looked at as ever.
  const Editor editor(log.folder() / "tile/0/001.p/44");
  editor.Put(7, 'x');
  EXPECT_TRUE(Names(Check(log.folder(), live), {"tile/0/001.p/44"}));
}

TEST_F(VerifyTest, EntriesSwappedDroppedOrAddedAreFoundWhateverWasRewrittenWithThem) {
  const auto commitments = Commitments(0, 300);
  const LogFolder log = Log("log", 300);
  const auto rewritten = [&](std::vector<std::string> entries, const std::string& name) {
    // Everything made anew from these entries, but for the checkpoint, which nobody else can sign.
    LogFolder other(base_ / name, Key(kOrigin));
    other.Publish(entries);
    WriteFile(other.folder() / "checkpoint", log.note());
    return Check(other.folder());
  };
  EXPECT_TRUE(Good(rewritten(commitments, "same")));
  auto swapped = commitments;
  std::swap(swapped[17], swapped[270]);
  EXPECT_TRUE(Names(rewritten(swapped, "swapped"), {"checkpoint"}));
  auto dropped = commitments;
  dropped.erase(dropped.begin() + 100);
  EXPECT_FALSE(rewritten(dropped, "dropped").problems.empty());
  dropped.push_back(commitments[100]);
  EXPECT_TRUE(Names(rewritten(dropped, "moved"), {"checkpoint"}));
  auto added = commitments;
  added.push_back(commitments[0]);
  EXPECT_FALSE(rewritten(added, "added").problems.empty());
  auto changed = commitments;
  changed[299] = Commit(std::string(32, 'x'), "other");
  EXPECT_TRUE(Names(rewritten(changed, "changed"), {"checkpoint"}));

  // Two entries of a bundle change places, and nothing else.
  std::string bundle = ReadFile(log.folder() / "tile/entries/000");
  const std::string first = bundle.substr(0, 34), second = bundle.substr(34, 34);
  bundle.replace(0, 68, second + first);
  WriteFile(log.folder() / "tile/entries/000", bundle);
  EXPECT_TRUE(Names(Check(log.folder()), {"tile/0/000"}));
  // Their hashes too: then the tile above no longer fits.
  std::string tile = ReadFile(log.folder() / "tile/0/000");
  tile = tile.substr(32, 32) + tile.substr(0, 32) + tile.substr(64);
  WriteFile(log.folder() / "tile/0/000", tile);
  EXPECT_TRUE(Names(Check(log.folder()), {"tile/1/000.p/1"}));
}

TEST_F(VerifyTest, AnEntryOfAnotherLengthIsNamedWithItsNumber) {
  const LogFolder log = Log("log", 300);
  // As many bytes in all: 31 in one entry, 33 in the next.
  std::string bundle = ReadFile(log.folder() / "tile/entries/001.p/44");
  std::string other;
  AppendEntry(other, bundle.substr(2, 31));
  AppendEntry(other, bundle.substr(35, 33));
  bundle.replace(0, 68, other);
  WriteFile(log.folder() / "tile/entries/001.p/44", bundle);
  const Report report = Check(log.folder());
  ASSERT_TRUE(Names(report, {"tile/entries/001.p/44"}));
  EXPECT_NE(report.problems[0].find("entry 256 "), std::string::npos);
}

TEST_F(VerifyTest, AnotherKeyDoesNotOpenTheCheckpoint) {
  const LogFolder log = Log("log", 3);
  const auto with = [&](const VerifierKey& key) {
    VerifyOptions options;
    options.key = key;
    return Check(log.folder(), options);
  };
  EXPECT_TRUE(Good(with(Key(kOrigin).verifier())));
  for (const SigningKey& other : {Key(kOrigin, 'x'), Key("waarborg.example/other"),
                                  Key("waarborg.example/lo"), Key(kOrigin, 's', KeyType::kCosignature)}) {
    const Report report = with(other.verifier());
    EXPECT_TRUE(Names(report, {"checkpoint"})) << other.verifier().Text();
    EXPECT_FALSE(report.signature_checked);
  }
}

TEST_F(VerifyTest, WithoutAKeyEverythingButTheSignatureIsChecked) {
  const LogFolder log = Log("log", 300);
  VerifyOptions none;
  Report report = Check(log.folder(), none);
  EXPECT_TRUE(Good(report));
  EXPECT_FALSE(report.signature_checked);
  const Editor editor(log.folder() / "tile/1/000.p/1");
  editor.Put(0, 'x');
  EXPECT_TRUE(Names(Check(log.folder(), none), {"tile/1/000.p/1"}));
}

TEST_F(VerifyTest, WitnessesAreCountedAndWrongOnesReject) {
  LogFolder log = Log("log", 300);
  const std::string text = log.checkpoint().Body();
  const SigningKey a = Key("a.example", 'a', KeyType::kCosignature),
                   b = Key("b.example", 'b', KeyType::kCosignature),
                   c = Key("c.example", 'c', KeyType::kCosignature);
  VerifyOptions options = Options();
  options.witnesses = {a.verifier(), b.verifier(), c.verifier()};
  const auto with = [&](std::vector<Signature> cosignatures, size_t quorum) {
    log.WriteSigned(cosignatures);
    options.quorum = quorum;
    return Check(log.folder(), options);
  };
  EXPECT_TRUE(Good(with({}, 0)));
  EXPECT_TRUE(Names(with({}, 1), {"checkpoint"}));
  EXPECT_TRUE(Good(with({a.Cosign(text, 5)}, 1)));
  EXPECT_TRUE(Names(with({a.Cosign(text, 5)}, 2), {"checkpoint"}));
  const Report both = with({b.Cosign(text, 6), a.Cosign(text, 5)}, 2);
  EXPECT_TRUE(Good(both));
  EXPECT_EQ(both.cosignatures, 2u);
  // Of another text, changed, twice, or of a witness that was not named.
  EXPECT_TRUE(Names(with({a.Cosign(text, 5), b.Cosign(text + "x", 6)}, 1), {"checkpoint"}));
  Signature wrong = a.Cosign(text, 5);
  wrong.blob[7] = 6;
  EXPECT_TRUE(Names(with({wrong}, 0), {"checkpoint"}));
  EXPECT_TRUE(Names(with({a.Cosign(text, 5), a.Cosign(text, 6)}, 1), {"checkpoint"}));
  EXPECT_TRUE(Names(with({Key("d.example", 'd', KeyType::kCosignature).Cosign(text, 5)}, 0), {"checkpoint"}));
  EXPECT_TRUE(Names(with({log.key().Sign(text)}, 0), {"checkpoint"}));
}

TEST_F(VerifyTest, OneWitnessNamedTwiceMakesNoQuorumOfTwo) {
  LogFolder log = Log("log", 3);
  const SigningKey a = Key("a.example", 'a', KeyType::kCosignature);
  log.WriteSigned({a.Cosign(log.checkpoint().Body(), 5)});
  for (const bool with_key : {true, false}) {
    VerifyOptions options;
    if (with_key) options.key = log.key().verifier();
    options.witnesses = {a.verifier(), a.verifier()};
    options.quorum = 2;
    EXPECT_TRUE(Names(Check(log.folder(), options), {"checkpoint"})) << with_key;
    options.quorum = 1;
    EXPECT_TRUE(Good(Check(log.folder(), options))) << with_key;
  }
}

TEST_F(VerifyTest, AnOlderCheckpointIsTheBeginningOfThisOneOrTheLogIsRefused) {
  LogFolder log = Log("log", 0);
  std::vector<std::pair<uint64_t, std::string>> older = {{0, log.note()}};
  for (const uint64_t size : {1u, 3u, 255u, 256u, 257u, 700u}) {
    log.Publish(Commitments(log.checkpoint().size, size));
    older.emplace_back(size, log.note());
  }
  VerifyOptions options = Options();
  for (const auto& [size, note] : older) {
    options.since = note;
    const Report report = Check(log.folder(), options);
    EXPECT_TRUE(Good(report)) << size;
    ASSERT_TRUE(report.since);
    EXPECT_EQ(report.since->size, size);
  }

  const auto refused = [&](const std::string& note, const std::string& why) {
    options.since = note;
    const Report report = Check(log.folder(), options);
    EXPECT_NE(Problems(report).find(why), std::string::npos) << why << ": " << Problems(report);
  };
  const auto sign = [&](const Checkpoint& c, char seed = 's') {
    return Note{c.Body(), {Key(c.origin, seed).Sign(c.Body())}}.Text();
  };
  // A fork: another entry somewhere before the older checkpoint.
  auto forked = Commitments(0, 300);
  forked[123] = Commit(std::string(32, 'f'), "fork");
  LogFolder fork(base_ / "fork", Key(kOrigin));
  fork.Publish(forked);
  refused(fork.note(), "the first 300 entries are not those");
  // At the same size, too.
  refused(sign({kOrigin, 700, LeafHash("other")}), "the first 700 entries are not those");
  // A log that was longer once.
  LogFolder longer = Log("longer", 701);
  refused(longer.note(), "shorter than it was: 701 entries then, 700 now");
  refused(sign({"waarborg.example/other", 3, LeafHash("x")}), "the older checkpoint");
  refused(sign({kOrigin, 3, LeafHash("x")}, 'x'), "the older checkpoint");
  refused("", "the older checkpoint");
  refused(older[2].second + "\n", "the older checkpoint");
  refused(older[2].second.substr(1), "the older checkpoint");
  std::string changed = older[2].second;
  changed[changed.size() - 5] ^= 1;
  refused(changed, "the older checkpoint");

  // Without a key an older checkpoint of another origin is another log's all the same.
  options.key.reset();
  refused(sign({"waarborg.example/other", 3, LeafHash("x")}), "of another log");
}

TEST_F(VerifyTest, TheLogBeforeIsWhatEntryZeroCommitsTo) {
  const LogFolder log = Whole("log");
  const Report report = Check(log.folder());
  ASSERT_TRUE(Good(report));
  ASSERT_TRUE(report.previous);
  EXPECT_EQ(report.previous->origin, "waarborg.example/older");
  EXPECT_EQ(report.previous->size, 12u);
  EXPECT_EQ(report.previous->root, LeafHash("older"));

  const auto refused = [&](const PreviousFile& previous) {
    log.WritePrevious(previous);
    return Names(Check(log.folder()), {"previous"});
  };
  EXPECT_TRUE(refused({std::string(32, 'q'), Continued()}));
  waarborg::v1::AuditRecord record;
  record.ParseFromString(Continued());
  record.set_previous_size(13);
  EXPECT_TRUE(refused({std::string(32, 'p'), record.SerializeAsString()}));
  EXPECT_TRUE(refused({std::string(32, 'p'), ""}));
  record.clear_previous_root();
  EXPECT_TRUE(refused({std::string(32, 'p'), record.SerializeAsString()}));

  // Of a log without entries there is nothing that commits to it, and of one whose first entry says nothing
  // of another log neither.
  const LogFolder empty = Log("none", 0);
  empty.WritePrevious({std::string(32, 'p'), Continued()});
  EXPECT_TRUE(Names(Check(empty.folder()), {"previous"}));
  waarborg::v1::AuditRecord started;
  started.set_event("SystemStarted");
  record.ParseFromString(Continued());
  record.set_previous_root(std::string(31, 'r'));
  const std::string short_root = record.SerializeAsString();
  record.clear_previous_root();
  const std::string no_root = record.SerializeAsString();
  for (const std::string& bytes :
       {started.SerializeAsString(), short_root, no_root, std::string("no record")}) {
    EXPECT_FALSE(PreviousOf(bytes));
    LogFolder other(base_ / ("other" + std::to_string(bytes.size())), Key(kOrigin));
    other.Publish({Commit(std::string(32, 'p'), bytes)});
    other.WritePrevious({std::string(32, 'p'), bytes});
    EXPECT_TRUE(Names(Check(other.folder()), {"previous"})) << bytes.size();
  }
}

TEST_F(VerifyTest, ManyProblemsAreCutOff) {
  const LogFolder log = Log("log", 3);
  for (int i = 0; i < 50; ++i) WriteFile(log.folder() / ("extra" + std::to_string(i)), "x");
  EXPECT_EQ(Check(log.folder()).problems.size(), 20u);
}

TEST_F(VerifyTest, AProofFileHoldsAndEveryBitOfItCounts) {
  const LogFolder log = Log("log", 700);
  for (const uint64_t index : {uint64_t{0}, uint64_t{321}, uint64_t{699}}) {
    ProofFile proof = log.Prove(index);
    proof.extra = Commitments(index, index + 1)[0];
    const std::string text = proof.Text();
    const auto back = ProofFile::Parse(text);
    ASSERT_TRUE(back.ok()) << back.error();
    EXPECT_EQ(back->Text(), text);
    EXPECT_EQ(back->index, index);
    EXPECT_EQ(back->extra, proof.extra);

    // What catches a change: the grammar, the path to the root, or the signature under it.
    std::map<std::string, size_t> caught;
    const auto holds = [&](const std::string& bytes) {
      const auto file = ProofFile::Parse(bytes);
      if (!file.ok()) return ++caught["grammar"], false;
      const Checkpoint& c = file->checkpoint.checkpoint;
      if (!VerifyInclusion(file->index, c.size, LeafHash(*file->extra), file->proof, c.root)) {
        return ++caught["path"], false;
      }
      if (!OpenCheckpoint(file->checkpoint.note.Text(), log.key().verifier()).ok()) {
        return ++caught["signature"], false;
      }
      return true;
    };
    EXPECT_TRUE(holds(text));
    for (size_t bit = 0; bit < text.size() * 8; ++bit) {
      std::string changed = text;
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
      ASSERT_FALSE(holds(changed)) << "bit " << bit % 8 << " of byte " << bit / 8;
    }
    for (size_t size = 0; size < text.size(); ++size) ASSERT_FALSE(holds(text.substr(0, size))) << size;
    EXPECT_FALSE(holds(text + "\n"));
    for (const char* layer : {"grammar", "path", "signature"}) EXPECT_GT(caught[layer], 50u) << layer;
  }
}

TEST_F(VerifyTest, ALinesOfAProofFileHaveOneSpellingAndOneOrder) {
  const LogFolder log = Log("log", 5);
  const std::string text = log.Prove(3).Text();
  const std::string head = "c2sp.org/tlog-proof@v1\n";
  ASSERT_TRUE(text.starts_with(head + "index 3\n"));
  const std::string rest = text.substr(head.size() + 8);
  const std::string hash = rest.substr(0, 45);
  ASSERT_TRUE(ProofFile::Parse(head + "extra Zm9v\nindex 3\n" + rest).ok());
  ASSERT_TRUE(ProofFile::Parse(head + "extra \nindex 3\n" + rest).ok());
  std::string sixty, more;
  for (int i = 0; i < 60; ++i) sixty += hash;
  EXPECT_TRUE(ProofFile::Parse(head + "index 3\n" + sixty + rest).ok());
  more = sixty + hash;
  const std::vector<std::string> kBad = {head + rest,
                                         head + "index 03\n" + rest,
                                         head + "index +3\n" + rest,
                                         head + "index \n" + rest,
                                         head + "index 3 \n" + rest,
                                         head + "Index 3\n" + rest,
                                         head + "index 3\nextra Zm9v\n" + rest,
                                         head + "extra Zm9v\nextra Zm9v\nindex 3\n" + rest,
                                         head + "extra Zm9\nindex 3\n" + rest,
                                         head + "extra\nindex 3\n" + rest,
                                         head + "index 9223372036854775808\n" + rest,
                                         head + "index 3\nindex 3\n" + rest,
                                         head + "index 3\n\n" + rest,
                                         head + "\nindex 3\n" + rest,
                                         "c2sp.org/tlog-proof@v2\nindex 3\n" + rest,
                                         "c2sp.org/tlog-proof@v1\r\nindex 3\n" + rest,
                                         head + "index 3\n" + more + rest,
                                         head + "index 3\n" + hash.substr(0, 43) + "\n" + rest};
  for (const std::string& bad : kBad) {
    EXPECT_FALSE(ProofFile::Parse(bad).ok()) << bad;
  }
}

TEST_F(VerifyTest, AnOpeningHoldsAndEveryBitOfItCounts) {
  LogFolder log(base_ / "log", Key(kOrigin));
  const std::string key(32, 'K'), record = Continued();
  auto entries = Commitments(0, 300);
  entries[77] = Commit(key, record);
  log.Publish(entries);
  for (const bool extra : {false, true}) {
    OpeningFile opening{key, record, log.Prove(77)};
    if (extra) opening.proof.extra = entries[77];
    const std::string text = opening.Text();
    const auto back = OpeningFile::Parse(text);
    ASSERT_TRUE(back.ok()) << back.error();
    EXPECT_EQ(back->Text(), text);
    EXPECT_EQ(back->key, key);
    EXPECT_EQ(back->record, record);
    EXPECT_TRUE(back->Holds());
    EXPECT_TRUE(ReadRecord(back->record).ok());

    std::map<std::string, size_t> caught;
    const auto holds = [&](const std::string& bytes) {
      const auto file = OpeningFile::Parse(bytes);
      if (!file.ok()) return ++caught["grammar"], false;
      if (!file->Holds()) return ++caught["Holds"], false;
      if (!OpenCheckpoint(file->proof.checkpoint.note.Text(), log.key().verifier()).ok()) {
        return ++caught["signature"], false;
      }
      return true;
    };
    EXPECT_TRUE(holds(text));
    for (size_t bit = 0; bit < text.size() * 8; ++bit) {
      std::string changed = text;
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
      ASSERT_FALSE(holds(changed)) << "bit " << bit % 8 << " of byte " << bit / 8;
    }
    for (size_t size = 0; size < text.size(); ++size) ASSERT_FALSE(holds(text.substr(0, size))) << size;
    EXPECT_FALSE(holds(text + "\n"));
    for (const char* layer : {"grammar", "Holds", "signature"}) EXPECT_GT(caught[layer], 50u) << layer;
  }
  // The opening of one entry does not open another, nor this one in another log.
  OpeningFile other{key, record, log.Prove(78)};
  EXPECT_FALSE(other.Holds());
  const LogFolder elsewhere = Log("elsewhere", 300);
  other.proof = elsewhere.Prove(77);
  EXPECT_FALSE(other.Holds());
  other.proof = log.Prove(77);
  EXPECT_TRUE(other.Holds());
  other.proof.index = 300;
  EXPECT_FALSE(other.Holds());
}

TEST_F(VerifyTest, AnOpeningHasOneSpelling) {
  const LogFolder log = Log("log", 5);
  const std::string proof = log.Prove(3).Text(), key = "key " + Base64(std::string(32, 'K')) + "\n",
                    record = "record " + Base64(Continued()) + "\n", head = "waarborg/opening@v1\n";
  ASSERT_TRUE(OpeningFile::Parse(head + key + record + "\n" + proof).ok());
  ASSERT_TRUE(OpeningFile::Parse(head + key + "record \n\n" + proof).ok());
  const std::vector<std::string> kBad = {
      head + record + key + "\n" + proof,
      head + key + record + proof,
      head + key + record + "\n\n" + proof,
      head + key + "\n" + proof,
      head + "key " + Base64(std::string(31, 'K')) + "\n" + record + "\n" + proof,
      head + "key " + Base64(std::string(33, 'K')) + "\n" + record + "\n" + proof,
      head + key + key + record + "\n" + proof,
      "waarborg/opening@v2\n" + key + record + "\n" + proof,
      "waarborg/previous@v1\n" + key + record + "\n" + proof,
      head + key + "record Zg\n\n" + proof,
      head + key + record + "\n",
      head + key + record};
  for (const std::string& bad : kBad) {
    EXPECT_FALSE(OpeningFile::Parse(bad).ok()) << bad;
  }
  ASSERT_TRUE(PreviousFile::Parse("waarborg/previous@v1\n" + key + record).ok());
  EXPECT_EQ(PreviousFile::Parse("waarborg/previous@v1\n" + key + record)->Text(),
            "waarborg/previous@v1\n" + key + record);
  const std::vector<std::string> kBadToo = {
      head + key + record,
      "waarborg/previous@v1\n" + key,
      "waarborg/previous@v1\n" + key + record + "\n",
      "waarborg/previous@v1\n" + record + key,
      "waarborg/previous@v1\n\n" + key + record,
      "\nwaarborg/previous@v1\n" + key + record,
      "waarborg/previous@v1\r\n" + key + record,
      "waarborg/previous@v1\n" + key + record.substr(0, record.size() - 1)};
  for (const std::string& bad : kBadToo) {
    EXPECT_FALSE(PreviousFile::Parse(bad).ok()) << bad;
  }
}

TEST(Record, IsReadInItsOneFormAndToldInWords) {
  waarborg::v1::AuditRecord record;
  record.set_event("CheckVisitor");
  record.set_role(waarborg::v1::ROLE_CIVIL_AFFAIRS);
  record.set_at_ms(1772460309123);
  record.add_recipient_unit_ids("north");
  record.add_recipient_unit_ids("south");
  record.set_replayed(true);
  const std::string bytes = record.SerializeAsString();
  const auto fields = ReadRecord(bytes);
  ASSERT_TRUE(fields.ok()) << fields.error();
  const RecordFields expected = {
      {"event", "CheckVisitor"},       {"role", "civil-affairs"},       {"at", "2026-03-02 14:05:09.123 UTC"},
      {"recipient-unit-ids", "north"}, {"recipient-unit-ids", "south"}, {"replayed", "yes"}};
  EXPECT_EQ(*fields, expected);
  // The same fields in another order, a field twice, a default written out, and one that nobody knows.
  waarborg::v1::AuditRecord event;
  event.set_event("CheckVisitor");
  EXPECT_FALSE(ReadRecord(bytes + event.SerializeAsString()).ok());
  EXPECT_FALSE(ReadRecord(event.SerializeAsString() + event.SerializeAsString()).ok());
  EXPECT_FALSE(ReadRecord(bytes.substr(0, bytes.size() - 1)).ok());
  EXPECT_FALSE(ReadRecord(event.SerializeAsString() + std::string("\x10\x00", 2)).ok());
  EXPECT_FALSE(ReadRecord(bytes + "\xFA\x7F\x01x").ok());
  EXPECT_FALSE(PreviousOf(bytes));
  EXPECT_TRUE(PreviousOf(Continued()));
  EXPECT_FALSE(PreviousOf(Continued() + "\xFA\x7F\x01x"));
}

TEST(Record, ARepeatedEnumeratorIsAWordEachTime) {
  waarborg::v1::AuditRecord record;
  record.set_event("PhotoDestroyed");
  record.set_destroyed_generation(12);
  record.add_checks(waarborg::v1::DESTRUCTION_CHECK_KEY_ABSENT);
  record.add_checks(waarborg::v1::DESTRUCTION_CHECK_OLD_GENERATION_GONE);
  record.set_key_home(waarborg::v1::KEY_HOME_FILE);
  const auto fields = ReadRecord(record.SerializeAsString());
  ASSERT_TRUE(fields.ok()) << fields.error();
  const RecordFields expected = {{"event", "PhotoDestroyed"},
                                 {"destroyed-generation", "12"},
                                 {"checks", "key-absent"},
                                 {"checks", "old-generation-gone"},
                                 {"key-home", "file"}};
  EXPECT_EQ(*fields, expected);
}

// Whatever kind a field is of, and those that are still to come.
TEST(Record, EveryFieldIsRead) {
  using google::protobuf::FieldDescriptor;
  waarborg::v1::AuditRecord record;
  const auto& how = *record.GetReflection();
  size_t count = 0;
  for (int i = 0; i < record.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* f = record.GetDescriptor()->field(i);
    for (int n = f->is_repeated() ? 3 : 1; n > 0; --n, ++count) {
      const bool many = f->is_repeated();
      switch (f->cpp_type()) {
        case FieldDescriptor::CPPTYPE_STRING:
          many ? how.AddString(&record, f, "text") : how.SetString(&record, f, "text");
          break;
        case FieldDescriptor::CPPTYPE_ENUM:
          many ? how.AddEnumValue(&record, f, 1) : how.SetEnumValue(&record, f, 1);
          break;
        case FieldDescriptor::CPPTYPE_BOOL:
          many ? how.AddBool(&record, f, true) : how.SetBool(&record, f, true);
          break;
        case FieldDescriptor::CPPTYPE_INT64:
          many ? how.AddInt64(&record, f, 7) : how.SetInt64(&record, f, 7);
          break;
        case FieldDescriptor::CPPTYPE_UINT64:
          many ? how.AddUInt64(&record, f, 7) : how.SetUInt64(&record, f, 7);
          break;
        default:
          FAIL() << f->name() << " is of a kind that this test does not fill in yet";
      }
    }
  }
  const auto fields = ReadRecord(record.SerializeAsString());
  ASSERT_TRUE(fields.ok()) << fields.error();
  EXPECT_EQ(fields->size(), count);
  for (const auto& [name, value] : *fields) EXPECT_FALSE(value.empty()) << name;
}

TEST(Record, ATimeBefore1970IsATime) {
  waarborg::v1::AuditRecord record;
  for (const auto& [ms, text] :
       std::vector<std::pair<int64_t, std::string>>{{1, "1970-01-01 00:00:00.001 UTC"},
                                                    {999, "1970-01-01 00:00:00.999 UTC"},
                                                    {-1, "1969-12-31 23:59:59.999 UTC"},
                                                    {-1000, "1969-12-31 23:59:59.000 UTC"},
                                                    {-1001, "1969-12-31 23:59:58.999 UTC"}}) {
    record.set_at_ms(ms);
    const auto fields = ReadRecord(record.SerializeAsString());
    ASSERT_TRUE(fields.ok() && fields->size() == 1);
    EXPECT_EQ((*fields)[0].second, text);
  }
  for (const int64_t ms : {INT64_MIN, INT64_MIN + 1, INT64_MAX}) {
    record.set_at_ms(ms);
    EXPECT_TRUE(ReadRecord(record.SerializeAsString()).ok());
  }
}

}  // namespace
}  // namespace waarborg::audit

// SPDX-License-Identifier: EUPL-1.2
#include "audit/witness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <thread>
#include <utility>

#include "audit/certificate.h"
#include "audit/opening.h"
#include "audit/text.h"
#include "audit/tiles.h"
#include "audit/witness_http.h"
#include "waarborg/v1/audit.pb.h"

namespace waarborg::audit {
namespace {

constexpr char kOrigin[] = "log.example.org/bans";
constexpr uint64_t kNow = 1'790'000'000;

SigningKey KeyOf(const std::string& name, KeyType type, char seed) {
  return *SigningKey::FromSeed(name, type, std::string(32, seed));
}

// A log in memory: entries, their openings, and what can be said about them at every size.
class SmallLog {
 public:
  explicit SmallLog(const std::string& origin = kOrigin, char seed = 'l')
      : key_(KeyOf(origin, KeyType::kEd25519, seed)) {}

  void Append(const std::string& record) {
    records_.push_back(record);
    entries_.push_back(Commit(KeyAt(records_.size() - 1), record));
    edge_.Append(LeafHash(entries_.back()), [this](const TileName& name, const std::vector<Hash>& hashes) {
      full_[{name.level, name.index}] = hashes;
    });
  }
  void Grow(size_t size, const std::string& what = "record ") {
    while (entries_.size() < size) Append(what + std::to_string(entries_.size()));
  }

  const VerifierKey& key() const { return key_.verifier(); }
  uint64_t size() const { return entries_.size(); }
  const std::string& entry(size_t i) const { return entries_[i]; }
  ReadTile reader() const {
    return [this](int level, uint64_t index, uint32_t) -> std::optional<std::vector<Hash>> {
      if (const auto found = full_.find({level, index}); found != full_.end()) return found->second;
      const auto at = static_cast<size_t>(level);
      if (at >= edge_.edges().size() || index != HashesAt(level, size()) / kTileWidth) return std::nullopt;
      return edge_.edges()[at];
    };
  }
  Hash RootOfFirst(uint64_t size) const { return *RootAt(size, reader()); }
  Checkpoint At(uint64_t size) const { return {key_.verifier().name(), size, RootOfFirst(size)}; }
  std::string Signed(uint64_t size) const { return Sign(At(size)); }
  std::string Sign(const Checkpoint& checkpoint) const {
    const std::string body = checkpoint.Body();
    return Note{body, {key_.Sign(body)}}.Text();
  }
  Proof Consistency(uint64_t from, uint64_t to) const { return *ProveConsistency(from, to, reader()); }
  AddCheckpoint Request(uint64_t from, uint64_t to) const {
    return {from, Consistency(from, to), Signed(to)};
  }

  OpeningFile Open(uint64_t index, uint64_t size) const {
    OpeningFile out;
    out.key = KeyAt(index);
    out.record = records_[index];
    out.proof = ProofOf(index, size);
    out.proof.extra.reset();
    return out;
  }
  ProofFile ProofOf(uint64_t index, uint64_t size) const {
    ProofFile out;
    out.extra = entries_[index];
    out.index = index;
    out.proof = *ProveInclusion(index, size, reader());
    out.checkpoint = *ReadCheckpoint(Signed(size));
    return out;
  }

  void WriteTo(const std::string& folder, const std::string& checkpoint) const {
    ForEachTile(size(), [&](const TileName& name) {
      std::string bytes;
      if (name.kind == TileName::Kind::kEntries) {
        for (uint32_t i = 0; i < name.width; ++i) AppendEntry(bytes, entries_[name.index * kTileWidth + i]);
      } else {
        bytes = JoinHashes(*reader()(name.level, name.index, name.width));
      }
      const std::filesystem::path path = folder + "/" + name.Path();
      std::filesystem::create_directories(path.parent_path());
      std::ofstream(path, std::ios::binary) << bytes;
    });
    std::ofstream(folder + "/checkpoint", std::ios::binary) << checkpoint;
  }

 private:
  static std::string KeyAt(uint64_t index) {
    return std::string(31, 'k') + static_cast<char>('a' + index % 26);
  }

  SigningKey key_;
  TreeEdge edge_;
  std::vector<std::string> records_, entries_;
  std::map<std::pair<int, uint64_t>, std::vector<Hash>> full_;
};

class MapMemory : public WitnessMemory {
 public:
  bool Load(const std::string& origin, std::optional<std::string>& note) override {
    note.reset();
    if (const auto found = notes.find(origin); found != notes.end()) note = found->second;
    return can_load;
  }
  bool Save(const std::string& origin, const std::string& note) override {
    if (!can_save) return false;
    notes[origin] = note;
    ++saved;
    return true;
  }

  std::map<std::string, std::string> notes;
  // Also read and set while a server runs.
  std::atomic<int> saved = 0;
  std::atomic<bool> can_load = true, can_save = true;
};

const SigningKey& WitnessKey() {
  static const SigningKey key = KeyOf("witness.example.org/w1", KeyType::kCosignature, 'w');
  return key;
}

// A witness of one log, and a log of a thousand entries.
class WitnessTest : public ::testing::Test {
 protected:
  WitnessTest() : witness(WitnessKey(), {log.key()}, memory) { log.Grow(1000); }

  WitnessAnswer Ask(const AddCheckpoint& request) { return witness.Add(request.Text(), kNow); }
  WitnessReply Reply(const AddCheckpoint& request) {
    return ReadAnswer(Ask(request), request, WitnessKey().verifier());
  }

  SmallLog log;
  MapMemory memory;
  Witness witness;
};

TEST_F(WitnessTest, CosignsFromNothingAndThenWhatGoesOnFromThere) {
  uint64_t before = 0;
  for (uint64_t size : {1, 255, 256, 257, 999, 1000, 1000}) {
    const auto reply = Reply(log.Request(before, size));
    ASSERT_EQ(reply.kind, WitnessReply::Kind::kCosigned) << size << ": " << reply.why;
    EXPECT_EQ(reply.seconds, kNow);
    EXPECT_TRUE(Verify(WitnessKey().verifier(), log.At(size).Body(), reply.signature, nullptr));
    EXPECT_EQ(memory.notes[kOrigin], log.Signed(size));
    before = size;
  }
}

TEST_F(WitnessTest, CosignsAnEmptyLog) {
  EXPECT_EQ(Reply(log.Request(0, 0)).kind, WitnessReply::Kind::kCosigned);
  EXPECT_EQ(Reply(log.Request(0, 7)).kind, WitnessReply::Kind::kCosigned);
}

TEST_F(WitnessTest, SaysWhichSizeItKnowsWhenAskedFromAnother) {
  EXPECT_EQ(Ask(log.Request(0, 300)).status, 200);
  for (uint64_t old : {0, 1, 299, 301, 400}) {
    const auto answer = Ask(log.Request(old, 400));
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(answer.content_type, "text/x.tlog.size");
    EXPECT_EQ(answer.body, "300\n");
  }
  const auto reply = Reply(log.Request(0, 400));
  EXPECT_EQ(reply.kind, WitnessReply::Kind::kOtherSize);
  EXPECT_EQ(reply.size, 300u);
  EXPECT_EQ(Reply(log.Request(reply.size, 400)).kind, WitnessReply::Kind::kCosigned);
}

TEST_F(WitnessTest, ASizeThatIsNotKnownYetIsNought) {
  const auto answer = Ask(log.Request(5, 10));
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.body, "0\n");
}

TEST_F(WitnessTest, RefusesAnotherTreeOfTheSameSize) {
  EXPECT_EQ(Ask(log.Request(0, 300)).status, 200);
  Checkpoint other = log.At(300);
  other.root[0] ^= 1;
  const AddCheckpoint request{300, {}, log.Sign(other)};
  const auto answer = Ask(request);
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.content_type, kSizeType);
  const auto reply = ReadAnswer(answer, request, WitnessKey().verifier());
  EXPECT_EQ(reply.kind, WitnessReply::Kind::kConflict);
}

TEST_F(WitnessTest, RefusesEveryProofThatIsOneBitWrong) {
  EXPECT_EQ(Ask(log.Request(0, 300)).status, 200);
  const AddCheckpoint good = log.Request(300, 1000);
  ASSERT_GE(good.proof.size(), 5u);
  for (size_t h = 0; h < good.proof.size(); ++h) {
    for (size_t bit = 0; bit < 256; ++bit) {
      AddCheckpoint bad = good;
      bad.proof[h][bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
      ASSERT_EQ(Ask(bad).status, 422) << h << " " << bit;
    }
    AddCheckpoint less = good, more = good;
    less.proof.erase(less.proof.begin() + static_cast<ptrdiff_t>(h));
    more.proof.insert(more.proof.begin() + static_cast<ptrdiff_t>(h), good.proof[h]);
    EXPECT_EQ(Ask(less).status, 422);
    EXPECT_EQ(Ask(more).status, 422);
  }
  EXPECT_EQ(memory.notes[kOrigin], log.Signed(300));
  EXPECT_EQ(Reply(good).kind, WitnessReply::Kind::kCosigned);
}

TEST_F(WitnessTest, RefusesAProofWhereNoneBelongs) {
  AddCheckpoint request = log.Request(0, 300);
  request.proof.push_back(EmptyRoot());
  EXPECT_EQ(Ask(request).status, 422);
  EXPECT_EQ(Ask(log.Request(0, 300)).status, 200);
  request = log.Request(300, 300);
  request.proof.push_back(EmptyRoot());
  EXPECT_EQ(Ask(request).status, 422);
}

TEST_F(WitnessTest, RefusesAKeyItDoesNotKnow) {
  SmallLog impostor(kOrigin, 'i');
  impostor.Grow(10);
  EXPECT_EQ(Ask(impostor.Request(0, 10)).status, 403);
  EXPECT_EQ(Reply(impostor.Request(0, 10)).kind, WitnessReply::Kind::kRefused);
  EXPECT_EQ(memory.saved, 0);
}

TEST_F(WitnessTest, RefusesALogItDoesNotKnow) {
  SmallLog other("log.example.org/other");
  other.Grow(10);
  EXPECT_EQ(Ask(other.Request(0, 10)).status, 404);
  EXPECT_EQ(Reply(other.Request(0, 10)).kind, WitnessReply::Kind::kRefused);
}

// A house begins a new log each year, with the same key.
TEST_F(WitnessTest, KnowsTheOtherYearsOfALogAndNothingElseOfThatName) {
  const SmallLog known("waterdam.example/log/2026");
  Witness years(KeyOf("witness.example", KeyType::kCosignature, 'w'), {known.key()}, memory);
  const auto ask = [&](const std::string& origin, char seed) {
    SmallLog other(origin, seed);
    other.Grow(3);
    return years.Add(other.Request(0, 3).Text(), 1).status;
  };
  for (const char* origin : {"waterdam.example/log/2026", "waterdam.example/log/2027",
                             "waterdam.example/log/2026-2", "waterdam.example/log/2031-12"}) {
    EXPECT_EQ(ask(origin, 'l'), 200) << origin;
  }
  EXPECT_EQ(ask("waterdam.example/log/2028", 'i'), 403) << "another key";
  for (const char* origin :
       {"waterdam.example/log/2028-", "waterdam.example/log/2028-0", "waterdam.example/log/2028-123",
        "waterdam.example/log/20281", "waterdam.example/log/x", "waterdam.example/log/2028/1",
        "waterdam.example/2028", "elsewhere.example/log/2028"}) {
    EXPECT_EQ(ask(origin, 'l'), 404) << origin;
  }
}

TEST_F(WitnessTest, KeepsLogsApart) {
  SmallLog other("log.example.org/other");
  other.Grow(10);
  Witness both(WitnessKey(), {log.key(), other.key()}, memory);
  EXPECT_EQ(both.Add(log.Request(0, 300).Text(), kNow).status, 200);
  EXPECT_EQ(both.Add(other.Request(0, 10).Text(), kNow).status, 200);
  EXPECT_EQ(both.Add(log.Request(300, 301).Text(), kNow).status, 200);
}

TEST_F(WitnessTest, RefusesAnOldSizeBeyondTheNew) {
  EXPECT_EQ(Ask({301, {}, log.Signed(300)}).status, 400);
}

TEST_F(WitnessTest, RefusesWhatIsNotARequest) {
  const std::string note = log.Signed(10), hash = Base64(View(EmptyRoot()));
  std::string hashes;
  for (int i = 0; i < 64; ++i) hashes += hash + "\n";
  const std::vector<std::string> bodies = {
      "",
      "\n",
      "old 0",
      "old 0\n",
      "old 0\n\n",
      "old 0\n" + note,
      "old 0\n\n\n" + note,
      "old\n\n" + note,
      "old  0\n\n" + note,
      "old 0 \n\n" + note,
      "old 00\n\n" + note,
      "old +0\n\n" + note,
      "old -1\n\n" + note,
      "old 0x0\n\n" + note,
      "old 9223372036854775808\n\n" + note,
      "old 18446744073709551616\n\n" + note,
      "OLD 0\n\n" + note,
      " old 0\n\n" + note,
      "old 0\r\n\r\n" + note,
      "old 0\n" + hashes + "\n" + note,
      "old 0\n" + hash.substr(1) + "\n\n" + note,
      "old 0\n" + hash + " \n\n" + note,
      "old 0\nAAAA\n\n" + note,
      "old 0\n\n" + note.substr(0, note.size() - 1),
      "old 0\n\n" + note + "\n",
      "old 0\n\n" + note + "more",
      "old 0\n\n" + log.At(10).Body(),
      "old 0\n\n" + std::string(kOrigin) + "\n10\n",
      std::string("old 0\n\n\0", 8) + note,
      "old 0\n\n" + std::string(kMaxWitnessRequest, 'a'),
  };
  for (const std::string& body : bodies) EXPECT_EQ(witness.Add(body, kNow).status, 400) << body.substr(0, 60);
  EXPECT_EQ(memory.saved, 0);
}

TEST_F(WitnessTest, RefusesEveryRequestThatIsCutShort) {
  const std::string body = log.Request(0, 10).Text();
  for (size_t size = 0; size < body.size(); ++size) {
    ASSERT_EQ(witness.Add(body.substr(0, size), kNow).status, 400) << size;
  }
}

TEST_F(WitnessTest, WithoutMemoryNoCosignature) {
  memory.can_save = false;
  auto answer = Ask(log.Request(0, 300));
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find(WitnessKey().verifier().name()), std::string::npos);
  memory.can_save = true;
  EXPECT_EQ(Ask(log.Request(0, 300)).status, 200);
  memory.can_load = false;
  EXPECT_EQ(Ask(log.Request(300, 301)).status, 500);
  memory.can_load = true;
  memory.notes[kOrigin] = "garbage";
  EXPECT_EQ(Ask(log.Request(300, 301)).status, 500);
  EXPECT_EQ(Ask(log.Request(0, 301)).status, 500);
}

// Of two logs that part at some size, sent in any order with proofs good and bad, at most one is followed
// beyond it, and never backwards.
TEST(Witness, NeverCosignsTwoHistories) {
  std::mt19937 random(20260302);
  const auto upto = [&random](uint64_t n) { return std::uniform_int_distribution<uint64_t>(0, n)(random); };
  int cosigned = 0, beyond = 0;
  for (int round = 0; round < 60; ++round) {
    const uint64_t fork = upto(300);
    std::array<SmallLog, 2> logs;
    for (size_t i = 0; i < 2; ++i) {
      logs[i].Grow(fork);
      logs[i].Grow(600, i == 0 ? "one " : "other ");
    }
    MapMemory memory;
    Witness witness(WitnessKey(), {logs[0].key()}, memory);
    uint64_t newest = 0;
    std::array<bool, 2> possible = {true, true};
    for (int step = 0; step < 100; ++step) {
      const SmallLog& log = logs[upto(1)];
      const uint64_t size = std::min<uint64_t>(600, newest + upto(upto(9) == 0 ? 600 : 30));
      const uint64_t old = upto(3) == 0 ? upto(size) : std::min(newest, size);
      AddCheckpoint request = log.Request(old, size);
      if (upto(9) == 0) request.checkpoint = logs[upto(1)].Signed(size);
      if (upto(9) == 0) request.old_size = upto(size);
      if (upto(9) == 0 && !request.proof.empty()) request.proof[0][0] ^= 1;
      const auto answer = witness.Add(request.Text(), kNow);
      ASSERT_TRUE(answer.status == 200 || answer.status == 409 || answer.status == 422) << answer.status;
      if (answer.status != 200) continue;
      ++cosigned;
      const Checkpoint is = ReadCheckpoint(request.checkpoint)->checkpoint;
      ASSERT_GE(is.size, newest);
      newest = is.size;
      for (size_t i = 0; i < 2; ++i) possible[i] = possible[i] && logs[i].RootOfFirst(is.size) == is.root;
      ASSERT_TRUE(possible[0] || possible[1]);
    }
    beyond += newest > fork ? 1 : 0;
  }
  EXPECT_GT(cosigned, 500);
  EXPECT_GT(beyond, 30);
}

TEST(Witness, RequestsAreWrittenInOneWay) {
  SmallLog log;
  log.Grow(700);
  const std::string text = log.Request(300, 700).Text();
  const auto parsed = AddCheckpoint::Parse(text);
  ASSERT_TRUE(parsed.ok()) << parsed.error();
  EXPECT_EQ(parsed->Text(), text);
}

// What the log makes of a witness that is not well, or lies.
class AnswerTest : public WitnessTest {
 protected:
  WitnessReply Read(int status, const std::string& answer, const std::string& type = "text/plain") {
    return ReadAnswer({status, type, answer}, asked, WitnessKey().verifier());
  }
  static std::string LineOf(const Signature& s) { return Note{"x\n", {s}}.Text().substr(3); }

  AddCheckpoint asked = log.Request(300, 1000);
  const std::string body = log.At(1000).Body();
};

TEST_F(AnswerTest, TakesTheWitnesssOwnCosignature) {
  const std::string good = LineOf(WitnessKey().Cosign(body, kNow));
  EXPECT_EQ(Read(200, good).kind, WitnessReply::Kind::kCosigned);
  // Other keys of the same witness may stand beside it.
  const SigningKey second = KeyOf("witness.example.org/w2", KeyType::kCosignature, 'x');
  EXPECT_EQ(Read(200, LineOf(second.Cosign(body, kNow)) + good).kind, WitnessReply::Kind::kCosigned);
}

TEST_F(AnswerTest, BelievesNoOtherSignature) {
  const SigningKey other = KeyOf("witness.example.org/w1", KeyType::kCosignature, 'x');
  const SigningKey plain = KeyOf("witness.example.org/w1", KeyType::kEd25519, 'w');
  const SigningKey renamed = KeyOf("witness.example.org/w9", KeyType::kCosignature, 'w');
  Signature forged = other.Cosign(body, kNow);
  forged.id = WitnessKey().verifier().id();
  Signature later = WitnessKey().Cosign(body, kNow);
  later.blob[7] = static_cast<char>(later.blob[7] ^ 1);  // the time
  Signature cut = WitnessKey().Cosign(body, kNow);
  cut.blob.pop_back();
  const std::string good = LineOf(WitnessKey().Cosign(body, kNow));
  const std::vector<std::string> bodies = {
      LineOf(other.Cosign(body, kNow)),
      LineOf(plain.Sign(body)),
      LineOf(renamed.Cosign(body, kNow)),
      LineOf(forged),
      LineOf(later),
      LineOf(cut),
      LineOf(WitnessKey().Cosign(log.At(999).Body(), kNow)),
      LineOf(WitnessKey().Cosign("", kNow)),
      good + good,
      good + LineOf(later),
      good.substr(0, good.size() - 1),
      "\n" + good,
      good + "\n",
      "",
      "\n",
      "thank you\n",
      std::string(1000, '\xFF'),
      std::string(size_t{2} << 20, 'a'),
  };
  for (const std::string& answer : bodies) {
    EXPECT_EQ(Read(200, answer).kind, WitnessReply::Kind::kUseless) << answer.substr(0, 80);
  }
}

// An answer must not make the note longer and sign that.
TEST_F(AnswerTest, BelievesNoSignatureOverMoreThanTheCheckpoint) {
  for (const std::string more : {"more", "\xE2\x80\x94 a AAAAAAAA"}) {
    const std::string longer = body + "\n" + more + "\n";
    EXPECT_EQ(Read(200, more + "\n\n" + LineOf(WitnessKey().Cosign(longer, kNow))).kind,
              WitnessReply::Kind::kUseless);
  }
}

TEST_F(AnswerTest, ReadsSizes) {
  EXPECT_EQ(Read(409, "0\n", kSizeType).kind, WitnessReply::Kind::kOtherSize);
  EXPECT_EQ(Read(409, "299\n", kSizeType).kind, WitnessReply::Kind::kOtherSize);
  EXPECT_EQ(Read(409, "1000\n", kSizeType).kind, WitnessReply::Kind::kOtherSize);
  EXPECT_EQ(Read(409, "1000\n", kSizeType).size, 1000u);
  EXPECT_EQ(Read(409, "300\n", kSizeType).kind, WitnessReply::Kind::kConflict);
  EXPECT_EQ(Read(409, "1001\n", kSizeType).kind, WitnessReply::Kind::kConflict);
  for (const char* not_a_size : {"", "\n", "299", "299\n\n", " 299\n", "0299\n", "-1\n", "299\r\n",
                                 "9223372036854775808\n", "99999999999999999999999\n", "many\n"}) {
    EXPECT_EQ(Read(409, not_a_size, kSizeType).kind, WitnessReply::Kind::kUseless) << not_a_size;
  }
  EXPECT_EQ(Read(409, "299\n").kind, WitnessReply::Kind::kUseless);
  EXPECT_EQ(Read(409, "299\n", "").kind, WitnessReply::Kind::kUseless);
}

TEST_F(AnswerTest, KnowsTheOtherAnswers) {
  EXPECT_EQ(Read(422, "no\n").kind, WitnessReply::Kind::kConflict);
  EXPECT_EQ(Read(403, "no\n").kind, WitnessReply::Kind::kRefused);
  EXPECT_EQ(Read(404, "no\n").kind, WitnessReply::Kind::kRefused);
  const std::string good = LineOf(WitnessKey().Cosign(body, kNow));
  for (int status : {0, -1, 100, 201, 204, 301, 400, 401, 429, 500, 503, 999}) {
    EXPECT_EQ(Read(status, good).kind, WitnessReply::Kind::kUseless) << status;
  }
}

// A folder of its own for each test, gone afterwards.
class Folder {
 public:
  Folder() {
    std::string name = ::testing::TempDir() + "waarborg-witness-XXXXXX";
    path_ = mkdtemp(name.data()) == nullptr ? "" : name;
  }
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string Slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void Spill(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// SHA-256 of "a".
constexpr char kFileOfA[] = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";

TEST(FolderMemory, RemembersEachLogAndOnlyForItsOwner) {
  const Folder folder;
  std::optional<std::string> note;
  {
    const auto memory = FolderMemory::Open(folder.path());
    ASSERT_TRUE(memory.ok()) << memory.error();
    EXPECT_TRUE((*memory)->Load("a", note));
    EXPECT_FALSE(note);
    EXPECT_TRUE((*memory)->Save("a", "a\nfirst\n"));
    EXPECT_TRUE((*memory)->Save("a", "a\nsecond\n"));
    EXPECT_TRUE((*memory)->Save("../b", "../b\nother\n"));
  }
  const auto memory = FolderMemory::Open(folder.path());
  ASSERT_TRUE(memory.ok()) << memory.error();
  EXPECT_TRUE((*memory)->Load("a", note));
  EXPECT_EQ(note, "a\nsecond\n");
  EXPECT_TRUE((*memory)->Load("../b", note));
  EXPECT_EQ(note, "../b\nother\n");
  size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
    ++files;
    EXPECT_EQ(file.status().permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  EXPECT_EQ(files, 3u);  // with the lock
  EXPECT_EQ(Slurp(folder / kFileOfA), "a\nsecond\n");
}

TEST(FolderMemory, DoesNotMistakeDamageForNothing) {
  const Folder folder;
  const auto memory = FolderMemory::Open(folder.path());
  ASSERT_TRUE(memory.ok()) << memory.error();
  const std::string file = folder / kFileOfA;
  std::optional<std::string> note;
  for (const std::string& bytes :
       {std::string(), std::string("b\n"), std::string("a"), "a\n" + std::string(size_t{2} << 20, 'x')}) {
    Spill(file, bytes);
    EXPECT_FALSE((*memory)->Load("a", note)) << bytes.substr(0, 10);
    EXPECT_FALSE(note);
  }
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);
  EXPECT_FALSE((*memory)->Load("a", note));
  EXPECT_FALSE((*memory)->Save("a", "a\n"));
}

TEST(FolderMemory, IsOfOneWitnessAtATime) {
  const Folder folder;
  auto first = FolderMemory::Open(folder.path());
  ASSERT_TRUE(first.ok()) << first.error();
  const auto second = FolderMemory::Open(folder.path());
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().find("another witness"), std::string::npos);
  first->reset();
  EXPECT_TRUE(FolderMemory::Open(folder.path()).ok());
  EXPECT_FALSE(FolderMemory::Open(folder / "none").ok());
}

// A connection of our own making; every read and write gives up after a while.
class Connection {
 public:
  explicit Connection(int port, const char* from = "127.0.0.1")
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{5, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in here{}, there{};
    here.sin_family = there.sin_family = AF_INET;
    inet_pton(AF_INET, from, &here.sin_addr);
    inet_pton(AF_INET, "127.0.0.1", &there.sin_addr);
    there.sin_port = htons(static_cast<uint16_t>(port));
    open_ = bind(fd_, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0 &&
            connect(fd_, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0;
  }
  Connection(Connection&& other) noexcept : fd_(std::exchange(other.fd_, -1)), open_(other.open_) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    if (fd_ >= 0) close(fd_);
  }

  bool Send(std::string_view bytes) {
    while (open_ && !bytes.empty()) {
      const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return open_;
  }
  // All that comes until the other side closes; `closed` says whether it did.
  std::string Receive(bool* closed = nullptr) {
    std::string out;
    char buffer[4096];
    ssize_t n = 0;
    while ((n = recv(fd_, buffer, sizeof buffer, 0)) > 0) out.append(buffer, static_cast<size_t>(n));
    if (closed != nullptr) *closed = n == 0 || errno == ECONNRESET;
    return out;
  }

 private:
  int fd_;
  bool open_ = false;
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in small letters
  std::string body;
  bool closed = false;
};

HttpAnswer ReadHttp(Connection& connection) {
  HttpAnswer out;
  const std::string all = connection.Receive(&out.closed);
  const size_t end = all.find("\r\n\r\n");
  if (!all.starts_with("HTTP/1.1 ") || end == std::string::npos) return out;
  out.status = std::stoi(all.substr(9, 3));
  out.body = all.substr(end + 4);
  for (size_t at = all.find("\r\n") + 2; at < end + 2;) {
    const size_t next = all.find("\r\n", at), colon = all.find(": ", at);
    std::string name = all.substr(at, colon - at);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    out.headers[name] = all.substr(colon + 2, next - colon - 2);
    at = next + 2;
  }
  return out;
}

HttpAnswer Exchange(int port, std::string_view bytes, const char* from = "127.0.0.1") {
  Connection connection(port, from);
  connection.Send(bytes);
  return ReadHttp(connection);
}

std::string Post(const std::string& body, const std::string& more_headers = "") {
  return "POST /add-checkpoint HTTP/1.1\r\nHost: witness.example.org\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + more_headers + "\r\n" + body;
}

class ServerTest : public WitnessTest {
 protected:
  void SetUp() override { Start({}); }

  void Start(WitnessServerOptions options) {
    server.reset();
    auto started = WitnessServer::Start(
        "127.0.0.1:0", witness, [] { return kNow; }, std::move(options));
    ASSERT_TRUE(started.ok()) << started.error();
    server = std::move(*started);
    port = server->port();
    ASSERT_GT(port, 0);
  }
  void ExpectThatItServes(const char* from = "127.0.0.2") {
    const AddCheckpoint request = log.Request(cosigned, 300);
    const auto answer = Exchange(port, Post(request.Text()), from);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(ReplyOf(answer, request).kind, WitnessReply::Kind::kCosigned);
    cosigned = 300;
  }
  static WitnessReply ReplyOf(const HttpAnswer& answer, const AddCheckpoint& request) {
    const auto type = answer.headers.find("content-type");
    return ReadAnswer({answer.status, type == answer.headers.end() ? "" : type->second, answer.body}, request,
                      WitnessKey().verifier());
  }

  std::unique_ptr<WitnessServer> server;
  int port = 0;
  uint64_t cosigned = 0;
};

TEST_F(ServerTest, Cosigns) {
  const AddCheckpoint request = log.Request(0, 300);
  const auto answer = Exchange(port, Post(request.Text()));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(answer.closed);
  const auto reply = ReplyOf(answer, request);
  EXPECT_EQ(reply.kind, WitnessReply::Kind::kCosigned) << reply.why;
  EXPECT_EQ(reply.seconds, kNow);
}

TEST_F(ServerTest, SaysTheSizeWithItsType) {
  EXPECT_EQ(Exchange(port, Post(log.Request(0, 300).Text())).status, 200);
  const auto answer = Exchange(port, Post(log.Request(0, 400).Text()));
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.headers.at("content-type"), "text/x.tlog.size");
  EXPECT_EQ(answer.body, "300\n");
}

TEST_F(ServerTest, PassesOnWhatTheWitnessRefuses) {
  EXPECT_EQ(Exchange(port, Post("")).status, 400);
  EXPECT_EQ(Exchange(port, Post("old 0\n\ngarbage\n")).status, 400);
  SmallLog other("log.example.org/other"), impostor(kOrigin, 'i');
  other.Grow(3);
  impostor.Grow(3);
  EXPECT_EQ(Exchange(port, Post(other.Request(0, 3).Text())).status, 404);
  EXPECT_EQ(Exchange(port, Post(impostor.Request(0, 3).Text())).status, 403);
  memory.can_save = false;
  EXPECT_EQ(Exchange(port, Post(log.Request(0, 300).Text())).status, 500);
}

TEST_F(ServerTest, HasOnePathAndOneMethod) {
  const std::string rest = " HTTP/1.1\r\nHost: a\r\n\r\n",
                    full = " HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
  for (const char* path : {"/", "/add-checkpoint/", "/add-checkpoin", "//add-checkpoint", "/ADD-CHECKPOINT",
                           "/../add-checkpoint", "*", "/add-checkpoint%00", "/%61dd-checkpoint"}) {
    EXPECT_EQ(Exchange(port, std::string("POST ") + path + full).status, 404) << path;
    EXPECT_EQ(Exchange(port, std::string("GET ") + path + rest).status, 404) << path;
  }
  for (const char* method : {"GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "post", "X"}) {
    const auto answer = Exchange(port, std::string(method) + " /add-checkpoint" + rest);
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.headers.at("allow"), "POST") << method;
  }
}

TEST_F(ServerTest, ReadsNoBodyThatIsTooLarge) {
  const std::string head = "POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nContent-Length: ";
  for (const std::string& length : {std::to_string(kMaxWitnessRequest + 1), std::string("999999999999"),
                                    std::string("9223372036854775807")}) {
    EXPECT_EQ(Exchange(port, head + length + "\r\n\r\n").status, 413) << length;
    EXPECT_EQ(Exchange(port, head + length + "\r\nExpect: 100-continue\r\n\r\n").status, 413) << length;
  }
  EXPECT_EQ(Exchange(port, Post(std::string(kMaxWitnessRequest, 'a'))).status, 400);
  ExpectThatItServes();
}

TEST_F(ServerTest, RefusesABodyWithTwoEnds) {
  const std::string body = log.Request(0, 300).Text();
  const auto length = "Content-Length: " + std::to_string(body.size()) + "\r\n";
  EXPECT_EQ(Exchange(port, Post(body, length)).status, 400);
  EXPECT_EQ(Exchange(port, Post(body, "content-LENGTH: 0\r\n")).status, 400);
  for (const char* encoding : {"chunked", "identity", "gzip, chunked", "Chunked", "", "nonsense"}) {
    EXPECT_EQ(Exchange(port, Post(body, std::string("Transfer-Encoding: ") + encoding + "\r\n")).status, 400)
        << encoding;
  }
  const std::string head = "POST /add-checkpoint HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(Exchange(port, head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status, 411);
  for (const char* odd : {"-1", "+5", "0x5", "5 5", "5,5", "99999999999999999999", "1e3", ""}) {
    const int status = Exchange(port, head + "Content-Length: " + odd + "\r\n\r\n").status;
    EXPECT_TRUE(status == 400 || status == 413) << odd << " " << status;
  }
  EXPECT_EQ(memory.saved, 0);
  ExpectThatItServes();
}

TEST_F(ServerTest, AnswersOneRequestAConnection) {
  const std::string post = Post(log.Request(0, 300).Text(), "Connection: keep-alive\r\n");
  Connection connection(port);
  connection.Send(post + post);
  bool closed = false;
  const std::string all = connection.Receive(&closed);
  EXPECT_TRUE(closed);
  EXPECT_EQ(all.rfind("HTTP/1.1 "), 0u);
  EXPECT_EQ(memory.saved, 1);
}

TEST_F(ServerTest, SurvivesNoise) {
  std::mt19937 random(7);
  const std::string good = Post(log.Request(0, 300).Text());
  for (int i = 0; i < 200; ++i) {
    std::string noise = i % 2 == 0 ? good : std::string(random() % 3000, 'a');
    for (size_t n = random() % 40; n > 0 && !noise.empty(); --n)
      noise[random() % std::min<size_t>(noise.size(), 200)] = static_cast<char>(random());
    Connection connection(port);
    connection.Send(noise.substr(0, random() % (noise.size() + 1)));
  }
  ExpectThatItServes();
}

TEST_F(ServerTest, BoundsWhatItReadsOfHeaders) {
  for (const std::string& head : {"GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n",
                                  "POST /add-checkpoint HTTP/1.1\r\nA: " + std::string(100'000, 'a') + "\r\n",
                                  std::string(100'000, 'a')}) {
    Connection connection(port);
    connection.Send(head);
    bool closed = false;
    connection.Receive(&closed);
    EXPECT_TRUE(closed);
  }
  Connection endless(port);
  endless.Send("POST /add-checkpoint HTTP/1.1\r\nHost: a\r\n");
  bool open = true;
  for (int i = 0; i < 5'000 && open; ++i) open = endless.Send("A" + std::to_string(i) + ": b\r\n");
  bool closed = false;
  endless.Receive(&closed);
  EXPECT_TRUE(closed);
  ExpectThatItServes();
}

TEST_F(ServerTest, ServesOthersWhileOneIsSlow) {
  std::vector<Connection> slow;
  const std::string post = Post(log.Request(0, 300).Text());
  for (size_t i = 0; i < 10; ++i) {
    slow.emplace_back(port);
    ASSERT_TRUE(slow.back().Send(post.substr(0, 20 * i)));
  }
  const auto start = std::chrono::steady_clock::now();
  ExpectThatItServes("127.0.0.1");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
  slow.back().Send(post.substr(180));
  EXPECT_EQ(ReadHttp(slow.back()).status, 409);  // in the meantime it has become stale
}

TEST_F(ServerTest, OneAddressCannotTakeAllConnections) {
  std::vector<Connection> taken;
  for (int i = 0; i < 100; ++i) {
    taken.emplace_back(port);
    taken.back().Send("POST ");
  }
  ExpectThatItServes("127.0.0.2");
}

TEST_F(ServerTest, EveryConnectionEnds) {
  WitnessServerOptions options;
  options.deadline = std::chrono::milliseconds(1000);
  options.connections = 4;
  Start(options);
  const auto start = std::chrono::steady_clock::now();
  const std::string post = Post(log.Request(0, 300).Text());
  std::vector<Connection> taken;
  for (int i = 0; i < 4; ++i) taken.emplace_back(port);
  // Each byte would start an idle timeout again.
  std::thread drip([&] {
    for (size_t at = 0; at < post.size() && taken[0].Send(post.substr(at, 1)) && taken[1].Send("A"); ++at) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
  ExpectThatItServes();
  drip.join();
  for (Connection& connection : taken) {
    bool closed = false;
    EXPECT_EQ(connection.Receive(&closed).find(" 200 "), std::string::npos);
    EXPECT_TRUE(closed);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
}

TEST_F(ServerTest, StopsWhileOthersHoldOn) {
  Connection open(port), half(port);
  half.Send("POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto start = std::chrono::steady_clock::now();
  server.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  bool closed = false;
  half.Receive(&closed);
  EXPECT_TRUE(closed);
}

TEST_F(ServerTest, SaysWhichAddressesItCannotTake) {
  const std::string taken = "127.0.0.1:" + std::to_string(port);
  for (const std::string& address :
       {std::string(), std::string("127.0.0.1"), std::string("127.0.0.1:"), std::string(":65536"),
        std::string(":-1"), std::string(":http"), std::string("::1:80"), std::string("192.0.2.1:0"), taken}) {
    const auto refused = WitnessServer::Start(address, witness, [] { return kNow; });
    ASSERT_FALSE(refused.ok()) << address;
    EXPECT_NE(refused.error().find(address), std::string::npos);
  }
  for (const char* address : {":0", "localhost:0"}) {
    const auto started = WitnessServer::Start(address, witness, [] { return kNow; });
    ASSERT_TRUE(started.ok()) << started.error();
    EXPECT_EQ(Exchange((*started)->port(), Post("")).status, 400) << address;
  }
}

TEST_F(ServerTest, ReportsEachAnswer) {
  std::vector<std::pair<std::string, int>> seen;
  WitnessServerOptions options;
  options.on_answer = [&seen](std::string_view body, const WitnessAnswer& answer) {
    seen.emplace_back(body, answer.status);
  };
  Start(options);
  const std::string body = log.Request(0, 300).Text();
  Exchange(port, Post(body));
  Exchange(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  server.reset();
  EXPECT_EQ(seen, (std::vector<std::pair<std::string, int>>{{body, 200}, {"", 404}}));
}

TEST(WitnessOnDisk, KnowsAfterARestartWhatItCosigned) {
  const Folder folder;
  SmallLog log;
  log.Grow(1000);
  for (uint64_t size : {300, 600, 1000}) {
    auto memory = FolderMemory::Open(folder.path());
    ASSERT_TRUE(memory.ok()) << memory.error();
    Witness witness(WitnessKey(), {log.key()}, **memory);
    const auto server = WitnessServer::Start("127.0.0.1:0", witness, [] { return kNow; });
    ASSERT_TRUE(server.ok()) << server.error();
    const auto stale = Exchange((*server)->port(), Post(log.Request(1, size).Text()));
    EXPECT_EQ(stale.status, 409);
    const uint64_t known = *Decimal(stale.body.substr(0, stale.body.size() - 1));
    EXPECT_EQ(known, size == 300 ? 0u : size == 600 ? 300u : 600u);
    EXPECT_EQ(Exchange((*server)->port(), Post(log.Request(known, size).Text())).status, 200);
  }
}

// The program, run for real.
constexpr std::chrono::seconds kPatience{60};

struct Running {
  pid_t pid = -1;
  std::string out;  // file
};

Running Spawn(const Folder& folder, std::vector<std::string> arguments) {
  static int count = 0;
  Running out;
  out.out = folder / ("out" + std::to_string(++count));
  arguments.insert(arguments.begin(), WAARBORG_PROGRAM_FOLDER "/waarborg-verify");
  std::vector<char*> argv;
  for (std::string& a : arguments) argv.push_back(a.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out.out.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  if (posix_spawn(&out.pid, argv[0], &files, nullptr, argv.data(), environ) != 0) out.pid = -1;
  posix_spawn_file_actions_destroy(&files);
  return out;
}

// The exit code; -1 when it does not end by itself.
int WaitFor(const Running& running) {
  if (running.pid <= 0) return -1;
  int status = 0;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (waitpid(running.pid, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > until) {
      kill(running.pid, SIGKILL);
      waitpid(running.pid, &status, 0);
      return -1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct Ran {
  int code = -1;
  std::string out;  // both streams
  std::string LastLine() const {
    const size_t end = out.empty() ? 0 : out.size() - 1;
    const size_t start = out.rfind('\n', end == 0 ? 0 : end - 1);
    return out.substr(start == std::string::npos ? 0 : start + 1);
  }
  bool Says(const std::string& words) const { return out.find(words) != std::string::npos; }
};

// A log on the disk: 600 entries, each the record of a check.
class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() {
    for (int i = 0; i < 600; ++i) {
      waarborg::v1::AuditRecord record;
      record.set_event("CheckVisitor");
      record.set_station_id("station-" + std::to_string(i));
      record.set_at_ms(1'772'460'309'123 + i);
      log.Append(record.SerializeAsString());
    }
    std::filesystem::create_directory(dir);
    log.WriteTo(dir, log.Signed(600));
    vkey = log.key().Text();
  }

  Ran Run(const std::vector<std::string>& arguments) const {
    const Running running = Spawn(folder, arguments);
    Ran out;
    out.code = WaitFor(running);
    out.out = Slurp(running.out);
    return out;
  }
  void Expect(int code, const std::vector<std::string>& arguments, const std::string& words = "") const {
    const Ran ran = Run(arguments);
    std::string line;
    for (const std::string& a : arguments) line += " " + a;
    EXPECT_EQ(ran.code, code) << line << "\n" << ran.out;
    EXPECT_TRUE(ran.Says(words)) << line << "\n" << ran.out;
    if (code == 1) {
      EXPECT_TRUE(ran.LastLine().starts_with("NOT GOOD: ")) << ran.out;
    }
  }
  std::string File(const std::string& name, const std::string& bytes) const {
    Spill(folder / name, bytes);
    return folder / name;
  }
  std::string Cosigned(uint64_t size, const std::vector<SigningKey>& witnesses) const {
    Note note = ReadCheckpoint(log.Signed(size))->note;
    for (const SigningKey& w : witnesses) note.signatures.push_back(w.Cosign(note.text, kNow));
    return note.Text();
  }

  const Folder folder;
  const std::string dir = folder / "log";
  SmallLog log;
  std::string vkey;
};

TEST_F(ProgramTest, ALogIsGoodWithItsKeyOnly) {
  const Ran good = Run({"log", dir, "--key", vkey});
  EXPECT_EQ(good.code, 0) << good.out;
  EXPECT_TRUE(good.Says(kOrigin));
  EXPECT_TRUE(good.Says("600 entries"));
  EXPECT_TRUE(good.Says(Base64(View(log.At(600).root))));
  EXPECT_TRUE(good.LastLine().starts_with("GOOD: ")) << good.out;
  Expect(2, {"log", dir}, "NOT CHECKED: ");
  Expect(0, {"log", dir, "--key", File("key", vkey + "\n")});
  Expect(1, {"log", dir, "--key", KeyOf(kOrigin, KeyType::kEd25519, 'x').verifier().Text()});
  Expect(1, {"log", dir, "--key", KeyOf("log.example.org/other", KeyType::kEd25519, 'l').verifier().Text()});
  File("log.vkey", vkey + "\n");
  Expect(0, {"log", dir});
  Expect(0, {"log", dir + "///", "--threads", "3"});
  Expect(0, {"log", dir + "/."});
  EXPECT_EQ(Run({"log", dir, "--quiet"}).out, "");
  File("log.vkey", "damaged\n");
  Expect(2, {"log", dir});
}

TEST_F(ProgramTest, ALogThatWasChangedIsNotGood) {
  Spill(dir + "/extra", "");
  Expect(1, {"log", dir, "--key", vkey}, "extra: does not belong");
  Expect(1, {"log", dir, "--key", vkey, "--quiet"}, "extra: does not belong");
  Expect(1, {"log", dir}, "NOT GOOD");
  std::filesystem::remove(dir + "/extra");
  std::string tile = Slurp(dir + "/tile/0/001");
  tile[100] = static_cast<char>(tile[100] ^ 1);
  Spill(dir + "/tile/0/001", tile);
  Expect(1, {"log", dir, "--key", vkey}, "tile/0/001");
  Spill(dir + "/bad\x1b[2Jname\nGOOD: no", "");
  const Ran ran = Run({"log", dir, "--key", vkey});
  EXPECT_FALSE(ran.Says("\x1b")) << ran.out;
  EXPECT_FALSE(ran.Says("\nGOOD")) << ran.out;
}

TEST_F(ProgramTest, ALogThatCannotBeReadIsNotChecked) {
  Expect(2, {"log", folder / "none", "--key", vkey}, "NOT CHECKED: ");
  std::filesystem::create_directory(folder / "empty");
  Expect(2, {"log", folder / "empty", "--key", vkey});
  Expect(2, {"log", dir, "--key", vkey, "--since", folder / "none"});
  Expect(2, {"log", dir, "--key", dir});
}

TEST_F(ProgramTest, WrongUsageIsNeitherGoodNorBad) {
  Expect(64, {});
  Expect(64, {"log"});
  Expect(64, {"nonsense"});
  Expect(64, {"log", dir, "--nonsense"});
  Expect(64, {"log", dir, "more"});
  Expect(64, {"log", dir, "--key", "neither-key-nor-file"});
  Expect(64, {"log", dir, "--key", WitnessKey().verifier().Text()});
  Expect(64, {"log", dir, "--key", vkey, "--witness", vkey});
  Expect(64, {"log", dir, "--key", vkey, "--quorum", "1"});
  Expect(64, {"log", dir, "--key", vkey, "--quorum", "-1"});
  Expect(64, {"log", dir, "--key", vkey, "--threads", "0"});
  Expect(64, {"opening"});
  Expect(64, {"certificate"});
  Expect(64, {"certificate", dir, "--since", dir});
  Expect(64, {"certificate", dir, "--key", "neither-key-nor-file"});
  Expect(64, {"proof"});
  Expect(64, {"proof", dir, "--entry", "short"});
  Expect(64, {"checkpoint"});
  Expect(64, {"witness"});
  Expect(64, {"witness-key", "--name", "w"});
  Expect(0, {"--version"}, "waarborg-verify 0.1.0");
  Expect(0, {"--help"}, "Exit status");
  Expect(0, {"log", "--help"}, "Exit status");
}

TEST_F(ProgramTest, ALogGoesOnFromAnOlderCheckpoint) {
  Expect(0, {"log", dir, "--key", vkey, "--since", File("old", log.Signed(300))}, "300 entries");
  SmallLog other;
  other.Grow(300);
  Expect(1, {"log", dir, "--key", vkey, "--since", File("other", other.Signed(300))});
  Expect(1, {"log", dir, "--key", vkey, "--since", File("garbage", "garbage\n")});
}

TEST_F(ProgramTest, WitnessesAreCounted) {
  const SigningKey& w1 = WitnessKey();
  const SigningKey w2 = KeyOf("witness.example.org/w2", KeyType::kCosignature, 'x');
  const std::string k1 = w1.verifier().Text(), k2 = w2.verifier().Text();
  Spill(dir + "/checkpoint", Cosigned(600, {w1}));
  Expect(0, {"log", "--key", vkey, "--witness", k1, dir}, "1 of 1 have cosigned");
  Expect(0, {"log", dir, "--key", vkey, "--witness", File("w1", k1 + "\n")});
  Expect(1, {"log", dir, "--key", vkey, "--witness", k1, "--witness", k2});
  Expect(0, {"log", dir, "--key", vkey, "--witness", k1, "--witness", k2, "--quorum", "1"});
  Expect(1, {"log", dir, "--key", vkey});
  Expect(64, {"log", dir, "--key", vkey, "--witness", k1, "--witness", k1, "--quorum", "2"});
  const SigningKey again = KeyOf("witness.example.org/again", KeyType::kCosignature, 'w');
  Expect(64, {"log", dir, "--key", vkey, "--witness", k1, "--witness", again.verifier().Text()});

  const std::string file = File("checkpoint", Cosigned(600, {w1}));
  Expect(0, {"checkpoint", file, "--key", vkey, "--witness", k1}, "good, given 2026-09-21 14:13:20 UTC");
  Expect(0, {"checkpoint", file, "--key", vkey}, "not checked");
  Expect(1, {"checkpoint", file, "--key", vkey, "--witness", k2});
  Expect(2, {"checkpoint", file, "--witness", k1});
}

TEST_F(ProgramTest, SaysTheOutcomeInJson) {
  const Ran good = Run({"log", dir, "--key", vkey, "--json"});
  EXPECT_EQ(good.code, 0);
  EXPECT_TRUE(good.out.starts_with("{\"verdict\": \"good\",")) << good.out;
  EXPECT_TRUE(good.Says("\"size\": 600"));
  Spill(dir + "/a\"b\\c\n", "");
  const Ran bad = Run({"log", dir, "--key", vkey, "--json"});
  EXPECT_EQ(bad.code, 1);
  EXPECT_TRUE(bad.Says("\"not good\"")) << bad.out;
  EXPECT_TRUE(bad.Says("a\\\"b\\\\c\\\\x0a: does not belong")) << bad.out;
  EXPECT_EQ(Run({"log", folder / "none", "--json"}).code, 2);
}

TEST_F(ProgramTest, AnOpeningShowsItsRecord) {
  const OpeningFile opening = log.Open(417, 500);
  const std::string file = File("opening", opening.Text());
  for (const auto& more : {std::vector<std::string>{}, {"--log", dir}}) {
    std::vector<std::string> arguments = {"opening", file, "--key", vkey};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ran good = Run(arguments);
    EXPECT_EQ(good.code, 0) << good.out;
    EXPECT_TRUE(good.Says("this record is entry 417 of the log " + std::string(kOrigin) + " (500 entries"));
    EXPECT_TRUE(good.Says("CheckVisitor"));
    EXPECT_TRUE(good.Says("station-417"));
    EXPECT_TRUE(good.Says("2026-03-02 14:05:09.540 UTC")) << good.out;
  }
  Expect(2, {"opening", file}, "NOT CHECKED: ");
  Expect(2, {"opening", file, "--log", dir});
  Expect(2, {"opening", folder / "none", "--key", vkey});
  Expect(2, {"opening", file, "--key", vkey, "--log", folder / "none"});
  File("log.vkey", vkey);
  Expect(0, {"opening", file, "--log", dir}, "now of 600 entries");
}

TEST_F(ProgramTest, AnOpeningOfAnythingElseIsNotGood) {
  const OpeningFile good = log.Open(417, 500);
  OpeningFile record = good, index = good, key = good;
  record.record.back() = static_cast<char>(record.record.back() ^ 1);
  index.proof.index = 416;
  key.key[0] = 'x';
  for (const OpeningFile& bad : {record, index, key}) {
    const Ran ran = Run({"opening", File("bad", bad.Text()), "--key", vkey});
    EXPECT_EQ(ran.code, 1) << ran.out;
    EXPECT_FALSE(ran.Says("CheckVisitor")) << "shown all the same";
  }
  Expect(1, {"opening", File("bad", "garbage"), "--key", vkey});
  Expect(1, {"opening", File("bad", good.Text()), "--key",
             KeyOf(kOrigin, KeyType::kEd25519, 'x').verifier().Text()});
  // Good by itself, but of a log that went another way.
  SmallLog other;
  other.Grow(500, "other ");
  Expect(1, {"opening", File("bad", other.Open(3, 500).Text()), "--key", vkey, "--log", dir});
  Expect(1, {"opening", File("bad", other.Open(3, 500).Text()), "--log", dir});
  // A record of no kind that is known here.
  Expect(2, {"opening", File("odd", other.Open(3, 500).Text()), "--key", vkey}, "NOT CHECKED: ");
}

// The certificate of a destruction that is the next entry of the log.
Certificate Destroy(SmallLog& log, const std::string& photo_id, const std::string& event = "PhotoDestroyed") {
  waarborg::v1::AuditRecord record;
  record.set_event(event);
  record.set_result(waarborg::v1::RESULT_DONE);
  record.set_ban_id("LV-44");
  record.set_photo_id(photo_id);
  record.set_destruction_reason(waarborg::v1::DESTRUCTION_REASON_WRONG_PHOTO);
  record.set_at_ms(1'772'460'310'000);
  record.set_due_at_ms(1'772'460'309'500);
  record.set_destroyed_generation(1);
  record.set_key_generation(2);
  record.add_checks(waarborg::v1::DESTRUCTION_CHECK_KEY_ABSENT);
  record.set_key_home(waarborg::v1::KEY_HOME_TOKEN);
  log.Append(record.SerializeAsString());
  return *Certificate::Of(log.Open(log.size() - 1, log.size()));
}

TEST_F(ProgramTest, ACertificateShowsWhatItDeclares) {
  const std::string file = File("one", Destroy(log, "F-1").Text()),
                    other = File("two", Destroy(log, "F-2").Text());
  log.Grow(700);
  log.WriteTo(dir, log.Signed(700));
  for (const auto& more : {std::vector<std::string>{}, {"--log", dir}, {other}}) {
    std::vector<std::string> arguments = {"certificate", "--key", vkey, file};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ran good = Run(arguments);
    EXPECT_EQ(good.code, 0) << good.out;
    EXPECT_TRUE(good.LastLine().starts_with("GOOD: ")) << good.out;
    EXPECT_TRUE(good.Says("Verklaring van vernietiging\n\nWat:             foto F-1 bij verbod LV-44\n"));
    EXPECT_TRUE(good.Says("2026-03-02 14:05:10.000 UTC, 0,500 s daarna\n")) << good.out;
    EXPECT_TRUE(good.Says("which is entry 600 of the log " + std::string(kOrigin) + " (601 entries"));
    EXPECT_TRUE(good.Says("signed by      " + std::string(kOrigin) + "+")) << good.out;
    EXPECT_EQ(good.Says("foto F-2"), more == std::vector<std::string>{other}) << good.out;
  }
  Expect(0, {"certificate", file, "--key", vkey, "--log", dir}, "now of 700 entries");
  Expect(2, {"certificate", file}, "NOT CHECKED: the rest holds together");
  Expect(2, {"certificate", file, "--log", dir}, "nobody that is known here");
  Expect(2, {"certificate", folder / "none", "--key", vkey}, "NOT CHECKED: 1 file could not be read");
  Expect(2, {"certificate", file, "--key", vkey, "--log", folder / "none"});
  Expect(2, {"certificate", folder / "none", file, "--key", vkey}, "foto F-1");
  File("log.vkey", vkey);
  Expect(0, {"certificate", file, other, "--log", dir}, "now of 700 entries");
}

TEST_F(ProgramTest, ACertificateThatWasTamperedWithIsNotGood) {
  const Certificate good = Destroy(log, "F-1");
  const std::string text = good.Text(), file = File("good", text);
  std::string words = text, event = text, garbled = text;
  words.replace(words.find("verkeerde foto"), 14, "verkeerde File");
  const std::string opening = good.opening().Text();
  OpeningFile record = good.opening(), key = good.opening(), place = good.opening();
  event.replace(event.find(opening), opening.size(), log.Open(417, 601).Text());
  // A record that can no longer be read, in a line that still can.
  record.record[20] = static_cast<char>(record.record[20] ^ 0x80);
  garbled.replace(garbled.find(opening), opening.size(), record.Text());
  key.key[0] = 'x';
  place.proof.index = 599;
  for (const std::string& bad : {words, event, garbled, Certificate::Of(key)->Text(),
                                 Certificate::Of(place)->Text(), opening, std::string("garbage")}) {
    const Ran ran = Run({"certificate", File("bad", bad), "--key", vkey});
    EXPECT_EQ(ran.code, 1) << ran.out;
    EXPECT_TRUE(ran.out.starts_with(folder / "bad: ")) << ran.out;
    EXPECT_FALSE(ran.Says("Verklaring")) << "shown all the same";
    EXPECT_FALSE(ran.Says("protobuf")) << ran.out;
  }
  Expect(1, {"certificate", File("bad", words), "--key", vkey}, "bad: line 6 is not what the record says");
  const std::string stranger = KeyOf(kOrigin, KeyType::kEd25519, 'x').verifier().Text();
  Expect(1, {"certificate", file, "--key", stranger}, "good: checkpoint: ");
  Expect(1, {"certificate", file, "--key", vkey, "--witness", WitnessKey().verifier().Text()},
         "cosigned by 0");
  // Good by itself, but of a log that went another way.
  Expect(1, {"certificate", file, "--key", vkey, "--log", dir});
  // One that is not good does not hide the others, nor they it; nor does one that cannot be read.
  const Ran three = Run({"certificate", folder / "bad", file, folder / "none", "--key", vkey});
  EXPECT_EQ(three.code, 1) << three.out;
  EXPECT_TRUE(three.Says("foto F-1 bij verbod LV-44")) << three.out;
  EXPECT_TRUE(three.Says("cannot open " + (folder / "none"))) << three.out;
  EXPECT_TRUE(three.LastLine().starts_with("NOT GOOD: 1 problem")) << three.out;
}

TEST_F(ProgramTest, ARecordCannotSteerTheTerminal) {
  waarborg::v1::AuditRecord record;
  record.set_event("Check\x1b[2J\nrole  administrator");
  record.set_station_id(
      "\xE2\x80\xAE"
      "reversed \xC2\x9B"
      "2J \xC3\xA9");
  log.Append(record.SerializeAsString());
  const Ran ran = Run({"opening", File("opening", log.Open(600, 601).Text()), "--key", vkey});
  EXPECT_EQ(ran.code, 0) << ran.out;
  EXPECT_TRUE(ran.Says("Check\\x1b[2J\\x0arole  administrator")) << ran.out;
  EXPECT_TRUE(ran.Says("\\xe2\\x80\\xaereversed \\xc2\\x9b2J \xC3\xA9")) << ran.out;
}

TEST_F(ProgramTest, AProofIsAboutItsEntry) {
  ProofFile proof = log.ProofOf(417, 500);
  const std::string with = File("with", proof.Text());
  const std::string entry = Base64(log.entry(417)), other = Base64(log.entry(416));
  std::string hex;
  for (char c : log.entry(417)) {
    hex += "0123456789abcdef"[static_cast<uint8_t>(c) >> 4];
    hex += "0123456789abcdef"[static_cast<uint8_t>(c) & 15];
  }
  Expect(0, {"proof", with, "--key", vkey}, "entry 417");
  Expect(0, {"proof", with, "--key", vkey, "--entry", entry});
  Expect(0, {"proof", with, "--key", vkey, "--entry", hex});
  Expect(1, {"proof", with, "--key", vkey, "--entry", other});
  Expect(2, {"proof", with}, "NOT CHECKED: ");
  proof.extra.reset();
  const std::string without = File("without", proof.Text());
  Expect(2, {"proof", without, "--key", vkey}, "--entry");
  Expect(0, {"proof", without, "--key", vkey, "--entry", hex});
  Expect(1, {"proof", without, "--key", vkey, "--entry", other});
  proof.proof[0][0] ^= 1;
  Expect(1, {"proof", File("bad", proof.Text()), "--key", vkey, "--entry", entry});
  Expect(1, {"proof", File("bad", "garbage"), "--key", vkey});
  Expect(2, {"proof", folder / "none", "--key", vkey});
}

TEST_F(ProgramTest, ACheckpointIsSignedByItsLog) {
  const std::string file = File("checkpoint", log.Signed(600));
  Expect(0, {"checkpoint", file, "--key", vkey}, ": good");
  Expect(2, {"checkpoint", file}, "NOT CHECKED: ");
  Expect(1, {"checkpoint", file, "--key", KeyOf(kOrigin, KeyType::kEd25519, 'x').verifier().Text()});
  std::string bad = log.Signed(600);
  bad[bad.find("600")] = '7';
  Expect(1, {"checkpoint", File("bad", bad), "--key", vkey}, "WRONG");
  Expect(1, {"checkpoint", File("bad", "garbage"), "--key", vkey});
  Expect(2, {"checkpoint", folder / "none", "--key", vkey});
}

TEST_F(ProgramTest, WhatNobodyCanReadIsNotGood) {
  const pid_t pid = fork();
  if (pid == 0) {
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    dup2(full, STDOUT_FILENO);
    execl(WAARBORG_PROGRAM_FOLDER "/waarborg-verify", "waarborg-verify", "log", dir.c_str(), "--key",
          vkey.c_str(), nullptr);
    _exit(127);
  }
  EXPECT_EQ(WaitFor({pid, ""}), 2);
}

TEST_F(ProgramTest, AWitnessRunsWithAKeyOfItsOwn) {
  const std::string key = folder / "witness.key", data = folder / "data", port_file = folder / "port";
  const Ran made = Run({"witness-key", "--name", "witness.example.org/w1", "--out", key});
  ASSERT_EQ(made.code, 0) << made.out;
  const auto verifier = VerifierKey::Parse(made.out.substr(0, made.out.size() - 1));
  ASSERT_TRUE(verifier.ok()) << made.out;
  EXPECT_EQ(verifier->type(), KeyType::kCosignature);
  EXPECT_TRUE(Slurp(key).starts_with("PRIVATE+KEY+witness.example.org/w1+"));
  EXPECT_EQ(std::filesystem::status(key).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const std::string before = Slurp(key);
  Expect(2, {"witness-key", "--name", "witness.example.org/w1", "--out", key});
  EXPECT_EQ(Slurp(key), before);
  Expect(64, {"witness-key", "--name", "a name", "--out", folder / "other.key"});
  EXPECT_FALSE(std::filesystem::exists(folder / "other.key"));

  const std::vector<std::string> arguments = {"witness", "--listen",    "127.0.0.1:0", "--data",
                                              data,      "--key",       key,           "--log",
                                              vkey,      "--port-file", port_file};
  Expect(2, arguments, "mkdir");
  std::filesystem::create_directory(data);
  const Running running = Spawn(folder, arguments);
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (Slurp(port_file).empty() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::string port_text = Slurp(port_file);
  ASSERT_TRUE(port_text.ends_with('\n'));
  port_text.pop_back();
  const int port = static_cast<int>(Decimal(port_text).value_or(0));
  const AddCheckpoint request = log.Request(0, 600);
  const auto answer = Exchange(port, Post(request.Text()));
  EXPECT_EQ(answer.status, 200);
  const auto reply = ReadAnswer({answer.status, "text/plain", answer.body}, request, *verifier);
  EXPECT_EQ(reply.kind, WitnessReply::Kind::kCosigned) << reply.why;
  EXPECT_GT(reply.seconds, kNow - 400'000'000);
  Expect(2, arguments, "another witness");
  kill(running.pid, SIGTERM);
  EXPECT_EQ(WaitFor(running), 0);
  const std::string said = Slurp(running.out);
  EXPECT_NE(said.find(std::string(kOrigin) + " from 0 to 600: 200 cosigned"), std::string::npos) << said;

  std::string damaged = before;
  damaged[damaged.size() - 10] = damaged[damaged.size() - 10] == 'A' ? 'B' : 'A';
  for (const std::string& bad : {damaged, std::string(), std::string("garbage\n"), before + "more\n"}) {
    std::vector<std::string> with_bad_key = arguments;
    with_bad_key[6] = File("bad.key", bad);
    Expect(2, with_bad_key);
  }
}

}  // namespace
}  // namespace waarborg::audit

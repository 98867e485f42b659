// SPDX-License-Identifier: EUPL-1.2
#include "server/keys/keystore.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "server/base/file.h"
#include "server/base/hex.h"
#include "server/keys/key_backup.h"
#include "server/keys/log_key.h"
#include "server/keys/root_key.h"
#include "server/keys/sealing.h"
#include "tests/support/memory_home.h"

namespace waarborg::keys {
namespace {

namespace fs = std::filesystem;

class KeystoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/waarborg-keys-XXXXXX";
    folder = mkdtemp(name);
  }
  void TearDown() override { fs::remove_all(folder); }

  std::unique_ptr<Keystore> Open() {
    auto store = Keystore::Open(folder, "photo", *home, random);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? std::move(*store) : nullptr;
  }
  std::string AllBytes() const {
    std::string all;
    for (const auto& entry : fs::directory_iterator(folder)) all += *base::ReadFile(entry.path());
    return all;
  }

  std::string folder;
  base::SystemRandom random;
  base::Secret root{std::string(32, 'r')};
  std::unique_ptr<GenerationHome> home = NewFileHome(root, random);
};

TEST_F(KeystoreTest, KeysSurviveAReopenOnlyWhenSynced) {
  std::string a;
  {
    auto store = Open();
    a = store->Add("a").Reveal();
    ASSERT_TRUE(store->Sync().ok());
    store->Add("never synced");
  }
  auto store = Open();
  ASSERT_NE(store->Find("a"), nullptr);
  EXPECT_TRUE(store->Find("a")->Equals(a));
  EXPECT_EQ(store->Find("never synced"), nullptr);
}

TEST_F(KeystoreTest, ADestroyedKeyIsGoneAndTheOthersStay) {
  auto store = Open();
  const std::string a(store->Add("a").Reveal()), b(store->Add("b").Reveal());
  ASSERT_TRUE(store->Sync().ok());
  EXPECT_EQ(store->Destroy({"a", "unknown"})->generation, 2u);
  EXPECT_EQ(store->Find("a"), nullptr);
  ASSERT_NE(store->Find("b"), nullptr);
  store = Open();
  EXPECT_EQ(store->generation(), 2u);
  EXPECT_EQ(store->Find("a"), nullptr);
  EXPECT_TRUE(store->Find("b")->Equals(b));
  EXPECT_FALSE(fs::exists(folder + "/photo-1.gen"));
  EXPECT_FALSE(fs::exists(folder + "/photo-1.keys"));
}

TEST_F(KeystoreTest, AnOldKeyFileIsNoiseOnceItsGenerationKeyIsGone) {
  auto store = Open();
  store->Add("a");
  ASSERT_TRUE(store->Sync().ok());
  const std::string backup = *base::ReadFile(folder + "/photo-1.keys");
  ASSERT_TRUE(store->Destroy({"a"}).ok());
  std::ofstream(folder + "/photo-9.keys", std::ios::binary) << backup;
  auto again = Open();
  EXPECT_EQ(again->Find("a"), nullptr);
}

TEST_F(KeystoreTest, NoKeyStandsInTheClearOnDisk) {
  auto store = Open();
  const std::string a(store->Add("a").Reveal());
  ASSERT_TRUE(store->Sync().ok());
  EXPECT_EQ(AllBytes().find(a), std::string::npos);
  EXPECT_EQ(AllBytes().find(std::string(32, 'r')), std::string::npos);
}

TEST_F(KeystoreTest, ATornEndIsCutOffAndDamageIsRefused) {
  auto store = Open();
  store->Add("a");
  ASSERT_TRUE(store->Sync().ok());
  const std::string whole = *base::ReadFile(folder + "/photo-1.keys");
  store->Add("b");
  ASSERT_TRUE(store->Sync().ok());
  const std::string both = *base::ReadFile(folder + "/photo-1.keys");
  for (size_t cut = whole.size(); cut < both.size(); ++cut) {
    std::ofstream(folder + "/photo-1.keys", std::ios::binary | std::ios::trunc) << both.substr(0, cut);
    auto opened = Open();
    ASSERT_NE(opened, nullptr) << cut;
    EXPECT_NE(opened->Find("a"), nullptr) << cut;
    EXPECT_EQ(opened->Find("b"), nullptr) << cut;
  }
  std::string damaged = both;
  damaged[20] = static_cast<char>(damaged[20] ^ 1);
  std::ofstream(folder + "/photo-1.keys", std::ios::binary | std::ios::trunc) << damaged;
  EXPECT_FALSE(Keystore::Open(folder, "photo", *home, random).ok());
}

// A crash between any two steps of a destruction: the next opening ends in one generation, before or after,
// never half.
TEST_F(KeystoreTest, AnInterruptedDestructionIsFinishedOrUndone) {
  auto store = Open();
  store->Add("a");
  store->Add("b");
  ASSERT_TRUE(store->Sync().ok());
  const std::string gen1 = *base::ReadFile(folder + "/photo-1.gen"),
                    keys1 = *base::ReadFile(folder + "/photo-1.keys");
  ASSERT_TRUE(store->Destroy({"a"}).ok());
  const std::string gen2 = *base::ReadFile(folder + "/photo-2.gen"),
                    keys2 = *base::ReadFile(folder + "/photo-2.keys");
  struct Crash {
    const char* what;
    bool gen1, keys1, gen2, keys2, a_there;
  };
  for (const Crash& crash : {Crash{"new generation key written", true, true, true, false, true},
                             Crash{"new keys in place", true, true, true, true, false},
                             Crash{"old generation key gone", false, true, true, true, false},
                             Crash{"done", false, false, true, true, false}}) {
    fs::remove_all(folder);
    fs::create_directory(folder);
    auto put = [&](bool there, const char* name, const std::string& content) {
      if (there) std::ofstream(folder + "/" + name, std::ios::binary) << content;
    };
    put(crash.gen1, "photo-1.gen", gen1);
    put(crash.keys1, "photo-1.keys", keys1);
    put(crash.gen2, "photo-2.gen", gen2);
    put(crash.keys2, "photo-2.keys", keys2);
    auto opened = Open();
    ASSERT_NE(opened, nullptr) << crash.what;
    EXPECT_EQ(opened->Find("a") != nullptr, crash.a_there) << crash.what;
    EXPECT_NE(opened->Find("b"), nullptr) << crash.what;
    size_t files = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) ++files;
    EXPECT_EQ(files, 2u) << crash.what;
    ASSERT_TRUE(opened->Destroy({"a"}).ok()) << crash.what;
    EXPECT_EQ(opened->Find("a"), nullptr) << crash.what;
  }
}

// A copy of the folder after every step of a roll, with keys added before, between and after: whichever of
// them a crash leaves, what was acknowledged is there, and what was destroyed is either wholly there or gone.
TEST_F(KeystoreTest, ACrashAtAnyStepOfARollLosesNothingAndLeavesNothing) {
  auto store = Open();
  for (const char* id : {"going", "staying"}) store->Add(id);
  ASSERT_TRUE(store->Sync().ok());
  struct Moment {
    std::string what;
    std::set<std::string> there;
  };
  std::vector<Moment> moments;
  std::set<std::string> there = {"going", "staying"};
  auto snapshot = [&](const std::string& what) {
    fs::copy(folder, folder + "-" + std::to_string(moments.size()));
    moments.push_back({what, there});
  };
  auto add = [&](const std::string& id) {
    store->Add(id);
    ASSERT_TRUE(store->Sync().ok());
    there.insert(id);
    snapshot("added " + id);
  };
  auto roll = store->BeginRoll({"going"});
  add("after begin");
  ASSERT_TRUE(roll->Write().ok());
  snapshot("written");
  add("after write");
  const std::string whole = *base::ReadFile(folder + "/photo-2.next");
  for (size_t cut : {size_t{0}, size_t{10}, whole.size() / 2, whole.size() - 1}) {
    snapshot("written as far as " + std::to_string(cut));
    fs::resize_file(folder + "-" + std::to_string(moments.size() - 1) + "/photo-2.next", cut);
  }
  store->Add("not synced");
  ASSERT_TRUE(store->FinishRoll(*roll).ok());
  there.erase("going");
  there.insert("not synced");  // the new generation brought it to the disk
  snapshot("in force");
  add("after finish");
  ASSERT_TRUE(roll->DestroyOld().ok());
  snapshot("destroyed");
  for (size_t i = 0; i < moments.size(); ++i) {
    const std::string copy = folder + "-" + std::to_string(i);
    auto opened = Keystore::Open(copy, "photo", *home, random);
    ASSERT_TRUE(opened.ok()) << moments[i].what << ": " << opened.status();
    std::set<std::string> found;
    (*opened)->ForEach([&](const std::string& id, const base::Secret&) { found.insert(id); });
    EXPECT_EQ(found, moments[i].there) << moments[i].what;
    size_t files = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(copy)) ++files;
    EXPECT_EQ(files, 2u) << moments[i].what;
    fs::remove_all(copy);
  }
}

TEST_F(KeystoreTest, ARollThatFailedIsTriedAgainOrLeftAndHarmsNothing) {
  testing::MemoryHome token(random);
  auto store = *Keystore::Open(folder, "photo", token, random);
  store->Add("a");
  store->Add("b");
  ASSERT_TRUE(store->Sync().ok());
  auto roll = store->BeginRoll({"a"});
  token.Silence(true);
  EXPECT_TRUE(absl::IsUnavailable(roll->Write()));
  token.Silence(false);
  ASSERT_TRUE(roll->Write().ok());
  roll.reset();  // left
  EXPECT_NE(store->Find("a"), nullptr);
  roll = store->BeginRoll({"b"});
  ASSERT_TRUE(roll->Write().ok());
  ASSERT_TRUE(store->FinishRoll(*roll).ok());
  token.Silence(true);
  EXPECT_TRUE(absl::IsUnavailable(roll->DestroyOld()));
  token.Silence(false);
  ASSERT_TRUE(roll->DestroyOld().ok());
  EXPECT_EQ(*token.Guarded("photo"), std::set<uint64_t>{2});
  store = *Keystore::Open(folder, "photo", token, random);
  EXPECT_NE(store->Find("a"), nullptr);
  EXPECT_EQ(store->Find("b"), nullptr);
}

TEST_F(KeystoreTest, AnOlderCopyThatStillOpensDoesNotDestroyTheNewerGeneration) {
  testing::MemoryHome token(random);
  auto store = *Keystore::Open(folder, "photo", token, random);
  store->Add("a");
  ASSERT_TRUE(store->Sync().ok());
  const std::string copy = folder + "-copy";
  fs::copy(folder, copy);
  auto roll = store->BeginRoll({});
  ASSERT_TRUE(roll->Write().ok());
  ASSERT_TRUE(store->FinishRoll(*roll).ok());  // and the old one is not destroyed yet
  { auto older = *Keystore::Open(copy, "photo", token, random); }
  EXPECT_TRUE(token.Guarded("photo")->contains(2));
  ASSERT_TRUE(roll->DestroyOld().ok());
  store = *Keystore::Open(folder, "photo", token, random);
  EXPECT_NE(store->Find("a"), nullptr);
  fs::remove_all(copy);
}

TEST_F(KeystoreTest, WithATokenAMissingFolderIsALossAndNoFirstStart) {
  testing::MemoryHome token(random);
  auto store = *Keystore::Open(folder, "photo", token, random);
  store->Add("a");
  ASSERT_TRUE(store->Sync().ok());
  ASSERT_TRUE(store->Destroy({"a"}).ok());
  fs::remove_all(folder);
  auto opened = Keystore::Open(folder, "photo", token, random);
  EXPECT_TRUE(absl::IsDataLoss(opened.status())) << opened.status();
  EXPECT_EQ(*token.Guarded("photo"), std::set<uint64_t>{2});
}

TEST_F(KeystoreTest, AnotherRootKeyIsRefusedWithAHint) {
  Open();
  auto opened =
      Keystore::Open(folder, "photo", *NewFileHome(base::Secret(std::string(32, 'x')), random), random);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.status().message().find("right root key"), std::string::npos);
}

TEST_F(KeystoreTest, ARootKeyIsReadFromEitherForm) {
  const std::string path = folder + "/root.key";
  const base::Secret key(std::string(kKeySize, 'k')), passphrase(std::string("een zin om te onthouden"));
  const auto ask = [](const std::string&) -> absl::StatusOr<base::Secret> {
    return base::Secret(std::string("een zin om te onthouden"));
  };
  const auto wrong = [](const std::string&) -> absl::StatusOr<base::Secret> {
    return base::Secret(std::string("een andere zin"));
  };
  const auto write = [&](std::string_view text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    chmod(path.c_str(), 0600);
  };
  write(RootKeyText(key, nullptr, random)->Reveal());
  EXPECT_TRUE(ReadRootKey(path, wrong)->Equals(key.Reveal())) << "nobody is asked";
  const std::string sealed(RootKeyText(key, &passphrase, random)->Reveal());
  EXPECT_EQ(sealed.find(base::ToHex(key.Reveal())), std::string::npos);
  write(sealed);
  EXPECT_TRUE(ReadRootKey(path, ask)->Equals(key.Reveal()));
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadRootKey(path, wrong).status()));
  chmod(path.c_str(), 0640);
  EXPECT_TRUE(absl::IsPermissionDenied(ReadRootKey(path, ask).status()));
  // Costs that nobody meant are refused before they are paid.
  for (const char* line :
       {"waarborg-root-key-v1 argon2id 999999999 3 00 00", "waarborg-root-key-v1 argon2i 64 3 00 00", "0123",
        "", "zz", "waarborg-root-key-v1 argon2id 262144 3 00 00"}) {
    write(line);
    EXPECT_TRUE(absl::IsInvalidArgument(ReadRootKey(path, ask).status())) << line;
  }
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadSecret("credential:nothing").status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadSecret("credential:../root.key").status()));
}

TEST_F(KeystoreTest, FileKeysComeBackFromTheirBackupAndNothingElseDoes) {
  auto store = Open();
  store->Add("house");
  store->Add("LV-1");
  const std::string sealed = SealKeyBackup(CopyKeys(*store), "B-1", root, random);
  for (const auto& [id, key] : CopyKeys(*store))
    EXPECT_EQ(sealed.find(std::string(key.Reveal())), std::string::npos);
  auto opened = OpenKeyBackup(sealed, "B-1", root);
  ASSERT_TRUE(opened.ok());
  ASSERT_EQ(opened->size(), 2u);
  for (const auto& [id, key] : *opened) EXPECT_TRUE(store->Find(id)->Equals(key.Reveal())) << id;
  EXPECT_FALSE(OpenKeyBackup(sealed, "B-2", root).ok());
  EXPECT_FALSE(OpenKeyBackup(sealed, "B-1", base::Secret(std::string(32, 'x'))).ok());
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string other = sealed;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_FALSE(OpenKeyBackup(other, "B-1", root).ok()) << i;
  }
}

TEST(Sealing, OpensOnlyWithKeyContextAndEveryBit) {
  base::SystemRandom random;
  const base::Secret key(std::string(32, 'k'));
  const std::string sealed = Seal(key, "hello", "here", random);
  EXPECT_EQ(Unseal(key, sealed, "here"), "hello");
  EXPECT_FALSE(Unseal(key, sealed, "there"));
  EXPECT_FALSE(Unseal(base::Secret(std::string(32, 'j')), sealed, "here"));
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string other = sealed;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(Unseal(key, other, "here")) << bit;
  }
  EXPECT_NE(Seal(key, "hello", "here", random), sealed);
}

TEST_F(KeystoreTest, TheLogKeyIsMadeOnceAndSealed) {
  const base::Secret root_key(std::string(kKeySize, 'r')), other(std::string(kKeySize, 'o'));
  EXPECT_TRUE(absl::IsNotFound(OpenLogKey(folder, "", root_key, random, false).status()))
      << "none is made unasked";
  auto first = OpenLogKey(folder, "", root_key, random, true);
  ASSERT_TRUE(first.ok()) << first.status();
  auto again = OpenLogKey(folder, "", root_key, random, true);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(first->Equals(again->Reveal()));
  EXPECT_EQ(AllBytes().find(std::string(first->Reveal())), std::string::npos);
  EXPECT_FALSE(OpenLogKey(folder, "", other, random, true).ok());
}

TEST_F(KeystoreTest, AGivenLogKeyIsReadFromPemThatNobodyElseCanRead) {
  const base::Secret root_key(std::string(kKeySize, 'r'));
  const std::string path = folder + "/log.pem";
  // RFC 8410 section 10.3, the example of an Ed25519 private key.
  std::ofstream(path)
      << "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
         "-----END PRIVATE KEY-----\n";
  chmod(path.c_str(), 0644);
  EXPECT_TRUE(absl::IsPermissionDenied(OpenLogKey(folder, path, root_key, random, false).status()));
  chmod(path.c_str(), 0600);
  auto key = OpenLogKey(folder, path, root_key, random, false);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(base::ToHex(key->Reveal()), "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842");
  std::ofstream(path) << "no key";
  EXPECT_FALSE(OpenLogKey(folder, path, root_key, random, false).ok());
  EXPECT_FALSE(OpenLogKey(folder, folder + "/nothing.pem", root_key, random, true).ok());
}

TEST(Sealing, EqualTextsSealEquallyAndOpenOnlyWhereTheyBelong) {
  const base::Secret key(std::string(kKeySize, 'k')), other(std::string(kKeySize, 'o'));
  const std::string sealed = SealEqually(key, "LV-1", "subject");
  EXPECT_EQ(sealed, SealEqually(key, "LV-1", "subject"));
  EXPECT_NE(sealed, SealEqually(key, "LV-2", "subject"));
  EXPECT_NE(sealed, SealEqually(other, "LV-1", "subject"));
  EXPECT_EQ(Unseal(key, sealed, "subject"), "LV-1");
  EXPECT_FALSE(Unseal(key, sealed, "elsewhere"));
  EXPECT_FALSE(Unseal(other, sealed, "subject"));
}

}  // namespace
}  // namespace waarborg::keys

// SPDX-License-Identifier: EUPL-1.2
#include "server/keys/generation_home.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/keys/sealing.h"

namespace waarborg::keys {
namespace {

namespace fs = std::filesystem;

constexpr char kModule[] = "/usr/lib/softhsm/libsofthsm2.so";
constexpr char kLabel[] = "Waarborg test";
constexpr char kPin[] = "20461357";
constexpr char kOtherPin[] = "75316402";

bool Shell(const std::string& command) {
  return std::system((command + " > /dev/null 2>&1").c_str()) == 0;
}

// A folder of SoftHSM tokens, in force from the next C_Initialize in this process.
class SoftHsm {
 public:
  SoftHsm() {
    char name[] = "/tmp/waarborg-token-XXXXXX";
    folder_ = mkdtemp(name);
    fs::create_directory(Tokens());
    std::ofstream(folder_ + "/softhsm2.conf")
        << "directories.tokendir = " << Tokens() << "\nobjectstore.backend = file\nlog.level = ERROR\n";
    setenv("SOFTHSM2_CONF", (folder_ + "/softhsm2.conf").c_str(), 1);
  }
  ~SoftHsm() {
    unsetenv("SOFTHSM2_CONF");
    fs::remove_all(folder_);
  }
  SoftHsm(const SoftHsm&) = delete;
  SoftHsm& operator=(const SoftHsm&) = delete;

  std::string Tokens() const { return folder_ + "/tokens"; }
  std::string Hidden() const { return folder_ + "/hidden"; }
  bool Make(const std::string& label) const {
    return Shell(absl::StrCat("softhsm2-util --init-token --free --label '", label,
                              "' --so-pin 12344321 --pin ", kPin));
  }

 private:
  std::string folder_;
};

// The same token as somebody else in this process sees it, without our code between.
class Raw {
 public:
  explicit Raw(bool initialise = false) {
    library_ = dlopen(kModule, RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) return;
    const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library_, "C_GetFunctionList"));
    if (get == nullptr || get(&call_) != CKR_OK) return;
    if (initialise && call_->C_Initialize(nullptr) != CKR_OK) return;
    there_ = true;
  }
  ~Raw() {
    if (session_ != CK_INVALID_HANDLE) call_->C_CloseSession(session_);
    if (library_ != nullptr) dlclose(library_);
  }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  std::string pin = kPin;
  bool there() const { return there_; }
  const CK_FUNCTION_LIST* operator->() const { return call_; }
  CK_SLOT_ID Slot() const {
    CK_SLOT_ID slots[8];
    CK_ULONG number = 8;
    EXPECT_EQ(call_->C_GetSlotList(CK_TRUE, slots, &number), CKR_OK);
    for (CK_ULONG i = 0; i < number; ++i) {
      CK_TOKEN_INFO info{};
      EXPECT_EQ(call_->C_GetTokenInfo(slots[i], &info), CKR_OK);
      const std::string label(reinterpret_cast<const char*>(info.label), sizeof info.label);
      if (absl::StartsWith(label, absl::StrCat(kLabel, " "))) return slots[i];
    }
    ADD_FAILURE() << "no token";
    return slots[0];
  }
  CK_SESSION_HANDLE Session() {
    if (session_ != CK_INVALID_HANDLE) return session_;
    EXPECT_EQ(call_->C_OpenSession(Slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session_),
              CKR_OK);
    const CK_RV login =
        call_->C_Login(session_, CKU_USER, reinterpret_cast<unsigned char*>(pin.data()), pin.size());
    EXPECT_TRUE(login == CKR_OK || login == CKR_USER_ALREADY_LOGGED_IN) << login;
    return session_;
  }
  std::vector<CK_OBJECT_HANDLE> Find(std::string label) {
    CK_ATTRIBUTE like{CKA_LABEL, label.data(), label.size()};
    CK_OBJECT_HANDLE objects[8];
    CK_ULONG number = 0;
    EXPECT_EQ(call_->C_FindObjectsInit(Session(), &like, 1), CKR_OK);
    EXPECT_EQ(call_->C_FindObjects(Session(), objects, 8, &number), CKR_OK);
    EXPECT_EQ(call_->C_FindObjectsFinal(Session()), CKR_OK);
    return {objects, objects + number};
  }
  // An AES key of the plainest kind.
  CK_OBJECT_HANDLE MakeKey(std::string label) {
    CK_ULONG size = kKeySize;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE like[] = {{CKA_VALUE_LEN, &size, sizeof size},
                           {CKA_TOKEN, &yes, sizeof yes},
                           {CKA_PRIVATE, &yes, sizeof yes},
                           {CKA_WRAP, &yes, sizeof yes},
                           {CKA_LABEL, label.data(), label.size()}};
    CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    EXPECT_EQ(call_->C_GenerateKey(Session(), &mechanism, like, std::size(like), &key), CKR_OK);
    return key;
  }
  CK_BBOOL Boolean(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
    CK_BBOOL value = 2;
    CK_ATTRIBUTE attribute{type, &value, sizeof value};
    EXPECT_EQ(call_->C_GetAttributeValue(Session(), object, &attribute, 1), CKR_OK) << type;
    return value;
  }
  void ChangePin(std::string from, std::string to) {
    EXPECT_EQ(call_->C_SetPIN(Session(), reinterpret_cast<unsigned char*>(from.data()), from.size(),
                              reinterpret_cast<unsigned char*>(to.data()), to.size()),
              CKR_OK);
  }
  // Closes the sessions of everybody in the process.
  void CloseAllSessions() {
    EXPECT_EQ(call_->C_CloseAllSessions(Slot()), CKR_OK);
    session_ = CK_INVALID_HANDLE;
  }
  // For everybody in the process.
  void Finalise() {
    EXPECT_EQ(call_->C_Finalize(nullptr), CKR_OK);
    session_ = CK_INVALID_HANDLE;
  }
  bool IsInitialised() const {
    CK_INFO info{};
    return call_->C_GetInfo(&info) != CKR_CRYPTOKI_NOT_INITIALIZED;
  }

 private:
  void* library_ = nullptr;
  CK_FUNCTION_LIST* call_ = nullptr;
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
  bool there_ = false;
};

class HomeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(fs::exists(kModule)) << "SoftHSM is missing: apt-get install softhsm2";
    ASSERT_TRUE(hsm.Make(kLabel)) << "softhsm2-util cannot make a token";
  }
  absl::StatusOr<std::unique_ptr<GenerationHome>> TryToken(const std::string& pin = kPin,
                                                           const std::string& token = kLabel,
                                                           const std::string& instance = "house",
                                                           const std::string& module = kModule) {
    return OpenTokenHome({module, token, instance}, base::Secret(pin), root, random);
  }
  std::unique_ptr<GenerationHome> Token(const std::string& instance = "house") {
    auto home = TryToken(kPin, kLabel, instance);
    EXPECT_TRUE(home.ok()) << home.status();
    return home.ok() ? std::move(*home) : nullptr;
  }
  std::string Sealed(GenerationHome& home, const std::string& name, uint64_t generation) {
    auto sealed = home.Seal(name, generation, key);
    EXPECT_TRUE(sealed.ok()) << sealed.status();
    return sealed.ok() ? *sealed : "";
  }
  void ExpectOpens(GenerationHome& home, const std::string& name, uint64_t generation,
                   const std::string& sealed) {
    auto opened = home.Open(name, generation, sealed);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_TRUE(opened->Equals(key.Reveal()));
  }
  // FailedPrecondition, with these words in it and no secret.
  void ExpectRefused(const absl::Status& status, const std::string& words) {
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), words)) << status;
    ExpectNoSecret(status);
  }
  void ExpectNoSecret(const absl::Status& status) {
    for (const char* secret : {kPin, kOtherPin}) {
      EXPECT_FALSE(absl::StrContains(status.message(), secret)) << status;
    }
  }

  SoftHsm hsm;
  base::SystemRandom random;
  const base::Secret root{std::string(kKeySize, 'r')};
  const base::Secret key{std::string(kKeySize, 'g')};
};

enum class Kind { kFile, kToken };

// What holds wherever the keys have their home.
class GenerationHomeTest : public HomeTest, public ::testing::WithParamInterface<Kind> {
 protected:
  void SetUp() override {
    HomeTest::SetUp();
    if (!HasFatalFailure()) home = OpenUnder(root);
    ASSERT_NE(home, nullptr);
  }
  std::unique_ptr<GenerationHome> OpenUnder(const base::Secret& root_key) {
    if (GetParam() == Kind::kFile) return NewFileHome(root_key, random);
    auto token = OpenTokenHome({kModule, kLabel, "house"}, base::Secret(kPin), root_key, random);
    EXPECT_TRUE(token.ok()) << token.status();
    return token.ok() ? std::move(*token) : nullptr;
  }

  std::unique_ptr<GenerationHome> home;
};

INSTANTIATE_TEST_SUITE_P(Homes, GenerationHomeTest, ::testing::Values(Kind::kFile, Kind::kToken),
                         [](const auto& kind) { return kind.param == Kind::kFile ? "File" : "Token"; });

TEST_P(GenerationHomeTest, WhatIsSealedOpensAndDoesNotShowTheKey) {
  const std::string first = Sealed(*home, "photo", 1), second = Sealed(*home, "photo", 2);
  EXPECT_EQ(first.find(key.Reveal()), std::string::npos);
  EXPECT_NE(first, second);
  ExpectOpens(*home, "photo", 1, first);
  ExpectOpens(*home, "photo", 2, second);
  ExpectOpens(*home, "photo", 1, first);
}

TEST_P(GenerationHomeTest, AnotherGenerationOrNameDoesNotOpenIt) {
  const std::string sealed = Sealed(*home, "photo", 1);
  Sealed(*home, "photo", 2);
  Sealed(*home, "file", 1);
  EXPECT_TRUE(absl::IsFailedPrecondition(home->Open("photo", 2, sealed).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(home->Open("file", 1, sealed).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(home->Open("photo", 3, sealed).status()));
}

TEST_P(GenerationHomeTest, EveryChangedByteIsRefused) {
  const std::string sealed = Sealed(*home, "photo", 1);
  for (size_t at = 0; at < sealed.size(); ++at) {
    std::string other = sealed;
    other[at] = static_cast<char>(other[at] ^ 1);
    EXPECT_TRUE(absl::IsFailedPrecondition(home->Open("photo", 1, other).status())) << at;
    EXPECT_TRUE(absl::IsFailedPrecondition(home->Open("photo", 1, sealed.substr(0, at)).status())) << at;
  }
}

TEST_P(GenerationHomeTest, AnotherRootKeyIsRefused) {
  const std::string sealed = Sealed(*home, "photo", 1);
  auto other = OpenUnder(base::Secret(std::string(kKeySize, 'o')));
  ASSERT_NE(other, nullptr);
  ExpectRefused(other->Open("photo", 1, sealed).status(), "root key");
}

TEST_P(GenerationHomeTest, WhatTheOtherHomeSealedIsRefused) {
  auto other = GetParam() == Kind::kFile ? Token() : NewFileHome(root, random);
  ASSERT_NE(other, nullptr);
  const std::string sealed = Sealed(*other, "photo", 1);
  ExpectRefused(home->Open("photo", 1, sealed).status(),
                GetParam() == Kind::kFile ? "is its home a token?" : "is its home a file?");
}

TEST_P(GenerationHomeTest, DestroyMayBeRepeatedAndTouchesNothingElse) {
  Sealed(*home, "photo", 1);
  const std::string second = Sealed(*home, "photo", 2), file = Sealed(*home, "file", 1);
  EXPECT_TRUE(home->Destroy("photo", 1).ok());
  EXPECT_TRUE(home->Destroy("photo", 1).ok());
  EXPECT_TRUE(home->Destroy("photo", 99).ok());
  ExpectOpens(*home, "photo", 2, second);
  ExpectOpens(*home, "file", 1, file);
}

TEST_P(GenerationHomeTest, GuardedAreTheGenerationsThatTheHomeKeepsSomethingFor) {
  for (const uint64_t generation : {1, 2, 10}) Sealed(*home, "photo", generation);
  Sealed(*home, "photo-old", 5);
  ASSERT_TRUE(home->Destroy("photo", 2).ok());
  const std::set<uint64_t> none;
  const bool token = GetParam() == Kind::kToken;
  EXPECT_EQ(*home->Guarded("photo"), token ? (std::set<uint64_t>{1, 10}) : none);
  EXPECT_EQ(*home->Guarded("photo-old"), token ? (std::set<uint64_t>{5}) : none);
  EXPECT_EQ(*home->Guarded("phot"), none);
  EXPECT_EQ(home->OutlivesImages(), token);
}

class TokenHomeTest : public HomeTest {};

TEST_F(TokenHomeTest, TheKeyCannotBeTakenOutOfTheToken) {
  auto home = Token();
  ASSERT_NE(home, nullptr);
  Sealed(*home, "photo", 1);
  Raw raw;
  ASSERT_TRUE(raw.there());
  const auto found = raw.Find("waarborg house photo 1");
  ASSERT_EQ(found.size(), 1u);
  const CK_OBJECT_HANDLE object = found.front();

  unsigned char bytes[64];
  CK_ATTRIBUTE value{CKA_VALUE, bytes, sizeof bytes};
  EXPECT_EQ(raw->C_GetAttributeValue(raw.Session(), object, &value, 1), CKR_ATTRIBUTE_SENSITIVE);
  CK_MECHANISM wrap{CKM_AES_KEY_WRAP, nullptr, 0};
  CK_ULONG size = sizeof bytes;
  EXPECT_EQ(raw->C_WrapKey(raw.Session(), &wrap, raw.MakeKey("wrapper"), object, bytes, &size),
            CKR_KEY_UNEXTRACTABLE);
  CK_BBOOL no = CK_FALSE, yes = CK_TRUE;
  CK_ATTRIBUTE insensitive{CKA_SENSITIVE, &no, sizeof no}, extractable{CKA_EXTRACTABLE, &yes, sizeof yes};
  EXPECT_NE(raw->C_SetAttributeValue(raw.Session(), object, &insensitive, 1), CKR_OK);
  EXPECT_NE(raw->C_SetAttributeValue(raw.Session(), object, &extractable, 1), CKR_OK);
  // Nor hidden from its destruction, under another name.
  CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;
  CK_ATTRIBUTE label{CKA_LABEL, bytes, 4};
  EXPECT_NE(raw->C_CopyObject(raw.Session(), object, &label, 1, &copy), CKR_OK);
  EXPECT_NE(raw->C_SetAttributeValue(raw.Session(), object, &label, 1), CKR_OK);

  for (const CK_ATTRIBUTE_TYPE type : {CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE,
                                       CKA_NEVER_EXTRACTABLE, CKA_LOCAL, CKA_ENCRYPT, CKA_DECRYPT}) {
    EXPECT_EQ(raw.Boolean(object, type), CK_TRUE) << type;
  }
  for (const CK_ATTRIBUTE_TYPE type : {CKA_EXTRACTABLE, CKA_WRAP, CKA_UNWRAP, CKA_SIGN, CKA_VERIFY,
                                       CKA_DERIVE, CKA_MODIFIABLE, CKA_COPYABLE}) {
    EXPECT_EQ(raw.Boolean(object, type), CK_FALSE) << type;
  }
  std::string id(64, '\0');
  CK_ATTRIBUTE of_id{CKA_ID, id.data(), id.size()};
  ASSERT_EQ(raw->C_GetAttributeValue(raw.Session(), object, &of_id, 1), CKR_OK);
  EXPECT_EQ(id.substr(0, of_id.ulValueLen), "waarborg house photo 1");
}

// The layout on disk, opened by hand: nonce, ciphertext and tag of the token, and the root key's seal around
// it.
TEST_F(TokenHomeTest, WhatIsSealedIsAesGcmOfTheTokenUnderTheRootKey) {
  auto home = Token();
  ASSERT_NE(home, nullptr);
  auto inner = Unseal(root, Sealed(*home, "photo", 1), "generation photo 1");
  ASSERT_TRUE(inner);
  ASSERT_EQ(inner->size(), 12 + kKeySize + 16);
  Raw raw;
  ASSERT_TRUE(raw.there());
  const auto found = raw.Find("waarborg house photo 1");
  ASSERT_EQ(found.size(), 1u);
  for (std::string context : {"generation photo 1", "generation photo 2"}) {
    CK_GCM_PARAMS gcm{};
    auto* const bytes = reinterpret_cast<unsigned char*>(inner->data());
    gcm.pIv = bytes;
    gcm.ulIvLen = 12;
    gcm.ulIvBits = 96;
    gcm.pAAD = reinterpret_cast<unsigned char*>(context.data());
    gcm.ulAADLen = context.size();
    gcm.ulTagBits = 128;
    CK_MECHANISM mechanism{CKM_AES_GCM, &gcm, sizeof gcm};
    ASSERT_EQ(raw->C_DecryptInit(raw.Session(), &mechanism, found.front()), CKR_OK);
    std::string out(64, '\0');
    CK_ULONG size = out.size();
    const CK_RV code = raw->C_Decrypt(raw.Session(), bytes + 12, inner->size() - 12,
                                      reinterpret_cast<unsigned char*>(out.data()), &size);
    if (context == "generation photo 1") {
      ASSERT_EQ(code, CKR_OK);
      EXPECT_EQ(out.substr(0, size), key.Reveal());
    } else {
      EXPECT_NE(code, CKR_OK);
    }
  }
}

TEST_F(TokenHomeTest, ASealedKeyOpensInALaterHome) {
  auto home = Token();
  ASSERT_NE(home, nullptr);
  const std::string sealed = Sealed(*home, "photo", 7);
  home.reset();
  home = Token();
  ASSERT_NE(home, nullptr);
  EXPECT_EQ(*home->Guarded("photo"), std::set<uint64_t>{7});
  ExpectOpens(*home, "photo", 7, sealed);
}

TEST_F(TokenHomeTest, NoOlderCopyOpensOnceItsGenerationIsDestroyed) {
  auto home = Token();
  ASSERT_NE(home, nullptr);
  const std::string copy = Sealed(*home, "photo", 1);
  ASSERT_TRUE(home->Destroy("photo", 1).ok());
  EXPECT_TRUE(home->Guarded("photo")->empty());
  ExpectRefused(home->Open("photo", 1, copy).status(), "does not guard this generation");
  home.reset();
  home = Token();
  ASSERT_NE(home, nullptr);
  ExpectRefused(home->Open("photo", 1, copy).status(), "does not guard this generation");
  // Nor when the number comes back.
  const std::string fresh = Sealed(*home, "photo", 1);
  ExpectRefused(home->Open("photo", 1, copy).status(), "sealed by an earlier key");
  ExpectOpens(*home, "photo", 1, fresh);
}

TEST_F(TokenHomeTest, WhatACrashLeftIsReplacedByOneFreshKey) {
  auto home = Token();
  ASSERT_NE(home, nullptr);
  const std::string label = "waarborg house photo 1";
  const std::string unused = Sealed(*home, "photo", 1);
  Raw raw;
  ASSERT_TRUE(raw.there());
  raw.MakeKey(label);
  ASSERT_EQ(raw.Find(label).size(), 2u);
  ExpectRefused(home->Open("photo", 1, unused).status(), "2 keys");
  const std::string sealed = Sealed(*home, "photo", 1);
  EXPECT_EQ(raw.Find(label).size(), 1u);
  ExpectOpens(*home, "photo", 1, sealed);
  EXPECT_FALSE(home->Open("photo", 1, unused).ok());
  raw.MakeKey(label);
  ASSERT_TRUE(home->Destroy("photo", 1).ok());
  EXPECT_TRUE(raw.Find(label).empty()) << "all of them";
}

TEST_F(TokenHomeTest, OnlyNumbersAsWeWriteThemAreGenerations) {
  auto home = Token();
  ASSERT_NE(home, nullptr);
  Raw raw;
  ASSERT_TRUE(raw.there());
  for (const char* label :
       {"waarborg house photo 01", "waarborg house photo +2", "waarborg house photo 3 ",
        "waarborg house photo", "waarborg house photo x", "waarborg house photo 4 5", "", "another 6"}) {
    raw.MakeKey(label);
  }
  raw.MakeKey("waarborg house photo " + std::string(2000, '1'));
  raw.MakeKey("waarborg house photo 8");
  EXPECT_EQ(*home->Guarded("photo"), std::set<uint64_t>{8});
}

TEST_F(TokenHomeTest, TwoInstancesOnOneTokenKeepApart) {
  auto house = Token("house"), barn = Token("house-2");
  ASSERT_NE(house, nullptr);
  ASSERT_NE(barn, nullptr);
  const std::string ours = Sealed(*house, "photo", 1), theirs = Sealed(*barn, "photo", 2);
  EXPECT_EQ(*house->Guarded("photo"), std::set<uint64_t>{1});
  EXPECT_EQ(*barn->Guarded("photo"), std::set<uint64_t>{2});
  ExpectRefused(barn->Open("photo", 1, ours).status(), "another instance");
  ASSERT_TRUE(barn->Destroy("photo", 1).ok());
  ExpectOpens(*house, "photo", 1, ours);
  Sealed(*barn, "photo", 1);
  ExpectRefused(barn->Open("photo", 1, ours).status(), "does not open this");
  ExpectOpens(*barn, "photo", 2, theirs);
}

TEST_F(TokenHomeTest, AWrongPinIsRefusedWithAWarning) {
  const absl::Status status = TryToken(kOtherPin).status();
  ExpectRefused(status, "C_Login: CKR_PIN_INCORRECT (0xa0)");
  EXPECT_TRUE(absl::StrContains(status.message(), "Do not keep trying")) << status;
  EXPECT_TRUE(absl::IsFailedPrecondition(TryToken("1").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(TryToken("").status()));
  EXPECT_NE(Token(), nullptr);
}

TEST_F(TokenHomeTest, APinThatWasRefusedIsNeverTriedAgain) {
  auto home = Token();
  ASSERT_NE(home, nullptr);
  const std::string sealed = Sealed(*home, "photo", 1);
  Raw raw;
  ASSERT_TRUE(raw.there());
  raw.ChangePin(kPin, kOtherPin);
  raw.CloseAllSessions();
  ExpectRefused(home->Open("photo", 1, sealed).status(), "CKR_PIN_INCORRECT");
  // The token would take it again, but is not asked.
  raw.pin = kOtherPin;
  raw.ChangePin(kOtherPin, kPin);
  raw.CloseAllSessions();
  ExpectRefused(home->Seal("photo", 2, key).status(), "CKR_PIN_INCORRECT");
  ExpectRefused(home->Destroy("photo", 1), "CKR_PIN_INCORRECT");
  ExpectRefused(home->Guarded("photo").status(), "CKR_PIN_INCORRECT");
  home = Token();
  ASSERT_NE(home, nullptr);
  ExpectOpens(*home, "photo", 1, sealed);
}

TEST_F(TokenHomeTest, AnUnknownTokenIsNamedBesideThoseThatAreThere) {
  ASSERT_TRUE(hsm.Make("Another"));
  const absl::Status status = TryToken(kPin, "Waarborg").status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  for (const char* words : {"\"Waarborg\": there is no token", "\"Waarborg test\"", "\"Another\"", kModule}) {
    EXPECT_TRUE(absl::StrContains(status.message(), words)) << status;
  }
  ASSERT_TRUE(hsm.Make(kLabel));
  ExpectRefused(TryToken().status(), "more than one token");
}

TEST_F(TokenHomeTest, AModuleThatIsMissingOrNoneIsRefused) {
  ExpectRefused(TryToken(kPin, kLabel, "house", "/nowhere/module.so").status(), "/nowhere/module.so");
  ExpectRefused(TryToken(kPin, kLabel, "house", "/proc/self/exe").status(), "/proc/self/exe");
  const std::string none = fs::exists("/lib/x86_64-linux-gnu/libz.so.1") ? "/lib/x86_64-linux-gnu/libz.so.1"
                                                                         : "/lib/aarch64-linux-gnu/libz.so.1";
  ExpectRefused(TryToken(kPin, kLabel, "house", none).status(), "not a PKCS#11 module");
  EXPECT_TRUE(absl::IsInvalidArgument(TryToken(kPin, kLabel, "house", "libsofthsm2.so").status()));
}

TEST_F(TokenHomeTest, WhatCannotBeALabelOrAnInstanceIsRefused) {
  for (const std::string& instance : {std::string(), std::string("House"), std::string("a b"),
                                      std::string("a_b"), std::string("h\xc3\xa9"), std::string(41, 'a')}) {
    EXPECT_TRUE(absl::IsInvalidArgument(TryToken(kPin, kLabel, instance).status())) << instance;
  }
  EXPECT_TRUE(TryToken(kPin, kLabel, std::string(40, 'a')).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(TryToken(kPin, "").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(TryToken(kPin, std::string(33, 'a')).status()));
  auto home = Token();
  ASSERT_NE(home, nullptr);
  EXPECT_TRUE(absl::IsInvalidArgument(home->Seal("photo", 1, base::Secret("short")).status()));
}

TEST_F(TokenHomeTest, ALostSessionIsOpenedAgain) {
  auto home = Token();
  ASSERT_NE(home, nullptr);
  const std::string sealed = Sealed(*home, "photo", 1);
  Raw raw;
  ASSERT_TRUE(raw.there());
  raw.CloseAllSessions();
  ExpectOpens(*home, "photo", 1, sealed);
  raw.CloseAllSessions();
  const std::string second = Sealed(*home, "photo", 2);
  raw.Finalise();
  ExpectOpens(*home, "photo", 2, second);
  raw.Finalise();
  EXPECT_EQ(*home->Guarded("photo"), (std::set<uint64_t>{1, 2}));
  raw.CloseAllSessions();
  EXPECT_TRUE(home->Destroy("photo", 2).ok());
  EXPECT_EQ(*home->Guarded("photo"), (std::set<uint64_t>{1}));
}

// Who is not logged in is shown no private object, and no error either.
TEST_F(TokenHomeTest, WhoIsLoggedOutDoesNotTakeAKeyForDestroyed) {
  auto home = Token();
  ASSERT_NE(home, nullptr);
  const std::string sealed = Sealed(*home, "photo", 1);
  Raw raw;
  ASSERT_TRUE(raw.there());
  ASSERT_EQ(raw->C_Logout(raw.Session()), CKR_OK);
  ExpectOpens(*home, "photo", 1, sealed);
  ASSERT_EQ(raw->C_Logout(raw.Session()), CKR_OK);
  EXPECT_EQ(*home->Guarded("photo"), std::set<uint64_t>{1});
  ASSERT_EQ(raw->C_Logout(raw.Session()), CKR_OK);
  ASSERT_TRUE(home->Destroy("photo", 1).ok());
  EXPECT_TRUE(raw.Find("waarborg house photo 1").empty());
}

TEST_F(TokenHomeTest, ATokenThatIsAwayIsUnavailableUntilItIsBack) {
  auto home = Token();
  ASSERT_NE(home, nullptr);
  const std::string sealed = Sealed(*home, "photo", 1);
  Raw raw;
  ASSERT_TRUE(raw.there());
  fs::rename(hsm.Tokens(), hsm.Hidden());
  fs::create_directory(hsm.Tokens());
  raw.Finalise();
  EXPECT_TRUE(absl::IsUnavailable(home->Open("photo", 1, sealed).status()));
  EXPECT_TRUE(absl::IsUnavailable(home->Seal("photo", 2, key).status()));
  EXPECT_TRUE(absl::IsUnavailable(home->Destroy("photo", 1)));
  EXPECT_TRUE(absl::IsUnavailable(home->Guarded("photo").status()));
  // Another one with its label is not taken for it.
  ASSERT_TRUE(hsm.Make(kLabel));
  raw.Finalise();
  const absl::Status other = home->Destroy("photo", 1);
  EXPECT_TRUE(absl::IsUnavailable(other)) << other;
  EXPECT_TRUE(absl::StrContains(other.message(), "another token")) << other;
  fs::remove_all(hsm.Tokens());
  fs::rename(hsm.Hidden(), hsm.Tokens());
  raw.Finalise();
  ExpectOpens(*home, "photo", 1, sealed);
}

TEST_F(TokenHomeTest, TheLastHomeOfAProcessFinalises) {
  Raw raw;
  ASSERT_TRUE(raw.there());
  auto one = Token(), two = Token();
  ASSERT_NE(one, nullptr);
  ASSERT_NE(two, nullptr);
  const std::string sealed = Sealed(*one, "photo", 1);
  one.reset();
  ASSERT_TRUE(raw.IsInitialised());
  ExpectOpens(*two, "photo", 1, sealed);
  two.reset();
  EXPECT_FALSE(raw.IsInitialised());
}

TEST_F(TokenHomeTest, WhatSomebodyElseInitialisedIsLeftToThem) {
  Raw raw(true);
  ASSERT_TRUE(raw.there());
  auto home = Token();
  ASSERT_NE(home, nullptr);
  home.reset();
  EXPECT_TRUE(raw.IsInitialised());
  raw.Finalise();
}

TEST_F(TokenHomeTest, ManyThreadsMayUseOneHome) {
  auto home = Token();
  ASSERT_NE(home, nullptr);
  std::vector<std::thread> threads;
  for (uint64_t number = 1; number <= 4; ++number) {
    threads.emplace_back([this, &home, number] {
      for (uint64_t round = 0; round < 5; ++round) {
        const std::string sealed = Sealed(*home, "photo", number);
        ExpectOpens(*home, "photo", number, sealed);
        EXPECT_TRUE(home->Guarded("photo")->contains(number));
        EXPECT_TRUE(home->Destroy("photo", number).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(home->Guarded("photo")->empty());
}

}  // namespace
}  // namespace waarborg::keys

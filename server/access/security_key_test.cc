// SPDX-License-Identifier: EUPL-1.2
// Every check by name: whatever is wrong is found to be that, and nothing else is.
#include "server/access/security_key.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/access/cbor.h"
#include "tests/support/authenticator.h"

namespace waarborg::access {

// A fault is a word in the report of a test.
void PrintTo(KeyFault fault, std::ostream* out) {
  *out << Explain(fault);
}

namespace {

using testing::Authenticator;

constexpr char kParty[] = "waarborg.waterdam.example";
constexpr char kPage[] = "https://balie.waarborg.waterdam.example";

class SecurityKeyTest : public ::testing::TestWithParam<Authenticator::Kind> {
 protected:
  KeyFault Read(Ceremony ceremony, const std::string& json) {
    return ReadClientData(party, ceremony, json, client_data);
  }
  KeyFault New(const Authenticator::Made& made) {
    const KeyFault fault = Read(Ceremony::kCreate, made.client_data_json);
    return fault != KeyFault::kNone ? fault : CheckNewKey(party, client_data, made.attestation_object, key);
  }
  KeyFault New() { return New(device.Make(challenge, handle)); }
  // With these bytes as authenticator data.
  KeyFault NewWith(const std::string& authenticator_data) {
    return New({device.AttestationObject("none", Authenticator::Head(5, 0), authenticator_data),
                device.ClientDataJson("webauthn.create", challenge)});
  }
  KeyFault Use(const Authenticator::Used& used) {
    const KeyFault fault = Read(Ceremony::kGet, used.client_data_json);
    return fault != KeyFault::kNone
               ? fault
               : CheckUse(party, client_data, key, used.authenticator_data, used.signature, sign_count);
  }
  KeyFault Use() { return Use(device.Use(challenge)); }
  // Uses the key with the count it keeps from then on, as the caller does.
  KeyFault UseAndKeep() {
    const KeyFault fault = Use();
    if (fault == KeyFault::kNone) key.sign_count = sign_count;
    return fault;
  }
  uint8_t NewFlags() const { return device.flags | Authenticator::kCredential; }

  RelyingParty party{kParty, {"https://werk.waarborg.waterdam.example", kPage}, false};
  Authenticator device{kParty, kPage, GetParam()};
  std::string challenge = std::string(32, 'c');
  std::string handle = std::string(32, 'h');
  ClientData client_data;
  domain::SecurityKey key;
  uint32_t sign_count = 99;
};

INSTANTIATE_TEST_SUITE_P(Both, SecurityKeyTest,
                         ::testing::Values(Authenticator::Kind::kEs256, Authenticator::Kind::kEdDsa),
                         [](const auto& one) {
                           return one.param == Authenticator::Kind::kEs256 ? "Es256" : "EdDsa";
                         });

TEST_P(SecurityKeyTest, AKeyIsMadeAndUsed) {
  ASSERT_EQ(New(), KeyFault::kNone);
  EXPECT_EQ(client_data.challenge(), challenge);
  EXPECT_EQ(key.credential_id, device.credential_id);
  EXPECT_EQ(key.public_key, device.public_key);
  EXPECT_EQ(key.algorithm, GetParam() == Authenticator::Kind::kEs256 ? kCoseEs256 : kCoseEdDsa);
  EXPECT_EQ(key.sign_count, 0u);
  ASSERT_EQ(Use(), KeyFault::kNone);
  EXPECT_EQ(client_data.challenge(), challenge);
  EXPECT_EQ(sign_count, 1u);
}

TEST_P(SecurityKeyTest, AKeyThatAttestsItselfMustBeRight) {
  const std::string json = device.ClientDataJson("webauthn.create", challenge);
  const std::string data = device.AuthenticatorData(NewFlags());
  const auto packed = [&](const std::string& statement) {
    return New({device.AttestationObject("packed", statement, data), json});
  };
  EXPECT_EQ(packed(device.SelfStatement(data, json)), KeyFault::kNone);
  EXPECT_EQ(packed(device.SelfStatement(data, json + " ")), KeyFault::kSignature);
  EXPECT_EQ(packed(Authenticator(kParty, kPage, GetParam()).SelfStatement(data, json)), KeyFault::kSignature);
  EXPECT_EQ(packed(Authenticator::Head(5, 0)), KeyFault::kSignature);
}

// As browsers ask for it by themselves.
TEST_P(SecurityKeyTest, AnExtensionOfANewKeyDoesNoHarm) {
  device.extensions =
      Authenticator::Head(5, 1) + Authenticator::Text("credProtect") + Authenticator::Head(0, 3);
  const std::string json = device.ClientDataJson("webauthn.create", challenge);
  const std::string data = device.AuthenticatorData(NewFlags() | Authenticator::kExtensions);
  EXPECT_EQ(NewWith(data), KeyFault::kNone);
  EXPECT_EQ(New({device.AttestationObject("packed", device.SelfStatement(data, json), data), json}),
            KeyFault::kNone);
}

TEST_P(SecurityKeyTest, AttestationThatWasNotAskedForIsNotTaken) {
  const std::string json = device.ClientDataJson("webauthn.create", challenge);
  const std::string data = device.AuthenticatorData(NewFlags());
  const std::string empty = Authenticator::Head(5, 0);
  const std::string x5c = Authenticator::Head(5, 1) + Authenticator::Text("x5c") + Authenticator::Head(4, 0);
  EXPECT_EQ(New({device.AttestationObject("tpm", empty, data), json}), KeyFault::kFormat);
  EXPECT_EQ(New({device.AttestationObject("packed", x5c, data), json}), KeyFault::kFormat);
  EXPECT_EQ(New({device.AttestationObject("none", x5c, data), json}), KeyFault::kFormat);
}

TEST_P(SecurityKeyTest, ThePageIsOneOfTheConfiguration) {
  for (const char* page :
       {"https://balie.waarborg.waterdam.example:444", "http://balie.waarborg.waterdam.example",
        "https://balie.waarborg.waterdam.example.evil.example", "https://waterdam.example", ""}) {
    device.origin = page;
    EXPECT_EQ(New(), KeyFault::kOrigin) << page;
  }
  device.origin = kPage;
  ASSERT_EQ(New(), KeyFault::kNone);
  device.origin = "https://evil.example";
  EXPECT_EQ(Use(), KeyFault::kOrigin);
}

TEST_P(SecurityKeyTest, ThePageStandsInNoOther) {
  const std::string good = device.ClientDataJson("webauthn.get", challenge);
  const size_t at = good.find(",\"crossOrigin\":false");
  for (const char* said : {"true", "\"false\"", "null", "0"}) {
    const std::string json = good.substr(0, at) + ",\"crossOrigin\":" + said + "}";
    EXPECT_EQ(Read(Ceremony::kGet, json), KeyFault::kCrossOrigin) << json;
  }
  // Older browsers say nothing of it.
  EXPECT_EQ(Read(Ceremony::kGet, good.substr(0, at) + "}"), KeyFault::kNone);
}

TEST_P(SecurityKeyTest, MakingIsNotUsing) {
  EXPECT_EQ(Read(Ceremony::kGet, device.ClientDataJson("webauthn.create", challenge)), KeyFault::kCeremony);
  EXPECT_EQ(Read(Ceremony::kCreate, device.ClientDataJson("webauthn.get", challenge)), KeyFault::kCeremony);
  EXPECT_EQ(Read(Ceremony::kGet, device.ClientDataJson("payment.get", challenge)), KeyFault::kCeremony);
  ASSERT_EQ(New(), KeyFault::kNone);
  const auto used = device.Use(challenge);
  ASSERT_EQ(Read(Ceremony::kCreate, device.ClientDataJson("webauthn.create", challenge)), KeyFault::kNone);
  EXPECT_EQ(CheckUse(party, client_data, key, used.authenticator_data, used.signature, sign_count),
            KeyFault::kCeremony);
  const auto made = device.Make(challenge, handle);
  ASSERT_EQ(Read(Ceremony::kGet, used.client_data_json), KeyFault::kNone);
  EXPECT_EQ(CheckNewKey(party, client_data, made.attestation_object, key), KeyFault::kCeremony);
}

TEST_P(SecurityKeyTest, ClientDataIsWhatABrowserMakes) {
  const std::string good = device.ClientDataJson("webauthn.get", challenge);
  ASSERT_EQ(Read(Ceremony::kGet, good), KeyFault::kNone);
  device.more_client_data = ",\"other_keys_can_be_added_here\":{\"x\":[1]}";
  EXPECT_EQ(Read(Ceremony::kGet, device.ClientDataJson("webauthn.get", challenge)), KeyFault::kNone);
  device.more_client_data = ",\"origin\":\"https://evil.example\"";
  EXPECT_EQ(Read(Ceremony::kGet, device.ClientDataJson("webauthn.get", challenge)), KeyFault::kClientData);
  const auto with_challenge = [&](const std::string& text) {
    return R"({"type":"webauthn.get","challenge":)" + text + R"(,"origin":")" + kPage + "\"}";
  };
  const std::string encoded = absl::WebSafeBase64Escape(challenge);
  EXPECT_EQ(Read(Ceremony::kGet, with_challenge("\"" + encoded + "\"")), KeyFault::kNone);
  for (const std::string& bad :
       {std::string(), std::string("null"), std::string("[]"), good + "x", good.substr(0, good.size() - 1),
        "\xEF\xBB\xBF" + good, std::string(2000, '['), with_challenge("1"), with_challenge("\"\""),
        with_challenge("\"" + encoded + "=\""), with_challenge("\"" + encoded.substr(4) + "\""),
        with_challenge("\"" + encoded + "AAAA\""), with_challenge("\"\xFF\""),
        R"({"type":"webauthn.get","challenge":")" + encoded + "\"}"}) {
    EXPECT_EQ(Read(Ceremony::kGet, bad), KeyFault::kClientData) << bad;
  }
}

TEST_P(SecurityKeyTest, NothingIsLongerThanFits) {
  device.more_client_data = ",\"x\":\"" + std::string(kMaxClientData, 'x') + "\"";
  EXPECT_EQ(New(), KeyFault::kTooLong);
  device.more_client_data.clear();
  ASSERT_EQ(New(), KeyFault::kNone);
  EXPECT_EQ(CheckNewKey(party, client_data, std::string(kMaxAttestationObject + 1, 'x'), key),
            KeyFault::kTooLong);
  auto used = device.Use(challenge);
  used.signature.resize(kMaxSignature + 1);
  EXPECT_EQ(Use(used), KeyFault::kTooLong);
  used = device.Use(challenge);
  used.authenticator_data.resize(kMaxAuthenticatorData + 1);
  EXPECT_EQ(Use(used), KeyFault::kTooLong);
}

TEST_P(SecurityKeyTest, AKeyOfAnotherPartyIsNone) {
  ASSERT_EQ(New(), KeyFault::kNone);
  device.rp_id = "waterdam.example";
  EXPECT_EQ(Use(), KeyFault::kOtherParty);
  EXPECT_EQ(New(), KeyFault::kOtherParty);
}

TEST_P(SecurityKeyTest, SomebodyTouchedItAndProvedWhoTheyAre) {
  ASSERT_EQ(New(), KeyFault::kNone);
  device.flags = Authenticator::kPresent;
  EXPECT_EQ(Use(), KeyFault::kNotVerified);
  EXPECT_EQ(New(), KeyFault::kNotVerified);
  device.flags = Authenticator::kVerified;
  EXPECT_EQ(Use(), KeyFault::kNotPresent);
  EXPECT_EQ(New(), KeyFault::kNotPresent);
}

TEST_P(SecurityKeyTest, AKeyThatIsCopiedElsewhereIsTakenOnlyWhereThatIsSaid) {
  for (const uint8_t copied : {Authenticator::kBackupEligible, Authenticator::kBackedUp}) {
    device.flags = Authenticator::kPresent | Authenticator::kVerified;
    party.synced = false;
    ASSERT_EQ(New(), KeyFault::kNone);
    device.flags |= copied;
    EXPECT_EQ(New(), KeyFault::kSynced);
    EXPECT_EQ(Use(), KeyFault::kSynced);
    party.synced = true;
    EXPECT_EQ(New(), KeyFault::kNone);
    EXPECT_EQ(Use(), KeyFault::kNone);
  }
}

TEST_P(SecurityKeyTest, EveryBitThatWasSignedCounts) {
  ASSERT_EQ(New(), KeyFault::kNone);
  const auto good = device.Use(challenge);
  ASSERT_EQ(Use(good), KeyFault::kNone);
  for (size_t at = 0; at < good.signature.size(); ++at) {
    auto bad = good;
    bad.signature[at] ^= 1;
    EXPECT_EQ(Use(bad), KeyFault::kSignature) << at;
  }
  auto bad = good;
  bad.authenticator_data[36] ^= 2;  // the count
  EXPECT_EQ(Use(bad), KeyFault::kSignature);
  bad = good;
  bad.client_data_json.insert(1, " ");
  EXPECT_EQ(Use(bad), KeyFault::kSignature);
  bad = good;
  bad.client_data_json = device.ClientDataJson("webauthn.get", std::string(32, 'd'));
  EXPECT_EQ(Use(bad), KeyFault::kSignature);
  bad = good;
  bad.signature.clear();
  EXPECT_EQ(Use(bad), KeyFault::kSignature);
  EXPECT_EQ(Use(Authenticator(kParty, kPage, GetParam()).Use(challenge)), KeyFault::kSignature);
}

TEST_P(SecurityKeyTest, ACountThatDoesNotGoUpMeansThatThereAreTwo) {
  ASSERT_EQ(New(), KeyFault::kNone);
  device.count = 6;
  ASSERT_EQ(UseAndKeep(), KeyFault::kNone);
  EXPECT_EQ(key.sign_count, 7u);
  device.count = 6;
  EXPECT_EQ(Use(), KeyFault::kCount) << "the same again";
  device.count = 2;
  EXPECT_EQ(Use(), KeyFault::kCount);
  device.step = 0;
  device.count = 0;
  EXPECT_EQ(Use(), KeyFault::kCount) << "a key does not stop counting";
  device.count = 0xFFFFFFFF;
  EXPECT_EQ(UseAndKeep(), KeyFault::kNone);
  EXPECT_EQ(key.sign_count, 0xFFFFFFFFu);
}

TEST_P(SecurityKeyTest, AKeyThatDoesNotCountMayGoOnNotCounting) {
  device.step = 0;
  ASSERT_EQ(New(), KeyFault::kNone);
  EXPECT_EQ(UseAndKeep(), KeyFault::kNone);
  EXPECT_EQ(UseAndKeep(), KeyFault::kNone);
  EXPECT_EQ(key.sign_count, 0u);
}

TEST_P(SecurityKeyTest, AuthenticatorDataIsReadToItsLastByte) {
  const std::string data = device.AuthenticatorData(NewFlags());
  ASSERT_EQ(NewWith(data), KeyFault::kNone);
  for (size_t size = 0; size < data.size(); ++size) {
    EXPECT_EQ(NewWith(data.substr(0, size)), KeyFault::kAuthenticatorData) << size;
  }
  EXPECT_EQ(NewWith(data + "x"), KeyFault::kAuthenticatorData);
  EXPECT_EQ(NewWith(device.AuthenticatorData(device.flags)), KeyFault::kAuthenticatorData) << "no key in it";
  EXPECT_EQ(NewWith(device.AuthenticatorData(NewFlags() | Authenticator::kExtensions)),
            KeyFault::kAuthenticatorData);

  const auto used_with = [&](const std::string& bytes) {
    auto used = device.Use(challenge);
    used.authenticator_data = bytes;
    return Use(used);
  };
  ASSERT_EQ(New(), KeyFault::kNone);
  const std::string small = device.AuthenticatorData(device.flags);
  EXPECT_EQ(used_with(small.substr(0, 36)), KeyFault::kAuthenticatorData);
  EXPECT_EQ(used_with(small + "x"), KeyFault::kAuthenticatorData);
  EXPECT_EQ(used_with(data), KeyFault::kAuthenticatorData) << "a new key where one was to be used";
  device.extensions = Authenticator::Head(5, uint64_t{1} << 40);
  EXPECT_EQ(used_with(device.AuthenticatorData(device.flags | Authenticator::kExtensions)),
            KeyFault::kAuthenticatorData)
      << "claims more than there is";
}

TEST_P(SecurityKeyTest, ACredentialIdHasASize) {
  for (const size_t size : {size_t{0}, kMinCredentialId - 1, kMaxCredentialId + 1}) {
    device.credential_id = std::string(size, 'i');
    EXPECT_EQ(New(), KeyFault::kAuthenticatorData) << size;
  }
  for (const size_t size : {kMinCredentialId, kMaxCredentialId}) {
    device.credential_id = std::string(size, 'i');
    EXPECT_EQ(New(), KeyFault::kNone) << size;
  }
}

TEST_P(SecurityKeyTest, APublicKeyIsOneOfTheTwoKindsAndOnItsCurve) {
  const std::string data = device.AuthenticatorData(NewFlags());
  std::string other = data;
  other[other.find(std::string("\x03") + (GetParam() == Authenticator::Kind::kEs256 ? '\x26' : '\x27'),
                   37 + 18 + 32) +
        1] = '\x38';  // an algorithm that is cut off; then one that is neither
  EXPECT_EQ(NewWith(other), KeyFault::kAuthenticatorData);
  other = data;
  other[other.find(std::string("\x03") + (GetParam() == Authenticator::Kind::kEs256 ? '\x26' : '\x27'),
                   37 + 18 + 32) +
        1] = '\x25';
  EXPECT_EQ(NewWith(other), KeyFault::kPublicKey);
  if (GetParam() == Authenticator::Kind::kEs256) {
    device.public_key[63] ^= 1;
    EXPECT_EQ(New(), KeyFault::kPublicKey);
  }
  device.public_key.resize(16);
  device.public_key.resize(GetParam() == Authenticator::Kind::kEs256 ? 63 : 31);
  EXPECT_EQ(New(), KeyFault::kPublicKey);
  ASSERT_EQ(Read(Ceremony::kGet, device.ClientDataJson("webauthn.get", challenge)), KeyFault::kNone);
  key.algorithm = -257;
  EXPECT_EQ(Use(), KeyFault::kPublicKey);
}

TEST_P(SecurityKeyTest, AnAttestationObjectIsOne) {
  using A = Authenticator;
  const std::string json = device.ClientDataJson("webauthn.create", challenge);
  const std::string good = device.Make(challenge, handle).attestation_object;
  ASSERT_EQ(New({good, json}), KeyFault::kNone);
  const std::string fmt = A::Text("fmt") + A::Text("none"), statement = A::Text("attStmt") + A::Head(5, 0);
  const std::string data = A::Text("authData") + A::Bytes(device.AuthenticatorData(NewFlags()));
  const auto map = [](uint64_t claims, const std::vector<std::string>& parts) {
    return absl::StrCat(A::Head(5, claims), absl::StrJoin(parts, ""));
  };
  ASSERT_EQ(New({map(3, {statement, data, fmt}), json}), KeyFault::kNone) << "in any order";
  const std::string one = A::Head(0, 1), x = A::Text("x");
  for (const std::string& bad :
       {std::string(), absl::StrCat(good, "x"), good.substr(1), good.substr(0, good.size() - 1),
        map(2, {fmt, data}), map(3, {fmt, fmt, data}), map(4, {fmt, statement, data, x, one}),
        map(3, {A::Text("fmt"), A::Bytes("none"), statement, data}),
        map(3, {fmt, A::Text("attStmt"), A::Head(4, 0), data}),
        map(3, {fmt, statement, A::Text("authData"), x}), map(uint64_t{1} << 63, {fmt, statement, data}),
        absl::StrCat("\xBF", fmt, statement, data, "\xFF")}) {
    EXPECT_EQ(New({bad, json}), KeyFault::kAttestationObject) << absl::CHexEscape(bad);
  }
}

TEST(RelyingParty, EveryFaultHasWordsOfItsOwn) {
  std::vector<std::string> seen;
  for (int i = 0; i <= static_cast<int>(KeyFault::kCount); ++i) {
    const std::string words = Explain(static_cast<KeyFault>(i));
    EXPECT_FALSE(words.empty()) << i;
    EXPECT_EQ(std::count(seen.begin(), seen.end(), words), 0) << words;
    seen.push_back(words);
  }
}

TEST(Cbor, AnItemEndsWhereItEnds) {
  using A = Authenticator;
  const std::string nested =
      A::Head(4, 2) + A::Head(6, 1) + A::Text("x") + A::Head(5, 1) + A::Head(0, 500) + "\xF5";
  EXPECT_EQ(EndOfCbor(nested), nested.size());
  EXPECT_EQ(EndOfCbor(nested + nested), nested.size());
  EXPECT_EQ(EndOfCbor(nested + nested, nested.size()), 2 * nested.size());
  for (size_t size = 0; size < nested.size(); ++size) EXPECT_FALSE(EndOfCbor(nested.substr(0, size))) << size;
  EXPECT_FALSE(EndOfCbor(nested, nested.size()));
  EXPECT_FALSE(EndOfCbor(nested, nested.size() + 1));
  EXPECT_EQ(EndOfCbor("\xFB"
                      "12345678"),
            9u)
      << "a double";
}

TEST(Cbor, NothingIsClaimedThatIsNotThere) {
  using A = Authenticator;
  for (const int major : {2, 3, 4, 5}) {
    for (const uint64_t claim : {uint64_t{1}, uint64_t{1} << 20, uint64_t{1} << 40, ~uint64_t{0}}) {
      EXPECT_FALSE(EndOfCbor(A::Head(major, claim))) << major << " " << claim;
    }
  }
  for (const char* bad : {"\x5F\x41x\xFF", "\x9F\xFF", "\xBF\xFF", "\xFF", "\x1C", "\xF8\x01"}) {
    EXPECT_FALSE(EndOfCbor(bad)) << absl::CHexEscape(bad);
  }
}

TEST(Cbor, LevelsAreFew) {
  const auto levels = [](int n) { return std::string(static_cast<size_t>(n - 1), '\x81') + '\x01'; };
  EXPECT_TRUE(EndOfCbor(levels(kMaxCborLevels)));
  EXPECT_FALSE(EndOfCbor(levels(kMaxCborLevels + 1)));
  EXPECT_FALSE(EndOfCbor(std::string(100000, '\x81')));
}

TEST(Cbor, AMapHasItsKeysOnce) {
  using A = Authenticator;
  const std::string item = A::Head(5, 2) + A::Text("a") + A::Head(0, 1) + A::Text("b") + A::Bytes("xy");
  const auto map = CborMapByText(item);
  ASSERT_TRUE(map);
  EXPECT_EQ(map->size(), 2u);
  EXPECT_EQ(CborBytes(map->at("b")), "xy");
  EXPECT_FALSE(CborText(map->at("b")));
  EXPECT_FALSE(CborMapByText(A::Head(5, 2) + A::Text("a") + A::Head(0, 1) + A::Text("a") + A::Head(0, 1)));
  EXPECT_FALSE(CborMapByText(A::Head(5, 1) + A::Head(0, 1) + A::Head(0, 1)));
  EXPECT_FALSE(CborMapByText(A::Head(4, 0)));
  EXPECT_FALSE(CborMapByText(""));
}

}  // namespace
}  // namespace waarborg::access

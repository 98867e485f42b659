// SPDX-License-Identifier: EUPL-1.2
#include "server/oidc/id_token.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/keys/sealing.h"
#include "tests/support/fake_provider.h"

namespace waarborg::oidc {
namespace {

using testing::FakeProvider;
using testing::Members;
using testing::Quoted;
using testing::SigningKey;
using testing::ToJson;

const absl::Time kNow = absl::FromUnixSeconds(1'772'438'400);

const SigningKey& Rsa() {
  static const SigningKey kKey = SigningKey::New(SigningKey::Type::kRsa, "r1");
  return kKey;
}
const SigningKey& Ec() {
  static const SigningKey kKey = SigningKey::New(SigningKey::Type::kEc, "e1");
  return kKey;
}
std::string Set(const std::vector<std::string>& keys) {
  return absl::StrCat("{\"keys\":[", absl::StrJoin(keys, ","), "]}");
}
std::shared_ptr<const KeySet> Both() {
  return *KeySet::Parse(Set({Rsa().PublicJwk(), Ec().PublicJwk()}));
}

TEST(Signature, OfEachAllowedAlgorithmIsVerified) {
  EXPECT_EQ(*VerifySignature(Rsa().Sign("RS256", "{\"a\":1}"), *Both()), "{\"a\":1}");
  EXPECT_EQ(*VerifySignature(Rsa().Sign("PS256", "{\"a\":1}", {{"typ", "JWT"}}), *Both()), "{\"a\":1}");
  EXPECT_EQ(*VerifySignature(Ec().Sign("ES256", "{\"a\":1}"), *Both()), "{\"a\":1}");
}

TEST(Signature, OtherAlgorithmsAreRefusedWhoeverSigned) {
  const std::string rest = absl::StrCat(".", absl::WebSafeBase64Escape("{\"a\":1}"), ".");
  for (const char* none : {"none", "None", "NONE", ""}) {
    const std::string header = absl::StrCat("{\"alg\":\"", none, "\",\"kid\":\"r1\"}");
    EXPECT_TRUE(
        absl::IsPermissionDenied(VerifySignature(absl::WebSafeBase64Escape(header) + rest, *Both()).status()))
        << none;
  }
  // The public key, taken for a shared secret.
  const std::string public_jwk = Rsa().PublicJwk();
  for (const std::string& secret : {public_jwk, std::string("r1")}) {
    const auto evil = SigningKey::OfBytes(secret, "r1").Sign("HS256", "{\"a\":1}");
    EXPECT_TRUE(absl::IsPermissionDenied(VerifySignature(evil, *Both()).status()));
  }
  EXPECT_TRUE(absl::IsPermissionDenied(VerifySignature(Rsa().Sign("RS512", "{}"), *Both()).status()));
}

TEST(Signature, OfAKeyThatTheProviderDoesNotShowMayBeOfANewOne) {
  const auto other = SigningKey::New(SigningKey::Type::kEc, "e2");
  EXPECT_TRUE(absl::IsNotFound(VerifySignature(other.Sign("ES256", "{}"), *Both()).status()));
  // The name of one key, with the algorithm of another type.
  const auto confused = SigningKey::New(SigningKey::Type::kEc, "r1");
  EXPECT_TRUE(absl::IsNotFound(VerifySignature(confused.Sign("ES256", "{}"), *Both()).status()));
  // The right name, another key.
  const auto impostor = SigningKey::New(SigningKey::Type::kEc, "e1");
  EXPECT_TRUE(absl::IsPermissionDenied(VerifySignature(impostor.Sign("ES256", "{}"), *Both()).status()));
}

TEST(Signature, WithoutANameOnlyTheOneKeyThatFitsIsTaken) {
  const auto nameless = SigningKey::New(SigningKey::Type::kEc, "");
  const auto one = *KeySet::Parse(Set({Rsa().PublicJwk(), nameless.PublicJwk()}));
  EXPECT_TRUE(VerifySignature(nameless.Sign("ES256", "{}"), *one).ok());
  const auto two = *KeySet::Parse(Set({Ec().PublicJwk(), nameless.PublicJwk()}));
  EXPECT_TRUE(absl::IsNotFound(VerifySignature(nameless.Sign("ES256", "{}"), *two).status()));
}

TEST(Signature, EveryChangedPartIsNoticed) {
  const std::string token = Rsa().Sign("RS256", ToJson(FakeProvider::GoodClaims("n", kNow)));
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  for (size_t part = 0; part < parts.size(); ++part) {
    std::vector<std::string> changed = parts;
    char& letter = changed[part][changed[part].size() / 2];
    letter = letter == 'A' ? 'B' : 'A';
    EXPECT_FALSE(VerifySignature(absl::StrJoin(changed, "."), *Both()).ok()) << part;
  }
  EXPECT_FALSE(VerifySignature(absl::StrCat(parts[0], ".", parts[1], "."), *Both()).ok());
  EXPECT_FALSE(VerifySignature(absl::StrCat(parts[0], ".", parts[1]), *Both()).ok());
  EXPECT_FALSE(VerifySignature("", *Both()).ok());
  EXPECT_FALSE(VerifySignature(token + std::string(40'000, 'A'), *Both()).ok());
}

TEST(Signature, AHeaderThatAsksForMoreIsRefused) {
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"crit", "exp"}, {"b64", "false"}, {"typ", "at+jwt"}, {"typ", "logout+jwt"}}) {
    EXPECT_TRUE(absl::IsPermissionDenied(
        VerifySignature(Rsa().Sign("RS256", "{}", {{name, value}}), *Both()).status()))
        << name;
  }
  // A header that says two things.
  const std::string twice = absl::WebSafeBase64Escape("{\"alg\":\"RS256\",\"alg\":\"none\",\"kid\":\"r1\"}");
  EXPECT_FALSE(VerifySignature(twice + ".e30.AAAA", *Both()).ok());
}

// Found by fuzzing: the library ends the process when a text in base64url has such a length.
TEST(Signature, TextsThatAreNoBase64UrlDoNotReachTheLibrary) {
  const std::string token = Rsa().Sign("RS256", "{\"a\":1}");
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  for (size_t part = 0; part < parts.size(); ++part) {
    for (const char* bad : {"A", "AAAAA", "AA==", "A A", "A+A/", "AB"}) {
      std::vector<std::string> changed = parts;
      changed[part] = bad;
      EXPECT_TRUE(absl::IsPermissionDenied(VerifySignature(absl::StrJoin(changed, "."), *Both()).status()))
          << part << bad;
    }
  }
  for (const char* bad : {"A", "AQABA", "AQ==", ""}) {
    const std::string key =
        absl::StrCat("{\"kty\":\"RSA\",\"n\":\"", std::string(400, 'B'), "\",\"e\":\"", bad, "\"}");
    EXPECT_FALSE(KeySet::Parse(Set({key})).ok()) << bad;
  }
}

TEST(KeySet, LeavesOutWhatIsNotForSigning) {
  const auto small = SigningKey::New(SigningKey::Type::kRsa, "s", 1024);
  EXPECT_FALSE(KeySet::Parse(Set({small.PublicJwk()})).ok());
  EXPECT_FALSE(KeySet::Parse(Set({Rsa().PublicJwk("\"use\":\"enc\"")})).ok());
  EXPECT_FALSE(KeySet::Parse(Set({"{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"r1\"}"})).ok());
  EXPECT_FALSE(KeySet::Parse("[]").ok());
  EXPECT_FALSE(KeySet::Parse("{\"keys\":[]}").ok());
  EXPECT_FALSE(KeySet::Parse("{\"keys\":7}").ok());
  // A point that does not lie on the curve.
  const std::string off = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"x\",\"x\":\"" +
                          absl::WebSafeBase64Escape(std::string(32, 1)) + "\",\"y\":\"" +
                          absl::WebSafeBase64Escape(std::string(32, 2)) + "\"}";
  EXPECT_FALSE(KeySet::Parse(Set({off})).ok());
  // One for another algorithm only.
  const auto set = *KeySet::Parse(Set({Rsa().PublicJwk("\"alg\":\"PS256\"")}));
  EXPECT_TRUE(VerifySignature(Rsa().Sign("PS256", "{}"), *set).ok());
  EXPECT_FALSE(VerifySignature(Rsa().Sign("RS256", "{}"), *set).ok());
}

class ClaimsTest : public ::testing::Test {
 protected:
  // Of good claims, with these changed, or left out where the value is empty.
  absl::StatusOr<Claims> Check(const Members& changes, const std::string& access_token = "") {
    Members claims = FakeProvider::GoodClaims("nonce-1", kNow);
    for (const auto& [name, value] : changes) {
      claims[name] = value;
      if (value.empty()) claims.erase(name);
    }
    return CheckClaims(ToJson(claims), {&config, "nonce-1", kNow - absl::Minutes(1), access_token}, kNow);
  }
  // Whether it is refused with a message that names this claim.
  bool Refused(const Members& changes, const std::string& names) {
    const auto claims = Check(changes);
    EXPECT_FALSE(claims.ok()) << names;
    return absl::IsPermissionDenied(claims.status()) && absl::StrContains(claims.status().message(), names);
  }
  static std::string At(absl::Duration from_now) {
    return absl::StrCat(absl::ToUnixSeconds(kNow + from_now));
  }

  config::OpenIdConfig config = FakeProvider::Config();
};

TEST_F(ClaimsTest, GoodOnesNameTheAccount) {
  const auto claims = Check({});
  ASSERT_TRUE(claims.ok()) << claims.status();
  EXPECT_EQ(claims->account, "receptie");
  EXPECT_FALSE(claims->roles);
}

TEST_F(ClaimsTest, OfAnotherIssuerOrForAnotherClientAreRefused) {
  EXPECT_TRUE(Refused({{"iss", "\"https://elders.example\""}}, "(iss)"));
  EXPECT_TRUE(Refused({{"iss", Quoted(std::string(FakeProvider::kIssuer) + "/")}}, "(iss)"));
  EXPECT_TRUE(Refused({{"iss", ""}}, "(iss)"));
  EXPECT_TRUE(Refused({{"sub", ""}}, "(sub)"));
  EXPECT_TRUE(Refused({{"aud", "\"iemand-anders\""}}, "(aud)"));
  EXPECT_TRUE(Refused({{"aud", ""}}, "(aud)"));
  EXPECT_TRUE(Refused({{"aud", "[]"}}, "(aud)"));
  EXPECT_TRUE(Refused({{"aud", "[\"waarborg\",7]"}}, "(aud)"));
}

TEST_F(ClaimsTest, ForSeveralClientsMustHaveBeenAskedForByUs) {
  EXPECT_TRUE(Check({{"aud", "[\"waarborg\"]"}}).ok());
  EXPECT_TRUE(Refused({{"aud", "[\"waarborg\",\"ander\"]"}}, "(azp)"));
  EXPECT_TRUE(Refused({{"aud", "[\"waarborg\",\"ander\"]"}, {"azp", "\"ander\""}}, "(azp)"));
  EXPECT_TRUE(Refused({{"azp", "\"ander\""}}, "(azp)"));
  EXPECT_TRUE(Refused({{"azp", "7"}}, "(azp)"));
  EXPECT_TRUE(Check({{"aud", "[\"ander\",\"waarborg\"]"}, {"azp", "\"waarborg\""}}).ok());
}

TEST_F(ClaimsTest, ForAnotherAttemptAreRefused) {
  EXPECT_TRUE(Refused({{"nonce", "\"nonce-2\""}}, "(nonce)"));
  EXPECT_TRUE(Refused({{"nonce", "\"\""}}, "(nonce)"));
  EXPECT_TRUE(Refused({{"nonce", ""}}, "(nonce)"));
}

TEST_F(ClaimsTest, OfAnotherTimeAreRefused) {
  EXPECT_TRUE(Check({{"exp", At(-absl::Seconds(29))}}).ok());
  EXPECT_TRUE(Refused({{"exp", At(-absl::Seconds(30))}}, "(exp)"));
  EXPECT_TRUE(Refused({{"exp", ""}}, "(exp)"));
  EXPECT_TRUE(Refused({{"exp", "\"9999999999\""}}, "(exp)"));
  EXPECT_TRUE(Check({{"iat", At(absl::Seconds(30))}}).ok());
  EXPECT_TRUE(Refused({{"iat", At(absl::Seconds(31))}}, "(iat)"));
  EXPECT_TRUE(Refused({{"iat", ""}}, "(iat)"));
  EXPECT_TRUE(Check({{"iat", At(-absl::Seconds(90))}}).ok());
  EXPECT_TRUE(Refused({{"iat", At(-absl::Seconds(91))}}, "(iat)"));
  EXPECT_TRUE(Check({{"nbf", At(absl::Seconds(30))}}).ok());
  EXPECT_TRUE(Refused({{"nbf", At(absl::Seconds(31))}}, "(nbf)"));
  EXPECT_TRUE(Refused({{"nbf", "\"now\""}}, "(nbf)"));
}

TEST_F(ClaimsTest, OfAPersonWhoProvedThemselvesTooLongAgoAreRefusedWhereThatIsConfigured) {
  config.max_age_minutes = 5;
  EXPECT_TRUE(Refused({}, "(auth_time)"));
  // Five minutes before the attempt, which was a minute ago, and the difference of clocks.
  EXPECT_TRUE(Check({{"auth_time", At(-absl::Seconds(390))}}).ok());
  EXPECT_TRUE(Refused({{"auth_time", At(-absl::Seconds(391))}}, "(auth_time)"));
  config.max_age_minutes = 0;
  EXPECT_TRUE(Check({{"auth_time", At(-absl::Seconds(10))}}).ok());
  EXPECT_TRUE(Refused({{"auth_time", At(-absl::Minutes(2))}}, "(auth_time)"));
}

TEST_F(ClaimsTest, OfALowerLevelOfAssuranceAreRefused) {
  config.acr = {"urn:hoog", "urn:substantieel"};
  EXPECT_TRUE(Refused({}, "(acr)"));
  EXPECT_TRUE(Refused({{"acr", "\"urn:laag\""}}, "(acr)"));
  EXPECT_TRUE(Check({{"acr", "\"urn:substantieel\""}}).ok());
}

TEST_F(ClaimsTest, ThatBelongToAnotherAccessTokenAreRefused) {
  const std::string good = Quoted(absl::WebSafeBase64Escape(keys::Sha256("access").substr(0, 16)));
  EXPECT_TRUE(Check({{"at_hash", good}}, "access").ok());
  EXPECT_FALSE(Check({{"at_hash", good}}, "another").ok());
  EXPECT_FALSE(Check({{"at_hash", "7"}}, "access").ok());
  // As the example in OpenID Connect Core 1.0, appendix A.3.
  EXPECT_TRUE(
      Check({{"at_hash", "\"77QmUPtjPfzWtF2AnpK9RQ\""}}, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y").ok());
}

TEST_F(ClaimsTest, WithoutTheClaimThatNamesTheAccountAreRefused) {
  EXPECT_TRUE(Refused({{"preferred_username", ""}}, "(account_claim)"));
  EXPECT_TRUE(Refused({{"preferred_username", "[\"receptie\"]"}}, "(account_claim)"));
  config.account_claim = "sub";
  EXPECT_EQ(Check({})->account, "0001");
}

TEST_F(ClaimsTest, LetRolesThroughAsMapped) {
  config.roles = {{"groups", "waarborg-balie", domain::Role::kDeskStaff},
                  {"groups", "waarborg-toezicht", domain::Role::kSecurityCoordinator},
                  {"afdeling", "juridisch", domain::Role::kLegal}};
  using Roles = std::vector<domain::Role>;
  EXPECT_EQ(*Check({})->roles, Roles{});
  EXPECT_EQ(*Check({{"groups", "\"waarborg-balie\""}})->roles, Roles{domain::Role::kDeskStaff});
  EXPECT_EQ(*Check({{"groups", "[\"x\",\"waarborg-toezicht\"]"}, {"afdeling", "\"juridisch\""}})->roles,
            (Roles{domain::Role::kSecurityCoordinator, domain::Role::kLegal}));
  EXPECT_EQ(*Check({{"groups", "{\"waarborg-balie\":true}"}})->roles, Roles{});
  EXPECT_EQ(*Check({{"groups", "[\"waarborg-balie\",null]"}})->roles, Roles{});
}

TEST_F(ClaimsTest, ThatCannotBeReadInOneWayOnlyAreRefused) {
  EXPECT_FALSE(CheckClaims("", {&config, "n", kNow, ""}, kNow).ok());
  EXPECT_FALSE(CheckClaims("[]", {&config, "n", kNow, ""}, kNow).ok());
  std::string twice = ToJson(FakeProvider::GoodClaims("nonce-1", kNow));
  twice.insert(1, "\"preferred_username\":\"beheer\",");
  EXPECT_FALSE(CheckClaims(twice, {&config, "nonce-1", kNow, ""}, kNow).ok());
  EXPECT_FALSE(CheckClaims(std::string(300'000, '['), {&config, "n", kNow, ""}, kNow).ok());
}

}  // namespace
}  // namespace waarborg::oidc

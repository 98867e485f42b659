// SPDX-License-Identifier: EUPL-1.2
#include "server/oidc/sign_in.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/base/file.h"
#include "server/keys/sealing.h"
#include "server/oidc/json.h"
#include "tests/support/fake_provider.h"

namespace waarborg::oidc {
namespace {

using testing::FakeProvider;
using testing::Quoted;
using testing::SigningKey;
using testing::ToJson;

const absl::Time kNow = absl::FromUnixSeconds(1'772'438'400);
const std::string kIss = FakeProvider::kIssuer;  // NOLINT: tests may have such statics

std::string Decoded(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += absl::HexStringToBytes(text.substr(i + 1, 2));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// Of a query or form.
std::map<std::string, std::string> Fields(const std::string& encoded) {
  std::map<std::string, std::string> out;
  for (const std::string& field : std::vector<std::string>(absl::StrSplit(encoded, '&'))) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(field, absl::MaxSplits('=', 1));
    EXPECT_TRUE(out.emplace(pair.first, Decoded(pair.second)).second) << pair.first;
  }
  return out;
}

class SignInTest : public ::testing::Test {
 protected:
  void SetUp() override { provider.keys = absl::StrCat("{\"keys\":[", Key().PublicJwk(), "]}"); }

  static const SigningKey& Key() {
    static const SigningKey kKey = SigningKey::New(SigningKey::Type::kEc, "e1");
    return kKey;
  }
  std::shared_ptr<const Attempt> Begin(absl::Time now = kNow) {
    return sign_in.attempts().Begin("receptie-1", FakeProvider::kRedirectUri, random, now);
  }
  // What the provider says of this attempt from now on.
  void Say(const Attempt& attempt, const SigningKey& key = Key(), absl::Time now = kNow) {
    const std::string token = key.Sign("ES256", ToJson(FakeProvider::GoodClaims(attempt.nonce, now)));
    provider.token_answer = ToJson({{"id_token", Quoted(token)}, {"token_type", "\"Bearer\""}});
  }

  FakeProvider provider;
  base::SystemRandom random;
  SignIn sign_in{FakeProvider::Config(), std::nullopt, provider, random};
};

TEST_F(SignInTest, GoesFromTheAddressForTheBrowserToTheAccount) {
  const auto endpoint = sign_in.FindProvider(kNow);
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  const auto attempt = Begin();
  const std::string url = sign_in.AuthorizationUrl(*endpoint, *attempt);
  ASSERT_TRUE(url.starts_with(kIss + "/auth?")) << url;
  auto sent = Fields(url.substr(url.find('?') + 1));
  EXPECT_EQ(sent["response_type"], "code");
  EXPECT_EQ(sent["client_id"], "waarborg");
  EXPECT_EQ(sent["redirect_uri"], FakeProvider::kRedirectUri);
  EXPECT_EQ(sent["scope"], "openid");
  EXPECT_EQ(sent["state"], attempt->state);
  EXPECT_EQ(sent["nonce"], attempt->nonce);
  EXPECT_EQ(sent["code_challenge_method"], "S256");
  EXPECT_EQ(sent["code_challenge"], absl::WebSafeBase64Escape(keys::Sha256(attempt->verifier.Reveal())));
  EXPECT_FALSE(sent.contains("acr_values"));
  EXPECT_FALSE(sent.contains("max_age"));
  EXPECT_EQ(url.find(std::string(attempt->verifier.Reveal())), std::string::npos);

  Say(*attempt);
  const auto claims = sign_in.Redeem(*attempt, "code&1", kIss, kNow);
  ASSERT_TRUE(claims.ok()) << claims.status();
  EXPECT_EQ(claims->account, "receptie");
  auto form = Fields(provider.last_form);
  EXPECT_EQ(provider.last_post_url, kIss + "/token");
  EXPECT_EQ(form["grant_type"], "authorization_code");
  EXPECT_EQ(form["code"], "code&1");
  EXPECT_EQ(form["redirect_uri"], FakeProvider::kRedirectUri);
  EXPECT_EQ(form["code_verifier"], attempt->verifier.Reveal());
}

TEST_F(SignInTest, AsksForTheConfiguredLevelAndAge) {
  auto config = FakeProvider::Config();
  config.acr = {"urn:hoog", "urn:substantieel"};
  config.max_age_minutes = 5;
  config.scope = "openid profile";
  const SignIn strict(config, std::nullopt, provider, random);
  const std::string url = strict.AuthorizationUrl("https://i.example/auth?x=1", *Begin());
  ASSERT_TRUE(url.starts_with("https://i.example/auth?x=1&")) << url;
  auto sent = Fields(url.substr(url.find('?') + 1));
  EXPECT_EQ(sent["acr_values"], "urn:hoog urn:substantieel");
  EXPECT_EQ(sent["max_age"], "300");
  EXPECT_EQ(sent["scope"], "openid profile");
}

TEST_F(SignInTest, RefusesADescriptionThatIsNotTheConfiguredProviders) {
  const testing::Members good = provider.discovery;
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"issuer", "\"https://elders.example\""},
      {"issuer", Quoted(kIss + "/")},
      {"authorization_endpoint", "\"http://inloggen.waterdam.example/auth\""},
      {"token_endpoint", "\"file:///etc/passwd\""},
      {"jwks_uri", "7"},
      {"code_challenge_methods_supported", "[\"plain\"]"}};
  for (const auto& [name, value] : wrong) {
    provider.discovery = good;
    provider.discovery[name] = value;
    EXPECT_TRUE(absl::IsUnavailable(sign_in.FindProvider(kNow).status())) << name << " " << value;
  }
  provider.discovery = good;
  provider.discovery.erase("code_challenge_methods_supported");
  EXPECT_TRUE(sign_in.FindProvider(kNow).ok());
}

TEST_F(SignInTest, KeepsTheDescriptionForAnHour) {
  EXPECT_TRUE(sign_in.FindProvider(kNow).ok());
  EXPECT_TRUE(sign_in.FindProvider(kNow + absl::Minutes(59)).ok());
  EXPECT_EQ(provider.asked_discovery, 1);
  provider.reachable = false;
  EXPECT_TRUE(absl::IsUnavailable(sign_in.FindProvider(kNow + absl::Hours(1)).status()));
  provider.reachable = true;
  EXPECT_TRUE(sign_in.FindProvider(kNow + absl::Hours(1)).ok());
  // A clock that was put back.
  EXPECT_TRUE(sign_in.FindProvider(kNow).ok());
  EXPECT_EQ(provider.asked_discovery, 3);
}

TEST_F(SignInTest, AnAnswerFromAnotherIssuerIsRefusedBeforeTheCodeIsShownToAnybody) {
  const auto attempt = Begin();
  Say(*attempt);
  EXPECT_TRUE(
      absl::IsPermissionDenied(sign_in.Redeem(*attempt, "c", "https://elders.example", kNow).status()));
  EXPECT_TRUE(absl::IsPermissionDenied(sign_in.Redeem(*attempt, "c", "", kNow).status()));
  EXPECT_EQ(provider.asked_token, 0);
  provider.discovery.erase("authorization_response_iss_parameter_supported");
  SignIn of_old(FakeProvider::Config(), std::nullopt, provider, random);
  EXPECT_TRUE(of_old.Redeem(*attempt, "c", "", kNow).ok());
  EXPECT_FALSE(of_old.Redeem(*attempt, "c", "https://elders.example", kNow).ok());
}

TEST_F(SignInTest, ACodeThatTheProviderDoesNotRedeemSignsNobodyIn) {
  const auto attempt = Begin();
  provider.token_status = 400;
  provider.token_answer = "{\"error\":\"invalid_grant\",\"error_description\":\"Jan Vries\"}";
  const auto refused = sign_in.Redeem(*attempt, "c", kIss, kNow).status();
  EXPECT_TRUE(absl::IsPermissionDenied(refused));
  EXPECT_TRUE(absl::StrContains(refused.message(), "invalid_grant"));
  EXPECT_FALSE(absl::StrContains(refused.message(), "Jan"));
  provider.token_answer = "{\"error\":\"Jan\\nVries\"}";
  EXPECT_FALSE(absl::StrContains(sign_in.Redeem(*attempt, "c", kIss, kNow).status().message(), "Vries"));
  EXPECT_FALSE(sign_in.Redeem(*attempt, "", kIss, kNow).ok());
  EXPECT_FALSE(sign_in.Redeem(*attempt, std::string(2049, 'c'), kIss, kNow).ok());
  provider.token_status = 503;
  EXPECT_TRUE(absl::IsUnavailable(sign_in.Redeem(*attempt, "c", kIss, kNow).status()));
  provider.token_status = 200;
  for (const char* answer : {"", "[]", "{\"id_token\":\"a\",\"id_token\":\"b\"}"}) {
    provider.token_answer = answer;
    EXPECT_TRUE(absl::IsUnavailable(sign_in.Redeem(*attempt, "c", kIss, kNow).status())) << answer;
  }
  provider.token_answer = "{\"access_token\":\"a\"}";
  EXPECT_TRUE(absl::IsPermissionDenied(sign_in.Redeem(*attempt, "c", kIss, kNow).status()));
  provider.reachable = false;
  EXPECT_TRUE(absl::IsUnavailable(sign_in.Redeem(*attempt, "c", kIss, kNow).status()));
}

TEST_F(SignInTest, AnotherAttemptsTokenSignsNobodyIn) {
  const auto mine = Begin();
  const auto another = Begin();
  Say(*another);
  const auto refused = sign_in.Redeem(*mine, "c", kIss, kNow).status();
  EXPECT_TRUE(absl::IsPermissionDenied(refused));
  EXPECT_TRUE(absl::StrContains(refused.message(), "(nonce)"));
}

TEST_F(SignInTest, ANewKeyOfTheProviderIsAskedForOnceAMinute) {
  const auto attempt = Begin();
  Say(*attempt);
  EXPECT_TRUE(sign_in.Redeem(*attempt, "c", kIss, kNow).ok());
  EXPECT_TRUE(sign_in.Redeem(*attempt, "c", kIss, kNow).ok());
  EXPECT_EQ(provider.asked_keys, 1);

  const auto next = SigningKey::New(SigningKey::Type::kEc, "e2");
  const absl::Time later = kNow + absl::Seconds(61);
  Say(*attempt, next);
  EXPECT_FALSE(sign_in.Redeem(*attempt, "c", kIss, kNow + absl::Seconds(59)).ok());
  EXPECT_EQ(provider.asked_keys, 1);
  // Asked, and still not there.
  EXPECT_FALSE(sign_in.Redeem(*attempt, "c", kIss, later).ok());
  EXPECT_EQ(provider.asked_keys, 2);
  provider.keys = absl::StrCat("{\"keys\":[", Key().PublicJwk(), ",", next.PublicJwk(), "]}");
  EXPECT_FALSE(sign_in.Redeem(*attempt, "c", kIss, later + absl::Seconds(59)).ok());
  EXPECT_EQ(provider.asked_keys, 2);
  EXPECT_TRUE(sign_in.Redeem(*attempt, "c", kIss, later + absl::Seconds(60)).ok());
  EXPECT_EQ(provider.asked_keys, 3);
}

TEST_F(SignInTest, AKeyThatTheProviderTookAwayIsForgottenWithinTheHour) {
  const auto attempt = Begin();
  Say(*attempt);
  EXPECT_TRUE(sign_in.Redeem(*attempt, "c", kIss, kNow).ok());
  provider.keys = absl::StrCat("{\"keys\":[", SigningKey::New(SigningKey::Type::kEc, "e2").PublicJwk(), "]}");
  const absl::Time later = kNow + absl::Hours(1);
  const auto again = Begin(later);
  Say(*again, Key(), later);
  EXPECT_TRUE(absl::IsPermissionDenied(sign_in.Redeem(*again, "c", kIss, later).status()));
}

TEST(Attempts, EndWhenTakenAndWithTime) {
  base::SystemRandom random;
  Attempts attempts;
  const auto a = attempts.Begin("receptie-1", "u", random, kNow);
  EXPECT_EQ(attempts.Take("kantoor-1", a->state, kNow), nullptr) << "of another station";
  EXPECT_EQ(attempts.Take("receptie-1", "", kNow), nullptr);
  EXPECT_EQ(attempts.Take("receptie-1", a->state, kNow), a);
  EXPECT_EQ(attempts.Take("receptie-1", a->state, kNow), nullptr) << "used";
  const auto b = attempts.Begin("receptie-1", "u", random, kNow);
  const auto c = attempts.Begin("receptie-1", "u", random, kNow);
  EXPECT_NE(attempts.Take("receptie-1", b->state, kNow + absl::Minutes(10) - absl::Seconds(1)), nullptr);
  EXPECT_EQ(attempts.Take("receptie-1", c->state, kNow + absl::Minutes(10)), nullptr) << "too old";
  const auto d = attempts.Begin("receptie-1", "u", random, kNow);
  EXPECT_EQ(attempts.Take("receptie-1", d->state, kNow - absl::Seconds(1)), nullptr) << "from the future";
}

TEST(Attempts, OfAStationAreAFewAndDoNotPushOutThoseOfOthers) {
  base::SystemRandom random;
  Attempts attempts;
  const auto other = attempts.Begin("kantoor-1", "u", random, kNow);
  const auto oldest = attempts.Begin("receptie-1", "u", random, kNow);
  std::set<std::string> secrets;
  std::shared_ptr<const Attempt> newest;
  for (size_t i = 0; i < Attempts::kPerStation; ++i) {
    newest = attempts.Begin("receptie-1", "u", random, kNow + absl::Seconds(1));
    for (const std::string& secret : {newest->state, newest->nonce, std::string(newest->verifier.Reveal())}) {
      EXPECT_EQ(secret.size(), 43u) << "256 bits, and enough for PKCE";
      EXPECT_TRUE(secrets.insert(secret).second);
    }
  }
  EXPECT_EQ(attempts.Take("receptie-1", oldest->state, kNow + absl::Seconds(1)), nullptr);
  EXPECT_EQ(attempts.Take("receptie-1", newest->state, kNow + absl::Seconds(1)), newest);
  EXPECT_EQ(attempts.Take("kantoor-1", other->state, kNow + absl::Seconds(1)), other);
}

class ClientKeyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/waarborg-oidc-XXXXXX";
    folder = mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  // A new private key in a file, by OpenSSL's own program.
  std::string NewKey(const std::string& options) const {
    const std::string file = folder + "/key.pem";
    const std::string command =
        absl::StrCat("umask 077 && openssl genpkey ", options, " -out ", file, " 2> ", folder, "/errors");
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return file;
  }
  static base::Secret Pem(const std::string& file) { return base::Secret(*base::ReadFile(file)); }
  std::string Output(const std::string& command) const {
    EXPECT_EQ(std::system(absl::StrCat(command, " > ", folder, "/out").c_str()), 0) << command;
    return *base::ReadFile(folder + "/out");
  }
  std::string PublicJwk(const std::string& file, bool rsa) const {
    if (rsa) {
      const std::string modulus = Output("openssl rsa -noout -modulus -in " + file);
      const std::string hex =
          modulus.substr(modulus.find('=') + 1, modulus.find('\n') - modulus.find('=') - 1);
      return absl::StrCat("{\"kty\":\"RSA\",\"kid\":\"k1\",\"e\":\"AQAB\",\"n\":\"",
                          absl::WebSafeBase64Escape(absl::HexStringToBytes(hex)), "\"}");
    }
    const std::string der = Output("openssl pkey -pubout -outform DER -in " + file);
    return absl::StrCat("{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k1\",\"x\":\"",
                        absl::WebSafeBase64Escape(der.substr(der.size() - 64, 32)), "\",\"y\":\"",
                        absl::WebSafeBase64Escape(der.substr(der.size() - 32)), "\"}");
  }

  std::string folder;
};

constexpr char kRsaKey[] = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";
constexpr char kEcKey[] = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";

TEST_F(ClientKeyTest, SaysWhoTheClientIsForAMinute) {
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"PS256", kRsaKey}, {"RS256", kRsaKey}, {"ES256", kEcKey}};
  for (const auto& [alg, options] : kinds) {
    const std::string file = NewKey(options);
    const auto key = ClientKey::FromPem(Pem(file), alg, "k1");
    ASSERT_TRUE(key.ok()) << alg << key.status();
    const auto assertion = key->Assertion("waarborg", "https://i.example", "once", kNow);
    ASSERT_TRUE(assertion.ok()) << assertion.status();
    std::string header;
    ASSERT_TRUE(absl::WebSafeBase64Unescape(assertion->substr(0, assertion->find('.')), &header));
    EXPECT_EQ(Json::Parse(header)->Text("alg"), alg);
    EXPECT_EQ(Json::Parse(header)->Text("kid"), "k1");
    const auto set = KeySet::Parse(absl::StrCat("{\"keys\":[", PublicJwk(file, alg != "ES256"), "]}"));
    ASSERT_TRUE(set.ok()) << set.status();
    const auto payload = VerifySignature(*assertion, **set);
    ASSERT_TRUE(payload.ok()) << payload.status();
    const auto claims = Json::Parse(*payload);
    EXPECT_EQ(claims->Text("iss"), "waarborg");
    EXPECT_EQ(claims->Text("sub"), "waarborg");
    EXPECT_EQ(claims->Text("aud"), "https://i.example");
    EXPECT_EQ(claims->Text("jti"), "once");
    EXPECT_EQ(claims->Whole("iat"), absl::ToUnixSeconds(kNow));
    EXPECT_EQ(claims->Whole("exp"), absl::ToUnixSeconds(kNow) + 60);
  }
}

TEST_F(ClientKeyTest, OfAnotherKindOrSizeIsRefused) {
  EXPECT_FALSE(ClientKey::FromPem(Pem(NewKey(kEcKey)), "PS256", "k").ok());
  EXPECT_FALSE(ClientKey::FromPem(Pem(NewKey(kRsaKey)), "ES256", "k").ok());
  EXPECT_FALSE(
      ClientKey::FromPem(Pem(NewKey("-algorithm RSA -pkeyopt rsa_keygen_bits:1024")), "PS256", "k").ok());
  EXPECT_FALSE(
      ClientKey::FromPem(Pem(NewKey("-algorithm EC -pkeyopt ec_paramgen_curve:P-384")), "ES256", "k").ok());
  EXPECT_FALSE(
      ClientKey::FromPem(Pem(NewKey(std::string(kEcKey) + " -aes256 -pass pass:geheim")), "ES256", "k").ok());
  EXPECT_FALSE(ClientKey::FromPem(base::Secret("no key"), "ES256", "k").ok());
}

TEST_F(ClientKeyTest, GoesAlongWithTheCodeToTheConfiguredAudience) {
  FakeProvider provider;
  const auto signer = SigningKey::New(SigningKey::Type::kEc, "e1");
  provider.keys = absl::StrCat("{\"keys\":[", signer.PublicJwk(), "]}");
  base::SystemRandom random;
  const std::string file = NewKey(kEcKey);
  const auto set = *KeySet::Parse(absl::StrCat("{\"keys\":[", PublicJwk(file, false), "]}"));
  std::set<std::string> ids;
  for (const bool issuer : {true, false}) {
    auto config = FakeProvider::Config();
    config.audience_is_issuer = issuer;
    SignIn sign_in(config, *ClientKey::FromPem(Pem(file), "ES256", "k1"), provider, random);
    const auto attempt = sign_in.attempts().Begin("s", FakeProvider::kRedirectUri, random, kNow);
    (void)sign_in.Redeem(*attempt, "c", kIss, kNow);
    auto form = Fields(provider.last_form);
    EXPECT_EQ(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    const auto payload = VerifySignature(form["client_assertion"], *set);
    ASSERT_TRUE(payload.ok()) << payload.status();
    EXPECT_EQ(Json::Parse(*payload)->Text("aud"), issuer ? kIss : kIss + "/token");
    EXPECT_TRUE(ids.insert(*Json::Parse(*payload)->Text("jti")).second);
  }
}

TEST_F(ClientKeyTest, IsReadFromAFileThatOthersCannotRead) {
  auto config = FakeProvider::Config();
  base::SystemRandom random;
  config.client_key_file = NewKey(kEcKey);
  config.key_id = "k1";
  config.alg = "ES256";
  EXPECT_TRUE(Open(config, random).ok());
  chmod(config.client_key_file.c_str(), 0644);
  EXPECT_FALSE(Open(config, random).ok());
  config.client_key_file = folder + "/none.pem";
  EXPECT_FALSE(Open(config, random).ok());
}

}  // namespace
}  // namespace waarborg::oidc

// SPDX-License-Identifier: EUPL-1.2
// The real core and a certified provider written by others (npm's oidc-provider): the whole flow, with a
// browser without a screen. tests/openid/run installs what is needed and runs this.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/support/town.h"

namespace waarborg::testing {
namespace {

constexpr char kRedirectUri[] = "http://balie.localhost:8080/openid";

// Made once, removed when the program ends.
struct BuiltTown {
  std::string folder;
  BuiltTown() {
    char name[] = "/tmp/waarborg-openid-XXXXXX";
    folder = mkdtemp(name);
    Town::Build(folder + "/town");
    MustRun("umask 077 && openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out " + folder +
            "/client.pem 2> " + folder + "/errors");
  }
  ~BuiltTown() { MustRun("rm -rf " + folder); }
};

const BuiltTown& Built() {
  static const BuiltTown built;
  return built;
}

// The provider as a process. It ends with its standard input, so also when this program ends in any way.
class Provider {
 public:
  Provider() {
    const std::string folder = Built().folder;
    const std::string modulus = Output("openssl rsa -noout -modulus -in " + folder + "/client.pem");
    const size_t from = modulus.find('=') + 1;
    const std::string n = absl::HexStringToBytes(modulus.substr(from, modulus.find('\n') - from));
    std::ofstream(folder + "/client.json") << absl::StrCat(
        R"({"client_id":"waarborg","redirect_uris":[")", kRedirectUri,
        R"("],"grant_types":["authorization_code"],"response_types":["code"],)",
        R"("token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_signing_alg":"PS256",)",
        R"("jwks":{"keys":[{"kty":"RSA","kid":"k1","use":"sig","e":"AQAB","n":")",
        absl::WebSafeBase64Escape(n), R"("}]}})");
    int in[2], out[2];
    // The core, started later, must not hold the ends of this one's pipes.
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) std::abort();
    pid_ = fork();
    if (pid_ == 0) {
      dup2(in[0], 0);
      dup2(out[1], 1);
      const std::string program = SourceFolder() + "/tests/openid/provider.mjs";
      const std::string client = folder + "/client.json";
      if (freopen((folder + "/provider.log").c_str(), "a", stderr) == nullptr) _exit(127);
      execlp("node", "node", program.c_str(), client.c_str(), nullptr);
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    input_ = in[1];
    char c = 0;
    while (read(out[0], &c, 1) == 1 && c != '\n') issuer_ += c;
    output_ = out[0];
    EXPECT_TRUE(absl::StartsWith(issuer_, "http://localhost:")) << Slurp(folder + "/provider.log");
  }
  ~Provider() { Stop(); }

  const std::string& issuer() const { return issuer_; }
  void Stop() {
    if (pid_ < 0) return;
    close(input_);
    close(output_);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string issuer_;
};

// With what the browser comes back.
struct Brought {
  std::string state, code, iss;
};

class OpenIdTest : public ::testing::Test {
 protected:
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  void TearDown() override {
    if (town == nullptr || !town->running()) return;
    EXPECT_EQ(town->Stop(SIGTERM), 0) << town->Log();
  }

  // A town whose people sign in with the provider; `more` stands under [openid].
  void Start(const std::string& more = "") {
    town = Town::Copy(Built().folder + "/town", Built().folder + "/test");
    std::ofstream(town->folder() + "/waarborgd.toml", std::ios::app)
        << "[openid]\nissuer = \"" << provider.issuer() << "\"\nclient_id = \"waarborg\"\nredirect_uris = [\""
        << kRedirectUri << "\"]\nclient_key_file = \"" << Built().folder << "/client.pem\"\nkey_id = \"k1\"\n"
        << "scope = \"openid profile groups\"\naccount_claim = \"preferred_username\"\n"
        << more;
    SetClock();
    ASSERT_TRUE(town->Start()) << town->Log();
  }
  // The core's clock as the provider's.
  void SetClock(absl::Duration later = absl::ZeroDuration()) { town->SetClock(absl::Now() + later); }

  client::Reply Begin(const std::string& station) {
    SetClock();
    return town->Run("nobody", station, "session openid-begin", Pairs{{"redirect-uri", kRedirectUri}});
  }
  static Brought Browse(const client::Reply& begun, const std::string& login) {
    EXPECT_TRUE(begun.ok()) << begun.error.rule();
    if (!begun.ok()) return {};
    const std::string out = Output(absl::StrCat("node ", SourceFolder(), "/tests/openid/browser.mjs '",
                                                *begun.FindFact("url"), "' ", login));
    std::istringstream lines(out);
    Brought brought;
    EXPECT_TRUE(lines >> brought.state >> brought.code >> brought.iss) << out;
    EXPECT_EQ(brought.state, *begun.FindFact("state")) << out;
    return brought;
  }
  client::Reply Finish(const std::string& station, const Brought& brought) {
    return town->Run("nobody", station, "session openid-finish",
                     Pairs{{"state", brought.state}, {"code", brought.code}, {"iss", brought.iss}});
  }
  client::Reply SignIn(const std::string& station, const std::string& login) {
    return Finish(station, Browse(Begin(station), login));
  }

  Provider provider;
  std::unique_ptr<Town> town;
};

constexpr char kMapping[] =
    "[[openid.role]]\nclaim = \"groups\"\nvalue = \"waarborg-balie\"\nrole = \"desk-staff\"\n"
    "[[openid.role]]\nclaim = \"groups\"\nvalue = \"waarborg-toezicht\"\nrole = \"security-coordinator\"\n"
    "[[openid.role]]\nclaim = \"groups\"\nvalue = \"waarborg-leiding\"\nrole = \"manager\"\n"
    "[[openid.role]]\nclaim = \"groups\"\nvalue = \"waarborg-beheer\"\nrole = \"administrator\"\n";

TEST_F(OpenIdTest, WhoSignsInThereIsSignedInHere) {
  Start("acr = [\"urn:waterdam:substantieel\"]\nmax_age_minutes = 5\n");
  const auto reply = SignIn("receptie-1", "receptie");
  ASSERT_TRUE(reply.ok()) << reply.error.rule() << town->Log() << Slurp(Built().folder + "/provider.log");
  EXPECT_EQ(*reply.FindFact("person"), town->people().at("receptie").id);
  EXPECT_EQ(*reply.FindFact("roles"), "desk-staff");
  // The session is one like others, and ends like others.
  EXPECT_TRUE(town->Run("nobody", "receptie-1", "task list", Pairs{}).ok());
  EXPECT_TRUE(town->Run("nobody", "receptie-1", "session logout", Pairs{}).ok());
  EXPECT_EQ(town->Run("nobody", "receptie-1", "task list", Pairs{}).error.rule(), "session-required");

  const auto entries = town->Run("auditor", "kantoor-1", "audit list",
                                 Pairs{{"event", "OpenSession"}, {"person", "receptie"}});
  ASSERT_TRUE(entries.ok()) << entries.usage_error << entries.error.rule();
  EXPECT_EQ(entries.FindFact("by-means-of"), "openid");
  EXPECT_FALSE(absl::StrContains(town->Log(), "receptie "));
}

TEST_F(OpenIdTest, NothingThatWasUsedSignsInAgain) {
  Start();
  const Brought brought = Browse(Begin("receptie-1"), "receptie");
  ASSERT_TRUE(Finish("receptie-1", brought).ok());
  EXPECT_EQ(Finish("receptie-1", brought).error.rule(), "sign-in-failed") << "the state was used";
  // The code in a new attempt.
  const auto again = Begin("receptie-1");
  ASSERT_TRUE(again.ok()) << again.error.rule();
  EXPECT_EQ(Finish("receptie-1", {*again.FindFact("state"), brought.code, brought.iss}).error.rule(),
            "sign-in-failed");
}

TEST_F(OpenIdTest, WhatIsMadeUpMixedUpOrTooLateSignsNobodyIn) {
  Start();
  const auto wrong_code = Begin("receptie-1");
  ASSERT_TRUE(wrong_code.ok()) << wrong_code.error.rule();
  EXPECT_EQ(
      Finish("receptie-1", {*wrong_code.FindFact("state"), "verzonnen", provider.issuer()}).error.rule(),
      "sign-in-failed");
  EXPECT_TRUE(absl::StrContains(town->Log(), "invalid_grant")) << town->Log();

  // What was brought to one station is of no use at another.
  const Brought elsewhere = Browse(Begin("receptie-1"), "receptie");
  EXPECT_EQ(Finish("kantoor-1", elsewhere).error.rule(), "sign-in-failed");
  // Another station's state with this code: PKCE and nonce are of another attempt.
  const auto other = Begin("kantoor-1");
  ASSERT_TRUE(other.ok()) << other.error.rule();
  EXPECT_EQ(Finish("kantoor-1", {*other.FindFact("state"), elsewhere.code, elsewhere.iss}).error.rule(),
            "sign-in-failed");

  Brought other_issuer = Browse(Begin("receptie-1"), "receptie");
  other_issuer.iss = "https://elders.example";
  EXPECT_EQ(Finish("receptie-1", other_issuer).error.rule(), "sign-in-failed");

  const Brought late = Browse(Begin("receptie-1"), "receptie");
  SetClock(absl::Minutes(10));
  EXPECT_EQ(Finish("receptie-1", late).error.rule(), "sign-in-failed");
}

TEST_F(OpenIdTest, TheProviderMakesNoAccounts) {
  Start();
  EXPECT_EQ(SignIn("receptie-1", "vreemde").error.rule(), "sign-in-failed");
  ASSERT_TRUE(
      town->Run("beheer", "kantoor-1", "people block", Pairs{{"person", town->people().at("receptie").id}})
          .ok());
  EXPECT_EQ(SignIn("receptie-1", "receptie").error.rule(), "sign-in-failed");
}

TEST_F(OpenIdTest, ClaimsTakeRolesAwayAndGiveNone) {
  Start(kMapping);
  // Four roles here, one of them there.
  const auto some = SignIn("kantoor-1", "dubbelrol");
  ASSERT_TRUE(some.ok()) << some.error.rule() << town->Log();
  EXPECT_EQ(*some.FindFact("roles"), "manager");
  EXPECT_EQ(*town->Run("nobody", "kantoor-1", "session show", Pairs{}).FindFact("roles"), "manager");
  EXPECT_EQ(town->Run("nobody", "kantoor-1", "photo darken", Pairs{{"ban", "LV-X"}, {"reason", "proef"}})
                .error.rule(),
            "role-not-allowed");
  // A quick change with a code only would bring the other roles back.
  const auto code_only = town->Run("nobody", "kantoor-1", "session login",
                                   Pairs{{"name", "dubbelrol"}, {"code", town->NextCode("dubbelrol")}});
  EXPECT_EQ(code_only.error.rule(), "sign-in-failed");

  // Administrator there, not here.
  const auto none = SignIn("kantoor-1", "teamleider");
  ASSERT_TRUE(none.ok()) << none.error.rule() << town->Log();
  EXPECT_EQ(*none.FindFact("roles"), "manager");
  EXPECT_EQ(SignIn("kantoor-1", "jurist").error.rule(), "sign-in-failed") << "in no group";
}

TEST_F(OpenIdTest, ALowerLevelThanConfiguredSignsNobodyIn) {
  Start("acr = [\"urn:waterdam:hoog\"]\n");
  EXPECT_EQ(SignIn("receptie-1", "receptie").error.rule(), "sign-in-failed");
  EXPECT_TRUE(absl::StrContains(town->Log(), "(acr)")) << town->Log();
}

TEST_F(OpenIdTest, WithoutTheProviderThePasswordStillWorks) {
  Start();
  const Brought brought = Browse(Begin("receptie-1"), "receptie");
  provider.Stop();
  EXPECT_EQ(Finish("receptie-1", brought).error.rule(), "openid-unreachable");
  // Nobody has told this core of the provider yet.
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  ASSERT_TRUE(town->Start()) << town->Log();
  EXPECT_EQ(Begin("receptie-1").error.rule(), "openid-unreachable");
  EXPECT_TRUE(town->Run("receptie", "receptie-1", "session show", Pairs{}).ok());
}

TEST_F(OpenIdTest, OnlyConfiguredAddressesAreComeBackTo) {
  Start();
  const auto reply = town->Run("nobody", "receptie-1", "session openid-begin",
                               Pairs{{"redirect-uri", "https://elders.example/openid"}});
  EXPECT_EQ(reply.error.rule(), "field-invalid");
  EXPECT_EQ(reply.error.detail.field(), "redirect_uri");
}

}  // namespace
}  // namespace waarborg::testing

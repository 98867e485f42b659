// SPDX-License-Identifier: EUPL-1.2
#include "server/config/config.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "audit/note.h"
#include "server/base/clock.h"
#include "server/base/file.h"

namespace waarborg::config {
namespace {

std::string Example() {
  return *base::ReadFile(WAARBORG_SOURCE_FOLDER "/deploy/example/municipality.toml");
}

TEST(Config, TheExampleIsGood) {
  Errors errors;
  const auto m = ParseMunicipality(Example(), "municipality.toml", errors);
  EXPECT_TRUE(errors.empty()) << absl::StrJoin(errors, "\n");
  EXPECT_EQ(m.locations.size(), 7u);
  EXPECT_EQ(m.FindGround("verbaal")->decided_by, domain::Role::kMunicipalSecretary);
  EXPECT_EQ(m.FindGround("ernstig-geweld")->first_min_months, 6);
  EXPECT_FALSE(m.FindSource("sociale-media")->allowed);
}

TEST(Config, WhatADeskReadsAloudAndWhomItCalls) {
  Errors errors;
  const auto m = ParseMunicipality(Example(), "municipality.toml", errors);
  EXPECT_EQ(m.demand.rfind("Ik vorder u", 0), 0u);
  EXPECT_EQ(m.phone, "toestel 2345");
  EXPECT_EQ(m.FindLocation("zwembad")->max_demands, 2);
  EXPECT_EQ(m.FindLocation("gemeentehuis")->max_demands, 3);
  // Without a text there still is something to say.
  const std::string text = absl::StrReplaceAll(Example(), {{"\ndemand = ", "\n# demand = "}});
  EXPECT_FALSE(ParseMunicipality(text, "m.toml", errors).demand.empty());
  EXPECT_TRUE(errors.empty()) << absl::StrJoin(errors, "\n");
  ParseMunicipality(absl::StrReplaceAll(Example(), {{"max_demands = 2", "max_demands = 4"}}), "m.toml",
                    errors);
  EXPECT_EQ(errors.size(), 1u) << absl::StrJoin(errors, "\n");
}

TEST(Config, EveryMistakeIsReportedAtOnceWithItsLine) {
  const std::string text =
      absl::StrReplaceAll(Example(), {{"months_first = [6, 12]", "months_first = [12, 6]"},
                                      {"alert_max_days = 90", "alert_max_day = 90"},
                                      {"run_by = \"processor\"", "run_by = \"somebody\""},
                                      {"id = \"boa\"", "id = \"receptie\""}});
  Errors errors;
  ParseMunicipality(text, "m.toml", errors);
  const std::string all = absl::StrJoin(errors, "\n");
  EXPECT_EQ(errors.size(), 4u) << all;
  EXPECT_NE(all.find("m.toml:11: unknown key \"alert_max_day\""), std::string::npos) << all;
  EXPECT_NE(all.find("run_by must be one of: own, processor, third-party"), std::string::npos) << all;
  EXPECT_NE(all.find("months_first must be two whole numbers"), std::string::npos) << all;
  EXPECT_NE(all.find("the id \"receptie\" stands twice"), std::string::npos) << all;
}

TEST(Config, BrokenTomlNamesItsLine) {
  Errors errors;
  ParseMunicipality("name = \"x\"\ninstruction = ", "m.toml", errors);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].rfind("m.toml:2:", 0), 0u) << errors[0];
}

// Found by fuzzing: the library's table of Unicode spaces must not be asked about these.
TEST(Config, LettersBeyondAsciiStandInQuotesAndRemarksOnly) {
  auto errors_of = [](const std::string& toml) {
    Errors errors;
    ParseMunicipality(toml, "m.toml", errors);
    return absl::StrJoin(errors, "\n");
  };
  const std::string refused = "a letter beyond a-z outside quotes";
  for (const char* bad :
       {"name = \"x\"\nna\xC3\xABm = 1", "name = \"x\"\n\xEF\xBB\xBF y = 1",
        "name = \"\"\"x\n\"\"\"\"\"\xC3\xA9", "\nname = \"\"\"x\\\n\xC3\xA9\"\"\"", "# \"\n\xC3\xA9"}) {
    EXPECT_NE(errors_of(bad).find("m.toml:2: " + refused), std::string::npos) << bad << "\n"
                                                                              << errors_of(bad);
  }
  for (const char* good : {"name = \"Caf\xC3\xA9\" # \xC3\xA9 \"", "name = '\xC3\xA9' # it's",
                           "name = \"\"\"\n\xC3\xA9 \"x\" \xC3\xA9\"\"\"", "name = \"\\\"\xC3\xA9\""}) {
    EXPECT_EQ(errors_of(good).find(refused), std::string::npos) << good << "\n" << errors_of(good);
  }
}

// Errors of waarborgd.toml with these lines at its end, from line 10 on.
std::string ServerErrors(const std::string& lines) {
  Errors errors;
  ParseServer(
      "listen = \"localhost:7443\"\ndata_folder = \"/var/lib/w\"\nroot_key_file = \"/etc/w/root.key\"\n"
      "certificate_file = \"c\"\nkey_file = \"k\"\nclient_ca_file = \"a\"\n[log]\nname = \"a.example/b\"\n"
      "[security_keys]\n" +
          lines,
      "waarborgd.toml", errors);
  return absl::StrJoin(errors, "\n");
}

TEST(Config, SecurityKeysAreForOneDomainAndPagesInIt) {
  Errors errors;
  const ServerConfig without = ParseServer(
      "listen = \"localhost:7443\"\ndata_folder = \"/var/lib/w\"\nroot_key_file = \"/etc/w/root.key\"\n"
      "certificate_file = \"c\"\nkey_file = \"k\"\nclient_ca_file = \"a\"\n[log]\nname = \"a.example/b\"\n",
      "waarborgd.toml", errors);
  EXPECT_TRUE(errors.empty());
  EXPECT_TRUE(without.security_keys.rp_id.empty());
  const std::string rp = "rp_id = \"waarborg.waterdam.example\"\n";
  EXPECT_EQ(ServerErrors(rp + "origins = [\"https://waarborg.waterdam.example\",\n"
                              "\"https://balie.waarborg.waterdam.example:8443\"]\nsynced = true\n"),
            "");
  EXPECT_EQ(ServerErrors("rp_id = \"localhost\"\norigins = [\"http://localhost:8080\", "
                         "\"http://balie.localhost\", \"https://localhost\"]\n"),
            "");
  EXPECT_EQ(ServerErrors("rp_id = \"w.localhost\"\norigins = [\"http://balie.w.localhost:8080\"]\n"), "");
  EXPECT_EQ(ServerErrors("origins = [\"https://waarborg.waterdam.example\"]\n"),
            "waarborgd.toml:9: rp_id is missing");
  EXPECT_EQ(ServerErrors(rp), "waarborgd.toml:9: origins is missing");
  EXPECT_EQ(ServerErrors(rp + "origins = []\n"),
            "waarborgd.toml:11: origins must be a list of at least one text");
  EXPECT_EQ(ServerErrors(rp + "origins = [\"https://waarborg.waterdam.example\"]\norigin = 1\n"),
            "waarborgd.toml:12: unknown key \"origin\"");
}

TEST(Config, TheNameOfSecurityKeysIsADomain) {
  const std::string long_label(64, 'a');
  for (const std::string& bad :
       {std::string("example"), std::string("Waarborg.example"), std::string("127.0.0.1"),
        std::string("[::1]"), std::string("https://waarborg.example"), std::string("waarborg.example."),
        std::string("waarborg..example"), std::string("-waarborg.example"), std::string("waarborg-.example"),
        std::string("waarborg.example:443"), std::string("waarb\u00f3rg.example"), long_label + ".example",
        long_label.substr(1) + "." + long_label.substr(1) + "." + long_label.substr(1) + "." +
            long_label.substr(1) + ".example"}) {
    EXPECT_EQ(
        ServerErrors("rp_id = \"" + bad + "\"\norigins = [\"https://x.example\"]\n"),
        "waarborgd.toml:10: rp_id must be a domain name in lower case, such as waarborg.waterdam.example")
        << bad;
  }
}

TEST(Config, AnOriginIsAsBrowsersWriteItAndWithinTheDomain) {
  const std::pair<const char*, const char*> table[] = {
      {"waarborg.example", "must begin with https://"},
      {"ftp://waarborg.example", "must begin with https://"},
      {"http://waarborg.example", "must begin with https:// (http:// is for localhost alone)"},
      {"https://waarborg.example:443", "must leave out the port that goes without saying"},
      {"https://waarborg.example:0443", "has a port that is none"},
      {"https://waarborg.example:0", "has a port that is none"},
      {"https://waarborg.example:65536", "has a port that is none"},
      {"https://waarborg.example:", "has a port that is none"},
      {"https://waarborg.example:8443/", "has a port that is none"},
      {"https://waarborg.example/", "must be a domain name in lower case, with nothing behind it but a port"},
      {"https://Waarborg.example", "must be a domain name in lower case, with nothing behind it but a port"},
      {"https://", "must be a domain name in lower case, with nothing behind it but a port"},
      {"https://other.example", "is not within rp_id"},
      {"https://evilwaarborg.example", "is not within rp_id"},
      {"https://waarborg.example.evil.example", "is not within rp_id"},
      {"http://localhost:80", "must leave out the port that goes without saying"},
      {"http://localhost", "is not within rp_id"},
      {"http://evillocalhost.example", "must begin with https:// (http:// is for localhost alone)"},
  };
  for (const auto& [origin, fault] : table) {
    EXPECT_EQ(
        ServerErrors(absl::StrCat("rp_id = \"waarborg.example\"\norigins = [\"https://waarborg.example\", \"",
                                  origin, "\"]\n")),
        absl::StrCat("waarborgd.toml:11: origins: \"", origin, "\" ", fault));
  }
}

TEST(Config, TheRootKeyMayNotLieBesideTheData) {
  Errors errors;
  ParseServer(
      "listen = \"localhost:7443\"\ndata_folder = \"/var/lib/w\"\nroot_key_file = \"/var/lib/w/root.key\"\n"
      "certificate_file = \"c\"\nkey_file = \"k\"\nclient_ca_file = \"a\"\n[log]\nname = \"a.example/b\"\n",
      "waarborgd.toml", errors);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].rfind("waarborgd.toml:3: root_key_file must lie outside", 0), 0u) << errors[0];
}

TEST(Config, OpeningHoursAndWitnessesAreReadAndMistakesNamed) {
  const std::string witness = "[[witness]]\nid = \"buur\"\nurl = \"https://w.example\"\nkey = \"";
  const auto key = audit::VerifierKey::Make("w.example", audit::KeyType::kCosignature, std::string(32, 'k'));
  Errors errors;
  const std::string good = Example() + witness + key->Text() + "\"\n";
  const auto m =
      ParseMunicipality(absl::StrReplaceAll(good, {{"quorum = 0", "quorum = 1"}}), "m.toml", errors);
  EXPECT_TRUE(errors.empty()) << absl::StrJoin(errors, "\n");
  ASSERT_EQ(m.witnesses.size(), 1u);
  EXPECT_EQ(m.log_quorum, 1);
  const absl::TimeZone tz = base::Amsterdam();
  const auto at = [&](int day, int hour, int minute) {
    return absl::FromCivil(absl::CivilMinute(2026, 3, day, hour, minute), tz);
  };
  EXPECT_FALSE(m.IsOpen("gemeentehuis", at(2, 7, 59)));  // a Monday
  EXPECT_TRUE(m.IsOpen("gemeentehuis", at(2, 8, 0)));
  EXPECT_TRUE(m.IsOpen("gemeentehuis", at(6, 17, 59)));
  EXPECT_FALSE(m.IsOpen("gemeentehuis", at(6, 18, 0)));
  EXPECT_FALSE(m.IsOpen("gemeentehuis", at(7, 12, 0)));
  EXPECT_TRUE(m.IsOpen("sporthal", at(8, 8, 0)));
  EXPECT_TRUE(m.IsOpen("gemeentewerf", at(8, 3, 0)));  // keeps no hours

  for (const char* hours :
       {"", "ma", "ma 8:00-18:00", "ma-vr 08:00-18:00 ", "vr-ma 08:00-18:00", "ma-vr 18:00-08:00",
        "xx 08:00-18:00", "ma-vr 08:60-18:00", "ma-vr 08:00-25:00", "ma-vr -1:00-18:00"}) {
    errors.clear();
    ParseMunicipality(absl::StrReplaceAll(Example(), {{"ma-vr 08:00-18:00", hours}}), "m.toml", errors);
    EXPECT_EQ(errors.size(), 1u) << hours;
  }
  errors.clear();
  ParseMunicipality(absl::StrReplaceAll(Example(), {{"quorum = 0", "quorum = 2"}}) + witness + "nonsense\"\n",
                    "m.toml", errors);
  EXPECT_EQ(errors.size(), 2u) << absl::StrJoin(errors, "\n");
}

TEST(Config, TermsAndTheDaysOfADecreeAreReadAndMistakesNamed) {
  Errors errors;
  const auto m = ParseMunicipality(Example(), "m.toml", errors);
  EXPECT_EQ(m.deadlines.confirm_copies_days, 14);
  EXPECT_EQ(m.deadlines.remind_after_days, 7);
  EXPECT_EQ(m.deadlines.equal_days.size(), 5u);
  EXPECT_EQ(m.deadlines.equal_days[1], absl::CivilDay(2026, 5, 15));
  for (const char* day :
       {"", "2026-5-15", "2026-02-29", " 2026-05-15", "15-05-2026", "2026-05-15T00", "2026-01-02"}) {
    errors.clear();
    ParseMunicipality(absl::StrReplaceAll(Example(), {{"2026-05-15", day}}), "m.toml", errors);
    EXPECT_EQ(errors.size(), 1u) << day;
  }
  errors.clear();
  ParseMunicipality(absl::StrReplaceAll(Example(), {{"remind_after_days = 7", "remind_after_days = 14"}}),
                    "m.toml", errors);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_NE(errors[0].find("remind_after_days must be less"), std::string::npos) << errors[0];
  // A configuration from before there were terms has them all the same.
  errors.clear();
  const std::string all = Example();
  const size_t begin = all.find("[deadlines]"), end = all.find("# ---- Locations");
  const auto without = ParseMunicipality(all.substr(0, begin) + all.substr(end), "m.toml", errors);
  EXPECT_TRUE(errors.empty()) << absl::StrJoin(errors, "\n");
  EXPECT_EQ(without.deadlines.confirm_copies_days, 14);
}

TEST(Config, TheNameOfTheLogIsAnOrigin) {
  const std::string rest =
      "listen = \"localhost:7443\"\ndata_folder = \"/var/lib/w\"\nroot_key_file = \"/etc/w/root.key\"\n"
      "certificate_file = \"c\"\nkey_file = \"k\"\nclient_ca_file = \"a\"\n";
  Errors errors;
  ParseServer(rest, "w.toml", errors);
  EXPECT_EQ(errors.size(), 1u) << "a log needs a name";
  for (const char* name : {"", "a b", "a+b", "https://a.example/log", "a.example/log/"}) {
    errors.clear();
    ParseServer(rest + "[log]\nname = \"" + name + "\"\n", "w.toml", errors);
    EXPECT_EQ(errors.size(), 1u) << name;
  }
  errors.clear();
  const ServerConfig c = ParseServer(rest + "[log]\nname = \"a.example/log\"\n", "w.toml", errors);
  EXPECT_TRUE(errors.empty());
  EXPECT_EQ(c.log_folder, "/var/lib/w/published");
}

std::string WithOpenId(const std::string& more) {
  return *base::ReadFile(WAARBORG_SOURCE_FOLDER "/deploy/example/waarborgd.toml") +
         "\n[openid]\nissuer = \"https://inloggen.waterdam.example\"\nclient_id = \"waarborg\"\n"
         "account_claim = \"preferred_username\"\n" +
         more;
}
constexpr char kRedirect[] = "redirect_uris = [\"https://balie.waterdam.example/openid\"]\n";
constexpr char kByKey[] = "client_key_file = \"k.pem\"\nkey_id = \"k1\"\n";

TEST(Config, OpenIdIsReadWhole) {
  Errors errors;
  const auto c =
      ParseServer(WithOpenId(absl::StrCat(
                      kRedirect, kByKey,
                      "alg = \"ES256\"\nassertion_audience = \"token-endpoint\"\n"
                      "scope = \"openid profile\"\nacr = [\"urn:hoog\"]\nmax_age_minutes = 0\n"
                      "ca_file = \"ca.pem\"\n"
                      "[[openid.role]]\nclaim = \"groups\"\nvalue = \"balie\"\nrole = \"desk-staff\"\n"
                      "[[openid.role]]\nclaim = \"groups\"\nvalue = \"b\"\nrole = \"administrator\"\n")),
                  "w.toml", errors);
  ASSERT_TRUE(errors.empty()) << absl::StrJoin(errors, "\n");
  ASSERT_TRUE(c.openid);
  EXPECT_EQ(c.openid->issuer, "https://inloggen.waterdam.example");
  EXPECT_EQ(c.openid->redirect_uris, std::vector<std::string>{"https://balie.waterdam.example/openid"});
  EXPECT_EQ(c.openid->alg, "ES256");
  EXPECT_FALSE(c.openid->audience_is_issuer);
  EXPECT_EQ(c.openid->max_age_minutes, 0);
  ASSERT_EQ(c.openid->roles.size(), 2u);
  EXPECT_EQ(c.openid->roles[0].role, domain::Role::kDeskStaff);
  EXPECT_EQ(c.openid->roles[1].role, domain::Role::kAdministrator);
}

TEST(Config, OpenIdWithoutMoreHasTheStrictDefaults) {
  Errors errors;
  const auto c = ParseServer(
      WithOpenId(absl::StrCat(kRedirect, "tls_certificate_file = \"c.pem\"\ntls_key_file = \"k.pem\"\n")),
      "w.toml", errors);
  ASSERT_TRUE(errors.empty()) << absl::StrJoin(errors, "\n");
  EXPECT_EQ(c.openid->scope, "openid");
  EXPECT_TRUE(c.openid->audience_is_issuer);
  EXPECT_FALSE(c.openid->max_age_minutes);
  EXPECT_TRUE(c.openid->roles.empty());
  EXPECT_FALSE(
      ParseServer(*base::ReadFile(WAARBORG_SOURCE_FOLDER "/deploy/example/waarborgd.toml"), "w", errors)
          .openid);
}

TEST(Config, MistakesInOpenIdAreReportedWithTheirLine) {
  const auto errors_of = [](const std::string& more) {
    Errors errors;
    ParseServer(WithOpenId(more), "w.toml", errors);
    return absl::StrJoin(errors, "\n");
  };
  const std::string good = absl::StrCat(kRedirect, kByKey);
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {absl::StrCat(kRedirect), "either client_key_file and key_id, or tls_certificate_file"},
      {absl::StrCat(kRedirect, "client_key_file = \"k.pem\"\n"), "either client_key_file and key_id"},
      {good + "tls_certificate_file = \"c\"\ntls_key_file = \"k\"\n", "either client_key_file and key_id"},
      {absl::StrCat(kByKey, "redirect_uris = [\"http://balie.waterdam.example/\"]\n"),
       "is not an https address"},
      {kByKey, "redirect_uris is missing"},
      {good + "alg = \"HS256\"\n", "alg must be one of: PS256, RS256, ES256"},
      {good + "scope = \"profile\"\n", "scope must hold openid"},
      {good + "max_age_minutes = -5\n", "max_age_minutes must be a whole number"},
      {good + "client_secret = \"geheim\"\n", "unknown key \"client_secret\""},
      {good + "[[openid.role]]\nclaim = \"g\"\nvalue = \"b\"\nrole = \"balie\"\n",
       "role must be one of: desk-staff"},
      {good + "[[openid.role]]\nclaim = \"g\"\nrole = \"legal\"\n", "value is missing"},
      {good + "[[openid.role]]\nid = \"a\"\nclaim = \"g\"\nvalue = \"b\"\nrole = \"legal\"\n",
       "unknown key \"id\""},
  };
  for (const auto& [more, error] : wrong) {
    const std::string all = errors_of(more);
    EXPECT_EQ(all.rfind("w.toml:", 0), 0u) << all;
    EXPECT_NE(all.find(error), std::string::npos) << "no \"" << error << "\" in: " << all;
  }
}

TEST(Config, PrivateAddressesAreHttpsOrOfThisMachine) {
  for (const char* good :
       {"https://i.example", "https://i.example:8443/a?b=c", "https://i.example?b=c", "http://localhost:80/x",
        "http://localhost", "http://balie.localhost:8080/openid"}) {
    EXPECT_TRUE(IsPrivateUrl(good)) << good;
  }
  for (const char* bad : {"http://i.example",
                          "http://localhost.example/",
                          "http://notlocalhost/",
                          "https://",
                          "https:///x",
                          "https://?x",
                          "https://i_x=1/",
                          "https://i.example:/",
                          "https://i.example:8x/",
                          "https://i.example::8/",
                          "ftp://localhost/",
                          "https://a b/",
                          "https://u@i.example/",
                          "https://i.example/#x",
                          "https://i.example\\x",
                          "HTTPS://i.example",
                          "",
                          "i.example",
                          "http://127.0.0.1/",
                          "https://i.example/\n"}) {
    EXPECT_FALSE(IsPrivateUrl(bad)) << bad;
  }
}

}  // namespace
}  // namespace waarborg::config

// SPDX-License-Identifier: EUPL-1.2
#include "server/config/config.h"

#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
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

TEST(Config, TheRootKeyMayNotLieBesideTheData) {
  Errors errors;
  ParseServer(
      "listen = \"localhost:7443\"\ndata_folder = \"/var/lib/w\"\nroot_key_file = \"/var/lib/w/root.key\"\n"
      "certificate_file = \"c\"\nkey_file = \"k\"\nclient_ca_file = \"a\"\n",
      "waarborgd.toml", errors);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].rfind("waarborgd.toml:3: root_key_file must lie outside", 0), 0u) << errors[0];
}

}  // namespace
}  // namespace waarborg::config

// SPDX-License-Identifier: EUPL-1.2
#include "tests/scenario/script.h"

#include <gtest/gtest.h>

namespace waarborg::testing {
namespace {

const std::vector<std::string> kCommands{"check", "ban propose", "ban show"};

TEST(Script, ReadsAStepWithQuotesFlagsAndExpectations) {
  const Script s = ParseScript(
      "roos @ balie-1: ban propose given=\"Jan: \\\"P\\\" => #1\" established \\\n  born=1980-01-02 "
      "=> ok state=active !photo=yes count>=2 as BAN  # comment",
      kCommands);
  ASSERT_TRUE(s.errors.empty()) << s.errors[0];
  ASSERT_EQ(s.lines.size(), 1u);
  const Line& line = s.lines[0];
  EXPECT_EQ(line.person, "roos");
  EXPECT_EQ(line.station, "balie-1");
  EXPECT_EQ(line.command, "ban propose");
  ASSERT_EQ(line.options.size(), 3u);
  EXPECT_EQ(line.options[0].second, "Jan: \"P\" => #1");
  EXPECT_EQ(line.options[1], (std::pair<std::string, std::string>("established", "yes")));
  ASSERT_EQ(line.expectations.size(), 3u);
  EXPECT_EQ(line.expectations[1].how, Expectation::How::kAbsent);
  EXPECT_EQ(line.expectations[2].how, Expectation::How::kAtLeast);
  EXPECT_EQ(line.expectations[2].name, "count");
  EXPECT_EQ(line.remember, "BAN");
}

TEST(Script, SaysWhatIsWrongAndWhere) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "no step"},
      {"# only a comment", "no step"},
      {"roos @ balie: check", "ends with =>"},
      {"roos balie: check => ok", "PERSON @ STATION"},
      {"roos @ balie: dance => ok", "no command \"dance\""},
      {"roos @ balie: check =x => ok", "option=value"},
      {"roos @ balie: check =>", "what is expected"},
      {"roos @ balie: check => refused", "name of the rule"},
      {"roos @ balie: check => ok banned", "fact=value"},
      {"roos @ balie: check x=\"y => ok", "ends with =>"},
      {"roos @ balie: check => ok x=\"y", "quote"},
      {"roos @ balie: check => ok as", "one name"},
      {"roos @ balie: check \\", "goes on"},
  };
  for (const auto& [text, why] : cases) {
    const Script s = ParseScript(text, kCommands);
    ASSERT_EQ(s.errors.size(), 1u) << text;
    EXPECT_NE(s.errors[0].find(why), std::string::npos) << text << ": " << s.errors[0];
  }
}

}  // namespace
}  // namespace waarborg::testing

// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/rules.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace waarborg::domain {
namespace {

TEST(Rules, EachHasItsOwnNameAndSaysWhatIsWrongAndWhatToDoInBothLanguages) {
  std::set<std::string> names;
  for (int i = 0; i < static_cast<int>(Rule::kCount); ++i) {
    const RuleText& text = TextOf(static_cast<Rule>(i));
    EXPECT_TRUE(names.insert(text.name).second) << text.name;
    for (const char* words : {text.message, text.next, text.message_nl, text.next_nl}) {
      EXPECT_GT(std::string(words).size(), 6u) << text.name;
      EXPECT_TRUE(std::string(words).back() == '.') << text.name;
    }
  }
}

}  // namespace
}  // namespace waarborg::domain

// SPDX-License-Identifier: EUPL-1.2
#include "client/station/view.h"

#include <gtest/gtest.h>

#include "client/station/embedded.h"

namespace waarborg::station {
namespace {

TEST(View, EveryTemplateIsGoodAndWritesNothingUnescaped) {
  EXPECT_EQ(CheckTemplates(), "");
  EXPECT_GT(TextsOfTemplates().size(), 100u);
}

TEST(View, ValuesAreEscapedAndWhatIsEmptyIsNotThere) {
  View view;
  view.Set("title", "")
      .Set("text", "<script>\"'&")
      .Set("next_step", "doe <dit>")
      .Set("rule", "")
      .Set("back", false);
  const std::string html = view.Render("error", Words::Of(Language::kDutch));
  EXPECT_NE(html.find("&lt;script&gt;&quot;&apos;&amp;"), std::string::npos) << html;
  EXPECT_EQ(html.find("<script>"), std::string::npos);
  EXPECT_NE(html.find("Wat nu:"), std::string::npos);
  EXPECT_EQ(html.find("Vraagt u om hulp"), std::string::npos) << "an empty rule is no rule";
}

TEST(View, ValuesAreNoTemplatesAndNoPartials) {
  View view;
  view.Set("text", "{{title}} {{> layout}} {{#t}}x{{/t}}").Set("title", "geheim");
  const std::string html = view.Render("error", Words::Of(Language::kDutch));
  EXPECT_NE(html.find("{{title}} {{&gt; layout}}"), std::string::npos) << html;
  // A value that is not there is not the template of that name.
  View empty;
  EXPECT_EQ(empty.Render("error", Words::Of(Language::kDutch)).find("<!doctype"), std::string::npos);
}

TEST(View, TextsAreSaidInTheLanguageAskedFor) {
  View view;
  view.Set("next_step", "x");
  EXPECT_NE(view.Render("error", Words::Of(Language::kEnglish)).find("What now:"), std::string::npos);
  v1::Date date;
  date.set_year(1985);
  EXPECT_EQ(Words::Of(Language::kDutch).Day(date), "1985");
  date.set_month(3);
  EXPECT_EQ(Words::Of(Language::kDutch).Day(date), "maart 1985");
  date.set_day(12);
  EXPECT_EQ(Words::Of(Language::kDutch).Day(date), "12 maart 1985");
  EXPECT_EQ(Words::Of(Language::kEnglish).Day(date), "12 March 1985");
  EXPECT_EQ(Words::Of(Language::kDutch).Say("tot {when}", {{"when", "{x}"}, {"x", "y"}}), "tot {x}");
  google::protobuf::Timestamp t;
  t.set_seconds(1772441100);  // 2026-03-02 09:45 in Amsterdam, a Monday
  EXPECT_EQ(Words::Of(Language::kDutch).Moment(t), "maandag 2 maart 2026, 09:45");
}

}  // namespace
}  // namespace waarborg::station

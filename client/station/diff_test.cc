// SPDX-License-Identifier: EUPL-1.2
#include "client/station/diff.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace waarborg::station {
namespace {

// "-a|+b|=c|3" for a line that goes, one that comes, one that stays and three that are skipped.
std::string Shown(const std::vector<DiffLine>& lines) {
  std::string out;
  for (const DiffLine& line : lines) {
    if (!out.empty()) out += '|';
    switch (line.kind) {
      case DiffLine::Kind::kGone:
        absl::StrAppend(&out, "-", line.text);
        break;
      case DiffLine::Kind::kNew:
        absl::StrAppend(&out, "+", line.text);
        break;
      case DiffLine::Kind::kSame:
        absl::StrAppend(&out, "=", line.text);
        break;
      case DiffLine::Kind::kSkipped:
        absl::StrAppend(&out, line.skipped);
        break;
    }
  }
  return out;
}

TEST(Diff, EqualTextsDifferInNothing) {
  EXPECT_EQ(Shown(Diff("a\nb\n", "a\nb\n")), "");
  EXPECT_EQ(Shown(Diff("", "")), "");
}

TEST(Diff, AChangedLineGoesAndComes) {
  EXPECT_EQ(Shown(Diff("a\nb\nc\n", "a\nB\nc\n")), "=a|-b|+B|=c");
}

TEST(Diff, OnlyTheFewestLinesGo) {
  EXPECT_EQ(Shown(Diff("a\nb\nc\nd\n", "b\nx\nd\n")), "-a|=b|-c|+x|=d");
}

TEST(Diff, FarLinesAreCounted) {
  EXPECT_EQ(Shown(Diff("1\n2\n3\n4\n5\n6\n7\n8\n", "1\n2\n3\nx\n5\n6\n7\n8\n", 1)), "2|=3|-4|+x|=5|3");
}

TEST(Diff, EveryLineIsAccountedFor) {
  std::string before, after;
  for (int i = 0; i < 3000; ++i) absl::StrAppend(&before, "a", i, "\n");
  for (int i = 0; i < 3000; ++i) absl::StrAppend(&after, "b", i, "\n");
  // Too much for the fewest lines: all of it goes and comes.
  int gone = 0, come = 0;
  for (const DiffLine& line : Diff(before, after)) {
    gone += line.kind == DiffLine::Kind::kGone ? 1 : 0;
    come += line.kind == DiffLine::Kind::kNew ? 1 : 0;
  }
  EXPECT_EQ(gone, 3000);
  EXPECT_EQ(come, 3000);
}

}  // namespace
}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <string_view>
#include <vector>

// What differs between two texts, line by line, for people to read. Pure.
namespace waarborg::station {

struct DiffLine {
  enum class Kind { kSame, kGone, kNew, kSkipped };
  Kind kind;
  std::string text;  // of kSkipped empty
  int skipped = 0;   // of kSkipped: so many lines are the same
};

// The fewest lines that go and come, with at most `around` lines that stay before and after each. Of texts
// that differ in too much for that (more than four million pairs of lines) everything that differs goes and
// comes as one piece. Empty when nothing differs.
std::vector<DiffLine> Diff(std::string_view before, std::string_view after, int around = 3);

}  // namespace waarborg::station

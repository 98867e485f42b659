// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waarborg::testing {

// One expectation on a fact: equal, not there, or at least.
struct Expectation {
  enum class How { kEqual, kAbsent, kAtLeast };
  How how = How::kEqual;
  std::string name;
  std::string value;
};

// One line of a scenario (tests/scenario/README.md).
struct Line {
  enum class What { kStep, kClock, kInclude, kStop, kStart, kKill, kRestart };
  What what = What::kStep;
  int number = 0;
  std::string text;    // as written
  std::string moment;  // for kClock
  std::string file;    // for kInclude

  std::string person;
  std::string station;
  std::string command;
  std::vector<std::pair<std::string, std::string>> options;  // a flag has the value "yes"
  bool soon = false;  // asked again until it holds, for some seconds: what happens by itself
  std::string word;   // "ok", "refused", "clear" ...
  std::string rule;   // for refused
  std::vector<Expectation> expectations;
  std::string remember;  // name under which the id is remembered
};

struct Script {
  std::vector<Line> lines;
  std::vector<std::string> errors;  // "line 3: ..."; a script with errors is not played
};

// Parses a scenario. Never fails otherwise; every line that cannot be understood gives an error that says
// why. `commands` are the names of all commands.
Script ParseScript(const std::string& text, const std::vector<std::string>& commands);

}  // namespace waarborg::testing

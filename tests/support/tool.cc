// SPDX-License-Identifier: EUPL-1.2
// waarborg-tool: what the demo, the tests in a browser and people who try scenarios by hand need beside the
// real programs. Never installed.
//   waarborg-tool portrait NUMBER FILE.jpg|FILE.png   draws a face
//   waarborg-tool clock FILE TIME [running]           sets a test clock: 2026-03-02T09:00, or +30s, +5m, +2h,
//   +10d; one that runs
//                                                     goes on running
//   waarborg-tool code SECRET CLOCK                   one-time code at the time of a test clock
//   waarborg-tool codes LISTEN PEOPLE CLOCK PASSWORD  everybody's codes on a page (tests/support/codes.h)
//   waarborg-tool town FOLDER                         makes a fictitious municipality, stopped
//   (tests/support/town.h)
#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "server/base/file_clock.h"
#include "tests/support/codes.h"
#include "tests/support/portrait.h"
#include "tests/support/signing_in.h"
#include "tests/support/town.h"

namespace {

int Usage() {
  std::fputs(
      "waarborg-tool portrait NUMBER FILE | clock FILE TIME [running] | code SECRET CLOCK | codes LISTEN "
      "PEOPLE CLOCK PASSWORD | town FOLDER\n",
      stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace waarborg;
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "town" && argc == 3) {
    testing::Town::Build(argv[2], true);
    return 0;
  }
  if (verb == "codes" && argc == 6) return testing::ServeCodes({argv[2], argv[3], argv[4], argv[5]});
  const bool running = argc == 5 && std::string(argv[4]) == "running";
  if (argc != 4 && !(verb == "clock" && running)) return Usage();
  if (verb == "portrait") {
    int number = 0;
    if (!absl::SimpleAtoi(argv[2], &number)) return Usage();
    std::ofstream out(argv[3], std::ios::binary);
    out << (absl::EndsWith(argv[3], ".png") ? testing::PortraitPng(number) : testing::PortraitJpeg(number));
    return out.good() ? 0 : 1;
  }
  if (verb == "clock") {
    const auto clock = base::FileClock::Open(argv[2]);
    const auto t = testing::ParseMoment(argv[3], clock == nullptr ? absl::Now() : clock->Now());
    const bool runs = running || (clock != nullptr && clock->runs());
    if (!t || !base::FileClock::Set(argv[2], *t, true, runs)) return Usage();
    std::printf("%s\n", base::FormatLocal(*t).c_str());
    return 0;
  }
  if (verb == "code") {
    const auto clock = base::FileClock::Open(argv[3]);
    std::printf("%s\n", testing::CodeAt(argv[2], clock == nullptr ? absl::Now() : clock->Now()).c_str());
    return 0;
  }
  return Usage();
}

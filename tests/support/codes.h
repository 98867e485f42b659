// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <vector>

namespace waarborg::testing {

// A page that stands in for everybody's telephone in a demo: who there is, where they sign in, and their
// one-time code of now. It gives away every second factor, so it is for fictitious people only, and is served
// to this machine alone.
struct CodesPage {
  std::string listen;  // "localhost:8090"
  std::string
      people_file;  // login, secret, address and words about them, separated by tabs, one person a line
  std::string clock_file;  // of the core (base::FileClock)
  std::string password;    // of everybody
};

// Serves until the process is told to stop. Nonzero when it cannot.
int ServeCodes(const CodesPage& page);

}  // namespace waarborg::testing

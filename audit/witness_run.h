// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <vector>

namespace waarborg::audit {

// Makes the private key of a witness, prints its public half. Returns how the program ends.
int MakeWitnessKey(const std::string& name, const std::string& path);

struct WitnessOptions {
  std::string listen;
  std::string data;
  std::string key;
  std::vector<std::string> logs;
  std::string port_file;
};

// Runs a witness until SIGTERM or SIGINT. Returns how the program ends.
int RunWitness(const WitnessOptions& options);

}  // namespace waarborg::audit

// SPDX-License-Identifier: EUPL-1.2
// Scenario files: parsed, or refused with line numbers.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/scenario/script.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto script = waarborg::testing::ParseScript(std::string(reinterpret_cast<const char*>(data), size),
                                                     {"ban propose", "check name", "photo show"});
  for (const std::string& e : script.errors) {
    if (e.rfind("line ", 0) != 0 && e != "there is no step in this file") std::abort();
  }
  return 0;
}

// SPDX-License-Identifier: EUPL-1.2
// Both configuration files: errors with a place, or something to work with.
#include "server/config/config.h"

#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  waarborg::config::Errors errors;
  (void)waarborg::config::ParseServer(text, "waarborgd.toml", errors);
  for (const std::string& e : errors) {
    if (e.rfind("waarborgd.toml", 0) != 0) std::abort();
  }
  errors.clear();
  const auto m = waarborg::config::ParseMunicipality(text, "municipality.toml", errors);
  for (const std::string& e : errors) {
    if (e.rfind("municipality.toml", 0) != 0) std::abort();
  }
  if (errors.empty() && m.locations.empty()) std::abort();
  return 0;
}

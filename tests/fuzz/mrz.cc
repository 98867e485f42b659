// SPDX-License-Identifier: EUPL-1.2
// The machine-readable zone as a scanner types it. Whatever comes in, what comes out has the shape it
// promises.
#include "server/domain/mrz.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/domain/names.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto mrz = waarborg::domain::ParseMrz({reinterpret_cast<const char*>(data), size}, 2026);
  if (!mrz.ok()) return 0;
  const auto& born = mrz->birth_date;
  const bool plain = born.year >= 0 && born.year <= 2026 && born.month >= 0 && born.month <= 12 &&
                     born.day >= 0 && born.day <= 31 && mrz->surname.find('<') == std::string::npos &&
                     mrz->given_names.find('<') == std::string::npos && !mrz->surname.empty();
  if (!plain) std::abort();
  (void)waarborg::domain::FoldName({mrz->given_names, "", mrz->surname});
  return 0;
}

// SPDX-License-Identifier: EUPL-1.2
// A picture as somebody supplies it: refused with a reason, or made into one that shows.
#include <cstdint>
#include <cstdlib>

#include "server/photos/photo.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto photo = waarborg::photos::Normalise({reinterpret_cast<const char*>(data), size});
  if (!photo.ok()) return 0;
  if (!waarborg::photos::Watermark(*photo, "R. Receptie", "Gemeentehuis balie-1", "2026-03-02 09:00").ok())
    std::abort();
  return 0;
}

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>

namespace waarborg::photos {

struct Confinement {
  uint64_t memory_bytes = uint64_t{768} << 20;  // of address space
  unsigned cpu_seconds = 10;
};

// Takes from this process everything that reading and writing the pipes it has does not need: from here on a
// system call that opens, connects, starts or looks at anything ends the process. Cannot be undone. False
// when it could not be done; then do nothing with foreign bytes.
bool Confine(const Confinement& limits);

// False in builds with a sanitizer, whose runtime needs more than a confined process has: there Confine does
// nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kConfines = false;
#else
inline constexpr bool kConfines = true;
#endif

}  // namespace waarborg::photos

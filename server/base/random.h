// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace waarborg::base {

// The one source of randomness. Implementations are safe to call from any thread.
class Random {
 public:
  virtual ~Random() = default;
  // Fills `size` bytes; never fails (an operating system without randomness ends the process).
  virtual void Fill(void* out, size_t size) = 0;

  // `size` random bytes.
  std::string Bytes(size_t size);
  // `prefix` and ten characters of Crockford's base 32 (no I, L, O, U): 50 random bits, to be read out over a
  // telephone. The caller checks that the id is not in use.
  std::string Id(const char* prefix);
};

// The kernel's generator (getrandom), drawn from in small stocks, one a thread; what is handed out is wiped
// from the stock. A process that forks must not go on drawing in the child.
class SystemRandom : public Random {
 public:
  void Fill(void* out, size_t size) override;
};

}  // namespace waarborg::base

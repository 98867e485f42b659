// SPDX-License-Identifier: EUPL-1.2
#include "server/base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace waarborg::base {

std::string Random::Bytes(size_t size) {
  std::string out(size, '\0');
  Fill(out.data(), size);
  return out;
}

std::string Random::Id(const char* prefix) {
  static constexpr char kDigits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  uint8_t raw[10];
  Fill(raw, sizeof raw);
  std::string id = prefix;
  for (uint8_t byte : raw) id += kDigits[byte % 32];
  return id;
}

void SystemRandom::Fill(void* out, size_t size) {
  auto* p = static_cast<uint8_t*>(out);
  while (size > 0) {
    ssize_t n = getrandom(p, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      std::perror("waarborg: getrandom");
      std::abort();
    }
    p += n;
    size -= static_cast<size_t>(n);
  }
}

}  // namespace waarborg::base

// SPDX-License-Identifier: EUPL-1.2
#include "server/base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "server/base/secret.h"

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

namespace {

void FromKernel(void* out, size_t size) {
  auto* p = static_cast<uint8_t*>(out);
  while (size > 0) {
    const ssize_t n = getrandom(p, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      std::perror("waarborg: getrandom");
      std::abort();
    }
    p += n;
    size -= static_cast<size_t>(n);
  }
}

// A system call for each nonce and each key costs more than what is done with them.
class Stock {
 public:
  ~Stock() { Wipe(bytes_, sizeof bytes_); }
  void Take(void* out, size_t size) {
    if (sizeof bytes_ - used_ < size) {
      FromKernel(bytes_, sizeof bytes_);
      used_ = 0;
    }
    std::memcpy(out, bytes_ + used_, size);
    Wipe(bytes_ + used_, size);
    used_ += size;
  }

 private:
  uint8_t bytes_[1024] = {};
  size_t used_ = sizeof bytes_;
};

}  // namespace

void SystemRandom::Fill(void* out, size_t size) {
  constexpr size_t kSmall = 64;
  thread_local Stock stock;
  if (size <= kSmall) {
    stock.Take(out, size);
  } else {
    FromKernel(out, size);
  }
}

}  // namespace waarborg::base

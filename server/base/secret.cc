// SPDX-License-Identifier: EUPL-1.2
#include "server/base/secret.h"

#include <string.h>
#include <sys/mman.h>

#include <utility>

namespace waarborg::base {

Secret::Secret(std::string_view bytes) {
  *this = OfSize(bytes.size());
  if (!bytes.empty()) memcpy(data_, bytes.data(), bytes.size());
}

Secret Secret::OfSize(size_t size) {
  Secret s;
  if (size == 0) return s;
  s.data_ = new uint8_t[size]();
  s.size_ = size;
  // Beyond RLIMIT_MEMLOCK this fails and the bytes may reach swap; the systemd unit raises the limit.
  (void)mlock(s.data_, size);
  return s;
}

Secret::~Secret() {
  if (data_ == nullptr) return;
  Wipe(data_, size_);
  delete[] data_;
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

bool Secret::Equals(std::string_view other) const {
  return ConstantTimeEquals(Reveal(), other);
}

void Wipe(void* data, size_t size) {
  explicit_bzero(data, size);
}

void Wipe(std::string& bytes) {
  explicit_bzero(bytes.data(), bytes.size());
}

bool ConstantTimeEquals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char diff = 0;
  for (size_t i = 0; i < a.size(); ++i) diff |= static_cast<unsigned char>(a[i] ^ b[i]);
  return diff == 0;
}

}  // namespace waarborg::base

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace waarborg::base {

// Bytes that must not leak: kept out of swap where the limits allow it, wiped when they go, never printable,
// compared in constant time. Movable, not copyable; copy with Clone, which a reviewer can find.
class Secret {
 public:
  Secret() = default;
  // Copies the bytes; the caller wipes its own copy (see Wipe).
  explicit Secret(std::string_view bytes);
  // `size` zero bytes, to be filled through MutableData.
  static Secret OfSize(size_t size);
  ~Secret();
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  Secret Clone() const { return Secret(Reveal()); }
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  // The bytes in the clear. Every use of a secret goes through this name.
  std::string_view Reveal() const { return {reinterpret_cast<const char*>(data_), size_}; }
  const uint8_t* RevealBytes() const { return data_; }
  uint8_t* MutableData() { return data_; }
  // Constant time in the length of the shorter; lengths are not secret.
  bool Equals(std::string_view other) const;

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

// Overwrites memory in a way the compiler keeps.
void Wipe(void* data, size_t size);
void Wipe(std::string& bytes);

// Constant-time comparison of two strings of bytes; false at once when the lengths differ.
bool ConstantTimeEquals(std::string_view a, std::string_view b);

}  // namespace waarborg::base

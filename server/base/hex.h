// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <string_view>

#include "absl/strings/escaping.h"

namespace waarborg::base {

// Lower-case hexadecimal of the bytes.
inline std::string ToHex(std::string_view bytes) {
  return absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
}

// True for exactly `digits` hexadecimal digits.
inline bool IsHex(std::string_view text, size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// The bytes of hexadecimal text that passed IsHex.
inline std::string FromHex(std::string_view text) {
  return absl::HexStringToBytes(absl::string_view(text.data(), text.size()));
}

}  // namespace waarborg::base

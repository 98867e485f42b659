// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/merkle.h"

// The small grammar that every format of the log shares. Each value has one spelling; any other is refused.
namespace waarborg::audit {

std::string Base64(std::string_view bytes);
// RFC 4648 section 4 with padding, no other characters, unused bits zero.
std::optional<std::string> FromBase64(std::string_view text);
std::optional<Hash> HashFromBase64(std::string_view text);

// Digits without sign or leading zero; at most 2^63 - 1, so that sums of two fit.
std::optional<uint64_t> Decimal(std::string_view text);

// Takes the text up to the next newline off the front; nothing when there is none.
std::optional<std::string_view> TakeLine(std::string_view& text);

inline std::string_view View(const Hash& h) {
  return {reinterpret_cast<const char*>(h.data()), h.size()};
}
Hash ToHash(std::string_view bytes);  // of 32 bytes

}  // namespace waarborg::audit

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/base/random.h"
#include "server/base/secret.h"

namespace waarborg::keys {

inline constexpr size_t kKeySize = 32;

// AES-256-GCM: nonce (12 bytes, random) || ciphertext || tag (16 bytes). `context` is authenticated, not
// stored: a sealed value moved to another place does not open there. Safe from any thread.
std::string Seal(const base::Secret& key, std::string_view plaintext, std::string_view context,
                 base::Random& random);

// The plaintext, or nothing when key, context or a single bit is wrong.
std::optional<std::string> Unseal(const base::Secret& key, std::string_view sealed, std::string_view context);

// The same, but equal plaintexts give equal results: the nonce is a MAC of the plaintext under a key of its
// own. For pseudonyms; unsealed by Unseal.
std::string SealEqually(const base::Secret& key, std::string_view plaintext, std::string_view context);

// A key for one use, from another key (HKDF-SHA-256 with the label as info).
base::Secret Derive(const base::Secret& key, std::string_view label);

// HMAC-SHA-256, 32 bytes.
std::string Mac(const base::Secret& key, std::string_view data);

// SHA-256, 32 bytes.
std::string Sha256(std::string_view data);

}  // namespace waarborg::keys

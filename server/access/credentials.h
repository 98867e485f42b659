// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace waarborg::access {

// Argon2id with libsodium's text form. Slow on purpose (a tenth of a second, memory_kib of memory): call on a
// worker.
struct HashCost {
  int memory_kib = 65536;
  int passes = 3;
};
std::string HashPassword(const std::string& password, const HashCost& cost);
// Constant time in everything but the cost. With an empty hash it works as long as for a real one and is
// false, so that a name that does not exist cannot be told from a wrong password.
bool VerifyPassword(const std::string& hash, const std::string& password, const HashCost& cost);

// RFC 6238 with what authenticator apps expect: SHA-1, 6 digits, steps of 30 seconds.
inline constexpr size_t kTotpSecretSize = 20;
// The step at which the code is right, one step of clock difference either way allowed, and later than
// `last_accepted_step`; nothing when there is none.
std::optional<int64_t> AcceptTotp(const std::string& secret, const std::string& code, absl::Time now,
                                  int64_t last_accepted_step);
std::string OtpauthUri(const std::string& secret, const std::string& issuer, const std::string& login);

}  // namespace waarborg::access

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace waarborg::testing {

// The secret (base 32) in an otpauth URI.
std::string SecretOf(const std::string& otpauth_uri);

// The one-time code for a secret in base 32 at an instant.
std::string CodeAt(const std::string& base32_secret, absl::Time t);

// "2026-03-02T09:00" or "2026-03-02 09:00" local, or "+30s", "+5m", "+2h", "+10d" from `now`; a day is a
// calendar day.
std::optional<absl::Time> ParseMoment(const std::string& text, absl::Time now);

}  // namespace waarborg::testing

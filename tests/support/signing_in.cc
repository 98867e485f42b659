// SPDX-License-Identifier: EUPL-1.2
#include "tests/support/signing_in.h"

#include <liboath/oath.h>

#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "server/base/clock.h"

namespace waarborg::testing {

std::string SecretOf(const std::string& otpauth_uri) {
  const size_t from = otpauth_uri.find("secret=");
  if (from == std::string::npos) return "";
  const size_t begin = from + 7;
  return otpauth_uri.substr(begin, otpauth_uri.find('&', begin) - begin);
}

std::string CodeAt(const std::string& base32_secret, absl::Time t) {
  char* raw = nullptr;
  size_t size = 0;
  char code[7] = {};
  if (oath_init() != OATH_OK ||
      oath_base32_decode(base32_secret.data(), base32_secret.size(), &raw, &size) != OATH_OK) {
    return "";
  }
  oath_totp_generate(raw, size, absl::ToTimeT(t), 30, 0, 6, code);
  free(raw);  // NOLINT: allocated by liboath with malloc
  return code;
}

std::optional<absl::Time> ParseMoment(const std::string& text, absl::Time now) {
  if (!text.empty() && text[0] == '+') {
    int64_t n = 0;
    if (text.size() < 3 || !absl::SimpleAtoi(text.substr(1, text.size() - 2), &n)) return std::nullopt;
    switch (text.back()) {
      case 's':
        return now + absl::Seconds(n);
      case 'm':
        return now + absl::Minutes(n);
      case 'h':
        return now + absl::Hours(n);
      case 'd': {
        const absl::CivilSecond local = absl::ToCivilSecond(now, base::Amsterdam());
        const absl::CivilDay day = absl::CivilDay(local) + n;
        return absl::FromCivil(absl::CivilSecond(day.year(), day.month(), day.day(), local.hour(),
                                                 local.minute(), local.second()),
                               base::Amsterdam());
      }
      default:
        return std::nullopt;
    }
  }
  absl::Time t;
  std::string error;
  for (const char* format : {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"}) {
    if (absl::ParseTime(format, absl::StrReplaceAll(text, {{"T", " "}}), base::Amsterdam(), &t, &error))
      return t;
  }
  return std::nullopt;
}

}  // namespace waarborg::testing

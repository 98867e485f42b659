// SPDX-License-Identifier: EUPL-1.2
#include "server/access/credentials.h"

#include <liboath/oath.h>
#include <sodium.h>

#include <cstdlib>

#include "server/base/secret.h"

namespace waarborg::access {
namespace {

constexpr int64_t kStepSeconds = 30;

void InitLibraries() {
  static const bool ok = sodium_init() >= 0 && oath_init() == OATH_OK;
  if (!ok) std::abort();
}

std::string PercentEncode(const std::string& text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    const auto b = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.') {
      out += c;
    } else {
      out += '%';
      out += kHex[b >> 4];
      out += kHex[b & 15];
    }
  }
  return out;
}

}  // namespace

std::string HashPassword(const std::string& password, const HashCost& cost) {
  InitLibraries();
  char out[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(out, password.data(), password.size(), static_cast<unsigned>(cost.passes),
                            static_cast<size_t>(cost.memory_kib) * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return "";  // no memory for it: the caller refuses
  }
  return out;
}

bool VerifyPassword(const std::string& hash, const std::string& password, const HashCost& cost) {
  InitLibraries();
  if (hash.empty()) {
    (void)HashPassword(password, cost);
    return false;
  }
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

std::optional<int64_t> AcceptTotp(const std::string& secret, const std::string& code, absl::Time now,
                                  int64_t last_accepted_step) {
  InitLibraries();
  const int64_t step_now = absl::ToUnixSeconds(now) / kStepSeconds;
  std::optional<int64_t> accepted;
  for (int64_t step = step_now - 1; step <= step_now + 1; ++step) {
    char expected[7] = {};
    if (oath_totp_generate(secret.data(), secret.size(), static_cast<time_t>(step * kStepSeconds),
                           kStepSeconds, 0, 6, expected) != OATH_OK) {
      return std::nullopt;
    }
    const bool equal = base::ConstantTimeEquals(code, expected);
    if (equal && step > last_accepted_step && !accepted) accepted = step;
  }
  return accepted;
}

std::string OtpauthUri(const std::string& secret, const std::string& issuer, const std::string& login) {
  InitLibraries();
  char* base32 = nullptr;
  size_t size = 0;
  if (oath_base32_encode(secret.data(), secret.size(), &base32, &size) != OATH_OK) return "";
  std::string text(base32, size);
  base::Wipe(base32, size);
  free(base32);  // NOLINT: allocated by liboath with malloc
  while (!text.empty() && text.back() == '=') text.pop_back();
  return "otpauth://totp/" + PercentEncode(issuer) + ":" + PercentEncode(login) + "?secret=" + text +
         "&issuer=" + PercentEncode(issuer) + "&algorithm=SHA1&digits=6&period=30";
}

}  // namespace waarborg::access

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/config/config.h"

struct _cjose_jwk_int;  // NOLINT: the name that libcjose gave it

// What an ID token must be before it is believed (OpenID Connect Core 1.0, section 3.1.3.7; NLGov profile).
// Pure: no network, no clock. Errors are for the administrator, in English, and hold nothing of what was
// read.
namespace waarborg::oidc {

// The public keys of the provider (RFC 7517), as far as they are for signatures that are taken: RSA of at
// least 2048 bits and P-256. Never changed once made; may be used from any thread.
class KeySet {
 public:
  // InvalidArgument when it is no key set, or holds no such key.
  static absl::StatusOr<std::shared_ptr<const KeySet>> Parse(std::string_view json);

  // The key that the provider calls so and that is for this algorithm; without a name the only one for it.
  // Null when there is none.
  const _cjose_jwk_int* Find(const std::optional<std::string>& key_id, const std::string& alg) const;

 private:
  struct Key {
    std::optional<std::string> id;
    std::string alg;  // for this one only; empty: for any of its type
    bool rsa = false;
    std::shared_ptr<_cjose_jwk_int> jwk;
  };
  std::vector<Key> keys_;
};

// The claims inside, as the provider signed them. The algorithm must be RS256, PS256 or ES256 and fit the
// key. NotFound when the key is not in the set (then a newer set may have it), PermissionDenied when the
// token is not to be believed.
absl::StatusOr<std::string> VerifySignature(std::string_view token, const KeySet& keys);

// What this very attempt to sign in leads one to expect.
struct Expected {
  const config::OpenIdConfig* config = nullptr;
  std::string nonce;
  absl::Time asked_at;            // when the attempt began
  std::string_view access_token;  // that came along; for at_hash
};

// Who signed in, by the provider's word.
struct Claims {
  std::string account;  // what the configured claim says, to be compared with sign-in names
  // Roles that the claims let through; nothing when no mapping is configured.
  std::optional<std::vector<domain::Role>> roles;
};

// Clocks may differ by so much.
inline constexpr absl::Duration kSkew = absl::Seconds(30);

// Checks issuer, audience, authorized party, nonce, times, level of assurance and at_hash by the core's own
// clock. PermissionDenied when the claims are not for us, not for this attempt or not for now.
absl::StatusOr<Claims> CheckClaims(std::string_view payload, const Expected& expected, absl::Time now);

}  // namespace waarborg::oidc

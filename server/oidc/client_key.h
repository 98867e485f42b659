// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/secret.h"

struct _cjose_jwk_int;  // NOLINT: the name that libcjose gave it

namespace waarborg::oidc {

// The key with which the core proves to the provider who it is (private_key_jwt, RFC 7523). Its methods may
// be called from any thread.
class ClientKey {
 public:
  // From PEM without a passphrase: RSA of at least 2048 bits for "PS256" and "RS256", P-256 for "ES256".
  // `key_id` is what the provider calls it.
  static absl::StatusOr<ClientKey> FromPem(const base::Secret& pem, const std::string& alg,
                                           const std::string& key_id);

  // A signed statement that says who the client is, to `audience`, for one minute. `id` is random and used
  // once. Internal when it cannot be signed.
  absl::StatusOr<std::string> Assertion(const std::string& client_id, const std::string& audience,
                                        const std::string& id, absl::Time now) const;

 private:
  ClientKey() = default;
  std::shared_ptr<_cjose_jwk_int> jwk_;
  std::string alg_;
  std::string key_id_;
};

}  // namespace waarborg::oidc

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/base/random.h"
#include "server/config/config.h"
#include "server/oidc/attempts.h"
#include "server/oidc/client_key.h"
#include "server/oidc/id_token.h"
#include "server/oidc/transport.h"

// Signing in with the municipality's own sign-in service: OpenID Connect by the Dutch NLGov profile. The core
// is the client, never the station: it makes state, nonce and PKCE verifier, redeems the code, and verifies
// what comes of it. A station sends the browser there and hands over what it brought back, so that one turned
// evil can let nobody in.
namespace waarborg::oidc {

class SignIn {
 public:
  // `key` when the client proves itself by an assertion. Transport and random outlive it.
  SignIn(config::OpenIdConfig config, std::optional<ClientKey> key, Transport& transport,
         base::Random& random);

  const config::OpenIdConfig& config() const { return config_; }
  bool IsRedirectUri(const std::string& uri) const;
  // On the writer's thread.
  Attempts& attempts() { return attempts_; }

  // These wait for the provider, ten seconds at most in all: on a worker. `now` is the core's own clock.
  // Unavailable when the provider does not answer, or answers nonsense; PermissionDenied when what it says is
  // not to be believed. Errors name what was wrong and hold nothing of anybody.

  // The provider's authorization endpoint.
  absl::StatusOr<std::string> FindProvider(absl::Time now);
  // Redeems the code and verifies what comes of it. `iss` as the browser brought it.
  absl::StatusOr<Claims> Redeem(const Attempt& attempt, const std::string& code, const std::string& iss,
                                absl::Time now);

  // Where to send the browser.
  std::string AuthorizationUrl(const std::string& endpoint, const Attempt& attempt) const;

 private:
  // What the provider says of itself (OpenID Connect Discovery 1.0), as far as it is needed.
  struct Provider {
    std::string authorization_endpoint;
    std::string token_endpoint;
    std::string jwks_uri;
    bool sends_iss = false;  // RFC 9207
  };
  class Deadline;

  absl::StatusOr<Provider> Ask(const Deadline& deadline) const;
  absl::StatusOr<Provider> Find(const Deadline& deadline, absl::Time now);
  // The keys; asked for again when `unknown` is the set that lacked one, at most once a minute.
  absl::StatusOr<std::shared_ptr<const KeySet>> Keys(const Provider& provider, const KeySet* unknown,
                                                     const Deadline& deadline, absl::Time now);
  absl::StatusOr<std::string> TokenForm(const Provider& provider, const Attempt& attempt,
                                        const std::string& code, absl::Time now);
  absl::StatusOr<std::string> VerifiedClaims(const Provider& provider, const std::string& id_token,
                                             const Deadline& deadline, absl::Time now);

  const config::OpenIdConfig config_;
  const std::optional<ClientKey> key_;
  Transport& transport_;
  base::Random& random_;
  Attempts attempts_;

  // Held while asking: one asks, the others wait for what it brings.
  base::Mutex asking_;
  std::optional<Provider> provider_ WB_GUARDED_BY(asking_);
  absl::Time provider_asked_at_ WB_GUARDED_BY(asking_) = absl::InfinitePast();
  std::shared_ptr<const KeySet> keys_ WB_GUARDED_BY(asking_);
  absl::Time keys_asked_at_ WB_GUARDED_BY(asking_) = absl::InfinitePast();
};

// The whole, with libcurl and with the key files read.
struct Parts {
  std::unique_ptr<Transport> transport;
  std::unique_ptr<SignIn> sign_in;
};
absl::StatusOr<Parts> Open(const config::OpenIdConfig& config, base::Random& random);

}  // namespace waarborg::oidc

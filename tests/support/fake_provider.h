// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "server/oidc/id_token.h"
#include "server/oidc/transport.h"

namespace waarborg::testing {

// A key of a provider: makes signed tokens and shows its public half.
class SigningKey {
 public:
  enum class Type { kRsa, kEc };
  // A new key. `bits` for RSA.
  static SigningKey New(Type type, const std::string& id, size_t bits = 2048);
  // A secret shared by both, for HS256: what an attacker makes of a public key.
  static SigningKey OfBytes(const std::string& bytes, const std::string& id);

  // `header` is added to what the library writes: {"typ":"JWT"} and the like.
  std::string Sign(const std::string& alg, const std::string& payload,
                   const std::map<std::string, std::string>& header = {}) const;
  // The public half as JSON, with more members ("\"use\":\"enc\"").
  std::string PublicJwk(const std::string& more = "") const;
  const std::string& id() const { return id_; }

 private:
  std::shared_ptr<_cjose_jwk_int> jwk_;
  std::string id_;
};

// Members of a JSON object, each value as JSON text.
using Members = std::map<std::string, std::string>;
std::string ToJson(const Members& members);
std::string Quoted(const std::string& text);

// A provider that lives in memory, in place of the network. Says what the test wants it to say.
class FakeProvider : public oidc::Transport {
 public:
  static constexpr char kIssuer[] = "https://inloggen.waterdam.example";
  static constexpr char kRedirectUri[] = "https://balie.waterdam.example/openid";

  FakeProvider();
  // A client of this provider, as configured.
  static config::OpenIdConfig Config();
  // The claims of a good ID token, for the attempt with this nonce.
  static Members GoodClaims(const std::string& nonce, absl::Time now);

  absl::StatusOr<Answer> Get(const std::string& url, absl::Duration within) override;
  absl::StatusOr<Answer> Post(const std::string& url, const std::string& form,
                              absl::Duration within) override;

  bool reachable = true;
  Members discovery;
  std::string keys;  // the key set, JSON
  int token_status = 200;
  std::string token_answer;  // JSON; empty: none is made
  std::string last_form;
  std::string last_post_url;
  int asked_discovery = 0, asked_keys = 0, asked_token = 0;
};

}  // namespace waarborg::testing

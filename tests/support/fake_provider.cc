// SPDX-License-Identifier: EUPL-1.2
#include "tests/support/fake_provider.h"

#include <cjose/cjose.h>
#include <jansson.h>

#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace waarborg::testing {
namespace {

std::shared_ptr<cjose_jwk_t> Held(cjose_jwk_t* jwk) {
  if (jwk == nullptr) std::abort();
  return {jwk, [](cjose_jwk_t* k) { cjose_jwk_release(k); }};
}

}  // namespace

SigningKey SigningKey::New(Type type, const std::string& id, size_t bits) {
  constexpr uint8_t kExponent[] = {1, 0, 1};
  SigningKey key;
  key.jwk_ = Held(type == Type::kRsa ? cjose_jwk_create_RSA_random(bits, kExponent, sizeof kExponent, nullptr)
                                     : cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, nullptr));
  key.id_ = id;
  return key;
}

SigningKey SigningKey::OfBytes(const std::string& bytes, const std::string& id) {
  SigningKey key;
  key.jwk_ =
      Held(cjose_jwk_create_oct_spec(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), nullptr));
  key.id_ = id;
  return key;
}

std::string SigningKey::Sign(const std::string& alg, const std::string& payload,
                             const std::map<std::string, std::string>& header) const {
  json_t* h = json_object();
  json_object_set_new(h, "alg", json_string(alg.c_str()));
  if (!id_.empty()) json_object_set_new(h, "kid", json_string(id_.c_str()));
  for (const auto& [name, value] : header) json_object_set_new(h, name.c_str(), json_string(value.c_str()));
  cjose_jws_t* jws = cjose_jws_sign(jwk_.get(), h, reinterpret_cast<const uint8_t*>(payload.data()),
                                    payload.size(), nullptr);
  const char* compact = nullptr;
  if (jws == nullptr || !cjose_jws_export(jws, &compact, nullptr)) std::abort();
  std::string token = compact;
  cjose_jws_release(jws);
  json_decref(h);
  return token;
}

std::string SigningKey::PublicJwk(const std::string& more) const {
  char* text = cjose_jwk_to_json(jwk_.get(), /*priv=*/false, nullptr);
  std::string json = text;
  free(text);  // NOLINT: allocated by the library with malloc
  json.pop_back();
  if (!id_.empty()) absl::StrAppend(&json, ",\"kid\":", Quoted(id_));
  if (!more.empty()) absl::StrAppend(&json, ",", more);
  return json + "}";
}

std::string ToJson(const Members& members) {
  return absl::StrCat("{",
                      absl::StrJoin(members, ",",
                                    [](std::string* out, const auto& member) {
                                      absl::StrAppend(out, Quoted(member.first), ":", member.second);
                                    }),
                      "}");
}

std::string Quoted(const std::string& text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

FakeProvider::FakeProvider() {
  const std::string issuer = kIssuer;
  discovery = {{"issuer", Quoted(issuer)},
               {"authorization_endpoint", Quoted(issuer + "/auth")},
               {"token_endpoint", Quoted(issuer + "/token")},
               {"jwks_uri", Quoted(issuer + "/jwks")},
               {"code_challenge_methods_supported", "[\"S256\"]"},
               {"authorization_response_iss_parameter_supported", "true"}};
}

config::OpenIdConfig FakeProvider::Config() {
  config::OpenIdConfig c;
  c.issuer = kIssuer;
  c.client_id = "waarborg";
  c.redirect_uris = {kRedirectUri};
  c.account_claim = "preferred_username";
  return c;
}

Members FakeProvider::GoodClaims(const std::string& nonce, absl::Time now) {
  const int64_t seconds = absl::ToUnixSeconds(now);
  return {{"iss", Quoted(kIssuer)},
          {"sub", "\"0001\""},
          {"aud", "\"waarborg\""},
          {"nonce", Quoted(nonce)},
          {"iat", absl::StrCat(seconds)},
          {"exp", absl::StrCat(seconds + 300)},
          {"preferred_username", "\"receptie\""}};
}

absl::StatusOr<oidc::Transport::Answer> FakeProvider::Get(const std::string& url, absl::Duration) {
  if (!reachable) return absl::UnavailableError("the provider gave no answer");
  if (url == absl::StrCat(kIssuer, "/.well-known/openid-configuration")) {
    ++asked_discovery;
    return Answer{200, ToJson(discovery)};
  }
  if (url == absl::StrCat(kIssuer, "/jwks")) {
    ++asked_keys;
    return Answer{200, keys};
  }
  return Answer{404, ""};
}

absl::StatusOr<oidc::Transport::Answer> FakeProvider::Post(const std::string& url, const std::string& form,
                                                           absl::Duration) {
  if (!reachable) return absl::UnavailableError("the provider gave no answer");
  ++asked_token;
  last_post_url = url;
  last_form = form;
  return Answer{token_status, token_answer};
}

}  // namespace waarborg::testing

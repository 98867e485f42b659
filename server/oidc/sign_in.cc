// SPDX-License-Identifier: EUPL-1.2
#include "server/oidc/sign_in.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/file.h"
#include "server/keys/root_key.h"
#include "server/keys/sealing.h"
#include "server/oidc/json.h"

namespace waarborg::oidc {
namespace {

constexpr std::chrono::seconds kInAll(10);
constexpr absl::Duration kKeep = absl::Hours(1);
constexpr absl::Duration kKeysAgain = absl::Minutes(1);
constexpr size_t kMaxCode = 2048;

using Fields = std::vector<std::pair<std::string, std::string>>;

// As in a query and in a form; only what needs no encoding anywhere stays as it is.
std::string Encode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

std::string Encode(const Fields& fields) {
  return absl::StrJoin(fields, "&", [](std::string* out, const auto& field) {
    absl::StrAppend(out, field.first, "=", Encode(field.second));
  });
}

bool Contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

absl::Status Nonsense(const char* what) {
  return absl::UnavailableError(absl::StrCat("the provider's description of itself ", what));
}

// The error code of RFC 6749 in an answer, if it looks like one: it goes into the server's own log.
std::string ErrorCode(const std::string& body) {
  const auto json = Json::Parse(body);
  const std::string code = json ? json->Text("error").value_or("") : "";
  const bool plain = !code.empty() && code.size() <= 40 && std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || c == '_';
  });
  return plain ? code : "no error code";
}

}  // namespace

class SignIn::Deadline {
 public:
  // What is left; Unavailable when nothing is.
  absl::StatusOr<absl::Duration> Left() const {
    const auto left = until_ - std::chrono::steady_clock::now();
    if (left <= std::chrono::milliseconds(1)) return absl::UnavailableError("the provider took too long");
    return absl::FromChrono(left);
  }

 private:
  const std::chrono::steady_clock::time_point until_ = std::chrono::steady_clock::now() + kInAll;
};

SignIn::SignIn(config::OpenIdConfig config, std::optional<ClientKey> key, Transport& transport,
               base::Random& random)
    : config_(std::move(config)), key_(std::move(key)), transport_(transport), random_(random) {}

bool SignIn::IsRedirectUri(const std::string& uri) const {
  return Contains(config_.redirect_uris, uri);
}

absl::StatusOr<SignIn::Provider> SignIn::Ask(const Deadline& deadline) const {
  const auto left = deadline.Left();
  if (!left.ok()) return left.status();
  const bool slash = config_.issuer.ends_with("/");
  const auto answer = transport_.Get(
      absl::StrCat(config_.issuer, slash ? "" : "/", ".well-known/openid-configuration"), *left);
  if (!answer.ok()) return answer.status();
  const auto json = answer->status == 200 ? Json::Parse(answer->body) : std::nullopt;
  if (!json) return Nonsense("cannot be read");
  if (json->Text("issuer") != config_.issuer) return Nonsense("has another issuer than is configured");
  Provider p;
  p.authorization_endpoint = json->Text("authorization_endpoint").value_or("");
  p.token_endpoint = json->Text("token_endpoint").value_or("");
  p.jwks_uri = json->Text("jwks_uri").value_or("");
  if (!config_.tls_certificate_file.empty()) {
    // RFC 8705: where certificates are asked for, if that is elsewhere.
    const json_t* alias = json_object_get(json->Find("mtls_endpoint_aliases"), "token_endpoint");
    if (json_is_string(alias)) p.token_endpoint = json_string_value(alias);
  }
  for (const std::string& url : {p.authorization_endpoint, p.token_endpoint, p.jwks_uri}) {
    if (!config::IsPrivateUrl(url)) return Nonsense("lacks an address, or has one that is not https");
  }
  p.sends_iss = json->IsTrue("authorization_response_iss_parameter_supported");
  // A provider that says nothing of PKCE may have it all the same; one that names other methods has not ours.
  if (json->Has("code_challenge_methods_supported") &&
      !Contains(json->Texts("code_challenge_methods_supported"), "S256")) {
    return Nonsense("does not name S256 among its methods of PKCE");
  }
  return p;
}

absl::StatusOr<SignIn::Provider> SignIn::Find(const Deadline& deadline, absl::Time now) {
  base::Lock lock(asking_);
  const absl::Duration age = now - provider_asked_at_;
  if (provider_ && age >= absl::ZeroDuration() && age < kKeep) return *provider_;
  provider_.reset();
  auto found = Ask(deadline);
  if (!found.ok()) return found.status();
  provider_ = *found;
  provider_asked_at_ = now;
  return *found;
}

absl::StatusOr<std::shared_ptr<const KeySet>> SignIn::Keys(const Provider& provider, const KeySet* unknown,
                                                           const Deadline& deadline, absl::Time now) {
  base::Lock lock(asking_);
  const absl::Duration age = now - keys_asked_at_;
  const bool fresh = age >= absl::ZeroDuration() && age < (unknown == nullptr ? kKeep : kKeysAgain);
  // Somebody else may have asked meanwhile.
  if (keys_ != nullptr && (fresh || (unknown != nullptr && keys_.get() != unknown))) return keys_;
  const auto left = deadline.Left();
  if (!left.ok()) return left.status();
  keys_ = nullptr;
  const auto answer = transport_.Get(provider.jwks_uri, *left);
  if (!answer.ok()) return answer.status();
  if (answer->status != 200) return absl::UnavailableError("the provider does not show its keys");
  auto keys = KeySet::Parse(answer->body);
  if (!keys.ok()) return absl::UnavailableError(keys.status().message());
  keys_ = *keys;
  keys_asked_at_ = now;
  return keys_;
}

absl::StatusOr<std::string> SignIn::FindProvider(absl::Time now) {
  auto provider = Find(Deadline(), now);
  if (!provider.ok()) return provider.status();
  return provider->authorization_endpoint;
}

std::string SignIn::AuthorizationUrl(const std::string& endpoint, const Attempt& attempt) const {
  Fields fields = {
      {"response_type", "code"},
      {"client_id", config_.client_id},
      {"redirect_uri", attempt.redirect_uri},
      {"scope", config_.scope},
      {"state", attempt.state},
      {"nonce", attempt.nonce},
      {"code_challenge", absl::WebSafeBase64Escape(keys::Sha256(attempt.verifier.Reveal()))},
      {"code_challenge_method", "S256"},
  };
  if (!config_.acr.empty()) fields.push_back({"acr_values", absl::StrJoin(config_.acr, " ")});
  if (config_.max_age_minutes) fields.push_back({"max_age", absl::StrCat(*config_.max_age_minutes * 60)});
  return absl::StrCat(endpoint, endpoint.find('?') == std::string::npos ? "?" : "&", Encode(fields));
}

absl::StatusOr<std::string> SignIn::TokenForm(const Provider& provider, const Attempt& attempt,
                                              const std::string& code, absl::Time now) {
  Fields fields = {{"grant_type", "authorization_code"},
                   {"code", code},
                   {"redirect_uri", attempt.redirect_uri},
                   {"client_id", config_.client_id},
                   {"code_verifier", std::string(attempt.verifier.Reveal())}};
  if (key_) {
    const auto assertion = key_->Assertion(
        config_.client_id, config_.audience_is_issuer ? config_.issuer : provider.token_endpoint,
        absl::WebSafeBase64Escape(random_.Bytes(16)), now);
    if (!assertion.ok()) return assertion.status();
    fields.push_back({"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"});
    fields.push_back({"client_assertion", *assertion});
  }
  std::string form = Encode(fields);
  for (auto& field : fields) base::Wipe(field.second);
  return form;
}

absl::StatusOr<std::string> SignIn::VerifiedClaims(const Provider& provider, const std::string& id_token,
                                                   const Deadline& deadline, absl::Time now) {
  auto keys = Keys(provider, nullptr, deadline, now);
  if (!keys.ok()) return keys.status();
  auto payload = VerifySignature(id_token, **keys);
  if (!absl::IsNotFound(payload.status())) return payload;
  // The provider may have a new key.
  keys = Keys(provider, keys->get(), deadline, now);
  if (!keys.ok()) return keys.status();
  payload = VerifySignature(id_token, **keys);
  if (absl::IsNotFound(payload.status())) return absl::PermissionDeniedError(payload.status().message());
  return payload;
}

absl::StatusOr<Claims> SignIn::Redeem(const Attempt& attempt, const std::string& code, const std::string& iss,
                                      absl::Time now) {
  const Deadline deadline;
  const auto provider = Find(deadline, now);
  if (!provider.ok()) return provider.status();
  if (iss.empty() ? provider->sends_iss : iss != config_.issuer) {
    return absl::PermissionDeniedError(
        "the answer came from another issuer, or does not say from which (iss)");
  }
  if (code.empty() || code.size() > kMaxCode)
    return absl::PermissionDeniedError("there is no code, or a huge one");
  auto form = TokenForm(*provider, attempt, code, now);
  if (!form.ok()) return form.status();
  const auto left = deadline.Left();
  if (!left.ok()) return left.status();
  auto answer = transport_.Post(provider->token_endpoint, *form, *left);
  base::Wipe(*form);
  if (!answer.ok()) return answer.status();
  if (answer->status >= 400 && answer->status < 500) {
    return absl::PermissionDeniedError(
        absl::StrCat("the provider does not redeem the code: ", ErrorCode(answer->body)));
  }
  const auto json = answer->status == 200 ? Json::Parse(answer->body) : std::nullopt;
  base::Wipe(answer->body);
  if (!json) return absl::UnavailableError("the provider's answer to the code cannot be read");
  std::string id_token = json->Text("id_token").value_or("");
  std::string access_token = json->Text("access_token").value_or("");
  auto payload = VerifiedClaims(*provider, id_token, deadline, now);
  base::Wipe(id_token);
  if (!payload.ok()) return payload.status();
  auto claims = CheckClaims(*payload, {&config_, attempt.nonce, attempt.begun_at, access_token}, now);
  base::Wipe(*payload);
  base::Wipe(access_token);
  return claims;
}

absl::StatusOr<Parts> Open(const config::OpenIdConfig& config, base::Random& random) {
  TlsOptions tls;
  tls.ca_file = config.ca_file;
  std::optional<ClientKey> key;
  if (!config.client_key_file.empty()) {
    auto pem = keys::ReadSecret(config.client_key_file);
    if (!pem.ok()) return pem.status();
    auto read = ClientKey::FromPem(*pem, config.alg, config.key_id);
    if (!read.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(config.client_key_file, ": ", read.status().message()));
    }
    key = std::move(*read);
  } else {
    auto certificate = base::ReadFile(config.tls_certificate_file);
    if (!certificate.ok()) return certificate.status();
    auto pem = keys::ReadSecret(config.tls_key_file);
    if (!pem.ok()) return pem.status();
    tls.certificate_pem = *certificate;
    tls.key_pem = std::move(*pem);
  }
  if (!config.ca_file.empty()) {
    if (auto pem = base::ReadFile(config.ca_file); !pem.ok()) return pem.status();
  }
  Parts parts;
  parts.transport = NewTransport(std::move(tls));
  parts.sign_in = std::make_unique<SignIn>(config, std::move(key), *parts.transport, random);
  return parts;
}

}  // namespace waarborg::oidc

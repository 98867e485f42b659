// SPDX-License-Identifier: EUPL-1.2
#include "server/oidc/id_token.h"

#include <cjose/cjose.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/base/secret.h"
#include "server/keys/sealing.h"
#include "server/oidc/json.h"

namespace waarborg::oidc {
namespace {

constexpr size_t kMaxToken = size_t{32} << 10;
constexpr size_t kMinRsaBytes = 2048 / 8;
constexpr size_t kMaxRsaBytes = 8192 / 8;

struct Algorithm {
  std::string_view name;
  bool rsa;
};
constexpr std::array<Algorithm, 3> kAlgorithms = {{{"RS256", true}, {"PS256", true}, {"ES256", false}}};

const Algorithm* FindAlgorithm(std::string_view name) {
  const auto it = std::find_if(kAlgorithms.begin(), kAlgorithms.end(),
                               [&](const Algorithm& a) { return a.name == name; });
  return it == kAlgorithms.end() ? nullptr : &*it;
}

absl::Status Denied(std::string_view why) {
  return absl::PermissionDeniedError(
      absl::StrCat("the ID token ", absl::string_view(why.data(), why.size())));
}

absl::Time At(int64_t seconds) {
  return absl::FromUnixSeconds(seconds);
}

bool Contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// Left half of the hash, as RS256, PS256 and ES256 have it.
std::string HalfHash(std::string_view token) {
  return absl::WebSafeBase64Escape(keys::Sha256(token).substr(0, 16));
}

// What the text stands for in base64url as RFC 7515 has it, and in one way only; nothing for anything else.
// The library ends the process on texts of certain lengths, so nothing else is put before it.
std::optional<std::string> Bytes(std::string_view base64url) {
  const absl::string_view text(base64url.data(), base64url.size());
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(text, &bytes) || absl::WebSafeBase64Escape(bytes) != text)
    return std::nullopt;
  return bytes;
}

// The public half alone, written anew; empty when it is not whole or not of a size that is taken.
std::string RsaJwk(const Json& key) {
  const std::string n = key.Text("n").value_or(""), e = key.Text("e").value_or("");
  const auto modulus = Bytes(n), exponent = Bytes(e);
  if (!modulus || modulus->size() < kMinRsaBytes || modulus->size() > kMaxRsaBytes || (*modulus)[0] == 0 ||
      !exponent || exponent->empty() || exponent->size() > 4) {
    return "";
  }
  return absl::StrCat("{\"kty\":\"RSA\",\"n\":\"", n, "\",\"e\":\"", e, "\"}");
}

std::string P256Jwk(const Json& key) {
  const std::string x = key.Text("x").value_or(""), y = key.Text("y").value_or("");
  if (key.Text("kty") != "EC" || key.Text("crv") != "P-256") return "";
  for (const std::string& coordinate : {x, y}) {
    const auto bytes = Bytes(coordinate);
    if (!bytes || bytes->size() != 32) return "";
  }
  return absl::StrCat("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"", x, "\",\"y\":\"", y, "\"}");
}

absl::Status CheckAudience(const Json& claims, const std::string& client_id) {
  const std::vector<std::string> audience = claims.Texts("aud");
  if (!Contains(audience, client_id)) return Denied("is for another client (aud)");
  const auto party = claims.Text("azp");
  if (claims.Has("azp") ? party != client_id : audience.size() > 1) {
    return Denied("was asked for by another client (azp)");
  }
  return absl::OkStatus();
}

absl::Status CheckTimes(const Json& claims, const Expected& expected, absl::Time now) {
  const auto until = claims.Whole("exp"), issued = claims.Whole("iat"), from = claims.Whole("nbf");
  if (!until || now >= At(*until) + kSkew) return Denied("has expired (exp)");
  if (!issued || At(*issued) > now + kSkew) return Denied("is from the future (iat)");
  if (At(*issued) < expected.asked_at - kSkew) return Denied("is older than the attempt to sign in (iat)");
  if (claims.Has("nbf") && (!from || At(*from) > now + kSkew)) return Denied("is not valid yet (nbf)");
  if (const auto& minutes = expected.config->max_age_minutes) {
    const auto proved = claims.Whole("auth_time");
    // By when the attempt began, so that the time the person took does not count.
    if (!proved || At(*proved) < expected.asked_at - absl::Minutes(*minutes) - kSkew) {
      return Denied(
          "says that the person proved who they are too long ago, or does not say when (auth_time)");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const KeySet>> KeySet::Parse(std::string_view json) {
  const auto set = Json::Parse(json);
  const json_t* list = set ? set->Find("keys") : nullptr;
  if (!json_is_array(list)) return absl::InvalidArgumentError("the provider's keys are no key set");
  auto out = std::make_shared<KeySet>();
  for (size_t i = 0; i < std::min(json_array_size(list), Json::kMaxList); ++i) {
    std::unique_ptr<char, decltype(&free)> text(json_dumps(json_array_get(list, i), JSON_COMPACT), &free);
    const auto one = text == nullptr ? std::nullopt : Json::Parse(text.get());
    if (!one || one->Text("use").value_or("sig") != "sig") continue;
    Key key;
    key.id = one->Text("kid");
    key.alg = one->Text("alg").value_or("");
    key.rsa = one->Text("kty") == "RSA";
    const std::string jwk = key.rsa ? RsaJwk(*one) : P256Jwk(*one);
    if (jwk.empty()) continue;
    key.jwk.reset(cjose_jwk_import(jwk.data(), jwk.size(), nullptr),
                  [](cjose_jwk_t* k) { cjose_jwk_release(k); });
    if (key.jwk != nullptr) out->keys_.push_back(std::move(key));
  }
  if (out->keys_.empty()) {
    return absl::InvalidArgumentError("none of the provider's keys is for RS256, PS256 or ES256");
  }
  return std::shared_ptr<const KeySet>(std::move(out));
}

const _cjose_jwk_int* KeySet::Find(const std::optional<std::string>& key_id, const std::string& alg) const {
  const Algorithm* algorithm = FindAlgorithm(alg);
  if (algorithm == nullptr) return nullptr;
  const Key* found = nullptr;
  for (const Key& key : keys_) {
    if (key.rsa != algorithm->rsa || (!key.alg.empty() && key.alg != alg)) continue;
    if (key_id && key.id != key_id) continue;
    if (found != nullptr) return nullptr;  // two that it could be are none
    found = &key;
  }
  return found == nullptr ? nullptr : found->jwk.get();
}

absl::StatusOr<std::string> VerifySignature(std::string_view token, const KeySet& keys) {
  if (token.size() > kMaxToken) return Denied("is too long");
  const std::vector<std::string> parts = absl::StrSplit(absl::string_view(token.data(), token.size()), '.');
  if (parts.size() != 3) return Denied("is no signed token");
  const auto header_text = Bytes(parts[0]);
  if (!header_text || !Bytes(parts[1]) || !Bytes(parts[2])) return Denied("is no signed token");
  const auto header = Json::Parse(*header_text);
  if (!header) return Denied("is no signed token");
  // Everything that could steer the check is looked at here, before the library sees the token.
  const std::string alg = header->Text("alg").value_or("");
  if (FindAlgorithm(alg) == nullptr) return Denied("is not signed with RS256, PS256 or ES256 (alg)");
  if (header->Has("crit") || header->Has("b64")) return Denied("asks for more than is known here (crit)");
  if (header->Has("typ") && absl::AsciiStrToLower(header->Text("typ").value_or("")) != "jwt") {
    return Denied("is a token of another kind (typ)");
  }
  const auto key_id = header->Text("kid");
  if (header->Has("kid") && !key_id) return Denied("names no key (kid)");
  const cjose_jwk_t* key = keys.Find(key_id, alg);
  if (key == nullptr)
    return absl::NotFoundError("the ID token is signed with a key the provider does not show (kid)");

  const std::unique_ptr<cjose_jws_t, decltype(&cjose_jws_release)> jws(
      cjose_jws_import(token.data(), token.size(), nullptr), &cjose_jws_release);
  if (jws == nullptr || !cjose_jws_verify(jws.get(), key, nullptr)) {
    return Denied("has a signature that is not right");
  }
  uint8_t* payload = nullptr;
  size_t size = 0;
  if (!cjose_jws_get_plaintext(jws.get(), &payload, &size, nullptr)) return Denied("is empty");
  return std::string(reinterpret_cast<const char*>(payload), size);
}

absl::StatusOr<Claims> CheckClaims(std::string_view payload, const Expected& expected, absl::Time now) {
  const config::OpenIdConfig& config = *expected.config;
  const auto claims = Json::Parse(payload);
  if (!claims) return Denied("holds no claims");
  if (claims->Text("iss") != config.issuer) return Denied("is from another issuer (iss)");
  if (claims->Text("sub").value_or("").empty()) return Denied("is about nobody (sub)");
  if (auto s = CheckAudience(*claims, config.client_id); !s.ok()) return s;
  if (!base::ConstantTimeEquals(claims->Text("nonce").value_or(""), expected.nonce)) {
    return Denied("is not for this attempt to sign in (nonce)");
  }
  if (auto s = CheckTimes(*claims, expected, now); !s.ok()) return s;
  if (!config.acr.empty() && !Contains(config.acr, claims->Text("acr").value_or(""))) {
    return Denied("says that the person signed in less surely than configured (acr)");
  }
  if (claims->Has("at_hash") && claims->Text("at_hash") != HalfHash(expected.access_token)) {
    return Denied("belongs to another access token (at_hash)");
  }
  Claims out;
  out.account = claims->Text(config.account_claim.c_str()).value_or("");
  if (out.account.empty()) return Denied("does not hold the claim that names the account (account_claim)");
  if (!config.roles.empty()) {
    out.roles.emplace();
    for (const config::OpenIdRole& row : config.roles) {
      if (Contains(claims->Texts(row.claim.c_str()), row.value)) out.roles->push_back(row.role);
    }
  }
  return out;
}

}  // namespace waarborg::oidc

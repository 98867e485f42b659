// SPDX-License-Identifier: EUPL-1.2
#include "server/oidc/client_key.h"

#include <cjose/cjose.h>
#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdlib>
#include <vector>

#include "absl/status/status.h"

namespace waarborg::oidc {
namespace {

// A number of the key as bytes, most significant first, at least `width` of them. Wiped when it goes.
class Number {
 public:
  Number(const EVP_PKEY* key, const char* name, size_t width = 0) {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return;
    const auto size = static_cast<size_t>(BN_num_bytes(number));
    bytes_.resize(size < width ? width : size);
    if (BN_bn2binpad(number, bytes_.data(), static_cast<int>(bytes_.size())) < 0) bytes_.clear();
    BN_clear_free(number);
  }
  ~Number() { base::Wipe(bytes_.data(), bytes_.size()); }
  Number(const Number&) = delete;
  Number& operator=(const Number&) = delete;

  bool missing() const { return bytes_.empty(); }
  uint8_t* data() { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }

 private:
  std::vector<uint8_t> bytes_;
};

// Without this OpenSSL asks the terminal.
int NoPassphrase(char*, int, int, void*) {
  return 0;
}

cjose_jwk_t* RsaKey(const EVP_PKEY* key) {
  Number n(key, OSSL_PKEY_PARAM_RSA_N), e(key, OSSL_PKEY_PARAM_RSA_E), d(key, OSSL_PKEY_PARAM_RSA_D);
  Number p(key, OSSL_PKEY_PARAM_RSA_FACTOR1), q(key, OSSL_PKEY_PARAM_RSA_FACTOR2);
  Number dp(key, OSSL_PKEY_PARAM_RSA_EXPONENT1), dq(key, OSSL_PKEY_PARAM_RSA_EXPONENT2);
  Number qi(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
  for (const Number* number : {&n, &e, &d, &p, &q, &dp, &dq, &qi}) {
    if (number->missing()) return nullptr;
  }
  const cjose_jwk_rsa_keyspec spec{e.data(),  e.size(),  n.data(),  n.size(), d.data(),  d.size(),
                                   p.data(),  p.size(),  q.data(),  q.size(), dp.data(), dp.size(),
                                   dq.data(), dq.size(), qi.data(), qi.size()};
  return cjose_jwk_create_RSA_spec(&spec, nullptr);
}

cjose_jwk_t* P256Key(const EVP_PKEY* key) {
  constexpr size_t kWidth = 32;
  char group[32] = {};
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, nullptr) != 1 ||
      std::string_view(group) != "prime256v1") {
    return nullptr;
  }
  Number d(key, OSSL_PKEY_PARAM_PRIV_KEY, kWidth), x(key, OSSL_PKEY_PARAM_EC_PUB_X, kWidth),
      y(key, OSSL_PKEY_PARAM_EC_PUB_Y, kWidth);
  if (d.missing() || x.missing() || y.missing()) return nullptr;
  const cjose_jwk_ec_keyspec spec{CJOSE_JWK_EC_P_256, d.data(), d.size(), x.data(),
                                  x.size(),           y.data(), y.size()};
  return cjose_jwk_create_EC_spec(&spec, nullptr);
}

struct Release {
  void operator()(BIO* b) const { BIO_free(b); }
  void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
  void operator()(json_t* j) const { json_decref(j); }
  void operator()(cjose_jws_t* j) const { cjose_jws_release(j); }
  void operator()(char* text) const { free(text); }  // NOLINT: allocated by jansson with malloc
};

}  // namespace

absl::StatusOr<ClientKey> ClientKey::FromPem(const base::Secret& pem, const std::string& alg,
                                             const std::string& key_id) {
  const std::unique_ptr<BIO, Release> bio(BIO_new_mem_buf(pem.RevealBytes(), static_cast<int>(pem.size())));
  const std::unique_ptr<EVP_PKEY, Release> key(
      bio == nullptr ? nullptr : PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) return absl::InvalidArgumentError("not a private key in PEM without a passphrase");
  cjose_jwk_t* jwk = nullptr;
  if (alg == "ES256") {
    if (EVP_PKEY_is_a(key.get(), "EC") == 1) jwk = P256Key(key.get());
    if (jwk == nullptr) return absl::InvalidArgumentError("not a key on P-256, which ES256 takes");
  } else {
    if (EVP_PKEY_is_a(key.get(), "RSA") == 1 && EVP_PKEY_get_bits(key.get()) >= 2048) jwk = RsaKey(key.get());
    if (jwk == nullptr) {
      return absl::InvalidArgumentError("not an RSA key of at least 2048 bits, which PS256 and RS256 take");
    }
  }
  ClientKey out;
  out.jwk_.reset(jwk, [](cjose_jwk_t* k) { cjose_jwk_release(k); });
  out.alg_ = alg;
  out.key_id_ = key_id;
  return out;
}

absl::StatusOr<std::string> ClientKey::Assertion(const std::string& client_id, const std::string& audience,
                                                 const std::string& id, absl::Time now) const {
  const int64_t seconds = absl::ToUnixSeconds(now);
  const std::unique_ptr<json_t, Release> header(
      json_pack("{s:s, s:s, s:s}", "alg", alg_.c_str(), "kid", key_id_.c_str(), "typ", "JWT"));
  const std::unique_ptr<json_t, Release> claims(
      json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "iss", client_id.c_str(), "sub", client_id.c_str(), "aud",
                audience.c_str(), "jti", id.c_str(), "iat", static_cast<json_int_t>(seconds), "exp",
                static_cast<json_int_t>(seconds) + 60));
  const std::unique_ptr<char, Release> text(claims == nullptr ? nullptr
                                                              : json_dumps(claims.get(), JSON_COMPACT));
  if (header == nullptr || text == nullptr) return absl::InternalError("the assertion cannot be written");
  const std::string_view bytes(text.get());
  const std::unique_ptr<cjose_jws_t, Release> jws(cjose_jws_sign(
      jwk_.get(), header.get(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), nullptr));
  const char* compact = nullptr;
  if (jws == nullptr || !cjose_jws_export(jws.get(), &compact, nullptr)) {
    return absl::InternalError("the assertion cannot be signed");
  }
  return std::string(compact);
}

}  // namespace waarborg::oidc

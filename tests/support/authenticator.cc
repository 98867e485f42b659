// SPDX-License-Identifier: EUPL-1.2
#include "tests/support/authenticator.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace waarborg::testing {
namespace {

std::string Digest(const std::string& bytes) {
  std::string out(32, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

std::string Number(EVP_PKEY* key, const char* name) {
  BIGNUM* n = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &n) != 1) std::abort();
  std::string out(32, '\0');
  BN_bn2binpad(n, reinterpret_cast<unsigned char*>(out.data()), 32);
  BN_free(n);
  return out;
}

}  // namespace

struct Authenticator::Key {
  EVP_PKEY* evp = nullptr;
  ~Key() { EVP_PKEY_free(evp); }
};

Authenticator::Authenticator(std::string rp, std::string page, Kind kind)
    : rp_id(std::move(rp)), origin(std::move(page)), kind_(kind), key_(std::make_unique<Key>()) {
  key_->evp = kind == Kind::kEs256 ? EVP_EC_gen("P-256") : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  if (key_->evp == nullptr) std::abort();
  if (kind == Kind::kEs256) {
    public_key = Number(key_->evp, OSSL_PKEY_PARAM_EC_PUB_X) + Number(key_->evp, OSSL_PKEY_PARAM_EC_PUB_Y);
  } else {
    public_key.resize(32);
    size_t size = 32;
    EVP_PKEY_get_raw_public_key(key_->evp, reinterpret_cast<unsigned char*>(public_key.data()), &size);
  }
  credential_id.resize(32);
  if (RAND_bytes(reinterpret_cast<unsigned char*>(credential_id.data()), 32) != 1) std::abort();
}

Authenticator::~Authenticator() = default;

std::string Authenticator::Head(int major, uint64_t value) {
  std::string out;
  const auto first = static_cast<uint8_t>(major << 5);
  int extra = 0;
  if (value < 24) {
    return {static_cast<char>(first | value)};
  } else if (value < 0x100) {
    out = static_cast<char>(first | 24);
    extra = 1;
  } else if (value < 0x10000) {
    out = static_cast<char>(first | 25);
    extra = 2;
  } else if (value < 0x100000000) {
    out = static_cast<char>(first | 26);
    extra = 4;
  } else {
    out = static_cast<char>(first | 27);
    extra = 8;
  }
  for (int i = extra - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  return out;
}

std::string Authenticator::CosePublicKey() const {
  const auto negative = [](int n) { return Head(1, static_cast<uint64_t>(-1 - n)); };
  if (kind_ == Kind::kEs256) {
    return Head(5, 5) + Head(0, 1) + Head(0, 2) + Head(0, 3) + negative(-7) + negative(-1) + Head(0, 1) +
           negative(-2) + Bytes(public_key.substr(0, 32)) + negative(-3) + Bytes(public_key.substr(32));
  }
  return Head(5, 4) + Head(0, 1) + Head(0, 1) + Head(0, 3) + negative(-8) + negative(-1) + Head(0, 6) +
         negative(-2) + Bytes(public_key);
}

std::string Authenticator::ClientDataJson(const std::string& type, const std::string& challenge) const {
  return absl::StrCat(R"({"type":")", type, R"(","challenge":")", absl::WebSafeBase64Escape(challenge),
                      R"(","origin":")", origin, R"(","crossOrigin":false)", more_client_data, "}");
}

std::string Authenticator::AuthenticatorData(uint8_t with_flags) const {
  std::string out = Digest(rp_id);
  out += static_cast<char>(with_flags);
  for (int i = 3; i >= 0; --i) out += static_cast<char>(count >> (8 * i));
  if ((with_flags & kCredential) != 0) {
    out += std::string(16, '\0');
    out += static_cast<char>(credential_id.size() >> 8);
    out += static_cast<char>(credential_id.size());
    out += credential_id + CosePublicKey();
  }
  return out + extensions;
}

std::string Authenticator::AttestationObject(const std::string& format, const std::string& statement,
                                             const std::string& authenticator_data) const {
  return Head(5, 3) + Text("fmt") + Text(format) + Text("attStmt") + statement + Text("authData") +
         Bytes(authenticator_data);
}

std::string Authenticator::Sign(const std::string& message) const {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const EVP_MD* digest = kind_ == Kind::kEs256 ? EVP_sha256() : nullptr;
  std::string out(128, '\0');
  size_t size = out.size();
  if (EVP_DigestSignInit(context, nullptr, digest, nullptr, key_->evp) != 1 ||
      EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size,
                     reinterpret_cast<const unsigned char*>(message.data()), message.size()) != 1) {
    std::abort();
  }
  EVP_MD_CTX_free(context);
  out.resize(size);
  return out;
}

std::string Authenticator::SelfStatement(const std::string& authenticator_data,
                                         const std::string& client_data_json) const {
  return Head(5, 2) + Text("alg") + Head(1, kind_ == Kind::kEs256 ? 6 : 7) + Text("sig") +
         Bytes(Sign(authenticator_data + Digest(client_data_json)));
}

Authenticator::Made Authenticator::Make(const std::string& challenge, const std::string& handle) {
  user_handle = handle;
  return {AttestationObject("none", Head(5, 0), AuthenticatorData(flags | kCredential)),
          ClientDataJson("webauthn.create", challenge)};
}

Authenticator::Used Authenticator::Use(const std::string& challenge) {
  count += step;
  Used used;
  used.credential_id = credential_id;
  used.authenticator_data = AuthenticatorData(flags);
  used.client_data_json = ClientDataJson("webauthn.get", challenge);
  used.signature = Sign(used.authenticator_data + Digest(used.client_data_json));
  used.user_handle = user_handle;
  return used;
}

}  // namespace waarborg::testing

// SPDX-License-Identifier: EUPL-1.2
#include "server/access/security_key.h"

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <jansson.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/escaping.h"
#include "server/access/cbor.h"
#include "server/base/secret.h"
#include "server/keys/sealing.h"

namespace waarborg::access {
namespace {

// Frees what a C library made with a function that takes a pointer to the pointer.
template <class T, void (*Free)(T**)>
struct Freer {
  void operator()(T* p) const { Free(&p); }
};
using Credential = std::unique_ptr<fido_cred_t, Freer<fido_cred_t, fido_cred_free>>;
using Assertion = std::unique_ptr<fido_assert_t, Freer<fido_assert_t, fido_assert_free>>;
using Es256 = std::unique_ptr<es256_pk_t, Freer<es256_pk_t, es256_pk_free>>;
using EdDsa = std::unique_ptr<eddsa_pk_t, Freer<eddsa_pk_t, eddsa_pk_free>>;
struct EvpFreer {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Evp = std::unique_ptr<EVP_PKEY, EvpFreer>;
struct JsonFreer {
  void operator()(json_t* json) const { json_decref(json); }
};
using Json = std::unique_ptr<json_t, JsonFreer>;

const unsigned char* Bytes(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

std::optional<std::string_view> TextOf(const json_t* object, const char* key) {
  const json_t* value = json_object_get(object, key);
  if (!json_is_string(value)) return std::nullopt;
  return std::string_view(json_string_value(value), json_string_length(value));
}

// Base64url without padding, in its one form.
std::optional<std::string> FromBase64Url(std::string_view text) {
  std::string out;
  if (!absl::WebSafeBase64Unescape(absl::string_view(text.data(), text.size()), &out)) return std::nullopt;
  if (absl::WebSafeBase64Escape(out) != text) return std::nullopt;
  return out;
}

// WebAuthn 6.1.
struct AuthenticatorData {
  std::string_view party_digest;
  uint8_t flags = 0;
  uint32_t sign_count = 0;
  std::string_view credential_id;  // of a new key
  std::string_view extensions;     // CBOR; empty when there are none
};
constexpr size_t kHeader = 37;
constexpr size_t kAaguid = 16;
constexpr uint8_t kUserPresent = 0x01;
constexpr uint8_t kUserVerified = 0x04;
constexpr uint8_t kBackupEligible = 0x08;
constexpr uint8_t kBackedUp = 0x10;
constexpr uint8_t kHasCredential = 0x40;
constexpr uint8_t kHasExtensions = 0x80;

// Reads it to its last byte. A new key is described when one was made, and never else.
std::optional<AuthenticatorData> ReadAuthenticatorData(std::string_view bytes, Ceremony ceremony) {
  if (bytes.size() < kHeader) return std::nullopt;
  AuthenticatorData out;
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(bytes[at]); };
  out.party_digest = bytes.substr(0, 32);
  out.flags = byte(32);
  out.sign_count = uint32_t{byte(33)} << 24 | uint32_t{byte(34)} << 16 | uint32_t{byte(35)} << 8 | byte(36);
  if (((out.flags & kHasCredential) != 0) != (ceremony == Ceremony::kCreate)) return std::nullopt;
  size_t at = kHeader;
  if (ceremony == Ceremony::kCreate) {
    at += kAaguid + 2;
    if (bytes.size() < at) return std::nullopt;
    const size_t size = size_t{byte(at - 2)} << 8 | byte(at - 1);
    if (size < kMinCredentialId || size > kMaxCredentialId || bytes.size() - at < size) return std::nullopt;
    out.credential_id = bytes.substr(at, size);
    const auto end = EndOfCbor(bytes, at + size);
    if (!end) return std::nullopt;
    at = *end;
  }
  if ((out.flags & kHasExtensions) != 0) {
    const auto end = EndOfCbor(bytes, at);
    if (!end) return std::nullopt;
    out.extensions = bytes.substr(at, *end - at);
    at = *end;
  }
  if (at != bytes.size()) return std::nullopt;
  return out;
}

KeyFault CheckParty(const RelyingParty& party, const AuthenticatorData& data) {
  if (!base::ConstantTimeEquals(data.party_digest, keys::Sha256(party.id))) return KeyFault::kOtherParty;
  if ((data.flags & kUserPresent) == 0) return KeyFault::kNotPresent;
  if ((data.flags & kUserVerified) == 0) return KeyFault::kNotVerified;
  if (!party.synced && (data.flags & (kBackupEligible | kBackedUp)) != 0) return KeyFault::kSynced;
  return KeyFault::kNone;
}

// The key in the form in which libfido2 verifies with it, held by the pointer of its kind; neither when it is
// no key.
struct PublicKey {
  Es256 es256;
  EdDsa eddsa;
  explicit PublicKey(const domain::SecurityKey& key) {
    if (key.algorithm == kCoseEs256) {
      Es256 made(es256_pk_new());
      if (es256_pk_from_ptr(made.get(), key.public_key.data(), key.public_key.size()) == FIDO_OK &&
          Evp(es256_pk_to_EVP_PKEY(made.get())) != nullptr) {
        es256 = std::move(made);
      }
    } else if (key.algorithm == kCoseEdDsa) {
      EdDsa made(eddsa_pk_new());
      if (eddsa_pk_from_ptr(made.get(), key.public_key.data(), key.public_key.size()) == FIDO_OK &&
          Evp(eddsa_pk_to_EVP_PKEY(made.get())) != nullptr) {
        eddsa = std::move(made);
      }
    }
  }
  const void* get() const {
    if (es256 != nullptr) return es256.get();
    return eddsa.get();
  }
};

// libfido2 takes authenticator data that says which algorithm it is of; nothing when the key is of none of
// ours.
Credential ReadCredential(std::string_view authenticator_data, int algorithm) {
  Credential credential(fido_cred_new());
  if (fido_cred_set_type(credential.get(), algorithm) != FIDO_OK ||
      fido_cred_set_authdata_raw(credential.get(), Bytes(authenticator_data), authenticator_data.size()) !=
          FIDO_OK) {
    return nullptr;
  }
  return credential;
}

// A key that signs for itself: with the key just made, over the same bytes.
bool SelfAttestationHolds(fido_cred_t* credential, const RelyingParty& party, const ClientData& client_data,
                          const AuthenticatorData& data, std::string_view statement) {
  // libfido2 wants the extensions that were asked for. Browsers ask for this one by themselves.
  const auto extensions = CborMapByText(data.extensions);
  if (extensions && extensions->contains("credProtect")) {
    const std::string_view level = extensions->at("credProtect");
    if (level.size() != 1 || fido_cred_set_prot(credential, level[0]) != FIDO_OK) return false;
  }
  return fido_cred_set_rp(credential, party.id.c_str(), nullptr) == FIDO_OK &&
         fido_cred_set_uv(credential, FIDO_OPT_TRUE) == FIDO_OK &&
         fido_cred_set_clientdata_hash(credential, Bytes(client_data.digest()),
                                       client_data.digest().size()) == FIDO_OK &&
         fido_cred_set_fmt(credential, "packed") == FIDO_OK &&
         fido_cred_set_attstmt(credential, Bytes(statement), statement.size()) == FIDO_OK &&
         fido_cred_verify_self(credential) == FIDO_OK;
}

}  // namespace

const char* Explain(KeyFault fault) {
  switch (fault) {
    case KeyFault::kNone:
      return "nothing is wrong";
    case KeyFault::kTooLong:
      return "what the browser sent is longer than a key makes it";
    case KeyFault::kClientData:
      return "clientDataJSON is not what a browser makes";
    case KeyFault::kCeremony:
      return "the browser did something else than was asked for";
    case KeyFault::kOrigin:
      return "the address of the page is not among [security_keys] origins";
    case KeyFault::kCrossOrigin:
      return "the page stood within one of another site";
    case KeyFault::kAttestationObject:
      return "the attestation object is not one";
    case KeyFault::kAuthenticatorData:
      return "the authenticator data is not what a key makes";
    case KeyFault::kOtherParty:
      return "the key was made for another [security_keys] rp_id";
    case KeyFault::kNotPresent:
      return "nobody touched the key";
    case KeyFault::kNotVerified:
      return "the key did not ask for PIN or finger";
    case KeyFault::kSynced:
      return "this kind of key is copied to its holder's own cloud ([security_keys] synced)";
    case KeyFault::kFormat:
      return "the attestation is of a kind that was not asked for";
    case KeyFault::kPublicKey:
      return "the key is neither of ES256 nor of EdDSA";
    case KeyFault::kSignature:
      return "the signature does not fit";
    case KeyFault::kCount:
      return "the key has signed less often than before";
  }
  return "";
}

KeyFault ReadClientData(const RelyingParty& party, Ceremony ceremony, std::string_view json,
                        ClientData& out) {
  if (json.size() > kMaxClientData) return KeyFault::kTooLong;
  const Json object(json_loadb(json.data(), json.size(), JSON_REJECT_DUPLICATES, nullptr));
  if (!json_is_object(object.get())) return KeyFault::kClientData;
  const auto type = TextOf(object.get(), "type");
  const auto challenge = TextOf(object.get(), "challenge");
  const auto origin = TextOf(object.get(), "origin");
  if (!type || !challenge || !origin) return KeyFault::kClientData;
  if (*type != (ceremony == Ceremony::kCreate ? "webauthn.create" : "webauthn.get"))
    return KeyFault::kCeremony;
  if (std::find(party.origins.begin(), party.origins.end(), *origin) == party.origins.end()) {
    return KeyFault::kOrigin;
  }
  const json_t* cross = json_object_get(object.get(), "crossOrigin");
  if (cross != nullptr && !json_is_false(cross)) return KeyFault::kCrossOrigin;
  const auto decoded = FromBase64Url(*challenge);
  if (!decoded || decoded->size() != kChallengeSize) return KeyFault::kClientData;
  out.ceremony_ = ceremony;
  out.challenge_ = *decoded;
  out.digest_ = keys::Sha256(json);
  return KeyFault::kNone;
}

KeyFault CheckNewKey(const RelyingParty& party, const ClientData& client_data,
                     std::string_view attestation_object, domain::SecurityKey& out) {
  if (client_data.ceremony() != Ceremony::kCreate) return KeyFault::kCeremony;
  if (attestation_object.size() > kMaxAttestationObject) return KeyFault::kTooLong;
  const auto object = CborMapByText(attestation_object);
  if (!object || object->size() != 3 || !object->contains("fmt") || !object->contains("attStmt") ||
      !object->contains("authData")) {
    return KeyFault::kAttestationObject;
  }
  const auto format = CborText(object->at("fmt"));
  const auto bytes = CborBytes(object->at("authData"));
  const auto statement = CborMapByText(object->at("attStmt"));
  if (!format || !bytes || !statement) return KeyFault::kAttestationObject;
  const auto data = ReadAuthenticatorData(*bytes, Ceremony::kCreate);
  if (!data) return KeyFault::kAuthenticatorData;
  if (const KeyFault fault = CheckParty(party, *data); fault != KeyFault::kNone) return fault;

  fido_init(0);
  Credential credential;
  for (const int algorithm : {kCoseEdDsa, kCoseEs256}) {
    if (credential == nullptr && (credential = ReadCredential(*bytes, algorithm)) != nullptr) {
      out.algorithm = algorithm;
    }
  }
  if (credential == nullptr || fido_cred_pubkey_ptr(credential.get()) == nullptr) return KeyFault::kPublicKey;
  out.public_key.assign(reinterpret_cast<const char*>(fido_cred_pubkey_ptr(credential.get())),
                        fido_cred_pubkey_len(credential.get()));
  if (PublicKey(out).get() == nullptr) return KeyFault::kPublicKey;
  if (*format == "packed" && !statement->contains("x5c")) {
    if (!SelfAttestationHolds(credential.get(), party, client_data, *data, object->at("attStmt"))) {
      return KeyFault::kSignature;
    }
  } else if (*format != "none" || !statement->empty()) {
    return KeyFault::kFormat;
  }
  out.credential_id = std::string(data->credential_id);
  out.sign_count = data->sign_count;
  return KeyFault::kNone;
}

KeyFault CheckUse(const RelyingParty& party, const ClientData& client_data, const domain::SecurityKey& key,
                  std::string_view authenticator_data, std::string_view signature, uint32_t& sign_count) {
  if (client_data.ceremony() != Ceremony::kGet) return KeyFault::kCeremony;
  if (authenticator_data.size() > kMaxAuthenticatorData || signature.size() > kMaxSignature) {
    return KeyFault::kTooLong;
  }
  const auto data = ReadAuthenticatorData(authenticator_data, Ceremony::kGet);
  if (!data) return KeyFault::kAuthenticatorData;
  if (const KeyFault fault = CheckParty(party, *data); fault != KeyFault::kNone) return fault;

  fido_init(0);
  const PublicKey public_key(key);
  if (public_key.get() == nullptr) return KeyFault::kPublicKey;
  const Assertion assertion(fido_assert_new());
  fido_assert_t* a = assertion.get();
  const std::string& digest = client_data.digest();
  if (fido_assert_set_count(a, 1) != FIDO_OK || fido_assert_set_rp(a, party.id.c_str()) != FIDO_OK ||
      fido_assert_set_up(a, FIDO_OPT_TRUE) != FIDO_OK || fido_assert_set_uv(a, FIDO_OPT_TRUE) != FIDO_OK ||
      fido_assert_set_clientdata_hash(a, Bytes(digest), digest.size()) != FIDO_OK ||
      fido_assert_set_authdata_raw(a, 0, Bytes(authenticator_data), authenticator_data.size()) != FIDO_OK ||
      fido_assert_set_sig(a, 0, Bytes(signature), signature.size()) != FIDO_OK ||
      fido_assert_verify(a, 0, key.algorithm, public_key.get()) != FIDO_OK) {
    return KeyFault::kSignature;
  }
  const bool counts = data->sign_count != 0 || key.sign_count != 0;
  if (counts && data->sign_count <= key.sign_count) return KeyFault::kCount;
  sign_count = data->sign_count;
  return KeyFault::kNone;
}

}  // namespace waarborg::access

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/domain/people.h"

// What a security key and the browser before it said, checked as WebAuthn level 2 wants it of a relying party
// (7.1 and 7.2). Everything here is foreign: sizes are bounded first, and what has a length of its own is
// measured before a library sees it. libfido2 reads the public key and verifies signatures. Pure functions,
// for any thread; a tenth of a millisecond.
//
// Challenge, account and key are looked up by the caller between two steps: ReadClientData says which
// challenge was answered, the caller takes it back (state::Challenges), finds the key, and only what
// ReadClientData gave can be checked further.
namespace waarborg::access {

// Who we are to a browser: [security_keys] in waarborgd.toml.
struct RelyingParty {
  std::string id;  // domain name; empty: no security keys here
  std::vector<std::string>
      origins;          // of the pages that may ask for a key, "https://name[:port]" to the letter
  bool synced = false;  // whether keys are accepted that are copied to somebody's cloud
  bool configured() const { return !id.empty(); }
};

inline constexpr size_t kChallengeSize = 32;
inline constexpr size_t kUserHandleSize = 32;
inline constexpr size_t kMaxClientData = 4096;
inline constexpr size_t kMaxAttestationObject = 8192;
inline constexpr size_t kMaxAuthenticatorData = 1024;
inline constexpr size_t kMaxSignature = 512;
inline constexpr size_t kMinCredentialId = 16;
inline constexpr size_t kMaxCredentialId = 1023;
inline constexpr int kCoseEs256 = -7;
inline constexpr int kCoseEdDsa = -8;

// The first thing that is wrong.
enum class KeyFault {
  kNone,
  kTooLong,            // longer than fits
  kClientData,         // clientDataJSON is not what a browser makes
  kCeremony,           // it is about making a key where one was to be used, or the other way round
  kOrigin,             // of a page that is not in the configuration
  kCrossOrigin,        // the page stood in one of another site
  kAttestationObject,  // not one
  kAuthenticatorData,  // not what a key makes
  kOtherParty,         // made for another relying party
  kNotPresent,         // nobody touched it
  kNotVerified,        // it did not make sure who holds it
  kSynced,             // it is copied elsewhere, or can be
  kFormat,             // attestation of a kind that was not asked for
  kPublicKey,          // not one of ES256 or EdDSA
  kSignature,          // does not fit
  kCount,              // it has signed less often than before: there are two of it
};
// In English, for a refusal; nothing of the input.
const char* Explain(KeyFault fault);

enum class Ceremony { kCreate, kGet };

// What was checked of clientDataJSON.
class ClientData {
 public:
  const std::string& challenge() const { return challenge_; }
  Ceremony ceremony() const { return ceremony_; }
  const std::string& digest() const { return digest_; }

 private:
  friend KeyFault ReadClientData(const RelyingParty&, Ceremony, std::string_view, ClientData&);
  Ceremony ceremony_ = Ceremony::kGet;
  std::string challenge_;  // 32 bytes
  std::string digest_;     // SHA-256 of the whole
};

// Checks type, origin and crossOrigin. `out` is good when the answer is kNone, here and below.
KeyFault ReadClientData(const RelyingParty& party, Ceremony ceremony, std::string_view json, ClientData& out);

// A key that was made: credential_id, algorithm, public_key and sign_count of `out` are filled in.
// Attestation is not asked for ("none"); where a key attests itself all the same ("packed", without
// certificates), that must be right.
KeyFault CheckNewKey(const RelyingParty& party, const ClientData& client_data,
                     std::string_view attestation_object, domain::SecurityKey& out);

// A key that was used: it signed these very bytes, its count has gone up, which then stands in `sign_count`
// (and stays 0 for a key that does not count).
KeyFault CheckUse(const RelyingParty& party, const ClientData& client_data, const domain::SecurityKey& key,
                  std::string_view authenticator_data, std::string_view signature, uint32_t& sign_count);

}  // namespace waarborg::access

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/result.h"

typedef struct evp_pkey_st EVP_PKEY;

// Signed notes (c2sp.org/signed-note v1.0.0) and witness cosignatures (c2sp.org/tlog-cosignature v1.0.1).
// Nothing here holds a clock or does I/O. Values are immutable once made and may be used from any thread.
namespace waarborg::audit {

// The two algorithms we speak; the byte stands in key ids and in verifier key texts.
enum class KeyType : uint8_t {
  kEd25519 = 0x01,      // signs the note's text
  kCosignature = 0x04,  // signs a time and the note's text
};

using KeyId = std::array<uint8_t, 4>;

// Whom to believe: "NAME+8 hexadecimal digits+BASE64(type || public key)".
class VerifierKey {
 public:
  static Result<VerifierKey> Parse(std::string_view text);
  // A name has no spaces, no plus sign and no control characters.
  static Result<VerifierKey> Make(std::string name, KeyType type, std::string_view public_key);

  const std::string& name() const { return name_; }
  const KeyId& id() const { return id_; }
  KeyType type() const { return type_; }
  const std::string& public_key() const { return public_key_; }  // 32 bytes
  std::string Text() const;

 private:
  VerifierKey() = default;
  std::string name_;
  KeyId id_{};
  KeyType type_ = KeyType::kEd25519;
  std::string public_key_;
};

// One signature line.
struct Signature {
  std::string name;
  KeyId id{};
  std::string blob;  // what follows the key id
};

// A note as it travels: text ending in a newline, an empty line, signature lines.
struct Note {
  std::string text;
  std::vector<Signature> signatures;

  // Refuses what the specification forbids, in one spelling only: control characters, text that is not UTF-8,
  // base64 with spare bits, more than 64 signatures, more than 1 MiB.
  static Result<Note> Parse(std::string_view bytes);
  std::string Text() const;
};

// Whether `signature` is this key's over `text`. For a cosignature `seconds` becomes its time.
bool Verify(const VerifierKey& key, std::string_view text, const Signature& signature, uint64_t* seconds);

// The one valid signature of this key on the note. An error when there is none, when there are two, or when
// one that claims to be of this key does not verify.
Result<Signature> FindSignature(const Note& note, const VerifierKey& key, uint64_t* seconds = nullptr);

class SigningKey {
 public:
  // From the 32 bytes of an Ed25519 private key; the caller wipes its own copy.
  static Result<SigningKey> FromSeed(std::string name, KeyType type, std::string_view seed);
  const VerifierKey& verifier() const { return verifier_; }
  // For a key of type kEd25519.
  Signature Sign(std::string_view text) const;
  // For a key of type kCosignature: that at this time the log was what the text says.
  Signature Cosign(std::string_view text, uint64_t seconds) const;

 private:
  SigningKey(VerifierKey verifier, std::shared_ptr<EVP_PKEY> key)
      : verifier_(std::move(verifier)), key_(std::move(key)) {}
  std::string SignBytes(std::string_view message) const;

  VerifierKey verifier_;
  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace waarborg::audit

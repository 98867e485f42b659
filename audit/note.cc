// SPDX-License-Identifier: EUPL-1.2
#include "audit/note.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstdlib>

#include "audit/text.h"

namespace waarborg::audit {
namespace {

constexpr std::string_view kDash = "\xE2\x80\x94 ";  // U+2014, space
constexpr size_t kMaxNote = size_t{1} << 20;
constexpr size_t kMaxSignatures = 64;
constexpr size_t kPublicKey = 32;
constexpr size_t kSignature = 64;

using PKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const uint8_t* Bytes(std::string_view s) {
  return reinterpret_cast<const uint8_t*>(s.data());
}

// Whether all of it is UTF-8, without control characters but the newline.
bool IsPlainText(std::string_view s) {
  for (size_t i = 0; i < s.size();) {
    const auto c = static_cast<uint8_t>(s[i]);
    const size_t more = c < 0x80 ? 0 : c >> 5 == 6 ? 1 : c >> 4 == 14 ? 2 : c >> 3 == 30 ? 3 : 9;
    if (more == 9 || i + more >= s.size()) return false;
    if (more == 0 && ((c < 0x20 && c != '\n') || c == 0x7F)) return false;
    uint32_t rune = more == 0 ? c : c & (0x3Fu >> more);
    for (size_t j = 1; j <= more; ++j) {
      const auto d = static_cast<uint8_t>(s[i + j]);
      if (d >> 6 != 2) return false;
      rune = rune << 6 | (d & 0x3F);
    }
    constexpr uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
    if (rune < kLeast[more] || rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF)) return false;
    if (rune >= 0x80 && rune < 0xA0) return false;
    i += more + 1;
  }
  return true;
}

// Spaces beyond ASCII, in UTF-8: U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000.
constexpr std::string_view kWideSpaces[] = {
    "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83",
    "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89",
    "\xE2\x80\x8A", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= 255 && IsPlainText(name) &&
         name.find_first_of(" +\n") == std::string_view::npos &&
         std::none_of(std::begin(kWideSpaces), std::end(kWideSpaces),
                      [&](std::string_view space) { return name.find(space) != std::string_view::npos; });
}

KeyId IdOf(std::string_view name, KeyType type, std::string_view public_key) {
  std::string message(name);
  message += '\n';
  message += static_cast<char>(type);
  message.append(public_key);
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(Bytes(message), message.size(), digest);
  KeyId id;
  std::copy_n(digest, id.size(), id.begin());
  return id;
}

std::string Hex(const KeyId& id) {
  std::string out;
  for (uint8_t b : id) {
    out += "0123456789abcdef"[b >> 4];
    out += "0123456789abcdef"[b & 15];
  }
  return out;
}

std::string CosignedMessage(std::string_view text, uint64_t seconds) {
  std::string message = "cosignature/v1\ntime " + std::to_string(seconds) + "\n";
  message.append(text);
  return message;
}

bool VerifyBytes(std::string_view public_key, std::string_view message, std::string_view signature) {
  const PKey key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(public_key), public_key.size()),
                 EVP_PKEY_free);
  const Context ctx(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return key != nullptr && ctx != nullptr &&
         EVP_DigestVerifyInit(ctx.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(ctx.get(), Bytes(signature), signature.size(), Bytes(message), message.size()) == 1;
}

}  // namespace

Result<VerifierKey> VerifierKey::Make(std::string name, KeyType type, std::string_view public_key) {
  if (!IsName(name)) return Result<VerifierKey>::Error("a key name must have no spaces and no plus sign");
  if (public_key.size() != kPublicKey) return Result<VerifierKey>::Error("an Ed25519 key has 32 bytes");
  VerifierKey key;
  key.id_ = IdOf(name, type, public_key);
  key.name_ = std::move(name);
  key.type_ = type;
  key.public_key_ = public_key;
  return key;
}

Result<VerifierKey> VerifierKey::Parse(std::string_view text) {
  using R = Result<VerifierKey>;
  const size_t first = text.find('+');
  if (first == std::string_view::npos || text.size() < first + 10 || text[first + 9] != '+') {
    return R::Error("a verifier key reads NAME+8 hexadecimal digits+BASE64");
  }
  const auto bytes = FromBase64(text.substr(first + 10));
  if (!bytes || bytes->size() != 1 + kPublicKey) {
    return R::Error("the last part of the verifier key is not the base64 of 33 bytes");
  }
  const auto type = static_cast<KeyType>((*bytes)[0]);
  if (type != KeyType::kEd25519 && type != KeyType::kCosignature) {
    return R::Error("the verifier key is of a type that is not known here");
  }
  auto key = Make(std::string(text.substr(0, first)), type, std::string_view(*bytes).substr(1));
  if (key.ok() && Hex(key->id_) != text.substr(first + 1, 8)) {
    return R::Error("the verifier key's digits do not fit its name and key: is a character wrong?");
  }
  return key;
}

std::string VerifierKey::Text() const {
  return name_ + "+" + Hex(id_) + "+" + Base64(std::string(1, static_cast<char>(type_)) + public_key_);
}

Result<Note> Note::Parse(std::string_view bytes) {
  using R = Result<Note>;
  if (bytes.size() > kMaxNote) return R::Error("the note is larger than 1 MiB");
  if (!IsPlainText(bytes)) return R::Error("the note is not plain UTF-8 text");
  const size_t split = bytes.rfind("\n\n");
  if (split == std::string_view::npos) return R::Error("no empty line between the note and its signatures");
  Note note;
  note.text = bytes.substr(0, split + 1);
  std::string_view lines = bytes.substr(split + 2);
  if (lines.empty()) return R::Error("the note has no signature");
  while (!lines.empty()) {
    const auto where = "signature line " + std::to_string(note.signatures.size() + 1);
    if (note.signatures.size() == kMaxSignatures) return R::Error("the note has too many signatures");
    auto line = TakeLine(lines);
    if (!line || !line->starts_with(kDash)) return R::Error(where + " is not \"\xE2\x80\x94 NAME BASE64\"");
    line->remove_prefix(kDash.size());
    const size_t space = line->find(' ');
    if (space == std::string_view::npos || !IsName(line->substr(0, space))) {
      return R::Error(where + " has no key name");
    }
    const auto blob = FromBase64(line->substr(space + 1));
    if (!blob || blob->size() <= KeyId().size())
      return R::Error(where + ": no base64 of a key id and a signature");
    Signature s;
    s.name = line->substr(0, space);
    std::copy_n(blob->begin(), s.id.size(), s.id.begin());
    s.blob = blob->substr(s.id.size());
    note.signatures.push_back(std::move(s));
  }
  return note;
}

std::string Note::Text() const {
  std::string out = text + "\n";
  for (const Signature& s : signatures) {
    out += kDash;
    out += s.name + " " + Base64(std::string(s.id.begin(), s.id.end()) + s.blob) + "\n";
  }
  return out;
}

bool Verify(const VerifierKey& key, std::string_view text, const Signature& signature, uint64_t* seconds) {
  if (signature.name != key.name() || signature.id != key.id()) return false;
  if (key.type() == KeyType::kEd25519) {
    return signature.blob.size() == kSignature && VerifyBytes(key.public_key(), text, signature.blob);
  }
  if (signature.blob.size() != 8 + kSignature) return false;
  uint64_t time = 0;
  for (size_t i = 0; i < 8; ++i) time = time << 8 | static_cast<uint8_t>(signature.blob[i]);
  if (time >> 63 != 0 || !VerifyBytes(key.public_key(), CosignedMessage(text, time),
                                      std::string_view(signature.blob).substr(8))) {
    return false;
  }
  if (seconds != nullptr) *seconds = time;
  return true;
}

Result<Signature> FindSignature(const Note& note, const VerifierKey& key, uint64_t* seconds) {
  using R = Result<Signature>;
  const Signature* found = nullptr;
  for (const Signature& s : note.signatures) {
    if (s.name != key.name() || s.id != key.id()) continue;
    if (found != nullptr) return R::Error("two signatures of " + key.name());
    if (!Verify(key, note.text, s, seconds)) return R::Error("the signature of " + key.name() + " is wrong");
    found = &s;
  }
  if (found == nullptr) return R::Error("no signature of " + key.name() + " (key " + Hex(key.id()) + ")");
  return *found;
}

Result<SigningKey> SigningKey::FromSeed(std::string name, KeyType type, std::string_view seed) {
  using R = Result<SigningKey>;
  std::shared_ptr<EVP_PKEY> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Bytes(seed), seed.size()), EVP_PKEY_free);
  std::string public_key(kPublicKey, '\0');
  size_t size = public_key.size();
  if (key == nullptr ||
      EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<uint8_t*>(public_key.data()), &size) != 1 ||
      size != kPublicKey) {
    return R::Error("an Ed25519 private key has 32 bytes");
  }
  auto verifier = VerifierKey::Make(std::move(name), type, public_key);
  if (!verifier.ok()) return R::Error(verifier.error());
  return SigningKey(std::move(*verifier), std::move(key));
}

std::string SigningKey::SignBytes(std::string_view message) const {
  std::string out(kSignature, '\0');
  size_t size = out.size();
  const Context ctx(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (ctx == nullptr || EVP_DigestSignInit(ctx.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(ctx.get(), reinterpret_cast<uint8_t*>(out.data()), &size, Bytes(message),
                     message.size()) != 1 ||
      size != kSignature) {
    std::abort();
  }
  return out;
}

Signature SigningKey::Sign(std::string_view text) const {
  return {verifier_.name(), verifier_.id(), SignBytes(text)};
}

Signature SigningKey::Cosign(std::string_view text, uint64_t seconds) const {
  std::string blob;
  for (int shift = 56; shift >= 0; shift -= 8) blob += static_cast<char>(seconds >> shift);
  blob += SignBytes(CosignedMessage(text, seconds));
  return {verifier_.name(), verifier_.id(), std::move(blob)};
}

}  // namespace waarborg::audit

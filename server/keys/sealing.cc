// SPDX-License-Identifier: EUPL-1.2
#include "server/keys/sealing.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

#include <cstdlib>
#include <memory>

namespace waarborg::keys {
namespace {

constexpr size_t kNonceSize = 12;
constexpr size_t kTagSize = 16;

struct FreeCtx {
  void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); }
  void operator()(EVP_PKEY_CTX* c) const { EVP_PKEY_CTX_free(c); }
};

// OpenSSL fails here only when it is out of memory or broken: nothing sensible follows.
void Must(bool ok) {
  if (!ok) std::abort();
}

const EVP_CIPHER* Aes256Gcm() {
  static const EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  Must(cipher != nullptr);
  return cipher;
}

// One context a thread: making one costs more than sealing an entry.
EVP_CIPHER_CTX* Context() {
  thread_local std::unique_ptr<EVP_CIPHER_CTX, FreeCtx> ctx(EVP_CIPHER_CTX_new());
  Must(ctx != nullptr);
  return ctx.get();
}

const uint8_t* Bytes(std::string_view s) {
  return reinterpret_cast<const uint8_t*>(s.data());
}
uint8_t* Bytes(std::string& s) {
  return reinterpret_cast<uint8_t*>(s.data());
}

std::string SealWith(const base::Secret& key, const std::string& nonce, std::string_view plaintext,
                     std::string_view context) {
  Must(key.size() == kKeySize && nonce.size() == kNonceSize);
  std::string out = nonce;
  out.resize(kNonceSize + plaintext.size() + kTagSize);
  EVP_CIPHER_CTX* ctx = Context();
  int n = 0;
  Must(EVP_EncryptInit_ex2(ctx, Aes256Gcm(), key.RevealBytes(), Bytes(out), nullptr) == 1);
  Must(EVP_EncryptUpdate(ctx, nullptr, &n, Bytes(context), static_cast<int>(context.size())) == 1);
  Must(EVP_EncryptUpdate(ctx, Bytes(out) + kNonceSize, &n, Bytes(plaintext),
                         static_cast<int>(plaintext.size())) == 1);
  Must(EVP_EncryptFinal_ex(ctx, Bytes(out) + kNonceSize + plaintext.size(), &n) == 1);
  Must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, kTagSize, Bytes(out) + kNonceSize + plaintext.size()) ==
       1);
  EVP_CIPHER_CTX_reset(ctx);
  return out;
}

}  // namespace

std::string Seal(const base::Secret& key, std::string_view plaintext, std::string_view context,
                 base::Random& random) {
  std::string nonce(kNonceSize, '\0');
  random.Fill(nonce.data(), kNonceSize);
  return SealWith(key, nonce, plaintext, context);
}

std::string SealEqually(const base::Secret& key, std::string_view plaintext, std::string_view context) {
  return SealWith(key, Mac(Derive(key, "nonce"), plaintext).substr(0, kNonceSize), plaintext, context);
}

std::optional<std::string> Unseal(const base::Secret& key, std::string_view sealed,
                                  std::string_view context) {
  if (key.size() != kKeySize || sealed.size() < kNonceSize + kTagSize) return std::nullopt;
  const size_t length = sealed.size() - kNonceSize - kTagSize;
  std::string out(length, '\0');
  std::string tag(sealed.substr(kNonceSize + length));
  EVP_CIPHER_CTX* ctx = Context();
  int n = 0;
  const bool ok =
      EVP_DecryptInit_ex2(ctx, Aes256Gcm(), key.RevealBytes(), Bytes(sealed), nullptr) == 1 &&
      EVP_DecryptUpdate(ctx, nullptr, &n, Bytes(context), static_cast<int>(context.size())) == 1 &&
      EVP_DecryptUpdate(ctx, Bytes(out), &n, Bytes(sealed) + kNonceSize, static_cast<int>(length)) == 1 &&
      EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, kTagSize, Bytes(tag)) == 1 &&
      EVP_DecryptFinal_ex(ctx, Bytes(out) + length, &n) == 1;
  EVP_CIPHER_CTX_reset(ctx);
  if (!ok) {
    base::Wipe(out);
    return std::nullopt;
  }
  return out;
}

base::Secret Derive(const base::Secret& key, std::string_view label) {
  base::Secret out = base::Secret::OfSize(kKeySize);
  std::unique_ptr<EVP_PKEY_CTX, FreeCtx> ctx(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr));
  size_t size = kKeySize;
  Must(ctx != nullptr && EVP_PKEY_derive_init(ctx.get()) == 1 &&
       EVP_PKEY_CTX_set_hkdf_md(ctx.get(), EVP_sha256()) == 1 &&
       EVP_PKEY_CTX_set1_hkdf_key(ctx.get(), key.RevealBytes(), static_cast<int>(key.size())) == 1 &&
       EVP_PKEY_CTX_add1_hkdf_info(ctx.get(), Bytes(label), static_cast<int>(label.size())) == 1 &&
       EVP_PKEY_derive(ctx.get(), out.MutableData(), &size) == 1);
  return out;
}

std::string Mac(const base::Secret& key, std::string_view data) {
  std::string out(32, '\0');
  unsigned int n = 0;
  Must(HMAC(EVP_sha256(), key.RevealBytes(), static_cast<int>(key.size()), Bytes(data), data.size(),
            Bytes(out), &n) != nullptr);
  return out;
}

std::string Sha256(std::string_view data) {
  static const EVP_MD* md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  Must(md != nullptr);
  std::string out(32, '\0');
  Must(EVP_Digest(data.data(), data.size(), Bytes(out), nullptr, md, nullptr) == 1);
  return out;
}

}  // namespace waarborg::keys

// SPDX-License-Identifier: EUPL-1.2
#include "audit/merkle.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <bit>
#include <cstdlib>

namespace waarborg::audit {
namespace {

// A digest fetched once: fetching it for each hash doubles the cost. One context a thread.
class Sha256 {
 public:
  Sha256() : md_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), ctx_(EVP_MD_CTX_new()) {
    if (md_ == nullptr || ctx_ == nullptr) std::abort();
  }
  ~Sha256() {
    EVP_MD_CTX_free(ctx_);
    EVP_MD_free(md_);
  }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  template <class... Parts>
  Hash Of(Parts... parts) {
    Hash out;
    if (EVP_DigestInit_ex2(ctx_, md_, nullptr) != 1) std::abort();
    ((EVP_DigestUpdate(ctx_, parts.data(), parts.size()) == 1 ? void() : std::abort()), ...);
    if (EVP_DigestFinal_ex(ctx_, out.data(), nullptr) != 1) std::abort();
    return out;
  }

 private:
  EVP_MD* md_;
  EVP_MD_CTX* ctx_;
};

Sha256& Hasher() {
  thread_local Sha256 hasher;
  return hasher;
}

// HMAC-SHA-256, fetched once for the same reason.
class Hmac {
 public:
  Hmac() {
    EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    ctx_ = mac == nullptr ? nullptr : EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    if (ctx_ == nullptr || EVP_MAC_CTX_set_params(ctx_, params) != 1) std::abort();
  }
  ~Hmac() { EVP_MAC_CTX_free(ctx_); }
  Hmac(const Hmac&) = delete;
  Hmac& operator=(const Hmac&) = delete;

  std::string Of(std::string_view key, std::string_view data) {
    std::string out(32, '\0');
    size_t size = 0;
    if (EVP_MAC_init(ctx_, reinterpret_cast<const uint8_t*>(key.data()), key.size(), nullptr) != 1 ||
        EVP_MAC_update(ctx_, reinterpret_cast<const uint8_t*>(data.data()), data.size()) != 1 ||
        EVP_MAC_final(ctx_, reinterpret_cast<uint8_t*>(out.data()), &size, out.size()) != 1 || size != 32) {
      std::abort();
    }
    return out;
  }

 private:
  EVP_MAC_CTX* ctx_ = nullptr;
};

std::string_view View(const Hash& h) {
  return {reinterpret_cast<const char*>(h.data()), h.size()};
}

}  // namespace

Hash LeafHash(std::string_view entry) {
  return Hasher().Of(std::string_view("\0", 1), entry);
}

Hash NodeHash(const Hash& left, const Hash& right) {
  return Hasher().Of(std::string_view("\1", 1), View(left), View(right));
}

Hash EmptyRoot() {
  return Hasher().Of(std::string_view());
}

Frontier Frontier::FromStored(uint64_t size, std::vector<Hash> subtrees, bool& ok) {
  Frontier f;
  ok = static_cast<size_t>(std::popcount(size)) == subtrees.size();
  if (!ok) return f;
  f.size_ = size;
  f.subtrees_ = std::move(subtrees);
  return f;
}

void Frontier::Append(const Hash& leaf) {
  Hash hash = leaf;
  // Each trailing one bit of the size is a complete subtree as large as the one in hand.
  for (uint64_t n = size_; n & 1; n >>= 1) {
    hash = NodeHash(subtrees_.back(), hash);
    subtrees_.pop_back();
  }
  subtrees_.push_back(hash);
  ++size_;
}

Hash Frontier::Root() const {
  if (subtrees_.empty()) return EmptyRoot();
  Hash root = subtrees_.back();
  for (size_t i = subtrees_.size() - 1; i-- > 0;) root = NodeHash(subtrees_[i], root);
  return root;
}

std::string Commit(std::string_view key, std::string_view record) {
  thread_local Hmac hmac;
  return hmac.Of(key, record);
}

}  // namespace waarborg::audit

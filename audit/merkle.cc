// SPDX-License-Identifier: EUPL-1.2
#include "audit/merkle.h"

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include <bit>
#include <cstdlib>
#include <cstring>

namespace waarborg::audit {
namespace {

// The library's compression function without the ceremony around it: its present interface costs as much
// again as hashing what a leaf or a node holds. The padding of FIPS 180-4 is written here, for messages of
// one or two blocks.
constexpr size_t kBlock = 64;

Hash Output(const SHA256_CTX& ctx) {
  Hash out;
  for (size_t i = 0; i < 8; ++i) {
    for (size_t j = 0; j < 4; ++j) out[4 * i + j] = static_cast<uint8_t>(ctx.h[i] >> (24 - 8 * j));
  }
  return out;
}

const SHA256_CTX& Fresh() {
  static const SHA256_CTX fresh = [] {
    SHA256_CTX ctx;
    if (SHA256_Init(&ctx) != 1) std::abort();
    return ctx;
  }();
  return fresh;
}

// HMAC-SHA-256, fetched once: fetching it each time doubles the cost. One context a thread.
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

}  // namespace

Hash LeafHash(std::string_view entry) {
  SHA256_CTX ctx = Fresh();
  if (entry.size() <= kBlock - 10) {  // one byte in front, one bit and eight bytes of length behind
    std::array<uint8_t, kBlock> block{};
    std::memcpy(&block[1], entry.data(), entry.size());
    block[1 + entry.size()] = 0x80;
    const size_t bits = 8 * (1 + entry.size());
    block[kBlock - 2] = static_cast<uint8_t>(bits >> 8);
    block[kBlock - 1] = static_cast<uint8_t>(bits);
    SHA256_Transform(&ctx, block.data());
    return Output(ctx);
  }
  Hash out;
  const uint8_t zero = 0;
  if (SHA256_Update(&ctx, &zero, 1) != 1 || SHA256_Update(&ctx, entry.data(), entry.size()) != 1 ||
      SHA256_Final(out.data(), &ctx) != 1) {
    std::abort();
  }
  return out;
}

Hash NodeHash(const Hash& left, const Hash& right) {
  std::array<uint8_t, 2 * kBlock> blocks{};
  blocks[0] = 1;
  std::memcpy(&blocks[1], left.data(), left.size());
  std::memcpy(&blocks[33], right.data(), right.size());
  blocks[65] = 0x80;
  blocks[126] = 520 >> 8;  // bits
  blocks[127] = 520 & 0xFF;
  SHA256_CTX ctx = Fresh();
  if (SHA256_Update(&ctx, blocks.data(), blocks.size()) != 1) std::abort();
  return Output(ctx);
}

Hash EmptyRoot() {
  Hash out;
  SHA256_CTX ctx = Fresh();
  if (SHA256_Final(out.data(), &ctx) != 1) std::abort();
  return out;
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

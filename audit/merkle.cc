// SPDX-License-Identifier: EUPL-1.2
#include "audit/merkle.h"

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>

namespace waarborg::audit {
namespace {

// The library's compression function without the ceremony around it: its present interface costs as much
// again as hashing what a leaf or a node holds. The padding of FIPS 180-4 is written here, for messages of
// one or two blocks.
constexpr size_t kBlock = 64;

// The state that FIPS 180-4 section 5.3.3 begins with. Only what the functions below look at is set.
void Begin(SHA256_CTX& ctx) {
  constexpr uint32_t kInitial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::memcpy(ctx.h, kInitial, sizeof kInitial);
  ctx.Nl = ctx.Nh = 0;
  ctx.num = 0;
  ctx.md_len = SHA256_DIGEST_LENGTH;
}

Hash Output(const SHA256_CTX& ctx) {
  Hash out;
  for (size_t i = 0; i < 8; ++i) {
    uint32_t word = ctx.h[i];
    if constexpr (std::endian::native == std::endian::little) word = __builtin_bswap32(word);
    std::memcpy(&out[4 * i], &word, sizeof word);
  }
  return out;
}

// Padded messages side by side. A message is laid out well before it is hashed: bytes that were just stored
// one past an even place cannot be loaded at once, and the wait is a third of a hash. The padding is written
// once.
template <size_t kMessage, size_t kBlocks>
class Layout {
 public:
  static constexpr size_t kAtOnce = 8;

  explicit Layout(uint8_t prefix) {
    for (Message& m : messages_) {
      m.bytes[0] = prefix;
      m.bytes[kMessage] = 0x80;
      m.bytes[kBlocks * kBlock - 2] = static_cast<uint8_t>(8 * kMessage >> 8);
      m.bytes[kBlocks * kBlock - 1] = static_cast<uint8_t>(8 * kMessage & 0xFF);
    }
  }
  // What follows the prefix.
  uint8_t* At(size_t i) { return &messages_[i].bytes[1]; }
  Hash HashAt(size_t i) const {
    SHA256_CTX ctx;
    Begin(ctx);
    if (SHA256_Update(&ctx, messages_[i].bytes, kBlocks * kBlock) != 1) std::abort();
    return Output(ctx);
  }

 private:
  struct alignas(64) Message {
    uint8_t bytes[kBlocks * kBlock] = {};
  };
  Message messages_[kAtOnce];
};

using Leaves = Layout<1 + sizeof(Hash), 1>;
using Nodes = Layout<1 + 2 * sizeof(Hash), 2>;

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
  Hash out;
  SHA256_CTX ctx;
  const uint8_t zero = 0;
  if (SHA256_Init(&ctx) != 1 || SHA256_Update(&ctx, &zero, 1) != 1 ||
      SHA256_Update(&ctx, entry.data(), entry.size()) != 1 || SHA256_Final(out.data(), &ctx) != 1) {
    std::abort();
  }
  return out;
}

void LeafHashes(const char* entries, size_t stride, size_t count, Hash* out) {
  thread_local Leaves leaves(0);
  for (size_t done = 0; done < count; done += Leaves::kAtOnce) {
    const size_t n = std::min(Leaves::kAtOnce, count - done);
    for (size_t i = 0; i < n; ++i) std::memcpy(leaves.At(i), entries + (done + i) * stride, sizeof(Hash));
    for (size_t i = 0; i < n; ++i) out[done + i] = leaves.HashAt(i);
  }
}

void NodeHashes(const Hash* children, size_t pairs, Hash* parents) {
  thread_local Nodes nodes(1);
  for (size_t done = 0; done < pairs; done += Nodes::kAtOnce) {
    const size_t n = std::min(Nodes::kAtOnce, pairs - done);
    for (size_t i = 0; i < n; ++i) std::memcpy(nodes.At(i), &children[2 * (done + i)], 2 * sizeof(Hash));
    for (size_t i = 0; i < n; ++i) parents[done + i] = nodes.HashAt(i);
  }
}

Hash NodeHash(const Hash& left, const Hash& right) {
  const Hash children[2] = {left, right};
  Hash parent;
  NodeHashes(children, 1, &parent);
  return parent;
}

Hash EmptyRoot() {
  Hash out;
  SHA256(nullptr, 0, out.data());
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

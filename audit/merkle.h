// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace waarborg::audit {

using Hash = std::array<uint8_t, 32>;

// RFC 6962 section 2.1: leaf = SHA-256(0x00 || entry), node = SHA-256(0x01 || left || right), empty =
// SHA-256("").
Hash LeafHash(std::string_view entry);
Hash NodeHash(const Hash& left, const Hash& right);
Hash EmptyRoot();

// Many at once, at less than the sum of the singles. `entries` are of 32 bytes each, `stride` bytes apart.
void LeafHashes(const char* entries, size_t stride, size_t count, Hash* out);
// Parents of 2 * `pairs` hashes in a row; `parents` may be the same memory as `children`.
void NodeHashes(const Hash* children, size_t pairs, Hash* parents);

// The right edge of a growing tree: the roots of its complete subtrees, largest first. Appending costs O(log
// n) and the memory does not grow with the log. Not thread-safe.
class Frontier {
 public:
  Frontier() = default;
  // From what was stored. `ok` is false when the number of hashes does not fit the size; then the frontier is
  // empty.
  static Frontier FromStored(uint64_t size, std::vector<Hash> subtrees, bool& ok);

  void Append(const Hash& leaf);
  uint64_t size() const { return size_; }
  const std::vector<Hash>& subtrees() const { return subtrees_; }
  // Root over all leaves so far.
  Hash Root() const;

 private:
  uint64_t size_ = 0;
  std::vector<Hash> subtrees_;
};

// What the log publishes for a record: HMAC-SHA-256 of its bytes under a random key of 32 bytes of its own.
// Without key and record it says nothing; with them anyone can check it.
std::string Commit(std::string_view key, std::string_view record);

}  // namespace waarborg::audit

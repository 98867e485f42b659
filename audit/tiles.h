// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/merkle.h"
#include "audit/result.h"

// The log as files (c2sp.org/tlog-tiles v0.1.0). A tile of level L and index I holds the hashes of up to 256
// complete subtrees of 256^L entries each; a bundle holds the entries under one tile of level 0.
namespace waarborg::audit {

inline constexpr uint64_t kTileWidth = 256;
inline constexpr int kTileHeight = 8;
inline constexpr int kMaxLevel = 5;  // 256^6 entries: more than anybody writes

struct TileName {
  enum class Kind { kHashes, kEntries };
  Kind kind = Kind::kHashes;
  int level = 0;  // 0 for entries
  uint64_t index = 0;
  uint32_t width = kTileWidth;  // 1 to 256; below 256 the tile is partial

  bool full() const { return width == kTileWidth; }
  // "tile/0/x001/234", "tile/entries/000.p/12"
  std::string Path() const;
  // Nothing unless `path` is exactly what Path would write.
  static std::optional<TileName> FromPath(std::string_view path);
  bool operator==(const TileName&) const = default;
};

// How many hashes of this level a log of `size` entries has.
constexpr uint64_t HashesAt(int level, uint64_t size) {
  return level * kTileHeight < 64 ? size >> (kTileHeight * level) : 0;
}

// Every tile and bundle that a log of `size` entries has, no more. Calls
// `each` in no particular order.
void ForEachTile(uint64_t size, const std::function<void(const TileName&)>& each);

// An entry in a bundle: length in two bytes, big-endian, then the bytes.
void AppendEntry(std::string& bundle, std::string_view entry);
// Takes the first entry off the front; nothing when the bytes end too early.
std::optional<std::string_view> TakeEntry(std::string_view& bundle);

// What stands in a tile of hashes: 32 bytes each.
std::string JoinHashes(const std::vector<Hash>& hashes);

// The growing edge of the tree, tile by tile: per level the hashes that do not fill a tile yet. Appending
// costs O(log n) at most, memory is some 8 KiB a level. Not thread-safe.
class TreeEdge {
 public:
  // Called with each tile that is full now.
  using OnFull = std::function<void(const TileName&, const std::vector<Hash>&)>;

  // A tree of `size` entries; `edges[L]` holds the hashes of level L beyond its last full tile. Nothing when
  // the numbers do not fit the size.
  static std::optional<TreeEdge> FromEdges(uint64_t size, std::vector<std::vector<Hash>> edges);

  void Append(const Hash& leaf, const OnFull& on_full);
  uint64_t size() const { return size_; }
  Hash Root() const;
  // Level by level, smallest subtrees first; levels that are full everywhere are empty.
  const std::vector<std::vector<Hash>>& edges() const { return edges_; }

 private:
  uint64_t size_ = 0;
  std::vector<std::vector<Hash>> edges_;
};

// Root of a full or partial tile's hashes, by themselves.
Hash RootOf(const Hash* hashes, size_t count);

}  // namespace waarborg::audit

// SPDX-License-Identifier: EUPL-1.2
#include "audit/tiles.h"

#include <algorithm>
#include <array>
#include <bit>

#include "audit/text.h"

namespace waarborg::audit {
namespace {

// Groups of three digits, all but the last with an x in front: 1234067 is x001/x234/067.
std::string IndexPath(uint64_t index) {
  const auto group = [](uint64_t n) {
    const std::string digits = std::to_string(n);
    return std::string(3 - digits.size(), '0') + digits;
  };
  std::string out = group(index % 1000);
  for (index /= 1000; index > 0; index /= 1000) out.insert(0, "x" + group(index % 1000) + "/");
  return out;
}

}  // namespace

std::string TileName::Path() const {
  std::string out = "tile/";
  out += kind == Kind::kEntries ? "entries" : std::to_string(level);
  out += "/" + IndexPath(index);
  if (!full()) out += ".p/" + std::to_string(width);
  return out;
}

std::optional<TileName> TileName::FromPath(std::string_view path) {
  if (path.size() > 80 || !path.starts_with("tile/")) return std::nullopt;
  std::string_view rest = path.substr(5);
  TileName name;
  if (rest.starts_with("entries/")) {
    name.kind = Kind::kEntries;
    rest.remove_prefix(8);
  } else {
    if (rest.size() < 2 || rest[0] < '0' || rest[0] > '0' + kMaxLevel || rest[1] != '/') return std::nullopt;
    name.level = rest[0] - '0';
    rest.remove_prefix(2);
  }
  if (const size_t p = rest.find(".p/"); p != std::string_view::npos) {
    const auto width = Decimal(rest.substr(p + 3));
    if (!width || *width == 0 || *width >= kTileWidth) return std::nullopt;
    name.width = static_cast<uint32_t>(*width);
    rest = rest.substr(0, p);
  }
  for (char c : rest) {
    if (c >= '0' && c <= '9') {
      if (name.index >= UINT64_MAX / 10 - 10) return std::nullopt;
      name.index = name.index * 10 + static_cast<uint64_t>(c - '0');
    } else if (c != 'x' && c != '/') {
      return std::nullopt;
    }
  }
  // One spelling only.
  if (name.Path() != path) return std::nullopt;
  return name;
}

void ForEachTile(uint64_t size, const std::function<void(const TileName&)>& each) {
  for (int level = 0; HashesAt(level, size) > 0; ++level) {
    const uint64_t hashes = HashesAt(level, size);
    for (uint64_t i = 0; i * kTileWidth < hashes; ++i) {
      const auto width = static_cast<uint32_t>(std::min(kTileWidth, hashes - i * kTileWidth));
      each({TileName::Kind::kHashes, level, i, width});
      if (level == 0) each({TileName::Kind::kEntries, 0, i, width});
    }
  }
}

void AppendEntry(std::string& bundle, std::string_view entry) {
  bundle += static_cast<char>(entry.size() >> 8);
  bundle += static_cast<char>(entry.size());
  bundle.append(entry);
}

std::optional<std::string_view> TakeEntry(std::string_view& bundle) {
  if (bundle.size() < 2) return std::nullopt;
  const size_t size =
      static_cast<size_t>(static_cast<uint8_t>(bundle[0])) << 8 | static_cast<uint8_t>(bundle[1]);
  if (bundle.size() < 2 + size) return std::nullopt;
  const std::string_view entry = bundle.substr(2, size);
  bundle.remove_prefix(2 + size);
  return entry;
}

std::string JoinHashes(const std::vector<Hash>& hashes) {
  std::string out;
  out.reserve(32 * hashes.size());
  for (const Hash& h : hashes) out.append(View(h));
  return out;
}

Hash RootOf(const Hash* hashes, size_t count) {
  if (count == 0) return EmptyRoot();
  if (count > kTileWidth) {
    const size_t half = std::bit_floor(count - 1);
    return NodeHash(RootOf(hashes, half), RootOf(hashes + half, count - half));
  }
  // Pairs become nodes in place, level by level; an odd one at the end goes up as it is, which is where RFC
  // 6962's split at the largest power of two puts it.
  std::array<Hash, kTileWidth / 2> nodes;
  const Hash* level = hashes;
  while (count > 1) {
    // Taken out first: parents are written over their children.
    const std::optional<Hash> odd = count % 2 == 1 ? std::optional(level[count - 1]) : std::nullopt;
    NodeHashes(level, count / 2, nodes.data());
    if (odd) nodes[count / 2] = *odd;
    count = (count + 1) / 2;
    level = nodes.data();
  }
  return level[0];
}

std::optional<TreeEdge> TreeEdge::FromEdges(uint64_t size, std::vector<std::vector<Hash>> edges) {
  for (int level = 0; static_cast<size_t>(level) < edges.size() || HashesAt(level, size) > 0; ++level) {
    const uint64_t expected = HashesAt(level, size) % kTileWidth;
    const uint64_t there =
        static_cast<size_t>(level) < edges.size() ? edges[static_cast<size_t>(level)].size() : 0;
    if (there != expected) return std::nullopt;
  }
  TreeEdge edge;
  edge.size_ = size;
  edge.edges_ = std::move(edges);
  return edge;
}

void TreeEdge::Append(const Hash& leaf, const OnFull& on_full) {
  Hash hash = leaf;
  uint64_t index = size_++;
  for (size_t level = 0;; ++level) {
    if (level == edges_.size()) edges_.emplace_back();
    std::vector<Hash>& tile = edges_[level];
    tile.push_back(hash);
    if (tile.size() < kTileWidth) return;
    index >>= kTileHeight;
    on_full({TileName::Kind::kHashes, static_cast<int>(level), index, kTileWidth}, tile);
    hash = RootOf(tile.data(), tile.size());
    tile.clear();
  }
}

Hash TreeEdge::Root() const {
  std::optional<Hash> root;
  for (const std::vector<Hash>& tile : edges_) {
    // The complete subtrees in a tile, smallest (rightmost) first.
    for (size_t end = tile.size(); end > 0;) {
      const size_t width = end & (~end + 1);
      const Hash subtree = RootOf(&tile[end - width], width);
      root = root ? NodeHash(subtree, *root) : subtree;
      end -= width;
    }
  }
  return root ? *root : EmptyRoot();
}

}  // namespace waarborg::audit

// SPDX-License-Identifier: EUPL-1.2
#include "audit/proof.h"

#include <bit>

#include "audit/text.h"

namespace waarborg::audit {
namespace {

constexpr std::string_view kHeader = "c2sp.org/tlog-proof@v1";
constexpr size_t kMaxProof = 63;

// The hash of the entries from `from` to `to`, as RFC 6962 section 2.1 defines it. Complete subtrees come
// from one tile; the ragged right end is put together from those.
std::optional<Hash> HashOf(uint64_t from, uint64_t to, const ReadTile& tiles) {
  const uint64_t width = to - from;
  if (width == 0) return EmptyRoot();
  if (!std::has_single_bit(width)) {
    const uint64_t half = std::bit_floor(width);
    const auto left = HashOf(from, from + half, tiles), right = HashOf(from + half, to, tiles);
    if (!left || !right) return std::nullopt;
    return NodeHash(*left, *right);
  }
  const int bits = std::countr_zero(width);
  const int level = bits / kTileHeight;
  const uint64_t count = uint64_t{1} << (bits % kTileHeight);
  const uint64_t first = from >> (kTileHeight * level);
  const auto offset = static_cast<size_t>(first % kTileWidth);
  const auto tile = tiles(level, first / kTileWidth, static_cast<uint32_t>(offset + count));
  if (!tile || tile->size() < offset + count) return std::nullopt;
  return RootOf(&(*tile)[offset], count);
}

// RFC 6962 section 2.1.1, on entries `from` to `to`.
bool Path(uint64_t index, uint64_t from, uint64_t to, const ReadTile& tiles, Proof& out) {
  if (to - from == 1) return true;
  const uint64_t split = from + std::bit_floor(to - from - 1);
  const bool left = index < split;
  if (!Path(index, left ? from : split, left ? split : to, tiles, out)) return false;
  const auto sibling = left ? HashOf(split, to, tiles) : HashOf(from, split, tiles);
  if (!sibling) return false;
  out.push_back(*sibling);
  return true;
}

// RFC 6962 section 2.1.2: SUBPROOF(m, D[from:to], complete).
bool Subproof(uint64_t m, uint64_t from, uint64_t to, bool complete, const ReadTile& tiles, Proof& out) {
  if (m == to) {
    if (complete) return true;
    const auto hash = HashOf(from, to, tiles);
    if (hash) out.push_back(*hash);
    return hash.has_value();
  }
  const uint64_t split = from + std::bit_floor(to - from - 1);
  if (m <= split) {
    if (!Subproof(m, from, split, complete, tiles, out)) return false;
    const auto right = HashOf(split, to, tiles);
    if (right) out.push_back(*right);
    return right.has_value();
  }
  if (!Subproof(m, split, to, false, tiles, out)) return false;
  const auto left = HashOf(from, split, tiles);
  if (left) out.push_back(*left);
  return left.has_value();
}

}  // namespace

std::optional<Hash> RootAt(uint64_t size, const ReadTile& tiles) {
  return HashOf(0, size, tiles);
}

std::optional<Proof> ProveInclusion(uint64_t index, uint64_t size, const ReadTile& tiles) {
  Proof out;
  if (index >= size || !Path(index, 0, size, tiles, out)) return std::nullopt;
  return out;
}

std::optional<Proof> ProveConsistency(uint64_t old_size, uint64_t size, const ReadTile& tiles) {
  Proof out;
  if (old_size > size) return std::nullopt;
  if (old_size == 0 || old_size == size) return out;
  if (!Subproof(old_size, 0, size, true, tiles, out)) return std::nullopt;
  return out;
}

// RFC 9162 section 2.1.3.2.
bool VerifyInclusion(uint64_t index, uint64_t size, const Hash& leaf, const Proof& proof, const Hash& root) {
  if (index >= size) return false;
  uint64_t fn = index, sn = size - 1;
  Hash r = leaf;
  for (const Hash& p : proof) {
    if (sn == 0) return false;
    if ((fn & 1) != 0 || fn == sn) {
      r = NodeHash(p, r);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      r = NodeHash(r, p);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && r == root;
}

// RFC 9162 section 2.1.4.2.
bool VerifyConsistency(uint64_t old_size, uint64_t size, const Hash& old_root, const Hash& root,
                       const Proof& proof) {
  if (old_size > size) return false;
  if (old_size == 0) return proof.empty() && old_root == EmptyRoot();
  if (old_size == size) return proof.empty() && old_root == root;
  size_t at = 0;
  Hash fr, sr;
  if (std::has_single_bit(old_size)) {
    fr = sr = old_root;
  } else {
    if (proof.empty()) return false;
    fr = sr = proof[at++];
  }
  uint64_t fn = old_size - 1, sn = size - 1;
  while ((fn & 1) != 0) {
    fn >>= 1;
    sn >>= 1;
  }
  for (; at < proof.size(); ++at) {
    if (sn == 0) return false;
    if ((fn & 1) != 0 || fn == sn) {
      fr = NodeHash(proof[at], fr);
      sr = NodeHash(proof[at], sr);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      sr = NodeHash(sr, proof[at]);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && fr == old_root && sr == root;
}

std::string ProofFile::Text() const {
  std::string out = std::string(kHeader) + "\n";
  if (extra) out += "extra " + Base64(*extra) + "\n";
  out += "index " + std::to_string(index) + "\n";
  for (const Hash& h : proof) out += Base64(View(h)) + "\n";
  return out + "\n" + checkpoint.note.Text();
}

Result<ProofFile> ProofFile::Parse(std::string_view bytes) {
  using R = Result<ProofFile>;
  ProofFile file;
  auto line = TakeLine(bytes);
  if (line != kHeader) return R::Error("line 1 is not \"" + std::string(kHeader) + "\"");
  line = TakeLine(bytes);
  if (line && line->starts_with("extra ")) {
    file.extra = FromBase64(line->substr(6));
    if (!file.extra) return R::Error("the extra line does not hold base64");
    line = TakeLine(bytes);
  }
  if (!line || !line->starts_with("index ")) return R::Error("no line \"index N\"");
  const auto index = Decimal(line->substr(6));
  if (!index) return R::Error("the index is not a whole number");
  file.index = *index;
  for (line = TakeLine(bytes); line && !line->empty(); line = TakeLine(bytes)) {
    const auto hash = HashFromBase64(*line);
    if (!hash)
      return R::Error("hash " + std::to_string(file.proof.size() + 1) + " is not the base64 of 32 bytes");
    if (file.proof.size() == kMaxProof) return R::Error("the proof has more than 63 hashes");
    file.proof.push_back(*hash);
  }
  if (!line) return R::Error("no empty line before the checkpoint");
  auto checkpoint = ReadCheckpoint(bytes);
  if (!checkpoint.ok()) return R::Error(checkpoint.error());
  file.checkpoint = std::move(*checkpoint);
  return file;
}

}  // namespace waarborg::audit

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/merkle.h"
#include "audit/result.h"
#include "audit/tiles.h"

// Inclusion and consistency proofs (RFC 9162 sections 2.1.3 and 2.1.4), and the file that carries one
// (c2sp.org/tlog-proof).
namespace waarborg::audit {

// The tiles of a log, for whoever makes proofs. `width` is how many hashes are needed at least; a reader may
// return more. Nothing when the tile is not there.
using ReadTile = std::function<std::optional<std::vector<Hash>>(int level, uint64_t index, uint32_t width)>;

using Proof = std::vector<Hash>;

// All of these read O(log size) tiles and give nothing when one is missing or too short. What they return is
// only as good as the tiles: verify it.
std::optional<Hash> RootAt(uint64_t size, const ReadTile& tiles);
std::optional<Proof> ProveInclusion(uint64_t index, uint64_t size, const ReadTile& tiles);
std::optional<Proof> ProveConsistency(uint64_t old_size, uint64_t size, const ReadTile& tiles);

// Whether `leaf` stands at `index` of the tree of `size` entries with this root.
bool VerifyInclusion(uint64_t index, uint64_t size, const Hash& leaf, const Proof& proof, const Hash& root);
// Whether the tree of `old_size` entries is the beginning of the other.
bool VerifyConsistency(uint64_t old_size, uint64_t size, const Hash& old_root, const Hash& root,
                       const Proof& proof);

// An offline proof: that an entry stands in the log of the checkpoint.
struct ProofFile {
  std::optional<std::string> extra;
  uint64_t index = 0;
  Proof proof;
  SignedCheckpoint checkpoint;

  std::string Text() const;
  // In one spelling only; signatures are not looked at.
  static Result<ProofFile> Parse(std::string_view bytes);
};

}  // namespace waarborg::audit

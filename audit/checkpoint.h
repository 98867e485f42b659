// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audit/merkle.h"
#include "audit/note.h"
#include "audit/result.h"

namespace waarborg::audit {

// What a log's operator signs (c2sp.org/tlog-checkpoint v1.0.0), without extension lines.
struct Checkpoint {
  std::string origin;
  uint64_t size = 0;
  Hash root{};

  // "ORIGIN\nSIZE\nBASE64(ROOT)\n"
  std::string Body() const;
  static Result<Checkpoint> Parse(std::string_view body);
  bool operator==(const Checkpoint&) const = default;
};

struct SignedCheckpoint {
  Checkpoint checkpoint;
  Note note;
};

// A checkpoint with the valid signature of this log: the key's name is the origin.
Result<SignedCheckpoint> OpenCheckpoint(std::string_view bytes, const VerifierKey& log);
// The same without looking at signatures: the key is not known yet.
Result<SignedCheckpoint> ReadCheckpoint(std::string_view bytes);

// How many of these witnesses have cosigned, each key counted once. One that did so wrongly, or twice, is an
// error; the others' absence is not.
Result<size_t> CountCosignatures(const Note& note, const std::vector<VerifierKey>& witnesses);

}  // namespace waarborg::audit

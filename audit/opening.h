// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "audit/proof.h"
#include "audit/result.h"

// What stands behind an entry. The log publishes Commit(key, record); whoever holds key and record can show
// what was committed to.
namespace waarborg::audit {

// Bytes of an entry: a commitment.
inline constexpr size_t kCommitmentSize = 32;
inline constexpr size_t kOpeningKeySize = 32;
// The same in a bundle, with its length.
inline constexpr size_t kEntryBytes = 2 + kCommitmentSize;

inline constexpr std::string_view kOpeningHeader = "waarborg/opening@v1";

// A record with its proof, as a file to hand over:
//   waarborg/opening@v1
//   key BASE64          32 bytes
//   record BASE64       the serialised waarborg.v1.AuditRecord
//   (empty line)
//   a proof file (c2sp.org/tlog-proof@v1)
struct OpeningFile {
  std::string key;
  std::string record;
  ProofFile proof;

  std::string Text() const;
  // In one spelling only; nothing is verified yet.
  static Result<OpeningFile> Parse(std::string_view bytes);
  // Whether the record is the entry that the proof names, in the log of the checkpoint (whose signature is
  // another question).
  bool Holds() const;
};

// The first entry of a log that goes on from another is public. In the file `previous` of its folder:
//   waarborg/previous@v1
//   key BASE64
//   record BASE64
struct PreviousFile {
  std::string key;
  std::string record;

  std::string Text() const;
  static Result<PreviousFile> Parse(std::string_view bytes);
};

}  // namespace waarborg::audit

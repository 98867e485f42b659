// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/opening.h"

// Checks a published log from its files alone and trusts nothing but the keys it is given: every leaf, tile
// and the root are rebuilt from the entries.
//
// The form is strict. A folder holds `checkpoint`, the tiles and bundles of a log of that size, partial ones
// that have since grown, and, when the log goes on from another, `previous`; no other file, no line of an
// unknown key, no byte to spare. So any change of any byte shows.
namespace waarborg::audit {

struct VerifyOptions {
  // The log's key. Without it nothing says whose log it is: everything else is checked, and
  // `signature_checked` stays false.
  std::optional<VerifierKey> key;
  std::vector<VerifierKey> witnesses;
  size_t quorum = 0;  // so many of them must have cosigned
  // An older checkpoint of the same log, signed by the same key: the log must begin with what it says.
  std::optional<std::string> since;
  unsigned threads = 0;  // 0: one for each core
  // Signatures of keys that were not given are passed over. A change in one of them does not show then.
  bool other_signatures = false;
  // Files ahead of the checkpoint are passed over: the log is being written to.
  bool live = false;
  // Set by another thread to give up; the report then says so and is of no use.
  const std::atomic<bool>* stop = nullptr;
};

// Where a check stands; may be read from another thread.
struct Progress {
  std::atomic<uint64_t> entries = 0;
  std::atomic<uint64_t> total = 0;
};

struct Report {
  // What is wrong and where, worst first; the first twenty. Empty: the log is good.
  std::vector<std::string> problems;
  // Nothing could be checked (the folder cannot be read); `problems` says why.
  bool unreadable = false;
  Checkpoint checkpoint;
  bool signature_checked = false;
  size_t cosignatures = 0;
  std::optional<Checkpoint> since;
  std::optional<Checkpoint> previous;  // the log that this one goes on from, by its own word
  size_t files = 0;
  size_t files_ahead = 0;  // passed over with `live`
};

Report VerifyLog(const std::string& folder, const VerifyOptions& options, Progress& progress);

}  // namespace waarborg::audit

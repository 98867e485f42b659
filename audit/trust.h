// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/note.h"

namespace waarborg::audit {

// Whom to believe, as it stands on the command line.
struct TrustOptions {
  std::string key;
  std::vector<std::string> witnesses;
  std::optional<size_t> quorum;  // as many as there are witnesses, unless said
};

struct Trust {
  std::optional<VerifierKey> log;
  std::vector<VerifierKey> witnesses;
  size_t quorum = 0;
};

// The key that an argument holds, or the file that it names. The code to end with, after having said why; 0
// when it is there.
int TakeKey(const std::string& argument, KeyType type, std::optional<VerifierKey>& out);

// What the options mean. `folder` is the log's, or empty; the key may lie beside it. Returns as TakeKey does.
int Resolve(const TrustOptions& options, const std::string& folder, Trust& out);

}  // namespace waarborg::audit

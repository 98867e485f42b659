// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <vector>

#include "server/rpc/core.h"

namespace waarborg::rpc {

// Stages a proposal that waits for its second person; returns its id. Kind and content are filled in by the caller.
std::string Propose(Context& c, domain::Change change);

// Neither its id nor its key may be in use; a revoked key never comes back.
domain::Verdict CheckStationIsNew(Context& c, const domain::Station& station);

// The lines that go ("- ") and come ("+ "), for the second person to read.
std::vector<std::string> ConfigurationSummary(const std::string& before, const std::string& after);

}  // namespace waarborg::rpc

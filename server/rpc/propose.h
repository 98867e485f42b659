// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <vector>

#include "server/config/config.h"
#include "server/rpc/core.h"

namespace waarborg::rpc {

// Stages a proposal that waits for its second person; returns its id. Kind and content are filled in by the
// caller.
std::string Propose(Context& c, domain::Change change);

// Neither its id nor its key may be in use; a revoked key never comes back.
domain::Verdict CheckStationIsNew(Context& c, const domain::Station& station);

// A deputyship is of a role that the person replaced holds.
domain::Verdict CheckHolds(const Context& c, const domain::Deputyship& deputyship);

// The credential is of no account.
domain::Verdict CheckSecurityKeyIsNew(const Context& c, const domain::SecurityKey& key);

// A location that a station stands at, or a ban holds at, may not vanish: checks there would have no answer.
void NameDroppedLocations(const state::World& world, const domain::Municipality& next,
                          config::Errors& errors);

// The lines that go ("- ") and come ("+ "), each with the section it stands in, for the second person to
// read.
std::vector<std::string> ConfigurationSummary(const std::string& before, const std::string& after);

}  // namespace waarborg::rpc

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/journal/journal.h"
#include "waarborg/v1/health.pb.h"

namespace waarborg::rpc {

// How each promise stands, from what the journal reports. Pure; on the writer's thread.
std::vector<waarborg::v1::PromiseHealth> Promises(const journal::Journal::Condition& condition,
                                                  absl::Time certificate_until, absl::Time now);

}  // namespace waarborg::rpc

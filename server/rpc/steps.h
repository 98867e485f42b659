// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "server/domain/types.h"
#include "server/journal/log_reader.h"

namespace waarborg::rpc {

// Calls `each` with every step of the procedure that was taken in this file, newest first, until it returns
// false: what people decided, released, reported or corrected, and what the clock did of it. Not who looked.
// Repeated answers are left out, and entries that do not open say nothing and are left out too. Reads the
// log: on a worker.
absl::Status ReadSteps(const journal::LogReader& log, const std::string& ban_id,
                       const std::function<bool(const journal::LogEntry&)>& each);

// Whether a role is shown this step: as it is shown what the step left in the file (views.h).
bool IsShownStep(domain::Role role, const std::string& event);

}  // namespace waarborg::rpc

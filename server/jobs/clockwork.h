// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "server/journal/journal.h"

namespace waarborg::jobs {

// What the clock sets off: bans whose end has passed become expired or lapsed, and the way of their photos
// ends; names of staff are removed when their time has come. Runs in the writer's order, like a command, and
// logs like one.
void RunDue(journal::Turn& turn);

}  // namespace waarborg::jobs

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "server/journal/journal.h"

namespace waarborg::jobs {

// What the clock sets off: bans whose end has passed become expired or lapsed, the way of their photos ends
// and their recipients are asked about copies; recipients that do not confirm are reminded, and then it goes
// up; names of staff are removed when their time has come. So many of each at a time; while more is due, the
// journal comes back. Runs in the writer's order, like a command, and logs like one.
void RunDue(journal::Turn& turn);

}  // namespace waarborg::jobs

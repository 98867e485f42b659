// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "client/station/view.h"
#include "waarborg/v1/checks.pb.h"

namespace waarborg::station {

// The live list beside the desk, for desk_list.mustache.
View DeskListView(const v1::WatchDeskResponse& list, const Words& words);

}  // namespace waarborg::station

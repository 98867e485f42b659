// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "client/station/page.h"

namespace waarborg::station {

// Who may do what: the core's own policy table, in words. For everybody who is signed in.
Response PolicyPage(Visit& v);

}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <vector>

#include "client/station/page.h"
#include "client/station/view.h"

namespace waarborg::station {

// What the sign-in page says when the browser or the key itself refuses: { name, problem_what, problem_next }
// for each name of a DOMException, and "" for every other.
std::vector<View> KeySignInRefusals(const Visit& v);

}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <memory>

#include "client/station/http.h"
#include "client/station/page.h"

// What a page is told while it stands open: server-sent events, each with a fragment of a template.
//   list    the people banned here, as desk_list.mustache shows them; after every change
//   state   "ok" or "cannot-check"; at once, and whenever it changes
//   ended   the session is over: the page goes dark
namespace waarborg::station {

// The stream for the person of this visit; ends with the connection, or with the session. With `desk` it
// holds the live list.
std::shared_ptr<EventStream> Watch(const Visit& visit, bool desk);

// One event as it goes over the line.
std::string Event(std::string_view name, std::string_view text);

}  // namespace waarborg::station

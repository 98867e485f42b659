// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <memory>

#include "server/journal/publisher.h"

namespace waarborg::witness {

// Witnesses over HTTPS or HTTP, by libcurl; what travels is public, and signed. Follows no redirection, takes
// no answer larger than a few kilobytes, keeps connections. Used by one thread at a time.
std::unique_ptr<journal::WitnessCaller> NewHttpCaller();

}  // namespace waarborg::witness

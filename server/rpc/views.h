// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "absl/time/time.h"
#include "server/domain/ban.h"
#include "waarborg/v1/bans.pb.h"

namespace waarborg::rpc {

// The file as a role needs it. Burgerzaken supply a photo: they need who, basis and consent, not what
// happened. The police contact needs who, where, until when.
waarborg::v1::Ban ViewFor(domain::Role role, const domain::Ban& ban, absl::Time now);

// The same for a list: without the words of the file.
waarborg::v1::Ban ListedFor(domain::Role role, const domain::Ban& ban, absl::Time now);

}  // namespace waarborg::rpc

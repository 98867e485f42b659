// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>

#include "server/rpc/core.h"
#include "waarborg/v1/checks.pb.h"

namespace waarborg::rpc {

// A photo for one pair of eyes: the right is looked at, the photo is opened and watermarked on a worker, the
// right is looked at once more at the entry's own place, and only when that entry is durable is `bytes`
// handed over.
void ShowPhoto(Core& core, access::Rpc rpc, const access::Credentials& credentials, const std::string& ban_id,
               pb::Purpose purpose, std::string* bytes, Done done);

}  // namespace waarborg::rpc

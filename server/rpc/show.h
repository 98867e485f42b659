// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <functional>
#include <string>

#include "server/rpc/core.h"

namespace waarborg::rpc {

// One photo asked for.
struct PhotoWanted {
  std::string ban_id;
  pb::Purpose purpose = pb::PURPOSE_UNSPECIFIED;
  std::string as = "";  // what this copy is, in the watermark; empty when it is only looked at
  // What is wrong with the rest of the request: refused once the right to the photo is there.
  domain::Verdict wrong = domain::kAllowed;
  // What follows from it, in the turn of its entry, on a copy of the ban; nothing when it is only looked at.
  std::function<domain::Verdict(Context&, domain::Ban)> entered = nullptr;
};

// A photo for one pair of eyes: the right is looked at, the photo is opened and watermarked on a worker, the
// right is looked at once more at the entry's own place, and only when that entry is durable is `bytes`
// handed over.
void ShowPhoto(Core& core, access::Rpc rpc, const access::Credentials& credentials, const PhotoWanted& wanted,
               std::string* bytes, Done done);

}  // namespace waarborg::rpc

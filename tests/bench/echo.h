// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "server/rpc/server.h"

namespace waarborg::bench {

// Serves waarborg.bench.EchoService: no session, no policy, no entry. Only in the test build of the server.
rpc::Bound BindEcho(rpc::Server& server);

}  // namespace waarborg::bench

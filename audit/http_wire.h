// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "audit/result.h"

struct MHD_Connection;

// What everything of ours that serves HTTP has in common, for the witness and the station: where it listens,
// and how a body must say where it ends. On libmicrohttpd.
namespace waarborg::audit {

// A socket that listens on "HOST:PORT", "[IPV6]:PORT" or ":PORT" (every address of this machine; both
// families where it has both).
Result<int> Listen(const std::string& address);
// The port of a socket that listens.
int PortOf(int fd);
// True when only this machine can reach the socket.
bool IsLoopback(int fd);

// Why a request is refused before its body is read.
struct Framing {
  int status;
  std::string why;
};
// Nothing when the end of the body is beyond doubt and the body has at most `max_bytes`. The library itself
// would accept a length twice, or beside an encoding, and choose one; another program might choose the other.
std::optional<Framing> RefuseFraming(MHD_Connection* connection, size_t max_bytes);

}  // namespace waarborg::audit

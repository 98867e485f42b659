// SPDX-License-Identifier: EUPL-1.2
#include "audit/http_wire.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "audit/text.h"

namespace waarborg::audit {
namespace {

struct Address {
  std::string host;  // empty: every address
  std::string port;
};

std::optional<Address> ParseAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  Address out{text.substr(0, colon), text.substr(colon + 1)};
  const auto port = Decimal(out.port);
  if (!port || *port > 65535) return std::nullopt;
  if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']') {
    out.host = out.host.substr(1, out.host.size() - 2);
  } else if (out.host.find_first_of(":[]") != std::string::npos) {
    return std::nullopt;
  }
  return out;
}

// A socket that listens, or -1 with errno.
int ListenOn(const addrinfo& where, bool both_families) {
  const int fd = socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  const int on = 1, only = both_families ? 0 : 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (where.ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  if (bind(fd, where.ai_addr, where.ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

// What the headers say about where the body ends.
struct Headers {
  unsigned lengths = 0;
  unsigned encodings = 0;
  std::string length;
};

MHD_Result NoteHeader(void* into, MHD_ValueKind, const char* name, const char* value) {
  auto& framing = *static_cast<Headers*>(into);
  if (strcasecmp(name, "Content-Length") == 0) {
    ++framing.lengths;
    framing.length = value == nullptr ? "" : value;
  } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
    ++framing.encodings;
  }
  return MHD_YES;
}

}  // namespace

Result<int> Listen(const std::string& address) {
  using R = Result<int>;
  const auto parsed = ParseAddress(address);
  if (!parsed) return R::Error(address + ": an address to listen on reads HOST:PORT, [IPV6]:PORT or :PORT");
  std::string why = "no such address";
  // Every address: one socket for both families where the machine has both.
  for (int family : {parsed->host.empty() ? AF_INET6 : AF_UNSPEC, AF_INET}) {
    addrinfo hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int error = getaddrinfo(parsed->host.empty() ? nullptr : parsed->host.c_str(),
                                      parsed->port.c_str(), &hints, &found);
        error != 0) {
      why = gai_strerror(error);
      continue;
    }
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> guard(found, freeaddrinfo);
    for (const addrinfo* where = found; where != nullptr; where = where->ai_next) {
      if (const int fd = ListenOn(*where, parsed->host.empty()); fd >= 0) return fd;
      why = std::strerror(errno);
    }
  }
  return R::Error("cannot listen on " + address + ": " + why);
}

int PortOf(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return 0;
  return ntohs(name.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&name)->sin6_port
                                          : reinterpret_cast<const sockaddr_in*>(&name)->sin_port);
}

bool IsLoopback(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return false;
  if (name.ss_family == AF_INET) {
    return ntohl(reinterpret_cast<const sockaddr_in*>(&name)->sin_addr.s_addr) >> 24 == 127;
  }
  return name.ss_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(&name)->sin6_addr);
}

std::optional<Framing> RefuseFraming(MHD_Connection* connection, size_t max_bytes) {
  Headers headers;
  MHD_get_connection_values(connection, MHD_HEADER_KIND, &NoteHeader, &headers);
  if (headers.lengths > 1) return Framing{400, "Content-Length stands there more than once"};
  if (headers.encodings > 0 && headers.lengths > 0) {
    return Framing{400, "Content-Length and Transfer-Encoding cannot both say where the body ends"};
  }
  if (headers.encodings > 0) return Framing{411, "send the body with its Content-Length"};
  if (headers.lengths == 0) return std::nullopt;
  const auto length = Decimal(headers.length);
  if (!length) return Framing{400, "Content-Length is not a whole number"};
  if (*length > max_bytes)
    return Framing{413, "a request has at most " + std::to_string(max_bytes) + " bytes"};
  return std::nullopt;
}

}  // namespace waarborg::audit

// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/echo.h"

#include "server/rpc/calls.h"
#include "tests/bench/echo.grpc.pb.h"

namespace waarborg::bench {

rpc::Bound BindEcho(rpc::Server& server) {
  using S = EchoService::AsyncService;
  auto service = std::make_unique<S>();
  auto arm = [&server, s = service.get()] {
    auto request = [&server, s](auto* context, auto* in, auto* writer, void* tag) {
      s->RequestEcho(context, in, writer, server.queue(), server.queue(), tag);
    };
    auto handler = [](const access::Credentials&, const EchoMessage& in, EchoMessage* out, rpc::Done done) {
      *out = in;
      done(domain::kAllowed);
    };
    rpc::UnaryCall<EchoMessage, EchoMessage>::Arm(server, request, handler);
  };
  return {std::move(service), std::move(arm)};
}

}  // namespace waarborg::bench

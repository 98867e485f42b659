// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <grpcpp/generic/generic_stub.h>

#include <string>

#include "client/core/connection.h"

namespace waarborg::testing {

// Calls "/package.Service/Method" with these bytes as the request, whatever they are. The bytes of the
// answer, when it is wanted and there is one.
inline grpc::Status RawCall(client::Connection& connection, const std::string& path,
                            const std::string& request, std::string* answer = nullptr) {
  grpc::GenericStub stub(connection.channel());
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  connection.Prepare(context);
  const grpc::Slice slice(request);
  const grpc::ByteBuffer buffer(&slice, 1);
  grpc::ByteBuffer received;
  grpc::Status status;
  auto call = stub.PrepareUnaryCall(&context, path, buffer, &queue);
  call->StartCall();
  call->Finish(&received, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  grpc::Slice bytes;
  if (answer != nullptr && status.ok() && received.DumpToSingleSlice(&bytes).ok()) {
    answer->assign(bytes.begin(), bytes.end());
  }
  return status;
}

}  // namespace waarborg::testing

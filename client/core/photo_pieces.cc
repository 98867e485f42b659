// SPDX-License-Identifier: EUPL-1.2
#include "client/core/photo_pieces.h"

#include "server/base/secret.h"
#include "waarborg/v1/releases.grpc.pb.h"

namespace waarborg::client {

namespace pb = waarborg::v1;

namespace {
constexpr size_t kChunk = size_t{64} << 10;
}  // namespace

Error SendPhoto(const Connection& connection, std::chrono::milliseconds deadline,
                const pb::SupplyApproval& approval, const std::string& file,
                pb::SupplyPhotoResponse& response) {
  const auto stub = pb::PhotoReleaseService::NewStub(connection.channel());
  return connection.Ask(deadline, [&](grpc::ClientContext& context) {
    pb::SupplyPhotoRequest piece;
    *piece.mutable_approval() = approval;
    const auto writer = stub->SupplyPhoto(&context, &response);
    bool open = writer->Write(piece);
    for (size_t at = 0; open && at < file.size(); at += kChunk) {
      piece.mutable_chunk()->assign(file, at, kChunk);
      open = writer->Write(piece);
    }
    if (open) writer->WritesDone();
    base::Wipe(*piece.mutable_chunk());
    return writer->Finish();
  });
}

}  // namespace waarborg::client

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <chrono>
#include <string>

#include "client/core/connection.h"
#include "waarborg/v1/releases.pb.h"

// Photos travel in pieces.
namespace waarborg::client {

// Receives one whole. `open` is given a context and starts the stream of Res.
template <class Res, class Open>
Error ReceivePieces(const Connection& connection, std::chrono::milliseconds deadline, Open open,
                    std::string& jpeg) {
  return connection.Ask(deadline, [&](grpc::ClientContext& context) {
    const auto reader = open(context);
    Res piece;
    jpeg.clear();
    while (reader->Read(&piece)) jpeg += piece.chunk();
    return reader->Finish();
  });
}

// PhotoReleaseService.SupplyPhoto: the approval, then the file.
Error SendPhoto(const Connection& connection, std::chrono::milliseconds deadline,
                const waarborg::v1::SupplyApproval& approval, const std::string& file,
                waarborg::v1::SupplyPhotoResponse& response);

}  // namespace waarborg::client

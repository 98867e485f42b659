// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/commands/parts.h"
#include "client/core/photo_pieces.h"

namespace waarborg::client {

// Width and height in a JPEG's frame header, or zeros.
std::pair<int, int> JpegSize(const std::string& jpeg);

// Receives a streamed photo into memory and, when asked with `out`, into a file. `open` starts the stream.
template <class Res, class Open>
Reply ReceivePhoto(Call& call, Open open) {
  Reply reply;
  std::string jpeg;
  reply.error = ReceivePieces<Res>(call.connection, kPatience, open, jpeg);
  if (!reply.ok()) return reply;
  const auto [width, height] = JpegSize(jpeg);
  reply.Fact("size", absl::StrCat(width, "x", height));
  reply.Fact("bytes", absl::StrCat(jpeg.size()));
  reply.lines.push_back(
      absl::StrCat(call.Say("Foto ", "Photo "), width, " x ", height,
                   call.Say(" met watermerk: wie, waar, wanneer", " with watermark: who, where, when")));
  if (call.arguments.Has("out")) {
    const std::string path = call.arguments.Get("out");
    WritePrivately("out", path, jpeg);
    reply.lines.push_back(path);
  }
  return reply;
}

}  // namespace waarborg::client

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/domain/rules.h"
#include "server/photos/photo.h"

namespace waarborg::photos {

// Normalises a foreign picture in a process of its own without privileges (waarborg-decoder at `program`), so
// that a flaw in a picture library reaches nothing. What comes back is pixels, encoded here: no byte of the
// picture is ever parsed in this process. Takes at most fifteen seconds; blocks, so call it from a worker. A
// picture that brings the decoder down is refused as damaged; a decoder that cannot start is `internal`.
domain::Outcome<std::string> NormaliseInChild(const std::string& program, std::string_view file,
                                              const std::optional<Crop>& crop = std::nullopt);

// Where waarborg-decoder stands: beside this program.
std::string DecoderBesideThisProgram();

}  // namespace waarborg::photos

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/domain/rules.h"

namespace waarborg::photos {

// Size of an ID photo at 300 dpi (35 x 45 mm).
inline constexpr int kWidth = 413;
inline constexpr int kHeight = 531;

// Bounds, checked before a single pixel is decoded.
inline constexpr size_t kMaxBytes = 10u << 20;
inline constexpr int64_t kMaxPixels = 40'000'000;
inline constexpr int kMinWidth = 100;
inline constexpr int kMinHeight = 128;

// A part of a picture, in pixels from its top left corner when it is seen upright.
struct Crop {
  int left = 0, top = 0, width = 0, height = 0;
};

// Makes an ID photo of a file: JPEG or PNG in, JPEG of kWidth x kHeight out, without any metadata. The
// picture is turned upright as its EXIF orientation says, then scaled to fit and centred on light grey, never
// stretched. With `crop` only that part is taken: within the picture, at least kMinWidth x kMinHeight, and 35
// to 45 but for 2%; what it has too much in one direction is left out on both sides alike. Refused: other
// kinds of files whatever their name, truncated or damaged pictures, too many bytes or pixels, bytes behind
// the end of the picture, crops that are not as above. Takes milliseconds: call it on a worker, not on a
// thread that others wait for.
domain::Outcome<std::string> Normalise(std::string_view file, const std::optional<Crop>& crop = std::nullopt);

// The photo as one person sees it: decoded, the lines written across it in a repeated band, encoded again.
// `who`, `where` and `when` are for the eyes of whoever finds a picture of the screen; `as`, unless empty,
// stands above them and says what this copy is. Refuses (photo-damaged) what is not a normalised photo.
domain::Outcome<std::string> Watermark(std::string_view jpeg, const std::string& who,
                                       const std::string& where, const std::string& when,
                                       const std::string& as = "");

}  // namespace waarborg::photos

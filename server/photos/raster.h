// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/domain/rules.h"
#include "server/photos/photo.h"

namespace waarborg::photos {

// Pixels, 3 bytes each (red, green, blue), rows without padding.
struct Raster {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> rgb;

  Raster() = default;
  Raster(int w, int h, uint8_t fill = 0)
      : width(w), height(h), rgb(static_cast<size_t>(w) * static_cast<size_t>(h) * 3, fill) {}
  uint8_t* At(int x, int y) {
    return &rgb[(static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)) * 3];
  }
  const uint8_t* At(int x, int y) const {
    return &rgb[(static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)) * 3];
  }
};

// Decoders refuse what photo.h says. `file` is the whole file.
domain::Outcome<Raster> DecodeJpeg(std::string_view file);
domain::Outcome<Raster> DecodePng(std::string_view file);

// JPEG, 4:4:4, quality 90, no metadata.
std::string EncodeJpeg(const Raster& raster);

// Scaled to fit into width x height by averaging areas, centred on light grey.
Raster FitInto(const Raster& source, int width, int height);

// How the picture in a JPEG has to be turned to be seen upright: the EXIF orientation, 1 to 8; 1, as it is,
// when there is none that makes sense. Reads nothing beyond the file, whatever that says of itself.
int OrientationOf(std::string_view jpeg);
// The picture turned so.
Raster Upright(Raster source, int orientation);

// A foreign picture, decoded, turned upright, cropped and fitted to the size of an ID photo; refused for the
// reasons of Normalise.
domain::Outcome<Raster> Fitted(std::string_view file, const std::optional<Crop>& crop = std::nullopt);

}  // namespace waarborg::photos

// SPDX-License-Identifier: EUPL-1.2
// What a browser sends in as a photo: refused, or a picture of which every cut that can be asked for fits.
#include "client/station/picture.h"

#include <cstdint>
#include <cstdlib>

namespace {

using waarborg::station::Cut;
using waarborg::station::Picture;

void MustFit(const Picture& picture, const Cut& cut) {
  const bool inside = cut.left >= 0 && cut.top >= 0 && cut.width > 0 && cut.height > 0 &&
                      cut.left + cut.width <= picture.width && cut.top + cut.height <= picture.height;
  if (!inside) std::abort();
  // As the core asks: not smaller than it takes, and 35 to 45 but for 2%.
  const int64_t off = std::abs(int64_t{cut.width} * 45 - int64_t{cut.height} * 35);
  if (cut.width < waarborg::station::kMinPictureWidth || cut.height < waarborg::station::kMinPictureHeight ||
      off * 50 > int64_t{cut.height} * 35) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Picture picture;
  if (LookAt({reinterpret_cast<const char*>(data), size}, picture) !=
      waarborg::station::PictureFault::kNone) {
    return 0;
  }
  if (picture.orientation < 1 || picture.orientation > 8) std::abort();
  Cut cut = LargestCut(picture);
  MustFit(picture, cut);
  // A walk that the bytes choose.
  constexpr const char* kSteps[] = {"up", "down", "left", "right", "larger", "smaller", "none"};
  for (size_t i = 0; i < size && i < 64; ++i) {
    cut = MovedCut(picture, cut, kSteps[data[size - 1 - i] % 7]);
    MustFit(picture, cut);
  }
  const auto wild = [&](size_t at) { return at < size ? (static_cast<int>(data[at]) - 128) * 99999 : 0; };
  MustFit(picture, NearestCut(picture, wild(20), wild(21), wild(22)));
  return 0;
}

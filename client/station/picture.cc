// SPDX-License-Identifier: EUPL-1.2
#include "client/station/picture.h"

#include <algorithm>
#include <utility>

namespace waarborg::station {
namespace {

// Bytes of a file, of which every question has an answer: nothing stands behind the end.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  size_t size() const { return bytes_.size(); }
  bool Has(size_t at, size_t count) const { return at <= bytes_.size() && count <= bytes_.size() - at; }
  uint8_t At(size_t at) const { return at < bytes_.size() ? static_cast<uint8_t>(bytes_[at]) : uint8_t{0}; }
  // A number of `count` bytes, at most four.
  uint32_t Number(size_t at, int count, bool little = false) const {
    uint32_t value = 0;
    for (int i = 0; i < count; ++i)
      value = value << 8 | At(at + static_cast<size_t>(little ? count - 1 - i : i));
    return value;
  }
  bool Begins(size_t at, std::string_view with) const {
    return Has(at, with.size()) && bytes_.substr(at, with.size()) == with;
  }
  Bytes Part(size_t at, size_t count) const {
    return Bytes(at > bytes_.size() ? std::string_view() : bytes_.substr(at, count));
  }

 private:
  std::string_view bytes_;
};

constexpr std::string_view kPngBegins("\x89PNG\r\n\x1A\n", 8);
constexpr std::string_view kJpegBegins("\xFF\xD8\xFF", 3);
constexpr std::string_view kExif("Exif\0\0", 6);
// What the core's decoder of PNG takes in one direction.
constexpr int64_t kMaxPngSide = 20000;
constexpr int64_t kWidthPart = 35, kHeightPart = 45;

// Of the first directory of a TIFF header: entries of twelve bytes, tag, type, count, value.
int OrientationIn(const Bytes& tiff) {
  constexpr uint32_t kOrientation = 0x0112, kShort = 3;
  const bool little = tiff.Begins(0, "II");
  if (!little && !tiff.Begins(0, "MM")) return 1;
  const size_t directory = tiff.Number(4, 4, little);
  const size_t entries = tiff.Number(directory, 2, little);
  for (size_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + i * 12;
    if (!tiff.Has(entry, 12)) break;
    if (tiff.Number(entry, 2, little) != kOrientation) continue;
    const uint32_t value = tiff.Number(entry + 8, 2, little);
    return tiff.Number(entry + 2, 2, little) == kShort && value >= 1 && value <= 8 ? static_cast<int>(value)
                                                                                   : 1;
  }
  return 1;
}

// Markers that begin a frame: its size stands in them.
bool IsFrame(uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

// Behind the data of one scan: at the first marker that is neither a stuffed zero nor a restart.
size_t BehindScan(const Bytes& file, size_t at) {
  for (; file.Has(at, 2); ++at) {
    const uint8_t next = file.At(at + 1);
    if (file.At(at) == 0xFF && next != 0 && next != 0xFF && (next < 0xD0 || next > 0xD7)) return at;
  }
  return file.size();
}

PictureFault LookAtJpeg(const Bytes& file, Picture& out) {
  bool framed = false, scanned = false, turned = false;
  for (size_t at = 2; file.Has(at, 2);) {
    if (file.At(at) != 0xFF) return PictureFault::kDamaged;
    const uint8_t marker = file.At(at + 1);
    if (marker == 0xFF) {  // a fill byte
      ++at;
      continue;
    }
    if (marker == 0xD9) {
      if (!framed || !scanned) return PictureFault::kDamaged;
      return at + 2 == file.size() ? PictureFault::kNone : PictureFault::kMoreBehind;
    }
    const size_t length = file.Number(at + 2, 2);
    if (length < 2 || !file.Has(at + 2, length)) return PictureFault::kDamaged;
    const Bytes segment = file.Part(at + 4, length - 2);
    if (IsFrame(marker)) {
      if (framed || segment.size() < 6) return PictureFault::kDamaged;
      framed = true;
      out.height = static_cast<int>(segment.Number(1, 2));
      out.width = static_cast<int>(segment.Number(3, 2));
      const uint8_t colours = segment.At(5);
      if (colours != 1 && colours != 3) return PictureFault::kNotAPicture;
    } else if (marker == 0xE1 && !turned && !scanned && segment.Begins(0, kExif)) {
      turned = true;
      out.orientation = OrientationIn(segment.Part(kExif.size(), segment.size()));
    }
    at += 2 + length;
    if (marker == 0xDA) {
      if (!framed) return PictureFault::kDamaged;
      scanned = true;
      at = BehindScan(file, at);
    }
  }
  return PictureFault::kDamaged;
}

PictureFault LookAtPng(const Bytes& file, Picture& out) {
  bool data = false;
  for (size_t at = kPngBegins.size(); file.Has(at, 12);) {
    const size_t length = file.Number(at, 4);
    if (!file.Has(at + 12, length)) return PictureFault::kDamaged;
    const bool first = at == kPngBegins.size();
    if (first != file.Begins(at + 4, "IHDR") || (first && length != 13)) return PictureFault::kDamaged;
    if (first) {
      const int64_t width = file.Number(at + 8, 4), height = file.Number(at + 12, 4);
      if (width > kMaxPngSide || height > kMaxPngSide) return PictureFault::kTooManyPixels;
      out.width = static_cast<int>(width);
      out.height = static_cast<int>(height);
    }
    data |= file.Begins(at + 4, "IDAT");
    const bool last = file.Begins(at + 4, "IEND");
    at += 12 + length;
    if (!last) continue;
    if (!data) return PictureFault::kDamaged;
    return at == file.size() ? PictureFault::kNone : PictureFault::kMoreBehind;
  }
  return PictureFault::kDamaged;
}

int Rounded(int64_t value, int64_t times, int64_t by) {
  return static_cast<int>((value * times + by / 2) / by);
}

}  // namespace

const char* Picture::content_type() const {
  return kind == PictureKind::kPng ? "image/png" : "image/jpeg";
}

PictureFault LookAt(std::string_view file, Picture& out) {
  if (file.empty()) return PictureFault::kEmpty;
  if (file.size() > kMaxPictureBytes) return PictureFault::kTooManyBytes;
  const Bytes bytes(file);
  Picture found;
  PictureFault fault = PictureFault::kNotAPicture;
  if (bytes.Begins(0, kJpegBegins)) {
    fault = LookAtJpeg(bytes, found);
  } else if (bytes.Begins(0, kPngBegins)) {
    found.kind = PictureKind::kPng;
    fault = LookAtPng(bytes, found);
  }
  if (fault != PictureFault::kNone) return fault;
  if (found.width <= 0 || found.height <= 0) return PictureFault::kDamaged;
  if (int64_t{found.width} * found.height > kMaxPicturePixels) return PictureFault::kTooManyPixels;
  // As it lies in the file, which is how the core looks, and as it is seen.
  const auto small = [&] { return found.width < kMinPictureWidth || found.height < kMinPictureHeight; };
  const bool small_in_file = small();
  if (found.orientation >= 5) std::swap(found.width, found.height);
  if (small_in_file || small()) return PictureFault::kTooSmall;
  out = found;
  return PictureFault::kNone;
}

Cut LargestCut(const Picture& picture) {
  Cut cut;
  cut.width = std::min(picture.width, Rounded(picture.height, kWidthPart, kHeightPart));
  cut.height = std::min(picture.height, Rounded(cut.width, kHeightPart, kWidthPart));
  cut.left = (picture.width - cut.width) / 2;
  cut.top = (picture.height - cut.height) / 2;
  return cut;
}

Cut NearestCut(const Picture& picture, int left, int top, int width) {
  const Cut largest = LargestCut(picture);
  Cut cut;
  cut.width = std::clamp(width, std::min(kMinPictureWidth, largest.width), largest.width);
  cut.height = std::min(largest.height, Rounded(cut.width, kHeightPart, kWidthPart));
  cut.left = std::clamp(left, 0, picture.width - cut.width);
  cut.top = std::clamp(top, 0, picture.height - cut.height);
  return cut;
}

Cut MovedCut(const Picture& picture, const Cut& cut, const std::string& step) {
  const int by = std::max(1, cut.width / 20), grow = std::max(2, cut.width / 10);
  if (step == "up") return NearestCut(picture, cut.left, cut.top - by, cut.width);
  if (step == "down") return NearestCut(picture, cut.left, cut.top + by, cut.width);
  if (step == "left") return NearestCut(picture, cut.left - by, cut.top, cut.width);
  if (step == "right") return NearestCut(picture, cut.left + by, cut.top, cut.width);
  if (step != "larger" && step != "smaller") return cut;
  const Cut other = NearestCut(picture, 0, 0, cut.width + (step == "larger" ? grow : -grow));
  return NearestCut(picture, cut.left + (cut.width - other.width) / 2,
                    cut.top + (cut.height - other.height) / 2, other.width);
}

}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
#include "server/photos/photo.h"

#include <ft2build.h>
#include FT_FREETYPE_H

#include <algorithm>
#include <cmath>

#include "server/photos/raster.h"

namespace waarborg::photos {
namespace {

using domain::Outcome;
using domain::Rule;

constexpr uint8_t kLightGrey = 0xE6;

bool StartsWith(std::string_view s, std::string_view prefix) {
  return s.substr(0, prefix.size()) == prefix;
}

// A line of text as coverage, 0 to 255.
struct TextMask {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> coverage;
};

// One face a thread: FreeType is not safe to share.
class Typesetter {
 public:
  Typesetter() {
    if (FT_Init_FreeType(&library_) != 0) return;
    if (FT_New_Face(library_, WAARBORG_FONT, 0, &face_) != 0) face_ = nullptr;
  }
  ~Typesetter() {
    if (face_ != nullptr) FT_Done_Face(face_);
    if (library_ != nullptr) FT_Done_FreeType(library_);
  }
  Typesetter(const Typesetter&) = delete;
  Typesetter& operator=(const Typesetter&) = delete;

  bool ok() const { return face_ != nullptr; }

  TextMask Set(const std::string& utf8, int pixel_size) {
    TextMask mask;
    FT_Set_Pixel_Sizes(face_, 0, static_cast<FT_UInt>(pixel_size));
    mask.height = pixel_size * 5 / 4;
    mask.width = 2000;
    mask.coverage.assign(static_cast<size_t>(mask.width) * static_cast<size_t>(mask.height), 0);
    int pen = 0;
    for (char32_t c : Decode(utf8)) {
      if (FT_Load_Char(face_, c, FT_LOAD_RENDER) != 0) continue;
      const FT_GlyphSlot slot = face_->glyph;
      for (unsigned y = 0; y < slot->bitmap.rows; ++y) {
        for (unsigned x = 0; x < slot->bitmap.width; ++x) {
          const int px = pen + slot->bitmap_left + static_cast<int>(x);
          const int py = pixel_size - slot->bitmap_top + static_cast<int>(y);
          if (px < 0 || px >= mask.width || py < 0 || py >= mask.height) continue;
          mask.coverage[static_cast<size_t>(py) * static_cast<size_t>(mask.width) + static_cast<size_t>(px)] =
              slot->bitmap.buffer[y * static_cast<unsigned>(std::abs(slot->bitmap.pitch)) + x];
        }
      }
      pen += static_cast<int>(slot->advance.x >> 6);
      if (pen >= mask.width - pixel_size) break;
    }
    used_ = std::min(pen, mask.width);
    return mask;
  }
  int used() const { return used_; }

 private:
  static std::u32string Decode(const std::string& utf8) {
    std::u32string out;
    for (size_t i = 0; i < utf8.size();) {
      const auto b = static_cast<uint8_t>(utf8[i]);
      const int more = b < 0x80 ? 0 : b < 0xE0 ? 1 : b < 0xF0 ? 2 : 3;
      char32_t c = more == 0 ? b : b & (0x3F >> more);
      for (int k = 1; k <= more && i + static_cast<size_t>(k) < utf8.size(); ++k) {
        c = c << 6 | (static_cast<uint8_t>(utf8[i + static_cast<size_t>(k)]) & 0x3F);
      }
      out += c;
      i += static_cast<size_t>(more) + 1;
    }
    return out;
  }

  FT_Library library_ = nullptr;
  FT_Face face_ = nullptr;
  int used_ = 0;
};

// Writes light letters with a dark rim, half transparent, so that they show on any skin, hair and background
// without hiding the face.
void Blend(Raster& raster, const TextMask& mask, int used, int left, int top) {
  auto coverage = [&](int x, int y) -> int {
    if (x < 0 || y < 0 || x >= used || y >= mask.height) return 0;
    return mask.coverage[static_cast<size_t>(y) * static_cast<size_t>(mask.width) + static_cast<size_t>(x)];
  };
  for (int y = -1; y <= mask.height; ++y) {
    for (int x = -1; x <= used; ++x) {
      const int px = left + x, py = top + y;
      if (px < 0 || py < 0 || px >= raster.width || py >= raster.height) continue;
      const int light = coverage(x, y);
      const int rim =
          std::max({coverage(x - 1, y), coverage(x + 1, y), coverage(x, y - 1), coverage(x, y + 1)});
      if (light == 0 && rim == 0) continue;
      uint8_t* p = raster.At(px, py);
      for (int c = 0; c < 3; ++c) {
        int v = p[c];
        v += (0 - v) * rim * 26 / (255 * 100);
        v += (255 - v) * light * 44 / (255 * 100);
        p[c] = static_cast<uint8_t>(std::clamp(v, 0, 255));
      }
    }
  }
}

}  // namespace

Raster FitInto(const Raster& source, int width, int height) {
  const double scale =
      std::min(static_cast<double>(width) / source.width, static_cast<double>(height) / source.height);
  const int w = std::clamp(static_cast<int>(std::lround(source.width * scale)), 1, width);
  const int h = std::clamp(static_cast<int>(std::lround(source.height * scale)), 1, height);
  Raster out(width, height, kLightGrey);
  const int left = (width - w) / 2, top = (height - h) / 2;
  for (int y = 0; y < h; ++y) {
    const double y0 = static_cast<double>(y) * source.height / h;
    const double y1 = std::max(static_cast<double>(y + 1) * source.height / h, y0 + 1e-9);
    for (int x = 0; x < w; ++x) {
      const double x0 = static_cast<double>(x) * source.width / w;
      const double x1 = std::max(static_cast<double>(x + 1) * source.width / w, x0 + 1e-9);
      double sum[3] = {0, 0, 0};
      double area = 0;
      for (int sy = static_cast<int>(y0); sy < source.height && sy < y1; ++sy) {
        const double dy = std::min(y1, sy + 1.0) - std::max(y0, static_cast<double>(sy));
        for (int sx = static_cast<int>(x0); sx < source.width && sx < x1; ++sx) {
          const double part = dy * (std::min(x1, sx + 1.0) - std::max(x0, static_cast<double>(sx)));
          const uint8_t* p = source.At(sx, sy);
          for (int c = 0; c < 3; ++c) sum[c] += part * p[c];
          area += part;
        }
      }
      uint8_t* p = out.At(left + x, top + y);
      for (int c = 0; c < 3; ++c) p[c] = static_cast<uint8_t>(std::lround(sum[c] / area));
    }
  }
  return out;
}

Raster Upright(Raster source, int orientation) {
  if (orientation < 2 || orientation > 8) return source;
  const bool lying = orientation >= 5;
  const int w = source.width, h = source.height;
  Raster out(lying ? h : w, lying ? w : h);
  // From which end of the source columns and rows are read; lying, rows become columns.
  const bool columns_back = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool rows_back = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      const int sx = lying ? y : x, sy = lying ? x : y;
      std::copy_n(source.At(columns_back ? w - 1 - sx : sx, rows_back ? h - 1 - sy : sy), 3, out.At(x, y));
    }
  }
  return out;
}

namespace {

// 35 to 45, but for so much of the height.
constexpr int64_t kRatioWidth = 35, kRatioHeight = 45, kRatioOneIn = 50;

std::optional<Rule> CropRefused(const Crop& crop, const Raster& picture) {
  if (crop.left < 0 || crop.top < 0 || crop.width <= 0 || crop.height <= 0 ||
      int64_t{crop.left} + crop.width > picture.width || int64_t{crop.top} + crop.height > picture.height) {
    return Rule::kCropOutside;
  }
  if (crop.width < kMinWidth || crop.height < kMinHeight) return Rule::kPhotoTooSmall;
  const int64_t off = std::abs(crop.width * kRatioHeight - crop.height * kRatioWidth);
  if (off * kRatioOneIn > crop.height * kRatioWidth) return Rule::kCropOtherRatio;
  return std::nullopt;
}

// The part, less what it has too much in one direction.
Raster Cut(const Raster& source, const Crop& crop) {
  int width = crop.width, height = crop.height;
  if (width * kRatioHeight > height * kRatioWidth) {
    width = static_cast<int>((height * kRatioWidth + kRatioHeight / 2) / kRatioHeight);
  } else {
    height = static_cast<int>((width * kRatioHeight + kRatioWidth / 2) / kRatioWidth);
  }
  width = std::min(width, crop.width);
  height = std::min(height, crop.height);
  const int left = crop.left + (crop.width - width) / 2, top = crop.top + (crop.height - height) / 2;
  Raster out(width, height);
  for (int y = 0; y < height; ++y) std::copy_n(source.At(left, top + y), width * 3, out.At(0, y));
  return out;
}

}  // namespace

Outcome<Raster> Fitted(std::string_view file, const std::optional<Crop>& crop) {
  if (file.size() > kMaxBytes) return Rule::kPhotoTooLarge;
  Outcome<Raster> raster = Rule::kPhotoNotAnImage;
  if (StartsWith(file, "\xFF\xD8\xFF")) {
    raster = DecodeJpeg(file);
  } else if (StartsWith(file, "\x89PNG\r\n\x1A\n")) {
    raster = DecodePng(file);
  }
  if (!raster.ok()) return raster.refusal();
  Raster picture = Upright(std::move(raster.value()), OrientationOf(file));
  if (!crop) return FitInto(picture, kWidth, kHeight);
  if (auto refused = CropRefused(*crop, picture)) return *refused;
  return FitInto(Cut(picture, *crop), kWidth, kHeight);
}

Outcome<std::string> Normalise(std::string_view file, const std::optional<Crop>& crop) {
  auto raster = Fitted(file, crop);
  if (!raster.ok()) return raster.refusal();
  std::string jpeg = EncodeJpeg(raster.value());
  if (jpeg.empty()) return Rule::kInternal;
  return jpeg;
}

Outcome<std::string> Watermark(std::string_view jpeg, const std::string& who, const std::string& where,
                               const std::string& when, const std::string& as) {
  thread_local Typesetter typesetter;
  if (!typesetter.ok()) return Rule::kInternal;  // without a mark nothing is shown
  auto raster = DecodeJpeg(jpeg);
  if (!raster.ok()) return raster.refusal();
  constexpr int kSize = 15;
  std::string place = where;
  place.append("  ").append(when);
  std::vector<std::string> lines = {who, place};
  if (!as.empty()) lines.insert(lines.begin(), as);
  int row = 0;
  for (int top = 12; top < raster.value().height; top += 84, ++row) {
    int line = 0;
    for (const std::string& text : lines) {
      const TextMask mask = typesetter.Set(text, kSize);
      const int step = std::max(typesetter.used() + 60, 120);
      for (int left = -(row % 3) * 70 + 10; left < raster.value().width; left += step) {
        Blend(raster.value(), mask, typesetter.used(), left, top + line * 20);
      }
      ++line;
    }
  }
  std::string out = EncodeJpeg(raster.value());
  if (out.empty()) return Rule::kInternal;
  return out;
}

}  // namespace waarborg::photos

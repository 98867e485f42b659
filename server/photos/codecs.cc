// SPDX-License-Identifier: EUPL-1.2
#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <memory>

#include "server/photos/photo.h"
#include "server/photos/raster.h"

namespace waarborg::photos {
namespace {

using domain::Outcome;
using domain::Rule;

struct CloseTj {
  void operator()(void* h) const { tjDestroy(h); }
};
using Tj = std::unique_ptr<void, CloseTj>;

std::optional<Rule> SizeRefused(int64_t width, int64_t height) {
  if (width <= 0 || height <= 0) return Rule::kPhotoDamaged;
  if (width * height > kMaxPixels) return Rule::kPhotoTooManyPixels;
  if (width < kMinWidth || height < kMinHeight) return Rule::kPhotoTooSmall;
  return std::nullopt;
}

// Where the picture ends: just behind its end-of-image marker; npos when there is none. Segments are stepped
// over by their lengths, so that a marker inside metadata does not count.
size_t JpegEnd(std::string_view f) {
  size_t at = 2;
  while (at + 4 <= f.size()) {
    if (static_cast<uint8_t>(f[at]) != 0xFF) return std::string_view::npos;
    const auto marker = static_cast<uint8_t>(f[at + 1]);
    if (marker == 0xFF) {  // fill byte
      ++at;
      continue;
    }
    if (marker == 0xD9) return at + 2;
    at += 2 + (static_cast<size_t>(static_cast<uint8_t>(f[at + 2])) << 8 | static_cast<uint8_t>(f[at + 3]));
    if (marker != 0xDA) continue;
    // Entropy-coded data: up to a marker that is neither a stuffed zero nor a restart.
    while (at + 1 < f.size()) {
      const auto next = static_cast<uint8_t>(f[at + 1]);
      if (static_cast<uint8_t>(f[at]) == 0xFF && next != 0 && next != 0xFF && (next < 0xD0 || next > 0xD7))
        break;
      ++at;
    }
    if (at + 2 == f.size() && static_cast<uint8_t>(f[at + 1]) == 0xD9) return f.size();
  }
  return std::string_view::npos;
}

struct PngInput {
  std::string_view file;
  size_t at = 0;
};

void ReadPng(png_structp png, png_bytep out, png_size_t size) {
  auto* input = static_cast<PngInput*>(png_get_io_ptr(png));
  if (input->file.size() - input->at < size) png_error(png, "end of file");
  std::memcpy(out, input->file.data() + input->at, size);
  input->at += size;
}

// Decodes into `raster`; an error jumps back here, past objects that need no destructor. False when damaged.
bool DecodePngRows(png_structp png, png_infop info, Raster& raster, std::vector<png_bytep>& rows,
                   PngInput& input, std::optional<Rule>& refused) {
  if (setjmp(png_jmpbuf(png))) return false;  // NOLINT: libpng's way to report errors
  png_set_user_limits(png, 20000, 20000);
  png_set_chunk_malloc_max(png, 1 << 20);
  png_set_read_fn(png, &input, ReadPng);
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_read_info(png, info);
  refused = SizeRefused(png_get_image_width(png, info), png_get_image_height(png, info));
  if (refused) return true;
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_gray_to_rgb(png);
  png_color_16 white{};
  white.red = white.green = white.blue = 0xFF;
  png_set_background(png, &white, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1.0);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  const auto width = static_cast<int>(png_get_image_width(png, info));
  const auto height = static_cast<int>(png_get_image_height(png, info));
  if (png_get_channels(png, info) != 3) return false;
  raster = Raster(width, height);
  rows.resize(static_cast<size_t>(height));
  for (int y = 0; y < height; ++y) rows[static_cast<size_t>(y)] = raster.At(0, y);
  png_read_image(png, rows.data());
  png_read_end(png, nullptr);
  return true;
}

}  // namespace

Outcome<Raster> DecodeJpeg(std::string_view file) {
  Tj tj(tjInitDecompress());
  int width = 0, height = 0, sampling = 0, colorspace = 0;
  const auto* bytes = reinterpret_cast<const uint8_t*>(file.data());
  if (tj == nullptr ||
      tjDecompressHeader3(tj.get(), bytes, file.size(), &width, &height, &sampling, &colorspace) != 0) {
    return Rule::kPhotoDamaged;
  }
  if (auto refused = SizeRefused(width, height)) return *refused;
  if (colorspace == TJCS_CMYK || colorspace == TJCS_YCCK) return Rule::kPhotoNotAnImage;
  const size_t end = JpegEnd(file);
  if (end == std::string_view::npos) return Rule::kPhotoDamaged;
  if (end != file.size()) return Rule::kPhotoDisguised;
  Raster raster(width, height);
  // A warning ("premature end") means that part of the picture is made up: refuse it as damaged.
  if (tjDecompress2(tj.get(), bytes, file.size(), raster.rgb.data(), width, 0, height, TJPF_RGB,
                    TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS | TJFLAG_ACCURATEDCT) != 0) {
    return Rule::kPhotoDamaged;
  }
  return raster;
}

int OrientationOf(std::string_view f) {
  const auto byte = [&](size_t at) { return at < f.size() ? static_cast<uint8_t>(f[at]) : 0u; };
  if (byte(0) != 0xFF || byte(1) != 0xD8) return 1;
  // The segments before the picture itself, by their lengths, up to the one with EXIF.
  for (size_t at = 2; at + 4 <= f.size() && byte(at) == 0xFF && byte(at + 1) != 0xDA;) {
    const size_t length = byte(at + 2) << 8 | byte(at + 3);
    const std::string_view segment = f.substr(at + 4, length < 2 ? 0 : length - 2);
    constexpr std::string_view kExif("Exif\0\0", 6);
    if (byte(at + 1) != 0xE1 || segment.substr(0, kExif.size()) != kExif) {
      at += 2 + std::max<size_t>(length, 2);
      continue;
    }
    // A TIFF header, and in its first directory entries of twelve bytes: tag, type, count, value.
    const std::string_view tiff = segment.substr(kExif.size());
    const bool little = tiff.substr(0, 2) == "II";
    const auto number = [&](size_t from, size_t bytes) {
      size_t value = 0;
      for (size_t i = 0; i < bytes; ++i) {
        const size_t place = from + (little ? bytes - 1 - i : i);
        value = value << 8 | (place < tiff.size() ? static_cast<uint8_t>(tiff[place]) : 0u);
      }
      return value;
    };
    if (!little && tiff.substr(0, 2) != "MM") return 1;
    const size_t directory = number(4, 4);
    const size_t entries = number(directory, 2);
    for (size_t i = 0; i < entries; ++i) {
      const size_t entry = directory + 2 + i * 12;
      if (entry + 12 > tiff.size()) break;
      constexpr size_t kOrientation = 0x0112, kShort = 3;
      if (number(entry, 2) != kOrientation) continue;
      const size_t value = number(entry + 8, 2);
      return number(entry + 2, 2) == kShort && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    }
    return 1;
  }
  return 1;
}

Outcome<Raster> DecodePng(std::string_view file) {
  png_structp png = png_create_read_struct(
      PNG_LIBPNG_VER_STRING, nullptr, [](png_structp p, png_const_charp) { png_longjmp(p, 1); },
      [](png_structp, png_const_charp) {});
  if (png == nullptr) return Rule::kInternal;
  png_infop info = png_create_info_struct(png);
  if (info == nullptr) {
    png_destroy_read_struct(&png, nullptr, nullptr);
    return Rule::kInternal;
  }
  Raster raster;
  std::vector<png_bytep> rows;
  PngInput input{file};
  std::optional<Rule> refused;
  const bool whole = DecodePngRows(png, info, raster, rows, input, refused);
  png_destroy_read_struct(&png, &info, nullptr);
  if (!whole) return Rule::kPhotoDamaged;
  if (refused) return *refused;
  if (input.at != file.size()) return Rule::kPhotoDisguised;
  return raster;
}

std::string EncodeJpeg(const Raster& raster) {
  Tj tj(tjInitCompress());
  unsigned char* out = nullptr;
  unsigned long size = 0;  // NOLINT: turbojpeg's type
  if (tj == nullptr || tjCompress2(tj.get(), raster.rgb.data(), raster.width, 0, raster.height, TJPF_RGB,
                                   &out, &size, TJSAMP_444, 90, TJFLAG_ACCURATEDCT) != 0) {
    return "";
  }
  std::string jpeg(reinterpret_cast<char*>(out), size);
  tjFree(out);
  return jpeg;
}

}  // namespace waarborg::photos

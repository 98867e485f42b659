// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// What the station looks at of a picture that somebody sends in: which kind it is, how large, which way up,
// and that it is whole with nothing behind it. It steps over parts by their lengths and decodes nothing: the
// core does that, in a process of its own, and has the last word.
namespace waarborg::station {

// The bounds of the core (server/photos/photo.h), so that what it would refuse is refused before it is cut.
inline constexpr size_t kMaxPictureBytes = size_t{10} << 20;
inline constexpr int64_t kMaxPicturePixels = 40'000'000;
inline constexpr int kMinPictureWidth = 100;
inline constexpr int kMinPictureHeight = 128;

enum class PictureKind { kJpeg, kPng };

struct Picture {
  PictureKind kind = PictureKind::kJpeg;
  // In pixels, seen upright.
  int width = 0;
  int height = 0;
  // EXIF orientation of a JPEG, 1 to 8; 1 when there is none that makes sense, and for every PNG: the core
  // turns no PNG either. From 5 on it lies on its side in the file.
  int orientation = 1;

  // "image/jpeg" or "image/png".
  const char* content_type() const;
};

enum class PictureFault {
  kNone,
  kEmpty,
  kNotAPicture,    // no JPEG or PNG, whatever its name; also colours for print (CMYK)
  kDamaged,        // begins as one, and is cut off or makes no sense
  kMoreBehind,     // something stands behind the end of the picture
  kTooManyBytes,   // kMaxPictureBytes
  kTooManyPixels,  // kMaxPicturePixels
  kTooSmall,       // no cut of kMinPictureWidth x kMinPictureHeight fits
};

// Looks at `file`, whatever it is; reads nothing outside it, in time linear in its size. `out` is filled when
// nothing is wrong.
PictureFault LookAt(std::string_view file, Picture& out);

// A part of a picture, in its pixels as it is seen upright, from the top left corner.
struct Cut {
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;
  bool operator==(const Cut&) const = default;
};

// The largest part of 35 to 45, in the middle.
Cut LargestCut(const Picture& picture);
// The cut of that width nearest to the wish: 35 to 45, inside the picture, and not smaller than is allowed.
Cut NearestCut(const Picture& picture, int left, int top, int width);
// One step: "up", "down", "left" or "right" by a twentieth of the cut; "larger" or "smaller" by a tenth,
// around the middle. Any other word: the cut itself.
Cut MovedCut(const Picture& picture, const Cut& cut, const std::string& step);

}  // namespace waarborg::station

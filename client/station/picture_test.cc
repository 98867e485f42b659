// SPDX-License-Identifier: EUPL-1.2
#include "client/station/picture.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/portrait.h"

namespace waarborg::station {
namespace {

std::string Big(uint32_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}

std::string Segment(uint8_t marker, const std::string& body) {
  return std::string("\xFF") + static_cast<char>(marker) + Big(static_cast<uint32_t>(body.size()) + 2, 2) +
         body;
}

// As a camera writes it.
std::string Exif(int orientation, bool little) {
  const char value = static_cast<char>(orientation);
  const std::string tiff =
      little
          ? std::string("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", 18) + value + std::string(3, '\0')
          : std::string("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", 19) + value + std::string(2, '\0');
  return Segment(0xE1, std::string("Exif\0\0", 6) + tiff + std::string(4, '\0'));
}

std::string Frame(uint32_t width, uint32_t height, uint8_t marker = 0xC0, char colours = 3) {
  return Segment(marker, "\x08" + Big(height, 2) + Big(width, 2) + colours + std::string(9, '\x11'));
}

// The parts that a JPEG needs to be one, as far as headers go.
std::string Jpeg(uint32_t width, uint32_t height, const std::string& before = "") {
  return "\xFF\xD8" + before + Frame(width, height) + Segment(0xDA, std::string(10, '\1')) +
         std::string("data\xFF\0data\xFF\xD0", 12) + "\xFF\xD9";
}

std::string Chunk(const std::string& type, const std::string& body) {
  return Big(static_cast<uint32_t>(body.size()), 4) + type + body + "CRC.";
}

std::string Png(uint32_t width, uint32_t height) {
  return std::string("\x89PNG\r\n\x1A\n", 8) +
         Chunk("IHDR", Big(width, 4) + Big(height, 4) + std::string("\x08\x02\0\0\0", 5)) +
         Chunk("IDAT", "x") + Chunk("IEND", "");
}

PictureFault FaultOf(const std::string& file) {
  Picture picture;
  return LookAt(file, picture);
}

TEST(LookAt, KnowsKindAndSizeOfRealPictures) {
  Picture picture;
  ASSERT_EQ(LookAt(testing::PortraitJpeg(1), picture), PictureFault::kNone);
  EXPECT_EQ(picture.kind, PictureKind::kJpeg);
  EXPECT_STREQ(picture.content_type(), "image/jpeg");
  EXPECT_EQ(picture.width, 826);
  EXPECT_EQ(picture.height, 1062);
  EXPECT_EQ(picture.orientation, 1);
  ASSERT_EQ(LookAt(testing::PortraitPng(1), picture), PictureFault::kNone);
  EXPECT_EQ(picture.kind, PictureKind::kPng);
  EXPECT_STREQ(picture.content_type(), "image/png");
  EXPECT_EQ(picture.width, 826);
  EXPECT_EQ(picture.height, 1062);
}

TEST(LookAt, TurnsTheSizeAsExifSays) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (bool little : {true, false}) {
      Picture picture;
      ASSERT_EQ(LookAt(Jpeg(400, 300, Exif(orientation, little)), picture), PictureFault::kNone);
      EXPECT_EQ(picture.orientation, orientation);
      EXPECT_EQ(picture.width, orientation < 5 ? 400 : 300);
      EXPECT_EQ(picture.height, orientation < 5 ? 300 : 400);
    }
  }
  Picture picture;
  ASSERT_EQ(LookAt(Jpeg(400, 300, Exif(9, true)), picture), PictureFault::kNone);
  EXPECT_EQ(picture.orientation, 1) << "nonsense is no orientation";
  // The first one counts; another APP1 before it does not hide it.
  ASSERT_EQ(
      LookAt(Jpeg(400, 300, Segment(0xE1, "http://ns.example/xap") + Exif(6, true) + Exif(1, true)), picture),
      PictureFault::kNone);
  EXPECT_EQ(picture.orientation, 6);
}

TEST(LookAt, RefusesWhatIsNoWholePictureAndNothingElse) {
  const std::string jpeg = testing::PortraitJpeg(2), png = testing::PortraitPng(2);
  EXPECT_EQ(FaultOf(""), PictureFault::kEmpty);
  EXPECT_EQ(FaultOf("<!doctype html><script>alert(1)</script>"), PictureFault::kNotAPicture);
  EXPECT_EQ(FaultOf("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), PictureFault::kNotAPicture);
  EXPECT_EQ(FaultOf("GIF89a" + jpeg), PictureFault::kNotAPicture);
  for (const char* name : {"text", "disguised"}) {
    EXPECT_EQ(FaultOf(testing::BadPhoto(name)), PictureFault::kNotAPicture) << name;
  }
  EXPECT_EQ(FaultOf(testing::BadPhoto("truncated-jpeg")), PictureFault::kDamaged);
  EXPECT_EQ(FaultOf(testing::BadPhoto("truncated-png")), PictureFault::kDamaged);
  EXPECT_EQ(FaultOf(testing::BadPhoto("trailing")), PictureFault::kMoreBehind);
  EXPECT_EQ(FaultOf(jpeg + "<script>alert(1)</script>"), PictureFault::kMoreBehind);
  EXPECT_EQ(FaultOf(png + "PK\3\4"), PictureFault::kMoreBehind);
  EXPECT_EQ(FaultOf(testing::BadPhoto("too-large")), PictureFault::kTooManyBytes);
  EXPECT_EQ(FaultOf(testing::BadPhoto("too-many-pixels")), PictureFault::kTooManyPixels);
  EXPECT_EQ(FaultOf(testing::BadPhoto("too-small")), PictureFault::kTooSmall);
  // Sizes that only the header claims.
  EXPECT_EQ(FaultOf(Jpeg(65535, 65535)), PictureFault::kTooManyPixels);
  EXPECT_EQ(FaultOf(Png(0xFFFFFFFF, 0xFFFFFFFF)), PictureFault::kTooManyPixels);
  EXPECT_EQ(FaultOf(Png(0x80000000, 1)), PictureFault::kTooManyPixels);
  EXPECT_EQ(FaultOf(Png(20001, 130)), PictureFault::kTooManyPixels);
  EXPECT_EQ(FaultOf(Png(0, 400)), PictureFault::kDamaged);
  EXPECT_EQ(FaultOf(Jpeg(400, 0)), PictureFault::kDamaged);
  EXPECT_EQ(FaultOf(Jpeg(99, 128)), PictureFault::kTooSmall);
  EXPECT_EQ(FaultOf(Jpeg(100, 127)), PictureFault::kTooSmall);
  EXPECT_EQ(FaultOf(Jpeg(100, 128)), PictureFault::kNone);
  EXPECT_EQ(FaultOf(Jpeg(128, 100, Exif(6, true))), PictureFault::kTooSmall)
      << "the core looks before it turns";
  EXPECT_EQ(FaultOf(Jpeg(100, 128, Exif(6, true))), PictureFault::kTooSmall)
      << "seen upright it is 128 x 100";
}

TEST(LookAt, RefusesPartsThatMakeNoSense) {
  const std::string scan = Segment(0xDA, std::string(10, '\1')) + "data\xFF\xD9";
  EXPECT_EQ(FaultOf("\xFF\xD8\xFF\xD9"), PictureFault::kDamaged);
  EXPECT_EQ(FaultOf("\xFF\xD8" + scan), PictureFault::kDamaged) << "data before a size";
  EXPECT_EQ(FaultOf("\xFF\xD8" + Frame(400, 300) + "\xFF\xD9"), PictureFault::kDamaged)
      << "a size without data";
  EXPECT_EQ(FaultOf("\xFF\xD8" + Frame(400, 300) + Frame(9000, 9000) + scan), PictureFault::kDamaged)
      << "two sizes";
  EXPECT_EQ(FaultOf("\xFF\xD8" + Frame(400, 300, 0xC0, 4) + scan), PictureFault::kNotAPicture) << "CMYK";
  EXPECT_EQ(FaultOf("\xFF\xD8" + Frame(400, 300, 0xC2) + scan), PictureFault::kNone) << "progressive";
  EXPECT_EQ(FaultOf("\xFF\xD8" + Segment(0xC4, "table") + Frame(400, 300) + scan), PictureFault::kNone)
      << "a table is no frame";
  EXPECT_EQ(FaultOf(std::string("\xFF\xD8\xFF\xE0\0\1", 6) + Frame(400, 300) + scan), PictureFault::kDamaged)
      << "a length below itself";
  EXPECT_EQ(FaultOf(std::string("\x89PNG\r\n\x1A\n", 8) + Chunk("IDAT", "x") + Chunk("IEND", "")),
            PictureFault::kDamaged);
  EXPECT_EQ(FaultOf(std::string("\x89PNG\r\n\x1A\n", 8) + "\x7F\xFF\xFF\xFFIHDR"), PictureFault::kDamaged);
  const std::string png = Png(400, 300);
  EXPECT_EQ(FaultOf(png), PictureFault::kNone);
  EXPECT_EQ(FaultOf(png.substr(0, 33) + Chunk("IEND", "")), PictureFault::kDamaged) << "no data";
}

TEST(LookAt, CutOffAnywhereItIsRefused) {
  for (const std::string& whole : {Jpeg(400, 300, Exif(6, false)), Png(400, 300)}) {
    ASSERT_EQ(FaultOf(whole), PictureFault::kNone);
    for (size_t size = 0; size < whole.size(); ++size) {
      EXPECT_NE(FaultOf(whole.substr(0, size)), PictureFault::kNone) << size;
    }
  }
}

TEST(LookAt, LeavesWhatItWasGivenAloneWhenItRefuses) {
  Picture picture;
  picture.width = 7;
  EXPECT_NE(LookAt(Jpeg(99, 99), picture), PictureFault::kNone);
  EXPECT_EQ(picture.width, 7);
}

Picture Sized(int width, int height) {
  Picture picture;
  picture.width = width;
  picture.height = height;
  return picture;
}

TEST(Cuts, TheLargestIsInTheMiddle) {
  EXPECT_EQ(LargestCut(Sized(700, 900)), (Cut{0, 0, 700, 900}));
  EXPECT_EQ(LargestCut(Sized(1000, 900)), (Cut{150, 0, 700, 900}));
  EXPECT_EQ(LargestCut(Sized(700, 1000)), (Cut{0, 50, 700, 900}));
  EXPECT_EQ(LargestCut(Sized(100, 128)), (Cut{0, 0, 100, 128}));
}

TEST(Cuts, StayInsideAndAreNeverTooSmall) {
  const Picture picture = Sized(1000, 900);
  EXPECT_EQ(NearestCut(picture, -5, -5, 350), (Cut{0, 0, 350, 450}));
  EXPECT_EQ(NearestCut(picture, 99999, 99999, 350), (Cut{650, 450, 350, 450}));
  EXPECT_EQ(NearestCut(picture, 10, 10, 0), (Cut{10, 10, 100, 129}));
  EXPECT_EQ(NearestCut(picture, 0, 0, 99999), (Cut{0, 0, 700, 900}));
}

TEST(Cuts, MoveByATwentiethAndGrowByATenthAroundTheMiddle) {
  const Picture picture = Sized(1000, 900);
  const Cut cut{300, 200, 350, 450};
  EXPECT_EQ(MovedCut(picture, cut, "left"), (Cut{283, 200, 350, 450}));
  EXPECT_EQ(MovedCut(picture, cut, "right"), (Cut{317, 200, 350, 450}));
  EXPECT_EQ(MovedCut(picture, cut, "up"), (Cut{300, 183, 350, 450}));
  EXPECT_EQ(MovedCut(picture, cut, "down"), (Cut{300, 217, 350, 450}));
  EXPECT_EQ(MovedCut(picture, cut, "smaller"), (Cut{317, 222, 315, 405}));
  EXPECT_EQ(MovedCut(picture, cut, "larger"), (Cut{283, 178, 385, 495}));
  EXPECT_EQ(MovedCut(picture, cut, "none"), cut);
  EXPECT_EQ(MovedCut(picture, cut, "<script>"), cut);
}

TEST(Cuts, AreOfTheShapeThatTheCoreTakesForEverySize) {
  for (int width = 100; width <= 400; width += 7) {
    for (int height = 128; height <= 400; height += 5) {
      const Picture picture = Sized(width, height);
      for (int wish = 90; wish <= 410; wish += 11) {
        const Cut cut = NearestCut(picture, wish % 13, wish % 17, wish);
        ASSERT_GE(cut.width, kMinPictureWidth);
        ASSERT_GE(cut.height, kMinPictureHeight);
        ASSERT_LE(cut.left + cut.width, width);
        ASSERT_LE(cut.top + cut.height, height);
        ASSERT_LE(std::abs(cut.width * 45 - cut.height * 35) * 50, cut.height * 35) << width << " " << height;
      }
    }
  }
}

}  // namespace
}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
#include "server/photos/photo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "server/photos/raster.h"
#include "tests/support/portrait.h"

namespace waarborg::photos {
namespace {

using domain::Rule;

// Mean difference of two pictures of the same size, 0 to 255.
double Difference(const Raster& a, const Raster& b) {
  double sum = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(int{a.rgb[i]} - int{b.rgb[i]});
  return sum / static_cast<double>(a.rgb.size());
}

TEST(Normalise, MakesAnIdPhotoOfJpegAndPng) {
  for (const std::string& file : {testing::PortraitJpeg(2), testing::PortraitPng(2)}) {
    auto photo = Normalise(file);
    ASSERT_TRUE(photo.ok()) << photo.refusal().name();
    auto raster = DecodeJpeg(*photo);
    ASSERT_TRUE(raster.ok());
    EXPECT_EQ(raster->width, 413);
    EXPECT_EQ(raster->height, 531);
  }
}

TEST(Normalise, MetadataIsGone) {
  const std::string file = testing::PortraitJpeg(2);
  ASSERT_NE(file.find("PORTRAIT-METADATA"), std::string::npos);
  EXPECT_EQ(Normalise(file)->find("PORTRAIT-METADATA"), std::string::npos);
}

// A raster of one colour for each quarter, so that what was cut and turned shows.
Raster Quarters(int width, int height) {
  Raster r(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      uint8_t* p = r.At(x, y);
      p[0] = x < width / 2 ? 250 : 5;
      p[1] = y < height / 2 ? 250 : 5;
      p[2] = 100;
    }
  }
  return r;
}

// As a camera writes it: EXIF with an orientation behind the start of the JPEG.
std::string WithOrientation(const std::string& jpeg, int orientation, bool little) {
  std::string tiff =
      little ? std::string("II*\0\x08\0\0\0\x01\0", 10) : std::string("MM\0*\0\0\0\x08\0\x01", 10);
  const char value = static_cast<char>(orientation);
  tiff += little ? std::string("\x12\x01\x03\0\x01\0\0\0", 8) + value + std::string(3, '\0')
                 : std::string("\x01\x12\0\x03\0\0\0\x01\0", 9) + value + std::string(2, '\0');
  const std::string segment = std::string("Exif\0\0", 6) + tiff + std::string(4, '\0');
  const size_t length = segment.size() + 2;
  return jpeg.substr(0, 2) + "\xFF\xE1" + static_cast<char>(length >> 8) + static_cast<char>(length & 255) +
         segment + jpeg.substr(2);
}

TEST(Normalise, TakesThePartThatWasCutOut) {
  const std::string file = EncodeJpeg(Quarters(700, 900));
  // The lower right quarter: neither red nor green.
  const auto photo = Normalise(file, Crop{350, 450, 350, 450});
  ASSERT_TRUE(photo.ok()) << photo.refusal().name();
  const auto raster = DecodeJpeg(*photo);
  ASSERT_TRUE(raster.ok());
  EXPECT_EQ(raster->width, kWidth);
  EXPECT_EQ(raster->height, kHeight);
  EXPECT_LT(Difference(*raster, Raster(kWidth, kHeight, 5)), 40);
  for (const auto& [x, y] : {std::pair(0, 0), std::pair(kWidth - 1, 0), std::pair(0, kHeight - 1)}) {
    EXPECT_LT(raster->At(x, y)[0], 40) << "no grey edge and nothing of the other quarters";
    EXPECT_LT(raster->At(x, y)[1], 40);
  }
  // All of it is what no crop gives.
  EXPECT_EQ(*Normalise(file, Crop{0, 0, 700, 900}), *Normalise(file));
}

TEST(Normalise, RefusesACropThatIsOutsideTooSmallOrOfAnotherShape) {
  const std::string file = EncodeJpeg(Quarters(700, 900));
  const std::pair<Crop, Rule> cases[] = {
      {{-1, 0, 350, 450}, Rule::kCropOutside},
      {{0, -1, 350, 450}, Rule::kCropOutside},
      {{351, 0, 350, 450}, Rule::kCropOutside},
      {{0, 451, 350, 450}, Rule::kCropOutside},
      {{0, 0, 0, 450}, Rule::kCropOutside},
      {{0, 0, 350, -450}, Rule::kCropOutside},
      {{INT32_MAX, 0, INT32_MAX, 450}, Rule::kCropOutside},
      {{0, 0, 99, 128}, Rule::kPhotoTooSmall},
      {{0, 0, 100, 127}, Rule::kPhotoTooSmall},
      {{0, 0, 450, 450}, Rule::kCropOtherRatio},
      {{0, 0, 358, 450}, Rule::kCropOtherRatio},
      {{0, 0, 342, 450}, Rule::kCropOtherRatio},
  };
  for (const auto& [crop, rule] : cases) {
    const auto photo = Normalise(file, crop);
    ASSERT_FALSE(photo.ok()) << crop.left << " " << crop.top << " " << crop.width << " " << crop.height;
    EXPECT_EQ(photo.refusal().rule, rule) << photo.refusal().name();
  }
  for (const Crop& crop : {Crop{0, 0, 356, 450}, Crop{0, 0, 344, 450}, Crop{600, 772, 100, 128}}) {
    EXPECT_TRUE(Normalise(file, crop).ok()) << crop.width;
  }
}

TEST(Normalise, TurnsAPictureUprightAsItsExifSays) {
  // Which quarter of the picture as it is stored comes to the top left: red, green.
  const std::pair<bool, bool> top_left[] = {{true, true}, {false, true}, {false, false}, {true, false},
                                            {true, true}, {true, false}, {false, false}, {false, true}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (bool little : {true, false}) {
      const std::string file = WithOrientation(EncodeJpeg(Quarters(400, 300)), orientation, little);
      EXPECT_EQ(OrientationOf(file), orientation);
      const Raster upright = Upright(Quarters(400, 300), orientation);
      EXPECT_EQ(upright.width, orientation < 5 ? 400 : 300);
      EXPECT_EQ(upright.At(3, 3)[0] > 128, top_left[orientation - 1].first) << orientation;
      EXPECT_EQ(upright.At(3, 3)[1] > 128, top_left[orientation - 1].second) << orientation;
      EXPECT_TRUE(Normalise(file).ok());
    }
  }
  // A crop is of the picture as it is seen: lying it is 300 wide.
  const std::string lying = WithOrientation(EncodeJpeg(Quarters(400, 300)), 6, true);
  EXPECT_TRUE(Normalise(lying, Crop{90, 130, 210, 270}).ok());
  EXPECT_EQ(Normalise(lying, Crop{91, 130, 210, 270}).refusal().rule, Rule::kCropOutside);
  // Nonsense is no orientation, and cut off anywhere it is read no further than it goes.
  EXPECT_EQ(OrientationOf(WithOrientation(EncodeJpeg(Quarters(400, 300)), 9, true)), 1);
  for (size_t n = 0; n < 60; ++n) OrientationOf(lying.substr(0, n));
}

TEST(Normalise, RefusesWhatIsNotAWholePictureAndNothingElse) {
  const std::pair<const char*, Rule> cases[] = {
      {"text", Rule::kPhotoNotAnImage},        {"disguised", Rule::kPhotoNotAnImage},
      {"empty", Rule::kPhotoNotAnImage},       {"truncated-jpeg", Rule::kPhotoDamaged},
      {"truncated-png", Rule::kPhotoDamaged},  {"trailing", Rule::kPhotoDisguised},
      {"trailing-png", Rule::kPhotoDisguised}, {"too-large", Rule::kPhotoTooLarge},
      {"too-small", Rule::kPhotoTooSmall},     {"too-many-pixels", Rule::kPhotoTooManyPixels},
  };
  for (const auto& [name, rule] : cases) {
    auto photo = Normalise(testing::BadPhoto(name));
    ASSERT_FALSE(photo.ok()) << name;
    EXPECT_EQ(photo.refusal().rule, rule) << name << ": " << photo.refusal().name();
  }
}

TEST(Normalise, EveryTruncationIsRefused) {
  const std::string jpeg = testing::PortraitJpeg(4), png = testing::PortraitPng(4);
  for (const std::string& file : {jpeg, png}) {
    for (size_t size : {size_t{0}, size_t{3}, size_t{20}, file.size() / 7, file.size() / 2, file.size() - 100,
                        file.size() - 2, file.size() - 1}) {
      EXPECT_FALSE(Normalise(file.substr(0, size)).ok()) << size << " of " << file.size();
    }
  }
}

TEST(FitInto, NeverStretches) {
  Raster wide(400, 100, 0);
  const Raster out = FitInto(wide, 413, 531);
  EXPECT_EQ(out.At(206, 10)[0], 0xE6);
  EXPECT_EQ(out.At(206, 265)[0], 0);
}

TEST(Watermark, MarksThePictureAndLeavesTheFaceToBeSeen) {
  const std::string photo = *Normalise(testing::PortraitJpeg(5));
  auto marked = Watermark(photo, "Roos Roodborst", "Gemeentehuis receptie-1", "2026-03-02 09:00");
  ASSERT_TRUE(marked.ok());
  const Raster before = *DecodeJpeg(photo), after = *DecodeJpeg(*marked);
  const double difference = Difference(before, after);
  EXPECT_GT(difference, 1.0);
  EXPECT_LT(difference, 25.0);
  auto handed_out = Watermark(photo, "Roos Roodborst", "Gemeentehuis receptie-1", "2026-03-02 09:00",
                              "UITGEREIKT AAN POLITIE");
  ASSERT_TRUE(handed_out.ok());
  EXPECT_NE(*handed_out, *marked);
  auto other = Watermark(photo, "Ravi Reigersbos", "Gemeentehuis receptie-1", "2026-03-02 09:00");
  EXPECT_GT(Difference(after, *DecodeJpeg(*other)), 0.5);
}

TEST(Watermark, PortraitsAreDifferentEnoughToTellApart) {
  for (int a = 1; a <= 6; ++a) {
    for (int b = a + 1; b <= 6; ++b) {
      EXPECT_GT(Difference(*DecodeJpeg(*Normalise(testing::PortraitJpeg(a))),
                           *DecodeJpeg(*Normalise(testing::PortraitJpeg(b)))),
                8.0)
          << a << " and " << b;
    }
  }
}

}  // namespace
}  // namespace waarborg::photos

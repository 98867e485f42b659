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

// SPDX-License-Identifier: EUPL-1.2
#include "server/photos/child.h"

#include <gtest/gtest.h>

#include "server/photos/confine.h"
#include "server/photos/photo.h"
#include "tests/support/portrait.h"

namespace waarborg::photos {
namespace {

using domain::Rule;

const std::string kDecoder = WAARBORG_PROGRAM_FOLDER "/waarborg-decoder";
const std::string kEvil = WAARBORG_PROGRAM_FOLDER "/waarborg-evil-decoder";

Rule Refused(const domain::Outcome<std::string>& outcome) {
  return outcome.ok() ? Rule::kCount : outcome.refusal().rule;
}

TEST(NormaliseInChild, GivesWhatNormalisingHereGives) {
  for (const std::string& file : {testing::PortraitJpeg(1), testing::PortraitPng(1)}) {
    const auto photo = NormaliseInChild(kDecoder, file);
    ASSERT_TRUE(photo.ok()) << photo.refusal().name();
    EXPECT_TRUE(*photo == *Normalise(file));
  }
}

TEST(NormaliseInChild, RefusesWithTheSameReasons) {
  const std::string portrait = testing::PortraitJpeg(1);
  EXPECT_EQ(Refused(NormaliseInChild(kDecoder, "GIF89a")), Rule::kPhotoNotAnImage);
  EXPECT_EQ(Refused(NormaliseInChild(kDecoder, portrait.substr(0, 5000))), Rule::kPhotoDamaged);
  EXPECT_EQ(Refused(NormaliseInChild(kDecoder, portrait + "PK")), Rule::kPhotoDisguised);
  EXPECT_EQ(Refused(NormaliseInChild(kDecoder, "")), Rule::kPhotoNotAnImage);
}

TEST(NormaliseInChild, TakesAndRefusesACropAsNormalisingHereDoes) {
  const std::string portrait = testing::PortraitJpeg(1);
  const Crop crop{100, 120, 350, 450};
  const auto photo = NormaliseInChild(kDecoder, portrait, crop);
  ASSERT_TRUE(photo.ok()) << photo.refusal().name();
  EXPECT_TRUE(*photo == *Normalise(portrait, crop));
  EXPECT_FALSE(*photo == *Normalise(portrait));
  EXPECT_EQ(Refused(NormaliseInChild(kDecoder, portrait, Crop{-1, 0, 350, 450})), Rule::kCropOutside);
  EXPECT_EQ(Refused(NormaliseInChild(kDecoder, portrait, Crop{0, 0, 400, 400})), Rule::kCropOtherRatio);
}

TEST(NormaliseInChild, ADecoderThatIsNotThereIsOurOwnFault) {
  EXPECT_EQ(Refused(NormaliseInChild("/nowhere/waarborg-decoder", "x")), Rule::kInternal);
}

// The stand-in claims success after what it did, so each of these passes only because it was stopped.
TEST(NormaliseInChild, ATakenOverDecoderCanDoNothing) {
  if (!kConfines) GTEST_SKIP() << "nothing is confined in a build with a sanitizer";
  ASSERT_TRUE(NormaliseInChild(kEvil, "good").ok());
  for (const char* what : {"open a file", "write a file", "socket", "fork", "xexecute", "kill the parent",
                           "cpu for ever", "memory without end", "long answer", "not enough"}) {
    EXPECT_EQ(Refused(NormaliseInChild(kEvil, what)), Rule::kPhotoDamaged) << what;
  }
}

}  // namespace
}  // namespace waarborg::photos

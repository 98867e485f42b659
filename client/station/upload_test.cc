// SPDX-License-Identifier: EUPL-1.2
#include "client/station/upload.h"

#include <gtest/gtest.h>

namespace waarborg::station {
namespace {

std::shared_ptr<const HeldPicture> Some(const std::string& ban, const std::string& bytes) {
  return std::make_shared<const HeldPicture>(ban, bytes, Picture());
}

TEST(UploadPlace, HoldsOneForOneFileUnderTheNameOfTheLastPage) {
  base::SystemRandom random;
  UploadPlace place;
  EXPECT_EQ(place.For("LV-1"), nullptr);
  EXPECT_EQ(place.NewName(random), "");
  EXPECT_EQ(place.Named(""), nullptr);
  place.Put(Some("LV-1", "een"));
  EXPECT_EQ(place.For("LV-2"), nullptr) << "for another file";
  ASSERT_NE(place.For("LV-1"), nullptr);
  EXPECT_EQ(place.Named(""), nullptr) << "no page asked for a name yet";
  const std::string first = place.NewName(random);
  EXPECT_EQ(first.size(), 32u);
  ASSERT_NE(place.Named(first), nullptr);
  EXPECT_EQ(place.Named(first)->bytes, "een");
  const std::string second = place.NewName(random);
  EXPECT_EQ(place.Named(first), nullptr) << "of an earlier page";
  EXPECT_NE(place.Named(second), nullptr);
  place.Put(Some("LV-1", "twee"));
  EXPECT_EQ(place.Named(second), nullptr) << "another picture took its place";
  EXPECT_EQ(place.For("LV-1")->bytes, "twee");
  place.Clear();
  EXPECT_EQ(place.For("LV-1"), nullptr);
}

TEST(UploadPlace, LetsGoAfterTenMinutesButNotOfWhatIsBeingSent) {
  base::SystemRandom random;
  UploadPlace::Clock::time_point now;
  UploadPlace place([&now] { return now; });
  const auto weak = [&] {
    auto held = Some("LV-1", "foto");
    place.Put(held);
    return std::weak_ptr<const HeldPicture>(held);
  };
  std::weak_ptr<const HeldPicture> held = weak();
  const std::string name = place.NewName(random);
  now += UploadPlace::kStays;
  place.Sweep();
  EXPECT_NE(place.Named(name), nullptr);
  now += std::chrono::seconds(1);
  EXPECT_EQ(place.Named(name), nullptr);
  EXPECT_TRUE(held.expired()) << "nobody holds it any more";

  held = weak();
  auto sending = place.For("LV-1");
  now += std::chrono::minutes(11);
  place.Sweep();
  EXPECT_EQ(place.For("LV-1"), nullptr);
  EXPECT_EQ(sending->bytes, "foto");
  sending.reset();
  EXPECT_TRUE(held.expired());
}

}  // namespace
}  // namespace waarborg::station

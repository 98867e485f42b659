// SPDX-License-Identifier: EUPL-1.2
#include "client/station/seats.h"

#include <gtest/gtest.h>

#include <thread>

namespace waarborg::station {
namespace {

std::shared_ptr<Seat> Somebody(int idle_seconds = 600) {
  v1::Session session;
  session.set_idle_limit_seconds(idle_seconds);
  client::StationFiles files;
  files.server = "localhost:1";
  return std::make_shared<Seat>(client::Connection(files).WithToken("geheim"), session);
}

TEST(Seats, OneIsFoundByItsSecretUntilItIsLeft) {
  base::SystemRandom random;
  Seats seats(random);
  const auto seat = Somebody();
  const std::string secret = seats.Take(seat), other = seats.Take(Somebody());
  EXPECT_EQ(secret.size(), 64u);
  EXPECT_NE(secret, other);
  EXPECT_EQ(seats.Find(secret), seat);
  EXPECT_EQ(seats.Find(secret.substr(1)), nullptr);
  EXPECT_EQ(seats.Find(""), nullptr);
  seats.Leave(secret);
  EXPECT_EQ(seats.Find(secret), nullptr);
  EXPECT_TRUE(seat->ended());
  EXPECT_NE(seats.Find(other), nullptr);
  seats.Leave(secret);
}

TEST(Seats, APhotoIsFetchedOnceUnderItsNameAndGoesWithTheSeat) {
  base::SystemRandom random;
  Seats seats(random);
  const auto seat = Somebody();
  const std::string secret = seats.Take(seat);
  const std::string name = seat->HoldPhoto("jpeg", random);
  EXPECT_EQ(seat->TakePhoto("x"), "");
  EXPECT_EQ(seat->TakePhoto(""), "");
  EXPECT_EQ(seat->TakePhoto(name), "jpeg");
  EXPECT_EQ(seat->TakePhoto(name), "");
  const std::string first = seat->HoldPhoto("een", random), second = seat->HoldPhoto("twee", random);
  EXPECT_EQ(seat->TakePhoto(first), "") << "one at a time";
  seats.Leave(secret);
  EXPECT_EQ(seat->TakePhoto(second), "");
}

TEST(Seats, APictureThatWasSentInGoesWithTheSeat) {
  base::SystemRandom random;
  Seats seats(random);
  const auto seat = Somebody();
  const std::string secret = seats.Take(seat);
  seat->upload().Put(std::make_shared<const HeldPicture>("LV-1", "jpeg", Picture()));
  seats.Sweep();
  EXPECT_NE(seat->upload().For("LV-1"), nullptr);
  seats.Leave(secret);
  EXPECT_EQ(seat->upload().For("LV-1"), nullptr);
}

TEST(Seats, ANoticeIsShownOnce) {
  const auto seat = Somebody();
  seat->Tell("gedaan");
  EXPECT_EQ(seat->TakeNotice(), "gedaan");
  EXPECT_EQ(seat->TakeNotice(), "");
}

}  // namespace
}  // namespace waarborg::station

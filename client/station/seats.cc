// SPDX-License-Identifier: EUPL-1.2
#include "client/station/seats.h"

#include <utility>

#include "server/base/hex.h"
#include "server/base/secret.h"

namespace waarborg::station {

namespace {
// As long as a photo may stand on the screen; the page takes it away itself, this is for when it does not.
constexpr auto kPhotoStays = std::chrono::seconds(30);
// After the core's own limit, so that the core says when it is over.
constexpr auto kGrace = std::chrono::seconds(5);
}  // namespace

Seat::~Seat() {
  base::Wipe(photo_);
}

bool Seat::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

void Seat::Tell(std::string notice) {
  const std::lock_guard lock(mutex_);
  notice_ = std::move(notice);
}

std::string Seat::TakeNotice() {
  const std::lock_guard lock(mutex_);
  return std::exchange(notice_, {});
}

std::string Seat::HoldPhoto(std::string jpeg, base::Random& random) {
  const std::lock_guard lock(mutex_);
  base::Wipe(photo_);
  photo_ = std::move(jpeg);
  photo_name_ = base::ToHex(random.Bytes(16));
  photo_until_ = Clock::now() + kPhotoStays;
  return photo_name_;
}

std::string Seat::TakePhoto(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (photo_name_.empty() || !base::ConstantTimeEquals(name, photo_name_) || Clock::now() > photo_until_)
    return "";
  photo_name_.clear();
  return std::exchange(photo_, {});
}

void Seat::Sweep() {
  const std::lock_guard lock(mutex_);
  if (!photo_.empty() && (ended_ || Clock::now() > photo_until_)) {
    base::Wipe(photo_);
    photo_.clear();
    photo_name_.clear();
  }
  if (ended_) {
    upload_.Clear();
  } else {
    upload_.Sweep();
  }
}

std::string Seats::Take(std::shared_ptr<Seat> seat) {
  std::string secret = base::ToHex(random_.Bytes(32));
  const std::lock_guard lock(mutex_);
  seats_.emplace(secret, std::move(seat));
  return secret;
}

std::shared_ptr<Seat> Seats::Find(const std::string& secret) {
  const std::lock_guard lock(mutex_);
  const auto found = seats_.find(secret);
  if (found == seats_.end()) return nullptr;
  const std::lock_guard seat_lock(found->second->mutex_);
  found->second->used_ = Seat::Clock::now();
  return found->second;
}

void Seats::Leave(const std::string& secret) {
  std::shared_ptr<Seat> seat;
  {
    const std::lock_guard lock(mutex_);
    const auto found = seats_.find(secret);
    if (found == seats_.end()) return;
    seat = std::move(found->second);
    seats_.erase(found);
  }
  {
    const std::lock_guard lock(seat->mutex_);
    seat->ended_ = true;
  }
  seat->Sweep();
}

void Seats::Sweep() {
  std::vector<std::string> over;
  std::vector<std::shared_ptr<Seat>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [secret, seat] : seats_) {
      const std::lock_guard seat_lock(seat->mutex_);
      const auto limit = std::chrono::seconds(seat->session.idle_limit_seconds()) + kGrace;
      if (Seat::Clock::now() - seat->used_ > limit) over.push_back(secret);
      all.push_back(seat);
    }
  }
  for (const std::string& secret : over) Leave(secret);
  for (const auto& seat : all) seat->Sweep();
}

}  // namespace waarborg::station

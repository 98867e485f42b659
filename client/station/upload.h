// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "client/station/picture.h"
#include "server/base/random.h"

// A picture on its way from a browser to the core, while somebody cuts it. It is in memory only, wiped when
// it goes, and stays ten minutes at most.
namespace waarborg::station {

// The picture itself; wiped with the last who holds it.
struct HeldPicture {
  HeldPicture(std::string ban, std::string file, const Picture& about)
      : ban_id(std::move(ban)), bytes(std::move(file)), picture(about) {}
  ~HeldPicture();
  HeldPicture(const HeldPicture&) = delete;
  HeldPicture& operator=(const HeldPicture&) = delete;

  const std::string ban_id;  // file it is meant for
  std::string bytes;
  const Picture picture;
};

// The place for one of them. Safe from any thread.
class UploadPlace {
 public:
  using Clock = std::chrono::steady_clock;
  explicit UploadPlace(std::function<Clock::time_point()> now = &Clock::now) : now_(std::move(now)) {}

  static constexpr auto kStays = std::chrono::minutes(10);

  // Takes the place of an earlier one.
  void Put(std::shared_ptr<const HeldPicture> upload);
  // The one for this file; null when there is none, or its time has passed.
  std::shared_ptr<const HeldPicture> For(const std::string& ban_id);
  // A name for the page that is being made, under which it fetches the picture; names of earlier pages hold
  // no more. Empty without a picture.
  std::string NewName(base::Random& random);
  // The picture under that name; null when the name does not hold.
  std::shared_ptr<const HeldPicture> Named(const std::string& name);
  void Clear();
  // Lets go of one whose time has passed.
  void Sweep();

 private:
  void SweepLocked();
  const std::function<Clock::time_point()> now_;
  std::mutex mutex_;
  std::shared_ptr<const HeldPicture> upload_;
  std::string name_;
  Clock::time_point until_;
};

}  // namespace waarborg::station

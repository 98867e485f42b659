// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "absl/time/time.h"
#include "server/base/clock.h"

namespace waarborg::journal {

// Turns the system's clock into a time that can be worked with: it never goes back, and a jump forward is
// believed only when the system says that its clock is synchronised, or when two people have said so. Bans
// end and photos are destroyed by this time, so a wrong clock must not be able to end them. On the writer's
// thread.
class Timekeeper {
 public:
  // How far the clock may run ahead of an even pace on its own word.
  static constexpr absl::Duration kOnItsWord = absl::Hours(1);

  // `newest` is the time of the newest entry; InfinitePast when there is none, and then the clock is
  // believed.
  void Start(const base::Clock& clock, absl::Time newest);

  // Looks at the clock. The instant to work with: never before an earlier one; it stands still while the
  // clock is behind it, or in doubt.
  absl::Time Look();
  absl::Time now() const { return now_; }
  // The clock runs ahead without being synchronised. Nothing may be concluded from its time.
  bool in_doubt() const { return in_doubt_; }
  // The clock is more than a minute behind what was written already.
  bool behind() const { return reading_ + absl::Minutes(1) < now_; }
  // What the clock itself says; for one-time codes, which telephones make by the true time.
  absl::Time reading() const { return reading_; }
  // Two people have looked: the clock is right.
  void Believe();

 private:
  const base::Clock* clock_ = nullptr;
  absl::Time now_;      // what Look answered last
  absl::Time reading_;  // what the clock said last
  // At `anchor_running_` of the even pace it was `anchor_time_` at the latest.
  absl::Time anchor_time_;
  absl::Duration anchor_running_;
  bool in_doubt_ = false;
};

}  // namespace waarborg::journal

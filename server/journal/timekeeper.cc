// SPDX-License-Identifier: EUPL-1.2
#include "server/journal/timekeeper.h"

#include <algorithm>

namespace waarborg::journal {

void Timekeeper::Start(const base::Clock& clock, absl::Time newest) {
  clock_ = &clock;
  reading_ = clock.Now();
  now_ = newest == absl::InfinitePast() ? reading_ : newest;
  anchor_time_ = now_;
  anchor_running_ = clock.Running();
}

absl::Time Timekeeper::Look() {
  reading_ = clock_->Now();
  const absl::Time expected = anchor_time_ + (clock_->Running() - anchor_running_);
  if (reading_ <= expected + kOnItsWord) {
    in_doubt_ = false;
  } else if (clock_->Synchronised()) {
    Believe();
  } else {
    in_doubt_ = true;
  }
  if (!in_doubt_) now_ = std::max(now_, reading_);
  return now_;
}

void Timekeeper::Believe() {
  reading_ = clock_->Now();
  anchor_time_ = reading_;
  anchor_running_ = clock_->Running();
  in_doubt_ = false;
}

}  // namespace waarborg::journal

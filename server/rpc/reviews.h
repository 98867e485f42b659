// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "server/state/world.h"

namespace waarborg::rpc {

// How far the log was reviewed.
struct Reviewed {
  std::vector<std::pair<absl::Time, absl::Time>> gaps;  // not reviewed, oldest first, up to now
  absl::Time due_at = absl::InfiniteFuture();           // when the oldest gap must have been looked at
  bool overdue = false;
};

// `begun` is when the log began.
Reviewed LookAtReviews(const state::World& world, absl::Time begun, absl::Time now);

}  // namespace waarborg::rpc

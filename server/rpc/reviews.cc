// SPDX-License-Identifier: EUPL-1.2
#include "server/rpc/reviews.h"

#include <algorithm>

namespace waarborg::rpc {

Reviewed LookAtReviews(const state::World& world, absl::Time begun, absl::Time now) {
  std::vector<std::pair<absl::Time, absl::Time>> periods;
  for (const auto& [id, review] : world.reviews()) {
    periods.emplace_back(absl::FromUnixMillis(review.from_ms()), absl::FromUnixMillis(review.until_ms()));
  }
  std::sort(periods.begin(), periods.end());
  Reviewed out;
  absl::Time until = begun;
  for (const auto& [from, end] : periods) {
    if (from > until) out.gaps.emplace_back(until, from);
    until = std::max(until, end);
  }
  if (until < now) out.gaps.emplace_back(until, now);
  if (!out.gaps.empty()) {
    out.due_at = out.gaps.front().first + absl::Hours(24) * world.municipality().review_every_days;
  }
  out.overdue = out.due_at <= now;
  return out;
}

}  // namespace waarborg::rpc

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/journal/journal.h"
#include "waarborg/v1/health.pb.h"

namespace waarborg::rpc {

// What the promises are judged by.
struct HouseState {
  journal::Journal::Condition condition;
  absl::Time certificate_until;
  absl::Time now;
  bool published = true;         // the log can be published
  bool witnessed = true;         // the newest checkpoint has its quorum, or none is asked for
  bool reviews_overdue = false;  // part of the log should have been reviewed
};

// How each promise stands. Pure.
std::vector<waarborg::v1::PromiseHealth> Promises(const HouseState& house);

}  // namespace waarborg::rpc

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/domain/ban.h"
#include "server/domain/municipality.h"
#include "server/domain/types.h"

namespace waarborg::domain {

// What waits for somebody. Numbers as in the API.
enum class TaskKind {
  kUnspecified = 0,
  kCompleteFile,        // something that a decision needs is missing
  kAdvise,              // the board decides, and the secretary has not advised
  kDecideBan,           // a proposal is ready
  kConfirmDenial,       // a denial on the spot is ready, and lapses
  kRecordInformed,      // the person concerned has to be told about the photo
  kRequestRelease,      // consent can be asked for
  kDecideConsent,       // consent was asked for
  kSupplyPhoto,         // consented; again after a wrong photo
  kReleasePhoto,        // supplied
  kConfirmCopiesGone,   // a unit has to confirm that it has no copy left
  kCopiesOverdue,       // a unit has not confirmed within its term
  kHandOverFile,        // the file has to go to the archive before its term ends
  kDestructionOverdue,  // of the house, not of a file: a key should be gone and is not
  kCount,
};

// A task: read off from the file, never kept. Whether one person may do it is for the policy table.
struct Task {
  TaskKind kind = TaskKind::kUnspecified;
  std::string ban_id;
  RoleSet roles;                     // any of them does it
  std::string person_id;             // only this one of them, or a deputy in their place; empty: anybody
  std::string unit_id;               // the unit it is about
  std::optional<absl::Time> due_at;  // first instant at which it is overdue
  bool reminded = false;
  int handed_out = 0;  // how often a photo was handed out as a file to the unit that has to confirm

  bool Overdue(absl::Time now) const { return due_at && *due_at <= now; }
};

// The task of the house when destruction has been due since then; nothing while there is time.
std::optional<Task> DestructionTask(absl::Time due, absl::Time now);
// From then on it is overdue: no photo needs this long.
inline constexpr absl::Duration kDestructionGrace = absl::Seconds(10);

// The tasks that follow from where the file stands, in the order of the procedure.
std::vector<Task> TasksOf(const Municipality& m, const Ban& ban, absl::Time now);

}  // namespace waarborg::domain

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <vector>

#include "waarborg/v1/audit.pb.h"

// Entries of the log as rows of a table, the same from the command line and from a page.
namespace waarborg::client {

// A question is answered whole up to here; beyond it the period has to be narrower.
inline constexpr int kMostEntries = 100'000;

// The line of headings.
std::vector<std::string> EntryColumns();
// One entry. Of one that was destroyed or damaged the result says so, and nothing else is known.
std::vector<std::string> EntryRow(const waarborg::v1::AuditEntry& entry);

}  // namespace waarborg::client

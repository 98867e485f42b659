// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/result.h"

// What a record says, for people. The only part of this library that knows the words of
// waarborg.v1.AuditRecord.
namespace waarborg::audit {

// Fields that are set, in the order of their numbers: name and value ("role", "civil-affairs"; "at",
// "2026-03-02 14:05:09.123 UTC"). An error when the bytes are not an AuditRecord in its one canonical form,
// or hold a field that this version does not know.
using RecordFields = std::vector<std::pair<std::string, std::string>>;
Result<RecordFields> ReadRecord(std::string_view record);

// The log that this one goes on from, when the record says so.
std::optional<Checkpoint> PreviousOf(std::string_view record);

}  // namespace waarborg::audit

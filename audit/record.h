// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/result.h"

namespace waarborg::v1 {
class AuditRecord;
}

// What a record says, for people. With `certificate` the only part of this library that knows the words of
// waarborg.v1.AuditRecord.
namespace waarborg::audit {

// Whether the bytes are an AuditRecord in its one canonical form, without a field that this version does not
// know. If not, what `out` holds means nothing.
bool ParseRecord(std::string_view bytes, waarborg::v1::AuditRecord& out);

// A moment of a record, in milliseconds since 1970: "2026-03-02 14:05:09.123 UTC". The number alone when
// there is no such date.
std::string TimeText(int64_t ms);

// Fields that are set, in the order of their numbers: name and value ("role", "civil-affairs"; "at",
// "2026-03-02 14:05:09.123 UTC"); one that is repeated comes once for each value. An error when ParseRecord
// refuses the bytes.
using RecordFields = std::vector<std::pair<std::string, std::string>>;
Result<RecordFields> ReadRecord(std::string_view record);

// The log that this one goes on from, when the record says so.
std::optional<Checkpoint> PreviousOf(std::string_view record);

}  // namespace waarborg::audit

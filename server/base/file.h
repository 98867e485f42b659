// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace waarborg::base {

// Files that must survive a power cut. Errors name the path and what the operating system said.

// The whole file.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Writes beside the place, syncs, renames over it and syncs the folder: afterwards the file is whole and on
// disk; on an error what was there before is still there.
absl::Status WriteFileDurably(const std::string& path, std::string_view content, unsigned mode = 0600);

// Renames over what is there and syncs the folder of the new name; the content must be on disk already.
absl::Status RenameDurably(const std::string& from, const std::string& to);

// Appends and syncs the data.
absl::Status AppendDurably(const std::string& path, std::string_view content);

// Overwrites with zeros, syncs, unlinks and syncs the folder. What a disk keeps of the old blocks is beyond a
// program. A file that is not there is no error.
absl::Status OverwriteAndRemove(const std::string& path);

}  // namespace waarborg::base

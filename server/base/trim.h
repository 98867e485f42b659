// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>

#include "absl/status/status.h"

namespace waarborg::base {

// Has the file system of this folder hand every block that is free to the disk to discard. With `discard`
// among its mount options it does so by itself, when its journal is committed, and that is waited for; else
// it is asked to (FITRIM), which needs CAP_SYS_ADMIN. An error when neither can be: what a disk keeps of
// freed blocks is then its own affair, and so it is with pieces smaller than the disk discards. Blocks; may
// take seconds.
absl::Status TrimFreed(const std::string& folder);

}  // namespace waarborg::base

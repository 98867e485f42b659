// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace waarborg::journal {

// Files for others to read, below one folder. A seam, so that a test can stop between any two writes. Safe
// from any thread.
class LogFiles {
 public:
  virtual ~LogFiles() = default;
  // NotFound when there is none.
  virtual absl::StatusOr<std::string> Read(const std::string& path) const = 0;
  // A reader sees the old file or the new one, whole. With `durable` it is on disk when this returns.
  virtual absl::Status Write(const std::string& path, std::string_view bytes, bool durable) = 0;
  // A file, or a folder with everything in it; none is no error.
  virtual absl::Status Remove(const std::string& path) = 0;
  // Where they are on disk; empty when nowhere.
  virtual std::string folder() const = 0;
};

// Made when not there. Files can be read by everybody when `open_to_all`: a web server may publish them.
absl::StatusOr<std::unique_ptr<LogFiles>> OpenLogFiles(const std::string& folder, bool open_to_all);

}  // namespace waarborg::journal

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <memory>
#include <string>

#include "server/base/clock.h"

namespace waarborg::base {

// A clock that another process sets: a file of three numbers of 8 bytes in the machine's byte order, mapped
// into memory: milliseconds since 1970; 1 when the clock is not synchronised; and 0 when it stands still,
// else the machine's running time (CLOCK_BOOTTIME, in milliseconds) at which it was set, and from which it
// runs. Linked only into the test-clock build of the server and into the tests' tools.
class FileClock : public Clock {
 public:
  // Null when the file is not there or not of that size.
  static std::unique_ptr<FileClock> Open(const std::string& path);
  ~FileClock() override;
  absl::Time Now() const override;
  absl::Duration Running() const override { return absl::ZeroDuration(); }
  bool Synchronised() const override;

  // Makes or sets the file.
  static bool Set(const std::string& path, absl::Time t, bool synchronised = true, bool runs = false);
  // Whether it runs.
  bool runs() const;

 private:
  explicit FileClock(const int64_t* ms) : ms_(ms) {}
  const int64_t* ms_;
};

}  // namespace waarborg::base

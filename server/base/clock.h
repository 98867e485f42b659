// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <atomic>
#include <string>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace waarborg::base {

// The one source of time. Implementations are safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  // The present instant, in whole milliseconds.
  virtual absl::Time Now() const = 0;
  // Time since some fixed moment, which runs evenly whatever is done to the clock; while the machine sleeps
  // too.
  virtual absl::Duration Running() const = 0;
  // Whether the operating system holds the clock to be synchronised with a time server.
  virtual bool Synchronised() const = 0;
};

class SystemClock : public Clock {
 public:
  absl::Time Now() const override;
  absl::Duration Running() const override;
  bool Synchronised() const override;
};

// A clock that stands still until somebody moves it. For tests and the demo only.
class ManualClock : public Clock {
 public:
  explicit ManualClock(absl::Time start) : ms_(absl::ToUnixMillis(start)) {}
  absl::Time Now() const override { return absl::FromUnixMillis(ms_.load()); }
  absl::Duration Running() const override { return absl::ZeroDuration(); }
  bool Synchronised() const override { return synchronised_; }
  void Set(absl::Time t) { ms_.store(absl::ToUnixMillis(t)); }
  void SetSynchronised(bool synchronised) { synchronised_ = synchronised; }

 private:
  std::atomic<bool> synchronised_ = true;
  std::atomic<int64_t> ms_;
};

// Europe/Amsterdam. Ends the process with a message when the system has no time zone data: every date of this
// program depends on it.
absl::TimeZone Amsterdam();

// First instant of a local day, and the first instant after it. "To and including" a day means: until
// EndOfDay.
absl::Time StartOfDay(absl::CivilDay day);
absl::Time EndOfDay(absl::CivilDay day);

// The local day at an instant.
absl::CivilDay LocalDay(absl::Time t);

// "2026-03-02 14:05", local time.
std::string FormatLocal(absl::Time t);

}  // namespace waarborg::base

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

// Locks that clang checks with -Wthread-safety: what is guarded by which lock stands beside the data.
#if defined(__clang__)
#define WB_ATTRIBUTE(x) __attribute__((x))
#else
#define WB_ATTRIBUTE(x)
#endif
#define WB_GUARDED_BY(x) WB_ATTRIBUTE(guarded_by(x))

namespace waarborg::base {

class WB_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() WB_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() WB_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

// Holds a mutex for a scope.
class WB_ATTRIBUTE(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& mutex) WB_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) { mutex_.lock(); }
  ~Lock() WB_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Mutex& mutex_;
};

class Condition {
 public:
  // Gives the mutex up while it waits; may return without a notification.
  void Wait(Mutex& mutex) WB_ATTRIBUTE(requires_capability(mutex)) { condition_.wait(mutex); }
  void WaitFor(Mutex& mutex, std::chrono::milliseconds longest) WB_ATTRIBUTE(requires_capability(mutex)) {
    condition_.wait_for(mutex, longest);
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable_any condition_;
};

}  // namespace waarborg::base

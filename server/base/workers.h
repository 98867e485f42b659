// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "server/base/mutex.h"

namespace waarborg::base {

// A few threads for what takes milliseconds or more (passwords, pictures, long reads), with a bounded queue.
class Workers {
 public:
  Workers(size_t threads, size_t max_queue);
  ~Workers();  // finishes what was taken
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // False when the queue is full or the pool is stopping.
  bool Submit(std::function<void()> work);
  // Takes no more, finishes what was taken, ends the threads.
  void Stop();

 private:
  void Loop();

  size_t max_queue_;
  Mutex mutex_;
  Condition wake_;
  std::deque<std::function<void()>> queue_ WB_GUARDED_BY(mutex_);
  bool stopping_ WB_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace waarborg::base

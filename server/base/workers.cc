// SPDX-License-Identifier: EUPL-1.2
#include "server/base/workers.h"

#include <utility>

namespace waarborg::base {

Workers::Workers(size_t threads, size_t max_queue) : max_queue_(max_queue) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
}

Workers::~Workers() {
  Stop();
}

bool Workers::Submit(std::function<void()> work) {
  {
    Lock lock(mutex_);
    if (stopping_ || queue_.size() >= max_queue_) return false;
    queue_.push_back(std::move(work));
  }
  wake_.NotifyOne();
  return true;
}

void Workers::Stop() {
  {
    Lock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  for (std::thread& t : threads_) {
    if (t.joinable()) t.join();
  }
}

void Workers::Loop() {
  for (;;) {
    std::function<void()> work;
    {
      Lock lock(mutex_);
      while (!stopping_ && queue_.empty()) wake_.Wait(mutex_);
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace waarborg::base

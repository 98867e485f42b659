// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace waarborg::state {

// Counts what happens for each key, in windows that begin with its first event. `now` is the clock's own
// reading; when that goes back, a new window begins, so that a clock set right locks nobody out. Memory is
// bounded: when more keys are kept than anybody needs, those whose window has passed go, and if that is not
// enough all do.
class Meter {
 public:
  explicit Meter(absl::Duration window) : window_(window) {}

  // How often in the window that runs at `now`, without counting.
  int Peek(const std::string& key, absl::Time now) const {
    auto it = counts_.find(key);
    return it == counts_.end() || Passed(it->second, now) ? 0 : it->second.count;
  }
  // Counts one more and returns how often, this one included.
  int Count(const std::string& key, absl::Time now) {
    if (counts_.size() > kMaxKeys) Sweep(now);
    Window& w = counts_[key];
    if (w.count == 0 || Passed(w, now)) w = {now, 0};
    return ++w.count;
  }

 private:
  static constexpr size_t kMaxKeys = 10000;
  struct Window {
    absl::Time from;
    int count = 0;
  };
  bool Passed(const Window& w, absl::Time now) const { return w.from + window_ <= now || now < w.from; }
  void Sweep(absl::Time now) {
    absl::erase_if(counts_, [&](const auto& c) { return Passed(c.second, now); });
    if (counts_.size() > kMaxKeys) counts_.clear();
  }

  absl::Duration window_;
  absl::flat_hash_map<std::string, Window> counts_;
};

}  // namespace waarborg::state

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/mutex.h"
#include "server/store/store.h"

namespace waarborg::testing {

// A store in memory that fails when told to. `rows` is for the test's own thread, while nobody else is at
// work.
class MemoryStore : public store::Store {
 public:
  absl::StatusOr<std::string> Get(std::string_view key) const override {
    const base::Lock lock(mutex_);
    auto it = rows.find(key);
    if (it == rows.end()) return absl::NotFoundError("no such key");
    return it->second;
  }
  // What is there when it begins: `each` may come back to the store.
  absl::Status Scan(std::string_view prefix, std::string_view from, const Each& each) const override {
    std::vector<std::pair<std::string, std::string>> found;
    {
      const base::Lock lock(mutex_);
      for (auto it = rows.lower_bound(std::max(prefix, from));
           it != rows.end() && it->first.starts_with(prefix); ++it) {
        found.emplace_back(*it);
      }
    }
    for (const auto& [key, value] : found) {
      if (!each(key, value)) break;
    }
    return absl::OkStatus();
  }
  absl::Status ScanBack(std::string_view prefix, std::string_view from, const Each& each) const override {
    std::vector<std::pair<std::string, std::string>> found;
    {
      const base::Lock lock(mutex_);
      for (auto it = rows.upper_bound(from); it != rows.begin();) {
        --it;
        if (!it->first.starts_with(prefix)) break;
        found.emplace_back(*it);
      }
    }
    for (const auto& [key, value] : found) {
      if (!each(key, value)) break;
    }
    return absl::OkStatus();
  }
  std::unique_ptr<store::Cursor> NewCursor() const override { return std::make_unique<MemoryCursor>(rows); }
  absl::Status Commit(const store::Batch& batch) override {
    const base::Lock lock(mutex_);
    if (commits_left == 0) return absl::UnavailableError("no space left on device");
    if (commits_left > 0) --commits_left;
    for (const auto& w : batch.writes) {
      if (w.remove) {
        rows.erase(w.key);
      } else {
        rows[w.key] = w.value;
      }
    }
    return absl::OkStatus();
  }
  absl::Status Snapshot(const std::string&) const override {
    return absl::UnimplementedError("a store in memory has no folder");
  }
  absl::Status Erase(const std::vector<std::string>& keys) override {
    if (on_erase) on_erase();
    const base::Lock lock(mutex_);
    for (const std::string& key : keys) rows.erase(key);
    return absl::OkStatus();
  }

  using Rows = std::map<std::string, std::string, std::less<>>;
  Rows rows;
  int commits_left = -1;           // -1: no limit
  std::function<void()> on_erase;  // called before rows are erased, on the thread that does it

 private:
  mutable base::Mutex mutex_;

  class MemoryCursor : public store::Cursor {
   public:
    explicit MemoryCursor(const Rows& rows) : rows_(rows) {}
    bool SeekBack(std::string_view key) override {
      auto it = rows_.upper_bound(key);
      if (it == rows_.begin()) return false;
      --it;
      at_ = it->first;
      value_ = it->second;
      return true;
    }
    std::string_view key() const override { return at_; }
    std::string_view value() const override { return value_; }
    absl::Status status() const override { return absl::OkStatus(); }

   private:
    const Rows& rows_;
    std::string at_, value_;
  };
};

}  // namespace waarborg::testing

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <unistd.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "server/base/mutex.h"
#include "server/store/store.h"

namespace waarborg::testing {

// Faults on purpose, for the test build only.
//   late     says that a batch is durable and writes it when the next one comes: what was acknowledged last
//   is lost
//            in a crash, and tests/crash must notice
//   failing  no batch is durable while a file named "fail" stands in the working folder
class FaultyStore : public store::Store {
 public:
  FaultyStore(std::unique_ptr<store::Store> store, bool late) : store_(std::move(store)), is_late_(late) {}

  absl::StatusOr<std::string> Get(std::string_view key) const override {
    const base::Lock lock(mutex_);
    if (late_) {
      for (auto it = late_->writes.rbegin(); it != late_->writes.rend(); ++it) {
        if (it->key != key) continue;
        if (it->remove) return absl::NotFoundError("no such key");
        return it->value;
      }
    }
    return store_->Get(key);
  }
  // With what is late among the rest, as it would be read: what is not on the disk yet is in memory.
  absl::Status Scan(std::string_view prefix, std::string_view from, const Each& each) const override {
    std::map<std::string, std::string> late;
    {
      const base::Lock lock(mutex_);
      if (late_) {
        for (const auto& w : late_->writes) {
          if (!w.remove && w.key.starts_with(prefix) && w.key >= from) late[w.key] = w.value;
        }
      }
    }
    bool more = true;
    auto next = late.begin();
    auto s = store_->Scan(prefix, from, [&](std::string_view key, std::string_view value) {
      for (; more && next != late.end() && next->first < key; ++next) more = each(next->first, next->second);
      if (more && next != late.end() && next->first == key) {
        more = each(next->first, next->second);
        ++next;
      } else if (more) {
        more = each(key, value);
      }
      return more;
    });
    for (; s.ok() && more && next != late.end(); ++next) more = each(next->first, next->second);
    return s;
  }
  absl::Status ScanBack(std::string_view prefix, std::string_view from, const Each& each) const override {
    return store_->ScanBack(prefix, from, each);
  }
  std::unique_ptr<store::Cursor> NewCursor() const override { return store_->NewCursor(); }
  absl::Status Commit(const store::Batch& batch) override {
    if (!is_late_) {
      if (::access("fail", F_OK) == 0)
        return absl::UnavailableError("fdatasync: Input/output error (on purpose)");
      return store_->Commit(batch);
    }
    if (late_) {
      if (auto s = store_->Commit(*late_); !s.ok()) return s;
    }
    const base::Lock lock(mutex_);
    late_ = batch;
    return absl::OkStatus();
  }
  absl::Status Snapshot(const std::string& folder) const override { return store_->Snapshot(folder); }
  absl::Status Erase(const std::vector<std::string>& keys) override { return store_->Erase(keys); }

 private:
  std::unique_ptr<store::Store> store_;
  bool is_late_;
  mutable base::Mutex mutex_;
  std::optional<store::Batch> late_;  // changed by the writer alone
};

}  // namespace waarborg::testing

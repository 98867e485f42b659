// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

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
    if (late_) {
      for (auto it = late_->writes.rbegin(); it != late_->writes.rend(); ++it) {
        if (it->key != key) continue;
        if (it->remove) return absl::NotFoundError("no such key");
        return it->value;
      }
    }
    return store_->Get(key);
  }
  absl::Status Scan(std::string_view prefix, std::string_view from, const Each& each) const override {
    return store_->Scan(prefix, from, each);
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
    late_ = batch;
    return absl::OkStatus();
  }
  absl::Status Compact(std::string_view prefix) override { return store_->Compact(prefix); }

 private:
  std::unique_ptr<store::Store> store_;
  bool is_late_;
  std::optional<store::Batch> late_;
};

}  // namespace waarborg::testing

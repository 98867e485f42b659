// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "server/store/store.h"

namespace waarborg::testing {

// A fault on purpose, for the test build only: says that a batch is durable and writes it when the next one
// comes. What was acknowledged last is lost in a crash; tests/crash must notice.
class LateStore : public store::Store {
 public:
  explicit LateStore(std::unique_ptr<store::Store> store) : store_(std::move(store)) {}

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
  absl::Status Commit(const store::Batch& batch) override {
    if (late_) {
      if (auto s = store_->Commit(*late_); !s.ok()) return s;
    }
    late_ = batch;
    return absl::OkStatus();
  }
  absl::Status Compact(std::string_view prefix) override { return store_->Compact(prefix); }

 private:
  std::unique_ptr<store::Store> store_;
  std::optional<store::Batch> late_;
};

}  // namespace waarborg::testing

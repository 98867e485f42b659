// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace waarborg::store {

// Changes that become durable together or not at all.
struct Batch {
  struct Write {
    std::string key;
    std::string value;
    bool remove = false;
  };
  std::vector<Write> writes;
  void Put(std::string key, std::string value) {
    writes.push_back({std::move(key), std::move(value), false});
  }
  void Delete(std::string key) { writes.push_back({std::move(key), "", true}); }
};

// A place among the keys, as they were when it was made. Used by one thread.
class Cursor {
 public:
  virtual ~Cursor() = default;
  // Goes to the last key at or before this one; false when there is none.
  virtual bool SeekBack(std::string_view key) = 0;
  // What is there; valid until the next seek.
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  // Not ok when a read failed; then a seek returned false too early.
  virtual absl::Status status() const = 0;
};

// What the house needs of a store: ordered keys, and batches that are on disk when Commit returns. Values are
// ciphertext by the time they arrive here. Everything but Commit is safe from any thread; that is called by
// the one writer.
class Store {
 public:
  using Each = std::function<bool(std::string_view key, std::string_view value)>;
  virtual ~Store() = default;
  // The value; NotFound when there is none.
  virtual absl::StatusOr<std::string> Get(std::string_view key) const = 0;
  // Calls `each` for every key from `from` on that begins with `prefix`, in order, until it returns false.
  virtual absl::Status Scan(std::string_view prefix, std::string_view from, const Each& each) const = 0;
  // The same backwards, from the last key at or before `from`.
  virtual absl::Status ScanBack(std::string_view prefix, std::string_view from, const Each& each) const = 0;
  virtual std::unique_ptr<Cursor> NewCursor() const = 0;
  // Durable when it returns ok. After an error nothing may be assumed and nothing more committed.
  virtual absl::Status Commit(const Batch& batch) = 0;
  // The store as it is now, durable, in a folder that is not there yet, on the same file system. Cheap: files
  // that do not change are shared. What OpenRocksDb opens.
  virtual absl::Status Snapshot(const std::string& folder) const = 0;
  // Deletes these rows and sees to it that what they held stands in no file any more: tables rewritten,
  // write-ahead logs removed. Looks whether it is so; Unavailable when it is not yet (somebody is still
  // reading an old file): to be tried again. The writer must have nothing to do with these rows meanwhile.
  virtual absl::Status Erase(const std::vector<std::string>& keys) = 0;
};

// RocksDB in `folder`, made when not there. One process at a time: a second one gets an error that says so.
absl::StatusOr<std::unique_ptr<Store>> OpenRocksDb(const std::string& folder);

}  // namespace waarborg::store

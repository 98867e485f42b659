// SPDX-License-Identifier: EUPL-1.2
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/store/store.h"

namespace waarborg::store {
namespace {

absl::Status ToStatus(const rocksdb::Status& s, const char* doing) {
  if (s.ok()) return absl::OkStatus();
  if (s.IsNotFound()) return absl::NotFoundError("no such key");
  const std::string text = absl::StrCat("store: ", doing, ": ", s.ToString());
  if (s.IsCorruption()) return absl::DataLossError(text);
  return absl::UnavailableError(text);
}

rocksdb::Slice Slice(std::string_view s) {
  return {s.data(), s.size()};
}
std::string_view View(const rocksdb::Slice& s) {
  return {s.data(), s.size()};
}

class RocksCursor : public Cursor {
 public:
  explicit RocksCursor(rocksdb::Iterator* it) : it_(it) {}
  bool SeekBack(std::string_view key) override {
    it_->SeekForPrev(Slice(key));
    return it_->Valid();
  }
  std::string_view key() const override { return View(it_->key()); }
  std::string_view value() const override { return View(it_->value()); }
  absl::Status status() const override { return ToStatus(it_->status(), "seek"); }

 private:
  std::unique_ptr<rocksdb::Iterator> it_;
};

// From how many rows on a whole range is rewritten at once, and how many are deleted in one batch.
constexpr size_t kFewRows = 32;
constexpr size_t kEraseAtOnce = 500;

// "/000012.sst", "/data/store/000012.log": the last part.
std::string Name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

class RocksDb : public Store {
 public:
  explicit RocksDb(std::unique_ptr<rocksdb::DB> db) : db_(std::move(db)) {}

  absl::StatusOr<std::string> Get(std::string_view key) const override {
    std::string value;
    if (auto s = db_->Get(rocksdb::ReadOptions(), Slice(key), &value); !s.ok()) return ToStatus(s, "read");
    return value;
  }

  absl::Status Scan(std::string_view prefix, std::string_view from, const Each& each) const override {
    std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
    for (it->Seek(Slice(std::max(prefix, from))); it->Valid() && it->key().starts_with(Slice(prefix));
         it->Next()) {
      if (!each(View(it->key()), View(it->value()))) break;
    }
    return ToStatus(it->status(), "scan");
  }

  absl::Status ScanBack(std::string_view prefix, std::string_view from, const Each& each) const override {
    std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
    for (it->SeekForPrev(Slice(from)); it->Valid() && it->key().starts_with(Slice(prefix)); it->Prev()) {
      if (!each(View(it->key()), View(it->value()))) break;
    }
    return ToStatus(it->status(), "scan");
  }

  std::unique_ptr<Cursor> NewCursor() const override {
    return std::make_unique<RocksCursor>(db_->NewIterator(rocksdb::ReadOptions()));
  }

  absl::Status Commit(const Batch& batch) override {
    rocksdb::WriteBatch writes;
    for (const Batch::Write& w : batch.writes) {
      const rocksdb::Status s = w.remove ? writes.Delete(w.key) : writes.Put(w.key, w.value);
      if (!s.ok()) return ToStatus(s, "batch");
    }
    rocksdb::WriteOptions options;
    options.sync = true;
    return ToStatus(db_->Write(options, &writes), "commit");
  }

  absl::Status Snapshot(const std::string& folder) const override {
    rocksdb::Checkpoint* made = nullptr;
    if (auto s = rocksdb::Checkpoint::Create(db_.get(), &made); !s.ok()) return ToStatus(s, "snapshot");
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
    return ToStatus(checkpoint->CreateCheckpoint(folder), "snapshot");
  }

  absl::Status Erase(const std::vector<std::string>& keys) override {
    if (keys.empty()) return absl::OkStatus();
    std::vector<std::string> sorted = keys;
    std::sort(sorted.begin(), sorted.end());
    for (size_t from = 0; from < sorted.size(); from += kEraseAtOnce) {
      Batch batch;
      for (size_t i = from; i < std::min(sorted.size(), from + kEraseAtOnce); ++i) batch.Delete(sorted[i]);
      if (auto s = Commit(batch); !s.ok()) return s;
    }
    // Every file that may hold what they held; the write-ahead logs up to the one written to now.
    std::set<std::string> old;
    rocksdb::VectorLogPtr logs;
    if (auto s = db_->GetSortedWalFiles(logs); !s.ok()) return ToStatus(s, "list logs");
    for (const auto& log : logs) old.insert(Name(log->PathName()));
    if (auto s = db_->Flush(rocksdb::FlushOptions()); !s.ok()) return ToStatus(s, "flush");
    std::vector<rocksdb::LiveFileMetaData> files;
    db_->GetLiveFilesMetaData(&files);
    for (const auto& file : files) {
      const auto first = std::lower_bound(sorted.begin(), sorted.end(), file.smallestkey);
      if (first != sorted.end() && *first <= file.largestkey) old.insert(Name(file.name));
    }
    rocksdb::CompactRangeOptions options;
    options.exclusive_manual_compaction = false;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    // A few: only the files that held them are rewritten.
    const bool few = sorted.size() <= kFewRows;
    for (size_t i = 0; i < (few ? sorted.size() : 1); ++i) {
      const rocksdb::Slice begin = sorted[i], end = few ? sorted[i] : sorted.back();
      if (auto s = db_->CompactRange(options, &begin, &end); !s.ok()) return ToStatus(s, "compact");
    }
    for (const std::string& key : sorted) {
      if (!absl::IsNotFound(Get(key).status())) {
        return absl::UnavailableError("a row that was erased is still there");
      }
    }
    return WaitUntilGone(old);
  }

 private:
  // Files that nobody needs any more are removed; those that somebody is still reading are waited for.
  absl::Status WaitUntilGone(const std::set<std::string>& files) {
    constexpr int kLooks = 40;
    constexpr int kBetweenLooksMs = 50;
    std::string left;
    for (int look = 0; look < kLooks; ++look) {
      // Turning removal off and on again has it done here and now.
      if (auto s = db_->DisableFileDeletions(); !s.ok()) return ToStatus(s, "remove files");
      if (auto s = db_->EnableFileDeletions(false); !s.ok()) return ToStatus(s, "remove files");
      std::vector<std::string> there;
      if (auto s = db_->GetEnv()->GetChildren(db_->GetName(), &there); !s.ok()) {
        return ToStatus(s, "list files");
      }
      const auto it =
          std::find_if(there.begin(), there.end(), [&](const std::string& f) { return files.contains(f); });
      if (it == there.end()) return absl::OkStatus();
      left = *it;
      db_->GetEnv()->SleepForMicroseconds(kBetweenLooksMs * 1000);
    }
    return absl::UnavailableError(absl::StrCat("the file ", left, " of the database is still being read"));
  }

  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenRocksDb(const std::string& folder) {
  rocksdb::Options options;
  options.create_if_missing = true;
  // A torn tail of the log is what a crash leaves; a hole in the middle is corruption and is refused.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.paranoid_checks = true;
  // Values are ciphertext: compression gains nothing, and an examiner can search the files as they are.
  options.compression = rocksdb::kNoCompression;
  options.write_buffer_size = 16 << 20;
  options.max_open_files = 256;
  options.keep_log_file_num = 3;
  // One writer, and log entries in order: each goes in right behind the one before it.
  options.allow_concurrent_memtable_write = false;
  options.enable_write_thread_adaptive_yield = false;
  options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(2));
  rocksdb::DB* db = nullptr;
  if (auto s = rocksdb::DB::Open(options, folder, &db); !s.ok()) {
    if (s.IsIOError() && absl::StrContains(s.ToString(), "lock")) {
      return absl::AlreadyExistsError(
          absl::StrCat(folder, " is in use by another waarborgd; only one may run on it"));
    }
    return ToStatus(s, "open");
  }
  return std::make_unique<RocksDb>(std::unique_ptr<rocksdb::DB>(db));
}

}  // namespace waarborg::store

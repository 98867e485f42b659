// SPDX-License-Identifier: EUPL-1.2
#include "server/backup/backup.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "audit/merkle.h"
#include "audit/text.h"
#include "server/base/file.h"
#include "server/base/hex.h"
#include "server/journal/rows.h"
#include "server/keys/sealing.h"

namespace waarborg::backup {

namespace fs = std::filesystem;
namespace pb = waarborg::v1;

namespace {

constexpr char kIdTime[] = "%E4Y%m%dT%H%M%SZ";

absl::Status MakeFolders(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return absl::UnavailableError(absl::StrCat("cannot make ", path, ": ", error.message()));
  fs::permissions(path, fs::perms::owner_all, error);
  return absl::OkStatus();
}

// Every file below the folder, as paths below it, in order.
absl::StatusOr<std::vector<std::string>> FilesBelow(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> files;
  for (auto it = fs::recursive_directory_iterator(folder, error); !error && it != fs::end(it);
       it.increment(error)) {
    if (it->is_regular_file()) files.push_back(fs::relative(it->path(), folder).string());
  }
  if (error) return absl::UnavailableError(absl::StrCat("cannot read ", folder, ": ", error.message()));
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Maker::Backup::~Backup() {
  std::error_code ignored;
  if (!snapshot_.empty()) fs::remove_all(snapshot_, ignored);
  if (!partial_.empty()) fs::remove_all(partial_, ignored);
  maker_.busy_ = false;
}

absl::StatusOr<std::shared_ptr<Maker::Backup>> Maker::Begin(absl::Time now) {
  if (parts_.folder.empty()) {
    return absl::FailedPreconditionError(
        "no folder for backups is configured: see [backup] in waarborgd.toml");
  }
  if (busy_.exchange(true)) return absl::AlreadyExistsError("a backup is being made already");
  std::shared_ptr<Backup> backup(new Backup(*this));
  Manifest& m = backup->manifest_;
  m.id = absl::StrCat(absl::FormatTime(kIdTime, now, absl::UTCTimeZone()), "-", parts_.random->Id(""));
  m.made = now;
  const std::string snapshots = parts_.data_folder + "/snapshots";
  std::error_code ignored;
  fs::remove_all(snapshots, ignored);  // what a crash left
  if (auto s = MakeFolders(snapshots); !s.ok()) return s;
  backup->snapshot_ = snapshots;
  if (auto s = parts_.store->Snapshot(snapshots + "/store"); !s.ok()) return s;
  backup->file_keys_ = keys::CopyKeys(*parts_.file_keys);
  return backup;
}

absl::Status Maker::Finish(Backup& backup) {
  Manifest& m = backup.manifest_;
  {
    auto store = store::OpenRocksDb(backup.snapshot_ + "/store");
    if (!store.ok()) return store.status();
    std::map<std::string, const base::Secret*> by_id;
    for (const auto& [id, key] : backup.file_keys_) by_id[id] = &key;
    auto inventory = Inspect(**store, [&](const std::string& id) {
      auto it = by_id.find(id);
      return it == by_id.end() ? nullptr : it->second;
    });
    if (!inventory.ok()) return inventory.status();
    m.log_entries = inventory->head.size();
    m.log_origin = inventory->head.log().origin();
    m.newest = absl::FromUnixMillis(inventory->head.at_ms());
    m.log_root = base::ToHex(audit::View(inventory->root));
  }
  for (const auto& [from, to] : {std::pair{parts_.data_folder + "/log/newest", "newest"},
                                 {parts_.data_folder + "/keys/log.key", "log.key"}}) {
    auto content = base::ReadFile(from);
    if (absl::IsNotFound(content.status())) continue;
    if (!content.ok()) return content.status();
    if (auto s = base::WriteFileDurably(absl::StrCat(backup.snapshot_, "/", to), *content); !s.ok()) return s;
  }
  for (const std::string& folder : {parts_.folder, parts_.keys_folder}) {
    if (auto s = MakeFolders(folder); !s.ok()) return s;
  }
  backup.partial_ = absl::StrCat(parts_.folder, "/.", m.id, ".partial");
  auto files = FilesBelow(backup.snapshot_);
  if (!files.ok()) return files.status();
  for (const std::string& path : *files) {
    if (path == "store/LOCK" || path.starts_with("store/LOG")) continue;  // of the database's own process
    auto content = base::ReadFile(absl::StrCat(backup.snapshot_, "/", path));
    if (!content.ok()) return content.status();
    const std::string to = absl::StrCat(backup.partial_, "/", path);
    if (auto s = MakeFolders(fs::path(to).parent_path().string()); !s.ok()) return s;
    if (auto s = base::WriteFileDurably(to, *content); !s.ok()) return s;
    m.files.push_back({path, content->size(), base::ToHex(keys::Sha256(*content))});
    backup.bytes_ += content->size();
  }
  if (auto s = base::WriteFileDurably(backup.partial_ + "/manifest", m.Text(parts_.root)); !s.ok()) return s;
  // What was written is read again before anybody relies on it.
  if (auto read = CheckFolder(backup.partial_, parts_.root); !read.ok()) return read.status();
  if (auto s =
          base::WriteFileDurably(absl::StrCat(parts_.keys_folder, "/", m.id, keys::kKeyBackupEnding),
                                 keys::SealKeyBackup(backup.file_keys_, m.id, parts_.root, *parts_.random));
      !s.ok()) {
    return s;
  }
  if (auto s = base::RenameDurably(backup.partial_, absl::StrCat(parts_.folder, "/", m.id)); !s.ok())
    return s;
  backup.partial_.clear();
  return absl::OkStatus();
}

absl::StatusOr<int> Maker::RemoveOldKeys(absl::Time now) {
  if (parts_.keys_folder.empty()) return 0;
  int removed = 0;
  for (const std::string& path : keys::KeyBackupsIn(parts_.keys_folder)) {
    // Their age is in their name: the time of a file changes when it is copied.
    absl::Time made;
    std::string error;
    if (!absl::ParseTime(kIdTime, fs::path(path).filename().string().substr(0, 16), absl::UTCTimeZone(),
                         &made, &error) ||
        KeysKeptUntil(made) > now) {
      continue;
    }
    if (auto s = base::OverwriteAndRemove(path); !s.ok()) return s;
    ++removed;
  }
  return removed;
}

absl::StatusOr<Manifest> CheckFolder(const std::string& folder, const base::Secret& root) {
  auto bytes = base::ReadFile(folder + "/manifest");
  if (!bytes.ok()) return bytes.status();
  auto manifest = Manifest::Parse(*bytes, root);
  if (!manifest.ok()) {
    return absl::Status(manifest.status().code(),
                        absl::StrCat(folder, "/manifest: ", std::string(manifest.status().message())));
  }
  auto files = FilesBelow(folder);
  if (!files.ok()) return files.status();
  std::erase(*files, "manifest");
  if (files->size() != manifest->files.size()) {
    return absl::DataLossError(absl::StrCat(folder, ": ", manifest->files.size(),
                                            " files are in the manifest, ", files->size(), " are there"));
  }
  for (const Manifest::File& f : manifest->files) {
    auto content = base::ReadFile(absl::StrCat(folder, "/", f.path));
    if (!content.ok()) return content.status();
    if (content->size() != f.size || base::ToHex(keys::Sha256(*content)) != f.sha256) {
      return absl::DataLossError(absl::StrCat(folder, "/", f.path, ": is not what the manifest says"));
    }
  }
  return manifest;
}

absl::StatusOr<Inventory> Inspect(const store::Store& store,
                                  const std::function<const base::Secret*(const std::string& id)>& file_key) {
  Inventory inventory;
  const base::Secret* house = file_key("house");
  if (house == nullptr) return absl::DataLossError("the file keys do not hold the key of the house");
  auto stored = store.Get("a/head");
  if (!stored.ok()) return stored.status();
  if (!inventory.head.ParseFromString(*stored))
    return absl::DataLossError("the head of the log does not open");
  absl::Status broken;
  const auto open = [&](const base::Secret& key, std::string_view row, std::string_view value) {
    if (!keys::Unseal(key, value, row)) {
      broken =
          absl::DataLossError(absl::StrCat("the record ", std::string(row.substr(0, 40)), " does not open"));
    }
    return broken.ok();
  };
  for (const char* prefix : {"f/", "p/", "s/", "c/", "i/", "r/", "n/", "d/"}) {
    auto s = store.Scan(prefix, prefix, [&](std::string_view row, std::string_view value) {
      return open(*house, row, value);
    });
    if (!s.ok()) return s;
    if (!broken.ok()) return broken;
  }
  auto s = store.Scan("b/", "b/", [&](std::string_view row, std::string_view value) {
    const std::string id(row.substr(2));
    const base::Secret* key = file_key(id);
    if (key != nullptr) return open(*key, row, value);
    inventory.bans_without_key.push_back(id);
    return true;
  });
  if (!s.ok()) return s;
  if (!broken.ok()) return broken;
  const uint64_t first = inventory.head.log().first();
  const auto rebuilt = journal::RebuildTree(store, first, UINT64_MAX, nullptr);
  if (!rebuilt.ok()) return rebuilt.status();
  const auto frontier = journal::FrontierOf(inventory.head);
  if (!frontier || rebuilt->size() != frontier->size() || rebuilt->Root() != frontier->Root()) {
    return absl::DataLossError("the log does not match its head");
  }
  inventory.root = rebuilt->Root();
  return inventory;
}

}  // namespace waarborg::backup

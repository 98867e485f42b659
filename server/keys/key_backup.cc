// SPDX-License-Identifier: EUPL-1.2
#include "server/keys/key_backup.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "server/base/file.h"
#include "server/keys/sealing.h"

namespace waarborg::keys {
namespace {

constexpr std::string_view kHeader = "waarborg/file-keys@v1\n";
constexpr char kLabel[] = "file key backup";

std::string ContextOf(const std::string& backup_id) {
  return absl::StrCat("file keys ", backup_id);
}

}  // namespace

KeyCopies CopyKeys(const Keystore& store) {
  KeyCopies copies;
  store.ForEach(
      [&](const std::string& id, const base::Secret& key) { copies.emplace_back(id, key.Clone()); });
  return copies;
}

std::string SealKeyBackup(const KeyCopies& keys, const std::string& backup_id, const base::Secret& root,
                          base::Random& random) {
  size_t size = 0;
  for (const auto& [id, key] : keys) size += 1 + id.size() + key.size();
  std::string plain;
  plain.reserve(size);  // so that no copy is left behind
  for (const auto& [id, key] : keys) {
    plain += static_cast<char>(id.size());
    plain += id;
    plain += key.Reveal();
  }
  std::string out(kHeader);
  out += Seal(Derive(root, kLabel), plain, ContextOf(backup_id), random);
  base::Wipe(plain);
  return out;
}

absl::StatusOr<KeyCopies> OpenKeyBackup(std::string_view bytes, const std::string& backup_id,
                                        const base::Secret& root) {
  if (!bytes.starts_with(kHeader)) {
    return absl::InvalidArgumentError("this is no backup of file keys");
  }
  auto plain = Unseal(Derive(root, kLabel), bytes.substr(kHeader.size()), ContextOf(backup_id));
  if (!plain) {
    return absl::FailedPreconditionError(
        absl::StrCat("the file keys of backup ", backup_id,
                     " do not open: is this the right root key, and the right file?"));
  }
  KeyCopies keys;
  std::string_view rest = *plain;
  while (!rest.empty()) {
    const size_t id_size = static_cast<uint8_t>(rest[0]);
    if (rest.size() < 1 + id_size + kKeySize) {
      base::Wipe(*plain);
      return absl::InvalidArgumentError("the backup of file keys is damaged");
    }
    keys.emplace_back(std::string(rest.substr(1, id_size)), base::Secret(rest.substr(1 + id_size, kKeySize)));
    rest.remove_prefix(1 + id_size + kKeySize);
  }
  base::Wipe(*plain);
  return keys;
}

std::vector<std::string> KeyBackupsIn(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == kKeyBackupEnding) paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

absl::Status ResealKeyBackup(const std::string& path, const base::Secret* old_root,
                             const base::Secret& next_root, base::Random& random) {
  auto bytes = base::ReadFile(path);
  if (!bytes.ok()) return bytes.status();
  const std::string id = std::filesystem::path(path).stem().string();
  if (OpenKeyBackup(*bytes, id, next_root).ok()) return absl::OkStatus();
  if (old_root == nullptr) return absl::DataLossError(path + " does not open with this root key");
  auto keys = OpenKeyBackup(*bytes, id, *old_root);
  if (!keys.ok())
    return absl::Status(keys.status().code(), path + ": " + std::string(keys.status().message()));
  return base::WriteFileDurably(path, SealKeyBackup(*keys, id, next_root, random));
}

}  // namespace waarborg::keys

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/base/random.h"
#include "server/base/secret.h"
#include "server/keys/keystore.h"

namespace waarborg::keys {

// The file keys, for a backup of their own. Photo keys have none.
//
// On disk: "waarborg/file-keys@v1" and a newline, then, sealed under a key derived from the root key with the
// id of the backup as context: for each key u8 length of the id, id, 32 bytes.
using KeyCopies = std::vector<std::pair<std::string, base::Secret>>;

// A backup is a file ID.filekeys.
inline constexpr char kKeyBackupEnding[] = ".filekeys";

// Every key of the store, the house key among them.
KeyCopies CopyKeys(const Keystore& store);

std::string SealKeyBackup(const KeyCopies& keys, const std::string& backup_id, const base::Secret& root,
                          base::Random& random);
// Bytes from elsewhere: InvalidArgument when they are no such file, FailedPrecondition when they do not open
// with this root key and id.
absl::StatusOr<KeyCopies> OpenKeyBackup(std::string_view bytes, const std::string& backup_id,
                                        const base::Secret& root);

// Backups of file keys in this folder, as paths, oldest first: an ID begins with its time.
std::vector<std::string> KeyBackupsIn(const std::string& folder);

// Seals one under the next root key, where it is sealed under the old one.
absl::Status ResealKeyBackup(const std::string& path, const base::Secret* old_root,
                             const base::Secret& next_root, base::Random& random);

}  // namespace waarborg::keys

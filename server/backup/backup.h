// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/backup/manifest.h"
#include "server/base/random.h"
#include "server/base/secret.h"
#include "server/journal/journal.h"
#include "server/keys/key_backup.h"

namespace waarborg::backup {

// A backup made while the house works:
//   FOLDER/ID/               manifest, the store at one moment between two entries, the newest checkpoint,
//   the
//                            sealed key of the log
//   KEYS_FOLDER/ID.filekeys  the file keys of that moment, sealed under the root key
// No photo key is in either. Whoever has both and the root key reads the files, but no photo.
class Maker {
 public:
  struct Parts {
    journal::Journal* journal;
    const store::Store* store;
    const keys::Keystore* file_keys;
    base::Random* random;
    base::Secret root;
    std::string data_folder;
    std::string folder;       // empty: no backups are made
    std::string keys_folder;  // apart from it
    int keys_keep_days = 14;  // after that the backups of file keys are destroyed
  };
  // One backup in the making. Dropping it leaves nothing behind.
  class Backup {
   public:
    ~Backup();
    Backup(const Backup&) = delete;
    Backup& operator=(const Backup&) = delete;
    const Manifest& manifest() const { return manifest_; }
    uint64_t bytes() const { return bytes_; }

   private:
    friend class Maker;
    explicit Backup(Maker& maker) : maker_(maker) {}
    Maker& maker_;
    Manifest manifest_;
    keys::KeyCopies file_keys_;
    std::string snapshot_;  // on the disk of the data
    std::string partial_;   // where it goes, under another name
    uint64_t bytes_ = 0;
  };

  explicit Maker(Parts parts) : parts_(std::move(parts)) {}

  // Holds on to the present moment. On the writer's thread. FailedPrecondition: no backups are configured.
  // AlreadyExists: one is being made already.
  absl::StatusOr<std::shared_ptr<Backup>> Begin(absl::Time now);
  // Opens what was held, looks whether all of it can be read and the log is whole, and writes it down. Takes
  // long; on any thread.
  absl::Status Finish(Backup& backup);
  // Until when the file keys of a backup of that moment are kept.
  absl::Time KeysKeptUntil(absl::Time made) const { return made + absl::Hours(24) * parts_.keys_keep_days; }
  // Destroys the backups of file keys that are older than they may be; how many. On any thread.
  absl::StatusOr<int> RemoveOldKeys(absl::Time now);

 private:
  Parts parts_;
  std::atomic<bool> busy_ = false;
};

// Looks whether the folder holds all that its manifest says, byte for byte.
absl::StatusOr<Manifest> CheckFolder(const std::string& folder, const base::Secret& root);

// What a store that nobody works on holds.
struct Inventory {
  waarborg::v1::LogHeadRecord head;
  audit::Hash root;  // of the tree over the entries of that log
  std::vector<std::string> bans_without_key;
};
// Opens every record, and rebuilds the log that is written to. DataLoss: something does not open. Bans whose
// key is not there are listed: their files were destroyed.
absl::StatusOr<Inventory> Inspect(const store::Store& store,
                                  const std::function<const base::Secret*(const std::string& id)>& file_key);

}  // namespace waarborg::backup

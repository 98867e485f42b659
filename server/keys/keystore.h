// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/base/random.h"
#include "server/base/secret.h"

namespace waarborg::keys {

// Keys of 32 bytes by id, kept outside the database. All of them are wrapped by a generation key; a
// destruction writes the next generation without the ended keys and then destroys the old generation key, so
// that every older copy of the file is noise.
//
// On disk, in a folder of its own:
//   NAME-N.gen    generation key N, sealed under the root key (AES-256-GCM, context "generation NAME N")
//   NAME-N.keys   records one after another: u32 little-endian length of the rest, u8 length of the id, id,
//                 key sealed under generation key N (context "key NAME N ID")
// The generation in force is the highest N with both files. A torn record at the end (a crash while adding)
// was never acknowledged and is cut off; anything else that does not open is an error.
//
// Not thread-safe: belongs to the writer's thread, but for the time before it starts.
class Keystore {
 public:
  // Opens the store, or begins one with generation 1; finishes an interrupted destruction.
  static absl::StatusOr<std::unique_ptr<Keystore>> Open(const std::string& folder, const std::string& name,
                                                        const base::Secret& root, base::Random& random);

  // Takes a fresh random key into memory under the id. It is on disk after the next Sync; nothing sealed with
  // it may be written before that. The id must not be in use.
  const base::Secret& Add(const std::string& id);

  // Puts every added key on disk. After an error the keystore must not be used any more.
  absl::Status Sync();

  // The key, or null when there is none (destroyed, lost, or never there). Valid until the next Destroy.
  const base::Secret* Find(const std::string& id) const;

  // Destroys these keys for good and returns the number of the new generation. Unknown ids are passed over,
  // so that an interrupted destruction can be repeated. After an error the keystore must not be used any
  // more.
  absl::StatusOr<uint64_t> Destroy(const std::vector<std::string>& ids);

  // Every key with its id, in no order. For rotating keys and for those who search a disk for them.
  void ForEach(const std::function<void(const std::string& id, const base::Secret& key)>& each) const {
    for (const auto& [id, key] : keys_) each(id, *key);
  }

  uint64_t generation() const { return generation_; }
  // Changes whenever a key was added or destroyed.
  uint64_t version() const { return version_; }
  size_t size() const { return keys_.size(); }

 private:
  Keystore(std::string folder, std::string name, base::Secret root, base::Random& random)
      : folder_(std::move(folder)), name_(std::move(name)), root_(std::move(root)), random_(random) {}

  std::string Path(uint64_t generation, const char* ending) const;
  absl::Status Load(uint64_t generation);
  absl::Status WriteGeneration(uint64_t generation);
  absl::Status RemoveGeneration(uint64_t generation);
  std::string Record(const std::string& id, const base::Secret& key) const;

  std::string folder_;
  std::string name_;
  base::Secret root_;
  base::Random& random_;
  uint64_t generation_ = 0;
  uint64_t version_ = 0;
  base::Secret generation_key_;
  absl::flat_hash_map<std::string, std::unique_ptr<base::Secret>> keys_;
  std::vector<std::string> unsynced_;
};

}  // namespace waarborg::keys

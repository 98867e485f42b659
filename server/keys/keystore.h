// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/base/random.h"
#include "server/base/secret.h"
#include "server/keys/generation_home.h"

namespace waarborg::keys {

// Keys of 32 bytes by id, kept outside the database and never backed up with it. All of them are wrapped by a
// generation key; a destruction writes the next generation without the ended keys and then destroys the old
// generation key in its home, so that every older copy of the file is noise.
//
// On disk, in a folder of its own:
//   NAME-N.gen    generation key N, sealed by its home
//   NAME-N.keys   records one after another: u32 little-endian length of the rest, u8 length of the id, id,
//                 key sealed under generation key N (AES-256-GCM, context "key NAME N ID")
// The generation in force is the highest N with both files; what else is there is left from a crash and goes.
// A torn record at the end (a crash while adding) was never acknowledged and is cut off; anything else that
// does not open is an error.
//
// Not thread-safe: belongs to the writer's thread, but for the time before it starts, and for what Roll says.
class Keystore {
 public:
  // Opens the store, or begins one with generation 1; finishes an interrupted destruction. `home` and
  // `random` outlive the store.
  static absl::StatusOr<std::unique_ptr<Keystore>> Open(const std::string& folder, const std::string& name,
                                                        GenerationHome& home, base::Random& random);

  // Takes a fresh random key into memory under the id. It is on disk after the next Sync; nothing sealed with
  // it may be written before that. The id must not be in use.
  const base::Secret& Add(const std::string& id);

  // Takes in a key that a backup of this store held. On disk after the next Sync.
  void Restore(const std::string& id, base::Secret key);

  // Puts every added key on disk. After an error the keystore must not be used any more.
  absl::Status Sync();

  // The key, or null when there is none (destroyed, lost, or never there). Valid until the next FinishRoll.
  const base::Secret* Find(const std::string& id) const;

  // A way from one generation to the next, in steps, so that the slow ones need not hold up the writer. Two
  // of them are for any one thread at a time; keys may be added and found meanwhile.
  //
  //   BeginRoll   the writer   takes hold of the keys that stay
  //   Write       any thread   makes the next generation's key, and its file
  //   FinishRoll  the writer   adds what came meanwhile; from here on the new generation is in force
  //   DestroyOld  any thread   destroys the old generation key and its files, and looks whether it is so
  //
  // Dropping a Roll before FinishRoll leaves everything as it was; what it wrote goes with the next one, or
  // at the next opening.
  class Roll;

  // Without these keys; unknown ids are passed over. One at a time.
  std::unique_ptr<Roll> BeginRoll(const std::vector<std::string>& ids);
  // After an error the keystore must not be used any more.
  absl::Status FinishRoll(Roll& roll);

  // Moves to another home of generation keys: a new generation that seals there, and the old one destroyed
  // where it was. Not while a roll is under way. `home` outlives the store.
  absl::Status MoveTo(GenerationHome& home);

  // What a destruction can say of itself.
  struct Destroyed {
    uint64_t old_generation = 0;
    uint64_t generation = 0;
  };
  // All the steps, here and now.
  absl::StatusOr<Destroyed> Destroy(const std::vector<std::string>& ids);

  // Every key with its id, in no order. For backups, and for those who search a disk for them.
  void ForEach(const std::function<void(const std::string& id, const base::Secret& key)>& each) const {
    for (const auto& [id, key] : keys_) each(id, *key);
  }

  const GenerationHome& home() const { return *home_; }
  uint64_t generation() const { return generation_; }
  // Changes whenever a key was added or destroyed.
  uint64_t version() const { return version_; }
  size_t size() const { return keys_.size(); }

 private:
  using Keys = absl::flat_hash_map<std::string, std::shared_ptr<const base::Secret>>;

  Keystore(std::string folder, std::string name, GenerationHome& home, base::Random& random)
      : folder_(std::move(folder)), name_(std::move(name)), home_(&home), random_(random) {}

  absl::Status Load(uint64_t generation);

  std::string folder_;
  std::string name_;
  GenerationHome* home_;
  base::Random& random_;
  uint64_t generation_ = 0;
  uint64_t version_ = 0;
  base::Secret generation_key_;
  Keys keys_;
  std::vector<std::string> unsynced_;
  // While a roll is under way: what was added since it began.
  bool rolling_ = false;
  std::vector<std::string> added_meanwhile_;
};

class Keystore::Roll {
 public:
  ~Roll();
  Roll(const Roll&) = delete;
  Roll& operator=(const Roll&) = delete;

  // Unavailable: nothing came of it, and it can be tried again.
  absl::Status Write();
  // The old generation key is destroyed, and that is checked: none of the ids stands in the file of the new
  // generation as it is read back, the files of the old one are gone, and its home does not guard it.
  // Unavailable: not yet; must be tried again. DataLoss: it is not so.
  absl::Status DestroyOld();

  uint64_t old_generation() const { return old_generation_; }
  uint64_t generation() const { return old_generation_ + 1; }

 private:
  friend class Keystore;
  explicit Roll(Keystore& store) : store_(store), from_(store.home_), to_(store.home_) {}

  Keystore& store_;
  GenerationHome* from_;
  GenerationHome* to_;
  uint64_t old_generation_ = 0;
  std::set<std::string> going_;
  std::vector<std::pair<std::string, std::shared_ptr<const base::Secret>>> staying_;
  base::Secret key_;  // of the new generation
};

}  // namespace waarborg::keys

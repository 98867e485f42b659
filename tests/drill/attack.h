// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/drill/history.h"
#include "tests/drill/search.h"

namespace waarborg::drill {

// Somebody who has every copy that was ever made, the disk, every credential, and the use of the token as it
// is at the end; but not the token itself. Photo ids in the sets.
class Attack {
 public:
  explicit Attack(History& history);
  // All of it. The history is over.
  void Run();

  // Photos, whatever became of them, that were read: all of it, or found in the raw disk.
  const std::set<std::string>& recovered() const { return recovered_; }
  const std::set<std::string>& keys_from_raw() const { return keys_from_raw_; }
  // Whose picture, or key, stands somewhere in the clear.
  const std::set<std::string>& plaintext() const { return plaintext_; }
  const std::set<std::string>& keys_in_clear() const { return keys_in_clear_; }
  // Combinations of store and keys that were put together.
  int restored() const { return restored_; }
  // What must not be, in words: tools that are blind, rows that are still there.
  const std::vector<std::string>& wrong() const { return wrong_; }

 private:
  // A key of 32 bytes by what it is for: generation N of a keystore, or a photo's id.
  using Generations = std::set<std::pair<uint64_t, std::string>>;
  struct Record {
    std::string id;
    std::string sealed;
    bool operator<(const Record& o) const { return std::tie(id, sealed) < std::tie(o.id, o.sealed); }
  };
  using PhotoKeys = std::map<std::string, std::set<std::string>>;

  // (1) Generation files and key records of a folder, whatever it is.
  void TakeKeys(const std::string& folder);
  void OpenRecords(const std::set<Record>& records, const Generations& generations, PhotoKeys& out) const;
  // Photo rows of a store, from a copy of it.
  void TakeRows(const std::string& store);
  void TryRows();
  // (2)
  void Restore();
  void RestoreForReal();
  // (3)
  void PrepareNeedles();
  void SearchFolder(const std::string& folder);
  // Generation keys in the raw bytes, and key records.
  void CarveGenerations(std::string_view disk);
  static std::set<Record> CarveRecords(std::string_view disk);
  void CarveImages();
  void SearchFile(const std::string& path);
  // Tries the key on the row; true when it opens, and then the photo is recovered.
  bool Read(const std::string& id, const std::string& sealed, std::string_view key);
  std::string Counts(const std::set<std::string>& ids) const;

  History& history_;
  const std::string scratch_;
  base::SystemRandom random_;
  base::Secret root_;
  std::unique_ptr<keys::GenerationHome> home_;
  std::unique_ptr<LookingHome> looking_;

  std::map<std::string, std::string> pictures_;  // normalised, by photo id
  struct Taken {
    std::string folder;
    absl::Time at;
  };
  std::vector<Taken> folders_;  // of all data, among them those out of images
  Generations generations_;
  std::set<Record> records_;
  PhotoKeys pool_;
  std::map<std::string, std::set<std::string>> rows_;  // photo id to ciphertexts
  Needles needles_;
  std::vector<std::pair<std::string, char>>
      owners_;  // of needles: photo id, and 'p'icture, 'k'ey or 'c'ontrol
  uint64_t newest_generation_ = 0;
  size_t sealed_size_ = 0;

  std::set<std::string> recovered_, keys_from_raw_, plaintext_, keys_in_clear_, found_control_;
  int restored_ = 0;
  std::vector<std::string> wrong_;
};

}  // namespace waarborg::drill

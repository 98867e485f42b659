// SPDX-License-Identifier: EUPL-1.2
#include "server/keys/keystore.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/base/file.h"
#include "server/keys/sealing.h"

namespace waarborg::keys {
namespace {

// Length byte, id, nonce, key and tag.
constexpr size_t kMaxRecord = 1 + 255 + 12 + kKeySize + 16;

std::string KeyContext(const std::string& name, uint64_t generation, const std::string& id) {
  return absl::StrCat("key ", name, " ", generation, " ", id);
}
std::string GenerationContext(const std::string& name, uint64_t generation) {
  return absl::StrCat("generation ", name, " ", generation);
}

// Generations of which there is a file with this ending.
absl::StatusOr<std::set<uint64_t>> Generations(const std::string& folder, const std::string& name,
                                               const char* ending) {
  std::set<uint64_t> found;
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr)
    return absl::UnavailableError(absl::StrCat("cannot read ", folder, ": ", std::strerror(errno)));
  while (const dirent* entry = readdir(dir)) {
    absl::string_view file = entry->d_name;
    uint64_t n = 0;
    if (absl::ConsumePrefix(&file, absl::StrCat(name, "-")) && absl::ConsumeSuffix(&file, ending) &&
        absl::SimpleAtoi(file, &n)) {
      found.insert(n);
    }
  }
  closedir(dir);
  return found;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Keystore>> Keystore::Open(const std::string& folder, const std::string& name,
                                                         const base::Secret& root, base::Random& random) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::UnavailableError(absl::StrCat("cannot make ", folder, ": ", std::strerror(errno)));
  }
  std::unique_ptr<Keystore> store(new Keystore(folder, name, root.Clone(), random));
  auto key_files = Generations(folder, name, ".keys");
  if (!key_files.ok()) return key_files.status();
  auto gen_files = Generations(folder, name, ".gen");
  if (!gen_files.ok()) return gen_files.status();
  std::set<uint64_t> all = *key_files;
  all.insert(gen_files->begin(), gen_files->end());
  uint64_t newest = 0;
  for (uint64_t n : all) {
    if (key_files->contains(n) && gen_files->contains(n)) newest = n;
  }
  if (newest == 0) {
    // A generation key alone is what a crash at the very first start leaves; keys without one would be a
    // loss.
    if (!key_files->empty()) {
      return absl::DataLossError(absl::StrCat(folder, "/", name, ": keys without their generation key"));
    }
    if (auto s = store->WriteGeneration(1); !s.ok()) return s;
  } else if (auto s = store->Load(newest); !s.ok()) {
    return s;
  }
  for (uint64_t n : all) {
    if (n == store->generation_) continue;
    if (auto s = store->RemoveGeneration(n); !s.ok()) return s;
  }
  return store;
}

std::string Keystore::Path(uint64_t generation, const char* ending) const {
  return absl::StrCat(folder_, "/", name_, "-", generation, ending);
}

std::string Keystore::Record(const std::string& id, const base::Secret& key) const {
  std::string rest(1, static_cast<char>(id.size()));
  rest += id;
  rest += Seal(generation_key_, key.Reveal(), KeyContext(name_, generation_, id), random_);
  std::string out;
  for (int i = 0; i < 4; ++i) out += static_cast<char>(rest.size() >> (8 * i));
  return out + rest;
}

absl::Status Keystore::Load(uint64_t generation) {
  auto sealed = base::ReadFile(Path(generation, ".gen"));
  if (!sealed.ok()) return sealed.status();
  auto opened = Unseal(root_, *sealed, GenerationContext(name_, generation));
  if (!opened) {
    return absl::FailedPreconditionError(
        absl::StrCat(Path(generation, ".gen"), " does not open: is this the right root key?"));
  }
  generation_key_ = base::Secret(*opened);
  base::Wipe(*opened);
  generation_ = generation;

  auto content = base::ReadFile(Path(generation, ".keys"));
  if (!content.ok()) return content.status();
  const std::string& file = *content;
  size_t at = 0;
  while (at < file.size()) {
    size_t length = 0;
    if (file.size() - at >= 4) {
      for (int i = 0; i < 4; ++i)
        length |= static_cast<size_t>(static_cast<uint8_t>(file[at + i])) << (8 * i);
    }
    if (file.size() - at >= 4 && length > kMaxRecord) {
      return absl::DataLossError(
          absl::StrCat(Path(generation, ".keys"), ": record at byte ", at, " is damaged"));
    }
    if (file.size() - at < 4 || file.size() - at - 4 < length) {
      if (truncate(Path(generation, ".keys").c_str(), static_cast<off_t>(at)) != 0) {
        return absl::UnavailableError(absl::StrCat("cannot cut the torn end of ", Path(generation, ".keys")));
      }
      break;
    }
    const std::string_view rest = std::string_view(file).substr(at + 4, length);
    const size_t id_size = rest.empty() ? 0 : static_cast<uint8_t>(rest[0]);
    std::optional<std::string> key;
    std::string id;
    if (rest.size() > 1 + id_size) {
      id = std::string(rest.substr(1, id_size));
      key = Unseal(generation_key_, rest.substr(1 + id_size), KeyContext(name_, generation, id));
    }
    if (!key || key->size() != kKeySize) {
      return absl::DataLossError(
          absl::StrCat(Path(generation, ".keys"), ": record at byte ", at, " does not open"));
    }
    keys_[id] = std::make_unique<base::Secret>(*key);
    base::Wipe(*key);
    at += 4 + length;
  }
  return absl::OkStatus();
}

// Makes a generation of the keys in memory durable. The key file is renamed into place last: from then on it
// counts.
absl::Status Keystore::WriteGeneration(uint64_t generation) {
  generation_ = generation;
  generation_key_ = base::Secret::OfSize(kKeySize);
  random_.Fill(generation_key_.MutableData(), kKeySize);
  if (auto s = base::WriteFileDurably(
          Path(generation, ".gen"),
          Seal(root_, generation_key_.Reveal(), GenerationContext(name_, generation), random_));
      !s.ok()) {
    return s;
  }
  std::string file;
  for (const auto& [id, key] : keys_) file += Record(id, *key);
  return base::WriteFileDurably(Path(generation, ".keys"), file);
}

absl::Status Keystore::RemoveGeneration(uint64_t generation) {
  // The generation key first: without it the rest is noise.
  if (auto s = base::OverwriteAndRemove(Path(generation, ".gen")); !s.ok()) return s;
  return base::OverwriteAndRemove(Path(generation, ".keys"));
}

const base::Secret& Keystore::Add(const std::string& id) {
  ++version_;
  auto key = std::make_unique<base::Secret>(base::Secret::OfSize(kKeySize));
  random_.Fill(key->MutableData(), kKeySize);
  unsynced_.push_back(id);
  return *(keys_[id] = std::move(key));
}

absl::Status Keystore::Sync() {
  if (unsynced_.empty()) return absl::OkStatus();
  std::string records;
  for (const std::string& id : unsynced_) records += Record(id, *keys_.at(id));
  unsynced_.clear();
  return base::AppendDurably(Path(generation_, ".keys"), records);
}

const base::Secret* Keystore::Find(const std::string& id) const {
  auto it = keys_.find(id);
  return it == keys_.end() ? nullptr : it->second.get();
}

absl::StatusOr<uint64_t> Keystore::Destroy(const std::vector<std::string>& ids) {
  ++version_;
  const uint64_t old = generation_;
  for (const std::string& id : ids) keys_.erase(id);
  unsynced_.clear();  // the new generation holds whatever was added
  if (auto s = WriteGeneration(old + 1); !s.ok()) return s;
  if (auto s = RemoveGeneration(old); !s.ok()) return s;
  return generation_;
}

}  // namespace waarborg::keys

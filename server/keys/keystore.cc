// SPDX-License-Identifier: EUPL-1.2
#include "server/keys/keystore.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/base/file.h"
#include "server/keys/sealing.h"

namespace waarborg::keys {
namespace {

// Length byte, id, nonce, key and tag.
constexpr size_t kMaxRecord = 1 + 255 + 12 + kKeySize + 16;

std::string PathOf(const std::string& folder, const std::string& name, uint64_t generation,
                   const char* ending) {
  return absl::StrCat(folder, "/", name, "-", generation, ending);
}

std::string KeyContext(const std::string& name, uint64_t generation, const std::string& id) {
  return absl::StrCat("key ", name, " ", generation, " ", id);
}

std::string RecordOf(const std::string& name, uint64_t generation, const base::Secret& generation_key,
                     const std::string& id, const base::Secret& key, base::Random& random) {
  std::string rest(1, static_cast<char>(id.size()));
  rest += id;
  rest += Seal(generation_key, key.Reveal(), KeyContext(name, generation, id), random);
  std::string out;
  for (int i = 0; i < 4; ++i) out += static_cast<char>(rest.size() >> (8 * i));
  return out + rest;
}

// The records of a key file, one after another: id and sealed key. Returns where the last whole one ends;
// DataLoss when there is something that is no record.
absl::StatusOr<size_t> EachRecord(
    const std::string& file, const std::string& path,
    const std::function<bool(const std::string& id, std::string_view sealed)>& each) {
  size_t at = 0;
  while (file.size() - at >= 4) {
    size_t length = 0;
    for (int i = 0; i < 4; ++i) length |= static_cast<size_t>(static_cast<uint8_t>(file[at + i])) << (8 * i);
    if (length > kMaxRecord) {
      return absl::DataLossError(absl::StrCat(path, ": record at byte ", at, " is damaged"));
    }
    if (file.size() - at - 4 < length) break;
    const std::string_view rest = std::string_view(file).substr(at + 4, length);
    const size_t id_size = rest.empty() ? 0 : static_cast<uint8_t>(rest[0]);
    if (rest.size() <= 1 + id_size || !each(std::string(rest.substr(1, id_size)), rest.substr(1 + id_size))) {
      return absl::DataLossError(absl::StrCat(path, ": record at byte ", at, " does not open"));
    }
    at += 4 + length;
  }
  return at;
}

absl::Status RemoveGeneration(const std::string& folder, const std::string& name, GenerationHome& home,
                              uint64_t generation) {
  // The generation key first: without it the rest is noise.
  if (auto s = base::OverwriteAndRemove(PathOf(folder, name, generation, ".gen")); !s.ok()) return s;
  if (auto s = home.Destroy(name, generation); !s.ok()) return s;
  return base::OverwriteAndRemove(PathOf(folder, name, generation, ".keys"));
}

// Files of this keystore in its folder, and the generation that each belongs to.
absl::StatusOr<std::map<std::string, uint64_t>> FilesOf(const std::string& folder, const std::string& name) {
  std::map<std::string, uint64_t> found;
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr)
    return absl::UnavailableError(absl::StrCat("cannot read ", folder, ": ", std::strerror(errno)));
  while (const dirent* entry = readdir(dir)) {
    const std::string file = entry->d_name;
    const size_t dot = file.find('.');
    uint64_t n = 0;
    if (dot != std::string::npos && file.starts_with(name + "-") &&
        absl::SimpleAtoi(file.substr(name.size() + 1, dot - name.size() - 1), &n)) {
      found[file] = n;
    }
  }
  closedir(dir);
  return found;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Keystore>> Keystore::Open(const std::string& folder, const std::string& name,
                                                         GenerationHome& home, base::Random& random) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::UnavailableError(absl::StrCat("cannot make ", folder, ": ", std::strerror(errno)));
  }
  std::unique_ptr<Keystore> store(new Keystore(folder, name, home, random));
  auto files = FilesOf(folder, name);
  if (!files.ok()) return files.status();
  auto guarded = home.Guarded(name);
  if (!guarded.ok()) return guarded.status();
  uint64_t newest = 0;
  bool keys_without = false;
  for (const auto& [file, n] : *files) {
    if (!file.ends_with(".keys")) continue;
    if (files->contains(absl::StrCat(name, "-", n, ".gen"))) {
      newest = std::max(newest, n);
    } else {
      keys_without = true;
    }
  }
  if (newest == 0) {
    // A generation key alone is what a crash at the very first start leaves; keys without one would be a
    // loss.
    if (keys_without || (!guarded->empty() && *guarded->rbegin() > 1)) {
      return absl::DataLossError(absl::StrCat(
          folder, "/", name, keys_without ? ": keys without their generation key" : ": the keys are missing",
          ", so something was lost; see `waarborgd restore --help`"));
    }
    auto first = store->BeginRoll({});
    if (auto s = first->Write(); !s.ok()) return s;
    if (auto s = store->FinishRoll(*first); !s.ok()) return s;
  } else if (auto s = store->Load(newest); !s.ok()) {
    return s;
  }
  // Only after that: beside an older copy of this folder nothing is destroyed. What guards a newer generation
  // is left alone even so: this may be that copy, and the house that is at work elsewhere a generation
  // further. Where it is the leaving of a crash, the next roll begins by destroying it.
  std::set<uint64_t> left = std::move(*guarded);
  for (const auto& [file, n] : *files) left.insert(n);
  for (uint64_t n : left) {
    if (n >= store->generation_) break;
    if (auto s = RemoveGeneration(folder, name, home, n); !s.ok()) return s;
  }
  for (const auto& [file, n] : *files) {
    const bool in_force = file == absl::StrCat(name, "-", store->generation_, ".gen") ||
                          file == absl::StrCat(name, "-", store->generation_, ".keys");
    if (in_force) continue;
    if (auto s = base::OverwriteAndRemove(absl::StrCat(folder, "/", file)); !s.ok()) return s;
  }
  return store;
}

absl::Status Keystore::Load(uint64_t generation) {
  auto sealed = base::ReadFile(PathOf(folder_, name_, generation, ".gen"));
  if (!sealed.ok()) return sealed.status();
  auto opened = home_->Open(name_, generation, *sealed);
  if (!opened.ok()) {
    return absl::Status(opened.status().code(), absl::StrCat(PathOf(folder_, name_, generation, ".gen"), ": ",
                                                             std::string(opened.status().message())));
  }
  generation_key_ = std::move(*opened);
  generation_ = generation;

  const std::string path = PathOf(folder_, name_, generation, ".keys");
  auto file = base::ReadFile(path);
  if (!file.ok()) return file.status();
  auto end = EachRecord(*file, path, [&](const std::string& id, std::string_view sealed_key) {
    auto key = Unseal(generation_key_, sealed_key, KeyContext(name_, generation, id));
    if (!key || key->size() != kKeySize) return false;
    keys_[id] = std::make_shared<const base::Secret>(*key);
    base::Wipe(*key);
    return true;
  });
  if (!end.ok()) return end.status();
  if (*end < file->size() && truncate(path.c_str(), static_cast<off_t>(*end)) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot cut the torn end of ", path));
  }
  return absl::OkStatus();
}

const base::Secret& Keystore::Add(const std::string& id) {
  base::Secret key = base::Secret::OfSize(kKeySize);
  random_.Fill(key.MutableData(), kKeySize);
  Restore(id, std::move(key));
  return *keys_.at(id);
}

void Keystore::Restore(const std::string& id, base::Secret key) {
  ++version_;
  keys_[id] = std::make_shared<const base::Secret>(std::move(key));
  unsynced_.push_back(id);
  if (rolling_) added_meanwhile_.push_back(id);
}

absl::Status Keystore::Sync() {
  if (unsynced_.empty()) return absl::OkStatus();
  std::string records;
  for (const std::string& id : unsynced_) {
    records += RecordOf(name_, generation_, generation_key_, id, *keys_.at(id), random_);
  }
  unsynced_.clear();
  return base::AppendDurably(PathOf(folder_, name_, generation_, ".keys"), records);
}

const base::Secret* Keystore::Find(const std::string& id) const {
  auto it = keys_.find(id);
  return it == keys_.end() ? nullptr : it->second.get();
}

std::unique_ptr<Keystore::Roll> Keystore::BeginRoll(const std::vector<std::string>& ids) {
  std::unique_ptr<Roll> roll(new Roll(*this));
  roll->old_generation_ = generation_;
  roll->going_.insert(ids.begin(), ids.end());
  roll->staying_.reserve(keys_.size());
  for (const auto& [id, key] : keys_) {
    if (!roll->going_.contains(id)) roll->staying_.emplace_back(id, key);
  }
  rolling_ = true;
  added_meanwhile_.clear();
  return roll;
}

Keystore::Roll::~Roll() = default;

absl::Status Keystore::Roll::Write() {
  base::Secret key = base::Secret::OfSize(kKeySize);
  store_.random_.Fill(key.MutableData(), kKeySize);
  auto sealed = to_->Seal(store_.name_, generation(), key);
  if (!sealed.ok()) return sealed.status();
  const auto path = [&](const char* ending) {
    return PathOf(store_.folder_, store_.name_, generation(), ending);
  };
  if (auto s = base::WriteFileDurably(path(".gen"), *sealed); !s.ok()) return s;
  std::string file;
  for (const auto& [id, kept] : staying_) {
    file += RecordOf(store_.name_, generation(), key, id, *kept, store_.random_);
  }
  if (auto s = base::WriteFileDurably(path(".next"), file); !s.ok()) return s;
  key_ = std::move(key);
  return absl::OkStatus();
}

// The key file is renamed into place last: from then on it counts.
absl::Status Keystore::FinishRoll(Roll& roll) {
  const auto path = [&](const char* ending) { return PathOf(folder_, name_, roll.generation(), ending); };
  std::string records;
  for (const std::string& id : added_meanwhile_) {
    if (!roll.going_.contains(id))
      records += RecordOf(name_, roll.generation(), roll.key_, id, *keys_.at(id), random_);
  }
  if (!records.empty()) {
    if (auto s = base::AppendDurably(path(".next"), records); !s.ok()) return s;
  }
  if (auto s = base::RenameDurably(path(".next"), path(".keys")); !s.ok()) return s;
  ++version_;
  generation_ = roll.generation();
  generation_key_ = std::move(roll.key_);
  for (const std::string& id : roll.going_) keys_.erase(id);
  roll.staying_.clear();
  unsynced_.clear();  // the new generation holds whatever was added
  added_meanwhile_.clear();
  rolling_ = false;
  return absl::OkStatus();
}

absl::Status Keystore::Roll::DestroyOld() {
  const std::string& folder = store_.folder_;
  const std::string& name = store_.name_;
  if (auto s = RemoveGeneration(folder, name, *from_, old_generation_); !s.ok()) return s;
  // What is said to be destroyed is looked for.
  for (const char* ending : {".gen", ".keys"}) {
    if (!absl::IsNotFound(base::ReadFile(PathOf(folder, name, old_generation_, ending)).status())) {
      return absl::DataLossError(
          absl::StrCat(PathOf(folder, name, old_generation_, ending), " is still there"));
    }
  }
  auto guarded = from_->Guarded(name);
  if (!guarded.ok()) return guarded.status();
  if (guarded->contains(old_generation_)) {
    return absl::DataLossError(
        absl::StrCat("the home of generation keys still guards generation ", old_generation_, " of ", name));
  }
  const std::string path = PathOf(folder, name, generation(), ".keys");
  auto file = base::ReadFile(path);
  if (!file.ok()) return file.status();
  auto read =
      EachRecord(*file, path, [&](const std::string& id, std::string_view) { return !going_.contains(id); });
  return read.status();
}

absl::Status Keystore::MoveTo(GenerationHome& home) {
  auto roll = BeginRoll({});
  roll->to_ = &home;
  if (auto s = roll->Write(); !s.ok()) return s;
  if (auto s = FinishRoll(*roll); !s.ok()) return s;
  home_ = &home;
  return roll->DestroyOld();
}

absl::StatusOr<Keystore::Destroyed> Keystore::Destroy(const std::vector<std::string>& ids) {
  auto roll = BeginRoll(ids);
  if (auto s = roll->Write(); !s.ok()) return s;
  if (auto s = FinishRoll(*roll); !s.ok()) return s;
  if (auto s = roll->DestroyOld(); !s.ok()) return s;
  return Destroyed{roll->old_generation(), roll->generation()};
}

}  // namespace waarborg::keys

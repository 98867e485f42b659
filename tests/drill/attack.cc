// SPDX-License-Identifier: EUPL-1.2
#include "tests/drill/attack.h"

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/base/hex.h"
#include "server/keys/key_backup.h"
#include "server/keys/keystore.h"
#include "server/keys/sealing.h"
#include "server/photos/photo.h"
#include "server/store/store.h"

namespace waarborg::drill {

namespace fs = std::filesystem;
using testing::Slurp;
using testing::Town;

namespace {

constexpr size_t kSector = 512;
constexpr size_t kSealedKey = 12 + keys::kKeySize + 16;
constexpr char kPhotoKeystore[] = "photo";
constexpr size_t kWindow = 24;
constexpr size_t kWindows = 8;
// What the newest log entry does not say yet: generations that a crash left behind.
constexpr uint64_t kMoreGenerations = 3;

std::string KeyContext(uint64_t generation, const std::string& id) {
  return absl::StrCat("key ", kPhotoKeystore, " ", generation, " ", id);
}

std::string GenerationContext(uint64_t generation) {
  return absl::StrCat("generation ", kPhotoKeystore, " ", generation);
}

// "photo-12.gen" of the keystore of photos; nothing for another file.
std::optional<uint64_t> GenerationOf(const fs::path& path) {
  const std::string file = path.filename().string();
  const std::string prefix = absl::StrCat(kPhotoKeystore, "-");
  uint64_t n = 0;
  if (!file.starts_with(prefix) ||
      !absl::SimpleAtoi(file.substr(prefix.size(), file.find('.') - prefix.size()), &n)) {
    return std::nullopt;
  }
  return n;
}

std::vector<fs::path> FilesBelow(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Whether a key record (server/keys/keystore.h) with an id of a photo begins here.
template <typename Found>
void RecordAt(std::string_view bytes, size_t at, const Found& found) {
  if (at + 5 > bytes.size()) return;
  size_t length = 0;
  for (size_t i = 0; i < 4; ++i)
    length |= static_cast<size_t>(static_cast<uint8_t>(bytes[at + i])) << (8 * i);
  const size_t id_size = static_cast<uint8_t>(bytes[at + 4]);
  if (length != 1 + id_size + kSealedKey || at + 4 + length > bytes.size()) return;
  found(std::string(bytes.substr(at + 5, id_size)), std::string(bytes.substr(at + 5 + id_size, kSealedKey)));
}

// Windows of the given bytes that are spread over their middle.
std::vector<std::string> WindowsOf(const std::string& bytes) {
  std::vector<std::string> windows;
  if (bytes.size() < 4 * kWindow) return windows;
  for (size_t i = 0; i < kWindows; ++i)
    windows.push_back(bytes.substr(bytes.size() / 4 + i * bytes.size() / (2 * kWindows), kWindow));
  return windows;
}

void CopyFolder(const std::string& from, const std::string& to) {
  Shell(absl::StrCat("rm -rf ", to, " && mkdir -p ", fs::path(to).parent_path().string(), " && cp -a ", from,
                     " ", to));
}

}  // namespace

Attack::Attack(History& history)
    : history_(history),
      scratch_(history.plan().scratch + "/attack"),
      root_(history.Root()),
      home_(history.OpenHome()),
      looking_(std::make_unique<LookingHome>(*home_)) {
  Shell("mkdir -p " + scratch_);
}

std::string Attack::Counts(const std::set<std::string>& ids) const {
  int ended = 0;
  for (const std::string& id : ids) {
    const auto it = history_.photos().find(id);
    ended += it != history_.photos().end() && it->second.EndedAt(history_.end());
  }
  return absl::StrCat(ended, " of ended bans, ", ids.size() - static_cast<size_t>(ended), " in force");
}

void Attack::TakeKeys(const std::string& folder) {
  for (const fs::path& path : FilesBelow(folder)) {
    const auto generation = GenerationOf(path);
    if (!generation) continue;
    newest_generation_ = std::max(newest_generation_, *generation);
    const std::string bytes = Slurp(path.string());
    if (path.extension() == ".gen") {
      sealed_size_ = std::max(sealed_size_, bytes.size());
      if (auto key = looking_->Open(kPhotoKeystore, *generation, bytes); key.ok())
        generations_.emplace(*generation, key->Reveal());
      continue;
    }
    for (size_t at = 0; at < bytes.size(); ++at) {
      RecordAt(bytes, at, [&](const std::string& id, const std::string& sealed) {
        if (history_.photos().contains(id)) records_.insert({id, sealed});
      });
    }
  }
}

void Attack::OpenRecords(const std::set<Record>& records, const Generations& generations,
                         PhotoKeys& out) const {
  for (const Record& record : records) {
    for (const auto& [generation, key] : generations) {
      const auto opened = keys::Unseal(base::Secret(key), record.sealed, KeyContext(generation, record.id));
      if (opened) out[record.id].insert(*opened);
    }
  }
}

void Attack::TakeRows(const std::string& store) {
  const std::string copy = scratch_ + "/rows";
  CopyFolder(store, copy);
  const auto opened = store::OpenRocksDb(copy);
  if (!opened.ok()) {
    wrong_.push_back(
        absl::StrCat("the store ", store, " does not open: ", std::string(opened.status().message())));
    return;
  }
  const auto status = (*opened)->Scan("ph/", "ph/", [&](std::string_view key, std::string_view value) {
    rows_[std::string(key.substr(3))].insert(std::string(value));
    return true;
  });
  if (!status.ok()) wrong_.push_back(absl::StrCat(store, ": ", std::string(status.message())));
}

bool Attack::Read(const std::string& id, const std::string& sealed, std::string_view key) {
  const auto opened = keys::Unseal(base::Secret(key), sealed, "ph/" + id);
  if (!opened) return false;
  recovered_.insert(id);
  const auto picture = pictures_.find(id);
  if (picture != pictures_.end() && picture->second != *opened)
    wrong_.push_back(
        absl::StrCat("the photo ", id, " opens, and is another picture than the one searched for"));
  return true;
}

void Attack::TryRows() {
  std::set<std::string> keys;
  for (const auto& [id, of_photo] : pool_) keys.insert(of_photo.begin(), of_photo.end());
  for (const auto& [generation, key] : generations_) keys.insert(key);
  for (const auto& [id, sealed_rows] : rows_) {
    for (const std::string& sealed : sealed_rows) {
      for (const std::string& key : keys) {
        if (Read(id, sealed, key)) break;
      }
    }
  }
}

// What every photo looks like, and that this is what its row held: else the searches below look for nothing.
void Attack::PrepareNeedles() {
  size_t verified = 0;
  std::set<std::string> windows_seen;
  const auto add = [&](std::string needle, const std::string& id, char what) {
    const bool added = needles_.Add(std::move(needle), static_cast<int>(owners_.size()));
    if (added) owners_.emplace_back(id, what);
    return added;
  };
  for (const auto& [id, photo] : history_.photos()) {
    const auto normal = photos::Normalise(Slurp(photo.portrait));
    if (!normal.ok()) Fail("the portrait is no photo: " + photo.portrait);
    pictures_[id] = *normal;
    // As it is kept, and as it came in. A piece that two pictures share is looked for once.
    for (const std::string& picture : {*normal, Slurp(photo.portrait)}) {
      int usable = 0;
      for (std::string& window : WindowsOf(picture)) {
        if (!windows_seen.insert(window).second || add(std::move(window), id, 'p')) ++usable;
      }
      if (usable < 3) wrong_.push_back("there is too little to recognise the picture by, of " + id);
    }
    if (photo.key.empty()) {
      Say("ended before its key was seen, which is therefore not searched for as it is: " + id);
    } else {
      add(photo.key, id, 'k');
      add(base::ToHex(photo.key), id, 'k');
      add(absl::AsciiStrToUpper(base::ToHex(photo.key)), id, 'k');
    }
    const auto rows = rows_.find(id);
    if (rows == rows_.end()) continue;
    for (const std::string& sealed : rows->second) {
      const auto opened = keys::Unseal(base::Secret(photo.key), sealed, "ph/" + id);
      if (opened && *opened != *normal) wrong_.push_back("the needles are not of the photo " + id);
      verified += opened.has_value();
      if (photo.EndedAt(history_.end())) continue;
      for (std::string& window : WindowsOf(sealed)) add(std::move(window), id, 'c');
    }
  }
  Say(absl::StrCat(needles_.size(), " needles; ", verified,
                   " rows, opened with the keys seen in time, hold the picture searched for"));
  if (verified == 0) wrong_.push_back("no row opens with the keys that were seen in time");
}

void Attack::SearchFile(const std::string& path) {
  const MappedFile file(path);
  std::set<std::string> pictures, keys, control;
  needles_.Search(file.bytes(), [&](int owner, size_t /*at*/) {
    const auto& [id, what] = owners_[static_cast<size_t>(owner)];
    (what == 'p' ? pictures : what == 'k' ? keys : control).insert(id);
  });
  if (!pictures.empty()) Say(absl::StrCat("PICTURES IN THE CLEAR in ", path, ": ", pictures.size()));
  if (!keys.empty()) Say(absl::StrCat("KEYS IN THE CLEAR in ", path, ": ", keys.size()));
  plaintext_.merge(pictures);
  keys_in_clear_.merge(keys);
  found_control_.merge(control);
}

void Attack::SearchFolder(const std::string& folder) {
  for (const fs::path& path : FilesBelow(folder)) SearchFile(path.string());
}

void Attack::CarveGenerations(std::string_view disk) {
  const uint64_t newest = newest_generation_ + kMoreGenerations;
  for (size_t at = 0; at + kSector <= disk.size(); at += kSector) {
    const std::string_view sector = disk.substr(at, kSector);
    // A file begins at a block, and what follows its end there is zero.
    if (sector[0] == 0 && sector[1] == 0 && sector[2] == 0) continue;
    if (sector.substr(sealed_size_).find_first_not_of('\0') != std::string_view::npos) continue;
    const std::string sealed(sector.substr(0, sealed_size_));
    for (uint64_t n = 1; n <= newest; ++n) {
      // The seal of the root key is tried first, for it is what both homes put around it.
      if (!keys::Unseal(root_, sealed, GenerationContext(n))) continue;
      if (auto key = looking_->Open(kPhotoKeystore, n, sealed); key.ok())
        generations_.emplace(n, key->Reveal());
    }
  }
}

std::set<Attack::Record> Attack::CarveRecords(std::string_view disk) {
  std::set<Record> records;
  for (size_t at = disk.find("F-"); at != std::string_view::npos; at = disk.find("F-", at + 1)) {
    if (at < 5) continue;
    RecordAt(disk, at - 5, [&](std::string id, std::string sealed) {
      records.insert({std::move(id), std::move(sealed)});
    });
  }
  return records;
}

void Attack::CarveImages() {
  std::vector<std::string> images;
  for (const Copy& copy : history_.copies()) {
    if (!copy.image.empty()) images.push_back(copy.image);
  }
  images.push_back(history_.final_image());
  images.push_back(history_.trimmed_image());
  const size_t from_copies = generations_.size();
  for (const std::string& image : images) CarveGenerations(MappedFile(image).bytes());
  for (const std::string& image : images) {
    const MappedFile disk(image);
    PhotoKeys found;
    const std::set<Record> records = CarveRecords(disk.bytes());
    OpenRecords(records, generations_, found);
    std::set<std::string> ids;
    for (const auto& [id, keys] : found) {
      const auto photo = history_.photos().find(id);
      if (photo == history_.photos().end()) continue;
      if (!photo->second.key.empty() && !keys.contains(photo->second.key))
        wrong_.push_back("a key of another value was carved for " + id);
      ids.insert(id);
      pool_[id].insert(keys.begin(), keys.end());
    }
    Say(absl::StrCat(fs::path(image).filename().string(), ": ", records.size(),
                     " key records, keys that open: ", Counts(ids)));
    keys_from_raw_.merge(ids);
    SearchFile(image);
  }
  Say(absl::StrCat(generations_.size(), " generation keys open, ", from_copies,
                   " of them in copies of files"));
}

void Attack::Restore() {
  struct Source {
    std::string name, path, file_keys;
  };
  std::vector<Source> stores, keystores;
  for (const Copy& copy : history_.copies()) {
    if (copy.kind == Copy::Kind::kBackup) {
      stores.push_back({copy.name, copy.folder + "/store", copy.file_keys});
      keystores.push_back({copy.name, "", copy.file_keys});
    } else if (copy.kind == Copy::Kind::kKeystore) {
      keystores.push_back({copy.name, copy.folder + "/keys", ""});
    }
  }
  for (const Taken& taken : folders_) {
    const std::string name = fs::path(taken.folder).filename().string();
    stores.push_back({name, taken.folder + "/store", ""});
    keystores.push_back({name, taken.folder + "/keys", ""});
  }
  std::set<std::string> read;
  int opened_keystores = 0, files_read = 0;
  const std::string data = scratch_ + "/data";
  for (const Source& store_source : stores) {
    CopyFolder(store_source.path, data + "/store");
    const auto store = store::OpenRocksDb(data + "/store");
    if (!store.ok()) continue;  // said when its rows were taken
    for (const Source& keys_source : keystores) {
      ++restored_;
      std::map<std::string, std::string> file_keys;
      const auto file_home = keys::NewFileHome(root_, random_);
      std::unique_ptr<keys::Keystore> photo_keys;
      Shell("rm -rf " + data + "/keys");
      if (keys_source.path.empty()) {
        auto copies = keys::OpenKeyBackup(Slurp(keys_source.file_keys),
                                          fs::path(keys_source.file_keys).stem().string(), root_);
        if (!copies.ok()) Fail(std::string(copies.status().message()));
        for (const auto& [id, key] : *copies) file_keys[id] = key.Reveal();
      } else {
        CopyFolder(keys_source.path, data + "/keys");
        auto keystore = keys::Keystore::Open(data + "/keys", kPhotoKeystore, *looking_, random_);
        if (keystore.ok()) photo_keys = std::move(*keystore);
        opened_keystores += keystore.ok();
      }
      for (const char* table : {"ph/", "b/"}) {
        const bool photos = table == std::string_view("ph/");
        const auto status = (*store)->Scan(table, table, [&](std::string_view row, std::string_view value) {
          const std::string id(row.substr(std::string_view(table).size()));
          const base::Secret* key = photos && photo_keys != nullptr ? photo_keys->Find(id) : nullptr;
          if (key != nullptr && Read(id, std::string(value), key->Reveal())) read.insert(id);
          const auto file_key = file_keys.find(id);
          files_read += file_key != file_keys.end() &&
                        keys::Unseal(base::Secret(file_key->second), value, row).has_value();
          return true;
        });
        if (!status.ok()) wrong_.push_back(std::string(status.message()));
      }
    }
  }
  Say(absl::StrCat(restored_, " combinations of store and keys put together: ", opened_keystores,
                   " with a keystore of photos that opens, ", files_read,
                   " files read with backups of file keys; photos: ", Counts(read)));
  if (files_read == 0 && restored_ > 0) wrong_.push_back("no backup can be read with its own file keys");
}

// The program itself, started on what was taken, at the time when it was taken.
void Attack::RestoreForReal() {
  struct Trial {
    std::string what;
    absl::Time at;
    std::string folder;  // of all data
    std::string keys;    // put into an empty data folder
    const Copy* backup = nullptr;
  };
  std::vector<const Copy*> backups;
  for (const Copy& copy : history_.copies()) {
    if (copy.kind == Copy::Kind::kBackup) backups.push_back(&copy);
  }
  std::vector<Trial> trials;
  // Not the newest of the folders, which is the end.
  for (size_t quarter = 0, next = 0; quarter < 4; ++quarter) {
    const size_t n = std::max(next, folders_.size() * quarter / 4);
    if (n + 1 >= folders_.size()) break;
    trials.push_back({"the folder " + fs::path(folders_[n].folder).filename().string(), folders_[n].at,
                      folders_[n].folder, "", nullptr});
    next = n + 1;
  }
  if (!backups.empty()) {
    const Copy* middle = backups[backups.size() / 2];
    trials.push_back({middle->name + " and its file keys, restored", middle->at, "", "", middle});
    for (const Copy* copy : {middle, backups.front()}) {
      trials.push_back({copy->name + " with the keystores of the end, restored", copy->at, "",
                        history_.final_folder() + "/keys", copy});
    }
  }
  const std::string mount_point = history_.plan().scratch + "/disk";
  bool control = false;
  int number = 0;
  for (const Trial& trial : trials) {
    const std::string place = absl::StrCat(scratch_, "/trial-", ++number), data = place + "/data";
    Shell("mkdir " + place);
    auto town = Town::Copy(history_.town().folder(), place + "/town");
    const std::string config = town->folder() + "/waarborgd.toml";
    std::string text = Slurp(config);
    std::ofstream(config, std::ios::trunc) << absl::StrReplaceAll(text, {{mount_point + "/data", data}});
    if (history_.plan().token) {
      // As it is at the end; a copy, for a server destroys in it what it does not know.
      CopyToken(history_.token_folder(), place + "/token");
      UseToken(place + "/token");
    }
    // A code that was used before the copy was made is not taken again.
    town->SetClock(trial.at + absl::Minutes(2));
    std::string said;
    if (!trial.folder.empty()) CopyFolder(trial.folder, data);
    if (!trial.keys.empty()) CopyFolder(trial.keys, data + "/keys");
    if (trial.backup != nullptr) {
      Shell("mkdir -p " + data);
      said = testing::Output(
          absl::StrCat("cd ", town->folder(), " && ", testing::ProgramFolder(),
                       "/waarborgd-test restore --config waarborgd.toml --test-clock clock --from ",
                       trial.backup->folder, " --file-keys ", trial.backup->file_keys));
    }
    if (!town->Start()) {
      const std::string log = said + town->Log();
      const size_t end = log.find_last_not_of('\n'), line = log.find_last_of('\n', end);
      Say(absl::StrCat(trial.what, ": the server does not start: ",
                       log.substr(line == std::string::npos ? 0 : line + 1, end - line)));
      continue;
    }
    std::set<std::string> shown;
    for (const auto& [id, photo] : history_.photos()) {
      const bool wanted = town->Run("receptie", "receptie-1", "photo show",
                                    {{"ban", photo.ban}, {"purpose", "visitor-at-desk"}})
                              .ok();
      if (!wanted) continue;
      // A wrong photo and the right one belong to the same ban.
      const auto ban = town->Run("teamleider", "kantoor-1", "ban show", {{"ban", photo.ban}});
      if (ban.FindFact("photo-id") == id) shown.insert(id);
    }
    Say(absl::StrCat(trial.what, ": the server starts and shows photos: ", Counts(shown)));
    for (const std::string& id : shown)
      control = control || !history_.photos().at(id).EndedAt(history_.end());
    recovered_.merge(shown);
    town->Stop(SIGKILL);
    Shell("rm -rf " + place);
  }
  if (history_.plan().token) UseToken(history_.token_folder());
  if (!control && !backups.empty()) wrong_.push_back("no restored server shows a photo that is in force");
}

void Attack::Run() {
  for (const Copy& copy : history_.copies()) {
    if (copy.kind == Copy::Kind::kFolder) folders_.push_back({copy.folder, copy.at});
    if (copy.kind != Copy::Kind::kImage) continue;
    const std::string to = absl::StrCat(scratch_, "/of-", copy.name);
    Extract(copy.image, "data", to, scratch_);
    folders_.push_back({to, copy.at});
  }
  std::sort(folders_.begin(), folders_.end(), [](const Taken& a, const Taken& b) { return a.at < b.at; });
  folders_.push_back({history_.final_folder(), history_.end()});

  std::vector<std::string> all;
  for (const Taken& taken : folders_) {
    all.push_back(taken.folder);
    TakeRows(taken.folder + "/store");
  }
  for (const Copy& copy : history_.copies()) {
    if (copy.kind == Copy::Kind::kBackup) TakeRows(copy.folder + "/store");
    if (copy.kind == Copy::Kind::kBackup || copy.kind == Copy::Kind::kKeystore) all.push_back(copy.folder);
  }
  for (const std::string& folder : all) TakeKeys(folder);
  OpenRecords(records_, generations_, pool_);
  Say(absl::StrCat(rows_.size(), " photos have a row in some copy; ", records_.size(), " key records, ",
                   generations_.size(), " generation keys that open"));
  PrepareNeedles();
  TryRows();
  Say("read with the pool of keys: photos " + Counts(recovered_));
  Restore();
  CarveImages();
  TryRows();
  for (const std::string& folder : all) SearchFolder(folder);
  for (const Copy& copy : history_.copies()) {
    if (!copy.file_keys.empty()) SearchFile(copy.file_keys);
  }
  if (found_control_.empty())
    wrong_.push_back("the search finds nothing, not even ciphertext that must be there");
  RestoreForReal();

  // The store of the end.
  const std::string copy = scratch_ + "/rows";
  CopyFolder(history_.final_folder() + "/store", copy);
  const auto store = store::OpenRocksDb(copy);
  if (!store.ok()) Fail(std::string(store.status().message()));
  for (const auto& [id, photo] : history_.photos()) {
    const bool there = (*store)->Get("ph/" + id).ok();
    if (there == photo.EndedAt(history_.end()))
      wrong_.push_back(
          absl::StrCat(id, there ? " has ended, and its row is there" : " is in force, and has no row"));
  }
}

}  // namespace waarborg::drill

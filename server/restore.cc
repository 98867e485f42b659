// SPDX-License-Identifier: EUPL-1.2
#include "server/restore.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "audit/certificate.h"
#include "audit/opening.h"
#include "server/backup/backup.h"
#include "server/base/file.h"
#include "server/journal/rows.h"
#include "server/keys/key_backup.h"
#include "server/keys/sealing.h"

namespace waarborg::server {

namespace fs = std::filesystem;
namespace pb = waarborg::v1;

namespace {

using Say = std::function<void(const std::string&)>;

bool HasKeystore(const std::string& folder, const std::string& name) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string file = entry.path().filename().string();
    if (file.starts_with(name + "-") && file.ends_with(".keys")) return true;
  }
  return false;
}

absl::StatusOr<pb::LogHeadRecord> HeadOf(const std::string& folder) {
  auto store = store::OpenRocksDb(folder);
  if (!store.ok()) return store.status();
  auto stored = (*store)->Get("a/head");
  if (!stored.ok()) return stored.status();
  pb::LogHeadRecord head;
  if (!head.ParseFromString(*stored)) return absl::DataLossError("the head of the log does not open");
  return head;
}

// What is there is older than the backup, or nothing.
absl::Status RefuseOverNewer(const std::string& folder, const backup::Manifest& manifest) {
  if (!fs::exists(folder)) return absl::OkStatus();
  auto head = HeadOf(folder);
  if (!head.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder, " cannot be read (", std::string(head.status().message()),
                     "); stop the service, and move it away if it is to be replaced"));
  }
  const bool longer = head->log().origin() == manifest.log_origin && head->size() > manifest.log_entries;
  if (longer || absl::FromUnixMillis(head->at_ms()) > manifest.newest) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder, " holds newer data, until ",
                     base::FormatLocal(absl::FromUnixMillis(head->at_ms())), "; the backup ends at ",
                     base::FormatLocal(manifest.newest), ". Move it away if it is to be replaced"));
  }
  return absl::OkStatus();
}

absl::Status CopyStore(const RestoreOptions& options, const backup::Manifest& manifest,
                       const std::string& data_folder) {
  const std::string partial = data_folder + "/store.partial", store = data_folder + "/store";
  std::error_code error;
  fs::remove_all(partial, error);
  fs::create_directories(partial, error);
  if (error) return absl::UnavailableError(absl::StrCat("cannot make ", partial, ": ", error.message()));
  for (const auto& file : manifest.files) {
    if (!file.path.starts_with("store/")) continue;
    auto content = base::ReadFile(absl::StrCat(options.from, "/", file.path));
    if (!content.ok()) return content.status();
    if (auto s = base::WriteFileDurably(absl::StrCat(partial, "/", file.path.substr(6)), *content); !s.ok()) {
      return s;
    }
  }
  if (fs::exists(store)) {
    fs::rename(store, absl::StrCat(store, ".before-", manifest.id), error);
    if (error) return absl::UnavailableError(absl::StrCat("cannot move ", store, " away: ", error.message()));
  }
  return base::RenameDurably(partial, store);
}

absl::Status CopyIfMissing(const std::string& from, const std::string& to) {
  if (fs::exists(to)) return absl::OkStatus();
  auto content = base::ReadFile(from);
  if (absl::IsNotFound(content.status())) return absl::OkStatus();
  if (!content.ok()) return content.status();
  std::error_code ignored;
  fs::create_directories(fs::path(to).parent_path(), ignored);
  return base::WriteFileDurably(to, *content);
}

// What guarded the keys that were lost guards nothing any more.
absl::Status ForgetGenerations(keys::GenerationHome& home, const std::string& name) {
  auto guarded = home.Guarded(name);
  if (!guarded.ok()) return guarded.status();
  for (uint64_t generation : *guarded) {
    if (auto s = home.Destroy(name, generation); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status RestoreKeys(const config::ServerConfig& config, const Surroundings& around,
                         const RestoreOptions& options, const base::Secret& root, const Say& say) {
  const std::string folder = config.data_folder + "/keys";
  auto home = OpenHome(config, root, around.random);
  if (!home.ok()) return home.status();
  for (const char* name : {"photo", "file"}) {
    if (HasKeystore(folder, name) || options.keys_are_lost) continue;
    auto guarded = (*home)->Guarded(name);
    if (!guarded.ok()) return guarded.status();
    if (!guarded->empty()) {
      return absl::FailedPreconditionError(absl::StrCat(
          folder, ": there are no ", name, " keys here, but the token guards generation ", *guarded->rbegin(),
          " of them. Where is the house that uses them? For an exercise, use another token or another "
          "instance; if they are lost for good, say so with --keys-are-lost, and what guards them is "
          "destroyed"));
    }
  }
  if (!HasKeystore(folder, "photo")) {
    say("the keys of photos are lost, as they have no backup: every photo has to be supplied again");
    if (auto s = ForgetGenerations(**home, "photo"); !s.ok()) return s;
  }
  if (HasKeystore(folder, "file")) {
    say("the file keys are there and are kept: they know which files were destroyed since the backup");
    return absl::OkStatus();
  }
  std::string path = options.keys_file;
  if (path.empty()) {
    const std::vector<std::string> all = keys::KeyBackupsIn(config.backup_keys_folder);
    if (!all.empty()) path = all.back();
  }
  if (path.empty()) {
    return absl::FailedPreconditionError(
        "the file keys are lost and there is no backup of them: give one with --file-keys");
  }
  auto bytes = base::ReadFile(path);
  if (!bytes.ok()) return bytes.status();
  auto copies = keys::OpenKeyBackup(*bytes, fs::path(path).stem().string(), root);
  if (!copies.ok()) {
    return absl::Status(copies.status().code(),
                        absl::StrCat(path, ": ", std::string(copies.status().message())));
  }
  if (auto s = ForgetGenerations(**home, "file"); !s.ok()) return s;
  // In a folder of its own until it is whole, so that an interruption leaves no store with half of the keys.
  const std::string partial = folder + ".partial";
  std::error_code ignored;
  fs::create_directories(folder, ignored);
  fs::permissions(folder, fs::perms::owner_all, ignored);
  fs::remove_all(partial, ignored);
  {
    auto store = keys::Keystore::Open(partial, "file", **home, around.random);
    if (!store.ok()) return store.status();
    for (auto& [id, key] : *copies) (*store)->Restore(id, std::move(key));
    if (auto s = (*store)->Sync(); !s.ok()) return s;
  }
  for (const char* ending : {".gen", ".keys"}) {  // the keys last: from then on they count
    if (auto s = base::RenameDurably(absl::StrCat(partial, "/file-1", ending),
                                     absl::StrCat(folder, "/file-1", ending));
        !s.ok()) {
      return s;
    }
  }
  fs::remove_all(partial, ignored);
  say(absl::StrCat("the file keys were put back from ", path));
  return absl::OkStatus();
}

// Files whose key is not in the keystore were destroyed since the backup: what is left of them is noise, and
// goes.
absl::Status RemoveFilesWithoutKey(const config::ServerConfig& config, const Surroundings& around,
                                   const base::Secret& root, const Say& say) {
  auto home = OpenHome(config, root, around.random);
  if (!home.ok()) return home.status();
  auto keys = keys::Keystore::Open(config.data_folder + "/keys", "file", **home, around.random);
  if (!keys.ok()) return keys.status();
  auto store = store::OpenRocksDb(config.data_folder + "/store");
  if (!store.ok()) return store.status();
  auto inventory = backup::Inspect(**store, [&](const std::string& id) { return (*keys)->Find(id); });
  if (!inventory.ok()) return inventory.status();
  if (inventory->bans_without_key.empty()) return absl::OkStatus();
  std::vector<std::string> rows;
  for (const std::string& id : inventory->bans_without_key) rows.push_back(journal::BanRow(id));
  say(absl::StrCat(rows.size(),
                   " files in the backup have no key any more: they were destroyed since, and go"));
  return (*store)->Erase(rows);
}

// The newest checkpoint of the log that is known: given, remembered, published or of the backup.
absl::StatusOr<std::optional<audit::Checkpoint>> LastKnown(const config::ServerConfig& config,
                                                           const RestoreOptions& options,
                                                           const House& house) {
  std::vector<std::string> places;
  if (!options.last_checkpoint.empty()) places.push_back(options.last_checkpoint);
  places.push_back(config.data_folder + "/log/newest");
  places.push_back(options.from + "/newest");
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(config.log_folder, ignored)) {
    places.push_back(entry.path().string() + "/checkpoint");
  }
  std::optional<audit::Checkpoint> last;
  for (const std::string& place : places) {
    auto note = base::ReadFile(place);
    if (absl::IsNotFound(note.status()) && place != options.last_checkpoint) continue;
    if (!note.ok()) return note.status();
    const auto read = audit::ReadCheckpoint(*note);
    if (!read.ok()) return absl::InvalidArgumentError(absl::StrCat(place, ": ", read.error()));
    if (auto s = audit::OpenCheckpoint(*note, house.publisher->KeyOf(read->checkpoint.origin)); !s.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(place, ": ", s.error()));
    }
    // Later logs have later names: the year, and after a restore a number.
    const audit::Checkpoint& c = read->checkpoint;
    if (!last || std::pair(c.origin.size(), c.origin) > std::pair(last->origin.size(), last->origin) ||
        (c.origin == last->origin && c.size > last->size)) {
      last = c;
    }
  }
  return last;
}

// Records that stand in a log of this house, from files that somebody kept.
absl::StatusOr<std::vector<pb::AuditRecord>> ReadOpenings(const std::string& folder, const House& house) {
  std::vector<pb::AuditRecord> records;
  if (folder.empty()) return records;
  std::error_code error;
  for (auto it = fs::recursive_directory_iterator(folder, error); !error && it != fs::end(it);
       it.increment(error)) {
    if (!it->is_regular_file()) continue;
    const std::string path = it->path().string();
    auto bytes = base::ReadFile(path);
    if (!bytes.ok()) return bytes.status();
    auto opening = audit::OpeningFile::Parse(*bytes);
    if (!opening.ok()) {
      const auto certificate = audit::Certificate::Parse(*bytes);
      if (!certificate.ok()) return absl::InvalidArgumentError(absl::StrCat(path, ": ", certificate.error()));
      opening = audit::Result<audit::OpeningFile>(certificate->opening());
    }
    const auto& signed_checkpoint = opening->proof.checkpoint;
    const auto key = house.publisher->KeyOf(signed_checkpoint.checkpoint.origin);
    pb::AuditRecord record;
    if (!opening->Holds() || !audit::OpenCheckpoint(signed_checkpoint.note.Text(), key).ok() ||
        !record.ParseFromString(opening->record)) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": does not stand in a log of this house"));
    }
    records.push_back(std::move(record));
  }
  if (error) return absl::UnavailableError(absl::StrCat("cannot read ", folder, ": ", error.message()));
  std::stable_sort(records.begin(), records.end(),
                   [](const auto& a, const auto& b) { return a.at_ms() < b.at_ms(); });
  return records;
}

}  // namespace

absl::Status Restore(const config::ServerConfig& config, const Surroundings& around,
                     const RestoreOptions& options, const Say& say) {
  auto root = keys::ReadRootKey(config.root_key_file, around.ask);
  if (!root.ok()) return root.status();
  auto manifest = backup::CheckFolder(options.from, *root);
  if (!manifest.ok()) return manifest.status();
  say(absl::StrCat("backup ", manifest->id, " of ", base::FormatLocal(manifest->made), " is whole"));
  const std::string store_folder = config.data_folder + "/store";
  if (auto s = RefuseOverNewer(store_folder, *manifest); !s.ok()) return s;
  if (auto s = RestoreKeys(config, around, options, *root, say); !s.ok()) return s;
  if (auto s = CopyStore(options, *manifest, config.data_folder); !s.ok()) return s;
  for (const auto& [from, to] : {std::pair{"/log.key", "/keys/log.key"}, {"/newest", "/log/newest"}}) {
    if (auto s = CopyIfMissing(options.from + from, config.data_folder + to); !s.ok()) return s;
  }

  if (auto s = RemoveFilesWithoutKey(config, around, *root, say); !s.ok()) return s;

  auto house = OpenParts(config, around, nullptr);
  if (!house.ok()) return house.status();
  journal::Journal& journal = *house->journal;
  auto records = ReadOpenings(options.openings, *house);
  if (!records.ok()) return records.status();
  auto last = LastKnown(config, options, *house);
  if (!last.ok()) return last.status();
  const auto committed = journal.committed();
  audit::Checkpoint previous{journal.log_origin(), committed.frontier.size(), committed.frontier.Root()};
  const uint64_t here = previous.size;
  uint64_t missing = 0;
  if (*last && ((*last)->origin != previous.origin || (*last)->size > previous.size)) previous = **last;
  if (previous.origin == journal.log_origin()) missing = previous.size - here;
  if (auto s = journal.ContinueAfter(previous); !s.ok()) return s;
  say(absl::StrCat(
      "the log goes on as ", journal.log_origin(), "; ", missing,
      " entries of the old one are not in this backup: what was decided in them has to be done again"));
  size_t replayed = 0;
  auto s = journal.RunNow([&](journal::Turn& turn) {
    std::map<std::string, domain::Ban> changed;
    for (const pb::AuditRecord& record : *records) {
      const domain::Ban* now = turn.world().FindBan(record.ban_id());
      if (now == nullptr) continue;
      if (record.event() == "FileDestroyed") {
        turn.ShredFile(record.ban_id());
        ++replayed;
        continue;
      }
      domain::Ban& ban = changed.try_emplace(record.ban_id(), *now).first->second;
      if (record.event() == "PhotoDestroyed" &&
          domain::RepeatDestruction(turn.world().municipality(), ban, record.photo_id(),
                                    static_cast<domain::DestructionReason>(record.destruction_reason()),
                                    static_cast<domain::BanState>(record.ban_state()),
                                    absl::FromUnixMillis(record.at_ms()))) {
        turn.DeletePhoto(record.photo_id());
        ++replayed;
      }
    }
    for (auto& [id, ban] : changed) turn.Put(std::move(ban));
    pb::AuditRecord record;
    record.set_event("BackupRestored");
    record.set_result(pb::RESULT_DONE);
    record.set_subject_id(manifest->id);
    record.set_count(missing);
    turn.Log(std::move(record));
  });
  if (!s.ok()) return s;
  say(absl::StrCat(replayed, " destructions were done again, as ", records->size(), " openings prove"));
  return absl::OkStatus();
}

}  // namespace waarborg::server

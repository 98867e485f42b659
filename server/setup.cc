// SPDX-License-Identifier: EUPL-1.2
#include "server/setup.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/access/wire.h"
#include "server/base/file.h"
#include "server/base/hex.h"
#include "server/jobs/clockwork.h"
#include "server/keys/log_key.h"
#include "server/keys/sealing.h"
#include "server/rpc/enrolment.h"
#include "server/witness/http_caller.h"

namespace waarborg::server {

namespace pb = waarborg::v1;

namespace {

constexpr int kFirstDays = 2 * 365;

absl::Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::UnavailableError(absl::StrCat("cannot make ", path, ": ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

domain::Person NewPerson(journal::Turn& turn, FirstPerson& first, domain::Role role) {
  domain::Person person;
  person.id = turn.random().Id("M-");
  person.login = first.login;
  person.display_name = first.display_name;
  person.assignment.roles = {role};
  person.assignment.from = turn.today();
  person.assignment.until = turn.today() + kFirstDays;
  const std::string first_half = rpc::NewHalf(turn.random()), second_half = rpc::NewHalf(turn.random());
  person.enrolment_digest = rpc::EnrolmentDigest(rpc::FirstHalfDigest(first_half), second_half);
  first.enrolment_code = absl::StrCat(first_half, " ", second_half);
  return person;
}

absl::StatusOr<House> OpenAndCatchUp(const config::ServerConfig& config, const Surroundings& around,
                                     const std::set<std::string>& overruled, const WrapStore& wrap) {
  auto house = OpenParts(config, around, wrap);
  if (!house.ok()) return house.status();
  journal::Journal& journal = *house->journal;
  if (journal.world().people().empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(config.data_folder, " is empty; set it up with: waarborgd init"));
  }
  for (const std::string& id : overruled) {
    const auto& all = journal.world().municipality().witnesses;
    if (std::none_of(all.begin(), all.end(), [&](const domain::LogWitness& w) { return w.id == id; })) {
      return absl::InvalidArgumentError(absl::StrCat("--overrule-witness: there is no witness \"", id, "\""));
    }
  }
  if (auto s = house->publisher->Start(overruled); absl::IsDataLoss(s)) {
    return s;
  } else if (!s.ok()) {
    // A full disk keeps nobody from destroying what has to go; it is published once there is room.
    std::fprintf(stderr, "waarborgd: the log cannot be published: %s\n", std::string(s.message()).c_str());
  }
  journal.SetClockwork(jobs::RunDue);
  auto s = journal.RunNow([&](journal::Turn& turn) {
    for (const std::string& id : overruled) {
      pb::AuditRecord record;
      record.set_event("WitnessOverruled");
      record.set_result(pb::RESULT_DONE);
      record.set_subject_id(id);
      turn.Log(std::move(record));
    }
    pb::AuditRecord record;
    record.set_event("SystemStarted");
    record.set_result(pb::RESULT_DONE);
    turn.Log(std::move(record));
  });
  if (!s.ok()) return s;
  return house;
}

}  // namespace

absl::StatusOr<std::unique_ptr<keys::GenerationHome>> OpenHome(const config::ServerConfig& config,
                                                               const base::Secret& root,
                                                               base::Random& random) {
  if (config.token_module.empty()) return keys::NewFileHome(root, random);
  auto pin = keys::ReadSecret(config.token_pin_file);
  if (!pin.ok()) return pin.status();
  return keys::OpenTokenHome({config.token_module, config.token_label, config.token_instance}, *pin, root,
                             random);
}

absl::StatusOr<House> OpenParts(const config::ServerConfig& config, const Surroundings& around,
                                const WrapStore& wrap) {
  auto& [clock, random, room, ask] = around;
  auto root = keys::ReadRootKey(config.root_key_file, ask);
  if (!root.ok()) return root.status();
  if (auto s = MakeFolder(config.data_folder); !s.ok()) return s;
  House house;
  // The store first: its lock keeps a second server away from the keystores too.
  auto store = store::OpenRocksDb(config.data_folder + "/store");
  if (!store.ok()) return store.status();
  house.store = wrap ? wrap(std::move(*store)) : std::move(*store);
  const std::string keys_folder = config.data_folder + "/keys";
  auto home = OpenHome(config, *root, random);
  if (!home.ok()) return home.status();
  house.home = std::move(*home);
  auto file_keys = keys::Keystore::Open(keys_folder, "file", *house.home, random);
  if (!file_keys.ok()) return file_keys.status();
  house.file_keys = std::move(*file_keys);
  auto photo_keys = keys::Keystore::Open(keys_folder, "photo", *house.home, random);
  if (!photo_keys.ok()) return photo_keys.status();
  house.photo_keys = std::move(*photo_keys);
  house.background = std::make_unique<base::Workers>(2, 8);
  journal::Journal::Parts parts{
      &clock, &random,        house.store.get(), house.file_keys.get(), house.photo_keys.get(),
      &room,  config.log_name};
  parts.background = house.background.get();
  if (config.trim) parts.trim_folder = config.data_folder;
  auto journal = journal::Journal::Open(parts);
  if (!journal.ok()) return journal.status();
  house.journal = std::move(*journal);
  auto published = journal::OpenLogFiles(config.log_folder, /*open_to_all=*/true);
  if (!published.ok()) return published.status();
  house.published = std::move(*published);
  auto memory = journal::OpenLogFiles(config.data_folder + "/log", /*open_to_all=*/false);
  if (!memory.ok()) return memory.status();
  house.memory = std::move(*memory);
  auto newest = house.memory->Read("newest");
  if (!newest.ok() && !absl::IsNotFound(newest.status())) return newest.status();
  auto log_key = keys::OpenLogKey(keys_folder, config.log_key_file, *root, random, /*make=*/!newest.ok());
  if (!log_key.ok()) return log_key.status();
  house.witnesses = witness::NewHttpCaller();
  house.publisher = std::make_unique<journal::Publisher>(
      journal::Publisher::Parts{house.journal.get(), house.store.get(), house.published.get(),
                                house.memory.get(), house.witnesses.get(), std::move(*log_key)});
  auto certificates = journal::OpenLogFiles(config.certificates_folder, /*open_to_all=*/false);
  if (!certificates.ok()) return certificates.status();
  house.certificates = std::move(*certificates);
  house.certifier = std::make_unique<journal::Certifier>(
      journal::Certifier::Parts{house.journal.get(), house.store.get(), house.publisher.get(),
                                house.certificates.get(), house.file_keys->Find("house")->Clone()});
  house.backups = std::make_unique<backup::Maker>(backup::Maker::Parts{
      house.journal.get(), house.store.get(), house.file_keys.get(), &random, std::move(*root),
      config.data_folder, config.backup_folder, config.backup_keys_folder, config.backup_keys_keep_days});
  return house;
}

absl::StatusOr<House> OpenHouse(const config::ServerConfig& config, const Surroundings& around,
                                const std::set<std::string>& overruled, const WrapStore& wrap) {
  // A full disk is no reason not to start: opening, and destroying what has to go, has the room kept for it.
  around.room.Release();
  auto house = OpenAndCatchUp(config, around, overruled, wrap);
  around.room.Hold();
  return house;
}

absl::StatusOr<std::string> BeginLog(const config::ServerConfig& config, const Surroundings& around,
                                     const std::string& last_checkpoint) {
  auto house = OpenParts(config, around, nullptr);
  if (!house.ok()) return house.status();
  journal::Journal& journal = *house->journal;
  const auto read = audit::ReadCheckpoint(last_checkpoint);
  if (!read.ok()) return absl::InvalidArgumentError(read.error());
  const audit::Checkpoint& last = read->checkpoint;
  if (auto s = audit::OpenCheckpoint(last_checkpoint, house->publisher->KeyOf(last.origin)); !s.ok()) {
    return absl::InvalidArgumentError(s.error());
  }
  if (auto newest = house->memory->Read("newest"); newest.ok()) {
    const auto known = audit::ReadCheckpoint(*newest);
    const auto committed = journal.committed();
    const auto is_its = [&](const pb::LogRecord& log) {
      return known.ok() && log.origin() == known->checkpoint.origin;
    };
    const bool later =
        known.ok() && known->checkpoint.origin != last.origin &&
        (is_its(committed.log) || std::any_of(committed.closed->begin(), committed.closed->end(), is_its)) &&
        std::any_of(committed.closed->begin(), committed.closed->end(),
                    [&](const pb::LogRecord& log) { return log.origin() == last.origin; });
    if (later ||
        (known.ok() && known->checkpoint.origin == last.origin && known->checkpoint.size > last.size)) {
      return absl::InvalidArgumentError(absl::StrCat("a newer checkpoint is known, of ",
                                                     known->checkpoint.size, " entries: give that one (",
                                                     house->memory->folder(), "/newest)"));
    }
  }
  auto behind = journal.IsBehind(last);
  if (!behind.ok()) return behind.status();
  if (!*behind) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the log ", journal.log_origin(), " has not fallen behind this checkpoint: it can go on as it is"));
  }
  if (auto s = journal.ContinueAfter(last); !s.ok()) return s;
  return journal.log_origin();
}

absl::StatusOr<std::string> LogKey(const config::ServerConfig& config, const Surroundings& around,
                                   const std::string& origin) {
  auto root = keys::ReadRootKey(config.root_key_file, around.ask);
  if (!root.ok()) return root.status();
  auto seed = keys::OpenLogKey(config.data_folder + "/keys", config.log_key_file, *root, around.random,
                               /*make=*/false);
  if (!seed.ok()) return seed.status();
  std::string name = origin;
  if (name.empty()) {
    auto newest = base::ReadFile(config.data_folder + "/log/newest");
    if (!newest.ok()) {
      return absl::FailedPreconditionError(
          "no checkpoint was signed yet: start the service first, or name --origin");
    }
    const auto read = audit::ReadCheckpoint(*newest);
    if (!read.ok()) return absl::DataLossError(read.error());
    name = read->checkpoint.origin;
  }
  const auto key = audit::SigningKey::FromSeed(name, audit::KeyType::kEd25519, seed->Reveal());
  if (!key.ok()) return absl::InvalidArgumentError(key.error());
  return key->verifier().Text();
}

absl::Status Initialise(const config::ServerConfig& config, const Surroundings& around, Initial& initial) {
  config::Errors errors;
  domain::Municipality municipality =
      config::ParseMunicipality(initial.municipality_toml, "municipality.toml", errors);
  if (!errors.empty()) return absl::InvalidArgumentError(absl::StrJoin(errors, "\n"));
  for (const auto* person : {&initial.administrator, &initial.privacy_officer}) {
    if (domain::CheckLogin(person->login)) {
      return absl::InvalidArgumentError(
          absl::StrCat("sign-in name \"", person->login, "\" must be 2 to 40 of a-z, 0-9, dot and hyphen"));
    }
    if (person->display_name.empty()) return absl::InvalidArgumentError("a person needs a name to show");
  }
  if (initial.administrator.login == initial.privacy_officer.login) {
    return absl::InvalidArgumentError("the first two people must be two: one alone can do nothing");
  }
  domain::Station station{initial.station_id, initial.location_id,
                          access::FingerprintOfPem(initial.station_certificate_pem), false};
  if (auto v = domain::CheckStation(municipality, station)) {
    return absl::InvalidArgumentError(
        absl::StrCat("first station: ", v->field, ": ", domain::TextOf(v->rule).message));
  }
  struct stat info {};
  if (!config.root_key_file.starts_with("credential:") && stat(config.root_key_file.c_str(), &info) != 0) {
    base::Secret key = base::Secret::OfSize(keys::kKeySize);
    around.random.Fill(key.MutableData(), key.size());
    auto text = keys::RootKeyText(key, nullptr, around.random);
    if (!text.ok()) return text.status();
    if (auto s = base::WriteFileDurably(config.root_key_file, text->Reveal()); !s.ok()) return s;
  }
  auto house = OpenParts(config, around, nullptr);
  if (!house.ok()) return house.status();
  if (!house->journal->world().people().empty()) {
    return absl::AlreadyExistsError(absl::StrCat(config.data_folder, " is set up already"));
  }
  return house->journal->RunNow([&](journal::Turn& turn) {
    pb::AuditRecord record;
    record.set_event("SystemInitialised");
    record.set_result(pb::RESULT_DONE);
    record.set_configuration_digest(keys::Sha256(initial.municipality_toml));
    turn.Log(std::move(record));
    turn.PutConfiguration(initial.municipality_toml, municipality);
    turn.Put(NewPerson(turn, initial.administrator, domain::Role::kAdministrator));
    turn.Put(NewPerson(turn, initial.privacy_officer, domain::Role::kPrivacyOfficer));
    turn.Put(station);
  });
}

absl::Status RotateRootKey(const config::ServerConfig& config, const Surroundings& around,
                           const base::Secret* passphrase,
                           const std::function<void(const std::string&)>& say) {
  const std::string& path = config.root_key_file;
  const std::string next_path = path + ".next";
  const std::string keys_folder = config.data_folder + "/keys";
  if (path.starts_with("credential:")) {
    return absl::FailedPreconditionError(
        "the root key comes from systemd: name a file in root_key_file for the rotation, put the key there, "
        "and "
        "encrypt the new one with systemd-creds afterwards");
  }
  // Its lock keeps a running service away.
  auto store = store::OpenRocksDb(config.data_folder + "/store");
  if (!store.ok()) return store.status();
  std::optional<base::Secret> old_root;
  struct stat info {};
  const bool interrupted = stat(next_path.c_str(), &info) == 0;
  // When it was interrupted at the very end, the old one is gone and the new one not in its place yet.
  if (stat(path.c_str(), &info) == 0) {
    auto read = keys::ReadRootKey(path, around.ask);
    if (!read.ok()) return read.status();
    old_root = std::move(*read);
  } else if (!interrupted) {
    return absl::NotFoundError(absl::StrCat("no file ", path));
  }
  base::Secret next;
  if (interrupted) {
    say("a rotation was interrupted and goes on");
    auto read = keys::ReadRootKey(next_path, around.ask);
    if (!read.ok()) return read.status();
    next = std::move(*read);
  } else {
    next = base::Secret::OfSize(keys::kKeySize);
    around.random.Fill(next.MutableData(), next.size());
    auto text = keys::RootKeyText(next, passphrase, around.random);
    if (!text.ok()) return text.status();
    if (auto s = base::WriteFileDurably(next_path, text->Reveal()); !s.ok()) return s;
  }
  auto to = OpenHome(config, next, around.random);
  if (!to.ok()) return to.status();
  std::unique_ptr<keys::GenerationHome> from;
  if (old_root) {
    auto home = OpenHome(config, *old_root, around.random);
    if (!home.ok()) return home.status();
    from = std::move(*home);
  }
  std::vector<std::string> copies;
  if (!config.backup_keys_folder.empty()) copies = keys::KeyBackupsIn(config.backup_keys_folder);
  const size_t steps = 3 + copies.size();
  size_t step = 0;
  const auto done = [&](const std::string& what) { say(absl::StrCat(++step, " of ", steps, ": ", what)); };
  for (const char* name : {"photo", "file"}) {
    auto opened = keys::Keystore::Open(keys_folder, name, **to, around.random);
    if (absl::IsFailedPrecondition(opened.status()) && from != nullptr) {
      opened = keys::Keystore::Open(keys_folder, name, *from, around.random);
      if (!opened.ok()) return opened.status();
      if (auto s = (*opened)->MoveTo(**to); !s.ok()) return s;
    }
    if (!opened.ok()) return opened.status();
    done(absl::StrCat((*opened)->size(), " keys of ", name, "s, generation ", (*opened)->generation()));
  }
  if (auto s = keys::ResealLogKey(keys_folder, old_root ? &*old_root : nullptr, next, around.random);
      !s.ok()) {
    return s;
  }
  done("the key of the log");
  for (const std::string& copy : copies) {
    if (auto s = keys::ResealKeyBackup(copy, old_root ? &*old_root : nullptr, next, around.random); !s.ok()) {
      return s;
    }
    done(copy);
  }
  if (auto s = base::OverwriteAndRemove(path); !s.ok()) return s;
  if (auto s = base::RenameDurably(next_path, path); !s.ok()) return s;
  say("the new root key is in " + path +
      ". Copy it to where the old one was kept, and destroy the copies of the old one. Manifests of older "
      "backups "
      "carry the old key's mark: make a new backup now");
  return absl::OkStatus();
}

}  // namespace waarborg::server

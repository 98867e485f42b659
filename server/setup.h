// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/backup/backup.h"
#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/base/room.h"
#include "server/base/workers.h"
#include "server/config/config.h"
#include "server/journal/certifier.h"
#include "server/journal/journal.h"
#include "server/journal/publisher.h"
#include "server/keys/keystore.h"
#include "server/keys/root_key.h"
#include "server/store/store.h"

namespace waarborg::server {

// The parts of a running house, in the order in which they depend on each other.
struct House {
  std::unique_ptr<store::Store> store;
  std::unique_ptr<keys::GenerationHome> home;
  std::unique_ptr<keys::Keystore> file_keys;
  std::unique_ptr<keys::Keystore> photo_keys;
  // Does what takes long in a destruction; ends before what it works on.
  std::unique_ptr<base::Workers> background;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<journal::LogFiles> published;
  std::unique_ptr<journal::LogFiles> memory;
  std::unique_ptr<journal::WitnessCaller> witnesses;
  std::unique_ptr<journal::Publisher> publisher;
  std::unique_ptr<journal::LogFiles> certificates;
  std::unique_ptr<journal::Certifier> certifier;
  std::unique_ptr<backup::Maker> backups;
};

// What is put around the store before anything uses it; the test build plants faults here.
using WrapStore = std::function<std::unique_ptr<store::Store>(std::unique_ptr<store::Store>)>;

// What a house stands in. All of it outlives the house.
struct Surroundings {
  base::Clock& clock;
  base::Random& random;
  base::Room& room;
  keys::AskPassphrase ask;  // for a root key that is sealed under a passphrase
};

// The home of generation keys that the configuration names.
absl::StatusOr<std::unique_ptr<keys::GenerationHome>> OpenHome(const config::ServerConfig& config,
                                                               const base::Secret& root,
                                                               base::Random& random);

// Opens everything in the data folder, and does nothing with it.
absl::StatusOr<House> OpenParts(const config::ServerConfig& config, const Surroundings& around,
                                const WrapStore& wrap);

// Opens everything in the data folder; compares the log with its newest checkpoint and its witnesses; brings
// what the clock set off meanwhile up to date, destruction included, so that nothing is served before it.
// `overruled` names witnesses whose word is not taken at this start; that is recorded.
absl::StatusOr<House> OpenHouse(const config::ServerConfig& config, const Surroundings& around,
                                const std::set<std::string>& overruled = {}, const WrapStore& wrap = nullptr);

// After an older backup was restored: begins the next log, whose first entry commits to the last checkpoint
// known of the one before, a signed note. Refuses a checkpoint that this house did not sign, or that the log
// has not fallen behind. Returns the new origin.
absl::StatusOr<std::string> BeginLog(const config::ServerConfig& config, const Surroundings& around,
                                     const std::string& last_checkpoint);

// The verifier key text of the log of this origin; of the newest one when empty. Also while the server runs.
absl::StatusOr<std::string> LogKey(const config::ServerConfig& config, const Surroundings& around,
                                   const std::string& origin);

// One of the first two people, or the first station, as given on the command line.
struct FirstPerson {
  std::string login;
  std::string display_name;
  std::string enrolment_code;  // filled in: two halves with a space
};
struct Initial {
  std::string municipality_toml;
  FirstPerson administrator;
  FirstPerson privacy_officer;
  std::string station_id;
  std::string location_id;
  std::string station_certificate_pem;
};

// Sets up an empty data folder: configuration, first two people, first station; makes the root key when its
// file is not there. Refuses a folder that holds anything.
absl::Status Initialise(const config::ServerConfig& config, const Surroundings& around, Initial& initial);

// Makes a new root key and seals everything under it that the old one sealed: the generation keys, the key of
// the log, and the backups of the file keys. Says how far it is. Can be interrupted anywhere and is finished
// by calling it again. `passphrase` seals the new one.
absl::Status RotateRootKey(const config::ServerConfig& config, const Surroundings& around,
                           const base::Secret* passphrase,
                           const std::function<void(const std::string&)>& say);

}  // namespace waarborg::server

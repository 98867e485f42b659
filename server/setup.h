// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/base/room.h"
#include "server/config/config.h"
#include "server/journal/journal.h"
#include "server/keys/keystore.h"
#include "server/store/store.h"

namespace waarborg::server {

// The parts of a running house, in the order in which they depend on each other.
struct House {
  std::unique_ptr<store::Store> store;
  std::unique_ptr<keys::Keystore> file_keys;
  std::unique_ptr<keys::Keystore> photo_keys;
  std::unique_ptr<journal::Journal> journal;
};

// What is put around the store before anything uses it; the test build plants faults here.
using WrapStore = std::function<std::unique_ptr<store::Store>(std::unique_ptr<store::Store>)>;

// Opens everything in the data folder; brings what the clock set off meanwhile up to date, destruction
// included, so that nothing is served before it.
absl::StatusOr<House> OpenHouse(const config::ServerConfig& config, base::Clock& clock, base::Random& random,
                                base::Room& room, const WrapStore& wrap = nullptr);

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
absl::Status Initialise(const config::ServerConfig& config, base::Clock& clock, base::Random& random,
                        base::Room& room, Initial& initial);

}  // namespace waarborg::server

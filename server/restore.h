// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "server/setup.h"

namespace waarborg::server {

struct RestoreOptions {
  std::string from;       // folder of the backup
  std::string keys_file;  // backup of the file keys; empty: the newest in the configured folder, where needed
  std::string openings;   // folder with openings and certificates that are younger than the backup; or empty
  // File with the newest checkpoint that anybody has; empty: the newest known here.
  std::string last_checkpoint;
  // The keystores of this house are lost for good. Must be said where the token still guards keys and none
  // are here: what guards them is destroyed then, and a house that uses them elsewhere has lost its photos.
  bool keys_are_lost = false;
};

// Puts a backup back while the service is stopped. Refuses over data that are newer, and over what it cannot
// read. Keystores that are there are kept: they know what was destroyed since. Without one for files its
// backup is put back; without one for photos their keys are lost, and each photo can be supplied again.
//
// Before anything is served: files whose key was destroyed since the backup go, destructions that the
// openings prove are done again, a new log begins that commits to the last checkpoint known of the old one,
// and that is its first business. What is found is said, line by line. Can be repeated after an interruption.
absl::Status Restore(const config::ServerConfig& config, const Surroundings& around,
                     const RestoreOptions& options, const std::function<void(const std::string&)>& say);

}  // namespace waarborg::server

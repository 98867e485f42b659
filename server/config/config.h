// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/domain/municipality.h"

namespace waarborg::config {

// Where the server listens and keeps things: the administrator's file, waarborgd.toml.
struct ServerConfig {
  std::string listen;         // "host:port"; port 0 takes a free one
  std::string data_folder;    // database and keystores
  std::string root_key_file;  // 64 hexadecimal digits; outside the data folder
  std::string certificate_file;
  std::string key_file;
  std::string client_ca_file;                    // certificates of stations are signed by this
  int64_t keep_free_bytes = int64_t{256} << 20;  // below this the disk counts as full
  std::string log_name;                          // what the origins of the logs begin with
  std::string log_folder;                        // where the log is published
  std::string log_key_file;                      // Ed25519 key (PEM); empty: one of our own
  int argon2_memory_kib = 65536;
  int argon2_passes = 3;
};

// Everything that is wrong, one a line as "FILE:LINE: what". Empty when the value is good.
using Errors = std::vector<std::string>;

// Parses waarborgd.toml. `name` stands before each error.
ServerConfig ParseServer(const std::string& toml, const std::string& name, Errors& errors);

// Parses the municipal configuration: guideline, locations, units, criteria, sources, instruction, terms. It
// lives in the store and changes by proposal and confirmation only.
domain::Municipality ParseMunicipality(const std::string& toml, const std::string& name, Errors& errors);

}  // namespace waarborg::config

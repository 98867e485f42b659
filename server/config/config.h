// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/domain/municipality.h"

namespace waarborg::config {

// Security keys; without rp_id nobody signs in with one.
struct SecurityKeys {
  std::string rp_id;                 // a domain name
  std::vector<std::string> origins;  // of pages in that domain, "https://name[:port]"
  bool synced = false;               // keys that are copied to their holder's own cloud are accepted too
};

// Where the server listens and keeps things: the administrator's file, waarborgd.toml.
struct ServerConfig {
  std::string listen;         // "host:port"; port 0 takes a free one
  std::string data_folder;    // database and keystores
  std::string root_key_file;  // a file outside the data folder, or "credential:NAME"
  std::string certificate_file;
  std::string key_file;
  std::string client_ca_file;                    // certificates of stations are signed by this
  int64_t keep_free_bytes = int64_t{256} << 20;  // below this the disk counts as full
  std::string log_name;                          // what the origins of the logs begin with
  std::string log_folder;                        // where the log is published
  std::string log_key_file;                      // Ed25519 key (PEM); empty: one of our own
  // Where generation keys live: with a module in a PKCS#11 token, else in a file sealed by the root key.
  std::string token_module;
  std::string token_label;
  std::string token_pin_file;  // a file, or "credential:NAME"
  std::string token_instance;
  bool trim = true;  // freed blocks are discarded after a destruction, where the file system can
  // Where backups go, and how long those of the file keys are kept, in days; no folder: no backups.
  std::string backup_folder;
  std::string backup_keys_folder;
  int backup_keys_keep_days = 14;
  std::string certificates_folder;  // certificates of destruction
  std::string metrics_file;         // figures for whoever watches the machine; empty: none are written
  int argon2_memory_kib = 65536;
  int argon2_passes = 3;
  SecurityKeys security_keys;
};

// Everything that is wrong, one a line as "FILE:LINE: what". Empty when the value is good.
using Errors = std::vector<std::string>;

// Parses waarborgd.toml. `name` stands before each error.
ServerConfig ParseServer(const std::string& toml, const std::string& name, Errors& errors);

// Parses the municipal configuration: guideline, locations, units, criteria, sources, instruction, terms. It
// lives in the store and changes by proposal and confirmation only.
domain::Municipality ParseMunicipality(const std::string& toml, const std::string& name, Errors& errors);

}  // namespace waarborg::config

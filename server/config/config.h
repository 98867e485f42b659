// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/domain/municipality.h"

namespace waarborg::config {

// A role that a claim of the sign-in service lets through.
struct OpenIdRole {
  std::string claim;  // its name in the ID token, such as "groups"
  std::string value;  // what it must be, or hold when it is a list
  domain::Role role = domain::Role::kNone;
};

// Signing in with OpenID Connect, by the Dutch NLGov profile: authorization code, PKCE S256, a client that
// proves itself with a key.
struct OpenIdConfig {
  std::string issuer;
  std::string client_id;
  std::vector<std::string> redirect_uris;  // of the stations; nothing else is asked for
  // The client proves itself by a signed assertion (private_key_jwt), or else by a certificate
  // (tls_client_auth). Each a file, or "credential:NAME".
  std::string client_key_file;
  std::string key_id;                // under which the provider knows the key
  std::string alg;                   // "PS256", "RS256" or "ES256"
  bool audience_is_issuer = true;    // of the assertion; else the token endpoint
  std::string tls_certificate_file;  // the chain may follow
  std::string tls_key_file;
  std::string scope = "openid";
  std::vector<std::string> acr;  // one of these must have been reached; empty: whatever the provider does
  std::optional<int> max_age_minutes;  // since the person proved who they are to the provider; 0: each time
  std::string account_claim;           // equals the sign-in name
  std::string ca_file;                 // who signs the provider's certificate; empty: whom the system trusts
  std::vector<OpenIdRole> roles;       // empty: the account's roles are in force, whatever the claims
};

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
  std::optional<OpenIdConfig> openid;  // none: people sign in with what Waarborg itself keeps
  SecurityKeys security_keys;
};

// An address that nobody reads along with: https, or http on this very machine (localhost and names below
// it). By name, without a user, a password or a fragment, and of visible ASCII only.
bool IsPrivateUrl(std::string_view url);

// Everything that is wrong, one a line as "FILE:LINE: what". Empty when the value is good.
using Errors = std::vector<std::string>;

// Parses waarborgd.toml. `name` stands before each error.
ServerConfig ParseServer(const std::string& toml, const std::string& name, Errors& errors);

// Parses the municipal configuration: guideline, locations, units, criteria, sources, instruction, terms. It
// lives in the store and changes by proposal and confirmation only.
domain::Municipality ParseMunicipality(const std::string& toml, const std::string& name, Errors& errors);

}  // namespace waarborg::config

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/secret.h"

namespace waarborg::backup {

// What a backup holds, in a file `manifest` in its folder:
//   waarborg/backup@v1
//   id ID
//   made MILLISECONDS          since 1970-01-01 UTC
//   newest MILLISECONDS        of the newest entry in it
//   log ORIGIN                 that was written to
//   entries N                  in that log
//   root HEX                   of its tree
//   file SIZE SHA256 PATH      one line each, in order of PATH, which is below the folder
//   mac HEX                    HMAC-SHA-256 of all lines before, under a key derived from the root key
struct Manifest {
  struct File {
    std::string path;
    uint64_t size = 0;
    std::string sha256;  // hexadecimal
  };
  std::string id;
  absl::Time made;
  absl::Time newest;
  std::string log_origin;
  uint64_t log_entries = 0;
  std::string log_root;  // hexadecimal
  std::vector<File> files;

  std::string Text(const base::Secret& root) const;
  // InvalidArgument: this is no manifest. FailedPrecondition: not one that this root key's house made.
  static absl::StatusOr<Manifest> Parse(std::string_view bytes, const base::Secret& root);
};

}  // namespace waarborg::backup

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/base/random.h"
#include "server/base/secret.h"

namespace waarborg::keys {

// The Ed25519 private key that signs the log, 32 bytes. From `pem_file` when one is given (PKCS#8, without a
// password; nobody else may read it); else from FOLDER/log.key, sealed under the root key. That is made when
// it is not there and `make` is true, which is for a log that has signed nothing yet.
absl::StatusOr<base::Secret> OpenLogKey(const std::string& folder, const std::string& pem_file,
                                        const base::Secret& root, base::Random& random, bool make);

// Seals FOLDER/log.key under the next root key, where it is sealed under the old one. Nothing to do when it
// is not there.
absl::Status ResealLogKey(const std::string& folder, const base::Secret* old_root,
                          const base::Secret& next_root, base::Random& random);

}  // namespace waarborg::keys

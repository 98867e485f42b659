// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/base/random.h"
#include "server/base/secret.h"

namespace waarborg::keys {

// A secret from where the administrator keeps it: the path of a file that nobody else can read, or
// "credential:NAME", which systemd hands over (LoadCredential=, LoadCredentialEncrypted=; systemd.exec(5)).
// White space at the ends is taken off.
absl::StatusOr<base::Secret> ReadSecret(const std::string& place);

// Asks whoever starts the program for the passphrase of this file.
using AskPassphrase = std::function<absl::StatusOr<base::Secret>(const std::string& place)>;

// The root key, 32 bytes, from one of two forms of text:
//   64 hexadecimal digits
//   waarborg-root-key-v1 argon2id MEMORY_KIB PASSES SALT SEALED    (one line; SALT and SEALED hexadecimal)
// The second is the key sealed (AES-256-GCM) under a passphrase (Argon2id, RFC 9106), which is asked for.
// `place` as for ReadSecret. Costs beyond a bound are refused: the file is read before anybody is known.
absl::StatusOr<base::Secret> ReadRootKey(const std::string& place, const AskPassphrase& ask);

// The text of either form; the second when a passphrase is given. ResourceExhausted: no memory for that.
absl::StatusOr<base::Secret> RootKeyText(const base::Secret& key, const base::Secret* passphrase,
                                         base::Random& random);

}  // namespace waarborg::keys

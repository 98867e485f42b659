// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/base/random.h"
#include "server/base/secret.h"

namespace waarborg::keys {

// Where the generation keys of the keystores have their home. A keystore wraps all its keys by the key of its
// generation; that key is kept in a file beside them, sealed by its home. Once the home has destroyed what
// guards a generation, every copy of that file, wherever it went, is noise.
//
// `name` is the keystore's ("file", "photo"). Safe from any thread.
class GenerationHome {
 public:
  virtual ~GenerationHome() = default;

  // Makes what guards this generation, where there is none yet, and seals the generation key. The result is
  // durable as soon as the caller has made it so. Unavailable: nothing came of it, try again later.
  virtual absl::StatusOr<std::string> Seal(const std::string& name, uint64_t generation,
                                           const base::Secret& key) = 0;
  // FailedPrecondition: this home does not open it (another root key, another token, or destroyed).
  // Unavailable: the home cannot be reached now.
  virtual absl::StatusOr<base::Secret> Open(const std::string& name, uint64_t generation,
                                            std::string_view sealed) = 0;
  // Destroys what guards this generation and makes sure that it is gone. One that is not there is no error.
  virtual absl::Status Destroy(const std::string& name, uint64_t generation) = 0;
  // Generations of this keystore that the home still guards by something of its own; none where it keeps
  // nothing for each (the sealed file).
  virtual absl::StatusOr<std::set<uint64_t>> Guarded(const std::string& name) = 0;
  // Whether what is destroyed here is out of reach of whoever has an older image of every disk.
  virtual bool OutlivesImages() const = 0;
};

// The sealed file: the generation key under the root key (AES-256-GCM, context "generation NAME N"). Keeps
// nothing for each generation: an older image of the disk and the root key open what that image holds.
std::unique_ptr<GenerationHome> NewFileHome(const base::Secret& root, base::Random& random);

// A PKCS#11 token.
struct TokenConfig {
  std::string module;    // path of the library, "/usr/lib/softhsm/libsofthsm2.so"
  std::string token;     // label of the token
  std::string instance;  // sets the keys of this house apart from others on the same token
};

// The token: a key of its own for each generation, AES-256, made in the token, neither extractable nor
// readable, which encrypts the generation key (CKM_AES_GCM); what comes out is sealed by the root key too.
// Destroying that key is final for whoever does not have the token itself. Objects are labelled
// "waarborg INSTANCE NAME N".
absl::StatusOr<std::unique_ptr<GenerationHome>> OpenTokenHome(const TokenConfig& config,
                                                              const base::Secret& pin,
                                                              const base::Secret& root, base::Random& random);

}  // namespace waarborg::keys

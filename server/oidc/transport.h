// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/secret.h"

namespace waarborg::oidc {

// The way to the provider: the one place where this room meets the network.
class Transport {
 public:
  virtual ~Transport() = default;

  struct Answer {
    int status = 0;
    std::string body;
  };
  // Asks for a page; with a form, sends it (application/x-www-form-urlencoded). Unavailable when there was no
  // whole answer in time, or one beyond kMaxAnswer. From any thread.
  virtual absl::StatusOr<Answer> Get(const std::string& url, absl::Duration within) = 0;
  virtual absl::StatusOr<Answer> Post(const std::string& url, const std::string& form,
                                      absl::Duration within) = 0;

  static constexpr size_t kMaxAnswer = size_t{256} << 10;
};

struct TlsOptions {
  std::string ca_file;  // empty: whom the system trusts
  // Of the client; empty: it shows none. PEM.
  std::string certificate_pem;
  base::Secret key_pem;
};

// With libcurl. Follows no redirection, keeps nothing between calls; http only to this very machine.
std::unique_ptr<Transport> NewTransport(TlsOptions options);

}  // namespace waarborg::oidc

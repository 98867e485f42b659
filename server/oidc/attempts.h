// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "server/base/random.h"
#include "server/base/secret.h"

namespace waarborg::oidc {

// One attempt to sign in, between sending the browser away and its coming back. State, nonce and verifier are
// 256 random bits each.
struct Attempt {
  std::string station_id;
  std::string redirect_uri;
  std::string state;
  std::string nonce;
  base::Secret verifier;  // PKCE (RFC 7636)
  absl::Time begun_at;
};

// The attempts under way. In memory only; used by one thread at a time.
class Attempts {
 public:
  static constexpr absl::Duration kLasts = absl::Minutes(10);
  // Of a station; the oldest gives way, so that nobody who walks off keeps others from signing in.
  static constexpr size_t kPerStation = 16;

  std::shared_ptr<const Attempt> Begin(const std::string& station_id, const std::string& redirect_uri,
                                       base::Random& random, absl::Time now);
  // The attempt of this station with this state, which is then over; null when there is none or its time is.
  std::shared_ptr<const Attempt> Take(const std::string& station_id, const std::string& state,
                                      absl::Time now);

 private:
  void Forget(absl::Time now);

  // By station, then by digest of the state: looking it up takes no time that depends on the state itself.
  std::map<std::string, std::map<std::string, std::shared_ptr<const Attempt>>> by_station_;
};

}  // namespace waarborg::oidc

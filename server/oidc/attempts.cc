// SPDX-License-Identifier: EUPL-1.2
#include "server/oidc/attempts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "server/keys/sealing.h"

namespace waarborg::oidc {
namespace {

constexpr size_t kRandomBytes = 32;

std::string NewToken(base::Random& random) {
  std::string bytes = random.Bytes(kRandomBytes);
  std::string token = absl::WebSafeBase64Escape(bytes);
  base::Wipe(bytes);
  return token;
}

bool IsOver(const Attempt& attempt, absl::Time now) {
  // A clock that was put back makes no attempt last longer.
  return now < attempt.begun_at || now >= attempt.begun_at + Attempts::kLasts;
}

}  // namespace

std::shared_ptr<const Attempt> Attempts::Begin(const std::string& station_id, const std::string& redirect_uri,
                                               base::Random& random, absl::Time now) {
  Forget(now);
  auto& mine = by_station_[station_id];
  if (mine.size() >= kPerStation) {
    mine.erase(std::min_element(mine.begin(), mine.end(), [](const auto& a, const auto& b) {
      return a.second->begun_at < b.second->begun_at;
    }));
  }
  auto attempt = std::make_shared<Attempt>();
  attempt->station_id = station_id;
  attempt->redirect_uri = redirect_uri;
  attempt->state = NewToken(random);
  attempt->nonce = NewToken(random);
  std::string verifier = NewToken(random);
  attempt->verifier = base::Secret(verifier);
  base::Wipe(verifier);
  attempt->begun_at = now;
  mine[keys::Sha256(attempt->state)] = attempt;
  return attempt;
}

std::shared_ptr<const Attempt> Attempts::Take(const std::string& station_id, const std::string& state,
                                              absl::Time now) {
  Forget(now);
  const auto mine = by_station_.find(station_id);
  if (mine == by_station_.end()) return nullptr;
  const auto node = mine->second.extract(keys::Sha256(state));
  return node.empty() ? nullptr : node.mapped();
}

void Attempts::Forget(absl::Time now) {
  for (auto& [station, attempts] : by_station_) {
    std::erase_if(attempts, [&](const auto& one) { return IsOver(*one.second, now); });
  }
  std::erase_if(by_station_, [](const auto& one) { return one.second.empty(); });
}

}  // namespace waarborg::oidc

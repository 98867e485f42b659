// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "server/base/mutex.h"
#include "server/keys/generation_home.h"
#include "server/keys/sealing.h"

namespace waarborg::testing {

// A token in memory: a key of its own for each generation. It outlives the disk it is used with, and it does
// not answer when told so.
class MemoryHome : public keys::GenerationHome {
 public:
  explicit MemoryHome(base::Random& random) : random_(random) {}

  absl::StatusOr<std::string> Seal(const std::string& name, uint64_t generation,
                                   const base::Secret& key) override {
    const base::Lock lock(mutex_);
    if (silent_) return absl::UnavailableError("the token does not answer");
    base::Secret guard = base::Secret::OfSize(keys::kKeySize);
    random_.Fill(guard.MutableData(), guard.size());
    std::string sealed = keys::Seal(guard, key.Reveal(), name, random_);
    guards_.insert_or_assign({name, generation}, std::move(guard));
    return sealed;
  }
  absl::StatusOr<base::Secret> Open(const std::string& name, uint64_t generation,
                                    std::string_view sealed) override {
    const base::Lock lock(mutex_);
    if (silent_) return absl::UnavailableError("the token does not answer");
    auto it = guards_.find({name, generation});
    auto plain = it == guards_.end() ? std::nullopt : keys::Unseal(it->second, sealed, name);
    if (!plain) return absl::FailedPreconditionError("the token does not guard this generation");
    return base::Secret(*plain);
  }
  absl::Status Destroy(const std::string& name, uint64_t generation) override {
    const base::Lock lock(mutex_);
    if (silent_) return absl::UnavailableError("the token does not answer");
    guards_.erase({name, generation});
    return absl::OkStatus();
  }
  absl::StatusOr<std::set<uint64_t>> Guarded(const std::string& name) override {
    const base::Lock lock(mutex_);
    if (silent_) return absl::UnavailableError("the token does not answer");
    std::set<uint64_t> out;
    for (const auto& [of, guard] : guards_) {
      if (of.first == name) out.insert(of.second);
    }
    return out;
  }
  bool OutlivesImages() const override { return true; }

  void Silence(bool silent) {
    const base::Lock lock(mutex_);
    silent_ = silent;
  }

 private:
  base::Random& random_;
  mutable base::Mutex mutex_;
  bool silent_ WB_GUARDED_BY(mutex_) = false;
  std::map<std::pair<std::string, uint64_t>, base::Secret> guards_ WB_GUARDED_BY(mutex_);
};

}  // namespace waarborg::testing

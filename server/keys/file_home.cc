// SPDX-License-Identifier: EUPL-1.2
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/keys/generation_home.h"
#include "server/keys/sealing.h"

namespace waarborg::keys {
namespace {

std::string Context(const std::string& name, uint64_t generation) {
  return absl::StrCat("generation ", name, " ", generation);
}

class FileHome : public GenerationHome {
 public:
  FileHome(base::Secret root, base::Random& random) : root_(std::move(root)), random_(random) {}

  absl::StatusOr<std::string> Seal(const std::string& name, uint64_t generation,
                                   const base::Secret& key) override {
    return keys::Seal(root_, key.Reveal(), Context(name, generation), random_);
  }

  absl::StatusOr<base::Secret> Open(const std::string& name, uint64_t generation,
                                    std::string_view sealed) override {
    std::optional<std::string> opened = Unseal(root_, sealed, Context(name, generation));
    if (!opened) {
      return absl::FailedPreconditionError(absl::StrCat("generation key ", generation, " of \"", name,
                                                        "\" does not open: is this the right root key?"));
    }
    base::Secret key(*opened);
    base::Wipe(*opened);
    // A token seals under the root key too, and its result is longer than a key.
    if (key.size() != kKeySize) {
      return absl::FailedPreconditionError(
          absl::StrCat("generation key ", generation, " of \"", name,
                       "\" was not sealed by the root key alone: is its home a token?"));
    }
    return key;
  }

  absl::Status Destroy(const std::string& /*name*/, uint64_t /*generation*/) override {
    return absl::OkStatus();
  }
  absl::StatusOr<std::set<uint64_t>> Guarded(const std::string& /*name*/) override {
    return std::set<uint64_t>();
  }
  bool OutlivesImages() const override { return false; }

 private:
  const base::Secret root_;
  base::Random& random_;
};

}  // namespace

std::unique_ptr<GenerationHome> NewFileHome(const base::Secret& root, base::Random& random) {
  return std::make_unique<FileHome>(root.Clone(), random);
}

}  // namespace waarborg::keys

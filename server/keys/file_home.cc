// SPDX-License-Identifier: EUPL-1.2
#include "absl/strings/str_cat.h"
#include "server/keys/generation_home.h"
#include "server/keys/sealing.h"

namespace waarborg::keys {
namespace {

std::string ContextOf(const std::string& name, uint64_t generation) {
  return absl::StrCat("generation ", name, " ", generation);
}

class FileHome : public GenerationHome {
 public:
  FileHome(const base::Secret& root, base::Random& random) : root_(root.Clone()), random_(random) {}

  absl::StatusOr<std::string> Seal(const std::string& name, uint64_t generation,
                                   const base::Secret& key) override {
    return keys::Seal(root_, key.Reveal(), ContextOf(name, generation), random_);
  }

  absl::StatusOr<base::Secret> Open(const std::string& name, uint64_t generation,
                                    std::string_view sealed) override {
    auto opened = Unseal(root_, sealed, ContextOf(name, generation));
    if (!opened) return absl::FailedPreconditionError("does not open: is this the right root key?");
    base::Secret key(*opened);
    base::Wipe(*opened);
    return key;
  }

  absl::Status Destroy(const std::string&, uint64_t) override { return absl::OkStatus(); }
  absl::StatusOr<std::set<uint64_t>> Guarded(const std::string&) override { return std::set<uint64_t>(); }
  bool OutlivesImages() const override { return false; }

 private:
  base::Secret root_;
  base::Random& random_;
};

}  // namespace

std::unique_ptr<GenerationHome> NewFileHome(const base::Secret& root, base::Random& random) {
  return std::make_unique<FileHome>(root, random);
}

}  // namespace waarborg::keys

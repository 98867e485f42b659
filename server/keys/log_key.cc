// SPDX-License-Identifier: EUPL-1.2
#include "server/keys/log_key.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "server/base/file.h"
#include "server/keys/sealing.h"

namespace waarborg::keys {
namespace {

constexpr char kContext[] = "log key";
constexpr size_t kSeedSize = 32;

absl::StatusOr<base::Secret> FromPem(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(absl::StrCat(path, ": others can read the log key; chmod 600 it"));
  }
  auto pem = base::ReadFile(path);
  if (!pem.ok()) return pem.status();
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())), &BIO_free);
  // A password is never asked for on a terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr), &EVP_PKEY_free);
  base::Wipe(*pem);
  base::Secret seed = base::Secret::OfSize(kSeedSize);
  size_t size = kSeedSize;
  if (key == nullptr || EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_private_key(key.get(), seed.MutableData(), &size) != 1 || size != kSeedSize) {
    return absl::InvalidArgumentError(absl::StrCat(
        path,
        ": not an Ed25519 key in PEM without a password; make one with: openssl genpkey -algorithm ed25519"));
  }
  return seed;
}

}  // namespace

absl::StatusOr<base::Secret> OpenLogKey(const std::string& folder, const std::string& pem_file,
                                        const base::Secret& root, base::Random& random, bool make) {
  if (!pem_file.empty()) return FromPem(pem_file);
  const std::string path = folder + "/log.key";
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    if (!make) {
      return absl::NotFoundError(
          absl::StrCat(path, " is missing: it signs the log, so put it back from a backup"));
    }
    base::Secret seed = base::Secret::OfSize(kSeedSize);
    random.Fill(seed.MutableData(), seed.size());
    if (auto s = base::WriteFileDurably(path, Seal(root, seed.Reveal(), kContext, random)); !s.ok()) return s;
    return seed;
  }
  auto sealed = base::ReadFile(path);
  if (!sealed.ok()) return sealed.status();
  auto plain = Unseal(root, *sealed, kContext);
  if (!plain || plain->size() != kSeedSize) {
    return absl::DataLossError(absl::StrCat(path, ": does not open with this root key"));
  }
  base::Secret seed(*plain);
  base::Wipe(*plain);
  return seed;
}

absl::Status ResealLogKey(const std::string& folder, const base::Secret* old_root,
                          const base::Secret& next_root, base::Random& random) {
  if (absl::IsNotFound(base::ReadFile(folder + "/log.key").status())) return absl::OkStatus();
  if (OpenLogKey(folder, "", next_root, random, false).ok()) return absl::OkStatus();
  if (old_root == nullptr) return absl::DataLossError(folder + "/log.key does not open with this root key");
  auto seed = OpenLogKey(folder, "", *old_root, random, false);
  if (!seed.ok()) return seed.status();
  return base::WriteFileDurably(folder + "/log.key", Seal(next_root, seed->Reveal(), kContext, random));
}

}  // namespace waarborg::keys

// SPDX-License-Identifier: EUPL-1.2
#include "server/keys/root_key.h"

#include <sodium.h>
#include <sys/stat.h>

#include <cstdlib>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/base/file.h"
#include "server/base/hex.h"
#include "server/keys/sealing.h"

namespace waarborg::keys {
namespace {

constexpr char kForm[] = "waarborg-root-key-v1";
constexpr char kContext[] = "root key";
constexpr char kCredential[] = "credential:";
// RFC 9106 section 4, the first recommended option but for its memory, which a small machine must have too.
constexpr uint32_t kMemoryKib = 262'144;
constexpr uint32_t kPasses = 3;
constexpr uint32_t kMostMemoryKib = 4 << 20;
constexpr uint32_t kMostPasses = 64;

absl::StatusOr<base::Secret> KeyOf(const base::Secret& passphrase, const std::string& salt,
                                   uint32_t memory_kib, uint32_t passes) {
  if (sodium_init() < 0) std::abort();
  base::Secret key = base::Secret::OfSize(kKeySize);
  if (crypto_pwhash(key.MutableData(), key.size(), passphrase.Reveal().data(), passphrase.size(),
                    reinterpret_cast<const unsigned char*>(salt.data()), passes, size_t{memory_kib} * 1024,
                    crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there is no memory to check the passphrase: it takes ", memory_kib / 1024, " MiB"));
  }
  return key;
}

base::Secret FromHexDigits(std::string_view text) {
  std::string raw = base::FromHex(text);
  base::Secret key(raw);
  base::Wipe(raw);
  return key;
}

}  // namespace

absl::StatusOr<base::Secret> ReadSecret(const std::string& place) {
  std::string path = place;
  if (place.starts_with(kCredential)) {
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    const std::string name = place.substr(sizeof kCredential - 1);
    if (folder == nullptr || name.empty() || name.find('/') != std::string::npos) {
      return absl::FailedPreconditionError(absl::StrCat(
          place, ": systemd has handed over no such credential; see LoadCredential= in the unit"));
    }
    path = absl::StrCat(folder, "/", name);
  }
  auto text = base::ReadFile(path);
  if (!text.ok()) return text.status();
  struct stat info {};
  if (stat(path.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(absl::StrCat(path, ": others can read this secret; chmod 600 it"));
  }
  const std::string_view all = *text;
  const size_t from = all.find_first_not_of(" \t\r\n");
  base::Secret secret(from == all.npos ? "" : all.substr(from, all.find_last_not_of(" \t\r\n") - from + 1));
  base::Wipe(*text);
  return secret;
}

absl::StatusOr<base::Secret> ReadRootKey(const std::string& place, const AskPassphrase& ask) {
  auto text = ReadSecret(place);
  if (!text.ok()) return text.status();
  if (base::IsHex(text->Reveal(), 2 * kKeySize)) return FromHexDigits(text->Reveal());
  const std::vector<std::string> parts = absl::StrSplit(std::string(text->Reveal()), ' ');
  uint32_t memory_kib = 0, passes = 0;
  if (parts.size() != 6 || parts[0] != kForm || parts[1] != "argon2id" ||
      !absl::SimpleAtoi(parts[2], &memory_kib) || !absl::SimpleAtoi(parts[3], &passes) || memory_kib < 8 ||
      memory_kib > kMostMemoryKib || passes < 1 || passes > kMostPasses ||
      !base::IsHex(parts[4], size_t{2} * crypto_pwhash_SALTBYTES) ||
      !base::IsHex(parts[5], 2 * (12 + kKeySize + 16))) {
    return absl::InvalidArgumentError(absl::StrCat(
        place,
        ": the root key must be 64 hexadecimal digits, or the line that `waarborgd rotate-root-key "
        "--passphrase` writes"));
  }
  auto passphrase = ask(place);
  if (!passphrase.ok()) return passphrase.status();
  auto guard = KeyOf(*passphrase, base::FromHex(parts[4]), memory_kib, passes);
  if (!guard.ok()) return guard.status();
  auto opened = Unseal(*guard, base::FromHex(parts[5]), kContext);
  if (!opened) return absl::FailedPreconditionError(absl::StrCat(place, ": this is not the passphrase"));
  base::Secret key(*opened);
  base::Wipe(*opened);
  return key;
}

absl::StatusOr<base::Secret> RootKeyText(const base::Secret& key, const base::Secret* passphrase,
                                         base::Random& random) {
  std::string text;
  if (passphrase == nullptr) {
    text = base::ToHex(key.Reveal()) + "\n";
  } else {
    const std::string salt = random.Bytes(crypto_pwhash_SALTBYTES);
    auto guard = KeyOf(*passphrase, salt, kMemoryKib, kPasses);
    if (!guard.ok()) return guard.status();
    text = absl::StrCat(kForm, " argon2id ", kMemoryKib, " ", kPasses, " ", base::ToHex(salt), " ",
                        base::ToHex(Seal(*guard, key.Reveal(), kContext, random)), "\n");
  }
  base::Secret out(text);
  base::Wipe(text);
  return out;
}

}  // namespace waarborg::keys

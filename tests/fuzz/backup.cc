// SPDX-License-Identifier: EUPL-1.2
// What is put back comes from elsewhere: manifests of backups, backups of file keys. Input: one byte that
// chooses, then the bytes. A mark or a seal that fits is made here, so that what stands behind it is reached.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "server/backup/manifest.h"
#include "server/base/hex.h"
#include "server/keys/key_backup.h"
#include "server/keys/sealing.h"

namespace {

using namespace waarborg;  // NOLINT(google-build-using-namespace)

void Must(bool holds) {
  if (!holds) std::abort();
}

void ManifestOf(std::string bytes, const base::Secret& root) {
  // The last line is the mark over those before it.
  const size_t mark = bytes.rfind("mac ");
  if (mark != std::string::npos && (mark == 0 || bytes[mark - 1] == '\n')) {
    const std::string body = bytes.substr(0, mark);
    bytes = body + "mac " + base::ToHex(keys::Mac(keys::Derive(root, "backup manifest"), body)) + "\n";
  }
  const auto manifest = backup::Manifest::Parse(bytes, root);
  if (!manifest.ok()) {
    Must(!manifest.status().message().empty());
    return;
  }
  Must(manifest->Text(root) == bytes);
  // Nothing in it leads out of its folder.
  for (const auto& file : manifest->files) {
    Must(!file.path.empty() && file.path.front() != '/' &&
         ("/" + file.path + "/").find("/../") == std::string::npos);
  }
}

void KeysOf(std::string_view plain, const base::Secret& root) {
  static base::SystemRandom random;
  const std::string sealed = "waarborg/file-keys@v1\n" + keys::Seal(keys::Derive(root, "file key backup"),
                                                                    plain, "file keys B-1", random);
  const auto opened = keys::OpenKeyBackup(sealed, "B-1", root);
  if (!opened.ok()) return;
  size_t size = 0;
  for (const auto& [id, key] : *opened) size += 1 + id.size() + key.size();
  Must(size == plain.size());
  Must(!keys::OpenKeyBackup(sealed, "B-2", root).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const base::Secret root(std::string(32, 'r'));
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    ManifestOf(bytes, root);
  } else {
    KeysOf(bytes, root);
  }
  return 0;
}

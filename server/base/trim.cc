// SPDX-License-Identifier: EUPL-1.2
#include "server/base/trim.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace waarborg::base {
namespace {

// Whether the file system with this device number is mounted with `discard` (proc(5), mountinfo: fields 3 and
// 6, and the options of the file system itself, the last).
bool DiscardsByItself(dev_t device) {
  const std::string id = absl::StrCat(major(device), ":", minor(device));
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, ' ');
    if (fields.size() < 6 || fields[2] != id) continue;
    for (const std::string& options : {fields[5], fields.back()}) {
      for (const auto& option : absl::StrSplit(options, ',')) {
        if (option == "discard" || absl::StartsWith(option, "discard=")) return true;
      }
    }
  }
  return false;
}

}  // namespace

absl::Status TrimFreed(const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return absl::UnavailableError(absl::StrCat("cannot open ", folder, ": ", std::strerror(errno)));
  absl::Status result;
  struct stat info {};
  fstrim_range all{0, UINT64_MAX, 0};
  if (fstat(fd, &info) == 0 && DiscardsByItself(info.st_dev)) {
    if (syncfs(fd) != 0) result = absl::UnavailableError(absl::StrCat("syncfs: ", std::strerror(errno)));
  } else if (ioctl(fd, FITRIM, &all) != 0) {
    result = absl::FailedPreconditionError(absl::StrCat("FITRIM: ", std::strerror(errno)));
  }
  close(fd);
  return result;
}

}  // namespace waarborg::base

// SPDX-License-Identifier: EUPL-1.2
#include "server/base/room.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace waarborg::base {
namespace {

constexpr int64_t kReserve = int64_t{16} << 20;

}  // namespace

int64_t DiskRoom::Free() const {
  struct statvfs info {};
  if (statvfs(folder_.c_str(), &info) != 0) return 0;
  return static_cast<int64_t>(info.f_bavail) * static_cast<int64_t>(info.f_frsize);
}

bool DiskRoom::Enough() {
  const int64_t free = Free();
  if (!held_ && free - kReserve >= keep_free_) Hold();
  return free >= keep_free_;
}

void DiskRoom::Release() {
  unlink((folder_ + "/reserve").c_str());
  held_ = false;
}

void DiskRoom::Hold() {
  const std::string path = folder_ + "/reserve";
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  // Real blocks, not a hole; on a full disk there are none, and the next call tries again.
  held_ = posix_fallocate(fd, 0, kReserve) == 0;
  close(fd);
  if (!held_) unlink(path.c_str());
}

}  // namespace waarborg::base

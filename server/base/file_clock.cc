// SPDX-License-Identifier: EUPL-1.2
#include "server/base/file_clock.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace waarborg::base {
namespace {

constexpr ssize_t kSize = 3 * sizeof(int64_t);

int64_t RunningMs() {
  timespec t{};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1'000'000;
}

}  // namespace

std::unique_ptr<FileClock> FileClock::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  struct stat info {};
  void* map = MAP_FAILED;
  if (fstat(fd, &info) == 0 && info.st_size == kSize) {
    map = mmap(nullptr, kSize, PROT_READ, MAP_SHARED, fd, 0);
  }
  close(fd);
  if (map == MAP_FAILED) return nullptr;
  return std::unique_ptr<FileClock>(new FileClock(static_cast<const int64_t*>(map)));
}

FileClock::~FileClock() {
  munmap(const_cast<int64_t*>(ms_), kSize);
}

absl::Time FileClock::Now() const {
  const int64_t ms = std::atomic_ref<int64_t>(*const_cast<int64_t*>(ms_)).load();
  const int64_t since = std::atomic_ref<int64_t>(const_cast<int64_t*>(ms_)[2]).load();
  return absl::FromUnixMillis(since == 0 ? ms : ms + RunningMs() - since);
}

bool FileClock::runs() const {
  return std::atomic_ref<int64_t>(const_cast<int64_t*>(ms_)[2]).load() != 0;
}

bool FileClock::Synchronised() const {
  return std::atomic_ref<int64_t>(const_cast<int64_t*>(ms_)[1]).load() == 0;
}

bool FileClock::Set(const std::string& path, absl::Time t, bool synchronised, bool runs) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const int64_t numbers[3] = {absl::ToUnixMillis(t), synchronised ? 0 : 1, runs ? RunningMs() : 0};
  const bool ok = pwrite(fd, numbers, kSize, 0) == kSize;
  close(fd);
  return ok;
}

}  // namespace waarborg::base

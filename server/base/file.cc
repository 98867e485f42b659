// SPDX-License-Identifier: EUPL-1.2
#include "server/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace waarborg::base {
namespace {

absl::Status Failed(const char* what, const std::string& path) {
  return absl::UnavailableError(absl::StrCat("cannot ", what, " ", path, ": ", std::strerror(errno)));
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

bool WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    content.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

absl::Status SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
  Fd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok() || fsync(fd.get()) != 0) return Failed("sync folder", folder);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) {
    if (errno == ENOENT) return absl::NotFoundError(absl::StrCat("no file ", path));
    return Failed("open", path);
  }
  std::string out;
  char buffer[65536];
  for (;;) {
    const ssize_t n = read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("read", path);
    if (n == 0) return out;
    out.append(buffer, static_cast<size_t>(n));
  }
}

absl::Status WriteFileDurably(const std::string& path, std::string_view content, unsigned mode) {
  const std::string temporary = path + ".new";
  {
    Fd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd.ok()) return Failed("create", temporary);
    if (mode != 0600 && fchmod(fd.get(), mode) != 0) return Failed("open to others", temporary);
    if (!WriteAll(fd.get(), content)) return Failed("write", temporary);
    if (fsync(fd.get()) != 0) return Failed("sync", temporary);
  }
  return RenameDurably(temporary, path);
}

absl::Status RenameDurably(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) return Failed("rename", from);
  return SyncFolderOf(to);
}

absl::Status AppendDurably(const std::string& path, std::string_view content) {
  Fd fd(open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!fd.ok()) return Failed("open", path);
  if (!WriteAll(fd.get(), content)) return Failed("write", path);
  if (fdatasync(fd.get()) != 0) return Failed("sync", path);
  return absl::OkStatus();
}

absl::Status OverwriteAndRemove(const std::string& path) {
  {
    Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd.ok()) {
      if (errno == ENOENT) return absl::OkStatus();
      return Failed("open", path);
    }
    struct stat info {};
    if (fstat(fd.get(), &info) != 0) return Failed("inspect", path);
    const std::string zeros(65536, '\0');
    for (off_t left = info.st_size; left > 0; left -= static_cast<off_t>(zeros.size())) {
      const auto n = std::min<size_t>(zeros.size(), static_cast<size_t>(left));
      if (!WriteAll(fd.get(), std::string_view(zeros).substr(0, n))) return Failed("overwrite", path);
    }
    if (fsync(fd.get()) != 0) return Failed("sync", path);
  }
  if (unlink(path.c_str()) != 0) return Failed("remove", path);
  return SyncFolderOf(path);
}

}  // namespace waarborg::base

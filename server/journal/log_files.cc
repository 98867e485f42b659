// SPDX-License-Identifier: EUPL-1.2
#include "server/journal/log_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "server/base/file.h"

namespace waarborg::journal {
namespace {

namespace fs = std::filesystem;

class Folder : public LogFiles {
 public:
  Folder(std::string folder, bool open_to_all) : folder_(std::move(folder)), open_to_all_(open_to_all) {}

  absl::StatusOr<std::string> Read(const std::string& path) const override {
    std::error_code error;
    if (!fs::exists(Path(path), error)) {
      if (error)
        return absl::UnavailableError(absl::StrCat("cannot look at ", Path(path), ": ", error.message()));
      return absl::NotFoundError(absl::StrCat(path, " is not there"));
    }
    return base::ReadFile(Path(path));
  }

  absl::Status Write(const std::string& path, std::string_view bytes, bool durable) override {
    if (auto s = MakeFolders(fs::path(path).parent_path()); !s.ok()) return s;
    if (durable && !open_to_all_) return base::WriteFileDurably(Path(path), bytes);
    // Beside the log's folders, so that a crash leaves nothing in them that does not belong there.
    const std::string temporary = Path(".writing");
    const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return Failed("make", temporary);
    bool good = fchmod(fd, open_to_all_ ? 0644 : 0600) == 0;
    while (good && !bytes.empty()) {
      const ssize_t n = write(fd, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      good = n > 0;
      if (good) bytes.remove_prefix(static_cast<size_t>(n));
    }
    if (good && durable) good = fsync(fd) == 0;
    const absl::Status status = good ? absl::OkStatus() : Failed("write", temporary);
    close(fd);
    if (!good) return status;
    if (rename(temporary.c_str(), Path(path).c_str()) != 0) return Failed("rename to", Path(path));
    if (durable) return SyncFolder(fs::path(Path(path)).parent_path());
    return absl::OkStatus();
  }

  absl::Status Remove(const std::string& path) override {
    std::error_code error;
    fs::remove_all(Path(path), error);
    if (error)
      return absl::UnavailableError(absl::StrCat("cannot remove ", Path(path), ": ", error.message()));
    return absl::OkStatus();
  }

  std::string folder() const override { return folder_; }

 private:
  std::string Path(const std::string& path) const { return absl::StrCat(folder_, "/", path); }

  static absl::Status Failed(const char* doing, const std::string& path) {
    return absl::UnavailableError(absl::StrCat("cannot ", doing, " ", path, ": ", std::strerror(errno)));
  }

  absl::Status MakeFolders(const fs::path& below) {
    std::string path = folder_;
    for (const auto& part : below) {
      absl::StrAppend(&path, "/", part.string());
      if (mkdir(path.c_str(), open_to_all_ ? 0755 : 0700) == 0) {
        // Whatever mask the process has: these are for others to read.
        if (open_to_all_ && chmod(path.c_str(), 0755) != 0) return Failed("open", path);
      } else if (errno != EEXIST) {
        return Failed("make", path);
      }
    }
    return absl::OkStatus();
  }

  static absl::Status SyncFolder(const fs::path& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return Failed("open", path);
    const bool good = fsync(fd) == 0;
    const absl::Status status = good ? absl::OkStatus() : Failed("sync", path);
    close(fd);
    return status;
  }

  std::string folder_;
  bool open_to_all_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LogFiles>> OpenLogFiles(const std::string& folder, bool open_to_all) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return absl::UnavailableError(absl::StrCat("cannot make ", folder, ": ", error.message()));
  if (chmod(folder.c_str(), open_to_all ? 0755 : 0700) != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot open ", folder, " to its readers: ", std::strerror(errno)));
  }
  return std::make_unique<Folder>(folder, open_to_all);
}

}  // namespace waarborg::journal

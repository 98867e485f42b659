// SPDX-License-Identifier: EUPL-1.2
#include "audit/verify.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <mutex>
#include <thread>

#include "audit/proof.h"
#include "audit/record.h"
#include "audit/text.h"
#include "audit/tiles.h"

namespace waarborg::audit {
namespace {

constexpr size_t kMaxProblems = 20;
constexpr size_t kMaxText = size_t{1} << 20;
// Bundles that a thread takes at a time.
constexpr uint64_t kStride = 16;

// A file's bytes in a buffer that is used again, at most `limit` and one more, so that a file that is too
// long shows. False when it cannot be opened or read.
bool ReadInto(int folder, const std::string& path, size_t limit, std::string& out) {
  const int fd = openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return false;
  out.resize(limit + 1);
  size_t at = 0;
  ssize_t n = 0;
  do {
    n = read(fd, out.data() + at, out.size() - at);
    if (n > 0) at += static_cast<size_t>(n);
    // A file as long as expected needs no second look for its end.
  } while ((n > 0 && at < limit) || (n < 0 && errno == EINTR));
  close(fd);
  out.resize(at);
  return n >= 0;
}

class Verifier {
 public:
  Verifier(const std::string& folder, const VerifyOptions& options, Progress& progress)
      : options_(options), progress_(progress), folder_(folder) {}
  ~Verifier() {
    if (fd_ >= 0) close(fd_);
  }
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  Report Run() {
    fd_ = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd_ < 0) {
      report_.unreadable = true;
      Problem(folder_ + ": " + std::strerror(errno));
      return std::move(report_);
    }
    std::string bytes;
    struct stat info {};
    const bool is_file = fstatat(fd_, "checkpoint", &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode);
    if (!is_file || !ReadInto(fd_, "checkpoint", kMaxText, bytes)) {
      report_.unreadable = true;
      Problem("checkpoint: not there, or not to be read: is this the folder of a log?");
      return std::move(report_);
    }
    if (!CheckCheckpoint(bytes)) return std::move(report_);
    progress_.total = size_;
    ListFolder();
    if (report_.problems.empty()) CheckEntries();
    if (report_.problems.empty()) CheckLevels();
    if (report_.problems.empty()) CheckStale();
    if (report_.problems.empty()) CheckSince();
    if (report_.problems.empty()) CheckPrevious();
    return std::move(report_);
  }

 private:
  void Problem(std::string what) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (report_.problems.size() < kMaxProblems) report_.problems.push_back(std::move(what));
    bad_ = true;
  }

  bool CheckCheckpoint(const std::string& bytes) {
    auto opened = options_.key ? OpenCheckpoint(bytes, *options_.key) : ReadCheckpoint(bytes);
    if (!opened.ok()) {
      Problem("checkpoint: " + opened.error());
      return false;
    }
    if (opened->note.Text() != bytes) {
      Problem("checkpoint: not in canonical form");
      return false;
    }
    report_.signature_checked = options_.key.has_value();
    report_.checkpoint = opened->checkpoint;
    size_ = opened->checkpoint.size;
    auto cosigned = CountCosignatures(opened->note, options_.witnesses);
    if (!cosigned.ok()) {
      Problem("checkpoint: " + cosigned.error());
      return false;
    }
    report_.cosignatures = *cosigned;
    if (options_.key && !options_.other_signatures && opened->note.signatures.size() != 1 + *cosigned) {
      Problem(
          "checkpoint: a signature of a key that was not given: name its witness, or it cannot be checked");
    }
    if (*cosigned < options_.quorum) {
      Problem("checkpoint: cosigned by " + std::to_string(*cosigned) + " of the witnesses, " +
              std::to_string(options_.quorum) + " are needed");
    }
    if (HashesAt(kMaxLevel + 1, size_) != 0) Problem("checkpoint: the size is beyond what any log holds");
    return report_.problems.empty();
  }

  // Which files are there, and that no other is.
  void ListFolder() {
    std::vector<std::string> folders = {""};
    while (!folders.empty()) {
      const std::string folder = std::move(folders.back());
      folders.pop_back();
      const int fd = openat(fd_, folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      DIR* listing = fd < 0 ? nullptr : fdopendir(fd);
      if (listing == nullptr) {
        Problem(folder + ": cannot be listed");
        if (fd >= 0) close(fd);
        return;
      }
      errno = 0;
      while (const dirent* found = readdir(listing)) {
        const std::string name = found->d_name;
        if (name == "." || name == "..") continue;
        std::string path = folder;
        if (!path.empty()) path += '/';
        path += name;
        unsigned char type = found->d_type;
        if (type == DT_UNKNOWN) {
          struct stat info {};
          if (fstatat(fd_, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
            type = S_ISDIR(info.st_mode) ? DT_DIR : S_ISREG(info.st_mode) ? DT_REG : DT_LNK;
          }
        }
        if (type == DT_DIR) {
          folders.push_back(path);
        } else if (type == DT_REG) {
          TakeFile(path);
        } else {
          Problem(path + ": neither a file nor a folder");
        }
        errno = 0;
      }
      if (errno != 0) Problem(folder + ": cannot be listed whole");
      closedir(listing);
    }
  }

  void Ahead(const std::string& path) {
    ++report_.files_ahead;
    if (!options_.live)
      Problem(path + ": goes beyond the checkpoint's " + std::to_string(size_) + " entries");
  }

  void TakeFile(const std::string& path) {
    ++report_.files;
    if (path == "checkpoint") return;
    if (path == "previous") {
      has_previous_ = true;
      return;
    }
    const auto name = TileName::FromPath(path);
    if (!name) {
      Problem(path + ": does not belong in a log");
      return;
    }
    const uint64_t hashes = HashesAt(name->level, size_);
    if (name->index > hashes / kTileWidth) {
      Ahead(path);
      return;
    }
    const uint64_t first = name->index * kTileWidth;
    if (name->kind == TileName::Kind::kEntries && *name == NameOf(name->kind, 0, name->index, hashes))
      ++bundles_found_;
    if (first + name->width > hashes) {
      ++report_.files_ahead;
      if (!options_.live)
        Problem(path + ": goes beyond the checkpoint's " + std::to_string(size_) + " entries");
    } else if (!name->full() && first + name->width < hashes) {
      stale_.push_back(*name);
    }
  }

  std::string FirstMissing(uint64_t bundles) {
    // One more than are there is enough to find one that is not.
    for (uint64_t i = 0; i < bundles && i <= bundles_found_; ++i) {
      std::string path = NameOf(TileName::Kind::kEntries, 0, i, size_).Path();
      struct stat info {};
      if (fstatat(fd_, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode)) return path;
    }
    return "tile/entries";
  }

  static TileName NameOf(TileName::Kind kind, int level, uint64_t index, uint64_t hashes) {
    return {kind, level, index, static_cast<uint32_t>(std::min(kTileWidth, hashes - index * kTileWidth))};
  }

  // Leaves from entries, and the roots of the tiles over them.
  void CheckEntries() {
    const uint64_t bundles = (size_ + kTileWidth - 1) / kTileWidth;
    // Before memory is set aside for what a checkpoint may only claim.
    if (bundles_found_ != bundles) {
      Problem(FirstMissing(bundles) + ": is missing; " + std::to_string(bundles) +
              " bundles are needed for " + std::to_string(size_) + " entries, " +
              std::to_string(bundles_found_) + " are there");
      return;
    }
    roots_.resize(bundles);
    std::atomic<uint64_t> next = 0;
    const auto work = [&] {
      std::string bundle, tile;
      std::vector<Hash> leaves(kTileWidth);
      while (!bad_) {
        const uint64_t begin = next.fetch_add(kStride);
        if (begin >= bundles) return;
        if (options_.stop != nullptr && *options_.stop) {
          Problem("given up");
          return;
        }
        for (uint64_t i = begin; i < std::min(begin + kStride, bundles) && !bad_; ++i) {
          CheckBundle(i, bundle, tile, leaves);
        }
      }
    };
    const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    const auto threads =
        std::min<uint64_t>(options_.threads == 0 ? cores : options_.threads, bundles / kStride + 1);
    std::vector<std::thread> others;
    for (uint64_t t = 1; t < threads; ++t) others.emplace_back(work);
    work();
    for (std::thread& t : others) t.join();
  }

  void CheckBundle(uint64_t index, std::string& bundle, std::string& tile, std::vector<Hash>& leaves) {
    const TileName name = NameOf(TileName::Kind::kEntries, 0, index, size_);
    const size_t bytes = kEntryBytes * name.width;
    if (!ReadInto(fd_, name.Path(), bytes, bundle)) {
      Problem(name.Path() + ": is missing");
      return;
    }
    if (bundle.size() != bytes) {
      Problem(name.Path() + ": is " + (bundle.size() > bytes ? "longer" : "shorter") + " than " +
              std::to_string(bytes) + " bytes");
      return;
    }
    for (size_t i = 0; i < name.width; ++i) {
      const std::string_view entry = std::string_view(bundle).substr(i * kEntryBytes, kEntryBytes);
      if (entry[0] != 0 || entry[1] != static_cast<char>(kCommitmentSize)) {
        Problem(name.Path() + ": entry " + std::to_string(index * kTileWidth + i) +
                " is not one of 32 bytes");
        return;
      }
    }
    LeafHashes(bundle.data() + 2, kEntryBytes, name.width, leaves.data());
    if (CheckTile({TileName::Kind::kHashes, 0, index, name.width}, leaves.data(), tile)) {
      roots_[index] = RootOf(leaves.data(), name.width);
    }
    progress_.entries += name.width;
  }

  bool CheckTile(const TileName& name, const Hash* hashes, std::string& buffer) {
    const size_t bytes = sizeof(Hash) * name.width;
    if (!ReadInto(fd_, name.Path(), bytes, buffer)) {
      Problem(name.Path() + ": is missing");
    } else if (buffer.size() != bytes) {
      Problem(name.Path() + ": is " + (buffer.size() > bytes ? "longer" : "shorter") + " than " +
              std::to_string(bytes) + " bytes");
    } else if (std::memcmp(buffer.data(), hashes, bytes) != 0) {
      size_t i = 0;
      while (std::memcmp(buffer.data() + i * sizeof(Hash), &hashes[i], sizeof(Hash)) == 0) ++i;
      const uint64_t at = name.index * kTileWidth + i;
      Problem(name.Path() + ": hash " + std::to_string(at) +
              (name.level == 0
                   ? " is not that of entry " + std::to_string(at) + ": one of the two was changed"
                   : " is not that of the tile below it: one of the two was changed"));
    } else {
      return true;
    }
    return false;
  }

  // The levels above, each from the one below; the root at last.
  void CheckLevels() {
    std::string buffer;
    TreeEdge edge;
    std::vector<Hash> below = std::move(roots_);
    std::vector<std::vector<Hash>> edges;
    if (size_ > 0) edges.push_back(Tail(0));
    for (int level = 1; HashesAt(level, size_) > 0; ++level) {
      const uint64_t hashes = HashesAt(level, size_);
      below.resize(hashes);  // the last one below may be of a partial tile, which has no hash up here
      std::vector<Hash> roots;
      for (uint64_t i = 0; i * kTileWidth < hashes; ++i) {
        const TileName name = NameOf(TileName::Kind::kHashes, level, i, hashes);
        if (!CheckTile(name, &below[i * kTileWidth], buffer)) return;
        roots.push_back(RootOf(&below[i * kTileWidth], name.width));
      }
      edges.emplace_back(below.end() - static_cast<ptrdiff_t>(hashes % kTileWidth), below.end());
      below = std::move(roots);
    }
    auto tree = TreeEdge::FromEdges(size_, std::move(edges));
    if (!tree || tree->Root() != report_.checkpoint.root) {
      Problem("checkpoint: its root is not that of the " + std::to_string(size_) + " entries");
    }
  }

  // Hashes of a level beyond its last full tile, from the files, which were found good.
  std::vector<Hash> Tail(int level) {
    const uint64_t hashes = HashesAt(level, size_);
    if (hashes % kTileWidth == 0) return {};
    const auto tile = ReadTileFile(level, hashes / kTileWidth);
    return tile ? *tile : std::vector<Hash>();
  }

  std::optional<std::vector<Hash>> ReadTileFile(int level, uint64_t index) {
    const uint64_t hashes = HashesAt(level, size_);
    if (index * kTileWidth >= hashes) return std::nullopt;
    const TileName name = NameOf(TileName::Kind::kHashes, level, index, hashes);
    std::string bytes;
    if (!ReadInto(fd_, name.Path(), sizeof(Hash) * name.width, bytes) ||
        bytes.size() != sizeof(Hash) * name.width) {
      return std::nullopt;
    }
    std::vector<Hash> out(name.width);
    std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
  }

  // Partial tiles that have grown since: the beginning of what stands there now.
  void CheckStale() {
    std::string old, now;
    for (const TileName& name : stale_) {
      const bool entries = name.kind == TileName::Kind::kEntries;
      const size_t each = entries ? kEntryBytes : sizeof(Hash);
      const TileName current = NameOf(name.kind, name.level, name.index, HashesAt(name.level, size_));
      if (!ReadInto(fd_, name.Path(), each * name.width, old) ||
          !ReadInto(fd_, current.Path(), each * current.width, now) || old.size() != each * name.width ||
          now.substr(0, old.size()) != old) {
        Problem(name.Path() + ": is not the beginning of " + current.Path());
      }
    }
  }

  void CheckSince() {
    if (!options_.since) return;
    auto old =
        options_.key ? OpenCheckpoint(*options_.since, *options_.key) : ReadCheckpoint(*options_.since);
    if (!old.ok()) {
      Problem("the older checkpoint: " + old.error());
      return;
    }
    const Checkpoint& then = old->checkpoint;
    report_.since = then;
    if (then.origin != report_.checkpoint.origin) {
      Problem("the older checkpoint is of another log, \"" + then.origin + "\"");
    } else if (then.size > size_) {
      Problem("the log is shorter than it was: " + std::to_string(then.size) + " entries then, " +
              std::to_string(size_) + " now");
    } else {
      const auto root = RootAt(
          then.size, [this](int level, uint64_t index, uint32_t) { return ReadTileFile(level, index); });
      if (root != then.root) {
        Problem("the first " + std::to_string(then.size) + " entries are not those of the older checkpoint");
      }
    }
  }

  void CheckPrevious() {
    if (!has_previous_) return;
    std::string bytes, bundle;
    if (!ReadInto(fd_, "previous", kMaxText, bytes)) {
      Problem("previous: cannot be read");
      return;
    }
    auto file = PreviousFile::Parse(bytes);
    if (!file.ok()) {
      Problem("previous: " + file.error());
      return;
    }
    // Nothing is read out of bytes that the log does not vouch for.
    const TileName first = NameOf(TileName::Kind::kEntries, 0, 0, std::max<uint64_t>(1, size_));
    if (size_ == 0 || !ReadInto(fd_, first.Path(), kEntryBytes * first.width, bundle) ||
        bundle.substr(2, kCommitmentSize) != Commit(file->key, file->record)) {
      Problem("previous: is not what entry 0 commits to");
      return;
    }
    report_.previous = PreviousOf(file->record);
    if (!report_.previous) Problem("previous: does not say which log this one goes on from");
  }

  const VerifyOptions& options_;
  Progress& progress_;
  std::string folder_;
  int fd_ = -1;
  uint64_t size_ = 0;
  bool has_previous_ = false;
  uint64_t bundles_found_ = 0;
  std::vector<TileName> stale_;
  std::vector<Hash> roots_;
  std::mutex mutex_;
  std::atomic<bool> bad_ = false;
  Report report_;
};

}  // namespace

Report VerifyLog(const std::string& folder, const VerifyOptions& options, Progress& progress) {
  return Verifier(folder, options, progress).Run();
}

}  // namespace waarborg::audit

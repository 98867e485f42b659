// SPDX-License-Identifier: EUPL-1.2
#include "audit/verify_terms.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "audit/text.h"

namespace waarborg::audit {
namespace {

constexpr size_t kMaxFile = size_t{4} << 20;

// How many bytes of the one character at the front are fit to be shown; 0 for a byte that is not.
size_t Showable(std::string_view s) {
  const auto byte = [&s](size_t i) { return static_cast<uint8_t>(s[i]); };
  const uint8_t c = byte(0);
  if (c < 0x80) return c >= 0x20 && c != 0x7F ? 1 : 0;
  const size_t size = c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;
  if (size == 0 || s.size() < size) return 0;
  uint32_t rune = c & (0x7Fu >> size);
  for (size_t i = 1; i < size; ++i) {
    if (byte(i) >> 6 != 2) return 0;
    rune = rune << 6 | (byte(i) & 0x3F);
  }
  const auto among = [rune](uint32_t first, uint32_t last) { return rune >= first && rune <= last; };
  // Controls; marks and overrides of direction; line and paragraph separators; invisible characters.
  if (rune < 0xA0 || among(0x200B, 0x200F) || among(0x2028, 0x202E) || among(0x2060, 0x206F) ||
      rune == 0x061C || rune == 0xFEFF) {
    return 0;
  }
  return size;
}

bool WriteAll(int fd, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t n = write(fd, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

}  // namespace

void Say(const std::string& line) {
  std::fprintf(stderr, "waarborg-verify: %s\n", line.c_str());
  std::fflush(stderr);
}

std::string Shown(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t size = Showable(text);
    if (size > 0) {
      out.append(text.substr(0, size));
    } else {
      const auto c = static_cast<uint8_t>(text[0]);
      out += {'\\', 'x', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};
    }
    text.remove_prefix(std::max<size_t>(1, size));
  }
  return out;
}

void Line(const char* name, const std::string& value) {
  std::printf("%-14s %s\n", name, value.c_str());
}

std::string Plural(uint64_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

std::string Size(const Checkpoint& c) {
  return Plural(c.size, "entry", "entries");
}

std::string Root(const Checkpoint& c) {
  return Base64(View(c.root));
}

std::string UtcTime(uint64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  char text[40];
  if (seconds >> 62 != 0 || gmtime_r(&time, &parts) == nullptr ||
      std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0) {
    return std::to_string(seconds) + " seconds after 1970";
  }
  return text;
}

std::string Short(const VerifierKey& key) {
  return key.Text().substr(0, key.name().size() + 9);
}

std::string Reason(const char* doing, const std::string& path) {
  return std::string("cannot ") + doing + " " + path + ": " + std::strerror(errno);
}

ssize_t ReadUpTo(int fd, char* bytes, size_t size) {
  size_t at = 0;
  while (at < size) {
    const ssize_t n = read(fd, bytes + at, size - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    at += static_cast<size_t>(n);
  }
  return static_cast<ssize_t>(at);
}

Result<std::string> ReadFile(const std::string& path) {
  using R = Result<std::string>;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return R::Error(Reason("open", path));
  std::string out(kMaxFile + 1, '\0');
  const ssize_t n = ReadUpTo(fd, out.data(), out.size());
  const std::string why = n < 0 ? Reason("read", path) : "";
  close(fd);
  if (n < 0) return R::Error(why);
  if (static_cast<size_t>(n) > kMaxFile) {
    return R::Error(path + " is larger than 4 MiB: this is not the file that is meant");
  }
  out.resize(static_cast<size_t>(n));
  return out;
}

std::string WriteNewFile(const std::string& path, const char* bytes, size_t size) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Reason("create", path);
  const bool written = WriteAll(fd, bytes, size) && fsync(fd) == 0;
  const std::string why = written ? "" : Reason("write", path);
  close(fd);
  if (!written) {
    unlink(path.c_str());
    return why;
  }
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const int above = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool durable = above >= 0 && fsync(above) == 0;
  const std::string why_not = durable ? "" : Reason("sync the folder of", path);
  if (above >= 0) close(above);
  return why_not;
}

int Conclude(const Outcome& outcome) {
  for (const std::string& problem : outcome.problems) std::printf("%s\n", Shown(problem).c_str());
  switch (outcome.code()) {
    case kNotGood:
      std::printf("NOT GOOD: %s, above. Keep everything as it is, and compare it with another copy.\n",
                  Plural(outcome.problems.size(), "problem", "problems").c_str());
      break;
    case kNotChecked:
      for (size_t i = 0; i + 1 < outcome.unchecked.size(); ++i) {
        std::printf("%s\n", Shown(outcome.unchecked[i]).c_str());
      }
      std::printf("NOT CHECKED: %s\n", Shown(outcome.unchecked.back()).c_str());
      break;
    default:
      std::printf("GOOD: everything that was asked for was checked.\n");
  }
  return outcome.code();
}

}  // namespace waarborg::audit

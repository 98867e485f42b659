// SPDX-License-Identifier: EUPL-1.2
// waarborg-decoder: takes a foreign picture on standard input and gives, on standard output, "ok" and the
// pixels of the ID photo (RGB, row by row), or the name of the rule that refuses it. Started by waarborgd for
// one picture at a time, with left, top, width and height of a crop or without arguments; confines itself
// before it reads the first byte.
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "server/photos/confine.h"
#include "server/photos/photo.h"
#include "server/photos/raster.h"

namespace {

bool ReadAll(std::string& out) {
  char piece[64 * 1024];
  for (;;) {
    const ssize_t n = read(STDIN_FILENO, piece, sizeof piece);
    if (n == 0) return true;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 || out.size() + static_cast<size_t>(n) > waarborg::photos::kMaxBytes) return false;
    out.append(piece, static_cast<size_t>(n));
  }
}

bool WriteAll(const std::string& bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t n = write(STDOUT_FILENO, bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += static_cast<size_t>(n);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 1 && argc != 5) return 70;
  std::optional<waarborg::photos::Crop> crop;
  if (argc == 5) {
    int numbers[4] = {};
    for (int i = 0; i < 4; ++i) {
      const std::string_view word = argv[i + 1];
      const auto read = std::from_chars(word.data(), word.data() + word.size(), numbers[i]);
      if (read.ec != std::errc() || read.ptr != word.data() + word.size()) return 70;
    }
    crop = waarborg::photos::Crop{numbers[0], numbers[1], numbers[2], numbers[3]};
  }
  if (!waarborg::photos::Confine({})) return 70;
  std::string file;
  if (!ReadAll(file)) return 65;
  const auto photo = waarborg::photos::Fitted(file, crop);
  std::string answer = photo.ok() ? "ok" : photo.refusal().name();
  answer += '\n';
  if (photo.ok()) answer.append(photo->rgb.begin(), photo->rgb.end());
  return WriteAll(answer) ? 0 : 74;
}

// SPDX-License-Identifier: EUPL-1.2
// What a picture could make of waarborg-decoder if a flaw let it: confined in the same way, it does what the
// first byte of its input says and then claims success. Every way out must have ended it before.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "server/photos/confine.h"
#include "server/photos/photo.h"

int main() {
  if (!waarborg::photos::Confine({.memory_bytes = uint64_t{256} << 20, .cpu_seconds = 1})) return 70;
  char what = 0;
  if (read(STDIN_FILENO, &what, 1) != 1) return 65;
  size_t pixels = size_t{waarborg::photos::kWidth} * waarborg::photos::kHeight * 3;
  switch (what) {
    case 'o':
      (void)!open("/etc/passwd", O_RDONLY);
      break;
    case 'w':
      (void)!open("/tmp/waarborg-evil", O_WRONLY | O_CREAT, 0600);
      break;
    case 's':
      (void)!socket(AF_INET, SOCK_STREAM, 0);
      break;
    case 'f':
      (void)!fork();
      break;
    case 'x':
      (void)!execl("/bin/true", "true", nullptr);
      break;
    case 'k':
      (void)!kill(getppid(), 0);
      break;
    case 'c':
      for (;;) __asm__ volatile("");
    case 'm': {
      constexpr size_t kMuch = size_t{512} << 20;
      auto* p = static_cast<char*>(malloc(kMuch));
      if (p == nullptr) return 1;
      memset(p, 1, kMuch);
      free(p);
      break;
    }
    case 'l':
      pixels = size_t{64} << 20;
      break;
    case 'n':
      --pixels;
      break;
    default:
      break;  // 'g': good
  }
  const std::string answer = "ok\n" + std::string(pixels, 'x');
  for (size_t at = 0; at < answer.size();) {
    const ssize_t n = write(STDOUT_FILENO, answer.data() + at, answer.size() - at);
    if (n <= 0) return 74;
    at += static_cast<size_t>(n);
  }
  return 0;
}

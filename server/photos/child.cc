// SPDX-License-Identifier: EUPL-1.2
#include "server/photos/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <vector>

#include "server/base/secret.h"
#include "server/photos/photo.h"
#include "server/photos/raster.h"

namespace waarborg::photos {
namespace {

using domain::Outcome;
using domain::Rule;

constexpr std::chrono::seconds kLongest{15};
constexpr size_t kMaxAnswer = size_t{4} << 20;

// Rules that the decoder may answer with; anything else is not to be believed.
constexpr Rule kAnswers[] = {Rule::kPhotoTooLarge,   Rule::kPhotoTooManyPixels, Rule::kPhotoTooSmall,
                             Rule::kPhotoNotAnImage, Rule::kPhotoDamaged,       Rule::kPhotoDisguised,
                             Rule::kCropOutside,     Rule::kCropOtherRatio};

class Descriptor {
 public:
  ~Descriptor() { Close(); }
  void Close() {
    if (fd >= 0) close(fd);
    fd = -1;
  }
  int fd = -1;
};

bool Pipe(Descriptor& read_end, Descriptor& write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  read_end.fd = ends[0];
  write_end.fd = ends[1];
  return true;
}

pid_t Start(const std::string& program, const std::optional<Crop>& crop, int in, int out) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // The server's blocked signals are not the child's.
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::vector<std::string> words = {"waarborg-decoder"};
  if (crop) {
    for (int n : {crop->left, crop->top, crop->width, crop->height}) words.push_back(std::to_string(n));
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  char* const environment[] = {nullptr};
  pid_t pid = -1;
  const int error = posix_spawn(&pid, program.c_str(), &files, &attributes, arguments.data(), environment);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return error == 0 ? pid : -1;
}

// Feeds the file and takes the answer, both as far as they go. False when time is up or the answer too long.
bool Exchange(std::string_view file, Descriptor& in, Descriptor& out, std::string& answer) {
  fcntl(in.fd, F_SETFL, O_NONBLOCK);
  const auto until = std::chrono::steady_clock::now() + kLongest;
  char piece[64 * 1024];
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd fds[2] = {{out.fd, POLLIN, 0}, {in.fd, POLLOUT, 0}};
    if (left.count() <= 0 || poll(fds, in.fd >= 0 ? 2 : 1, static_cast<int>(left.count())) < 0) {
      if (errno == EINTR && left.count() > 0) continue;
      return false;
    }
    if (in.fd >= 0 && fds[1].revents != 0) {
      const ssize_t n = write(in.fd, file.data(), file.size());
      if (n > 0) file.remove_prefix(static_cast<size_t>(n));
      // All given, or it does not want the rest: it has seen enough to refuse.
      if (file.empty() || (n < 0 && errno != EAGAIN && errno != EINTR)) in.Close();
    }
    if (fds[0].revents != 0) {
      const ssize_t n = read(out.fd, piece, sizeof piece);
      if (n == 0) return true;
      if (n > 0) answer.append(piece, static_cast<size_t>(n));
      if (answer.size() > kMaxAnswer) return false;
    }
  }
}

}  // namespace

Outcome<std::string> NormaliseInChild(const std::string& program, std::string_view file,
                                      const std::optional<Crop>& crop) {
  Descriptor child_in, to_child, from_child, child_out;
  if (!Pipe(child_in, to_child) || !Pipe(from_child, child_out)) return Rule::kInternal;
  const pid_t pid = Start(program, crop, child_in.fd, child_out.fd);
  if (pid < 0) return Rule::kInternal;
  child_in.Close();
  child_out.Close();
  std::string answer;
  if (!Exchange(file, to_child, from_child, answer)) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && (WEXITSTATUS(status) == 127 || WEXITSTATUS(status) == 70)) return Rule::kInternal;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return Rule::kPhotoDamaged;
  const size_t line = answer.find('\n');
  const std::string word = answer.substr(0, line);
  if (word == "ok" && line != std::string::npos) {
    Raster raster(kWidth, kHeight);
    if (answer.size() - line - 1 != raster.rgb.size()) return Rule::kPhotoDamaged;
    std::copy(answer.begin() + static_cast<std::ptrdiff_t>(line) + 1, answer.end(), raster.rgb.begin());
    base::Wipe(answer);
    std::string jpeg = EncodeJpeg(raster);
    if (jpeg.empty()) return Rule::kInternal;
    return jpeg;
  }
  for (Rule rule : kAnswers) {
    if (word == domain::TextOf(rule).name) return rule;
  }
  return Rule::kPhotoDamaged;
}

std::string DecoderBesideThisProgram() {
  char path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n <= 0) return "";
  const std::string self(path, static_cast<size_t>(n));
  return self.substr(0, self.rfind('/') + 1) + "waarborg-decoder";
}

}  // namespace waarborg::photos

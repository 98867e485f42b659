// SPDX-License-Identifier: EUPL-1.2
#include "audit/witness_http.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <openssl/sha.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <thread>
#include <utility>

#include "audit/http_wire.h"

namespace waarborg::audit {
namespace {

constexpr const char kPath[] = "/add-checkpoint";
// Request line, headers and the piece of a body that is being read.
constexpr size_t kConnectionMemory = size_t{16} << 10;
// How often the server looks whether it must stop, and which connections have had their time.
constexpr int kTurnMs = 200;
constexpr size_t kMaxNote = size_t{1} << 20;

std::string Reason(int error) {
  return std::strerror(error);
}

std::string FileOf(const std::string& origin) {
  Hash digest;
  SHA256(reinterpret_cast<const uint8_t*>(origin.data()), origin.size(), digest.data());
  std::string out;
  for (uint8_t b : digest) {
    out += "0123456789abcdef"[b >> 4];
    out += "0123456789abcdef"[b & 15];
  }
  return out;
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

bool ReadAll(int fd, size_t limit, std::string& out) {
  char buffer[4096];
  for (;;) {
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n == 0;
    out.append(buffer, static_cast<size_t>(n));
    if (out.size() > limit) return false;
  }
}

}  // namespace

Result<std::unique_ptr<FolderMemory>> FolderMemory::Open(const std::string& folder) {
  using R = Result<std::unique_ptr<FolderMemory>>;
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    const int error = errno;
    return R::Error("cannot open the folder " + folder + ": " + Reason(error) +
                    (error == ENOENT ? "; make it with mkdir -m 700" : ""));
  }
  const int lock = openat(fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (lock >= 0) close(lock);
    close(fd);
    return R::Error(error == EWOULDBLOCK ? "another witness is using the folder " + folder
                                         : "cannot lock the folder " + folder + ": " + Reason(error));
  }
  return std::unique_ptr<FolderMemory>(new FolderMemory(fd, lock));
}

FolderMemory::~FolderMemory() {
  close(lock_);
  close(folder_);
}

bool FolderMemory::Load(const std::string& origin, std::optional<std::string>& note) {
  note.reset();
  const int fd = openat(folder_, FileOf(origin).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return errno == ENOENT;
  std::string bytes;
  const bool read = ReadAll(fd, kMaxNote, bytes);
  close(fd);
  if (!read || !bytes.starts_with(origin + "\n")) return false;
  note = std::move(bytes);
  return true;
}

bool FolderMemory::Save(const std::string& origin, const std::string& note) {
  const std::string name = FileOf(origin), temporary = name + ".new";
  const int fd =
      openat(folder_, temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return false;
  const bool written = WriteAll(fd, note) && fsync(fd) == 0;
  if (close(fd) != 0 || !written || renameat(folder_, temporary.c_str(), folder_, name.c_str()) != 0) {
    unlinkat(folder_, temporary.c_str(), 0);
    return false;
  }
  return fsync(folder_) == 0;
}

namespace {

// Seconds and milliseconds that pass, whatever the calendar does.
using Clock = std::chrono::steady_clock;

WitnessAnswer Say(int status, std::string why) {
  return {status, "text/plain; charset=utf-8", std::move(why) + "\n"};
}

// There is one path, in one spelling: "%61" is not "a".
size_t KeepEscapes(void*, MHD_Connection*, char* text) {
  return std::strlen(text);
}

MHD_Result Send(MHD_Connection* connection, const WitnessAnswer& answer) {
  const std::unique_ptr<MHD_Response, decltype(&MHD_destroy_response)> response(
      MHD_create_response_from_buffer(answer.body.size(), const_cast<char*>(answer.body.data()),
                                      MHD_RESPMEM_MUST_COPY),
      MHD_destroy_response);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE, answer.content_type.c_str());
  MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONNECTION, "close");
  if (answer.status == 405) MHD_add_response_header(response.get(), MHD_HTTP_HEADER_ALLOW, "POST");
  return MHD_queue_response(connection, static_cast<unsigned>(answer.status), response.get());
}

}  // namespace

// The library and everything it calls, in one thread: nothing here needs a lock.
class WitnessServer::Loop {
 public:
  Loop(Witness& witness, std::function<uint64_t()> now_seconds, WitnessServerOptions options)
      : witness_(witness), now_seconds_(std::move(now_seconds)), options_(std::move(options)) {}
  ~Loop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Takes the socket over when it succeeds.
  bool Start(int socket) {
    const auto idle = std::chrono::ceil<std::chrono::seconds>(options_.deadline);
    daemon_ = MHD_start_daemon(MHD_USE_EPOLL, 0, nullptr, nullptr, &OnRequest, this,  //
                               MHD_OPTION_LISTEN_SOCKET, socket,                      //
                               MHD_OPTION_CONNECTION_LIMIT, options_.connections,     //
                               MHD_OPTION_PER_IP_CONNECTION_LIMIT, options_.connections_per_address,
                               MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(idle.count()),  //
                               MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemory,               //
                               MHD_OPTION_UNESCAPE_CALLBACK, &KeepEscapes, nullptr,
                               MHD_OPTION_STRICT_FOR_CLIENT, 1,                    //
                               MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,               //
                               MHD_OPTION_NOTIFY_CONNECTION, &OnConnection, this,  //
                               MHD_OPTION_NOTIFY_COMPLETED, &OnCompleted, this,    //
                               MHD_OPTION_END);
    if (daemon_ == nullptr) return false;
    port_ = PortOf(socket);
    thread_ = std::thread([this] { Run(); });
    return true;
  }
  int port() const { return port_; }

 private:
  struct Open {
    int fd = -1;
    Clock::time_point until;
  };
  struct Request {
    std::string body;
  };

  void Run() {
    // Somebody who hangs up while being answered is no reason to end.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    while (!stop_) {
      if (MHD_run_wait(daemon_, kTurnMs) != MHD_YES) {
        std::this_thread::sleep_for(std::chrono::milliseconds(kTurnMs));
      }
      CutOff(Clock::now());
    }
  }

  // The library's own timeout starts again with every byte; this one does not.
  void CutOff(Clock::time_point now) {
    for (auto& [connection, open] : open_) {
      if (open.until <= now) shutdown(open.fd, SHUT_RDWR);
    }
  }

  static void OnConnection(void* self, MHD_Connection* connection, void**,
                           MHD_ConnectionNotificationCode what) {
    Loop& loop = *static_cast<Loop*>(self);
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
      loop.open_.erase(connection);
    } else if (const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)) {
      loop.open_[connection] = {info->connect_fd, Clock::now() + loop.options_.deadline};
    }
  }

  static void OnCompleted(void*, MHD_Connection*, void** context, MHD_RequestTerminationCode) {
    delete static_cast<Request*>(*context);
    *context = nullptr;
  }

  // Called once when the headers are there, then with each piece of the body, then at its end. An answer can
  // be given at the first call and at the last.
  static MHD_Result OnRequest(void* self, MHD_Connection* connection, const char* path, const char* method,
                              const char*, const char* piece, size_t* size, void** context) {
    Loop& loop = *static_cast<Loop*>(self);
    auto* request = static_cast<Request*>(*context);
    if (request == nullptr) {
      *context = new Request;
      const auto refusal = RefuseFraming(connection, kMaxWitnessRequest);
      return refusal ? loop.Answer(connection, "", Say(refusal->status, refusal->why)) : MHD_YES;
    }
    if (*size > 0) {
      if (request->body.size() + *size > kMaxWitnessRequest) return MHD_NO;
      request->body.append(piece, *size);
      *size = 0;
      return MHD_YES;
    }
    if (std::string_view(path) != kPath) {
      return loop.Answer(connection, request->body,
                         Say(404, "there is nothing here but " + std::string(kPath)));
    }
    if (std::string_view(method) != MHD_HTTP_METHOD_POST) {
      return loop.Answer(connection, request->body, Say(405, "a checkpoint is sent with POST"));
    }
    return loop.Answer(connection, request->body, loop.witness_.Add(request->body, loop.now_seconds_()));
  }

  MHD_Result Answer(MHD_Connection* connection, std::string_view body, const WitnessAnswer& answer) {
    if (options_.on_answer) options_.on_answer(body, answer);
    return Send(connection, answer);
  }

  Witness& witness_;
  const std::function<uint64_t()> now_seconds_;
  const WitnessServerOptions options_;
  MHD_Daemon* daemon_ = nullptr;
  int port_ = 0;
  std::map<MHD_Connection*, Open> open_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

WitnessServer::WitnessServer(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
WitnessServer::~WitnessServer() = default;

int WitnessServer::port() const {
  return loop_->port();
}

Result<std::unique_ptr<WitnessServer>> WitnessServer::Start(const std::string& address, Witness& witness,
                                                            std::function<uint64_t()> now_seconds,
                                                            WitnessServerOptions options) {
  using R = Result<std::unique_ptr<WitnessServer>>;
  const auto socket = Listen(address);
  if (!socket.ok()) return R::Error(socket.error());
  auto loop = std::make_unique<Loop>(witness, std::move(now_seconds), std::move(options));
  if (!loop->Start(*socket)) {
    close(*socket);
    return R::Error("cannot serve on " + address + ": the HTTP library does not start");
  }
  return std::unique_ptr<WitnessServer>(new WitnessServer(std::move(loop)));
}

}  // namespace waarborg::audit

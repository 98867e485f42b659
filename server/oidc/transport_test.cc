// SPDX-License-Identifier: EUPL-1.2
#include "server/oidc/transport.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"

namespace waarborg::oidc {
namespace {

// Answers one connection after another with the same bytes, whatever is asked. With `hangs` it then neither
// says more nor hangs up.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer, bool hangs = false) : answer_(std::move(answer)), hangs_(hangs) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~OneAnswer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string Url() const { return absl::StrCat("http://localhost:", port_, "/x"); }
  int connections() const { return connections_; }

 private:
  void Serve() {
    int fd = -1;
    while ((fd = accept(listener_, nullptr, nullptr)) >= 0) {
      ++connections_;
      char buffer[4096];
      (void)!read(fd, buffer, sizeof buffer);
      for (size_t at = 0; at < answer_.size();) {
        const ssize_t n = send(fd, answer_.data() + at, answer_.size() - at, MSG_NOSIGNAL);
        if (n <= 0) break;
        at += static_cast<size_t>(n);
      }
      if (!hangs_) shutdown(fd, SHUT_WR);
      while (read(fd, buffer, sizeof buffer) > 0) {
      }
      close(fd);
    }
  }

  const std::string answer_;
  const bool hangs_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

std::string Reply(const std::string& body) {
  return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", body.size(), "\r\nConnection: close\r\n\r\n",
                      body);
}

TEST(Transport, BringsStatusAndBody) {
  const OneAnswer server(Reply("{}"));
  const auto transport = NewTransport({});
  for (int post = 0; post < 2; ++post) {
    const auto answer = post ? transport->Post(server.Url(), "a=b", absl::Seconds(5))
                             : transport->Get(server.Url(), absl::Seconds(5));
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "{}");
  }
}

TEST(Transport, TakesNoAnswerBeyondItsBound) {
  const OneAnswer fits(Reply(std::string(Transport::kMaxAnswer, 'a')));
  EXPECT_TRUE(NewTransport({})->Get(fits.Url(), absl::Seconds(5)).ok());
  const OneAnswer huge(Reply(std::string(Transport::kMaxAnswer + 1, 'a')));
  EXPECT_TRUE(absl::IsUnavailable(NewTransport({})->Get(huge.Url(), absl::Seconds(5)).status()));
}

TEST(Transport, FollowsNoRedirection) {
  const OneAnswer elsewhere(Reply("{}"));
  const OneAnswer server(absl::StrCat("HTTP/1.1 302 Found\r\nLocation: ", elsewhere.Url(),
                                      "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
  const auto answer = NewTransport({})->Get(server.Url(), absl::Seconds(5));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 302);
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST(Transport, WaitsNoLongerThanItIsTold) {
  const OneAnswer never("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", /*hangs=*/true);
  EXPECT_TRUE(absl::IsUnavailable(NewTransport({})->Get(never.Url(), absl::Milliseconds(200)).status()));
}

TEST(Transport, SpeaksPlainHttpToThisMachineOnly) {
  for (const char* url : {"http://inloggen.waterdam.example/", "http://127.0.0.1:1/", "file:///etc/hostname",
                          "ftp://localhost/", "http://localhost@elders.example/", "https://"}) {
    EXPECT_TRUE(absl::IsUnavailable(NewTransport({})->Get(url, absl::Seconds(1)).status())) << url;
  }
}

}  // namespace
}  // namespace waarborg::oidc

// SPDX-License-Identifier: EUPL-1.2
#include "client/station/http.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace waarborg::station {
namespace {

constexpr char kForm[] = "Content-Type: application/x-www-form-urlencoded\r\n";
constexpr char kOurs[] = "Sec-Fetch-Site: same-origin\r\n";

class HttpTest : public ::testing::Test {
 protected:
  void SetUp() override {
    HttpOptions options;
    options.listen = "127.0.0.1:0";
    options.origin = "http://localhost";
    options.receive_limit = std::chrono::milliseconds(700);
    options.max_form = 1000;
    options.max_upload = 5000;
    std::string error;
    server_ = HttpServer::Start(
        options,
        [this](Request& request) {
          ++asked_;
          if (request.path == "/stream") {
            Response out;
            out.events = std::make_shared<Ticks>();
            return out;
          }
          if (request.path == "/throws") throw std::runtime_error("x");
          std::string text = absl::StrCat(request.method, " ", request.path);
          for (const auto& [name, value] : request.query) absl::StrAppend(&text, " ?", name, "=", value);
          for (const auto& [name, value] : request.form) absl::StrAppend(&text, " ", name, "=", value);
          for (const auto& [name, file] : request.files)
            absl::StrAppend(&text, " ", name, ":", file.filename, ":", file.bytes.size());
          for (const auto& [name, value] : request.cookies)
            absl::StrAppend(&text, " cookie ", name, "=", value);
          return Response::Plain(200, text);
        },
        error);
    ASSERT_NE(server_, nullptr) << error;
  }

  class Ticks : public EventStream {
   public:
    bool Next(std::chrono::milliseconds, std::string& out) override {
      if (++n_ > 3) return false;
      out = absl::StrCat("data: ", n_, "\n\n");
      return true;
    }

   private:
    int n_ = 0;
  };

  int Connect() const {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(server_->port()));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    return fd;
  }
  static std::string ReadToEnd(int fd) {
    std::string out;
    char buffer[4096];
    for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) out.append(buffer, static_cast<size_t>(n));
    close(fd);
    return out;
  }
  // Sends this; "HOST" becomes the host that is served. Returns all that comes back.
  std::string Send(const std::string& text) const {
    const int fd = Connect();
    const std::string bytes =
        absl::StrReplaceAll(text, {{"HOST", absl::StrCat("localhost:", server_->port())}});
    EXPECT_EQ(write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    return ReadToEnd(fd);
  }
  std::string Get(const std::string& path, const std::string& headers = "") const {
    return Send(
        absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n", headers, "\r\n"));
  }
  std::string Post(const std::string& body, const std::string& headers) const {
    return Send(absl::StrCat("POST /p HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n", headers,
                             "Content-Length: ", body.size(), "\r\n\r\n", body));
  }
  static int Status(const std::string& answer) {
    return answer.size() < 12 ? 0 : std::stoi(answer.substr(9, 3));
  }

  std::unique_ptr<HttpServer> server_;
  std::atomic<int> asked_ = 0;
};

TEST_F(HttpTest, APageIsAnsweredWithHeadersThatLetNothingElseIn) {
  const std::string answer = Get("/a?b=c%20d", "Cookie: x=1; y=2\r\n");
  EXPECT_EQ(Status(answer), 200);
  EXPECT_NE(answer.find("GET /a ?b=c d cookie x=1 cookie y=2"), std::string::npos) << answer;
  for (const char* header : {"Content-Security-Policy: default-src 'none'", "frame-ancestors 'none'",
                             "require-trusted-types-for 'script'", "Referrer-Policy: no-referrer",
                             "X-Content-Type-Options: nosniff", "Cache-Control: no-store",
                             "Cross-Origin-Opener-Policy: same-origin"}) {
    EXPECT_NE(answer.find(header), std::string::npos) << header;
  }
  EXPECT_EQ(answer.find("unsafe"), std::string::npos);
}

TEST_F(HttpTest, FormsAndFilesAreReadWhole) {
  EXPECT_NE(Post("a=1&b=x+y%C3%A9&a=2", absl::StrCat(kForm, kOurs)).find("POST /p a=1 a=2 b=x y\xC3\xA9"),
            std::string::npos);
  const std::string body =
      "--BOUND\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\nhallo\r\n--BOUND\r\nContent-Disposition: "
      "form-data; name=\"f\"; filename=\"a.jpg\"\r\n"
      "Content-Type: image/jpeg\r\n\r\n" +
      std::string(3000, '\xff') + "\r\n--BOUND--\r\n";
  const std::string answer =
      Post(body, absl::StrCat("Content-Type: multipart/form-data; boundary=BOUND\r\n", kOurs));
  EXPECT_NE(answer.find("t=hallo f:a.jpg:3000"), std::string::npos) << answer;
}

TEST_F(HttpTest, WhatAnotherSiteSendsIsRefused) {
  // Who may send a form: our own page, as the browser says, or else by its origin.
  EXPECT_EQ(Status(Post("a=1", kForm)), 403);
  EXPECT_EQ(Status(Post("a=1", absl::StrCat(kForm, "Origin: null\r\n"))), 403);
  EXPECT_EQ(Status(Post("a=1", absl::StrCat(kForm, "Origin: http://evil.example\r\n"))), 403);
  EXPECT_EQ(Status(Post("a=1", absl::StrCat(kForm, "Origin: http://evil.example\r\n", kOurs))), 403);
  for (const char* site : {"cross-site", "same-site", "none", "nonsense"}) {
    EXPECT_EQ(Status(Post("a=1", absl::StrCat(kForm, "Sec-Fetch-Site: ", site, "\r\n"))), 403) << site;
  }
  EXPECT_EQ(asked_, 0);
  EXPECT_EQ(Status(Post("a=1", absl::StrCat(kForm, "Origin: http://HOST\r\n"))), 200);
  EXPECT_EQ(Status(Post("a=1", absl::StrCat(kForm, "Origin: null\r\n", kOurs))), 200);
  // Who may read: anybody who comes here by a link, and nobody who takes a page in.
  EXPECT_EQ(
      Status(
          Get("/", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n")),
      200);
  EXPECT_EQ(
      Status(Get("/", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n")),
      403);
  EXPECT_EQ(Status(Get(
                "/", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n")),
            403);
  EXPECT_EQ(Status(Get("/", "Sec-Fetch-Site: none\r\n")), 200);
}

TEST_F(HttpTest, AnotherHostIsNotServed) {
  EXPECT_EQ(Status(Send("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")), 421);
  EXPECT_EQ(Status(Send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")), 421);
  EXPECT_EQ(Status(Send("GET / HTTP/1.0\r\nConnection: close\r\n\r\n")), 421);
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpTest, WhatTwoProgramsCouldReadDifferentlyIsRefused) {
  const std::string start =
      "POST /p HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n" + std::string(kForm) + kOurs;
  EXPECT_EQ(Status(Send(start + "Content-Length: 3\r\nContent-Length: 3\r\n\r\na=1")), 400);
  EXPECT_EQ(
      Status(Send(start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na=1\r\n0\r\n\r\n")),
      400);
  EXPECT_EQ(Status(Send(start + "Transfer-Encoding: chunked\r\n\r\n3\r\na=1\r\n0\r\n\r\n")), 411);
  EXPECT_EQ(Status(Send(start + "Content-Length: +3\r\n\r\na=1")), 400);
  EXPECT_EQ(
      Status(Send("GET / HTTP/1.1\r\nHost: HOST\r\nCookie: a=1\r\nCookie: a=2\r\nConnection: close\r\n\r\n")),
      400);
  EXPECT_EQ(Status(Send("DELETE / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")), 405);
  EXPECT_EQ(Status(Post("{}", absl::StrCat("Content-Type: application/json\r\n", kOurs))), 415);
  EXPECT_EQ(Status(Post("a=%ff", absl::StrCat(kForm, kOurs))), 400) << "not UTF-8";
  EXPECT_EQ(Status(Post("a=%00", absl::StrCat(kForm, kOurs))), 400) << "a control character";
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpTest, TooMuchAndTooSlowEnd) {
  EXPECT_EQ(Status(Post(std::string(1001, 'a'), absl::StrCat(kForm, kOurs))), 413);
  EXPECT_EQ(Status(Get("/", "X: " + std::string(40000, 'x') + "\r\n")) / 100, 4);
  // One byte now and then keeps nothing open.
  const int fd = Connect();
  const auto begin = std::chrono::steady_clock::now();
  for (const char c : std::string("GET / HTTP/1.1\r\nHost: x\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaa")) {
    if (send(fd, &c, 1, MSG_NOSIGNAL) != 1) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
  }
  ReadToEnd(fd);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpTest, EachRequestOfAConnectionHasItsOwnTime) {
  const std::string host = absl::StrCat("Host: localhost:", server_->port(), "\r\n");
  const std::string get = absl::StrCat("GET /a HTTP/1.1\r\n", host, "\r\n");
  const std::string post =
      absl::StrCat("POST /p HTTP/1.1\r\n", host, kForm, kOurs, "Content-Length: 1000\r\n\r\n");
  const int fd = Connect();
  EXPECT_EQ(send(fd, get.data(), get.size(), MSG_NOSIGNAL), static_cast<ssize_t>(get.size()));
  char buffer[4096];
  EXPECT_GT(recv(fd, buffer, sizeof buffer, 0), 0);
  // Longer than one may take: between two requests there is time.
  std::this_thread::sleep_for(std::chrono::milliseconds(1000));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(send(fd, post.data(), post.size(), MSG_NOSIGNAL), static_cast<ssize_t>(post.size()));
  for (int i = 0; i < 100 && send(fd, "a", 1, MSG_NOSIGNAL) == 1; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
  }
  ReadToEnd(fd);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
  EXPECT_EQ(asked_, 1);
}

TEST_F(HttpTest, AMistakeOfOursIsAnAnswerAndEndsNothing) {
  EXPECT_EQ(Status(Get("/throws")), 500);
  EXPECT_EQ(Status(Get("/a")), 200);
}

TEST_F(HttpTest, EventsComeOneAfterTheOther) {
  const std::string answer = Get("/stream");
  EXPECT_NE(answer.find("text/event-stream"), std::string::npos);
  for (const char* event : {"data: 1", "data: 2", "data: 3"})
    EXPECT_NE(answer.find(event), std::string::npos) << answer;
}

TEST(Http, OtherMachinesAreNotServedInTheClear) {
  HttpOptions options;
  options.listen = "0.0.0.0:0";
  std::string error;
  EXPECT_EQ(HttpServer::Start(
                options, [](Request&) { return Response(); }, error),
            nullptr);
  EXPECT_NE(error.find("TLS"), std::string::npos) << error;
}

}  // namespace
}  // namespace waarborg::station

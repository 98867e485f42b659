// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// HTTP as the station's pages see it. The library behind it (libmicrohttpd) is known to http.cc alone.
namespace waarborg::station {

// A file from a form.
struct Upload {
  std::string filename;  // as the browser says; of no use but to show
  std::string bytes;
};

// A request that was received whole, is well-formed, and came from a page of our own (see HttpServer).
struct Request {
  std::string method;  // "GET", "HEAD" or "POST"
  std::string path;    // without query, as sent: "/dossier/LV-0123456789"
  // Names in lower case. A header that stands there twice is refused before anybody sees it.
  std::map<std::string, std::string> headers;
  std::map<std::string, std::string> cookies;
  std::map<std::string, std::string> query;
  std::multimap<std::string, std::string> form;  // fields of a POST, in UTF-8
  std::map<std::string, Upload> files;

  // The first field of that name; empty when there is none.
  std::string Field(const std::string& name) const;
  std::vector<std::string> Fields(const std::string& name) const;
  std::string Header(const std::string& name) const;
  // Wipes what was typed and uploaded.
  void Wipe();
};

// A stream of server-sent events. Called by the connection's own thread; may block.
class EventStream {
 public:
  virtual ~EventStream() = default;
  // The next event as it goes over the line ("event: x\ndata: ...\n\n"), waiting at most `limit`; empty when
  // there is none yet. False: the stream has ended.
  virtual bool Next(std::chrono::milliseconds limit, std::string& out) = 0;
};

struct Response {
  int status = 200;
  std::string content_type = "text/html; charset=utf-8";
  std::string body;
  // Besides the headers that every answer has (see http.cc).
  std::vector<std::pair<std::string, std::string>> headers;
  // Of an asset: names its version. The browser may keep it, and asks each time whether it still holds.
  // Everything else is stored nowhere.
  std::string etag;
  // The body is personal: wiped from memory when it was sent.
  bool wipe = false;
  // Instead of a body.
  std::shared_ptr<EventStream> events;

  static Response Redirect(const std::string& path);
  static Response Plain(int status, std::string text);
};

struct HttpOptions {
  std::string listen = "localhost:8080";  // HOST:PORT; port 0 is any free one
  // Where browsers find the pages: "https://balie.example". Requests for another host are refused, and forms
  // from another origin. With port 0 the port that was found is added.
  std::string origin = "http://localhost";
  // With both: TLS 1.3. Without: only to be used on the machine itself, see Start.
  std::string certificate_pem;
  std::string key_pem;
  unsigned connections = 256;
  unsigned connections_per_address = 128;
  // How long headers and body may take to arrive, however busy the line keeps itself.
  std::chrono::milliseconds receive_limit{20000};
  // Bytes of a form without and with files.
  size_t max_form = size_t{64} << 10;
  size_t max_upload = size_t{11} << 20;
};

// Serves requests, each connection on a thread of its own, so that a handler may wait for the core.
//
// Refused before the handler is asked: another host (421), a method other than GET, HEAD and POST (405),
// framing that two programs could read differently (400), a repeated header, too much (413), and what another
// site sent (403): Fetch Metadata decides, or Origin where a browser sends none. From elsewhere one may only
// navigate to a page.
class HttpServer {
 public:
  using Handler = std::function<Response(Request&)>;
  // Null with `error` when it cannot listen, or when it would serve other machines without TLS.
  static std::unique_ptr<HttpServer> Start(const HttpOptions& options, Handler handler, std::string& error);
  // Stops accepting, ends the event streams, and waits for the handlers that run.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  int port() const;
  // As browsers use it.
  const std::string& origin() const;

 private:
  class Daemon;
  explicit HttpServer(std::unique_ptr<Daemon> daemon);
  std::unique_ptr<Daemon> daemon_;
};

}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
#include "client/station/http.h"

#include <microhttpd.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <exception>
#include <mutex>
#include <set>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "audit/http_wire.h"
#include "server/base/secret.h"

namespace waarborg::station {
namespace {

// Request line, headers and the piece of a body that is being read.
constexpr size_t kConnectionMemory = size_t{32} << 10;
// How long a connection may stand idle between two requests.
constexpr auto kIdle = std::chrono::seconds(60);
constexpr auto kTurn = std::chrono::milliseconds(250);
// A stream says something at least this often, so that a line that broke is noticed on both sides.
constexpr auto kBreath = std::chrono::seconds(10);
constexpr size_t kMaxFields = 500;

using Clock = std::chrono::steady_clock;

// Headers of every answer. Scripts, styles, pictures and fonts come from here and nowhere else; nothing is
// inline; no page is framed; what the script makes of text it makes through one named policy.
constexpr std::pair<const char*, const char*> kHeaders[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
     "connect-src 'self'; "
     "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; "
     "trusted-types waarborg"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Embedder-Policy", "require-corp"},
    {"Permissions-Policy",
     "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), "
     "payment=(), usb=(), "
     "publickey-credentials-get=(self), publickey-credentials-create=(self)"},
    {"X-Robots-Tag", "noindex"},
};

// A text in UTF-8 without control characters other than line breaks and tabs.
bool IsText(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const size_t more = c < 0x80                ? 0
                        : c >= 0xC2 && c < 0xE0 ? 1
                        : c >= 0xE0 && c < 0xF0 ? 2
                        : c >= 0xF0 && c < 0xF5 ? 3
                                                : 9;
    if (more > 3 || i + more >= text.size() + (more == 0 ? 1 : 0)) return false;
    if (more == 0 && (c == 0x7F || (c < 0x20 && c != '\n' && c != '\r' && c != '\t'))) return false;
    for (size_t k = 1; k <= more; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    }
    const auto second = more > 0 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((c == 0xE0 && second < 0xA0) || (c == 0xED && second > 0x9F) || (c == 0xF0 && second < 0x90) ||
        (c == 0xF4 && second > 0x8F)) {
      return false;
    }
    i += more + 1;
  }
  return true;
}

// What is being received on one connection.
struct Receiving {
  Request request;
  std::string body;
  std::string content_type;
  size_t limit = 0;
};

struct NoteInto {
  Request* request;
  bool repeated = false;
};

MHD_Result NoteHeader(void* into, MHD_ValueKind, const char* name, const char* value) {
  auto& note = *static_cast<NoteInto*>(into);
  note.repeated |=
      !note.request->headers.emplace(absl::AsciiStrToLower(name), value == nullptr ? "" : value).second;
  return MHD_YES;
}

MHD_Result NoteQuery(void* into, MHD_ValueKind, const char* name, const char* value) {
  static_cast<Request*>(into)->query.emplace(name, value == nullptr ? "" : value);
  return MHD_YES;
}

// One piece of one form field; `offset` 0 begins another field.
MHD_Result NoteField(void* into, MHD_ValueKind, const char* name, const char* filename, const char*,
                     const char*, const char* data, uint64_t offset, size_t size) {
  auto& request = *static_cast<Request*>(into);
  const std::string key = name == nullptr ? "" : name;
  if (filename != nullptr) {
    Upload& file = request.files[key];
    if (offset == 0) file = {filename, ""};
    file.bytes.append(data, size);
    return MHD_YES;
  }
  if (offset == 0) {
    if (request.form.size() >= kMaxFields) return MHD_NO;
    request.form.emplace(key, std::string(data, size));
  } else {
    // Equal keys stand in the order in which they came.
    auto last = request.form.upper_bound(key);
    if (last == request.form.begin()) return MHD_NO;
    (--last)->second.append(data, size);
  }
  return MHD_YES;
}

bool ReadForm(MHD_Connection* connection, Receiving& r) {
  if (r.body.empty()) return true;
  MHD_PostProcessor* processor = MHD_create_post_processor(connection, 4096, &NoteField, &r.request);
  if (processor == nullptr) return false;
  const bool read = MHD_post_process(processor, r.body.data(), r.body.size()) == MHD_YES;
  const bool whole = MHD_destroy_post_processor(processor) == MHD_YES;
  if (!read || !whole) return false;
  return std::all_of(r.request.form.begin(), r.request.form.end(),
                     [](const auto& field) { return IsText(field.first) && IsText(field.second); });
}

// Whether a page of our own sent it. Browsers say so themselves (Fetch Metadata) to origins they trust; one
// that does not must name our origin. From elsewhere one may come, by following a link, and nothing more.
bool ComesFromUs(const Request& request, const std::string& origin) {
  const std::string site = request.Header("sec-fetch-site"), from = request.Header("origin");
  // "null": a form sent under "no referrer".
  if (!from.empty() && from != origin && !(from == "null" && site == "same-origin")) return false;
  const bool reading = request.method != "POST";
  if (site == "same-origin") return true;
  if (site == "none") return reading;
  if (site.empty()) return reading || from == origin;
  return reading && request.Header("sec-fetch-mode") == "navigate" &&
         request.Header("sec-fetch-dest") == "document";
}

}  // namespace

std::string Request::Field(const std::string& name) const {
  const auto found = form.lower_bound(name);
  return found == form.end() || found->first != name ? "" : found->second;
}

std::vector<std::string> Request::Fields(const std::string& name) const {
  std::vector<std::string> out;
  const auto [begin, end] = form.equal_range(name);
  for (auto it = begin; it != end; ++it) out.push_back(it->second);
  return out;
}

std::string Request::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

void Request::Wipe() {
  for (auto& [name, value] : form) base::Wipe(value);
  for (auto& [name, file] : files) base::Wipe(file.bytes);
  for (auto& [name, value] : cookies) base::Wipe(value);
  if (const auto it = headers.find("cookie"); it != headers.end()) base::Wipe(it->second);
}

Response Response::Redirect(const std::string& path) {
  Response out;
  out.status = 303;
  out.headers.emplace_back("Location", path);
  return out;
}

Response Response::Plain(int status, std::string text) {
  Response out;
  out.status = status;
  out.content_type = "text/plain; charset=utf-8";
  out.body = std::move(text);
  return out;
}

class HttpServer::Daemon {
 public:
  Daemon(HttpOptions options, Handler handler) : options_(std::move(options)), handler_(std::move(handler)) {}

  ~Daemon() {
    stopping_ = true;
    if (cutter_.joinable()) cutter_.join();
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  bool Start(int socket, std::string& error) {
    const bool tls = !options_.certificate_pem.empty();
    port_ = audit::PortOf(socket);
    origin_ = options_.origin;
    if (absl::EndsWith(options_.listen, ":0")) absl::StrAppend(&origin_, ":", port_);
    host_ = origin_.substr(origin_.find("://") + 3);
    std::vector<MHD_OptionItem> more;
    if (tls) {
      more.push_back({MHD_OPTION_HTTPS_MEM_CERT, 0, const_cast<char*>(options_.certificate_pem.data())});
      more.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, const_cast<char*>(options_.key_pem.data())});
      more.push_back(
          {MHD_OPTION_HTTPS_PRIORITIES, 0,
           const_cast<char*>("SECURE128:-VERS-ALL:+VERS-TLS1.3:-AES-128-GCM:-AES-128-CCM:-AES-256-CCM")});
    }
    more.push_back({MHD_OPTION_END, 0, nullptr});
    daemon_ = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                                   MHD_USE_POLL | (tls ? MHD_USE_TLS : 0),
                               0, nullptr, nullptr, &OnRequest, this,              //
                               MHD_OPTION_LISTEN_SOCKET, socket,                   //
                               MHD_OPTION_CONNECTION_LIMIT, options_.connections,  //
                               MHD_OPTION_PER_IP_CONNECTION_LIMIT, options_.connections_per_address,
                               MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(kIdle.count()),  //
                               MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemory,                //
                               MHD_OPTION_STRICT_FOR_CLIENT, 1,                                      //
                               MHD_OPTION_NOTIFY_CONNECTION, &OnConnection, this,                    //
                               MHD_OPTION_NOTIFY_COMPLETED, &OnCompleted, this,                      //
                               MHD_OPTION_ARRAY, more.data(), MHD_OPTION_END);
    if (daemon_ == nullptr) {
      error = tls ? "the HTTP library does not start; look at the certificate and the key"
                  : "the HTTP library does not start";
      return false;
    }
    cutter_ = std::thread([this] { CutOff(); });
    return true;
  }

  int port() const { return port_; }
  const std::string& origin() const { return origin_; }

 private:
  struct Open {
    int fd = -1;
    Clock::time_point until;  // max: not while it is being answered
  };

  // The library's own timeout begins again with every byte; this one does not.
  void CutOff() {
    while (!stopping_) {
      std::this_thread::sleep_for(kTurn);
      const std::lock_guard lock(mutex_);
      for (auto& [connection, open] : open_) {
        if (open.until <= Clock::now()) shutdown(open.fd, SHUT_RDWR);
      }
    }
  }

  void MayLast(MHD_Connection* connection, Clock::time_point until) {
    const std::lock_guard lock(mutex_);
    if (const auto it = open_.find(connection); it != open_.end()) it->second.until = until;
  }

  static void OnConnection(void* self, MHD_Connection* connection, void**,
                           MHD_ConnectionNotificationCode what) {
    Daemon& d = *static_cast<Daemon*>(self);
    const std::lock_guard lock(d.mutex_);
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
      d.open_.erase(connection);
    } else if (const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)) {
      d.open_[connection] = {info->connect_fd, Clock::now() + d.options_.receive_limit};
    }
  }

  static void OnCompleted(void* self, MHD_Connection* connection, void** context,
                          MHD_RequestTerminationCode) {
    if (auto* r = static_cast<Receiving*>(*context)) {
      r->request.Wipe();
      base::Wipe(r->body);
      delete r;
      *context = nullptr;
    }
    static_cast<Daemon*>(self)->MayLast(connection, Clock::now() + kIdle);
  }

  // Called when the headers are there, then with each piece of the body, then at its end.
  static MHD_Result OnRequest(void* self, MHD_Connection* connection, const char* path, const char* method,
                              const char*, const char* piece, size_t* size, void** context) {
    Daemon& d = *static_cast<Daemon*>(self);
    auto* r = static_cast<Receiving*>(*context);
    if (r == nullptr) {
      r = new Receiving;
      *context = r;
      // As long as any other, however long the connection waited for it.
      d.MayLast(connection, Clock::now() + d.options_.receive_limit);
      const auto refused = d.Begin(connection, path, method, *r);
      return refused ? d.Send(connection, *refused) : MHD_YES;
    }
    if (*size > 0) {
      if (r->body.size() + *size > r->limit) return MHD_NO;
      r->body.append(piece, *size);
      *size = 0;
      return MHD_YES;
    }
    d.MayLast(connection, Clock::time_point::max());
    if (!ReadForm(connection, *r))
      return d.Send(connection, Response::Plain(400, "this form cannot be read\n"));
    Response response;
    try {
      response = d.handler_(r->request);
      if (!response.etag.empty() &&
          r->request.Header("if-none-match") == absl::StrCat("\"", response.etag, "\"")) {
        response.status = 304;
        response.body.clear();
      }
    } catch (const std::exception&) {
      response = Response::Plain(500, "something went wrong here; try again\n");
    }
    return d.Send(connection, response);
  }

  // Headers first: what cannot be right is refused unread.
  std::optional<Response> Begin(MHD_Connection* connection, const char* path, const char* method,
                                Receiving& r) const {
    NoteInto note{&r.request};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, &NoteHeader, &note);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, &NoteQuery, &r.request);
    r.request.method = method;
    r.request.path = path;
    r.content_type = r.request.Header("content-type");
    r.limit =
        absl::StartsWith(r.content_type, "multipart/form-data") ? options_.max_upload : options_.max_form;
    for (absl::string_view pair : absl::StrSplit(r.request.Header("cookie"), ';', absl::SkipWhitespace())) {
      const std::vector<std::string> parts =
          absl::StrSplit(absl::StripAsciiWhitespace(pair), absl::MaxSplits('=', 1));
      if (parts.size() == 2) r.request.cookies.emplace(parts[0], parts[1]);
    }
    if (auto framing = audit::RefuseFraming(connection, r.limit))
      return Response::Plain(framing->status, framing->why + "\n");
    if (note.repeated) return Response::Plain(400, "a header stands there more than once\n");
    if (r.request.Header("host") != host_) {
      return Response::Plain(421, absl::StrCat("these pages are found at ", origin_, "/\n"));
    }
    if (r.request.method != "GET" && r.request.method != "HEAD" && r.request.method != "POST") {
      return Response::Plain(405, "GET or POST\n");
    }
    if (!ComesFromUs(r.request, origin_)) {
      return Response::Plain(403, "This was sent by another site. Go to this page by its own address.\n");
    }
    if (r.request.method == "POST" && !absl::StartsWith(r.content_type, "multipart/form-data") &&
        !absl::StartsWith(r.content_type, "application/x-www-form-urlencoded")) {
      return Response::Plain(415, "a form is expected\n");
    }
    return std::nullopt;
  }

  struct Streaming {
    std::shared_ptr<EventStream> events;
    const std::atomic<bool>* stopping;
    std::string rest;
    Clock::time_point spoke = Clock::now();
  };

  static ssize_t NextPiece(void* cls, uint64_t, char* out, size_t max) {
    auto& s = *static_cast<Streaming*>(cls);
    while (s.rest.empty()) {
      if (*s.stopping || !s.events->Next(kTurn, s.rest)) return MHD_CONTENT_READER_END_OF_STREAM;
      if (s.rest.empty() && Clock::now() - s.spoke > kBreath) s.rest = ":\n\n";
    }
    s.spoke = Clock::now();
    const size_t n = std::min(max, s.rest.size());
    std::copy_n(s.rest.data(), n, out);
    base::Wipe(s.rest.data(), n);
    s.rest.erase(0, n);
    return static_cast<ssize_t>(n);
  }
  static void EndStreaming(void* cls) { delete static_cast<Streaming*>(cls); }
  static void WipeBody(void* cls) {
    auto* body = static_cast<std::string*>(cls);
    base::Wipe(*body);
    delete body;
  }

  MHD_Result Send(MHD_Connection* connection, Response& r) const {
    MHD_Response* raw = nullptr;
    if (r.events != nullptr) {
      raw = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, size_t{64} << 10, &NextPiece,
                                              new Streaming{r.events, &stopping_, "", Clock::now()},
                                              &EndStreaming);
      r.content_type = "text/event-stream";
    } else if (r.wipe) {
      auto* body = new std::string(std::move(r.body));
      raw =
          MHD_create_response_from_buffer_with_free_callback_cls(body->size(), body->data(), &WipeBody, body);
    } else {
      raw = MHD_create_response_from_buffer(r.body.size(), r.body.data(), MHD_RESPMEM_MUST_COPY);
    }
    if (raw == nullptr) return MHD_NO;
    const std::unique_ptr<MHD_Response, decltype(&MHD_destroy_response)> response(raw, MHD_destroy_response);
    for (const auto& [name, value] : kHeaders) MHD_add_response_header(raw, name, value);
    MHD_add_response_header(raw, "Content-Type", r.content_type.c_str());
    MHD_add_response_header(raw, "Cache-Control", r.etag.empty() ? "no-store" : "no-cache");
    if (!r.etag.empty()) MHD_add_response_header(raw, "ETag", absl::StrCat("\"", r.etag, "\"").c_str());
    if (absl::StartsWith(origin_, "https:")) {
      MHD_add_response_header(raw, "Strict-Transport-Security", "max-age=31536000");
    }
    for (const auto& [name, value] : r.headers) MHD_add_response_header(raw, name.c_str(), value.c_str());
    return MHD_queue_response(connection, static_cast<unsigned>(r.status), raw);
  }
  MHD_Result Send(MHD_Connection* connection, const Response& r) const {
    Response copy = r;
    return Send(connection, copy);
  }

  const HttpOptions options_;
  const Handler handler_;
  std::string origin_, host_;
  int port_ = 0;
  MHD_Daemon* daemon_ = nullptr;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::map<MHD_Connection*, Open> open_;
  std::thread cutter_;
};

HttpServer::HttpServer(std::unique_ptr<Daemon> daemon) : daemon_(std::move(daemon)) {}
HttpServer::~HttpServer() = default;
int HttpServer::port() const {
  return daemon_->port();
}
const std::string& HttpServer::origin() const {
  return daemon_->origin();
}

std::unique_ptr<HttpServer> HttpServer::Start(const HttpOptions& options, Handler handler,
                                              std::string& error) {
  // Somebody who hangs up while being answered is no reason to end.
  std::signal(SIGPIPE, SIG_IGN);
  const auto socket = audit::Listen(options.listen);
  if (!socket.ok()) {
    error = socket.error();
    return nullptr;
  }
  if (options.certificate_pem.empty() && !audit::IsLoopback(*socket)) {
    close(*socket);
    error = absl::StrCat("cannot serve ", options.listen,
                         " without TLS: other machines would be answered in the clear. Give a certificate "
                         "and a key, or listen on localhost");
    return nullptr;
  }
  auto daemon = std::make_unique<Daemon>(options, std::move(handler));
  if (!daemon->Start(*socket, error)) {
    close(*socket);
    return nullptr;
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(daemon)));
}

}  // namespace waarborg::station

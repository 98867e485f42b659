// SPDX-License-Identifier: EUPL-1.2
#include "server/witness/http_caller.h"

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace waarborg::witness {
namespace {

constexpr size_t kMaxAnswer = size_t{16} << 10;

struct Transfer {
  CURL* handle = nullptr;
  std::string body;  // of the answer
  bool complete = false;
};

size_t Take(char* data, size_t, size_t count, void* to) {
  auto* transfer = static_cast<Transfer*>(to);
  if (transfer->body.size() + count > kMaxAnswer) return 0;  // ends the transfer with an error
  transfer->body.append(data, count);
  return count;
}

class HttpCaller : public journal::WitnessCaller {
 public:
  HttpCaller() {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (multi_ = curl_multi_init()) == nullptr)
      std::abort();
    headers_ = curl_slist_append(nullptr, "Content-Type: text/plain; charset=utf-8");
    headers_ = curl_slist_append(headers_, "Expect:");
  }
  ~HttpCaller() override {
    curl_slist_free_all(headers_);
    curl_multi_cleanup(multi_);
  }
  HttpCaller(const HttpCaller&) = delete;
  HttpCaller& operator=(const HttpCaller&) = delete;

  std::vector<audit::WitnessAnswer> Call(const std::vector<Request>& requests,
                                         absl::Duration within) override {
    std::vector<Transfer> transfers(requests.size());
    for (size_t i = 0; i < requests.size(); ++i) Begin(requests[i], within, transfers[i]);
    const auto deadline = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(within);
    int running = 1;
    while (running > 0 && std::chrono::steady_clock::now() < deadline) {
      if (curl_multi_perform(multi_, &running) != CURLM_OK) break;
      if (running > 0) curl_multi_poll(multi_, nullptr, 0, 50, nullptr);
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      for (Transfer& t : transfers) {
        if (t.handle == message->easy_handle)
          t.complete = message->msg == CURLMSG_DONE && message->data.result == CURLE_OK;
      }
    }
    std::vector<audit::WitnessAnswer> answers;
    for (Transfer& t : transfers) answers.push_back(End(t));
    return answers;
  }

 private:
  void Begin(const Request& request, absl::Duration within, Transfer& t) {
    t.handle = curl_easy_init();
    if (t.handle == nullptr) std::abort();
    curl_easy_setopt(t.handle, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(t.handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(t.handle, CURLOPT_POST, 1L);
    curl_easy_setopt(t.handle, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(t.handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    curl_easy_setopt(t.handle, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(t.handle, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(within)));
    curl_easy_setopt(t.handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t.handle, CURLOPT_QUICK_EXIT, 1L);  // a slow name server keeps nobody waiting
    curl_easy_setopt(t.handle, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(t.handle, CURLOPT_WRITEFUNCTION, &Take);
    curl_easy_setopt(t.handle, CURLOPT_WRITEDATA, &t);
    curl_multi_add_handle(multi_, t.handle);
  }

  audit::WitnessAnswer End(Transfer& t) {
    audit::WitnessAnswer answer{0, "", ""};
    if (t.complete) {
      long status = 0;
      const char* type = nullptr;
      curl_easy_getinfo(t.handle, CURLINFO_RESPONSE_CODE, &status);
      curl_easy_getinfo(t.handle, CURLINFO_CONTENT_TYPE, &type);
      answer = {static_cast<int>(status), type == nullptr ? "" : type, std::move(t.body)};
    }
    curl_multi_remove_handle(multi_, t.handle);
    curl_easy_cleanup(t.handle);
    return answer;
  }

  CURLM* multi_ = nullptr;
  curl_slist* headers_ = nullptr;
};

}  // namespace

std::unique_ptr<journal::WitnessCaller> NewHttpCaller() {
  return std::make_unique<HttpCaller>();
}

}  // namespace waarborg::witness

// SPDX-License-Identifier: EUPL-1.2
#include "server/oidc/transport.h"

#include <curl/curl.h>

#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/config/config.h"

namespace waarborg::oidc {
namespace {

size_t Take(char* data, size_t, size_t count, void* to) {
  auto* body = static_cast<std::string*>(to);
  if (body->size() + count > Transport::kMaxAnswer) return 0;  // ends the transfer with an error
  body->append(data, count);
  return count;
}

class CurlTransport : public Transport {
 public:
  explicit CurlTransport(TlsOptions options) : options_(std::move(options)) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) std::abort();
  }

  absl::StatusOr<Answer> Get(const std::string& url, absl::Duration within) override {
    return Call(url, nullptr, within);
  }
  absl::StatusOr<Answer> Post(const std::string& url, const std::string& form,
                              absl::Duration within) override {
    return Call(url, &form, within);
  }

 private:
  absl::StatusOr<Answer> Call(const std::string& url, const std::string* form, absl::Duration within) const {
    if (!config::IsPrivateUrl(url)) return absl::UnavailableError("an address of the provider is not https");
    struct Release {
      void operator()(CURL* c) const { curl_easy_cleanup(c); }
      void operator()(curl_slist* l) const { curl_slist_free_all(l); }
    };
    std::unique_ptr<CURL, Release> handle(curl_easy_init());
    std::unique_ptr<curl_slist, Release> headers(curl_slist_append(nullptr, "Accept: application/json"));
    if (handle == nullptr || headers == nullptr) std::abort();
    CURL* c = handle.get();
    const bool local = url.starts_with("http://");
    Answer answer;
    curl_easy_setopt(c, CURLOPT_URL, url.c_str());
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, local ? "http" : "https");
    if (local) curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(within)));
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);  // a slow name server keeps nobody waiting
    curl_easy_setopt(c, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, &Take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &answer.body);
    if (!options_.ca_file.empty()) {
      curl_easy_setopt(c, CURLOPT_CAINFO, options_.ca_file.c_str());
      curl_easy_setopt(c, CURLOPT_CAPATH, nullptr);
    }
    if (!options_.certificate_pem.empty()) {
      // curl does not write to them; its type is older than const.
      curl_blob certificate{const_cast<char*>(options_.certificate_pem.data()),
                            options_.certificate_pem.size(), CURL_BLOB_NOCOPY};
      curl_blob key{const_cast<char*>(options_.key_pem.Reveal().data()), options_.key_pem.size(),
                    CURL_BLOB_NOCOPY};
      curl_easy_setopt(c, CURLOPT_SSLCERT_BLOB, &certificate);
      curl_easy_setopt(c, CURLOPT_SSLKEY_BLOB, &key);
    }
    if (form != nullptr) {
      curl_easy_setopt(c, CURLOPT_POST, 1L);
      curl_easy_setopt(c, CURLOPT_POSTFIELDS, form->data());
      curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, static_cast<long>(form->size()));
    }
    if (const CURLcode code = curl_easy_perform(c); code != CURLE_OK) {
      base::Wipe(answer.body);
      return absl::UnavailableError(absl::StrCat("the provider gave no answer: ", curl_easy_strerror(code)));
    }
    long status = 0;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    return answer;
  }

  const TlsOptions options_;
};

}  // namespace

std::unique_ptr<Transport> NewTransport(TlsOptions options) {
  return std::make_unique<CurlTransport>(std::move(options));
}

}  // namespace waarborg::oidc

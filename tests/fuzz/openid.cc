// SPDX-License-Identifier: EUPL-1.2
// What a provider of OpenID Connect says: key sets, ID tokens, claims, its description of itself, answers to
// a code. Nobody is signed in by anything but the one token that was signed. Input: one byte that chooses,
// then the text.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/oidc/json.h"
#include "server/oidc/sign_in.h"

namespace {

using namespace waarborg;  // NOLINT(google-build-using-namespace)

void Must(bool holds) {
  if (!holds) std::abort();
}

// A key whose private half was thrown away, and the one token that it signed (corpus: 1-token).
constexpr char kKeys[] =
    R"({"keys":[{"kty":"RSA","kid":"k1","use":"sig","e":"AQAB","n":"piwr4npZYczNc7ISpdmLSJtYXUVmZSfrkoXjPhrdSr5kgtpPQXF10gReGeBm5JrblaFCO5J927UuxbM7JQ5hfONoC4VGK_6ep3oZprpxZXhpnQeNRG4S9U6QYLhR07kIVhjExibGxsjPDBIph1Q7mX3k9OsS4iWtmTa1APr6a-_U73LhUD70RLdPuwoXx2d-lWODD3KOVHxnsyeP5il6c2TlaSWbjwZMnlOA6b8jEJZmC56zmEqSkWdjLmUg2bEcBwS0Nm5grPirvFDwdWJ-VYv32nTHRrvxS1iBIIwVwlSxJ2uZVLi0n68Uemk8WlqFcQUVOZb-BzFIWr1keviUtw"}]})";
constexpr char kClaims[] =
    R"({"iss":"https://i.example","sub":"receptie","aud":"waarborg","azp":"waarborg","nonce":"nonce-1","iat":1772438400,"exp":1772438700,"nbf":1772438400,"acr":"urn:hoog","groups":["balie","x"]})";
const absl::Time kNow = absl::FromUnixSeconds(1'772'438'400);

config::OpenIdConfig Config() {
  config::OpenIdConfig c;
  c.issuer = "https://i.example";
  c.client_id = "waarborg";
  c.account_claim = "sub";
  c.acr = {"urn:hoog"};
  c.roles = {{"groups", "balie", domain::Role::kDeskStaff}};
  return c;
}

// Says what the input says, whatever is asked; with `page` nothing but that page.
class Provider : public oidc::Transport {
 public:
  enum class Page { kDescription, kKeySet, kToken };
  Provider(Page page, std::string text) : page_(page), text_(std::move(text)) {}

  absl::StatusOr<Answer> Get(const std::string& url, absl::Duration) override {
    Must(config::IsPrivateUrl(url));
    const bool description = url == "https://i.example/.well-known/openid-configuration";
    if (description && page_ != Page::kDescription) {
      return Answer{200, R"({"issuer":"https://i.example","authorization_endpoint":"https://i.example/a",)"
                         R"("token_endpoint":"https://i.example/t","jwks_uri":"https://i.example/j"})"};
    }
    return Answer{200, description || page_ == Page::kKeySet ? text_ : kKeys};
  }
  absl::StatusOr<Answer> Post(const std::string& url, const std::string&, absl::Duration) override {
    Must(config::IsPrivateUrl(url));
    return Answer{200, page_ == Page::kToken ? text_ : R"({"id_token":"e30.e30.AAAA"})"};
  }

 private:
  Page page_;
  std::string text_;
};

void Redeem(Provider::Page page, const std::string& text) {
  static base::SystemRandom random;
  Provider provider(page, text);
  oidc::SignIn sign_in(Config(), std::nullopt, provider, random);
  const auto attempt = sign_in.attempts().Begin("s", "https://s.example/", random, kNow);
  const auto endpoint = sign_in.FindProvider(kNow);
  if (endpoint.ok()) Must(config::IsPrivateUrl(sign_in.AuthorizationUrl(*endpoint, *attempt)));
  // The nonce is new each time: nothing that was signed before fits.
  const auto claims = sign_in.Redeem(*attempt, "code", "", kNow);
  Must(absl::IsPermissionDenied(claims.status()) || absl::IsUnavailable(claims.status()));
}

void Token(const std::string& text) {
  static const auto keys = oidc::KeySet::Parse(kKeys);
  Must(keys.ok());
  const auto payload = oidc::VerifySignature(text, **keys);
  if (payload.ok()) Must(*payload == kClaims);
}

void CheckClaims(const std::string& text) {
  static const config::OpenIdConfig config = Config();
  const auto claims = oidc::CheckClaims(text, {&config, "nonce-1", kNow, "access"}, kNow);
  if (!claims.ok()) {
    Must(absl::IsPermissionDenied(claims.status()));
    return;
  }
  const auto json = oidc::Json::Parse(text);
  Must(json && json->Text("nonce") == "nonce-1" && json->Text("iss") == config.issuer &&
       json->Text("acr") == "urn:hoog" && json->Text("sub") == claims->account && !claims->account.empty());
  const int64_t now = absl::ToUnixSeconds(kNow);
  Must(*json->Whole("exp") > now - 31 && *json->Whole("iat") >= now - 30 && *json->Whole("iat") <= now + 30);
  Must(claims->roles && claims->roles->size() <= 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 6) {
    case 0:
      (void)oidc::KeySet::Parse(text);
      break;
    case 1:
      Token(text);
      break;
    case 2:
      CheckClaims(text);
      break;
    case 3:
      Redeem(Provider::Page::kDescription, text);
      break;
    case 4:
      Redeem(Provider::Page::kKeySet, text);
      break;
    default:
      Redeem(Provider::Page::kToken, text);
  }
  return 0;
}

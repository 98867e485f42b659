// SPDX-License-Identifier: EUPL-1.2
// Signing in with the municipality's own sign-in service (OpenID Connect). The station sends the browser
// there and passes on what it brings back; the core redeems and verifies it.
#include "absl/strings/str_cat.h"
#include "client/station/station.h"
#include "server/base/secret.h"
#include "waarborg/v1/sessions.grpc.pb.h"

namespace waarborg::station {
namespace {

using Stub = pb::SessionService::Stub;

// Binds an attempt to the browser that began it. Lax: the browser comes back from another site.
constexpr char kStateCookie[] = "__Host-openid";

std::string StateCookie(const std::string& state) {
  return absl::StrCat(kStateCookie, "=", state,
                      "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=", state.empty() ? 0 : 600);
}

std::string Query(const Visit& v, const std::string& name) {
  const auto it = v.request.query.find(name);
  return it == v.request.query.end() ? "" : it->second;
}

Response Begin(Visit& v) {
  pb::BeginOpenIdRequest request;
  request.set_redirect_uri(v.station.origin() + "/openid");
  pb::BeginOpenIdResponse response;
  const client::Error error = v.AskAsStation<pb::SessionService>(&Stub::BeginOpenId, request, &response);
  if (!error.ok()) {
    v.Problem(error);
    return SignInPage(v);
  }
  Response out = Response::Redirect(response.authorization_url());
  // Who comes back from another site brings no strict cookie along: whoever sits here could not be told to go
  // then, so they go now.
  if (v.seat != nullptr) SignOff(v, out);
  out.headers.emplace_back("Set-Cookie", StateCookie(response.state()));
  return out;
}

Response Return(Visit& v) {
  const auto cookie = v.request.cookies.find(kStateCookie);
  const std::string state = Query(v, "state");
  if (cookie == v.request.cookies.end() || state.empty() ||
      !base::ConstantTimeEquals(cookie->second, state)) {
    v.Problem(v.Say("Dit aanmelden is niet in deze browser begonnen, of het is te lang geleden."),
              v.Say("Begin opnieuw met aanmelden."));
    return SignInPage(v);
  }
  if (!Query(v, "error").empty()) {
    v.Problem(v.Say("De aanmelddienst van de gemeente heeft u niet aangemeld."),
              v.Say("Probeer het opnieuw, of meld u aan met wachtwoord en code."));
    Response out = SignInPage(v);
    out.headers.emplace_back("Set-Cookie", StateCookie(""));
    return out;
  }
  pb::OpenSessionRequest request;
  auto* answer = request.mutable_openid();
  answer->set_state(state);
  answer->set_code(Query(v, "code"));
  answer->set_iss(Query(v, "iss"));
  Response out = SignedIn(v, std::move(request));
  out.headers.emplace_back("Set-Cookie", StateCookie(""));
  return out;
}

constexpr Route kRoutes[] = {
    {"GET", "/sign-in/openid", Who::kAnybody, &Begin},
    {"GET", "/openid", Who::kAnybody, &Return},
};

}  // namespace

std::span<const Route> OpenIdRoutes() {
  return kRoutes;
}

}  // namespace waarborg::station

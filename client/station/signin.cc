// SPDX-License-Identifier: EUPL-1.2
// Signing in, changing of person, enrolling, signing out; and the language.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/station/forms.h"
#include "client/station/live.h"
#include "client/station/signin_keys.h"
#include "client/station/station.h"
#include "server/base/secret.h"
#include "waarborg/v1/sessions.grpc.pb.h"

namespace waarborg::station {
namespace {

using Stub = pb::SessionService::Stub;

// Where somebody begins: the first of the navigation that is theirs.
std::string HomeOf(const pb::Session& session) {
  const auto has = [&](pb::Role role) {
    return std::find(session.roles().begin(), session.roles().end(), role) != session.roles().end();
  };
  if (has(pb::ROLE_DESK_STAFF)) return "/desk";
  if (has(pb::ROLE_AUDITOR) || has(pb::ROLE_DATA_PROTECTION_OFFICER)) return "/log";
  if (has(pb::ROLE_HR)) return "/figures";
  return "/tasks";
}

Response Home(Visit& v) {
  return Response::Redirect(v.seat == nullptr ? "/sign-in" : HomeOf(v.seat->session));
}

// ---- Name, password and code.

FieldOptions Plain(int length, const char* autocomplete) {
  FieldOptions o;
  o.max_length = length;
  o.autocomplete = autocomplete;
  return o;
}

Response SignIn(Visit& v) {
  pb::OpenSessionRequest request;
  request.set_login(v.Field("login"));
  request.set_password(v.request.Field("password"));
  request.set_code(v.Field("code"));
  return SignedIn(v, std::move(request));
}

// A change of person: the page of who sits here goes dark first; the session ends when the next person has
// signed in.
Response Switch(Visit&) {
  return Response::Redirect("/sign-in");
}

Response SignOut(Visit& v) {
  Response out = Response::Redirect("/sign-in");
  SignOff(v, out);
  return out;
}

// Somebody is typing: the session is in use although no page is asked for.
Response StayAwake(Visit& v) {
  pb::GetSessionResponse response;
  const auto error = v.Ask<pb::SessionService>(&Stub::GetSession, pb::GetSessionRequest(), &response);
  return Response::Plain(error.ok() ? 200 : 503, "");
}

// ---- The first time: both halves of the code.

Response ShowEnrolment(Visit& v) {
  View view;
  FieldOptions password = Plain(256, "new-password");
  password.type = "password";
  FieldOptions again = password;
  password.hint = v.Say("Ten minste 12 tekens; een zin is het makkelijkst te onthouden.");
  view.Set("login", TextField(v, "login", v.Say("Naam"), Plain(40, "username")));
  FieldOptions first = Plain(20, "off"), second = Plain(20, "off");
  first.hint = v.Say("Van wie uw account voorstelde");
  second.hint = v.Say("Van wie het bevestigde");
  view.Set("first", TextField(v, "first_half", v.Say("Eerste helft van de code"), first));
  view.Set("second", TextField(v, "second_half", v.Say("Tweede helft van de code"), second));
  view.Set("password", TextField(v, "password", v.Say("Nieuw wachtwoord"), password));
  view.Set("password2", TextField(v, "password2", v.Say("Hetzelfde wachtwoord nog eens"), again));
  return v.Page("enrol", v.Say("Account in gebruik nemen"), std::move(view));
}

Response Enrol(Visit& v) {
  if (v.request.Field("password") != v.request.Field("password2")) {
    v.Fault(
        "password",
        v.Say("De twee wachtwoorden zijn niet gelijk. Typ het wachtwoord nog eens, twee keer hetzelfde."));
    return ShowEnrolment(v);
  }
  pb::CompleteEnrolmentRequest request;
  request.set_login(v.Field("login"));
  request.set_first_half(v.Field("first_half"));
  request.set_second_half(v.Field("second_half"));
  request.set_password(v.request.Field("password"));
  pb::CompleteEnrolmentResponse response;
  const auto error = v.AskAsStation<pb::SessionService>(&Stub::CompleteEnrolment, request, &response);
  base::Wipe(*request.mutable_password());
  if (!error.ok()) {
    v.Problem(error);
    return ShowEnrolment(v);
  }
  View view;
  const std::string& uri = response.otpauth_uri();
  const size_t at = uri.find("secret=");
  if (at != std::string::npos) {
    // In fours, for who types it over; codeapps take the blanks.
    std::string secret = uri.substr(at + 7, uri.find('&', at) - at - 7);
    for (size_t i = secret.size() / 4 * 4; i > 0; i -= 4) {
      if (i < secret.size()) secret.insert(i, " ");
    }
    view.Set("secret", secret);
  }
  return v.Page("enrolled", v.Say("Account in gebruik genomen"), std::move(view));
}

// ---- The language of the pages, in a cookie of this browser.

Response SetLanguage(Visit& v) {
  const std::string to = v.Field("back");
  // Back to where it was asked, on this station only.
  Response out = Response::Redirect(absl::StartsWith(to, "/") && !absl::StartsWith(to, "//") &&
                                            to.find('\\') == std::string::npos &&
                                            to.find_first_of("\r\n") == std::string::npos
                                        ? to
                                        : "/");
  out.headers.emplace_back("Set-Cookie",
                           Cookie(Station::kLanguageCookie, v.Field("language") == "en" ? "en" : "nl"));
  return out;
}

Response Events(Visit& v) {
  Response out;
  out.events = Watch(v, v.Has(pb::ROLE_DESK_STAFF));
  return out;
}

constexpr Route kRoutes[] = {
    {"GET", "/", Who::kAnybody, &Home},
    {"GET", "/sign-in", Who::kAnybody, &SignInPage},
    {"POST", "/sign-in", Who::kAnybody, &SignIn},
    {"POST", "/switch", Who::kSignedIn, &Switch},
    {"POST", "/sign-out", Who::kSignedIn, &SignOut},
    {"POST", "/awake", Who::kSignedIn, &StayAwake},
    {"GET", "/enrol", Who::kAnybody, &ShowEnrolment},
    {"POST", "/enrol", Who::kAnybody, &Enrol},
    {"POST", "/language", Who::kAnybody, &SetLanguage},
    {"GET", "/live", Who::kSignedIn, &Events},
};

}  // namespace

void SignOff(Visit& v, Response& response) {
  pb::CloseSessionResponse closed;
  try {
    (void)v.Ask<pb::SessionService>(&Stub::CloseSession, pb::CloseSessionRequest(), &closed,
                                    std::chrono::seconds(3));
  } catch (const SessionEnded&) {
  }
  v.station.StandUp(v, response);
}

Response SignInPage(Visit& v) {
  View view;
  const bool ended = v.request.query.contains("ended") && v.seat == nullptr;
  view.Set("ended", ended && !v.has_problem());
  FieldOptions login = Plain(40, "username"), password = Plain(256, "current-password"),
               code = Plain(6, "one-time-code");
  login.autofocus = true;
  password.type = "password";
  // Who signed in here a moment ago needs the code only.
  password.optional = true;
  password.hint = v.Say("Meldde u zich hier kort geleden aan, dan is de code genoeg.");
  code.code = true;
  code.inputmode = "numeric";
  code.hint = v.Say("Zes cijfers uit uw codeapp");
  view.Set("login", TextField(v, "login", v.Say("Naam"), login));
  view.Set("password", TextField(v, "password", v.Say("Wachtwoord"), password));
  view.Set("code", TextField(v, "code", v.Say("Code"), code));
  const StationOptions& options = v.station.options();
  view.Set("can_key", options.security_keys)
      .Set("refusals", KeySignInRefusals(v))
      .Set("openid", options.openid)
      .Set("other_ways", options.security_keys || !options.openid.empty());
  view.Set("resume", v.seat != nullptr);
  if (v.seat != nullptr) view.Set("present", v.seat->session.display_name());
  return v.Page("signin", v.Say("Aanmelden"), std::move(view));
}

Response SignedIn(Visit& v, pb::OpenSessionRequest request) {
  // A change of person: who sat here until now goes in the same step.
  if (v.seat != nullptr) request.set_replaces(v.seat->connection.token());
  pb::OpenSessionResponse response;
  const client::Error error = v.AskAsStation<pb::SessionService>(&Stub::OpenSession, request, &response);
  base::Wipe(*request.mutable_password());
  if (!error.ok()) {
    // Name, password and code were not asked for; the core says of no way of signing in what exactly was
    // wrong.
    const bool failed = error.rule() == "sign-in-failed";
    if (failed && request.has_security_key()) {
      v.Problem(
          v.Say("Met deze sleutel kunt u zich hier niet aanmelden."),
          v.Say("Hij is niet bevestigd, of verwijderd, of niet voor deze werkplek. Meld u aan met wachtwoord "
                "en code, en kijk bij Beveiligingssleutels."));
    } else if (failed && request.has_openid()) {
      v.Problem(
          v.Say("Met dit werkaccount kunt u zich hier nu niet aanmelden."),
          v.Say("Probeer het opnieuw, of meld u aan met wachtwoord en code. Lukt het niet, vraag dan de "
                "beheerder of uw account hier in gebruik is."));
    } else {
      v.Problem(error);
    }
    return SignInPage(v);
  }
  // Not a redirect: who comes back from another site brings no strict cookie along until a page of our own
  // sends them on.
  const std::string home = HomeOf(response.session());
  Response out = Response::Redirect(home);
  if (v.request.method != "POST") {
    // A page of nobody: the session of who sat here is over.
    Visit alone(v.station, v.request, v.words, nullptr);
    out = alone.Page("signed_in", v.Say("Aangemeld"), std::move(View().Set("path", home)));
    out.headers.emplace_back("Refresh", "0; url=" + home);
  }
  if (v.seat != nullptr) {
    Response gone;
    v.station.StandUp(v, gone);
  }
  v.station.SitDown(out, v.station.connection().WithToken(response.token()), response.session());
  base::Wipe(*response.mutable_token());
  return out;
}

std::span<const Route> SignInRoutes() {
  return kRoutes;
}

}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
// Security keys (WebAuthn): signing in with one, and keeping one's own. The station passes bytes between the
// browser and the core, which verifies them. A key cannot be used without script; everything else can.
#include "client/station/signin_keys.h"

#include "absl/strings/escaping.h"
#include "client/station/forms.h"
#include "client/station/station.h"
#include "waarborg/v1/security_keys.grpc.pb.h"

namespace waarborg::station {
namespace {

using Service = pb::SecurityKeyService;
using Stub = Service::Stub;

std::string Text(const std::string& bytes) {
  return absl::WebSafeBase64Escape(bytes);
}

// A field that the script filled with bytes; empty when it is none.
std::string Bytes(const Visit& v, const std::string& name) {
  std::string out;
  return absl::WebSafeBase64Unescape(v.Field(name), &out) ? out : "";
}

// ---- What the browser or the key refuses, in words.

struct Refused {
  const char* name;  // of the DOMException; "" for every other
  const char* what;
  const char* next;
};

constexpr Refused kUseRefused[] = {
    {"SecurityError", T("Beveiligingssleutels werken niet op het adres van deze werkplek."),
     T("Meld u aan met wachtwoord en code, en zeg het de beheerder.")},
    {"NotAllowedError", T("Er is geen sleutel gebruikt."),
     T("Het is afgebroken of duurde te lang, er was geen sleutel die hier is aangemeld, of de pincode of "
       "vinger ontbrak. Probeer het opnieuw, of meld u aan met wachtwoord en code.")},
    {"", T("De sleutel is niet gebruikt."), T("Probeer het opnieuw, of meld u aan met wachtwoord en code.")},
};

constexpr Refused kMakeRefused[] = {
    {"SecurityError", T("Beveiligingssleutels werken niet op het adres van deze werkplek."),
     T("Zeg het de beheerder.")},
    {"InvalidStateError", T("Deze sleutel is al aangemeld voor uw account."),
     T("Gebruik een andere sleutel.")},
    {"NotAllowedError", T("Er is geen sleutel gemaakt."),
     T("Het is afgebroken of duurde te lang, of de sleutel vraagt niet om een pincode of vinger. Probeer het "
       "opnieuw met een nieuwe code.")},
    {"", T("Er is geen sleutel gemaakt."),
     T("Probeer het opnieuw met een nieuwe code, of met een andere sleutel.")},
};

std::vector<View> InWords(const Visit& v, std::span<const Refused> table) {
  std::vector<View> out;
  for (const Refused& r : table) {
    View one;
    one.Set("name", r.name)
        .Set("problem_what", v.Say(r.what))
        .Set("problem_next", v.Say(r.next))
        .Set("errors", false);
    out.push_back(std::move(one));
  }
  return out;
}

// ---- Signing in.

Response BeginSignIn(Visit& v) {
  pb::BeginSignInResponse response;
  const client::Error error =
      v.AskAsStation<Service>(&Stub::BeginSignIn, pb::BeginSignInRequest(), &response);
  View view;
  if (error.ok()) {
    view.Set("challenge", Text(response.challenge()))
        .Set("rp_id", response.rp_id())
        .Set("timeout", response.timeout_ms());
  } else {
    v.Problem(error);
  }
  return v.Fragment("key_challenge", std::move(view));
}

Response SignInWithKey(Visit& v) {
  pb::OpenSessionRequest request;
  auto* key = request.mutable_security_key();
  key->set_credential_id(Bytes(v, "credential_id"));
  key->set_authenticator_data(Bytes(v, "authenticator_data"));
  key->set_client_data_json(Bytes(v, "client_data_json"));
  key->set_signature(Bytes(v, "signature"));
  key->set_user_handle(Bytes(v, "user_handle"));
  return SignedIn(v, std::move(request));
}

// ---- One's own keys.

Response ShowKeys(Visit& v) {
  View view;
  pb::ListSecurityKeysResponse response;
  if (const auto error = v.Ask<Service>(&Stub::ListSecurityKeys, pb::ListSecurityKeysRequest(), &response);
      !error.ok()) {
    if (!v.has_problem()) v.Problem(error);
    return v.Page("keys", v.Say("Beveiligingssleutels"), std::move(view));
  }
  std::vector<View> keys;
  for (const auto& key : response.keys()) {
    View one;
    one.Set("id", key.id())
        .Set("label", key.label())
        .Set("added", v.words.Moment(key.added_at()))
        .Set("confirmed", key.confirmed());
    keys.push_back(std::move(one));
  }
  view.Set("keys", keys).Set("can_add", true).Set("refusals", InWords(v, kMakeRefused));
  FieldOptions code, label;
  code.code = true;
  code.max_length = 6;
  code.inputmode = "numeric";
  code.autocomplete = "one-time-code";
  code.hint = v.Say("Zes cijfers uit uw codeapp");
  label.max_length = 40;
  label.hint = v.Say("Bijvoorbeeld: sleutelbos");
  view.Set("label", TextField(v, "label", v.Say("Hoe u de sleutel noemt"), label));
  view.Set("code", TextField(v, "code", v.Say("Code"), code));
  return v.Page("keys", v.Say("Beveiligingssleutels"), std::move(view));
}

Response BeginKey(Visit& v) {
  pb::BeginSecurityKeyRequest request;
  request.set_code(v.Field("code"));
  pb::BeginSecurityKeyResponse response;
  const auto error = v.Ask<Service>(&Stub::BeginSecurityKey, request, &response);
  View view;
  if (!error.ok()) {
    v.Problem(error);
    return v.Fragment("key_challenge", std::move(view));
  }
  view.Set("challenge", Text(response.challenge()))
      .Set("rp_id", response.rp_id())
      .Set("timeout", response.timeout_ms());
  view.Set("rp_name", response.rp_name())
      .Set("user_handle", Text(response.user_handle()))
      .Set("user_name", response.user_name());
  view.Set("user_display_name", response.user_display_name());
  std::string exclude, algorithms;
  for (const std::string& id : response.exclude_credential_ids())
    absl::StrAppend(&exclude, exclude.empty() ? "" : " ", Text(id));
  for (int algorithm : response.algorithms())
    absl::StrAppend(&algorithms, algorithms.empty() ? "" : " ", algorithm);
  view.Set("exclude", exclude).Set("algorithms", algorithms);
  return v.Fragment("key_challenge", std::move(view));
}

Response AddKey(Visit& v) {
  pb::AddSecurityKeyRequest request;
  request.set_attestation_object(Bytes(v, "attestation_object"));
  request.set_client_data_json(Bytes(v, "client_data_json"));
  request.set_label(v.Field("label"));
  if (auto error = v.Tell<Service>(&Stub::AddSecurityKey, request); !error.ok()) {
    // What the browser made stands in no field that anybody can mend.
    if (error.detail.field() != "label") error.detail.clear_field();
    v.Problem(error);
    return ShowKeys(v);
  }
  return v.Done("/keys", v.Say("De sleutel is aangemeld. Hij werkt zodra een tweede persoon dat bevestigt."));
}

Response RemoveKey(Visit& v) {
  pb::RemoveSecurityKeyRequest request;
  request.set_key_id(v.Field("key_id"));
  if (const auto error = v.Tell<Service>(&Stub::RemoveSecurityKey, request); !error.ok()) {
    v.Problem(error);
    return ShowKeys(v);
  }
  return v.Done("/keys", v.Say("De sleutel is verwijderd."));
}

constexpr Route kRoutes[] = {
    {"POST", "/sign-in/key/begin", Who::kAnybody, &BeginSignIn},
    {"POST", "/sign-in/key", Who::kAnybody, &SignInWithKey},
    {"GET", "/keys", Who::kSignedIn, &ShowKeys},
    {"POST", "/keys/begin", Who::kSignedIn, &BeginKey},
    {"POST", "/keys/add", Who::kSignedIn, &AddKey},
    {"POST", "/keys/remove", Who::kSignedIn, &RemoveKey},
};

}  // namespace

std::vector<View> KeySignInRefusals(const Visit& v) {
  return InWords(v, kUseRefused);
}

std::span<const Route> SecurityKeyRoutes() {
  return kRoutes;
}

}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/rpc/core.h"
#include "waarborg/v1/sessions.pb.h"

// What the ways of signing in share.
namespace waarborg::rpc {

// Counts one more attempt of this station; refused when it makes more than a busy desk would.
domain::Verdict CountAttempt(Context& c);

// Failed attempts slow down this name on this station only, so that nobody can lock out a building.
domain::Verdict CheckThrottle(Context& c, const std::string& login);
domain::Refusal NoteFailure(Context& c, const std::string& login, domain::Rule rule);

// One of the few attempts of a station that are looked into at a time; free again when the last copy goes.
using Slot = std::shared_ptr<void>;

// Counts the attempt; refused when the station has made too many in this minute, or has as many under way as
// it may. Those whose `kind` differs do not wait for each other.
domain::Outcome<Slot> TakeSlot(Context& c, const std::string& kind = "");

// How somebody proved who they are, and what follows from it.
struct SignedIn {
  pb::SignInMeans means = pb::SIGN_IN_MEANS_UNSPECIFIED;
  bool full = false;  // they may come back with a code only, for a while
  std::optional<std::vector<domain::Role>> only_roles = std::nullopt;  // see state::Session
};

// Opens the session of a person who proved who they are, in place of the one in `replaces`, and notes it in
// the entry. `person` is in the world.
void GiveSession(Context& c, const domain::Person& person, const SignedIn& how, const std::string& replaces,
                 pb::OpenSessionResponse& out);

// Signs in with a security key (security_keys.cc).
domain::Verdict OpenWithSecurityKey(Context& c, const access::RelyingParty& party,
                                    const pb::OpenSessionRequest& in, pb::OpenSessionResponse& out);
// Turns down what the account has proposed of security keys: they were to be keys of the account as it was.
void RejectOpenSecurityKeys(Context& c, const std::string& person_id);

// Signing in with OpenID Connect (openid.cc).
void BeginOpenId(Core& core, const access::Credentials& credentials, const pb::BeginOpenIdRequest& in,
                 pb::BeginOpenIdResponse* out, const Done& done);
void OpenSessionByOpenId(Core& core, const access::Credentials& credentials, const pb::OpenSessionRequest& in,
                         pb::OpenSessionResponse* out, const Done& done);

}  // namespace waarborg::rpc

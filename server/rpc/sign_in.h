// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>

#include "server/rpc/core.h"
#include "waarborg/v1/sessions.pb.h"

// What the ways of signing in share (sessions.cc).
namespace waarborg::rpc {

// Counts one more attempt of this station; refused when it makes more than a busy desk would.
domain::Verdict CountAttempt(Context& c);

// Failed attempts slow down this name on this station only, so that nobody can lock out a building.
domain::Verdict CheckThrottle(Context& c, const std::string& login);
domain::Refusal NoteFailure(Context& c, const std::string& login, domain::Rule rule);

// Opens the session of a person who has proved who they are, stages `person` (which carries what the proof
// used up), and ends the session that it takes the place of. `full` unless they came back with a code only.
void Enter(Context& c, domain::Person person, bool full, const std::string& replaces,
           pb::OpenSessionResponse& out);

// Signs in with a security key (security_keys.cc).
domain::Verdict OpenWithSecurityKey(Context& c, const access::RelyingParty& party,
                                    const pb::OpenSessionRequest& in, pb::OpenSessionResponse& out);

// Turns down what the account has proposed of security keys: they were to be keys of the account as it was.
void RejectOpenSecurityKeys(Context& c, const std::string& person_id);

}  // namespace waarborg::rpc

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/access/policy.h"
#include "server/domain/rules.h"
#include "server/state/world.h"

namespace waarborg::access {

// What a call brings along, taken from the connection and its metadata. Nothing of it is believed without a
// look-up.
struct Credentials {
  std::string key_fingerprint;  // SHA-256 of the public key of the client certificate, hexadecimal
  std::string session_token;    // as sent, may be empty
};

// Who is asking: what of the credentials turned out to be known. Pointers are into the world and live as long
// as the turn.
struct Asker {
  const domain::Station* station = nullptr;
  const domain::Person* person = nullptr;
  std::string session_digest;
  // Of the session; see state::Session.
  std::optional<std::vector<domain::Role>> only_roles = std::nullopt;

  // Roles in force on this day in this session, deputyships included; none when nobody is signed in.
  std::vector<domain::HeldRole> RolesOn(absl::CivilDay day) const;
};
// Of these roles the ones that a session lets through.
std::vector<domain::HeldRole> LetThrough(std::vector<domain::HeldRole> held,
                                         const std::optional<std::vector<domain::Role>>& only);

// What a call is about, as far as the conditions of its rows need to know.
struct Subject {
  const domain::Ban* ban = nullptr;
  const domain::Change* change = nullptr;
  bool purpose_stated = false;
  std::string unit_id = "";  // of the request, where it names one
};

// A right that was found: the role under which a call is allowed.
struct Grant {
  domain::HeldRole role;
  const Row* row = nullptr;
};

// Looks the credentials up and checks that they fit each other: the session is open, belongs to this very
// station, and its person works today. Fills `asker` as far as known, also when it refuses, so that the
// refusal can be logged with what is known.
domain::Verdict Recognise(const state::World& world, const Credentials& credentials, Caller needed,
                          absl::Time now, Asker& asker);
// The same for a call: ends a session that is over, and with `is_use` touches the idle time of one that is
// not.
domain::Verdict Identify(state::World& world, const Credentials& credentials, Caller needed, bool is_use,
                         absl::Time now, Asker& asker);

// The rows that the asker's roles open for this call; refused with role-not-allowed when there are none.
domain::Outcome<std::vector<Grant>> GrantsFor(Rpc rpc, const Asker& asker, absl::CivilDay today);

// The first grant of which every condition holds for the subject, or the refusal of the first grant.
domain::Outcome<Grant> CheckConditions(const state::World& world, const std::vector<Grant>& grants,
                                       const Asker& asker, const Subject& subject, absl::Time now);

// Digest under which a session token is known.
std::string DigestOfToken(const std::string& token);

}  // namespace waarborg::access

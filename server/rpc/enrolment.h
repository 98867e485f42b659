// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>

#include "server/base/random.h"
#include "server/rpc/core.h"

// An enrolment code has two halves, each held by one of the two people who made the account, so that neither
// can take it over alone. The core keeps digests only.
namespace waarborg::rpc {

// "ABCDE-FGHJK", 50 random bits.
std::string NewHalf(base::Random& random);
std::string FirstHalfDigest(const std::string& first_half);
std::string EnrolmentDigest(const std::string& first_half_digest, const std::string& second_half);

// Ends the sessions of a person, and their right to come back with a code only.
void EndSessionsOf(Context& c, const std::string& person_id);

}  // namespace waarborg::rpc

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "server/domain/ban.h"
#include "server/domain/types.h"

namespace waarborg::domain {

// What a file has to do with a person who asks.
enum class About {
  kOthers,         // nothing
  kPerson,         // it is about a person of exactly this name and date of birth
  kCorrectedAway,  // it said so before it was corrected, and is about somebody else
};

// For who asks what is held about them: the names in full, one of the file's, with the date of birth as it
// stands there. Nothing near counts, for the answer must not tell one person about another.
About LookUp(const Ban& ban, const PersonName& name, const BirthDate& birth_date);

}  // namespace waarborg::domain

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <string_view>

#include "server/domain/rules.h"
#include "server/domain/types.h"

namespace waarborg::domain {

// What a check needs of a machine-readable zone (ICAO 9303 part 3). The document number is not kept, and the
// optional-data field is never read: on Dutch documents issued before August 2021 it holds the BSN (UAVG art.
// 46); for the same reason the composite check digit, which covers that field, is not computed.
struct MrzName {
  std::string surname;      // primary identifier, prefix included, "DE BRUIJN"
  std::string given_names;  // secondary identifier, "JAN PIETER"; may be empty
  bool truncated = false;   // the name filled its field: names may be cut off or missing
  BirthDate birth_date;     // unknown parts 0
};

// Reads TD1 (3 x 30) or TD3 (2 x 44) as a keyboard scanner types it: lines apart or run together, lower case,
// spaces around. `today_year` decides the century: nobody is born in the future. Refuses TD2 and visas as not
// supported and explains the Dutch driving licence, whose line holds neither name nor date.
Outcome<MrzName> ParseMrz(std::string_view text, int today_year);

}  // namespace waarborg::domain

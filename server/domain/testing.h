// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "server/domain/municipality.h"

namespace waarborg::domain {

// A small municipality for unit tests.
inline Municipality TestMunicipality() {
  Municipality m;
  m.name = "Waterdam";
  for (const char* id : {"gemeentehuis", "sporthal", "zwembad"}) {
    Location l;
    l.id = l.name = id;
    m.locations.push_back(l);
  }
  Location third;
  third.id = third.name = "derde";
  third.run_by = Operator::kThirdParty;
  m.locations.push_back(third);
  m.units = {{"receptie", "Receptie", true}, {"milieustraat", "Milieustraat", false}};
  m.grounds = {{"verbaal", "", Measure::kTimeOut, GuidelineScope::kIncidentLocation,
                Role::kMunicipalSecretary, false, 3, 6, 6, 12},
               {"fysiek-medewerker", "", Measure::kAccessBan, GuidelineScope::kSeveral,
                Role::kBoardSecretariat, true, 3, 6, 6, 12}};
  m.criteria = {{"noodzaak", ""}, {"evenredig", ""}};
  return m;
}

}  // namespace waarborg::domain

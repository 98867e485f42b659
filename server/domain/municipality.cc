// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/municipality.h"

#include <algorithm>

namespace waarborg::domain {

bool Municipality::Covers(const Scope& scope, const std::string& location_id) const {
  if (scope.all_municipal) {
    const Location* location = FindLocation(location_id);
    return location != nullptr && location->municipal &&
           (location->run_by != Operator::kThirdParty || !location->sharing_basis.empty());
  }
  return std::find(scope.location_ids.begin(), scope.location_ids.end(), location_id) != scope.location_ids.end();
}

}  // namespace waarborg::domain

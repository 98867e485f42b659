// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/municipality.h"

#include <algorithm>

namespace waarborg::domain {

bool Municipality::Serves(const std::string& location_id) const {
  const Location* location = FindLocation(location_id);
  return location != nullptr &&
         (location->run_by != Operator::kThirdParty || !location->sharing_basis.empty());
}

bool Municipality::Covers(const Scope& scope, const std::string& location_id) const {
  if (!Serves(location_id)) return false;
  if (scope.all_municipal) return FindLocation(location_id)->municipal;
  return std::find(scope.location_ids.begin(), scope.location_ids.end(), location_id) !=
         scope.location_ids.end();
}

}  // namespace waarborg::domain

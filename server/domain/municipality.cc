// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/municipality.h"

#include <algorithm>

#include "server/base/clock.h"

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

bool Municipality::IsOpen(const std::string& location_id, absl::Time at) const {
  const Location* location = FindLocation(location_id);
  if (location == nullptr || location->opens.empty()) return true;
  const absl::CivilSecond local = absl::ToCivilSecond(at, base::Amsterdam());
  const absl::Weekday day = absl::GetWeekday(local);
  const int minute = local.hour() * 60 + local.minute();
  return std::any_of(location->opens.begin(), location->opens.end(), [&](const OpeningHours& h) {
    return day >= h.first_day && day <= h.last_day && minute >= h.from_minute && minute < h.until_minute;
  });
}

}  // namespace waarborg::domain

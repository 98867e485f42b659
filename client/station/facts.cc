// SPDX-License-Identifier: EUPL-1.2
#include "client/station/facts.h"

namespace waarborg::station {

std::string LocationName(Visit& v, const std::string& id) {
  return NameIn(v.choices().locations(), id);
}

std::string UnitName(Visit& v, const std::string& id) {
  return NameIn(v.choices().units(), id);
}

std::string ScopeText(Visit& v, const pb::Scope& scope) {
  if (scope.all_municipal()) return v.Say("alle gemeentelijke locaties");
  return Names(v, scope.location_ids(), LocationName);
}

FactList& FactList::Add(const std::string& label, const std::string& value, bool personal) {
  if (!value.empty()) {
    View fact;
    facts_.push_back(fact.Set("label", label).Set("value", value).Set("private", personal));
  }
  return *this;
}

}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "client/station/page.h"
#include "waarborg/v1/bans.pb.h"

// Words for ids, and lists of facts, as every group of pages shows them.
namespace waarborg::station {

// The name of what has this id in a list of Choices; the id itself where the configuration cannot be asked.
template <class List>
std::string NameIn(const List& list, const std::string& id) {
  for (const auto& one : list) {
    if (one.id() == id) return one.name();
  }
  return id;
}

std::string LocationName(Visit& v, const std::string& id);
std::string UnitName(Visit& v, const std::string& id);
// "Receptie en bodes, Beheer sporthal"; `name` is LocationName or UnitName.
template <class Ids>
std::string Names(Visit& v, const Ids& ids, std::string (*name)(Visit&, const std::string&)) {
  std::vector<std::string> out;
  for (const std::string& id : ids) out.push_back(name(v, id));
  return absl::StrJoin(out, ", ");
}
// "alle gemeentelijke locaties", or the names.
std::string ScopeText(Visit& v, const pb::Scope& scope);

// A list of facts, for facts.mustache. What is empty is left out.
class FactList {
 public:
  FactList& Add(const std::string& label, const std::string& value, bool personal = false);
  bool empty() const { return facts_.empty(); }
  const std::vector<View>& views() const { return facts_; }

 private:
  std::vector<View> facts_;
};

}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/subject.h"

#include <algorithm>

#include "server/domain/names.h"

namespace waarborg::domain {
namespace {

bool IsExactly(const Identity& identity, const PersonName& asked, const BirthDate& birth_date) {
  if (identity.birth_date != birth_date) return false;
  const auto is = [&asked](PersonName known) {
    PersonName name = asked;
    // Some people have one name. What is equal here is the same, also where it is empty or a part of the date
    // is unknown; at a desk that would be no more than possible.
    if (name.given_names.empty() && known.given_names.empty()) name.given_names = known.given_names = "x";
    constexpr BirthDate kSame{2000, 1, 1};
    return Compare({FoldName(name), kSame}, {FoldName(known), kSame, true}) == Grade::kExact;
  };
  return is(identity.name) ||
         std::any_of(identity.other_names.begin(), identity.other_names.end(), [&](PersonName other) {
           if (other.given_names.empty()) other.given_names = identity.name.given_names;
           return is(other);
         });
}

}  // namespace

About LookUp(const Ban& ban, const PersonName& name, const BirthDate& birth_date) {
  if (name.surname.empty() || !birth_date.known()) return About::kOthers;
  if (IsExactly(ban.identity, name, birth_date)) return About::kPerson;
  const bool once = std::any_of(ban.corrections.begin(), ban.corrections.end(),
                                [&](const Correction& c) { return IsExactly(c.previous, name, birth_date); });
  return once ? About::kCorrectedAway : About::kOthers;
}

}  // namespace waarborg::domain

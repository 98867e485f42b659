// SPDX-License-Identifier: EUPL-1.2
#include "server/rpc/views.h"

#include "server/state/codec.h"

namespace waarborg::rpc {

namespace pb = waarborg::v1;

namespace {

void DropWords(pb::Ban& ban) {
  ban.clear_reasons();
  ban.clear_advice();
  ban.clear_breaches();
  ban.clear_lift();
  ban.clear_extensions();
  for (auto& check : *ban.mutable_release()->mutable_copies()) check.clear_note();
  for (auto& e : *ban.mutable_release()->mutable_exports()) e.clear_basis();
  // That the file was corrected is for everybody who was told otherwise; what it said is not.
  for (auto& correction : *ban.mutable_corrections()) {
    correction.clear_previous();
    correction.clear_reason();
    correction.clear_corrected_by();
  }
}

}  // namespace

pb::Ban ViewFor(domain::Role role, const domain::Ban& ban, absl::Time now) {
  pb::Ban view = state::ToProto(ban);
  view.set_in_force(domain::InForce(ban, now));
  // What went to the police is for who chases its copies and who answers for its lawfulness.
  if (role != domain::Role::kSecurityCoordinator && role != domain::Role::kLegal) {
    view.mutable_release()->clear_exports();
  }
  if (role == domain::Role::kCivilAffairs || role == domain::Role::kPoliceContact) {
    DropWords(view);
    view.mutable_terms()->clear_departure_reason();
  }
  if (role == domain::Role::kPoliceContact) {
    view.mutable_terms()->clear_ground_id();
    const auto state = view.release().state();
    view.clear_release();
    view.mutable_release()->set_state(state);
  }
  return view;
}

pb::Ban ListedFor(domain::Role role, const domain::Ban& ban, absl::Time now) {
  pb::Ban view = ViewFor(role, ban, now);
  DropWords(view);
  return view;
}

}  // namespace waarborg::rpc

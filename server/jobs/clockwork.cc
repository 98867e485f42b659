// SPDX-License-Identifier: EUPL-1.2
#include "server/jobs/clockwork.h"

namespace waarborg::jobs {

namespace pb = waarborg::v1;

void RunDue(journal::Turn& turn) {
  for (const std::string& id : turn.world().DueBans(turn.now())) {
    domain::Ban ban = *turn.world().FindBan(id);
    domain::PassEnd(ban);
    pb::AuditRecord record;
    record.set_event(ban.state == domain::BanState::kLapsed ? "BanLapsed" : "BanExpired");
    record.set_result(pb::RESULT_DONE);
    record.set_ban_id(id);
    record.set_ban_state(static_cast<pb::BanState>(ban.state));
    record.set_photo_state(static_cast<pb::PhotoState>(ban.release.state));
    turn.Log(std::move(record));
    turn.Put(std::move(ban));
  }
  for (const std::string& id : turn.world().DueNames(turn.now())) {
    domain::Person person = *turn.world().FindPerson(id);
    domain::RemoveName(person);
    pb::AuditRecord record;
    record.set_event("StaffNameRemoved");
    record.set_result(pb::RESULT_DONE);
    record.set_subject_id(id);
    turn.Log(std::move(record));
    turn.Put(std::move(person));
    // Proposals about the account say the name too.
    for (const auto& [change_id, change] : turn.world().changes()) {
      if (change.subject_id != id && change.person.id != id && change.deputyship.in_place_of != id) continue;
      domain::Change nameless = change;
      domain::RemoveName(nameless.person);
      nameless.summary.clear();
      turn.Put(std::move(nameless));
    }
  }
}

}  // namespace waarborg::jobs

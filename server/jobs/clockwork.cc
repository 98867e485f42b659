// SPDX-License-Identifier: EUPL-1.2
#include "server/jobs/clockwork.h"

#include <set>

#include "server/state/codec.h"

namespace waarborg::jobs {
namespace {

namespace pb = waarborg::v1;

// Everything that is due about one ban, in one go: what is staged twice in a turn would be half lost.
void RunBan(journal::Turn& turn, const std::string& id) {
  domain::Ban ban = *turn.world().FindBan(id);
  std::vector<domain::CopyCheck>& copies = ban.release.copies;
  for (domain::CopyCheck& check : copies) {
    const domain::CopyStep step = domain::TakeCopyStep(check, turn.now());
    if (step == domain::CopyStep::kNone) continue;
    const bool reminds = step == domain::CopyStep::kRemind;
    turn.Log(state::CopiesEntry(reminds ? "CopiesReminded" : "CopiesEscalated", ban, check));
  }
  if (domain::EndIsDue(ban, turn.now())) {
    const size_t asked_before = copies.size();
    domain::PassEnd(turn.world().municipality(), ban, turn.now());
    pb::AuditRecord record;
    record.set_event(ban.state == domain::BanState::kLapsed ? "BanLapsed" : "BanExpired");
    record.set_result(pb::RESULT_DONE);
    record.set_ban_id(id);
    record.set_ban_state(static_cast<pb::BanState>(ban.state));
    record.set_photo_state(static_cast<pb::PhotoState>(ban.release.state));
    turn.Log(std::move(record));
    for (size_t i = asked_before; i < copies.size(); ++i) {
      turn.Log(state::CopiesEntry("CopiesAsked", ban, copies[i]));
    }
  }
  turn.Put(std::move(ban));
}

// The term of a file has passed: that it is to go stands in the log before its key goes.
void RunFile(journal::Turn& turn, const std::string& id) {
  pb::AuditRecord record;
  record.set_event("FileDestructionStarted");
  record.set_result(pb::RESULT_DONE);
  record.set_ban_id(id);
  turn.Log(std::move(record));
  turn.ShredFile(id);
}

void RunName(journal::Turn& turn, const std::string& id) {
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
    nameless.security_key = {};
    turn.Put(std::move(nameless));
  }
}

}  // namespace

void RunDue(journal::Turn& turn) {
  const state::World& world = turn.world();
  std::set<std::string> seen;
  for (const auto& due : {world.DueBans(turn.now()), world.DueCopies(turn.now())}) {
    for (const std::string& id : due) {
      if (seen.insert(id).second) RunBan(turn, id);
    }
  }
  // A ban of which something else was due has its turn for this when it comes back.
  for (const std::string& id : world.DueFiles(turn.now())) {
    if (!seen.contains(id)) RunFile(turn, id);
  }
  for (const std::string& id : world.DueNames(turn.now())) RunName(turn, id);
}

}  // namespace waarborg::jobs

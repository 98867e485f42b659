// SPDX-License-Identifier: EUPL-1.2
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/commands/parts.h"
#include "waarborg/v1/tasks.grpc.pb.h"

namespace waarborg::client {
namespace {

// What a task asks for, as a sentence: its word says too little.
std::string Asked(const Call& call, pb::TaskKind kind) {
  switch (kind) {
    case pb::TASK_KIND_COMPLETE_FILE:
      return call.Say("vul het dossier aan voor het besluit", "complete the file for the decision");
    case pb::TASK_KIND_ADVISE:
      return call.Say("adviseer over de maatregel", "advise on the measure");
    case pb::TASK_KIND_DECIDE_BAN:
      return call.Say("beslis over het voorstel", "decide the proposal");
    case pb::TASK_KIND_CONFIRM_DENIAL:
      return call.Say("bevestig de directe ontzegging of wijs haar af",
                      "confirm the denial on the spot, or reject it");
    case pb::TASK_KIND_RECORD_INFORMED:
      return call.Say("vertel betrokkene over de foto en leg dat vast",
                      "tell the person concerned about the photo, and record it");
    case pb::TASK_KIND_REQUEST_RELEASE:
      return call.Say("vraag toestemming voor de foto", "ask for consent to the photo");
    case pb::TASK_KIND_DECIDE_CONSENT:
      return call.Say("geef of weiger toestemming voor de foto", "consent to the photo, or refuse");
    case pb::TASK_KIND_SUPPLY_PHOTO:
      return call.Say("verstrek de foto, of zie ervan af", "supply the photo, or decline");
    case pb::TASK_KIND_RELEASE_PHOTO:
      return call.Say("geef de foto vrij", "release the photo");
    case pb::TASK_KIND_CONFIRM_COPIES_GONE:
      return call.Say("bevestig dat er geen kopie van de foto meer is",
                      "confirm that no copy of the photo is left");
    case pb::TASK_KIND_COPIES_OVERDUE:
      return call.Say("niet bevestigd dat er geen kopie meer is: spreek de groep aan",
                      "no confirmation that no copy is left: see to it that the unit gives it");
    case pb::TASK_KIND_HAND_OVER_FILE:
      return call.Say("draag het dossier over aan het archief of zaaksysteem",
                      "hand the file over to the archive or case system");
    case pb::TASK_KIND_DESTRUCTION_OVERDUE:
      return call.Say(
          "een vernietiging is te laat: kijk naar het token, de schijf of de klok (waarborg health)",
          "a destruction is overdue: look at the token, the disk or the clock (waarborg health)");
    default:
      return Word(kind);
  }
}

Reply List(Call& call) {
  std::shared_ptr<pb::ListTasksResponse> response;
  Reply reply = Ask(call, &pb::TaskService::Stub::ListTasks,
                    pb::TaskService::NewStub(call.connection.channel()), pb::ListTasksRequest(), response);
  if (!reply.ok()) return reply;
  const auto overdue = std::count_if(response->tasks().begin(), response->tasks().end(),
                                     [](const pb::Task& task) { return task.overdue(); });
  reply.Fact("count", absl::StrCat(response->tasks_size()));
  reply.Fact("overdue", absl::StrCat(overdue));
  reply.lines.push_back(absl::StrCat(call.Say("Mijn taken: ", "My tasks: "), response->tasks_size(),
                                     call.Say(", te laat: ", ", overdue: "), overdue));
  for (const auto& task : response->tasks()) {
    // By its kind, so that a scenario can tell which file or unit waits for what.
    reply.Fact(Word(task.kind()), task.ban_id());
    if (!task.unit_id().empty()) reply.Fact(Word(task.kind()), task.unit_id());
    if (task.has_due_at()) reply.Fact("due", Text(task.due_at()));
    if (task.reminded()) reply.Fact("reminded", Word(task.kind()));
    std::string line =
        absl::StrCat(task.ban_id().empty() ? "" : task.ban_id() + "  ", Asked(call, task.kind()));
    if (!task.unit_id().empty()) absl::StrAppend(&line, "  (", task.unit_id(), ")");
    if (task.handed_out() > 0) {
      reply.Fact("handed-out", absl::StrCat(task.handed_out()));
      absl::StrAppend(&line, "  ", task.handed_out(), call.Say(" keer uitgereikt", " times handed out"));
    }
    if (task.has_due_at()) {
      absl::StrAppend(&line,
                      task.overdue() ? call.Say("  TE LAAT sinds ", "  OVERDUE since ")
                                     : call.Say("  voor ", "  before "),
                      Text(task.due_at()));
    }
    if (task.reminded()) absl::StrAppend(&line, call.Say("  (herinnerd)", "  (reminded)"));
    reply.lines.push_back(line);
  }
  if (response->more()) reply.lines.push_back(call.Say("Er is meer te doen.", "There is more to do."));
  return reply;
}

}  // namespace

void AddTaskCommands(std::vector<Command>& out) {
  out.push_back({"task list", "What waits for you, overdue first", {}, List});
}

}  // namespace waarborg::client

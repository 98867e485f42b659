// SPDX-License-Identifier: EUPL-1.2
#include <algorithm>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/commands/parts.h"
#include "client/commands/photo_stream.h"
#include "waarborg/v1/checks.grpc.pb.h"

namespace waarborg::client {
namespace {

using Stub = pb::CheckService::Stub;

std::unique_ptr<Stub> NewStub(const Call& call) {
  return pb::CheckService::NewStub(call.connection.channel());
}

std::string MeasureText(const Call& call, pb::Measure measure) {
  switch (measure) {
    case pb::MEASURE_TIME_OUT:
      return "Time-out";
    case pb::MEASURE_ACCESS_BAN:
      return call.Say("Toegangsverbod", "Access ban");
    default:
      return call.Say("Directe ontzegging of signalement", "Denied on the spot or alert");
  }
}

// How far making somebody leave has come.
void AddBreach(Reply& reply, bool open, const pb::OpenBreach& breach) {
  if (!open) return;
  reply.Fact("demands", absl::StrCat(breach.demands()));
  reply.Fact("police", breach.police_called() ? "yes" : "no");
  for (int step : breach.next()) reply.Fact("next", Word(static_cast<pb::DemandStep>(step)));
}

void AddMatch(const Call& call, Reply& reply, const pb::Match& match) {
  reply.Fact("ban", match.ban_id());
  reply.Fact("name", Text(match.name()));
  reply.Fact("measure", Word(match.measure()));
  if (match.has_until()) reply.Fact("until", Text(match.until()));
  reply.Fact("photo", match.photo_available() ? "yes" : "no");
  reply.Fact("provisional", match.provisional() ? "yes" : "no");
  if (!match.description().empty()) reply.Fact("description", match.description());
  reply.Fact("steps", absl::StrCat(match.steps_size()));
  AddBreach(reply, match.has_breach(), match.breach());

  std::string line = absl::StrCat("  ", match.ban_id(), "  ", MeasureText(call, match.measure()));
  if (match.has_until())
    absl::StrAppend(&line, call.Say(" tot en met ", " to and including "), Text(match.until()));
  if (match.has_name()) absl::StrAppend(&line, "  ", Text(match.name()));
  if (!match.description().empty()) absl::StrAppend(&line, "  \"", match.description(), "\"");
  if (match.photo_available()) absl::StrAppend(&line, call.Say("  [foto te zien]", "  [photo can be seen]"));
  reply.lines.push_back(line);
}

void AddSteps(const Call& call, Reply& reply, const pb::Match& match) {
  reply.lines.push_back(call.Say("  Blijf rustig en volg de stappen:", "  Stay calm and follow the steps:"));
  int n = 0;
  for (const std::string& step : match.steps()) reply.lines.push_back(absl::StrCat("    ", ++n, ". ", step));
}

Reply Check(Call& call) {
  const Arguments& a = call.arguments;
  pb::CheckVisitorRequest request;
  request.set_purpose(ReadPurpose(a, "visitor-at-desk"));
  if (a.Has("mrz")) {
    request.set_mrz(a.Get("mrz"));
  } else if (a.Has("ban")) {
    request.set_ban_id(a.Get("ban"));
  } else if (a.Has("name")) {
    request.mutable_typed()->set_full_name(a.Get("name"));
    if (a.Has("born")) *request.mutable_typed()->mutable_birth_date() = ReadDate("born", a.Get("born"), true);
  } else {
    auto* typed = request.mutable_typed();
    typed->mutable_name()->set_given_names(a.Get("given"));
    typed->mutable_name()->set_prefix(a.Get("prefix"));
    typed->mutable_name()->set_surname(a.Get("surname"));
    if (a.Has("born")) *typed->mutable_birth_date() = ReadDate("born", a.Get("born"), true);
  }
  std::shared_ptr<pb::CheckVisitorResponse> response;
  Reply reply = Ask(call, &Stub::CheckVisitor, NewStub(call), request, response);
  if (!reply.ok()) {
    // Any error means "cannot check": loud, and never to be taken for "no ban found".
    reply.lines.push_back(call.Say("CONTROLE NIET MOGELIJK", "CANNOT CHECK"));
    return reply;
  }
  switch (response->answer()) {
    case pb::CHECK_ANSWER_NO_BAN_FOUND:
      reply.word = "clear";
      reply.lines.push_back(call.Say("GEEN VERBOD GEVONDEN op deze locatie. U kunt deze bezoeker helpen.",
                                     "NO BAN FOUND here. You can help this visitor."));
      break;
    case pb::CHECK_ANSWER_BANNED:
      reply.word = "banned";
      reply.lines.push_back(
          call.Say("VERBOD: deze persoon mag hier niet binnen.", "BANNED: this person may not enter here."));
      break;
    case pb::CHECK_ANSWER_POSSIBLE:
      reply.word = "possible";
      reply.lines.push_back(
          call.Say("MOGELIJKE OVEREENKOMST, misschien iemand anders. Vraag vriendelijk om een document; "
                   "weiger nog niemand.",
                   "POSSIBLE MATCH, perhaps someone else. Ask kindly for a document; refuse nobody yet."));
      break;
    default:
      reply.error.code = grpc::StatusCode::INTERNAL;
      return reply;
  }
  reply.Fact("matches", absl::StrCat(response->matches_size()));
  for (const auto& match : response->matches()) AddMatch(call, reply, match);
  if (response->answer() == pb::CHECK_ANSWER_BANNED) AddSteps(call, reply, response->matches(0));
  if (response->more())
    reply.lines.push_back(
        call.Say("  ... en meer; vraag om een document.", "  ... and more; ask for a document."));
  return reply;
}

Reply Briefing(Call& call) {
  pb::NextBriefingRequest request;
  request.set_after_ban_id(call.arguments.Get("after"));
  std::shared_ptr<pb::NextBriefingResponse> response;
  Reply reply = Ask(call, &Stub::NextBriefing, NewStub(call), request, response);
  if (!reply.ok()) return reply;
  reply.Fact("total", absl::StrCat(response->total()));
  if (!response->has_match()) {
    reply.word = "end";
    reply.lines.push_back(call.Say("Einde van de briefing.", "End of the briefing."));
    return reply;
  }
  reply.Fact("position", absl::StrCat(response->position()));
  reply.lines.push_back(absl::StrCat(response->position(), call.Say(" van ", " of "), response->total()));
  AddMatch(call, reply, response->match());
  return reply;
}

Reply Watch(Call& call) {
  const Arguments& a = call.arguments;
  const int updates = a.Has("updates") ? ReadCount("updates", a.Get("updates")) : call.show ? 0 : 1;
  grpc::ClientContext context;
  call.connection.PrepareStanding(context);
  const auto stub = NewStub(call);
  const auto reader = stub->WatchDesk(&context, pb::WatchDeskRequest());
  Reply reply;
  auto response = std::make_shared<pb::WatchDeskResponse>();
  for (int seen = 0; reader->Read(response.get());) {
    reply = Reply();
    reply.message = response;
    reply.Fact("count", absl::StrCat(response->bans_size()));
    reply.Fact("location", response->location_id());
    reply.lines.push_back(
        absl::StrCat(Text(response->as_of()), "  ", response->location_id(), ": ", response->bans_size()));
    for (const auto& match : response->bans()) AddMatch(call, reply, match);
    if (response->more()) {
      reply.lines.push_back(
          call.Say("  ... en meer: deze lijst is niet volledig.", "  ... and more: this list is not whole."));
    }
    if (++seen == updates) {
      context.TryCancel();
      (void)reader->Finish();  // ended by us: its status says no more
      return reply;
    }
    if (call.show) call.show(reply);
    response = std::make_shared<pb::WatchDeskResponse>();
  }
  reply = Reply();
  reply.error = ErrorFrom(reader->Finish());
  reply.lines.push_back(call.Say("CONTROLE NIET MOGELIJK: deze lijst geldt niet meer",
                                 "CANNOT CHECK: this list holds no longer"));
  return reply;
}

Reply Demand(Call& call) {
  const Arguments& a = call.arguments;
  pb::RecordDemandRequest request;
  request.set_ban_id(a.Get("ban"));
  if (a.Has("step")) {
    request.set_step(
        static_cast<pb::DemandStep>(ReadEnum("step", a.Get("step"), pb::DemandStep_descriptor())));
  }
  std::shared_ptr<pb::RecordDemandResponse> response;
  Reply reply = Tell(call, &Stub::RecordDemand, NewStub(call), request, response);
  if (reply.ok()) AddBreach(reply, response->has_breach(), response->breach());
  return reply;
}

Reply Report(Call& call) {
  const Arguments& a = call.arguments;
  pb::ReportBreachRequest request;
  request.set_ban_id(a.Get("ban"));
  for (const std::string& demand : a.All("demand")) {
    const std::vector<std::string> parts = absl::StrSplit(demand, absl::MaxSplits('|', 1));
    if (parts.size() != 2) throw BadOption{"demand must be \"2026-03-02T14:05|words spoken\""};
    auto* d = request.add_demands();
    *d->mutable_at() = ReadTime("demand", parts[0]);
    d->set_words(parts[1]);
  }
  request.set_police_called(a.Has("police"));
  if (a.Has("outcome")) {
    request.set_outcome(static_cast<pb::BreachOutcome>(
        ReadEnum("outcome", a.Get("outcome"), pb::BreachOutcome_descriptor())));
  }
  std::shared_ptr<pb::ReportBreachResponse> response;
  return Tell(call, &Stub::ReportBreach, NewStub(call), request, response);
}

Reply Instruction(Call& call) {
  std::shared_ptr<pb::GetInstructionResponse> response;
  Reply reply = Ask(call, &Stub::GetInstruction, NewStub(call), pb::GetInstructionRequest(), response);
  if (!reply.ok()) return reply;
  reply.Fact("version", response->version());
  reply.Fact("acknowledged", response->has_acknowledged_at() ? "yes" : "no");
  reply.lines.push_back(response->text());
  reply.lines.push_back(response->has_acknowledged_at()
                            ? call.Say("Bevestigd op ", "Acknowledged on ") +
                                  Text(response->acknowledged_at())
                            : call.Say("Nog niet bevestigd.", "Not acknowledged yet."));
  return reply;
}

Reply Acknowledge(Call& call) {
  pb::AcknowledgeInstructionRequest request;
  request.set_version(call.arguments.Get("version"));
  if (request.version().empty()) {
    std::shared_ptr<pb::GetInstructionResponse> instruction;
    Reply reply = Ask(call, &Stub::GetInstruction, NewStub(call), pb::GetInstructionRequest(), instruction);
    if (!reply.ok()) return reply;
    request.set_version(instruction->version());
  }
  std::shared_ptr<pb::AcknowledgeInstructionResponse> response;
  return Tell(call, &Stub::AcknowledgeInstruction, NewStub(call), request, response);
}

Reply Show(Call& call) {
  pb::ShowPhotoRequest request;
  request.set_ban_id(call.arguments.Get("ban"));
  request.set_purpose(ReadPurpose(call.arguments, "visitor-at-desk"));
  return ReceivePhoto<pb::ShowPhotoResponse>(
      call, [&](grpc::ClientContext& context) { return NewStub(call)->ShowPhoto(&context, request); });
}

}  // namespace

void AddCheckCommands(std::vector<Command>& out) {
  const Option purpose{"purpose", Kind::kWord, "visitor-at-desk (default), sighting, briefing or incident"};
  out.push_back({"check",
                 "Check a visitor at this station's location",
                 {{"given", Kind::kText, "given names"},
                  {"prefix", Kind::kText, "prefix of the surname"},
                  {"surname", Kind::kText, "surname"},
                  {"born", Kind::kDate, "date of birth; 00 for an unknown month or day"},
                  {"name", Kind::kText, "the whole name as one, in place of its parts"},
                  {"mrz", Kind::kText, "text of the machine-readable zone instead of name and date"},
                  {"ban", Kind::kText, "somebody on the list of this desk"},
                  purpose},
                 Check});
  out.push_back({"photo show",
                 "See the photo of a person banned here; every view is an entry",
                 {BanOption(), purpose, {"out", Kind::kOut, "file to write the watermarked JPEG to"}},
                 Show});
  out.push_back({"briefing",
                 "Step through the people banned here, one at a time",
                 {{"after", Kind::kText, "the ban shown last"}},
                 Briefing});
  out.push_back({"desk watch",
                 "The people banned here, again each time that the list changes",
                 {{"updates", Kind::kCount, "end after so many lists; otherwise it goes on"}},
                 Watch});
  out.push_back({"desk demand",
                 "Record a step in making a banned person leave, now",
                 {BanOption(),
                  {"step", Kind::kWord, "first, second, third, police-called, left or removed"},
                  KeyOption()},
                 Demand});
  out.push_back({"report",
                 "Record that a banned person came in all the same",
                 {BanOption(),
                  {"demand", Kind::kMany, "a demand to leave, as \"2026-03-02T14:05|words spoken\""},
                  {"police", Kind::kFlag, "police were called"},
                  {"outcome", Kind::kWord, "left or removed"},
                  KeyOption()},
                 Report});
  out.push_back({"instruction show", "The instruction on the use of photos", {}, Instruction});
  out.push_back({"instruction acknowledge",
                 "Acknowledge the instruction",
                 {{"version", Kind::kText, "the version read; the present one when left out"}, KeyOption()},
                 Acknowledge});
}

}  // namespace waarborg::client

// SPDX-License-Identifier: EUPL-1.2
#include <google/protobuf/util/time_util.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/commands/parts.h"
#include "waarborg/v1/audit.grpc.pb.h"

namespace waarborg::client {
namespace {

using Stub = pb::AuditService::Stub;

std::unique_ptr<Stub> NewStub(const Call& call) {
  return pb::AuditService::NewStub(call.connection.channel());
}

Reply List(Call& call) {
  const Arguments& a = call.arguments;
  pb::ListEntriesRequest request;
  request.set_ban_id(a.Get("ban"));
  request.set_person_id(a.Get("person"));
  request.set_station_id(a.Get("station"));
  for (const std::string& event : a.List("event")) request.add_events(event);
  if (a.Has("from")) *request.mutable_from() = ReadTime("from", a.Get("from"));
  if (a.Has("until")) *request.mutable_until() = ReadTime("until", a.Get("until"));
  request.set_refused_only(a.Has("refused"));
  if (a.Has("size")) request.set_page_size(ReadCount("size", a.Get("size")));
  request.set_page_token(a.Get("page"));
  std::shared_ptr<pb::ListEntriesResponse> response;
  Reply reply = Ask(call, &Stub::ListEntries, NewStub(call), request, response);
  if (!reply.ok()) return reply;
  reply.Fact("count", absl::StrCat(response->entries_size()));
  for (const auto& entry : response->entries()) {
    if (!entry.has_record()) {
      reply.lines.push_back(
          absl::StrCat(entry.index(), call.Say("  (opening vernietigd)", "  (opening destroyed)")));
      continue;
    }
    const pb::AuditRecord& r = entry.record();
    reply.Fact("event", r.event());
    reply.Fact("who", entry.person_name());
    reply.Fact("at-station", r.station_id());
    if (r.result() == pb::RESULT_REFUSED) reply.Fact("refused-by", r.rule());
    if (!r.ban_id().empty()) reply.Fact("about", r.ban_id());
    if (r.destruction_reason() != 0) reply.Fact("destruction", Word(r.destruction_reason()));
    std::string line = absl::StrCat(
        entry.index(), "  ", Text(google::protobuf::util::TimeUtil::MillisecondsToTimestamp(r.at_ms())), "  ",
        r.event());
    if (r.result() == pb::RESULT_REFUSED)
      absl::StrAppend(&line, call.Say("  GEWEIGERD: ", "  REFUSED: "), r.rule());
    absl::StrAppend(&line, "  ",
                    entry.person_name().empty()
                        ? (r.station_id().empty() ? call.Say("(het systeem)", "(the system)")
                                                  : call.Say("(niemand aangemeld)", "(nobody signed in)"))
                        : entry.person_name());
    if (r.role() != 0) absl::StrAppend(&line, " (", Shown(call, Word(r.role())), ")");
    if (!r.station_id().empty()) absl::StrAppend(&line, " @ ", r.station_id());
    if (!r.ban_id().empty()) absl::StrAppend(&line, "  ", r.ban_id());
    if (!r.photo_id().empty()) absl::StrAppend(&line, "  ", r.photo_id());
    if (r.purpose() != 0) absl::StrAppend(&line, "  ", Shown(call, Word(r.purpose())));
    if (r.destruction_reason() != 0) absl::StrAppend(&line, "  ", Shown(call, Word(r.destruction_reason())));
    reply.lines.push_back(line);
  }
  if (!response->next_page_token().empty()) {
    reply.Fact("next", response->next_page_token());
    reply.lines.push_back("--page " + response->next_page_token());
  }
  return reply;
}

Reply Head(Call& call) {
  std::shared_ptr<pb::GetTreeHeadResponse> response;
  Reply reply = Ask(call, &Stub::GetTreeHead, NewStub(call), pb::GetTreeHeadRequest(), response);
  if (!reply.ok()) return reply;
  reply.Fact("size", absl::StrCat(response->size()));
  reply.Fact("root", absl::BytesToHexString(response->root()));
  reply.lines.push_back(absl::StrCat(response->size(), call.Say(" regels, wortel ", " entries, root "),
                                     absl::BytesToHexString(response->root())));
  return reply;
}

}  // namespace

void AddAuditCommands(std::vector<Command>& out) {
  out.push_back({"audit list",
                 "Who did what: entries of the log, newest first",
                 {{"ban", Kind::kText, "only about this ban"},
                  {"person", Kind::kText, "only by this person, M-..."},
                  {"station", Kind::kText, "only at this station"},
                  {"event", Kind::kList, "only these events (ShowPhoto, PhotoDestroyed ...)"},
                  {"from", Kind::kTime, "at or after, 2026-03-02T14:05"},
                  {"until", Kind::kTime, "before"},
                  {"refused", Kind::kFlag, "only refusals"},
                  {"size", Kind::kCount, "how many at most"},
                  {"page", Kind::kText, "from the answer before"}},
                 List});
  out.push_back({"audit head", "Size and root of the log", {}, Head});
}

}  // namespace waarborg::client

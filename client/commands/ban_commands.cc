// SPDX-License-Identifier: EUPL-1.2
#include "absl/strings/str_cat.h"
#include "client/commands/parts.h"
#include "waarborg/v1/bans.grpc.pb.h"

namespace waarborg::client {
namespace {

using Stub = pb::BanService::Stub;

std::unique_ptr<Stub> NewStub(const Call& call) {
  return pb::BanService::NewStub(call.connection.channel());
}

Reply Propose(Call& call) {
  const Arguments& a = call.arguments;
  pb::ProposeBanRequest request;
  *request.mutable_identity() = ReadIdentity(a);
  *request.mutable_terms() = ReadTerms(a);
  request.set_reasons(a.Get("reasons"));
  request.set_affected_department(a.Get("department"));
  request.set_open_channels(a.Get("channels"));
  std::shared_ptr<pb::ProposeBanResponse> response;
  return Tell(call, &Stub::ProposeBan, NewStub(call), request, response);
}

Reply Deny(Call& call) {
  pb::DenyOnTheSpotRequest request;
  if (HasIdentity(call.arguments)) *request.mutable_identity() = ReadIdentity(call.arguments);
  std::shared_ptr<pb::DenyOnTheSpotResponse> response;
  Reply reply = Tell(call, &Stub::DenyOnTheSpot, NewStub(call), request, response);
  if (!reply.ok() || !response->has_lapses_at()) return reply;
  reply.Fact("lapses", Text(response->lapses_at()));
  reply.lines.push_back(call.Say("Directe ontzegging; vervalt zonder besluit op ",
                                 "Denied on the spot; lapses without a decision on ") +
                        Text(response->lapses_at()));
  return reply;
}

Reply Alert(Call& call) {
  const Arguments& a = call.arguments;
  pb::RaiseAlertRequest request;
  request.set_description(a.Get("description"));
  *request.mutable_scope() = ReadScope(a);
  *request.mutable_until() = ReadDate("until", a.Get("until"), false);
  request.set_reasons(a.Get("reasons"));
  std::shared_ptr<pb::RaiseAlertResponse> response;
  return Tell(call, &Stub::RaiseAlert, NewStub(call), request, response);
}

Reply Amend(Call& call) {
  const Arguments& a = call.arguments;
  pb::AmendBanRequest request;
  request.set_ban_id(a.Get("ban"));
  if (HasIdentity(a)) *request.mutable_identity() = ReadIdentity(a);
  if (HasTerms(a)) *request.mutable_terms() = ReadTerms(a);
  request.set_reasons(a.Get("reasons"));
  request.set_affected_department(a.Get("department"));
  request.set_open_channels(a.Get("channels"));
  std::shared_ptr<pb::AmendBanResponse> response;
  return Tell(call, &Stub::AmendBan, NewStub(call), request, response);
}

Reply Advise(Call& call) {
  pb::AdviseBanRequest request;
  request.set_ban_id(call.arguments.Get("ban"));
  request.set_advice(call.arguments.Get("advice"));
  std::shared_ptr<pb::AdviseBanResponse> response;
  return Tell(call, &Stub::AdviseBan, NewStub(call), request, response);
}

// Number and date of a decision, which three requests carry.
template <class Req>
void FillDecision(const Arguments& a, Req& request) {
  request.set_ban_id(a.Get("ban"));
  request.set_decision_number(a.Get("number"));
  if (a.Has("date")) *request.mutable_decision_date() = ReadDate("date", a.Get("date"), false);
}

Reply Decide(Call& call, bool approve) {
  pb::DecideBanRequest request;
  FillDecision(call.arguments, request);
  request.set_approve(approve);
  std::shared_ptr<pb::DecideBanResponse> response;
  return Tell(call, &Stub::DecideBan, NewStub(call), request, response);
}

Reply Extend(Call& call) {
  pb::ExtendBanRequest request;
  FillDecision(call.arguments, request);
  *request.mutable_until() = ReadDate("until", call.arguments.Get("until"), false);
  request.set_reason(call.arguments.Get("reason"));
  std::shared_ptr<pb::ExtendBanResponse> response;
  return Tell(call, &Stub::ExtendBan, NewStub(call), request, response);
}

Reply Lift(Call& call) {
  pb::LiftBanRequest request;
  FillDecision(call.arguments, request);
  request.set_reason(call.arguments.Get("reason"));
  std::shared_ptr<pb::LiftBanResponse> response;
  return Tell(call, &Stub::LiftBan, NewStub(call), request, response);
}

Reply HandOver(Call& call) {
  pb::HandOverFileRequest request;
  request.set_ban_id(call.arguments.Get("ban"));
  request.set_reference(call.arguments.Get("reference"));
  std::shared_ptr<pb::HandOverFileResponse> response;
  return Tell(call, &Stub::HandOverFile, NewStub(call), request, response);
}

void AddBan(const Call& call, Reply& reply, const pb::Ban& ban) {
  reply.Fact("ban", ban.id());
  reply.Fact("state", Word(ban.state()));
  reply.Fact("in-force", ban.in_force() ? "yes" : "no");
  reply.Fact("name", Text(ban.identity().name()));
  reply.Fact("established", ban.identity().established() ? "yes" : "no");
  if (ban.terms().has_until()) reply.Fact("until", Text(ban.terms().until()));
  if (ban.has_scope()) reply.Fact("where", Text(ban.scope()));
  reply.Fact("ground", ban.terms().ground_id());
  reply.Fact("reasons", ban.reasons());
  reply.Fact("breaches", absl::StrCat(ban.breaches_size()));
  reply.Fact("corrections", absl::StrCat(ban.corrections_size()));
  for (const auto& c : ban.corrections()) reply.Fact("corrected-from", Text(c.previous().name()));
  reply.Fact("photo", Word(ban.release().state()));
  reply.Fact("destruction", Word(ban.release().destruction_reason()));
  reply.Fact("photo-id", ban.release().photo_id());
  for (const auto& check : ban.release().copies()) {
    reply.Fact(check.has_confirmed_at() ? "copies-gone" : "copies-asked", check.unit_id());
  }
  reply.Fact("exports", absl::StrCat(ban.release().exports_size()));
  for (const auto& e : ban.release().exports()) reply.Fact("export-basis", e.basis());

  std::string line = absl::StrCat(ban.id(), "  ", Shown(call, Word(ban.state())),
                                  ban.in_force() ? call.Say(" (van kracht)", " (in force)") : "");
  const std::string name = Text(ban.identity().name());
  absl::StrAppend(&line, "  ", name.empty() ? ban.identity().description() : name);
  if (!ban.identity().established())
    absl::StrAppend(&line, call.Say(" [identiteit niet vastgesteld]", " [identity not established]"));
  if (ban.terms().has_until()) {
    absl::StrAppend(&line, "  ", Text(ban.terms().from()), call.Say(" t/m ", " to and incl. "),
                    Text(ban.terms().until()));
  }
  absl::StrAppend(&line, call.Say("  foto: ", "  photo: "), Shown(call, Word(ban.release().state())));
  reply.lines.push_back(line);
}

Reply Show(Call& call) {
  pb::GetBanRequest request;
  request.set_ban_id(call.arguments.Get("ban"));
  std::shared_ptr<pb::GetBanResponse> response;
  Reply reply = Ask(call, &Stub::GetBan, NewStub(call), request, response);
  if (!reply.ok()) return reply;
  const pb::Ban& ban = response->ban();
  AddBan(call, reply, ban);
  auto add = [&](const std::string& label, const std::string& value) {
    if (!value.empty()) reply.lines.push_back(absl::StrCat("  ", label, ": ", value));
  };
  if (ban.identity().has_birth_date()) add(call.Say("geboren", "born"), Text(ban.identity().birth_date()));
  add(call.Say("grond", "ground"), ban.terms().ground_id());
  add(call.Say("waar", "where"), Text(ban.has_scope() ? ban.scope() : ban.terms().scope()));
  add(call.Say("wat er gebeurde", "what happened"), ban.reasons());
  add(call.Say("blijft open", "stays open"), ban.open_channels());
  add(call.Say("advies", "advice"), ban.advice());
  if (ban.has_decision()) {
    add(call.Say("besluit", "decision"),
        absl::StrCat(Shown(call, Word(ban.decision().level())), " ", ban.decision().number(), " ",
                     Text(ban.decision().date())));
  }
  for (const auto& breach : ban.breaches()) {
    add(call.Say("overtreding", "breach"),
        absl::StrCat(Text(breach.at()), " ", breach.location_id(), " ", Shown(call, Word(breach.outcome()))));
  }
  for (const auto& e : ban.release().exports()) {
    add(call.Say("uitgereikt aan", "handed out to"),
        absl::StrCat(e.unit_id(), " ", e.photo_id(), " ", Text(e.at()), ": ", e.basis()));
  }
  for (const auto& correction : ban.corrections()) {
    const std::string was = Text(correction.previous());
    add(call.Say("gecorrigeerd", "corrected"),
        absl::StrCat(Text(correction.at()), was.empty() ? "" : call.Say("; eerst: ", "; before: "), was,
                     correction.reason().empty() ? "" : ": ", correction.reason()));
  }
  for (const auto& check : ban.release().copies()) {
    const std::string answer =
        !check.has_confirmed_at()
            ? call.Say("nog niet bevestigd, voor ", "not confirmed yet, before ") + Text(check.due_at())
        : check.copies_found()
            ? call.Say("gevonden en vernietigd, ", "found and destroyed, ") + Text(check.confirmed_at())
            : call.Say("niets gevonden, ", "nothing found, ") + Text(check.confirmed_at());
    add(call.Say("kopieën", "copies"),
        absl::StrCat(check.unit_id(), " ", check.photo_id(), " ", HandedOut(call, check.exports()), answer,
                     check.note().empty() ? "" : ": ", check.note()));
  }
  return reply;
}

Reply Timeline(Call& call) {
  pb::GetTimelineRequest request;
  request.set_ban_id(call.arguments.Get("ban"));
  std::shared_ptr<pb::GetTimelineResponse> response;
  Reply reply = Ask(call, &Stub::GetTimeline, NewStub(call), request, response);
  if (!reply.ok()) return reply;
  reply.Fact("count", absl::StrCat(response->steps_size()));
  for (const auto& step : response->steps()) {
    std::string what = step.event();
    if (step.demand_step() != pb::DEMAND_STEP_UNSPECIFIED) {
      absl::StrAppend(&what, " ", Word(step.demand_step()));
    }
    reply.Fact("step", what);
    reply.Fact("by", step.person_name());
    reply.Fact("role", Word(step.role()));
    reply.Fact("index", absl::StrCat(step.index()));
    std::string line = absl::StrCat(Text(step.at()), "  ", what);
    if (step.role() != pb::ROLE_UNSPECIFIED) {
      absl::StrAppend(&line, "  ", Shown(call, Word(step.role())), "  ", step.person_name());
    }
    reply.lines.push_back(std::move(line));
  }
  return reply;
}

Reply List(Call& call) {
  const Arguments& a = call.arguments;
  pb::ListBansRequest request;
  for (const std::string& word : a.List("state")) {
    request.add_states(static_cast<pb::BanState>(ReadEnum("state", word, pb::BanState_descriptor())));
  }
  for (const std::string& word : a.List("photo")) {
    request.add_photo_states(
        static_cast<pb::PhotoState>(ReadEnum("photo", word, pb::PhotoState_descriptor())));
  }
  if (a.Has("size")) request.set_page_size(ReadCount("size", a.Get("size")));
  request.set_page_token(a.Get("page"));
  std::shared_ptr<pb::ListBansResponse> response;
  Reply reply = Ask(call, &Stub::ListBans, NewStub(call), request, response);
  if (!reply.ok()) return reply;
  reply.Fact("count", absl::StrCat(response->bans_size()));
  for (const auto& ban : response->bans()) AddBan(call, reply, ban);
  if (!response->next_page_token().empty()) {
    reply.Fact("next", response->next_page_token());
    reply.lines.push_back("--page " + response->next_page_token());
  }
  return reply;
}

}  // namespace

void AddBanCommands(std::vector<Command>& out) {
  const std::vector<Option> file{{"reasons", Kind::kText, "what happened, and why this measure"},
                                 {"department", Kind::kText, "department whose people were hit"},
                                 {"channels", Kind::kText, "channels that stay open"},
                                 KeyOption()};
  const std::vector<Option> decision{BanOption(),
                                     {"number", Kind::kText, "number of the board's decision"},
                                     {"date", Kind::kDate, "date of the decision; today when left out"},
                                     KeyOption()};
  const Option reason{"reason", Kind::kText, "why"};
  out.push_back({"ban propose", "Propose a measure (manager)",
                 With(With(IdentityOptions(), TermsOptions(true)), file), Propose});
  out.push_back({"ban deny", "Deny entry on the spot, at this location; fill in the rest later",
                 With(IdentityOptions(), {KeyOption()}), Deny});
  out.push_back({"ban alert",
                 "Put out a description of somebody unknown",
                 {{"description", Kind::kText, "what the person looks like", true},
                  {"where", Kind::kList, "locations, or \"all\"", true},
                  {"until", Kind::kDate, "last day", true},
                  {"reasons", Kind::kText, "what happened"},
                  KeyOption()},
                 Alert});
  out.push_back({"ban amend", "Fill in or correct a file, or establish the identity",
                 With(With(With({BanOption()}, IdentityOptions()), TermsOptions(false)), file), Amend});
  out.push_back({"ban advise",
                 "Advise on a measure that the board decides (municipal secretary)",
                 {BanOption(), {"advice", Kind::kText, "the advice", true}, KeyOption()},
                 Advise});
  out.push_back({"ban approve", "Take the measure, or confirm a denial on the spot", decision,
                 [](Call& call) { return Decide(call, true); }});
  out.push_back(
      {"ban reject", "Do not take the measure", decision, [](Call& call) { return Decide(call, false); }});
  out.push_back({"ban extend", "Extend by a new decision",
                 With(decision, {{"until", Kind::kDate, "new last day", true}, reason}), Extend});
  out.push_back({"ban lift", "End early; the photo is destroyed", With(decision, {reason}), Lift});
  out.push_back({"ban hand-over",
                 "The file went to the archive or case system (legal, privacy officer)",
                 {BanOption(), {"reference", Kind::kText, "its reference there", true}, KeyOption()},
                 HandOver});
  out.push_back({"ban show", "One file", {BanOption()}, Show});
  out.push_back({"ban timeline", "What happened with one file, oldest first", {BanOption()}, Timeline});
  out.push_back({"ban list",
                 "Files, newest first",
                 {{"state", Kind::kList, "only these states"},
                  {"photo", Kind::kList, "only these states of the release"},
                  {"size", Kind::kCount, "how many at most"},
                  {"page", Kind::kText, "from the answer before"}},
                 List});
}

}  // namespace waarborg::client

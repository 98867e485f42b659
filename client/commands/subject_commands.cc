// SPDX-License-Identifier: EUPL-1.2
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/commands/parts.h"
#include "waarborg/v1/subjects.grpc.pb.h"

namespace waarborg::client {
namespace {

using Stub = pb::SubjectService::Stub;

std::unique_ptr<Stub> NewStub(const Call& call) {
  return pb::SubjectService::NewStub(call.connection.channel());
}

Reply Find(Call& call) {
  const Arguments& a = call.arguments;
  pb::FindSubjectRequest request;
  request.mutable_name()->set_given_names(a.Get("given"));
  request.mutable_name()->set_prefix(a.Get("prefix"));
  request.mutable_name()->set_surname(a.Get("surname"));
  *request.mutable_birth_date() = ReadDate("born", a.Get("born"), true);
  std::shared_ptr<pb::FindSubjectResponse> response;
  Reply reply = Ask(call, &Stub::FindSubject, NewStub(call), request, response);
  if (!reply.ok()) return reply;
  reply.Fact("count", absl::StrCat(response->files_size()));
  for (const auto& file : response->files()) {
    reply.Fact("ban", file.ban_id());
    reply.Fact("state", Word(file.state()));
    if (file.corrected_away()) reply.Fact("corrected-away", file.ban_id());
    std::string line = absl::StrCat(file.ban_id(), "  ", Shown(call, Word(file.state())),
                                    call.Say("  geopend ", "  opened "), Text(file.opened_at()));
    if (file.has_ends_at()) {
      absl::StrAppend(&line, call.Say("  van ", "  from "), Text(file.starts_at()), call.Say(" tot ", " to "),
                      Text(file.ends_at()));
    }
    if (file.corrected_away()) {
      absl::StrAppend(&line,
                      call.Say("  GECORRIGEERD: gaat over iemand anders, verstrek niets uit dit dossier",
                               "  CORRECTED: about somebody else, give out nothing of this file"));
    }
    reply.lines.push_back(line);
  }
  if (response->files().empty()) {
    reply.lines.push_back(call.Say("Geen dossier op precies deze naam en geboortedatum.",
                                   "No file of exactly this name and date of birth."));
  }
  return reply;
}

// What an event means to who is not of the house; the name itself where no sentence is needed.
std::string Sentence(const Call& call, const std::string& event) {
  static const std::map<std::string, const char*> kDutch{
      {"ProposeBan", "maatregel voorgesteld"},
      {"DenyOnTheSpot", "toegang ter plekke ontzegd"},
      {"RaiseAlert", "signalement uitgegeven"},
      {"AmendBan", "dossier aangevuld"},
      {"AdviseBan", "advies gegeven"},
      {"DecideBan", "besluit genomen of vastgelegd"},
      {"ExtendBan", "verlengd"},
      {"LiftBan", "opgeheven"},
      {"GetBan", "dossier ingezien"},
      {"FileListed", "in een lijst gezien"},
      {"MatchShown", "bij een controle getoond"},
      {"NextBriefing", "in een briefing getoond"},
      {"ReportBreach", "overtreding gemeld"},
      {"RecordInformed", "betrokkene over de foto verteld"},
      {"RequestRelease", "toestemming voor de foto gevraagd"},
      {"DecideConsent", "over toestemming voor de foto beslist"},
      {"SupplyPhoto", "foto verstrekt"},
      {"DeclineSupply", "van verstrekken afgezien"},
      {"PreviewPhoto", "foto gecontroleerd voor vrijgave"},
      {"ReleasePhoto", "foto vrijgegeven"},
      {"ShowPhoto", "foto bekeken"},
      {"ExportPhoto", "foto aan de politie uitgereikt"},
      {"DarkenPhoto", "foto afgeschermd"},
      {"RestorePhoto", "afscherming opgeheven"},
      {"WithdrawWrongPhoto", "verkeerde foto ingetrokken"},
      {"DecidePhotoObjection", "bezwaar tegen de foto beslist"},
      {"CopiesAsked", "naar kopieën van de foto gevraagd"},
      {"CopiesReminded", "aan kopieën van de foto herinnerd"},
      {"CopiesEscalated", "niet op tijd over kopieën bevestigd"},
      {"ConfirmCopiesGone", "bevestigd dat er geen kopie meer is"},
      {"CorrectFile", "dossier gecorrigeerd"},
      {"ExportSubject", "overzicht voor betrokkene gemaakt"},
      {"BanExpired", "afgelopen"},
      {"BanLapsed", "vervallen"},
      {"PhotoDestructionStarted", "vernietiging van de foto begonnen"},
      {"PhotoDestroyed", "foto vernietigd"},
      {"ListEntries", "toegangslogboek over dit dossier gelezen"},
      {"GetWords", "woorden bij een regel van het logboek gelezen"},
  };
  if (call.language == Language::kEnglish) return event;
  auto it = kDutch.find(event);
  return it == kDutch.end() ? event : it->second;
}

void ShowFile(const Call& call, const pb::SubjectFile& file, Reply& reply) {
  const pb::Ban& ban = file.ban();
  const auto add = [&reply](const std::string& label, const std::string& value) {
    if (!value.empty()) reply.lines.push_back(absl::StrCat("  ", label, ": ", value));
  };
  const auto days = [&call](const pb::Terms& t) {
    return absl::StrCat(Text(t.from()), call.Say(" t/m ", " to and incl. "), Text(t.until()));
  };
  reply.Fact("ban", ban.id());
  reply.Fact("name", Text(ban.identity().name()));
  reply.Fact("state", Word(ban.state()));
  reply.Fact("corrections", absl::StrCat(ban.corrections_size()));
  reply.Fact("objections", absl::StrCat(file.objections_size()));
  reply.Fact("photo-held", file.photo().held() ? "yes" : "no");
  reply.Fact("photo-source", file.photo().source_id());
  reply.Fact("photo-basis", file.photo().legal_basis_id());
  if (file.photo().has_since()) reply.Fact("photo-since", Text(file.photo().since()));
  if (file.photo().has_goes_at()) reply.Fact("photo-goes", Text(file.photo().goes_at()));

  reply.lines.push_back(absl::StrCat(call.Say("Wat er over betrokkene in ", "What is held in "), ban.id(),
                                     call.Say(" staat, op ", " about the person concerned, on "),
                                     Text(file.as_of())));
  add(call.Say("betrokkene", "person concerned"), Text(ban.identity()));
  if (!ban.identity().established())
    add(call.Say("identiteit", "identity"), call.Say("niet vastgesteld", "not established"));
  add(call.Say("stand", "state"),
      absl::StrCat(Shown(call, Word(ban.state())),
                   ban.in_force() ? call.Say(" (van kracht)", " (in force)") : ""));
  add(call.Say("grond", "ground"), ban.terms().ground_id());
  if (ban.has_terms()) add(call.Say("termijn", "term"), days(ban.terms()));
  add(call.Say("waar", "where"), Text(ban.has_scope() ? ban.scope() : ban.terms().scope()));
  add(call.Say("reden van afwijking", "reason of departure"), ban.terms().departure_reason());
  add(call.Say("wat er gebeurde", "what happened"), ban.reasons());
  add(call.Say("blijft open", "stays open"), ban.open_channels());
  add(call.Say("advies", "advice"), ban.advice());
  if (ban.has_decision()) {
    add(call.Say("besluit", "decision"),
        absl::StrCat(Shown(call, Word(ban.decision().level())), " ", ban.decision().number(), " ",
                     Text(ban.decision().date())));
  }
  for (const auto& e : ban.extensions()) {
    add(call.Say("verlengd", "extended"),
        absl::StrCat(Text(e.previous_until()), " -> ", Text(e.until()), ": ", e.reason()));
  }
  if (ban.has_lift()) add(call.Say("opgeheven", "lifted"), ban.lift().reason());
  for (const auto& b : ban.breaches()) {
    add(call.Say("overtreding", "breach"),
        absl::StrCat(Text(b.at()), " ", b.location_id(), " ", Shown(call, Word(b.outcome()))));
    for (const auto& demand : b.demands()) {
      add(call.Say("  vordering", "  demand to leave"), absl::StrCat(Text(demand.at()), " ", demand.words()));
    }
  }
  for (const auto& c : ban.corrections()) {
    add(call.Say("gecorrigeerd", "corrected"), absl::StrCat(Text(c.at()), call.Say("; eerst: ", "; before: "),
                                                            Text(c.previous()), ": ", c.reason()));
  }
  const pb::PhotoRelease& release = ban.release();
  add(call.Say("foto", "photo"), Shown(call, Word(release.state())));
  if (file.photo().held()) {
    add(call.Say("foto sinds", "photo since"), file.photo().has_since() ? Text(file.photo().since()) : "?");
    add(call.Say("foto verdwijnt", "photo goes"), Text(file.photo().goes_at()));
  }
  add(call.Say("bron van de foto", "source of the photo"), file.photo().source_name());
  add(call.Say("grondslag van de foto", "legal basis of the photo"), file.photo().legal_basis_name());
  for (const auto& answer : release.answers()) {
    add(call.Say("criterium ", "criterion ") + answer.criterion_id(), answer.explanation());
  }
  add(call.Say("ontvangers van de foto", "recipients of the photo"),
      absl::StrJoin(release.recipient_unit_ids(), ", "));
  reply.Fact("exports", absl::StrCat(release.exports_size()));
  for (const auto& e : release.exports()) {
    add(call.Say("foto uitgereikt aan ", "photo handed out to ") + e.unit_id(),
        absl::StrCat(Text(e.at()), ": ", e.basis()));
  }
  for (const auto& check : release.copies()) {
    add(call.Say("kopieën bij ", "copies at ") + check.unit_id(),
        check.has_confirmed_at()
            ? call.Say("geen meer, bevestigd ", "none left, confirmed ") + Text(check.confirmed_at())
            : call.Say("gevraagd ", "asked ") + Text(check.asked_at()));
  }
  for (const auto& o : file.objections()) {
    add(call.Say("bezwaar tegen de foto", "objection to the photo"),
        absl::StrCat(Text(o.at()), " ",
                     o.upheld() ? call.Say("gegrond", "upheld") : call.Say("ongegrond", "dismissed"), ": ",
                     o.reasons()));
  }
  reply.lines.push_back(call.Say("Wie welke stap nam:", "Who took which step:"));
  for (const auto& step : file.steps()) {
    const std::string role = step.role() == 0 ? "" : Word(step.role());
    reply.Fact("step", step.event());
    if (!role.empty()) reply.Fact(step.event(), role);
    reply.lines.push_back(
        absl::StrCat("  ", Text(step.at()), "  ", Sentence(call, step.event()), "  ",
                     role.empty() ? call.Say("het systeem", "the system") : Shown(call, role)));
  }
  reply.lines.push_back(call.Say(
      "De foto zelf staat hier niet in: Burgerzaken hebben het origineel en laten het betrokkene zien.",
      "The photo itself is not in here: Burgerzaken hold the original and show it to the person."));
}

void ShowEntry(const Call& call, const pb::SubjectEntry& e, Reply& reply) {
  if (e.damaged()) {
    reply.Fact("damaged", absl::StrCat(e.index()));
    reply.lines.push_back(call.Say("  BESCHADIGD: een regel is veranderd; waarschuw de beheerder",
                                   "  DAMAGED: an entry was changed; tell the administrator"));
    return;
  }
  reply.Fact("event", e.event());
  const std::string role = e.role() == 0 ? "" : Word(e.role());
  // What who looked, was, where, and why: so that a scenario can ask for each look as a whole.
  reply.Fact("look", absl::StrCat(e.event(), " ", role, " ", e.location_id(), " ",
                                  e.purpose() == 0 ? "-" : Word(e.purpose())));
  if (e.result() == pb::RESULT_REFUSED) reply.Fact("refused-by", e.rule());
  for (const std::string& unit : e.unit_ids()) reply.Fact("unit", unit);
  std::string line = absl::StrCat("  ", Text(e.at()), "  ", Sentence(call, e.event()));
  if (e.result() == pb::RESULT_REFUSED)
    absl::StrAppend(&line, call.Say("  GEWEIGERD: ", "  REFUSED: "), e.rule());
  absl::StrAppend(&line, "  ", role.empty() ? call.Say("het systeem", "the system") : Shown(call, role));
  if (!e.unit_ids().empty()) absl::StrAppend(&line, " (", absl::StrJoin(e.unit_ids(), ", "), ")");
  if (!e.location_id().empty()) absl::StrAppend(&line, "  ", e.location_id());
  if (e.purpose() != 0) absl::StrAppend(&line, "  ", Shown(call, Word(e.purpose())));
  reply.lines.push_back(line);
}

Reply Export(Call& call) {
  pb::ExportSubjectRequest request;
  request.set_ban_id(call.arguments.Get("ban"));
  auto whole = std::make_shared<pb::ExportSubjectResponse>();
  do {
    std::shared_ptr<pb::ExportSubjectResponse> page;
    Reply asked = Ask(call, &Stub::ExportSubject, NewStub(call), request, page);
    if (!asked.ok()) return asked;
    whole->MergeFrom(*page);
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  whole->clear_next_page_token();
  Reply reply;
  reply.message = whole;
  ShowFile(call, whole->file(), reply);
  reply.Fact("entries", absl::StrCat(whole->entries_size()));
  reply.lines.push_back(call.Say("Wie keek, en wat er verder gebeurde, nieuwste eerst:",
                                 "Who looked, and what else happened, newest first:"));
  for (const auto& entry : whole->entries()) ShowEntry(call, entry, reply);
  if (call.arguments.Has("out")) {
    const std::string path = call.arguments.Get("out");
    WritePrivately("out", path, Json(*whole));
    reply.lines = {absl::StrCat(whole->entries_size(),
                                call.Say(" regels en het dossier in ", " entries and the file in "), path)};
  }
  return reply;
}

Reply Correct(Call& call) {
  const Arguments& a = call.arguments;
  pb::CorrectFileRequest request;
  request.set_ban_id(a.Get("ban"));
  *request.mutable_identity() = ReadIdentity(a);
  request.set_reason(a.Get("reason"));
  std::shared_ptr<pb::CorrectFileResponse> response;
  return Tell(call, &Stub::CorrectFile, NewStub(call), request, response);
}

}  // namespace

void AddSubjectCommands(std::vector<Command>& out) {
  out.push_back(
      {"subject find",
       "The files of one person, by exact name and date of birth (privacy officer)",
       {{"given", Kind::kText, "given names, in full"},
        {"prefix", Kind::kText, "prefix of the surname (van, de ...)"},
        {"surname", Kind::kText, "surname without prefix", true},
        {"born", Kind::kDate, "date of birth, as in the file; 00 for an unknown month or day", true}},
       Find});
  out.push_back({"subject export",
                 "Everything that is held in one file, and who looked (privacy officer)",
                 {BanOption(), {"out", Kind::kOut, "file to write it to, as JSON; else it is shown"}},
                 Export});
  out.push_back({"subject correct", "Put right who a file is about; the identity whole (privacy officer)",
                 With(With({BanOption()}, IdentityOptions()),
                      {{"reason", Kind::kText, "what was wrong, and from what that shows"}, KeyOption()}),
                 Correct});
}

}  // namespace waarborg::client

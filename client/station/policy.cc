// SPDX-License-Identifier: EUPL-1.2
// The policy table of the core, in words.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "client/station/admin.h"
#include "waarborg/v1/sessions.grpc.pb.h"

namespace waarborg::station {
namespace {

using Texts = std::map<std::string, const char*>;

// In the order in which they are shown.
struct ServiceText {
  const char* service;
  const char* title;  // Dutch
};
constexpr ServiceText kServices[] = {
    {"CheckService", T("Aan de balie")},
    {"BanService", T("Verboden")},
    {"PhotoReleaseService", T("Foto's")},
    {"TaskService", T("Taken")},
    {"SubjectService", T("Verzoeken van betrokkenen")},
    {"AuditService", T("Logboek en toezicht")},
    {"ChangeService", T("Wijzigingen en instellingen")},
    {"PeopleService", T("Mensen")},
    {"StationService", T("Werkplekken")},
    {"BackupService", T("Back-up")},
    {"HealthService", T("Gezondheid")},
    {"SessionService", T("Aanmelden")},
    {"SecurityKeyService", T("Beveiligingssleutels")},
};

const Texts& Calls() {
  static const Texts* const calls = new Texts{
      {"CheckVisitor", T("Een bezoeker controleren")},
      {"WatchDesk", T("De lijst van wie hier niet naar binnen mag")},
      {"ShowPhoto", T("Een foto zien aan de balie")},
      {"NextBriefing", T("De briefing")},
      {"RecordDemand", T("Een vordering vastleggen")},
      {"ReportBreach", T("Een overtreding melden")},
      {"GetInstruction", T("De instructie lezen")},
      {"AcknowledgeInstruction", T("De instructie als gelezen vastleggen")},
      {"ProposeBan", T("Een maatregel voorstellen")},
      {"DenyOnTheSpot", T("Ter plekke de toegang ontzeggen")},
      {"RaiseAlert", T("Een signalement uitdoen")},
      {"AmendBan", T("Een dossier aanvullen")},
      {"AdviseBan", T("Adviseren over een maatregel")},
      {"DecideBan", T("Besluiten over een maatregel")},
      {"ExtendBan", T("Een verbod verlengen")},
      {"LiftBan", T("Een verbod opheffen")},
      {"HandOverFile", T("Een dossier overdragen")},
      {"GetBan", T("Een dossier openen")},
      {"GetTimeline", T("Het verloop van een dossier zien")},
      {"ListBans", T("De lijst van dossiers zien")},
      {"RecordInformed", T("Vastleggen dat betrokkene over de foto is verteld")},
      {"RequestRelease", T("Toestemming voor de foto vragen")},
      {"DecideConsent", T("Toestemming voor de foto geven of weigeren")},
      {"SupplyPhoto", T("De foto goedkeuren en verstrekken")},
      {"DeclineSupply", T("De foto niet verstrekken")},
      {"PreviewPhoto", T("De foto nakijken voor de vrijgave")},
      {"ReleasePhoto", T("De foto vrijgeven aan ontvangers")},
      {"DarkenPhoto", T("De foto direct afschermen")},
      {"RestorePhoto", T("De afscherming opheffen")},
      {"WithdrawWrongPhoto", T("Een verkeerde foto terugnemen")},
      {"DecidePhotoObjection", T("Beslissen op bezwaar tegen de foto")},
      {"ExportPhoto", T("De foto uitgeven")},
      {"ConfirmCopiesGone", T("Vernietiging bevestigen")},
      {"ListTasks", T("De eigen taken zien")},
      {"FindSubject", T("Zoeken wat er over iemand is")},
      {"ExportSubject", T("Een inzageverzoek beantwoorden")},
      {"CorrectFile", T("Een dossier verbeteren of wissen")},
      {"ListEntries", T("Het logboek lezen")},
      {"GetTreeHead", T("De stand van het logboek zien")},
      {"GetWords", T("De namen bij het logboek zien")},
      {"ReportDestruction", T("Het verslag van vernietiging")},
      {"SignOffPeriod", T("Een periode van het logboek aftekenen")},
      {"ListReviews", T("De controles van het logboek zien")},
      {"ListSignals", T("Signalen zien")},
      {"ExportProcessing", T("Het logboek van verwerkingen uitgeven")},
      {"GetCertificate", T("Een bewijs uit het logboek")},
      {"ReportCounts", T("De cijfers")},
      {"ListChanges", T("Voorstellen zien")},
      {"ConfirmChange", T("Een voorstel bevestigen")},
      {"RejectChange", T("Een voorstel afwijzen of intrekken")},
      {"ProposeConfiguration", T("Andere instellingen voorstellen")},
      {"ProposeClock", T("Voorstellen de klok te geloven")},
      {"GetConfiguration", T("De instellingen zien")},
      {"ProposePerson", T("Een account voorstellen")},
      {"ProposePersonChange", T("Andere rechten voorstellen")},
      {"ProposeReset", T("Een nieuw wachtwoord voorstellen")},
      {"ProposeDeputy", T("Een vervanging voorstellen")},
      {"BlockPerson", T("Een account blokkeren")},
      {"ListPeople", T("De accounts zien")},
      {"ProposeStation", T("Een werkplek voorstellen")},
      {"RevokeStation", T("Een werkplek intrekken")},
      {"ListStations", T("De werkplekken zien")},
      {"CreateBackup", T("Een back-up maken")},
      {"GetHealth", T("Zien of alles goed gaat")},
      {"CompleteEnrolment", T("Een account in gebruik nemen")},
      {"OpenSession", T("Aanmelden")},
      {"BeginOpenId", T("Aanmelden via de gemeente beginnen")},
      {"BeginSignIn", T("Aanmelden met een beveiligingssleutel beginnen")},
      {"BeginSecurityKey", T("Een eigen beveiligingssleutel gaan toevoegen")},
      {"AddSecurityKey", T("Een eigen beveiligingssleutel toevoegen")},
      {"ListSecurityKeys", T("De eigen beveiligingssleutels zien")},
      {"RemoveSecurityKey", T("Een eigen beveiligingssleutel verwijderen")},
      {"CloseSession", T("Afmelden")},
      {"GetSession", T("Zien wie er is aangemeld")},
      {"GetPolicy", T("Deze pagina zien")},
  };
  return *calls;
}

const Texts& Conditions() {
  static const Texts* const conditions = new Texts{
      {"purpose-stated", T("met een doel")},
      {"assigned-here", T("werkt op deze locatie")},
      {"own-location", T("het verbod geldt op de eigen locatie")},
      {"consent-on-record", T("de toestemming ligt vast")},
      {"ban-in-force", T("het verbod geldt nu")},
      {"photo-released", T("de foto is vrijgegeven")},
      {"photo-for-preview", T("de foto wacht op vrijgave")},
      {"named-recipient", T("is aangewezen als ontvanger")},
      {"own-unit", T("voor de eigen groep")},
      {"instruction-acknowledged", T("heeft de instructie gelezen")},
      {"not-proposer", T("stelde dit verbod niet zelf voor")},
      {"not-requester", T("vroeg de toestemming niet zelf")},
      {"not-consenter", T("gaf de toestemming niet zelf")},
      {"not-supplier", T("verstrekte de foto niet zelf")},
      {"not-decider", T("nam het besluit niet zelf")},
      {"other-team-than-hit", T("van een ander team dan het getroffene")},
      {"deciding-level", T("het niveau dat hierover besluit")},
      {"own-denial", T("de eigen ontzegging")},
      {"own-change", T("het eigen voorstel")},
      {"not-own-change", T("niet het eigen voorstel")},
      {"not-about-yourself", T("niet over zichzelf")},
  };
  return *conditions;
}

// What has no words yet is shown by its name, rather than not at all.
std::string Told(const Visit& v, const Texts& texts, const std::string& name) {
  const auto it = texts.find(name);
  return it == texts.end() ? name : v.Say(it->second);
}

View RowOf(const Visit& v, const pb::PolicyRow& row, bool repeated) {
  std::vector<std::string> who, conditions;
  if (row.caller() == "station") who.push_back(v.Say("iedereen op een werkplek"));
  if (row.caller() == "session") who.push_back(v.Say("iedereen die is aangemeld"));
  for (const int role : row.roles()) who.push_back(v.words.RoleName(static_cast<pb::Role>(role)));
  for (const std::string& condition : row.conditions())
    conditions.push_back(Told(v, Conditions(), condition));
  View view;
  view.Set("what", Told(v, Calls(), row.rpc()))
      .Set("repeated", repeated)
      .Set("who", absl::StrJoin(who, ", "));
  view.Set("conditions", absl::StrJoin(conditions, "; ")).Set("logged", row.logged());
  view.Set("yours", std::any_of(row.roles().begin(), row.roles().end(),
                                [&](int role) { return v.Has(static_cast<pb::Role>(role)); }));
  return view;
}

}  // namespace

Response PolicyPage(Visit& v) {
  pb::GetPolicyResponse response;
  const auto error =
      v.Ask<pb::SessionService>(&pb::SessionService::Stub::GetPolicy, pb::GetPolicyRequest(), &response);
  if (!error.ok()) v.Problem(error);
  std::vector<View> sections;
  const auto add = [&](const std::string& title, auto belongs) {
    std::vector<View> rows;
    std::string last;
    for (const auto& row : response.rows()) {
      if (!belongs(row.service())) continue;
      rows.push_back(RowOf(v, row, row.rpc() == last));
      last = row.rpc();
    }
    if (!rows.empty()) sections.push_back(View().Set("title", title).Set("rows", rows));
  };
  for (const ServiceText& text : kServices) {
    add(v.Say(text.title), [&](const std::string& service) { return service == text.service; });
  }
  add(v.Say("Overig"), [](const std::string& service) {
    return std::none_of(std::begin(kServices), std::end(kServices),
                        [&](const ServiceText& t) { return service == t.service; });
  });
  View view;
  view.Set("sections", sections);
  return v.Page("policy", v.Say("Wie mag wat"), std::move(view));
}

}  // namespace waarborg::station

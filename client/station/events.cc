// SPDX-License-Identifier: EUPL-1.2
#include "client/station/events.h"

#include <string_view>

namespace waarborg::station {

namespace pb = v1;

namespace {

constexpr EventKind kKinds[] = {
    {"photo-seen", T("Wie de foto zag")},         {"release", T("De procedure van de foto")},
    {"desk", T("Controles en de balie")},         {"file", T("Dossiers: lezen en beslissen")},
    {"end", T("Einde, vernietiging en kopieën")}, {"subject", T("Verzoeken van betrokkenen")},
    {"sign-in", T("Aanmelden en afmelden")},      {"accounts", T("Accounts, werkplekken en instellingen")},
    {"oversight", T("Toezicht op het logboek")},  {"system", T("Het systeem zelf")},
};

// An event in words, and the kinds under which it is found: one of its own, and the questions that auditors
// ask of a photo.
struct Event {
  const char* name;
  const char* label;  // Dutch
  const char* kind;
  bool photo_seen = false;
  bool release = false;
};
constexpr bool kSeen = true, kNotSeen = false, kStep = true;

constexpr Event kEvents[] = {
    {"ShowPhoto", T("Foto bekeken"), "photo-seen"},
    {"PreviewPhoto", T("Foto gecontroleerd vóór vrijgave"), "release", kSeen},
    {"ExportPhoto", T("Foto uitgereikt aan de politie"), "release", kSeen},

    {"RecordInformed", T("Vastgelegd dat betrokkene over de foto is verteld"), "release"},
    {"RequestRelease", T("Toestemming voor de foto gevraagd"), "release"},
    {"DecideConsent", T("Over toestemming voor de foto beslist"), "release"},
    {"SupplyPhoto", T("Foto verstrekt"), "release"},
    {"DeclineSupply", T("Foto niet verstrekt"), "release"},
    {"ReleasePhoto", T("Foto vrijgegeven"), "release"},
    {"DarkenPhoto", T("Foto afgeschermd"), "release"},
    {"RestorePhoto", T("Afscherming van de foto opgeheven"), "release"},
    {"WithdrawWrongPhoto", T("Verkeerde foto ingetrokken"), "release"},
    {"DecidePhotoObjection", T("Bezwaar tegen de foto beslist"), "release"},

    {"CheckVisitor", T("Bezoeker gecontroleerd"), "desk"},
    {"MatchShown", T("Betrokkene getoond bij een controle"), "desk"},
    {"WatchDesk", T("Lijst van de balie geopend"), "desk"},
    {"NextBriefing", T("Briefing bekeken"), "desk"},
    {"DenyOnTheSpot", T("Toegang ter plekke ontzegd"), "desk"},
    {"RecordDemand", T("Vordering vastgelegd"), "desk"},
    {"ReportBreach", T("Overtreding gemeld"), "desk"},
    {"GetInstruction", T("Instructie gelezen"), "desk"},
    {"AcknowledgeInstruction", T("Instructie bevestigd"), "desk"},
    {"ListTasks", T("Eigen taken bekeken"), "desk"},

    {"ProposeBan", T("Maatregel voorgesteld"), "file"},
    {"RaiseAlert", T("Signalement uitgegeven"), "file"},
    {"AmendBan", T("Dossier aangevuld"), "file"},
    {"AdviseBan", T("Advies gegeven"), "file"},
    {"DecideBan", T("Besluit genomen"), "file"},
    {"ExtendBan", T("Verlengd"), "file"},
    {"HandOverFile", T("Dossier overgedragen aan het archief"), "file"},
    {"GetBan", T("Dossier bekeken"), "file"},
    {"GetTimeline", T("Verloop van het dossier bekeken"), "file"},
    {"ListBans", T("Lijst van dossiers bekeken"), "file"},
    {"FileListed", T("Dossier in een lijst getoond"), "file"},

    {"LiftBan", T("Opgeheven"), "end", kNotSeen, kStep},
    {"BanExpired", T("Afgelopen"), "end", kNotSeen, kStep},
    {"BanLapsed", T("Vervallen"), "end", kNotSeen, kStep},
    {"PhotoDestructionStarted", T("Vernietiging van de foto begonnen"), "end", kNotSeen, kStep},
    {"PhotoDestroyed", T("Foto vernietigd"), "end", kNotSeen, kStep},
    {"PhotoKeyLost", T("Sleutel van de foto verloren: de foto is onleesbaar"), "end", kNotSeen, kStep},
    {"OrphanKeyDestroyed", T("Sleutel zonder foto vernietigd"), "end"},
    {"FileDestructionStarted", T("Vernietiging van het dossier begonnen"), "end"},
    {"FileDestroyed", T("Dossier vernietigd"), "end"},
    {"CopiesAsked", T("Naar kopieën van de foto gevraagd"), "end", kNotSeen, kStep},
    {"CopiesReminded", T("Aan kopieën van de foto herinnerd"), "end", kNotSeen, kStep},
    {"CopiesEscalated", T("Niet op tijd bevestigd dat er geen kopie is"), "end", kNotSeen, kStep},
    {"ConfirmCopiesGone", T("Bevestigd dat er geen kopie meer is"), "end", kNotSeen, kStep},

    {"FindSubject", T("Dossiers van een betrokkene gezocht"), "subject"},
    {"ExportSubject", T("Overzicht voor betrokkene gemaakt"), "subject"},
    {"CorrectFile", T("Dossier gecorrigeerd"), "subject"},

    {"OpenSession", T("Aangemeld"), "sign-in"},
    {"CloseSession", T("Afgemeld"), "sign-in"},
    {"GetSession", T("Eigen sessie bekeken"), "sign-in"},
    {"GetPolicy", T("Rechten bekeken"), "sign-in"},
    {"CompleteEnrolment", T("Account in gebruik genomen"), "sign-in"},

    {"ProposePerson", T("Account voorgesteld"), "accounts"},
    {"ProposePersonChange", T("Wijziging van een account voorgesteld"), "accounts"},
    {"ProposeReset", T("Herstel van een account voorgesteld"), "accounts"},
    {"ProposeDeputy", T("Vervanging voorgesteld"), "accounts"},
    {"BlockPerson", T("Account geblokkeerd"), "accounts"},
    {"ListPeople", T("Accounts bekeken"), "accounts"},
    {"StaffNameRemoved", T("Naam van een medewerker verwijderd na de termijn"), "accounts"},
    {"ProposeStation", T("Werkplek voorgesteld"), "accounts"},
    {"RevokeStation", T("Werkplek ingetrokken"), "accounts"},
    {"ListStations", T("Werkplekken bekeken"), "accounts"},
    {"ListChanges", T("Voorstellen bekeken"), "accounts"},
    {"ConfirmChange", T("Voorstel bevestigd"), "accounts"},
    {"RejectChange", T("Voorstel afgewezen"), "accounts"},
    {"ProposeConfiguration", T("Instellingen voorgesteld"), "accounts"},
    {"GetConfiguration", T("Instellingen bekeken"), "accounts"},
    {"ProposeClock", T("Voorgesteld om de klok te geloven"), "accounts"},

    {"ListEntries", T("Logboek gelezen"), "oversight"},
    {"GetTreeHead", T("Stand van het logboek gevraagd"), "oversight"},
    {"GetWords", T("Woorden bij een regel gelezen"), "oversight"},
    {"ReportDestruction", T("Overzicht van vernietigingen gevraagd"), "oversight"},
    {"SignOffPeriod", T("Periode van het logboek beoordeeld"), "oversight"},
    {"ListReviews", T("Beoordelingen bekeken"), "oversight"},
    {"ListSignals", T("Signalen bekeken"), "oversight"},
    {"ExportProcessing", T("Verwerkingen uitgevoerd naar een bestand"), "oversight"},
    {"GetCertificate", T("Verklaring van vernietiging opgevraagd"), "oversight"},
    {"ReportCounts", T("Tellingen bekeken"), "oversight"},

    {"SystemInitialised", T("Systeem ingericht"), "system"},
    {"SystemStarted", T("Systeem gestart"), "system"},
    {"GetHealth", T("Gezondheid van het systeem bekeken"), "system"},
    {"CreateBackup", T("Reservekopie gemaakt"), "system"},
    {"BackupRestored", T("Reservekopie teruggezet"), "system"},
    {"LogContinued", T("Logboek voortgezet uit een vorig logboek"), "system"},
    {"LogPruned", T("Vorig logboek opgeruimd na de bewaartermijn"), "system"},
    {"WitnessOverruled", T("Getuige van het logboek gepasseerd"), "system"},
    {"RefusalsNotListed", T("Te veel weigeringen om elk te noemen"), "system"},
    {"ConnectionsRefused", T("Verbindingen zonder goed certificaat geweigerd"), "system"},
};

bool IsOf(const Event& event, std::string_view kind) {
  return event.kind == kind || (kind == "photo-seen" && event.photo_seen) ||
         (kind == "release" && (event.release || event.kind == std::string_view("photo-seen")));
}

constexpr size_t kMostEventsAsked = 50;
constexpr bool KindsAreAskable() {
  for (const EventKind& kind : kKinds) {
    size_t found = 0;
    for (const Event& event : kEvents) found += event.kind == std::string_view(kind.code) ? 1 : 0;
    if (found == 0 || found > kMostEventsAsked / 2) return false;
  }
  return true;
}
static_assert(KindsAreAskable(),
              "a kind of event has no events, or more than the core takes in one question");
constexpr bool EventsHaveKinds() {
  for (const Event& event : kEvents) {
    bool found = false;
    for (const EventKind& kind : kKinds) found |= event.kind == std::string_view(kind.code);
    if (!found) return false;
  }
  return true;
}
static_assert(EventsHaveKinds(), "an event is of a kind that is not there");

// Rules that refuse what somebody may do, from the outside.
struct RuleWords {
  const char* name;
  const char* label;  // Dutch
};
constexpr RuleWords kRules[] = {
    {"station-unknown", T("werkplek niet bekend")},
    {"session-required", T("niet aangemeld, of de sessie was afgelopen")},
    {"session-elsewhere", T("sessie van een andere werkplek")},
    {"sign-in-failed", T("naam, wachtwoord of code klopte niet")},
    {"sign-in-throttled", T("te veel mislukte pogingen om aan te melden")},
    {"enrolment-failed", T("naam of aanmeldcode klopte niet")},
    {"role-not-allowed", T("hoort niet bij de rol")},
    {"not-assigned-here", T("niet ingedeeld op deze locatie")},
    {"location-not-served", T("deze locatie mag niet over verboden worden verteld")},
    {"not-named-recipient", T("groep is geen ontvanger van de foto")},
    {"unit-of-others", T("gaat over een andere groep")},
    {"instruction-not-acknowledged", T("instructie over foto's niet bevestigd")},
    {"ban-not-in-force", T("het verbod was niet van kracht")},
    {"photo-not-released", T("de foto was niet vrijgegeven")},
    {"photo-darkened", T("de foto was afgeschermd")},
    {"photo-not-for-preview", T("de foto was niet te controleren")},
    {"purpose-missing", T("geen doel gegeven")},
    {"proposed-it-yourself", T("had het zelf voorgesteld")},
    {"requested-it-yourself", T("had de toestemming zelf gevraagd")},
    {"consented-yourself", T("had de toestemming zelf gegeven")},
    {"supplied-it-yourself", T("had de foto zelf verstrekt")},
    {"decided-it-yourself", T("had zelf besloten")},
    {"own-team-was-hit", T("het eigen team was getroffen")},
    {"other-level-decides", T("een ander niveau beslist")},
    {"change-about-yourself", T("ging over het eigen account")},
    {"change-own-proposal", T("eigen voorstel")},
    {"change-of-another", T("voorstel van een ander")},
    {"not-found", T("bestaat niet, of niet voor deze persoon")},
    {"wrong-state", T("kan niet in deze stand")},
    {"identity-not-established", T("identiteit niet vastgesteld")},
    {"not-informed", T("betrokkene was nog niet over de foto verteld")},
    {"objection-upheld", T("bezwaar tegen de foto was gegrond")},
    {"too-many-checks", T("te veel controles achter elkaar")},
    {"too-many-photos", T("te veel foto's achter elkaar")},
    {"log-not-witnessed", T("te weinig getuigen van het logboek")},
    {"clock-in-doubt", T("de klok was niet zeker")},
    {"cannot-record", T("kon niet worden vastgelegd")},
};

template <class E>
struct Named {
  E value;
  const char* label;  // Dutch
};

template <class E, size_t N>
std::string Find(const Words& words, const Named<E> (&table)[N], E value) {
  for (const auto& row : table) {
    if (row.value == value) return words.Say(row.label);
  }
  return words.Say("onbekend");
}

constexpr Named<pb::Purpose> kPurposes[] = {
    {pb::PURPOSE_VISITOR_AT_DESK, T("bezoeker aan de balie")},
    {pb::PURPOSE_SIGHTING, T("in het gebouw gezien")},
    {pb::PURPOSE_BRIEFING, T("briefing")},
    {pb::PURPOSE_INCIDENT, T("incident")},
};
constexpr Named<pb::BanState> kBanStates[] = {
    {pb::BAN_STATE_PROPOSED, T("voorgesteld")}, {pb::BAN_STATE_PROVISIONAL, T("directe ontzegging")},
    {pb::BAN_STATE_ALERT, T("signalement")},    {pb::BAN_STATE_ACTIVE, T("besloten")},
    {pb::BAN_STATE_EXTENDED, T("verlengd")},    {pb::BAN_STATE_REJECTED, T("afgewezen")},
    {pb::BAN_STATE_LAPSED, T("vervallen")},     {pb::BAN_STATE_LIFTED, T("opgeheven")},
    {pb::BAN_STATE_EXPIRED, T("afgelopen")},
};
constexpr Named<pb::PhotoState> kPhotoStates[] = {
    {pb::PHOTO_STATE_NONE, T("geen foto gevraagd")},
    {pb::PHOTO_STATE_INFORMED, T("betrokkene is verteld")},
    {pb::PHOTO_STATE_REQUESTED, T("toestemming gevraagd")},
    {pb::PHOTO_STATE_CONSENTED, T("toestemming gegeven")},
    {pb::PHOTO_STATE_REFUSED, T("toestemming geweigerd")},
    {pb::PHOTO_STATE_DECLINED, T("niet verstrekt")},
    {pb::PHOTO_STATE_SUPPLIED, T("verstrekt")},
    {pb::PHOTO_STATE_RELEASED, T("vrijgegeven")},
    {pb::PHOTO_STATE_DARKENED, T("afgeschermd")},
    {pb::PHOTO_STATE_DESTROYING, T("wordt vernietigd")},
    {pb::PHOTO_STATE_DESTROYED, T("vernietigd")},
    {pb::PHOTO_STATE_CLOSED, T("niet meer mogelijk")},
};
constexpr Named<pb::DestructionReason> kReasons[] = {
    {pb::DESTRUCTION_REASON_BAN_ENDED, T("verbod afgelopen")},
    {pb::DESTRUCTION_REASON_BAN_LIFTED, T("verbod opgeheven")},
    {pb::DESTRUCTION_REASON_OBJECTION_UPHELD, T("bezwaar gegrond")},
    {pb::DESTRUCTION_REASON_WRONG_PHOTO, T("verkeerde foto")},
};
constexpr Named<pb::DestructionCheck> kChecks[] = {
    {pb::DESTRUCTION_CHECK_KEY_ABSENT, T("de sleutel staat niet meer in de sleutelkast")},
    {pb::DESTRUCTION_CHECK_OLD_GENERATION_GONE, T("de vorige generatie sleutels is weg")},
    {pb::DESTRUCTION_CHECK_ROW_GONE, T("de versleutelde foto staat niet meer in de database")},
    {pb::DESTRUCTION_CHECK_FILES_GONE, T("de bestanden van de database die haar bevatten zijn weg")},
    {pb::DESTRUCTION_CHECK_TRIMMED, T("de vrijgekomen ruimte is aan de schijf gemeld")},
};
constexpr Named<pb::SignalKind> kSignals[] = {
    {pb::SIGNAL_KIND_OUTSIDE_OPENING_HOURS, T("Foto bekeken buiten openingstijd")},
    {pb::SIGNAL_KIND_MANY_VIEWS, T("Veel foto's bekeken op één dag")},
    {pb::SIGNAL_KIND_MANY_CHECKS, T("Veel controles op één dag")},
    {pb::SIGNAL_KIND_OUTSIDE_ASSIGNMENT, T("Poging op een locatie zonder indeling")},
    {pb::SIGNAL_KIND_REPEATED_REFUSALS, T("Op één dag steeds weer geweigerd")},
    {pb::SIGNAL_KIND_ON_CALL_RELEASE, T("Foto vrijgegeven met de bereikbaarheidsdienst")},
};
constexpr Named<pb::DemandStep> kDemandSteps[] = {
    {pb::DEMAND_STEP_FIRST, T("Eerste vordering")}, {pb::DEMAND_STEP_SECOND, T("Tweede vordering")},
    {pb::DEMAND_STEP_THIRD, T("Derde vordering")},  {pb::DEMAND_STEP_POLICE_CALLED, T("Politie gebeld")},
    {pb::DEMAND_STEP_LEFT, T("Vertrokken")},        {pb::DEMAND_STEP_REMOVED, T("Verwijderd door politie")},
};

}  // namespace

std::span<const EventKind> EventKinds() {
  return kKinds;
}

std::vector<std::string> EventsOf(const std::string& kind) {
  std::vector<std::string> out;
  for (const Event& event : kEvents) {
    if (IsOf(event, kind)) out.emplace_back(event.name);
  }
  return out;
}

std::string EventName(const Words& words, const std::string& event) {
  for (const Event& row : kEvents) {
    if (event == row.name) return words.Say(row.label);
  }
  return event;
}

std::string RuleName(const Words& words, const std::string& rule) {
  for (const RuleWords& row : kRules) {
    if (rule == row.name) return words.Say(row.label);
  }
  return rule;
}

std::string NameOf(const Words& words, pb::Purpose purpose) {
  return Find(words, kPurposes, purpose);
}
std::string NameOf(const Words& words, pb::BanState state) {
  return Find(words, kBanStates, state);
}
std::string NameOf(const Words& words, pb::PhotoState state) {
  return Find(words, kPhotoStates, state);
}
std::string NameOf(const Words& words, pb::DestructionReason reason) {
  return Find(words, kReasons, reason);
}
std::string NameOf(const Words& words, pb::DestructionCheck check) {
  return Find(words, kChecks, check);
}
std::string NameOf(const Words& words, pb::SignalKind kind) {
  return Find(words, kSignals, kind);
}
std::string NameOf(const Words& words, pb::DemandStep step) {
  return Find(words, kDemandSteps, step);
}

}  // namespace waarborg::station

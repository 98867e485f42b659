// SPDX-License-Identifier: EUPL-1.2
// What stands in a file, in words.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/station/work.h"

namespace waarborg::station {
namespace {

View PartOf(const std::string& title, const FactList& facts) {
  View part;
  part.Set("title", title).Set("facts", facts.views());
  return part;
}

std::string Level(const Visit& v, pb::Role role) {
  return role == pb::ROLE_BOARD_SECRETARIAT ? v.Say("College van burgemeester en wethouders")
                                            : v.words.RoleName(role);
}

// "College van burgemeester en wethouders, 2 maart 2026, nummer 2026-118".
std::string DecisionText(const Visit& v, const pb::Decision& decision) {
  std::vector<std::string> parts = {Level(v, decision.level()), v.words.Day(decision.date())};
  if (!decision.number().empty()) parts.push_back(v.Say("nummer {number}", {{"number", decision.number()}}));
  return absl::StrJoin(parts, ", ");
}

std::string IdentityText(const Visit& v, const pb::Identity& identity) {
  std::vector<std::string> parts;
  if (!identity.name().surname().empty()) parts.push_back(FullName(identity.name()));
  if (identity.birth_date().year() != 0) parts.push_back(v.words.Day(identity.birth_date()));
  if (!identity.description().empty()) parts.push_back(identity.description());
  return parts.empty() ? v.Say("onbekend") : absl::StrJoin(parts, ", ");
}

void AddBreaches(Visit& v, const pb::Ban& ban, std::vector<View>& parts) {
  FactList facts;
  for (const auto& breach : ban.breaches()) {
    std::vector<std::string> what = {LocationName(v, breach.location_id())};
    if (breach.demands_size() > 0)
      what.push_back(v.Say("{n} keer gevorderd", {{"n", absl::StrCat(breach.demands_size())}}));
    if (breach.police_called()) what.push_back(v.Say("politie gebeld"));
    if (breach.outcome() == pb::BREACH_OUTCOME_LEFT) what.push_back(v.Say("vertrokken"));
    if (breach.outcome() == pb::BREACH_OUTCOME_REMOVED) what.push_back(v.Say("door de politie verwijderd"));
    facts.Add(v.words.Moment(breach.at()), absl::StrJoin(what, " · "));
  }
  if (!facts.empty()) parts.push_back(PartOf(v.Say("Overtredingen"), facts));
}

void AddCorrections(Visit& v, const pb::Ban& ban, std::vector<View>& parts) {
  FactList facts;
  for (const auto& correction : ban.corrections()) {
    std::string what = correction.reason();
    if (correction.has_previous())
      what = absl::StrCat(v.Say("was: {before}", {{"before", IdentityText(v, correction.previous())}}),
                          what.empty() ? "" : ". ", what);
    facts.Add(v.words.Moment(correction.at()),
              what.empty() ? v.Say("gegevens van betrokkene verbeterd") : what, true);
  }
  if (!facts.empty()) parts.push_back(PartOf(v.Say("Verbeteringen"), facts));
}

void AddPhoto(Visit& v, const pb::Ban& ban, std::vector<View>& parts) {
  const pb::PhotoRelease& release = ban.release();
  if (release.state() == pb::PHOTO_STATE_UNSPECIFIED) return;
  FactList facts;
  facts.Add(v.Say("Stand"), PhotoText(v, release.state()));
  if (release.informed_how() != pb::INFORMED_HOW_UNSPECIFIED) {
    const std::string how =
        release.informed_how() == pb::INFORMED_HOW_LETTER ? v.Say("brief") : v.Say("STOP-gesprek");
    facts.Add(v.Say("Betrokkene geïnformeerd"), absl::StrCat(v.words.Day(release.informed_on()), ", ", how));
  }
  for (const auto& source : v.choices().photo_sources()) {
    if (source.id() == release.source_id()) facts.Add(v.Say("Bron"), source.name());
  }
  for (const auto& basis : v.choices().legal_bases()) {
    if (basis.id() == release.legal_basis_id()) facts.Add(v.Say("Grondslag"), basis.name());
  }
  std::vector<std::string> units;
  for (const auto& unit : release.recipient_unit_ids()) units.push_back(UnitName(v, unit));
  facts.Add(v.Say("Vrijgegeven aan"), absl::StrJoin(units, ", "));
  facts.Add(v.Say("Reden van afzien"), release.decline_reason());
  if (release.state() == pb::PHOTO_STATE_DARKENED)
    facts.Add(v.Say("Waarom verduisterd"), release.darken_reason());
  if (release.objection_upheld()) facts.Add(v.Say("Bezwaar tegen de foto"), v.Say("gegrond"));
  if (release.has_destroyed_at()) facts.Add(v.Say("Vernietigd op"), v.words.Moment(release.destroyed_at()));
  for (const auto& check : release.copies()) {
    std::string what = check.confirmed_by().empty() ? v.Say("nog niet bevestigd; uiterlijk {when}",
                                                            {{"when", v.words.Moment(check.due_at())}})
                       : check.copies_found()       ? v.Say("kopieën gevonden en vernietigd")
                                                    : v.Say("niets gevonden");
    if (!check.note().empty()) absl::StrAppend(&what, ". ", check.note());
    facts.Add(v.Say("Kopieën bij {unit}", {{"unit", UnitName(v, check.unit_id())}}), what);
  }
  for (const auto& out : release.exports())
    facts.Add(v.Say("Uitgereikt aan de politie"), absl::StrCat(v.words.Moment(out.at()), ", ", out.basis()));
  parts.push_back(PartOf(v.Say("Foto"), facts));
}

}  // namespace

std::string MeasureText(const Visit& v, pb::Measure measure) {
  switch (measure) {
    case pb::MEASURE_ACCESS_BAN:
      return v.Say("Toegangsverbod");
    case pb::MEASURE_TIME_OUT:
      return v.Say("Time-out");
    default:
      return v.Say("Nog geen maatregel");
  }
}

std::string StateText(const Visit& v, const pb::Ban& ban) {
  switch (ban.state()) {
    case pb::BAN_STATE_PROPOSED:
      return v.Say("Voorgesteld");
    case pb::BAN_STATE_PROVISIONAL:
      return v.Say("Directe ontzegging");
    case pb::BAN_STATE_ALERT:
      return v.Say("Signalement");
    case pb::BAN_STATE_ACTIVE:
      return ban.in_force() ? v.Say("Van kracht") : v.Say("Nog niet ingegaan");
    case pb::BAN_STATE_EXTENDED:
      return v.Say("Van kracht, verlengd");
    case pb::BAN_STATE_REJECTED:
      return v.Say("Afgewezen");
    case pb::BAN_STATE_LAPSED:
      return v.Say("Vervallen");
    case pb::BAN_STATE_LIFTED:
      return v.Say("Opgeheven");
    case pb::BAN_STATE_EXPIRED:
      return v.Say("Afgelopen");
    default:
      return v.Say("onbekend");
  }
}

std::string PhotoText(const Visit& v, pb::PhotoState state) {
  switch (state) {
    case pb::PHOTO_STATE_NONE:
      return v.Say("Nog niets gevraagd");
    case pb::PHOTO_STATE_INFORMED:
      return v.Say("Betrokkene geïnformeerd");
    case pb::PHOTO_STATE_REQUESTED:
      return v.Say("Toestemming gevraagd");
    case pb::PHOTO_STATE_CONSENTED:
      return v.Say("Toestemming gegeven");
    case pb::PHOTO_STATE_REFUSED:
      return v.Say("Toestemming geweigerd");
    case pb::PHOTO_STATE_DECLINED:
      return v.Say("Niet verstrekt");
    case pb::PHOTO_STATE_SUPPLIED:
      return v.Say("Verstrekt, nog niet vrijgegeven");
    case pb::PHOTO_STATE_RELEASED:
      return v.Say("Vrijgegeven");
    case pb::PHOTO_STATE_DARKENED:
      return v.Say("Verduisterd");
    case pb::PHOTO_STATE_DESTROYING:
      return v.Say("Wordt vernietigd");
    case pb::PHOTO_STATE_DESTROYED:
      return v.Say("Vernietigd");
    case pb::PHOTO_STATE_CLOSED:
      return v.Say("Geen foto");
    default:
      return "";
  }
}

std::string LegalFormText(const Visit& v, pb::LegalForm form) {
  switch (form) {
    case pb::LEGAL_FORM_AWB_DECISION:
      return v.Say("Besluit (Awb): bezwaar en beroep");
    case pb::LEGAL_FORM_OWNERSHIP:
      return v.Say("Als eigenaar of houder: burgerlijke rechter");
    default:
      return "";
  }
}

std::string MonthsText(const Visit& v, const pb::Months& months) {
  if (months.max() == 0) return "";
  const std::string min = absl::StrCat(months.min()), max = absl::StrCat(months.max());
  if (months.min() == months.max())
    return months.max() == 1 ? v.Say("1 maand") : v.Say("{n} maanden", {{"n", max}});
  return v.Say("{min} tot {max} maanden", {{"min", min}, {"max", max}});
}

std::string GuidelineScopeText(const Visit& v, pb::GuidelineScope scope) {
  switch (scope) {
    case pb::GUIDELINE_SCOPE_INCIDENT_LOCATION:
      return v.Say("de locatie van het voorval");
    case pb::GUIDELINE_SCOPE_SEVERAL:
      return v.Say("een of meer locaties");
    case pb::GUIDELINE_SCOPE_ALL_MUNICIPAL:
      return v.Say("alle gemeentelijke locaties");
    default:
      return "";
  }
}

const pb::GroundChoice* FindGround(Visit& v, const std::string& id) {
  const auto& grounds = v.choices().grounds();
  const auto it = std::find_if(grounds.begin(), grounds.end(), [&](const auto& g) { return g.id() == id; });
  return it == grounds.end() ? nullptr : &*it;
}

std::string Heading(const Visit& v, const pb::Identity& identity) {
  if (!identity.name().surname().empty()) return FullName(identity.name());
  return identity.description().empty() ? v.Say("Onbekende persoon") : identity.description();
}

FactList MeasureFacts(Visit& v, const pb::Ban& ban) {
  FactList facts;
  const pb::Identity& who = ban.identity();
  std::vector<std::string> others;
  for (const auto& name : who.other_names()) others.push_back(FullName(name));
  facts.Add(v.Say("Andere namen"), absl::StrJoin(others, "; "), true);
  if (who.birth_date().year() != 0) facts.Add(v.Say("Geboortedatum"), v.words.Day(who.birth_date()), true);
  facts.Add(v.Say("Identiteit"), who.established() ? v.Say("staat vast") : v.Say("staat niet vast"));
  if (!who.name().surname().empty()) facts.Add(v.Say("Signalement"), who.description(), true);

  const pb::Terms& terms = ban.terms();
  const pb::GroundChoice* ground = FindGround(v, terms.ground_id());
  facts.Add(v.Say("Maatregel"), MeasureText(v, terms.measure()));
  facts.Add(v.Say("Grond"), ground == nullptr ? terms.ground_id() : ground->name());
  if (terms.repeat_offence()) facts.Add(v.Say("Herhaling"), v.Say("ja: de langere termijn geldt"));
  facts.Add(v.Say("Waar"), ScopeText(v, terms.has_scope() ? terms.scope() : ban.scope()));
  if (terms.has_from()) facts.Add(v.Say("Van"), v.words.Day(terms.from()));
  if (terms.has_until()) {
    facts.Add(v.Say("Tot en met"), v.words.Day(terms.until()));
  } else if (ban.has_ends_at()) {
    facts.Add(ban.state() == pb::BAN_STATE_ALERT ? v.Say("Hangt tot") : v.Say("Vervalt zonder besluit op"),
              v.words.Moment(ban.ends_at()));
  }
  facts.Add(v.Say("Rechtsvorm"), LegalFormText(v, terms.legal_form()));
  facts.Add(v.Say("Blijft mogelijk via"), ban.open_channels());
  facts.Add(v.Say("Getroffen afdeling"), ban.affected_department());
  if (!ban.incident_location_id().empty())
    facts.Add(v.Say("Gebeurd bij"), LocationName(v, ban.incident_location_id()));
  if (ban.has_proposed_at()) facts.Add(v.Say("Begonnen op"), v.words.Moment(ban.proposed_at()));
  return facts;
}

std::vector<View> FileParts(Visit& v, const pb::Ban& ban) {
  std::vector<View> parts;
  const pb::Terms& terms = ban.terms();
  const bool undecided = !ban.has_decision();
  if (const pb::GroundChoice* ground = FindGround(v, terms.ground_id()); ground != nullptr && undecided) {
    FactList guideline;
    guideline.Add(v.Say("Maatregel"), MeasureText(v, ground->measure()));
    guideline.Add(v.Say("Waar"), GuidelineScopeText(v, ground->scope()));
    guideline.Add(v.Say("Hoe lang"),
                  MonthsText(v, terms.repeat_offence() ? ground->months_repeat() : ground->months_first()));
    guideline.Add(v.Say("Wie beslist"), Level(v, ground->decided_by()));
    if (ground->secretary_advises() && ban.advised_by().empty())
      guideline.Add(v.Say("Advies"), v.Say("nodig, en nog niet gegeven"));
    parts.push_back(PartOf(v.Say("Volgens de richtlijn"), guideline));
  }
  FactList decision;
  decision.Add(v.Say("Waarom anders dan de richtlijn"), terms.departure_reason());
  decision.Add(v.Say("Advies van de gemeentesecretaris"), ban.advice());
  if (ban.has_decision()) decision.Add(v.Say("Besluit"), DecisionText(v, ban.decision()));
  for (const auto& extension : ban.extensions()) {
    decision.Add(v.Say("Verlengd tot en met"),
                 absl::StrCat(v.words.Day(extension.until()), ". ", extension.reason(), " (",
                              DecisionText(v, extension.decision()), ")"));
  }
  if (ban.has_lift())
    decision.Add(v.Say("Opgeheven"),
                 absl::StrCat(ban.lift().reason(), " (", DecisionText(v, ban.lift().decision()), ")"));
  if (ban.has_handed_over()) {
    decision.Add(v.Say("Overgedragen"),
                 absl::StrCat(v.words.Moment(ban.handed_over().at()), ", ", ban.handed_over().reference()));
  }
  if (!decision.empty()) parts.push_back(PartOf(v.Say("Advies en besluit"), decision));
  if (!undecided) AddPhoto(v, ban, parts);
  AddBreaches(v, ban, parts);
  AddCorrections(v, ban, parts);
  return parts;
}

void SetFileHead(Visit& v, const pb::Ban& ban, const std::string& back_path, const std::string& back_label,
                 View& view) {
  View back, state;
  view.Set("back", back.Set("path", back_path).Set("label", back_label)).Set("ban_id", ban.id());
  view.Set("heading", Heading(v, ban.identity())).Set("private_heading", true);
  const bool waits = ban.state() == pb::BAN_STATE_PROVISIONAL || ban.state() == pb::BAN_STATE_ALERT;
  const char* kind = waits            ? "possible"
                     : ban.in_force() ? "banned"
                     : ban.state() == pb::BAN_STATE_PROPOSED || ban.state() == pb::BAN_STATE_ACTIVE
                         ? "expected"
                         : "plain";
  view.Set("state", state.Set("kind", kind).Set("text", StateText(v, ban)));
}

}  // namespace waarborg::station

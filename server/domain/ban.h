// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "server/domain/municipality.h"
#include "server/domain/release.h"
#include "server/domain/rules.h"
#include "server/domain/types.h"

namespace waarborg::domain {

// Where a ban stands in its life. Numbers as in the API.
enum class BanState {
  kUnspecified = 0,  // does not exist yet
  kProposed,         // by ProposeBan, or an alert whose identity was established
  kProvisional,      // by DenyOnTheSpot: in force at once
  kAlert,            // by RaiseAlert: a description, no ban
  kActive,           // by DecideBan
  kExtended,         // by ExtendBan, once or more
  kRejected,         // by DecideBan; final
  kLapsed,           // a denial not confirmed in time; final
  kLifted,           // by LiftBan; final
  kExpired,          // the end has passed; final
  kCount,
};

enum class BanEvent {
  kPropose,
  kDeny,
  kRaiseAlert,
  kAmend,              // fill in or correct, identity still open
  kEstablishIdentity,  // the amendment that establishes it
  kAdvise,
  kApprove,
  kReject,
  kExtend,
  kLift,
  kEndPasses,  // the clock reached ends_at
  kCount,
};

enum class LegalForm { kUnspecified = 0, kAwbDecision, kOwnership };
enum class BreachOutcome { kUnspecified = 0, kLeft, kRemoved };

struct Terms {
  std::string ground_id;
  Measure measure = Measure::kNone;
  Scope scope;
  absl::CivilDay from;
  absl::CivilDay until;  // to and including
  bool repeat_offence = false;
  std::string departure_reason;
  LegalForm legal_form = LegalForm::kUnspecified;
};

struct Decision {
  Role level = Role::kNone;  // kMunicipalSecretary, or kBoardSecretariat for the board
  std::string number;
  absl::CivilDay date;
  std::string recorded_by;
};

struct Extension {
  absl::CivilDay previous_until;
  absl::CivilDay until;
  std::string reason;
  Decision decision;
};

struct Lift {
  std::string reason;
  Decision decision;
};

// A step in making a banned person leave. Numbers as in the API.
enum class DemandStep {
  kUnspecified = 0,
  kFirst,
  kSecond,
  kThird,
  kPoliceCalled,
  kLeft,
  kRemoved,
  kCount,
};

struct DemandToLeave {
  absl::Time at;
  std::string words;
};

struct Breach {
  absl::Time at;
  std::string location_id;
  std::string reported_by;
  std::vector<DemandToLeave> demands;
  bool police_called = false;
  BreachOutcome outcome = BreachOutcome::kUnspecified;  // unspecified: nobody recorded yet how it ended
  // Of a breach recorded step by step; absent for one reported afterwards.
  std::optional<absl::Time> police_called_at;
  std::optional<absl::Time> ended_at;
};

// A breach that nobody ended is over so long after its last step. Making somebody leave takes minutes, and
// police at most an hour or two; who comes back at another part of the day is met with a first demand.
inline constexpr absl::Duration kBreachOpenFor = absl::Hours(4);

// The file went to the archive or the case system.
struct HandedOver {
  std::string reference;
  std::string by;
  absl::Time at;
};

// Who the file is about was put right.
struct Correction {
  Identity previous;
  std::string reason;
  std::string by;
  absl::Time at;
};

// A file: one person concerned, one measure, its decisions and its photo release.
struct Ban {
  std::string id;
  BanState state = BanState::kUnspecified;
  Identity identity;
  std::optional<Terms> terms;  // absent for a denial or alert whose terms were not filled in
  std::string reasons;
  std::string affected_department;
  std::string open_channels;
  std::string proposed_by;
  std::vector<std::string> prepared_by;  // who else wrote in the file before the decision
  absl::Time proposed_at;
  std::string incident_location_id;  // denials and alerts
  Scope scope;                       // where it holds now
  absl::Time starts_at;              // in force from here ...
  absl::Time ends_at;                // ... to before here
  std::string advice;
  std::string advised_by;
  std::optional<Decision> decision;
  std::vector<Extension> extensions;
  std::optional<Lift> lift;
  std::vector<Breach> breaches;
  std::optional<HandedOver> handed_over;
  Release release;
  std::vector<Correction> corrections;  // in order; no desk matches what they put right
};

// The transition table: the state after `event` in `from`, or nothing when the event does not fit.
std::optional<BanState> NextState(BanState from, BanEvent event);
bool IsFinal(BanState state);
// True in the states in which desks act on the file while its dates hold.
bool IsEnforceable(BanState state);

// Whether desks act on it at this instant. Computed, so that no job has to run for a ban to have ended.
bool InForce(const Ban& ban, absl::Time now);
// True when the end has passed and the state does not show it yet: work for the clock.
bool EndIsDue(const Ban& ban, absl::Time now);

// What a decision on the ban needs besides the state table.
struct DecisionInput {
  Role level = Role::kNone;  // level at which the caller acts
  std::string number;
  std::optional<absl::CivilDay> date;
  std::string person_id;
};

// All of these check everything first and change the ban only when they return kAllowed. `now` is the instant
// of the entry.

// Terms against the guideline. A departure is allowed with a reason; dates and ids must be right in any case.
Verdict CheckTerms(const Municipality& m, const Terms& terms, absl::Time now);
Verdict Propose(const Municipality& m, Ban& ban, absl::Time now);
Verdict Deny(const Municipality& m, Ban& ban, absl::Time now);
Verdict RaiseAlert(const Municipality& m, Ban& ban, absl::CivilDay until, absl::Time now);

struct Amendment {
  std::optional<Identity> identity;
  std::optional<Terms> terms;
  std::string reasons;
  std::string affected_department;
  std::string open_channels;
  std::string person_id;  // who amends
};
// Once decided, a file only gains earlier names: who it is about, what happened and what stays open are what
// was decided.
Verdict Amend(const Municipality& m, Ban& ban, const Amendment& amendment, absl::Time now);
// Puts right who the file is about, in any state: what is held has to be right for as long as it is held. The
// identity that was is kept beside it. Does not establish an identity, nor take that back.
Verdict Correct(Ban& ban, const Identity& identity, const std::string& reason, const std::string& person_id,
                absl::Time now);
Verdict Advise(Ban& ban, const std::string& advice, const std::string& person_id);
// The level that decides on these terms, per guideline.
Role DecidingLevel(const Municipality& m, const Ban& ban);
Verdict Decide(const Municipality& m, Ban& ban, bool approve, const DecisionInput& input, absl::Time now);
Verdict Extend(Ban& ban, absl::CivilDay until, const std::string& reason, const DecisionInput& input,
               absl::Time now);
Verdict LiftBan(const Municipality& m, Ban& ban, const std::string& reason, const DecisionInput& input,
                absl::Time now);
// The clock: expired or lapsed; the photo's release ends with it. Only when EndIsDue.
void PassEnd(const Municipality& m, Ban& ban, absl::Time now);
// After an older backup was put back: the log proves that this photo was destroyed at that time, for that
// reason, and where the ban stood then. Returns true when the photo was thought to be there.
bool RepeatDestruction(const Municipality& m, Ban& ban, const std::string& photo_id, DestructionReason reason,
                       BanState state, absl::Time at);
// A breach as it is told afterwards.
Verdict AddBreach(const Municipality& m, Ban& ban, const Breach& breach, absl::Time now);

// A breach as it happens, one step at a time: which step fits is a table. The first begins a breach; steps
// taken at one location belong to one breach until it ends.
struct DemandMade {
  DemandStep step = DemandStep::kUnspecified;
  std::string location_id;
  std::string person_id;
};
Verdict RecordDemand(const Municipality& m, Ban& ban, const DemandMade& made, absl::Time now);
// The instant from which a breach that nobody ends is over; InfinitePast when it was ended or reported
// afterwards.
absl::Time OpenUntil(const Breach& breach);
// The breach that is open at the location, or null. Lives as long as the ban.
const Breach* OpenBreach(const Ban& ban, const std::string& location_id, absl::Time now);
// The steps that RecordDemand would take now, in order.
std::vector<DemandStep> NextDemandSteps(const Municipality& m, const Ban& ban, const std::string& location_id,
                                        absl::Time now);

}  // namespace waarborg::domain

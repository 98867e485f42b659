// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <span>
#include <string_view>

#include "server/domain/types.h"

namespace waarborg::access {

// Every call of the API, by service and method name in the table (policy.cc). A call that is not here cannot
// be bound to the server; a row that is missing for one that is here fails the build.
enum class Rpc {
  kCompleteEnrolment,
  kOpenSession,
  kBeginOpenId,
  kCloseSession,
  kGetSession,
  kGetPolicy,
  kGetHealth,
  kListChanges,
  kConfirmChange,
  kRejectChange,
  kProposeConfiguration,
  kProposeClock,
  kGetConfiguration,
  kProposePerson,
  kProposePersonChange,
  kProposeReset,
  kProposeDeputy,
  kBlockPerson,
  kListPeople,
  kProposeStation,
  kRevokeStation,
  kListStations,
  kProposeBan,
  kDenyOnTheSpot,
  kRaiseAlert,
  kAmendBan,
  kAdviseBan,
  kDecideBan,
  kExtendBan,
  kLiftBan,
  kHandOverFile,
  kGetBan,
  kGetTimeline,
  kListBans,
  kRecordInformed,
  kRequestRelease,
  kDecideConsent,
  kSupplyPhoto,
  kDeclineSupply,
  kPreviewPhoto,
  kReleasePhoto,
  kDarkenPhoto,
  kRestorePhoto,
  kWithdrawWrongPhoto,
  kDecidePhotoObjection,
  kExportPhoto,
  kConfirmCopiesGone,
  kCheckVisitor,
  kShowPhoto,
  kNextBriefing,
  kWatchDesk,
  kRecordDemand,
  kReportBreach,
  kGetInstruction,
  kAcknowledgeInstruction,
  kListEntries,
  kGetTreeHead,
  kGetWords,
  kReportDestruction,
  kSignOffPeriod,
  kListReviews,
  kListSignals,
  kExportProcessing,
  kGetCertificate,
  kReportCounts,
  kFindSubject,
  kExportSubject,
  kCorrectFile,
  kListTasks,
  kCreateBackup,
  kBeginSignIn,
  kBeginSecurityKey,
  kAddSecurityKey,
  kListSecurityKeys,
  kRemoveSecurityKey,
  kRpcCount,
};

// Who a row is about.
enum class Caller {
  kStation,  // anyone at a registered station
  kSession,  // anyone signed in
  kRole,     // somebody who holds one of the roles
};

// What must hold besides the role. Checked in this order; the first that fails is the refusal.
enum class Condition {
  kPurposeStated,    // a purpose is given
  kAssignedHere,     // the person is assigned to the location of the station
  kOwnLocation,      // the ban holds at the location of the station; else it does not exist for this caller
  kConsentOnRecord,  // the file has come to Burgerzaken; else it does not exist for this caller
  kBanInForce,       // the ban is in force now
  kPhotoReleased,    // the photo is released and not darkened
  kPhotoForPreview,  // the photo is supplied and not released yet
  kNamedRecipient,   // a unit of the person is among the recipients
  kOwnUnit,  // the unit the call is about is one of the person's, and was asked about copies of the photo
  kInstructionAcknowledged,  // the person acknowledged the instruction in force
  kNotProposer,              // the person did not propose the measure
  kNotRequester,             // the person did not ask for the consent
  kNotConsenter,             // the person did not give the consent
  kNotSupplier,              // the person did not supply the photo
  kNotDecider,               // the person did not take the decision on the ban
  kOtherTeamThanHit,         // the person's department was not the one hit (none written: not the proposer)
  kDecidingLevel,            // the role is the level that decides, per guideline or earlier decision
  kOwnDenial,                // the person denied on the spot, and nobody decided yet
  kOwnChange,                // the person proposed the change
  kNotOwnChange,             // the person did not propose the change
  kNotAboutYourself,         // the change is not about the person's own account
  kCount,
};
const char* NameOf(Condition condition);

class ConditionSet {
 public:
  constexpr ConditionSet() = default;
  constexpr ConditionSet(std::initializer_list<Condition> list) {
    for (Condition c : list) bits_ |= 1u << static_cast<unsigned>(c);
  }
  constexpr bool Has(Condition c) const { return (bits_ >> static_cast<unsigned>(c)) & 1u; }
  constexpr bool empty() const { return bits_ == 0; }

 private:
  uint32_t bits_ = 0;
};

// Whether an allowed call leaves an entry. Refused calls always do.
enum class Entry { kLogged, kNotLogged };

struct Row {
  Rpc rpc;
  Caller caller;
  domain::RoleSet roles;
  ConditionSet conditions;
  Entry entry = Entry::kLogged;
};

struct RpcName {
  Rpc rpc;
  const char* service;
  const char* method;
};

// What is counted of a person and of a station, and capped by the configuration.
enum class Counts { kNothing, kChecks, kPhotos };
struct Quota {
  Rpc rpc;
  Counts counts;
};
Counts CountsAs(Rpc rpc);
// Whether making the call shows that somebody is there, and keeps a session from idling out.
bool IsUse(Rpc rpc);
// Whether an answer depends on the day and hour: refused while the clock is in doubt.
bool NeedsTheTime(Rpc rpc);

// The whole table, and the rows of one call.
std::span<const Row> Policy();
const RpcName& NameOf(Rpc rpc);

}  // namespace waarborg::access

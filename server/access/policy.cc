// SPDX-License-Identifier: EUPL-1.2
#include "server/access/policy.h"

namespace waarborg::access {
namespace {

using enum Rpc;
using enum Condition;
using C = Caller;
using R = domain::Role;
using domain::RoleSet;

// clang-format off
constexpr RoleSet kAdmin{R::kAdministrator};
constexpr RoleSet kPrivacy{R::kPrivacyOfficer};
constexpr RoleSet kConfirmers{R::kPrivacyOfficer, R::kMunicipalSecretary};
constexpr RoleSet kAdminAndConfirmers{R::kAdministrator, R::kPrivacyOfficer, R::kMunicipalSecretary};
constexpr RoleSet kSupervisors{R::kAuditor, R::kDataProtectionOfficer};
constexpr RoleSet kOverseers{R::kAdministrator, R::kPrivacyOfficer, R::kMunicipalSecretary, R::kAuditor,
                             R::kDataProtectionOfficer};
constexpr RoleSet kLevels{R::kMunicipalSecretary, R::kBoardSecretariat};
constexpr RoleSet kCaseworkers{R::kManager, R::kSecurityCoordinator, R::kMunicipalSecretary, R::kBoardSecretariat,
                               R::kLegal, R::kPrivacyOfficer};
constexpr RoleSet kRecipients{R::kDeskStaff, R::kPoliceContact};

// RPC, who, roles, conditions. Several rows for one RPC: any of them will do.
constexpr Row kPolicy[] = {
    {kCompleteEnrolment, C::kStation, {}, {}},
    {kOpenSession,       C::kStation, {}, {}},
    {kBeginOpenId,       C::kStation, {}, {}, Entry::kNotLogged},
    {kCloseSession,      C::kSession, {}, {}},
    {kGetSession,        C::kSession, {}, {}, Entry::kNotLogged},
    {kGetPolicy,         C::kSession, {}, {}, Entry::kNotLogged},
    {kGetHealth,         C::kStation, {}, {}, Entry::kNotLogged},

    {kListChanges,          C::kRole, kOverseers,          {}},
    {kConfirmChange,        C::kRole, kConfirmers,         {kNotOwnChange, kNotAboutYourself}},
    {kRejectChange,         C::kRole, kConfirmers,         {}},
    {kRejectChange,         C::kRole, kAdmin,              {kOwnChange}},
    {kProposeConfiguration, C::kRole, kAdmin,              {}},
    {kProposeClock,         C::kRole, kAdmin,              {}},
    {kGetConfiguration,     C::kSession, {},               {}, Entry::kNotLogged},

    {kProposePerson,       C::kRole, kAdmin,              {}},
    {kProposePersonChange, C::kRole, kAdmin,              {}},
    {kProposeReset,        C::kRole, kAdmin,              {}},
    {kProposeDeputy,       C::kRole, kAdmin,              {}},
    {kBlockPerson,         C::kRole, kAdminAndConfirmers, {}},
    {kListPeople,          C::kRole, kOverseers,          {}},

    {kProposeStation, C::kRole, kAdmin,              {}},
    {kRevokeStation,  C::kRole, kAdminAndConfirmers, {}},
    {kListStations,   C::kRole, kOverseers,          {}},

    {kProposeBan,    C::kRole, {R::kManager}, {}},
    {kDenyOnTheSpot, C::kRole, {R::kDeskStaff}, {kAssignedHere}},
    {kDenyOnTheSpot, C::kRole, {R::kManager, R::kSecurityCoordinator}, {}},
    {kRaiseAlert,    C::kRole, {R::kSecurityCoordinator}, {}},
    {kAmendBan,      C::kRole, {R::kManager, R::kSecurityCoordinator}, {}},
    {kAmendBan,      C::kRole, {R::kDeskStaff}, {kAssignedHere, kOwnLocation, kOwnDenial}},
    {kAdviseBan,     C::kRole, {R::kMunicipalSecretary}, {}},
    {kDecideBan,     C::kRole, kLevels, {kNotProposer, kDecidingLevel}},
    {kExtendBan,     C::kRole, kLevels, {kNotProposer, kNotConsenter, kDecidingLevel}},
    {kLiftBan,       C::kRole, kLevels, {kDecidingLevel}},
    {kHandOverFile,  C::kRole, {R::kLegal, R::kPrivacyOfficer}, {}},
    {kGetBan,        C::kRole, kCaseworkers, {}},
    {kGetBan,        C::kRole, {R::kCivilAffairs}, {kConsentOnRecord}},
    {kGetBan,        C::kRole, {R::kPoliceContact}, {kBanInForce}},
    {kGetTimeline,   C::kRole, kCaseworkers, {}},
    {kGetTimeline,   C::kRole, {R::kCivilAffairs}, {kConsentOnRecord}},
    {kGetTimeline,   C::kRole, {R::kPoliceContact}, {kBanInForce}},
    {kListBans,      C::kRole, kCaseworkers, {}},
    {kListBans,      C::kRole, {R::kCivilAffairs}, {kConsentOnRecord}},
    {kListBans,      C::kRole, {R::kPoliceContact}, {kBanInForce}},

    {kRecordInformed,       C::kRole, {R::kManager, R::kSecurityCoordinator}, {}},
    {kRequestRelease,       C::kRole, {R::kSecurityCoordinator}, {}},
    {kDecideConsent,        C::kRole, {R::kManager}, {kNotRequester, kOtherTeamThanHit}},
    {kSupplyPhoto,          C::kRole, {R::kCivilAffairs}, {kNotRequester, kNotConsenter}},
    {kDeclineSupply,        C::kRole, {R::kCivilAffairs}, {kNotRequester, kNotConsenter}},
    {kPreviewPhoto,         C::kRole, {R::kCivilAffairs}, {kPhotoForPreview}},
    {kReleasePhoto,         C::kRole, {R::kSecurityCoordinator}, {kNotConsenter, kNotSupplier}},
    {kDarkenPhoto,          C::kRole, {R::kSecurityCoordinator}, {}},
    {kRestorePhoto,         C::kRole, {R::kSecurityCoordinator}, {}},
    {kWithdrawWrongPhoto,   C::kRole, {R::kCivilAffairs}, {}},
    {kDecidePhotoObjection, C::kRole, {R::kLegal}, {kNotConsenter, kNotDecider}},
    {kExportPhoto,          C::kRole, {R::kPoliceContact}, {kPurposeStated, kBanInForce, kPhotoReleased, kNamedRecipient,
                                                            kInstructionAcknowledged}},
    {kConfirmCopiesGone,    C::kRole, kRecipients, {kOwnUnit}},
    {kConfirmCopiesGone,    C::kRole, {R::kSecurityCoordinator}, {}},

    {kCheckVisitor, C::kRole, {R::kDeskStaff}, {kPurposeStated, kAssignedHere}},
    {kShowPhoto,    C::kRole, {R::kDeskStaff}, {kPurposeStated, kAssignedHere, kOwnLocation, kBanInForce,
                                                kPhotoReleased, kNamedRecipient, kInstructionAcknowledged}},
    {kShowPhoto,    C::kRole, {R::kPoliceContact}, {kPurposeStated, kBanInForce, kPhotoReleased, kNamedRecipient,
                                                    kInstructionAcknowledged}},
    {kNextBriefing,           C::kRole, {R::kDeskStaff}, {kAssignedHere}},
    {kWatchDesk,              C::kRole, {R::kDeskStaff}, {kAssignedHere}},
    {kRecordDemand,           C::kRole, {R::kDeskStaff}, {kAssignedHere, kOwnLocation, kBanInForce}},
    {kReportBreach,           C::kRole, {R::kDeskStaff}, {kAssignedHere, kOwnLocation, kBanInForce}},
    {kGetInstruction,         C::kRole, kRecipients, {}, Entry::kNotLogged},
    {kAcknowledgeInstruction, C::kRole, kRecipients, {}},

    {kListEntries, C::kRole, kSupervisors, {}},
    {kGetTreeHead, C::kRole, kSupervisors, {}, Entry::kNotLogged},
    {kGetWords,          C::kRole, {R::kLegal, R::kDataProtectionOfficer}, {}},
    {kReportDestruction, C::kRole, kSupervisors, {}},
    {kSignOffPeriod,     C::kRole, kSupervisors, {}},
    {kListReviews,       C::kRole, kSupervisors, {}},
    {kListSignals,       C::kRole, kSupervisors, {}},
    {kExportProcessing,  C::kRole, {R::kAuditor, R::kDataProtectionOfficer, R::kPrivacyOfficer}, {}},
    {kGetCertificate,    C::kRole, {R::kAuditor, R::kDataProtectionOfficer, R::kPrivacyOfficer, R::kLegal,
                                    R::kSecurityCoordinator}, {}},
    {kReportCounts,      C::kRole, {R::kAuditor, R::kDataProtectionOfficer, R::kPrivacyOfficer, R::kHr,
                                    R::kMunicipalSecretary}, {}},

    {kFindSubject,   C::kRole, kPrivacy, {}},
    {kExportSubject, C::kRole, kPrivacy, {}},
    {kCorrectFile,   C::kRole, kPrivacy, {}},

    {kListTasks, C::kSession, {}, {}},

    {kCreateBackup, C::kRole, kAdmin, {}},

    {kBeginSignIn,       C::kStation, {}, {}, Entry::kNotLogged},
    {kBeginSecurityKey,  C::kSession, {}, {}},
    {kAddSecurityKey,    C::kSession, {}, {}},
    {kListSecurityKeys,  C::kSession, {}, {}, Entry::kNotLogged},
    {kRemoveSecurityKey, C::kSession, {}, {}},
};

constexpr RpcName kNames[] = {
    {kCompleteEnrolment, "SessionService", "CompleteEnrolment"},
    {kOpenSession, "SessionService", "OpenSession"},
    {kBeginOpenId, "SessionService", "BeginOpenId"},
    {kCloseSession, "SessionService", "CloseSession"},
    {kGetSession, "SessionService", "GetSession"},
    {kGetPolicy, "SessionService", "GetPolicy"},
    {kGetHealth, "HealthService", "GetHealth"},
    {kListChanges, "ChangeService", "ListChanges"},
    {kConfirmChange, "ChangeService", "ConfirmChange"},
    {kRejectChange, "ChangeService", "RejectChange"},
    {kProposeConfiguration, "ChangeService", "ProposeConfiguration"},
    {kProposeClock, "ChangeService", "ProposeClock"},
    {kGetConfiguration, "ChangeService", "GetConfiguration"},
    {kProposePerson, "PeopleService", "ProposePerson"},
    {kProposePersonChange, "PeopleService", "ProposePersonChange"},
    {kProposeReset, "PeopleService", "ProposeReset"},
    {kProposeDeputy, "PeopleService", "ProposeDeputy"},
    {kBlockPerson, "PeopleService", "BlockPerson"},
    {kListPeople, "PeopleService", "ListPeople"},
    {kProposeStation, "StationService", "ProposeStation"},
    {kRevokeStation, "StationService", "RevokeStation"},
    {kListStations, "StationService", "ListStations"},
    {kProposeBan, "BanService", "ProposeBan"},
    {kDenyOnTheSpot, "BanService", "DenyOnTheSpot"},
    {kRaiseAlert, "BanService", "RaiseAlert"},
    {kAmendBan, "BanService", "AmendBan"},
    {kAdviseBan, "BanService", "AdviseBan"},
    {kDecideBan, "BanService", "DecideBan"},
    {kExtendBan, "BanService", "ExtendBan"},
    {kLiftBan, "BanService", "LiftBan"},
    {kHandOverFile, "BanService", "HandOverFile"},
    {kGetBan, "BanService", "GetBan"},
    {kGetTimeline, "BanService", "GetTimeline"},
    {kListBans, "BanService", "ListBans"},
    {kRecordInformed, "PhotoReleaseService", "RecordInformed"},
    {kRequestRelease, "PhotoReleaseService", "RequestRelease"},
    {kDecideConsent, "PhotoReleaseService", "DecideConsent"},
    {kSupplyPhoto, "PhotoReleaseService", "SupplyPhoto"},
    {kDeclineSupply, "PhotoReleaseService", "DeclineSupply"},
    {kPreviewPhoto, "PhotoReleaseService", "PreviewPhoto"},
    {kReleasePhoto, "PhotoReleaseService", "ReleasePhoto"},
    {kDarkenPhoto, "PhotoReleaseService", "DarkenPhoto"},
    {kRestorePhoto, "PhotoReleaseService", "RestorePhoto"},
    {kWithdrawWrongPhoto, "PhotoReleaseService", "WithdrawWrongPhoto"},
    {kDecidePhotoObjection, "PhotoReleaseService", "DecidePhotoObjection"},
    {kExportPhoto, "PhotoReleaseService", "ExportPhoto"},
    {kConfirmCopiesGone, "PhotoReleaseService", "ConfirmCopiesGone"},
    {kCheckVisitor, "CheckService", "CheckVisitor"},
    {kShowPhoto, "CheckService", "ShowPhoto"},
    {kNextBriefing, "CheckService", "NextBriefing"},
    {kWatchDesk, "CheckService", "WatchDesk"},
    {kRecordDemand, "CheckService", "RecordDemand"},
    {kReportBreach, "CheckService", "ReportBreach"},
    {kGetInstruction, "CheckService", "GetInstruction"},
    {kAcknowledgeInstruction, "CheckService", "AcknowledgeInstruction"},
    {kListEntries, "AuditService", "ListEntries"},
    {kGetTreeHead, "AuditService", "GetTreeHead"},
    {kGetWords, "AuditService", "GetWords"},
    {kReportDestruction, "AuditService", "ReportDestruction"},
    {kSignOffPeriod, "AuditService", "SignOffPeriod"},
    {kListReviews, "AuditService", "ListReviews"},
    {kListSignals, "AuditService", "ListSignals"},
    {kExportProcessing, "AuditService", "ExportProcessing"},
    {kGetCertificate, "AuditService", "GetCertificate"},
    {kReportCounts, "AuditService", "ReportCounts"},
    {kFindSubject, "SubjectService", "FindSubject"},
    {kExportSubject, "SubjectService", "ExportSubject"},
    {kCorrectFile, "SubjectService", "CorrectFile"},
    {kListTasks, "TaskService", "ListTasks"},
    {kCreateBackup, "BackupService", "CreateBackup"},
    {kBeginSignIn, "SecurityKeyService", "BeginSignIn"},
    {kBeginSecurityKey, "SecurityKeyService", "BeginSecurityKey"},
    {kAddSecurityKey, "SecurityKeyService", "AddSecurityKey"},
    {kListSecurityKeys, "SecurityKeyService", "ListSecurityKeys"},
    {kRemoveSecurityKey, "SecurityKeyService", "RemoveSecurityKey"},
};

// Calls whose frequency says something about what somebody is after.
constexpr Quota kQuotas[] = {
    {kCheckVisitor, Counts::kChecks},
    {kNextBriefing, Counts::kChecks},
    {kWatchDesk, Counts::kChecks},
    {kFindSubject, Counts::kChecks},
    {kShowPhoto, Counts::kPhotos},
    {kPreviewPhoto, Counts::kPhotos},
    {kExportPhoto, Counts::kPhotos},
};

constexpr const char* kConditionNames[] = {
    "purpose-stated", "assigned-here", "own-location", "consent-on-record", "ban-in-force", "photo-released",
    "photo-for-preview", "named-recipient", "own-unit", "instruction-acknowledged", "not-proposer", "not-requester",
    "not-consenter", "not-supplier", "not-decider", "other-team-than-hit", "deciding-level", "own-denial", "own-change", "not-own-change", "not-about-yourself",
};
// clang-format on

constexpr bool EveryRpcHasARow() {
  for (size_t i = 0; i < static_cast<size_t>(Rpc::kRpcCount); ++i) {
    bool found = false;
    for (const Row& row : kPolicy) found |= row.rpc == static_cast<Rpc>(i);
    if (!found) return false;
  }
  return true;
}
static_assert(EveryRpcHasARow(), "an RPC has no row in the policy table");

constexpr bool NamesInOrder() {
  for (size_t i = 0; i < static_cast<size_t>(Rpc::kRpcCount); ++i) {
    if (kNames[i].rpc != static_cast<Rpc>(i)) return false;
  }
  return true;
}
static_assert(sizeof(kNames) / sizeof(kNames[0]) == static_cast<size_t>(Rpc::kRpcCount),
              "an RPC has no name");
static_assert(NamesInOrder(), "the names stand in another order than the RPCs");
static_assert(sizeof(kConditionNames) / sizeof(kConditionNames[0]) == static_cast<size_t>(Condition::kCount),
              "a condition has no name");

constexpr bool RoleRowsNameRoles() {
  for (const Row& row : kPolicy) {
    if ((row.caller == Caller::kRole) == row.roles.empty()) return false;
  }
  return true;
}
static_assert(RoleRowsNameRoles(), "a row by role names no role, or another row names one");

}  // namespace

std::span<const Row> Policy() {
  return kPolicy;
}
const RpcName& NameOf(Rpc rpc) {
  return kNames[static_cast<size_t>(rpc)];
}
Counts CountsAs(Rpc rpc) {
  for (const Quota& quota : kQuotas) {
    if (quota.rpc == rpc) return quota.counts;
  }
  return Counts::kNothing;
}
// A list that a screen opens by itself, and opens again when it was cut off, says nothing about who is there.
bool IsUse(Rpc rpc) {
  return rpc != kWatchDesk;
}
// Who may sign in, and the changes that mend a clock, do not depend on what day it is.
bool NeedsTheTime(Rpc rpc) {
  const std::string_view service = NameOf(rpc).service;
  return service == "BanService" || service == "PhotoReleaseService" || service == "CheckService" ||
         service == "SubjectService" || service == "TaskService";
}
const char* NameOf(Condition condition) {
  return kConditionNames[static_cast<size_t>(condition)];
}

}  // namespace waarborg::access

// SPDX-License-Identifier: EUPL-1.2
#include "server/rpc/steps.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace waarborg::rpc {
namespace {

using R = domain::Role;
using domain::RoleSet;

// Who reads a whole file reads all of its timeline. Burgerzaken see what leads to the photo they supply, the
// police contact what holds and until when.
constexpr RoleSet kCase{R::kSecurityCoordinator, R::kManager, R::kMunicipalSecretary,
                        R::kBoardSecretariat,    R::kLegal,   R::kPrivacyOfficer};
constexpr RoleSet kCaseAndSupply{R::kSecurityCoordinator, R::kManager, R::kMunicipalSecretary,
                                 R::kBoardSecretariat,    R::kLegal,   R::kPrivacyOfficer,
                                 R::kCivilAffairs};
constexpr RoleSet kEverybody{R::kSecurityCoordinator, R::kManager,      R::kMunicipalSecretary,
                             R::kBoardSecretariat,    R::kLegal,        R::kPrivacyOfficer,
                             R::kCivilAffairs,        R::kPoliceContact};
constexpr RoleSet kExports{R::kSecurityCoordinator, R::kLegal};

struct Step {
  const char* event;
  RoleSet shown_to;
};

// In the order of the procedure. The first are calls, the last what happens by itself.
constexpr Step kSteps[] = {
    {"ProposeBan", kEverybody},
    {"DenyOnTheSpot", kEverybody},
    {"RaiseAlert", kEverybody},
    {"AmendBan", kCase},
    {"AdviseBan", kCase},
    {"DecideBan", kEverybody},
    {"ExtendBan", kEverybody},
    {"LiftBan", kEverybody},
    {"RecordInformed", kCaseAndSupply},
    {"RequestRelease", kCaseAndSupply},
    {"DecideConsent", kCaseAndSupply},
    {"SupplyPhoto", kCaseAndSupply},
    {"DeclineSupply", kCaseAndSupply},
    {"ReleasePhoto", kCaseAndSupply},
    {"DarkenPhoto", kCaseAndSupply},
    {"RestorePhoto", kCaseAndSupply},
    {"WithdrawWrongPhoto", kCaseAndSupply},
    {"DecidePhotoObjection", kCaseAndSupply},
    {"ExportPhoto", kExports},
    {"ConfirmCopiesGone", kCaseAndSupply},
    {"RecordDemand", kCase},
    {"ReportBreach", kCase},
    {"CorrectFile", kEverybody},
    {"HandOverFile", kCase},
    {"BanExpired", kEverybody},
    {"BanLapsed", kEverybody},
    {"PhotoDestroyed", kCaseAndSupply},
};

}  // namespace

absl::Status ReadSteps(const journal::LogReader& log, const std::string& ban_id,
                       const std::function<bool(const journal::LogEntry&)>& each) {
  journal::LogQuery query;
  query.ban_id = ban_id;
  for (const Step& step : kSteps) query.events.emplace_back(step.event);
  return log.ReadBack(query, [&](const journal::LogEntry& entry) {
    const bool taken =
        entry.record && entry.record->result() == waarborg::v1::RESULT_DONE && !entry.record->replayed();
    return !taken || each(entry);
  });
}

bool IsShownStep(domain::Role role, const std::string& event) {
  const auto step =
      std::find_if(std::begin(kSteps), std::end(kSteps), [&](const Step& s) { return event == s.event; });
  return step != std::end(kSteps) && step->shown_to.Has(role);
}

}  // namespace waarborg::rpc

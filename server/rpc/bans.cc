// SPDX-License-Identifier: EUPL-1.2
#include <algorithm>

#include "server/domain/file_term.h"
#include "server/rpc/calls.h"
#include "server/rpc/log_reading.h"
#include "server/rpc/steps.h"
#include "server/rpc/views.h"
#include "server/state/codec.h"
#include "waarborg/v1/bans.grpc.pb.h"

namespace waarborg::rpc {
namespace {

using access::Rpc;
using domain::Outcome;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;

constexpr size_t kMaxWords = 4000;
constexpr size_t kMaxShort = 500;
constexpr size_t kMaxReference = 100;
constexpr int kMaxPage = 200;
constexpr int kDefaultPage = 50;
constexpr int kMaxSteps = 1000;

#define WB_CHECK(expression) \
  if (auto verdict_ = (expression)) return *verdict_

// Texts that every file has.
template <class Request>
Verdict CheckFileTexts(const Request& in) {
  if (auto v = state::CheckText(in.reasons(), kMaxWords, "reasons")) return v;
  if (auto v = state::CheckText(in.affected_department(), 80, "affected_department")) return v;
  return state::CheckText(in.open_channels(), kMaxShort, "open_channels");
}

domain::Ban NewBan(Context& c) {
  domain::Ban ban;
  do {
    ban.id = c.turn.random().Id("LV-");
  } while (c.world().FindBan(ban.id) != nullptr);
  ban.proposed_by = c.me();
  ban.incident_location_id = c.asker.station->location_id;
  return ban;
}

Outcome<std::string> ProposeBan(Context& c, const pb::ProposeBanRequest& in, pb::ProposeBanResponse&) {
  WB_CHECK(CheckFileTexts(in));
  auto identity = state::IdentityFrom(in.identity(), "identity");
  if (!identity.ok()) return identity.refusal();
  if (!in.has_terms()) return Refusal(Rule::kFieldMissing, "terms");
  auto terms = state::TermsFrom(in.terms(), "terms");
  if (!terms.ok()) return terms.refusal();
  domain::Ban ban = NewBan(c);
  ban.incident_location_id.clear();
  ban.identity = *identity;
  ban.terms = *terms;
  ban.reasons = in.reasons();
  ban.affected_department = in.affected_department();
  ban.open_channels = in.open_channels();
  WB_CHECK(domain::Propose(c.municipality(), ban, c.now()));
  std::string id = ban.id;
  c.AddWords("reasons", in.reasons());
  c.Keep(std::move(ban));
  return id;
}

Outcome<std::string> DenyOnTheSpot(Context& c, const pb::DenyOnTheSpotRequest& in,
                                   pb::DenyOnTheSpotResponse& out) {
  WB_CHECK(c.Require({}));
  auto identity = state::IdentityFrom(in.identity(), "identity");
  if (!identity.ok()) return identity.refusal();
  domain::Ban ban = NewBan(c);
  ban.identity = *identity;
  WB_CHECK(domain::Deny(c.municipality(), ban, c.now()));
  *out.mutable_lapses_at() = state::ToProto(ban.ends_at);
  std::string id = ban.id;
  c.Keep(std::move(ban));
  return id;
}

Outcome<std::string> RaiseAlert(Context& c, const pb::RaiseAlertRequest& in, pb::RaiseAlertResponse&) {
  WB_CHECK(state::CheckText(in.description(), kMaxShort, "description"));
  WB_CHECK(state::CheckText(in.reasons(), kMaxWords, "reasons"));
  auto scope = state::ScopeFrom(in.scope(), "scope");
  if (!scope.ok()) return scope.refusal();
  auto until = state::DayFrom(in.until(), "until");
  if (!until.ok()) return until.refusal();
  domain::Ban ban = NewBan(c);
  ban.identity.description = in.description();
  ban.scope = *scope;
  ban.reasons = in.reasons();
  WB_CHECK(domain::RaiseAlert(c.municipality(), ban, *until, c.now()));
  std::string id = ban.id;
  c.AddWords("reasons", in.reasons());
  c.Keep(std::move(ban));
  return id;
}

Outcome<std::string> AmendBan(Context& c, const pb::AmendBanRequest& in, pb::AmendBanResponse&) {
  WB_CHECK(CheckFileTexts(in));
  domain::Amendment amendment;
  if (in.has_identity()) {
    auto identity = state::IdentityFrom(in.identity(), "identity");
    if (!identity.ok()) return identity.refusal();
    amendment.identity = *identity;
  }
  if (in.has_terms()) {
    auto terms = state::TermsFrom(in.terms(), "terms");
    if (!terms.ok()) return terms.refusal();
    amendment.terms = *terms;
  }
  amendment.reasons = in.reasons();
  amendment.affected_department = in.affected_department();
  amendment.open_channels = in.open_channels();
  amendment.person_id = c.me();
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  // The desk fills in who and what happened; what follows from it is for others.
  if (c.role().role == domain::Role::kDeskStaff && amendment.terms)
    return Refusal(Rule::kRoleNotAllowed, "terms");
  const bool was_alert = ban->state == domain::BanState::kAlert;
  WB_CHECK(domain::Amend(c.municipality(), ban.value(), amendment, c.now()));
  // Who establishes the identity behind an alert proposes the ban that follows.
  if (was_alert && ban->state == domain::BanState::kProposed) ban.value().proposed_by = c.me();
  c.AddWords("reasons", in.reasons());
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

Outcome<std::string> AdviseBan(Context& c, const pb::AdviseBanRequest& in, pb::AdviseBanResponse&) {
  WB_CHECK(state::CheckText(in.advice(), kMaxWords, "advice"));
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  WB_CHECK(domain::Advise(ban.value(), in.advice(), c.me()));
  c.AddWords("advice", in.advice());
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

// The papers of a decision, from any of the three requests that carry them.
template <class Request>
Outcome<domain::DecisionInput> DecisionFrom(const Request& in) {
  domain::DecisionInput input;
  WB_CHECK(state::CheckText(in.decision_number(), 60, "decision_number"));
  input.number = in.decision_number();
  if (in.has_decision_date()) {
    auto date = state::DayFrom(in.decision_date(), "decision_date");
    if (!date.ok()) return date.refusal();
    input.date = *date;
  }
  return input;
}

void SignDecision(const Context& c, domain::DecisionInput& input) {
  input.level = c.role().role;
  input.person_id = c.me();
}

Outcome<std::string> DecideBan(Context& c, const pb::DecideBanRequest& in, pb::DecideBanResponse&) {
  auto input = DecisionFrom(in);
  if (!input.ok()) return input.refusal();
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  SignDecision(c, input.value());
  WB_CHECK(domain::Decide(c.municipality(), ban.value(), in.approve(), *input, c.now()));
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

Outcome<std::string> ExtendBan(Context& c, const pb::ExtendBanRequest& in, pb::ExtendBanResponse&) {
  auto input = DecisionFrom(in);
  if (!input.ok()) return input.refusal();
  WB_CHECK(state::CheckText(in.reason(), kMaxWords, "reason"));
  auto until = state::DayFrom(in.until(), "until");
  if (!until.ok()) return until.refusal();
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  SignDecision(c, input.value());
  WB_CHECK(domain::Extend(ban.value(), *until, in.reason(), *input, c.now()));
  c.AddWords("reason", in.reason());
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

Outcome<std::string> HandOverFile(Context& c, const pb::HandOverFileRequest& in, pb::HandOverFileResponse&) {
  WB_CHECK(state::CheckText(in.reference(), kMaxReference, "reference"));
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  WB_CHECK(domain::HandOver(ban.value(), in.reference(), c.me(), c.now()));
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

Outcome<std::string> LiftBan(Context& c, const pb::LiftBanRequest& in, pb::LiftBanResponse&) {
  auto input = DecisionFrom(in);
  if (!input.ok()) return input.refusal();
  WB_CHECK(state::CheckText(in.reason(), kMaxWords, "reason"));
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  SignDecision(c, input.value());
  WB_CHECK(domain::LiftBan(c.municipality(), ban.value(), in.reason(), *input, c.now()));
  c.AddWords("reason", in.reason());
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

Verdict GetBan(Context& c, const pb::GetBanRequest& in, pb::GetBanResponse& out) {
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  *out.mutable_ban() = ViewFor(c.role().role, *ban, c.now());
  return domain::kAllowed;
}

template <class Wanted, class Value>
bool IsAmong(const Wanted& wanted, Value value) {
  return wanted.empty() ||
         std::any_of(wanted.begin(), wanted.end(), [&](int w) { return w == static_cast<int>(value); });
}

Verdict ListBans(Context& c, const pb::ListBansRequest& in, pb::ListBansResponse& out) {
  const int size = in.page_size() == 0 ? kDefaultPage : in.page_size();
  if (size < 1 || size > kMaxPage) return Refusal(Rule::kFieldInvalid, "page_size");
  std::vector<const domain::Ban*> found;
  for (const auto& [id, ban] : c.world().bans()) {
    if (IsAmong(in.states(), ban.state) && IsAmong(in.photo_states(), ban.release.state))
      found.push_back(&ban);
  }
  // Newest first; the id makes the order total, so that a page token points at one place.
  auto before = [](const domain::Ban* a, const domain::Ban* b) {
    return a->proposed_at != b->proposed_at ? a->proposed_at > b->proposed_at : a->id < b->id;
  };
  std::sort(found.begin(), found.end(), before);
  auto from = found.begin();
  if (!in.page_token().empty()) {
    const domain::Ban* last = c.world().FindBan(in.page_token());
    if (last == nullptr) return Refusal(Rule::kFieldInvalid, "page_token");
    from = std::upper_bound(found.begin(), found.end(), last, before);
  }
  for (; from != found.end(); ++from) {
    // Files whose conditions do not hold for this caller are not there.
    if (c.Require({*from})) continue;
    if (out.bans_size() == size) {
      out.set_next_page_token(out.bans(size - 1).id());
      break;
    }
    *out.add_bans() = ListedFor(c.role().role, **from, c.now());
    // Who looked at this file must be answerable file by file.
    pb::AuditRecord listed;
    listed.set_event("FileListed");
    listed.set_ban_id((*from)->id);
    c.more_entries.push_back(std::move(listed));
  }
  c.RequireNothing();
  return domain::kAllowed;
}

#undef WB_CHECK

void GetTimeline(Core& core, const access::Credentials& credentials, const pb::GetTimelineRequest& in,
                 pb::GetTimelineResponse* out, const Done& done) {
  auto role = std::make_shared<domain::Role>();
  auto begin = [&in, role](Context& c, Reading& reading) -> Verdict {
    auto ban = c.RequireBan(in.ban_id());
    if (!ban.ok()) return ban.refusal();
    *role = c.role().role;
    reading.query.ban_id = ban->id;
    return domain::kAllowed;
  };
  auto read = [out, role](const Reading& reading) -> absl::Status {
    const bool police = *role == domain::Role::kPoliceContact;
    const absl::Status s = ReadSteps(*reading.log, reading.query.ban_id, [&](const journal::LogEntry& entry) {
      const pb::AuditRecord& r = *entry.record;
      if (!IsShownStep(*role, r.event())) return true;
      if (out->steps_size() == kMaxSteps) {
        out->set_more(true);
        return false;
      }
      pb::TimelineStep& step = *out->add_steps();
      step.set_event(r.event());
      step.set_role(r.role());
      if (!police) step.set_person_name(reading.NameOf(r.person_id()));
      *step.mutable_at() = state::ToProto(absl::FromUnixMillis(r.at_ms()));
      step.set_origin(entry.origin);
      step.set_index(entry.index);
      step.set_demand_step(r.demand_step());
      step.set_ban_state(r.ban_state());
      if (!police) step.set_photo_state(r.photo_state());
      return true;
    });
    std::reverse(out->mutable_steps()->begin(), out->mutable_steps()->end());
    return s;
  };
  ReadLog(core, Rpc::kGetTimeline, credentials, begin, read, done);
}

}  // namespace

Bound BindBans(Server& server) {
  using S = pb::BanService::AsyncService;
  auto service = std::make_unique<S>();
  Binder<S> b(server, service.get());
  b.Command<pb::ProposeBanRequest, pb::ProposeBanResponse>(Rpc::kProposeBan, &S::RequestProposeBan,
                                                           ProposeBan);
  b.Command<pb::DenyOnTheSpotRequest, pb::DenyOnTheSpotResponse>(Rpc::kDenyOnTheSpot,
                                                                 &S::RequestDenyOnTheSpot, DenyOnTheSpot);
  b.Command<pb::RaiseAlertRequest, pb::RaiseAlertResponse>(Rpc::kRaiseAlert, &S::RequestRaiseAlert,
                                                           RaiseAlert);
  b.Command<pb::AmendBanRequest, pb::AmendBanResponse>(Rpc::kAmendBan, &S::RequestAmendBan, AmendBan);
  b.Command<pb::AdviseBanRequest, pb::AdviseBanResponse>(Rpc::kAdviseBan, &S::RequestAdviseBan, AdviseBan);
  b.Command<pb::DecideBanRequest, pb::DecideBanResponse>(Rpc::kDecideBan, &S::RequestDecideBan, DecideBan);
  b.Command<pb::ExtendBanRequest, pb::ExtendBanResponse>(Rpc::kExtendBan, &S::RequestExtendBan, ExtendBan);
  b.Command<pb::HandOverFileRequest, pb::HandOverFileResponse>(Rpc::kHandOverFile, &S::RequestHandOverFile,
                                                               HandOverFile);
  b.Command<pb::LiftBanRequest, pb::LiftBanResponse>(Rpc::kLiftBan, &S::RequestLiftBan, LiftBan);
  b.Query<pb::GetBanRequest, pb::GetBanResponse>(Rpc::kGetBan, &S::RequestGetBan, GetBan);
  Core& core = server.core();
  b.Unary<pb::GetTimelineRequest, pb::GetTimelineResponse>(
      Rpc::kGetTimeline, &S::RequestGetTimeline,
      [&core](const access::Credentials& who, const pb::GetTimelineRequest& in, pb::GetTimelineResponse* out,
              const Done& done) { GetTimeline(core, who, in, out, done); });
  b.Query<pb::ListBansRequest, pb::ListBansResponse>(Rpc::kListBans, &S::RequestListBans, ListBans);
  Arm arm = b.TakeArm();
  return {std::move(service), std::move(arm)};
}

}  // namespace waarborg::rpc

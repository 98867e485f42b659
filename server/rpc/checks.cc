// SPDX-License-Identifier: EUPL-1.2
#include <algorithm>
#include <map>

#include "server/domain/match.h"
#include "server/domain/mrz.h"
#include "server/rpc/calls.h"
#include "server/rpc/show.h"
#include "server/state/codec.h"
#include "waarborg/v1/checks.grpc.pb.h"

namespace waarborg::rpc {
namespace {

using access::Credentials;
using access::Rpc;
using domain::Outcome;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;

constexpr size_t kMaxMatches = 10;
constexpr int kMaxList = 1000;

bool CountsAsMunicipal(const Context& c) {
  return c.municipality().Covers(domain::Scope{true, {}}, c.asker.station->location_id);
}

// Where nothing may be told, "no ban found" would be a lie.
Verdict CheckServed(const Context& c) {
  if (c.municipality().Serves(c.asker.station->location_id)) return domain::kAllowed;
  return Refusal(Rule::kLocationNotServed);
}

// Whether this person, at this station, could see the photo of this ban now (after reading the instruction).
bool PhotoAvailable(const Context& c, const domain::Ban& ban) {
  auto grants = access::GrantsFor(Rpc::kShowPhoto, c.asker, c.turn.today());
  if (!grants.ok()) return false;
  auto right = access::CheckConditions(c.world(), *grants, c.asker, {&ban, nullptr, true}, c.now());
  return right.ok() || right.refusal().rule == Rule::kInstructionNotAcknowledged;
}

// How far making this person leave has come here; nothing is filled in when nobody is at it.
template <class Out>
void FillBreach(const Context& c, const domain::Ban& ban, Out out) {
  const std::string& here = c.asker.station->location_id;
  const domain::Breach* open = domain::OpenBreach(ban, here, c.now());
  if (open == nullptr) return;
  pb::OpenBreach& breach = *out();
  *breach.mutable_since() = state::ToProto(open->at);
  breach.set_demands(static_cast<int>(open->demands.size()));
  breach.set_police_called(open->police_called);
  for (domain::DemandStep step : domain::NextDemandSteps(c.municipality(), ban, here, c.now())) {
    breach.add_next(static_cast<pb::DemandStep>(static_cast<int>(step)));
  }
}

// Who it is and how that stands, as the desk may know it.
void Describe(const Context& c, const domain::Ban& ban, pb::Match& out) {
  const bool decided = ban.decision.has_value();
  out.set_ban_id(ban.id);
  if (!ban.identity.name.empty()) *out.mutable_name() = state::ToProto(ban.identity.name);
  out.set_measure(decided ? static_cast<pb::Measure>(static_cast<int>(ban.terms->measure))
                          : pb::MEASURE_PROVISIONAL);
  if (decided) *out.mutable_until() = state::ToProto(ban.terms->until);
  out.set_photo_available(PhotoAvailable(c, ban));
  out.set_description(ban.identity.established ? "" : ban.identity.description);
  out.set_provisional(ban.state == domain::BanState::kProvisional);
  FillBreach(c, ban, [&out] { return out.mutable_breach(); });
}

// The same to a visitor's face: with what to do now.
void DescribeVisitor(const Context& c, const domain::Ban& ban, pb::Match& out) {
  Describe(c, ban, out);
  if (const domain::Location* here = c.municipality().FindLocation(c.asker.station->location_id)) {
    for (const std::string& step : here->steps) out.add_steps(step);
  }
}

// Who is asked about; several where a name can be read in several ways.
Outcome<std::vector<domain::Query>> QueriesFrom(Context& c, const pb::CheckVisitorRequest& in) {
  domain::Query query;
  if (in.visitor_case() == pb::CheckVisitorRequest::kMrz) {
    auto mrz = domain::ParseMrz(in.mrz(), static_cast<int>(c.turn.today().year()));
    if (!mrz.ok()) return mrz.refusal();
    query.name = domain::FoldName({mrz->given_names, "", mrz->surname});
    query.birth_date = mrz->birth_date;
    query.from_document = true;
    query.name_truncated = mrz->truncated;
    return std::vector{std::move(query)};
  }
  if (in.visitor_case() != pb::CheckVisitorRequest::kTyped) return Refusal(Rule::kFieldMissing, "visitor");
  auto birth = state::BirthDateFrom(in.typed().birth_date(), "typed.birth_date");
  if (!birth.ok()) return birth.refusal();
  query.birth_date = *birth;
  std::vector<domain::PersonName> names;
  if (const std::string& whole = in.typed().full_name(); !whole.empty()) {
    if (in.typed().has_name()) return Refusal(Rule::kFieldInvalid, "typed.full_name");
    if (auto v = state::CheckText(whole, 200, "typed.full_name")) return *v;
    names = domain::ReadingsOf(whole);
    if (names.empty()) return Refusal(Rule::kFieldInvalid, "typed.full_name");
  } else {
    auto name = state::NameFrom(in.typed().name(), "typed.name");
    if (!name.ok()) return name.refusal();
    names.push_back(*name);
  }
  std::vector<domain::Query> queries;
  for (const domain::PersonName& name : names) {
    query.name = domain::FoldName(name);
    if (!query.name.surname[0].empty()) queries.push_back(query);
  }
  if (queries.empty()) return Refusal(Rule::kFieldMissing, "typed.name.surname");
  return queries;
}

// Who fits any of the readings: the certain ones when there are any, else the possible ones; each once.
std::vector<domain::Hit> FindAny(const Context& c, const std::vector<domain::Query>& queries) {
  std::vector<domain::Hit> all;
  for (const domain::Query& query : queries) {
    for (domain::Hit& hit :
         c.world().matches().Find(c.asker.station->location_id, CountsAsMunicipal(c), query, c.now())) {
      const auto same =
          std::find_if(all.begin(), all.end(), [&](const auto& h) { return h.ban_id == hit.ban_id; });
      if (same == all.end()) {
        all.push_back(std::move(hit));
      } else {
        same->grade = std::max(same->grade, hit.grade);
      }
    }
  }
  const bool certain =
      std::any_of(all.begin(), all.end(), [](const auto& h) { return h.grade == domain::Grade::kExact; });
  if (certain) std::erase_if(all, [](const auto& h) { return h.grade != domain::Grade::kExact; });
  return all;
}

Verdict CheckVisitor(Context& c, const pb::CheckVisitorRequest& in, pb::CheckVisitorResponse& out) {
  const bool stated = pb::Purpose_IsValid(in.purpose()) && in.purpose() != pb::PURPOSE_UNSPECIFIED;
  if (stated) c.record.set_purpose(in.purpose());
  if (auto v = c.Require({nullptr, nullptr, stated})) return v;
  if (auto v = CheckServed(c)) return v;
  std::vector<domain::Hit> hits;
  if (in.visitor_case() == pb::CheckVisitorRequest::kBanId) {
    const auto here =
        c.world().matches().Everyone(c.asker.station->location_id, CountsAsMunicipal(c), c.now());
    if (!std::binary_search(here.begin(), here.end(), in.ban_id())) return Refusal(Rule::kNotFound, "ban_id");
    hits.push_back({in.ban_id(), domain::Grade::kExact});
  } else {
    auto queries = QueriesFrom(c, in);
    if (!queries.ok()) return queries.refusal();
    hits = FindAny(c, *queries);
  }
  out.set_answer(hits.empty()                                  ? pb::CHECK_ANSWER_NO_BAN_FOUND
                 : hits.front().grade == domain::Grade::kExact ? pb::CHECK_ANSWER_BANNED
                                                               : pb::CHECK_ANSWER_POSSIBLE);
  for (const domain::Hit& hit : hits) {
    if (static_cast<size_t>(out.matches_size()) == kMaxMatches) {
      out.set_more(true);
      break;
    }
    DescribeVisitor(c, *c.world().FindBan(hit.ban_id), *out.add_matches());
    // The check itself has no subject; that a file was shown is an entry of that file.
    pb::AuditRecord shown;
    shown.set_event("MatchShown");
    shown.set_ban_id(hit.ban_id);
    c.more_entries.push_back(std::move(shown));
  }
  return domain::kAllowed;
}

Verdict NextBriefing(Context& c, const pb::NextBriefingRequest& in, pb::NextBriefingResponse& out) {
  if (auto v = c.Require({})) return v;
  if (auto v = CheckServed(c)) return v;
  c.record.set_purpose(pb::PURPOSE_BRIEFING);
  const auto ids = c.world().matches().Everyone(c.asker.station->location_id, CountsAsMunicipal(c), c.now());
  out.set_total(static_cast<int32_t>(ids.size()));
  const auto next = std::upper_bound(ids.begin(), ids.end(), in.after_ban_id());
  if (next == ids.end()) return domain::kAllowed;
  out.set_position(static_cast<int32_t>(next - ids.begin()) + 1);
  c.record.set_ban_id(*next);
  DescribeVisitor(c, *c.world().FindBan(*next), *out.mutable_match());
  return domain::kAllowed;
}

// The list beside one desk.
class DeskView final : public View<pb::WatchDeskRequest, pb::WatchDeskResponse> {
 public:
  Verdict Look(Context& c, const pb::WatchDeskRequest&, pb::WatchDeskResponse& out, bool& news) override {
    if (auto v = c.Require({})) return v;
    if (auto v = CheckServed(c)) return v;
    c.record.set_purpose(pb::PURPOSE_VISITOR_AT_DESK);
    location_id_ = c.asker.station->location_id;
    version_ = c.world().VersionAt(location_id_);
    const domain::MatchIndex& index = c.world().matches();
    // At midnight deputyships begin and end.
    changes_at_ = std::min(index.NextChange(location_id_, CountsAsMunicipal(c), c.now()),
                           base::EndOfDay(c.turn.today()));
    std::map<std::string, std::string> shown;
    for (const std::string& id : index.Everyone(location_id_, CountsAsMunicipal(c), c.now())) {
      if (out.bans_size() == kMaxList) {
        out.set_more(true);
        break;
      }
      const domain::Ban& ban = *c.world().FindBan(id);
      if (const domain::Breach* open = domain::OpenBreach(ban, location_id_, c.now())) {
        changes_at_ = std::min(changes_at_, domain::OpenUntil(*open));
      }
      pb::Match& match = *out.add_bans();
      Describe(c, ban, match);
      std::string as_shown = match.SerializeAsString();
      if (const auto before = shown_.find(id); before == shown_.end() || before->second != as_shown) {
        pb::AuditRecord entry;
        entry.set_event("MatchShown");
        entry.set_ban_id(id);
        c.more_entries.push_back(std::move(entry));
      }
      shown.emplace(id, std::move(as_shown));
    }
    news = first_ || shown != shown_ || out.more() != more_;
    first_ = false;
    more_ = out.more();
    shown_ = std::move(shown);
    *out.mutable_as_of() = state::ToProto(c.now());
    out.set_location_id(location_id_);
    return domain::kAllowed;
  }

  bool MayHaveChanged(const state::World& world, absl::Time now) const override {
    return world.VersionAt(location_id_) != version_ || now >= changes_at_;
  }

 private:
  std::string location_id_;
  uint64_t version_ = 0;
  absl::Time changes_at_;                     // by itself
  std::map<std::string, std::string> shown_;  // by ban, the match as it was sent
  bool first_ = true, more_ = false;
};

Outcome<std::string> RecordDemand(Context& c, const pb::RecordDemandRequest& in,
                                  pb::RecordDemandResponse& out) {
  if (!pb::DemandStep_IsValid(in.step())) return Refusal(Rule::kFieldInvalid, "step");
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  const domain::DemandMade made{static_cast<domain::DemandStep>(static_cast<int>(in.step())),
                                c.asker.station->location_id, c.me()};
  if (auto v = domain::RecordDemand(c.municipality(), ban.value(), made, c.now())) return *v;
  c.record.set_demand_step(in.step());
  const bool spoken = in.step() == pb::DEMAND_STEP_FIRST || in.step() == pb::DEMAND_STEP_SECOND ||
                      in.step() == pb::DEMAND_STEP_THIRD;
  if (spoken) c.AddWords("demand", c.municipality().demand);
  FillBreach(c, *ban, [&out] { return out.mutable_breach(); });
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

Outcome<std::string> ReportBreach(Context& c, const pb::ReportBreachRequest& in, pb::ReportBreachResponse&) {
  domain::Breach breach;
  if (in.demands_size() > 10) return Refusal(Rule::kFieldTooLong, "demands");
  for (const auto& d : in.demands()) {
    if (auto v = state::CheckText(d.words(), 500, "demands.words")) return *v;
    breach.demands.push_back({state::FromProto(d.at()), d.words()});
  }
  breach.police_called = in.police_called();
  if (!pb::BreachOutcome_IsValid(in.outcome())) return Refusal(Rule::kFieldInvalid, "outcome");
  breach.outcome = static_cast<domain::BreachOutcome>(static_cast<int>(in.outcome()));
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  breach.at = c.now();
  breach.location_id = c.asker.station->location_id;
  breach.reported_by = c.me();
  if (auto v = domain::AddBreach(c.municipality(), ban.value(), breach, c.now())) return *v;
  for (const auto& d : in.demands()) c.AddWords("demands.words", d.words());
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

Verdict GetInstruction(Context& c, const pb::GetInstructionRequest&, pb::GetInstructionResponse& out) {
  out.set_text(c.municipality().instruction);
  out.set_version(c.world().instruction_version());
  const domain::Person& person = *c.asker.person;
  if (person.instruction_version == out.version() && person.instruction_acknowledged_at) {
    *out.mutable_acknowledged_at() = state::ToProto(*person.instruction_acknowledged_at);
  }
  return domain::kAllowed;
}

Outcome<std::string> AcknowledgeInstruction(Context& c, const pb::AcknowledgeInstructionRequest& in,
                                            pb::AcknowledgeInstructionResponse&) {
  if (in.version() != c.world().instruction_version()) return Refusal(Rule::kInstructionOutdated, "version");
  domain::Person person = *c.asker.person;
  person.instruction_version = in.version();
  person.instruction_acknowledged_at = c.now();
  std::string id = person.id;
  c.turn.Put(std::move(person));
  return id;
}

}  // namespace

Bound BindChecks(Server& server) {
  using S = pb::CheckService::AsyncService;
  auto service = std::make_unique<S>();
  Binder<S> b(server, service.get());
  Core& core = server.core();
  b.Query<pb::CheckVisitorRequest, pb::CheckVisitorResponse>(Rpc::kCheckVisitor, &S::RequestCheckVisitor,
                                                             CheckVisitor);
  b.BytesOut<pb::ShowPhotoRequest, pb::ShowPhotoResponse>(
      Rpc::kShowPhoto, &S::RequestShowPhoto,
      [&core](const Credentials& who, const pb::ShowPhotoRequest& in, std::string* bytes, Done done) {
        ShowPhoto(core, Rpc::kShowPhoto, who, {.ban_id = in.ban_id(), .purpose = in.purpose()}, bytes,
                  std::move(done));
      });
  b.Query<pb::NextBriefingRequest, pb::NextBriefingResponse>(Rpc::kNextBriefing, &S::RequestNextBriefing,
                                                             NextBriefing);
  b.Watch<pb::WatchDeskRequest, pb::WatchDeskResponse>(Rpc::kWatchDesk, &S::RequestWatchDesk,
                                                       [] { return std::make_unique<DeskView>(); });
  b.Command<pb::RecordDemandRequest, pb::RecordDemandResponse>(Rpc::kRecordDemand, &S::RequestRecordDemand,
                                                               RecordDemand);
  b.Command<pb::ReportBreachRequest, pb::ReportBreachResponse>(Rpc::kReportBreach, &S::RequestReportBreach,
                                                               ReportBreach);
  b.Query<pb::GetInstructionRequest, pb::GetInstructionResponse>(Rpc::kGetInstruction,
                                                                 &S::RequestGetInstruction, GetInstruction);
  b.Command<pb::AcknowledgeInstructionRequest, pb::AcknowledgeInstructionResponse>(
      Rpc::kAcknowledgeInstruction, &S::RequestAcknowledgeInstruction, AcknowledgeInstruction);
  Arm arm = b.TakeArm();
  return {std::move(service), std::move(arm)};
}

}  // namespace waarborg::rpc

// SPDX-License-Identifier: EUPL-1.2
#include "server/rpc/core.h"

#include <algorithm>
#include <array>
#include <exception>

#include "absl/strings/str_cat.h"
#include "server/state/codec.h"

namespace waarborg::rpc {

using domain::Outcome;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;

namespace {

// So many refusals of a station are listed one by one in a minute.
constexpr int kRefusalsListed = 60;

// Whether this call is one too many for its person or its station. Counts it when `count`.
Verdict CheckQuota(journal::Turn& turn, access::Rpc rpc, const access::Asker& asker, bool count) {
  const access::Counts counts = access::CountsAs(rpc);
  if (counts == access::Counts::kNothing || asker.person == nullptr) return domain::kAllowed;
  const bool checks = counts == access::Counts::kChecks;
  const domain::Municipality& m = turn.world().municipality();
  state::Meter& meter = checks ? turn.sessions().checks : turn.sessions().photos;
  const int limit = checks ? m.checks_per_hour : m.photos_per_hour;
  const std::array<std::string, 2> keys = {"person " + asker.person->id, "station " + asker.station->id};
  for (const std::string& key : keys) {
    if (meter.Peek(key, turn.clock_reading()) >= limit) {
      return Refusal(checks ? Rule::kTooManyChecks : Rule::kTooManyPhotos);
    }
  }
  if (count) {
    for (const std::string& key : keys) meter.Count(key, turn.clock_reading());
  }
  return domain::kAllowed;
}

// Whether this refusal is listed one by one. Whoever makes more than can be listed is counted.
bool ListRefusal(journal::Turn& turn, const std::string& station_id) {
  state::World& world = turn.sessions();
  if (world.refusals.Count("station " + station_id, turn.clock_reading()) <= kRefusalsListed) return true;
  auto& not_listed = world.refusals_not_listed[station_id];
  if (not_listed.count++ == 0) not_listed.since = turn.clock_reading();
  return false;
}

// Entries for what was not listed, once its minute has passed.
void ListTheRest(journal::Turn& turn) {
  auto& all = turn.sessions().refusals_not_listed;
  for (auto it = all.begin(); it != all.end();) {
    const absl::Duration since = turn.clock_reading() - it->second.since;
    if (since >= absl::ZeroDuration() && since < absl::Minutes(1)) {
      ++it;
      continue;
    }
    pb::AuditRecord record;
    record.set_event("RefusalsNotListed");
    record.set_result(pb::RESULT_REFUSED);
    record.set_station_id(it->first);
    record.set_count(it->second.count);
    turn.Log(std::move(record));
    it = all.erase(it);
  }
}

}  // namespace

Verdict Context::Require(const access::Subject& subject) {
  conditions_checked_ = true;
  auto grant = access::CheckConditions(world(), grants_, asker, subject, now());
  if (!grant.ok()) return grant.refusal();
  grant_ = *grant;
  return domain::kAllowed;
}

Outcome<domain::Ban> Context::RequireBan(const std::string& ban_id, access::Subject subject) {
  const domain::Ban* ban = world().FindBan(ban_id);
  // Only an id that exists goes into the log: what a caller makes up might be a name.
  if (ban != nullptr) record.set_ban_id(ban_id);
  subject.ban = ban;
  if (auto v = Require(subject)) return *v;
  if (ban == nullptr) return Rule::kNotFound;
  return *ban;
}

void Context::FillReceipt(const std::string& id, pb::Receipt& receipt) const {
  receipt.set_id(id);
  receipt.set_log_index(turn.NextIndex());
  receipt.set_log_origin(turn.log_origin());
  *receipt.mutable_recorded_at() = state::ToProto(now());
}

void Context::AddWords(const char* field, const std::string& text) {
  if (text.empty()) return;
  pb::Word* word = words_.add_words();
  word->set_field(field);
  word->set_text(text);
}

void Context::Keep(domain::Ban ban) {
  record.set_ban_id(ban.id);
  record.set_ban_state(static_cast<pb::BanState>(ban.state));
  record.set_photo_state(static_cast<pb::PhotoState>(ban.release.state));
  if (!ban.release.photo_id.empty()) record.set_photo_id(ban.release.photo_id);
  const domain::Ban* before = world().FindBan(ban.id);
  for (size_t i = before == nullptr ? 0 : before->release.copies.size(); i < ban.release.copies.size(); ++i) {
    more_entries.push_back(state::CopiesEntry("CopiesAsked", ban, ban.release.copies[i]));
  }
  turn.Put(std::move(ban));
}

void Core::RunAs(Entered entered, access::Rpc rpc, const access::Credentials& credentials, Body body,
                 Done done) {
  auto verdict = std::make_shared<Verdict>();
  auto run = [rpc, credentials, body = std::move(body), entered, verdict](journal::Turn& turn) {
    Context context(turn, rpc);
    Verdict& v = *verdict;
    const auto rows = access::Policy();
    const auto first_row =
        std::find_if(rows.begin(), rows.end(), [rpc](const access::Row& r) { return r.rpc == rpc; });
    try {
      v = access::Identify(turn.sessions(), credentials, first_row->caller, access::IsUse(rpc), turn.now(),
                           context.asker);
      if (!v) {
        auto grants = access::GrantsFor(rpc, context.asker, turn.today());
        if (grants.ok()) {
          context.grants_ = std::move(grants.value());
          context.grant_ = context.grants_.front();
        } else {
          v = grants.refusal();
        }
      }
      if (!v && turn.clock_in_doubt() && access::NeedsTheTime(rpc)) v = Refusal(Rule::kClockInDoubt);
      if (!v && entered != Entered::kMore) {
        v = CheckQuota(turn, rpc, context.asker, entered == Entered::kCall);
      }
      if (!v) v = body(context);
      if (!v && !context.conditions_checked_) {
        const bool has_conditions =
            std::any_of(context.grants_.begin(), context.grants_.end(),
                        [](const access::Grant& g) { return !g.row->conditions.empty(); });
        if (has_conditions) v = Refusal(Rule::kInternal);
      }
    } catch (const std::exception&) {
      v = Refusal(Rule::kInternal);
    }
    if (v) turn.Discard();

    pb::AuditRecord& record = context.record;
    record.set_event(access::NameOf(rpc).method);
    record.set_result(v ? pb::RESULT_REFUSED : pb::RESULT_DONE);
    if (v) record.set_rule(v->name());
    if (context.asker.person != nullptr) record.set_person_id(context.asker.person->id);
    if (context.asker.station != nullptr) {
      record.set_station_id(context.asker.station->id);
      record.set_location_id(context.asker.station->location_id);
    }
    if (!v) {
      record.set_role(static_cast<pb::Role>(static_cast<int>(context.grant_.role.role)));
      record.set_in_place_of(context.grant_.role.in_place_of);
    }
    const bool adds = entered != Entered::kNothing && first_row->entry == access::Entry::kLogged;
    bool entry = adds && entered == Entered::kCall;
    if (v) entry = entered != Entered::kMore && ListRefusal(turn, record.station_id());
    if (entry) turn.Log(record, v ? pb::Words() : context.words_);
    for (pb::AuditRecord& more : context.more_entries) {
      if (v || !adds) break;
      more.set_result(pb::RESULT_DONE);
      more.set_person_id(record.person_id());
      more.set_role(record.role());
      more.set_in_place_of(record.in_place_of());
      more.set_station_id(record.station_id());
      more.set_location_id(record.location_id());
      more.set_purpose(record.purpose());
      turn.Log(std::move(more));
    }
    // Behind the call's own entries, whose place its receipt names.
    if (!turn.world().refusals_not_listed.empty()) ListTheRest(turn);
  };
  auto finish = [done, verdict](bool durable) {
    // Refusals wait for their entry as answers do.
    done(durable ? *verdict : Verdict(Refusal(Rule::kCannotRecord)));
  };
  if (!parts_.journal->Submit({std::move(run), std::move(finish)})) done(Refusal(Rule::kBusy));
}

void Core::RunCommand(access::Rpc rpc, const access::Credentials& credentials, CommandInput input,
                      pb::Receipt* receipt, CommandBody body, Done done) {
  auto run = [input = std::move(input), receipt, body = std::move(body), rpc](Context& c) -> Verdict {
    const std::string& key = input.idempotency_key;
    const bool plain = std::all_of(key.begin(), key.end(), [](char ch) { return ch > 0x20 && ch < 0x7F; });
    if (key.size() < 8 || key.size() > 64 || !plain)
      return Refusal(Rule::kIdempotencyKeyInvalid, "idempotency_key");
    const std::string digest =
        c.turn.HouseMac(absl::StrCat("command ", c.me(), " ", access::NameOf(rpc).method, " ", key));
    const std::string request_digest = c.turn.HouseMac(absl::StrCat("request ", input.request_bytes));
    if (auto seen = c.turn.Recall(digest)) {
      if (seen->request_digest() != request_digest)
        return Refusal(Rule::kIdempotencyKeyReused, "idempotency_key");
      receipt->set_id(seen->id());
      receipt->set_log_index(seen->log_index());
      receipt->set_log_origin(seen->log_origin());
      *receipt->mutable_recorded_at() = state::ToProto(absl::FromUnixMillis(seen->at_ms()));
      receipt->set_replayed(true);
      c.RepeatAnswer();
      return domain::kAllowed;
    }
    auto id = body(c);
    if (!id.ok()) return id.refusal();
    pb::IdempotencyRecord record;
    record.set_request_digest(request_digest);
    record.set_id(*id);
    record.set_log_index(c.turn.NextIndex());
    record.set_log_origin(c.turn.log_origin());
    record.set_at_ms(absl::ToUnixMillis(c.now()));
    c.FillReceipt(*id, *receipt);
    c.turn.Remember(digest, std::move(record));
    return domain::kAllowed;
  };
  Run(rpc, credentials, std::move(run), std::move(done));
}

void Core::Offload(base::Workers& workers, const Done& done, std::function<void()> work) {
  auto guarded = [work = std::move(work), done] {
    try {
      work();
    } catch (const std::exception&) {
      done(Refusal(Rule::kInternal));
    }
  };
  if (!workers.Submit(std::move(guarded))) done(Refusal(Rule::kBusy));
}

}  // namespace waarborg::rpc

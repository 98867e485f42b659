// SPDX-License-Identifier: EUPL-1.2
#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/rpc/calls.h"
#include "server/state/codec.h"
#include "waarborg/v1/audit.grpc.pb.h"

namespace waarborg::rpc {
namespace {

using access::Credentials;
using access::Rpc;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;

constexpr int kMaxPage = 1000;
constexpr int kDefaultPage = 100;

// What the worker needs, copied in the turn.
struct Reading {
  journal::Journal::OpeningKeys keys;
  absl::flat_hash_map<std::string, std::string> names;
  uint64_t newest = 0;
  int page_size = kDefaultPage;
};

bool Fits(const pb::ListEntriesRequest& in, const pb::AuditRecord& r) {
  if (!in.ban_id().empty() && r.ban_id() != in.ban_id()) return false;
  if (!in.person_id().empty() && r.person_id() != in.person_id()) return false;
  if (!in.station_id().empty() && r.station_id() != in.station_id()) return false;
  if (in.events_size() > 0 &&
      std::find(in.events().begin(), in.events().end(), r.event()) == in.events().end()) {
    return false;
  }
  if (in.refused_only() && r.result() != pb::RESULT_REFUSED) return false;
  const absl::Time at = absl::FromUnixMillis(r.at_ms());
  if (in.has_from() && at < state::FromProto(in.from())) return false;
  return !in.has_until() || at < state::FromProto(in.until());
}

bool HasFilter(const pb::ListEntriesRequest& in) {
  return !in.ban_id().empty() || !in.person_id().empty() || !in.station_id().empty() ||
         in.events_size() > 0 || in.refused_only() || in.has_from() || in.has_until();
}

void ListEntries(Core& core, const Credentials& credentials, const pb::ListEntriesRequest& in,
                 pb::ListEntriesResponse* out, const Done& done) {
  auto reading = std::make_shared<Reading>();
  auto begin = [reading, &core, &in](Context& c) -> Verdict {
    if (in.page_size() < 0 || in.page_size() > kMaxPage) return Refusal(Rule::kFieldInvalid, "page_size");
    if (in.page_size() > 0) reading->page_size = in.page_size();
    reading->newest = c.turn.NextIndex();
    if (!in.page_token().empty() && !absl::SimpleAtoi(in.page_token(), &reading->newest)) {
      return Refusal(Rule::kFieldInvalid, "page_token");
    }
    reading->keys = core.journal().CopyOpeningKeys(c.turn);
    for (const auto& [id, person] : c.world().people()) reading->names[id] = person.display_name;
    if (c.world().FindBan(in.ban_id()) != nullptr) c.record.set_ban_id(in.ban_id());
    return domain::kAllowed;
  };
  auto then = [reading, &core, &in, out, done](Verdict verdict) {
    if (verdict) {
      done(std::move(verdict));
      return;
    }
    core.Offload(done, [reading, &core, &in, out, done] {
      const bool filtered = HasFilter(in);
      auto take = [&](const journal::Journal::Entry& entry) {
        if (entry.record ? !Fits(in, *entry.record) : filtered) return true;
        if (out->entries_size() == reading->page_size) {
          out->set_next_page_token(absl::StrCat(entry.index));
          return false;
        }
        auto* e = out->add_entries();
        e->set_index(entry.index);
        e->set_commitment(entry.commitment);
        if (entry.record) {
          *e->mutable_record() = *entry.record;
          if (auto it = reading->names.find(entry.record->person_id()); it != reading->names.end()) {
            e->set_person_name(it->second);
          }
        }
        return true;
      };
      const absl::Status s = core.journal().ReadBack(reading->keys, reading->newest, take);
      if (s.ok()) {
        done(domain::kAllowed);
      } else {
        done(Refusal(Rule::kInternal));
      }
    });
  };
  core.Run(Rpc::kListEntries, credentials, begin, then);
}

Verdict GetTreeHead(Context& c, Core& core, pb::GetTreeHeadResponse& out) {
  (void)c;
  out.set_size(core.journal().size());
  const audit::Hash root = core.journal().Root();
  out.set_root(root.data(), root.size());
  return domain::kAllowed;
}

}  // namespace

Bound BindAudit(Server& server) {
  using S = pb::AuditService::AsyncService;
  auto service = std::make_unique<S>();
  Binder<S> b(server, service.get());
  Core& core = server.core();
  b.Unary<pb::ListEntriesRequest, pb::ListEntriesResponse>(
      Rpc::kListEntries, &S::RequestListEntries,
      [&core](const Credentials& who, const auto& in, auto* out, Done done) {
        ListEntries(core, who, in, out, done);
      });
  b.Query<pb::GetTreeHeadRequest, pb::GetTreeHeadResponse>(
      Rpc::kGetTreeHead, &S::RequestGetTreeHead,
      [&core](Context& c, const auto&, auto& out) { return GetTreeHead(c, core, out); });
  Arm arm = b.TakeArm();
  return {std::move(service), std::move(arm)};
}

}  // namespace waarborg::rpc

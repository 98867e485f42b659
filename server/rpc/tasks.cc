// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/tasks.h"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

#include "server/rpc/calls.h"
#include "server/state/codec.h"
#include "waarborg/v1/tasks.grpc.pb.h"

namespace waarborg::rpc {
namespace {

using access::Rpc;
using domain::Task;
using domain::TaskKind;
using domain::Verdict;

static_assert(static_cast<int>(TaskKind::kDestructionOverdue) == pb::TASK_KIND_DESTRUCTION_OVERDUE);
static_assert(static_cast<int>(TaskKind::kCount) == pb::TaskKind_MAX + 1);

constexpr size_t kMaxTasks = 500;

// The call by which a task is done: who may not make it for this file has not this task. Nothing where there
// is nothing to call.
struct Row {
  TaskKind kind;
  std::optional<Rpc> rpc;
};
constexpr Row kCalls[] = {
    {TaskKind::kCompleteFile, Rpc::kAmendBan},
    {TaskKind::kAdvise, Rpc::kAdviseBan},
    {TaskKind::kDecideBan, Rpc::kDecideBan},
    {TaskKind::kConfirmDenial, Rpc::kDecideBan},
    {TaskKind::kRecordInformed, Rpc::kRecordInformed},
    {TaskKind::kRequestRelease, Rpc::kRequestRelease},
    {TaskKind::kDecideConsent, Rpc::kDecideConsent},
    {TaskKind::kSupplyPhoto, Rpc::kSupplyPhoto},
    {TaskKind::kReleasePhoto, Rpc::kReleasePhoto},
    {TaskKind::kConfirmCopiesGone, Rpc::kConfirmCopiesGone},
    {TaskKind::kCopiesOverdue, std::nullopt},
    {TaskKind::kHandOverFile, Rpc::kHandOverFile},
    {TaskKind::kDestructionOverdue, std::nullopt},
};

constexpr bool InOrder() {
  for (size_t i = 0; i < std::size(kCalls); ++i) {
    if (kCalls[i].kind != static_cast<TaskKind>(i + 1)) return false;
  }
  return std::size(kCalls) + 1 == static_cast<size_t>(TaskKind::kCount);
}
static_assert(InOrder(), "the calls stand in another order than the kinds of tasks");

// What the caller holds, and by it may call. Looked up once for all files.
class Caller {
 public:
  explicit Caller(const Context& c) : c_(c), held_(c.asker.RolesOn(c.turn.today())) {
    for (const Row& row : kCalls) {
      if (!row.rpc) continue;
      auto grants = access::GrantsFor(*row.rpc, c.asker, c.turn.today());
      if (grants.ok()) grants_[static_cast<size_t>(row.kind)] = std::move(grants.value());
    }
  }

  // By role alone.
  bool Holds(const Task& task) const {
    return std::any_of(held_.begin(), held_.end(), [&](const domain::HeldRole& role) {
      const std::string& holder = role.in_place_of.empty() ? c_.me() : role.in_place_of;
      return task.roles.Has(role.role) && (task.person_id.empty() || task.person_id == holder);
    });
  }

  bool Has(const Task& task, const domain::Ban& ban) const {
    if (!kCalls[static_cast<size_t>(task.kind) - 1].rpc) return Holds(task);
    std::vector<access::Grant> grants;
    for (const access::Grant& grant : grants_[static_cast<size_t>(task.kind)]) {
      if (task.roles.Has(grant.role.role)) grants.push_back(grant);
    }
    return !grants.empty() && access::CheckConditions(c_.world(), grants, c_.asker,
                                                      {.ban = &ban, .unit_id = task.unit_id}, c_.now())
                                  .ok();
  }

 private:
  const Context& c_;
  std::vector<domain::HeldRole> held_;
  std::array<std::vector<access::Grant>, static_cast<size_t>(TaskKind::kCount)> grants_;
};

// The call alone is logged, not each file: a task says that a file waits for this caller and nothing of whom
// it is about.
Verdict ListTasks(Context& c, const journal::Journal::Condition& house, pb::ListTasksResponse& out) {
  const Caller caller(c);
  std::vector<Task> tasks;
  if (auto task = domain::DestructionTask(std::min(house.destruction_due, house.sweeping_due), c.now());
      task && caller.Holds(*task)) {
    tasks.push_back(std::move(*task));
  }
  for (const auto& [id, ban] : c.world().bans()) {
    for (Task& task : domain::TasksOf(c.municipality(), ban, c.now())) {
      const auto same = [&task](const Task& t) {
        return t.ban_id == task.ban_id && t.kind == task.kind && t.unit_id == task.unit_id;
      };
      // One who holds two of the roles has the task once; what a file brings about stands at the end.
      if (caller.Has(task, ban) && (tasks.empty() || !same(tasks.back()))) tasks.push_back(std::move(task));
    }
  }
  // What is overdue was due first, and what has no term comes last.
  const auto before = [](const Task& a, const Task& b) {
    const absl::Time a_due = a.due_at.value_or(absl::InfiniteFuture());
    const absl::Time b_due = b.due_at.value_or(absl::InfiniteFuture());
    return std::tie(a_due, a.ban_id, a.kind, a.unit_id) < std::tie(b_due, b.ban_id, b.kind, b.unit_id);
  };
  std::sort(tasks.begin(), tasks.end(), before);
  out.set_more(tasks.size() > kMaxTasks);
  tasks.resize(std::min(tasks.size(), kMaxTasks));
  for (const Task& task : tasks) {
    pb::Task& p = *out.add_tasks();
    p.set_kind(static_cast<pb::TaskKind>(task.kind));
    p.set_ban_id(task.ban_id);
    p.set_unit_id(task.unit_id);
    if (task.due_at) *p.mutable_due_at() = state::ToProto(*task.due_at);
    p.set_overdue(task.Overdue(c.now()));
    p.set_reminded(task.reminded);
    p.set_handed_out(task.handed_out);
  }
  return domain::kAllowed;
}

}  // namespace

Bound BindTasks(Server& server) {
  using S = pb::TaskService::AsyncService;
  auto service = std::make_unique<S>();
  Binder<S> b(server, service.get());
  b.Query<pb::ListTasksRequest, pb::ListTasksResponse>(
      Rpc::kListTasks, &S::RequestListTasks, [&core = server.core()](Context& c, const auto&, auto& out) {
        return ListTasks(c, core.journal().condition(), out);
      });
  Arm arm = b.TakeArm();
  return {std::move(service), std::move(arm)};
}

}  // namespace waarborg::rpc

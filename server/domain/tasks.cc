// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/tasks.h"

#include <algorithm>

#include "server/domain/file_term.h"

namespace waarborg::domain {
namespace {

using K = TaskKind;
using S = BanState;
using P = PhotoState;
using R = Role;

// States as they stand in the table.
template <class State>
class StateSet {
 public:
  constexpr StateSet(std::initializer_list<State> states) {
    for (State s : states) bits_ |= 1u << static_cast<unsigned>(s);
  }
  constexpr bool Has(State s) const { return (bits_ >> static_cast<unsigned>(s)) & 1u; }

 private:
  uint32_t bits_ = 0;
};

constexpr StateSet<S> kUndecided{S::kProposed, S::kProvisional};
constexpr StateSet<S> kDecided{S::kActive, S::kExtended};
constexpr StateSet<S> kClosed{S::kRejected, S::kLapsed, S::kLifted, S::kExpired};
constexpr StateSet<P> kAnyPhoto{P::kNone,     P::kInformed,   P::kRequested, P::kConsented,
                                P::kRefused,  P::kDeclined,   P::kSupplied,  P::kReleased,
                                P::kDarkened, P::kDestroying, P::kDestroyed, P::kClosed};

// What a decision needs and the desk, the manager or T&V have to fill in.
bool IsComplete(const Municipality& m, const Ban& ban) {
  return ban.terms && m.FindGround(ban.terms->ground_id) != nullptr && ban.identity.established &&
         !ban.reasons.empty() && !ban.open_channels.empty();
}
bool Lacks(const Municipality& m, const Ban& ban) {
  return !IsComplete(m, ban);
}
bool WaitsForAdvice(const Municipality& m, const Ban& ban) {
  return IsComplete(m, ban) && m.FindGround(ban.terms->ground_id)->advice_needed && ban.advised_by.empty();
}
bool IsReady(const Municipality& m, const Ban& ban) {
  return IsComplete(m, ban) && !WaitsForAdvice(m, ban);
}
bool WaitsForHandOver(const Municipality& m, const Ban& ban) {
  return m.file_hand_over && !ban.handed_over;
}
bool Always(const Municipality&, const Ban&) {
  return true;
}

// From which states of ban and photo a task follows, and whose it is. No roles: the level that decides.
struct Row {
  TaskKind kind;
  StateSet<S> ban;
  StateSet<P> photo;
  bool (*holds)(const Municipality&, const Ban&);
  RoleSet roles;
};

// In the order of the enumeration.
constexpr Row kTable[] = {
    {K::kCompleteFile, kUndecided, kAnyPhoto, Lacks, {R::kManager, R::kSecurityCoordinator}},
    {K::kAdvise, kUndecided, kAnyPhoto, WaitsForAdvice, {R::kMunicipalSecretary}},
    {K::kDecideBan, {S::kProposed}, kAnyPhoto, IsReady, {}},
    {K::kConfirmDenial, {S::kProvisional}, kAnyPhoto, IsReady, {}},
    {K::kRecordInformed, kDecided, {P::kNone}, Always, {R::kManager, R::kSecurityCoordinator}},
    {K::kRequestRelease, kDecided, {P::kInformed}, Always, {R::kSecurityCoordinator}},
    {K::kDecideConsent, kDecided, {P::kRequested}, Always, {R::kManager}},
    {K::kSupplyPhoto, kDecided, {P::kConsented}, Always, {R::kCivilAffairs}},
    {K::kReleasePhoto, kDecided, {P::kSupplied}, Always, {R::kSecurityCoordinator}},
    {K::kHandOverFile, kClosed, kAnyPhoto, WaitsForHandOver, {R::kLegal}},
};

// The same for what follows from the copies of one recipient. Once the term has passed there are more who see
// to it, and the recipient still has to do it.
struct CopyRow {
  TaskKind kind;
  bool once_overdue;
  bool only_proposer;
  RoleSet roles;
};
constexpr CopyRow kCopyTable[] = {
    {K::kConfirmCopiesGone, false, false, {R::kDeskStaff, R::kPoliceContact}},
    {K::kCopiesOverdue, true, false, {R::kSecurityCoordinator}},
    {K::kCopiesOverdue, true, true, {R::kManager}},
};

constexpr bool EveryKindHasARow() {
  for (int i = 1; i < static_cast<int>(K::kCount); ++i) {
    bool found = static_cast<K>(i) == K::kDestructionOverdue;  // of the house
    for (const Row& row : kTable) found |= row.kind == static_cast<K>(i);
    for (const CopyRow& row : kCopyTable) found |= row.kind == static_cast<K>(i);
    if (!found) return false;
  }
  return true;
}
static_assert(EveryKindHasARow(), "a kind of task has no row");

}  // namespace

std::optional<Task> DestructionTask(absl::Time due, absl::Time now) {
  if (due == absl::InfiniteFuture() || due + kDestructionGrace > now) return std::nullopt;
  Task task;
  task.kind = TaskKind::kDestructionOverdue;
  task.roles = {R::kAdministrator};
  task.due_at = due + kDestructionGrace;
  return task;
}

std::vector<Task> TasksOf(const Municipality& m, const Ban& ban, absl::Time now) {
  std::vector<Task> tasks;
  // Between its end and the clock's turn a ban asks for nothing any more.
  const bool over = EndIsDue(ban, now);
  for (const Row& row : kTable) {
    if (over || !row.ban.Has(ban.state) || !row.photo.Has(ban.release.state) || !row.holds(m, ban)) continue;
    Task task;
    task.kind = row.kind;
    task.ban_id = ban.id;
    task.roles = row.roles.empty() ? RoleSet{DecidingLevel(m, ban)} : row.roles;
    if (ban.state == S::kProvisional) task.due_at = ban.ends_at;  // else it lapses
    if (row.kind == K::kHandOverFile) {
      if (const absl::Time ends = FileTermEnds(m, ban); ends != absl::InfiniteFuture()) task.due_at = ends;
    }
    tasks.push_back(std::move(task));
  }
  for (const CopyCheck& check : ban.release.copies) {
    if (!check.open()) continue;
    for (const CopyRow& row : kCopyTable) {
      if (row.once_overdue && now < check.due_at) continue;
      const auto same = [&](const Task& t) {
        return t.kind == row.kind && t.unit_id == check.unit_id && t.person_id.empty() != row.only_proposer;
      };
      // One answer of a unit covers all its copies; the first that was asked about is due first.
      if (auto it = std::find_if(tasks.begin(), tasks.end(), same); it != tasks.end()) {
        it->handed_out += check.exports;
        continue;
      }
      Task task;
      task.kind = row.kind;
      task.ban_id = ban.id;
      task.roles = row.roles;
      if (row.only_proposer) task.person_id = ban.proposed_by;
      task.unit_id = check.unit_id;
      task.due_at = check.due_at;
      task.reminded = check.reminded_at.has_value();
      task.handed_out = check.exports;
      tasks.push_back(std::move(task));
    }
  }
  return tasks;
}

}  // namespace waarborg::domain

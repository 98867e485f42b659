// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/release.h"

#include <algorithm>

namespace waarborg::domain {
namespace {

using S = PhotoState;
using E = PhotoEvent;

struct Row {
  PhotoState from;
  PhotoEvent event;
  PhotoState to;
};

constexpr Row kTable[] = {
    {S::kNone, E::kInform, S::kInformed},
    {S::kInformed, E::kRequest, S::kRequested},
    {S::kRequested, E::kConsent, S::kConsented},
    {S::kRequested, E::kRefuse, S::kRefused},
    {S::kConsented, E::kSupply, S::kSupplied},
    {S::kConsented, E::kDecline, S::kDeclined},
    {S::kSupplied, E::kRelease, S::kReleased},
    {S::kReleased, E::kDarken, S::kDarkened},
    {S::kDarkened, E::kRestore, S::kReleased},
    {S::kSupplied, E::kWithdrawWrong, S::kDestroying},
    {S::kReleased, E::kWithdrawWrong, S::kDestroying},
    {S::kDarkened, E::kWithdrawWrong, S::kDestroying},
    // The end: with a photo it is destroyed, without one the way to it is closed.
    {S::kNone, E::kEnd, S::kClosed},
    {S::kInformed, E::kEnd, S::kClosed},
    {S::kRequested, E::kEnd, S::kClosed},
    {S::kConsented, E::kEnd, S::kClosed},
    {S::kSupplied, E::kEnd, S::kDestroying},
    {S::kReleased, E::kEnd, S::kDestroying},
    {S::kDarkened, E::kEnd, S::kDestroying},
    {S::kDestroying, E::kEnd, S::kDestroying},  // a wrong photo on its way out: no right one follows
    {S::kDestroying, E::kKeyDestroyed, S::kDestroyed},
    {S::kDestroying, E::kWrongKeyDestroyed, S::kConsented},
    {S::kSupplied, E::kLoseKey, S::kConsented},
    {S::kReleased, E::kLoseKey, S::kConsented},
    {S::kDarkened, E::kLoseKey, S::kConsented},
};

// What was said of the photo that is gone, so that another can take its place.
void ForgetPhoto(Release& release) {
  release.photo_id.clear();
  release.supplied_by.clear();
  release.source_id.clear();
  release.released_by.clear();
  release.recipient_unit_ids.clear();
}

}  // namespace

std::optional<PhotoState> NextState(PhotoState from, PhotoEvent event) {
  for (const Row& row : kTable) {
    if (row.from == from && row.event == event) return row.to;
  }
  return std::nullopt;
}

Verdict Advance(Release& release, PhotoEvent event) {
  if (auto next = NextState(release.state, event)) {
    release.state = *next;
    return kAllowed;
  }
  if (event == PhotoEvent::kRequest && release.state == PhotoState::kNone) return Refusal(Rule::kNotInformed);
  if (release.objection_upheld) return Refusal(Rule::kObjectionUpheld);
  return Refusal(Rule::kWrongState);
}

Verdict CheckCriteria(const Municipality& m, const std::vector<CriterionAnswer>& answers, bool consent) {
  if (answers.size() != m.criteria.size()) return Refusal(Rule::kCriteriaIncomplete, "answers");
  for (const Criterion& criterion : m.criteria) {
    auto answers_it = [&](const CriterionAnswer& a) { return a.criterion_id == criterion.id; };
    auto it = std::find_if(answers.begin(), answers.end(), answers_it);
    if (it == answers.end() || it->explanation.empty()) return Refusal(Rule::kCriteriaIncomplete, "answers");
    if (consent && !it->met) return Refusal(Rule::kCriteriaNotMet, "answers");
  }
  return kAllowed;
}

bool EndRelease(Release& release, DestructionReason reason) {
  auto next = NextState(release.state, PhotoEvent::kEnd);
  if (!next) return false;
  release.state = *next;
  release.destruction_reason = reason;
  return true;
}

void CompleteDestruction(Release& release, bool ban_is_final, absl::Time now) {
  const bool wrong = release.destruction_reason == DestructionReason::kWrongPhoto && !ban_is_final;
  if (Advance(release, wrong ? PhotoEvent::kWrongKeyDestroyed : PhotoEvent::kKeyDestroyed)) return;
  if (wrong) {
    ForgetPhoto(release);
    release.destruction_reason = DestructionReason::kNone;
  } else {
    release.destroyed_at = now;
  }
}

void LosePhoto(Release& release) {
  if (!Advance(release, PhotoEvent::kLoseKey)) ForgetPhoto(release);
}

}  // namespace waarborg::domain

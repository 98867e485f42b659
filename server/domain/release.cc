// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/release.h"

#include <algorithm>

#include "server/domain/deadlines.h"

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

// Every unit that a photo was released to, or that took a file of one, answers for its copies of it; once,
// however often the release ends. A file of a photo whose key was lost since is asked about with the next one
// that goes.
void AskAboutCopies(const Municipality& m, Release& release, absl::Time now) {
  const auto ask = [&](const std::string& photo_id, const std::string& unit_id) {
    const bool asked = std::any_of(release.copies.begin(), release.copies.end(), [&](const CopyCheck& c) {
      return c.photo_id == photo_id && c.unit_id == unit_id;
    });
    if (asked) return;
    CopyCheck check;
    check.photo_id = photo_id;
    check.unit_id = unit_id;
    check.asked_at = now;
    check.remind_at = EndOfTerm(m, Term::kRemindOfCopies, now);
    check.due_at = EndOfTerm(m, Term::kConfirmCopies, now);
    check.exports = static_cast<int>(
        std::count_if(release.exports.begin(), release.exports.end(),
                      [&](const PhotoExport& e) { return e.photo_id == photo_id && e.unit_id == unit_id; }));
    release.copies.push_back(std::move(check));
  };
  for (const std::string& unit_id : release.recipient_unit_ids) ask(release.photo_id, unit_id);
  for (const PhotoExport& e : release.exports) ask(e.photo_id, e.unit_id);
}

// What comes next of a check, whenever that is.
CopyStep NextStep(const CopyCheck& check) {
  if (!check.open() || check.escalated_at) return CopyStep::kNone;
  return check.reminded_at || check.due_at <= check.remind_at ? CopyStep::kEscalate : CopyStep::kRemind;
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

bool EndRelease(const Municipality& m, Release& release, DestructionReason reason, absl::Time now) {
  AskAboutCopies(m, release, now);
  auto next = NextState(release.state, PhotoEvent::kEnd);
  if (!next) return false;
  release.state = *next;
  release.destruction_reason = reason;
  return true;
}

Verdict WithdrawWrong(const Municipality& m, Release& release, absl::Time now) {
  if (auto v = Advance(release, PhotoEvent::kWithdrawWrong)) return v;
  release.destruction_reason = DestructionReason::kWrongPhoto;
  AskAboutCopies(m, release, now);
  return kAllowed;
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

Verdict AddExport(Release& release, const std::string& unit_id, const std::string& person_id,
                  const std::string& basis, absl::Time now) {
  if (basis.empty()) return Refusal(Rule::kFieldMissing, "basis");
  if (release.state == S::kDarkened) return Refusal(Rule::kPhotoDarkened);
  if (release.state != S::kReleased) return Refusal(Rule::kPhotoNotReleased);
  const auto& named = release.recipient_unit_ids;
  if (std::find(named.begin(), named.end(), unit_id) == named.end()) return Refusal(Rule::kNotNamedRecipient);
  release.exports.push_back({release.photo_id, unit_id, person_id, now, basis});
  return kAllowed;
}

absl::Time NextCopyStep(const Release& release) {
  absl::Time next = absl::InfiniteFuture();
  for (const CopyCheck& check : release.copies) {
    const CopyStep step = NextStep(check);
    if (step == CopyStep::kNone) continue;
    next = std::min(next, step == CopyStep::kRemind ? check.remind_at : check.due_at);
  }
  return next;
}

CopyStep TakeCopyStep(CopyCheck& check, absl::Time now) {
  CopyStep step = NextStep(check);
  if (step == CopyStep::kRemind && check.due_at <= now) step = CopyStep::kEscalate;
  if (step == CopyStep::kNone || now < (step == CopyStep::kRemind ? check.remind_at : check.due_at)) {
    return CopyStep::kNone;
  }
  (step == CopyStep::kRemind ? check.reminded_at : check.escalated_at) = now;
  return step;
}

bool WasAskedAboutCopies(const Release& release, const std::string& unit_id) {
  return std::any_of(release.copies.begin(), release.copies.end(),
                     [&](const CopyCheck& check) { return check.unit_id == unit_id; });
}

Outcome<std::vector<std::string>> ConfirmCopiesGone(Release& release, const CopyAnswer& answer,
                                                    absl::Time now) {
  if (!WasAskedAboutCopies(release, answer.unit_id)) return Refusal(Rule::kNotFound, "unit_id");
  std::vector<std::string> photo_ids;
  for (CopyCheck& check : release.copies) {
    if (check.unit_id != answer.unit_id || !check.open()) continue;
    check.confirmed_by = answer.person_id;
    check.confirmed_at = now;
    check.found = answer.found;
    check.note = answer.note;
    photo_ids.push_back(check.photo_id);
  }
  if (photo_ids.empty()) return Rule::kCopiesConfirmedBefore;
  return photo_ids;
}

}  // namespace waarborg::domain

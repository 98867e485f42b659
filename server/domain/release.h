// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "server/domain/municipality.h"
#include "server/domain/rules.h"
#include "server/domain/types.h"

namespace waarborg::domain {

// Where the release of a photo stands. Numbers as in the API.
enum class PhotoState {
  kUnspecified = 0,
  kNone,        // nothing asked
  kInformed,    // by RecordInformed: the person concerned was told
  kRequested,   // by RequestRelease: T&V asked for consent
  kConsented,   // by DecideConsent; again after WithdrawWrongPhoto
  kRefused,     // by DecideConsent; final
  kDeclined,    // by DeclineSupply; final
  kSupplied,    // by SupplyPhoto
  kReleased,    // by ReleasePhoto; again by RestorePhoto
  kDarkened,    // by DarkenPhoto
  kDestroying,  // by the clock, a lift, an objection or a wrong photo: unreadable, the key is about to go
  kDestroyed,   // the key is gone; final
  kClosed,      // ended before there was a photo; final
  kCount,
};

enum class PhotoEvent {
  kInform,
  kRequest,
  kConsent,
  kRefuse,
  kSupply,
  kDecline,
  kRelease,
  kDarken,
  kRestore,
  kWithdrawWrong,      // the supplied photo is of somebody else
  kEnd,                // the ban ended, or an objection was upheld
  kKeyDestroyed,       // the keystore has let go of the key
  kWrongKeyDestroyed,  // the same for a wrong photo: the right one may follow under the same consent
  kLoseKey,            // the keystore was lost: the photo may be supplied again under the same consent
  kCount,
};

enum class DestructionReason { kNone = 0, kBanEnded, kBanLifted, kObjectionUpheld, kWrongPhoto };

enum class InformedHow { kUnspecified = 0, kStopTalk, kLetter };

struct CriterionAnswer {
  std::string criterion_id;
  bool met = false;
  std::string explanation;
};

struct Objection {
  bool upheld = false;
  std::string reasons;
  std::string decided_by;
  absl::Time at;
};

// What one recipient answers for when a photo goes: that it has no copy left.
struct CopyCheck {
  std::string photo_id;
  std::string unit_id;
  absl::Time asked_at;
  absl::Time remind_at;
  absl::Time due_at;  // first instant at which the term has passed
  std::optional<absl::Time> reminded_at;
  std::optional<absl::Time> escalated_at;  // to T&V and the manager who proposed
  std::string confirmed_by;                // person id; empty while nobody has
  std::optional<absl::Time> confirmed_at;
  bool found = false;  // copies were found and destroyed; otherwise nothing was found
  std::string note;
  int exports = 0;  // how often the photo was handed out to the unit as a file

  bool open() const { return !confirmed_at; }
};

// One time that a photo left the house as a file.
struct PhotoExport {
  std::string photo_id;
  std::string unit_id;  // answers for the copy
  std::string person_id;
  absl::Time at;
  std::string basis;
};

// What the clock has to do about a check.
enum class CopyStep { kNone, kRemind, kEscalate };

// The release of one ban's photo: who did which step. Person ids are empty while the step has not been taken.
struct Release {
  PhotoState state = PhotoState::kNone;
  InformedHow informed_how = InformedHow::kUnspecified;
  absl::CivilDay informed_on;
  std::string informed_by;
  std::string requested_by;
  std::string consent_by;
  std::vector<CriterionAnswer> answers;
  std::string supplied_by;
  std::string source_id;
  std::string legal_basis_id;  // covered by the consent, relied on by the supply
  std::string decline_reason;
  std::string photo_id;
  std::string released_by;
  std::vector<std::string> recipient_unit_ids;
  std::string darken_reason;
  std::string darkened_by;
  DestructionReason destruction_reason = DestructionReason::kNone;
  std::optional<absl::Time> destruction_due_at;  // since when it has to be gone
  std::optional<absl::Time> destroyed_at;
  bool objection_upheld = false;
  std::vector<Objection> objections;
  std::vector<CopyCheck> copies;     // of every photo that was released and went, a wrong one too; in order
  std::vector<PhotoExport> exports;  // of every photo, also one that is gone; in order

  // True while there are bytes that somebody could still look at.
  bool HasPhoto() const {
    return state == PhotoState::kSupplied || state == PhotoState::kReleased || state == PhotoState::kDarkened;
  }
};

// The release table: the state after `event` in `from`, or nothing when the event does not fit.
std::optional<PhotoState> NextState(PhotoState from, PhotoEvent event);

// Moves the release on, or refuses with wrong-state (or the more telling not-informed, objection-upheld) and
// leaves it as it was.
Verdict Advance(Release& release, PhotoEvent event);

// Checks the answers against the configured criteria: each answered once, with an explanation; all met when
// consenting.
Verdict CheckCriteria(const Municipality& m, const std::vector<CriterionAnswer>& answers, bool consent);

// Ends the release: a photo goes to kDestroying for this reason, a procedure under way is closed, a final
// state stays. Every recipient is asked whether it has a copy left. Returns true when the state changed.
bool EndRelease(const Municipality& m, Release& release, DestructionReason reason, absl::Time now);

// The supplied photo is of somebody else: it goes to kDestroying, and its recipients are asked about their
// copies of it.
Verdict WithdrawWrong(const Municipality& m, Release& release, absl::Time now);

// The key of the photo is gone. A wrong photo makes room for the right one unless `ban_is_final`; anything
// else is final. What its recipients were asked stays.
void CompleteDestruction(Release& release, bool ban_is_final, absl::Time now);

// The key of the photo was lost, without anybody having meant it to go: back to where it can be supplied
// again. Only when HasPhoto.
void LosePhoto(Release& release);

// The photo is handed out as a file, on a recorded basis, to one of its recipients: from now on that unit
// answers for one copy more, whatever becomes of photo and release. Only while it is released.
Verdict AddExport(Release& release, const std::string& unit_id, const std::string& person_id,
                  const std::string& basis, absl::Time now);

// The next instant at which the clock has something to do about the copies; InfiniteFuture when there is
// none.
absl::Time NextCopyStep(const Release& release);
// What is due about a check, once each; notes it as done. A term that has passed is not reminded of any more.
CopyStep TakeCopyStep(CopyCheck& check, absl::Time now);

struct CopyAnswer {
  std::string unit_id;
  bool found = false;
  std::string note;
  std::string person_id;
};
// The unit was asked about a copy of some photo of this ban.
bool WasAskedAboutCopies(const Release& release, const std::string& unit_id);
// The unit has no copy left of any photo that it was asked about. Not for a unit that was never asked, and
// once. Returns the photos.
Outcome<std::vector<std::string>> ConfirmCopiesGone(Release& release, const CopyAnswer& answer,
                                                    absl::Time now);

}  // namespace waarborg::domain

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace waarborg::domain {

// Every rule by which a request can be refused. The texts, the kind and the stable name of each stand in one
// table (rules.cc); a test checks that the table is whole.
enum class Rule {
  // Who is asking.
  kStationUnknown,
  kSessionRequired,
  kSessionElsewhere,
  kSignInFailed,
  kSignInThrottled,
  kOpenIdNotConfigured,
  kOpenIdUnreachable,
  kEnrolmentFailed,
  kPasswordTooWeak,
  kSecurityKeysOff,
  kSecurityKeyNotAccepted,
  kTooManySecurityKeys,
  kFullSignInNeeded,
  kCodeNotAccepted,
  kRoleNotAllowed,
  // Conditions of the policy table.
  kNotAssignedHere,
  kLocationNotServed,
  kNotNamedRecipient,
  kUnitOfOthers,
  kInstructionNotAcknowledged,
  kBanNotInForce,
  kPhotoNotReleased,
  kPhotoDarkened,
  kPhotoNotForPreview,
  kPurposeMissing,
  kProposedItYourself,
  kRequestedItYourself,
  kConsentedYourself,
  kSuppliedItYourself,
  kDecidedItYourself,
  kOwnTeamWasHit,
  kOtherLevelDecides,
  kChangeAboutYourself,
  kChangeOwnProposal,
  kChangeOfAnother,
  kChangeOutdated,
  kLastOfItsKind,
  // What is in the request.
  kNotFound,
  kFieldMissing,
  kFieldInvalid,
  kFieldTooLong,
  kDateInvalid,
  kDateInFuture,
  kDatesInWrongOrder,
  kUnknownLocation,
  kUnknownGround,
  kUnknownUnit,
  kUnitMayNotSeePhotos,
  kThirdPartyLocation,
  kUnknownSource,
  kSourceNotAllowed,
  kUnknownLegalBasis,
  kLegalBasisNotConsented,
  kCriteriaIncomplete,
  kCriteriaNotMet,
  kChecksIncomplete,
  kInstructionOutdated,
  kRoleHeldAlone,
  kAlreadyExists,
  kConfigurationInvalid,
  kMrzUnreadable,
  kMrzCheckDigit,
  kMrzDrivingLicence,
  kMrzNotSupported,
  // Order of the procedure.
  kWrongState,
  kIdentityNotEstablished,
  kDepartureNeedsReason,
  kAdviceMissing,
  kBoardDecisionIncomplete,
  kDecidedAfterEnd,
  kNotInformed,
  kObjectionUpheld,
  kCopiesConfirmedBefore,
  kNothingToCorrect,
  kDemandOutOfOrder,
  kNoMoreDemands,
  // Photos.
  kPhotoTooLarge,
  kPhotoTooManyPixels,
  kPhotoTooSmall,
  kPhotoNotAnImage,
  kPhotoDamaged,
  kPhotoDisguised,
  kCropOutside,
  kCropOtherRatio,
  // Commands and the system.
  kIdempotencyKeyInvalid,
  kIdempotencyKeyReused,
  kBusy,
  kTooManyChecks,
  kTooManyPhotos,
  kLogNotWitnessed,
  kProcessingActivityMissing,
  kNoBackups,
  kBackupFailed,
  kCannotRecord,
  kClockInDoubt,
  kStopping,
  kInternal,
  kCount,
};

// What a client should do with a refusal; becomes the gRPC status code.
enum class RuleKind {
  kUnauthenticated,  // sign in, or use a registered station
  kPermission,       // never for this person here and now
  kInvalid,          // the request is wrong whatever the state
  kNotFound,         // no such thing, or not for you to know
  kPrecondition,     // right request, wrong moment: something has to happen first
  kConflict,         // already there, or a key used twice
  kExhausted,        // later
  kUnavailable,      // the service cannot record, so it cannot answer
  kInternal,         // a fault of ours
};

struct RuleText {
  Rule rule;
  RuleKind kind;
  const char* name;     // stable, kebab-case; in errors, scenarios and the audit log
  const char* message;  // what is wrong
  const char* next;     // what to do now
  const char* message_nl;
  const char* next_nl;
};

// The row of a rule.
const RuleText& TextOf(Rule rule);

// Why a request is refused. `field` is a path in the request, or empty. Never holds personal data.
struct Refusal {
  Rule rule;
  std::string field;
  // Facts about the refusal that help and are not personal ("line 12: unknown key"); may be empty.
  std::string detail;

  Refusal(Rule r, std::string f = "", std::string d = "")  // NOLINT: a rule alone is a refusal
      : rule(r), field(std::move(f)), detail(std::move(d)) {}
  const char* name() const { return TextOf(rule).name; }
  bool operator==(const Refusal& o) const { return rule == o.rule && field == o.field; }
};

// Nothing, or why not.
using Verdict = std::optional<Refusal>;
inline const Verdict kAllowed = std::nullopt;

// A value, or why not.
template <class T>
class Outcome {
 public:
  Outcome(T value) : v_(std::move(value)) {}            // NOLINT
  Outcome(Refusal refusal) : v_(std::move(refusal)) {}  // NOLINT
  Outcome(Rule rule) : v_(Refusal(rule)) {}             // NOLINT
  bool ok() const { return std::holds_alternative<T>(v_); }
  const T& value() const { return std::get<T>(v_); }
  T& value() { return std::get<T>(v_); }
  const Refusal& refusal() const { return std::get<Refusal>(v_); }
  const T* operator->() const { return &value(); }
  const T& operator*() const { return value(); }

 private:
  std::variant<T, Refusal> v_;
};

}  // namespace waarborg::domain

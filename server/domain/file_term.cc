// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/file_term.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/base/clock.h"

namespace waarborg::domain {
namespace {

// Words of the counts, in the order of the enumerations; never changed, for they are added to for years.
constexpr const char* kStates[] = {"",         "proposed", "provisional", "alert",  "active",
                                   "extended", "rejected", "lapsed",      "lifted", "expired"};
static_assert(std::size(kStates) == static_cast<size_t>(BanState::kCount));
constexpr const char* kPhotos[] = {"",           "none",      "informed", "requested", "consented",
                                   "refused",    "declined",  "supplied", "released",  "darkened",
                                   "destroying", "destroyed", "closed"};
static_assert(std::size(kPhotos) == static_cast<size_t>(PhotoState::kCount));
constexpr const char* kReasons[] = {"", "ban-ended", "ban-lifted", "objection-upheld", "wrong-photo"};
static_assert(std::size(kReasons) == static_cast<size_t>(DestructionReason::kWrongPhoto) + 1);
constexpr const char* kMeasures[] = {"", "time-out", "access-ban", "provisional"};
static_assert(std::size(kMeasures) == static_cast<size_t>(Measure::kProvisional) + 1);

bool PhotoIsGone(const Release& release) {
  return !release.HasPhoto() && release.state != PhotoState::kDestroying;
}

}  // namespace

absl::Time ClosedAt(const Ban& ban) {
  if (!IsFinal(ban.state)) return absl::InfiniteFuture();
  // A rejected proposal never had an end.
  return std::max(ban.ends_at, ban.proposed_at);
}

absl::Time FileTermEnds(const Municipality& m, const Ban& ban) {
  const absl::Time closed = ClosedAt(ban);
  if (closed == absl::InfiniteFuture() || !PhotoIsGone(ban.release)) return absl::InfiniteFuture();
  const absl::CivilDay day = base::LocalDay(closed);
  // The civil calendar carries 31 January plus a month over into March, which is later, not earlier.
  return base::StartOfDay(absl::CivilDay(day.year(), day.month() + m.file_keep_months, day.day()));
}

absl::Time FileDestructionDue(const Municipality& m, const Ban& ban) {
  return m.file_hand_over && !ban.handed_over ? absl::InfiniteFuture() : FileTermEnds(m, ban);
}

Verdict HandOver(Ban& ban, const std::string& reference, const std::string& person_id, absl::Time now) {
  if (!IsFinal(ban.state)) return Refusal(Rule::kWrongState);
  if (reference.empty()) return Refusal(Rule::kFieldMissing, "reference");
  ban.handed_over = HandedOver{reference, person_id, now};
  return kAllowed;
}

std::vector<std::string> CountsOf(const Ban& ban) {
  std::vector<std::string> counts = {"file"};
  const auto add = [&](absl::string_view what, absl::string_view which) {
    if (!which.empty()) counts.push_back(absl::StrCat(what, "/", which));
  };
  add("closed", kStates[static_cast<size_t>(ban.state)]);
  if (ban.terms) {
    add("ground", ban.terms->ground_id);
    add("measure", kMeasures[static_cast<size_t>(ban.terms->measure)]);
    if (ban.terms->repeat_offence) counts.emplace_back("repeat-offence");
  }
  add("photo", kPhotos[static_cast<size_t>(ban.release.state)]);
  add("destroyed", kReasons[static_cast<size_t>(ban.release.destruction_reason)]);
  counts.insert(counts.end(), ban.extensions.size(), "extension");
  counts.insert(counts.end(), ban.breaches.size(), "breach");
  for (const Objection& o : ban.release.objections) add("objection", o.upheld ? "upheld" : "dismissed");
  return counts;
}

}  // namespace waarborg::domain

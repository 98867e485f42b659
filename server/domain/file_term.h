// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/domain/ban.h"
#include "server/domain/municipality.h"

// The end of a file. The photo goes with the ban; the rest is kept for a term, because a later offence counts
// the earlier one, and then its key is destroyed. What stays is counts.
namespace waarborg::domain {

// When the ban was closed: it ended, lapsed, was lifted or rejected; InfiniteFuture while it is none of
// these.
absl::Time ClosedAt(const Ban& ban);

// When the term of the file ends, by the configuration ([file] keep_months after it was closed, at the start
// of the day); InfiniteFuture while the ban is not closed or its photo not gone.
absl::Time FileTermEnds(const Municipality& m, const Ban& ban);

// When the file is to be destroyed: when its term has ended and, where the configuration asks for it, it was
// handed over to the archive or case system before.
absl::Time FileDestructionDue(const Municipality& m, const Ban& ban);

// Records that the file was handed over, under this reference. Only a closed file; again, to correct the
// reference.
Verdict HandOver(Ban& ban, const std::string& reference, const std::string& person_id, absl::Time now);

// What is counted of a file that goes, one for each: "closed/expired", "ground/verbaal", "measure/time-out",
// "photo/destroyed", "extension", "breach", "objection/upheld" ... Nothing in it tells one file from another.
std::vector<std::string> CountsOf(const Ban& ban);

}  // namespace waarborg::domain

// SPDX-License-Identifier: EUPL-1.2
// Two people, as typed and as in the file: folding is stable, comparing never fails, and the index finds what
// comparing finds. Input: six bytes of dates and flags, then names separated by newlines.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "server/domain/match.h"

using waarborg::domain::Ban;
using waarborg::domain::BirthDate;
using waarborg::domain::Grade;
using waarborg::domain::PersonName;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 7 || size > 1000) return 0;
  auto date = [&](const uint8_t* b) { return BirthDate{b[0] == 0 ? 0 : 1900 + b[0], b[1] % 13, b[2] % 32}; };
  const std::string text(reinterpret_cast<const char*>(data + 7), size - 7);
  std::vector<std::string> part = absl::StrSplit(text, '\n');
  part.resize(6);
  const PersonName asked{part[0], part[1], part[2]}, known{part[3], part[4], part[5]};
  const std::string folded = waarborg::domain::Fold(part[2]);
  if (waarborg::domain::Fold(folded) != folded) std::abort();
  const bool from_document = data[6] & 1, truncated = data[6] & 2, established = data[6] & 4;
  const waarborg::domain::Query query{waarborg::domain::FoldName(asked), date(data), from_document,
                                      truncated};
  const Grade grade =
      waarborg::domain::Compare(query, {waarborg::domain::FoldName(known), date(data + 3), established});
  if (known.surname.empty()) return 0;
  Ban ban;
  ban.id = "LV-1";
  ban.state = waarborg::domain::BanState::kActive;
  ban.identity = {known, {}, date(data + 3), established, ""};
  ban.scope.location_ids = {"here"};
  ban.starts_at = absl::UnixEpoch();
  ban.ends_at = absl::InfiniteFuture();
  waarborg::domain::MatchIndex index;
  index.Put(ban);
  const auto hits = index.Find("here", false, query, absl::UnixEpoch() + absl::Hours(1));
  if ((hits.empty() ? Grade::kNone : hits.front().grade) != grade) std::abort();
  return 0;
}

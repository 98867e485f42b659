// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "audit/merkle.h"
#include "server/base/random.h"
#include "server/base/secret.h"
#include "server/keys/keystore.h"
#include "server/store/store.h"
#include "waarborg/v1/store.pb.h"

// Rows of the store. Every value is sealed, with its row's key as context, but for those marked *.
//   m/schema *      version of this layout
//   b/ID p/ID s/ID c/ID r/ID   ban, person, station, change, review
//   f/municipality  the municipal configuration
//   i/HEX           command carried out, by digest of its idempotency key
//   k/ID *          this ban's file is being destroyed: since when it had to go, milliseconds since 1970, 8
//   bytes,
//                   big-endian
//   n/YEAR          counts of files that were destroyed
//   d/NUMBER        opening of the entry about a destruction, until its certificate is made
//   ph/ID           photo, sealed under its own key
//   l/NUMBER        log entry: commitment * (32 bytes), u8 length of the ban id *, ban id *, opening sealed
//   under that
//                   ban's file key, or under the house key when there is no ban
//   m/indexed *     number of the first entry that is in no row of the index yet
//   x/LOG TERM NUMBER *   index: entries of this log in which the term occurs, from this one on
//   (log_index.h): each as
//                   its distance from NUMBER, 4 bytes, big-endian, ascending
//   y/DAY *         number of the first entry of a day
//   a/head *        head of the log that is written to
//   g/LOG *         a log that is closed
// NUMBER: 8 bytes, big-endian, counted through all logs. LOG, DAY (days since 1970-01-01 UTC): 4 bytes,
// big-endian. TERM: 8 bytes.
namespace waarborg::journal {

inline constexpr int kSchema = 4;
inline constexpr char kIndexed[] = "m/indexed";

void AppendNumber(std::string& row, uint64_t number);
// The same by itself.
std::string NumberValue(uint64_t number);
// Eight bytes at this place; the row is long enough.
uint64_t NumberAt(std::string_view row, size_t at);

std::string BanRow(const std::string& ban_id);
std::string PhotoRow(const std::string& photo_id);
std::string EntryRow(uint64_t number);
// The number in an entry's row; nothing when it is no such row.
std::optional<uint64_t> IndexOf(std::string_view row);
std::string IndexPrefix(uint32_t log, std::string_view term);
std::string DayRow(absl::Time t);
std::string ClosedLogRow(uint32_t log);

// An entry's value, taken apart; views into it.
struct EntryParts {
  std::string_view commitment;
  std::string_view ban_id;  // empty: sealed under the house key
  std::string_view sealed_opening;
};
std::optional<EntryParts> SplitEntry(std::string_view value);
std::string JoinEntry(const EntryParts& parts);

// The tree of a head; nothing when it is damaged.
std::optional<audit::Frontier> FrontierOf(const waarborg::v1::LogHeadRecord& head);

// The tree over the entries from row number `first` on, `size` of them; over fewer when there are fewer in
// order. Cancelled when `stop` becomes true.
absl::StatusOr<audit::Frontier> RebuildTree(const store::Store& store, uint64_t first, uint64_t size,
                                            const std::atomic<bool>* stop);

// Brings data of an earlier schema to this one, step by step; each step can be interrupted anywhere and is
// taken up again at the next start. Data of a later schema are refused and left as they are. `fresh` is set
// when there are no data yet; then nothing is written.
absl::Status UpgradeSchema(store::Store& store, const keys::Keystore& file_keys, base::Random& random,
                           bool& fresh);

}  // namespace waarborg::journal

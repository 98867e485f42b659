// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "server/base/random.h"
#include "server/base/secret.h"
#include "server/keys/keystore.h"
#include "server/store/store.h"

// Rows of the store. Every value but the commitments, the head and the schema is sealed, with its row's key
// as context.
//   m/schema        version of this layout
//   b/ID p/ID s/ID c/ID   ban, person, station, change
//   f/municipality  the municipal configuration
//   i/HEX           command carried out, by digest of its idempotency key
//   ph/ID           photo, sealed under its own key
//   l/INDEX         log entry (INDEX: 8 bytes, big-endian): commitment (32 bytes), u8 length of the ban id,
//   ban
//                   id, opening sealed under that ban's file key, or under the house key when there is no ban
//   a/head          head of the log
namespace waarborg::journal {

inline constexpr int kSchema = 2;

std::string EntryRow(uint64_t index);
// The index in an entry's row; nothing when it is no such row.
std::optional<uint64_t> IndexOf(std::string_view row);

// An entry's value, taken apart; views into it.
struct EntryParts {
  std::string_view commitment;
  std::string_view ban_id;  // empty: sealed under the house key
  std::string_view sealed_opening;
};
std::optional<EntryParts> SplitEntry(std::string_view value);
std::string JoinEntry(const EntryParts& parts);

// Brings data of an earlier schema to this one, step by step; each step can be interrupted anywhere and is
// taken up again at the next start. Data of a later schema are refused and left as they are. `fresh` is set
// when there are no data yet; then nothing is written.
absl::Status UpgradeSchema(store::Store& store, const keys::Keystore& file_keys, base::Random& random,
                           bool& fresh);

}  // namespace waarborg::journal

// SPDX-License-Identifier: EUPL-1.2
#include "server/journal/rows.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "audit/opening.h"
#include "server/keys/sealing.h"
#include "waarborg/v1/store.pb.h"

namespace waarborg::journal {
namespace {

using audit::kCommitmentSize;
constexpr size_t kRowsPerBatch = 1000;
void AppendShort(std::string& row, uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) row += static_cast<char>(number >> shift);
}

// Schema 1 kept commitment (l/INDEX) and opening (o/INDEX: u8, ban id, sealed) in two rows.
absl::Status OneRowForAnEntry(store::Store& store, const keys::Keystore& file_keys, base::Random& random) {
  for (;;) {
    store::Batch batch;
    absl::Status broken;
    auto s = store.Scan("o/", "o/", [&](std::string_view row, std::string_view value) {
      const std::string entry_row = absl::StrCat("l/", std::string(row.substr(2)));
      auto commitment = store.Get(entry_row);
      if (!commitment.ok() || commitment->size() != kCommitmentSize || value.empty()) {
        broken = absl::DataLossError(
            "the audit log is damaged and cannot be brought to the new layout; "
            "restore a backup");
        return false;
      }
      // The same layout but for the commitment in front, and sealed for its new place. An opening whose key
      // is gone stays what it is: unreadable.
      const std::string old = *commitment + std::string(value);
      auto parts = SplitEntry(old);
      if (!parts) {
        broken = absl::DataLossError("an opening in the audit log is damaged; restore a backup");
        return false;
      }
      const base::Secret* key = file_keys.Find(parts->ban_id.empty() ? "house" : std::string(parts->ban_id));
      auto opening = key == nullptr ? std::nullopt : keys::Unseal(*key, parts->sealed_opening, row);
      std::string sealed;
      if (opening) {
        sealed = keys::Seal(*key, *opening, entry_row, random);
        parts->sealed_opening = sealed;
      }
      batch.Put(entry_row, JoinEntry(*parts));
      batch.Delete(std::string(row));
      return batch.writes.size() < 2 * kRowsPerBatch;
    });
    if (!s.ok()) return s;
    if (!broken.ok()) return broken;
    if (batch.writes.empty()) return absl::OkStatus();
    if (s = store.Commit(batch); !s.ok()) return s;
  }
}

// Schema 2 had no index and no rows of days: the journal makes them, and goes on from wherever they end.
// Schema 3 had no files on their way out, no counts and no certificates.
absl::Status NothingToChange(store::Store&, const keys::Keystore&, base::Random&) {
  return absl::OkStatus();
}

// In order; the step at [n - 1] leads from schema n to n + 1.
using Step = absl::Status (*)(store::Store&, const keys::Keystore&, base::Random&);
constexpr Step kSteps[] = {&OneRowForAnEntry, &NothingToChange, &NothingToChange};
static_assert(std::size(kSteps) == kSchema - 1);

}  // namespace

void AppendNumber(std::string& row, uint64_t number) {
  AppendShort(row, static_cast<uint32_t>(number >> 32));
  AppendShort(row, static_cast<uint32_t>(number));
}

std::string NumberValue(uint64_t number) {
  std::string value;
  AppendNumber(value, number);
  return value;
}

uint64_t NumberAt(std::string_view row, size_t at) {
  uint64_t number = 0;
  for (char c : row.substr(at, 8)) number = number << 8 | static_cast<uint8_t>(c);
  return number;
}

std::string BanRow(const std::string& ban_id) {
  return "b/" + ban_id;
}

std::string PhotoRow(const std::string& photo_id) {
  return "ph/" + photo_id;
}

std::string EntryRow(uint64_t number) {
  std::string row = "l/";
  AppendNumber(row, number);
  return row;
}

std::optional<uint64_t> IndexOf(std::string_view row) {
  if (row.size() != 10) return std::nullopt;
  return NumberAt(row, 2);
}

std::string IndexPrefix(uint32_t log, std::string_view term) {
  std::string row = "x/";
  row.reserve(2 + 4 + term.size() + 8);
  AppendShort(row, log);
  row.append(term);
  return row;
}

std::string DayRow(absl::Time t) {
  std::string row = "y/";
  const absl::Duration since =
      std::clamp(t - absl::UnixEpoch(), absl::ZeroDuration(), absl::Hours(24) * 1'000'000);
  AppendShort(row, static_cast<uint32_t>(since / absl::Hours(24)));
  return row;
}

std::string ClosedLogRow(uint32_t log) {
  std::string row = "g/";
  AppendShort(row, log);
  return row;
}

std::optional<EntryParts> SplitEntry(std::string_view value) {
  if (value.size() <= kCommitmentSize) return std::nullopt;
  const size_t id_size = static_cast<uint8_t>(value[kCommitmentSize]);
  if (value.size() < kCommitmentSize + 1 + id_size) return std::nullopt;
  return EntryParts{value.substr(0, kCommitmentSize), value.substr(kCommitmentSize + 1, id_size),
                    value.substr(kCommitmentSize + 1 + id_size)};
}

std::string JoinEntry(const EntryParts& parts) {
  std::string out;
  out.reserve(parts.commitment.size() + 1 + parts.ban_id.size() + parts.sealed_opening.size());
  out.append(parts.commitment);
  out += static_cast<char>(parts.ban_id.size());
  out.append(parts.ban_id);
  out.append(parts.sealed_opening);
  return out;
}

std::optional<audit::Frontier> FrontierOf(const waarborg::v1::LogHeadRecord& head) {
  std::vector<audit::Hash> subtrees;
  for (const std::string& h : head.frontier()) {
    audit::Hash hash{};
    if (h.size() != hash.size()) return std::nullopt;
    std::memcpy(hash.data(), h.data(), h.size());
    subtrees.push_back(hash);
  }
  bool ok = false;
  auto frontier = audit::Frontier::FromStored(head.size(), std::move(subtrees), ok);
  if (!ok) return std::nullopt;
  return frontier;
}

absl::StatusOr<audit::Frontier> RebuildTree(const store::Store& store, uint64_t first, uint64_t size,
                                            const std::atomic<bool>* stop) {
  audit::Frontier rebuilt;
  auto s = store.Scan("l/", EntryRow(first), [&](std::string_view row, std::string_view value) {
    if (rebuilt.size() == size || (stop != nullptr && *stop)) return false;
    const auto entry = SplitEntry(value);
    if (!entry || IndexOf(row) != first + rebuilt.size()) return false;
    rebuilt.Append(audit::LeafHash(entry->commitment));
    return true;
  });
  if (!s.ok()) return s;
  if (stop != nullptr && *stop) return absl::CancelledError("stopping");
  return rebuilt;
}

absl::Status UpgradeSchema(store::Store& store, const keys::Keystore& file_keys, base::Random& random,
                           bool& fresh) {
  auto stored = store.Get("m/schema");
  fresh = absl::IsNotFound(stored.status());
  if (fresh) return absl::OkStatus();
  if (!stored.ok()) return stored.status();
  int schema = 0;
  if (!absl::SimpleAtoi(*stored, &schema) || schema < 1 || schema > kSchema) {
    return absl::FailedPreconditionError(absl::StrCat("store: the data have schema ", *stored,
                                                      "; this program knows 1 to ", kSchema,
                                                      ". Run the version that wrote them, or a newer one."));
  }
  for (; schema < kSchema; ++schema) {
    if (auto s = kSteps[schema - 1](store, file_keys, random); !s.ok()) return s;
    store::Batch batch;
    batch.Put("m/schema", absl::StrCat(schema + 1));
    if (auto s = store.Commit(batch); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace waarborg::journal

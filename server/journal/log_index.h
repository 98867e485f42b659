// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/base/secret.h"
#include "server/store/store.h"
#include "waarborg/v1/audit.pb.h"

// Where in the log something is said: for every ban, person, station, account, event and for refusals the
// numbers of their entries. Rows of the index are written in the batch of the entry. A term stands in them as
// a MAC under a key of the house, so that the rows tell nobody else who did how much.
namespace waarborg::journal {

using Term = std::array<char, 8>;

// What can be looked for.
enum class TermKind : char {
  kBan = 'b',
  kPerson = 'p',
  kStation = 's',
  kSubject = 'u',
  kEvent = 'e',
  kRefused = 'r'
};

class Terms {
 public:
  explicit Terms(const base::Secret& house_key);
  Term Of(TermKind kind, std::string_view value) const;

 private:
  base::Secret key_;
};

// Puts the rows of an entry into the batch of the entry. Remembers the terms it met; belongs to the writer's
// thread.
class LogIndexer {
 public:
  explicit LogIndexer(const base::Secret& house_key) : terms_(house_key) {}
  void Add(const waarborg::v1::AuditRecord& record, uint32_t log, uint64_t number, store::Batch& batch);
  // Of an entry that does not open any more, all that can be said.
  void AddBan(const std::string& ban_id, uint32_t log, uint64_t number, store::Batch& batch) {
    Put(TermKind::kBan, ban_id, log, number, batch);
  }

 private:
  void Put(TermKind kind, const std::string& value, uint32_t log, uint64_t number, store::Batch& batch);
  const Term& Remembered(TermKind kind, const std::string& value);

  Terms terms_;
  absl::flat_hash_map<std::string, Term> remembered_;
};

// Ascending numbers of entries, asked for from above. Used by one thread.
class Postings {
 public:
  virtual ~Postings() = default;
  // The largest one at or below `number`.
  virtual std::optional<uint64_t> AtOrBelow(uint64_t number) = 0;
  // Not ok when a read failed: then what was answered may be too little.
  virtual absl::Status status() const { return absl::OkStatus(); }
};

std::unique_ptr<Postings> PostingsOf(const store::Store& store, uint32_t log, const Term& term);
// Every number from `first` to `last`.
std::unique_ptr<Postings> EveryNumber(uint64_t first, uint64_t last);
std::unique_ptr<Postings> AnyOf(std::vector<std::unique_ptr<Postings>> parts);
// Leaps from one list to the next, so it costs what the shortest of them costs.
std::unique_ptr<Postings> AllOf(std::vector<std::unique_ptr<Postings>> parts);

}  // namespace waarborg::journal

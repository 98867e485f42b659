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
// numbers of their entries. The newest are in memory, and become rows some thousands of entries at a time, in
// a batch of entries: a row for each of them would cost a check half as much again. A term stands in the rows
// as a MAC under a key of the house, so that they tell nobody else who did how much.
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

// What is not in rows yet: ascending numbers by term, all of one log.
struct IndexTail {
  uint32_t log = 0;
  absl::flat_hash_map<Term, std::vector<uint64_t>> numbers;
};

// Takes entries in, in order. Belongs to the writer's thread.
class LogIndexer {
 public:
  explicit LogIndexer(const base::Secret& house_key) : terms_(house_key) {}
  // All of one log until the next Flush.
  void Add(const waarborg::v1::AuditRecord& record, uint32_t log, uint64_t number);
  // Of an entry that does not open any more, all that can be said.
  void AddBan(const std::string& ban_id, uint32_t log, uint64_t number);
  // Entries taken in since the last Flush.
  uint64_t pending() const { return pending_; }
  // Puts rows for them into the batch and forgets them.
  void Flush(store::Batch& batch);
  std::shared_ptr<const IndexTail> Tail() const;

 private:
  struct Slot {
    Term term;
    std::vector<uint64_t> numbers;
  };
  void Put(TermKind kind, const std::string& value, uint64_t number);

  Terms terms_;
  absl::flat_hash_map<std::string, size_t> slot_of_;  // by word
  std::vector<Slot> slots_;
  uint32_t log_ = 0;
  uint64_t pending_ = 0;
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

std::unique_ptr<Postings> PostingsOf(const store::Store& store, std::shared_ptr<const IndexTail> tail,
                                     uint32_t log, const Term& term);
// Every number from `first` to `last`.
std::unique_ptr<Postings> EveryNumber(uint64_t first, uint64_t last);
std::unique_ptr<Postings> AnyOf(std::vector<std::unique_ptr<Postings>> parts);
// Leaps from one list to the next, so it costs what the shortest of them costs.
std::unique_ptr<Postings> AllOf(std::vector<std::unique_ptr<Postings>> parts);

}  // namespace waarborg::journal

// SPDX-License-Identifier: EUPL-1.2
#include "server/journal/log_index.h"

#include <algorithm>
#include <cstring>

#include "server/journal/rows.h"
#include "server/keys/sealing.h"

namespace waarborg::journal {
namespace {

// Bans, people and stations together stay well below this; made-up values never get here.
constexpr size_t kMaxRemembered = 100'000;

std::string Word(TermKind kind, std::string_view value) {
  std::string word(1, static_cast<char>(kind));
  word += ' ';
  word.append(value);
  return word;
}

// Numbers in a row: each four bytes, big-endian, counted from the row's first.
constexpr size_t kOffsetBytes = 4;

void AppendOffset(std::string& value, uint64_t offset) {
  for (int shift = 24; shift >= 0; shift -= 8) value += static_cast<char>(offset >> shift);
}

uint64_t OffsetAt(std::string_view value, size_t i) {
  uint64_t offset = 0;
  for (char c : value.substr(i * kOffsetBytes, kOffsetBytes)) offset = offset << 8 | static_cast<uint8_t>(c);
  return offset;
}

class TermPostings : public Postings {
 public:
  TermPostings(const store::Store& store, std::shared_ptr<const IndexTail> tail, uint32_t log,
               const Term& term)
      : tail_(std::move(tail)),
        cursor_(store.NewCursor()),
        prefix_(IndexPrefix(log, {term.data(), term.size()})) {
    if (tail_ == nullptr || tail_->log != log) return;
    if (auto it = tail_->numbers.find(term); it != tail_->numbers.end()) newest_ = &it->second;
  }

  std::optional<uint64_t> AtOrBelow(uint64_t number) override {
    if (newest_ != nullptr) {
      const auto behind = std::upper_bound(newest_->begin(), newest_->end(), number);
      if (behind != newest_->begin()) return *(behind - 1);
    }
    // Numbers are asked for downwards, so the row in hand often has the next one too.
    if (!in_row_ || number < first_ || number > asked_) {
      std::string key = prefix_;
      AppendNumber(key, number);
      in_row_ = cursor_->SeekBack(key) && cursor_->key().starts_with(prefix_);
      if (!in_row_) return std::nullopt;
      first_ = NumberAt(cursor_->key(), prefix_.size());
    }
    asked_ = number;
    const std::string_view row = cursor_->value();
    size_t low = 0, high = row.size() / kOffsetBytes;
    while (high - low > 1) {
      const size_t middle = (low + high) / 2;
      (first_ + OffsetAt(row, middle) <= number ? low : high) = middle;
    }
    return first_ + OffsetAt(row, low);
  }
  absl::Status status() const override { return cursor_->status(); }

 private:
  std::shared_ptr<const IndexTail> tail_;
  const std::vector<uint64_t>* newest_ = nullptr;
  std::unique_ptr<store::Cursor> cursor_;
  std::string prefix_;
  bool in_row_ = false;  // the cursor stands on a row of this term
  uint64_t first_ = 0;   // its first number
  uint64_t asked_ = 0;   // last
};

class Range : public Postings {
 public:
  Range(uint64_t first, uint64_t last) : first_(first), last_(last) {}
  std::optional<uint64_t> AtOrBelow(uint64_t number) override {
    const uint64_t found = std::min(number, last_);
    if (found < first_) return std::nullopt;
    return found;
  }

 private:
  uint64_t first_, last_;
};

absl::Status FirstBad(const std::vector<std::unique_ptr<Postings>>& parts) {
  for (const auto& part : parts) {
    if (auto s = part->status(); !s.ok()) return s;
  }
  return absl::OkStatus();
}

class Any : public Postings {
 public:
  explicit Any(std::vector<std::unique_ptr<Postings>> parts) : parts_(std::move(parts)) {}
  std::optional<uint64_t> AtOrBelow(uint64_t number) override {
    std::optional<uint64_t> found;
    for (auto& part : parts_) {
      const auto one = part->AtOrBelow(number);
      if (one && (!found || *one > *found)) found = one;
    }
    return found;
  }
  absl::Status status() const override { return FirstBad(parts_); }

 private:
  std::vector<std::unique_ptr<Postings>> parts_;
};

class All : public Postings {
 public:
  explicit All(std::vector<std::unique_ptr<Postings>> parts) : parts_(std::move(parts)) {}
  std::optional<uint64_t> AtOrBelow(uint64_t number) override {
    for (size_t agreeing = 0, i = 0; agreeing < parts_.size(); i = (i + 1) % parts_.size()) {
      const auto one = parts_[i]->AtOrBelow(number);
      if (!one) return std::nullopt;
      agreeing = *one == number ? agreeing + 1 : 1;
      number = *one;
    }
    return number;
  }
  absl::Status status() const override { return FirstBad(parts_); }

 private:
  std::vector<std::unique_ptr<Postings>> parts_;
};

}  // namespace

Terms::Terms(const base::Secret& house_key) : key_(keys::Derive(house_key, "log index")) {}

Term Terms::Of(TermKind kind, std::string_view value) const {
  const std::string mac = keys::Mac(key_, Word(kind, value));
  Term term;
  std::memcpy(term.data(), mac.data(), term.size());
  return term;
}

void LogIndexer::Put(TermKind kind, const std::string& value, uint64_t number) {
  const auto [it, fresh] = slot_of_.try_emplace(Word(kind, value), slots_.size());
  if (fresh) slots_.push_back({terms_.Of(kind, value), {}});
  slots_[it->second].numbers.push_back(number);
}

void LogIndexer::Add(const waarborg::v1::AuditRecord& record, uint32_t log, uint64_t number) {
  log_ = log;
  ++pending_;
  Put(TermKind::kEvent, record.event(), number);
  if (!record.ban_id().empty()) Put(TermKind::kBan, record.ban_id(), number);
  if (!record.person_id().empty()) Put(TermKind::kPerson, record.person_id(), number);
  if (!record.station_id().empty()) Put(TermKind::kStation, record.station_id(), number);
  if (!record.subject_id().empty()) Put(TermKind::kSubject, record.subject_id(), number);
  if (record.result() == waarborg::v1::RESULT_REFUSED) Put(TermKind::kRefused, "", number);
}

void LogIndexer::AddBan(const std::string& ban_id, uint32_t log, uint64_t number) {
  log_ = log;
  ++pending_;
  Put(TermKind::kBan, ban_id, number);
}

void LogIndexer::Flush(store::Batch& batch) {
  for (Slot& slot : slots_) {
    if (slot.numbers.empty()) continue;
    std::string key = IndexPrefix(log_, {slot.term.data(), slot.term.size()});
    AppendNumber(key, slot.numbers.front());
    std::string value;
    value.reserve(kOffsetBytes * slot.numbers.size());
    for (uint64_t number : slot.numbers) AppendOffset(value, number - slot.numbers.front());
    batch.Put(std::move(key), std::move(value));
    slot.numbers.clear();
  }
  pending_ = 0;
  if (slots_.size() > kMaxRemembered) {
    slots_.clear();
    slot_of_.clear();
  }
}

std::shared_ptr<const IndexTail> LogIndexer::Tail() const {
  auto tail = std::make_shared<IndexTail>();
  tail->log = log_;
  for (const Slot& slot : slots_) {
    if (!slot.numbers.empty()) tail->numbers[slot.term] = slot.numbers;
  }
  return tail;
}

std::unique_ptr<Postings> PostingsOf(const store::Store& store, std::shared_ptr<const IndexTail> tail,
                                     uint32_t log, const Term& term) {
  return std::make_unique<TermPostings>(store, std::move(tail), log, term);
}

std::unique_ptr<Postings> EveryNumber(uint64_t first, uint64_t last) {
  return std::make_unique<Range>(first, last);
}

std::unique_ptr<Postings> AnyOf(std::vector<std::unique_ptr<Postings>> parts) {
  return std::make_unique<Any>(std::move(parts));
}

std::unique_ptr<Postings> AllOf(std::vector<std::unique_ptr<Postings>> parts) {
  return std::make_unique<All>(std::move(parts));
}

}  // namespace waarborg::journal

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

class TermPostings : public Postings {
 public:
  TermPostings(const store::Store& store, uint32_t log, const Term& term)
      : cursor_(store.NewCursor()), prefix_(IndexPrefix(log, {term.data(), term.size()})) {}

  std::optional<uint64_t> AtOrBelow(uint64_t number) override {
    std::string key = prefix_;
    AppendNumber(key, number);
    if (!cursor_->SeekBack(key) || !cursor_->key().starts_with(prefix_)) return std::nullopt;
    return NumberAt(cursor_->key(), prefix_.size());
  }
  absl::Status status() const override { return cursor_->status(); }

 private:
  std::unique_ptr<store::Cursor> cursor_;
  std::string prefix_;
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

const Term& LogIndexer::Remembered(TermKind kind, const std::string& value) {
  if (remembered_.size() > kMaxRemembered) remembered_.clear();
  auto [it, fresh] = remembered_.try_emplace(Word(kind, value));
  if (fresh) it->second = terms_.Of(kind, value);
  return it->second;
}

void LogIndexer::Add(const waarborg::v1::AuditRecord& record, uint32_t log, uint64_t number,
                     store::Batch& batch) {
  const auto put = [&](TermKind kind, const std::string& value) { Put(kind, value, log, number, batch); };
  put(TermKind::kEvent, record.event());
  if (!record.ban_id().empty()) put(TermKind::kBan, record.ban_id());
  if (!record.person_id().empty()) put(TermKind::kPerson, record.person_id());
  if (!record.station_id().empty()) put(TermKind::kStation, record.station_id());
  if (!record.subject_id().empty()) put(TermKind::kSubject, record.subject_id());
  if (record.result() == waarborg::v1::RESULT_REFUSED) put(TermKind::kRefused, "");
}

void LogIndexer::Put(TermKind kind, const std::string& value, uint32_t log, uint64_t number,
                     store::Batch& batch) {
  const Term& term = Remembered(kind, value);
  std::string key = IndexPrefix(log, {term.data(), term.size()});
  AppendNumber(key, number);
  batch.Put(std::move(key), "");
}

std::unique_ptr<Postings> PostingsOf(const store::Store& store, uint32_t log, const Term& term) {
  return std::make_unique<TermPostings>(store, log, term);
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

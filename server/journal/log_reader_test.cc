// SPDX-License-Identifier: EUPL-1.2
#include "server/journal/log_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "absl/strings/str_cat.h"
#include "audit/merkle.h"
#include "server/journal/journal.h"
#include "server/journal/rows.h"
#include "tests/support/memory_room.h"
#include "tests/support/memory_store.h"

namespace waarborg::journal {
namespace {

namespace fs = std::filesystem;
namespace pb = waarborg::v1;

class LogReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::is_directory("/dev/shm") ? "/dev/shm" : "/tmp";
    name += "/waarborg-reader-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder = name;
    file_keys = *keys::Keystore::Open(folder, "file", *home, random);
    photo_keys = *keys::Keystore::Open(folder, "photo", *home, random);
    Open();
  }
  void TearDown() override {
    journal.reset();
    fs::remove_all(folder);
  }
  void Open() {
    journal.reset();
    auto opened = Journal::Open(
        {&clock, &random, &store, file_keys.get(), photo_keys.get(), &room, "test.example/log", chunk});
    ASSERT_TRUE(opened.ok()) << opened.status();
    journal = std::move(*opened);
  }
  void PutBans(const std::vector<std::string>& ids) {
    ASSERT_TRUE(journal
                    ->RunNow([&](Turn& turn) {
                      for (const std::string& id : ids) {
                        domain::Ban ban;
                        ban.id = id;
                        turn.Put(std::move(ban));
                      }
                    })
                    .ok());
  }
  void Log(const pb::AuditRecord& record, const pb::Words& words = {}) {
    ASSERT_TRUE(journal->RunNow([&](Turn& turn) { turn.Log(record, words); }).ok());
  }
  static pb::AuditRecord Entry(const std::string& event, const std::string& ban_id = "") {
    pb::AuditRecord record;
    record.set_event(event);
    record.set_result(pb::RESULT_DONE);
    record.set_ban_id(ban_id);
    return record;
  }

  std::vector<LogEntry> Read(const LogQuery& query, size_t most = SIZE_MAX) {
    std::vector<LogEntry> out;
    const auto s = journal->NewReader()->ReadBack(query, [&](const LogEntry& e) {
      out.push_back(e);
      return out.size() < most;
    });
    EXPECT_TRUE(s.ok()) << s;
    return out;
  }
  std::vector<uint64_t> Numbers(const LogQuery& query, size_t most = SIZE_MAX) {
    std::vector<uint64_t> out;
    for (const LogEntry& e : Read(query, most)) out.push_back(e.number);
    return out;
  }
  // Page by page, each asked for by the last number of the one before.
  std::vector<uint64_t> Paged(LogQuery query, size_t page) {
    std::vector<uint64_t> out;
    for (;;) {
      const auto numbers = Numbers(query, page);
      out.insert(out.end(), numbers.begin(), numbers.end());
      if (numbers.size() < page) return out;
      query.before = numbers.back();
    }
  }

  std::string folder;
  base::ManualClock clock{absl::FromUnixSeconds(1'772'438'400)};  // 2026-03-02 08:00 UTC
  uint64_t chunk = 7;  // of the index: part of it is in rows, part in memory
  base::SystemRandom random;
  base::Secret root{std::string(32, 'r')};
  testing::MemoryStore store;
  testing::MemoryRoom room;
  std::unique_ptr<keys::GenerationHome> home = keys::NewFileHome(root, random);
  std::unique_ptr<keys::Keystore> file_keys, photo_keys;
  std::unique_ptr<Journal> journal;
};

// ---- Against a filter that looks at every entry.

bool Fits(const LogQuery& q, uint64_t number, const pb::AuditRecord& r) {
  const absl::Time at = absl::FromUnixMillis(r.at_ms());
  return number < q.before && (q.ban_id.empty() || q.ban_id == r.ban_id()) &&
         (q.person_id.empty() || q.person_id == r.person_id()) &&
         (q.station_id.empty() || q.station_id == r.station_id()) &&
         (q.subject_id.empty() || q.subject_id == r.subject_id()) &&
         (q.events.empty() || std::find(q.events.begin(), q.events.end(), r.event()) != q.events.end()) &&
         (!q.refused_only || r.result() == pb::RESULT_REFUSED) && at >= q.from && at < q.until;
}

TEST_F(LogReaderTest, EveryCombinationOfFiltersFindsWhatANaiveFilterFinds) {
  std::mt19937 dice(2026);
  const auto roll = [&](int n) { return static_cast<int>(dice() % static_cast<unsigned>(n)); };
  // "" among them: much is not about a ban, or not done by anybody.
  const std::vector<std::string> bans = {"", "LV-1", "LV-2", "LV-3"}, people = {"", "M-1", "M-2", "M-11"},
                                 stations = {"", "S-1", "S-2"}, subjects = {"", "", "M-1", "S-1"},
                                 events = {"CheckVisitor", "MatchShown", "SystemStarted", "GetPhoto"};
  const auto any = [&](const std::vector<std::string>& of) {
    return of[static_cast<size_t>(roll(static_cast<int>(of.size())))];
  };
  PutBans({"LV-1", "LV-2", "LV-3"});
  const absl::Time begin = clock.Now();
  std::vector<pb::AuditRecord> all;  // by number
  for (int batch = 0; batch < 60; ++batch) {
    // Days without entries, days with many, a restart now and then, and a new year on the way.
    clock.Set(clock.Now() + (roll(3) == 0 ? absl::Hours(roll(900)) : absl::Milliseconds(roll(20'000'000))));
    if (roll(10) == 0) Open();
    ASSERT_FALSE(HasFatalFailure());
    ASSERT_TRUE(journal
                    ->RunNow([&](Turn& turn) {
                      for (int i = roll(30); i > 0; --i) {
                        pb::AuditRecord record = Entry(any(events), any(bans));
                        if (roll(4) == 0) record.set_result(pb::RESULT_REFUSED);
                        record.set_person_id(any(people));
                        record.set_station_id(any(stations));
                        record.set_subject_id(any(subjects));
                        turn.Log(record);
                      }
                    })
                    .ok());
  }
  for (const LogEntry& e : Read({})) {
    ASSERT_TRUE(e.record.has_value());
    all.insert(all.begin(), *e.record);
  }
  ASSERT_GT(all.size(), 500u);
  ASSERT_GT(journal->NewReader()->logs().size(), 1u) << "the year did not turn";
  const absl::Duration span = clock.Now() - begin;
  // A moment: anywhere, at a day's edge, or the very moment of an entry.
  const auto moment = [&] {
    switch (roll(3)) {
      case 0:
        return begin - absl::Hours(48) + span * (roll(1200) / 1000.0);
      case 1:
        return absl::UnixEpoch() + absl::Hours(24) * (absl::ToUnixSeconds(begin) / 86'400 + roll(320));
      default:
        return absl::FromUnixMillis(all[static_cast<size_t>(roll(static_cast<int>(all.size())))].at_ms());
    }
  };
  size_t found_something = 0;
  for (int round = 0; round < 1500; ++round) {
    LogQuery q;
    if (roll(3) == 0) q.ban_id = any(bans);
    if (roll(3) == 0) q.person_id = any(people);
    if (roll(3) == 0) q.station_id = any(stations);
    if (roll(6) == 0) q.subject_id = any(subjects);
    if (roll(4) == 0) q.refused_only = true;
    for (int i = roll(3); i > 0; --i) q.events.push_back(any(events));
    if (roll(20) == 0) q.events.push_back("NoSuchEvent");
    if (roll(3) == 0) q.from = moment();
    if (roll(3) == 0) q.until = moment();
    if (roll(3) == 0) q.before = static_cast<uint64_t>(roll(static_cast<int>(all.size()) + 5));
    std::vector<uint64_t> expected;
    for (uint64_t n = all.size(); n-- > 0;) {
      if (Fits(q, n, all[n])) expected.push_back(n);
    }
    found_something += !expected.empty();
    ASSERT_EQ(Numbers(q), expected) << "round " << round;
    if (round % 5 == 0) {
      ASSERT_EQ(Paged(q, 1 + static_cast<size_t>(roll(9))), expected) << "round " << round;
    }
  }
  EXPECT_GT(found_something, 500u);
}

TEST_F(LogReaderTest, PagesGiveEveryEntryOnceWhateverTheirLength) {
  for (int i = 0; i < 50; ++i) Log(Entry(i % 2 == 0 ? "A" : "B"));
  LogQuery events;
  events.events = {"A"};
  for (size_t page = 1; page < 60; ++page) {
    const auto all = Paged({}, page);
    ASSERT_EQ(all.size(), 50u) << page;
    for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], 49 - i);
    EXPECT_EQ(Paged(events, page).size(), 25u) << page;
  }
}

// An id is found as a whole and as what it is: that of a person is not that of the subject.
TEST_F(LogReaderTest, AnIdIsFoundInItsOwnPlaceOnly) {
  PutBans({"X-1", "X-11"});
  pb::AuditRecord record = Entry("A");
  record.set_person_id("X-1");
  Log(record);
  record = Entry("A");
  record.set_subject_id("X-1");
  Log(record);
  record = Entry("A");
  record.set_station_id("X-1");
  Log(record);
  Log(Entry("A", "X-1"));
  Log(Entry("A", "X-11"));
  Log(Entry("X-1"));
  LogQuery q;
  q.person_id = "X-1";
  EXPECT_EQ(Numbers(q), std::vector<uint64_t>{0});
  q = {};
  q.subject_id = "X-1";
  EXPECT_EQ(Numbers(q), std::vector<uint64_t>{1});
  q = {};
  q.station_id = "X-1";
  EXPECT_EQ(Numbers(q), std::vector<uint64_t>{2});
  q = {};
  q.ban_id = "X-1";
  EXPECT_EQ(Numbers(q), std::vector<uint64_t>{3});
  q = {};
  q.events = {"X-1"};
  EXPECT_EQ(Numbers(q), std::vector<uint64_t>{5});
  q.events = {"X"};
  EXPECT_TRUE(Numbers(q).empty());
}

// ---- Time.

TEST_F(LogReaderTest, FromIsIncludedAndUntilIsNotAlsoAtTheEdgeOfADay) {
  const absl::Time midnight = absl::FromUnixSeconds(1'772'496'000);  // 2026-03-03 00:00 UTC
  const absl::Duration ms = absl::Milliseconds(1);
  for (const absl::Duration after : {-absl::Hours(1), -ms, absl::ZeroDuration(), ms, absl::Hours(24) - ms,
                                     absl::Hours(24), absl::Hours(72)}) {
    clock.Set(midnight + after);
    Log(Entry("A"));
  }
  const auto between = [&](absl::Duration from, absl::Duration until) {
    LogQuery q;
    q.from = midnight + from;
    q.until = midnight + until;
    auto numbers = Numbers(q);
    std::reverse(numbers.begin(), numbers.end());
    return numbers;
  };
  using V = std::vector<uint64_t>;
  const absl::Duration zero, day = absl::Hours(24);
  EXPECT_EQ(between(zero, day), (V{2, 3, 4}));
  EXPECT_EQ(between(-ms, day), (V{1, 2, 3, 4}));
  EXPECT_EQ(between(ms, day), (V{3, 4}));
  EXPECT_EQ(between(zero, day + ms), (V{2, 3, 4, 5}));
  EXPECT_EQ(between(-day, zero), (V{0, 1}));
  EXPECT_EQ(between(-day, ms), (V{0, 1, 2}));
  EXPECT_EQ(between(day + ms, 3 * day), V{});
  EXPECT_EQ(between(2 * day, 3 * day + ms), V{6});
  EXPECT_EQ(between(3 * day, 30 * day), V{6});
  EXPECT_EQ(between(4 * day, 30 * day), V{});
  EXPECT_EQ(between(zero, zero), V{});
  EXPECT_EQ(between(day, zero), V{});
  EXPECT_EQ(between(-absl::Hours(24) * 40'000, -day), V{});
  EXPECT_EQ(between(-absl::Hours(24) * 40'000, absl::Hours(24) * 2'000'000), (V{0, 1, 2, 3, 4, 5, 6}));

  LogQuery q;
  q.from = absl::InfiniteFuture();
  EXPECT_TRUE(Numbers(q).empty());
  q = {};
  q.until = absl::InfinitePast();
  EXPECT_TRUE(Numbers(q).empty());
}

// A day goes on over a restart; its first entry stays its first.
TEST_F(LogReaderTest, ADayBeginsOnceWhateverIsRestartedInIt) {
  for (int i = 0; i < 4; ++i) {
    Log(Entry("A"));
    Open();
  }
  LogQuery q;
  q.from = clock.Now() - absl::Minutes(1);
  EXPECT_EQ(Numbers(q).size(), 4u);
}

TEST_F(LogReaderTest, ALogWithoutEntriesAnswersEveryQuestion) {
  const auto reader = journal->NewReader();
  EXPECT_EQ(reader->size(), 0u);
  EXPECT_TRUE(Numbers({}).empty());
  LogQuery q;
  q.ban_id = "LV-1";
  q.from = clock.Now();
  q.until = clock.Now() + absl::Hours(24);
  q.events = {"A", "B"};
  EXPECT_TRUE(Numbers(q).empty());
  q = {};
  q.before = 0;
  EXPECT_TRUE(Numbers(q).empty());
  EXPECT_TRUE(absl::IsNotFound(reader->ReadOne("test.example/log/2026", 0).status()));
  EXPECT_TRUE(absl::IsNotFound(reader->ReadOne("", 0).status()));
}

// The reader is of one moment: what comes afterwards is not in it.
TEST_F(LogReaderTest, WhatComesLaterIsNotInAReaderOfBefore) {
  Log(Entry("A"));
  const auto reader = journal->NewReader();
  Log(Entry("B"));
  int seen = 0;
  EXPECT_TRUE(reader
                  ->ReadBack({},
                             [&](const LogEntry& e) {
                               EXPECT_EQ(e.record->event(), "A");
                               ++seen;
                               return true;
                             })
                  .ok());
  EXPECT_EQ(seen, 1);
  EXPECT_TRUE(absl::IsNotFound(reader->ReadOne(journal->log_origin(), 1).status()));
  LogQuery later;
  later.events = {"B"};
  EXPECT_TRUE(reader->ReadBack(later, [](const LogEntry&) { return ADD_FAILURE(), true; }).ok());
}

// ---- Damage, and what was shredded.

TEST_F(LogReaderTest, DamagedEntriesAreShownAsSuchWhateverIsAskedFor) {
  PutBans({"LV-1", "LV-2"});
  for (int i = 0; i < 6; ++i) Log(Entry("A", i % 2 == 0 ? "LV-1" : ""));
  const auto good = store.rows;
  const auto value = [&](uint64_t n) -> std::string& { return store.rows[EntryRow(n)]; };
  // The commitment, a bit of what is sealed, the whole row, its end, another's place.
  const std::vector<std::function<void()>> damages = {
      [&] { value(2)[0] = static_cast<char>(value(2)[0] ^ 1); },
      [&] { value(2).back() = static_cast<char>(value(2).back() ^ 1); },
      [&] { store.rows.erase(EntryRow(2)); },
      [&] { value(2).resize(33); },
      [&] { value(2).resize(10); },
      [&] { value(2).clear(); },
      [&] { value(2)[32] = '\xFF'; },
      [&] { value(2) = good.at(EntryRow(4)); },
      // Sealed under the house key, or that of another file.
      [&] { value(2) = absl::StrCat(value(2).substr(0, 32), std::string(1, '\0'), value(2).substr(37)); },
      [&] { value(2)[36] = '2'; },
  };
  for (size_t i = 0; i < damages.size(); ++i) {
    store.rows = good;
    damages[i]();
    LogQuery by_ban, by_time;
    by_ban.ban_id = "LV-1";
    by_time.from = clock.Now();
    by_time.until = clock.Now() + absl::Milliseconds(1);
    for (const LogQuery& q : {LogQuery(), by_ban, by_time}) {
      const auto entries = Read(q);
      ASSERT_EQ(entries.size(), q.ban_id.empty() ? 6u : 3u) << i;
      for (const LogEntry& e : entries) {
        EXPECT_EQ(e.damaged, e.number == 2) << i;
        EXPECT_EQ(e.record.has_value(), e.number != 2) << i;
        EXPECT_EQ(e.opening.has_value(), e.number != 2) << i;
      }
    }
    const auto one = journal->NewReader()->ReadOne(journal->log_origin(), 2);
    ASSERT_TRUE(one.ok());
    EXPECT_TRUE(one->damaged);
  }
}

// Damage must not pass for what the law had shredded: the file is still here, so its entries must open.
TEST_F(LogReaderTest, AnEntryThatNamesAFileThatNeverWasIsDamagedNotShredded) {
  PutBans({"LV-1"});
  Log(Entry("A", "LV-1"));
  store.rows[EntryRow(0)][36] = '9';
  const auto entries = Read({});
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_FALSE(entries[0].record.has_value());
  EXPECT_TRUE(entries[0].damaged);
}

TEST_F(LogReaderTest, WhatWasShreddedFitsNoFilterAndStandsInTheWholeLog) {
  PutBans({"LV-1", "LV-2"});
  for (int i = 0; i < 6; ++i) Log(Entry("A", i % 2 == 0 ? "LV-1" : "LV-2"));
  const auto before = journal->NewReader();
  ASSERT_TRUE(file_keys->Destroy({"LV-1"}).ok());
  const auto entries = Read({});
  ASSERT_EQ(entries.size(), 6u);
  for (const LogEntry& e : entries) {
    EXPECT_FALSE(e.damaged);
    EXPECT_EQ(e.record.has_value(), e.number % 2 == 1);
    EXPECT_EQ(e.opening.has_value(), e.number % 2 == 1);
    EXPECT_EQ(e.commitment.size(), 32u);
  }
  LogQuery q;
  q.before = 5;
  EXPECT_EQ(Numbers(q).size(), 5u);
  q = {};
  q.events = {"A"};
  EXPECT_EQ(Numbers(q), (std::vector<uint64_t>{5, 3, 1}));
  q = {};
  q.ban_id = "LV-1";
  EXPECT_TRUE(Numbers(q).empty());
  q = {};
  q.from = clock.Now() - absl::Hours(1);
  EXPECT_EQ(Numbers(q).size(), 3u);
}

// ---- Names that say nothing.

TEST_F(LogReaderTest, ASubjectGivesItsBanBackAndSaysNothingByItself) {
  const auto reader = journal->NewReader();
  const std::string subject = reader->SubjectOf("LV-1");
  EXPECT_EQ(reader->BanOf(subject), "LV-1");
  EXPECT_EQ(reader->SubjectOf("LV-1"), subject);
  EXPECT_NE(reader->SubjectOf("LV-2"), subject);
  EXPECT_EQ(subject.find("LV-1"), std::string::npos);
  EXPECT_EQ(subject.find("4c562d31"), std::string::npos) << "the id stands in it in hexadecimal";
  Open();
  EXPECT_EQ(journal->NewReader()->SubjectOf("LV-1"), subject) << "a restart gave another name";
  EXPECT_EQ(reader->BanOf(reader->SubjectOf("")), "");

  EXPECT_EQ(reader->BanOf(""), std::nullopt);
  EXPECT_EQ(reader->BanOf("LV-1"), std::nullopt);
  EXPECT_EQ(reader->BanOf("00"), std::nullopt);
  EXPECT_EQ(reader->BanOf(subject.substr(2)), std::nullopt);
  EXPECT_EQ(reader->BanOf(subject.substr(0, subject.size() - 1)), std::nullopt);
  EXPECT_EQ(reader->BanOf(subject + "00"), std::nullopt);
  EXPECT_EQ(reader->BanOf(std::string(10'000, 'a')), std::nullopt);
  for (size_t i = 0; i < subject.size(); ++i) {
    std::string other = subject;
    other[i] = other[i] == '0' ? '1' : '0';
    EXPECT_EQ(reader->BanOf(other), std::nullopt) << i;
  }
}

TEST_F(LogReaderTest, TheIndexTellsNobodyWhoDidWhat) {
  chunk = 1;
  Open();
  PutBans({"LV-1"});
  pb::AuditRecord record = Entry("CheckVisitor", "LV-1");
  record.set_person_id("M-1234567890");
  record.set_station_id("S-1234567890");
  record.set_subject_id("M-0987654321");
  record.set_result(pb::RESULT_REFUSED);
  Log(record);
  size_t rows = 0;
  for (const auto& [row, value] : store.rows) {
    if (!row.starts_with("x/")) continue;
    ++rows;
    EXPECT_EQ(row.size(), 2u + 4 + 8 + 8);
    EXPECT_EQ(value, std::string(4, '\0'));
    for (const char* word : {"LV-1", "M-12", "S-12", "M-09", "Check"}) {
      EXPECT_EQ(row.find(word), std::string::npos);
    }
  }
  EXPECT_EQ(rows, 6u);
}

// ---- Words.

TEST_F(LogReaderTest, WordsAreKeptBesideTheRecordAndFitItsCommitment) {
  PutBans({"LV-1"});
  pb::Words words;
  words.add_words()->set_field("reasons");
  words.mutable_words(0)->set_text("Herhaaldelijk bedreigd; zie rapport.");
  Log(Entry("A", "LV-1"), words);
  Log(Entry("A", "LV-1"), words);
  Log(Entry("A", "LV-1"));
  const auto entries = Read({});
  ASSERT_EQ(entries.size(), 3u);
  for (const LogEntry& e : entries) {
    ASSERT_TRUE(e.record && e.opening);
    EXPECT_EQ(audit::Commit(e.opening->key(), e.opening->record()), e.commitment);
    EXPECT_EQ(e.opening->record(), e.record->SerializeAsString());
    if (e.number == 2) {
      EXPECT_TRUE(e.record->words_commitment().empty());
      EXPECT_TRUE(e.opening->words().empty());
      EXPECT_TRUE(e.opening->words_key().empty());
      continue;
    }
    EXPECT_EQ(audit::Commit(e.opening->words_key(), e.opening->words()), e.record->words_commitment());
    pb::Words kept;
    ASSERT_TRUE(kept.ParseFromString(e.opening->words()));
    EXPECT_EQ(kept.SerializeAsString(), words.SerializeAsString());
    EXPECT_EQ(e.opening->record().find("bedreigd"), std::string::npos);
  }
  EXPECT_NE(entries[1].record->words_commitment(), entries[2].record->words_commitment())
      << "equal words can be told by their commitments";
  for (const auto& [row, value] : store.rows) EXPECT_EQ(value.find("bedreigd"), std::string::npos) << row;
}

}  // namespace
}  // namespace waarborg::journal

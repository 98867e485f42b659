// SPDX-License-Identifier: EUPL-1.2
#include "audit/certificate.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/note.h"
#include "tests/support/log_folder.h"
#include "waarborg/v1/audit.pb.h"

namespace waarborg::audit {
namespace {

namespace pb = waarborg::v1;

constexpr char kOrigin[] = "waterdam.example/lokaalverboden/2026";
constexpr int64_t kDue = 1'772'460'309'123;  // 2026-03-02 14:05:09.123 UTC

const SigningKey& LogKey() {
  static const SigningKey key = *SigningKey::FromSeed(kOrigin, KeyType::kEd25519, std::string(32, 'l'));
  return key;
}

pb::AuditRecord Photo() {
  pb::AuditRecord record;
  record.set_event("PhotoDestroyed");
  record.set_result(pb::RESULT_DONE);
  record.set_at_ms(kDue + 2'333);
  record.set_ban_id("LV-0123456789");
  record.set_photo_id("F-ABCDEFGHJK");
  record.set_destruction_reason(pb::DESTRUCTION_REASON_BAN_ENDED);
  record.set_ban_state(pb::BAN_STATE_EXPIRED);
  record.set_photo_state(pb::PHOTO_STATE_DESTROYED);
  record.set_due_at_ms(kDue);
  record.set_key_generation(13);
  record.set_destroyed_generation(12);
  record.add_checks(pb::DESTRUCTION_CHECK_KEY_ABSENT);
  record.add_checks(pb::DESTRUCTION_CHECK_OLD_GENERATION_GONE);
  record.set_key_home(pb::KEY_HOME_FILE);
  return record;
}

pb::AuditRecord Orphan() {
  pb::AuditRecord record = Photo();
  record.set_event("OrphanKeyDestroyed");
  record.clear_ban_id();
  record.clear_destruction_reason();
  record.clear_due_at_ms();
  return record;
}

pb::AuditRecord File() {
  pb::AuditRecord record = Photo();
  record.set_event("FileDestroyed");
  record.clear_photo_id();
  record.clear_destruction_reason();
  record.set_key_home(pb::KEY_HOME_TOKEN);
  return record;
}

Result<std::string> Say(const pb::AuditRecord& record) {
  return Declaration(record.SerializeAsString(), kOrigin, 2);
}

// The declaration; a failed test when there is none.
std::string Words(const pb::AuditRecord& record) {
  const auto words = Say(record);
  EXPECT_TRUE(words.ok()) << words.error() << "\n" << record.ShortDebugString();
  return words.ok() ? *words : "";
}

bool Says(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

// The opening of the third of five entries.
OpeningFile Open(const std::string& record, const std::string& origin = kOrigin) {
  const std::string key(32, 'K');
  const std::string commitment = Commit(key, record);
  std::vector<Hash> leaves;
  for (int i = 0; i < 5; ++i) leaves.push_back(LeafHash(i == 2 ? commitment : "entry " + std::to_string(i)));
  const ReadTile tiles = [&](int level, uint64_t, uint32_t) {
    return level == 0 ? std::optional(leaves) : std::nullopt;
  };
  const Checkpoint checkpoint{origin, leaves.size(), *RootAt(leaves.size(), tiles)};
  const std::string body = checkpoint.Body();
  OpeningFile out{key, record, {}};
  out.proof.index = 2;
  out.proof.proof = *ProveInclusion(2, leaves.size(), tiles);
  out.proof.checkpoint = {checkpoint, Note{body, {LogKey().Sign(body)}}};
  return out;
}

OpeningFile Open(const pb::AuditRecord& record) {
  return Open(record.SerializeAsString());
}

Certificate Certified(const pb::AuditRecord& record) {
  auto certificate = Certificate::Of(Open(record));
  if (!certificate.ok()) throw std::runtime_error(certificate.error());
  return *certificate;
}

// Every enumerator with its words, set by `set`: all different, and the number after the last has none.
void EachHasItsWords(const google::protobuf::EnumDescriptor& type, bool also_unspecified,
                     const std::function<void(pb::AuditRecord&, int)>& set) {
  std::set<std::string> seen;
  int after = 0;
  for (int i = 0; i < type.value_count(); ++i) {
    const int number = type.value(i)->number();
    after = std::max(after, number + 1);
    if (number == 0 && !also_unspecified) continue;
    pb::AuditRecord record = Photo();
    set(record, number);
    const auto words = Say(record);
    ASSERT_TRUE(words.ok()) << type.value(i)->name() << ": " << words.error();
    EXPECT_TRUE(seen.insert(*words).second) << type.value(i)->name() << " says what another says";
  }
  EXPECT_FALSE(seen.empty());
  for (const int number : {after, -1}) {
    pb::AuditRecord record = Photo();
    set(record, number);
    EXPECT_FALSE(Say(record).ok()) << number << " of " << type.name();
  }
}

// The whole of it, to the letter: who was given a certificate must be able to check it for good.
TEST(Certificate, StandsAsItWasHandedOut) {
  const Certificate certificate = Certified(Photo());
  EXPECT_EQ(certificate.declaration(),
            "Verklaring van vernietiging\n"
            "\n"
            "Wat:             foto F-ABCDEFGHJK bij verbod LV-0123456789\n"
            "Grond:           einde van het verbod, en daarmee van de bewaartermijn van de foto\n"
            "                 (AVG art. 5 lid 1 onder e)\n"
            "Moest weg sinds: 2026-03-02 14:05:09.123 UTC\n"
            "Vernietigd:      2026-03-02 14:05:11.456 UTC, 2,333 s daarna\n"
            "Waardoor:        vanzelf, door het systeem\n"
            "Hoe:             de sleutel waarmee de foto versleuteld was, is vernietigd:\n"
            "                 sleutelgeneratie 12 vernietigd, nieuwe generatie 13\n"
            "Sleutels in:     een verzegeld bestand op de schijf. Wie een ouder beeld van deze schijf en de\n"
            "                 hoofdsleutel heeft, kan daarmee nog openen wat dat beeld bevat\n"
            "Gecontroleerd:   de sleutel staat niet in de nieuwe generatie, teruggelezen van de schijf\n"
            "                 de oude sleutelgeneratie wordt niet meer bewaard en haar bestand is weg\n"
            "Regel:           2 van het logboek waterdam.example/lokaalverboden/2026\n");
  EXPECT_EQ(
      certificate.Text(),
      "waarborg/certificate@v1\n"
      "\n" +
          certificate.declaration() +
          "\n"
          "Hieronder staan de regel van het logboek waaruit deze verklaring volgt, en het bewijs dat zij\n"
          "daarin staat. Wie de openbare sleutel van het logboek heeft, kan dat zonder ons nagaan:\n"
          "\n"
          "    waarborg-verify certificate BESTAND --key SLEUTEL\n"
          "\n" +
          Open(Photo()).Text());
}

// So it is with these, in which all the words of the format are found. They are also seeds of the fuzz
// target, which is what their first byte is for. Never write them anew.
TEST(Certificate, ThoseOfBeforeAreStillGood) {
  size_t count = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(WAARBORG_SOURCE_FOLDER "/tests/fuzz/corpus/certificate")) {
    const std::string name = file.path().filename().string();
    if (!name.starts_with("certificate-")) continue;
    const std::string text = waarborg::testing::ReadFile(file.path()).substr(1);
    const auto certificate = Certificate::Parse(text);
    ASSERT_TRUE(certificate.ok()) << name << ": " << certificate.error();
    EXPECT_EQ(certificate->Text(), text);
    EXPECT_TRUE(certificate->opening().Holds()) << name;
    ++count;
  }
  EXPECT_GE(count, 6u);
}

TEST(Certificate, OfAFileAndOfAnOrphanKeySaysWhatThoseAre) {
  const std::string file = Words(File()), orphan = Words(Orphan());
  EXPECT_TRUE(Says(file, "Wat:             het dossier van verbod LV-0123456789\n")) << file;
  EXPECT_TRUE(Says(file, "Grond:           bewaartermijn verstreken\n")) << file;
  EXPECT_TRUE(Says(file, "Archiefwet")) << file;
  EXPECT_TRUE(Says(file, "Niemand zonder het token zelf")) << file;
  EXPECT_TRUE(Says(orphan, "de sleutel van foto F-ABCDEFGHJK, waar geen dossier bij hoort\n")) << orphan;
  EXPECT_TRUE(Says(orphan, "Grond:           na een onderbreking bleef een sleutel over")) << orphan;
  EXPECT_TRUE(Says(orphan, "Moest weg sinds: niet vastgelegd\n")) << orphan;
  EXPECT_TRUE(Says(orphan, "Vernietigd:      2026-03-02 14:05:11.456 UTC\n")) << orphan;
}

TEST(Certificate, EveryReasonCheckAndHomeHasItsWords) {
  EachHasItsWords(*pb::DestructionReason_descriptor(), false, [](pb::AuditRecord& record, int number) {
    record.set_destruction_reason(static_cast<pb::DestructionReason>(number));
  });
  EachHasItsWords(*pb::DestructionCheck_descriptor(), false, [](pb::AuditRecord& record, int number) {
    record.clear_checks();
    record.add_checks(static_cast<pb::DestructionCheck>(number));
  });
  EachHasItsWords(*pb::KeyHome_descriptor(), true, [](pb::AuditRecord& record, int number) {
    record.set_key_home(static_cast<pb::KeyHome>(number));
  });
}

TEST(Certificate, EveryCheckThatWasMadeIsALine) {
  pb::AuditRecord record = Photo();
  for (const auto check :
       {pb::DESTRUCTION_CHECK_ROW_GONE, pb::DESTRUCTION_CHECK_FILES_GONE, pb::DESTRUCTION_CHECK_TRIMMED}) {
    const std::string before = Words(record);
    record.add_checks(check);
    const std::string after = Words(record);
    EXPECT_EQ(std::count(after.begin(), after.end(), '\n'),
              std::count(before.begin(), before.end(), '\n') + 1);
  }
  record.add_checks(pb::DESTRUCTION_CHECK_UNSPECIFIED);
  EXPECT_FALSE(Say(record).ok());
}

TEST(Certificate, WhatTheRecordLeavesOpenIsNotFilledIn) {
  pb::AuditRecord record = Photo();
  record.clear_checks();
  EXPECT_TRUE(Says(Words(record), "Gecontroleerd:   niet vastgelegd\n"));
  // The key was gone already, or nothing was written down about it: those are not the same.
  record.clear_destroyed_generation();
  EXPECT_TRUE(Says(Words(record), "de sleutel waarmee de foto versleuteld was, is er niet meer:\n"));
  EXPECT_TRUE(Says(Words(record), "trof het systeem hem niet meer aan, nieuwe generatie 13\n"));
  EXPECT_TRUE(
      Says(Words(record), "Vernietigd:      uiterlijk 2026-03-02 14:05:11.456 UTC, 2,333 s daarna\n"));
  record.clear_key_home();
  EXPECT_TRUE(Says(Words(record), "de sleutel waarmee de foto versleuteld was, is vernietigd:\n"));
  EXPECT_TRUE(Says(Words(record), "sleutelgeneratie niet vastgelegd, nieuwe generatie 13\n"));
  EXPECT_TRUE(Says(Words(record), "Vernietigd:      2026-03-02 14:05:11.456 UTC, 2,333 s daarna\n"));
  EXPECT_TRUE(Says(Words(record), "Sleutels in:     niet vastgelegd. Ga ervan uit: wie een ouder beeld"));
  record.clear_key_generation();
  EXPECT_TRUE(Says(Words(record), "nieuwe generatie niet vastgelegd\n"));
  record.clear_due_at_ms();
  EXPECT_TRUE(Says(Words(record), "Moest weg sinds: niet vastgelegd\n"));
}

TEST(Certificate, SaysHowLongItTook) {
  pb::AuditRecord record = Photo();
  for (const auto& [ms, words] :
       std::map<int64_t, std::string>{{-1, "UTC, voor dat moment\n"},
                                      {0, "UTC, 0,000 s daarna\n"},
                                      {59'999, "UTC, 59,999 s daarna\n"},
                                      {60'000, "UTC, 1 min 0,000 s daarna\n"},
                                      {3'600'050, "UTC, 1 uur 0 min 0,050 s daarna\n"},
                                      {86'400'000, "UTC, 1 dag 0 uur 0 min 0,000 s daarna\n"},
                                      {2 * 86'400'000 + 3 * 3'600'000 + 4 * 60'000 + 5'006,
                                       "UTC, 2 dagen 3 uur 4 min 5,006 s daarna\n"}}) {
    record.set_at_ms(kDue + ms);
    EXPECT_TRUE(Says(Words(record), words)) << Words(record);
  }
  record.set_due_at_ms(1);
  record.set_at_ms(INT64_MAX);
  EXPECT_TRUE(Say(record).ok());
  record.set_due_at_ms(INT64_MAX);
  record.set_at_ms(1);
  EXPECT_TRUE(Say(record).ok());
}

TEST(Certificate, WhatIsNoDestructionHasNone) {
  const auto refused = [](const pb::AuditRecord& base, const std::function<void(pb::AuditRecord&)>& change) {
    pb::AuditRecord record = base;
    change(record);
    return !Say(record).ok() && !Certificate::Of(Open(record)).ok();
  };
  for (const char* event : {"", "PhotoDestructionStarted", "CheckVisitor", "BanExpired", "photodestroyed",
                            "PhotoDestroyed ", "FileDestroye"}) {
    EXPECT_TRUE(refused(Photo(), [&](pb::AuditRecord& r) { r.set_event(event); })) << event;
  }
  for (const pb::AuditRecord& base : {Photo(), Orphan(), File()}) {
    EXPECT_TRUE(refused(base, [](pb::AuditRecord& r) { r.set_result(pb::RESULT_REFUSED); }));
    EXPECT_TRUE(refused(base, [](pb::AuditRecord& r) { r.clear_result(); }));
    EXPECT_TRUE(refused(base, [](pb::AuditRecord& r) { r.set_person_id("M-3"); }));
    EXPECT_TRUE(refused(base, [](pb::AuditRecord& r) { r.clear_at_ms(); }));
    EXPECT_TRUE(refused(base, [](pb::AuditRecord& r) { r.set_at_ms(-1); }));
    EXPECT_TRUE(refused(base, [](pb::AuditRecord& r) { r.set_due_at_ms(-1); }));
  }
  // Without its ground, or with that of another.
  EXPECT_TRUE(refused(Photo(), [](pb::AuditRecord& r) { r.clear_destruction_reason(); }));
  for (const pb::AuditRecord& base : {Orphan(), File()}) {
    EXPECT_TRUE(refused(
        base, [](pb::AuditRecord& r) { r.set_destruction_reason(pb::DESTRUCTION_REASON_BAN_ENDED); }));
  }
  // Bytes that are no record, or hold a field that nobody knows here.
  const std::string good = Photo().SerializeAsString();
  ASSERT_TRUE(Declaration(good, kOrigin, 2).ok());
  for (const std::string& bytes : {std::string(), std::string("no record"), good + "\xFA\x7F\x01x",
                                   good.substr(0, good.size() - 1), good + good}) {
    EXPECT_FALSE(Declaration(bytes, kOrigin, 2).ok());
  }
}

// A name, or a line of its own, cannot come in by way of an id or an origin.
TEST(Certificate, NothingButIdsComesIntoTheWords) {
  for (const std::string id : {"", "F", "F-", "LV-", "F-Jan Jansen", "F-jansen", "F-1\nWaardoor: een mens",
                               "P-1", "F-\xC3\x89\xC3\x89N", "F-1\x1b[2J"}) {
    pb::AuditRecord photo = Photo(), orphan = Orphan();
    photo.set_photo_id(id);
    orphan.set_photo_id(id);
    EXPECT_FALSE(Say(photo).ok()) << id;
    EXPECT_FALSE(Say(orphan).ok()) << id;
  }
  for (const std::string id : {"", "LV-", "F-1", "LV-1 ", "LV-1\n", "LV-Jansen"}) {
    pb::AuditRecord photo = Photo(), file = File();
    photo.set_ban_id(id);
    file.set_ban_id(id);
    EXPECT_FALSE(Say(photo).ok()) << id;
    EXPECT_FALSE(Say(file).ok()) << id;
  }
  pb::AuditRecord long_id = Photo();
  long_id.set_photo_id("F-" + std::string(62, '0'));
  EXPECT_TRUE(Say(long_id).ok());
  long_id.set_photo_id("F-" + std::string(63, '0'));
  EXPECT_FALSE(Say(long_id).ok());
  EXPECT_FALSE(Declaration(Photo().SerializeAsString(), "", 2).ok());
  EXPECT_FALSE(Declaration(Photo().SerializeAsString(), "a\nb", 2).ok());
}

TEST(Certificate, ReadsBackAsItWasWritten) {
  for (const pb::AuditRecord& record : {Photo(), Orphan(), File()}) {
    for (const bool extra : {false, true}) {
      OpeningFile opening = Open(record);
      if (extra) opening.proof.extra = Commit(opening.key, opening.record);
      const auto certificate = Certificate::Of(opening);
      ASSERT_TRUE(certificate.ok()) << certificate.error();
      const std::string text = certificate->Text();
      EXPECT_TRUE(text.ends_with("\n" + opening.Text()));
      const auto back = Certificate::Parse(text);
      ASSERT_TRUE(back.ok()) << back.error();
      EXPECT_EQ(back->Text(), text);
      EXPECT_EQ(back->declaration(), *Say(record));
      EXPECT_EQ(back->opening().Text(), opening.Text());
      EXPECT_TRUE(back->opening().Holds());
    }
  }
}

TEST(Certificate, EveryBitOfItCounts) {
  // A string that is not UTF-8 is told on the standard error, each time.
  const google::protobuf::LogSilencer silence;
  const std::string text = Certified(Photo()).Text();
  // What catches a change: the words, the grammar of the opening, the path to the root, or the signature.
  std::map<std::string, size_t> caught;
  const auto holds = [&](const std::string& bytes) {
    const auto certificate = Certificate::Parse(bytes);
    if (!certificate.ok())
      return ++caught[certificate.error().starts_with("line") ? "words" : "opening"], false;
    if (!certificate->opening().Holds()) return ++caught["Holds"], false;
    const std::string note = certificate->opening().proof.checkpoint.note.Text();
    if (!OpenCheckpoint(note, LogKey().verifier()).ok()) return ++caught["signature"], false;
    return true;
  };
  EXPECT_TRUE(holds(text));
  for (size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string changed = text;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    ASSERT_FALSE(holds(changed)) << "bit " << bit % 8 << " of byte " << bit / 8;
  }
  for (size_t at = 0; at < text.size(); ++at) {
    ASSERT_FALSE(holds(text.substr(0, at))) << at;
    std::string changed = text;
    ASSERT_FALSE(holds(changed.erase(at, 1))) << at;
    changed = text;
    ASSERT_FALSE(holds(changed.insert(at, 1, ' '))) << at;
  }
  for (const char* more : {"\n", " ", "x", "\xEF\xBB\xBF"}) EXPECT_FALSE(holds(text + more));
  EXPECT_FALSE(holds("\xEF\xBB\xBF" + text));
  for (const char* layer : {"words", "opening", "Holds", "signature"}) EXPECT_GT(caught[layer], 50u) << layer;
}

TEST(Certificate, WordsThatWereEditedAreRefusedWhateverTheProofSays) {
  const std::string text = Certified(Photo()).Text();
  const auto edited = [&](const std::string& from, const std::string& to) {
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return Certificate::Parse(std::string(text).replace(at, from.size(), to));
  };
  ASSERT_TRUE(edited("bij verbod", "bij verbod").ok());
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"F-ABCDEFGHJK bij", "F-ABCDEFGHJX bij"},
           {"foto F-", "de foto F-"},
           {"einde van het verbod, en", "verbod opgeheven, en"},
           {"14:05:11.456", "14:05:10.456"},
           {"2,333 s daarna", "0,333 s daarna"},
           {"vanzelf, door het systeem", "met de hand"},
           {"generatie 12", "generatie 11"},
           {"kan daarmee nog openen", "kan daarmee niet meer openen"},
           {"Regel:           2 ", "Regel:           3 "},
           {"/2026\n", "/2025\n"},
           {"zonder ons nagaan", "niet nagaan"},
           {"Gecontroleerd:", "\nGecontroleerd:"},
           {"\n\nVerklaring", "\nVerklaring"},
           {"@v1", "@v2"},
           {"\n", "\r\n"}}) {
    const auto certificate = edited(from, to);
    ASSERT_FALSE(certificate.ok()) << from;
    EXPECT_TRUE(certificate.error().starts_with("line ")) << certificate.error();
  }
  EXPECT_EQ(edited("foto F-", "de foto F-").error(), "line 5 is not what the record says");
  // A line more, at the end of the declaration, and the words for one record with the opening of another.
  EXPECT_FALSE(edited("\nHieronder", "Opmerking: akkoord\n\nHieronder").ok());
  pb::AuditRecord other = Photo();
  other.set_at_ms(kDue + 1);
  const std::string opening = Open(Photo()).Text();
  EXPECT_FALSE(edited(opening, Open(other).Text()).ok());
  // The record's words fit the record, and the record is not the entry.
  const std::string of_other = Certified(other).Text();
  OpeningFile forged = Open(Photo());
  forged.record = other.SerializeAsString();
  const auto fits = Certificate::Of(forged);
  ASSERT_TRUE(fits.ok() && Certificate::Parse(fits->Text()).ok());
  EXPECT_FALSE(fits->opening().Holds());
  // An opening and nothing more, no opening, and one whose first line stands in the words.
  EXPECT_FALSE(Certificate::Parse(opening).ok());
  EXPECT_FALSE(Certificate::Parse("waarborg/certificate@v1\n" + opening).ok());
  EXPECT_FALSE(Certificate::Parse("waarborg/certificate@v1\n\n" + opening).ok());
  EXPECT_FALSE(edited(opening, "").ok());
  EXPECT_FALSE(edited("Grond:", "\nwaarborg/opening@v1\nGrond:").ok());
  EXPECT_FALSE(Certificate::Parse("").ok());
}

TEST(Certificate, OfAnotherEventIsRefusedHoweverWellItIsWritten) {
  pb::AuditRecord record = Photo();
  std::string text = Certified(record).Text();
  record.set_event("CheckVisitor");
  const std::string opening = Open(Photo()).Text();
  text.replace(text.find(opening), opening.size(), Open(record).Text());
  const auto certificate = Certificate::Parse(text);
  ASSERT_FALSE(certificate.ok());
  EXPECT_EQ(certificate.error(), "the record is not that of a destruction");
}

}  // namespace
}  // namespace waarborg::audit

// SPDX-License-Identifier: EUPL-1.2
#include "audit/certificate.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "audit/record.h"
#include "audit/text.h"
#include "waarborg/v1/audit.pb.h"

namespace waarborg::audit {
namespace {

namespace pb = waarborg::v1;

constexpr std::string_view kHeader = "waarborg/certificate@v1";
constexpr char kNotRecorded[] = "niet vastgelegd";
constexpr char kHowToCheck[] =
    "Hieronder staan de regel van het logboek waaruit deze verklaring volgt, en het bewijs dat zij\n"
    "daarin staat. Wie de openbare sleutel van het logboek heeft, kan dat zonder ons nagaan:\n"
    "\n"
    "    waarborg-verify certificate BESTAND --key SLEUTEL\n";

// An id as the system makes them: no name, and nothing that moves the text around it.
bool IsId(std::string_view id, std::string_view prefix) {
  return id.starts_with(prefix) && id.size() > prefix.size() && id.size() <= 64 &&
         std::all_of(id.begin(), id.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '-'; });
}
bool IsPhoto(std::string_view id) {
  return IsId(id, "F-");
}
bool IsBan(std::string_view id) {
  return IsId(id, "LV-");
}

// What of the words depends on the event. Nothing where the record does not say it.
struct Destroyed {
  std::optional<std::string> what;
  const char* ground = nullptr;
  const char* the_key = nullptr;
};

const char* GroundOf(pb::DestructionReason reason) {
  switch (reason) {
    case pb::DESTRUCTION_REASON_BAN_ENDED:
      return "einde van het verbod, en daarmee van de bewaartermijn van de foto\n"
             "(AVG art. 5 lid 1 onder e)";
    case pb::DESTRUCTION_REASON_BAN_LIFTED:
      return "verbod opgeheven, en daarmee einde van de bewaartermijn van de foto\n"
             "(AVG art. 5 lid 1 onder e)";
    case pb::DESTRUCTION_REASON_OBJECTION_UPHELD:
      return "bezwaar tegen het gebruik van de foto toegewezen\n"
             "(AVG art. 17 lid 1 onder c en art. 21)";
    case pb::DESTRUCTION_REASON_WRONG_PHOTO:
      return "verkeerde foto (AVG art. 5 lid 1 onder d)";
    default:
      return nullptr;
  }
}

// Nothing when the event is no destruction.
std::optional<Destroyed> DestroyedBy(const pb::AuditRecord& record) {
  Destroyed out;
  const std::string &photo = record.photo_id(), &ban = record.ban_id();
  // A ground of its own belongs to a photo only.
  const bool no_reason = record.destruction_reason() == pb::DESTRUCTION_REASON_UNSPECIFIED;
  if (record.event() == "PhotoDestroyed") {
    if (IsPhoto(photo) && IsBan(ban)) out.what = "foto " + photo + " bij verbod " + ban;
    out.ground = GroundOf(record.destruction_reason());
    out.the_key = "de sleutel waarmee de foto versleuteld was,";
  } else if (record.event() == "OrphanKeyDestroyed") {
    if (IsPhoto(photo)) out.what = "de sleutel van foto " + photo + ", waar geen dossier bij hoort";
    if (no_reason) {
      out.ground =
          "na een onderbreking bleef een sleutel over zonder dossier: er is geen doel\n"
          "waarvoor hij bewaard wordt (AVG art. 5 lid 1 onder e)";
    }
    out.the_key = "de sleutel";
  } else if (record.event() == "FileDestroyed") {
    if (IsBan(ban)) out.what = "het dossier van verbod " + ban;
    if (no_reason) {
      out.ground =
          "bewaartermijn verstreken\n"
          "(AVG art. 5 lid 1 onder e; Archiefwet 1995 art. 3 en 5)";
    }
    out.the_key = "de sleutel waarmee het dossier versleuteld was,";
  } else {
    return std::nullopt;
  }
  return out;
}

// The key was found gone after a crash. Entries from before the home of a key was recorded do not have the
// generation either: in those its absence says nothing.
bool FoundGone(const pb::AuditRecord& record) {
  return record.destroyed_generation() == 0 && record.key_home() != pb::KEY_HOME_UNSPECIFIED;
}

std::string HowOf(const pb::AuditRecord& record, const std::string& the_key) {
  const std::string next =
      "nieuwe generatie " +
      (record.key_generation() == 0 ? kNotRecorded : std::to_string(record.key_generation()));
  if (FoundGone(record)) {
    return the_key + " is er niet meer:\nna een onderbreking trof het systeem hem niet meer aan, " + next;
  }
  if (record.destroyed_generation() == 0) {
    return the_key + " is vernietigd:\nsleutelgeneratie " + kNotRecorded + ", " + next;
  }
  return the_key + " is vernietigd:\nsleutelgeneratie " + std::to_string(record.destroyed_generation()) +
         " vernietigd, " + next;
}

const char* WordsOf(pb::KeyHome home) {
  switch (home) {
    case pb::KEY_HOME_UNSPECIFIED:
      return "niet vastgelegd. Ga ervan uit: wie een ouder beeld van deze schijf en de\n"
             "hoofdsleutel heeft, kan daarmee nog openen wat dat beeld bevat";
    case pb::KEY_HOME_FILE:
      return "een verzegeld bestand op de schijf. Wie een ouder beeld van deze schijf en de\n"
             "hoofdsleutel heeft, kan daarmee nog openen wat dat beeld bevat";
    case pb::KEY_HOME_TOKEN:
      return "een token (PKCS#11), dat ze niet uit handen geeft. Niemand zonder het token zelf\n"
             "kan nog openen wat vernietigd is, ook niet met een ouder beeld van de schijf";
    default:
      return nullptr;
  }
}

const char* WordsOf(pb::DestructionCheck check) {
  switch (check) {
    case pb::DESTRUCTION_CHECK_KEY_ABSENT:
      return "de sleutel staat niet in de nieuwe generatie, teruggelezen van de schijf";
    case pb::DESTRUCTION_CHECK_OLD_GENERATION_GONE:
      return "de oude sleutelgeneratie wordt niet meer bewaard en haar bestand is weg";
    case pb::DESTRUCTION_CHECK_ROW_GONE:
      return "de versleutelde gegevens worden niet meer in de database gevonden";
    case pb::DESTRUCTION_CHECK_FILES_GONE:
      return "de databasebestanden met de versleutelde gegevens zijn er niet meer";
    case pb::DESTRUCTION_CHECK_TRIMMED:
      return "de vrijgekomen blokken zijn bij de schijf gemeld als niet meer in gebruik";
    default:
      return nullptr;
  }
}

// From the largest part that is not zero: "1 dag 2 uur 3 min 4,567 s".
std::string Lasting(uint64_t ms) {
  const uint64_t days = ms / 86'400'000, hours = ms / 3'600'000 % 24, minutes = ms / 60'000 % 60;
  const std::string thousandths = std::to_string(1000 + ms % 1000).substr(1);
  std::string out;
  if (days > 0) out += std::to_string(days) + (days == 1 ? " dag " : " dagen ");
  if (ms >= 3'600'000) out += std::to_string(hours) + " uur ";
  if (ms >= 60'000) out += std::to_string(minutes) + " min ";
  return out + std::to_string(ms / 1000 % 60) + "," + thousandths + " s";
}

std::string DestroyedAt(const pb::AuditRecord& record) {
  const int64_t at = record.at_ms(), due = record.due_at_ms();
  const std::string moment = (FoundGone(record) ? "uiterlijk " : "") + TimeText(at);
  if (due == 0) return moment;
  if (at < due) return moment + ", voor dat moment";
  return moment + ", " + Lasting(static_cast<uint64_t>(at - due)) + " daarna";
}

// "LABEL:  value", further lines of the value below its first.
void Say(std::string& out, std::string label, std::string_view value) {
  constexpr size_t kColumn = 17;
  label += ':';
  for (bool more = true; more;) {
    const size_t end = value.find('\n');
    more = end != std::string_view::npos;
    label.resize(kColumn, ' ');
    out.append(label).append(value.substr(0, end)) += '\n';
    label.clear();
    if (more) value.remove_prefix(end + 1);
  }
}

}  // namespace

Result<std::string> Declaration(std::string_view bytes, std::string_view origin, uint64_t index) {
  using R = Result<std::string>;
  pb::AuditRecord record;
  if (!ParseRecord(bytes, record)) return R::Error("the record is not one that this version can read");
  const auto destroyed = DestroyedBy(record);
  if (!destroyed || record.result() != pb::RESULT_DONE) {
    return R::Error("the record is not that of a destruction");
  }
  if (!record.person_id().empty()) return R::Error("the record says that a person did it, not the system");
  if (!destroyed->what) return R::Error("the record does not say what was destroyed");
  if (destroyed->ground == nullptr) {
    return R::Error("the record does not say on which ground, or says one that there are no words for");
  }
  if (record.at_ms() <= 0 || record.due_at_ms() < 0) return R::Error("the record does not say when");
  const char* home = WordsOf(record.key_home());
  if (home == nullptr) return R::Error("the record says a home of the key that there are no words for");
  std::string checks;
  for (int i = 0; i < record.checks_size(); ++i) {
    const char* words = WordsOf(record.checks(i));
    if (words == nullptr) return R::Error("the record says a check that there are no words for");
    checks.append(i == 0 ? "" : "\n").append(words);
  }
  if (origin.empty() || origin.find('\n') != std::string_view::npos) {
    return R::Error("the origin of the log is not one line");
  }

  std::string out = "Verklaring van vernietiging\n\n";
  Say(out, "Wat", *destroyed->what);
  Say(out, "Grond", destroyed->ground);
  Say(out, "Moest weg sinds", record.due_at_ms() == 0 ? kNotRecorded : TimeText(record.due_at_ms()));
  Say(out, "Vernietigd", DestroyedAt(record));
  Say(out, "Waardoor", "vanzelf, door het systeem");
  Say(out, "Hoe", HowOf(record, destroyed->the_key));
  Say(out, "Sleutels in", home);
  Say(out, "Gecontroleerd", checks.empty() ? kNotRecorded : checks);
  Say(out, "Regel", std::to_string(index) + " van het logboek " + std::string(origin));
  return out;
}

Result<Certificate> Certificate::Of(OpeningFile opening) {
  using R = Result<Certificate>;
  auto declaration =
      Declaration(opening.record, opening.proof.checkpoint.checkpoint.origin, opening.proof.index);
  if (!declaration.ok()) return R::Error(declaration.error());
  return Certificate(std::move(opening), std::move(*declaration));
}

std::string Certificate::Text() const {
  return std::string(kHeader) + "\n\n" + declaration_ + "\n" + kHowToCheck + "\n" + opening_.Text();
}

Result<Certificate> Certificate::Parse(std::string_view bytes) {
  using R = Result<Certificate>;
  std::string_view rest = bytes;
  if (TakeLine(rest) != kHeader) return R::Error("line 1 is not \"" + std::string(kHeader) + "\"");
  // No line of a declaration is the first of an opening: each begins with a label of ours.
  const size_t before = bytes.find("\n" + std::string(kOpeningHeader) + "\n");
  if (before == std::string_view::npos) {
    return R::Error("no line is \"" + std::string(kOpeningHeader) + "\"");
  }
  auto opening = OpeningFile::Parse(bytes.substr(before + 1));
  if (!opening.ok()) return R::Error("in the opening: " + opening.error());
  auto certificate = Of(std::move(*opening));
  if (!certificate.ok()) return certificate;
  const std::string text = certificate->Text();
  if (text != bytes) {
    const auto same = std::mismatch(text.begin(), text.end(), bytes.begin(), bytes.end()).first;
    return R::Error("line " + std::to_string(1 + std::count(text.begin(), same, '\n')) +
                    " is not what the record says");
  }
  return certificate;
}

}  // namespace waarborg::audit

// SPDX-License-Identifier: EUPL-1.2
// The formats of the published log: whatever is read prints back as the same bytes, so that no two spellings
// mean one thing. Input: one byte that chooses the format, then its bytes.
#include "audit/note.h"

#include <google/protobuf/stubs/logging.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/opening.h"
#include "audit/proof.h"
#include "audit/record.h"
#include "audit/text.h"
#include "audit/tiles.h"
#include "audit/witness.h"
#include "waarborg/v1/audit.pb.h"

namespace {

using namespace waarborg::audit;  // NOLINT(google-build-using-namespace)

// A string that is not UTF-8 is told on the standard error, each time.
[[maybe_unused]] auto* const kLogged = google::protobuf::SetLogHandler(nullptr);

void Must(bool holds) {
  if (!holds) std::abort();
}

SigningKey Key(const char* name, KeyType type) {
  return *SigningKey::FromSeed(name, type, std::string(32, name[0]));
}

// What a witness is asked; the corpus holds answers to it.
struct Asked {
  SigningKey log = Key("log.example", KeyType::kEd25519);
  SigningKey witness = Key("witness.example", KeyType::kCosignature);
  Checkpoint checkpoint{"log.example", 7, LeafHash("root")};
  AddCheckpoint request{5, {}, Note{checkpoint.Body(), {log.Sign(checkpoint.Body())}}.Text()};
};

// First a byte for the status, then a byte that says whether the body is of the type of a size.
void Answer(std::string_view bytes) {
  static const Asked asked;
  if (bytes.size() < 2) return;
  constexpr int kStatus[] = {200, 409, 422, 403, 404, 400, 500, 0};
  const WitnessAnswer answer{kStatus[static_cast<uint8_t>(bytes[0]) % 8],
                             static_cast<uint8_t>(bytes[1]) % 2 == 0 ? kSizeType : "text/plain",
                             std::string(bytes.substr(2))};
  const WitnessReply reply = ReadAnswer(answer, asked.request, asked.witness.verifier());
  if (reply.kind == WitnessReply::Kind::kCosigned) {
    uint64_t seconds = 0;
    Must(answer.status == 200);
    Must(Verify(asked.witness.verifier(), asked.checkpoint.Body(), reply.signature, &seconds));
    Must(seconds == reply.seconds);
  } else {
    Must(!reply.why.empty() || reply.kind == WitnessReply::Kind::kOtherSize);
  }
}

void Record(std::string_view bytes) {
  const auto fields = ReadRecord(bytes);
  const auto previous = PreviousOf(bytes);
  if (!fields.ok()) {
    Must(!previous);
    return;
  }
  waarborg::v1::AuditRecord record;
  Must(record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  Must(record.SerializeAsString() == bytes);
  Must(fields->empty() == bytes.empty());
  for (const auto& [name, value] : *fields) Must(!name.empty());
}

void Bundle(std::string_view bytes) {
  std::string_view rest = bytes;
  std::string back;
  while (const auto entry = TakeEntry(rest)) AppendEntry(back, *entry);
  Must(back + std::string(rest) == bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // A copy of its own size, so that a read beyond its end is seen.
  const std::vector<char> copy(data + 1, data + size);
  const std::string_view bytes(copy.data(), copy.size());
  switch (data[0] % 14) {
    case 0:
      if (const auto note = Note::Parse(bytes); note.ok()) Must(note->Text() == bytes);
      break;
    case 1:
      if (const auto read = ReadCheckpoint(bytes); read.ok()) {
        Must(read->note.Text() == bytes);
        Must(read->checkpoint.Body() == read->note.text);
        const auto again = Checkpoint::Parse(read->note.text);
        Must(again.ok() && again->Body() == read->note.text);
      }
      break;
    case 2:
      if (const auto key = VerifierKey::Parse(bytes); key.ok()) {
        Must(key->Text() == bytes);
        const auto again = VerifierKey::Make(key->name(), key->type(), key->public_key());
        Must(again.ok() && again->id() == key->id());
      }
      break;
    case 3:
      if (const auto file = ProofFile::Parse(bytes); file.ok()) {
        const Checkpoint& c = file->checkpoint.checkpoint;
        Must(file->Text() == bytes);
        (void)VerifyInclusion(file->index, c.size, LeafHash("leaf"), file->proof, c.root);
        (void)VerifyConsistency(file->index, c.size, LeafHash("root"), c.root, file->proof);
      }
      break;
    case 4:
      if (const auto file = OpeningFile::Parse(bytes); file.ok()) {
        Must(file->Text() == bytes);
        (void)file->Holds();
      }
      break;
    case 5:
      if (const auto file = PreviousFile::Parse(bytes); file.ok()) {
        Must(file->Text() == bytes);
        (void)PreviousOf(file->record);
      }
      break;
    case 6:
      if (const auto request = AddCheckpoint::Parse(bytes); request.ok()) Must(request->Text() == bytes);
      break;
    case 7:
      Answer(bytes);
      break;
    case 8:
      Record(bytes);
      break;
    case 9:
      if (const auto name = TileName::FromPath(bytes)) Must(name->Path() == bytes);
      break;
    case 10:
      Bundle(bytes);
      break;
    case 11:
      if (const auto decoded = FromBase64(bytes)) Must(Base64(*decoded) == bytes);
      Must(FromBase64(Base64(bytes)) == bytes || bytes.size() > (1u << 19));
      break;
    case 12:
      if (const auto number = Decimal(bytes)) Must(std::to_string(*number) == bytes);
      break;
    default:
      if (const auto checkpoint = Checkpoint::Parse(bytes); checkpoint.ok())
        Must(checkpoint->Body() == bytes);
  }
  return 0;
}

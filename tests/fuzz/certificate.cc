// SPDX-License-Identifier: EUPL-1.2
// Certificates of destruction: whatever is read prints back as the same bytes. Input: one byte that chooses
// between a certificate and the record of one, then its bytes.
#include "audit/certificate.h"

#include <google/protobuf/stubs/logging.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/record.h"
#include "audit/text.h"

namespace {

using namespace waarborg::audit;  // NOLINT(google-build-using-namespace)

// A string that is not UTF-8 is told on the standard error, each time.
[[maybe_unused]] auto* const kLogged = google::protobuf::SetLogHandler(nullptr);

void Must(bool holds) {
  if (!holds) std::abort();
}

void Whole(std::string_view bytes) {
  const auto certificate = Certificate::Parse(bytes);
  if (!certificate.ok()) {
    Must(!certificate.error().empty());
    return;
  }
  Must(certificate->Text() == bytes);
  Must(ReadRecord(certificate->opening().record).ok());
  (void)certificate->opening().Holds();
}

// The certificate of the only entry of a log, when this is its record.
void Record(std::string_view bytes) {
  const Checkpoint checkpoint{"log.example", 1, LeafHash("entry")};
  OpeningFile opening{std::string(kOpeningKeySize, 'k'), std::string(bytes), {}};
  opening.proof.checkpoint.checkpoint = checkpoint;
  opening.proof.checkpoint.note = {checkpoint.Body(),
                                   {Signature{checkpoint.origin, {}, std::string(64, 's')}}};
  const auto certificate = Certificate::Of(std::move(opening));
  Must(certificate.ok() == Declaration(bytes, checkpoint.origin, 0).ok());
  if (!certificate.ok()) return;
  // However odd the record, the words are whole lines, and nothing in them steers what shows them.
  const std::string& words = certificate->declaration();
  Must(words.ends_with("Regel:           0 van het logboek log.example\n"));
  for (const char c : words) Must(c == '\n' || (c >= ' ' && c <= '~'));
  const auto again = Certificate::Parse(certificate->Text());
  Must(again.ok() && again->Text() == certificate->Text());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // A copy of its own size, so that a read beyond its end is seen.
  const std::vector<char> copy(data + 1, data + size);
  const std::string_view bytes(copy.data(), copy.size());
  if (data[0] % 2 == 0) {
    Whole(bytes);
  } else {
    Record(bytes);
  }
  return 0;
}

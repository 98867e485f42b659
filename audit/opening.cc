// SPDX-License-Identifier: EUPL-1.2
#include "audit/opening.h"

#include "audit/text.h"

namespace waarborg::audit {
namespace {

constexpr std::string_view kPrevious = "waarborg/previous@v1";

std::string Head(std::string_view header, const std::string& key, const std::string& record) {
  return std::string(header) + "\nkey " + Base64(key) + "\nrecord " + Base64(record) + "\n";
}

// Takes the three lines off the front; says what is wrong with them, or nothing.
std::string TakeHead(std::string_view header, std::string_view& bytes, std::string& key,
                     std::string& record) {
  if (TakeLine(bytes) != header) return "line 1 is not \"" + std::string(header) + "\"";
  const auto take = [&bytes](std::string_view word) -> std::optional<std::string> {
    const auto line = TakeLine(bytes);
    if (!line || !line->starts_with(word)) return std::nullopt;
    return FromBase64(line->substr(word.size()));
  };
  auto k = take("key ");
  if (!k || k->size() != kOpeningKeySize) return "line 2 is not \"key\" with the base64 of 32 bytes";
  auto r = take("record ");
  if (!r) return "line 3 is not \"record\" with base64";
  key = std::move(*k);
  record = std::move(*r);
  return "";
}

}  // namespace

std::string OpeningFile::Text() const {
  return Head(kOpeningHeader, key, record) + "\n" + proof.Text();
}

Result<OpeningFile> OpeningFile::Parse(std::string_view bytes) {
  using R = Result<OpeningFile>;
  OpeningFile file;
  if (auto wrong = TakeHead(kOpeningHeader, bytes, file.key, file.record); !wrong.empty())
    return R::Error(wrong);
  if (TakeLine(bytes) != "") return R::Error("line 4 is not empty");
  auto proof = ProofFile::Parse(bytes);
  if (!proof.ok()) return R::Error("in the proof: " + proof.error());
  file.proof = std::move(*proof);
  return file;
}

bool OpeningFile::Holds() const {
  const Checkpoint& c = proof.checkpoint.checkpoint;
  const std::string commitment = Commit(key, record);
  if (proof.extra && *proof.extra != commitment) return false;
  return VerifyInclusion(proof.index, c.size, LeafHash(commitment), proof.proof, c.root);
}

std::string PreviousFile::Text() const {
  return Head(kPrevious, key, record);
}

Result<PreviousFile> PreviousFile::Parse(std::string_view bytes) {
  using R = Result<PreviousFile>;
  PreviousFile file;
  if (auto wrong = TakeHead(kPrevious, bytes, file.key, file.record); !wrong.empty()) return R::Error(wrong);
  if (!bytes.empty()) return R::Error("there is more after line 3");
  return file;
}

}  // namespace waarborg::audit

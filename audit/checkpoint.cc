// SPDX-License-Identifier: EUPL-1.2
#include "audit/checkpoint.h"

#include <algorithm>
#include <set>

#include "audit/text.h"

namespace waarborg::audit {

std::string Checkpoint::Body() const {
  return origin + "\n" + std::to_string(size) + "\n" + Base64(View(root)) + "\n";
}

Result<Checkpoint> Checkpoint::Parse(std::string_view body) {
  using R = Result<Checkpoint>;
  const auto origin = TakeLine(body), size = TakeLine(body), root = TakeLine(body);
  if (!origin || !size || !root) return R::Error("a checkpoint has three lines: origin, size, root");
  if (!body.empty()) return R::Error("the checkpoint has more than three lines");
  if (origin->empty()) return R::Error("line 1 of the checkpoint, the origin, is empty");
  const auto n = Decimal(*size);
  if (!n) return R::Error("line 2 of the checkpoint, the size, is not a whole number");
  const auto hash = HashFromBase64(*root);
  if (!hash) return R::Error("line 3 of the checkpoint, the root, is not the base64 of 32 bytes");
  if (*n == 0 && *hash != EmptyRoot()) return R::Error("the root is not that of an empty log");
  return Checkpoint{std::string(*origin), *n, *hash};
}

Result<SignedCheckpoint> ReadCheckpoint(std::string_view bytes) {
  using R = Result<SignedCheckpoint>;
  auto note = Note::Parse(bytes);
  if (!note.ok()) return R::Error(note.error());
  auto checkpoint = Checkpoint::Parse(note->text);
  if (!checkpoint.ok()) return R::Error(checkpoint.error());
  return SignedCheckpoint{std::move(*checkpoint), std::move(*note)};
}

Result<SignedCheckpoint> OpenCheckpoint(std::string_view bytes, const VerifierKey& log) {
  using R = Result<SignedCheckpoint>;
  auto opened = ReadCheckpoint(bytes);
  if (!opened.ok()) return opened;
  if (opened->checkpoint.origin != log.name()) {
    return R::Error("the checkpoint is of \"" + opened->checkpoint.origin + "\", the key of \"" + log.name() +
                    "\"");
  }
  if (log.type() != KeyType::kEd25519) return R::Error("that is the key of a witness, not of a log");
  if (auto signature = FindSignature(opened->note, log); !signature.ok()) return R::Error(signature.error());
  return opened;
}

Result<size_t> CountCosignatures(const Note& note, const std::vector<VerifierKey>& witnesses) {
  std::set<std::string> counted;  // public keys: one under two names is one
  for (const VerifierKey& witness : witnesses) {
    if (witness.type() != KeyType::kCosignature) {
      return Result<size_t>::Error("the key of " + witness.name() + " is not one for cosignatures");
    }
    const bool there = std::any_of(note.signatures.begin(), note.signatures.end(), [&](const Signature& s) {
      return s.name == witness.name() && s.id == witness.id();
    });
    if (!there) continue;
    if (auto s = FindSignature(note, witness); !s.ok()) return Result<size_t>::Error(s.error());
    counted.insert(witness.public_key());
  }
  return counted.size();
}

}  // namespace waarborg::audit

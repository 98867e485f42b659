// SPDX-License-Identifier: EUPL-1.2
#include "audit/witness.h"

#include <algorithm>

#include "audit/text.h"

namespace waarborg::audit {
namespace {

constexpr size_t kMaxProof = 63;

WitnessAnswer Say(int status, std::string why) {
  return {status, "text/plain; charset=utf-8", std::move(why) + "\n"};
}

WitnessAnswer OtherSize(uint64_t size) {
  return {409, kSizeType, std::to_string(size) + "\n"};
}

// A year, and a number when a log was begun anew in it: "2026", "2026-2". No more of them than a disk can
// hold.
bool IsYear(std::string_view name) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (name.size() < 4 || !std::all_of(name.begin(), name.begin() + 4, digit)) return false;
  name.remove_prefix(4);
  return name.empty() || ((name.size() == 2 || name.size() == 3) && name[0] == '-' && name[1] != '0' &&
                          std::all_of(name.begin() + 1, name.end(), digit));
}

// The key of the log of this origin, if `given` covers it: by its name, or because that log is of another
// year of the same house, signed with the same key.
std::optional<VerifierKey> KeyFor(const VerifierKey& given, const std::string& origin) {
  if (given.name() == origin) return given;
  const size_t slash = given.name().rfind('/');
  if (slash == std::string::npos || origin.substr(0, slash + 1) != given.name().substr(0, slash + 1) ||
      !IsYear(given.name().substr(slash + 1)) || !IsYear(origin.substr(slash + 1))) {
    return std::nullopt;
  }
  auto key = VerifierKey::Make(origin, given.type(), given.public_key());
  if (!key.ok()) return std::nullopt;
  return std::move(*key);
}

}  // namespace

std::string AddCheckpoint::Text() const {
  std::string out = "old " + std::to_string(old_size) + "\n";
  for (const Hash& h : proof) out += Base64(View(h)) + "\n";
  return out + "\n" + checkpoint;
}

Result<AddCheckpoint> AddCheckpoint::Parse(std::string_view body) {
  using R = Result<AddCheckpoint>;
  AddCheckpoint out;
  auto line = TakeLine(body);
  if (!line || !line->starts_with("old ")) return R::Error("line 1 is not \"old N\"");
  const auto old = Decimal(line->substr(4));
  if (!old) return R::Error("the old size is not a whole number");
  out.old_size = *old;
  for (line = TakeLine(body); line && !line->empty(); line = TakeLine(body)) {
    const auto hash = HashFromBase64(*line);
    if (!hash)
      return R::Error("hash " + std::to_string(out.proof.size() + 1) + " is not the base64 of 32 bytes");
    if (out.proof.size() == kMaxProof) return R::Error("more than 63 hashes");
    out.proof.push_back(*hash);
  }
  if (!line) return R::Error("no empty line before the checkpoint");
  out.checkpoint = body;
  return out;
}

WitnessAnswer Witness::Add(std::string_view body, uint64_t now_seconds) {
  if (body.size() > kMaxWitnessRequest) return Say(400, "the request is too large");
  auto request = AddCheckpoint::Parse(body);
  if (!request.ok()) return Say(400, request.error());
  auto opened = ReadCheckpoint(request->checkpoint);
  if (!opened.ok()) return Say(400, opened.error());
  const Checkpoint& next = opened->checkpoint;
  bool known = false, trusted = false;
  for (const VerifierKey& given : logs_) {
    const auto covers = KeyFor(given, next.origin);
    if (!covers) continue;
    const VerifierKey& log = *covers;
    known = true;
    const bool claimed =
        std::any_of(opened->note.signatures.begin(), opened->note.signatures.end(),
                    [&](const Signature& s) { return s.name == log.name() && s.id == log.id(); });
    if (!claimed) continue;
    // A known key's wrong signature spoils the note, whatever else it bears.
    if (!FindSignature(opened->note, log).ok()) return Say(403, "a signature of a known key is wrong");
    trusted = true;
  }
  if (!known) return Say(404, "this log is not known here");
  if (!trusted) return Say(403, "no valid signature of a key that is known here");
  if (request->old_size > next.size) return Say(400, "the old size is larger than the new one");

  const std::lock_guard<std::mutex> lock(mutex_);
  std::optional<std::string> before;
  if (!memory_.Load(next.origin, before)) return Say(500, "this witness cannot read what it remembers");
  Checkpoint last{next.origin, 0, EmptyRoot()};
  if (before) {
    auto read = ReadCheckpoint(*before);
    if (!read.ok() || read->checkpoint.origin != next.origin) {
      return Say(500, "what this witness remembers is damaged");
    }
    last = read->checkpoint;
  }
  if (request->old_size != last.size) return OtherSize(last.size);
  if (next.size == last.size && next.root != last.root) return OtherSize(last.size);
  if (!VerifyConsistency(last.size, next.size, last.root, next.root, request->proof)) {
    return Say(422, "the proof does not show that this log begins with the one cosigned before");
  }
  // The same checkpoint once more needs no new memory.
  if ((!before || next.size != last.size) && !memory_.Save(next.origin, request->checkpoint)) {
    return Say(500, "this witness cannot remember");
  }
  const Note cosigned{opened->note.text, {key_.Cosign(opened->note.text, now_seconds)}};
  return {200, "text/plain; charset=utf-8", cosigned.Text().substr(cosigned.text.size() + 1)};
}

WitnessReply ReadAnswer(const WitnessAnswer& answer, const AddCheckpoint& asked, const VerifierKey& witness) {
  using Kind = WitnessReply::Kind;
  WitnessReply reply;
  const auto text = ReadCheckpoint(asked.checkpoint);
  if (!text.ok()) {
    reply.why = text.error();
    return reply;
  }
  switch (answer.status) {
    case 200: {
      const auto note = Note::Parse(text->note.text + "\n" + answer.body);
      if (!note.ok()) {
        reply.why = "its answer holds no signature lines: " + note.error();
        return reply;
      }
      if (note->text != text->note.text) {
        reply.why = "its answer holds more than signature lines";
        return reply;
      }
      auto signature = FindSignature(*note, witness, &reply.seconds);
      if (!signature.ok()) {
        reply.why = signature.error();
        return reply;
      }
      reply.kind = Kind::kCosigned;
      reply.signature = std::move(*signature);
      return reply;
    }
    case 409: {
      std::string_view body = answer.body;
      const auto line = TakeLine(body);
      const std::optional<uint64_t> number = Decimal(line.value_or(""));
      const uint64_t size = number.value_or(0);
      if (answer.content_type != kSizeType || !number || !body.empty()) {
        reply.why = "its answer 409 holds no size";
      } else if (size > text->checkpoint.size) {
        reply.kind = Kind::kConflict;
        reply.size = size;
        reply.why = "it has seen " + std::to_string(size) + " entries of this log, which has " +
                    std::to_string(text->checkpoint.size);
      } else if (size == asked.old_size) {
        // It agrees on the size and refuses all the same: at that size its tree is another one.
        reply.kind = Kind::kConflict;
        reply.size = size;
        reply.why = "it has seen another log of " + std::to_string(size) + " entries under this name";
      } else {
        reply.kind = Kind::kOtherSize;
        reply.size = size;
      }
      return reply;
    }
    case 422:
      reply.kind = Kind::kConflict;
      reply.size = asked.old_size;
      reply.why = "the first " + std::to_string(asked.old_size) + " entries are not those it has seen";
      return reply;
    case 403:
    case 404:
      reply.kind = Kind::kRefused;
      reply.why = answer.status == 404 ? "it does not know this log" : "it does not know this log's key";
      return reply;
    default:
      reply.why = "it answered " + std::to_string(answer.status);
      return reply;
  }
}

}  // namespace waarborg::audit

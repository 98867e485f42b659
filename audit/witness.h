// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/note.h"
#include "audit/proof.h"
#include "audit/result.h"

// Both sides of the witness protocol (c2sp.org/tlog-witness v1.0.0), without the network.
namespace waarborg::audit {

// The body of POST /add-checkpoint.
struct AddCheckpoint {
  uint64_t old_size = 0;
  Proof proof;             // of consistency, from old_size
  std::string checkpoint;  // the signed note

  std::string Text() const;
  static Result<AddCheckpoint> Parse(std::string_view body);
};

inline constexpr size_t kMaxWitnessRequest = size_t{64} << 10;
inline constexpr const char kSizeType[] = "text/x.tlog.size";

struct WitnessAnswer {
  int status = 500;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// What a witness remembers of each log: the newest checkpoint it has cosigned. Called by one thread at a
// time.
class WitnessMemory {
 public:
  virtual ~WitnessMemory() = default;
  // The signed note of this origin; nothing when it has cosigned none yet. False when that cannot be told.
  virtual bool Load(const std::string& origin, std::optional<std::string>& note) = 0;
  // Durable when it returns true.
  virtual bool Save(const std::string& origin, const std::string& note) = 0;
};

// A key given for "NAME/2026" also stands for the logs of the same house in other years ("NAME/2027",
// "NAME/2026-2"), signed with the same key: else each new year would leave a log without its witnesses.
//
// Cosigns checkpoints of the logs it knows, each only if it goes on from the one before. What it remembers is
// on disk before a cosignature leaves. Safe from any thread.
class Witness {
 public:
  Witness(SigningKey key, std::vector<VerifierKey> logs, WitnessMemory& memory)
      : key_(std::move(key)), logs_(std::move(logs)), memory_(memory) {}
  // Answers as the protocol says: 200, 400, 403, 404, 409, 422; 500 when its own memory fails.
  WitnessAnswer Add(std::string_view body, uint64_t now_seconds);

 private:
  SigningKey key_;
  std::vector<VerifierKey> logs_;
  WitnessMemory& memory_;
  std::mutex mutex_;
};

// What an answer means to the log that asked.
struct WitnessReply {
  enum class Kind {
    kCosigned,   // `signature` is this witness's, verified
    kOtherSize,  // it has seen `size` entries: ask again from there
    kConflict,   // it has seen another log, or more of this one, than there is
    kRefused,    // it does not know the log or its key
    kUseless,    // not an answer of a witness that is well
  };
  Kind kind = Kind::kUseless;
  Signature signature;
  uint64_t seconds = 0;
  uint64_t size = 0;
  std::string why;
};
// `asked` is what was sent.
WitnessReply ReadAnswer(const WitnessAnswer& answer, const AddCheckpoint& asked, const VerifierKey& witness);

}  // namespace waarborg::audit

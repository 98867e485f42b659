// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "audit/checkpoint.h"
#include "audit/opening.h"
#include "audit/verify.h"
#include "server/base/clock.h"

// The auditor's check, made here: the published log against keys that were brought to this station by other
// hands than the core's. What the core says about its log is a thing to be checked, never what is checked
// against.
namespace waarborg::station {

// Whom this station believes: one key a line, as `waarborgd log-key` and `waarborg-verify witness-key` print
// them. A log of another year signs under another name, so there is a line for each.
struct LogKeys {
  std::vector<audit::VerifierKey> logs;
  std::vector<audit::VerifierKey> witnesses;
  // What is wrong with a line, in English; such a line counts for nothing.
  std::vector<std::string> problems;

  static LogKeys Read(const std::string& text);
  // Of the log with this origin; null when none is here.
  const audit::VerifierKey* Of(const std::string& origin) const;
};

enum class Verdict { kGood, kWrong, kNotChecked };

// What is looked at, one by one.
enum class CheckKind {
  kSignature,   // the checkpoint is signed by the log's key
  kWitnesses,   // enough witnesses have cosigned it
  kContents,    // every entry, tile and the root, rebuilt
  kPrevious,    // it goes on from the log before it, as that stands in the folder
  kCoreKey,     // the core signs with the key that this station knows
  kCore,        // what the core answers is this log, or its beginning
  kSinceLast,   // it begins with what the last good check at this station found
  kSinceGiven,  // it begins with the checkpoint that the auditor brought
  kEntry,       // a record is the entry that its proof names
  kPublished,   // that entry stands in the published log, at that place
};

struct Finding {
  CheckKind what;
  Verdict verdict = Verdict::kGood;
  // What it was checked against, or counted: for the words of the page, by name ("key", "size", "count",
  // "needed").
  std::map<std::string, std::string> values;
  // What is wrong and where, or why it could not be checked, in English, as waarborg-verify says it.
  std::vector<std::string> details;
};

// One log that was checked.
struct CheckedLog {
  std::string name;  // of its folder: "2026"
  audit::Checkpoint checkpoint;
  std::string note;  // the checkpoint as it is published; empty when it cannot be read
  size_t files = 0;
  double seconds = 0;
  std::vector<Finding> findings;

  // The worst of the findings.
  Verdict verdict() const;
};

struct CheckedLogs {
  absl::Time at;
  std::vector<CheckedLog> logs;  // newest first
  // What is wrong with the folder or the keys, in English; then nothing is good.
  std::vector<std::string> problems;
  // A checkpoint was brought that no log here is of.
  bool given_unknown = false;

  Verdict verdict() const;
};

// What the core says of its log.
struct CoreHead {
  audit::Checkpoint head;  // as it is now, unsigned
  std::string note;        // newest checkpoint; empty when there is none
  std::string key;
  size_t quorum = 0;  // how many witnesses must cosign
};

// What to check, besides that each log is whole.
struct LogQuestion {
  std::optional<CoreHead> core;
  std::string given;  // a checkpoint from before, as a signed note; empty when none was brought
};

// The opening of an entry, looked at here: the record it holds, when it is what was committed to.
struct CheckedOpening {
  std::vector<Finding> findings;
  std::string record;
  std::string leaf;  // the entry as published, 32 bytes
  uint64_t index = 0;
  std::string origin;

  Verdict verdict() const;
};

// Safe from any thread.
class LogCheck {
 public:
  LogCheck(const std::string& keys, std::string folder, const base::Clock& clock);
  // Gives up a check that runs.
  ~LogCheck();
  LogCheck(const LogCheck&) = delete;
  LogCheck& operator=(const LogCheck&) = delete;

  // There are a folder and a key; otherwise there is nothing to check with.
  bool configured() const { return !folder_.empty() && !keys_.logs.empty(); }
  const LogKeys& keys() const { return keys_; }
  const std::string& folder() const { return folder_; }

  // Checks every log in the folder, one check at a time, with one thread, so that a desk at the same station
  // does not wait for it. Waits at most `limit`. False: a check of somebody else was running, and this
  // question was not asked.
  bool Run(const LogQuestion& question, std::chrono::milliseconds limit);
  struct Standing {
    bool running = false;
    uint64_t entries = 0;  // of the log that is looked at now
    uint64_t total = 0;
    std::shared_ptr<const CheckedLogs> last;  // null when none was made since the station started
  };
  Standing standing() const;

  // Of an opening as the core hands it over (audit/opening.h); `limit` on reading files is the proof's own
  // length, so it answers at once.
  CheckedOpening CheckOpening(const std::string& text) const;

 private:
  CheckedLogs CheckAll(const LogQuestion& question);
  CheckedLog CheckOne(const std::string& name, const LogQuestion& question);
  std::string FolderOf(const std::string& origin) const;

  const LogKeys keys_;
  const std::string folder_;
  const base::Clock& clock_;
  audit::Progress progress_;
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  std::condition_variable done_;
  bool running_ = false;
  std::thread worker_;
  std::shared_ptr<const CheckedLogs> last_;
  // By origin, the checkpoint that was good last, and when that was found. Written by the worker alone.
  std::map<std::string, std::pair<std::string, absl::Time>> kept_;
};

}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/witness.h"
#include "server/base/mutex.h"
#include "server/journal/log_files.h"
#include "server/journal/publisher.h"
#include "tests/support/log_folder.h"

// What a publisher writes to and whom it asks, in memory.
namespace waarborg::testing {

// Writes that are still to succeed. Several folders may share one, as on one disk: then a test stops between
// any two of them.
struct DiskWrites {
  int left = -1;  // -1: no limit
  int done = 0;
};

// Files in memory. Once the writes have run out none succeeds, as after a crash.
class MemoryFiles : public journal::LogFiles {
 public:
  using Files = std::map<std::string, std::string>;

  explicit MemoryFiles(DiskWrites& writes) : writes_(writes) {}

  absl::StatusOr<std::string> Read(const std::string& path) const override {
    const base::Lock lock(mutex_);
    if (!readable) return absl::UnavailableError("input/output error");
    auto it = files.find(path);
    if (it == files.end()) return absl::NotFoundError(path + " is not there");
    return it->second;
  }

  absl::Status Write(const std::string& path, std::string_view bytes, bool) override {
    {
      const base::Lock lock(mutex_);
      if (!Take()) return absl::UnavailableError("no space left on device");
      files[path] = std::string(bytes);
    }
    if (on_write) on_write(path);
    return absl::OkStatus();
  }

  // A folder goes file by file: whoever is cut off in it leaves half of them.
  absl::Status Remove(const std::string& path) override {
    const base::Lock lock(mutex_);
    auto begin = files.lower_bound(path + "/"), end = files.lower_bound(path + "0");
    if (!Take()) {
      files.erase(begin, std::next(begin, std::distance(begin, end) / 2));
      return absl::UnavailableError("input/output error");
    }
    files.erase(begin, end);
    files.erase(path);
    return absl::OkStatus();
  }

  std::string folder() const override { return ""; }

  // Everything below `path`, as files on disk.
  void WriteOut(const std::string& path, const std::filesystem::path& to) const {
    const base::Lock lock(mutex_);
    for (auto it = files.lower_bound(path + "/"); it != files.end() && it->first.starts_with(path + "/");
         ++it) {
      WriteFile(to / it->first.substr(path.size() + 1), it->second);
    }
  }

  // To be looked at and changed while nobody else writes.
  Files files;
  bool readable = true;
  // Called after each write.
  std::function<void(const std::string& path)> on_write;

 private:
  bool Take() {
    if (writes_.left == 0) return false;
    if (writes_.left > 0) --writes_.left;
    ++writes_.done;
    return true;
  }

  DiskWrites& writes_;
  mutable base::Mutex mutex_;
};

// Real witnesses of these logs, one for each URL, in whatever mood the test says.
class FakeWitnesses : public journal::WitnessCaller {
 public:
  enum class Mood {
    kWell,
    kAway,
    kWrongSignature,  // its name and key id over something else
    kGarbage,         // 200 and no signature
    kLarger,          // 409: it claims to have seen more than there is
    kFickle,          // 409: it has always seen another size than the one that it is asked about
    kStrange,         // 404: it does not know the log
  };
  struct Asked {
    std::string url;
    uint64_t old_size = 0;
    uint64_t size = 0;
    int status = 0;
  };

  explicit FakeWitnesses(std::vector<audit::VerifierKey> logs) : logs_(std::move(logs)) {}

  // A witness at this URL; returns its key.
  audit::VerifierKey Add(const std::string& url, char seed) {
    auto& one = witnesses_[url];
    one = std::make_unique<One>(
        *audit::SigningKey::FromSeed("witness.example/" + std::string(1, seed), audit::KeyType::kCosignature,
                                     std::string(32, seed)),
        logs_);
    return one->key.verifier();
  }

  std::vector<audit::WitnessAnswer> Call(const std::vector<Request>& requests, absl::Duration) override {
    std::vector<audit::WitnessAnswer> answers;
    for (const Request& request : requests) {
      if (before_each) before_each(request);
      answers.push_back(Answer(request));
    }
    return answers;
  }

  void Set(const std::string& url, Mood mood) { witnesses_.at(url)->mood = mood; }
  void SetAll(Mood mood) {
    for (auto& [url, one] : witnesses_) one->mood = mood;
  }
  // The size of this log that it has cosigned last; 0 when none.
  uint64_t SizeOf(const std::string& url, const std::string& origin) const {
    const auto& notes = witnesses_.at(url)->memory.notes;
    const auto it = notes.find(origin);
    return it == notes.end() ? 0 : audit::ReadCheckpoint(it->second)->checkpoint.size;
  }

  std::vector<Asked> asked;
  std::function<void(const Request&)> before_each;

 private:
  class Memory : public audit::WitnessMemory {
   public:
    bool Load(const std::string& origin, std::optional<std::string>& note) override {
      note.reset();
      if (const auto it = notes.find(origin); it != notes.end()) note = it->second;
      return true;
    }
    bool Save(const std::string& origin, const std::string& note) override {
      notes[origin] = note;
      return true;
    }
    std::map<std::string, std::string> notes;
  };
  struct One {
    One(audit::SigningKey k, const std::vector<audit::VerifierKey>& logs)
        : key(std::move(k)), witness(key, logs, memory) {}
    audit::SigningKey key;
    Memory memory;
    audit::Witness witness;
    Mood mood = Mood::kWell;
  };

  audit::WitnessAnswer Answer(const Request& request) {
    constexpr std::string_view kPath = "/add-checkpoint";
    if (!request.url.ends_with(kPath)) return {404, "text/plain", ""};
    const std::string url = request.url.substr(0, request.url.size() - kPath.size());
    const auto it = witnesses_.find(url);
    const auto parsed = audit::AddCheckpoint::Parse(request.body);
    if (it == witnesses_.end() || !parsed.ok()) return {0, "", ""};
    const auto opened = audit::ReadCheckpoint(parsed->checkpoint);
    if (!opened.ok()) return {400, "text/plain", ""};
    const audit::WitnessAnswer answer = Say(*it->second, request.body, parsed->old_size, *opened);
    asked.push_back({url, parsed->old_size, opened->checkpoint.size, answer.status});
    return answer;
  }

  static audit::WitnessAnswer Say(One& one, const std::string& body, uint64_t old_size,
                                  const audit::SignedCheckpoint& shown) {
    constexpr uint64_t kNow = 1'772'438'400;
    const std::string text = "text/plain; charset=utf-8";
    switch (one.mood) {
      case Mood::kWell:
        return one.witness.Add(body, kNow);
      case Mood::kAway:
        return {0, "", ""};
      case Mood::kWrongSignature: {
        const audit::Note note{shown.note.text, {one.key.Cosign("something else\n", kNow)}};
        return {200, text, note.Text().substr(note.text.size() + 1)};
      }
      case Mood::kGarbage:
        return {200, text, "<html>welcome</html>\n"};
      case Mood::kLarger:
        return {409, audit::kSizeType, std::to_string(shown.checkpoint.size + 7) + "\n"};
      case Mood::kFickle:
        return {409, audit::kSizeType, old_size == 1 ? "2\n" : "1\n"};
      case Mood::kStrange:
        return {404, text, "this log is not known here\n"};
    }
    return {0, "", ""};
  }

  std::vector<audit::VerifierKey> logs_;
  std::map<std::string, std::unique_ptr<One>> witnesses_;
};

}  // namespace waarborg::testing

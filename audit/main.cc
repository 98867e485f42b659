// SPDX-License-Identifier: EUPL-1.2
// waarborg-verify: checks a published log and what is handed over from it, and runs a witness.
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <new>
#include <string>
#include <thread>

#include "audit/checkpoint.h"
#include "audit/opening.h"
#include "audit/proof.h"
#include "audit/record.h"
#include "audit/text.h"
#include "audit/verify.h"
#include "audit/witness_http.h"

namespace waarborg::audit {
namespace {

constexpr int kGood = 0;
constexpr int kNotGood = 1;
constexpr int kNotChecked = 2;
constexpr int kUsage = 64;
constexpr const char kVersion[] = "waarborg-verify 0.1.0";
constexpr const char kExitCodes[] =
    "Exit status:\n"
    "  0   everything that was asked for was checked and is good\n"
    "  1   it is not good\n"
    "  2   it could not be checked: a file cannot be read, or there is no key for the signature\n"
    "  64  wrong usage";
constexpr size_t kMaxFile = size_t{4} << 20;

void Say(const std::string& line) {
  std::fprintf(stderr, "waarborg-verify: %s\n", line.c_str());
  std::fflush(stderr);
}

// How many bytes of the one character at the front are fit to be shown; 0 for a byte that is not. What is
// checked comes from strangers: their text must not steer a terminal, look like a line of ours, or turn the
// order of what is read.
size_t Showable(std::string_view s) {
  const auto byte = [&s](size_t i) { return static_cast<uint8_t>(s[i]); };
  const uint8_t c = byte(0);
  if (c < 0x80) return c >= 0x20 && c != 0x7F ? 1 : 0;
  const size_t size = c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;
  if (size == 0 || s.size() < size) return 0;
  uint32_t rune = c & (0x7Fu >> size);
  for (size_t i = 1; i < size; ++i) {
    if (byte(i) >> 6 != 2) return 0;
    rune = rune << 6 | (byte(i) & 0x3F);
  }
  const auto among = [rune](uint32_t first, uint32_t last) { return rune >= first && rune <= last; };
  // Controls; marks and overrides of direction; line and paragraph separators; invisible characters.
  if (rune < 0xA0 || among(0x200B, 0x200F) || among(0x2028, 0x202E) || among(0x2060, 0x206F) ||
      rune == 0x061C || rune == 0xFEFF) {
    return 0;
  }
  return size;
}

std::string Shown(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t size = Showable(text);
    if (size > 0) {
      out.append(text.substr(0, size));
    } else {
      const auto c = static_cast<uint8_t>(text[0]);
      out += {'\\', 'x', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};
    }
    text.remove_prefix(std::max<size_t>(1, size));
  }
  return out;
}

void Line(const char* name, const std::string& value) {
  std::printf("%-14s %s\n", name, value.c_str());
}

std::string Plural(uint64_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

std::string Size(const Checkpoint& c) {
  return Plural(c.size, "entry", "entries");
}

std::string Root(const Checkpoint& c) {
  return Base64(View(c.root));
}

std::string UtcTime(uint64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  char text[40];
  if (seconds >> 62 != 0 || gmtime_r(&time, &parts) == nullptr ||
      std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0) {
    return std::to_string(seconds) + " seconds after 1970";
  }
  return text;
}

uint64_t NowSeconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec);
}

// A key as its signature lines name it: NAME+8 digits.
std::string Short(const VerifierKey& key) {
  return key.Text().substr(0, key.name().size() + 9);
}

std::string Reason(const char* doing, const std::string& path) {
  return std::string("cannot ") + doing + " " + path + ": " + std::strerror(errno);
}

bool WriteAll(int fd, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t n = write(fd, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

// Reads at most `size` bytes; -1 with errno.
ssize_t ReadUpTo(int fd, char* bytes, size_t size) {
  size_t at = 0;
  while (at < size) {
    const ssize_t n = read(fd, bytes + at, size - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    at += static_cast<size_t>(n);
  }
  return static_cast<ssize_t>(at);
}

Result<std::string> ReadFile(const std::string& path) {
  using R = Result<std::string>;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return R::Error(Reason("open", path));
  std::string out(kMaxFile + 1, '\0');
  const ssize_t n = ReadUpTo(fd, out.data(), out.size());
  const std::string why = n < 0 ? Reason("read", path) : "";
  close(fd);
  if (n < 0) return R::Error(why);
  if (static_cast<size_t>(n) > kMaxFile) {
    return R::Error(path + " is larger than 4 MiB: this is not the file that is meant");
  }
  out.resize(static_cast<size_t>(n));
  return out;
}

// A new file that only its owner reads, durably; says why not, or nothing.
std::string WriteNewFile(const std::string& path, const char* bytes, size_t size) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Reason("create", path);
  const bool written = WriteAll(fd, bytes, size) && fsync(fd) == 0;
  const std::string why = written ? "" : Reason("write", path);
  close(fd);
  if (!written) {
    unlink(path.c_str());
    return why;
  }
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const int above = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool durable = above >= 0 && fsync(above) == 0;
  const std::string why_not = durable ? "" : Reason("sync the folder of", path);
  if (above >= 0) close(above);
  return why_not;
}

// What a check has found; the last line says which of the three it is.
struct Outcome {
  std::vector<std::string> problems;
  std::vector<std::string> unchecked;  // was asked for, and could not be checked

  int code() const { return !problems.empty() ? kNotGood : !unchecked.empty() ? kNotChecked : kGood; }
};

int Conclude(const Outcome& outcome) {
  for (const std::string& problem : outcome.problems) std::printf("%s\n", Shown(problem).c_str());
  switch (outcome.code()) {
    case kNotGood:
      std::printf("NOT GOOD: %s, above. Keep everything as it is, and compare it with another copy.\n",
                  Plural(outcome.problems.size(), "problem", "problems").c_str());
      break;
    case kNotChecked:
      for (size_t i = 0; i + 1 < outcome.unchecked.size(); ++i) {
        std::printf("%s\n", Shown(outcome.unchecked[i]).c_str());
      }
      std::printf("NOT CHECKED: %s\n", Shown(outcome.unchecked.back()).c_str());
      break;
    default:
      std::printf("GOOD: everything that was asked for was checked.\n");
  }
  return outcome.code();
}

constexpr const char kNobodySigned[] =
    "the rest holds together, but without a key nothing says who signed for it. Give the key with --key";

// Whom to believe, as it stands on the command line.
struct TrustOptions {
  std::string key;
  std::vector<std::string> witnesses;
  std::optional<size_t> quorum;  // as many as there are witnesses, unless said
};

struct Trust {
  std::optional<VerifierKey> log;
  std::vector<VerifierKey> witnesses;
  size_t quorum = 0;
};

// The key in a file of one line. The code to end with, after having said why; 0 when it is there.
int ReadKeyFile(const std::string& path, std::optional<VerifierKey>& out) {
  auto text = ReadFile(path);
  if (!text.ok()) {
    Say(text.error());
    return kNotChecked;
  }
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  auto key = VerifierKey::Parse(*text);
  if (!key.ok()) {
    Say(path + ": " + key.error());
    return kNotChecked;
  }
  out = *key;
  return 0;
}

// The same from an argument, which holds a key or names a file that does.
int TakeKey(const std::string& argument, KeyType type, std::optional<VerifierKey>& out) {
  const auto key = VerifierKey::Parse(argument);
  if (key.ok()) {
    out = *key;
  } else if (access(argument.c_str(), F_OK) != 0) {
    Say(Shown(argument) + " is neither a file nor a key: " + key.error());
    return kUsage;
  } else if (const int code = ReadKeyFile(argument, out); code != 0) {
    return code;
  }
  if (out->type() == type) return 0;
  Say(Short(*out) + (type == KeyType::kEd25519 ? " is the key of a witness, where that of a log is needed"
                                               : " is the key of a log, where that of a witness is needed"));
  return kUsage;
}

// DIR.vkey, beside the folder.
std::string KeyFileBeside(const std::string& folder) {
  std::filesystem::path path(folder);
  while (!path.has_filename() && path.has_relative_path()) path = path.parent_path();
  if (path.filename() == "." || path.filename() == "..") {
    std::error_code error;
    path = std::filesystem::canonical(path, error);
  }
  return path.empty() ? "" : path.string() + ".vkey";
}

// `folder` is the log's, or empty.
int Resolve(const TrustOptions& options, const std::string& folder, Trust& out) {
  if (!options.key.empty()) {
    if (const int code = TakeKey(options.key, KeyType::kEd25519, out.log); code != 0) return code;
  } else if (!folder.empty()) {
    const std::string beside = KeyFileBeside(folder);
    if (access(beside.c_str(), F_OK) == 0) {
      if (const int code = TakeKey(beside, KeyType::kEd25519, out.log); code != 0) return code;
    }
  }
  for (const std::string& argument : options.witnesses) {
    std::optional<VerifierKey> witness;
    if (const int code = TakeKey(argument, KeyType::kCosignature, witness); code != 0) return code;
    // One witness under two names would count twice.
    for (const VerifierKey& other : out.witnesses) {
      if (other.public_key() == witness->public_key()) {
        Say("the key of the witness " + Short(*witness) + " is given twice");
        return kUsage;
      }
    }
    out.witnesses.push_back(*witness);
  }
  out.quorum = options.quorum.value_or(out.witnesses.size());
  if (out.quorum > out.witnesses.size()) {
    Say("--quorum " + std::to_string(out.quorum) + " asks for more witnesses than are named with --witness");
    return kUsage;
  }
  return 0;
}

// How far a check is, on standard error, once it takes longer than half a second.
class ProgressLine {
 public:
  ProgressLine(const Progress& progress, bool wanted) : progress_(progress) {
    if (wanted && isatty(STDERR_FILENO) == 1) thread_ = std::thread([this] { Run(); });
  }
  ~ProgressLine() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      done_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

 private:
  void Run() {
    const auto start = std::chrono::steady_clock::now();
    auto pause = std::chrono::milliseconds(500);
    bool drawn = false;
    std::unique_lock<std::mutex> lock(mutex_);
    while (!wake_.wait_for(lock, pause, [this] { return done_; })) {
      Draw(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      drawn = true;
      pause = std::chrono::milliseconds(100);
    }
    if (drawn) std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
  }

  void Draw(double seconds) const {
    const uint64_t done = progress_.entries, total = std::max<uint64_t>(1, progress_.total);
    const auto share = static_cast<double>(done) / static_cast<double>(total);
    constexpr size_t kWidth = 30;
    std::string bar(std::min(kWidth, static_cast<size_t>(share * kWidth)), '#');
    bar.resize(kWidth, '.');
    std::fprintf(stderr, "\r[%s] %3.0f%%  %llu of %llu entries, %.0f entries/s\033[K", bar.c_str(),
                 100 * share, static_cast<unsigned long long>(done), static_cast<unsigned long long>(total),
                 static_cast<double>(done) / seconds);
    std::fflush(stderr);
  }

  const Progress& progress_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_;
};

struct LogOptions {
  std::string folder;
  TrustOptions trust;
  std::string since;
  unsigned threads = 0;
  bool live = false;
  bool json = false;
  bool quiet = false;
};

struct Timed {
  Report report;
  double seconds = 0;
};

Timed Check(const std::string& folder, const VerifyOptions& options, bool show_progress) {
  Progress progress;
  Timed out;
  const auto start = std::chrono::steady_clock::now();
  {
    const ProgressLine line(progress, show_progress);
    out.report = VerifyLog(folder, options, progress);
  }
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return out;
}

VerifyOptions OptionsOf(const Trust& trust, const LogOptions& options) {
  VerifyOptions out;
  out.key = trust.log;
  out.witnesses = trust.witnesses;
  out.quorum = trust.quorum;
  out.threads = options.threads;
  out.live = options.live;
  return out;
}

std::string Speed(const Timed& checked) {
  char text[80];
  const double per_second =
      static_cast<double>(checked.report.checkpoint.size) / std::max(checked.seconds, 1e-6);
  std::snprintf(text, sizeof text, "%.2f s, %.0f entries/s", checked.seconds, per_second);
  return text;
}

std::string Witnesses(size_t cosigned, const Trust& trust) {
  if (trust.witnesses.empty()) return "none asked for";
  return std::to_string(cosigned) + " of " + std::to_string(trust.witnesses.size()) + " have cosigned, " +
         std::to_string(trust.quorum) + " needed";
}

void PrintReport(const Timed& checked, const Trust& trust) {
  const Report& report = checked.report;
  Line("log", Shown(report.checkpoint.origin));
  Line("size", Size(report.checkpoint));
  Line("root", Root(report.checkpoint));
  Line("signed by", report.signature_checked ? Short(*trust.log) : "nobody that is known here");
  Line("witnesses", Witnesses(report.cosignatures, trust));
  if (report.previous) {
    Line("goes on from", Shown(report.previous->origin) + ", " + Size(*report.previous) + ", root " +
                             Root(*report.previous) + " (by its own word)");
  }
  if (report.since) Line("since", "it begins with the older checkpoint's " + Size(*report.since));
  std::string files = std::to_string(report.files);
  if (report.files_ahead > 0) {
    files +=
        ", of which " + std::to_string(report.files_ahead) + " are ahead of the checkpoint and passed over";
  }
  Line("files", files);
  Line("time", Speed(checked));
}

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : Shown(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string JsonOf(const std::optional<Checkpoint>& c) {
  if (!c) return "null";
  return "{\"origin\": " + Quoted(c->origin) + ", \"size\": " + std::to_string(c->size) +
         ", \"root\": " + Quoted(Root(*c)) + "}";
}

std::string JsonOf(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) out += (out.size() > 1 ? ", " : "") + Quoted(text);
  return out + "]";
}

void PrintJson(const Timed& checked, const Trust& trust, const Outcome& outcome) {
  const Report& report = checked.report;
  const char* verdicts[] = {"good", "not good", "not checked"};
  // Without an origin no checkpoint was read.
  const auto checkpoint =
      report.checkpoint.origin.empty() ? std::nullopt : std::optional<Checkpoint>(report.checkpoint);
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.3f", checked.seconds);
  std::printf(
      "{\"verdict\": \"%s\",\n \"problems\": %s,\n \"unchecked\": %s,\n \"checkpoint\": %s,\n"
      " \"signed_by\": %s,\n \"cosignatures\": %zu,\n \"quorum\": %zu,\n \"since\": %s,\n"
      " \"previous\": %s,\n \"files\": %zu,\n \"files_ahead\": %zu,\n \"seconds\": %s}\n",
      verdicts[outcome.code()], JsonOf(outcome.problems).c_str(), JsonOf(outcome.unchecked).c_str(),
      JsonOf(checkpoint).c_str(), report.signature_checked ? Quoted(trust.log->Text()).c_str() : "null",
      report.cosignatures, trust.quorum, JsonOf(report.since).c_str(), JsonOf(report.previous).c_str(),
      report.files, report.files_ahead, seconds);
}

// What a report comes to.
Outcome Judge(const Report& report) {
  Outcome out;
  (report.unreadable ? out.unchecked : out.problems) = report.problems;
  if (!report.unreadable && !report.signature_checked) out.unchecked.emplace_back(kNobodySigned);
  return out;
}

int CheckLog(const LogOptions& options) {
  Trust trust;
  if (const int code = Resolve(options.trust, options.folder, trust); code != 0) return code;
  VerifyOptions verify = OptionsOf(trust, options);
  if (!options.since.empty()) {
    auto since = ReadFile(options.since);
    if (!since.ok()) {
      Say(since.error());
      return kNotChecked;
    }
    verify.since = *since;
  }
  const Timed checked = Check(options.folder, verify, !options.quiet && !options.json);
  const Outcome outcome = Judge(checked.report);
  if (options.json) {
    PrintJson(checked, trust, outcome);
    return outcome.code();
  }
  if (outcome.code() == kGood && options.quiet) return kGood;
  if (outcome.problems.empty() && !checked.report.unreadable && !options.quiet) PrintReport(checked, trust);
  return Conclude(outcome);
}

// The signatures on a checkpoint that came with a file.
void CheckSignatures(const SignedCheckpoint& signed_checkpoint, const Trust& trust, size_t quorum,
                     Outcome& outcome) {
  const auto bytes = signed_checkpoint.note.Text();
  if (!trust.log) {
    outcome.unchecked.emplace_back(kNobodySigned);
  } else if (const auto opened = OpenCheckpoint(bytes, *trust.log); !opened.ok()) {
    outcome.problems.push_back("checkpoint: " + opened.error());
  }
  const auto count = CountCosignatures(signed_checkpoint.note, trust.witnesses);
  if (!count.ok()) {
    outcome.problems.push_back("checkpoint: " + count.error());
  } else if (*count < quorum) {
    outcome.problems.push_back("checkpoint: cosigned by " + std::to_string(*count) + " of the witnesses, " +
                               std::to_string(quorum) + " are needed");
  }
}

// That the log as it stands begins with the checkpoint of a proof: so what stands in that, stands in the log.
// Gives the size of the log now, when it does.
std::optional<std::string> CheckInLog(const LogOptions& options, const Trust& trust,
                                      const SignedCheckpoint& proven, Outcome& outcome) {
  VerifyOptions verify = OptionsOf(trust, options);
  verify.since = proven.note.Text();
  const Report report = Check(options.folder, verify, true).report;
  for (const std::string& problem : report.problems) {
    (report.unreadable ? outcome.unchecked : outcome.problems)
        .push_back("in the log " + options.folder + ": " + problem);
  }
  if (!report.problems.empty()) return std::nullopt;
  return Size(report.checkpoint);
}

void PrintPlace(const char* what, uint64_t index, const Checkpoint& c) {
  std::printf("%s entry %llu of the log %s (%s, root %s)\n", what, static_cast<unsigned long long>(index),
              Shown(c.origin).c_str(), Size(c).c_str(), Root(c).c_str());
}

void PrintRecord(const std::string& record, Outcome& outcome) {
  const auto fields = ReadRecord(record);
  if (!fields.ok()) {
    std::printf("\nrecord, in base64: %s\n", Base64(record).c_str());
    outcome.unchecked.push_back(fields.error());
    return;
  }
  size_t width = 0;
  for (const auto& [name, value] : *fields) width = std::max(width, name.size());
  std::printf("\n");
  for (const auto& [name, value] : *fields) {
    std::printf("  %-*s  %s\n", static_cast<int>(width), name.c_str(), Shown(value).c_str());
  }
  std::printf("\n");
}

// `log` holds the folder, empty when there is none, and whom to believe.
int CheckOpening(const std::string& path, const LogOptions& log) {
  Trust trust;
  if (const int code = Resolve(log.trust, log.folder, trust); code != 0) return code;
  const auto bytes = ReadFile(path);
  if (!bytes.ok()) {
    Say(bytes.error());
    return kNotChecked;
  }
  Outcome outcome;
  const auto opening = OpeningFile::Parse(*bytes);
  if (!opening.ok()) {
    outcome.problems.push_back(path + ": " + opening.error());
    return Conclude(outcome);
  }
  const SignedCheckpoint& checkpoint = opening->proof.checkpoint;
  if (!opening->Holds()) {
    outcome.problems.push_back(path + ": the record is not what entry " +
                               std::to_string(opening->proof.index) + " of that log commits to");
  }
  // With a log at hand it is that log's newest checkpoint which the witnesses must stand behind.
  CheckSignatures(checkpoint, trust, log.folder.empty() ? trust.quorum : 0, outcome);
  std::optional<std::string> size_now;
  if (outcome.problems.empty() && !log.folder.empty()) {
    size_now = CheckInLog(log, trust, checkpoint, outcome);
  }
  if (outcome.problems.empty()) {
    PrintPlace("this record is", opening->proof.index, checkpoint.checkpoint);
    if (size_now) {
      std::printf("%s, now of %s, begins with those: the record stands in it\n", Shown(log.folder).c_str(),
                  size_now->c_str());
    }
    PrintRecord(opening->record, outcome);
  }
  return Conclude(outcome);
}

// The 32 bytes of an entry from 64 hexadecimal digits or from base64.
std::optional<std::string> ParseEntry(const std::string& text) {
  const auto digit = [](char c) -> int {
    const char* digits = "0123456789abcdef";
    const char* at = c == '\0' ? nullptr : std::strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    return at == nullptr ? -1 : static_cast<int>(at - digits);
  };
  if (text.size() == 2 * kCommitmentSize) {
    std::string out;
    for (size_t i = 0; i < text.size(); i += 2) {
      const int high = digit(text[i]), low = digit(text[i + 1]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high << 4 | low);
    }
    return out;
  }
  auto bytes = FromBase64(text);
  if (!bytes || bytes->size() != kCommitmentSize) return std::nullopt;
  return bytes;
}

int CheckProof(const std::string& path, const std::string& entry_text, const TrustOptions& options) {
  Trust trust;
  if (const int code = Resolve(options, "", trust); code != 0) return code;
  std::optional<std::string> entry;
  if (!entry_text.empty() && !(entry = ParseEntry(entry_text))) {
    Say("--entry is not 32 bytes in base64 or hexadecimal");
    return kUsage;
  }
  const auto bytes = ReadFile(path);
  if (!bytes.ok()) {
    Say(bytes.error());
    return kNotChecked;
  }
  Outcome outcome;
  const auto proof = ProofFile::Parse(*bytes);
  if (!proof.ok()) {
    outcome.problems.push_back(path + ": " + proof.error());
    return Conclude(outcome);
  }
  if (entry && proof->extra && *entry != *proof->extra) {
    outcome.problems.push_back(path + ": is about another entry than the one given");
  }
  if (!entry) entry = proof->extra;
  const Checkpoint& checkpoint = proof->checkpoint.checkpoint;
  CheckSignatures(proof->checkpoint, trust, trust.quorum, outcome);
  if (!entry) {
    outcome.unchecked.push_back(path + " does not say which entry it is about. Give it with --entry");
  } else if (!VerifyInclusion(proof->index, checkpoint.size, LeafHash(*entry), proof->proof,
                              checkpoint.root)) {
    outcome.problems.push_back(path + ": the proof does not show that this is entry " +
                               std::to_string(proof->index));
  } else if (outcome.problems.empty()) {
    PrintPlace(("the entry " + Base64(*entry) + " is").c_str(), proof->index, checkpoint);
  }
  return Conclude(outcome);
}

// A line for each signature, whosever it is.
void PrintSignatures(const SignedCheckpoint& opened, const Trust& trust) {
  for (const Signature& s : opened.note.signatures) {
    std::string what = Shown(s.name) + ": a key that was not given; not checked";
    const auto try_key = [&](const VerifierKey& key) {
      if (s.name != key.name() || s.id != key.id()) return;
      uint64_t seconds = 0;
      const bool good = Verify(key, opened.note.text, s, &seconds);
      what = Short(key) + (!good                                 ? ": WRONG"
                           : key.type() == KeyType::kCosignature ? ": good, given " + UtcTime(seconds)
                                                                 : ": good");
    };
    if (trust.log) try_key(*trust.log);
    for (const VerifierKey& witness : trust.witnesses) try_key(witness);
    Line("signature", what);
  }
}

int CheckCheckpoint(const std::string& path, const TrustOptions& options) {
  Trust trust;
  if (const int code = Resolve(options, "", trust); code != 0) return code;
  const auto bytes = ReadFile(path);
  if (!bytes.ok()) {
    Say(bytes.error());
    return kNotChecked;
  }
  Outcome outcome;
  const auto opened = ReadCheckpoint(*bytes);
  if (!opened.ok()) {
    outcome.problems.push_back(path + ": " + opened.error());
    return Conclude(outcome);
  }
  Line("log", Shown(opened->checkpoint.origin));
  Line("size", Size(opened->checkpoint));
  Line("root", Root(opened->checkpoint));
  PrintSignatures(*opened, trust);
  CheckSignatures(*opened, trust, trust.quorum, outcome);
  return Conclude(outcome);
}

// The private key of a witness, as one line that Go's note package would write:
//   PRIVATE+KEY+NAME+8 hexadecimal digits+BASE64(0x04 || seed)
// with the digits of the verifier key. It is handled in buffers that are wiped.
constexpr std::string_view kPrivate = "PRIVATE+KEY+";
constexpr size_t kSeed = 32;
constexpr size_t kEncoded = 44;  // base64 of 33 bytes, without padding
constexpr size_t kMaxKeyLine = 512;

template <size_t N>
class Wiped {
 public:
  Wiped() = default;
  ~Wiped() { OPENSSL_cleanse(bytes_.data(), N); }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  char* data() { return bytes_.data(); }
  uint8_t* bytes() { return reinterpret_cast<uint8_t*>(bytes_.data()); }
  std::string_view view(size_t from, size_t size) const { return {bytes_.data() + from, size}; }

 private:
  std::array<char, N> bytes_{};
};

Result<SigningKey> ParsePrivateKey(std::string_view line) {
  using R = Result<SigningKey>;
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (!line.starts_with(kPrivate)) return R::Error("a private key begins with " + std::string(kPrivate));
  line.remove_prefix(kPrivate.size());
  const size_t plus = line.find('+');
  if (plus == std::string_view::npos || line.size() != plus + 10 + kEncoded || line[plus + 9] != '+') {
    return R::Error("a private key reads PRIVATE+KEY+NAME+8 hexadecimal digits+BASE64 of 33 bytes");
  }
  const std::string_view encoded = line.substr(plus + 10);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  Wiped<kEncoded> bytes;
  if (encoded.find_first_not_of(kAlphabet) != std::string_view::npos ||
      EVP_DecodeBlock(bytes.bytes(), reinterpret_cast<const uint8_t*>(encoded.data()), kEncoded) !=
          1 + kSeed) {
    return R::Error("the last part of the private key is not base64");
  }
  if (bytes.data()[0] != static_cast<char>(KeyType::kCosignature)) {
    return R::Error("this is the private key of something else than a witness");
  }
  auto key =
      SigningKey::FromSeed(std::string(line.substr(0, plus)), KeyType::kCosignature, bytes.view(1, kSeed));
  if (key.ok() && Short(key->verifier()) != line.substr(0, plus + 9)) {
    return R::Error("the private key's digits do not fit its name and key: is a character wrong?");
  }
  return key;
}

Result<SigningKey> ReadPrivateKey(const std::string& path) {
  using R = Result<SigningKey>;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return R::Error(Reason("open", path));
  struct stat info {};
  if (fstat(fd, &info) == 0 && (info.st_mode & 077) != 0) {
    Say("WARNING: others than its owner may read " + path + "; see chmod 600");
  }
  Wiped<kMaxKeyLine> buffer;
  const ssize_t n = ReadUpTo(fd, buffer.data(), kMaxKeyLine);
  const std::string why = n < 0 ? Reason("read", path) : "";
  close(fd);
  if (n < 0) return R::Error(why);
  auto key = ParsePrivateKey(buffer.view(0, static_cast<size_t>(n)));
  if (!key.ok()) return R::Error(path + ": " + key.error());
  return key;
}

int MakeWitnessKey(const std::string& name, const std::string& path) {
  Wiped<1 + kSeed> bytes;
  bytes.data()[0] = static_cast<char>(KeyType::kCosignature);
  if (RAND_priv_bytes(bytes.bytes() + 1, kSeed) != 1) {
    Say("there is no randomness to make a key of");
    return kNotChecked;
  }
  const auto key = SigningKey::FromSeed(name, KeyType::kCosignature, bytes.view(1, kSeed));
  if (!key.ok()) {
    Say("--name: " + key.error());
    return kUsage;
  }
  const std::string head = std::string(kPrivate) + Short(key->verifier()) + "+";
  Wiped<kMaxKeyLine> line;
  static_assert(kPrivate.size() + 255 + 10 + kEncoded + 2 <= kMaxKeyLine);
  head.copy(line.data(), head.size());
  EVP_EncodeBlock(line.bytes() + head.size(), bytes.bytes(), 1 + kSeed);
  line.data()[head.size() + kEncoded] = '\n';
  if (const std::string why = WriteNewFile(path, line.data(), head.size() + kEncoded + 1); !why.empty()) {
    Say(why);
    return kNotChecked;
  }
  std::printf("%s\n", key->verifier().Text().c_str());
  return kGood;
}

struct WitnessOptions {
  std::string listen;
  std::string data;
  std::string key;
  std::vector<std::string> logs;
  std::string port_file;
};

// The origin and the sizes of a request, as far as it has them.
std::string Asked(std::string_view body) {
  constexpr size_t kMaxOrigin = 100;
  const auto request = AddCheckpoint::Parse(body);
  if (!request.ok()) return "-";
  const auto opened = ReadCheckpoint(request->checkpoint);
  if (!opened.ok()) return "-";
  return Shown(opened->checkpoint.origin.substr(0, kMaxOrigin)) + " from " +
         std::to_string(request->old_size) + " to " + std::to_string(opened->checkpoint.size);
}

void SayAnswer(std::string_view body, const WitnessAnswer& answer) {
  std::string_view rest = answer.body;
  const std::string why = answer.status == 200               ? "cosigned"
                          : answer.content_type == kSizeType ? "cosigned before up to " + answer.body
                                                             : std::string(TakeLine(rest).value_or(""));
  Say(Asked(body) + ": " + std::to_string(answer.status) + " " + Shown(why.substr(0, why.find('\n'))));
}

// The port, for who started this; there is never half of it to be read.
bool WritePortFile(const std::string& path, int port) {
  const std::string temporary = path + ".new", text = std::to_string(port) + "\n";
  unlink(temporary.c_str());
  std::string why = WriteNewFile(temporary, text.data(), text.size());
  if (why.empty() && std::rename(temporary.c_str(), path.c_str()) != 0) why = Reason("rename", temporary);
  if (!why.empty()) Say(why);
  return why.empty();
}

int RunWitness(const WitnessOptions& options) {
  // The key never reaches a disk by itself.
  prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  // Blocked in every thread; taken by sigwait below, so that no handler ever runs.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  std::vector<VerifierKey> logs;
  for (const std::string& argument : options.logs) {
    std::optional<VerifierKey> log;
    if (const int code = TakeKey(argument, KeyType::kEd25519, log); code != 0) return code;
    logs.push_back(*log);
  }
  auto key = ReadPrivateKey(options.key);
  if (!key.ok()) {
    Say(key.error());
    return kNotChecked;
  }
  auto memory = FolderMemory::Open(options.data);
  if (!memory.ok()) {
    Say(memory.error());
    return kNotChecked;
  }
  const std::string verifier = key->verifier().Text();
  Witness witness(std::move(*key), std::move(logs), **memory);
  WitnessServerOptions server_options;
  server_options.on_answer = &SayAnswer;
  const auto server = WitnessServer::Start(options.listen, witness, &NowSeconds, server_options);
  if (!server.ok()) {
    Say(server.error());
    return kNotChecked;
  }
  Say("witness " + verifier + " serves on port " + std::to_string((*server)->port()));
  if (!options.port_file.empty() && !WritePortFile(options.port_file, (*server)->port())) return kNotChecked;
  int signal = 0;
  sigwait(&signals, &signal);
  Say("stopped");
  return kGood;
}

void AddTrust(CLI::App* app, TrustOptions& trust) {
  app->add_option("--key", trust.key, "Key of the log (NAME+DIGITS+BASE64), or a file that holds it");
  app->add_option("--witness", trust.witnesses, "Key of a witness, or a file that holds it; may be repeated")
      ->take_all()
      ->allow_extra_args(false);
  app->add_option("--quorum", trust.quorum, "How many of the witnesses must have cosigned; all, unless said");
}

void AddChecking(CLI::App* app, LogOptions& log) {
  app->add_option("--threads", log.threads, "Threads to check with; one for each core, unless said")
      ->check(CLI::Range(1, 1024));
  app->add_flag("--live", log.live,
                "The log is being written to: files ahead of its checkpoint are passed over");
}

int Main(int argc, char** argv) {
  CLI::App app("Checks a log of Waarborg, and what is handed over from it, from files alone");
  app.footer(kExitCodes);
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);

  LogOptions log;
  auto* check_log = app.add_subcommand("log", "Check a published log: every entry, tile, root and signature");
  check_log->add_option("DIR", log.folder, "The log's folder; its key is in DIR.vkey unless --key is given")
      ->required();
  AddTrust(check_log, log.trust);
  AddChecking(check_log, log);
  check_log->add_option("--since", log.since, "An older checkpoint: the log must begin with what it says");
  check_log->add_flag("--json", log.json, "Say the outcome in JSON");
  check_log->add_flag("--quiet", log.quiet, "Say nothing when all is good");

  std::string file;
  auto* check_opening = app.add_subcommand("opening", "Check a record that was handed over, and show it");
  check_opening->add_option("FILE", file, "The opening")->required();
  AddTrust(check_opening, log.trust);
  AddChecking(check_opening, log);
  check_opening->add_option("--log", log.folder, "Also check this log, and that the record stands in it");

  std::string entry;
  auto* check_proof = app.add_subcommand("proof", "Check that an entry stands in a log");
  check_proof->add_option("FILE", file, "The proof (c2sp.org/tlog-proof)")->required();
  AddTrust(check_proof, log.trust);
  check_proof->add_option("--entry", entry, "The entry's 32 bytes in base64 or hexadecimal");

  auto* check_checkpoint = app.add_subcommand("checkpoint", "Check the signatures on a checkpoint");
  check_checkpoint->add_option("FILE", file, "The checkpoint")->required();
  AddTrust(check_checkpoint, log.trust);

  WitnessOptions witness;
  auto* run_witness = app.add_subcommand("witness", "Cosign checkpoints of logs until SIGTERM");
  run_witness->add_option("--listen", witness.listen, "HOST:PORT, [IPV6]:PORT or :PORT; port 0 is any")
      ->required();
  run_witness->add_option("--data", witness.data, "Folder to remember checkpoints in")->required();
  run_witness->add_option("--key", witness.key, "File with the private key, from witness-key")->required();
  run_witness->add_option("--log", witness.logs, "Key of a log, or a file that holds it; may be repeated")
      ->required()
      ->take_all()
      ->allow_extra_args(false);
  run_witness->add_option("--port-file", witness.port_file, "Write the port that was taken to this file");

  std::string name, out;
  auto* witness_key =
      app.add_subcommand("witness-key", "Make the key of a witness and print its public half");
  witness_key->add_option("--name", name, "The witness's name, such as witness.example.org/w1")->required();
  witness_key->add_option("--out", out, "File for the private key; must not be there yet")->required();

  for (CLI::App* sub : app.get_subcommands({})) sub->footer(kExitCodes);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kGood : kUsage;
  }
  if (check_log->parsed()) return CheckLog(log);
  if (check_opening->parsed()) return CheckOpening(file, log);
  if (check_proof->parsed()) return CheckProof(file, entry, log.trust);
  if (check_checkpoint->parsed()) return CheckCheckpoint(file, log.trust);
  if (witness_key->parsed()) return MakeWitnessKey(name, out);
  return RunWitness(witness);
}

}  // namespace
}  // namespace waarborg::audit

int main(int argc, char** argv) {
  using namespace waarborg::audit;
  std::signal(SIGPIPE, SIG_IGN);
  int code = kNotChecked;
  try {
    code = Main(argc, argv);
  } catch (const std::exception& e) {
    Say(std::string("cannot go on: ") + e.what());
  }
  // A verdict that nobody could read is none.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    Say(Reason("write to", "standard output"));
    if (code == kGood) code = kNotChecked;
  }
  return code;
}

// SPDX-License-Identifier: EUPL-1.2
// waarborg-verify: checks a published log and what is handed over from it, and runs a witness.
#include <google/protobuf/stubs/logging.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <thread>

#include "audit/certificate.h"
#include "audit/checkpoint.h"
#include "audit/opening.h"
#include "audit/proof.h"
#include "audit/record.h"
#include "audit/text.h"
#include "audit/trust.h"
#include "audit/verify.h"
#include "audit/verify_terms.h"
#include "audit/witness_run.h"

namespace waarborg::audit {
namespace {

constexpr const char kVersion[] = "waarborg-verify " WAARBORG_VERSION;
constexpr const char kExitCodes[] =
    "Exit status:\n"
    "  0   everything that was asked for was checked and is good\n"
    "  1   it is not good\n"
    "  2   it could not be checked: a file cannot be read, or there is no key for the signature\n"
    "  64  wrong usage";

constexpr const char kNobodySigned[] =
    "the rest holds together, but without a key nothing says who signed for it. Give the key with --key";

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

// The signatures on a checkpoint that came with a file. Gives how many of the witnesses have cosigned.
size_t CheckSignatures(const SignedCheckpoint& signed_checkpoint, const Trust& trust, size_t quorum,
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
  return count.ok() ? *count : 0;
}

// Takes over what was found in one of the files, with its name. What could not be checked for want of a key
// is said once.
void Take(const std::string& path, const Outcome& found, Outcome& all) {
  const std::string where = path + ": ";
  for (const std::string& problem : found.problems) all.problems.push_back(where + problem);
  for (const std::string& what : found.unchecked) {
    if (std::find(all.unchecked.begin(), all.unchecked.end(), what) == all.unchecked.end()) {
      all.unchecked.push_back(what);
    }
  }
}

// That the log as it stands begins with the checkpoint of a proof: so what stands in that, stands in the log.
// Gives what was found there, when it does.
std::optional<Report> CheckInLog(const LogOptions& options, const Trust& trust,
                                 const SignedCheckpoint& proven, Outcome& outcome) {
  VerifyOptions verify = OptionsOf(trust, options);
  verify.since = proven.note.Text();
  Report report = Check(options.folder, verify, true).report;
  for (const std::string& problem : report.problems) {
    (report.unreadable ? outcome.unchecked : outcome.problems)
        .push_back("in the log " + options.folder + ": " + problem);
  }
  if (!report.problems.empty()) return std::nullopt;
  return report;
}

// What stands behind an opening in which nothing is wrong.
struct Standing {
  size_t cosignatures = 0;                   // on the checkpoint that the witnesses must stand behind
  std::optional<Checkpoint> checkpoint_now;  // of the log at hand, when there is one
};

// That the record of an opening is the entry which its proof names, in a log that is to be believed. `log`
// holds its folder, empty when there is none.
Standing CheckEntry(const OpeningFile& opening, const LogOptions& log, const Trust& trust, Outcome& outcome) {
  Standing out;
  if (!opening.Holds()) {
    outcome.problems.push_back("the record is not what entry " + std::to_string(opening.proof.index) +
                               " of that log commits to");
  }
  // With a log at hand it is that log's newest checkpoint which the witnesses must stand behind.
  const bool alone = log.folder.empty();
  out.cosignatures = CheckSignatures(opening.proof.checkpoint, trust, alone ? trust.quorum : 0, outcome);
  if (alone || !outcome.problems.empty()) return out;
  if (const auto report = CheckInLog(log, trust, opening.proof.checkpoint, outcome)) {
    out.cosignatures = report->cosignatures;
    out.checkpoint_now = report->checkpoint;
  }
  return out;
}

void PrintPlace(const char* what, uint64_t index, const Checkpoint& c) {
  std::printf("%s entry %llu of the log %s (%s, root %s)\n", what, static_cast<unsigned long long>(index),
              Shown(c.origin).c_str(), Size(c).c_str(), Root(c).c_str());
}

void PrintStanding(const char* what, const OpeningFile& opening, const LogOptions& log,
                   const Standing& standing) {
  PrintPlace(what, opening.proof.index, opening.proof.checkpoint.checkpoint);
  if (!standing.checkpoint_now) return;
  std::printf("%s, now of %s, begins with those: the record stands in it\n", Shown(log.folder).c_str(),
              Size(*standing.checkpoint_now).c_str());
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
  Outcome found, outcome;
  const auto opening = OpeningFile::Parse(*bytes);
  if (!opening.ok()) {
    found.problems.push_back(opening.error());
  } else if (const Standing standing = CheckEntry(*opening, log, trust, found); found.problems.empty()) {
    PrintStanding("this record is", *opening, log, standing);
    PrintRecord(opening->record, found);
  }
  Take(path, found, outcome);
  return Conclude(outcome);
}

void PrintCertificate(const std::string& path, const Certificate& certificate, const LogOptions& log,
                      const Trust& trust, const Standing& standing) {
  std::printf("%s:\n\n", Shown(path).c_str());
  std::string_view lines = certificate.declaration();
  while (const auto line = TakeLine(lines)) std::printf("%s\n", Shown(*line).c_str());
  std::printf("\n");
  PrintStanding("these words are what its record says, which is", certificate.opening(), log, standing);
  Line("signed by", trust.log ? Short(*trust.log) : "nobody that is known here");
  Line("witnesses", Witnesses(standing.cosignatures, trust));
  std::printf("\n");
}

// Each of them, also when one before it is not good. `log` as for an opening.
int CheckCertificates(const std::vector<std::string>& paths, const LogOptions& log) {
  Trust trust;
  if (const int code = Resolve(log.trust, log.folder, trust); code != 0) return code;
  Outcome outcome;
  size_t unread = 0;
  for (const std::string& path : paths) {
    const auto bytes = ReadFile(path);
    if (!bytes.ok()) {
      Say(bytes.error());
      ++unread;
      continue;
    }
    Outcome found;
    const auto certificate = Certificate::Parse(*bytes);
    if (!certificate.ok()) {
      found.problems.push_back(certificate.error());
    } else if (const Standing standing = CheckEntry(certificate->opening(), log, trust, found);
               found.problems.empty()) {
      PrintCertificate(path, *certificate, log, trust, standing);
    }
    Take(path, found, outcome);
  }
  if (unread > 0) outcome.unchecked.push_back(Plural(unread, "file", "files") + " could not be read");
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

// What checking an opening takes, bare or in a certificate.
void AddOpening(CLI::App* app, LogOptions& log) {
  AddTrust(app, log.trust);
  AddChecking(app, log);
  app->add_option("--log", log.folder, "Also check this log, and that the record stands in it");
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
  AddOpening(check_opening, log);

  std::vector<std::string> files;
  auto* check_certificate =
      app.add_subcommand("certificate", "Check certificates of destruction, and show what they declare");
  check_certificate->add_option("FILE", files, "The certificates")->required();
  AddOpening(check_certificate, log);

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
  if (check_certificate->parsed()) return CheckCertificates(files, log);
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
  // Of a record that cannot be read we say so ourselves.
  google::protobuf::SetLogHandler(nullptr);
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

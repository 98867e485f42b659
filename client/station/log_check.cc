// SPDX-License-Identifier: EUPL-1.2
#include "client/station/log_check.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "audit/merkle.h"
#include "audit/proof.h"
#include "audit/text.h"
#include "audit/tiles.h"

namespace waarborg::station {

namespace {

namespace fs = std::filesystem;

constexpr size_t kHashBytes = sizeof(audit::Hash);
// A note is at most this long (audit/note.h).
constexpr size_t kMostNote = size_t{1} << 20;
// Publishing follows recording within a second; longer than this the published log is behind.
constexpr auto kPublishedWithin = std::chrono::seconds(3);
constexpr auto kLookAgain = std::chrono::milliseconds(100);

// Nothing when it is not there, or longer than that.
std::optional<std::string> ReadSmall(const fs::path& path, size_t most) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::string out(most + 1, '\0');
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  out.resize(static_cast<size_t>(in.gcount()));
  if (in.bad() || out.size() > most) return std::nullopt;
  return out;
}

// The tiles of a published log. A partial tile may have grown since its size was asked for.
audit::ReadTile TilesIn(const std::string& folder) {
  return [folder](int level, uint64_t index, uint32_t width) -> std::optional<std::vector<audit::Hash>> {
    audit::TileName name{audit::TileName::Kind::kHashes, level, index, audit::kTileWidth};
    std::optional<std::string> bytes =
        ReadSmall(fs::path(folder) / name.Path(), audit::kTileWidth * kHashBytes);
    for (name.width = width; !bytes && name.width < audit::kTileWidth; ++name.width) {
      bytes = ReadSmall(fs::path(folder) / name.Path(), audit::kTileWidth * kHashBytes);
    }
    if (!bytes || bytes->size() < width * kHashBytes) return std::nullopt;
    std::vector<audit::Hash> out(bytes->size() / kHashBytes);
    for (size_t i = 0; i < out.size(); ++i)
      std::copy_n(bytes->begin() + static_cast<std::ptrdiff_t>(i * kHashBytes), kHashBytes, out[i].begin());
    return out;
  };
}

Verdict Worst(const std::vector<Finding>& findings) {
  bool unchecked = findings.empty();
  for (const Finding& f : findings) {
    if (f.verdict == Verdict::kWrong) return Verdict::kWrong;
    unchecked |= f.verdict == Verdict::kNotChecked;
  }
  return unchecked ? Verdict::kNotChecked : Verdict::kGood;
}

Finding Found(CheckKind what, std::map<std::string, std::string> values = {}) {
  Finding f;
  f.what = what;
  f.values = std::move(values);
  return f;
}
Finding& Wrong(Finding& f, std::string why) {
  f.verdict = Verdict::kWrong;
  f.details.push_back(std::move(why));
  return f;
}
Finding& NotChecked(Finding& f, std::string why) {
  f.verdict = Verdict::kNotChecked;
  f.details.push_back(std::move(why));
  return f;
}

std::string KeyName(const audit::VerifierKey& key) {
  // Of NAME+ID+KEY what a signature shows; a key in base64 may hold plus signs, a name may not.
  const std::string text = key.Text();
  return text.substr(0, text.find('+', key.name().size() + 1));
}

// That the published log, which was found whole, begins with what is claimed.
void BeginsWith(const audit::Checkpoint& claimed, const CheckedLog& log, const audit::ReadTile& tiles,
                Finding& f) {
  f.values["size"] = absl::StrCat(claimed.size);
  const auto root =
      claimed.size == 0 ? std::optional(audit::EmptyRoot()) : audit::RootAt(claimed.size, tiles);
  if (!root) {
    // What is published may be behind for a moment; behind its own checkpoint it is not.
    if (claimed.size > log.checkpoint.size) {
      NotChecked(
          f, absl::StrCat("the published log has ", log.checkpoint.size, " entries, this one ", claimed.size,
                          ": it is not published yet, or what is published is not kept up"));
    } else {
      Wrong(f, "tiles are missing in what is published");
    }
  } else if (*root != claimed.root) {
    Wrong(f, absl::StrCat("the first ", claimed.size, " entries of the published log have another root: ",
                          audit::Base64(audit::View(*root)), " and not ",
                          audit::Base64(audit::View(claimed.root))));
  }
}

}  // namespace

LogKeys LogKeys::Read(const std::string& text) {
  LogKeys out;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    const std::string stripped(absl::StripAsciiWhitespace(line));
    if (stripped.empty() || stripped[0] == '#') continue;
    auto key = audit::VerifierKey::Parse(stripped);
    if (!key.ok()) {
      out.problems.push_back(absl::StrCat("line ", number, " of the keys: ", key.error()));
      continue;
    }
    auto& keys = key->type() == audit::KeyType::kCosignature ? out.witnesses : out.logs;
    // A witness under two names would count twice.
    const bool twice = std::any_of(keys.begin(), keys.end(), [&](const audit::VerifierKey& other) {
      return key->type() == audit::KeyType::kCosignature ? other.public_key() == key->public_key()
                                                         : other.name() == key->name();
    });
    if (twice) {
      out.problems.push_back(absl::StrCat("line ", number, " of the keys: it is there twice"));
    } else {
      keys.push_back(*key);
    }
  }
  return out;
}

const audit::VerifierKey* LogKeys::Of(const std::string& origin) const {
  const auto it = std::find_if(logs.begin(), logs.end(),
                               [&](const audit::VerifierKey& key) { return key.name() == origin; });
  return it == logs.end() ? nullptr : &*it;
}

Verdict CheckedLog::verdict() const {
  return Worst(findings);
}
Verdict CheckedOpening::verdict() const {
  return Worst(findings);
}
Verdict CheckedLogs::verdict() const {
  bool unchecked = logs.empty() || !problems.empty() || given_unknown;
  for (const CheckedLog& log : logs) {
    if (log.verdict() == Verdict::kWrong) return Verdict::kWrong;
    unchecked |= log.verdict() == Verdict::kNotChecked;
  }
  return unchecked ? Verdict::kNotChecked : Verdict::kGood;
}

LogCheck::LogCheck(const std::string& keys, std::string folder, const base::Clock& clock)
    : keys_(LogKeys::Read(keys)), folder_(std::move(folder)), clock_(clock) {}

LogCheck::~LogCheck() {
  stop_ = true;
  if (worker_.joinable()) worker_.join();
}

LogCheck::Standing LogCheck::standing() const {
  const std::lock_guard lock(mutex_);
  return {running_, progress_.entries, progress_.total, last_};
}

bool LogCheck::Run(const LogQuestion& question, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  const bool ours = !running_;
  if (ours) {
    if (worker_.joinable()) worker_.join();
    running_ = true;
    progress_.entries = 0;
    progress_.total = 0;
    worker_ = std::thread([this, question] {
      auto result = std::make_shared<const CheckedLogs>(CheckAll(question));
      const std::lock_guard inner(mutex_);
      last_ = std::move(result);
      running_ = false;
      done_.notify_all();
    });
  }
  done_.wait_for(lock, limit, [this] { return !running_; });
  return ours;
}

CheckedLogs LogCheck::CheckAll(const LogQuestion& question) {
  CheckedLogs out;
  out.problems = keys_.problems;
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    if (it->is_directory(error)) names.push_back(it->path().filename().string());
  }
  if (error)
    out.problems.push_back(absl::StrCat("the folder of published logs cannot be listed: ", error.message()));
  if (names.empty() && !error) out.problems.emplace_back("the folder of published logs holds no log");
  std::sort(names.rbegin(), names.rend());
  for (const std::string& name : names) {
    out.logs.push_back(CheckOne(name, question));
    if (stop_) break;
  }
  // A log that goes on from another says where that ended; that one lies beside it, unless it was cleared
  // away after its term.
  for (CheckedLog& log : out.logs) {
    for (Finding& f : log.findings) {
      if (f.what != CheckKind::kPrevious) continue;
      const auto before = std::find_if(out.logs.begin(), out.logs.end(), [&](const CheckedLog& other) {
        return other.checkpoint.origin == f.values["origin"];
      });
      if (before == out.logs.end()) {
        // By its own word, which its first entry commits to; the page says so.
        f.values["absent"] = "yes";
      } else if (absl::StrCat(before->checkpoint.size) != f.values["size"] ||
                 audit::Base64(audit::View(before->checkpoint.root)) != f.values["root"]) {
        Wrong(f, absl::StrCat("it says that the log ", before->checkpoint.origin,
                              " ended otherwise than it stands in the folder"));
      }
    }
  }
  if (question.core && std::none_of(out.logs.begin(), out.logs.end(), [&](const CheckedLog& log) {
        return log.checkpoint.origin == question.core->head.origin;
      })) {
    out.problems.push_back(
        absl::StrCat("the log that the core writes, ", question.core->head.origin, ", is not in the folder"));
  }
  if (!question.given.empty()) {
    const auto given = audit::ReadCheckpoint(question.given);
    out.given_unknown =
        !given.ok() || std::none_of(out.logs.begin(), out.logs.end(), [&](const CheckedLog& log) {
          return log.checkpoint.origin == given->checkpoint.origin;
        });
  }
  out.at = clock_.Now();
  for (const CheckedLog& log : out.logs) {
    if (log.verdict() == Verdict::kGood) kept_[log.checkpoint.origin] = {log.note, out.at};
  }
  return out;
}

CheckedLog LogCheck::CheckOne(const std::string& name, const LogQuestion& question) {
  const auto start = std::chrono::steady_clock::now();
  CheckedLog out;
  out.name = name;
  const fs::path folder = fs::path(folder_) / name;
  const auto read = [&] {
    const auto bytes = ReadSmall(folder / "checkpoint", kMostNote);
    return audit::ReadCheckpoint(bytes.value_or(""));
  };
  auto newest = read();
  const bool current =
      newest.ok() && question.core && newest->checkpoint.origin == question.core->head.origin;
  while (current && newest.ok() && newest->checkpoint.size < question.core->head.size && !stop_ &&
         std::chrono::steady_clock::now() - start < kPublishedWithin) {
    std::this_thread::sleep_for(kLookAgain);
    newest = read();
  }

  const std::string origin = newest.ok() ? newest->checkpoint.origin : "";
  const audit::VerifierKey* key = keys_.Of(origin);
  audit::VerifyOptions options;
  if (key != nullptr) options.key = *key;
  // Witnesses of a year that has passed may have been others.
  if (current) options.witnesses = keys_.witnesses;
  const size_t needed = current ? question.core->quorum : 0;
  options.quorum = std::min(needed, options.witnesses.size());
  options.other_signatures = options.witnesses.empty();
  options.threads = 1;
  options.live = current;
  options.stop = &stop_;
  const audit::Report report = audit::VerifyLog(folder.string(), options, progress_);

  out.checkpoint = report.checkpoint;
  out.files = report.files;
  const bool whole = report.problems.empty();
  if (whole) out.note = ReadSmall(folder / "checkpoint", kMostNote).value_or("");

  Finding contents = Found(CheckKind::kContents, {{"size", absl::StrCat(report.checkpoint.size)},
                                                  {"files", absl::StrCat(report.files)}});
  for (const std::string& problem : report.problems) {
    if (report.unreadable || stop_) {
      NotChecked(contents, problem);
    } else {
      Wrong(contents, problem);
    }
  }
  out.findings.push_back(std::move(contents));

  Finding signature = Found(CheckKind::kSignature);
  if (key != nullptr) signature.values["key"] = KeyName(*key);
  if (key == nullptr) {
    NotChecked(signature,
               absl::StrCat("this station holds no key of the log ", origin.empty() ? name : origin));
  } else if (!report.signature_checked) {
    NotChecked(signature, "the checkpoint could not be opened with that key");
    if (!report.unreadable) signature.verdict = Verdict::kWrong;
  }
  out.findings.push_back(std::move(signature));

  Finding witnesses = Found(CheckKind::kWitnesses,
                            {{"count", absl::StrCat(report.cosignatures)}, {"needed", absl::StrCat(needed)}});
  if (needed > options.witnesses.size()) {
    NotChecked(witnesses, absl::StrCat(needed, " witnesses must cosign; this station holds the keys of ",
                                       options.witnesses.size()));
  } else if (whole && report.cosignatures < needed) {
    Wrong(witnesses, "too few witnesses have cosigned");
  }
  if (needed > 0 || report.cosignatures > 0) out.findings.push_back(std::move(witnesses));

  if (report.previous) {
    out.findings.push_back(
        Found(CheckKind::kPrevious, {{"origin", report.previous->origin},
                                     {"size", absl::StrCat(report.previous->size)},
                                     {"root", audit::Base64(audit::View(report.previous->root))}}));
  }

  const audit::ReadTile tiles = TilesIn(folder.string());
  // What is compared is compared with a log that is whole; of another one nothing can be said.
  const auto compare = [&](Finding f, const audit::Checkpoint& claimed) {
    f.values["size"] = absl::StrCat(claimed.size);
    if (!whole) {
      NotChecked(f, "the published log itself is not good");
    } else if (f.verdict == Verdict::kGood) {
      BeginsWith(claimed, out, tiles, f);
    }
    out.findings.push_back(std::move(f));
  };
  if (current) {
    Finding core_key = Found(CheckKind::kCoreKey);
    if (key != nullptr && question.core->key != key->Text()) {
      Wrong(core_key, absl::StrCat("the core says that its key is ", question.core->key,
                                   ", this station holds ", key->Text()));
    } else if (key == nullptr) {
      NotChecked(core_key, "this station holds no key of this log");
    }
    out.findings.push_back(std::move(core_key));
    Finding core = Found(CheckKind::kCore);
    if (const auto note = audit::ReadCheckpoint(question.core->note); key != nullptr && note.ok()) {
      if (const auto opened = audit::OpenCheckpoint(question.core->note, *key); !opened.ok()) {
        Wrong(core, absl::StrCat("the checkpoint that the core answers: ", opened.error()));
      } else if (whole) {
        BeginsWith(opened->checkpoint, out, tiles, core);
      }
    }
    compare(std::move(core), question.core->head);
  }
  if (const auto kept = kept_.find(origin); kept != kept_.end()) {
    Finding since = Found(CheckKind::kSinceLast, {{"at", base::FormatLocal(kept->second.second)}});
    if (const auto then = audit::ReadCheckpoint(kept->second.first); then.ok())
      compare(std::move(since), then->checkpoint);
  }
  if (const auto given = audit::ReadCheckpoint(question.given);
      given.ok() && given->checkpoint.origin == origin) {
    Finding since = Found(CheckKind::kSinceGiven);
    if (key == nullptr) {
      NotChecked(since, "this station holds no key of this log");
    } else if (const auto opened = audit::OpenCheckpoint(question.given, *key); !opened.ok()) {
      Wrong(since, absl::StrCat("the checkpoint that was brought: ", opened.error()));
    }
    compare(std::move(since), given->checkpoint);
  }
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return out;
}

std::string LogCheck::FolderOf(const std::string& origin) const {
  const std::string name = origin.substr(origin.rfind('/') + 1);
  if (folder_.empty() || name.empty() || name == "." || name == "..") return "";
  return (fs::path(folder_) / name).string();
}

CheckedOpening LogCheck::CheckOpening(const std::string& text) const {
  CheckedOpening out;
  Finding entry = Found(CheckKind::kEntry), signature = Found(CheckKind::kSignature),
          published = Found(CheckKind::kPublished);
  const auto opening = audit::OpeningFile::Parse(text);
  if (!opening.ok()) {
    out.findings.push_back(Wrong(entry, opening.error()));
    return out;
  }
  const audit::Checkpoint& proven = opening->proof.checkpoint.checkpoint;
  out.origin = proven.origin;
  out.index = opening->proof.index;
  out.leaf = audit::Commit(opening->key, opening->record);
  entry.values = {{"index", absl::StrCat(out.index)}, {"size", absl::StrCat(proven.size)}};
  if (opening->Holds()) {
    out.record = opening->record;
  } else {
    Wrong(entry, absl::StrCat("the record is not what entry ", out.index, " of that log commits to"));
  }

  const audit::VerifierKey* key = keys_.Of(proven.origin);
  if (key == nullptr) {
    NotChecked(signature, absl::StrCat("this station holds no key of the log ", proven.origin));
  } else {
    signature.values["key"] = KeyName(*key);
    if (const auto opened = audit::OpenCheckpoint(opening->proof.checkpoint.note.Text(), *key);
        !opened.ok()) {
      Wrong(signature, absl::StrCat("checkpoint: ", opened.error()));
    }
  }

  const std::string folder = FolderOf(proven.origin);
  if (std::error_code error; folder.empty() || !fs::is_directory(folder, error)) {
    NotChecked(published, "this log is not in the folder of published logs");
  } else {
    const audit::ReadTile tiles = TilesIn(folder);
    published.values["index"] = absl::StrCat(out.index);
    const auto root = audit::RootAt(proven.size, tiles);
    const auto leaves =
        tiles(0, out.index / audit::kTileWidth, static_cast<uint32_t>(out.index % audit::kTileWidth + 1));
    if (!root || !leaves) {
      NotChecked(published, "what is published does not hold it yet, or tiles are missing");
    } else if (*root != proven.root) {
      Wrong(published, absl::StrCat("the first ", proven.size,
                                    " entries that are published are not those of the proof"));
    } else if ((*leaves)[out.index % audit::kTileWidth] != audit::LeafHash(out.leaf)) {
      Wrong(published, absl::StrCat("entry ", out.index, " of what is published is another"));
    }
  }
  out.findings = {std::move(entry), std::move(signature), std::move(published)};
  return out;
}

}  // namespace waarborg::station

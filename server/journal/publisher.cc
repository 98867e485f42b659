// SPDX-License-Identifier: EUPL-1.2
#include "server/journal/publisher.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "audit/opening.h"
#include "audit/record.h"
#include "audit/text.h"
#include "audit/verify.h"
#include "server/journal/rows.h"

namespace waarborg::journal {
namespace {

namespace pb = waarborg::v1;
using audit::Checkpoint;
using audit::HashesAt;
using audit::kTileWidth;
using audit::SignedCheckpoint;
using audit::TileName;
using Clock = std::chrono::steady_clock;

constexpr char kNewest[] = "newest";
constexpr auto kRound = std::chrono::milliseconds(500);
constexpr absl::Duration kWitnessPatience = absl::Milliseconds(900);
constexpr absl::Duration kWitnessPatienceAtStart = absl::Seconds(5);
// A witness that was away is asked again this often while nothing new comes.
constexpr auto kAskAgain = std::chrono::seconds(5);

void Note(const std::string& line) {
  std::fprintf(stderr, "waarborgd: the log: %s\n", line.c_str());
}

absl::Status Refuse(const std::string& what) {
  return absl::DataLossError("the audit log: " + what);
}

Checkpoint CheckpointOf(const pb::LogRecord& log) {
  return {log.origin(), log.size(), audit::ToHash(log.root())};
}

constexpr char kRestore[] =
    ". If an older backup was restored on purpose, begin a new log with: waarborgd begin-log "
    "--last-checkpoint FILE";

}  // namespace

std::string FolderOf(const std::string& origin) {
  return origin.substr(origin.rfind('/') + 1);
}

Publisher::~Publisher() {
  Stop();
}

audit::SigningKey Publisher::SignerOf(const std::string& origin) const {
  // The name was checked when the configuration was read.
  return *audit::SigningKey::FromSeed(origin, audit::KeyType::kEd25519, parts_.seed.Reveal());
}

audit::VerifierKey Publisher::KeyOf(const std::string& origin) const {
  return SignerOf(origin).verifier();
}

std::shared_ptr<const Publisher::State> Publisher::state() const {
  base::Lock lock(mutex_);
  return state_;
}

bool Publisher::WaitsForWitnesses(const domain::Municipality& m) const {
  if (m.log_quorum == 0) return false;
  const auto now = state();
  return now == nullptr ||
         (now->lacking_since && absl::FromChrono(Clock::now() - *now->lacking_since) >= m.log_witness_grace);
}

absl::StatusOr<Publisher::Seen> Publisher::ReadSeen(const Journal::Committed& committed) const {
  Seen seen;
  std::vector<std::pair<std::string, std::string>> notes;  // where, note
  const auto read = [&](const LogFiles& files, const std::string& path) -> absl::Status {
    auto note = files.Read(path);
    if (note.ok()) notes.emplace_back(absl::StrCat(files.folder(), "/", path), *note);
    return note.ok() || absl::IsNotFound(note.status()) ? absl::OkStatus() : note.status();
  };
  if (auto s = read(*parts_.memory, kNewest); !s.ok()) return s;
  if (auto s = read(*parts_.published, FolderOf(committed.log.origin()) + "/checkpoint"); !s.ok()) return s;

  std::vector<pb::LogRecord> logs = *committed.closed;
  logs.push_back(committed.log);
  logs.back().set_size(committed.frontier.size());
  const audit::Hash root = committed.frontier.Root();
  logs.back().set_root(root.data(), root.size());
  for (const auto& [where, note] : notes) {
    auto read_note = audit::ReadCheckpoint(note);
    if (!read_note.ok()) return Refuse(absl::StrCat(where, ": ", read_note.error()));
    const Checkpoint& c = read_note->checkpoint;
    if (auto s = audit::OpenCheckpoint(note, KeyOf(c.origin)); !s.ok()) {
      return Refuse(absl::StrCat(where, " was not signed with the key of this log: ", s.error()));
    }
    // The newest word on that log: what is here of it, or what a later log commits to. After a restored
    // backup that is more than is here, and everybody was told.
    std::optional<Checkpoint> last;
    uint64_t here = 0;
    for (const pb::LogRecord& log : logs) {
      if (log.origin() == c.origin) {
        last = CheckpointOf(log);
        here = log.size();
      }
      if (auto previous = audit::PreviousOf(log.continued().record());
          previous && previous->origin == c.origin) {
        last = *previous;
      }
    }
    if (!last) {
      return Refuse(absl::StrCat("a checkpoint of ", c.origin, " was published (", where,
                                 "), which these data do not know", kRestore));
    }
    if (c.size > last->size) {
      return Refuse(absl::StrCat("it has ", last->size, " entries, but ", c.size, " were published (", where,
                                 ")", kRestore));
    }
    if (c.size == last->size && c.root != last->root) {
      return Refuse(
          absl::StrCat("it is not the one that was published (", where, "): the entries were changed"));
    }
    if (c.size <= here) seen.push_back(c);
  }
  return seen;
}

Publisher::Open Publisher::Resume(const pb::LogRecord& log) const {
  Open fresh{log, {}, ""};
  const std::string folder = FolderOf(log.origin());
  auto note = parts_.published->Read(folder + "/checkpoint");
  if (!note.ok()) return fresh;
  auto opened = audit::OpenCheckpoint(*note, KeyOf(log.origin()));
  if (!opened.ok()) return fresh;
  const Checkpoint& c = opened->checkpoint;
  std::vector<std::vector<audit::Hash>> edges;
  const audit::ReadTile tiles = PublishedTiles(folder, c.size);
  for (int level = 0; HashesAt(level, c.size) > 0; ++level) {
    const auto width = static_cast<uint32_t>(HashesAt(level, c.size) % kTileWidth);
    edges.emplace_back();
    if (width == 0) continue;
    auto tile = tiles(level, HashesAt(level, c.size) / kTileWidth, width);
    if (!tile) return fresh;
    tile->resize(width);
    edges.back() = std::move(*tile);
  }
  auto edge = audit::TreeEdge::FromEdges(c.size, std::move(edges));
  if (!edge || edge->Root() != c.root) return fresh;
  Open open{log, std::move(*edge), ""};
  const auto width = static_cast<uint32_t>(c.size % kTileWidth);
  if (width > 0) {
    auto bundle = ReadTile(folder, {TileName::Kind::kEntries, 0, c.size / kTileWidth, width});
    if (!bundle) return fresh;
    open.bundle = bundle->substr(0, width * (2 + audit::kCommitmentSize));
  }
  return open;
}

absl::Status Publisher::Start(const std::set<std::string>& overruled) {
  overruled_ = overruled;
  const Journal::Committed committed = parts_.journal->committed();
  auto seen = ReadSeen(committed);
  if (!seen.ok()) return seen.status();
  seen_ = std::move(*seen);
  if (auto s = FinishClosed(committed); !s.ok()) return s;
  open_ = Resume(committed.log);
  auto s = Grow(*open_, committed.frontier.size(), committed.frontier.Root());
  if (absl::IsDataLoss(s)) {
    // The folder may be what is wrong: it is derived, and built again from nothing.
    open_ = Open{committed.log, {}, ""};
    s = Grow(*open_, committed.frontier.size(), committed.frontier.Root());
  }
  if (!s.ok()) return s;
  if (open_->edge.size() == 0) return absl::OkStatus();

  const audit::SigningKey signer = SignerOf(committed.log.origin());
  Checkpoint c{committed.log.origin(), open_->edge.size(), open_->edge.Root()};
  SignedCheckpoint checkpoint{c, {c.Body(), {signer.Sign(c.Body())}}};
  State unused;
  return AskWitnesses(*open_, committed, checkpoint, unused, /*strict=*/true);
}

absl::Status Publisher::Publish() {
  const Journal::Committed committed = parts_.journal->committed();
  {
    base::Lock lock(mutex_);
    rebuild_.merge(damaged_);
    damaged_.clear();
  }
  for (uint32_t number : rebuild_) finished_.erase(number);
  const bool rebuild = rebuild_.erase(committed.log.number()) > 0;
  if (rebuild) open_.reset();
  if (auto s = FinishClosed(committed); !s.ok()) return s;
  if (!open_ || open_->log.number() != committed.log.number()) open_ = Open{committed.log, {}, ""};
  const uint64_t size = committed.frontier.size();
  const auto before = state();
  const bool published = before != nullptr && before->newest.checkpoint.origin == committed.log.origin() &&
                         before->newest.checkpoint.size == size && !rebuild;
  if (published && (!before->lacking_since || Clock::now() - witnesses_asked_ < kAskAgain))
    return absl::OkStatus();
  if (size == 0) return absl::OkStatus();
  if (auto s = Grow(*open_, size, committed.frontier.Root()); !s.ok()) return s;
  return SignAndPublish(*open_, committed);
}

absl::Status Publisher::Grow(Open& open, uint64_t size, const audit::Hash& root) {
  const auto check = [&]() -> absl::Status {
    for (const Checkpoint& c : seen_) {
      if (c.origin == open.log.origin() && c.size == open.edge.size() && c.root != open.edge.Root()) {
        return Refuse(absl::StrCat("its first ", c.size, " entries are not those that were published"));
      }
    }
    return absl::OkStatus();
  };
  // What an earlier checkpoint says about the part that is published already.
  for (const Checkpoint& c : seen_) {
    if (c.origin != open.log.origin() || c.size > open.edge.size()) continue;
    if (audit::RootAt(c.size, TilesOf(open)) != c.root) {
      return Refuse(absl::StrCat("its first ", c.size, " entries are not those that were published"));
    }
  }
  if (open.edge.size() > size) return Refuse("more of it was published than there is");
  const std::string folder = FolderOf(open.log.origin());
  absl::Status status;
  const auto on_full = [&](const TileName& name, const std::vector<audit::Hash>& hashes) {
    if (!status.ok()) return;
    status = WriteTile(open, name, audit::JoinHashes(hashes));
    if (status.ok() && name.level == 0) {
      status = WriteTile(open, {TileName::Kind::kEntries, 0, name.index, kTileWidth}, open.bundle);
      open.bundle.clear();
    }
  };
  auto s = parts_.store->Scan("l/", EntryRow(open.log.first() + open.edge.size()),
                              [&](std::string_view row, std::string_view value) {
                                if (open.edge.size() == size) return false;
                                const auto entry = SplitEntry(value);
                                if (!entry || IndexOf(row) != open.log.first() + open.edge.size())
                                  return false;
                                audit::AppendEntry(open.bundle, entry->commitment);
                                open.edge.Append(audit::LeafHash(entry->commitment), on_full);
                                if (status.ok()) status = check();
                                return status.ok();
                              });
  if (s.ok()) s = status;
  if (s.ok() && open.edge.size() != size) {
    s = Refuse(absl::StrCat("entry ", open.edge.size(), " is missing or damaged"));
  }
  if (s.ok() && open.edge.Root() != root)
    s = Refuse("its entries do not match its head: they were changed, or are damaged");
  if (s.ok()) s = WriteEdge(open);
  if (s.ok()) std::erase_if(seen_, [&](const Checkpoint& c) { return c.origin == open.log.origin(); });
  // The tree in memory may be ahead of the files now: the next time begins from what is published.
  if (!s.ok()) open = Resume(open.log);
  return s;
}

absl::Status Publisher::WriteEdge(const Open& open) {
  const uint64_t size = open.edge.size();
  for (size_t level = 0; level < open.edge.edges().size(); ++level) {
    const auto& hashes = open.edge.edges()[level];
    if (hashes.empty()) continue;
    const int l = static_cast<int>(level);
    const TileName name{TileName::Kind::kHashes, l, HashesAt(l, size) / kTileWidth,
                        static_cast<uint32_t>(hashes.size())};
    if (auto s = WriteTile(open, name, audit::JoinHashes(hashes)); !s.ok()) return s;
    if (level > 0) continue;
    if (auto s = WriteTile(open, {TileName::Kind::kEntries, 0, name.index, name.width}, open.bundle); !s.ok())
      return s;
  }
  return absl::OkStatus();
}

absl::Status Publisher::WriteTile(const Open& open, const TileName& name, std::string_view bytes) {
  const std::string path = FolderOf(open.log.origin()) + "/" + name.Path();
  if (auto s = parts_.published->Write(path, bytes, /*durable=*/false); !s.ok()) return s;
  // Partial tiles go once the full one is there.
  return name.full() ? parts_.published->Remove(path + ".p") : absl::OkStatus();
}

absl::Status Publisher::SignAndPublish(const Open& open, const Journal::Committed& committed) {
  const audit::SigningKey signer = SignerOf(open.log.origin());
  const Checkpoint c{open.log.origin(), open.edge.size(), open.edge.Root()};
  SignedCheckpoint checkpoint{c, {c.Body(), {signer.Sign(c.Body())}}};
  // Ours first: whoever sees a checkpoint sees one that we shall not forget.
  if (auto s = parts_.memory->Write(kNewest, checkpoint.note.Text(), /*durable=*/true); !s.ok()) return s;
  auto next = std::make_shared<State>();
  const auto before = state();
  if (auto s = AskWitnesses(open, committed, checkpoint, *next, /*strict=*/false); !s.ok()) return s;
  if (next->cosignatures < static_cast<size_t>(committed.municipality->log_quorum)) {
    next->lacking_since = before != nullptr && before->lacking_since ? before->lacking_since : Clock::now();
  }
  const std::string folder = FolderOf(open.log.origin());
  if (open.log.has_continued()) {
    const audit::PreviousFile previous{open.log.continued().key(), open.log.continued().record()};
    if (auto s = parts_.published->Write(folder + "/previous", previous.Text(), /*durable=*/false); !s.ok())
      return s;
  }
  if (auto s = parts_.published->Write(folder + "/checkpoint", checkpoint.note.Text(), /*durable=*/true);
      !s.ok()) {
    return s;
  }
  next->newest = std::move(checkpoint);
  base::Lock lock(mutex_);
  state_ = std::move(next);
  return absl::OkStatus();
}

absl::Status Publisher::AskWitnesses(const Open& open, const Journal::Committed& committed,
                                     SignedCheckpoint& checkpoint, State& state, bool strict) {
  const auto& witnesses = committed.municipality->witnesses;
  witnesses_asked_ = Clock::now();
  if (witnesses.empty() || parts_.witnesses == nullptr) return absl::OkStatus();
  const std::string own = checkpoint.note.Text();
  state.witnesses.resize(witnesses.size());
  std::vector<size_t> asked;
  for (size_t i = 0; i < witnesses.size(); ++i) {
    state.witnesses[i] = {witnesses[i].id, false, "it did not answer"};
    if (!overruled_.contains(witnesses[i].id)) {
      asked.push_back(i);
    } else {
      state.witnesses[i].why = "its word is not taken (--overrule-witness)";
    }
  }
  // Twice at most: the first answer may say from which size to go on.
  for (int attempt = 0; attempt < 2 && !asked.empty(); ++attempt) {
    std::vector<audit::AddCheckpoint> questions;
    std::vector<WitnessCaller::Request> requests;
    for (size_t i : asked) {
      // Of a log that it does not know yet a witness has seen nothing.
      const std::string key = witnesses[i].url + " " + open.log.origin();
      const uint64_t old = std::min(witness_sizes_[key], open.edge.size());
      auto proof = audit::ProveConsistency(old, open.edge.size(), TilesOf(open));
      if (!proof) return absl::UnavailableError("the published tiles cannot be read");
      questions.push_back({old, std::move(*proof), own});
      requests.push_back({witnesses[i].url + "/add-checkpoint", questions.back().Text()});
    }
    const auto answers =
        parts_.witnesses->Call(requests, strict ? kWitnessPatienceAtStart : kWitnessPatience);
    std::vector<size_t> again;
    for (size_t n = 0; n < asked.size() && n < answers.size(); ++n) {
      const domain::LogWitness& witness = witnesses[asked[n]];
      WitnessState& its = state.witnesses[asked[n]];
      const auto key = audit::VerifierKey::Parse(witness.key);
      if (!key.ok()) continue;
      audit::WitnessReply reply = audit::ReadAnswer(answers[n], questions[n], *key);
      its.why = answers[n].status == 0 ? "it did not answer" : reply.why;
      uint64_t& known = witness_sizes_[witness.url + " " + open.log.origin()];
      switch (reply.kind) {
        case audit::WitnessReply::Kind::kCosigned:
          its.good = true;
          known = open.edge.size();
          checkpoint.note.signatures.push_back(std::move(reply.signature));
          ++state.cosignatures;
          break;
        case audit::WitnessReply::Kind::kOtherSize:
          its.why = "it keeps answering that it has seen another size";
          known = reply.size;
          again.push_back(asked[n]);
          break;
        case audit::WitnessReply::Kind::kConflict:
          if (strict) {
            return Refuse(
                absl::StrCat("the witness ", witness.id, " contradicts it: ", reply.why,
                             ". Either the data are not what they were, or the witness is not: find out "
                             "which. waarborgd run --overrule-witness ",
                             witness.id, " starts without its word, which is recorded", kRestore));
          }
          Note(absl::StrCat("the witness ", witness.id, " contradicts it: ", reply.why));
          break;
        case audit::WitnessReply::Kind::kRefused:
        case audit::WitnessReply::Kind::kUseless:
          break;
      }
    }
    asked = std::move(again);
  }
  return absl::OkStatus();
}

absl::Status Publisher::FinishClosed(const Journal::Committed& committed) {
  for (size_t i = 0; i < committed.closed->size(); ++i) {
    const pb::LogRecord& log = (*committed.closed)[i];
    const std::string folder = FolderOf(log.origin());
    if (log.pruned()) {
      if (!pruned_.insert(log.number()).second) continue;
      if (auto s = parts_.published->Write(folder + "/declaration", log.declaration(), /*durable=*/true);
          !s.ok()) {
        return s;
      }
      if (auto s = parts_.published->Remove(folder + "/tile"); !s.ok()) return s;
      continue;
    }
    if (!finished_.insert(log.number()).second) continue;
    const pb::LogRecord& next = i + 1 < committed.closed->size() ? (*committed.closed)[i + 1] : committed.log;
    // After a restored backup there is less here than was published: what is there stays as it is.
    const auto previous = audit::PreviousOf(next.continued().record());
    if (!previous || previous->size != log.size()) continue;
    Open open = rebuild_.erase(log.number()) > 0 ? Open{log, {}, ""} : Resume(log);
    const auto note = parts_.published->Read(folder + "/checkpoint");
    auto s = Grow(open, log.size(), audit::ToHash(log.root()));
    if (s.ok()) {
      const auto published = audit::ReadCheckpoint(note.ok() ? *note : std::string());
      if (!published.ok() || published->checkpoint.size != log.size()) s = SignAndPublish(open, committed);
    }
    if (!s.ok()) {
      finished_.erase(log.number());
      return s;
    }
  }
  return absl::OkStatus();
}

audit::ReadTile Publisher::TilesOf(const Open& open) const {
  const audit::ReadTile published = PublishedTiles(FolderOf(open.log.origin()), open.edge.size());
  return [&open, published](int level, uint64_t index,
                            uint32_t width) -> std::optional<std::vector<audit::Hash>> {
    if (index == HashesAt(level, open.edge.size()) / kTileWidth) {
      const auto l = static_cast<size_t>(level);
      if (l >= open.edge.edges().size()) return std::nullopt;
      return open.edge.edges()[l];
    }
    return published(level, index, width);
  };
}

std::optional<std::string> Publisher::ReadTile(const std::string& folder, TileName name) const {
  const size_t each =
      name.kind == TileName::Kind::kEntries ? 2 + audit::kCommitmentSize : sizeof(audit::Hash);
  auto bytes = parts_.published->Read(folder + "/" + name.Path());
  if (!bytes.ok() && !name.full()) {
    // It has grown full meanwhile.
    name.width = kTileWidth;
    bytes = parts_.published->Read(folder + "/" + name.Path());
  }
  if (!bytes.ok() || bytes->size() != each * name.width) return std::nullopt;
  return std::move(*bytes);
}

audit::ReadTile Publisher::PublishedTiles(const std::string& folder, uint64_t size) const {
  return
      [this, folder, size](int level, uint64_t index, uint32_t) -> std::optional<std::vector<audit::Hash>> {
        const uint64_t hashes = HashesAt(level, size);
        if (index * kTileWidth >= hashes) return std::nullopt;
        const auto bytes =
            ReadTile(folder, {TileName::Kind::kHashes, level, index,
                              static_cast<uint32_t>(std::min(kTileWidth, hashes - index * kTileWidth))});
        if (!bytes) return std::nullopt;
        std::vector<audit::Hash> out(bytes->size() / sizeof(audit::Hash));
        std::memcpy(out.data(), bytes->data(), bytes->size());
        return out;
      };
}

absl::StatusOr<audit::ProofFile> Publisher::Prove(const std::string& origin, uint64_t index,
                                                  const std::string& commitment) const {
  audit::ProofFile file;
  const auto now = state();
  if (now != nullptr && now->newest.checkpoint.origin == origin) {
    file.checkpoint = now->newest;
  } else {
    auto note = parts_.published->Read(FolderOf(origin) + "/checkpoint");
    if (!note.ok()) return note.status();
    auto opened = audit::OpenCheckpoint(*note, KeyOf(origin));
    if (!opened.ok()) return Refuse(opened.error());
    file.checkpoint = std::move(*opened);
  }
  const Checkpoint& c = file.checkpoint.checkpoint;
  if (index >= c.size) return absl::UnavailableError("no checkpoint covers this entry yet");
  auto proof = audit::ProveInclusion(index, c.size, PublishedTiles(FolderOf(origin), c.size));
  if (!proof || !audit::VerifyInclusion(index, c.size, audit::LeafHash(commitment), *proof, c.root)) {
    return Refuse("the published tiles do not prove what they should; they are being built again");
  }
  file.extra = commitment;
  file.index = index;
  file.proof = std::move(*proof);
  return file;
}

absl::Status Publisher::CheckEverything() {
  if (auto s = parts_.journal->CheckLog(); !s.ok()) return s;
  const std::string folder = parts_.published->folder();
  if (folder.empty()) return absl::OkStatus();
  const Journal::Committed committed = parts_.journal->committed();
  std::vector<pb::LogRecord> logs = *committed.closed;
  logs.push_back(committed.log);
  for (const pb::LogRecord& log : logs) {
    if (log.pruned()) continue;
    audit::VerifyOptions options;
    options.key = KeyOf(log.origin());
    for (const domain::LogWitness& witness : committed.municipality->witnesses) {
      if (auto key = audit::VerifierKey::Parse(witness.key); key.ok()) options.witnesses.push_back(*key);
    }
    options.threads = 1;
    options.live = true;
    audit::Progress progress;
    const auto report =
        audit::VerifyLog(absl::StrCat(folder, "/", FolderOf(log.origin())), options, progress);
    if (report.problems.empty()) continue;
    Note(absl::StrCat("the published folder is damaged and is built again: ", report.problems.front()));
    base::Lock lock(mutex_);
    damaged_.insert(log.number());
  }
  return absl::OkStatus();
}

void Publisher::Run(std::function<void(const absl::Status&)> on_failure) {
  on_failure_ = std::move(on_failure);
  thread_ = std::thread([this] { Loop(); });
  checker_ = std::thread([this] {
    if (auto s = CheckEverything(); absl::IsDataLoss(s)) on_failure_(s);
  });
}

void Publisher::Loop() {
  bool failing = false;
  for (;;) {
    const absl::Status s = Publish();
    if (absl::IsDataLoss(s)) {
      on_failure_(s);
      return;
    }
    if (!s.ok() && !failing) Note("cannot be published: " + std::string(s.message()));
    if (s.ok() && failing) Note("is published again");
    failing = !s.ok();
    base::Lock lock(mutex_);
    if (stopping_) return;
    wake_.WaitFor(mutex_, kRound);
  }
}

void Publisher::Stop() {
  {
    base::Lock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  if (thread_.joinable()) thread_.join();
  if (checker_.joinable()) checker_.join();
}

}  // namespace waarborg::journal

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
using audit::kEntryBytes;
constexpr auto kRound = std::chrono::milliseconds(500);
// With a round it is less than the second in which an entry comes under a checkpoint.
constexpr absl::Duration kWitnessPatience = absl::Milliseconds(400);
constexpr absl::Duration kWitnessPatienceAtStart = absl::Seconds(5);
// A witness that was away is asked again this often while nothing new comes.
constexpr std::chrono::seconds kAskAgain(5);
constexpr std::chrono::seconds kAskAtLeast(3600);  // about a closed log

void Note(const std::string& line) {
  std::fprintf(stderr, "waarborgd: the log: %s\n", line.c_str());
}

absl::Status Refuse(const std::string& what) {
  return absl::DataLossError("the audit log: " + what);
}

Checkpoint CheckpointOf(const pb::LogRecord& log) {
  return {log.origin(), log.size(), audit::ToHash(log.root())};
}

constexpr char kNotReadable[] =
    ". The published folder can be moved away: it is built again. Of log/newest in the data folder, put back "
    "a copy, "
    "or the newest published checkpoint that you trust";
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

bool Publisher::failing() const {
  base::Lock lock(mutex_);
  return failing_since_.has_value();
}

bool Publisher::WaitsForWitnesses(const domain::Municipality& m) const {
  if (m.log_quorum == 0) return false;
  const auto longer_than_grace = [&m](const std::optional<Clock::time_point>& since) {
    return since && absl::FromChrono(Clock::now() - *since) >= m.log_witness_grace;
  };
  base::Lock lock(mutex_);
  // What cannot be published cannot be cosigned either.
  return state_ == nullptr || longer_than_grace(state_->lacking_since) || longer_than_grace(failing_since_);
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

  const std::vector<pb::LogRecord> logs = parts_.journal->Logs();
  for (const auto& [where, note] : notes) {
    auto read_note = audit::ReadCheckpoint(note);
    if (!read_note.ok()) return Refuse(absl::StrCat(where, ": ", read_note.error(), kNotReadable));
    const Checkpoint& c = read_note->checkpoint;
    if (auto s = audit::OpenCheckpoint(note, KeyOf(c.origin)); !s.ok()) {
      return Refuse(
          absl::StrCat(where, " was not signed with the key of this log: ", s.error(), kNotReadable));
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
      return Refuse(absl::StrCat("it is not the one that was published (", where,
                                 "): the entries were changed", kRestore));
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
    open.bundle = bundle->substr(0, width * kEntryBytes);
    // It goes on growing: damage must not grow with it.
    std::vector<audit::Hash> leaves(width);
    audit::LeafHashes(open.bundle.data() + 2, kEntryBytes, width, leaves.data());
    if (leaves != open.edge.edges().front()) return fresh;
  }
  return open;
}

absl::Status Publisher::Start(const std::set<std::string>& overruled) {
  overruled_ = overruled;
  return Hold();
}

absl::Status Publisher::Hold() {
  const Journal::Committed committed = parts_.journal->committed();
  auto seen = ReadSeen(committed);
  if (!seen.ok()) return seen.status();
  seen_ = std::move(*seen);
  if (auto s = FinishClosed(committed); !s.ok()) return s;
  open_ = Resume(committed.log);
  auto s = GrowOrRebuild(*open_, committed.frontier.size(), committed.frontier.Root());
  if (!s.ok()) return s;
  if (open_->edge.size() > 0) {
    auto before = parts_.memory->Read(kNewest);
    SignedCheckpoint checkpoint = Sign(*open_);
    if (s = Remember(checkpoint, committed); !s.ok()) return s;
    State unused;
    s = AskWitnesses(*open_, committed, checkpoint, unused, /*strict=*/true);
    if (!s.ok() && !absl::IsDataLoss(s)) return s;
    if (!s.ok()) {
      // It was contradicted: what is known of the log is what was known before.
      const absl::Status undone = before.ok() ? parts_.memory->Write(kNewest, *before, /*durable=*/true)
                                              : parts_.memory->Remove(kNewest);
      if (!undone.ok()) Note(std::string(undone.message()));
      return s;
    }
  }
  held_ = true;
  return absl::OkStatus();
}

absl::Status Publisher::Publish() {
  const absl::Status s = PublishRound();
  base::Lock lock(mutex_);
  if (s.ok()) {
    failing_since_.reset();
  } else if (!failing_since_) {
    failing_since_ = Clock::now();
  }
  return s;
}

absl::Status Publisher::PublishRound() {
  // A start that could not read or write has still to be made up for.
  if (!held_) {
    if (auto s = Hold(); !s.ok()) return s;
  }
  const Journal::Committed committed = parts_.journal->committed();
  {
    base::Lock lock(mutex_);
    rebuild_.merge(damaged_);
    damaged_.clear();
  }
  for (uint32_t number : rebuild_) finished_.erase(number);
  if (auto s = FinishClosed(committed); !s.ok()) return s;
  const uint32_t number = committed.log.number();
  const bool rebuild = rebuild_.contains(number);
  if (rebuild || !open_ || open_->log.number() != number) open_ = Open{committed.log, {}, ""};
  const uint64_t size = committed.frontier.size();
  const auto before = state();
  const bool published = before != nullptr && before->newest.checkpoint.origin == committed.log.origin() &&
                         before->newest.checkpoint.size == size && !rebuild;
  if (published && (!before->lacking_since || Clock::now() - witnesses_asked_ < kAskAgain))
    return absl::OkStatus();
  if (size == 0) return absl::OkStatus();
  if (auto s = Grow(*open_, size, committed.frontier.Root()); !s.ok()) return s;
  auto next = SignAndPublish(*open_, committed);
  if (!next.ok()) return next.status();
  if ((*next)->cosignatures < static_cast<size_t>(committed.municipality->log_quorum)) {
    (*next)->lacking_since =
        before != nullptr && before->lacking_since ? before->lacking_since : Clock::now();
  }
  rebuild_.erase(number);
  base::Lock lock(mutex_);
  state_ = std::move(*next);
  return absl::OkStatus();
}

absl::Status Publisher::Entries(const pb::LogRecord& log, uint64_t from, uint64_t size,
                                const std::function<absl::Status(std::string_view commitment)>& each) const {
  absl::Status status;
  uint64_t at = from;
  auto s = parts_.store->Scan("l/", EntryRow(log.first() + from),
                              [&](std::string_view row, std::string_view value) {
                                if (at == size) return false;
                                const auto entry = SplitEntry(value);
                                if (!entry || IndexOf(row) != log.first() + at) return false;
                                ++at;
                                status = each(entry->commitment);
                                return status.ok();
                              });
  if (!s.ok()) return s;
  if (!status.ok()) return status;
  if (at != size) return Refuse(absl::StrCat("entry ", at, " is missing or damaged"));
  return absl::OkStatus();
}

absl::Status Publisher::CheckAhead(const Open& open, uint64_t size, const audit::Hash& root) const {
  const auto published = [](uint64_t first) {
    return Refuse(absl::StrCat("its first ", first, " entries are not those that were published", kRestore));
  };
  for (const Checkpoint& c : seen_) {
    // About the part that is published already.
    if (c.origin == open.log.origin() && c.size <= open.edge.size() &&
        audit::RootAt(c.size, TilesOf(open)) != c.root) {
      return published(c.size);
    }
  }
  if (open.edge.size() > size) return Refuse("more of it was published than there is");
  audit::TreeEdge trial = open.edge;
  auto s = Entries(open.log, trial.size(), size, [&](std::string_view commitment) {
    trial.Append(audit::LeafHash(commitment), [](const TileName&, const std::vector<audit::Hash>&) {});
    for (const Checkpoint& c : seen_) {
      if (c.origin == open.log.origin() && c.size == trial.size() && c.root != trial.Root())
        return published(c.size);
    }
    return absl::OkStatus();
  });
  if (!s.ok()) return s;
  if (trial.Root() != root)
    return Refuse("its entries do not match its head: they were changed, or are damaged");
  return absl::OkStatus();
}

absl::Status Publisher::Grow(Open& open, uint64_t size, const audit::Hash& root) {
  // Looked at first, written then: what is published stays as it is when the log turns out to be another.
  if (auto s = CheckAhead(open, size, root); !s.ok()) return s;
  absl::Status status;
  const auto on_full = [&](const TileName& name, const std::vector<audit::Hash>& hashes) {
    if (!status.ok()) return;
    status = WriteTile(open, name, audit::JoinHashes(hashes));
    if (status.ok() && name.level == 0) {
      status = WriteTile(open, {TileName::Kind::kEntries, 0, name.index, kTileWidth}, open.bundle);
      open.bundle.clear();
    }
  };
  auto s = Entries(open.log, open.edge.size(), size, [&](std::string_view commitment) {
    audit::AppendEntry(open.bundle, commitment);
    open.edge.Append(audit::LeafHash(commitment), on_full);
    return status;
  });
  if (s.ok()) s = WriteEdge(open);
  if (s.ok()) std::erase_if(seen_, [&](const Checkpoint& c) { return c.origin == open.log.origin(); });
  // The tree in memory may be ahead of the files now: the next time begins from what is published.
  if (!s.ok()) open = Resume(open.log);
  return s;
}

absl::Status Publisher::GrowOrRebuild(Open& open, uint64_t size, const audit::Hash& root) {
  auto s = Grow(open, size, root);
  if (!absl::IsDataLoss(s)) return s;
  // The folder may be what is wrong: it is derived, and built again from nothing if the entries themselves
  // are right.
  Open fresh{open.log, {}, ""};
  const auto again = Grow(fresh, size, root);
  if (again.ok()) open = std::move(fresh);
  return again;
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
  // Partial tiles go once the full one is there and a checkpoint says so; until then somebody may be reading
  // them.
  if (name.full()) outgrown_.insert(path + ".p");
  return parts_.published->Write(path, bytes, /*durable=*/false);
}

absl::Status Publisher::WriteChanged(const std::string& path, const std::string& bytes, bool durable) {
  const auto there = parts_.published->Read(path);
  if (there.ok() && *there == bytes) return absl::OkStatus();
  return parts_.published->Write(path, bytes, durable);
}

SignedCheckpoint Publisher::Sign(const Open& open) const {
  const Checkpoint c{open.log.origin(), open.edge.size(), open.edge.Root()};
  return {c, {c.Body(), {SignerOf(open.log.origin()).Sign(c.Body())}}};
}

absl::Status Publisher::Remember(const SignedCheckpoint& checkpoint, const Journal::Committed& committed) {
  const Checkpoint& c = checkpoint.checkpoint;
  const auto number = [&](const std::string& origin) -> uint32_t {
    if (committed.log.origin() == origin) return committed.log.number();
    for (const pb::LogRecord& log : *committed.closed) {
      if (log.origin() == origin) return log.number();
    }
    return 0;
  };
  if (auto newest = parts_.memory->Read(kNewest); newest.ok()) {
    // What is remembered is never less than it was.
    if (const auto read = audit::ReadCheckpoint(*newest); read.ok()) {
      const Checkpoint& known = read->checkpoint;
      if (known.origin == c.origin ? known.size >= c.size : number(known.origin) > number(c.origin)) {
        return absl::OkStatus();
      }
    }
  } else if (!absl::IsNotFound(newest.status())) {
    return newest.status();
  }
  return parts_.memory->Write(kNewest, checkpoint.note.Text(), /*durable=*/true);
}

absl::StatusOr<std::shared_ptr<Publisher::State>> Publisher::SignAndPublish(
    const Open& open, const Journal::Committed& committed) {
  SignedCheckpoint checkpoint = Sign(open);
  // Ours first: whoever sees a checkpoint sees one that we shall not forget.
  if (auto s = Remember(checkpoint, committed); !s.ok()) return s;
  auto next = std::make_shared<State>();
  if (auto s = AskWitnesses(open, committed, checkpoint, *next, /*strict=*/false); !s.ok()) return s;
  const std::string folder = FolderOf(open.log.origin());
  if (open.log.has_continued()) {
    const audit::PreviousFile previous{open.log.continued().key(), open.log.continued().record()};
    if (auto s = WriteChanged(folder + "/previous", previous.Text(), /*durable=*/false); !s.ok()) return s;
  }
  if (auto s = WriteChanged(folder + "/checkpoint", checkpoint.note.Text(), /*durable=*/true); !s.ok())
    return s;
  while (!outgrown_.empty()) {
    if (auto s = parts_.published->Remove(*outgrown_.begin()); !s.ok()) return s;
    outgrown_.erase(outgrown_.begin());
  }
  next->newest = std::move(checkpoint);
  return next;
}

absl::Status Publisher::AskWitnesses(const Open& open, const Journal::Committed& committed,
                                     SignedCheckpoint& checkpoint, State& state, bool strict) {
  const auto& witnesses = committed.municipality->witnesses;
  witnesses_asked_ = Clock::now();
  if (witnesses.empty() || parts_.witnesses == nullptr) return absl::OkStatus();
  const std::string own = checkpoint.note.Text();
  state.witnesses.resize(witnesses.size());
  std::vector<std::optional<audit::Signature>> signatures(witnesses.size());
  const auto there = audit::ReadCheckpoint(
      parts_.published->Read(FolderOf(open.log.origin()) + "/checkpoint").value_or(std::string()));
  const bool same = there.ok() && there->note.text == checkpoint.note.text;
  std::vector<size_t> asked;
  for (size_t i = 0; i < witnesses.size(); ++i) {
    state.witnesses[i] = {witnesses[i].id, false, "it did not answer"};
    // A cosignature that was given is not lost because the next asking goes unanswered.
    const auto key = audit::VerifierKey::Parse(witnesses[i].key);
    if (auto kept = same && key.ok() ? audit::FindSignature(there->note, *key)
                                     : audit::Result<audit::Signature>::Error("");
        kept.ok()) {
      signatures[i] = std::move(*kept);
      state.witnesses[i].good = !overruled_.contains(witnesses[i].id);
    }
    if (overruled_.contains(witnesses[i].id)) {
      state.witnesses[i].why = "its word is not taken (--overrule-witness)";
    } else if (strict || !signatures[i]) {
      asked.push_back(i);
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
      if (its.good && reply.kind == audit::WitnessReply::Kind::kUseless) continue;
      its.why = answers[n].status == 0 ? "it did not answer" : reply.why;
      uint64_t& known = witness_sizes_[witness.url + " " + open.log.origin()];
      switch (reply.kind) {
        case audit::WitnessReply::Kind::kCosigned:
          its.good = true;
          known = open.edge.size();
          contradicting_.erase(witness.id);
          signatures[asked[n]] = std::move(reply.signature);
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
          if (contradicting_.insert(witness.id).second) {
            Note(absl::StrCat("the witness ", witness.id, " contradicts it: ", reply.why));
          }
          break;
        case audit::WitnessReply::Kind::kRefused:
        case audit::WitnessReply::Kind::kUseless:
          break;
      }
    }
    asked = std::move(again);
  }
  for (size_t i = 0; i < signatures.size(); ++i) {
    if (signatures[i]) checkpoint.note.signatures.push_back(std::move(*signatures[i]));
    state.cosignatures += state.witnesses[i].good ? 1 : 0;
  }
  return absl::OkStatus();
}

absl::Status Publisher::FinishClosed(const Journal::Committed& committed) {
  for (size_t i = 0; i < committed.closed->size(); ++i) {
    const pb::LogRecord& log = (*committed.closed)[i];
    const std::string folder = FolderOf(log.origin());
    if (log.pruned()) {
      if (pruned_.contains(log.number())) continue;
      if (auto s = parts_.published->Write(folder + "/declaration", log.declaration(), /*durable=*/true);
          !s.ok()) {
        return s;
      }
      for (const char* path : {"/tile", "/previous"}) {
        if (auto s = parts_.published->Remove(folder + path); !s.ok()) return s;
      }
      pruned_.insert(log.number());
      continue;
    }
    if (finished_.contains(log.number())) continue;
    const pb::LogRecord& next = i + 1 < committed.closed->size() ? (*committed.closed)[i + 1] : committed.log;
    const auto previous = audit::PreviousOf(next.continued().record());
    if (!previous || *previous != CheckpointOf(log)) {
      // An older backup was restored: what was published of this log is more than is here, and stays as it
      // is.
      finished_.insert(log.number());
      rebuild_.erase(log.number());
      continue;
    }
    auto done = FinishOne(log, committed);
    if (!done.ok()) return done.status();
    if (!*done) continue;
    finished_.insert(log.number());
    rebuild_.erase(log.number());
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Publisher::FinishOne(const pb::LogRecord& log, const Journal::Committed& committed) {
  const bool rebuild = rebuild_.contains(log.number());
  const auto quorum = static_cast<size_t>(committed.municipality->log_quorum);
  const auto note = parts_.published->Read(FolderOf(log.origin()) + "/checkpoint");
  const auto published = audit::OpenCheckpoint(note.value_or(std::string()), KeyOf(log.origin()));
  const bool whole = published.ok() && published->checkpoint == CheckpointOf(log);
  size_t cosigned = 0;
  bool settled = false;  // published and cosigned, or not to be asked about yet
  if (whole && !rebuild) {
    for (const domain::LogWitness& witness : committed.municipality->witnesses) {
      const auto key = audit::VerifierKey::Parse(witness.key);
      cosigned += key.ok() && audit::FindSignature(published->note, *key).ok() ? 1 : 0;
    }
    const auto retry = retries_.find(log.number());
    const bool wait = retry != retries_.end() && Clock::now() < retry->second.at;
    settled = cosigned >= quorum || wait;
    if (held_ && settled) return cosigned >= quorum;
  }
  Open open = rebuild ? Open{log, {}, ""} : Resume(log);
  if (auto s = GrowOrRebuild(open, log.size(), audit::ToHash(log.root())); !s.ok()) return s;
  if (settled) return cosigned >= quorum;
  auto state = SignAndPublish(open, committed);
  if (!state.ok()) return state.status();
  const auto retry = retries_.try_emplace(log.number(), Retry{{}, kAskAgain}).first;
  retry->second.at = Clock::now() + retry->second.pause;
  retry->second.pause = std::min(2 * retry->second.pause, kAskAtLeast);
  return (*state)->cosignatures >= quorum;
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
  const size_t each = name.kind == TileName::Kind::kEntries ? kEntryBytes : sizeof(audit::Hash);
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
    if (absl::IsNotFound(note.status())) return absl::UnavailableError("no checkpoint covers this entry yet");
    if (!note.ok()) return note.status();
    auto opened = audit::OpenCheckpoint(*note, KeyOf(origin));
    if (!opened.ok()) return Refuse(opened.error());
    file.checkpoint = std::move(*opened);
  }
  const Checkpoint& c = file.checkpoint.checkpoint;
  if (index >= c.size) return absl::UnavailableError("no checkpoint covers this entry yet");
  auto proof = audit::ProveInclusion(index, c.size, PublishedTiles(FolderOf(origin), c.size));
  if (!proof || !audit::VerifyInclusion(index, c.size, audit::LeafHash(commitment), *proof, c.root)) {
    const std::vector<pb::LogRecord> logs = parts_.journal->Logs();
    base::Lock lock(mutex_);
    for (const pb::LogRecord& log : logs) {
      if (log.origin() == origin) damaged_.insert(log.number());
    }
    return Refuse("the published tiles do not prove what they should; they are being built again");
  }
  file.extra = commitment;
  file.index = index;
  file.proof = std::move(*proof);
  return file;
}

absl::Status Publisher::CheckEverything() {
  if (auto s = parts_.journal->CheckLog(&stopping_); !s.ok()) return s;
  const std::string folder = parts_.published->folder();
  if (folder.empty()) return absl::OkStatus();
  const std::vector<pb::LogRecord> logs = parts_.journal->Logs();
  for (size_t i = 0; i < logs.size(); ++i) {
    const pb::LogRecord& log = logs[i];
    if (log.pruned()) continue;
    // What stands there of a log that was lost with a backup cannot be built from here.
    if (i + 1 < logs.size() && audit::PreviousOf(logs[i + 1].continued().record()) != CheckpointOf(log))
      continue;
    if (IsFolderDamaged(absl::StrCat(folder, "/", FolderOf(log.origin())), log.origin())) {
      base::Lock lock(mutex_);
      damaged_.insert(log.number());
    }
  }
  return absl::OkStatus();
}

bool Publisher::IsFolderDamaged(const std::string& path, const std::string& origin) const {
  const auto at = [&] {
    return parts_.published->Read(FolderOf(origin) + "/checkpoint").value_or(std::string());
  };
  audit::VerifyOptions options;
  options.key = KeyOf(origin);
  options.threads = 1;
  options.live = true;
  options.other_signatures = true;
  options.stop = &stopping_;
  // While it is read the next round may take away what the last one needed: then it is read again.
  for (int attempt = 0; attempt < 3; ++attempt) {
    const std::string before = at();
    if (before.empty() && state() == nullptr) return false;  // nothing is published yet
    audit::Progress progress;
    const auto report = audit::VerifyLog(path, options, progress);
    if (report.problems.empty() || stopping_) return false;
    if (at() != before) continue;
    Note(absl::StrCat("the published folder is damaged and is built again: ", report.problems.front()));
    return true;
  }
  return false;
}

void Publisher::Fail(const absl::Status& s) {
  if (!failed_.exchange(true)) on_failure_(s);
}

void Publisher::Run(std::function<void(const absl::Status&)> on_failure) {
  on_failure_ = std::move(on_failure);
  thread_ = std::thread([this] { Loop(); });
  checker_ = std::thread([this] {
    if (auto s = CheckEverything(); absl::IsDataLoss(s)) Fail(s);
  });
}

void Publisher::Loop() {
  bool failing = false;
  for (;;) {
    // Asked before the round: what comes until the stop is published by one that begins after it.
    const bool last = stopping_;
    const absl::Status s = Publish();
    if (absl::IsDataLoss(s)) {
      Fail(s);
      return;
    }
    if (!s.ok() && !failing) Note("cannot be published: " + std::string(s.message()));
    if (s.ok() && failing) Note("is published again");
    failing = !s.ok();
    if (after_round_) after_round_();
    if (last) return;
    base::Lock lock(mutex_);
    if (!stopping_) wake_.WaitFor(mutex_, kRound);
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

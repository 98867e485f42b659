// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/note.h"
#include "audit/opening.h"
#include "audit/proof.h"
#include "audit/text.h"
#include "audit/tiles.h"

// A published log as files, for whoever reads one.
namespace waarborg::testing {

inline void WriteFile(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Publishes into a folder that is empty or not there yet. The partial tiles and bundles of earlier
// checkpoints stay behind, as they do with a publisher that deletes nothing.
class LogFolder {
 public:
  LogFolder(std::filesystem::path folder, audit::SigningKey key)
      : folder_(std::move(folder)), key_(std::move(key)) {
    Publish({});
  }

  // Appends these commitments and publishes a checkpoint of all there is.
  void Publish(const std::vector<std::string>& commitments) {
    WriteTiles(commitments);
    WriteCheckpoint();
  }

  // Only the tiles and bundles: the checkpoint does not tell of them yet.
  void WriteTiles(const std::vector<std::string>& commitments) {
    for (const std::string& commitment : commitments) {
      if (commitment.size() != audit::kCommitmentSize) throw std::invalid_argument("not a commitment");
      const uint64_t index = edge_.size() / audit::kTileWidth;
      audit::AppendEntry(bundle_, commitment);
      edge_.Append(audit::LeafHash(commitment),
                   [this](const audit::TileName& name, const std::vector<audit::Hash>& hashes) {
                     WriteFile(folder_ / name.Path(), audit::JoinHashes(hashes));
                   });
      if (edge_.size() % audit::kTileWidth == 0) {
        WriteFile(folder_ / Entries(index, audit::kTileWidth).Path(), bundle_);
        bundle_.clear();
      }
    }
    for (size_t i = 0; i < edge_.edges().size(); ++i) {
      const std::vector<audit::Hash>& hashes = edge_.edges()[i];
      if (hashes.empty()) continue;
      const int level = static_cast<int>(i);
      const audit::TileName name{audit::TileName::Kind::kHashes, level,
                                 audit::HashesAt(level, edge_.size()) / audit::kTileWidth,
                                 static_cast<uint32_t>(hashes.size())};
      WriteFile(folder_ / name.Path(), audit::JoinHashes(hashes));
    }
    if (!bundle_.empty()) {
      const auto width = static_cast<uint32_t>(edge_.size() % audit::kTileWidth);
      WriteFile(folder_ / Entries(edge_.size() / audit::kTileWidth, width).Path(), bundle_);
    }
  }

  void WriteCheckpoint() {
    checkpoint_ = {key_.verifier().name(), edge_.size(), edge_.Root()};
    WriteSigned({});
  }

  // The same checkpoint with these cosignatures behind the log's own signature.
  void WriteSigned(const std::vector<audit::Signature>& cosignatures) {
    audit::Note note{checkpoint_.Body(), {key_.Sign(checkpoint_.Body())}};
    note.signatures.insert(note.signatures.end(), cosignatures.begin(), cosignatures.end());
    note_ = note.Text();
    WriteFile(folder_ / "checkpoint", note_);
  }

  // For a log whose first entry is the commitment to this.
  void WritePrevious(const audit::PreviousFile& previous) const {
    WriteFile(folder_ / "previous", previous.Text());
  }

  const std::filesystem::path& folder() const { return folder_; }
  const audit::SigningKey& key() const { return key_; }
  const audit::Checkpoint& checkpoint() const { return checkpoint_; }
  // The signed note as it was published last.
  const std::string& note() const { return note_; }

  // The tiles of the published log from the files.
  audit::ReadTile Reader() const {
    return [folder = folder_, size = checkpoint_.size](int level, uint64_t index,
                                                       uint32_t) -> std::optional<std::vector<audit::Hash>> {
      const uint64_t hashes = audit::HashesAt(level, size);
      if (index >= (hashes + audit::kTileWidth - 1) / audit::kTileWidth) return std::nullopt;
      const auto width =
          static_cast<uint32_t>(std::min(audit::kTileWidth, hashes - index * audit::kTileWidth));
      const std::string bytes =
          ReadFile(folder / audit::TileName{audit::TileName::Kind::kHashes, level, index, width}.Path());
      if (bytes.size() != width * sizeof(audit::Hash)) return std::nullopt;
      std::vector<audit::Hash> out(width);
      std::memcpy(out.data(), bytes.data(), bytes.size());
      return out;
    };
  }

  // The proof of an entry under the published checkpoint.
  audit::ProofFile Prove(uint64_t index) const {
    auto proof = audit::ProveInclusion(index, checkpoint_.size, Reader());
    auto signed_checkpoint = audit::ReadCheckpoint(note_);
    if (!proof || !signed_checkpoint.ok()) throw std::runtime_error("no proof of that entry");
    return {std::nullopt, index, std::move(*proof), std::move(*signed_checkpoint)};
  }

 private:
  static audit::TileName Entries(uint64_t index, uint32_t width) {
    return {audit::TileName::Kind::kEntries, 0, index, width};
  }

  std::filesystem::path folder_;
  audit::SigningKey key_;
  audit::TreeEdge edge_;
  std::string bundle_;  // of the entries that do not fill one yet
  audit::Checkpoint checkpoint_;
  std::string note_;
};

}  // namespace waarborg::testing

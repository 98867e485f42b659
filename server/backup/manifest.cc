// SPDX-License-Identifier: EUPL-1.2
#include "server/backup/manifest.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/base/hex.h"
#include "server/keys/sealing.h"

namespace waarborg::backup {
namespace {

constexpr char kHeader[] = "waarborg/backup@v1";
constexpr char kLabel[] = "backup manifest";
constexpr size_t kMaxBytes = 8 << 20;

// Below the folder, and nowhere else.
bool GoodPath(const std::string& path) {
  if (path.empty() || path.front() == '/') return false;
  for (const auto& part : absl::StrSplit(path, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

// One field of the manifest: "name value".
bool Field(std::vector<std::string>& lines, const std::string& name, std::string& value) {
  if (lines.empty() || !lines.front().starts_with(name + " ")) return false;
  value = lines.front().substr(name.size() + 1);
  lines.erase(lines.begin());
  return !value.empty();
}

bool Moment(std::vector<std::string>& lines, const std::string& name, absl::Time& t) {
  std::string text;
  int64_t ms = 0;
  if (!Field(lines, name, text) || !absl::SimpleAtoi(text, &ms) || ms < 0) return false;
  t = absl::FromUnixMillis(ms);
  return true;
}

std::string Body(const Manifest& m) {
  std::string out = absl::StrCat(kHeader, "\nid ", m.id, "\nmade ", absl::ToUnixMillis(m.made), "\nnewest ",
                                 absl::ToUnixMillis(m.newest), "\nlog ", m.log_origin, "\nentries ",
                                 m.log_entries, "\nroot ", m.log_root, "\n");
  for (const Manifest::File& f : m.files)
    absl::StrAppend(&out, "file ", f.size, " ", f.sha256, " ", f.path, "\n");
  return out;
}

}  // namespace

std::string Manifest::Text(const base::Secret& root) const {
  const std::string body = Body(*this);
  return absl::StrCat(body, "mac ", base::ToHex(keys::Mac(keys::Derive(root, kLabel), body)), "\n");
}

absl::StatusOr<Manifest> Manifest::Parse(std::string_view bytes, const base::Secret& root) {
  const absl::Status bad = absl::InvalidArgumentError("this is no manifest of a backup, or a damaged one");
  if (bytes.size() > kMaxBytes) return bad;
  std::vector<std::string> lines = absl::StrSplit(std::string(bytes), '\n');
  if (lines.front() != kHeader) return bad;
  lines.erase(lines.begin());
  Manifest m;
  std::string entries;
  if (!Field(lines, "id", m.id) || !Moment(lines, "made", m.made) || !Moment(lines, "newest", m.newest) ||
      !Field(lines, "log", m.log_origin) || !Field(lines, "entries", entries) ||
      !absl::SimpleAtoi(entries, &m.log_entries) || !Field(lines, "root", m.log_root) ||
      !base::IsHex(m.log_root, 64)) {
    return bad;
  }
  size_t line = 0;
  for (; line < lines.size() && lines[line].starts_with("file "); ++line) {
    const std::vector<std::string> parts = absl::StrSplit(lines[line], absl::MaxSplits(' ', 3));
    File f;
    if (parts.size() != 4 || !absl::SimpleAtoi(parts[1], &f.size) || !base::IsHex(parts[2], 64) ||
        !GoodPath(parts[3])) {
      return bad;
    }
    f.sha256 = parts[2];
    f.path = parts[3];
    m.files.push_back(std::move(f));
  }
  // In its one spelling, and to the end.
  if (line + 2 != lines.size() || !lines[line].starts_with("mac ") || !lines[line + 1].empty() ||
      !base::IsHex(lines[line].substr(4), 64)) {
    return bad;
  }
  if (!base::ConstantTimeEquals(m.Text(root), bytes)) {
    return absl::FailedPreconditionError(
        "the manifest was not made with this root key, or was changed: is this the right root key?");
  }
  return m;
}

}  // namespace waarborg::backup

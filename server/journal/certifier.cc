// SPDX-License-Identifier: EUPL-1.2
#include "server/journal/certifier.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "audit/certificate.h"
#include "audit/opening.h"
#include "server/journal/rows.h"
#include "server/keys/sealing.h"

namespace waarborg::journal {
namespace {

namespace pb = waarborg::v1;

// So many in one round, so that a great many do not hold up the log.
constexpr size_t kAtOnce = 500;

// Of the photo, or of the file. Empty when it is neither, or not like an id.
std::string NameOf(const pb::AuditRecord& record) {
  return record.photo_id().empty() ? record.ban_id() : record.photo_id();
}

bool LikeAnId(const std::string& id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

absl::Status Certifier::Round() {
  if (parts_.journal->certificates_waiting() == 0) return absl::OkStatus();
  const auto state = parts_.publisher->state();
  if (state == nullptr || state->lacking_since) return absl::OkStatus();  // witnesses first
  std::vector<std::pair<uint64_t, pb::OpeningRecord>> waiting;
  absl::Status broken;
  auto s = parts_.store->Scan("d/", "d/", [&](std::string_view row, std::string_view value) {
    auto plain = keys::Unseal(parts_.house_key, value, row);
    auto& [number, opening] = waiting.emplace_back();
    const auto read = IndexOf(row);
    if (!plain || !read || !opening.ParseFromString(*plain)) {
      broken = absl::DataLossError("what a certificate is made of does not open");
      return false;
    }
    number = *read;
    return waiting.size() < kAtOnce;
  });
  if (!s.ok()) return s;
  if (!broken.ok()) return broken;
  const std::vector<pb::LogRecord> logs = parts_.journal->Logs();
  std::vector<uint64_t> made;
  for (const auto& [number, opening] : waiting) {
    const auto log = std::find_if(logs.begin(), logs.end(), [n = number](const pb::LogRecord& l) {
      return l.first() <= n && n < l.first() + l.size();
    });
    pb::AuditRecord record;
    if (log == logs.end() || !record.ParseFromString(opening.record()) || !LikeAnId(NameOf(record))) {
      return absl::DataLossError("what a certificate is made of is damaged");
    }
    auto proof = parts_.publisher->Prove(log->origin(), number - log->first(),
                                         audit::Commit(opening.key(), opening.record()));
    if (!proof.ok()) {
      s = proof.status();  // a moment later
      break;
    }
    const auto certificate = audit::Certificate::Of({opening.key(), opening.record(), std::move(*proof)});
    if (!certificate.ok()) return absl::InternalError(certificate.error());
    if (s = parts_.folder->Write(absl::StrCat(FolderOf(log->origin()), "/", NameOf(record), ".txt"),
                                 certificate->Text(), /*durable=*/true);
        !s.ok()) {
      break;
    }
    made.push_back(number);
  }
  if (!made.empty()) {
    parts_.journal->Submit({[made](Turn& turn) {
                              for (uint64_t number : made) turn.Certified(number);
                            },
                            [](bool) {}});
  }
  return absl::IsUnavailable(s) ? absl::OkStatus() : s;
}

absl::StatusOr<std::string> Certifier::Find(const std::string& id) const {
  if (!LikeAnId(id)) return absl::NotFoundError("no such certificate");
  const std::vector<pb::LogRecord> logs = parts_.journal->Logs();
  for (auto log = logs.rbegin(); log != logs.rend(); ++log) {
    auto text = parts_.folder->Read(absl::StrCat(FolderOf(log->origin()), "/", id, ".txt"));
    if (!absl::IsNotFound(text.status())) return text;
  }
  return absl::NotFoundError("no such certificate");
}

}  // namespace waarborg::journal

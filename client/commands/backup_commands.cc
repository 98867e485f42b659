// SPDX-License-Identifier: EUPL-1.2
#include "absl/strings/str_cat.h"
#include "client/commands/parts.h"
#include "waarborg/v1/backups.grpc.pb.h"

namespace waarborg::client {
namespace {

Reply Make(Call& call) {
  std::shared_ptr<pb::CreateBackupResponse> response;
  Reply reply =
      Ask(call, &pb::BackupService::Stub::CreateBackup, pb::BackupService::NewStub(call.connection.channel()),
          pb::CreateBackupRequest(), response);
  if (!reply.ok()) return reply;
  reply.Fact("id", response->id());
  reply.Fact("entries", absl::StrCat(response->entries()));
  reply.Fact("bytes", absl::StrCat(response->bytes()));
  reply.Fact("keys-kept-until", Text(response->keys_kept_until()));
  reply.lines.push_back(
      absl::StrCat(call.Say("Back-up ", "Backup "), response->id(), ", ", response->bytes(), " bytes, ",
                   response->entries(),
                   call.Say(" regels van het logboek; nagekeken, zonder sleutels van foto's",
                            " entries of the log; checked, without keys of photos")));
  reply.lines.push_back(absl::StrCat(
      call.Say("De sleutels van de dossiers worden bewaard tot ", "The keys of the files are kept until "),
      Text(response->keys_kept_until()),
      call.Say("; breng beide naar een andere plaats, elk voor zich.",
               "; take both elsewhere, each apart.")));
  return reply;
}

}  // namespace

void AddBackupCommands(std::vector<Command>& out) {
  out.push_back({"backup", "Make a backup while the service works (administrator)", {}, Make});
}

}  // namespace waarborg::client

// SPDX-License-Identifier: EUPL-1.2
#include <cstdio>

#include "server/backup/backup.h"
#include "server/rpc/calls.h"
#include "server/state/codec.h"
#include "waarborg/v1/backups.grpc.pb.h"

namespace waarborg::rpc {
namespace {

using access::Credentials;
using access::Rpc;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;

void CreateBackup(Core& core, const Credentials& credentials, pb::CreateBackupResponse* out,
                  const Done& done) {
  auto backup = std::make_shared<std::shared_ptr<backup::Maker::Backup>>();
  // The moment is held on the writer's thread; what takes long is done by a worker; then it is logged.
  auto begin = [&core, backup](Context& c) -> Verdict {
    if (core.backups() == nullptr) return Refusal(Rule::kNoBackups);
    auto begun = core.backups()->Begin(c.now());
    if (begun.ok()) {
      *backup = std::move(*begun);
      return domain::kAllowed;
    }
    if (absl::IsFailedPrecondition(begun.status())) return Refusal(Rule::kNoBackups);
    std::fprintf(stderr, "waarborgd: a backup could not begin: %s\n",
                 std::string(begun.status().message()).c_str());
    return Refusal(absl::IsAlreadyExists(begun.status()) ? Rule::kBusy : Rule::kBackupFailed);
  };
  auto then = [&core, credentials, backup, out, done](Verdict verdict) {
    if (verdict) {
      done(std::move(verdict));
      return;
    }
    core.Offload(done, [&core, credentials, backup, out, done] {
      const absl::Status s = core.backups()->Finish(**backup);
      if (!s.ok()) {
        std::fprintf(stderr, "waarborgd: a backup failed: %s\n", std::string(s.message()).c_str());
      }
      core.Run(
          Rpc::kCreateBackup, credentials,
          [&core, backup, out, failed = !s.ok()](Context& c) -> Verdict {
            const backup::Manifest& m = (*backup)->manifest();
            c.record.set_subject_id(m.id);
            if (failed) return Refusal(Rule::kBackupFailed);
            out->set_id(m.id);
            *out->mutable_made_at() = state::ToProto(m.made);
            out->set_bytes((*backup)->bytes());
            out->set_origin(m.log_origin);
            out->set_entries(m.log_entries);
            *out->mutable_keys_kept_until() = state::ToProto(core.backups()->KeysKeptUntil(m.made));
            return domain::kAllowed;
          },
          done);
    });
  };
  core.Run(Rpc::kCreateBackup, credentials, begin, then, /*logged=*/false);
}

}  // namespace

Bound BindBackups(Server& server) {
  using S = pb::BackupService::AsyncService;
  auto service = std::make_unique<S>();
  Binder<S> b(server, service.get());
  Core& core = server.core();
  b.Unary<pb::CreateBackupRequest, pb::CreateBackupResponse>(
      Rpc::kCreateBackup, &S::RequestCreateBackup,
      [&core](const Credentials& who, const pb::CreateBackupRequest&, pb::CreateBackupResponse* out,
              const Done& done) { CreateBackup(core, who, out, done); });
  Arm arm = b.TakeArm();
  return {std::move(service), std::move(arm)};
}

}  // namespace waarborg::rpc

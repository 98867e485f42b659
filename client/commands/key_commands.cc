// SPDX-License-Identifier: EUPL-1.2
#include "absl/strings/str_cat.h"
#include "client/commands/parts.h"
#include "waarborg/v1/security_keys.grpc.pb.h"

namespace waarborg::client {
namespace {

using Stub = pb::SecurityKeyService::Stub;

std::unique_ptr<Stub> NewStub(const Call& call) {
  return pb::SecurityKeyService::NewStub(call.connection.channel());
}

Reply ListKeys(Call& call) {
  std::shared_ptr<pb::ListSecurityKeysResponse> response;
  Reply reply = Ask(call, &Stub::ListSecurityKeys, NewStub(call), pb::ListSecurityKeysRequest(), response);
  if (!reply.ok()) return reply;
  reply.Fact("count", absl::StrCat(response->keys_size()));
  for (const auto& key : response->keys()) {
    reply.Fact("key", key.id());
    reply.Fact("confirmed", key.confirmed() ? "yes" : "no");
    reply.lines.push_back(absl::StrCat(
        key.id(), "  ", Text(key.added_at()), "  ", key.label(),
        key.confirmed() ? "" : call.Say("  (wacht op een tweede persoon)", "  (waits for a second person)")));
  }
  if (response->keys().empty())
    reply.lines.push_back(call.Say("U heeft geen beveiligingssleutels.", "You have no security keys."));
  return reply;
}

Reply RemoveKey(Call& call) {
  pb::RemoveSecurityKeyRequest request;
  request.set_key_id(call.arguments.Get("id"));
  std::shared_ptr<pb::RemoveSecurityKeyResponse> response;
  return Tell(call, &Stub::RemoveSecurityKey, NewStub(call), request, response);
}

}  // namespace

void AddKeyCommands(std::vector<Command>& out) {
  out.push_back({"key list", "Your security keys; adding one needs a browser", {}, ListKeys});
  out.push_back({"key remove",
                 "Remove one of your security keys, or withdraw one that waits for a second person",
                 {{"id", Kind::kText, "the key, from `key list`", true}, KeyOption()},
                 RemoveKey});
}

}  // namespace waarborg::client

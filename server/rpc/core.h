// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/access/access.h"
#include "server/access/credentials.h"
#include "server/access/security_key.h"
#include "server/base/workers.h"
#include "server/domain/rules.h"
#include "server/journal/journal.h"
#include "server/journal/publisher.h"
#include "waarborg/v1/audit.pb.h"
#include "waarborg/v1/common.pb.h"

// The way every call takes, free of gRPC: who is asking, may they, do it at its place in the order, log it,
// and answer when the entry is durable. Handlers say only what is particular to their call.
namespace waarborg::backup {
class Maker;
}
namespace waarborg::journal {
class Certifier;
}
namespace waarborg::oidc {
class SignIn;
}

namespace waarborg::rpc {

namespace pb = ::waarborg::v1;

// What a handler sees. Lives on the writer's thread during the turn.
class Context {
 public:
  Context(journal::Turn& turn_in, access::Rpc rpc_in) : turn(turn_in), rpc(rpc_in) {}

  journal::Turn& turn;
  access::Rpc rpc;
  access::Asker asker;
  // The entry in the making; who, where, when and result are filled in by the core.
  pb::AuditRecord record;

  const state::World& world() const { return turn.world(); }
  const domain::Municipality& municipality() const { return turn.world().municipality(); }
  absl::Time now() const { return turn.now(); }
  const std::string& me() const { return asker.person->id; }

  // Proof that this call, once it is logged, stands at the next place of the log.
  void FillReceipt(const std::string& id, pb::Receipt& receipt) const;

  // Checks the conditions of the call's rows for this subject. Every handler of a call with conditions must
  // come by here: a call that did not is refused whatever it answered.
  domain::Verdict Require(const access::Subject& subject);
  // For a list: its conditions were checked item by item, and an empty list is an answer.
  void RequireNothing() { conditions_checked_ = true; }
  // A copy of the ban to work on, with its conditions checked; notes it in the entry. `subject` holds what
  // else they need to know.
  domain::Outcome<domain::Ban> RequireBan(const std::string& ban_id, access::Subject subject = {});
  // The role under which the call is allowed; after Require.
  const domain::HeldRole& role() const { return grant_.role; }
  // Notes where ban and release stand and stages the ban. Recipients that are asked about copies from now on
  // have an entry each.
  void Keep(domain::Ban ban);
  // The call repeats an earlier answer: station, session and role were checked again, the conditions held
  // when it was done.
  void RepeatAnswer() {
    conditions_checked_ = true;
    record.set_replayed(true);
  }
  // Words that belong to the entry: kept beside the record, encrypted, and committed to.
  void AddWords(const char* field, const std::string& text);
  // Further entries, after the call's own.
  std::vector<pb::AuditRecord> more_entries;

 private:
  friend class Core;
  std::vector<access::Grant> grants_;
  access::Grant grant_;
  bool conditions_checked_ = false;
  pb::Words words_;
};

// How a call ended: nothing, or why not. Called once, when the entry is durable.
using Done = std::function<void(domain::Verdict)>;
using Body = std::function<domain::Verdict(Context&)>;

class Core {
 public:
  struct Parts {
    journal::Journal* journal;
    base::Workers* workers;    // pictures, long reads
    base::Workers* passwords;  // whoever floods the one does not starve the other
    base::Random* random;
    access::HashCost hash_cost;
    std::string decoder;  // path of waarborg-decoder
    journal::Publisher* publisher =
        nullptr;                       // null: the log is not published, and nothing of it can be proved
    backup::Maker* backups = nullptr;  // null: none are made
    const journal::Certifier* certificates = nullptr;  // null: there are none
    oidc::SignIn* openid = nullptr;                    // null: nobody signs in with OpenID Connect
    base::Workers* network = nullptr;                  // waits for the sign-in service; needed with openid
    access::RelyingParty security_keys = {};           // not configured: nobody signs in with a key
  };
  explicit Core(const Parts& parts) : parts_(parts) {}

  // Identify, find the rows, run the body, log, answer. With `logged` false a success leaves no entry (a
  // first look that a second, logged one follows); a refusal always does.
  void Run(access::Rpc rpc, const access::Credentials& credentials, Body body, Done done,
           bool logged = true) {
    RunAs(logged ? Entered::kCall : Entered::kNothing, rpc, credentials, std::move(body), std::move(done));
  }
  // Goes on with a call that was entered and goes on by itself: the same way, but for what was asked once.
  // The call is not counted again, only what it adds has entries, and that it may not go on is no refusal of
  // anything somebody asked now.
  void GoOn(access::Rpc rpc, const access::Credentials& credentials, Body body, Done done) {
    RunAs(Entered::kMore, rpc, credentials, std::move(body), std::move(done));
  }

  // What a command adds: its idempotency key, and a receipt. `body` returns the id for the receipt.
  struct CommandInput {
    std::string idempotency_key;
    std::string request_bytes;  // for telling a repeat from another request under the same key
  };
  using CommandBody = std::function<domain::Outcome<std::string>(Context&)>;
  void RunCommand(access::Rpc rpc, const access::Credentials& credentials, CommandInput input,
                  pb::Receipt* receipt, CommandBody body, Done done);

  // Hands slow work to the workers; answers `busy` through `done` when they have too much.
  void Offload(const Done& done, std::function<void()> work) {
    Offload(*parts_.workers, done, std::move(work));
  }
  void OffloadPassword(const Done& done, std::function<void()> work) {
    Offload(*parts_.passwords, done, std::move(work));
  }

  void OffloadNetwork(const Done& done, std::function<void()> work) {
    Offload(*parts_.network, done, std::move(work));
  }

  journal::Journal& journal() { return *parts_.journal; }
  const journal::Publisher* publisher() const { return parts_.publisher; }
  const journal::Certifier* certificates() const { return parts_.certificates; }
  backup::Maker* backups() { return parts_.backups; }
  oidc::SignIn* openid() { return parts_.openid; }
  const access::RelyingParty& security_keys() const { return parts_.security_keys; }
  base::Random& random() { return *parts_.random; }
  const std::string& decoder() const { return parts_.decoder; }
  const access::HashCost& hash_cost() const { return parts_.hash_cost; }

  // Called on the writer's thread when a station or person has lost their rights: whoever serves streams ends
  // theirs.
  void OnRightsEnded(std::function<void(const std::string& key_fingerprint)> f) {
    rights_ended_ = std::move(f);
  }
  void RightsEnded(const std::string& key_fingerprint) {
    if (rights_ended_) rights_ended_(key_fingerprint);
  }

 private:
  // What of a run stands in the log.
  enum class Entered { kCall, kNothing, kMore };
  void RunAs(Entered entered, access::Rpc rpc, const access::Credentials& credentials, Body body, Done done);
  static void Offload(base::Workers& workers, const Done& done, std::function<void()> work);

  Parts parts_;
  std::function<void(const std::string&)> rights_ended_;
};

}  // namespace waarborg::rpc

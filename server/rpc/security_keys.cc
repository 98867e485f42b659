// SPDX-License-Identifier: EUPL-1.2
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/access/security_key.h"
#include "server/rpc/calls.h"
#include "server/rpc/propose.h"
#include "server/rpc/sign_in.h"
#include "server/state/codec.h"
#include "waarborg/v1/security_keys.grpc.pb.h"

namespace waarborg::rpc {
namespace {

using access::Ceremony;
using access::KeyFault;
using access::RelyingParty;
using access::Rpc;
using domain::ChangeKind;
using domain::ChangeState;
using domain::Outcome;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;

constexpr size_t kMaxLabel = 40;

int32_t TimeoutMs() {
  return static_cast<int32_t>(absl::ToInt64Milliseconds(state::Challenges::kLife));
}

// A fresh challenge for this station, for signing in or for a session.
std::string NewChallenge(Context& c, const std::string& session) {
  std::string challenge = c.turn.random().Bytes(access::kChallengeSize);
  c.turn.sessions().challenges.Add(c.asker.station->id, challenge, session, c.turn.clock_reading());
  return challenge;
}

bool TakeChallenge(Context& c, const std::string& challenge, const std::string& session) {
  return c.turn.sessions().challenges.Take(c.asker.station->id, challenge, session, c.turn.clock_reading());
}

// Changes by which this person waits for a key, the oldest first.
std::vector<const domain::Change*> WaitingKeys(const Context& c, const std::string& person_id) {
  std::vector<const domain::Change*> waiting;
  for (const auto& [id, change] : c.world().changes()) {
    if (change.kind == ChangeKind::kSecurityKey && change.state == ChangeState::kOpen &&
        change.subject_id == person_id) {
      waiting.push_back(&change);
    }
  }
  std::sort(waiting.begin(), waiting.end(), [](const auto* a, const auto* b) {
    return a->proposed_at != b->proposed_at ? a->proposed_at < b->proposed_at : a->id < b->id;
  });
  return waiting;
}

Verdict CheckRoomForKey(const Context& c) {
  if (c.asker.person->security_keys.size() + WaitingKeys(c, c.me()).size() >= domain::kMaxSecurityKeys) {
    return Refusal(Rule::kTooManySecurityKeys);
  }
  return domain::kAllowed;
}

void Reject(Context& c, const domain::Change& open) {
  domain::Change closed = open;
  closed.state = ChangeState::kRejected;
  closed.decided_by = c.asker.person == nullptr ? "" : c.me();
  c.turn.Put(std::move(closed));
}

Verdict BeginSignIn(Context& c, const RelyingParty& party, pb::BeginSignInResponse& out) {
  if (!party.configured()) return Refusal(Rule::kSecurityKeysOff);
  out.set_challenge(NewChallenge(c, ""));
  out.set_rp_id(party.id);
  out.set_timeout_ms(TimeoutMs());
  return domain::kAllowed;
}

Verdict BeginSecurityKey(Context& c, const RelyingParty& party, const pb::BeginSecurityKeyRequest& in,
                         pb::BeginSecurityKeyResponse& out) {
  if (!party.configured()) return Refusal(Rule::kSecurityKeysOff);
  if (!c.turn.sessions().FindSession(c.asker.session_digest)->full_sign_in)
    return Refusal(Rule::kFullSignInNeeded);
  if (auto v = CheckRoomForKey(c)) return v;
  domain::Person person = *c.asker.person;
  if (auto v = CheckThrottle(c, person.login)) return v;
  const auto step =
      access::AcceptTotp(person.totp_secret, in.code(), c.turn.clock_reading(), person.last_totp_step);
  if (!step) return NoteFailure(c, person.login, Rule::kCodeNotAccepted);
  c.turn.sessions().ForgetFailures(person.login, c.asker.station->id);
  person.last_totp_step = *step;
  if (person.user_handle.empty()) person.user_handle = c.turn.random().Bytes(access::kUserHandleSize);
  out.set_challenge(NewChallenge(c, c.asker.session_digest));
  out.set_rp_id(party.id);
  out.set_rp_name("Waarborg " + c.municipality().name);
  out.set_user_handle(person.user_handle);
  out.set_user_name(person.login);
  out.set_user_display_name(person.display_name);
  for (const auto& key : person.security_keys) out.add_exclude_credential_ids(key.credential_id);
  for (const auto* change : WaitingKeys(c, person.id)) {
    out.add_exclude_credential_ids(change->security_key.credential_id);
  }
  out.add_algorithms(access::kCoseEdDsa);
  out.add_algorithms(access::kCoseEs256);
  out.set_timeout_ms(TimeoutMs());
  c.turn.Put(std::move(person));
  return domain::kAllowed;
}

Refusal NotAccepted(const char* field, KeyFault fault) {
  return {Rule::kSecurityKeyNotAccepted, field, access::Explain(fault)};
}

Outcome<std::string> AddSecurityKey(Context& c, const RelyingParty& party,
                                    const pb::AddSecurityKeyRequest& in) {
  if (!party.configured()) return Rule::kSecurityKeysOff;
  if (in.label().empty()) return Refusal(Rule::kFieldMissing, "label");
  if (auto v = state::CheckText(in.label(), kMaxLabel, "label")) return *v;
  // It stands in one line of what the second person reads.
  if (in.label().find_first_of("\n\r\t") != std::string::npos) return Refusal(Rule::kFieldInvalid, "label");
  access::ClientData client_data;
  if (const KeyFault fault = ReadClientData(party, Ceremony::kCreate, in.client_data_json(), client_data);
      fault != KeyFault::kNone) {
    return NotAccepted("client_data_json", fault);
  }
  if (!TakeChallenge(c, client_data.challenge(), c.asker.session_digest)) {
    return Refusal(Rule::kSecurityKeyNotAccepted, "client_data_json",
                   "the challenge is not of this session, was used before, or is older than five minutes");
  }
  if (auto v = CheckRoomForKey(c)) return *v;
  domain::Change change;
  domain::SecurityKey& key = change.security_key;
  if (const KeyFault fault = CheckNewKey(party, client_data, in.attestation_object(), key);
      fault != KeyFault::kNone) {
    return NotAccepted("attestation_object", fault);
  }
  if (auto v = CheckSecurityKeyIsNew(c, key)) return *v;
  for (const auto* waiting : WaitingKeys(c, c.me())) {
    if (waiting->security_key.credential_id == key.credential_id) return Rule::kAlreadyExists;
  }
  key.id = c.turn.random().Id("S-");
  key.label = in.label();
  key.added_at = c.now();
  change.kind = ChangeKind::kSecurityKey;
  change.subject_id = c.me();
  change.summary = {absl::StrCat("security key for ", c.asker.person->login, ": \"", key.label, "\""),
                    "made at " + c.asker.station->id + " on " + base::FormatLocal(key.added_at),
                    "whoever holds it, and its PIN or finger, signs in as " + c.asker.person->login +
                        ": ask them whether they made it"};
  return Propose(c, std::move(change));
}

void Show(const domain::SecurityKey& key, bool confirmed, pb::SecurityKey& out) {
  out.set_id(key.id);
  out.set_label(key.label);
  *out.mutable_added_at() = state::ToProto(key.added_at);
  out.set_confirmed(confirmed);
}

Verdict ListSecurityKeys(Context& c, const pb::ListSecurityKeysRequest&, pb::ListSecurityKeysResponse& out) {
  for (const auto& key : c.asker.person->security_keys) Show(key, true, *out.add_keys());
  for (const auto* change : WaitingKeys(c, c.me())) Show(change->security_key, false, *out.add_keys());
  return domain::kAllowed;
}

Outcome<std::string> RemoveSecurityKey(Context& c, const pb::RemoveSecurityKeyRequest& in,
                                       pb::RemoveSecurityKeyResponse&) {
  domain::Person person = *c.asker.person;
  if (std::erase_if(person.security_keys, [&](const auto& key) { return key.id == in.key_id(); }) > 0) {
    c.record.set_subject_id(in.key_id());
    c.turn.Put(std::move(person));
    return in.key_id();
  }
  for (const auto* change : WaitingKeys(c, c.me())) {
    if (change->security_key.id != in.key_id()) continue;
    c.record.set_subject_id(in.key_id());
    Reject(c, *change);
    return in.key_id();
  }
  return Refusal(Rule::kNotFound, "key_id");
}

}  // namespace

Verdict CheckSecurityKeyIsNew(const Context& c, const domain::SecurityKey& key) {
  for (const auto& [id, person] : c.world().people()) {
    for (const auto& known : person.security_keys) {
      if (known.credential_id == key.credential_id) return Refusal(Rule::kAlreadyExists);
    }
  }
  return domain::kAllowed;
}

void RejectOpenSecurityKeys(Context& c, const std::string& person_id) {
  for (const auto* change : WaitingKeys(c, person_id)) Reject(c, *change);
}

Verdict OpenWithSecurityKey(Context& c, const RelyingParty& party, const pb::OpenSessionRequest& in,
                            pb::OpenSessionResponse& out) {
  if (!party.configured()) return Refusal(Rule::kSecurityKeysOff);
  if (!in.login().empty() || !in.password().empty() || !in.code().empty()) {
    return Refusal(Rule::kFieldInvalid, "security_key");
  }
  if (auto v = CountAttempt(c)) return v;
  const pb::SecurityKeyAssertion& shown = in.security_key();
  const Refusal failed(Rule::kSignInFailed);
  access::ClientData client_data;
  if (ReadClientData(party, Ceremony::kGet, shown.client_data_json(), client_data) != KeyFault::kNone)
    return failed;
  if (!TakeChallenge(c, client_data.challenge(), "")) return failed;
  const domain::Person* known = c.world().FindPersonByHandle(shown.user_handle());
  if (known == nullptr) return failed;
  domain::Person person = *known;
  const auto key = std::find_if(person.security_keys.begin(), person.security_keys.end(),
                                [&](const auto& k) { return k.credential_id == shown.credential_id(); });
  if (key == person.security_keys.end()) return failed;
  c.record.set_subject_id(key->id);
  if (CheckUse(party, client_data, *key, shown.authenticator_data(), shown.signature(), key->sign_count) !=
      KeyFault::kNone) {
    return failed;
  }
  if (!person.enrolled() || !person.WorksOn(c.turn.today())) return failed;
  GiveSession(c, person, {pb::SIGN_IN_MEANS_SECURITY_KEY, /*full=*/true}, in.replaces(), out);
  c.asker.person = c.world().FindPerson(person.id);
  c.turn.Put(std::move(person));
  return domain::kAllowed;
}

Bound BindSecurityKeys(Server& server) {
  using S = pb::SecurityKeyService::AsyncService;
  auto service = std::make_unique<S>();
  Binder<S> b(server, service.get());
  const RelyingParty& party = server.core().security_keys();
  b.Query<pb::BeginSignInRequest, pb::BeginSignInResponse>(
      Rpc::kBeginSignIn, &S::RequestBeginSignIn,
      [&party](Context& c, const auto&, auto& out) { return BeginSignIn(c, party, out); });
  b.Query<pb::BeginSecurityKeyRequest, pb::BeginSecurityKeyResponse>(
      Rpc::kBeginSecurityKey, &S::RequestBeginSecurityKey,
      [&party](Context& c, const auto& in, auto& out) { return BeginSecurityKey(c, party, in, out); });
  b.Command<pb::AddSecurityKeyRequest, pb::AddSecurityKeyResponse>(
      Rpc::kAddSecurityKey, &S::RequestAddSecurityKey,
      [&party](Context& c, const auto& in, auto&) { return AddSecurityKey(c, party, in); });
  b.Query<pb::ListSecurityKeysRequest, pb::ListSecurityKeysResponse>(
      Rpc::kListSecurityKeys, &S::RequestListSecurityKeys, ListSecurityKeys);
  b.Command<pb::RemoveSecurityKeyRequest, pb::RemoveSecurityKeyResponse>(
      Rpc::kRemoveSecurityKey, &S::RequestRemoveSecurityKey, RemoveSecurityKey);
  Arm arm = b.TakeArm();
  return {std::move(service), std::move(arm)};
}

}  // namespace waarborg::rpc

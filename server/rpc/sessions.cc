// SPDX-License-Identifier: EUPL-1.2
#include <atomic>
#include <cctype>
#include <memory>

#include "absl/strings/str_cat.h"
#include "server/base/hex.h"
#include "server/keys/sealing.h"
#include "server/rpc/calls.h"
#include "server/rpc/enrolment.h"
#include "server/rpc/sign_in.h"
#include "server/state/codec.h"
#include "waarborg/v1/sessions.grpc.pb.h"

namespace waarborg::rpc {
namespace {

using access::Credentials;
using access::Rpc;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;

constexpr int kFreeAttempts = 5;
constexpr absl::Duration kThrottle = absl::Minutes(1);
constexpr size_t kMinPassword = 12;
constexpr size_t kMaxPassword = 256;

// Attempts of a station in a minute, whatever the names; a shift change at a busy desk is far below it.
constexpr int kAttemptsPerMinute = 60;
constexpr int kUnderWayPerStation = 2;

// Quick change of person: who signed in here with the password not long ago comes back with a code only.
bool MayReturnWithCode(const Context& c, const std::string& person_id) {
  return c.world().LastFullSignIn(person_id, c.asker.station->id) + c.municipality().session_resume > c.now();
}

void Describe(Context& c, const domain::Person& person, const state::Session& session, pb::Session& out) {
  const domain::Municipality& m = c.municipality();
  out.set_person_id(person.id);
  out.set_display_name(person.display_name);
  for (const domain::HeldRole& held :
       access::LetThrough(person.RolesOn(c.turn.today()), session.only_roles)) {
    out.add_roles(static_cast<pb::Role>(static_cast<int>(held.role)));
  }
  out.set_station_id(c.asker.station->id);
  out.set_location_id(c.asker.station->location_id);
  out.set_idle_limit_seconds(static_cast<int32_t>(absl::ToInt64Seconds(m.session_idle)));
  *out.mutable_ends_at() = state::ToProto(session.opened_at + m.session_max);
}

// What is looked up before the slow part of signing in.
struct SignIn {
  std::string person_id;
  std::string password_hash;
  bool code_is_enough = false;
  Slot slot;
};

void OpenSession(Core& core, const Credentials& credentials, const pb::OpenSessionRequest& in,
                 pb::OpenSessionResponse* out, const Done& done) {
  if (in.has_openid()) {
    OpenSessionByOpenId(core, credentials, in, out, done);
    return;
  }
  if (in.has_security_key()) {
    core.Run(
        Rpc::kOpenSession, credentials,
        [&core, &in, out](Context& c) { return OpenWithSecurityKey(c, core.security_keys(), in, *out); },
        [out, done](Verdict v) {
          if (v) out->Clear();
          done(std::move(v));
        });
    return;
  }
  auto sign_in = std::make_shared<SignIn>();
  auto look_up = [sign_in, &in](Context& c) -> Verdict {
    if (in.login().size() > 40) return Refusal(Rule::kSignInFailed);
    if (auto v = CheckThrottle(c, in.login())) return v;
    auto slot = TakeSlot(c);
    if (!slot.ok()) return slot.refusal();
    sign_in->slot = *slot;
    const domain::Person* person = c.world().FindPersonByLogin(in.login());
    if (person == nullptr || !person->enrolled() || !person->WorksOn(c.turn.today())) return domain::kAllowed;
    sign_in->person_id = person->id;
    sign_in->password_hash = person->password_hash;
    sign_in->code_is_enough = in.password().empty() && MayReturnWithCode(c, person->id);
    return domain::kAllowed;
  };
  auto open = [sign_in, &in, out](Context& c, bool password_right) -> Verdict {
    if (auto v = CheckThrottle(c, in.login())) return v;
    const domain::Person* known = c.world().FindPerson(sign_in->person_id);
    if (known == nullptr || !known->WorksOn(c.turn.today()))
      return NoteFailure(c, in.login(), Rule::kSignInFailed);
    c.record.set_subject_id(known->id);
    const auto step =
        access::AcceptTotp(known->totp_secret, in.code(), c.turn.clock_reading(), known->last_totp_step);
    // The hash must still be the one that was checked: a reset in between voids it.
    const bool entitled = sign_in->code_is_enough ? MayReturnWithCode(c, known->id) : password_right;
    if (!entitled || !step || known->password_hash != sign_in->password_hash) {
      return NoteFailure(c, in.login(), Rule::kSignInFailed);
    }
    domain::Person person = *known;
    person.last_totp_step = *step;
    c.turn.sessions().ForgetFailures(in.login(), c.asker.station->id);
    const bool full = !sign_in->code_is_enough;
    const auto means = full ? pb::SIGN_IN_MEANS_PASSWORD_AND_CODE : pb::SIGN_IN_MEANS_CODE_ONLY;
    GiveSession(c, person, {means, full}, in.replaces(), *out);
    c.asker.person = c.world().FindPerson(person.id);
    c.turn.Put(std::move(person));
    return domain::kAllowed;
  };
  auto then = [&core, credentials, sign_in, &in, out, open, done](Verdict verdict) {
    if (verdict) {
      done(std::move(verdict));
      return;
    }
    core.OffloadPassword(done, [&core, credentials, sign_in, &in, out, open, done] {
      const bool right = sign_in->code_is_enough ||
                         access::VerifyPassword(sign_in->password_hash, in.password(), core.hash_cost());
      sign_in->slot.reset();
      core.Run(
          Rpc::kOpenSession, credentials, [open, right](Context& c) { return open(c, right); },
          [out, done](Verdict v) {
            if (v) out->Clear();
            done(std::move(v));
          });
    });
  };
  core.Run(Rpc::kOpenSession, credentials, look_up, then, /*logged=*/false);
}

void CompleteEnrolment(Core& core, const Credentials& credentials, const pb::CompleteEnrolmentRequest& in,
                       pb::CompleteEnrolmentResponse* out, const Done& done) {
  const std::string digest = EnrolmentDigest(FirstHalfDigest(in.first_half()), in.second_half());
  auto check = [digest, &in](Context& c) -> Verdict {
    if (in.login().size() > 40 || in.first_half().size() > 40 || in.second_half().size() > 40) {
      return Refusal(Rule::kEnrolmentFailed);
    }
    if (auto v = CheckThrottle(c, in.login())) return v;
    const domain::Person* person = c.world().FindPersonByLogin(in.login());
    if (person == nullptr || person->blocked || person->enrolment_digest.empty() ||
        !base::ConstantTimeEquals(person->enrolment_digest, digest)) {
      return NoteFailure(c, in.login(), Rule::kEnrolmentFailed);
    }
    c.record.set_subject_id(person->id);
    const std::string& password = in.password();
    if (password.size() < kMinPassword || password.size() > kMaxPassword ||
        password.find(in.login()) != std::string::npos) {
      return Refusal(Rule::kPasswordTooWeak, "password");
    }
    return domain::kAllowed;
  };
  auto slot = std::make_shared<Slot>();
  auto check_and_take = [check, slot](Context& c) -> Verdict {
    auto taken = TakeSlot(c);
    if (!taken.ok()) return taken.refusal();
    *slot = *taken;
    return check(c);
  };
  auto then = [&core, credentials, check, slot, &in, out, done](Verdict verdict) {
    if (verdict) {
      slot->reset();
      done(std::move(verdict));
      return;
    }
    core.OffloadPassword(done, [&core, credentials, check, slot, &in, out, done] {
      const std::string hash = access::HashPassword(in.password(), core.hash_cost());
      slot->reset();
      core.Run(
          Rpc::kCompleteEnrolment, credentials,
          [check, hash, &in, out](Context& c) -> Verdict {
            if (auto v = check(c)) return v;
            if (hash.empty()) return Refusal(Rule::kBusy);
            domain::Person person = *c.world().FindPersonByLogin(in.login());
            person.password_hash = hash;
            person.totp_secret = c.turn.random().Bytes(access::kTotpSecretSize);
            person.last_totp_step = 0;
            person.enrolment_digest.clear();
            EndSessionsOf(c, person.id);
            out->set_otpauth_uri(
                access::OtpauthUri(person.totp_secret, "Waarborg " + c.municipality().name, person.login));
            c.FillReceipt(person.id, *out->mutable_receipt());
            c.turn.Put(std::move(person));
            return domain::kAllowed;
          },
          [out, done](Verdict v) {
            if (v) out->Clear();
            done(std::move(v));
          });
    });
  };
  core.Run(Rpc::kCompleteEnrolment, credentials, check_and_take, then, /*logged=*/false);
}

Verdict CloseSession(Context& c, const pb::CloseSessionRequest&, pb::CloseSessionResponse& out) {
  c.turn.sessions().CloseSession(c.asker.session_digest);
  c.FillReceipt(c.me(), *out.mutable_receipt());
  return domain::kAllowed;
}

Verdict GetSession(Context& c, const pb::GetSessionRequest&, pb::GetSessionResponse& out) {
  Describe(c, *c.asker.person, *c.turn.sessions().FindSession(c.asker.session_digest),
           *out.mutable_session());
  return domain::kAllowed;
}

Verdict GetPolicy(Context&, const pb::GetPolicyRequest&, pb::GetPolicyResponse& out) {
  for (const access::Row& row : access::Policy()) {
    auto* p = out.add_rows();
    p->set_rpc(access::NameOf(row.rpc).method);
    p->set_service(access::NameOf(row.rpc).service);
    for (domain::Role role : row.roles.List()) p->add_roles(static_cast<pb::Role>(static_cast<int>(role)));
    p->set_caller(row.caller == access::Caller::kStation   ? "station"
                  : row.caller == access::Caller::kSession ? "session"
                                                           : "role");
    for (int i = 0; i < static_cast<int>(access::Condition::kCount); ++i) {
      const auto condition = static_cast<access::Condition>(i);
      if (row.conditions.Has(condition)) p->add_conditions(access::NameOf(condition));
    }
    p->set_logged(row.entry == access::Entry::kLogged);
  }
  return domain::kAllowed;
}

}  // namespace

namespace {

// As people write codes down: case, hyphens and spaces do not count.
std::string Plain(const std::string& half) {
  std::string out;
  for (char ch : half) {
    if (ch != '-' && ch != ' ') out += static_cast<char>(std::toupper(static_cast<unsigned char>(ch)));
  }
  return out;
}

}  // namespace

Verdict CountAttempt(Context& c) {
  if (c.turn.sessions().sign_ins.Count(c.asker.station->id, c.turn.clock_reading()) > kAttemptsPerMinute)
    return Refusal(Rule::kSignInThrottled);
  return domain::kAllowed;
}

Verdict CheckThrottle(Context& c, const std::string& login) {
  const auto failures = c.turn.sessions().FailuresOf(login, c.asker.station->id);
  // By the clock itself: time that stands still must not lock anybody out.
  const absl::Duration since = c.turn.clock_reading() - failures.last;
  if (failures.count >= kFreeAttempts && since >= absl::ZeroDuration() && since < kThrottle)
    return Refusal(Rule::kSignInThrottled);
  return domain::kAllowed;
}

Refusal NoteFailure(Context& c, const std::string& login, Rule rule) {
  c.turn.sessions().NoteFailure(login, c.asker.station->id, c.turn.clock_reading());
  return rule;
}

domain::Outcome<Slot> TakeSlot(Context& c, const std::string& kind) {
  state::World& world = c.turn.sessions();
  const std::string& station = c.asker.station->id;
  if (auto v = CountAttempt(c)) return *v;
  auto& under_way = world.sign_ins_under_way[kind + station];
  if (under_way == nullptr) under_way = std::make_shared<std::atomic<int>>(0);
  if (*under_way >= kUnderWayPerStation) return Rule::kBusy;
  ++*under_way;
  return Slot(nullptr, [count = under_way](void*) { --*count; });
}

void GiveSession(Context& c, const domain::Person& person, const SignedIn& how, const std::string& replaces,
                 pb::OpenSessionResponse& out) {
  const domain::Municipality& m = c.municipality();
  c.turn.sessions().CloseSessionsIf([&](const state::Session& s) {
    return s.last_used_at + m.session_idle <= c.now() || s.opened_at + m.session_max <= c.now();
  });
  if (!replaces.empty()) {
    const std::string digest = access::DigestOfToken(replaces);
    const state::Session* old = c.turn.sessions().FindSession(digest);
    if (old != nullptr && old->station_id == c.asker.station->id) c.turn.sessions().CloseSession(digest);
  }
  out.set_token(base::ToHex(c.turn.random().Bytes(32)));
  state::Session session;
  session.token_digest = access::DigestOfToken(out.token());
  session.person_id = person.id;
  session.station_id = c.asker.station->id;
  session.opened_at = c.now();
  session.last_used_at = c.now();
  session.full_sign_in = how.full;
  session.only_roles = how.only_roles;
  Describe(c, person, session, *out.mutable_session());
  c.turn.sessions().OpenSession(std::move(session));
  c.record.set_sign_in_means(how.means);
}

std::string NewHalf(base::Random& random) {
  std::string half = random.Id("");
  half.insert(5, "-");
  return half;
}

std::string FirstHalfDigest(const std::string& first_half) {
  return keys::Sha256("enrolment " + Plain(first_half));
}

std::string EnrolmentDigest(const std::string& first_half_digest, const std::string& second_half) {
  return keys::Sha256(absl::StrCat(first_half_digest, Plain(second_half)));
}

void EndSessionsOf(Context& c, const std::string& person_id) {
  c.turn.sessions().CloseSessionsIf([&](const state::Session& s) { return s.person_id == person_id; });
  c.turn.sessions().ForgetFullSignIns(
      [&](const std::string& person, const std::string&) { return person == person_id; });
}

Bound BindSessions(Server& server) {
  using S = pb::SessionService::AsyncService;
  auto service = std::make_unique<S>();
  Binder<S> b(server, service.get());
  Core& core = server.core();
  b.Unary<pb::CompleteEnrolmentRequest, pb::CompleteEnrolmentResponse>(
      Rpc::kCompleteEnrolment, &S::RequestCompleteEnrolment,
      [&core](const Credentials& who, const auto& in, auto* out, Done done) {
        CompleteEnrolment(core, who, in, out, done);
      });
  b.Unary<pb::OpenSessionRequest, pb::OpenSessionResponse>(
      Rpc::kOpenSession, &S::RequestOpenSession,
      [&core](const Credentials& who, const auto& in, auto* out, Done done) {
        OpenSession(core, who, in, out, done);
      });
  b.Unary<pb::BeginOpenIdRequest, pb::BeginOpenIdResponse>(
      Rpc::kBeginOpenId, &S::RequestBeginOpenId,
      [&core](const Credentials& who, const auto& in, auto* out, Done done) {
        BeginOpenId(core, who, in, out, done);
      });
  b.Query<pb::CloseSessionRequest, pb::CloseSessionResponse>(Rpc::kCloseSession, &S::RequestCloseSession,
                                                             CloseSession);
  b.Query<pb::GetSessionRequest, pb::GetSessionResponse>(Rpc::kGetSession, &S::RequestGetSession, GetSession);
  b.Query<pb::GetPolicyRequest, pb::GetPolicyResponse>(Rpc::kGetPolicy, &S::RequestGetPolicy, GetPolicy);
  Arm arm = b.TakeArm();
  return {std::move(service), std::move(arm)};
}

}  // namespace waarborg::rpc

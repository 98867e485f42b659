// SPDX-License-Identifier: EUPL-1.2
// Signing in with the municipality's own sign-in service. The station only sends the browser there and hands
// over what it brought back. Three steps, as wherever something takes long: a first look, the network on a
// worker, a second look at the entry's own place.
#include <cstdio>
#include <utility>

#include "server/oidc/sign_in.h"
#include "server/rpc/sign_in.h"
#include "server/state/codec.h"

namespace waarborg::rpc {
namespace {

using access::Credentials;
using access::Rpc;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;

constexpr char kKind[] = "openid ";

// What is wrong is for the administrator alone: whoever tries learns nothing from it.
Refusal Refuse(const std::string& station, const absl::Status& why) {
  std::fprintf(stderr, "waarborgd: signing in with OpenID Connect at %s: %s\n", station.c_str(),
               std::string(why.message()).c_str());
  return absl::IsUnavailable(why) ? Rule::kOpenIdUnreachable : Rule::kSignInFailed;
}

// What one call hands from its first look to its second.
struct Work {
  Slot slot;
  std::string station;
  absl::Time now;
  std::shared_ptr<const oidc::Attempt> attempt;
  absl::StatusOr<oidc::Claims> claims = absl::InternalError("nothing was asked");
  absl::StatusOr<std::string> endpoint = absl::InternalError("nothing was asked");
};

Verdict Take(Context& c, Core& core, Work& work) {
  if (core.openid() == nullptr) return Refusal(Rule::kOpenIdNotConfigured);
  auto slot = TakeSlot(c, kKind);
  if (!slot.ok()) return slot.refusal();
  work.slot = *slot;
  work.station = c.asker.station->id;
  // As for one-time codes: the clock itself, also while it is in doubt.
  work.now = c.turn.clock_reading();
  return domain::kAllowed;
}

Verdict Open(Context& c, const Work& work, const pb::OpenSessionRequest& in, pb::OpenSessionResponse& out) {
  if (!work.claims.ok()) return Refuse(work.station, work.claims.status());
  const oidc::Claims& claims = *work.claims;
  const domain::Person* person = c.world().FindPersonByLogin(claims.account);
  if (person == nullptr) return Refuse(work.station, absl::NotFoundError("there is no account of this name"));
  c.record.set_subject_id(person->id);
  // The sign-in service makes no accounts and gives no roles: two people did, here.
  if (!person->WorksOn(c.turn.today())) {
    return Refuse(work.station, absl::PermissionDeniedError("the account does not work today"));
  }
  if (access::LetThrough(person->RolesOn(c.turn.today()), claims.roles).empty()) {
    return Refuse(work.station, absl::PermissionDeniedError(
                                    "the claims let none of the account's roles through ([[openid.role]])"));
  }
  GiveSession(c, *person, {pb::SIGN_IN_MEANS_OPENID, /*full=*/false, claims.roles}, in.replaces(), out);
  c.asker.person = person;
  return domain::kAllowed;
}

}  // namespace

void BeginOpenId(Core& core, const Credentials& credentials, const pb::BeginOpenIdRequest& in,
                 pb::BeginOpenIdResponse* out, const Done& done) {
  auto work = std::make_shared<Work>();
  auto look_up = [&core, work, &in](Context& c) -> Verdict {
    if (auto v = Take(c, core, *work)) return v;
    if (!core.openid()->IsRedirectUri(in.redirect_uri())) {
      return Refusal(Rule::kFieldInvalid, "redirect_uri", "not one of redirect_uris under [openid]");
    }
    return domain::kAllowed;
  };
  auto begin = [&core, work, &in, out](Context& c) -> Verdict {
    if (!work->endpoint.ok()) return Refuse(work->station, work->endpoint.status());
    const auto attempt = core.openid()->attempts().Begin(c.asker.station->id, in.redirect_uri(),
                                                         c.turn.random(), c.turn.clock_reading());
    out->set_authorization_url(core.openid()->AuthorizationUrl(*work->endpoint, *attempt));
    out->set_state(attempt->state);
    *out->mutable_until() = state::ToProto(attempt->begun_at + oidc::Attempts::kLasts);
    return domain::kAllowed;
  };
  auto then = [&core, credentials, work, begin, out, done](Verdict verdict) {
    if (verdict) {
      work->slot.reset();
      done(std::move(verdict));
      return;
    }
    core.OffloadNetwork(done, [&core, credentials, work, begin, out, done] {
      work->endpoint = core.openid()->FindProvider(work->now);
      work->slot.reset();
      core.Run(Rpc::kBeginOpenId, credentials, begin, [out, done](Verdict v) {
        if (v) out->Clear();
        done(std::move(v));
      });
    });
  };
  core.Run(Rpc::kBeginOpenId, credentials, look_up, then, /*logged=*/false);
}

void OpenSessionByOpenId(Core& core, const Credentials& credentials, const pb::OpenSessionRequest& in,
                         pb::OpenSessionResponse* out, const Done& done) {
  auto work = std::make_shared<Work>();
  auto look_up = [&core, work, &in](Context& c) -> Verdict {
    if (!in.login().empty() || !in.password().empty() || !in.code().empty()) {
      return Refusal(Rule::kFieldInvalid, "openid", "login, password and code must be empty beside it");
    }
    if (auto v = Take(c, core, *work)) return v;
    work->attempt =
        core.openid()->attempts().Take(work->station, in.openid().state(), c.turn.clock_reading());
    if (work->attempt == nullptr) {
      return Refuse(work->station,
                    absl::NotFoundError("no attempt with this state: used, too old, or of another station"));
    }
    return domain::kAllowed;
  };
  auto open = [work, &in, out](Context& c) { return Open(c, *work, in, *out); };
  auto then = [&core, credentials, work, &in, out, open, done](Verdict verdict) {
    if (verdict) {
      work->slot.reset();
      done(std::move(verdict));
      return;
    }
    core.OffloadNetwork(done, [&core, credentials, work, &in, out, open, done] {
      work->claims = core.openid()->Redeem(*work->attempt, in.openid().code(), in.openid().iss(), work->now);
      work->slot.reset();
      core.Run(Rpc::kOpenSession, credentials, open, [out, done](Verdict v) {
        if (v) out->Clear();
        done(std::move(v));
      });
    });
  };
  core.Run(Rpc::kOpenSession, credentials, look_up, then, /*logged=*/false);
}

}  // namespace waarborg::rpc

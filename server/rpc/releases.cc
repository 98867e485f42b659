// SPDX-License-Identifier: EUPL-1.2
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/keys/sealing.h"
#include "server/photos/child.h"
#include "server/photos/photo.h"
#include "server/rpc/calls.h"
#include "server/rpc/show.h"
#include "server/state/codec.h"
#include "waarborg/v1/releases.grpc.pb.h"

namespace waarborg::rpc {
namespace {

using access::Credentials;
using access::Rpc;
using domain::Outcome;
using domain::PhotoEvent;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;

constexpr size_t kMaxReason = 2000;
constexpr size_t kMaxBasis = 500;
// Across every copy that leaves the house, in the language of who finds it.
constexpr char kHandedOut[] = "UITGEREIKT AAN POLITIE";

#define WB_CHECK(expression) \
  if (auto verdict_ = (expression)) return *verdict_

// Steps towards a photo need a ban that was decided and has not ended, of a person who is known.
Verdict CheckBanCarriesPhoto(const domain::Ban& ban, absl::Time now) {
  const bool decided = ban.state == domain::BanState::kActive || ban.state == domain::BanState::kExtended;
  if (!decided || now >= ban.ends_at) return Refusal(Rule::kBanNotInForce);
  if (!ban.identity.established) return Refusal(Rule::kIdentityNotEstablished);
  return domain::kAllowed;
}

Verdict CheckReason(const std::string& reason) {
  if (reason.empty()) return Refusal(Rule::kFieldMissing, "reason");
  return state::CheckText(reason, kMaxReason, "reason");
}

Outcome<std::string> RecordInformed(Context& c, const pb::RecordInformedRequest& in,
                                    pb::RecordInformedResponse&) {
  if (in.how() != pb::INFORMED_HOW_STOP_TALK && in.how() != pb::INFORMED_HOW_LETTER) {
    return Refusal(Rule::kFieldMissing, "how");
  }
  auto on = state::DayFrom(in.on(), "on");
  if (!on.ok()) return on.refusal();
  if (*on > c.turn.today()) return Refusal(Rule::kDateInFuture, "on");
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  domain::Release& release = ban.value().release;
  WB_CHECK(domain::Advance(release, PhotoEvent::kInform));
  release.informed_how = static_cast<domain::InformedHow>(static_cast<int>(in.how()));
  release.informed_on = *on;
  release.informed_by = c.me();
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

Outcome<std::string> RequestRelease(Context& c, const pb::RequestReleaseRequest& in,
                                    pb::RequestReleaseResponse&) {
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  WB_CHECK(CheckBanCarriesPhoto(*ban, c.now()));
  WB_CHECK(domain::Advance(ban.value().release, PhotoEvent::kRequest));
  ban.value().release.requested_by = c.me();
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

Outcome<std::string> DecideConsent(Context& c, const pb::DecideConsentRequest& in,
                                   pb::DecideConsentResponse&) {
  std::vector<domain::CriterionAnswer> answers;
  if (in.answers_size() > 50) return Refusal(Rule::kFieldTooLong, "answers");
  for (const auto& a : in.answers()) {
    WB_CHECK(state::CheckText(a.explanation(), 1000, "answers.explanation"));
    answers.push_back({a.criterion_id(), a.met(), a.explanation()});
  }
  if (in.consent()) {
    if (in.legal_basis_id().empty()) return Refusal(Rule::kFieldMissing, "legal_basis_id");
    if (c.municipality().FindLegalBasis(in.legal_basis_id()) == nullptr) {
      return Refusal(Rule::kUnknownLegalBasis, "legal_basis_id");
    }
  }
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  WB_CHECK(CheckBanCarriesPhoto(*ban, c.now()));
  domain::Release& release = ban.value().release;
  WB_CHECK(domain::Advance(release, in.consent() ? PhotoEvent::kConsent : PhotoEvent::kRefuse));
  WB_CHECK(domain::CheckCriteria(c.municipality(), answers, in.consent()));
  release.consent_by = c.me();
  release.answers = std::move(answers);
  if (in.consent()) release.legal_basis_id = in.legal_basis_id();
  for (const auto& a : in.answers()) c.AddWords("answers.explanation", a.explanation());
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

// Everything about a supply but the photo itself. Leaves the release advanced.
Outcome<domain::Ban> CheckSupply(Context& c, const pb::SupplyApproval& in) {
  if (!in.basis_checked() || !in.person_checked() || !in.photo_matches_person())
    return Rule::kChecksIncomplete;
  const domain::PhotoSource* source = c.municipality().FindSource(in.source_id());
  if (source == nullptr) return Refusal(Rule::kUnknownSource, "source_id");
  if (!source->allowed) return Refusal(Rule::kSourceNotAllowed, "source_id");
  if (c.municipality().FindLegalBasis(in.legal_basis_id()) == nullptr) {
    return Refusal(Rule::kUnknownLegalBasis, "legal_basis_id");
  }
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  WB_CHECK(CheckBanCarriesPhoto(*ban, c.now()));
  WB_CHECK(domain::Advance(ban.value().release, PhotoEvent::kSupply));
  if (ban->release.legal_basis_id != in.legal_basis_id()) {
    return Refusal(Rule::kLegalBasisNotConsented, "legal_basis_id");
  }
  return ban;
}

// The first look, before a byte of the file is taken in. A repeat of a supply that was done must still come
// through, so a release that moved on is no reason to stop here.
void FirstLook(Core& core, const Credentials& credentials, const pb::SupplyPhotoRequest& first, Done done) {
  auto body = [&first](Context& c) -> Verdict {
    auto ban = CheckSupply(c, first.approval());
    if (!ban.ok() && ban.refusal().rule != Rule::kWrongState) return ban.refusal();
    return domain::kAllowed;
  };
  core.Run(Rpc::kSupplyPhoto, credentials, body, std::move(done), /*logged=*/false);
}

void SupplyPhoto(Core& core, const Credentials& credentials, const pb::SupplyPhotoRequest& first,
                 std::string file, pb::SupplyPhotoResponse* out, const Done& done) {
  const bool too_large = file.size() > photos::kMaxBytes;
  if (too_large || first.approval().file_size() != static_cast<int64_t>(file.size())) {
    auto refuse = [&first, too_large](Context& c) -> Verdict {
      auto ban = c.RequireBan(first.approval().ban_id());
      if (!ban.ok()) return ban.refusal();
      return too_large ? Refusal(Rule::kPhotoTooLarge) : Refusal(Rule::kPhotoDamaged, "file_size");
    };
    core.Run(Rpc::kSupplyPhoto, credentials, refuse, done);
    return;
  }
  auto bytes = std::make_shared<std::string>(std::move(file));
  core.Offload(done, [&core, credentials, &first, bytes, out, done] {
    const std::string request = absl::StrCat(first.SerializeAsString(), keys::Sha256(*bytes));
    const pb::Crop& part = first.approval().crop();
    std::optional<photos::Crop> crop;
    if (first.approval().has_crop()) crop = {part.left(), part.top(), part.width(), part.height()};
    auto normalised =
        std::make_shared<Outcome<std::string>>(photos::NormaliseInChild(core.decoder(), *bytes, crop));
    base::Wipe(*bytes);
    auto body = [&first, normalised, out](Context& c) -> Outcome<std::string> {
      auto ban = CheckSupply(c, first.approval());
      if (!ban.ok()) return ban.refusal();
      if (!normalised->ok()) return normalised->refusal();
      domain::Release& release = ban.value().release;
      release.supplied_by = c.me();
      release.source_id = first.approval().source_id();
      release.photo_id = c.turn.random().Id("F-");
      out->set_photo_id(release.photo_id);
      c.turn.PutPhoto(release.photo_id, normalised->value());
      base::Wipe(normalised->value());
      std::string id = ban->id;
      c.Keep(std::move(ban.value()));
      return id;
    };
    core.RunCommand(Rpc::kSupplyPhoto, credentials, {first.approval().idempotency_key(), request},
                    out->mutable_receipt(), body, done);
  });
}

Outcome<std::string> DeclineSupply(Context& c, const pb::DeclineSupplyRequest& in,
                                   pb::DeclineSupplyResponse&) {
  WB_CHECK(CheckReason(in.reason()));
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  WB_CHECK(domain::Advance(ban.value().release, PhotoEvent::kDecline));
  ban.value().release.supplied_by = c.me();
  c.AddWords("reason", in.reason());
  ban.value().release.decline_reason = in.reason();
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

// The core may be without a publisher, then nothing is waited for.
Outcome<std::string> ReleasePhoto(Context& c, const journal::Publisher* publisher,
                                  const pb::ReleasePhotoRequest& in) {
  WB_CHECK(state::CheckText(in.on_call_basis(), kMaxReason, "on_call_basis"));
  std::vector<std::string> units(in.recipient_unit_ids().begin(), in.recipient_unit_ids().end());
  if (units.empty()) return Refusal(Rule::kFieldMissing, "recipient_unit_ids");
  for (const std::string& id : units) {
    const domain::Unit* unit = c.municipality().FindUnit(id);
    if (unit == nullptr) return Refusal(Rule::kUnknownUnit, "recipient_unit_ids");
    if (!unit->may_see_photos) return Refusal(Rule::kUnitMayNotSeePhotos, "recipient_unit_ids");
  }
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  WB_CHECK(CheckBanCarriesPhoto(*ban, c.now()));
  domain::Release& release = ban.value().release;
  WB_CHECK(domain::Advance(release, PhotoEvent::kRelease));
  if (publisher != nullptr && c.municipality().release_waits_for_witnesses && in.on_call_basis().empty() &&
      publisher->WaitsForWitnesses(c.municipality())) {
    return Rule::kLogNotWitnessed;
  }
  c.record.set_on_call(!in.on_call_basis().empty());
  c.AddWords("on_call_basis", in.on_call_basis());
  release.released_by = c.me();
  for (const std::string& id : units) c.record.add_recipient_unit_ids(id);
  release.recipient_unit_ids = std::move(units);
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

Outcome<std::string> DarkenPhoto(Context& c, const pb::DarkenPhotoRequest& in, pb::DarkenPhotoResponse&) {
  WB_CHECK(CheckReason(in.reason()));
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  WB_CHECK(domain::Advance(ban.value().release, PhotoEvent::kDarken));
  ban.value().release.darken_reason = in.reason();
  ban.value().release.darkened_by = c.me();
  c.AddWords("reason", in.reason());
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

Outcome<std::string> RestorePhoto(Context& c, const pb::RestorePhotoRequest& in, pb::RestorePhotoResponse&) {
  WB_CHECK(CheckReason(in.reason()));
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  WB_CHECK(CheckBanCarriesPhoto(*ban, c.now()));
  WB_CHECK(domain::Advance(ban.value().release, PhotoEvent::kRestore));
  c.AddWords("reason", in.reason());
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

Outcome<std::string> WithdrawWrongPhoto(Context& c, const pb::WithdrawWrongPhotoRequest& in,
                                        pb::WithdrawWrongPhotoResponse&) {
  WB_CHECK(CheckReason(in.reason()));
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  WB_CHECK(domain::WithdrawWrong(c.municipality(), ban.value().release, c.now()));
  c.record.set_destruction_reason(pb::DESTRUCTION_REASON_WRONG_PHOTO);
  c.AddWords("reason", in.reason());
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

Outcome<std::string> DecidePhotoObjection(Context& c, const pb::DecidePhotoObjectionRequest& in,
                                          pb::DecidePhotoObjectionResponse&) {
  if (in.reasons().empty()) return Refusal(Rule::kFieldMissing, "reasons");
  WB_CHECK(state::CheckText(in.reasons(), 4000, "reasons"));
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  domain::Release& release = ban.value().release;
  if (domain::IsFinal(ban->state) || release.objection_upheld) return Rule::kWrongState;
  release.objections.push_back({in.upheld(), in.reasons(), c.me(), c.now()});
  if (in.upheld()) {
    release.objection_upheld = true;
    domain::EndRelease(c.municipality(), release, domain::DestructionReason::kObjectionUpheld, c.now());
    c.record.set_destruction_reason(pb::DESTRUCTION_REASON_OBJECTION_UPHELD);
  }
  c.AddWords("reasons", in.reasons());
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

// The unit of this person that was named and still may see photos: it answers for the copy.
std::string RecipientUnit(const Context& c, const domain::Release& release) {
  for (const std::string& id : c.asker.person->assignment.unit_ids) {
    const domain::Unit* unit = c.municipality().FindUnit(id);
    const auto& named = release.recipient_unit_ids;
    if (unit != nullptr && unit->may_see_photos && std::find(named.begin(), named.end(), id) != named.end()) {
      return id;
    }
  }
  return "";
}

void ExportPhoto(Core& core, const Credentials& credentials, const pb::ExportPhotoRequest& in,
                 std::string* bytes, Done done) {
  PhotoWanted wanted{.ban_id = in.ban_id(), .purpose = in.purpose(), .as = kHandedOut};
  wanted.wrong = in.basis().empty() ? Refusal(Rule::kFieldMissing, "basis")
                                    : state::CheckText(in.basis(), kMaxBasis, "basis");
  wanted.entered = [basis = in.basis()](Context& c, domain::Ban ban) -> Verdict {
    const std::string unit_id = RecipientUnit(c, ban.release);
    if (auto v = domain::AddExport(ban.release, unit_id, c.me(), basis, c.now())) return v;
    c.record.set_unit_id(unit_id);
    c.AddWords("basis", basis);
    c.Keep(std::move(ban));
    return domain::kAllowed;
  };
  ShowPhoto(core, Rpc::kExportPhoto, credentials, wanted, bytes, std::move(done));
}

Outcome<std::string> ConfirmCopiesGone(Context& c, const pb::ConfirmCopiesGoneRequest& in,
                                       pb::ConfirmCopiesGoneResponse&) {
  if (in.unit_id().empty()) return Refusal(Rule::kFieldMissing, "unit_id");
  WB_CHECK(state::CheckText(in.note(), kMaxReason, "note"));
  // Only a unit that exists goes into the log: what a caller makes up might be a name.
  if (c.municipality().FindUnit(in.unit_id()) != nullptr) c.record.set_unit_id(in.unit_id());
  auto ban = c.RequireBan(in.ban_id(), {.unit_id = in.unit_id()});
  if (!ban.ok()) return ban.refusal();
  // Who speaks for others says on whose word.
  if (c.role().role == domain::Role::kSecurityCoordinator && in.note().empty()) {
    return Refusal(Rule::kFieldMissing, "note");
  }
  auto photo_ids = domain::ConfirmCopiesGone(ban.value().release,
                                             {in.unit_id(), in.copies_found(), in.note(), c.me()}, c.now());
  if (!photo_ids.ok()) return photo_ids.refusal();
  c.AddWords("note", in.note());
  c.Keep(std::move(ban.value()));
  c.record.set_unit_id(in.unit_id());
  c.record.set_copies_found(in.copies_found());
  c.record.set_photo_id(photo_ids->front());
  // An entry for each photo, of which the call's own is the first.
  for (size_t i = 1; i < photo_ids->size(); ++i) {
    pb::AuditRecord more = c.record;
    more.set_event(access::NameOf(c.rpc).method);
    more.set_photo_id((*photo_ids)[i]);
    c.more_entries.push_back(std::move(more));
  }
  return in.ban_id();
}

#undef WB_CHECK

}  // namespace

Bound BindReleases(Server& server) {
  using S = pb::PhotoReleaseService::AsyncService;
  auto service = std::make_unique<S>();
  Binder<S> b(server, service.get());
  Core& core = server.core();
  b.Command<pb::RecordInformedRequest, pb::RecordInformedResponse>(Rpc::kRecordInformed,
                                                                   &S::RequestRecordInformed, RecordInformed);
  b.Command<pb::RequestReleaseRequest, pb::RequestReleaseResponse>(Rpc::kRequestRelease,
                                                                   &S::RequestRequestRelease, RequestRelease);
  b.Command<pb::DecideConsentRequest, pb::DecideConsentResponse>(Rpc::kDecideConsent,
                                                                 &S::RequestDecideConsent, DecideConsent);
  b.BytesIn<pb::SupplyPhotoRequest, pb::SupplyPhotoResponse>(
      Rpc::kSupplyPhoto, &S::RequestSupplyPhoto,
      [&core](const Credentials& who, const pb::SupplyPhotoRequest& first, Done done) {
        FirstLook(core, who, first, std::move(done));
      },
      [&core](const Credentials& who, const pb::SupplyPhotoRequest& first, std::string bytes,
              pb::SupplyPhotoResponse* out,
              Done done) { SupplyPhoto(core, who, first, std::move(bytes), out, done); },
      photos::kMaxBytes);
  b.Command<pb::DeclineSupplyRequest, pb::DeclineSupplyResponse>(Rpc::kDeclineSupply,
                                                                 &S::RequestDeclineSupply, DeclineSupply);
  b.BytesOut<pb::PreviewPhotoRequest, pb::PreviewPhotoResponse>(
      Rpc::kPreviewPhoto, &S::RequestPreviewPhoto,
      [&core](const Credentials& who, const pb::PreviewPhotoRequest& in, std::string* bytes, Done done) {
        ShowPhoto(core, Rpc::kPreviewPhoto, who, {.ban_id = in.ban_id()}, bytes, std::move(done));
      });
  b.Command<pb::ReleasePhotoRequest, pb::ReleasePhotoResponse>(
      Rpc::kReleasePhoto, &S::RequestReleasePhoto,
      [publisher = core.publisher()](Context& c, const auto& in, auto&) {
        return ReleasePhoto(c, publisher, in);
      });
  b.Command<pb::DarkenPhotoRequest, pb::DarkenPhotoResponse>(Rpc::kDarkenPhoto, &S::RequestDarkenPhoto,
                                                             DarkenPhoto);
  b.Command<pb::RestorePhotoRequest, pb::RestorePhotoResponse>(Rpc::kRestorePhoto, &S::RequestRestorePhoto,
                                                               RestorePhoto);
  b.Command<pb::WithdrawWrongPhotoRequest, pb::WithdrawWrongPhotoResponse>(
      Rpc::kWithdrawWrongPhoto, &S::RequestWithdrawWrongPhoto, WithdrawWrongPhoto);
  b.Command<pb::DecidePhotoObjectionRequest, pb::DecidePhotoObjectionResponse>(
      Rpc::kDecidePhotoObjection, &S::RequestDecidePhotoObjection, DecidePhotoObjection);
  b.BytesOut<pb::ExportPhotoRequest, pb::ExportPhotoResponse>(
      Rpc::kExportPhoto, &S::RequestExportPhoto,
      [&core](const Credentials& who, const pb::ExportPhotoRequest& in, std::string* bytes, Done done) {
        ExportPhoto(core, who, in, bytes, std::move(done));
      });
  b.Command<pb::ConfirmCopiesGoneRequest, pb::ConfirmCopiesGoneResponse>(
      Rpc::kConfirmCopiesGone, &S::RequestConfirmCopiesGone, ConfirmCopiesGone);
  Arm arm = b.TakeArm();
  return {std::move(service), std::move(arm)};
}

}  // namespace waarborg::rpc

// SPDX-License-Identifier: EUPL-1.2
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/commands/parts.h"
#include "client/commands/photo_stream.h"
#include "client/core/photo_pieces.h"
#include "waarborg/v1/releases.grpc.pb.h"

namespace waarborg::client {
namespace {

using Stub = pb::PhotoReleaseService::Stub;

std::unique_ptr<Stub> NewStub(const Call& call) {
  return pb::PhotoReleaseService::NewStub(call.connection.channel());
}

// A step that takes a ban and perhaps a reason.
template <class Req, class Res>
std::function<Reply(Call&)> Step(grpc::Status (Stub::*method)(grpc::ClientContext*, const Req&, Res*),
                                 std::function<void(const Arguments&, Req&)> fill) {
  return [method, fill](Call& call) {
    Req request;
    request.set_ban_id(call.arguments.Get("ban"));
    fill(call.arguments, request);
    std::shared_ptr<Res> response;
    return Tell(call, method, NewStub(call), request, response);
  };
}

template <class Req>
void FillReason(const Arguments& a, Req& request) {
  request.set_reason(a.Get("reason"));
}

void FillConsent(const Arguments& a, bool consent, pb::DecideConsentRequest& request) {
  request.set_consent(consent);
  for (const std::string& text : a.All("answer")) {
    const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits('|', 2));
    if (parts.size() != 3 || (parts[1] != "yes" && parts[1] != "no")) {
      throw BadOption{"answer must be \"criterion|yes|explanation\" or \"criterion|no|explanation\""};
    }
    auto* answer = request.add_answers();
    answer->set_criterion_id(parts[0]);
    answer->set_met(parts[1] == "yes");
    answer->set_explanation(parts[2]);
  }
  request.set_legal_basis_id(a.Get("basis"));
}

Reply Supply(Call& call) {
  const Arguments& a = call.arguments;
  const std::string file = ReadFileBytes("file", a.Get("file"));
  pb::SupplyApproval approval;
  approval.set_idempotency_key(a.Has("key") ? a.Get("key") : NewIdempotencyKey());
  approval.set_ban_id(a.Get("ban"));
  approval.set_source_id(a.Get("source"));
  approval.set_legal_basis_id(a.Get("basis"));
  approval.set_basis_checked(a.Has("basis-checked"));
  approval.set_person_checked(a.Has("person-checked"));
  approval.set_photo_matches_person(a.Has("photo-checked"));
  approval.set_file_size(static_cast<int64_t>(file.size()));

  if (a.Has("crop")) {
    const std::vector<std::string> parts = a.List("crop");
    if (parts.size() != 4) throw BadOption{"crop must be LEFT,TOP,WIDTH,HEIGHT in pixels"};
    pb::Crop& crop = *approval.mutable_crop();
    crop.set_left(ReadCount("crop", parts[0]));
    crop.set_top(ReadCount("crop", parts[1]));
    crop.set_width(ReadCount("crop", parts[2]));
    crop.set_height(ReadCount("crop", parts[3]));
  }

  Reply reply;
  auto response = std::make_shared<pb::SupplyPhotoResponse>();
  reply.error = SendPhoto(call.connection, kPatience, approval, file, *response);
  if (!reply.ok()) return reply;
  reply.message = response;
  AddReceipt(call, reply, response->receipt());
  reply.Fact("photo", response->photo_id());
  return reply;
}

Reply Preview(Call& call) {
  pb::PreviewPhotoRequest request;
  request.set_ban_id(call.arguments.Get("ban"));
  return ReceivePhoto<pb::PreviewPhotoResponse>(
      call, [&](grpc::ClientContext& context) { return NewStub(call)->PreviewPhoto(&context, request); });
}

Reply Export(Call& call) {
  const Arguments& a = call.arguments;
  pb::ExportPhotoRequest request;
  request.set_ban_id(a.Get("ban"));
  request.set_purpose(ReadPurpose(a, "incident"));
  request.set_basis(a.Get("basis"));
  Reply reply = ReceivePhoto<pb::ExportPhotoResponse>(
      call, [&](grpc::ClientContext& context) { return NewStub(call)->ExportPhoto(&context, request); });
  if (reply.ok()) {
    reply.lines.push_back(
        call.Say("Uitgereikt: eindigt het verbod, dan bevestigt u dat ook deze kopie vernietigd is.",
                 "Handed out: when the ban ends, you confirm that this copy is destroyed as well."));
  }
  return reply;
}

}  // namespace

std::pair<int, int> JpegSize(const std::string& jpeg) {
  auto byte = [&](size_t i) { return static_cast<int>(static_cast<unsigned char>(jpeg[i])); };
  for (size_t at = 2; at + 9 < jpeg.size() && byte(at) == 0xFF;) {
    const int marker = byte(at + 1);
    if (marker >= 0xC0 && marker <= 0xC2)
      return {byte(at + 7) << 8 | byte(at + 8), byte(at + 5) << 8 | byte(at + 6)};
    at += 2 + static_cast<size_t>(byte(at + 2) << 8 | byte(at + 3));
  }
  return {0, 0};
}

void AddPhotoCommands(std::vector<Command>& out) {
  const Option reason{"reason", Kind::kText, "why"};
  const Option answers{"answer", Kind::kMany, "one for each criterion, as \"criterion|yes|explanation\""};
  const Option basis{"basis", Kind::kText, "legal basis, from the configuration"};
  out.push_back({"photo inform",
                 "Record that the person was told about the photo",
                 {BanOption(),
                  {"how", Kind::kWord, "stop-talk or letter", true},
                  {"on", Kind::kDate, "on which day", true},
                  KeyOption()},
                 Step<pb::RecordInformedRequest, pb::RecordInformedResponse>(
                     &Stub::RecordInformed, [](const Arguments& a, pb::RecordInformedRequest& r) {
                       r.set_how(static_cast<pb::InformedHow>(
                           ReadEnum("how", a.Get("how"), pb::InformedHow_descriptor())));
                       *r.mutable_on() = ReadDate("on", a.Get("on"), false);
                     })});
  out.push_back({"photo request",
                 "Ask the manager for consent",
                 {BanOption(), KeyOption()},
                 Step<pb::RequestReleaseRequest, pb::RequestReleaseResponse>(
                     &Stub::RequestRelease, [](const Arguments&, pb::RequestReleaseRequest&) {})});
  out.push_back({"photo consent",
                 "Consent to the photo",
                 {BanOption(), answers, basis, KeyOption()},
                 Step<pb::DecideConsentRequest, pb::DecideConsentResponse>(
                     &Stub::DecideConsent,
                     [](const Arguments& a, pb::DecideConsentRequest& r) { FillConsent(a, true, r); })});
  out.push_back({"photo refuse",
                 "Refuse consent to the photo",
                 {BanOption(), answers, KeyOption()},
                 Step<pb::DecideConsentRequest, pb::DecideConsentResponse>(
                     &Stub::DecideConsent,
                     [](const Arguments& a, pb::DecideConsentRequest& r) { FillConsent(a, false, r); })});
  out.push_back({"photo supply",
                 "Approve the release and supply the photo (Burgerzaken)",
                 {BanOption(),
                  {"file", Kind::kFile, "JPEG or PNG", true},
                  {"source", Kind::kText, "source of the photo, from the configuration", true},
                  {"basis", Kind::kText, "legal basis, the one of the consent", true},
                  {"basis-checked", Kind::kFlag, "I checked the basis"},
                  {"person-checked", Kind::kFlag, "I checked who the person is"},
                  {"photo-checked", Kind::kFlag, "I checked that the photo belongs to the person"},
                  {"crop", Kind::kList, "the part to take, LEFT,TOP,WIDTH,HEIGHT in pixels, 35 to 45"},
                  KeyOption()},
                 Supply});
  out.push_back({"photo decline",
                 "Decline to supply, to Juridische Zaken (Burgerzaken)",
                 {BanOption(), reason, KeyOption()},
                 Step<pb::DeclineSupplyRequest, pb::DeclineSupplyResponse>(
                     &Stub::DeclineSupply, FillReason<pb::DeclineSupplyRequest>)});
  out.push_back({"photo preview",
                 "Look at what was supplied, before release (Burgerzaken)",
                 {BanOption(), {"out", Kind::kOut, "file to write the watermarked JPEG to"}},
                 Preview});
  out.push_back(
      {"photo release",
       "Release the photo to named recipients",
       {BanOption(),
        {"to", Kind::kList, "units, from the configuration", true},
        {"on-call", Kind::kText, "why it cannot wait for the witnesses of the log; a signal to the auditor"},
        KeyOption()},
       Step<pb::ReleasePhotoRequest, pb::ReleasePhotoResponse>(
           &Stub::ReleasePhoto, [](const Arguments& a, pb::ReleasePhotoRequest& r) {
             for (const std::string& unit : a.List("to")) r.add_recipient_unit_ids(unit);
             r.set_on_call_basis(a.Get("on-call"));
           })});
  out.push_back({"photo darken",
                 "Nobody sees the photo until it is restored",
                 {BanOption(), reason, KeyOption()},
                 Step<pb::DarkenPhotoRequest, pb::DarkenPhotoResponse>(&Stub::DarkenPhoto,
                                                                       FillReason<pb::DarkenPhotoRequest>)});
  out.push_back({"photo restore",
                 "Undo darkening",
                 {BanOption(), reason, KeyOption()},
                 Step<pb::RestorePhotoRequest, pb::RestorePhotoResponse>(
                     &Stub::RestorePhoto, FillReason<pb::RestorePhotoRequest>)});
  out.push_back({"photo wrong",
                 "The supplied photo is of somebody else: destroy it",
                 {BanOption(), reason, KeyOption()},
                 Step<pb::WithdrawWrongPhotoRequest, pb::WithdrawWrongPhotoResponse>(
                     &Stub::WithdrawWrongPhoto, FillReason<pb::WithdrawWrongPhotoRequest>)});
  out.push_back({"photo objection",
                 "Record the decision on an objection to the photo",
                 {BanOption(),
                  {"upheld", Kind::kFlag, "upheld: the photo is destroyed; left out: dismissed"},
                  {"reasons", Kind::kText, "reasons of the decision"},
                  KeyOption()},
                 Step<pb::DecidePhotoObjectionRequest, pb::DecidePhotoObjectionResponse>(
                     &Stub::DecidePhotoObjection, [](const Arguments& a, pb::DecidePhotoObjectionRequest& r) {
                       r.set_upheld(a.Has("upheld"));
                       r.set_reasons(a.Get("reasons"));
                     })});
  out.push_back({"photo export",
                 "Take the photo as a file, on a recorded basis (police contact)",
                 {BanOption(),
                  {"out", Kind::kOut, "file to write the watermarked JPEG to", true},
                  {"purpose", Kind::kWord, "incident (default), sighting, briefing or visitor-at-desk"},
                  {"basis", Kind::kText, "on what basis: proces-verbaal ..., without names"}},
                 Export});
  out.push_back({"photo confirm-gone",
                 "Confirm that a unit has no copy left of a photo that is gone",
                 {BanOption(),
                  {"unit", Kind::kText, "the unit, from the configuration", true},
                  {"found", Kind::kFlag, "copies were found, and destroyed; left out: nothing was found"},
                  {"note", Kind::kText, "anything to add; on behalf of a unit (T&V): on whose word"},
                  KeyOption()},
                 Step<pb::ConfirmCopiesGoneRequest, pb::ConfirmCopiesGoneResponse>(
                     &Stub::ConfirmCopiesGone, [](const Arguments& a, pb::ConfirmCopiesGoneRequest& r) {
                       r.set_unit_id(a.Get("unit"));
                       r.set_copies_found(a.Has("found"));
                       r.set_note(a.Get("note"));
                     })});
}

}  // namespace waarborg::client

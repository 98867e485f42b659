// SPDX-License-Identifier: EUPL-1.2
#include <google/protobuf/message.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "server/domain/subject.h"
#include "server/rpc/calls.h"
#include "server/rpc/log_reading.h"
#include "server/rpc/steps.h"
#include "server/state/codec.h"
#include "waarborg/v1/subjects.grpc.pb.h"

namespace waarborg::rpc {
namespace {

using access::Credentials;
using access::Rpc;
using domain::Outcome;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;
using journal::LogEntry;

constexpr int kMaxPage = 1000;
constexpr size_t kMaxReason = 2000;

Verdict FindSubject(Context& c, const pb::FindSubjectRequest& in, pb::FindSubjectResponse& out) {
  auto name = state::NameFrom(in.name(), "name");
  if (!name.ok()) return name.refusal();
  if (name->surname.empty()) return Refusal(Rule::kFieldMissing, "name.surname");
  auto birth_date = state::BirthDateFrom(in.birth_date(), "birth_date");
  if (!birth_date.ok()) return birth_date.refusal();
  if (!birth_date->known()) return Refusal(Rule::kFieldMissing, "birth_date");
  for (const auto& [id, ban] : c.world().bans()) {
    const domain::About about = domain::LookUp(ban, *name, *birth_date);
    if (about == domain::About::kOthers) continue;
    pb::FoundFile& found = *out.add_files();
    const pb::Ban file = state::ToProto(ban);
    found.set_ban_id(id);
    found.set_state(file.state());
    *found.mutable_opened_at() = file.proposed_at();
    if (file.has_starts_at() && ban.ends_at > ban.starts_at) {
      *found.mutable_starts_at() = file.starts_at();
      *found.mutable_ends_at() = file.ends_at();
    }
    found.set_corrected_away(about == domain::About::kCorrectedAway);
    // Who looked at this file must be answerable file by file.
    pb::AuditRecord listed;
    listed.set_event("FileListed");
    listed.set_ban_id(id);
    c.more_entries.push_back(std::move(listed));
  }
  return domain::kAllowed;
}

// What of an account may be told: who received the data, not who had that shift.
struct Staff {
  pb::Role role = pb::ROLE_UNSPECIFIED;
  std::vector<std::string> unit_ids;
};
using AllStaff = absl::flat_hash_map<std::string, Staff>;

// Empties every field that holds an account, whatever message it stands in: a field that is added later is
// not forgotten.
void LeaveOutStaff(google::protobuf::Message& message, const AllStaff& staff) {
  using google::protobuf::FieldDescriptor;
  const auto* how = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  how->ListFields(message, &fields);
  for (const FieldDescriptor* f : fields) {
    if (f->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      const int size = f->is_repeated() ? how->FieldSize(message, f) : 1;
      for (int i = 0; i < size; ++i) {
        LeaveOutStaff(f->is_repeated() ? *how->MutableRepeatedMessage(&message, f, i)
                                       : *how->MutableMessage(&message, f),
                      staff);
      }
    } else if (f->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      const int size = f->is_repeated() ? how->FieldSize(message, f) : 1;
      bool holds_one = false;
      for (int i = 0; i < size; ++i) {
        holds_one |= staff.contains(f->is_repeated() ? how->GetRepeatedString(message, f, i)
                                                     : how->GetString(message, f));
      }
      if (holds_one) how->ClearField(&message, f);
    }
  }
}

// What is held, but for what only the log knows.
void FillFile(const domain::Municipality& m, const domain::Ban& ban, const AllStaff& staff, absl::Time now,
              pb::SubjectFile& out) {
  *out.mutable_ban() = state::ToProto(ban);
  out.mutable_ban()->set_in_force(domain::InForce(ban, now));
  LeaveOutStaff(*out.mutable_ban(), staff);
  const domain::Release& release = ban.release;
  for (const domain::Objection& o : release.objections) {
    pb::SubjectObjection& objection = *out.add_objections();
    objection.set_upheld(o.upheld);
    objection.set_reasons(o.reasons);
    *objection.mutable_at() = state::ToProto(o.at);
  }
  pb::SubjectPhoto& photo = *out.mutable_photo();
  const bool destroying = release.state == domain::PhotoState::kDestroying;
  photo.set_held(release.HasPhoto() || destroying);
  photo.set_source_id(release.source_id);
  if (const auto* source = m.FindSource(release.source_id)) photo.set_source_name(source->name);
  photo.set_legal_basis_id(release.legal_basis_id);
  if (const auto* basis = m.FindLegalBasis(release.legal_basis_id)) photo.set_legal_basis_name(basis->name);
  if (photo.held()) {
    *photo.mutable_goes_at() =
        state::ToProto(destroying ? release.destruction_due_at.value_or(now) : ban.ends_at);
  }
  *out.mutable_as_of() = state::ToProto(now);
}

// Who took which step, and since when there is a photo.
absl::Status FillSteps(const journal::LogReader& log, pb::SubjectFile& out) {
  const absl::Status s = ReadSteps(log, out.ban().id(), [&](const LogEntry& entry) {
    const pb::AuditRecord& r = *entry.record;
    const auto at = state::ToProto(absl::FromUnixMillis(r.at_ms()));
    pb::SubjectStep& step = *out.add_steps();
    step.set_event(r.event());
    step.set_role(r.role());
    *step.mutable_at() = at;
    const bool supplied = r.event() == access::NameOf(Rpc::kSupplyPhoto).method;
    if (supplied && out.photo().held() && r.photo_id() == out.ban().release().photo_id()) {
      *out.mutable_photo()->mutable_since() = at;
    }
    return true;
  });
  std::reverse(out.mutable_steps()->begin(), out.mutable_steps()->end());
  return s;
}

void FillEntry(const LogEntry& entry, const AllStaff& staff, pb::SubjectEntry& out) {
  out.set_origin(entry.origin);
  out.set_index(entry.index);
  out.set_damaged(entry.damaged);
  if (!entry.record) return;
  const pb::AuditRecord& r = *entry.record;
  *out.mutable_at() = state::ToProto(absl::FromUnixMillis(r.at_ms()));
  out.set_event(r.event());
  out.set_result(r.result());
  out.set_rule(r.rule());
  out.set_role(r.role());
  out.set_location_id(r.location_id());
  out.set_purpose(r.purpose());
  if (!r.unit_id().empty()) {
    out.add_unit_ids(r.unit_id());
  } else {
    *out.mutable_unit_ids() = r.recipient_unit_ids();
  }
  const auto who = staff.find(r.person_id());
  if (who == staff.end()) return;
  if (out.role() == pb::ROLE_UNSPECIFIED) out.set_role(who->second.role);
  if (out.unit_ids().empty())
    out.mutable_unit_ids()->Add(who->second.unit_ids.begin(), who->second.unit_ids.end());
}

void ExportSubject(Core& core, const Credentials& credentials, const pb::ExportSubjectRequest& in,
                   pb::ExportSubjectResponse* out, const Done& done) {
  auto staff = std::make_shared<AllStaff>();
  auto begin = [&in, out, staff](Context& c, Reading& reading) -> Verdict {
    if (auto v = TakePage(in, kMaxPage, kMaxPage, reading)) return v;
    auto ban = c.RequireBan(in.ban_id());
    if (!ban.ok()) return ban.refusal();
    for (const auto& [id, person] : c.world().people()) {
      Staff& one = (*staff)[id];
      const auto& roles = person.assignment.roles;
      if (!roles.empty()) one.role = static_cast<pb::Role>(static_cast<int>(roles.front()));
      one.unit_ids = person.assignment.unit_ids;
    }
    reading.query.ban_id = ban->id;
    if (in.page_token().empty()) {
      FillFile(c.municipality(), *ban, *staff, c.now(), *out->mutable_file());
    }
    return domain::kAllowed;
  };
  auto read = [out, staff](const Reading& reading) -> absl::Status {
    if (out->has_file()) {
      if (auto s = FillSteps(*reading.log, *out->mutable_file()); !s.ok()) return s;
    }
    return reading.log->ReadBack(reading.query, [&](const LogEntry& entry) {
      if (out->entries_size() == reading.page_size) {
        out->set_next_page_token(absl::StrCat(entry.number + 1));
        return false;
      }
      FillEntry(entry, *staff, *out->add_entries());
      return true;
    });
  };
  ReadLog(core, Rpc::kExportSubject, credentials, begin, read, done);
}

Outcome<std::string> CorrectFile(Context& c, const pb::CorrectFileRequest& in) {
  if (auto v = state::CheckText(in.reason(), kMaxReason, "reason")) return *v;
  auto identity = state::IdentityFrom(in.identity(), "identity");
  if (!identity.ok()) return identity.refusal();
  auto ban = c.RequireBan(in.ban_id());
  if (!ban.ok()) return ban.refusal();
  if (auto v = domain::Correct(ban.value(), *identity, in.reason(), c.me(), c.now())) return *v;
  c.AddWords("reason", in.reason());
  c.Keep(std::move(ban.value()));
  return in.ban_id();
}

}  // namespace

Bound BindSubjects(Server& server) {
  using S = pb::SubjectService::AsyncService;
  auto service = std::make_unique<S>();
  Binder<S> b(server, service.get());
  Core& core = server.core();
  b.Query<pb::FindSubjectRequest, pb::FindSubjectResponse>(
      Rpc::kFindSubject, &S::RequestFindSubject,
      [](Context& c, const auto& in, auto& out) { return FindSubject(c, in, out); });
  b.Unary<pb::ExportSubjectRequest, pb::ExportSubjectResponse>(
      Rpc::kExportSubject, &S::RequestExportSubject,
      [&core](const Credentials& who, const pb::ExportSubjectRequest& in, pb::ExportSubjectResponse* out,
              const Done& done) { ExportSubject(core, who, in, out, done); });
  b.Command<pb::CorrectFileRequest, pb::CorrectFileResponse>(
      Rpc::kCorrectFile, &S::RequestCorrectFile,
      [](Context& c, const auto& in, auto&) { return CorrectFile(c, in); });
  Arm arm = b.TakeArm();
  return {std::move(service), std::move(arm)};
}

}  // namespace waarborg::rpc

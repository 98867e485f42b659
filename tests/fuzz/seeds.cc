// SPDX-License-Identifier: EUPL-1.2
// Writes the seeds of the fuzz target `messages`: one request for each call, every field filled in. With a
// second folder, also those of `webauthn`: keys of both kinds, made and used; their randomness makes them new
// ones each time.
//   waarborg-fuzz-seeds MESSAGES [WEBAUTHN]
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/access/policy.h"
#include "tests/support/authenticator.h"
#include "waarborg/v1/audit.pb.h"
#include "waarborg/v1/backups.pb.h"
#include "waarborg/v1/bans.pb.h"
#include "waarborg/v1/changes.pb.h"
#include "waarborg/v1/checks.pb.h"
#include "waarborg/v1/health.pb.h"
#include "waarborg/v1/people.pb.h"
#include "waarborg/v1/releases.pb.h"
#include "waarborg/v1/security_keys.pb.h"
#include "waarborg/v1/sessions.pb.h"
#include "waarborg/v1/stations.pb.h"
#include "waarborg/v1/subjects.pb.h"
#include "waarborg/v1/tasks.pb.h"

namespace waarborg {
namespace {

namespace gp = google::protobuf;

std::string Text(const std::string& field) {
  if (absl::StrContains(field, "ban_id")) return "LV-44";
  if (absl::StrContains(field, "idempotency")) return "sleutel-0001";
  if (absl::StrContains(field, "person")) return "M-3";
  if (absl::StrContains(field, "login")) return "mens3";
  if (absl::StrContains(field, "station")) return "receptie-1";
  if (absl::StrContains(field, "location")) return "gemeentehuis";
  if (absl::StrContains(field, "unit")) return "receptie";
  if (absl::StrContains(field, "ground")) return "overlast";
  if (absl::StrContains(field, "source")) return "reisdocument";
  if (absl::StrContains(field, "legal_basis")) return "avg-6-1-e";
  if (absl::StrContains(field, "mrz"))
    return "I<NLDSPECI20142999999990<<<<<86503101F2403096NLD<<<<<<<<<<<4DE<BRUIJN<<WILLEKE<LISELOTTE<<<<<<";
  return "Vries";
}

void Fill(gp::Message& message, int depth) {
  const gp::Descriptor* type = message.GetDescriptor();
  const gp::Reflection* how = message.GetReflection();
  for (int i = 0; i < type->field_count(); ++i) {
    const gp::FieldDescriptor* f = type->field(i);
    if (f->real_containing_oneof() != nullptr && f->real_containing_oneof()->field(0) != f) continue;
    const bool many = f->is_repeated();
    switch (f->cpp_type()) {
      case gp::FieldDescriptor::CPPTYPE_STRING:
        many ? how->AddString(&message, f, Text(f->name())) : how->SetString(&message, f, Text(f->name()));
        break;
      case gp::FieldDescriptor::CPPTYPE_INT32: {
        const int v = f->name() == "year" ? 2026 : 5;
        many ? how->AddInt32(&message, f, v) : how->SetInt32(&message, f, v);
        break;
      }
      case gp::FieldDescriptor::CPPTYPE_INT64:
        many ? how->AddInt64(&message, f, 1'772'500'000) : how->SetInt64(&message, f, 1'772'500'000);
        break;
      case gp::FieldDescriptor::CPPTYPE_BOOL:
        many ? how->AddBool(&message, f, true) : how->SetBool(&message, f, true);
        break;
      case gp::FieldDescriptor::CPPTYPE_ENUM:
        many ? how->AddEnumValue(&message, f, 1) : how->SetEnumValue(&message, f, 1);
        break;
      case gp::FieldDescriptor::CPPTYPE_MESSAGE:
        if (depth < 6)
          Fill(many ? *how->AddMessage(&message, f) : *how->MutableMessage(&message, f), depth + 1);
        break;
      default:
        break;
    }
  }
}

int Main(const std::string& folder) {
  // Keeps every message linked in; the rest goes by name.
  (void)v1::ListEntriesRequest(), (void)v1::ProposeBanRequest(), (void)v1::ListChangesRequest();
  (void)v1::CheckVisitorRequest(), (void)v1::ListPeopleRequest(), (void)v1::SupplyPhotoRequest();
  (void)v1::OpenSessionRequest(), (void)v1::ListStationsRequest(), (void)v1::GetHealthRequest();
  (void)v1::ListTasksRequest(), (void)v1::CreateBackupRequest(), (void)v1::FindSubjectRequest();
  (void)v1::BeginSignInRequest();
  for (int i = 0; i < static_cast<int>(access::Rpc::kRpcCount); ++i) {
    const auto rpc = static_cast<access::Rpc>(i);
    const access::RpcName& name = access::NameOf(rpc);
    const gp::Descriptor* type = gp::DescriptorPool::generated_pool()->FindMessageTypeByName(
        absl::StrCat("waarborg.v1.", name.method, "Request"));
    if (type == nullptr) {
      std::fprintf(stderr, "no request message of %s\n", name.method);
      return 1;
    }
    std::unique_ptr<gp::Message> message(gp::MessageFactory::generated_factory()->GetPrototype(type)->New());
    Fill(*message, 0);
    std::string bytes = message->SerializeAsString();
    if (rpc == access::Rpc::kSupplyPhoto) {
      const size_t n = bytes.size();
      bytes.insert(0, std::string{static_cast<char>(n & 255), static_cast<char>(n >> 8)});
      bytes.append("no picture");
    }
    // A role that may do it, so that more than the refusal is reached.
    int role = 0;
    for (const access::Row& row : access::Policy()) {
      if (row.rpc == rpc && !row.roles.List().empty()) role = static_cast<int>(row.roles.List().front());
    }
    const auto write = [&](const std::string& file, const std::string& request) {
      std::ofstream(std::filesystem::path(folder) / file, std::ios::binary)
          << static_cast<char>(i) << static_cast<char>(role) << '\0' << '\0' << request;
    };
    write(name.method, bytes);
    if (rpc == access::Rpc::kOpenSession) {
      // Ways of signing in that do not go together.
      v1::OpenSessionRequest password, openid;
      password.ParseFromString(bytes);
      openid.mutable_openid()->Swap(password.mutable_openid());
      password.clear_openid();
      write("OpenSession-password", password.SerializeAsString());
      write("OpenSession-openid", openid.SerializeAsString());
    }
  }
  return 0;
}

// Which of the two a seed is, the size of its client data as u16 (little-endian), client data, the rest.
void WriteSeed(const std::string& path, bool used, const std::string& client_data, const std::string& rest) {
  std::ofstream(path, std::ios::binary)
      << static_cast<char>(used) << static_cast<char>(client_data.size() & 255)
      << static_cast<char>(client_data.size() >> 8) << client_data << rest;
}

void WriteWebauthn(const std::string& folder) {
  using testing::Authenticator;
  for (const auto kind : {Authenticator::Kind::kEs256, Authenticator::Kind::kEdDsa}) {
    const std::string name = folder + (kind == Authenticator::Kind::kEs256 ? "/es256-" : "/eddsa-");
    Authenticator device("waarborg.waterdam.example", "https://balie.waarborg.waterdam.example", kind);
    const auto made = device.Make(std::string(32, 'c'), std::string(32, 'h'));
    WriteSeed(name + "made", false, made.client_data_json, made.attestation_object);
    const uint8_t flags = device.flags | Authenticator::kCredential | Authenticator::kExtensions;
    device.extensions =
        Authenticator::Head(5, 1) + Authenticator::Text("credProtect") + Authenticator::Head(0, 3);
    const std::string data = device.AuthenticatorData(flags);
    WriteSeed(name + "packed", false, made.client_data_json,
              device.AttestationObject("packed", device.SelfStatement(data, made.client_data_json), data));
    const auto used = device.Use(std::string(32, 'c'));
    WriteSeed(name + "used", true, used.client_data_json, used.authenticator_data + used.signature);
  }
}

}  // namespace
}  // namespace waarborg

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) return 64;
  if (argc == 3) waarborg::WriteWebauthn(argv[2]);
  return waarborg::Main(argv[1]);
}

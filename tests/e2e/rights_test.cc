// SPDX-License-Identifier: EUPL-1.2
// Every call against every role, by the matrix written by hand in matrix.txt: the program's own table is not
// asked.
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "server/access/policy.h"
#include "tests/e2e/town_test.h"
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

namespace waarborg::testing {
namespace {

namespace pb = waarborg::v1;
using Methods = std::map<std::string, const google::protobuf::MethodDescriptor*>;

// Every method of every service of the API, from its description.
Methods AllMethods() {
  Methods methods;
  for (const auto* file :
       {pb::Session::descriptor()->file(), pb::AuditRecord::descriptor()->file(),
        pb::Ban::descriptor()->file(), pb::Change::descriptor()->file(), pb::Match::descriptor()->file(),
        pb::Person::descriptor()->file(), pb::PhotoRelease::descriptor()->file(),
        pb::Station::descriptor()->file(), pb::PromiseHealth::descriptor()->file(),
        pb::SubjectFile::descriptor()->file(), pb::Task::descriptor()->file(),
        pb::CreateBackupRequest::descriptor()->file(), pb::SecurityKey::descriptor()->file()}) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        const auto* method = file->service(s)->method(m);
        EXPECT_TRUE(methods.emplace(method->name(), method).second) << method->name();
      }
    }
  }
  return methods;
}

using Matrix = std::map<std::string, std::set<std::string>>;

Matrix ReadMatrix() {
  Matrix matrix;
  std::ifstream in(SourceFolder() + "/tests/e2e/matrix.txt");
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string rpc, role;
    words >> rpc;
    rpc.pop_back();  // the colon
    while (words >> role) matrix[rpc].insert(role);
  }
  return matrix;
}

// Who stands for each role.
const std::map<std::string, std::string> kHolders{
    {"desk-staff", "receptie"},
    {"security-coordinator", "toezicht"},
    {"manager", "teamleider"},
    {"civil-affairs", "burgerzaken"},
    {"municipal-secretary", "secretaris"},
    {"board-secretariat", "collegesecretariaat"},
    {"legal", "jurist"},
    {"hr", "personeel"},
    {"police-contact", "politie"},
    {"auditor", "auditor"},
    {"data-protection-officer", "fg"},
    {"privacy-officer", "privacy"},
    {"administrator", "beheer"},
};

// Calls a method with an empty request over the wire, whatever its kind, and returns the rule of the refusal;
// "" when it was not refused.
std::string CallEmpty(client::Connection& connection, const google::protobuf::MethodDescriptor& method) {
  grpc::GenericStub stub(connection.channel());
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  connection.Prepare(context);
  const std::string path = "/" + method.service()->full_name() + "/" + method.name();
  auto call = stub.PrepareCall(&context, path, &queue);
  void* tag = nullptr;
  bool ok = false;
  auto wait = [&] { queue.Next(&tag, &ok); };
  call->StartCall(nullptr);
  wait();
  // A stream of requests begins with the approval: without it the first look would not be reached.
  std::string bytes;
  if (method.client_streaming()) {
    pb::SupplyPhotoRequest first;
    first.mutable_approval();
    bytes = first.SerializeAsString();
  }
  call->WriteLast(grpc::ByteBuffer(std::vector<grpc::Slice>{grpc::Slice(bytes)}.data(), 1),
                  grpc::WriteOptions(), nullptr);
  wait();
  grpc::Status status;
  grpc::ByteBuffer answer;
  bool answered = false;
  do {
    call->Read(&answer, nullptr);
    wait();
    // A list that is watched has no end of its own: one answer is enough of it.
    if (ok && method.name() == "WatchDesk") {
      answered = true;
      context.TryCancel();
    }
  } while (ok);
  call->Finish(&status, nullptr);
  wait();
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  const client::Error error = client::ErrorFrom(status);
  return error.ok() || answered ? "" : error.rule();
}

class RightsTest : public TownTest {};

TEST_F(RightsTest, EveryCallOfTheApiStandsInTheMatrixAndInThePolicyTable) {
  const Methods methods = AllMethods();
  const Matrix matrix = ReadMatrix();
  std::set<std::string> in_policy;
  for (const access::Row& row : access::Policy()) in_policy.insert(access::NameOf(row.rpc).method);
  for (const auto& [name, method] : methods) {
    EXPECT_TRUE(matrix.contains(name)) << name << " is missing in matrix.txt";
    EXPECT_TRUE(in_policy.contains(name)) << name << " is missing in the policy table";
  }
  EXPECT_EQ(matrix.size(), methods.size());
  EXPECT_EQ(in_policy.size(), methods.size());
}

TEST_F(RightsTest, EveryRoleMayCallExactlyWhatTheMatrixSays) {
  const Matrix matrix = ReadMatrix();
  int checked = 0;
  for (const auto& [name, method] : AllMethods()) {
    const std::set<std::string>& allowed = matrix.at(name);
    if (name == "CloseSession") continue;  // its own test below: it would end the sessions used here
    for (const auto& [role, person] : kHolders) {
      const std::string station = role == "desk-staff" ? "receptie-1" : "kantoor-1";
      const std::string rule = CallEmpty(town->At(person, station), *method);
      EXPECT_NE(rule, "session-required") << name << " by " << role;
      EXPECT_NE(rule, "cannot-reach") << name << " by " << role;
      EXPECT_NE(rule, "internal") << name << " by " << role;
      const bool open = allowed.contains("station") || allowed.contains("session") || allowed.contains(role);
      EXPECT_EQ(rule != "role-not-allowed", open) << name << " by " << role << " gave \"" << rule << "\"";
      ++checked;
    }
  }
  EXPECT_EQ(checked, static_cast<int>((matrix.size() - 1) * kHolders.size()));
}

TEST_F(RightsTest, WithoutASessionOnlyEnrollingAndSigningInGetAnywhere) {
  const Matrix matrix = ReadMatrix();
  for (const auto& [name, method] : AllMethods()) {
    const std::string rule = CallEmpty(town->At("nobody", "receptie-1"), *method);
    EXPECT_EQ(rule == "session-required", !matrix.at(name).contains("station"))
        << name << " gave \"" << rule << "\"";
  }
}

TEST_F(RightsTest, AStationNobodyRegisteredGetsNothingAtAll) {
  for (const auto& [name, method] : AllMethods()) {
    EXPECT_EQ(CallEmpty(town->At("nobody", Town::kStranger), *method), "station-unknown") << name;
  }
}

TEST_F(RightsTest, EveryoneMayCloseTheirOwnSession) {
  for (const auto& [role, person] : kHolders) {
    EXPECT_EQ(CallEmpty(town->At(person, "kantoor-1"), *AllMethods().at("CloseSession")), "") << role;
    EXPECT_EQ(CallEmpty(town->At(person, "kantoor-1"), *AllMethods().at("GetSession")), "session-required")
        << role;
  }
}

}  // namespace
}  // namespace waarborg::testing

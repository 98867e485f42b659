// SPDX-License-Identifier: EUPL-1.2
#include "client/core/connection.h"

#include <gtest/gtest.h>

#include <vector>

namespace waarborg::client {
namespace {

namespace pb = waarborg::v1;

const grpc::Status kBroken(grpc::StatusCode::UNAVAILABLE, "Broken pipe");

grpc::Status Explained() {
  pb::ErrorDetail detail;
  detail.set_rule("cannot-record");
  pb::StatusDetails details;
  details.add_details()->PackFrom(detail);
  return {grpc::StatusCode::UNAVAILABLE, "cannot record", details.SerializeAsString()};
}

// Asks, is answered with these one after the other, and counts how often it was asked.
struct Asked {
  Error error;
  size_t times = 0;
};
Asked Ask(const std::vector<grpc::Status>& answers) {
  Asked out;
  StationFiles nowhere;
  nowhere.server = "localhost:1";
  const Connection connection(nowhere);
  std::chrono::system_clock::time_point deadline;
  out.error = connection.Ask(std::chrono::seconds(5), [&](grpc::ClientContext& context) {
    // One deadline for both: whoever waits does not wait twice.
    EXPECT_TRUE(out.times == 0 || context.deadline() == deadline);
    deadline = context.deadline();
    return answers.at(out.times++);
  });
  return out;
}

TEST(ConnectionTest, ACallThatTheCoreNeverAnsweredIsMadeOnceMore) {
  const Asked asked = Ask({kBroken, grpc::Status::OK});
  EXPECT_TRUE(asked.error.ok());
  EXPECT_EQ(asked.times, 2U);
}

TEST(ConnectionTest, ACoreThatIsAwayIsAskedTwiceAtMostAndThePageHasNoWordOfTheTransport) {
  const Asked asked = Ask({kBroken, kBroken});
  EXPECT_EQ(asked.times, 2U);
  EXPECT_EQ(asked.error.rule(), "cannot-reach");
  EXPECT_EQ(asked.error.transport, "Broken pipe");
  EXPECT_EQ(asked.error.detail.message_nl().find("Broken"), std::string::npos);
  EXPECT_EQ(asked.error.detail.message().find("Broken"), std::string::npos);
}

TEST(ConnectionTest, WhatTheCoreRefusedIsNotAskedAgain) {
  EXPECT_EQ(Ask({Explained()}).times, 1U);
  EXPECT_EQ(Ask({Explained()}).error.rule(), "cannot-record");
  EXPECT_EQ(Ask({grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "late")}).times, 1U);
  EXPECT_EQ(Ask({grpc::Status::OK}).times, 1U);
}

}  // namespace
}  // namespace waarborg::client

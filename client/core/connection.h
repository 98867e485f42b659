// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "waarborg/v1/common.pb.h"

namespace waarborg::client {

// What identifies a workplace: files in one folder.
//   server        "host:port" of the core
//   ca.pem        who signs the core's certificate
//   station.pem   this workplace's certificate
//   station.key   its private key
struct StationFiles {
  std::string server;
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;
  // Reads the folder; on failure `error` names the file.
  static bool Read(const std::string& folder, StationFiles& out, std::string& error);
};

// Why a call did not succeed.
struct Error {
  grpc::StatusCode code = grpc::StatusCode::OK;
  // As the core explained it. Without a rule the core was not reached, or is not what it should be.
  waarborg::v1::ErrorDetail detail;
  bool ok() const { return code == grpc::StatusCode::OK; }
  // "cannot-reach" when the core did not explain.
  std::string rule() const { return detail.rule().empty() ? "cannot-reach" : detail.rule(); }
};
Error ErrorFrom(const grpc::Status& status);

// A connection of one workplace to the core: mutual TLS 1.3, and at most one session. Safe to use from
// several threads once the token is set.
class Connection {
 public:
  explicit Connection(const StationFiles& files);
  // Another session over the same connection.
  Connection WithToken(std::string token) const { return Connection(channel_, std::move(token)); }

  std::shared_ptr<grpc::Channel> channel() const { return channel_; }
  void set_token(std::string token) { token_ = std::move(token); }
  const std::string& token() const { return token_; }

  // Deadline and session for one call. Every call has a deadline.
  void Prepare(grpc::ClientContext& context,
               std::chrono::milliseconds deadline = std::chrono::seconds(20)) const;
  // The same for a stream that goes on until it is ended, CheckService.WatchDesk: there alone is no deadline.
  // A core that is gone shows by keepalive, within a minute.
  void PrepareStanding(grpc::ClientContext& context) const;

 private:
  Connection(std::shared_ptr<grpc::Channel> channel, std::string token)
      : channel_(std::move(channel)), token_(std::move(token)) {}
  std::shared_ptr<grpc::Channel> channel_;
  std::string token_;
};

// A fresh idempotency key: 128 random bits.
std::string NewIdempotencyKey();

}  // namespace waarborg::client

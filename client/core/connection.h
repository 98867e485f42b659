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
  // What the transport says of it: for a terminal or a log, never for a page.
  std::string transport;
  bool ok() const { return code == grpc::StatusCode::OK; }
  // The core never answered: it is not there, or the connection broke.
  bool unanswered() const { return code == grpc::StatusCode::UNAVAILABLE && detail.rule().empty(); }
  // "cannot-reach" when the core did not explain.
  std::string rule() const { return detail.rule().empty() ? "cannot-reach" : detail.rule(); }
};
Error ErrorFrom(const grpc::Status& status);

// How long a call may take, unless said otherwise.
inline constexpr std::chrono::seconds kPatience{20};

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

  // Makes one call, and once more within the same deadline when the core never answered the first: that a
  // connection broke since the last call (the core was started again) shows only in the call that meets it.
  // Nothing is done twice by it, for commands carry an idempotency key; what was looked at and never arrived
  // may be two entries. `call` is given a prepared context and answers with the status.
  template <class Call>
  Error Ask(std::chrono::milliseconds deadline, Call call) const {
    const auto until = std::chrono::system_clock::now() + deadline;
    const auto once = [&] {
      grpc::ClientContext context;
      context.set_deadline(until);
      PrepareStanding(context);
      return ErrorFrom(call(context));
    };
    Error error = once();
    return error.unanswered() ? once() : error;
  }
  // Deadline and session for one call, for whoever makes it without Ask. Every call has a deadline.
  void Prepare(grpc::ClientContext& context, std::chrono::milliseconds deadline = kPatience) const;
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

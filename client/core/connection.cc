// SPDX-License-Identifier: EUPL-1.2
#include "client/core/connection.h"

#include <chrono>
#include <fstream>
#include <iterator>

#include "server/base/hex.h"
#include "server/base/random.h"

namespace waarborg::client {

namespace pb = waarborg::v1;

namespace {

bool ReadText(const std::string& path, std::string& out, std::string& error) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    error = "cannot read " + path;
    return false;
  }
  out.assign(std::istreambuf_iterator<char>(in), {});
  return true;
}

}  // namespace

bool StationFiles::Read(const std::string& folder, StationFiles& out, std::string& error) {
  if (!ReadText(folder + "/server", out.server, error) || !ReadText(folder + "/ca.pem", out.ca_pem, error) ||
      !ReadText(folder + "/station.pem", out.certificate_pem, error) ||
      !ReadText(folder + "/station.key", out.key_pem, error)) {
    return false;
  }
  while (!out.server.empty() && (out.server.back() == '\n' || out.server.back() == ' '))
    out.server.pop_back();
  return true;
}

Error ErrorFrom(const grpc::Status& status) {
  Error error;
  error.code = status.error_code();
  if (status.ok()) return error;
  pb::StatusDetails details;
  if (details.ParseFromString(status.error_details()) && details.details_size() == 1) {
    details.details(0).UnpackTo(&error.detail);
  }
  if (error.detail.rule().empty()) {
    error.transport = status.error_message();
    error.detail.set_message("The service cannot be reached.");
    error.detail.set_message_nl("Het systeem is niet bereikbaar.");
    error.detail.set_next_step(
        "This says nothing about the visitor. When in doubt call Toezicht en Veiligheid.");
    error.detail.set_next_step_nl("Dit zegt niets over de bezoeker. Bel bij twijfel Toezicht en Veiligheid.");
  }
  return error;
}

Connection::Connection(const StationFiles& files) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = files.ca_pem;
  options.pem_cert_chain = files.certificate_pem;
  options.pem_private_key = files.key_pem;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);    // never another station's connection
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);            // straight to the core
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);  // a desk waits for it
  channel_ = grpc::CreateCustomChannel(files.server, grpc::SslCredentials(options), arguments);
}

void Connection::Prepare(grpc::ClientContext& context, std::chrono::milliseconds deadline) const {
  context.set_deadline(std::chrono::system_clock::now() + deadline);
  PrepareStanding(context);
}

void Connection::PrepareStanding(grpc::ClientContext& context) const {
  if (!token_.empty()) context.AddMetadata("waarborg-session", token_);
}

std::string NewIdempotencyKey() {
  return base::ToHex(base::SystemRandom().Bytes(16));
}

}  // namespace waarborg::client

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "audit/result.h"
#include "audit/witness.h"

// A witness on the network and on the disk.
namespace waarborg::audit {

// Remembers in a folder, whose lock it holds while it lives: two witnesses that shared one could each cosign
// what the other must not. A file for each origin, named by the origin's SHA-256 in hexadecimal.
class FolderMemory : public WitnessMemory {
 public:
  // The folder must be there. It is not made: a witness whose memory is somewhere else than it looks has
  // forgotten everything, and would cosign anything.
  static Result<std::unique_ptr<FolderMemory>> Open(const std::string& folder);
  ~FolderMemory() override;
  FolderMemory(const FolderMemory&) = delete;
  FolderMemory& operator=(const FolderMemory&) = delete;

  // False also when what stands there is of another origin.
  bool Load(const std::string& origin, std::optional<std::string>& note) override;
  bool Save(const std::string& origin, const std::string& note) override;

 private:
  FolderMemory(int folder, int lock) : folder_(folder), lock_(lock) {}
  const int folder_;
  const int lock_;
};

struct WitnessServerOptions {
  unsigned connections = 64;
  unsigned connections_per_address = 16;
  // How long a connection may last in all, however busy it keeps itself.
  std::chrono::milliseconds deadline{10000};
  // Called with each request's body (empty when it was not read) and the answer, by the thread that answers.
  std::function<void(std::string_view body, const WitnessAnswer& answer)> on_answer;
};

// POST /add-checkpoint over HTTP/1.1, without TLS: what travels is public and signed. One request a
// connection, so that nothing can hide behind it. One thread answers, in order of arrival.
class WitnessServer {
 public:
  // `address` is "HOST:PORT", "[IPV6]:PORT" or ":PORT" (every address of this machine); port 0 is any free
  // one. `witness` must outlive the server. Called by the server's thread, `now_seconds` gives the time since
  // 1970-01-01 UTC.
  static Result<std::unique_ptr<WitnessServer>> Start(const std::string& address, Witness& witness,
                                                      std::function<uint64_t()> now_seconds,
                                                      WitnessServerOptions options = {});
  // Stops within a second; connections that are open are cut off.
  ~WitnessServer();
  int port() const;

 private:
  class Loop;
  explicit WitnessServer(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace waarborg::audit

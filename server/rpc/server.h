// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/service_type.h>

#include <array>
#include <atomic>
#include <bitset>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/base/mutex.h"
#include "server/rpc/core.h"

// The asynchronous gRPC server: one completion queue, and one thread that polls it and is the journal's
// writer. It takes in what has arrived, decides all of it as one batch, syncs once and answers. No answer can
// leave before a sync, so nothing waits for the disk that would not wait anyway; what is slow otherwise
// (passwords, pictures, long reads) is with the workers.
namespace waarborg::rpc {

// A refusal as a gRPC status, with StatusDetails in its trailer. Under 2 KiB, so that no proxy cuts it off.
grpc::Status ToStatus(const domain::Verdict& verdict);

// Something the polling thread comes back to.
class Tag {
 public:
  // Counts itself, so that the queue is shut down only when nothing can be put on it any more.
  explicit Tag(std::atomic<int>& alive) : alive_(alive) { ++alive_; }
  virtual ~Tag() { --alive_; }
  Tag(const Tag&) = delete;
  Tag& operator=(const Tag&) = delete;
  virtual void Proceed(bool ok) = 0;

 private:
  std::atomic<int>& alive_;
};

// Streams under way by the key of their station: so that revoking it ends them at once, that no station has
// many, and that a station that stops reading or sending does not hold one for ever.
class LiveStreams {
 public:
  // False when the station has as many as it may have; then nothing was added.
  bool Add(grpc::ServerContext* context, const std::string& key);
  void Remove(grpc::ServerContext* context);
  // Cancels the streams of a station.
  void Cancel(const std::string& key);
  // Before the first stream; for tests.
  void SetLongest(std::chrono::seconds longest) { longest_ = longest; }
  // Cancels the streams that have lasted too long.
  void CancelOld();
  // Whether one of these cancelled it: what it brought so far is not whole.
  bool WasCancelled(grpc::ServerContext* context) const;

 private:
  static constexpr int kPerStation = 4;
  struct Stream {
    std::string key;
    std::chrono::steady_clock::time_point since;
    bool cancelled = false;
  };
  template <class Which>
  void CancelIf(Which which);

  std::chrono::seconds longest_{30};
  mutable base::Mutex mutex_;
  std::map<grpc::ServerContext*, Stream> streams_ WB_GUARDED_BY(mutex_);
};

// A stream without an end of its own (watching.h).
class Watcher {
 public:
  // How things stand for all of them.
  struct Moment {
    const state::World& world;
    absl::Time now;
    domain::Verdict over;  // why no stream may go on
    std::chrono::steady_clock::time_point clock;
  };
  virtual ~Watcher() = default;
  // Ends the stream when its caller has no right to it any more, and has it look again when there may be
  // something to say. On the polling thread, twice a second and whenever something changed. Must not block,
  // nor call WatchBegins or WatchEnds.
  virtual void Look(const Moment& moment) = 0;
};

struct TlsFiles {
  std::string certificate_pem;
  std::string key_pem;
  std::string client_ca_pem;
};

// A service made, and `arm` that starts its calls once the server listens.
using Arm = std::function<void()>;
struct Bound {
  std::unique_ptr<grpc::Service> service;
  Arm arm;
};

class Server {
 public:
  using Bind = Bound (*)(Server&);

  explicit Server(Core& core);
  ~Server();

  // Serves something beside the API, which the policy table does not know: the test build's echo. Before
  // Start.
  void AlsoServe(Bind bind) { also_.push_back(bind); }
  // Binds every service and listens. Returns the port, or 0 with a message on `error`.
  int Start(const std::string& listen, const TlsFiles& tls, std::string& error);
  bool serving() const { return serving_; }
  // The last moment of the server's own certificate.
  absl::Time certificate_until() const { return certificate_until_; }
  // Takes no new calls and gives those under way `grace` to finish. Afterwards the workers and the journal
  // must be stopped, then Finish called.
  void Shutdown(absl::Duration grace);
  void Finish();

  Core& core() { return core_; }
  LiveStreams& live_streams() { return live_streams_; }
  grpc::ServerCompletionQueue* queue() { return queue_.get(); }

  // Counts a call as under way. False when the server is stopping: then answer `stopping`.
  bool CallBegins();
  void CallEnds() { --under_way_; }
  // The same for a stream of this station's, of which each may have a few: nothing, or why it may not go on.
  // StreamEnds follows either way.
  domain::Verdict StreamBegins(grpc::ServerContext* context, const std::string& key_fingerprint);
  void StreamEnds(grpc::ServerContext* context) {
    live_streams_.Remove(context);
    CallEnds();
  }
  // The same for a stream that goes on until it is ended. It has a number of its own that each station may
  // have. WatchEnds follows either way. On the polling thread.
  domain::Verdict WatchBegins(Watcher* watcher, const std::string& key_fingerprint);
  void WatchEnds(Watcher* watcher) {
    watchers_.erase(watcher);
    CallEnds();
  }
  bool stopping() const { return stopping_; }
  std::atomic<int>& tags_alive() { return tags_alive_; }
  // Counts an upload. False when there are as many as memory is set aside for.
  bool UploadBegins() { return ++uploads_ <= kMaxUploads; }
  void UploadEnds() { --uploads_; }

  // Who calls, from the connection and the metadata. On the polling thread.
  access::Credentials CredentialsOf(const grpc::ServerContext& context);

  // A call past the network, for tests that need no TLS: `bytes` is the serialised request, for SupplyPhoto
  // u16 (little-endian) and as many bytes of first message, then the file. Leads to one call of `done`.
  using Local = std::function<void(const access::Credentials&, std::string_view bytes, Done done)>;
  const Local& LocalCall(access::Rpc rpc) const { return local_[static_cast<size_t>(rpc)]; }
  // Notes that a call of the policy table is served; each exactly once.
  void MarkBound(access::Rpc rpc, Local local);
  // Binds every service; done by Start.
  void BindAll();

 private:
  void Poll();
  // Makes an entry of the connections that did not get through the handshake: nobody knows whose they were,
  // but that somebody tries at the door is known.
  void LogRefusedConnections();
  void LookAtWatchers(std::chrono::steady_clock::time_point now);
  // Makes the polling thread look at the journal's queue. From any thread.
  void Wake();

  Core& core_;
  LiveStreams live_streams_;
  std::vector<Bind> also_;
  std::vector<Bound> bound_services_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
  std::thread poller_;
  // Wakes the poller for work that did not come over the network. One at a time is under way.
  class WakeTag;
  std::unique_ptr<WakeTag> wake_;
  std::bitset<static_cast<size_t>(access::Rpc::kRpcCount)> bound_;
  std::array<Local, static_cast<size_t>(access::Rpc::kRpcCount)> local_;
  std::vector<std::pair<std::string, std::string>> fingerprints_;  // certificate to fingerprint, newest last
  // By the key of their station; what they saw last, and when. On the polling thread.
  static constexpr int kWatchersPerStation = 8;
  std::map<Watcher*, std::string> watchers_;
  uint64_t watched_version_ = 0;
  std::chrono::steady_clock::time_point watched_at_;
  static constexpr int kMaxUploads = 8;
  std::atomic<int> under_way_ = 0;
  std::atomic<int> tags_alive_ = 0;
  std::atomic<int> uploads_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> serving_ = false;
  absl::Time certificate_until_ = absl::InfinitePast();
  bool finished_ = false;
};

// One file per service.
Bound BindSessions(Server& server);
Bound BindChanges(Server& server);
Bound BindPeople(Server& server);
Bound BindStations(Server& server);
Bound BindBackups(Server& server);
Bound BindBans(Server& server);
Bound BindReleases(Server& server);
Bound BindChecks(Server& server);
Bound BindAudit(Server& server);
Bound BindSubjects(Server& server);
Bound BindTasks(Server& server);
Bound BindSecurityKeys(Server& server);
Bound BindHealth(Server& server);
Bound BindStandardHealth(Server& server);

}  // namespace waarborg::rpc

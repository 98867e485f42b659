// SPDX-License-Identifier: EUPL-1.2
#include "server/rpc/server.h"

#include <grpc/support/log.h>
#include <grpcpp/alarm.h>
#include <grpcpp/resource_quota.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/time/clock.h"
#include "server/access/wire.h"

namespace waarborg::rpc {
namespace {

using domain::RuleKind;

// The meaning of a retry chooses the code.
grpc::StatusCode CodeOf(RuleKind kind) {
  switch (kind) {
    case RuleKind::kUnauthenticated:
      return grpc::StatusCode::UNAUTHENTICATED;
    case RuleKind::kPermission:
      return grpc::StatusCode::PERMISSION_DENIED;
    case RuleKind::kInvalid:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case RuleKind::kNotFound:
      return grpc::StatusCode::NOT_FOUND;
    case RuleKind::kPrecondition:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case RuleKind::kConflict:
      return grpc::StatusCode::ALREADY_EXISTS;
    case RuleKind::kExhausted:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case RuleKind::kUnavailable:
      return grpc::StatusCode::UNAVAILABLE;
    case RuleKind::kInternal:
      return grpc::StatusCode::INTERNAL;
  }
  return grpc::StatusCode::INTERNAL;
}

constexpr size_t kMaxDetail = 400;
constexpr size_t kMaxFingerprints = 1024;
constexpr int kMaxMessage = 512 * 1024;
constexpr size_t kMaxTransportMemory = size_t{512} << 20;
// So many calls share a sync at most; then those get their answers.
constexpr size_t kMaxBatch = 256;
// One look takes in one connection; it is quiet after so many that brought no call.
constexpr int kQuietLooks = 4;
// The clock is looked at so often at least: what follows from the end of a ban is due within a second.
constexpr int kLookMs = 500;

// Who watches is looked at again so often when nothing changed: time passes for sessions and bans.
constexpr std::chrono::milliseconds kWatchEvery(200);

// What the library says goes here instead of to standard error: handshakes that fail are counted, for anybody
// can make as many of them as they like; of the rest a few lines a minute are let through.
std::atomic<uint64_t> connections_refused = 0;
constexpr int kLinesAMinute = 20;
std::atomic<int> lines_left = kLinesAMinute;

// True on the polling thread.
thread_local bool polls = false;

void OnLibraryLine(gpr_log_func_args* line) {
  if (std::strstr(line->message, "andshake") != nullptr) {
    ++connections_refused;
  } else if (std::strstr(line->message, "accept4") != nullptr) {
    // This version of the library closes its listener for good when it runs out of files: better to start
    // again. Nothing is lost that way; see tests/crash.
    std::fprintf(stderr, "waarborgd: cannot take connections, starting again: %.200s\n", line->message);
    std::_Exit(74);
  } else if (line->severity == GPR_LOG_SEVERITY_ERROR && lines_left.fetch_sub(1) > 0) {
    std::fprintf(stderr, "waarborgd: grpc: %.300s\n", line->message);
  }
}

}  // namespace

grpc::Status ToStatus(const domain::Verdict& verdict) {
  if (!verdict) return grpc::Status::OK;
  const domain::RuleText& text = domain::TextOf(verdict->rule);
  pb::ErrorDetail detail;
  detail.set_rule(text.name);
  detail.set_field(verdict->field);
  detail.set_message(text.message);
  detail.set_next_step(text.next);
  detail.set_message_nl(text.message_nl);
  detail.set_next_step_nl(text.next_nl);
  if (!verdict->detail.empty()) {
    // Cut between characters: half of one would make the whole detail unreadable to the client.
    size_t end = std::min(verdict->detail.size(), kMaxDetail);
    while (end < verdict->detail.size() && (static_cast<unsigned char>(verdict->detail[end]) & 0xC0) == 0x80)
      --end;
    const std::string more =
        " " + verdict->detail.substr(0, end) + (end < verdict->detail.size() ? " ..." : "");
    detail.set_message(detail.message() + more);
    detail.set_message_nl(detail.message_nl() + more);
  }
  pb::StatusDetails details;
  details.set_code(CodeOf(text.kind));
  details.set_message(text.message);
  details.add_details()->PackFrom(detail);
  return {CodeOf(text.kind), text.message, details.SerializeAsString()};
}

bool LiveStreams::Add(grpc::ServerContext* context, const std::string& key) {
  base::Lock lock(mutex_);
  const auto same = [&](const auto& s) { return s.second.key == key; };
  if (std::count_if(streams_.begin(), streams_.end(), same) >= kPerStation) return false;
  streams_[context] = {key, std::chrono::steady_clock::now()};
  return true;
}

void LiveStreams::Remove(grpc::ServerContext* context) {
  base::Lock lock(mutex_);
  streams_.erase(context);
}

template <class Which>
void LiveStreams::CancelIf(Which which) {
  base::Lock lock(mutex_);
  for (auto& [context, stream] : streams_) {
    if (stream.cancelled || !which(stream)) continue;
    stream.cancelled = true;
    context->TryCancel();
  }
}

void LiveStreams::Cancel(const std::string& key) {
  CancelIf([&key](const Stream& s) { return s.key == key; });
}

void LiveStreams::CancelOld() {
  const auto oldest = std::chrono::steady_clock::now() - longest_;
  CancelIf([oldest](const Stream& s) { return s.since <= oldest; });
}

bool LiveStreams::WasCancelled(grpc::ServerContext* context) const {
  base::Lock lock(mutex_);
  auto it = streams_.find(context);
  return it == streams_.end() || it->second.cancelled;
}

// An alarm that goes off at once. `armed` goes false before the queue is looked at, so that work that comes
// later arms it again.
class Server::WakeTag final : public Tag {
 public:
  explicit WakeTag(Server& server) : Tag(uncounted_), server_(server) {}
  void Arm() {
    if (!armed_.exchange(true)) alarm_.Set(server_.queue(), gpr_now(GPR_CLOCK_MONOTONIC), this);
  }
  void Proceed(bool) override { armed_ = false; }

 private:
  Server& server_;
  std::atomic<int> uncounted_ = 0;  // it lives as long as the server and holds nobody up
  grpc::Alarm alarm_;
  std::atomic<bool> armed_ = false;
};

Server::Server(Core& core) : core_(core) {}

Server::~Server() {
  Finish();
}

int Server::Start(const std::string& listen, const TlsFiles& tls, std::string& error) {
  gpr_set_log_function(&OnLibraryLine);
  // The library's own health service brings threads that poll beside ours, which doubles the cost of every
  // call.
  grpc::EnableDefaultHealthCheckService(false);
  certificate_until_ = access::EndOfCertificate(tls.certificate_pem);
  grpc::ServerBuilder builder;
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = tls.client_ca_pem;
  options.pem_key_cert_pairs.push_back({tls.key_pem, tls.certificate_pem});
  int port = 0;
  builder.AddListeningPort(listen, grpc::SslServerCredentials(options), &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 16 * 1024);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 64);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 5'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 15 * 60'000);
  grpc::ResourceQuota quota("waarborg");
  quota.Resize(kMaxTransportMemory);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(kMaxMessage);

  BindAll();
  for (const Bound& bound : bound_services_) builder.RegisterService(bound.service.get());
  if (!bound_.all()) {
    error = "a call of the policy table is not served";
    return 0;
  }
  queue_ = builder.AddCompletionQueue();
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port == 0) {
    error = "cannot listen on " + listen + " (is the port in use, are certificate and key a pair?)";
    return 0;
  }
  for (const Bound& bound : bound_services_) bound.arm();
  core_.OnRightsEnded([this](const std::string& key) { live_streams_.Cancel(key); });
  wake_ = std::make_unique<WakeTag>(*this);
  core_.journal().OnWork([this] { Wake(); });
  serving_ = true;
  poller_ = std::thread([this] { Poll(); });
  return port;
}

void Server::BindAll() {
  std::vector<Bind> binds = {&BindSessions, &BindChanges,      &BindPeople, &BindStations,      &BindBans,
                             &BindReleases, &BindChecks,       &BindAudit,  &BindSubjects,      &BindTasks,
                             &BindBackups,  &BindSecurityKeys, &BindHealth, &BindStandardHealth};
  binds.insert(binds.end(), also_.begin(), also_.end());
  for (Bind bind : binds) bound_services_.push_back((*bind)(*this));
}

void Server::Shutdown(absl::Duration grace) {
  if (server_ == nullptr) return;
  serving_ = false;
  stopping_ = true;
  wake_->Arm();  // who watches is told so
  // Drained here and not by gRPC's own deadline, which waits for idle connections too.
  const absl::Time deadline = absl::Now() + grace;
  while (under_way_ > 0 && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(5));
  server_->Shutdown(std::chrono::system_clock::now());
}

bool Server::CallBegins() {
  ++under_way_;
  return !stopping_;
}

domain::Verdict Server::StreamBegins(grpc::ServerContext* context, const std::string& key_fingerprint) {
  const bool room = live_streams_.Add(context, key_fingerprint);
  const bool open = CallBegins();
  if (!room) return domain::Refusal(domain::Rule::kBusy);
  if (!open) return domain::Refusal(domain::Rule::kStopping);
  return domain::kAllowed;
}

domain::Verdict Server::WatchBegins(Watcher* watcher, const std::string& key_fingerprint) {
  const auto same = [&](const auto& w) { return w.second == key_fingerprint; };
  const bool room = std::count_if(watchers_.begin(), watchers_.end(), same) < kWatchersPerStation;
  watchers_.emplace(watcher, key_fingerprint);
  const bool open = CallBegins();
  if (!room) return domain::Refusal(domain::Rule::kBusy);
  if (!open) return domain::Refusal(domain::Rule::kStopping);
  return domain::kAllowed;
}

void Server::LookAtWatchers(std::chrono::steady_clock::time_point now) {
  if (watchers_.empty()) return;
  const journal::Journal& journal = core_.journal();
  const journal::Journal::Condition condition = journal.condition();
  Watcher::Moment moment{journal.world(), journal.time(), domain::kAllowed, now};
  if (stopping_) {
    moment.over = domain::Refusal(domain::Rule::kStopping);
  } else if (condition.failed || condition.no_room) {
    moment.over = domain::Refusal(domain::Rule::kCannotRecord);
  } else if (condition.clock_in_doubt) {
    moment.over = domain::Refusal(domain::Rule::kClockInDoubt);
  }
  const uint64_t version = journal.world().version();
  if (!moment.over && version == watched_version_ && now - watched_at_ < kWatchEvery) return;
  watched_version_ = version;
  watched_at_ = now;
  for (const auto& [watcher, key] : watchers_) watcher->Look(moment);
}

void Server::Finish() {
  if (finished_ || queue_ == nullptr) return;
  finished_ = true;
  // The waiting calls come back once the server has shut down, those under way once they are answered.
  while (poller_.joinable() && tags_alive_ > 0) absl::SleepFor(absl::Milliseconds(2));
  queue_->Shutdown();
  if (poller_.joinable()) poller_.join();
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
  }
}

void Server::LogRefusedConnections() {
  const uint64_t count = connections_refused.exchange(0);
  std::fprintf(stderr, "waarborgd: %llu connections refused: no certificate, a wrong one, or no TLS\n",
               static_cast<unsigned long long>(count));
  auto log = [count](journal::Turn& turn) {
    pb::AuditRecord record;
    record.set_event("ConnectionsRefused");
    record.set_result(pb::RESULT_REFUSED);
    record.set_count(count);
    turn.Log(std::move(record));
  };
  const auto keep = [count](bool durable) {
    if (!durable) connections_refused += count;
  };
  if (!core_.journal().Submit({log, keep})) keep(false);
}

void Server::Wake() {
  // The poller looks at the queue by itself before it sleeps.
  if (!polls) wake_->Arm();
}

void Server::Poll() {
  journal::Journal& journal = core_.journal();
  void* tag = nullptr;
  bool ok = false;
  polls = true;
  int quiet = 0;
  size_t events = 0;
  auto looked_around_at = std::chrono::steady_clock::now();
  auto lines_counted_since = looked_around_at;
  auto connections_logged_at = looked_around_at - std::chrono::hours(1);
  for (;;) {
    // Everything that has arrived goes into one batch.
    // A deadline of now would be rounded up to a whole millisecond; one long past is not waited for.
    const auto wait = journal.queued() > 0 || journal.pressing()
                          ? gpr_inf_past(GPR_CLOCK_MONOTONIC)
                          : gpr_time_from_millis(kLookMs, GPR_TIMESPAN);
    const auto next = queue_->AsyncNext(&tag, &ok, wait);
    if (next == grpc::CompletionQueue::SHUTDOWN) break;
    if (next == grpc::CompletionQueue::GOT_EVENT) {
      quiet = 0;
      static_cast<Tag*>(tag)->Proceed(ok);
      // Calls that need no turn count too: whoever makes many of them must not keep the others waiting.
      if (++events < kMaxBatch) continue;
    } else if (journal.queued() > 0 && ++quiet < kQuietLooks) {
      continue;
    }
    quiet = 0;
    events = 0;
    journal.RunQueued();
    const auto now = std::chrono::steady_clock::now();
    if (now - looked_around_at > std::chrono::seconds(1)) {
      looked_around_at = now;
      live_streams_.CancelOld();
    }
    LookAtWatchers(now);
    if (now - lines_counted_since > std::chrono::minutes(1)) {
      lines_counted_since = now;
      lines_left = kLinesAMinute;
    }
    // At once after a quiet minute, and once a minute while it goes on.
    if (connections_refused > 0 && now - connections_logged_at > std::chrono::minutes(1)) {
      connections_logged_at = now;
      LogRefusedConnections();
    }
  }
  journal.RunQueued();
}

access::Credentials Server::CredentialsOf(const grpc::ServerContext& context) {
  access::Credentials out;
  const auto auth = context.auth_context();
  const auto pems = auth->FindPropertyValues("x509_pem_cert");
  if (!pems.empty()) {
    const std::string pem(pems.front().data(), pems.front().size());
    for (const auto& [known, fingerprint] : fingerprints_) {
      if (known == pem) out.key_fingerprint = fingerprint;
    }
    if (out.key_fingerprint.empty()) {
      out.key_fingerprint = access::FingerprintOfPem(pem);
      if (fingerprints_.size() >= kMaxFingerprints) fingerprints_.erase(fingerprints_.begin());
      fingerprints_.emplace_back(pem, out.key_fingerprint);
    }
  }
  const auto& metadata = context.client_metadata();
  if (auto it = metadata.find("waarborg-session"); it != metadata.end() && it->second.size() <= 128) {
    out.session_token.assign(it->second.data(), it->second.size());
  }
  return out;
}

void Server::MarkBound(access::Rpc rpc, Local local) {
  const auto i = static_cast<size_t>(rpc);
  if (bound_.test(i)) {
    std::fprintf(stderr, "waarborgd: %s is bound twice\n", access::NameOf(rpc).method);
    std::abort();
  }
  bound_.set(i);
  local_[i] = std::move(local);
}

}  // namespace waarborg::rpc

// SPDX-License-Identifier: EUPL-1.2
// What a check costs beside a bare call: closed loop at 1, 16, 64 and 256 calls at a time, then open loop at
// two rates, echo and check alternating in one run against one server. Medians over rounds; see
// tests/bench/README.md.
#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "server/access/wire.h"
#include "tests/bench/echo.grpc.pb.h"
#include "tests/support/story.h"
#include "waarborg/v1/checks.grpc.pb.h"

namespace waarborg::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kBans = 50;
constexpr int kEchoBytes = 200;
// One visitor in so many is banned.
constexpr int kHitEvery = 20;
constexpr auto kWarmUp = std::chrono::milliseconds(200);

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "bench: %s\n", what.c_str());
  std::exit(1);
}

double Percentile(std::vector<double>& values, double p) {
  if (values.empty()) return 0;
  const size_t i = std::min(values.size() - 1, static_cast<size_t>(p * static_cast<double>(values.size())));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(i), values.end());
  return values[i];
}

double Median(std::vector<double> values) {
  return Percentile(values, 0.5);
}

// One call under way, to be used again and again.
class Slot {
 public:
  virtual ~Slot() = default;
  virtual void Start(grpc::CompletionQueue& queue, uint64_t number) = 0;
  // Ends the program when the call failed: a benchmark of refusals says nothing.
  virtual void Check() const = 0;
  Clock::time_point begun;

 protected:
  void NewContext() {
    context_ = std::make_unique<grpc::ClientContext>();
    context_->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  }
  std::unique_ptr<grpc::ClientContext> context_;
  grpc::Status status_;
};

// What is measured: how a call of this kind is made.
class Kind {
 public:
  virtual ~Kind() = default;
  virtual std::unique_ptr<Slot> NewSlot(const std::shared_ptr<grpc::Channel>& channel) const = 0;
};

class EchoSlot final : public Slot {
 public:
  explicit EchoSlot(const std::shared_ptr<grpc::Channel>& channel) : stub_(EchoService::NewStub(channel)) {
    in_.set_payload(std::string(kEchoBytes, 'x'));
  }
  void Start(grpc::CompletionQueue& queue, uint64_t) override {
    NewContext();
    reader_ = stub_->AsyncEcho(context_.get(), in_, &queue);
    reader_->Finish(&out_, &status_, this);
  }
  void Check() const override {
    if (!status_.ok() || out_.payload().size() != kEchoBytes) Fail("echo: " + status_.error_message());
  }

 private:
  std::unique_ptr<EchoService::Stub> stub_;
  EchoMessage in_, out_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<EchoMessage>> reader_;
};

class EchoKind final : public Kind {
 public:
  std::unique_ptr<Slot> NewSlot(const std::shared_ptr<grpc::Channel>& channel) const override {
    return std::make_unique<EchoSlot>(channel);
  }
};

class CheckSlot final : public Slot {
 public:
  CheckSlot(const std::shared_ptr<grpc::Channel>& channel, const std::string& token,
            const std::vector<v1::CheckVisitorRequest>& visitors)
      : stub_(v1::CheckService::NewStub(channel)), token_(token), visitors_(visitors) {}
  void Start(grpc::CompletionQueue& queue, uint64_t number) override {
    NewContext();
    context_->AddMetadata("waarborg-session", token_);
    which_ = number % visitors_.size();
    reader_ = stub_->AsyncCheckVisitor(context_.get(), visitors_[which_], &queue);
    reader_->Finish(&out_, &status_, this);
  }
  void Check() const override {
    if (!status_.ok()) Fail("check: " + status_.error_message());
    const auto expected = which_ % kHitEvery == 0 ? v1::CHECK_ANSWER_BANNED : v1::CHECK_ANSWER_NO_BAN_FOUND;
    if (out_.answer() != expected) Fail("check: wrong answer");
  }

 private:
  std::unique_ptr<v1::CheckService::Stub> stub_;
  const std::string& token_;
  const std::vector<v1::CheckVisitorRequest>& visitors_;
  size_t which_ = 0;
  v1::CheckVisitorResponse out_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::CheckVisitorResponse>> reader_;
};

class CheckKind final : public Kind {
 public:
  explicit CheckKind(std::string token) : token_(std::move(token)) {
    for (int i = 0; i < 1000; ++i) {
      v1::CheckVisitorRequest in;
      in.set_purpose(v1::PURPOSE_VISITOR_AT_DESK);
      auto* typed = in.mutable_typed();
      typed->mutable_name()->set_given_names("Willem");
      const bool banned = i % kHitEvery == 0;
      typed->mutable_name()->set_surname(banned ? Banned(i / kHitEvery)
                                                : absl::StrCat("Bezoekerswoud", Letters(i)));
      typed->mutable_birth_date()->set_year(1980);
      typed->mutable_birth_date()->set_month(banned ? 5 : 6);
      typed->mutable_birth_date()->set_day(1 + i % 28);
      if (banned) typed->mutable_birth_date()->set_day(1 + i / kHitEvery % 28);
      visitors_.push_back(std::move(in));
    }
  }
  std::unique_ptr<Slot> NewSlot(const std::shared_ptr<grpc::Channel>& channel) const override {
    return std::make_unique<CheckSlot>(channel, token_, visitors_);
  }
  static std::string Letters(int i) {
    return {static_cast<char>('a' + i / 676 % 26), static_cast<char>('a' + i / 26 % 26),
            static_cast<char>('a' + i % 26)};
  }
  static std::string Banned(int i) { return "Verbodsdael" + Letters(i * 97); }

 private:
  std::string token_;
  std::vector<v1::CheckVisitorRequest> visitors_;
};

struct Measured {
  double rps = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double server_us = 0;  // CPU of the server for each call
};

class Bench {
 public:
  Bench(testing::Town& town, int connections) {
    if (clock_getcpuclockid(town.pid(), &server_clock_) != 0) Fail("no CPU clock of the server");
    for (int i = 0; i < connections; ++i) {
      links_.push_back(std::make_unique<client::Connection>(town.Files("receptie-1")));
    }
  }

  Measured Closed(const Kind& kind, int calls, Clock::duration length) {
    grpc::CompletionQueue queue;
    std::vector<std::unique_ptr<Slot>> slots;
    for (int i = 0; i < calls; ++i)
      slots.push_back(kind.NewSlot(links_[static_cast<size_t>(i) % links_.size()]->channel()));
    uint64_t number = 0;
    for (auto& slot : slots) {
      slot->begun = Clock::now();
      slot->Start(queue, number++);
    }
    std::vector<double> ms;
    const Clock::time_point from = Clock::now() + kWarmUp, until = from + length;
    double cpu_from = -1;
    double cpu = 0;
    Clock::time_point counted_from{}, counted_until{};
    int open = calls;
    void* tag = nullptr;
    bool ok = false;
    while (open > 0 && queue.Next(&tag, &ok)) {
      auto* slot = static_cast<Slot*>(tag);
      slot->Check();
      const auto now = Clock::now();
      if (now >= until) {
        if (counted_until == Clock::time_point{}) {
          counted_until = now;
          cpu = ServerCpu() - cpu_from;
        }
        --open;
        continue;
      }
      if (now >= from) {
        if (cpu_from < 0) {
          cpu_from = ServerCpu();
          counted_from = now;
        } else {
          ms.push_back(Seconds(now - slot->begun).count() * 1e3);
        }
      }
      slot->begun = now;
      slot->Start(queue, number++);
    }
    Drain(queue);
    Measured m;
    const auto n = static_cast<double>(ms.size());
    m.rps = n / Seconds(counted_until - counted_from).count();
    m.server_us = cpu * 1e6 / n;
    m.p50_ms = Percentile(ms, 0.5);
    m.p99_ms = Percentile(ms, 0.99);
    return m;
  }

  // Calls begin at random moments, `rate` a second, whether or not earlier ones have come back. Latency
  // counts from the moment a call should have begun.
  Measured Open(const Kind& kind, int rate, Clock::duration length) {
    grpc::CompletionQueue queue;
    const int max_calls = rate;  // a second's worth: beyond it the server does not keep up
    absl::Mutex mutex;
    std::vector<std::unique_ptr<Slot>> slots;
    std::vector<Slot*> free_slots;
    for (int i = 0; i < max_calls; ++i) {
      slots.push_back(kind.NewSlot(links_[static_cast<size_t>(i) % links_.size()]->channel()));
      free_slots.push_back(slots.back().get());
    }
    std::vector<double> ms;
    std::thread takes([&] {
      void* tag = nullptr;
      bool ok = false;
      while (queue.Next(&tag, &ok)) {
        auto* slot = static_cast<Slot*>(tag);
        slot->Check();
        ms.push_back(Seconds(Clock::now() - slot->begun).count() * 1e3);
        absl::MutexLock lock(&mutex);
        free_slots.push_back(slot);
      }
    });
    std::mt19937_64 dice(42);
    std::exponential_distribution<double> gap(rate);
    const Clock::time_point until = Clock::now() + length;
    uint64_t number = 0;
    for (Clock::time_point at = Clock::now(); at < until;
         at += std::chrono::duration_cast<Clock::duration>(Seconds(gap(dice)))) {
      std::this_thread::sleep_until(at);
      Slot* slot = nullptr;
      {
        absl::MutexLock lock(&mutex);
        if (free_slots.empty()) Fail(absl::StrCat("the server does not keep up with ", rate, " a second"));
        slot = free_slots.back();
        free_slots.pop_back();
      }
      slot->begun = at;
      slot->Start(queue, number++);
    }
    for (;;) {
      absl::MutexLock lock(&mutex);
      if (free_slots.size() == slots.size()) break;
    }
    queue.Shutdown();
    takes.join();
    Measured m;
    m.p50_ms = Percentile(ms, 0.5);
    m.p99_ms = Percentile(ms, 0.99);
    return m;
  }

 private:
  static void Drain(grpc::CompletionQueue& queue) {
    queue.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue.Next(&tag, &ok)) {
    }
  }
  double ServerCpu() const {
    timespec t{};
    clock_gettime(server_clock_, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
  }

  clockid_t server_clock_{};
  std::vector<std::unique_ptr<client::Connection>> links_;
};

// The disk's own price: 512 bytes and fdatasync into a file that was zeroed beforehand, nothing around it.
double FdatasyncMs(const std::string& folder) {
  const std::string path = folder + "/fdatasync";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT, 0600);
  const std::string zeros(size_t{1} << 20, '\0'), block(512, 'x');
  if (fd < 0 || write(fd, zeros.data(), zeros.size()) != static_cast<ssize_t>(zeros.size()) || fsync(fd) != 0)
    Fail("cannot write " + path);
  std::vector<double> ms;
  for (int i = 0; i < 500; ++i) {
    const auto begun = Clock::now();
    if (pwrite(fd, block.data(), block.size(), off_t{i} * 512) != 512 || fdatasync(fd) != 0)
      Fail("cannot write " + path);
    ms.push_back(Seconds(Clock::now() - begun).count() * 1e3);
  }
  close(fd);
  unlink(path.c_str());
  return Percentile(ms, 0.5);
}

struct Series {
  std::vector<double> rps, p50, p99, cpu;
  void Add(const Measured& m) {
    rps.push_back(m.rps);
    p50.push_back(m.p50_ms);
    p99.push_back(m.p99_ms);
    cpu.push_back(m.server_us);
  }
};

std::string Object(const std::vector<std::string>& members) {
  return "{" + absl::StrJoin(members, ", ") + "}";
}
std::string Member(const std::string& name, const std::string& value) {
  return "\"" + name + "\": " + value;
}
std::string Number(double v) {
  return absl::StrFormat("%.4g", v);
}

int Count(const std::string& text) {
  int n = 0;
  if (!absl::SimpleAtoi(text, &n) || n < 1) Fail("not a number: " + text);
  return n;
}

int Main(int argc, char** argv) {
  bool json = false, with_echo = true;
  int rounds = 7, connections = 16;
  double seconds = 1;
  std::vector<int> levels = {1, 16, 64, 256};
  std::vector<int> rates = {500, 2000};
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    if (a == "--json") {
      json = true;
    } else if (a == "--quick") {
      rounds = 1;
      seconds = 0.3;
    } else if (a == "--rounds" && i + 1 < argc) {
      rounds = Count(argv[++i]);
    } else if (a == "--connections" && i + 1 < argc) {
      connections = Count(argv[++i]);
    } else if (a == "--calls" && i + 1 < argc) {
      levels = {Count(argv[++i])};
      rates.clear();
    } else if (a == "--profile") {
      with_echo = false;  // only checks, so that a profiler sees nothing else
    } else {
      std::fputs(
          "usage: tests/bench/check [--json] [--quick] [--rounds N] [--connections N] [--calls N] "
          "[--profile]\n",
          stderr);
      return 64;
    }
  }
  char name[] = "/var/tmp/waarborg-bench-XXXXXX";  // a disk; /tmp may be memory
  const std::string folder = mkdtemp(name);
  testing::Town::Build(folder + "/town", /*unlimited=*/true);
  auto town = testing::Town::Copy(folder + "/town", folder + "/bench");
  if (!town->Start()) Fail("no server: " + town->Log());
  for (int i = 0; i < kBans; ++i) {
    testing::ActiveBan(*town, {"Willem", CheckKind::Banned(i), absl::StrFormat("1980-05-%02d", 1 + i % 28)});
  }
  const EchoKind echo;
  const CheckKind check(town->At("receptie", "receptie-1").token());
  const auto length = std::chrono::duration_cast<Clock::duration>(Seconds(seconds));
  Bench bench(*town, connections);

  std::map<int, std::pair<Series, Series>> closed, open;
  std::vector<double> sync_ms;
  for (int round = 0; round < rounds; ++round) {
    std::fprintf(stderr, "round %d of %d\n", round + 1, rounds);
    sync_ms.push_back(FdatasyncMs(folder));
    for (int calls : levels) {
      if (with_echo) closed[calls].first.Add(bench.Closed(echo, calls, length));
      closed[calls].second.Add(bench.Closed(check, calls, length));
    }
    for (int rate : rates) {
      open[rate].first.Add(bench.Open(echo, rate, length));
      open[rate].second.Add(bench.Open(check, rate, length));
    }
  }
  if (town->Stop(SIGTERM) != 0) Fail("the server did not stop well: " + town->Log());
  testing::MustRun("rm -rf " + folder);

  const double sync = Median(sync_ms);
  if (!json) {
    std::printf(
        "calls      echo/s     check/s   ratio   echo p50   check p50  echo p99  check p99 ms   CPU us echo  "
        "check\n");
    for (auto& [calls, s] : closed) {
      auto& [e, c] = s;
      std::printf("%5d  %10.0f  %10.0f   %5.2f  %9.2f   %9.2f %9.2f  %9.2f      %9.0f  %5.0f (%.2f)\n", calls,
                  Median(e.rps), Median(c.rps), Median(c.rps) / Median(e.rps), Median(e.p50), Median(c.p50),
                  Median(e.p99), Median(c.p99), Median(e.cpu), Median(c.cpu), Median(c.cpu) / Median(e.cpu));
    }
    for (auto& [rate, s] : open) {
      auto& [e, c] = s;
      std::printf("open loop %d/s: check minus echo %.2f ms at p50, %.2f ms at p99\n", rate,
                  Median(c.p50) - Median(e.p50), Median(c.p99) - Median(e.p99));
    }
    std::printf("fdatasync %.3f ms", sync);
    if (closed.contains(1))
      std::printf("; one check alone %.2f times that", Median(closed[1].second.p50) / sync);
    std::printf("\n");
    return 0;
  }
  std::vector<std::string> echo_rps, check_rps, ratio, p50e, p50c, p99e, p99c, cpu_e, cpu_c, loop;
  for (auto& [calls, s] : closed) {
    auto& [e, c] = s;
    const std::string n = absl::StrCat(calls);
    echo_rps.push_back(Member(n, Number(Median(e.rps))));
    check_rps.push_back(Member(n, Number(Median(c.rps))));
    ratio.push_back(Member(n, Number(Median(c.rps) / Median(e.rps))));
    p50e.push_back(Member(n, Number(Median(e.p50))));
    p50c.push_back(Member(n, Number(Median(c.p50))));
    p99e.push_back(Member(n, Number(Median(e.p99))));
    p99c.push_back(Member(n, Number(Median(c.p99))));
    cpu_e.push_back(Member(n, Number(Median(e.cpu))));
    cpu_c.push_back(Member(n, Number(Median(c.cpu))));
  }
  for (auto& [rate, s] : open) {
    auto& [e, c] = s;
    loop.push_back(
        Member(absl::StrCat(rate), Object({Member("p50", Number(Median(c.p50) - Median(e.p50))),
                                           Member("p99", Number(Median(c.p99) - Median(e.p99)))})));
  }
  std::printf("%s\n",
              Object({Member("echo_rps", Object(echo_rps)), Member("check_rps", Object(check_rps)),
                      Member("ratio", Object(ratio)),
                      Member("p50_ms", Object({Member("echo", Object(p50e)), Member("check", Object(p50c))})),
                      Member("p99_ms", Object({Member("echo", Object(p99e)), Member("check", Object(p99c))})),
                      Member("server_cpu_us",
                             Object({Member("echo", Object(cpu_e)), Member("check", Object(cpu_c))})),
                      Member("open_loop_ms", Object(loop)), Member("fdatasync_p50_ms", Number(sync))})
                  .c_str());
  return 0;
}

}  // namespace
}  // namespace waarborg::bench

int main(int argc, char** argv) {
  if (!waarborg::access::RestrictTls()) return 70;
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return waarborg::bench::Main(argc, argv);
}

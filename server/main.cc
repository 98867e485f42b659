// SPDX-License-Identifier: EUPL-1.2
// waarborgd: wiring, start order, stop order.
#include <google/protobuf/stubs/common.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "server/access/wire.h"
#include "server/base/file.h"
#include "server/oidc/sign_in.h"
#include "server/photos/child.h"
#include "server/restore.h"
#include "server/rpc/server.h"
#include "server/setup.h"
#ifdef WAARBORG_TEST_BUILD
#include "server/base/file_clock.h"
#include "tests/bench/echo.h"
#include "tests/crash/faulty_store.h"
#endif

namespace waarborg::server {
namespace {

// sysexits.h, so that systemd and a person can tell what went wrong.
constexpr int kUsage = 64;
constexpr int kDataError = 65;
constexpr int kUnavailable = 69;
constexpr int kIoError = 74;
constexpr int kConfigError = 78;
constexpr size_t kMaxPassphrase = 1024;
constexpr std::chrono::seconds kMeasureEvery(15);

void Say(const std::string& line) {
  std::fprintf(stderr, "waarborgd: %s\n", line.c_str());
  std::fflush(stderr);
}

// No copy of this process's memory ever reaches a disk by itself: locked out of swap where the system allows
// it (the systemd unit does), and never dumped. Half a limit is none: with MCL_FUTURE, memory would run out
// at it.
void GuardMemory() {
  rlimit locked{};
  const bool unlimited =
      geteuid() == 0 || (getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && locked.rlim_cur == RLIM_INFINITY);
  if (!unlimited || mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0) {
    Say("WARNING: memory is not locked and may reach swap; see LimitMEMLOCK in "
        "deploy/systemd/waarborgd.service");
  }
  umask(077);
  prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

// One connection is one file: as many as the system allows.
void RaiseFileLimit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
}

#ifdef WAARBORG_TEST_BUILD
// Free space as a file says, so that a test can fill the disk.
class FileRoom : public base::DiskRoom {
 public:
  FileRoom(const config::ServerConfig& config, std::string file)
      : DiskRoom(config.data_folder, config.keep_free_bytes), file_(std::move(file)) {}

 protected:
  int64_t Free() const override {
    auto text = base::ReadFile(file_);
    int64_t bytes = 0;
    return text.ok() && absl::SimpleAtoi(*text, &bytes) ? bytes : 0;
  }

 private:
  std::string file_;
};
#endif

struct TestOptions {
  std::string clock;
  std::string room;
  std::string fault;
  int stream_seconds = 0;
};

std::unique_ptr<base::Room> MakeRoom(const config::ServerConfig& config, const TestOptions& test) {
#ifdef WAARBORG_TEST_BUILD
  if (!test.room.empty()) return std::make_unique<FileRoom>(config, test.room);
#endif
  (void)test;
  return std::make_unique<base::DiskRoom>(config.data_folder, config.keep_free_bytes);
}

std::unique_ptr<base::Clock> MakeClock(const std::string& test_clock) {
#ifdef WAARBORG_TEST_BUILD
  if (!test_clock.empty()) {
    Say("TEST CLOCK: time stands still until " + test_clock +
        " is changed. Never use this build for real people.");
    return base::FileClock::Open(test_clock);
  }
#endif
  (void)test_clock;
  return std::make_unique<base::SystemClock>();
}

// A line from the terminal, unseen; or from whatever stands in its place.
absl::StatusOr<base::Secret> ReadLineUnseen(const std::string& prompt) {
  termios before{};
  const bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
  if (terminal) {
    termios unseen = before;
    unseen.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen);
    std::fprintf(stderr, "%s: ", prompt.c_str());
  }
  std::string line;
  line.reserve(kMaxPassphrase);  // so that no copy is left behind
  char c = 0;
  while (line.size() < kMaxPassphrase && read(STDIN_FILENO, &c, 1) == 1 && c != '\n') line += c;
  if (terminal) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::fprintf(stderr, "\n");
  }
  base::Secret secret(line);
  base::Wipe(line);
  if (secret.empty()) {
    return absl::FailedPreconditionError(
        "no passphrase: give it at the terminal, in a line on the standard input, or as the systemd "
        "credential "
        "\"passphrase\"");
  }
  return secret;
}

absl::StatusOr<base::Secret> AskPassphrase(const std::string& place) {
  if (auto handed = keys::ReadSecret("credential:passphrase"); handed.ok()) return handed;
  return ReadLineUnseen("passphrase of " + place);
}

bool LoadConfig(const std::string& path, config::ServerConfig& config) {
  auto text = base::ReadFile(path);
  if (!text.ok()) {
    Say(std::string(text.status().message()));
    return false;
  }
  config::Errors errors;
  config = config::ParseServer(*text, path, errors);
  for (const std::string& error : errors) Say(error);
  return errors.empty();
}

// For whoever watches the machine, in the text format of Prometheus; node_exporter reads such a file.
std::string Metrics(const House& house) {
  const journal::Journal::Waiting waiting = house.journal->waiting();
  const auto gauge = [](const char* name, const char* help, auto value) {
    return absl::StrCat("# HELP waarborg_", name, " ", help, "\n# TYPE waarborg_", name, " gauge\nwaarborg_",
                        name, " ", value, "\n");
  };
  return gauge("destruction_waiting_seconds",
               "How long a key of a photo or file has been waiting to be destroyed; alarm above 10.",
               absl::ToDoubleSeconds(waiting.keys)) +
         gauge("sweeping_waiting_seconds",
               "How long what a destroyed key opened has been waiting to be swept up.",
               absl::ToDoubleSeconds(waiting.sweeping)) +
         gauge("certificates_waiting", "Certificates of destruction that are still to be made.",
               house.journal->certificates_waiting()) +
         gauge("log_entries", "Entries of the log that is written to.",
               house.journal->committed().frontier.size()) +
         gauge("log_publishing_fails", "1 while the log cannot be published.",
               house.publisher->failing() ? 1 : 0);
}

int Run(const config::ServerConfig& config, const TestOptions& test, const std::set<std::string>& overruled,
        const std::string& port_file) {
  // Blocked in every thread; taken by sigwait below, so that no handler ever runs.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  rpc::TlsFiles tls;
  for (auto [path, pem] : {std::pair{&config.certificate_file, &tls.certificate_pem},
                           {&config.key_file, &tls.key_pem},
                           {&config.client_ca_file, &tls.client_ca_pem}}) {
    auto text = base::ReadFile(*path);
    if (!text.ok()) {
      Say(std::string(text.status().message()));
      return kConfigError;
    }
    *pem = *text;
  }
  auto clock = MakeClock(test.clock);
  if (clock == nullptr) {
    Say("cannot read the test clock " + test.clock);
    return kConfigError;
  }
  const absl::Time until = access::EndOfCertificate(tls.certificate_pem);
  if (until < clock->Now() + access::kCertificateWarning) {
    Say("WARNING: the certificate " + config.certificate_file + " ends on " + base::FormatLocal(until) +
        "; renew it with deploy/pki and restart");
  }
  base::SystemRandom random;
  auto room = MakeRoom(config, test);
  WrapStore wrap;
#ifdef WAARBORG_TEST_BUILD
  if (!test.fault.empty()) {
    Say("TEST FAULT: " + test.fault);
    wrap = [late = test.fault == "late-store"](auto store) {
      return std::make_unique<testing::FaultyStore>(std::move(store), late);
    };
  }
#endif
  auto house = OpenHouse(config, {*clock, random, *room, &AskPassphrase}, overruled, wrap);
  if (!house.ok()) {
    Say(std::string(house.status().message()));
    return kDataError;
  }
  const std::string decoder = photos::DecoderBesideThisProgram();
  if (::access(decoder.c_str(), X_OK) != 0) {
    Say("there is no waarborg-decoder beside this program: " + decoder);
    return kUnavailable;
  }
  oidc::Parts openid;
  if (config.openid) {
    auto opened = oidc::Open(*config.openid, random);
    if (!opened.ok()) {
      Say("[openid]: " + std::string(opened.status().message()));
      return kConfigError;
    }
    openid = std::move(*opened);
  }
  base::Workers workers(2, 64);
  base::Workers passwords(2, 64);
  base::Workers network(4, 32);
  rpc::Core core({house->journal.get(),
                  &workers,
                  &passwords,
                  &random,
                  {config.argon2_memory_kib, config.argon2_passes},
                  decoder,
                  house->publisher.get(),
                  house->backups.get(),
                  house->certifier.get(),
                  openid.sign_in.get(),
                  &network,
                  {config.security_keys.rp_id, config.security_keys.origins, config.security_keys.synced}});
  rpc::Server server(core);
#ifdef WAARBORG_TEST_BUILD
  server.AlsoServe(&bench::BindEcho);
  if (test.stream_seconds > 0) server.live_streams().SetLongest(std::chrono::seconds(test.stream_seconds));
#endif
  std::atomic<bool> failed = false;
  house->journal->OnFailure([&failed](const absl::Status& s) {
    Say("CANNOT RECORD, so nothing is answered; stopping, to start again from what is on the disk: " +
        std::string(s.message()));
    failed = true;
    kill(getpid(), SIGTERM);
  });
  std::atomic<bool> damaged = false;
  house->publisher->AfterRound([&house, &clock, &config, said = std::string(), tidied = absl::InfinitePast(),
                                measured = std::chrono::steady_clock::time_point()]() mutable {
    absl::Status s = house->certifier->Round();
    const auto now = std::chrono::steady_clock::now();
    if (s.ok() && !config.metrics_file.empty() && now - measured > kMeasureEvery) {
      measured = now;
      s = base::WriteFileDurably(config.metrics_file, Metrics(*house), 0644);
    }
    if (s.ok() && clock->Now() - tidied > absl::Hours(1)) {
      tidied = clock->Now();
      s = house->backups->RemoveOldKeys(tidied).status();
    }
    // Once, until something else is wrong.
    if (!s.ok() && said != s.message()) Say("certificates and backups: " + std::string(s.message()));
    said = std::string(s.message());
  });
  house->publisher->Run([&damaged](const absl::Status& s) {
    Say("THE LOG IS NOT WHAT IT WAS; stopping: " + std::string(s.message()));
    damaged = true;
    kill(getpid(), SIGTERM);
  });
  std::string error;
  const int port = server.Start(config.listen, tls, error);
  if (port == 0) {
    Say(error);
    return kUnavailable;
  }
  Say("serving on port " + std::to_string(port));
  if (!port_file.empty()) {
    if (auto s = base::WriteFileDurably(port_file, std::to_string(port) + "\n"); !s.ok()) {
      Say(std::string(s.message()));
    }
  }

  int signal = 0;
  sigwait(&signals, &signal);
  Say("stopping: taking no new calls, finishing those under way");
  server.Shutdown(absl::Seconds(5));
  workers.Stop();
  passwords.Stop();
  network.Stop();
  house->background->Stop();  // it wakes the server; what is left of a destruction is for the next start
  house->journal->Stop();
  server.Finish();
  house->publisher->Stop();
  Say("stopped");
  return damaged ? kDataError : failed ? kIoError : 0;
}

// Shows one code at a time, so that each of the two can look while the other looks away.
void ShowCodes(const Initial& initial) {
  const bool person_watching = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
  for (const FirstPerson* p : {&initial.administrator, &initial.privacy_officer}) {
    if (person_watching) {
      std::printf("Enrolment code for %s: let only %s look, then press Enter.", p->login.c_str(),
                  p->display_name.c_str());
      std::fflush(stdout);
      while (std::getchar() != '\n') {
      }
    }
    std::printf("%s %s\n", p->login.c_str(), p->enrolment_code.c_str());
    if (person_watching) {
      std::printf("Write it down and press Enter; the screen is cleared.");
      std::fflush(stdout);
      while (std::getchar() != '\n') {
      }
      std::printf("\033[2J\033[3J\033[H");
    }
  }
}

int PrintLogKey(const config::ServerConfig& config, const std::string& origin) {
  base::SystemRandom random;
  base::SystemClock clock;
  base::DiskRoom room(config.data_folder, config.keep_free_bytes);
  auto key = LogKey(config, {clock, random, room, &AskPassphrase}, origin);
  if (!key.ok()) {
    Say(std::string(key.status().message()));
    return kDataError;
  }
  std::printf("%s\n", key->c_str());
  return 0;
}

int ContinueLog(const config::ServerConfig& config, const TestOptions& test,
                const std::string& last_checkpoint) {
  auto note = base::ReadFile(last_checkpoint);
  if (!note.ok()) {
    Say(std::string(note.status().message()));
    return kConfigError;
  }
  auto clock = MakeClock(test.clock);
  if (clock == nullptr) return kConfigError;
  base::SystemRandom random;
  auto room = MakeRoom(config, test);
  auto origin = BeginLog(config, {*clock, random, *room, &AskPassphrase}, *note);
  if (!origin.ok()) {
    Say(std::string(origin.status().message()));
    return kDataError;
  }
  std::printf(
      "The log goes on as %s. Start the service; then give everybody who checks the log its new key: "
      "waarborgd "
      "log-key\n",
      origin->c_str());
  return 0;
}

int PutBack(const config::ServerConfig& config, const TestOptions& test, const RestoreOptions& options) {
  auto clock = MakeClock(test.clock);
  if (clock == nullptr) return kConfigError;
  base::SystemRandom random;
  auto room = MakeRoom(config, test);
  const absl::Status s = Restore(config, {*clock, random, *room, &AskPassphrase}, options, &Say);
  if (!s.ok()) {
    Say(std::string(s.message()));
    return kDataError;
  }
  Say("the backup is put back. Start the service, give everybody who checks the log its new key (waarborgd "
      "log-key), "
      "and let the auditor know");
  return 0;
}

int NewRootKey(const config::ServerConfig& config, bool with_passphrase) {
  base::SystemClock clock;
  base::SystemRandom random;
  base::DiskRoom room(config.data_folder, config.keep_free_bytes);
  std::optional<base::Secret> passphrase;
  if (with_passphrase) {
    auto first = ReadLineUnseen("new passphrase");
    if (!first.ok()) {
      Say(std::string(first.status().message()));
      return kUsage;
    }
    if (isatty(STDIN_FILENO)) {
      auto again = ReadLineUnseen("again");
      if (!again.ok() || !again->Equals(first->Reveal())) {
        Say("that was not the same");
        return kUsage;
      }
    }
    passphrase = std::move(*first);
  }
  const absl::Status s =
      RotateRootKey(config, {clock, random, room, &AskPassphrase}, passphrase ? &*passphrase : nullptr, &Say);
  if (!s.ok()) {
    Say(std::string(s.message()));
    return kDataError;
  }
  return 0;
}

int Main(int argc, char** argv) {
  char check_config[] = "check-config";
  if (argc > 1 && std::string_view(argv[1]) == "--check-config")
    argv[1] = check_config;  // as other daemons call it
  CLI::App app("waarborgd: the core of Waarborg, for one municipality");
  app.require_subcommand(1);
  std::string config_path, port_file;
  TestOptions test;

  auto* run = app.add_subcommand("run", "Serve until SIGTERM");
  auto* init =
      app.add_subcommand("init", "Set up an empty data folder with the first two people and a station");
  auto* check =
      app.add_subcommand("check-config", "Check configuration files and say everything that is wrong");
  auto* log_key =
      app.add_subcommand("log-key", "Print the verifier key text of the log, for those who check it");
  auto* begin_log = app.add_subcommand(
      "begin-log",
      "After an older backup was restored: begin a new log that commits to the last checkpoint of the old");
  auto* restore = app.add_subcommand("restore", "Put a backup back, while the service is stopped");
  auto* rotate = app.add_subcommand(
      "rotate-root-key", "Make a new root key and seal everything under it, while the service is stopped");
  for (auto* sub : {run, init, check, log_key, begin_log, restore, rotate}) {
    sub->add_option("--config", config_path, "waarborgd.toml: where to listen and where to keep things")
        ->required();
  }
#ifdef WAARBORG_TEST_BUILD
  for (auto* sub : {run, init, begin_log, restore})
    sub->add_option("--test-clock", test.clock, "File with the time of the test clock");
  run->add_option("--test-room", test.room, "File with the number of bytes that are free on the disk");
  run->add_option("--test-fault", test.fault, "A fault on purpose")
      ->check(CLI::IsMember({"late-store", "failing-store"}));
  run->add_option("--test-stream-seconds", test.stream_seconds, "How long a stream may last");
#endif
  std::vector<std::string> overruled;
  run->add_option("--overrule-witness", overruled,
                  "Start although this witness (its id) contradicts the log; this is recorded in the log");
  std::string origin, last_checkpoint;
  log_key->add_option("--origin", origin, "Of this log; of the newest when not given");
  begin_log
      ->add_option("--last-checkpoint", last_checkpoint,
                   "File with the newest checkpoint that anybody has of the log")
      ->required();
  RestoreOptions put_back;
  restore->add_option("--from", put_back.from, "Folder of the backup")->required();
  restore->add_option("--file-keys", put_back.keys_file,
                      "Backup of the file keys; the newest in the configured folder when not given");
  restore->add_option("--openings", put_back.openings,
                      "Folder with certificates and openings: destructions that they prove are done again");
  restore->add_option("--last-checkpoint", put_back.last_checkpoint,
                      "File with the newest checkpoint that anybody has of the log (ask a witness)");
  restore->add_flag("--keys-are-lost", put_back.keys_are_lost,
                    "The keystores that the token guards are lost for good: destroy what guards them");
  bool with_passphrase = false;
  rotate->add_flag("--passphrase", with_passphrase, "Seal the new root key under a passphrase");
  run->add_option("--port-file", port_file, "Write the port that was taken to this file");

  Initial initial;
  std::string municipality_path, station_certificate;
  for (auto* sub : {init, check}) {
    auto* option = sub->add_option("--municipality", municipality_path,
                                   "municipality.toml: the municipal configuration");
    if (sub == init) option->required();
  }
  init->add_option("--administrator", initial.administrator.login, "Sign-in name of the administrator")
      ->required();
  init->add_option("--administrator-name", initial.administrator.display_name, "Their name")->required();
  init->add_option("--privacy-officer", initial.privacy_officer.login, "Sign-in name of the privacy officer")
      ->required();
  init->add_option("--privacy-officer-name", initial.privacy_officer.display_name, "Their name")->required();
  init->add_option("--station", initial.station_id, "Id of the workplace they sign in from")->required();
  init->add_option("--station-location", initial.location_id,
                   "Its location, from the municipal configuration")
      ->required();
  init->add_option("--station-certificate", station_certificate, "Its certificate (PEM)")->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? 0 : kUsage;
  }

  config::ServerConfig config;
  const bool config_good = LoadConfig(config_path, config);
  if (!municipality_path.empty()) {
    auto toml = base::ReadFile(municipality_path);
    if (!toml.ok()) {
      Say(std::string(toml.status().message()));
      return kConfigError;
    }
    initial.municipality_toml = *toml;
  }
  if (check->parsed()) {
    config::Errors errors;
    if (!municipality_path.empty())
      config::ParseMunicipality(initial.municipality_toml, municipality_path, errors);
    for (const std::string& error : errors) Say(error);
    if (!config_good || !errors.empty()) return kConfigError;
    Say("the configuration is good");
    return 0;
  }
  if (!config_good) return kConfigError;
  if (init->parsed()) {
    auto pem = base::ReadFile(station_certificate);
    if (!pem.ok()) {
      Say(std::string(pem.status().message()));
      return kConfigError;
    }
    initial.station_certificate_pem = *pem;
    auto clock = MakeClock(test.clock);
    if (clock == nullptr) return kConfigError;
    base::SystemRandom random;
    auto room = MakeRoom(config, test);
    if (auto s = Initialise(config, {*clock, random, *room, &AskPassphrase}, initial); !s.ok()) {
      Say(std::string(s.message()));
      return kDataError;
    }
    ShowCodes(initial);
    return 0;
  }
  if (log_key->parsed()) return PrintLogKey(config, origin);
  if (begin_log->parsed()) return ContinueLog(config, test, last_checkpoint);
  if (restore->parsed()) return PutBack(config, test, put_back);
  if (rotate->parsed()) return NewRootKey(config, with_passphrase);
  RaiseFileLimit();
  return Run(config, test, {overruled.begin(), overruled.end()}, port_file);
}

}  // namespace
}  // namespace waarborg::server

int main(int argc, char** argv) {
  waarborg::server::GuardMemory();
  if (!waarborg::access::RestrictTls()) {
    std::fprintf(stderr, "waarborgd: cannot restrict TLS to the allowed set\n");
    return 70;
  }
  // Every message with text that is not UTF-8 would be a line in the journal, at the pleasure of its sender.
  google::protobuf::SetLogHandler(nullptr);
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return waarborg::server::Main(argc, argv);
}

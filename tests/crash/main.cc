// SPDX-License-Identifier: EUPL-1.2
// Kills the server at random moments while people of all roles work, starts it again, and checks what must be
// true:
//   1  the start is clean;
//   2  the log has grown: every entry seen before is still there, byte for byte, and the root over all is the
//   server's; 3  every command that was acknowledged stands in the log at the place its receipt names, with
//   what it did; 4  a command whose answer was lost, sent again under the same key, succeeds, and was done
//   once; 5  every check and photo that was answered has its entry, and no entry stands for one that nobody
//   asked for; 6  every file is where the acknowledged steps brought it: photos released show, photos of
//   lifted bans are destroyed.
// The seed decides what everybody does and when the server dies; threads make the rest of the order.
//   waarborg-crash KILLS [--seed N] [--fault]
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "audit/merkle.h"
#include "server/access/wire.h"
#include "tests/support/life.h"
#include "tests/support/story.h"
#include "waarborg/v1/audit.pb.h"

namespace waarborg::crash {
namespace {

namespace pb = waarborg::v1;
using testing::kAuditor, testing::kBoard, testing::kCivilAffairs, testing::kCoordinator, testing::kDesk,
    testing::kManager, testing::kSecretary;
using testing::Seat;
using testing::Step;
using testing::Town;
using testing::Unanswered;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr int kWorkers = 4;

constexpr Seat kSeats[] = {kManager, kSecretary, kBoard, kCoordinator, kCivilAffairs, kDesk, kAuditor};

// The life of a ban, step by step.
constexpr Step kLife[] = {
    {kManager, "ban propose", "ProposeBan"},
    {kSecretary, "ban advise", "AdviseBan"},
    {kBoard, "ban approve", "DecideBan"},
    {kManager, "photo inform", "RecordInformed"},
    {kCoordinator, "photo request", "RequestRelease"},
    {kManager, "photo consent", "DecideConsent"},
    {kCivilAffairs, "photo supply", "SupplyPhoto"},
    {kCoordinator, "photo release", "ReleasePhoto"},
    {kCoordinator, "photo darken", "DarkenPhoto"},
    {kCoordinator, "photo restore", "RestorePhoto"},
    {kDesk, "report", "ReportBreach"},
    {kBoard, "ban lift", "LiftBan"},
};
constexpr int kSteps = static_cast<int>(std::size(kLife));
constexpr int kProposed = 1, kReleased = 8, kLifted = kSteps;

// What is known of one ban: the steps that were acknowledged.
struct File {
  std::string surname;
  std::string id;
  int steps = 0;
  std::string key;  // of the command under way; empty when none is
};

struct Acknowledged {
  uint64_t entry;
  std::string event, ban;
};

// What all workers know together.
struct Model {
  std::mutex mutex;
  std::vector<Acknowledged> commands;       // since the last check
  std::map<std::string, int64_t> answered;  // by event: questions that were answered
  std::map<std::string, int64_t> asked;     // and those that were asked
  int64_t commands_sent = 0;
  int64_t refused = 0;
};

class Worker {
 public:
  Worker(int number, uint64_t seed, Model& model) : number_(number), dice_(seed), model_(model) {}

  // Works until the server is gone. `stop` ends it between two commands.
  void Work(std::map<std::string, client::Connection*> seats, const std::string& portrait,
            const std::atomic<bool>& stop) {
    seats_ = std::move(seats);
    portrait_ = portrait;
    while (!stop && Turn()) {
    }
  }

  // Sends what was not answered again, under the same key. True when it was answered now, as done.
  bool Resolve(std::map<std::string, client::Connection*> seats, std::string& trouble) {
    seats_ = std::move(seats);
    for (File& file : files_) {
      if (file.key.empty()) continue;
      const client::Reply reply = Advance(file);
      if (reply.ok()) continue;
      trouble = absl::StrCat(file.id, ": \"", kLife[file.steps].command,
                             "\" was sent before the crash and is refused now: ", reply.error.rule());
      return false;
    }
    return true;
  }
  const std::vector<File>& files() const { return files_; }

 private:
  // False when the server is gone.
  bool Turn() {
    switch (dice_() % 10) {
      case 0:
      case 1:
      case 2:
      case 3: {
        const std::string who = files_.empty() || dice_() % 2 == 0 ? "Nergensma" : Any().surname;
        return Question(
            "CheckVisitor", "check",
            {{"given", "Jan"}, {"surname", who}, {"born", "1985-03-12"}, {"purpose", "visitor-at-desk"}});
      }
      case 4: {
        if (files_.empty() || Any().steps < kProposed) return true;
        const File& file = Any();
        return Question("ShowPhoto", "photo show", {{"ban", file.id}, {"purpose", "visitor-at-desk"}});
      }
      case 5:
        return Question("NextBriefing", "briefing", {});
      default: {
        if (files_.empty() || (files_.size() < 200 && dice_() % 6 == 0)) {
          files_.push_back(
              {absl::StrCat("Proefwoud", Letters(number_), Letters(static_cast<int>(files_.size()))), "", 0,
               ""});
          return !Unanswered(Advance(files_.back()));
        }
        File& file = files_[dice_() % files_.size()];
        if (file.steps == kLifted) return true;
        return !Unanswered(Advance(file));
      }
    }
  }

  static std::string Letters(int n) {
    return {static_cast<char>('a' + n / 26 % 26), static_cast<char>('a' + n % 26)};
  }
  const File& Any() { return files_[dice_() % files_.size()]; }

  bool Question(const std::string& event, const std::string& command, const Pairs& options) {
    {
      std::lock_guard lock(model_.mutex);
      ++model_.asked[event];
    }
    client::Arguments arguments;
    for (const auto& [name, value] : options) arguments.Add(name, value);
    const client::Reply reply = testing::RunOn(*seats_.at(kDesk.person), command, arguments);
    std::lock_guard lock(model_.mutex);
    if (reply.ok()) ++model_.answered[event];
    if (!reply.ok() && !reply.error.detail.rule().empty()) ++model_.refused;
    return !Unanswered(reply);
  }

  // Takes the next step of the file's life. Until it is answered, it is tried under the same key.
  client::Reply Advance(File& file) {
    const Step& step = kLife[file.steps];
    if (file.key.empty()) file.key = absl::StrFormat("proef-%016x", dice_());
    {
      std::lock_guard lock(model_.mutex);
      ++model_.commands_sent;
    }
    client::Reply reply = testing::RunOn(
        *seats_.at(step.seat.person), step.command,
        testing::ArgumentsOf(step.command, {.surname = file.surname, .ban = file.id, .portrait = portrait_},
                             file.key));
    if (!reply.ok()) return reply;
    if (file.id.empty()) file.id = *reply.FindFact("id");
    std::lock_guard lock(model_.mutex);
    model_.commands.push_back({std::stoull(*reply.FindFact("entry")), step.event, file.id});
    ++file.steps;
    file.key.clear();
    return reply;
  }

  int number_;
  std::mt19937_64 dice_;
  Model& model_;
  std::map<std::string, client::Connection*> seats_;
  std::string portrait_;
  std::vector<File> files_;
};

class Checker {
 public:
  Checker(Town& town, Model& model, std::vector<Worker>& workers)
      : town_(town), model_(model), workers_(workers) {}

  // Everything that must be true after a start. Empty when it is.
  std::string Check() {
    if (auto t = ReadLog(); !t.empty()) return t;
    for (const Acknowledged& a : model_.commands) {
      if (a.entry >= entries_.size()) return absl::StrCat("entry ", a.entry, " (", a.event, ") is lost");
      const pb::AuditRecord& r = entries_[a.entry];
      if (r.event() != a.event || r.ban_id() != a.ban || r.result() != pb::RESULT_DONE) {
        return absl::StrCat("entry ", a.entry, " should say ", a.event, " of ", a.ban, " and says ",
                            r.event(), " of ", r.ban_id());
      }
    }
    checked_ += model_.commands.size();
    model_.commands.clear();
    for (const auto& [event, asked] : model_.asked) {
      const int64_t answered = model_.answered[event], logged = done_[event];
      if (logged < answered || logged > asked) {
        return absl::StrCat(event, ": ", asked, " asked, ", answered, " answered, but ", logged,
                            " in the log");
      }
    }
    return "";
  }

  // That the files stand where the acknowledged steps brought them, once lost answers were resolved.
  std::string CheckFiles(std::mt19937_64& dice) {
    for (const Worker& worker : workers_) {
      for (const File& file : worker.files()) {
        if (file.steps == 0) continue;
        if (once_[{file.id, kLife[file.steps - 1].event}] == 0)
          return absl::StrCat(file.id, ": the last step has no entry");
        for (int i = 0; i < file.steps; ++i) {
          if (const int n = once_[{file.id, kLife[i].event}]; n != 1)
            return absl::StrCat(file.id, ": ", kLife[i].event, " was done ", n, " times");
        }
        // Not all of them every time: this is asked of the server.
        if (dice() % 4 != 0) continue;
        if (file.steps == kReleased || file.steps == kReleased + 2) {
          if (auto r = Ask(kDesk, "photo show", {{"ban", file.id}, {"purpose", "visitor-at-desk"}}); !r.ok())
            return absl::StrCat(file.id, ": its released photo does not show: ", r.error.rule());
          std::lock_guard lock(model_.mutex);
          ++model_.asked["ShowPhoto"], ++model_.answered["ShowPhoto"];
        }
        const auto shown = Ask(kManager, "ban show", {{"ban", file.id}});
        if (!shown.ok()) return absl::StrCat(file.id, " is lost: ", shown.error.rule());
        const std::string state = shown.FindFact("state").value_or(""),
                          photo = shown.FindFact("photo").value_or("");
        if (file.steps == kLifted && (state != "lifted" || photo != "destroyed"))
          return absl::StrCat(file.id, " was lifted; it is ", state, ", its photo ", photo);
        if (file.steps < kLifted && state == "lifted")
          return absl::StrCat(file.id, " was not lifted, but is");
      }
    }
    return "";
  }

  size_t entries() const { return entries_.size(); }
  size_t checked() const { return checked_; }

 private:
  client::Reply Ask(const Seat& seat, const std::string& command, const Pairs& options) {
    return town_.Run(seat.person, seat.station, command, options);
  }

  // Takes in the entries that are new, and compares the tree over all with the server's.
  std::string ReadLog() {
    std::vector<pb::AuditEntry> fresh;
    std::string page;
    for (bool more = true; more;) {
      Pairs options = {{"size", "1000"}};
      if (!page.empty()) options.emplace_back("page", page);
      const auto reply = Ask(kAuditor, "audit list", options);
      if (!reply.ok()) return "the log cannot be read: " + reply.error.rule();
      const auto& list = dynamic_cast<const pb::ListEntriesResponse&>(*reply.message);
      for (const pb::AuditEntry& e : list.entries()) {
        more = e.index() >= entries_.size();
        if (!more) {
          // The newest of those seen before must be as it was.
          if (e.commitment() != newest_commitment_ && e.index() + 1 == entries_.size())
            return absl::StrCat("entry ", e.index(), " changed");
          break;
        }
        fresh.push_back(e);
      }
      page = list.next_page_token();
      more = more && !page.empty();
    }
    for (auto e = fresh.rbegin(); e != fresh.rend(); ++e) {
      if (e->index() != entries_.size()) return absl::StrCat("entry ", entries_.size(), " is missing");
      if (!e->has_record()) return absl::StrCat("entry ", e->index(), " does not open");
      const pb::AuditRecord& r = e->record();
      if (r.result() == pb::RESULT_DONE && !r.replayed()) {
        ++done_[r.event()];
        if (!r.ban_id().empty()) ++once_[{r.ban_id(), r.event()}];
      }
      tree_.Append(audit::LeafHash(e->commitment()));
      newest_commitment_ = e->commitment();
      entries_.push_back(r);
    }
    // Reading the log was an entry itself; the head after it tells whether the past is the same.
    const auto head = Ask(kAuditor, "audit head", {});
    if (!head.ok()) return "the tree head cannot be read: " + head.error.rule();
    audit::Frontier with_reads = tree_;
    const uint64_t size = std::stoull(*head.FindFact("size"));
    if (size < tree_.size()) return absl::StrCat("the log shrank from ", tree_.size(), " to ", size);
    const auto rest = Ask(kAuditor, "audit list", {{"size", absl::StrCat(size - tree_.size() + 1)}});
    if (!rest.ok()) return "the log cannot be read: " + rest.error.rule();
    const auto& list = dynamic_cast<const pb::ListEntriesResponse&>(*rest.message);
    for (int i = list.entries_size() - 1; i >= 0; --i) {
      if (list.entries(i).index() == with_reads.size() && with_reads.size() < size)
        with_reads.Append(audit::LeafHash(list.entries(i).commitment()));
    }
    const auto root = with_reads.Root();
    const std::string hex = absl::BytesToHexString({reinterpret_cast<const char*>(root.data()), root.size()});
    if (with_reads.size() != size || hex != *head.FindFact("root"))
      return "the log is not the one seen before: another root";
    return "";
  }

  Town& town_;
  Model& model_;
  std::vector<Worker>& workers_;
  std::vector<pb::AuditRecord> entries_;
  std::string newest_commitment_;
  audit::Frontier tree_;
  std::map<std::string, int64_t> done_;
  std::map<std::pair<std::string, std::string>, int> once_;
  size_t checked_ = 0;
};

int Main(int argc, char** argv) {
  int kills = 0;
  bool fault = false;
  uint64_t seed = std::random_device()();
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    if (a == "--fault") {
      fault = true;
    } else if (a == "--seed" && i + 1 < argc) {
      if (!absl::SimpleAtoi(argv[++i], &seed)) return 64;
    } else {
      if (!absl::SimpleAtoi(a, &kills)) kills = 0;
    }
  }
  if (kills < 1) {
    std::fputs("usage: tests/crash/run KILLS [--seed N] [--fault]\n", stderr);
    return 64;
  }
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  char name[] = "/var/tmp/waarborg-crash-XXXXXX";  // a disk; /tmp may be memory
  const std::string folder = mkdtemp(name);
  Town::Build(folder + "/town", /*unlimited=*/true);
  auto town = Town::Copy(folder + "/town", folder + "/crash");
  if (fault) town->SetServerOptions({"--test-fault", "late-store"});
  const std::string portrait = testing::PortraitFile(*town, 1);
  std::mt19937_64 dice(seed);
  Model model;
  std::vector<Worker> workers;
  workers.reserve(kWorkers);
  for (int i = 0; i < kWorkers; ++i) workers.emplace_back(i, dice(), model);
  Checker checker(*town, model, workers);

  std::string trouble;
  int kill_number = 0;
  for (; kill_number <= kills && trouble.empty(); ++kill_number) {
    if (!town->Start()) {
      trouble = "the server does not start: " + town->Log();
      break;
    }
    std::map<std::string, client::Connection*> seats;
    for (const Seat& seat : kSeats) seats[seat.person] = &town->At(seat.person, seat.station);
    if (kill_number == 0) testing::Must(*town, "receptie", "receptie-1", "instruction acknowledge", {});
    trouble = checker.Check();
    for (Worker& worker : workers) {
      if (trouble.empty()) worker.Resolve(seats, trouble);
    }
    if (trouble.empty()) trouble = checker.Check();
    if (trouble.empty()) trouble = checker.CheckFiles(dice);
    if (!trouble.empty() || kill_number == kills) break;

    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (Worker& worker : workers) threads.emplace_back([&] { worker.Work(seats, portrait, stop); });
    std::this_thread::sleep_for(std::chrono::microseconds(1000 + dice() % 400'000));
    // Every tenth time it is asked to stop instead: then nothing may be lost either, and it says so.
    const bool asked = dice() % 10 == 0;
    if (asked && town->Stop(SIGTERM) != 0) trouble = "it did not stop well: " + town->Log();
    if (!asked) town->Stop(SIGKILL);
    stop = true;
    for (std::thread& t : threads) t.join();
    if (isatty(STDOUT_FILENO) || (kill_number + 1) % 20 == 0) {
      std::printf("%d of %d kills, %zu entries\n", kill_number + 1, kills, checker.entries());
      std::fflush(stdout);
    }
  }
  if (town->running()) town->Stop(SIGKILL);
  int files = 0, lifted = 0;
  for (const Worker& worker : workers) {
    for (const File& file : worker.files()) ++files, lifted += file.steps == kLifted;
  }
  int64_t questions = 0;
  for (const auto& [event, answered] : model.answered) questions += answered;
  std::printf("%s\n", absl::StrCat(kill_number, " kills, ", checker.entries(), " entries, ",
                                   checker.checked(), " commands checked, ", files, " files (", lifted,
                                   " lifted), ", questions, " questions answered")
                          .c_str());
  if (!trouble.empty()) {
    std::printf("INVARIANT BROKEN after kill %d: %s\n", kill_number, trouble.c_str());
    if (!fault)
      std::printf("the data are in %s; again with: tests/crash/run %d --seed %llu\n", folder.c_str(), kills,
                  static_cast<unsigned long long>(seed));
  } else {
    std::printf("no invariant broken\n");
  }
  if (trouble.empty() || fault) testing::MustRun("rm -rf " + folder);
  if (fault) {
    std::printf(trouble.empty() ? "the planted fault was NOT caught\n" : "the planted fault was caught\n");
    return trouble.empty() ? 1 : 0;
  }
  return trouble.empty() ? 0 : 1;
}

}  // namespace
}  // namespace waarborg::crash

int main(int argc, char** argv) {
  if (!waarborg::access::RestrictTls()) return 70;
  return waarborg::crash::Main(argc, argv);
}

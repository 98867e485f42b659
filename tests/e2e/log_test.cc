// SPDX-License-Identifier: EUPL-1.2
// The log as those see it who check it: auditors inside, strangers with the published folder, witnesses
// elsewhere.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "audit/opening.h"
#include "audit/record.h"
#include "audit/verify.h"
#include "tests/e2e/town_test.h"
#include "tests/support/signing_in.h"
#include "tests/support/story.h"

namespace waarborg::testing {
namespace {

namespace fs = std::filesystem;

std::set<std::string> Facts(const client::Reply& reply, const std::string& name) {
  std::set<std::string> out;
  for (const auto& [fact, value] : reply.facts) {
    if (fact == name) out.insert(value);
  }
  return out;
}

std::vector<std::string> Events(const client::Reply& reply) {
  std::vector<std::string> out;
  for (const auto& [fact, value] : reply.facts) {
    if (fact == "event") out.push_back(value);
  }
  return out;
}

// waarborg-verify witness on a free port of this machine.
class WitnessProcess {
 public:
  explicit WitnessProcess(std::string folder) : folder_(std::move(folder)) {
    fs::create_directories(folder_ + "/data");
    fs::permissions(folder_ + "/data", fs::perms::owner_all);
    MustRun(absl::StrCat(ProgramFolder(), "/waarborg-verify witness-key --name witness.example --out ",
                         folder_, "/key > ", folder_, "/vkey"));
    key_ = std::string(absl::StripSuffix(Slurp(folder_ + "/vkey"), "\n"));
  }
  ~WitnessProcess() { Stop(); }

  // `port` 0 takes a free one, kept for the next starts.
  void Start(const std::string& log_key) {
    fs::remove(folder_ + "/port");
    const std::string listen = absl::StrCat("127.0.0.1:", port_);
    pid_ = fork();
    if (pid_ == 0) {
      const int log = open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      dup2(log, 1);
      dup2(log, 2);
      const std::string program = ProgramFolder() + "/waarborg-verify", data = folder_ + "/data",
                        key = folder_ + "/key", port = folder_ + "/port";
      execl(program.c_str(), program.c_str(), "witness", "--listen", listen.c_str(), "--data", data.c_str(),
            "--key", key.c_str(), "--log", log_key.c_str(), "--port-file", port.c_str(), nullptr);
      _exit(127);
    }
    for (int i = 0; i < 500 && !absl::SimpleAtoi(Slurp(folder_ + "/port"), &port_); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  void Stop() {
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  std::string url() const { return absl::StrCat("http://127.0.0.1:", port_); }
  const std::string& key() const { return key_; }

 private:
  std::string folder_;
  std::string key_;
  int port_ = 0;
  pid_t pid_ = -1;
};

class LogTest : public TownTest {
 protected:
  static constexpr char kOrigin[] = "waterdam.example/lokaalverboden/2026";

  std::string Published(const std::string& name = "2026") const {
    return town->folder() + "/data/published/" + name;
  }
  client::Reply Head() { return Do("auditor", "kantoor-1", "audit head", {}); }
  audit::VerifierKey Key() {
    auto key = audit::VerifierKey::Parse(*Head().FindFact("key"));
    EXPECT_TRUE(key.ok());
    return *key;
  }
  // Until the published checkpoint covers what is in the log now.
  void AwaitCheckpoint(const std::string& name = "2026") {
    uint64_t size = 0;
    ASSERT_TRUE(absl::SimpleAtoi(*Head().FindFact("size"), &size));
    for (int i = 0; i < 1000; ++i) {
      const auto read = audit::ReadCheckpoint(Slurp(Published(name) + "/checkpoint"));
      if (read.ok() && read->checkpoint.size >= size) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL() << "no checkpoint within ten seconds";
  }
  static audit::Report Verify(const std::string& folder, audit::VerifyOptions options) {
    audit::Progress progress;
    return audit::VerifyLog(folder, options, progress);
  }
  void ExpectGood(const std::string& folder, const audit::VerifierKey& key) {
    audit::VerifyOptions options;
    options.key = key;
    const auto report = Verify(folder, options);
    EXPECT_TRUE(report.problems.empty()) << report.problems.front();
    EXPECT_TRUE(report.signature_checked);
  }
  // The example's configuration with some texts replaced and more at the end.
  void Configure(const std::vector<std::pair<std::string, std::string>>& replace, const std::string& more) {
    const std::string file = town->folder() + "/other.toml";
    std::string text = Slurp(SourceFolder() + "/deploy/example/municipality.toml");
    for (const auto& [from, to] : replace) {
      ASSERT_NE(text.find(from), std::string::npos) << from;
      text = absl::StrReplaceAll(text, {{from, to}});
    }
    std::ofstream(file) << text << more;
    const auto proposed = Do("beheer", "kantoor-1", "config propose", {{"file", file}});
    Do("privacy", "kantoor-1", "change confirm", {{"change", proposed.FindFact("id").value_or("")}});
  }
};

TEST_F(LogTest, WhatIsPublishedVerifiesAndNamesNobody) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 3);
  Do("receptie", "receptie-1", "photo show", {{"ban", ban}});
  const auto key = Key();
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  ExpectGood(Published(), key);

  const std::string person = town->people().at("receptie").id;
  ASSERT_FALSE(person.empty());
  for (const auto& file : fs::recursive_directory_iterator(Published())) {
    if (!file.is_regular_file()) continue;
    const std::string bytes = Slurp(file.path());
    for (const std::string& secret : {ban, person, std::string("Vries"), std::string("ShowPhoto"),
                                      std::string("receptie"), std::string("geduwd")}) {
      EXPECT_EQ(bytes.find(secret), std::string::npos) << secret << " in " << file.path();
    }
  }
}

TEST_F(LogTest, WhoSawThePhotoIsProvedByOneFile) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 3);
  Do("receptie", "receptie-1", "photo show", {{"ban", ban}});
  AwaitCheckpoint();
  const std::string folder = town->folder() + "/proofs";
  const auto asked = Do("auditor", "kantoor-1", "audit photo", {{"ban", ban}, {"prove", folder}});
  EXPECT_EQ(Events(asked), std::vector<std::string>{"ShowPhoto"});
  EXPECT_EQ(asked.FindFact("who"), "Roos Roodborst");
  ASSERT_EQ(asked.FindFact("proofs"), "1");
  const auto key = Key();
  for (const auto& file : fs::directory_iterator(folder)) {
    const auto opening = audit::OpeningFile::Parse(Slurp(file.path()));
    ASSERT_TRUE(opening.ok()) << opening.error();
    EXPECT_TRUE(opening->Holds());
    EXPECT_TRUE(audit::OpenCheckpoint(opening->proof.checkpoint.note.Text(), key).ok());
    const auto fields = audit::ReadRecord(opening->record);
    ASSERT_TRUE(fields.ok()) << fields.error();
    std::map<std::string, std::string> said(fields->begin(), fields->end());
    EXPECT_EQ(said["event"], "ShowPhoto");
    EXPECT_EQ(said["ban-id"], ban);
    EXPECT_EQ(said["person-id"], town->people().at("receptie").id);
    EXPECT_EQ(said["purpose"], "visitor-at-desk");
  }
}

TEST_F(LogTest, TheQuestionsOfAnAuditorAreAnswered) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 3);
  Do("receptie", "receptie-1", "check",
     {{"given", "Jan Pieter"}, {"prefix", "de"}, {"surname", "Vries"}, {"born", "1985-03-12"}});
  Do("receptie", "receptie-1", "photo show", {{"ban", ban}});
  Refused("zwembad", "zwembad-1", "photo show", {{"ban", ban}});
  town->SetClock(*ParseMoment("2026-03-05 10:00", town->Now()));
  Do("collegesecretariaat", "kantoor-1", "ban lift",
     {{"ban", ban}, {"reason", "Garantie gegeven."}, {"number", "2026-2"}, {"date", "2026-03-05"}});
  ASSERT_TRUE(Within(std::chrono::seconds(10), [&] { return Destroyed(ban); }));

  EXPECT_EQ(Events(Do("auditor", "kantoor-1", "audit release", {{"ban", ban}})),
            (std::vector<std::string>{"RecordInformed", "RequestRelease", "DecideConsent", "SupplyPhoto",
                                      "ReleasePhoto", "LiftBan", "CopiesAsked", "PhotoDestructionStarted",
                                      "PhotoDestroyed"}));
  const auto person =
      Do("auditor", "kantoor-1", "audit person", {{"person", "receptie"}, {"month", "2026-03"}});
  EXPECT_EQ(Facts(person, "who"), std::set<std::string>{"Roos Roodborst"});
  EXPECT_TRUE(Facts(person, "event").contains("ShowPhoto"));
  EXPECT_EQ(Do("auditor", "kantoor-1", "audit person", {{"person", "receptie"}, {"month", "2026-02"}})
                .FindFact("count"),
            "0");
  const auto station = Do("auditor", "kantoor-1", "audit station", {{"station", "zwembad-1"}});
  EXPECT_EQ(Facts(station, "at-station"), std::set<std::string>{"zwembad-1"});
  const auto refusals = Do("auditor", "kantoor-1", "audit refusals", {});
  EXPECT_EQ(Facts(refusals, "refused-by"), std::set<std::string>{"not-found"});
  EXPECT_EQ(Do("auditor", "kantoor-1", "audit photo", {{"ban", ban}}).FindFact("count"), "2");  // one refused

  const auto destroyed = Do("auditor", "kantoor-1", "audit destruction", {{"month", "2026-03"}});
  EXPECT_EQ(destroyed.FindFact("count"), "1");
  int64_t longest = -1;
  ASSERT_TRUE(absl::SimpleAtoi(destroyed.FindFact("longest-ms").value_or(""), &longest));
  EXPECT_EQ(longest, 0);  // at once, and the clock stands still

  // Pages put together are the whole, each entry once.
  const auto all =
      Do("auditor", "kantoor-1", "audit list", {{"until", "2026-03-02T23:00"}, {"size", "100000"}});
  std::vector<std::string> paged;
  std::string page;
  do {
    const auto part = Do("auditor", "kantoor-1", "audit list",
                         {{"until", "2026-03-02T23:00"}, {"size", "7"}, {"page", page}});
    for (const std::string& event : Events(part)) paged.push_back(event);
    page = part.FindFact("next").value_or("");
  } while (!page.empty());
  EXPECT_EQ(paged, Events(all));
}

// With the program itself, as an auditor has it.
TEST_F(LogTest, AnAnswerComesAsATableOrAsJsonWhenAskedTo) {
  Refused("receptie", "zwembad-1", "check", {{"surname", "Mus"}, {"given", "M"}, {"born", "1990-01-02"}});
  const std::string station = town->folder() + "/pki/stations/kantoor-1", session = town->folder() + "/token";
  std::ofstream(station + "/server") << "localhost:" << town->port() << "\n";
  std::ofstream(session) << town->At("auditor", "kantoor-1").token() << "\n";
  const auto run = [&](const std::string& words, const std::string& out) {
    return std::system(absl::StrCat(ProgramFolder(), "/waarborg --station ", station, " --session ", session,
                                    " ", words, " > ", town->folder(), "/", out, " 2>&1")
                           .c_str());
  };
  ASSERT_EQ(run("--csv audit refusals", "csv"), 0) << Slurp(town->folder() + "/csv");
  const std::vector<std::string> lines = absl::StrSplit(Slurp(town->folder() + "/csv"), "\r\n");
  ASSERT_EQ(lines.size(), 3u);  // headings, one refusal, nothing behind the last
  EXPECT_EQ(lines[0].substr(0, 29), "\"log\",\"entry\",\"time\",\"event\",");
  EXPECT_NE(lines[1].find("\"CheckVisitor\",\"refused\",\"not-assigned-here\""), std::string::npos)
      << lines[1];
  EXPECT_NE(lines[1].find("\"Roos Roodborst\""), std::string::npos) << lines[1];
  ASSERT_EQ(run("--json audit refusals", "json"), 0);
  EXPECT_NE(Slurp(town->folder() + "/json").find("\"rule\": \"not-assigned-here\""), std::string::npos);
  EXPECT_NE(run("--csv audit head", "head"), 0) << "no table";
  EXPECT_NE(run("--csv --json audit refusals", "both"), 0);
}

TEST_F(LogTest, WordsAreKeptForLegalAndTheFgAndStandNowhereElse) {
  const auto proposed = Do("teamleider", "kantoor-1", "ban propose",
                           {{"given", "Jan"},
                            {"surname", "Vries"},
                            {"born", "1985-03-12"},
                            {"established", "yes"},
                            {"ground", "fysiek-medewerker"},
                            {"measure", "access-ban"},
                            {"where", "gemeentehuis"},
                            {"from", "2026-03-02"},
                            {"until", "2026-06-01"},
                            {"reasons", "Heeft iemand geduwd bij balie drie."},
                            {"department", "sport"},
                            {"channels", "post"}});
  const std::string entry = absl::StrCat(kOrigin, ":", *proposed.FindFact("entry"));
  EXPECT_EQ(proposed.FindFact("log"), kOrigin);
  // What the file says now may be another text; the log keeps the first one.
  Do("teamleider", "kantoor-1", "ban amend",
     {{"ban", *proposed.FindFact("id")}, {"reasons", "Iets anders."}});
  for (const char* who : {"jurist", "fg"}) {
    const auto words = Do(who, "kantoor-1", "audit words", {{"entry", entry}});
    EXPECT_EQ(words.FindFact("reasons"), "Heeft iemand geduwd bij balie drie.") << who;
  }
  EXPECT_EQ(Refused("auditor", "kantoor-1", "audit words", {{"entry", entry}}), "role-not-allowed");
  EXPECT_EQ(Refused("fg", "kantoor-1", "audit words", {{"entry", absl::StrCat(kOrigin, ":999999")}}),
            "not-found");
  EXPECT_EQ(Refused("fg", "kantoor-1", "audit words", {{"entry", "elsewhere.example/2026:1"}}), "not-found");
  const auto list = Do("auditor", "kantoor-1", "audit list", {{"ban", *proposed.FindFact("id")}});
  EXPECT_EQ(list.message->DebugString().find("geduwd"), std::string::npos);
}

TEST_F(LogTest, APeriodIsSignedOffAndAnOverdueReviewShows) {
  auto reviews = Do("auditor", "kantoor-1", "audit reviews", {});
  EXPECT_EQ(reviews.FindFact("overdue"), "no");
  EXPECT_EQ(reviews.FindFact("count"), "0");
  EXPECT_EQ(Refused("auditor", "kantoor-1", "audit sign-off", {{"month", "2026-03"}, {"findings", "Niets."}}),
            "date-in-future");
  town->SetClock(*ParseMoment("2026-09-05 10:00", town->Now()));
  reviews = Do("auditor", "kantoor-1", "audit reviews", {});
  EXPECT_EQ(reviews.FindFact("overdue"), "yes");
  EXPECT_EQ(Do("beheer", "kantoor-1", "health", {}).FindFact("reviews"), "at-risk");

  const auto signed_off = Do("auditor", "kantoor-1", "audit sign-off",
                             {{"from", "2026-03-01T00:00"},
                              {"until", "2026-08-01T00:00"},
                              {"findings", "Twee keer te ruim gezocht."}});
  reviews = Do("fg", "kantoor-1", "audit reviews", {});
  EXPECT_EQ(reviews.FindFact("overdue"), "no");
  EXPECT_EQ(reviews.FindFact("findings"), "Twee keer te ruim gezocht.");
  EXPECT_EQ(Facts(reviews, "gap"), std::set<std::string>{"2026-08-01 00:00:00 - 2026-09-05 10:00:00"});
  EXPECT_EQ(Do("beheer", "kantoor-1", "health", {}).FindFact("reviews"), "kept");
  EXPECT_EQ(Events(Do("auditor", "kantoor-1", "audit list", {{"event", "SignOffPeriod"}})).size(),
            2u);  // one refused
  // It outlives a restart.
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  ASSERT_TRUE(town->Start()) << town->Log();
  EXPECT_EQ(Do("fg", "kantoor-1", "audit reviews", {}).FindFact("count"), "1");
  EXPECT_EQ(Do("fg", "kantoor-1", "audit words",
               {{"entry", absl::StrCat(kOrigin, ":", *signed_off.FindFact("entry"))}})
                .FindFact("findings"),
            "Twee keer te ruim gezocht.");
}

TEST_F(LogTest, WhatStandsOutIsASignal) {
  Configure({{"photos_a_day = 30", "photos_a_day = 3"},
             {"refusals_a_day = 10", "refusals_a_day = 4"},
             {"checks_a_day = 200", "checks_a_day = 5"}},
            "");
  const std::string ban = ActiveBan();
  SupplyPhoto(ban, 3);
  const auto released = Do("toezicht", "kantoor-1", "photo release",
                           {{"ban", ban}, {"to", "receptie"}, {"on-call", "Politie aan de balie."}});
  EXPECT_EQ(Do("jurist", "kantoor-1", "audit words",
               {{"entry", absl::StrCat(kOrigin, ":", *released.FindFact("entry"))}})
                .FindFact("on_call_basis"),
            "Politie aan de balie.");
  Do("receptie", "receptie-1", "instruction acknowledge", {});
  const auto signals = [&] { return Do("auditor", "kantoor-1", "audit signals", {{"month", "2026-03"}}); };
  EXPECT_EQ(Facts(signals(), "signal"), std::set<std::string>{"on-call-release"});

  for (int i = 0; i < 3; ++i) Do("receptie", "receptie-1", "photo show", {{"ban", ban}});
  EXPECT_TRUE(Facts(signals(), "signal").contains("many-views"));
  EXPECT_FALSE(Facts(signals(), "signal").contains("outside-opening-hours"));
  for (int i = 0; i < 5; ++i)
    Do("receptie", "receptie-1", "check", {{"surname", "Mus"}, {"given", "M"}, {"born", "1990-01-02"}});
  EXPECT_TRUE(Facts(signals(), "signal").contains("many-checks"));
  EXPECT_FALSE(Facts(signals(), "signal").contains("outside-assignment"));
  Refused("receptie", "zwembad-1", "check", {{"surname", "Mus"}, {"given", "M"}, {"born", "1990-01-02"}});
  EXPECT_TRUE(Facts(signals(), "signal").contains("outside-assignment"));
  EXPECT_FALSE(Facts(signals(), "signal").contains("repeated-refusals"));
  for (int i = 0; i < 3; ++i) Refused("receptie", "receptie-1", "ban show", {{"ban", ban}});
  EXPECT_TRUE(Facts(signals(), "signal").contains("repeated-refusals"));
  town->SetClock(*ParseMoment("2026-03-02 22:00", town->Now()));
  Do("receptie", "receptie-1", "photo show", {{"ban", ban}});
  EXPECT_TRUE(Facts(signals(), "signal").contains("outside-opening-hours"));
}

TEST_F(LogTest, TheExportNamesTheProcessingAndHidesThePerson) {
  const std::string ban = ActiveBan(), other = ActiveBan("Piet", "Mus", "1990-01-02");
  const std::string file = town->folder() + "/ldv.jsonl";
  Do("fg", "kantoor-1", "audit export", {{"month", "2026-03"}, {"out", file}});
  std::istringstream lines(Slurp(file));
  std::map<std::string, int> subjects;
  std::set<std::string> traces;
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_EQ(line.find(ban), std::string::npos) << line;
    EXPECT_EQ(line.find("M-"), std::string::npos) << line;
    EXPECT_NE(line.find("\"dpl.core.processing_activity_id\":\"https://register.waterdam.example/"),
              std::string::npos);
    const std::string key = "\"dpl.core.data_subject_id\":\"";
    const size_t at = line.find(key) + key.size();
    ++subjects[line.substr(at, line.find('"', at) - at)];
    traces.insert(line.substr(0, 60));
  }
  EXPECT_EQ(subjects.size(), 2u);
  EXPECT_EQ(traces.size(), static_cast<size_t>(count));
  // The house itself can tell who it is.
  for (const auto& [subject, entries] : subjects) {
    const auto asked = Do("fg", "kantoor-1", "audit list", {{"ban", subject}, {"until", "2026-03-02T23:00"}});
    EXPECT_EQ(Facts(asked, "about").size(), 1u);
    EXPECT_TRUE(Facts(asked, "about").contains(ban) || Facts(asked, "about").contains(other));
  }
  EXPECT_EQ(Refused("beheer", "kantoor-1", "audit export", {{"month", "2026-03"}}), "role-not-allowed");
}

TEST_F(LogTest, ANewYearBeginsANewLogThatGoesOnFromTheOld) {
  const std::string ban = ActiveBan();
  const auto old_key = Key();
  town->SetClock(*ParseMoment("2027-01-02 09:00", town->Now()));
  ASSERT_TRUE(Within(std::chrono::seconds(10),
                     [&] { return Head().FindFact("origin") == "waterdam.example/lokaalverboden/2027"; }));
  const auto new_key = Key();
  EXPECT_NE(new_key.Text(), old_key.Text());
  // Both years answer one question.
  EXPECT_FALSE(
      Events(Do("auditor", "kantoor-1", "audit list", {{"ban", ban}, {"event", "ProposeBan"}})).empty());
  EXPECT_FALSE(Events(Do("auditor", "kantoor-1", "audit list", {{"event", "LogContinued"}})).empty());
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  ExpectGood(Published("2026"), old_key);
  audit::VerifyOptions options;
  options.key = new_key;
  const auto report = Verify(Published("2027"), options);
  ASSERT_TRUE(report.problems.empty()) << report.problems.front();
  ASSERT_TRUE(report.previous);
  const auto last = audit::OpenCheckpoint(Slurp(Published("2026") + "/checkpoint"), old_key);
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(report.previous->origin, kOrigin);
  EXPECT_EQ(report.previous->size, last->checkpoint.size);
  EXPECT_EQ(report.previous->root, last->checkpoint.root);
  ASSERT_TRUE(town->Start()) << town->Log();
}

TEST_F(LogTest, AnOlderBackupIsRefusedUntilANewLogIsBegun) {
  ActiveBan();
  const auto old_key = Key();
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  MustRun(absl::StrCat("cp -r ", town->folder(), "/data/store ", town->folder(), "/backup"));
  ASSERT_TRUE(town->Start()) << town->Log();
  ActiveBan("Piet", "Mus", "1990-01-02");
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  const std::string last = Slurp(Published() + "/checkpoint");
  MustRun(absl::StrCat("rm -rf ", town->folder(), "/data/store && cp -r ", town->folder(), "/backup ",
                       town->folder(), "/data/store"));
  EXPECT_FALSE(town->Start());
  EXPECT_NE(town->Log().find("but"), std::string::npos);
  EXPECT_NE(town->Log().find("waarborgd begin-log"), std::string::npos) << town->Log();

  const std::string begin =
      absl::StrCat("cd ", town->folder(), " && ", ProgramFolder(),
                   "/waarborgd-test begin-log --config waarborgd.toml --test-clock clock "
                   "--last-checkpoint data/published/2026/checkpoint > begun 2>&1");
  MustRun(begin);
  EXPECT_NE(Slurp(town->folder() + "/begun").find("2026-2"), std::string::npos);
  ASSERT_TRUE(town->Start()) << town->Log();
  EXPECT_EQ(Head().FindFact("origin"), "waterdam.example/lokaalverboden/2026-2");
  const auto key = Key();
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  EXPECT_EQ(Slurp(Published() + "/checkpoint"), last) << "what was published stays as it was";
  ExpectGood(Published(), old_key);
  audit::VerifyOptions options;
  options.key = key;
  const auto report = Verify(Published("2026-2"), options);
  ASSERT_TRUE(report.problems.empty()) << report.problems.front();
  ASSERT_TRUE(report.previous);
  EXPECT_EQ(report.previous->size, audit::ReadCheckpoint(last)->checkpoint.size);
  // It is behind nothing any more: another new log is not begun.
  EXPECT_NE(std::system(begin.c_str()), 0);
  ASSERT_TRUE(town->Start()) << town->Log();
}

TEST_F(LogTest, WithoutItsWitnessAReleaseWaitsAndTheDeathOfAKeyDoesNot) {
  WitnessProcess witness(town->folder() + "/witness");
  const auto key = Key();
  witness.Start(key.Text());
  Configure({{"quorum = 0", "quorum = 1"}, {"witness_grace_minutes = 15", "witness_grace_minutes = 0"}},
            absl::StrCat("\n[[witness]]\nid = \"buurgemeente\"\nurl = \"", witness.url(), "\"\nkey = \"",
                         witness.key(), "\"\n"));
  const auto cosigned = [&] { return Head().FindFact("cosigned") == "buurgemeente"; };
  ASSERT_TRUE(Within(std::chrono::seconds(10), cosigned)) << town->Log();
  const std::string first = ActiveBan(), second = ActiveBan("Piet", "Mus", "1990-01-02");
  SupplyPhoto(first, 3);
  SupplyPhoto(second, 4);
  ASSERT_TRUE(Within(std::chrono::seconds(10), [&] {
    return town->Run("toezicht", "kantoor-1", "photo release", Pairs{{"ban", first}, {"to", "receptie"}})
        .ok();
  }));

  witness.Stop();
  EXPECT_TRUE(Within(std::chrono::seconds(10), [&] {
    return Do("beheer", "kantoor-1", "health", {}).FindFact("witnesses") == "at-risk";
  }));
  EXPECT_EQ(Refused("toezicht", "kantoor-1", "photo release", {{"ban", second}, {"to", "receptie"}}),
            "log-not-witnessed");
  // Checks and destruction go on.
  EXPECT_EQ(Do("receptie", "receptie-1", "check",
               {{"given", "Jan Pieter"}, {"prefix", "de"}, {"surname", "Vries"}, {"born", "1985-03-12"}})
                .word,
            "banned");
  Do("collegesecretariaat", "kantoor-1", "ban lift",
     {{"ban", first}, {"reason", "Klaar."}, {"number", "2026-9"}, {"date", "2026-03-02"}});
  EXPECT_TRUE(Within(std::chrono::seconds(10), [&] { return Destroyed(first); }));
  EXPECT_EQ(Head().FindFact("not-cosigned"), "buurgemeente");

  witness.Start(key.Text());
  EXPECT_TRUE(Within(std::chrono::seconds(10), [&] {
    return town->Run("toezicht", "kantoor-1", "photo release", Pairs{{"ban", second}, {"to", "receptie"}})
        .ok();
  }));
  ASSERT_TRUE(Within(std::chrono::seconds(10), cosigned));
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  audit::VerifyOptions options;
  options.key = key;
  options.witnesses = {*audit::VerifierKey::Parse(witness.key())};
  options.quorum = 1;
  const auto report = Verify(Published(), options);
  EXPECT_TRUE(report.problems.empty()) << report.problems.front();
  EXPECT_EQ(report.cosignatures, 1u);
  ASSERT_TRUE(town->Start()) << town->Log();
}

// Everything that this house has was put back; only the witness remembers.
TEST_F(LogTest, AWitnessRemembersWhatAWholeRestoredHouseForgot) {
  WitnessProcess witness(town->folder() + "/witness");
  witness.Start(Key().Text());
  Configure({}, absl::StrCat("\n[[witness]]\nid = \"buurgemeente\"\nurl = \"", witness.url(), "\"\nkey = \"",
                             witness.key(), "\"\n"));
  ASSERT_TRUE(Within(std::chrono::seconds(10), [&] { return Head().FindFact("cosigned") == "buurgemeente"; }))
      << town->Log();
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  MustRun(absl::StrCat("cp -r ", town->folder(), "/data ", town->folder(), "/backup"));
  ASSERT_TRUE(town->Start()) << town->Log();
  ActiveBan();
  ASSERT_EQ(town->Stop(SIGTERM), 0);  // the last checkpoint is cosigned as the server stops
  MustRun(absl::StrCat("rm -rf ", town->folder(), "/data && cp -r ", town->folder(), "/backup ",
                       town->folder(), "/data"));
  EXPECT_FALSE(town->Start());
  EXPECT_NE(town->Log().find("the witness buurgemeente contradicts it"), std::string::npos) << town->Log();
  EXPECT_NE(town->Log().find("--overrule-witness buurgemeente"), std::string::npos) << town->Log();

  town->SetServerOptions({"--overrule-witness", "buurgemeente"});
  ASSERT_TRUE(town->Start()) << town->Log();
  EXPECT_EQ(Events(Do("auditor", "kantoor-1", "audit list", {{"event", "WitnessOverruled"}})).size(), 1u);
  EXPECT_EQ(Head().FindFact("not-cosigned"), "buurgemeente");
}

TEST_F(LogTest, AnEntryChangedOnDiskStopsTheServer) {
  ActiveBan();
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  // Somebody with the disk changes one commitment in the store, wherever the rows lie.
  const auto bundle =
      Slurp(Published() + "/tile/entries/000.p/" +
            std::to_string(audit::ReadCheckpoint(Slurp(Published() + "/checkpoint"))->checkpoint.size));
  ASSERT_GT(bundle.size(), 34u * 5);
  const std::string commitment = bundle.substr(34 * 4 + 2, 32);
  bool found = false;
  for (const auto& file : fs::directory_iterator(town->folder() + "/data/store")) {
    std::string bytes = Slurp(file.path());
    const size_t at = bytes.find(commitment);
    if (!file.is_regular_file() || at == std::string::npos) continue;
    found = true;
    std::fstream out(file.path(), std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(at));
    out.put(static_cast<char>(bytes[at] ^ 1));
  }
  ASSERT_TRUE(found);
  // The store's own checksum or the log's: it does not go on.
  if (town->Start()) {
    int status = 0;
    EXPECT_TRUE(Within(std::chrono::seconds(10), [&] { return town->Ended(status); })) << town->Log();
    EXPECT_NE(status, 0);
  }
  EXPECT_FALSE(town->running());
}

}  // namespace
}  // namespace waarborg::testing

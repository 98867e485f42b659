// SPDX-License-Identifier: EUPL-1.2
#include "tests/support/town.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "server/base/file_clock.h"
#include "tests/support/signing_in.h"

namespace waarborg::testing {
namespace {

constexpr int64_t kStep = 30;
// Sessions end after ten idle minutes (municipality.toml).
constexpr absl::Duration kIdle = absl::Minutes(10);

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "town: %s\n", what.c_str());
  std::exit(1);
}

void Spill(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

// Lines of a table under deploy/example, fields split at tabs; "-" is empty.
std::vector<std::vector<std::string>> Table(const std::string& name) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(Slurp(SourceFolder() + "/deploy/example/" + name));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> fields = absl::StrSplit(line, '\t');
    for (std::string& field : fields) {
      if (field == "-") field.clear();
    }
    rows.push_back(std::move(fields));
  }
  if (rows.empty()) Fail("no rows in deploy/example/" + name);
  return rows;
}

client::Arguments Options(const std::vector<std::pair<std::string, std::string>>& options) {
  client::Arguments arguments;
  for (const auto& [name, value] : options) {
    if (!value.empty()) arguments.Add(name, value);
  }
  return arguments;
}

client::Reply Must(client::Reply reply, const std::string& what) {
  if (!reply.ok())
    Fail(absl::StrCat(what, ": ", reply.usage_error, reply.error.rule(), " ", reply.error.detail.message()));
  return reply;
}

}  // namespace

std::string SourceFolder() {
  return WAARBORG_SOURCE_FOLDER;
}
std::string ProgramFolder() {
  return WAARBORG_PROGRAM_FOLDER;
}

std::string Slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string Output(const std::string& shell_command) {
  std::string out;
  FILE* pipe = popen((shell_command + " 2>&1").c_str(), "r");
  char buffer[4096];
  size_t n = 0;
  while ((n = fread(buffer, 1, sizeof buffer, pipe)) > 0) out.append(buffer, n);
  pclose(pipe);
  return out;
}

void MustRun(const std::string& shell_command) {
  const int status = std::system(shell_command.c_str());
  if (status != 0) Fail(absl::StrCat("failed (", status, "): ", shell_command));
}

void Town::Build(const std::string& folder, bool unlimited, const std::string& data_folder,
                 const std::string& more) {
  const std::string pki = SourceFolder() + "/deploy/pki ";
  MustRun("rm -rf " + folder + " && mkdir -p " + folder);
  MustRun(pki + "authority " + folder + "/pki");
  MustRun(pki + "server " + folder + "/pki localhost");
  const auto stations = Table("stations.tsv");
  for (const auto& s : stations)
    MustRun(absl::StrCat(pki, "station ", folder, "/pki ", s[0], " localhost:0"));
  MustRun(absl::StrCat(pki, "station ", folder, "/pki ", kStranger, " localhost:0"));
  Spill(folder + "/waarborgd.toml",
        "listen = \"localhost:0\"\n"
        "data_folder = \"" +
            data_folder +
            "\"\n"
            "root_key_file = \"root.key\"\n"
            "certificate_file = \"pki/server.pem\"\n"
            "key_file = \"pki/server.key\"\n"
            "client_ca_file = \"pki/ca.pem\"\n"
            "[log]\nname = \"waterdam.example/lokaalverboden\"\n"
            // Cheap hashes: the tests sign in hundreds of times.
            "[password_hash]\nmemory_kib = 8192\npasses = 1\n"
            "[security_keys]\nrp_id = \"waarborg.localhost\"\n"
            "origins = [\"http://balie.waarborg.localhost:8443\"]\n" +
            more);

  std::string municipality = Slurp(SourceFolder() + "/deploy/example/municipality.toml");
  if (unlimited) {
    municipality =
        absl::StrReplaceAll(municipality, {{"checks_per_hour = 600", "checks_per_hour = 1000000000"},
                                           {"photos_per_hour = 60", "photos_per_hour = 1000000000"}});
  }
  Spill(folder + "/municipality.toml", municipality);
  Town town(folder);
  town.SetClock(*ParseMoment("2026-03-02 09:00", absl::Now()));
  MustRun(absl::StrCat("cd ", folder, " && ", ProgramFolder(), "/waarborgd-test init --config waarborgd.toml",
                       " --test-clock clock --municipality municipality.toml",
                       " --administrator beheer --administrator-name 'Bas Bosuil'",
                       " --privacy-officer privacy --privacy-officer-name 'Pia Parkiet'", " --station ",
                       stations[0][0], " --station-location ", stations[0][1],
                       " --station-certificate pki/stations/", stations[0][0],
                       "/station.pem > codes 2> init.log"));
  if (!town.Start()) Fail("the server did not start: " + town.Log());
  std::istringstream codes(Slurp(folder + "/codes"));
  for (std::string login, first, second; codes >> login >> first >> second;) town.Enrol(login, first, second);

  const std::string office = stations[0][0];
  for (size_t i = 1; i < stations.size(); ++i) {
    const auto proposal = Must(
        town.Run("beheer", office, "station propose",
                 {{"station", stations[i][0]},
                  {"location", stations[i][1]},
                  {"certificate", absl::StrCat(folder, "/pki/stations/", stations[i][0], "/station.pem")}}),
        "propose station");
    Must(town.Run("privacy", office, "change confirm", {{"change", *proposal.FindFact("id")}}),
         "confirm station");
  }
  for (const auto& p : Table("people.tsv")) {
    const auto proposal = Must(town.Run("beheer", office, "people propose",
                                        {{"name", p[0]},
                                         {"display", p[1]},
                                         {"roles", p[2]},
                                         {"units", p[3]},
                                         {"locations", p[4]},
                                         {"department", p[5]},
                                         {"employer", p[6]},
                                         {"from", "2026-01-01"},
                                         {"until", "2030-12-31"}}),
                               "propose " + p[0]);
    const auto confirmed =
        Must(town.Run("privacy", office, "change confirm", {{"change", *proposal.FindFact("id")}}),
             "confirm " + p[0]);
    town.Enrol(p[0], *proposal.FindFact("half"), *confirmed.FindFact("half"));
  }
  town.SavePeople();
  town.Stop(SIGTERM);
}

void Town::Enrol(const std::string& login, const std::string& first, const std::string& second) {
  const std::string office = Table("stations.tsv")[0][0];
  const auto reply =
      Must(Run("nobody", office, "session enrol",
               {{"name", login}, {"first", first}, {"second", second}, {"password", kPassword}}),
           "enrol " + login);
  people_[login] = {*reply.FindFact("id"), SecretOf(*reply.FindFact("otpauth"))};
}

std::unique_ptr<Town> Town::Copy(const std::string& built, const std::string& folder) {
  MustRun("rm -rf " + folder + " && cp -a " + built + " " + folder);
  std::unique_ptr<Town> town(new Town(folder));
  town->LoadPeople();
  return town;
}

Town::~Town() {
  if (running()) Stop(SIGKILL);
}

void Town::SavePeople() const {
  std::ofstream out(folder_ + "/people");
  for (const auto& [login, someone] : people_)
    out << login << ' ' << someone.id << ' ' << someone.secret << '\n';
  std::ofstream steps(folder_ + "/steps");
  for (const auto& [login, step] : last_step_) steps << login << ' ' << step << '\n';
}

void Town::LoadPeople() {
  std::ifstream in(folder_ + "/people");
  for (std::string login, id, secret; in >> login >> id >> secret;) people_[login] = {id, secret};
  std::ifstream steps(folder_ + "/steps");
  std::string login;
  for (int64_t step = 0; steps >> login >> step;) last_step_[login] = step;
}

void Town::Launch() {
  unlink((folder_ + "/port").c_str());
  pid_ = fork();
  if (pid_ == 0) {
    if (chdir(folder_.c_str()) != 0) _exit(127);
    const int log = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, 1);
    dup2(log, 2);
    const std::string program = ProgramFolder() + "/waarborgd-test";
    std::vector<std::string> words = {program,        "run",   "--config",    "waarborgd.toml",
                                      "--test-clock", "clock", "--port-file", "port"};
    words.insert(words.end(), server_options_.begin(), server_options_.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execv(program.c_str(), arguments.data());
    _exit(127);
  }
  seats_.clear();
}

bool Town::Start() {
  Launch();
  const std::string port_file = folder_ + "/port";
  for (int i = 0; i < 1000; ++i) {
    if (absl::SimpleAtoi(Slurp(port_file), &port_) && port_ > 0) return true;
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  Fail("the server does not come up: " + Log());
}

int Town::Stop(int signal) {
  int status = 0;
  kill(pid_, signal);
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

bool Town::Ended(int& status) {
  if (pid_ > 0 && waitpid(pid_, &status, WNOHANG) == pid_) pid_ = -1;
  return pid_ < 0;
}

absl::Time Town::Now() const {
  return base::FileClock::Open(folder_ + "/clock")->Now();
}

void Town::SetClock(absl::Time t, bool synchronised) {
  clock_synchronised_ = synchronised;
  if (!base::FileClock::Set(folder_ + "/clock", t, synchronised)) Fail("cannot set the clock");
}

std::string Town::NextCode(const std::string& person) {
  const int64_t now = absl::ToUnixSeconds(Now()) / kStep;
  const int64_t step = std::max(last_step_[person] + 1, now - 1);
  if (step > now + 1) SetClock(absl::FromUnixSeconds((step - 1) * kStep), clock_synchronised_);
  last_step_[person] = step;
  return CodeAt(people_.at(person).secret, absl::FromUnixSeconds(step * kStep));
}

client::StationFiles Town::Files(const std::string& station) const {
  client::StationFiles files;
  std::string error;
  if (!client::StationFiles::Read(folder_ + "/pki/stations/" + station, files, error)) Fail(error);
  files.server = absl::StrCat("localhost:", port_);
  return files;
}

client::Connection& Town::At(const std::string& person, const std::string& station) {
  Seat& seat = seats_[{person, station}];
  if (seat.connection == nullptr) seat.connection = std::make_unique<client::Connection>(Files(station));
  const bool signed_in = !seat.connection->token().empty() && seat.used + kIdle > Now();
  if (person != "nobody" && !signed_in) {
    if (!people_.contains(person)) Fail("nobody is called " + person);
    const client::Arguments arguments =
        Options({{"name", person}, {"password", kPassword}, {"code", NextCode(person)}});
    client::Call call{*seat.connection, arguments, client::Language::kEnglish};
    client::FindCommand("session login")->run(call);
  }
  seat.used = Now();
  return *seat.connection;
}

client::Reply Town::Run(const std::string& person, const std::string& station, const std::string& command,
                        const client::Arguments& arguments) {
  const client::Command* c = client::FindCommand(command);
  client::Reply reply;
  if (c == nullptr) {
    reply.usage_error = "there is no command \"" + command + "\"";
    return reply;
  }
  reply.usage_error = client::CheckArguments(*c, arguments);
  if (!reply.usage_error.empty()) return reply;
  client::Connection& connection = At(person, station);
  client::Call call{connection, arguments, client::Language::kEnglish};
  reply = c->run(call);
  // A session that somebody else ended is opened again at the next step.
  if (reply.error.rule() == "session-required" && !reply.ok()) connection.set_token("");
  return reply;
}

client::Reply Town::Run(const std::string& person, const std::string& station, const std::string& command,
                        const std::vector<std::pair<std::string, std::string>>& options) {
  return Run(person, station, command, Options(options));
}

std::string Town::Log() const {
  return Slurp(folder_ + "/log");
}

}  // namespace waarborg::testing

// SPDX-License-Identifier: EUPL-1.2
// waarborg: the command line. The commands themselves are the table in client/commands.
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/commands/command.h"
#include "server/access/wire.h"
#include "server/base/clock.h"

namespace waarborg::client {
namespace {

// Exit codes: 0 done; 1 refused or not possible; 2 wrong options; 3 the core cannot be reached.
constexpr int kRefused = 1;
constexpr int kUsage = 2;
constexpr int kNotReached = 3;

struct Globals {
  std::string station;
  std::string session;
  std::string language = "nl";
  bool json = false;
  bool csv = false;
};

// What one CLI11 option writes into.
struct Slot {
  std::vector<std::string> values;
  bool flag = false;
};

std::string Ask(const char* prompt, bool hidden) {
  std::fprintf(stderr, "%s: ", prompt);
  termios before{};
  const bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
  if (terminal && hidden) {
    termios quiet = before;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  std::string line;
  std::getline(std::cin, line);
  if (terminal && hidden) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::fprintf(stderr, "\n");
  }
  return line;
}

std::string DefaultSessionFile(const std::string& station) {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const char* home = std::getenv("HOME");
  const std::string folder =
      runtime != nullptr ? runtime : std::string(home != nullptr ? home : "/tmp") + "/.cache";
  mkdir(folder.c_str(), 0700);
  std::string name = station;
  for (char& c : name) {
    if (c == '/') c = '_';
  }
  return folder + "/waarborg-session" + name;
}

std::string ReadToken(const std::string& path) {
  std::ifstream in(path);
  std::string token;
  std::getline(in, token);
  return token;
}

void WriteToken(const std::string& path, const std::string& token) {
  if (token.empty()) {
    unlink(path.c_str());
    return;
  }
  const mode_t before = umask(077);
  std::ofstream(path, std::ios::trunc) << token << "\n";
  umask(before);
}

void PrintError(const Reply& reply, bool dutch) {
  const auto& d = reply.error.detail;
  std::fprintf(stderr, "%s\n", (dutch ? d.message_nl() : d.message()).c_str());
  if (!d.field().empty()) std::fprintf(stderr, "  %s: %s\n", dutch ? "veld" : "field", d.field().c_str());
  std::fprintf(stderr, "  %s: %s\n", dutch ? "wat nu" : "what now",
               (dutch ? d.next_step_nl() : d.next_step()).c_str());
  const std::string& transport = reply.error.transport;
  std::fprintf(stderr, "  [%s]%s%s\n", reply.error.rule().c_str(), transport.empty() ? "" : " ",
               transport.c_str());
}

// An answer on standard output, as asked for.
void Show(const Globals& globals, const Reply& reply) {
  if (globals.json) {
    std::fputs(reply.message != nullptr ? Json(*reply.message).c_str() : "{}\n", stdout);
  } else {
    for (const std::string& line : reply.lines) std::printf("%s\n", line.c_str());
  }
  std::fflush(stdout);
}

int Execute(const Command& command, const Globals& globals, Arguments& arguments) {
  if (const std::string wrong = CheckArguments(command, arguments); !wrong.empty()) {
    std::fprintf(stderr, "%s\n", wrong.c_str());
    return kUsage;
  }
  if (globals.station.empty()) {
    std::fprintf(stderr,
                 "Which station? Set WAARBORG_STATION or give --station FOLDER (server, ca.pem, station.pem, "
                 "station.key).\n");
    return kUsage;
  }
  StationFiles files;
  std::string error;
  if (!StationFiles::Read(globals.station, files, error)) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return kUsage;
  }
  const bool dutch = globals.language != "en";
  const absl::Time until = access::EndOfCertificate(files.certificate_pem);
  if (until < base::SystemClock().Now() + access::kCertificateWarning) {
    std::fprintf(
        stderr, "%s %s.\n%s\n",
        dutch ? "Het certificaat van deze werkplek eindigt op" : "The certificate of this workplace ends on",
        base::FormatLocal(until).c_str(),
        dutch ? "Vraag de beheerder om het te vernieuwen: deploy/pki renew-station."
              : "Ask the administrator to renew it: deploy/pki renew-station.");
  }
  const bool asks_password = command.name == "session login" || command.name == "session enrol";
  if (asks_password && !arguments.Has("password") && !arguments.Has("password-file")) {
    arguments.Add("password", Ask(dutch ? "Wachtwoord" : "Password", true));
  }
  if (command.name == "session login" && !arguments.Has("code")) {
    arguments.Add("code", Ask(dutch ? "Eenmalige code" : "One-time code", false));
  }
  const std::string session_file =
      globals.session.empty() ? DefaultSessionFile(globals.station) : globals.session;
  Connection connection(files);
  const std::string token_before = ReadToken(session_file);
  connection.set_token(token_before);
  Call call{connection, arguments, dutch ? Language::kDutch : Language::kEnglish,
            [&globals](const Reply& part) { Show(globals, part); }};
  const Reply reply = command.run(call);
  if (connection.token() != token_before) WriteToken(session_file, connection.token());

  if (!reply.usage_error.empty()) {
    std::fprintf(stderr, "%s\n", reply.usage_error.c_str());
    return kUsage;
  }
  if (globals.csv && reply.ok() && reply.table.empty()) {
    std::fprintf(
        stderr, "%s\n",
        dutch ? "Dit antwoord is geen tabel; laat --csv weg." : "This answer is no table; leave out --csv.");
    return kUsage;
  }
  if (globals.csv && reply.ok()) {
    std::fputs(Csv(reply.table).c_str(), stdout);
  } else if (reply.ok() || !globals.json) {
    Show(globals, reply);
    if (!reply.ok()) PrintError(reply, dutch);
  } else {
    std::fputs(Json(reply.error.detail).c_str(), stderr);
  }
  if (reply.ok()) return 0;
  return reply.error.detail.rule().empty() ? kNotReached : kRefused;
}

int Main(int argc, char** argv) {
  CLI::App app("waarborg: access bans and their ID photos, from the command line");
  app.require_subcommand(1);
  Globals globals;
  app.add_option("--station", globals.station,
                 "Folder of this workplace: server, ca.pem, station.pem, station.key")
      ->envname("WAARBORG_STATION");
  app.add_option("--session", globals.session, "File that keeps the session between commands")
      ->envname("WAARBORG_SESSION");
  app.add_option("--lang", globals.language, "nl (default) or en")
      ->envname("WAARBORG_LANG")
      ->check(CLI::IsMember({"nl", "en"}));
  auto* json =
      app.add_flag("--json", globals.json, "Print the answer as JSON, as proto/waarborg/v1 describes it");
  app.add_flag("--csv", globals.csv, "Print the answer as CSV, where it is a table")->excludes(json);

  const Command* chosen = nullptr;
  std::map<const Command*, std::map<std::string, std::unique_ptr<Slot>>> slots;
  std::map<std::string, CLI::App*> groups;
  for (const Command& command : AllCommands()) {
    CLI::App* parent = &app;
    std::string verb = command.name;
    if (const size_t space = verb.find(' '); space != std::string::npos) {
      const std::string group = verb.substr(0, space);
      verb = verb.substr(space + 1);
      if (!groups.contains(group)) {
        groups[group] = app.add_subcommand(group, "");
        groups[group]->require_subcommand(1);
      }
      parent = groups[group];
    }
    CLI::App* sub = parent->add_subcommand(verb, command.summary);
    sub->callback([&chosen, &command] { chosen = &command; });
    sub->fallthrough();
    for (const Option& option : command.options) {
      auto& slot = slots[&command][option.name] = std::make_unique<Slot>();
      const std::string flag = "--" + option.name;
      if (option.kind == Kind::kFlag) {
        sub->add_flag(flag, slot->flag, option.help);
      } else {
        auto* o = sub->add_option(flag, slot->values, option.help)
                      ->required(option.required)
                      ->allow_extra_args(false);
        o->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        if (option.kind != Kind::kMany) o->expected(1);
      }
    }
  }
  for (auto& [name, group] : groups) {
    std::string verbs;
    for (const CLI::App* sub : group->get_subcommands([](const CLI::App*) { return true; })) {
      verbs += (verbs.empty() ? "" : ", ") + sub->get_name();
    }
    group->description(verbs);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kUsage;
  }
  Arguments arguments;
  for (auto& [name, slot] : slots[chosen]) {
    if (slot->flag) arguments.Add(name, "yes");
    for (std::string& value : slot->values) arguments.Add(name, std::move(value));
  }
  return Execute(*chosen, globals, arguments);
}

}  // namespace
}  // namespace waarborg::client

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "restore") == 0) {
    std::fputs(
        "Putting a backup back is done on the machine of the service, while it is stopped:\n"
        "    waarborgd restore --config /etc/waarborg/waarborgd.toml --from FOLDER\n"
        "The runbook says the rest (deploy/runbooks/beheer.md).\n",
        stderr);
    return 64;
  }
  if (!waarborg::access::RestrictTls()) return 70;
  return waarborg::client::Main(argc, argv);
}

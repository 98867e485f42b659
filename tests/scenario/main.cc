// SPDX-License-Identifier: EUPL-1.2
// waarborg-scenario: plays scenario files against the real server, each in a fresh copy of the example
// municipality.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/access/wire.h"
#include "server/base/clock.h"
#include "tests/scenario/script.h"
#include "tests/support/portrait.h"
#include "tests/support/signing_in.h"
#include "tests/support/town.h"

namespace waarborg::testing {
namespace {

constexpr std::chrono::seconds kSoon(10);

struct Failed {
  std::string why;
};

class Player {
 public:
  Player(Town& town, std::string folder_of_script, bool show)
      : town_(town), folder_(std::move(folder_of_script)), show_(show) {}

  void Play(const Line& line) {
    switch (line.what) {
      case Line::What::kClock: {
        const auto t = ParseMoment(line.moment, town_.Now());
        if (!t) throw Failed{"not a time: write 2026-03-02 09:00, or +30s, +5m, +2h, +10d"};
        town_.SetClock(*t);
        if (show_) std::printf("        the clock stands at %s\n", base::FormatLocal(*t).c_str());
        return;
      }
      case Line::What::kStop:
        Stop(SIGTERM);
        return;
      case Line::What::kKill:
        Stop(SIGKILL);
        return;
      case Line::What::kStart:
        Start();
        return;
      case Line::What::kRestart:
        Stop(SIGTERM);
        Start();
        return;
      case Line::What::kStep:
        Step(line);
        return;
      case Line::What::kInclude:
        throw Failed{"an include is not a step"};
    }
  }

 private:
  void Stop(int signal) {
    if (!town_.running()) throw Failed{"the server is not running"};
    const int status = town_.Stop(signal);
    if (signal == SIGTERM && status != 0)
      throw Failed{absl::StrCat("the server ended with status ", status, ": ", town_.Log())};
  }
  void Start() {
    if (town_.running()) throw Failed{"the server is running already"};
    if (!town_.Start()) throw Failed{"the server did not start: " + town_.Log()};
  }

  // $NAME remembered, $id:PERSON, $code:PERSON, $password.
  std::string Fill(const std::string& value) {
    std::string out;
    for (size_t i = 0; i < value.size();) {
      if (value[i] != '$') {
        out += value[i++];
        continue;
      }
      size_t end = i + 1;
      while (end < value.size() && (std::isalnum(static_cast<unsigned char>(value[end])) ||
                                    value[end] == '-' || value[end] == '_' || value[end] == ':')) {
        ++end;
      }
      const std::string name = value.substr(i + 1, end - i - 1);
      out += Look(name);
      i = end;
    }
    return out;
  }

  std::string Look(const std::string& name) {
    if (name == "password") return Town::kPassword;
    auto someone = [&](const std::string& login) -> const Town::Someone& {
      auto it = town_.people().find(login);
      if (it == town_.people().end()) throw Failed{"nobody is called " + login};
      return it->second;
    };
    if (absl::StartsWith(name, "id:")) return someone(name.substr(3)).id;
    if (absl::StartsWith(name, "code:")) {
      someone(name.substr(5));
      return town_.NextCode(name.substr(5));
    }
    if (absl::StartsWith(name, "samecode:")) return CodeAt(someone(name.substr(9)).secret, town_.Now());
    auto it = remembered_.find(name);
    if (it == remembered_.end()) throw Failed{"nothing is remembered as " + name};
    return it->second;
  }

  // portrait:3 and bad:text are drawn; other paths are relative to the scenario.
  std::string File(const std::string& value) {
    std::string content;
    if (absl::StartsWith(value, "portrait:")) {
      int number = 0;
      const bool png = absl::EndsWith(value, ".png");
      if (!absl::SimpleAtoi(value.substr(9, value.size() - 9 - (png ? 4 : 0)), &number))
        throw Failed{"portrait:NUMBER or portrait:NUMBER.png"};
      content = png ? PortraitPng(number) : PortraitJpeg(number);
    } else if (absl::StartsWith(value, "bad:")) {
      content = BadPhoto(value.substr(4));
      if (content.empty() && value != "bad:empty")
        throw Failed{"there is no bad photo of this name: " + value};
    } else {
      return value.rfind('/', 0) == 0 ? value : folder_ + "/" + value;
    }
    const std::string path = town_.folder() + "/supplied";
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  void Step(const Line& line) {
    struct stat info {};
    if (stat((town_.folder() + "/pki/stations/" + line.station).c_str(), &info) != 0) {
      throw Failed{"there is no station " + line.station};
    }
    if (line.person != "nobody" && !town_.people().contains(line.person)) {
      throw Failed{"nobody is called " + line.person};
    }
    const client::Command* command = client::FindCommand(line.command);
    client::Arguments arguments;
    for (const auto& [name, value] : line.options) {
      std::string filled = Fill(value);
      for (const client::Option& option : command->options) {
        if (option.name == name && option.kind == client::Kind::kFile) filled = File(filled);
      }
      arguments.Add(name, filled);
    }
    const auto until = std::chrono::steady_clock::now() + kSoon;
    client::Reply reply;
    for (bool again = true; again;) {
      again = false;
      reply = town_.Run(line.person, line.station, line.command, arguments);
      const std::string got = Describe(reply);
      if (show_) std::printf("        -> %s\n", got.c_str());
      if (!reply.usage_error.empty() && line.word != "misused") throw Failed{reply.usage_error};
      try {
        Compare(line, reply, got);
      } catch (const Failed&) {
        again = line.soon && std::chrono::steady_clock::now() < until;
        if (!again) throw;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    }
    if (!line.remember.empty()) {
      auto id = reply.FindFact("id");
      if (!id) id = reply.FindFact("ban");
      if (!id) throw Failed{"the answer has no id to remember: " + Describe(reply)};
      remembered_[line.remember] = *id;
    }
  }

  static std::string WordFor(const client::Reply& reply) {
    if (!reply.usage_error.empty()) return "misused";
    if (reply.ok()) return reply.word;
    return reply.error.detail.rule().empty() ? "unreachable" : "refused";
  }

  static std::string Describe(const client::Reply& reply) {
    std::string out = WordFor(reply);
    if (out == "refused") {
      absl::StrAppend(&out, " ", reply.error.rule());
      if (!reply.error.detail.field().empty()) absl::StrAppend(&out, " field=", reply.error.detail.field());
      return out;
    }
    if (out == "unreachable") return absl::StrCat(out, " (", reply.error.detail.message(), ")");
    for (const auto& [name, value] : reply.facts) {
      if (!value.empty()) absl::StrAppend(&out, " ", name, "=\"", value, "\"");
    }
    return out;
  }

  void Compare(const Line& line, const client::Reply& reply, const std::string& got) {
    const bool refused = line.word == "refused";
    if (WordFor(reply) != line.word || (refused && reply.error.rule() != line.rule)) {
      throw Failed{absl::StrCat("expected ", line.word, refused ? " " : "", line.rule, ", got ", got)};
    }
    for (const Expectation& e : line.expectations) {
      const std::string value = Fill(e.value);
      bool holds = false, there = false;
      if (refused) {
        holds = e.name == "field" && reply.error.detail.field() == value;
      } else {
        for (const auto& [name, fact] : reply.facts) {
          if (name != e.name) continue;
          int64_t have = 0, want = 0;
          there |= fact == value;
          holds |= e.how == Expectation::How::kEqual && fact == value;
          holds |= e.how == Expectation::How::kAtLeast && absl::SimpleAtoi(fact, &have) &&
                   absl::SimpleAtoi(value, &want) && have >= want;
        }
        if (e.how == Expectation::How::kAbsent) holds = !there;
      }
      if (!holds) {
        const char* how = e.how == Expectation::How::kAbsent ? "no " : "";
        const char* sign = e.how == Expectation::How::kAtLeast ? ">=" : "=";
        throw Failed{absl::StrCat("expected ", how, e.name, sign, value, ", got ", got)};
      }
    }
  }

  Town& town_;
  std::string folder_;
  bool show_;
  std::map<std::string, std::string> remembered_;
};

Script ReadScript(const std::string& path) {
  Script script;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    script.errors.push_back("cannot be read");
    return script;
  }
  std::vector<std::string> names;
  for (const auto& command : client::AllCommands()) names.push_back(command.name);
  return ParseScript({std::istreambuf_iterator<char>(in), {}}, names);
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

// Plays the lines of one file, and of those it includes. Returns the number of steps; 0 when one failed.
size_t PlayLines(Player& player, const std::string& path, bool show, int depth) {
  const Script script = ReadScript(path);
  for (const std::string& error : script.errors) std::printf("FAILED  %s: %s\n", path.c_str(), error.c_str());
  if (!script.errors.empty()) return 0;
  size_t steps = 0;
  for (const Line& line : script.lines) {
    if (show) std::printf("%6d  %s\n", line.number, line.text.c_str());
    try {
      if (line.what == Line::What::kInclude) {
        if (depth > 5) throw Failed{"files include each other without end"};
        const size_t more = PlayLines(player, FolderOf(path) + "/" + line.file, show, depth + 1);
        if (more == 0) throw Failed{"the included file failed"};
        steps += more;
      } else {
        player.Play(line);
        ++steps;
      }
    } catch (const Failed& failed) {
      std::printf("FAILED  %s line %d\n        %s\n        %s\n", path.c_str(), line.number,
                  line.text.c_str(), failed.why.c_str());
      return 0;
    }
  }
  return steps;
}

bool PlayFile(const std::string& path, const std::string& built, bool show) {
  auto town = Town::Copy(built, built + "-play");
  if (!town->Start()) {
    std::printf("FAILED  %s: the server did not start: %s\n", path.c_str(), town->Log().c_str());
    return false;
  }
  Player player(*town, FolderOf(path), show);
  const size_t steps = PlayLines(player, path, show, 0);
  if (steps == 0) return false;
  if (town->running() && town->Stop(SIGTERM) != 0) {
    std::printf("FAILED  %s: the server did not stop cleanly: %s\n", path.c_str(), town->Log().c_str());
    return false;
  }
  std::printf("passed  %s (%zu steps)\n", path.c_str(), steps);
  std::fflush(stdout);
  return true;
}

void ListCommands() {
  for (const auto& command : client::AllCommands()) {
    std::printf("%s: %s\n", command.name.c_str(), command.summary.c_str());
    for (const auto& option : command.options) {
      std::printf("    %s%s  %s%s\n", option.name.c_str(), option.kind == client::Kind::kFlag ? "" : "=...",
                  option.help.c_str(), option.required ? " (required)" : "");
    }
  }
}

int Main(int argc, char** argv) {
  bool show = false;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--commands") {
      ListCommands();
      return 0;
    }
    if (argument == "--show") {
      show = true;
    } else {
      files.push_back(argument);
    }
  }
  if (files.empty()) {
    std::fputs("run [--show] FILE...   plays scenario files; --commands lists what a step can do\n", stderr);
    return 2;
  }
  char folder[] = "/tmp/waarborg-scenario-XXXXXX";
  if (mkdtemp(folder) == nullptr) return 1;
  const std::string built = std::string(folder) + "/town";
  std::printf("making the municipality of Waterdam ...\n");
  std::fflush(stdout);
  Town::Build(built);
  int passed = 0, failed = 0;
  for (const std::string& file : files) ++(PlayFile(file, built, show) ? passed : failed);
  MustRun(std::string("rm -rf ") + folder);
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace waarborg::testing

int main(int argc, char** argv) {
  if (!waarborg::access::RestrictTls()) return 70;
  return waarborg::testing::Main(argc, argv);
}

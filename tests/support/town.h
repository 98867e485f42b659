// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "client/commands/command.h"

namespace waarborg::testing {

// A fictitious municipality with a real server: its own folder, certificates, clock and process. Made from
// deploy/example, with everybody enrolled.
class Town {
 public:
  struct Someone {
    std::string id;
    std::string secret;  // base 32
  };
  static constexpr char kPassword[] = "een lange zin voor de proef";
  // A station with a good certificate that nobody registered.
  static constexpr char kStranger[] = "vreemd-1";

  // Makes the municipality in `folder` and leaves it stopped, to be copied. The clock stands at 2026-03-02
  // 09:00. Ends the program with a message when something fails: without a town there is no test.
  // With `unlimited` nobody is told that they check or look too often. The data folder can lie elsewhere; it
  // is then the one of every copy. `more` is added to waarborgd.toml.
  static void Build(const std::string& folder, bool unlimited = false,
                    const std::string& data_folder = "data", const std::string& more = "");
  // A copy of a town that was built, stopped.
  static std::unique_ptr<Town> Copy(const std::string& built, const std::string& folder);
  ~Town();

  // Starts the server and waits until it serves; false when it ended instead (its log then says why).
  bool Start();
  // Starts it and waits for nothing: to be stopped again while it is starting.
  void Launch();
  // Options of the test build for the next starts: "--test-fault late-store".
  void SetServerOptions(std::vector<std::string> options) { server_options_ = std::move(options); }
  // Sends the signal and waits; returns the exit status as waitpid gives it.
  int Stop(int signal);
  bool running() const { return pid_ > 0; }
  // Whether the server ended by itself, and how, as waitpid gives it.
  bool Ended(int& status);

  absl::Time Now() const;
  // Whether the clock is synchronised stays so until the next SetClock.
  void SetClock(absl::Time t, bool synchronised = true);

  // Runs one command as a person at a station, signing in first when there is no session. "nobody" never
  // signs in.
  client::Reply Run(const std::string& person, const std::string& station, const std::string& command,
                    const client::Arguments& arguments);
  // The same with options as pairs.
  client::Reply Run(const std::string& person, const std::string& station, const std::string& command,
                    const std::vector<std::pair<std::string, std::string>>& options);
  // The connection of a person at a station, signed in.
  client::Connection& At(const std::string& person, const std::string& station);
  // Files of a station, with the port of the running server.
  client::StationFiles Files(const std::string& station) const;

  const std::map<std::string, Someone>& people() const { return people_; }
  // The next one-time code that the core will accept of this person; moves the clock when it must.
  std::string NextCode(const std::string& person);
  const std::string& folder() const { return folder_; }
  int port() const { return port_; }
  pid_t pid() const { return pid_; }
  std::string Log() const;

 private:
  explicit Town(std::string folder) : folder_(std::move(folder)) {}
  void Enrol(const std::string& login, const std::string& first, const std::string& second);
  void LoadPeople();
  void SavePeople() const;

  struct Seat {
    std::unique_ptr<client::Connection> connection;
    absl::Time used;
  };

  std::string folder_;
  std::vector<std::string> server_options_;
  bool clock_synchronised_ = true;
  pid_t pid_ = -1;
  int port_ = 0;
  std::map<std::string, Someone> people_;
  std::map<std::string, int64_t> last_step_;
  std::map<std::pair<std::string, std::string>, Seat> seats_;
};

// Runs a program and ends this one with a message when it fails.
void MustRun(const std::string& shell_command);
// Output of a shell command, both streams.
std::string Output(const std::string& shell_command);
// The whole file; empty when it is not there.
std::string Slurp(const std::string& path);
// The source tree, and the folder of the built programs.
std::string SourceFolder();
std::string ProgramFolder();

}  // namespace waarborg::testing

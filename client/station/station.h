// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "client/core/connection.h"
#include "client/station/http.h"
#include "client/station/page.h"
#include "client/station/seats.h"
#include "server/base/clock.h"
#include "server/base/random.h"

// The station: pages for the browsers beside it, from what the core tells it.
namespace waarborg::station {

class LogCheck;

struct StationOptions {
  client::StationFiles files;
  HttpOptions http;
  // A style sheet in place of the theme that comes with the program, and a logo (SVG); empty: ours.
  std::string theme_css;
  std::string logo_svg;
  // Verifier keys of the audit log and of its witnesses, one a line, as `waarborgd log-key` and
  // `waarborg-verify witness-key` print them; and the folder of the published logs, one in it for each year:
  // for the auditor's "verify" (log_check.h).
  std::string log_key;
  std::string log_folder;
  // Which ways of signing in the sign-in page offers besides name, password and code; the core has them
  // configured too. `openid` is what its button says.
  bool security_keys = false;
  std::string openid;
};

// Whether the core can be reached and can answer, looked at once a second. Safe from any thread.
class Pulse {
 public:
  explicit Pulse(client::Connection connection);
  ~Pulse();
  // False: checking does not work now.
  bool beats() const { return beats_; }

 private:
  void Run();
  const client::Connection connection_;
  std::atomic<bool> beats_ = true;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

class Station {
 public:
  // Null with `error` when it cannot serve. A core that cannot be reached is no error: the pages say so.
  static std::unique_ptr<Station> Start(StationOptions options, base::Random& random, std::string& error);
  ~Station();

  const std::string& origin() const { return server_->origin(); }
  const StationOptions& options() const { return options_; }
  const client::Connection& connection() const { return connection_; }
  const Pulse& pulse() const { return pulse_; }
  Seats& seats() { return seats_; }
  LogCheck& log_check() { return *log_check_; }
  base::Random& random() { return random_; }

  // Answers as this person from now on: the cookie goes with `response`.
  void SitDown(Response& response, client::Connection connection, const pb::Session& session);
  // Nobody sits at this browser any more; the core is not told.
  void StandUp(Visit& visit, Response& response);

  // Cookies that hold no secret: the language.
  static constexpr char kSeatCookie[] = "__Host-waarborg";
  static constexpr char kLanguageCookie[] = "__Host-taal";

 private:
  Station(StationOptions options, base::Random& random);
  Response Answer(Request& request);
  Response Asset(const Request& request) const;

  const StationOptions options_;
  base::Random& random_;
  const client::Connection connection_;
  Pulse pulse_;
  Seats seats_;
  const base::SystemClock clock_;
  std::unique_ptr<LogCheck> log_check_;
  std::string assets_version_;
  std::atomic<bool> stop_ = false;
  std::thread sweeper_;
  std::unique_ptr<HttpServer> server_;  // last: it calls all of the above

  friend class Visit;
};

// A cookie that the browser sends back to this host only, and shows to no script.
std::string Cookie(const std::string& name, const std::string& value, bool forget = false);

}  // namespace waarborg::station

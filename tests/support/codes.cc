// SPDX-License-Identifier: EUPL-1.2
#include "tests/support/codes.h"

#include <csignal>
#include <cstdio>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "client/station/http.h"
#include "server/base/file_clock.h"
#include "tests/support/signing_in.h"

namespace waarborg::testing {
namespace {

constexpr char kStyle[] =
    "body{font:1.1rem/1.5 'Source Sans 3',system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 "
    "1rem;color:#16202c}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.45rem .75rem;border-bottom:1px "
    "solid #d5dce4}"
    "td.code{font-family:monospace;font-size:1.35rem;letter-spacing:.08em}a{color:#1b5998;white-space:nowrap}"
    "p.note{background:#fff6d6;border:1px solid #e0c350;padding:.6rem 1rem;border-radius:4px}";

std::string Escape(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

}  // namespace

int ServeCodes(const CodesPage& page) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  const auto clock = base::FileClock::Open(page.clock_file);
  if (clock == nullptr) {
    std::fprintf(stderr, "codes: no clock at %s\n", page.clock_file.c_str());
    return 2;
  }
  station::HttpOptions options;
  options.listen = page.listen;
  options.origin = absl::StrCat("http://", page.listen);
  std::string error;
  const auto server = station::HttpServer::Start(
      options,
      [&](const station::Request& request) {
        station::Response out;
        if (request.path == "/style.css") {
          out.content_type = "text/css; charset=utf-8";
          out.body = kStyle;
          return out;
        }
        if (request.path != "/") return station::Response::Plain(404, "not found\n");
        const absl::Time now = clock->Now();
        out.body = absl::StrCat(
            "<!doctype html><html lang=nl><head><meta charset=utf-8><meta http-equiv=refresh "
            "content=3><title>Codes · Waarborg demo</title>"
            "<link rel=stylesheet href=/style.css></head><body><h1>Iedereens codeapp</h1><p class=note>Dit "
            "is de demo: de mensen zijn "
            "verzonnen, hun wachtwoord is <strong>",
            Escape(page.password),
            "</strong>, en deze pagina staat in de plaats van hun telefoons. Een code werkt één keer; over ",
            30 - absl::ToUnixSeconds(now) % 30,
            " seconden is er een "
            "nieuwe.</p><table><thead><tr><th>Naam<th>Wie<th>Code<th>Waar</tr></thead><tbody>");
        std::ifstream in(page.people_file);
        for (std::string line; std::getline(in, line);) {
          const std::vector<std::string> f = absl::StrSplit(line, '\t');
          if (f.size() != 4) continue;
          absl::StrAppend(&out.body, "<tr><td><strong>", Escape(f[0]), "</strong><td>", Escape(f[3]),
                          "<td class=code>", CodeAt(f[1], now), "<td><a href=\"", Escape(f[2]),
                          "\" target=_blank rel=noreferrer>", Escape(f[2]), "</a></tr>");
        }
        absl::StrAppend(&out.body, "</tbody></table></body></html>\n");
        return out;
      },
      error);
  if (server == nullptr) {
    std::fprintf(stderr, "codes: %s\n", error.c_str());
    return 2;
  }
  int which = 0;
  sigwait(&ends, &which);
  return 0;
}

}  // namespace waarborg::testing

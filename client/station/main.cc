// SPDX-License-Identifier: EUPL-1.2
// waarborg-station: the pages for the browser beside it.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "client/station/station.h"
#include "server/access/wire.h"
#include "server/base/random.h"

namespace {

bool Read(const std::string& path, std::string& out) {
  if (path.empty()) return true;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "waarborg-station: cannot read %s\n", path.c_str());
    return false;
  }
  out.assign(std::istreambuf_iterator<char>(in), {});
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace waarborg;
  CLI::App app{"Pages for the browsers beside this station, from what the core tells it."};
  station::StationOptions options;
  std::string folder, certificate, key, theme, logo, log_key, port_file;
  app.set_config("--config", "", "file with these options, one a line: listen = \"localhost:8080\"");
  app.add_option("--station", folder, "folder with server, ca.pem, station.pem and station.key")
      ->envname("WAARBORG_STATION")
      ->required();
  app.add_option("--listen", options.http.listen,
                 "HOST:PORT; other machines are served with a certificate only")
      ->capture_default_str();
  app.add_option("--origin", options.http.origin, "how browsers reach it: https://balie.gemeente.example")
      ->capture_default_str();
  app.add_option("--certificate", certificate, "PEM file, for https");
  app.add_option("--key", key, "PEM file, for https");
  app.add_option("--theme", theme, "style sheet in place of the theme that comes with the program");
  app.add_option("--logo", logo, "SVG file");
  app.add_option("--log-key", log_key,
                 "file with the keys of the audit log and its witnesses, one a line (waarborgd log-key), for "
                 "the auditor's check");
  app.add_option("--log-folder", options.log_folder,
                 "folder of the published logs, one in it for each year, for the auditor's check");
  app.add_flag("--security-keys", options.security_keys, "offer signing in with a security key");
  app.add_option("--openid", options.openid,
                 "offer signing in with the municipality's sign-in service, under this name");
  app.add_option("--port-file", port_file, "where to write the port, once it serves");
  CLI11_PARSE(app, argc, argv);

  std::string error;
  if (!client::StationFiles::Read(folder, options.files, error)) {
    std::fprintf(stderr, "waarborg-station: %s\n", error.c_str());
    return 2;
  }
  if (!Read(certificate, options.http.certificate_pem) || !Read(key, options.http.key_pem) ||
      !Read(theme, options.theme_css) || !Read(logo, options.logo_svg) || !Read(log_key, options.log_key)) {
    return 2;
  }
  if (!access::RestrictTls()) return 70;

  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  base::SystemRandom random;
  auto station = station::Station::Start(std::move(options), random, error);
  if (station == nullptr) {
    std::fprintf(stderr, "waarborg-station: %s\n", error.c_str());
    return 2;
  }
  std::printf("%s/\n", station->origin().c_str());
  std::fflush(stdout);
  if (!port_file.empty()) {
    const std::string temporary = port_file + ".new";
    std::ofstream(temporary) << station->origin() << "\n";
    std::rename(temporary.c_str(), port_file.c_str());
  }
  int which = 0;
  sigwait(&ends, &which);
  return 0;
}

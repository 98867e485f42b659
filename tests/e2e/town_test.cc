// SPDX-License-Identifier: EUPL-1.2
#include "tests/e2e/town_test.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/support/portrait.h"

namespace waarborg::testing {
namespace {

// Removed when the program ends.
struct BuiltTown {
  std::string folder;
  BuiltTown() {
    char name[] = "/tmp/waarborg-e2e-XXXXXX";
    folder = mkdtemp(name);
    Town::Build(folder + "/town");
  }
  ~BuiltTown() { MustRun("rm -rf " + folder); }
};

const BuiltTown& Built() {
  static const BuiltTown built;
  return built;
}

}  // namespace

void TownTest::SetUpTestSuite() {
  Built();
}

void TownTest::SetUp() {
  town = Town::Copy(Built().folder + "/town", Built().folder + "/test");
  ASSERT_TRUE(town->Start()) << town->Log();
}

void TownTest::TearDown() {
  if (!town->running()) return;
  EXPECT_EQ(town->Stop(SIGTERM), 0) << town->Log();
}

client::Reply TownTest::Do(const std::string& person, const std::string& station, const std::string& command,
                           const Pairs& options) {
  client::Reply reply = town->Run(person, station, command, options);
  EXPECT_TRUE(reply.ok()) << person << " " << command << ": " << reply.usage_error << " "
                          << reply.error.rule() << " " << reply.error.detail.field() << " "
                          << reply.error.detail.message();
  return reply;
}

std::string TownTest::Refused(const std::string& person, const std::string& station,
                              const std::string& command, const Pairs& options) {
  const client::Reply reply = town->Run(person, station, command, options);
  EXPECT_FALSE(reply.ok()) << person << " " << command << " was allowed";
  EXPECT_TRUE(reply.usage_error.empty()) << reply.usage_error;
  return reply.ok() ? "" : reply.error.rule();
}

std::string TownTest::ActiveBan(const std::string& given, const std::string& surname,
                                const std::string& born) {
  const auto proposed = Do("teamleider", "kantoor-1", "ban propose",
                           {{"given", given},
                            {"prefix", "de"},
                            {"surname", surname},
                            {"born", born},
                            {"established", "yes"},
                            {"ground", "fysiek-medewerker"},
                            {"measure", "access-ban"},
                            {"where", "gemeentehuis,sporthal"},
                            {"from", "2026-03-02"},
                            {"until", "2026-06-01"},
                            {"reasons", "Heeft een baliemedewerker geduwd."},
                            {"department", "sport"},
                            {"channels", "telefoon en post"}});
  const std::string ban = proposed.FindFact("id").value_or("");
  Do("secretaris", "kantoor-1", "ban advise", {{"ban", ban}, {"advice", "Drie maanden."}});
  Do("collegesecretariaat", "kantoor-1", "ban approve",
     {{"ban", ban}, {"number", "2026-1"}, {"date", "2026-03-02"}});
  return ban;
}

std::string TownTest::PortraitFile(int portrait) {
  const std::string path = absl::StrCat(town->folder(), "/portrait-", portrait, ".jpg");
  std::ofstream(path, std::ios::binary) << PortraitJpeg(portrait);
  return path;
}

void TownTest::SupplyPhoto(const std::string& ban, int portrait) {
  Do("teamleider", "kantoor-1", "photo inform", {{"ban", ban}, {"how", "letter"}, {"on", "2026-03-02"}});
  Do("toezicht", "kantoor-1", "photo request", {{"ban", ban}});
  client::Arguments consent;
  consent.Add("ban", ban);
  consent.Add("basis", "avg-6-1-e");
  for (const char* criterion : {"noodzaak", "evenredig", "geinformeerd"}) {
    consent.Add("answer", absl::StrCat(criterion, "|yes|Toegelicht."));
  }
  const auto consented = town->Run("teamleider", "kantoor-1", "photo consent", consent);
  EXPECT_TRUE(consented.ok()) << consented.error.rule();
  Do("burgerzaken", "kantoor-1", "photo supply",
     {{"ban", ban},
      {"file", PortraitFile(portrait)},
      {"source", "reisdocument"},
      {"basis", "avg-6-1-e"},
      {"basis-checked", "yes"},
      {"person-checked", "yes"},
      {"photo-checked", "yes"}});
}

void TownTest::ReleasePhoto(const std::string& ban, int portrait) {
  SupplyPhoto(ban, portrait);
  Do("toezicht", "kantoor-1", "photo release", {{"ban", ban}, {"to", "receptie"}});
  Do("receptie", "receptie-1", "instruction acknowledge", {});
}

}  // namespace waarborg::testing

// SPDX-License-Identifier: EUPL-1.2
#include "tests/e2e/town_test.h"

#include <signal.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "server/photos/photo.h"
#include "server/photos/raster.h"
#include "tests/support/portrait.h"
#include "tests/support/story.h"

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
  BanSpec spec;
  spec.given = given;
  spec.surname = surname;
  spec.born = born;
  return testing::ActiveBan(*town, spec);
}

void TownTest::SupplyPhoto(const std::string& ban, int portrait) {
  testing::SupplyPhoto(*town, ban, portrait);
}

void TownTest::ReleasePhoto(const std::string& ban, int portrait) {
  testing::ReleasePhoto(*town, ban, portrait);
}

std::string TownTest::PortraitFile(int portrait) {
  return testing::PortraitFile(*town, portrait);
}

std::string TownTest::Photo(const std::string& person, const std::string& station, const std::string& ban) {
  const std::string path = town->folder() + "/seen.jpg";
  std::filesystem::remove(path);
  Do(person, station, "photo show", {{"ban", ban}, {"out", path}});
  return Slurp(path);
}

double TownTest::Difference(const std::string& jpeg, int portrait) {
  const auto seen = photos::DecodeJpeg(jpeg);
  const auto drawn = photos::DecodeJpeg(*photos::Normalise(PortraitJpeg(portrait)));
  if (!seen.ok() || seen->rgb.size() != drawn->rgb.size()) return 255;
  double sum = 0;
  for (size_t i = 0; i < seen->rgb.size(); ++i) sum += std::abs(int{seen->rgb[i]} - int{drawn->rgb[i]});
  return sum / static_cast<double>(seen->rgb.size());
}

bool TownTest::Destroyed(const std::string& ban) {
  return Do("auditor", "kantoor-1", "audit list", {{"ban", ban}, {"event", "PhotoDestroyed"}})
             .FindFact("count") == "1";
}

}  // namespace waarborg::testing

// SPDX-License-Identifier: EUPL-1.2
// A great many photos that end in the same second: how soon their keys are gone, and what work beside it
// notices. See tests/bench/README.md.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/base/workers.h"
#include "server/jobs/clockwork.h"
#include "server/journal/journal.h"
#include "tests/support/memory_room.h"

namespace waarborg::bench {
namespace {

namespace fs = std::filesystem;
namespace pb = waarborg::v1;
using Steady = std::chrono::steady_clock;

constexpr size_t kPhotoBytes = 1024;  // the size of a photo costs the sweeping up, not the death of its key
constexpr int kAtOnce = 500;

double Since(Steady::time_point begin) {
  return std::chrono::duration<double>(Steady::now() - begin).count();
}

void Must(const absl::Status& s, const char* doing) {
  if (s.ok()) return;
  std::fprintf(stderr, "bench: %s: %s\n", doing, std::string(s.message()).c_str());
  std::exit(1);
}

class House {
 public:
  explicit House(const std::string& folder) {
    auto store = store::OpenRocksDb(folder + "/store");
    Must(store.status(), "store");
    store_ = std::move(*store);
    file_keys_ = *keys::Keystore::Open(folder + "/keys", "file", *home_, random_);
    photo_keys = *keys::Keystore::Open(folder + "/keys", "photo", *home_, random_);
    journal::Journal::Parts parts{&clock,           &random_, store_.get(),       file_keys_.get(),
                                  photo_keys.get(), &room_,   "bench.example/log"};
    parts.background = &background;
    auto opened = journal::Journal::Open(parts);
    Must(opened.status(), "journal");
    journal = std::move(*opened);
    journal->SetClockwork(jobs::RunDue);
  }

  void Put(int from, int until, absl::Time ends) {
    Must(journal->RunNow([&](journal::Turn& turn) {
      for (int i = from; i < until; ++i) {
        domain::Ban ban;
        ban.id = absl::StrCat("LV-", i);
        ban.state = domain::BanState::kActive;
        ban.identity = {{"Jan", "", absl::StrCat("Vogel", i % 5000)}, {}, {1985, 3, 1 + i % 28}, true, ""};
        ban.terms = domain::Terms{};
        ban.scope.location_ids = {"gemeentehuis"};
        ban.starts_at = ban.proposed_at = clock.Now();
        ban.ends_at = ends;
        ban.release.state = domain::PhotoState::kReleased;
        ban.release.photo_id = absl::StrCat("F-", i);
        turn.PutPhoto(ban.release.photo_id, std::string(kPhotoBytes, 'p'));
        turn.Put(std::move(ban));
      }
    }),
         "put");
  }

  // One piece of work with an entry, as a check is; how long it took.
  double Work() {
    const auto begin = Steady::now();
    bool done = false;
    journal->Submit({[](journal::Turn& turn) {
                       pb::AuditRecord record;
                       record.set_event("CheckVisitor");
                       record.set_result(pb::RESULT_DONE);
                       turn.Log(std::move(record));
                     },
                     [&](bool) { done = true; }});
    while (!done) journal->RunQueued();
    return Since(begin);
  }

  base::ManualClock clock{absl::FromUnixSeconds(1'772'438'400)};
  base::Workers background{1, 4};
  std::unique_ptr<keys::Keystore> photo_keys;
  std::unique_ptr<journal::Journal> journal;

 private:
  base::SystemRandom random_;
  base::Secret root_{std::string(32, 'r')};
  testing::MemoryRoom room_;
  std::unique_ptr<keys::GenerationHome> home_ = keys::NewFileHome(root_, random_);
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<keys::Keystore> file_keys_;
};

double Percentile(std::vector<double> seconds, double p) {
  if (seconds.empty()) return 0;
  std::sort(seconds.begin(), seconds.end());
  return 1000 *
         seconds[std::min(seconds.size() - 1, static_cast<size_t>(p * static_cast<double>(seconds.size())))];
}

int Main(int argc, char** argv) {
  bool json = false;
  int photos = 100'000;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    json |= argument == "--json";
    if (argument == "--quick") photos = 2'000;
    if (argument == "--photos" && i + 1 < argc && !absl::SimpleAtoi(argv[++i], &photos)) return 64;
  }
  char name[] = "/var/tmp/waarborg-bench-XXXXXX";
  if (mkdtemp(name) == nullptr) return 1;
  const std::string folder = name;
  std::vector<double> before, during;
  double keyless = 0, reported = 0;
  size_t staying = 0;
  {
    House house(folder);
    const absl::Time end = house.clock.Now() + absl::Hours(24);
    for (int i = 0; i < photos; i += kAtOnce) house.Put(i, std::min(photos, i + kAtOnce), end);
    // As many that stay: their keys have to be carried over.
    for (int i = photos; i < 2 * photos; i += kAtOnce) {
      house.Put(i, std::min(2 * photos, i + kAtOnce), end + absl::Hours(24 * 30));
    }
    for (int i = 0; i < 2000; ++i) before.push_back(house.Work());
    house.clock.Set(end);
    const auto begin = Steady::now();
    while (reported == 0) {
      during.push_back(house.Work());
      if (keyless == 0 && house.photo_keys->size() == static_cast<size_t>(photos)) {
        const auto condition = house.journal->condition();
        if (condition.destruction_due == absl::InfiniteFuture()) keyless = Since(begin);
      }
      if (keyless > 0 && house.journal->world().destroying().empty()) reported = Since(begin);
    }
    staying = house.photo_keys->size();
    house.background.Stop();
  }
  fs::remove_all(folder);
  if (staying != static_cast<size_t>(photos)) {
    std::fprintf(stderr, "bench: %zu keys are left, not %d\n", staying, photos);
    return 1;
  }
  if (json) {
    std::printf(
        "{\"photos\": %d, \"keyless_s\": %.2f, \"certain_s\": %.2f, \"work_p50_ms\": %.3f, \"work_p99_ms\": "
        "%.3f, "
        "\"work_p50_ms_during\": %.3f, \"work_p99_ms_during\": %.3f, \"work_longest_ms_during\": %.1f}\n",
        photos, keyless, reported, Percentile(before, 0.5), Percentile(before, 0.99), Percentile(during, 0.5),
        Percentile(during, 0.99), Percentile(during, 1));
    return 0;
  }
  std::printf(
      "%d photos end in the same second, %d stay.\n"
      "  without keys after          %7.2f s\n"
      "  all of it on record after   %7.2f s\n"
      "  work meanwhile, each entry durable: p50 %.2f ms, p99 %.2f ms, longest %.0f ms (before: %.2f, %.2f "
      "ms)\n",
      photos, photos, keyless, reported, Percentile(during, 0.5), Percentile(during, 0.99),
      Percentile(during, 1), Percentile(before, 0.5), Percentile(before, 0.99));
  return 0;
}

}  // namespace
}  // namespace waarborg::bench

int main(int argc, char** argv) {
  return waarborg::bench::Main(argc, argv);
}

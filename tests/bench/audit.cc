// SPDX-License-Identifier: EUPL-1.2
// What the log costs: durable appends, verification beside bare hashing, start and questions at a million
// entries. See tests/bench/README.md.
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "audit/verify.h"
#include "server/journal/journal.h"
#include "server/journal/publisher.h"
#include "tests/support/memory_room.h"

namespace waarborg::bench {
namespace {

namespace fs = std::filesystem;
namespace pb = waarborg::v1;
using Steady = std::chrono::steady_clock;

double Since(Steady::time_point begin) {
  return std::chrono::duration<double>(Steady::now() - begin).count();
}

void Must(const absl::Status& s, const char* doing) {
  if (s.ok()) return;
  std::fprintf(stderr, "bench: %s: %s\n", doing, std::string(s.message()).c_str());
  std::exit(1);
}

// A house without its doors: store on disk, keys, journal, publisher.
class House {
 public:
  explicit House(std::string folder) : folder_(std::move(folder)) { Open(); }

  // As at the start of the server. Returns how long it took, in seconds.
  double Open() {
    publisher.reset();
    journal.reset();
    store_.reset();
    const auto begin = Steady::now();
    auto store = store::OpenRocksDb(folder_ + "/store");
    Must(store.status(), "store");
    store_ = std::move(*store);
    file_keys_ = *keys::Keystore::Open(folder_ + "/keys", "file", *home_, random);
    photo_keys_ = *keys::Keystore::Open(folder_ + "/keys", "photo", *home_, random);
    auto opened = journal::Journal::Open(
        {&clock, &random, store_.get(), file_keys_.get(), photo_keys_.get(), &room_, "bench.example/log"});
    Must(opened.status(), "journal");
    journal = std::move(*opened);
    published_ = *journal::OpenLogFiles(folder_ + "/published", true);
    memory_ = *journal::OpenLogFiles(folder_ + "/log", false);
    publisher = std::make_unique<journal::Publisher>(
        journal::Publisher::Parts{journal.get(), store_.get(), published_.get(), memory_.get(), nullptr,
                                  base::Secret(std::string(32, 's'))});
    Must(publisher->Start({}), "start");
    return Since(begin);
  }
  std::string Published() const { return folder_ + "/published/" + journal::FolderOf(journal->log_origin()); }

  base::ManualClock clock{absl::FromUnixSeconds(1'767'250'800)};  // the first hours of 2026
  base::SystemRandom random;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<journal::Publisher> publisher;

 private:
  std::string folder_;
  base::Secret root_{std::string(32, 'r')};
  testing::MemoryRoom room_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<keys::GenerationHome> home_ = keys::NewFileHome(root_, random);
  std::unique_ptr<keys::Keystore> file_keys_, photo_keys_;
  std::unique_ptr<journal::LogFiles> published_, memory_;
};

// Entries as a municipality makes them: mostly checks without a match, some with one, photos, refusals.
class Entries {
 public:
  static constexpr int kPeople = 300, kStations = 60, kBans = 400;
  static std::string Person(uint64_t n) { return absl::StrCat("M-", 1'000'000'000 + n % kPeople); }
  static std::string Station(uint64_t n) { return absl::StrCat("balie-", n % kStations); }
  static std::string Ban(uint64_t n) { return absl::StrCat("LV-", 1'000'000'000 + n % kBans); }

  pb::AuditRecord Next() {
    const uint64_t dice = random() % 100;
    pb::AuditRecord r;
    r.set_event(dice < 88 ? "CheckVisitor" : dice < 93 ? "MatchShown" : dice < 97 ? "ShowPhoto" : "GetBan");
    r.set_result(random() % 50 == 0 ? pb::RESULT_REFUSED : pb::RESULT_DONE);
    if (r.result() == pb::RESULT_REFUSED) r.set_rule("not-assigned-here");
    const uint64_t person = random();
    r.set_person_id(Person(person));
    r.set_role(pb::ROLE_DESK_STAFF);
    r.set_station_id(Station(person % 7 + random() % 3));
    r.set_location_id("gemeentehuis");
    r.set_purpose(pb::PURPOSE_VISITOR_AT_DESK);
    if (dice >= 88) r.set_ban_id(Ban(random()));
    return r;
  }
  std::mt19937_64 random{2026};
};

// One durable batch for every `at_once` entries, as calls that arrive together make it.
double AppendsPerSecond(House& house, Entries& entries, int count, int at_once) {
  const auto begin = Steady::now();
  for (int done = 0; done < count;) {
    for (int i = 0; i < at_once; ++i, ++done) {
      house.journal->Submit({[&entries](journal::Turn& turn) { turn.Log(entries.Next()); },
                             [](bool durable) {
                               if (!durable) std::exit(1);
                             }});
    }
    house.journal->RunQueued();
  }
  return count / Since(begin);
}

// Fills the log up to `size` entries, spread over ten months.
void Fill(House& house, Entries& entries, uint64_t size) {
  const uint64_t begin = house.journal->size();
  const absl::Time start = house.clock.Now();
  while (house.journal->size() < size) {
    const double part =
        static_cast<double>(house.journal->size() - begin) / static_cast<double>(size - begin);
    house.clock.Set(start + absl::Hours(24 * 300) * part);
    Must(house.journal->RunNow([&](journal::Turn& turn) {
      for (int i = 0; i < 500 && turn.NextIndex() < size; ++i) turn.Log(entries.Next());
    }),
         "fill");
  }
}

// Bare SHA-256 over as many whole blocks as leaves and nodes of these entries take with their padding: one
// and two.
double FloorPerSecond(uint64_t entries) {
  std::vector<uint8_t> block(size_t{64} * 3 * 4096, 0x5A);
  uint8_t digest[32];
  const uint64_t rounds = std::max<uint64_t>(1, entries / 4096);
  const auto begin = Steady::now();
  for (uint64_t i = 0; i < rounds; ++i) {
    if (EVP_Digest(block.data(), block.size(), digest, nullptr, EVP_sha256(), nullptr) != 1) std::exit(1);
    block[0] = digest[0];
  }
  return static_cast<double>(rounds * 4096) / Since(begin);
}

double VerifyPerSecond(const House& house, unsigned threads) {
  audit::VerifyOptions options;
  options.key = house.publisher->KeyOf(house.journal->log_origin());
  options.threads = threads;
  audit::Progress progress;
  const auto begin = Steady::now();
  const auto report = audit::VerifyLog(house.Published(), options, progress);
  const double took = Since(begin);
  if (!report.problems.empty()) {
    std::fprintf(stderr, "bench: %s\n", report.problems.front().c_str());
    std::exit(1);
  }
  return static_cast<double>(report.checkpoint.size) / took;
}

// The questions of an auditor, each answered with its first hundred entries, opened and compared with what
// was committed to.
std::vector<double> AskMs(House& house, int count) {
  std::mt19937_64 random(7);
  const absl::Time last = house.clock.Now();
  std::vector<double> took;
  for (int i = 0; i < count; ++i) {
    journal::LogQuery q;
    q.until = last - absl::Hours(24) * static_cast<double>(random() % 250);
    q.from = q.until - absl::Hours(24 * 30);
    switch (i % 7) {
      case 0:
        q.ban_id = Entries::Ban(random());
        q.events = {"ShowPhoto", "PreviewPhoto"};
        q.from = absl::InfinitePast(), q.until = absl::InfiniteFuture();
        break;
      case 1:
        q.person_id = Entries::Person(random());
        break;
      case 2:
        q.station_id = Entries::Station(random());
        q.from = q.until - absl::Hours(24);
        break;
      case 3:
        q.refused_only = true;
        break;
      case 4:
        q.person_id = Entries::Person(random());
        q.refused_only = true;
        q.from = absl::InfinitePast(), q.until = absl::InfiniteFuture();
        break;
      case 5:
        q.person_id = Entries::Person(random());
        q.ban_id = Entries::Ban(random());
        q.from = absl::InfinitePast(), q.until = absl::InfiniteFuture();
        break;
      default:
        break;
    }
    const auto begin = Steady::now();
    int entries = 0;
    Must(house.journal->NewReader()->ReadBack(q,
                                              [&](const journal::LogEntry& e) {
                                                if (e.damaged) std::exit(1);
                                                return ++entries < 100;
                                              }),
         "ask");
    took.push_back(Since(begin) * 1000);
  }
  std::sort(took.begin(), took.end());
  return took;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int Main(int argc, char** argv) {
  bool json = false, quick = false;
  uint64_t entries_asked = 0;
  for (int i = 1; i < argc; ++i) {
    json |= std::string(argv[i]) == "--json";
    quick |= std::string(argv[i]) == "--quick";
    if (std::string(argv[i]) == "--entries" && i + 1 < argc)
      entries_asked = std::strtoull(argv[++i], nullptr, 10);
  }
  const uint64_t size = entries_asked > 0 ? entries_asked : quick ? 20'000 : 1'000'000;
  char name[] = "/var/tmp/waarborg-bench-XXXXXX";
  const std::string folder = mkdtemp(name);
  fs::create_directories(folder + "/keys");
  {
    House house(folder);
    Entries entries;
    std::vector<double> appends;
    for (int round = 0; round < (quick ? 1 : 5); ++round) {
      appends.push_back(AppendsPerSecond(house, entries, quick ? 2'000 : 20'000, 64));
    }
    Fill(house, entries, size);
    auto begin = Steady::now();
    Must(house.publisher->Publish(), "publish");
    const double published = Since(begin);

    std::vector<double> floors, ones, alls, ratios;
    for (int round = 0; round < (quick ? 1 : 7); ++round) {
      floors.push_back(FloorPerSecond(size));
      ones.push_back(VerifyPerSecond(house, 1));
      alls.push_back(VerifyPerSecond(house, 0));
      ratios.push_back(ones.back() / floors.back());
    }
    std::vector<double> starts;
    for (int round = 0; round < 3; ++round) starts.push_back(house.Open());
    const auto asked = AskMs(house, quick ? 200 : 3000);
    const double p99 = asked[asked.size() * 99 / 100], p50 = asked[asked.size() / 2];

    if (json) {
      std::printf(
          "{\"append_per_s\": %.0f, \"verify_entries_per_s_1_thread\": %.0f, \"verify_entries_per_s\": %.0f, "
          "\"sha256_floor_entries_per_s\": %.0f, \"verify_vs_floor\": %.3f, \"start_s_at_1m\": %.3f, "
          "\"query_p99_ms_at_1m\": %.2f}\n",
          Median(appends), Median(ones), Median(alls), Median(floors), Median(ratios), Median(starts), p99);
    } else {
      std::printf("%llu entries\n", static_cast<unsigned long long>(size));
      std::printf("append           %10.0f a second, durable, 64 at once\n", Median(appends));
      std::printf("publish          %10.0f a second, from nothing\n", static_cast<double>(size) / published);
      std::printf("verify, 1 thread %10.0f a second, %.2f of bare SHA-256 (%.0f)\n", Median(ones),
                  Median(ratios), Median(floors));
      std::printf("verify, all      %10.0f a second\n", Median(alls));
      std::printf("start            %10.3f s\n", Median(starts));
      std::printf("question         %10.2f ms median, %.2f ms at the 99th percentile\n", p50, p99);
    }
  }
  fs::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace waarborg::bench

int main(int argc, char** argv) {
  return waarborg::bench::Main(argc, argv);
}

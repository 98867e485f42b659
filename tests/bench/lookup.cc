// SPDX-License-Identifier: EUPL-1.2
// What looking up one visitor costs as the number of bans grows: folding the name, finding, comparing. See
// tests/bench/README.md.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "server/domain/match.h"

namespace waarborg::bench {
namespace {

using domain::Ban;
using domain::BirthDate;
using domain::PersonName;

// Surnames as they are spread in the Netherlands: the most frequent one is borne by half a percent of people,
// the one of rank r by about 1/r of that, and there are very many rare ones. Made of syllables; nobody's
// name.
class People {
 public:
  explicit People(uint64_t seed) : dice_(seed) {
    for (int r = 1; r <= kSurnames; ++r) {
      surnames_.push_back(Word(r));
      total_ += 1.0 / (r + 15);
      cumulative_.push_back(total_);
    }
  }
  PersonName Name() {
    const double x = std::uniform_real_distribution<double>(0, total_)(dice_);
    const auto i = std::lower_bound(cumulative_.begin(), cumulative_.end(), x) - cumulative_.begin();
    return {Given(static_cast<int>(dice_() % 400)) + " " + Given(static_cast<int>(dice_() % 400)), "",
            surnames_[static_cast<size_t>(i)]};
  }
  BirthDate Born() {
    // One in fifty is registered as born on the first of January.
    if (dice_() % 50 == 0) return {static_cast<int>(1940 + dice_() % 66), 1, 1};
    return {static_cast<int>(1940 + dice_() % 66), static_cast<int>(1 + dice_() % 12),
            static_cast<int>(1 + dice_() % 28)};
  }
  uint64_t Number() { return dice_(); }

 private:
  static constexpr int kSurnames = 100'000;
  static std::string Word(int n) {
    static constexpr const char* kSyllables[] = {"wo",  "der", "ka",  "lem", "bro", "sti", "ven",
                                                 "hol", "ma",  "gra", "ter", "uin", "zo",  "pel",
                                                 "rik", "dam", "nes", "vo",  "jor", "wel"};
    std::string word;
    for (int x = n * 7919 % 3'200'000 + 8000; x > 0; x /= 20) word += kSyllables[x % 20];
    return word;
  }
  static std::string Given(int n) { return Word(n + 1'000'003); }

  std::mt19937_64 dice_;
  std::vector<std::string> surnames_;
  std::vector<double> cumulative_;
  double total_ = 0;
};

Ban MakeBan(int number, const PersonName& name, const BirthDate& born) {
  Ban ban;
  ban.id = absl::StrFormat("LV-%08d", number);
  ban.state = domain::BanState::kActive;
  ban.identity.name = name;
  ban.identity.birth_date = born;
  ban.identity.established = true;
  ban.scope.location_ids = {"gemeentehuis"};
  ban.starts_at = absl::UnixEpoch();
  ban.ends_at = absl::InfiniteFuture();
  return ban;
}

double Median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

struct Visitor {
  PersonName name;
  BirthDate born;
};

// Nanoseconds for one visitor, median of rounds. `expected`: every visitor must find somebody, or nobody.
double Measure(const domain::MatchIndex& index, const std::string& where,
               const std::vector<Visitor>& visitors, bool expected) {
  std::vector<double> rounds;
  for (int round = 0; round < 9; ++round) {
    size_t found = 0;
    const auto begun = std::chrono::steady_clock::now();
    for (const Visitor& v : visitors) {
      domain::Query query;
      query.name = domain::FoldName(v.name);
      query.birth_date = v.born;
      found += !index.Find(where, false, query, absl::UnixEpoch() + absl::Hours(1)).empty();
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begun;
    rounds.push_back(took.count() / static_cast<double>(visitors.size()));
    if (found != (expected ? visitors.size() : 0)) {
      std::fprintf(stderr, "lookup: %zu of %zu found\n", found, visitors.size());
      std::exit(1);
    }
  }
  return Median(rounds);
}

int Main(int argc, char** argv) {
  const bool json = argc > 1 && std::string(argv[1]) == "--json";
  std::vector<int> sizes = {100, 1000, 10'000, 100'000, 1'000'000};
  if (argc > 1 && std::string(argv[argc - 1]) == "--quick") sizes = {100, 1000};
  People people(1);
  domain::MatchIndex index;
  std::vector<Visitor> known;
  std::map<std::string, std::map<int, double>> ns;
  int made = 0;
  for (int size : sizes) {
    std::fprintf(stderr, "%d bans\n", size);
    for (; made < size; ++made) {
      Visitor v{people.Name(), people.Born()};
      index.Put(MakeBan(made, v.name, v.born));
      known.push_back(std::move(v));
    }
    std::vector<Visitor> exact, near, none;
    for (int i = 0; i < 2000; ++i) {
      const Visitor& v = known[people.Number() % known.size()];
      exact.push_back(v);
      // Two letters changed places, as typed in a hurry.
      Visitor typo = v;
      std::swap(typo.name.surname[1], typo.name.surname[2]);
      if (typo.name.surname == v.name.surname) std::swap(typo.name.surname[2], typo.name.surname[3]);
      near.push_back(std::move(typo));
      // As frequent a surname as anybody's, but another person: nobody here was born near 2211.
      Visitor other{v.name, v.born};
      other.name = people.Name();
      other.born = {2211, static_cast<int>(1 + people.Number() % 12),
                    static_cast<int>(1 + people.Number() % 28)};
      none.push_back(std::move(other));
    }
    ns["exact"][size] = Measure(index, "gemeentehuis", exact, true);
    ns["near"][size] = Measure(index, "gemeentehuis", near, true);
    ns["none"][size] = Measure(index, "gemeentehuis", none, false);
    // The same people where nobody is banned, and strangers there: the two must cost the same.
    ns["banned elsewhere"][size] = Measure(index, "zwembad", exact, false);
    ns["nowhere"][size] = Measure(index, "zwembad", none, false);
  }
  std::vector<std::string> members, growth;
  for (const auto& [kind, by_size] : ns) {
    std::vector<std::string> cells;
    for (const auto& [size, value] : by_size) cells.push_back(absl::StrFormat("\"%d\": %.4g", size, value));
    members.push_back(absl::StrFormat("\"%s\": {%s}", kind, absl::StrJoin(cells, ", ")));
    growth.push_back(
        absl::StrFormat("\"%s\": %.3g", kind, by_size.rbegin()->second / by_size.begin()->second));
  }
  if (json) {
    std::printf("{\"ns\": {%s}, \"growth\": {%s}}\n", absl::StrJoin(members, ", ").c_str(),
                absl::StrJoin(growth, ", ").c_str());
    return 0;
  }
  std::printf("%10s %12s %12s %12s %18s %9s   (ns for one visitor)\n", "bans", "exact", "near", "none",
              "banned elsewhere", "nowhere");
  for (int size : sizes) {
    std::printf("%10d %12.0f %12.0f %12.0f %18.0f %9.0f\n", size, ns["exact"][size], ns["near"][size],
                ns["none"][size], ns["banned elsewhere"][size], ns["nowhere"][size]);
  }
  std::printf("growth: %s\n", absl::StrJoin(growth, ", ").c_str());
  return 0;
}

}  // namespace
}  // namespace waarborg::bench

int main(int argc, char** argv) {
  return waarborg::bench::Main(argc, argv);
}

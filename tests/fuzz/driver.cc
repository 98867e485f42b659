// SPDX-License-Identifier: EUPL-1.2
// Runs a fuzz target without libFuzzer: every file of a corpus, then that many mutations of them. For the
// short run in tests/run; the long runs are libFuzzer's (tests/fuzz/run).
//   waarborg-fuzz-TARGET CORPUS MUTATIONS SEED
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kMaxSize = size_t{64} * 1024;

void Run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

std::string Mutate(const std::vector<std::string>& corpus, std::mt19937_64& dice) {
  std::string s = corpus[dice() % corpus.size()];
  for (uint64_t n = 1 + dice() % 8; n > 0; --n) {
    const size_t at = s.empty() ? 0 : dice() % s.size();
    switch (dice() % 7) {
      case 0:
        if (!s.empty()) s[at] = static_cast<char>(s[at] ^ (1 << dice() % 8));
        break;
      case 1:
        if (!s.empty()) s[at] = static_cast<char>(dice());
        break;
      case 2:
        s.insert(at, 1, static_cast<char>(dice()));
        break;
      case 3:
        if (!s.empty()) s.erase(at, 1 + dice() % 16);
        break;
      case 4:
        s.insert(at, s.substr(s.empty() ? 0 : dice() % s.size(), dice() % 64));
        break;
      case 5: {
        const std::string& other = corpus[dice() % corpus.size()];
        s = s.substr(0, at) + other.substr(other.empty() ? 0 : dice() % other.size());
        break;
      }
      default:
        s.insert(at, std::string(dice() % 300, static_cast<char>(dice())));
    }
  }
  return s.substr(0, kMaxSize);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s CORPUS MUTATIONS SEED\n", argv[0]);
    return 64;
  }
  std::vector<std::string> corpus;
  for (const auto& file : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream in(file.path(), std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: no corpus\n", argv[1]);
    return 1;
  }
  for (const std::string& s : corpus) Run(s);
  std::mt19937_64 dice(std::strtoull(argv[3], nullptr, 10));
  const unsigned long mutations = std::strtoul(argv[2], nullptr, 10);
  for (unsigned long i = 0; i < mutations; ++i) Run(Mutate(corpus, dice));
  std::printf("%zu files and %lu mutations, seed %s\n", corpus.size(), mutations, argv[3]);
  return 0;
}

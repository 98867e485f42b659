// SPDX-License-Identifier: EUPL-1.2
#include "audit/proof.h"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <map>
#include <random>

#include "audit/text.h"
#include "tests/support/naive_tree.h"

namespace waarborg::audit {
namespace {

using testing::NaiveInclusion;
using testing::NaiveRoot;
using testing::NaiveSubproof;

std::string Sha256(const std::string& message) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const uint8_t*>(message.data()), message.size(),
         reinterpret_cast<uint8_t*>(out.data()));
  return out;
}

std::vector<Hash> Leaves(size_t count) {
  std::vector<Hash> out;
  for (size_t i = 0; i < count; ++i) out.push_back(LeafHash("entry " + std::to_string(i)));
  return out;
}

// The tiles of a log of these leaves, as a publisher would leave them.
class Tiles {
 public:
  explicit Tiles(const std::vector<Hash>& leaves) {
    for (const Hash& leaf : leaves) {
      edge.Append(leaf, [this](const TileName& n, const std::vector<Hash>& hashes) {
        full[{n.level, n.index}] = hashes;
      });
    }
  }
  ReadTile Reader() const {
    return [this](int level, uint64_t index, uint32_t) -> std::optional<std::vector<Hash>> {
      if (auto it = full.find({level, index}); it != full.end()) return it->second;
      const auto l = static_cast<size_t>(level);
      if (l < edge.edges().size() && index == HashesAt(level, edge.size()) / kTileWidth)
        return edge.edges()[l];
      return std::nullopt;
    };
  }
  TreeEdge edge;
  std::map<std::pair<int, uint64_t>, std::vector<Hash>> full;
};

// The rows of RFC 6962's reference tests: roots of the first n of eight leaves.
TEST(Tree, KnownAnswersOfTheCertificateTransparencyTests) {
  const std::vector<std::string> inputs = {
      std::string(),
      std::string(1, '\0'),
      "\x10",
      "\x20\x21",
      "\x30\x31",
      "\x40\x41\x42\x43",
      "\x50\x51\x52\x53\x54\x55\x56\x57",
      "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
  const char* const roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                               "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                               "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                               "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                               "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                               "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                               "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                               "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  TreeEdge edge;
  for (size_t i = 0; i < inputs.size(); ++i) {
    edge.Append(LeafHash(inputs[i]), nullptr);
    std::string hex;
    for (uint8_t b : edge.Root()) {
      hex += "0123456789abcdef"[b >> 4];
      hex += "0123456789abcdef"[b & 15];
    }
    EXPECT_EQ(hex, roots[i]) << i + 1;
  }
}

TEST(Tree, ALeafOfAnyLengthHashesAsTheLibrarySays) {
  for (size_t size : {0u, 1u, 31u, 32u, 53u, 54u, 55u, 56u, 63u, 64u, 65u, 1000u}) {
    // The leaf of a one-entry tree through the other way of hashing: prefix and entry as one message.
    const std::string entry(size, 'e');
    const std::string message = std::string(1, '\0') + entry;
    EXPECT_EQ(View(LeafHash(entry)), Sha256(message)) << size;
  }
}

TEST(Tree, EverySizeToAThousandAgreesWithTheNaiveTree) {
  const auto leaves = Leaves(1000);
  TreeEdge edge;
  for (size_t n = 0; n <= leaves.size(); ++n) {
    ASSERT_EQ(edge.Root(), NaiveRoot(leaves, 0, n)) << n;
    auto again = TreeEdge::FromEdges(n, edge.edges());
    ASSERT_TRUE(again) << n;
    ASSERT_EQ(again->Root(), edge.Root()) << n;
    ASSERT_FALSE(n > 0 && TreeEdge::FromEdges(n + 1, edge.edges())) << n;
    if (n < leaves.size()) edge.Append(leaves[n], [](const TileName&, const std::vector<Hash>&) {});
  }
}

TEST(Proof, OfInclusionForEveryIndexOfEverySizeToThreeHundred) {
  const auto leaves = Leaves(300);
  for (size_t n = 1; n <= leaves.size(); ++n) {
    const Tiles tiles({leaves.begin(), leaves.begin() + static_cast<ptrdiff_t>(n)});
    const Hash root = tiles.edge.Root();
    for (size_t i = 0; i < n; ++i) {
      const auto proof = ProveInclusion(i, n, tiles.Reader());
      ASSERT_TRUE(proof) << i << " of " << n;
      ASSERT_EQ(*proof, NaiveInclusion(leaves, i, 0, n)) << i << " of " << n;
      ASSERT_TRUE(VerifyInclusion(i, n, leaves[i], *proof, root)) << i << " of " << n;
      ASSERT_FALSE(VerifyInclusion(i, n, leaves[(i + 1) % leaves.size()], *proof, root));
      ASSERT_FALSE(n > 1 && VerifyInclusion((i + 1) % n, n, leaves[i], *proof, root));
    }
    EXPECT_FALSE(ProveInclusion(n, n, tiles.Reader()));
  }
}

TEST(Proof, OfInclusionAndConsistencyAtEverySizeToAThousand) {
  const auto leaves = Leaves(1000);
  const Tiles all(leaves);
  std::mt19937_64 random(6962);
  for (size_t n = 1; n <= leaves.size(); ++n) {
    const Hash root = NaiveRoot(leaves, 0, n);
    // Tiles of the whole log serve every smaller size.
    ASSERT_EQ(RootAt(n, all.Reader()), root) << n;
    const size_t i = random() % n;
    const auto inclusion = ProveInclusion(i, n, all.Reader());
    ASSERT_TRUE(inclusion && VerifyInclusion(i, n, leaves[i], *inclusion, root)) << i << " of " << n;
    for (size_t old : {size_t{0}, size_t{1}, n / 2, size_t(random() % n), n - 1, n}) {
      const auto proof = ProveConsistency(old, n, all.Reader());
      const Hash old_root = NaiveRoot(leaves, 0, old);
      ASSERT_TRUE(proof && VerifyConsistency(old, n, old_root, root, *proof)) << old << " of " << n;
      if (old > 0 && old < n) {
        ASSERT_EQ(*proof, NaiveSubproof(leaves, old, 0, n, true)) << old << " of " << n;
        ASSERT_FALSE(VerifyConsistency(old, n, root, root, *proof));
        ASSERT_FALSE(VerifyConsistency(old, n, old_root, old_root, *proof));
      }
    }
  }
}

TEST(Proof, OfLargeLogsAtRandomSizes) {
  const auto leaves = Leaves(140'000);  // three levels of tiles
  const Tiles all(leaves);
  std::mt19937_64 random(9162);
  for (int round = 0; round < 60; ++round) {
    const uint64_t n = round == 0   ? 65'536
                       : round == 1 ? 65'537
                       : round == 2 ? leaves.size()
                                    : 1 + random() % leaves.size();
    const uint64_t old = random() % (n + 1), i = random() % n;
    const auto root = RootAt(n, all.Reader()), old_root = RootAt(old, all.Reader());
    ASSERT_TRUE(root && old_root);
    if (round < 6) {
      ASSERT_EQ(*root, NaiveRoot(leaves, 0, n));
    }
    const auto inclusion = ProveInclusion(i, n, all.Reader());
    ASSERT_TRUE(inclusion && VerifyInclusion(i, n, leaves[i], *inclusion, *root)) << i << " of " << n;
    const auto consistency = ProveConsistency(old, n, all.Reader());
    ASSERT_TRUE(consistency && VerifyConsistency(old, n, *old_root, *root, *consistency))
        << old << " of " << n;
  }
}

TEST(Proof, NoBitOfAProofCanChange) {
  const auto leaves = Leaves(777);
  const Tiles all(leaves);
  const Hash root = all.edge.Root(), old_root = NaiveRoot(leaves, 0, 500);
  Proof inclusion = *ProveInclusion(321, 777, all.Reader()),
        consistency = *ProveConsistency(500, 777, all.Reader());
  for (Proof* proof : {&inclusion, &consistency}) {
    for (Hash& hash : *proof) {
      for (size_t bit = 0; bit < 256; ++bit) {
        hash[bit / 8] = static_cast<uint8_t>(hash[bit / 8] ^ (1 << bit % 8));
        ASSERT_FALSE(VerifyInclusion(321, 777, leaves[321], inclusion, root) &&
                     VerifyConsistency(500, 777, old_root, root, consistency));
        hash[bit / 8] = static_cast<uint8_t>(hash[bit / 8] ^ (1 << bit % 8));
      }
    }
    const Hash last = proof->back();
    proof->pop_back();
    ASSERT_FALSE(VerifyInclusion(321, 777, leaves[321], inclusion, root) &&
                 VerifyConsistency(500, 777, old_root, root, consistency));
    proof->push_back(last);
    proof->push_back(last);
    ASSERT_FALSE(VerifyInclusion(321, 777, leaves[321], inclusion, root) &&
                 VerifyConsistency(500, 777, old_root, root, consistency));
    proof->pop_back();
  }
  EXPECT_TRUE(VerifyInclusion(321, 777, leaves[321], inclusion, root));
  EXPECT_TRUE(VerifyConsistency(500, 777, old_root, root, consistency));
}

TEST(Tiles, PathsAreThoseOfTheSpecificationAndReadBack) {
  EXPECT_EQ((TileName{TileName::Kind::kHashes, 0, 1234067, 256}).Path(), "tile/0/x001/x234/067");
  EXPECT_EQ((TileName{TileName::Kind::kHashes, 1, 0, 3}).Path(), "tile/1/000.p/3");
  EXPECT_EQ((TileName{TileName::Kind::kEntries, 0, 999, 256}).Path(), "tile/entries/999");
  EXPECT_EQ((TileName{TileName::Kind::kEntries, 0, 1000, 255}).Path(), "tile/entries/x001/000.p/255");
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    TileName name{i % 3 == 0 ? TileName::Kind::kEntries : TileName::Kind::kHashes, 0,
                  random() >> (random() % 56 + 8), static_cast<uint32_t>(1 + random() % 256)};
    if (name.kind == TileName::Kind::kHashes) name.level = static_cast<int>(random() % 6);
    const auto back = TileName::FromPath(name.Path());
    ASSERT_TRUE(back) << name.Path();
    EXPECT_EQ(*back, name);
  }
  for (const char* bad : {"",
                          "tile",
                          "tile/",
                          "tile/0/",
                          "tile/0/1",
                          "tile/0/0000",
                          "tile/0/x000/001",
                          "tile/00/000",
                          "tile/0/001.p/0",
                          "tile/0/001.p/256",
                          "tile/0/001.p/01",
                          "tile/6/000",
                          "tile/entries/1",
                          "tile/0/x001/x234/067/",
                          "tile/0//067",
                          "tile/-1/000",
                          "tile/0/x1/234",
                          "tile/entries",
                          "tile/0/x99999999999999999999999/000",
                          "tile/0/../000"}) {
    EXPECT_FALSE(TileName::FromPath(bad)) << bad;
  }
}

TEST(Tiles, BundlesReadBackAndEndWhereTheyShould) {
  std::string bundle;
  for (size_t size : {0u, 1u, 32u, 300u, 65535u}) AppendEntry(bundle, std::string(size, 'x'));
  std::string_view rest = bundle;
  for (size_t size : {0u, 1u, 32u, 300u, 65535u}) EXPECT_EQ(TakeEntry(rest)->size(), size);
  EXPECT_TRUE(rest.empty());
  rest = std::string_view(bundle).substr(0, 6);
  EXPECT_TRUE(TakeEntry(rest));
  EXPECT_TRUE(TakeEntry(rest));
  EXPECT_FALSE(TakeEntry(rest));
}

TEST(Tiles, ALogOfASizeHasTheseTilesAndNoOthers) {
  std::vector<std::string> paths;
  ForEachTile(65'536 + 257, [&](const TileName& n) { paths.push_back(n.Path()); });
  EXPECT_EQ(paths.size(), 2u * 258 + 2 + 1);
  for (const char* path : {"tile/0/256", "tile/0/257.p/1", "tile/entries/257.p/1", "tile/1/000",
                           "tile/1/001.p/1", "tile/2/000.p/1"}) {
    EXPECT_NE(std::find(paths.begin(), paths.end(), path), paths.end()) << path;
  }
}

}  // namespace
}  // namespace waarborg::audit

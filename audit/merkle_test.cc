// SPDX-License-Identifier: EUPL-1.2
#include "audit/merkle.h"

#include <gtest/gtest.h>

#include "tests/support/naive_tree.h"

namespace waarborg::audit {
namespace {

std::string Hex(const Hash& h) {
  std::string out;
  for (uint8_t b : h) {
    out += "0123456789abcdef"[b >> 4];
    out += "0123456789abcdef"[b & 15];
  }
  return out;
}

TEST(Merkle, KnownAnswers) {
  EXPECT_EQ(Hex(EmptyRoot()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Hex(LeafHash("")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

TEST(Merkle, TheFrontierAgreesWithTheNaiveTreeAtEverySize) {
  std::vector<Hash> leaves;
  Frontier frontier;
  EXPECT_EQ(frontier.Root(), EmptyRoot());
  for (size_t n = 1; n <= 1000; ++n) {
    leaves.push_back(LeafHash("entry " + std::to_string(n)));
    frontier.Append(leaves.back());
    ASSERT_EQ(frontier.size(), n);
    ASSERT_EQ(frontier.Root(), testing::NaiveRoot(leaves, 0, n)) << n;
  }
}

TEST(Merkle, AStoredFrontierGoesOnWhereItWas) {
  Frontier a;
  for (int i = 0; i < 77; ++i) a.Append(LeafHash(std::to_string(i)));
  bool ok = false;
  Frontier b = Frontier::FromStored(a.size(), a.subtrees(), ok);
  ASSERT_TRUE(ok);
  a.Append(LeafHash("x"));
  b.Append(LeafHash("x"));
  EXPECT_EQ(a.Root(), b.Root());
  Frontier::FromStored(78, b.subtrees(), ok);
  EXPECT_TRUE(ok);  // 78 has four bits set, as has the frontier in hand
  Frontier::FromStored(79, b.subtrees(), ok);
  EXPECT_FALSE(ok);
}

TEST(Merkle, ACommitmentChangesWithEveryBitOfKeyAndRecord) {
  const std::string key(32, 'k'), record = "record";
  const std::string commitment = Commit(key, record);
  ASSERT_EQ(commitment.size(), 32u);
  for (size_t bit = 0; bit < key.size() * 8; ++bit) {
    std::string other = key;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(Commit(other, record), commitment);
  }
  for (size_t bit = 0; bit < record.size() * 8; ++bit) {
    std::string other = record;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(Commit(key, other), commitment);
  }
}

}  // namespace
}  // namespace waarborg::audit

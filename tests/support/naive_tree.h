// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "audit/merkle.h"
#include "audit/proof.h"

// RFC 6962 section 2.1 as it is written, recursive and slow: what the fast code is compared with.
namespace waarborg::testing {

inline audit::Hash NaiveRoot(const std::vector<audit::Hash>& leaves, size_t from, size_t to) {
  if (to == from) return audit::EmptyRoot();
  if (to - from == 1) return leaves[from];
  size_t k = 1;
  while (k * 2 < to - from) k *= 2;
  return audit::NodeHash(NaiveRoot(leaves, from, from + k), NaiveRoot(leaves, from + k, to));
}

inline audit::Proof NaiveInclusion(const std::vector<audit::Hash>& leaves, size_t m, size_t from, size_t to) {
  if (to - from <= 1) return {};
  size_t k = 1;
  while (k * 2 < to - from) k *= 2;
  audit::Proof out;
  if (m - from < k) {
    out = NaiveInclusion(leaves, m, from, from + k);
    out.push_back(NaiveRoot(leaves, from + k, to));
  } else {
    out = NaiveInclusion(leaves, m, from + k, to);
    out.push_back(NaiveRoot(leaves, from, from + k));
  }
  return out;
}

inline audit::Proof NaiveSubproof(const std::vector<audit::Hash>& leaves, size_t m, size_t from, size_t to,
                                  bool complete) {
  if (m == to - from) {
    if (complete) return {};
    return {NaiveRoot(leaves, from, to)};
  }
  size_t k = 1;
  while (k * 2 < to - from) k *= 2;
  audit::Proof out;
  if (m <= k) {
    out = NaiveSubproof(leaves, m, from, from + k, complete);
    out.push_back(NaiveRoot(leaves, from + k, to));
  } else {
    out = NaiveSubproof(leaves, m - k, from + k, to, false);
    out.push_back(NaiveRoot(leaves, from, from + k));
  }
  return out;
}

}  // namespace waarborg::testing

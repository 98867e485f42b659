// SPDX-License-Identifier: EUPL-1.2
#include "client/station/diff.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_split.h"

namespace waarborg::station {
namespace {

constexpr size_t kMostPairs = 4000000;

using Lines = std::vector<absl::string_view>;

Lines Split(std::string_view text) {
  Lines lines = absl::StrSplit(absl::string_view(text.data(), text.size()), '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

void Add(std::vector<DiffLine>& out, DiffLine::Kind kind, absl::string_view text) {
  out.push_back({kind, std::string(text)});
}

// The pieces between the common beginning and the common end, by the longest common subsequence.
void Middle(const Lines& a, const Lines& b, std::vector<DiffLine>& out) {
  size_t i = 0, j = 0;
  if (a.size() * b.size() <= kMostPairs) {
    const size_t width = b.size() + 1;
    // length[i][j]: of the longest common subsequence of a from i and b from j.
    std::vector<uint16_t> length((a.size() + 1) * width, 0);
    for (size_t x = a.size(); x-- > 0;) {
      for (size_t y = b.size(); y-- > 0;) {
        length[x * width + y] = a[x] == b[y]
                                    ? static_cast<uint16_t>(length[(x + 1) * width + y + 1] + 1)
                                    : std::max(length[(x + 1) * width + y], length[x * width + y + 1]);
      }
    }
    while (i < a.size() && j < b.size()) {
      if (a[i] == b[j]) {
        Add(out, DiffLine::Kind::kSame, a[i]);
        ++i, ++j;
      } else if (length[(i + 1) * width + j] >= length[i * width + j + 1]) {
        Add(out, DiffLine::Kind::kGone, a[i++]);
      } else {
        Add(out, DiffLine::Kind::kNew, b[j++]);
      }
    }
  }
  for (; i < a.size(); ++i) Add(out, DiffLine::Kind::kGone, a[i]);
  for (; j < b.size(); ++j) Add(out, DiffLine::Kind::kNew, b[j]);
}

}  // namespace

std::vector<DiffLine> Diff(std::string_view before, std::string_view after, int around) {
  Lines a = Split(before), b = Split(after);
  if (a == b) return {};
  size_t first = 0, last = 0;
  while (first < a.size() && first < b.size() && a[first] == b[first]) ++first;
  while (last < a.size() - first && last < b.size() - first &&
         a[a.size() - 1 - last] == b[b.size() - 1 - last])
    ++last;
  std::vector<DiffLine> all;
  for (size_t i = 0; i < first; ++i) Add(all, DiffLine::Kind::kSame, a[i]);
  const auto middle = [&](const Lines& lines) {
    return Lines(lines.begin() + static_cast<std::ptrdiff_t>(first),
                 lines.end() - static_cast<std::ptrdiff_t>(last));
  };
  Middle(middle(a), middle(b), all);
  for (size_t i = a.size() - last; i < a.size(); ++i) Add(all, DiffLine::Kind::kSame, a[i]);

  // Far from anything that differs, the same lines are only counted.
  std::vector<bool> near(all.size(), false);
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].kind == DiffLine::Kind::kSame) continue;
    const auto reach = static_cast<size_t>(around);
    for (size_t k = i < reach ? 0 : i - reach; k <= std::min(all.size() - 1, i + reach); ++k) near[k] = true;
  }
  std::vector<DiffLine> out;
  for (size_t i = 0; i < all.size(); ++i) {
    if (near[i]) {
      out.push_back(std::move(all[i]));
    } else if (!out.empty() && out.back().kind == DiffLine::Kind::kSkipped) {
      ++out.back().skipped;
    } else {
      out.push_back({DiffLine::Kind::kSkipped, "", 1});
    }
  }
  return out;
}

}  // namespace waarborg::station

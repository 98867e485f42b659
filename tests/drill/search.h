// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace waarborg::drill {

// Many byte strings, looked for at once in time that grows with the haystack alone: every eighth place of it
// is looked up among the first eight windows of 8 bytes of all needles.
class Needles {
 public:
  // At least this long: shorter ones could fall between two places.
  static constexpr size_t kShortest = 15;

  Needles();
  // `owner` is what is reported. False when the needle is too short, or so plain that it would be found
  // anywhere.
  bool Add(std::string needle, int owner);
  void Search(std::string_view hay, const std::function<void(int owner, size_t at)>& found) const;
  size_t size() const { return needles_.size(); }

 private:
  struct Needle {
    std::string bytes;
    int owner = 0;
  };
  struct Window {
    uint32_t needle;
    uint32_t offset;
  };
  std::vector<Needle> needles_;
  absl::flat_hash_map<uint64_t, std::vector<Window>> windows_;
  std::vector<uint64_t> seen_;  // bits: a window with this hash exists
};

// A file in memory, read as it is touched. Ends the program when there is no such file.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::string_view bytes() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace waarborg::drill

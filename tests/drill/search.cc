// SPDX-License-Identifier: EUPL-1.2
#include "tests/drill/search.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bitset>
#include <cstring>

#include "tests/drill/disk.h"

namespace waarborg::drill {
namespace {

constexpr size_t kWindow = 8;
constexpr int kBits = 22;
constexpr size_t kLeastDifferentBytes = 10;

uint64_t WindowAt(const char* p) {
  uint64_t w = 0;
  std::memcpy(&w, p, sizeof w);
  return w;
}

size_t BitOf(uint64_t window) {
  return (window * 0x9E3779B97F4A7C15u) >> (64 - kBits);
}

}  // namespace

Needles::Needles() : seen_((size_t{1} << kBits) / 64) {}

bool Needles::Add(std::string needle, int owner) {
  std::bitset<256> bytes;
  for (const char c : needle) bytes.set(static_cast<uint8_t>(c));
  if (needle.size() < kShortest || bytes.count() < kLeastDifferentBytes) return false;
  const auto number = static_cast<uint32_t>(needles_.size());
  for (uint32_t offset = 0; offset < kWindow; ++offset) {
    const uint64_t window = WindowAt(needle.data() + offset);
    windows_[window].push_back({number, offset});
    seen_[BitOf(window) / 64] |= uint64_t{1} << (BitOf(window) % 64);
  }
  needles_.push_back({std::move(needle), owner});
  return true;
}

void Needles::Search(std::string_view hay, const std::function<void(int owner, size_t at)>& found) const {
  for (size_t at = 0; at + kWindow <= hay.size(); at += kWindow) {
    const uint64_t window = WindowAt(hay.data() + at);
    const size_t bit = BitOf(window);
    if (window == 0 || (seen_[bit / 64] >> (bit % 64) & 1) == 0) continue;
    const auto it = windows_.find(window);
    if (it == windows_.end()) continue;
    for (const Window& w : it->second) {
      const Needle& needle = needles_[w.needle];
      if (at >= w.offset && hay.substr(at - w.offset, needle.bytes.size()) == needle.bytes)
        found(needle.owner, at - w.offset);
    }
  }
}

MappedFile::MappedFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd < 0 || fstat(fd, &info) != 0) Fail("cannot read " + path);
  size_ = static_cast<size_t>(info.st_size);
  if (size_ > 0) {
    void* data = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) Fail("cannot map " + path);
    data_ = static_cast<const char*>(data);
  }
  close(fd);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<char*>(data_), size_);
}

}  // namespace waarborg::drill

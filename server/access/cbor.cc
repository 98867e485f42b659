// SPDX-License-Identifier: EUPL-1.2
#include "server/access/cbor.h"

#include <cstdint>

namespace waarborg::access {
namespace {

constexpr int kBytes = 2;
constexpr int kText = 3;
constexpr int kArray = 4;
constexpr int kMap = 5;
constexpr int kTag = 6;
constexpr int kSimple = 7;

// The first byte of an item and the number with it.
struct Head {
  int major = 0;
  uint64_t value = 0;
  size_t end = 0;  // where the content begins
};

std::optional<Head> ReadHead(std::string_view bytes, size_t at) {
  if (at >= bytes.size()) return std::nullopt;
  const auto first = static_cast<uint8_t>(bytes[at]);
  Head head{first >> 5, first & 31u, at + 1};
  if (head.value < 24) return head;
  if (head.value > 27) return std::nullopt;  // reserved, or of indefinite length
  const size_t extra = size_t{1} << (head.value - 24);
  if (bytes.size() - head.end < extra) return std::nullopt;
  head.value = 0;
  for (size_t i = 0; i < extra; ++i) {
    head.value = head.value << 8 | static_cast<uint8_t>(bytes[head.end + i]);
  }
  head.end += extra;
  return head;
}

std::optional<size_t> EndOf(std::string_view bytes, size_t at, int levels) {
  const auto head = ReadHead(bytes, at);
  if (!head || levels == 0) return std::nullopt;
  const size_t left = bytes.size() - head->end;
  if (head->major == kBytes || head->major == kText) {
    if (head->value > left) return std::nullopt;
    return head->end + head->value;
  }
  uint64_t items = 0;
  if (head->major == kArray || head->major == kMap || head->major == kTag) {
    // Each item is a byte at least.
    if (head->major != kTag && head->value > left) return std::nullopt;
    items = head->major == kTag ? 1 : head->major == kMap ? head->value * 2 : head->value;
  } else if (head->major == kSimple && head->end - at == 2 && head->value < 32) {
    return std::nullopt;  // not well-formed: it has a shorter form
  }
  size_t end = head->end;
  for (uint64_t i = 0; i < items; ++i) {
    const auto next = EndOf(bytes, end, levels - 1);
    if (!next) return std::nullopt;
    end = *next;
  }
  return end;
}

std::optional<std::string_view> Content(std::string_view item, int major) {
  const auto head = ReadHead(item, 0);
  if (!head || head->major != major || item.size() - head->end != head->value) return std::nullopt;
  return item.substr(head->end);
}

}  // namespace

std::optional<size_t> EndOfCbor(std::string_view bytes, size_t at) {
  return EndOf(bytes, at, kMaxCborLevels);
}

std::optional<std::string_view> CborBytes(std::string_view item) {
  return Content(item, kBytes);
}

std::optional<std::string_view> CborText(std::string_view item) {
  return Content(item, kText);
}

std::optional<std::map<std::string, std::string_view>> CborMapByText(std::string_view item) {
  if (EndOfCbor(item) != item.size()) return std::nullopt;
  const auto head = ReadHead(item, 0);
  if (head->major != kMap) return std::nullopt;
  std::map<std::string, std::string_view> out;
  size_t at = head->end;
  while (at < item.size()) {
    const size_t key_end = *EndOfCbor(item, at);
    const auto key = CborText(item.substr(at, key_end - at));
    const size_t end = *EndOfCbor(item, key_end);
    if (!key || !out.emplace(*key, item.substr(key_end, end - key_end)).second) return std::nullopt;
    at = end;
  }
  return out;
}

}  // namespace waarborg::access

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

// What is needed of CBOR (RFC 8949) to look at foreign bytes before a library does: libraries set memory
// aside for as much as an item claims to hold. Here an item is what CTAP2 lets a key send: definite lengths,
// few levels, and nothing claimed that is not there. Views are into the bytes given.
namespace waarborg::access {

// Levels of arrays, maps and tags within each other; attestation objects need four.
inline constexpr int kMaxCborLevels = 6;

// Where the item that begins at `at` ends; nothing when it is not one of these.
std::optional<size_t> EndOfCbor(std::string_view bytes, size_t at = 0);

// The content of an item that is a byte string or a text, and nothing after it.
std::optional<std::string_view> CborBytes(std::string_view item);
std::optional<std::string_view> CborText(std::string_view item);

// The items of a map whose keys are texts, each once; nothing when it is not one, or more follows.
std::optional<std::map<std::string, std::string_view>> CborMapByText(std::string_view item);

}  // namespace waarborg::access

// SPDX-License-Identifier: EUPL-1.2
#include "server/oidc/json.h"

#include <algorithm>

namespace waarborg::oidc {
namespace {

std::optional<std::string> TextOf(const json_t* node) {
  if (!json_is_string(node) || json_string_length(node) > Json::kMaxText) return std::nullopt;
  return std::string(json_string_value(node), json_string_length(node));
}

}  // namespace

std::optional<Json> Json::Parse(std::string_view text) {
  if (text.size() > kMaxJson) return std::nullopt;
  json_error_t error;
  Json json;
  json.object_.reset(json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, &error));
  if (!json_is_object(json.object_.get())) return std::nullopt;
  return json;
}

std::optional<std::string> Json::Text(const char* name) const {
  return TextOf(Find(name));
}

std::optional<int64_t> Json::Whole(const char* name) const {
  const json_t* node = Find(name);
  if (!json_is_integer(node)) return std::nullopt;
  return json_integer_value(node);
}

std::vector<std::string> Json::Texts(const char* name) const {
  const json_t* node = Find(name);
  if (auto one = TextOf(node)) return {*one};
  std::vector<std::string> out;
  if (!json_is_array(node)) return out;
  for (size_t i = 0; i < std::min(json_array_size(node), kMaxList); ++i) {
    auto one = TextOf(json_array_get(node, i));
    if (!one) return {};
    out.push_back(std::move(*one));
  }
  return out;
}

}  // namespace waarborg::oidc

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <jansson.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waarborg::oidc {

// A JSON object that somebody else wrote. A name that stands twice makes it no object: two readers might take
// a different one.
class Json {
 public:
  // Nothing when it is not one whole object of at most kMaxJson bytes.
  static std::optional<Json> Parse(std::string_view text);

  bool Has(const char* name) const { return Find(name) != nullptr; }
  // Whether it is there and true.
  bool IsTrue(const char* name) const { return json_is_true(Find(name)); }
  // Nothing when it is not there or something else. A text has at most kMaxText bytes.
  std::optional<std::string> Text(const char* name) const;
  std::optional<int64_t> Whole(const char* name) const;
  // A text as a list of one. A list with anything but texts in it is not there; what lies beyond the first
  // kMaxList neither.
  std::vector<std::string> Texts(const char* name) const;
  // The value, or null. Belongs to this object.
  const json_t* Find(const char* name) const { return json_object_get(object_.get(), name); }

  static constexpr size_t kMaxJson = size_t{256} << 10;
  static constexpr size_t kMaxText = size_t{32} << 10;
  static constexpr size_t kMaxList = 1000;

 private:
  struct Release {
    void operator()(json_t* j) const { json_decref(j); }
  };
  std::unique_ptr<json_t, Release> object_;
};

}  // namespace waarborg::oidc

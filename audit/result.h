// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace waarborg::audit {

// A value, or what is wrong and where, in English, without personal data.
template <class T>
class Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  static Result Error(std::string what) {
    Result r;
    r.error_ = std::move(what);
    return r;
  }

  bool ok() const { return value_.has_value(); }
  const std::string& error() const { return error_; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  Result() = default;
  std::optional<T> value_;
  std::string error_;
};

}  // namespace waarborg::audit

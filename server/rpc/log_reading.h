// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "server/journal/log_reader.h"
#include "server/rpc/core.h"

// Questions to the log: looked at in their turn, answered on a worker.
namespace waarborg::rpc {

// What a worker needs of the house, taken at the call's place in the log.
struct Reading {
  std::shared_ptr<const journal::LogReader> log;
  std::shared_ptr<const domain::Municipality> municipality;
  absl::flat_hash_map<std::string, std::string> names;
  journal::LogQuery query;
  int page_size = 0;

  std::string NameOf(const std::string& person_id) const {
    auto it = names.find(person_id);
    return it == names.end() ? "" : it->second;
  }
};

// `begin` looks at the request in its turn and fills the query, `read` answers on a worker.
void ReadLog(Core& core, access::Rpc rpc, const access::Credentials& credentials,
             const std::function<domain::Verdict(Context&, Reading&)>& begin,
             const std::function<absl::Status(const Reading&)>& read, const Done& done);

// Page size and token. A token is the number of the entry that the page before ended with.
template <class Request>
domain::Verdict TakePage(const Request& in, int otherwise, int max, Reading& reading) {
  if (in.page_size() < 0 || in.page_size() > max)
    return domain::Refusal(domain::Rule::kFieldInvalid, "page_size");
  reading.page_size = in.page_size() == 0 ? std::min(otherwise, max) : in.page_size();
  if (!in.page_token().empty() && !absl::SimpleAtoi(in.page_token(), &reading.query.before)) {
    return domain::Refusal(domain::Rule::kFieldInvalid, "page_token");
  }
  return domain::kAllowed;
}

}  // namespace waarborg::rpc

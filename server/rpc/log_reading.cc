// SPDX-License-Identifier: EUPL-1.2
#include "server/rpc/log_reading.h"

namespace waarborg::rpc {

using domain::Refusal;
using domain::Rule;
using domain::Verdict;

void ReadLog(Core& core, access::Rpc rpc, const access::Credentials& credentials,
             const std::function<Verdict(Context&, Reading&)>& begin,
             const std::function<absl::Status(const Reading&)>& read, const Done& done) {
  auto reading = std::make_shared<Reading>();
  auto body = [reading, begin, &core](Context& c) -> Verdict {
    reading->log = core.journal().NewReader();
    reading->municipality = c.world().shared_municipality();
    for (const auto& [id, person] : c.world().people()) reading->names[id] = person.display_name;
    return begin(c, *reading);
  };
  auto then = [reading, read, &core, done](Verdict verdict) {
    if (verdict) {
      done(std::move(verdict));
      return;
    }
    core.Offload(done, [reading, read, done] {
      const absl::Status s = read(*reading);
      done(s.ok()                ? domain::kAllowed
           : absl::IsNotFound(s) ? Refusal(Rule::kNotFound)
                                 : Refusal(Rule::kInternal));
    });
  };
  core.Run(rpc, credentials, body, then);
}

}  // namespace waarborg::rpc

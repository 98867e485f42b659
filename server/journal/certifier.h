// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/base/secret.h"
#include "server/journal/journal.h"
#include "server/journal/log_files.h"
#include "server/journal/publisher.h"
#include "server/store/store.h"

namespace waarborg::journal {

// Makes the certificate of each destruction (audit/certificate.h) as soon as a checkpoint covers its entry
// and, where the configuration asks for witnesses, enough of them have cosigned it. One file each, in a
// folder for the year of the log: "2026/F-....txt" for a photo, "2026/LV-....txt" for a file. They hold ids
// and times and no name, and are kept when everything else about the file is gone.
class Certifier {
 public:
  struct Parts {
    Journal* journal;
    const store::Store* store;
    const Publisher* publisher;
    LogFiles* folder;
    base::Secret house_key;
  };
  explicit Certifier(Parts parts) : parts_(std::move(parts)) {}

  // Makes those that can be made; on any one thread, again and again. Cheap when none waits.
  absl::Status Round();

  // The certificate of this photo, or of this file; NotFound when there is none yet. From any thread.
  absl::StatusOr<std::string> Find(const std::string& id) const;

 private:
  Parts parts_;
};

}  // namespace waarborg::journal

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "server/base/room.h"

namespace waarborg::testing {

// A disk that is as full as the test says.
class MemoryRoom : public base::Room {
 public:
  bool Enough() override { return enough; }
  void Release() override { held = false; }
  void Hold() override { held = true; }

  bool enough = true;
  bool held = false;
};

}  // namespace waarborg::testing

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>

#include "tests/support/town.h"

// Steps of the procedure that many tests need to have behind them. Each ends the program with a message when
// a step is refused.
namespace waarborg::testing {

// Runs a command that must succeed.
client::Reply Must(Town& town, const std::string& person, const std::string& station,
                   const std::string& command,
                   const std::vector<std::pair<std::string, std::string>>& options);

// A decided ban at town hall and sports hall, from `from` until `until` (days). Returns its id.
struct BanSpec {
  std::string given = "Jan Pieter";
  std::string surname = "Vries";
  std::string born = "1985-03-12";
  std::string from = "2026-03-02";
  std::string until = "2026-06-01";
};
std::string ActiveBan(Town& town, const BanSpec& spec);

// Writes a portrait into the town's folder; returns its path.
std::string PortraitFile(const Town& town, int portrait);
// Everything up to a photo in the keeping of Burgerzaken's supply.
void SupplyPhoto(Town& town, const std::string& ban, int portrait);
// And released to reception, whose instruction is acknowledged.
void ReleasePhoto(Town& town, const std::string& ban, int portrait);

}  // namespace waarborg::testing

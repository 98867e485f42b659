// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "tests/support/town.h"

namespace waarborg::testing {

// Each test gets a fresh copy of one municipality, made once per program, with its server running.
class TownTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  void SetUp() override;
  void TearDown() override;

  using Pairs = std::vector<std::pair<std::string, std::string>>;
  // Runs a command that must succeed.
  client::Reply Do(const std::string& person, const std::string& station, const std::string& command,
                   const Pairs& options);
  // Runs a command that must be refused; returns the rule.
  std::string Refused(const std::string& person, const std::string& station, const std::string& command,
                      const Pairs& options);

  // A decided ban at town hall and sports hall until 2026-06-01; and one with a photo released to reception.
  std::string ActiveBan(const std::string& given = "Jan Pieter", const std::string& surname = "Vries",
                        const std::string& born = "1985-03-12");
  void SupplyPhoto(const std::string& ban, int portrait);
  void ReleasePhoto(const std::string& ban, int portrait);
  std::string PortraitFile(int portrait);
  // The photo as this person sees it there, watermark and all.
  std::string Photo(const std::string& person, const std::string& station, const std::string& ban);
  // How far a photo is from a portrait; the watermark makes it some ten, another portrait far more.
  static double Difference(const std::string& jpeg, int portrait);
  // Waits until `what` holds; what follows by itself is due within seconds.
  template <class What>
  static bool Within(std::chrono::seconds limit, What what) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < until) {
      if (what()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return what();
  }
  // Whether the log says that the photo of this ban was destroyed.
  bool Destroyed(const std::string& ban);

  std::unique_ptr<Town> town;
};

}  // namespace waarborg::testing

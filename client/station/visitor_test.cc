// SPDX-License-Identifier: EUPL-1.2
#include "client/station/visitor.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace waarborg::station {
namespace {

// "name|year-month-day", "mrz|...", or "wrong".
std::string Read(const std::string& typed) {
  v1::CheckVisitorRequest request;
  if (!ReadVisitor(typed, request).empty()) return "wrong";
  if (request.visitor_case() == v1::CheckVisitorRequest::kMrz) return "mrz|" + request.mrz();
  const auto& date = request.typed().birth_date();
  return absl::StrCat(request.typed().full_name(), "|",
                      date.year() == 0 ? "" : absl::StrCat(date.year(), "-", date.month(), "-", date.day()));
}

TEST(Visitor, ANameAndADateInAnyOrderAndShape) {
  EXPECT_EQ(Read("Jansen 12-03-1985"), "Jansen|1985-3-12");
  EXPECT_EQ(Read("12-3-1985 de Vries, Jan"), "de Vries, Jan|1985-3-12");
  EXPECT_EQ(Read("Jan 12/03/1985 Vries"), "Jan Vries|1985-3-12");
  EXPECT_EQ(Read("Jan Vries 12.03.1985"), "Jan Vries|1985-3-12");
  EXPECT_EQ(Read("Jan Vries 1985-03-12"), "Jan Vries|1985-3-12");
  EXPECT_EQ(Read("Jan Vries 12031985"), "Jan Vries|1985-3-12");
  EXPECT_EQ(Read("Jan Vries 19850312"), "Jan Vries|1985-3-12");
  EXPECT_EQ(Read("Jan Vries 12 maart 1985"), "Jan Vries|1985-3-12");
  EXPECT_EQ(Read("Jan Vries, 12 mrt 1985"), "Jan Vries,|1985-3-12");
  EXPECT_EQ(Read("12 March 1985 Jan Vries"), "Jan Vries|1985-3-12");
  EXPECT_EQ(Read("Jan Vries 12 3 1985"), "Jan Vries|1985-3-12");
  EXPECT_EQ(Read("Jan Vries 1985"), "Jan Vries|1985-0-0");
  EXPECT_EQ(Read("  Jansen  "), "Jansen|");
  // Months are names of people too.
  EXPECT_EQ(Read("Mei de Maart"), "Mei de Maart|");
}

TEST(Visitor, ADocumentAsAScannerTypesIt) {
  const std::string mrz =
      "P<NLDDE<VRIES<<JAN<PIETER<<<<<<<<<<<<<<<<<<<\nSPECI20142NLD8503127M3208254<<<<<<<<<<<<<<00";
  EXPECT_EQ(Read(mrz), "mrz|" + mrz);
}

TEST(Visitor, WhatCannotBeReadIsSaidAndNeverGuessed) {
  for (const char* typed : {"", "   ", "12-03-1985", "Jansen 31-02-1985", "Jansen 12-13-1985",
                            "Jansen 99999999", "Jansen 12-03-85", "Jansen 12-03-1985 13-03-1985",
                            "Jansen 1985 1986", "Jansen2", "Jansen 123", "Jansen 0", "Jansen 12-03-1985x"}) {
    EXPECT_EQ(Read(typed), "wrong") << typed;
  }
}

TEST(Visitor, OnlyWhatCanBeDialledIsALink) {
  EXPECT_EQ(TelephonePath("112"), "tel:112");
  EXPECT_EQ(TelephonePath("088 - 555 01 23"), "tel:0885550123");
  EXPECT_EQ(TelephonePath("+31 (0)88 5550123"), "tel:+310885550123");
  EXPECT_EQ(TelephonePath("toestel 2345"), "");
  EXPECT_EQ(TelephonePath("javascript:alert(1)"), "");
  EXPECT_EQ(TelephonePath(""), "");
}

}  // namespace
}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/mrz.h"

#include <gtest/gtest.h>

namespace waarborg::domain {
namespace {

// The specimens of ICAO 9303 parts 4 and 5 (a person who does not exist).
constexpr char kTd3[] =
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n"
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10\n";
constexpr char kTd1[] =
    "I<UTOD231458907<<<<<<<<<<<<<<<\n"
    "7408122F1204159UTO<<<<<<<<<<<6\n"
    "ERIKSSON<<ANNA<MARIA<<<<<<<<<<\n";

TEST(Mrz, ReadsThePassportSpecimen) {
  auto mrz = ParseMrz(kTd3, 2026);
  ASSERT_TRUE(mrz.ok());
  EXPECT_EQ(mrz->surname, "ERIKSSON");
  EXPECT_EQ(mrz->given_names, "ANNA MARIA");
  EXPECT_EQ(mrz->birth_date, (BirthDate{1974, 8, 12}));
  EXPECT_FALSE(mrz->truncated);
}

TEST(Mrz, ReadsTheCardSpecimenInEveryWayAScannerTypesIt) {
  std::string run_together;
  for (char c : std::string(kTd1)) {
    if (c != '\n') run_together += c;
  }
  std::string lower = run_together, crlf;
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  for (char c : std::string(kTd1)) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  for (const std::string& text : {std::string(kTd1), run_together, lower, crlf, "  " + run_together + "\t"}) {
    auto mrz = ParseMrz(text, 2026);
    ASSERT_TRUE(mrz.ok()) << text;
    EXPECT_EQ(mrz->surname, "ERIKSSON");
    EXPECT_EQ(mrz->given_names, "ANNA MARIA");
    EXPECT_EQ(mrz->birth_date, (BirthDate{1974, 8, 12}));
  }
}

TEST(Mrz, EveryMisreadDigitThatCountsIsNoticed) {
  std::string text;
  for (char c : std::string(kTd3)) {
    if (c != '\n') text += c;
  }
  // Number, birth and expiry with their check digits.
  for (size_t i : {44, 50, 53, 57, 60, 62, 63, 65, 70, 71}) {
    std::string wrong = text;
    wrong[i] = wrong[i] == '5' ? '6' : '5';
    auto mrz = ParseMrz(wrong, 2026);
    ASSERT_FALSE(mrz.ok()) << i;
    EXPECT_EQ(mrz.refusal().rule, Rule::kMrzCheckDigit) << i;
  }
}

// The personal-number field (BSN on older Dutch documents) and the composite digit over it are never looked
// at.
TEST(Mrz, ThePersonalNumberIsSkippedUnread) {
  std::string text(kTd3);
  text.replace(45 + 28, 14, "999999999<<<<<");
  EXPECT_TRUE(ParseMrz(text, 2026).ok());
}

TEST(Mrz, CenturyIsNeverInTheFuture) {
  EXPECT_EQ(ParseMrz(kTd3, 2080)->birth_date.year, 2074);
  EXPECT_EQ(ParseMrz(kTd3, 2073)->birth_date.year, 1974);
}

TEST(Mrz, UnknownPartsOfTheBirthDateStayUnknown) {
  std::string text(kTd3);
  text.replace(45 + 13, 7, "7408<<7");
  auto mrz = ParseMrz(text, 2026);
  ASSERT_TRUE(mrz.ok()) << mrz.refusal().name();
  EXPECT_EQ(mrz->birth_date, (BirthDate{1974, 8, 0}));
}

TEST(Mrz, AFullNameFieldMayBeCutOff) {
  std::string text(kTd3);
  text.replace(5, 39, "WOLKENKRABBERMAKER<<MAXIMILIAAN<ALEXAND");
  EXPECT_TRUE(ParseMrz(text, 2026)->truncated);
}

TEST(Mrz, APrefixStaysWithTheSurname) {
  std::string text(kTd3);
  text.replace(5, 39, "DE<BRUIJN<<WILLEKE<LISELOTTE<<<<<<<<<<<");
  EXPECT_EQ(ParseMrz(text, 2026)->surname, "DE BRUIJN");
}

TEST(Mrz, OtherDocumentsAreExplained) {
  EXPECT_EQ(ParseMrz("D1NLD15094962111659VXAP9E5Q5X4", 2026).refusal().rule, Rule::kMrzDrivingLicence);
  EXPECT_EQ(ParseMrz(std::string(72, 'A'), 2026).refusal().rule, Rule::kMrzNotSupported);
  EXPECT_EQ(ParseMrz("V" + std::string(87, '<'), 2026).refusal().rule, Rule::kMrzNotSupported);
  for (const std::string& text : {std::string(), std::string("Jan de Vries"), std::string(90, 'Q'),
                                  std::string(10000, '<'), std::string("\0\0", 2)}) {
    EXPECT_EQ(ParseMrz(text, 2026).refusal().rule, Rule::kMrzUnreadable);
  }
}

}  // namespace
}  // namespace waarborg::domain

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "client/commands/command.h"
#include "waarborg/v1/common.pb.h"

// Words of the pages in the language of who reads them. Dutch is the language in which they are written in
// templates and code; English comes from translations/en.po. No locale of the operating system is needed.
namespace waarborg::station {

using client::Language;

// Marks a text in a table as one that is said: T("Politie gebeld").
constexpr const char* T(const char* dutch) {
  return dutch;
}

class Words {
 public:
  static const Words& Of(Language language);

  Language language() const { return language_; }
  // "nl" or "en", as in the page's lang attribute.
  const char* code() const { return language_ == Language::kDutch ? "nl" : "en"; }

  // The text in this language; itself when there is no translation (a test sees to it that there always is
  // one).
  std::string Say(const std::string& dutch) const;
  // The same with {name} replaced by the value: Say("nog {n} taken", {{"n", "3"}}).
  std::string Say(const std::string& dutch,
                  const std::vector<std::pair<std::string, std::string>>& values) const;

  // The core's own words for what is wrong and what to do now, of an ErrorDetail or a PromiseHealth; and
  // both, one after the other.
  template <class Told>
  std::string Message(const Told& told) const {
    return language_ == Language::kDutch ? told.message_nl() : told.message();
  }
  template <class Told>
  std::string NextStep(const Told& told) const {
    return language_ == Language::kDutch ? told.next_step_nl() : told.next_step();
  }
  template <class Told>
  std::string Whole(const Told& told) const {
    return Message(told) + " " + NextStep(told);
  }

  // "2 maart 2026"; of a date of birth also "maart 1985", "1985".
  std::string Day(const v1::Date& date) const;
  // "02-03-2026".
  std::string ShortDay(const v1::Date& date) const;
  // "maandag 2 maart 2026 14:05", in Europe/Amsterdam.
  std::string Moment(absl::Time t) const;
  std::string Moment(const google::protobuf::Timestamp& t) const;
  // "2 maart, 14:05".
  std::string ShortMoment(const google::protobuf::Timestamp& t) const;
  // "14:05".
  std::string Clock(const google::protobuf::Timestamp& t) const;
  // "Beheerder".
  std::string RoleName(v1::Role role) const;

 private:
  explicit Words(Language language);
  struct Catalogue;
  const Language language_;
  const Catalogue* const catalogue_;
};

}  // namespace waarborg::station

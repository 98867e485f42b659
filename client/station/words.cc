// SPDX-License-Identifier: EUPL-1.2
#include "client/station/words.h"

#include <boost/locale/gnu_gettext.hpp>
#include <boost/locale/message.hpp>
#include <locale>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "client/station/embedded.h"
#include "server/base/clock.h"

namespace waarborg::station {

namespace pb = v1;

struct Words::Catalogue {
  std::locale locale;
};

namespace {

constexpr char kDomain[] = "waarborg";

constexpr const char* kMonths[] = {T("januari"),   T("februari"), T("maart"),    T("april"),
                                   T("mei"),       T("juni"),     T("juli"),     T("augustus"),
                                   T("september"), T("oktober"),  T("november"), T("december")};
constexpr const char* kDays[] = {T("maandag"), T("dinsdag"),  T("woensdag"), T("donderdag"),
                                 T("vrijdag"), T("zaterdag"), T("zondag")};

std::locale English() {
  namespace bl = boost::locale;
  bl::gnu_gettext::messages_info info;
  info.language = "en";
  info.encoding = "UTF-8";
  info.domains.emplace_back(kDomain);
  info.paths.emplace_back("");
  info.callback = [](const std::string&, const std::string&) {
    const std::string_view bytes = Embedded("translations/en.mo");
    return std::vector<char>(bytes.begin(), bytes.end());
  };
  return {std::locale::classic(), bl::gnu_gettext::create_messages_facet<char>(info)};
}

absl::Time TimeOf(const google::protobuf::Timestamp& t) {
  return absl::FromUnixSeconds(t.seconds()) + absl::Nanoseconds(t.nanos());
}

}  // namespace

Words::Words(Language language)
    : language_(language), catalogue_(language == Language::kDutch ? nullptr : new Catalogue{English()}) {}

const Words& Words::Of(Language language) {
  static const Words* const dutch = new Words(Language::kDutch);
  static const Words* const english = new Words(Language::kEnglish);
  return language == Language::kDutch ? *dutch : *english;
}

std::string Words::Say(const std::string& dutch) const {
  if (catalogue_ == nullptr) return dutch;
  return boost::locale::translate(dutch).str(catalogue_->locale, std::string(kDomain));
}

std::string Words::Say(const std::string& dutch,
                       const std::vector<std::pair<std::string, std::string>>& values) const {
  std::vector<std::pair<std::string, std::string>> replacements;
  for (const auto& [name, value] : values) replacements.emplace_back(absl::StrCat("{", name, "}"), value);
  return absl::StrReplaceAll(Say(dutch), replacements);
}

std::string Words::Day(const pb::Date& date) const {
  if (date.year() == 0) return Say("onbekend");
  if (date.month() < 1 || date.month() > 12) return absl::StrCat(date.year());
  const std::string month = absl::StrCat(Say(kMonths[date.month() - 1]), " ", date.year());
  return date.day() == 0 ? month : absl::StrCat(date.day(), " ", month);
}

std::string Words::ShortDay(const pb::Date& date) const {
  return absl::StrFormat("%02d-%02d-%04d", date.day(), date.month(), date.year());
}

std::string Words::Moment(absl::Time t) const {
  const auto local = absl::ToCivilSecond(t, base::Amsterdam());
  const int weekday = static_cast<int>(absl::GetWeekday(absl::CivilDay(local)));
  return absl::StrCat(Say(kDays[weekday]), " ", local.day(), " ", Say(kMonths[local.month() - 1]), " ",
                      local.year(), ", ", absl::FormatTime("%H:%M", t, base::Amsterdam()));
}
std::string Words::Moment(const google::protobuf::Timestamp& t) const {
  return Moment(TimeOf(t));
}
std::string Words::ShortMoment(const google::protobuf::Timestamp& t) const {
  const auto local = absl::ToCivilSecond(TimeOf(t), base::Amsterdam());
  return absl::StrCat(local.day(), " ", Say(kMonths[local.month() - 1]), ", ", Clock(t));
}
std::string Words::Clock(const google::protobuf::Timestamp& t) const {
  return absl::FormatTime("%H:%M", TimeOf(t), base::Amsterdam());
}

std::string Words::RoleName(pb::Role role) const {
  switch (role) {
    case pb::ROLE_DESK_STAFF:
      return Say("Baliemedewerker");
    case pb::ROLE_SECURITY_COORDINATOR:
      return Say("Toezicht en Veiligheid");
    case pb::ROLE_MANAGER:
      return Say("Leidinggevende");
    case pb::ROLE_CIVIL_AFFAIRS:
      return Say("Burgerzaken");
    case pb::ROLE_MUNICIPAL_SECRETARY:
      return Say("Gemeentesecretaris");
    case pb::ROLE_BOARD_SECRETARIAT:
      return Say("Secretariaat van het college");
    case pb::ROLE_LEGAL:
      return Say("Juridische Zaken");
    case pb::ROLE_HR:
      return Say("P&O");
    case pb::ROLE_POLICE_CONTACT:
      return Say("Contactpersoon politie");
    case pb::ROLE_AUDITOR:
      return Say("Auditor");
    case pb::ROLE_DATA_PROTECTION_OFFICER:
      return Say("Functionaris gegevensbescherming");
    case pb::ROLE_PRIVACY_OFFICER:
      return Say("Privacy officer");
    case pb::ROLE_ADMINISTRATOR:
      return Say("Beheerder");
    default:
      return Say("onbekend");
  }
}

}  // namespace waarborg::station

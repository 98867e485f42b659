// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "server/domain/ban.h"
#include "server/domain/people.h"
#include "server/domain/rules.h"
#include "waarborg/v1/audit.pb.h"
#include "waarborg/v1/bans.pb.h"
#include "waarborg/v1/changes.pb.h"
#include "waarborg/v1/people.pb.h"
#include "waarborg/v1/stations.pb.h"
#include "waarborg/v1/store.pb.h"

// Between the domain's values and their protobuf form, for the API and for the store alike. Encoding never
// fails. Decoding of what a client sent checks shape (lengths, dates on the calendar, text that is UTF-8
// without control characters) and names the field at fault; meaning is the domain's business.
namespace waarborg::state {

namespace pb = ::waarborg::v1;

google::protobuf::Timestamp ToProto(absl::Time t);
absl::Time FromProto(const google::protobuf::Timestamp& t);
pb::Date ToProto(absl::CivilDay day);
pb::Date ToProto(const domain::BirthDate& date);
pb::Identity ToProto(const domain::Identity& identity);
pb::PersonName ToProto(const domain::PersonName& name);
pb::Scope ToProto(const domain::Scope& scope);
pb::Terms ToProto(const domain::Terms& terms);
pb::PhotoRelease ToProto(const domain::Release& release);
pb::Ban ToProto(const domain::Ban& ban);  // in_force is left to the caller
pb::Person ToProto(const domain::Person& person);
pb::Assignment ToProto(const domain::Assignment& assignment);
pb::Station ToProto(const domain::Station& station);
pb::Change ToProto(const domain::Change& change);

// The entry that says that something happened to a recipient's obligation.
pb::AuditRecord CopiesEntry(const char* event, const domain::Ban& ban, const domain::CopyCheck& check);

// What a client sent. `field` is the path used in a refusal.
domain::Outcome<absl::CivilDay> DayFrom(const pb::Date& date, const std::string& field);
domain::Outcome<domain::BirthDate> BirthDateFrom(const pb::Date& date, const std::string& field);
domain::Outcome<domain::PersonName> NameFrom(const pb::PersonName& name, const std::string& field);
domain::Outcome<domain::Identity> IdentityFrom(const pb::Identity& identity, const std::string& field);
domain::Outcome<domain::Scope> ScopeFrom(const pb::Scope& scope, const std::string& field);
domain::Outcome<domain::Terms> TermsFrom(const pb::Terms& terms, const std::string& field);
domain::Outcome<domain::Assignment> AssignmentFrom(const pb::Assignment& assignment,
                                                   const std::string& field);
// Trims nothing; refuses control characters (newline and tab are allowed) and more than `max` code points.
domain::Verdict CheckText(const std::string& text, size_t max, const std::string& field);

// What the store holds. Nothing when the bytes are not what was written.
std::string EncodeBan(const domain::Ban& ban);
std::optional<domain::Ban> DecodeBan(const std::string& bytes);
std::string EncodePerson(const domain::Person& person);
std::optional<domain::Person> DecodePerson(const std::string& bytes);
std::string EncodeStation(const domain::Station& station);
std::optional<domain::Station> DecodeStation(const std::string& bytes);
std::string EncodeChange(const domain::Change& change);
std::optional<domain::Change> DecodeChange(const std::string& bytes);

}  // namespace waarborg::state

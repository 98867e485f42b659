// SPDX-License-Identifier: EUPL-1.2
#include "audit/record.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <ctime>

#include "audit/text.h"
#include "waarborg/v1/audit.pb.h"

namespace waarborg::audit {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// The enumerator as a word: ROLE_CIVIL_AFFAIRS is "civil-affairs".
std::string WordOf(const google::protobuf::EnumValueDescriptor& value) {
  std::string type, out;
  for (char c : value.type()->name()) {
    if (c >= 'A' && c <= 'Z' && !type.empty()) type += '_';
    type += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  const std::string& name = value.name();
  for (char c : name.substr(name.rfind(type + "_", 0) == 0 ? type.size() + 1 : 0)) {
    out += c == '_' ? '-' : static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return out;
}

bool IsTime(const FieldDescriptor& f) {
  return f.name().ends_with("_ms") && f.type() == FieldDescriptor::TYPE_INT64;
}

// `at` is which of the values of a repeated field; -1 for any other.
std::string ValueOf(const Message& m, const FieldDescriptor& f, int at) {
  const Reflection& r = *m.GetReflection();
  const bool many = f.is_repeated();
  switch (f.type()) {
    case FieldDescriptor::TYPE_ENUM:
      return WordOf(many ? *r.GetRepeatedEnum(m, &f, at) : *r.GetEnum(m, &f));
    case FieldDescriptor::TYPE_BOOL:
      return (many ? r.GetRepeatedBool(m, &f, at) : r.GetBool(m, &f)) ? "yes" : "no";
    case FieldDescriptor::TYPE_STRING:
      return many ? r.GetRepeatedString(m, &f, at) : r.GetString(m, &f);
    case FieldDescriptor::TYPE_BYTES:
      return Base64(many ? r.GetRepeatedString(m, &f, at) : r.GetString(m, &f));
    default:
      break;
  }
  if (IsTime(f)) return TimeText(many ? r.GetRepeatedInt64(m, &f, at) : r.GetInt64(m, &f));
  std::string out;
  google::protobuf::TextFormat::PrintFieldValueToString(m, &f, at, &out);
  return out;
}

}  // namespace

bool ParseRecord(std::string_view bytes, waarborg::v1::AuditRecord& out) {
  return out.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) &&
         out.SerializeAsString() == bytes && out.GetReflection()->GetUnknownFields(out).empty();
}

std::string TimeText(int64_t ms) {
  const int64_t rest = ms % 1000;
  const auto seconds = static_cast<std::time_t>(ms / 1000 - (rest < 0 ? 1 : 0));
  std::tm parts{};
  char text[40];
  if (gmtime_r(&seconds, &parts) == nullptr ||
      std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) == 0) {
    return std::to_string(ms);
  }
  const std::string digits = std::to_string(rest < 0 ? rest + 1000 : rest);
  return std::string(text) + "." + std::string(3 - std::min<size_t>(3, digits.size()), '0') + digits + " UTC";
}

Result<RecordFields> ReadRecord(std::string_view bytes) {
  using R = Result<RecordFields>;
  waarborg::v1::AuditRecord record;
  if (!ParseRecord(bytes, record)) {
    return R::Error("the record is not one that this version can read");
  }
  std::vector<const FieldDescriptor*> set;
  record.GetReflection()->ListFields(record, &set);
  RecordFields out;
  for (const FieldDescriptor* f : set) {
    std::string name = IsTime(*f) ? f->name().substr(0, f->name().size() - 3) : f->name();
    for (char& c : name) {
      if (c == '_') c = '-';
    }
    if (!f->is_repeated()) {
      out.emplace_back(std::move(name), ValueOf(record, *f, -1));
      continue;
    }
    const int count = record.GetReflection()->FieldSize(record, f);
    for (int i = 0; i < count; ++i) out.emplace_back(name, ValueOf(record, *f, i));
  }
  return out;
}

std::optional<Checkpoint> PreviousOf(std::string_view bytes) {
  waarborg::v1::AuditRecord record;
  if (!ParseRecord(bytes, record) || record.previous_origin().empty() ||
      record.previous_root().size() != Hash().size()) {
    return std::nullopt;
  }
  return Checkpoint{record.previous_origin(), record.previous_size(), ToHash(record.previous_root())};
}

}  // namespace waarborg::audit

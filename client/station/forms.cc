// SPDX-License-Identifier: EUPL-1.2
#include "client/station/forms.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"

namespace waarborg::station {
namespace {

bool Sent(const Visit& v) {
  return v.request.method == "POST";
}

// What every partial asks for.
View Base(const Visit& v, const std::string& name, const std::string& label, const FieldOptions& o) {
  View field;
  field.Set("id", FieldId(name))
      .Set("name", name)
      .Set("label", label)
      .Set("hint", o.hint)
      .Set("error", v.FaultAt(name));
  field.Set("optional", o.optional)
      .Set("autofocus", o.autofocus)
      .Set("private", o.personal)
      .Set("code", o.code);
  field.Set("checked", false).Set("in_row", o.in_row).Set("about", false);
  return field;
}

bool Chosen(const Visit& v, const std::string& name, const std::string& code, const std::string& otherwise) {
  if (!Sent(v)) return code == otherwise;
  const auto sent = v.request.Fields(name);
  return std::find(sent.begin(), sent.end(), code) != sent.end();
}

bool Part(const std::string& text, bool may_be_empty, int& out) {
  if (text.empty() && may_be_empty) {
    out = 0;
    return true;
  }
  return text.size() <= 4 && text.find_first_not_of("0123456789") == std::string::npos &&
         absl::SimpleAtoi(text, &out);
}

}  // namespace

View TextField(const Visit& v, const std::string& name, const std::string& label, const FieldOptions& o) {
  View field = Base(v, name, label, o);
  // A password is typed again.
  field.Set("value", o.type == "password" ? "" : Sent(v) ? v.request.Field(name) : o.value);
  field.Set("type", o.type)
      .Set("autocomplete", o.autocomplete)
      .Set("inputmode", o.inputmode)
      .Set("accept", o.accept);
  field.Set("maxlength", o.max_length).Set("rows", o.rows);
  return field;
}

View DayField(const Visit& v, const std::string& name, const std::string& label, const FieldOptions& o) {
  View field = Base(v, name, label, o);
  field.Set("value", Sent(v) ? v.request.Field(name) : o.value).Set("min", o.min).Set("max", o.max);
  return field;
}

View DateField(const Visit& v, const std::string& name, const std::string& label, const pb::Date& value,
               const FieldOptions& o) {
  View field = Base(v, name, label, o);
  const auto part = [&](const char* which, int known) {
    field.Set(which, Sent(v)      ? v.request.Field(absl::StrCat(name, ".", which))
                     : known == 0 ? ""
                                  : absl::StrCat(known));
  };
  part("day", value.day());
  part("month", value.month());
  part("year", value.year());
  return field;
}

View CheckField(const Visit& v, const std::string& name, const std::string& label, bool checked,
                const FieldOptions& o) {
  View field = Base(v, name, label, o);
  field.Set("code", "yes").Set("checked", Sent(v) ? v.Checked(name) : checked);
  return field;
}

View OneOfField(const Visit& v, const std::string& name, const Choice& choice, bool checked) {
  FieldOptions o;
  o.optional = true;
  o.hint = choice.about;
  View field = Base(v, name, choice.text, o);
  field.Set("id", FieldId(absl::StrCat(name, "-", choice.code))).Set("code", choice.code);
  field.Set("checked", Sent(v) ? Chosen(v, name, choice.code, "") : checked);
  return field;
}

View ChoiceField(const Visit& v, const std::string& name, const std::string& label,
                 const std::vector<Choice>& choices, const FieldOptions& o) {
  View field = Base(v, name, label, o);
  std::vector<View> options;
  for (const Choice& choice : choices) {
    const bool chosen = Chosen(v, name, choice.code, o.value);
    View option;
    option.Set("code", choice.code).Set("text", choice.text).Set("about", choice.about);
    option.Set("selected", chosen).Set("checked", chosen);
    options.push_back(std::move(option));
  }
  field.Set("options", options);
  return field;
}

bool ReadDate(Visit& v, const std::string& name, bool parts_may_be_unknown, pb::Date* date) {
  std::vector<std::string> parts;  // year, month, day
  if (const std::string whole = v.Field(name); !whole.empty()) {
    parts = absl::StrSplit(whole, absl::ByAnyChar("-/. "), absl::SkipEmpty());
    if (parts.size() == 3 && parts[0].size() < 3) std::swap(parts[0], parts[2]);
  } else {
    parts = {v.Field(name + ".year"), v.Field(name + ".month"), v.Field(name + ".day")};
    if (parts[0].empty() && parts[1].empty() && parts[2].empty()) return true;
  }
  int year = 0, month = 0, day = 0;
  const bool good = parts.size() == 3 && Part(parts[0], false, year) &&
                    Part(parts[1], parts_may_be_unknown, month) &&
                    Part(parts[2], parts_may_be_unknown, day) && year >= 1900 && year <= 2199 && month >= 0 &&
                    month <= 12 && day >= 0 && day <= 31 && (month != 0 || day == 0) &&
                    (parts_may_be_unknown || (month != 0 && day != 0)) &&
                    (month == 0 || day == 0 || absl::CivilDay(year, month, day).month() == month);
  if (!good) {
    v.Fault(name,
            parts_may_be_unknown
                ? v.Say("Deze datum bestaat niet. Vul dag, maand en jaar in; laat open wat niet bekend is.")
                : v.Say("Deze datum bestaat niet. Vul dag, maand en jaar in."));
    return false;
  }
  date->set_year(year);
  date->set_month(month);
  date->set_day(day);
  return true;
}

std::string IsoDay(const pb::Date& date) {
  return date.year() == 0 ? "" : absl::StrFormat("%04d-%02d-%02d", date.year(), date.month(), date.day());
}

}  // namespace waarborg::station

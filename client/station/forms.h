// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "client/station/page.h"

// Fields of forms, for the partials field_*.mustache. A field is called as the core calls it
// ("identity.birth_date", "reasons"), so that a refusal of the core finds its field; it shows what was typed
// in this form before, else `value`.
namespace waarborg::station {

struct FieldOptions {
  std::string hint;
  std::string value;
  bool optional = false;
  bool autofocus = false;
  bool personal = false;  // hidden with one key
  bool code = false;      // digits, spaced
  int max_length = 200;
  int rows = 3;                      // of a textarea
  std::string type = "text";         // of a text field: text, password, tel
  std::string autocomplete = "off";  // a browser fills in nothing unless told to
  std::string inputmode;
  std::string accept;    // of a file: "image/jpeg,image/png"
  std::string min, max;  // of a day: 2026-03-02
  bool in_row = false;   // choices beside each other
};

struct Choice {
  std::string code;
  std::string text;
  std::string about;  // a line below it, in a group of radio buttons
};

// field_text, field_textarea, field_file.
View TextField(const Visit& v, const std::string& name, const std::string& label,
               const FieldOptions& options = {});
// field_day: one date of now or later; posted as 2026-03-02.
View DayField(const Visit& v, const std::string& name, const std::string& label,
              const FieldOptions& options = {});
// field_date: three parts, for a date on a document; posted as NAME.day, NAME.month, NAME.year. `value` may
// be partly unknown.
View DateField(const Visit& v, const std::string& name, const std::string& label, const pb::Date& value,
               const FieldOptions& options = {});
// field_checkbox: posted as "yes" when it is ticked.
View CheckField(const Visit& v, const std::string& name, const std::string& label, bool checked = false,
                const FieldOptions& options = {});
// field_checkbox, one of several under one name: posted as `code`.
View OneOfField(const Visit& v, const std::string& name, const Choice& choice, bool checked);
// field_select and field_radio.
View ChoiceField(const Visit& v, const std::string& name, const std::string& label,
                 const std::vector<Choice>& choices, const FieldOptions& options = {});

// The date that was typed or chosen under this name, in either form. False when it is none, which then stands
// as a fault at the field; `date` stays untouched when nothing was filled in.
bool ReadDate(Visit& v, const std::string& name, bool parts_may_be_unknown, pb::Date* date);
// "2026-03-02", as a DayField wants it.
std::string IsoDay(const pb::Date& date);

}  // namespace waarborg::station

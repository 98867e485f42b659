// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/station/words.h"

// Pages from templates (mustache). Values are escaped where they are written; a template writes nothing
// unescaped but other templates.
namespace waarborg::station {

// What a template is filled with, by name. What is empty is not there: {{#name}} skips it and {{^name}} does
// not, and it hides what an outer view holds under the same name.
class View {
 public:
  View();
  View(View&&) noexcept;
  View& operator=(View&&) noexcept;
  View(const View&);
  View& operator=(const View&);
  ~View();

  View& Set(const std::string& name, std::string_view text);
  View& Set(const std::string& name, const std::string& text) { return Set(name, std::string_view(text)); }
  View& Set(const std::string& name, const char* text) { return Set(name, std::string_view(text)); }
  View& Set(const std::string& name, bool yes);
  View& Set(const std::string& name, int number);
  View& Set(const std::string& name, const View& view);
  View& Set(const std::string& name, const std::vector<View>& list);

  // The template "templates/NAME.mustache", filled. Every other template is a partial by its name;
  // {{#t}}...{{/t}} says the Dutch text in the language of `words`. With `page`, the partial "page" is that
  // template. Safe from any thread.
  std::string Render(const std::string& name, const Words& words, const std::string& page = "") const;

 private:
  struct Data;
  std::unique_ptr<Data> data_;
};

// What is wrong with a template, or a partial that is not there, by name; empty when all can be used.
std::string CheckTemplates();
// Every text that the templates say, for the test of the translations.
std::vector<std::string> TextsOfTemplates();

}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
#include "client/station/view.h"

#include <kainjow/mustache.hpp>
#include <map>
#include <stdexcept>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "client/station/embedded.h"

namespace waarborg::station {
namespace {

using kainjow::mustache::data;
using kainjow::mustache::mustache;
using kainjow::mustache::partial;

constexpr std::string_view kFolder = "templates/", kEnding = ".mustache";
constexpr char kPartial[] = "partial:";
constexpr std::string_view kOpen = "{{#t}}", kClose = "{{/t}}";

std::string NameOf(std::string_view path) {
  return std::string(path.substr(kFolder.size(), path.size() - kFolder.size() - kEnding.size()));
}

// The library looks partials up among the values. Under names of their own they never stand in for a value
// that is not there.
std::string WithPartialsApart(std::string_view text) {
  return absl::StrReplaceAll(absl::string_view(text.data(), text.size()),
                             {{"{{> ", absl::StrCat("{{> ", kPartial)}});
}

const std::map<std::string, std::string>& Templates() {
  static const auto* const templates = [] {
    auto* out = new std::map<std::string, std::string>;
    for (const EmbeddedFile& file : EmbeddedFiles()) {
      if (file.path.starts_with(kFolder) && file.path.ends_with(kEnding))
        (*out)[NameOf(file.path)] = WithPartialsApart(file.bytes);
    }
    return out;
  }();
  return *templates;
}

// A text as a translator sees it: without the line breaks and indentation of the template.
std::string OneLine(std::string_view text) {
  std::string out(text);
  absl::RemoveExtraAsciiWhitespace(&out);
  return out;
}

std::string EscapeText(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}});
}

}  // namespace

struct View::Data {
  data object{data::type::object};
};

View::View() : data_(std::make_unique<Data>()) {}
View::View(View&&) noexcept = default;
View& View::operator=(View&&) noexcept = default;
View::View(const View& other) : data_(std::make_unique<Data>(*other.data_)) {}
View& View::operator=(const View& other) {
  data_ = std::make_unique<Data>(*other.data_);
  return *this;
}
View::~View() = default;

View& View::Set(const std::string& name, std::string_view text) {
  if (text.empty()) return Set(name, false);
  data_->object.set(name, data(std::string(text)));
  return *this;
}
View& View::Set(const std::string& name, bool yes) {
  data_->object.set(name, data(yes));
  return *this;
}
View& View::Set(const std::string& name, int number) {
  return Set(name, absl::StrCat(number));
}
View& View::Set(const std::string& name, const View& view) {
  data_->object.set(name, view.data_->object);
  return *this;
}
View& View::Set(const std::string& name, const std::vector<View>& list) {
  if (list.empty()) return Set(name, false);
  data out{data::type::list};
  for (const View& view : list) out.push_back(view.data_->object);
  data_->object.set(name, out);
  return *this;
}

std::string View::Render(const std::string& name, const Words& words, const std::string& page) const {
  const auto found = Templates().find(name);
  if (found == Templates().end()) throw std::logic_error("no template " + name);
  data root = data_->object;
  for (const auto& [other, text] : Templates())
    root.set(kPartial + other, data(partial([&text = text] { return text; })));
  if (!page.empty())
    root.set(absl::StrCat(kPartial, "page"), data(partial([page] { return Templates().at(page); })));
  root.set("t", data(kainjow::mustache::lambda(
                    [&words](const std::string& dutch) { return EscapeText(words.Say(OneLine(dutch))); })));
  mustache tmpl(found->second);
  std::string out = tmpl.render(root);
  if (!tmpl.is_valid()) throw std::logic_error("template " + name + ": " + tmpl.error_message());
  return out;
}

std::string CheckTemplates() {
  for (const auto& [name, text] : Templates()) {
    const mustache tmpl(text);
    if (!tmpl.is_valid()) return absl::StrCat(name, ": ", tmpl.error_message());
    if (text.find("{{{") != std::string::npos || text.find("{{&") != std::string::npos)
      return name + ": writes unescaped";
    for (size_t at = text.find("{{>"); at != std::string::npos; at = text.find("{{>", at + 1)) {
      const std::string used(absl::StripPrefix(
          absl::StripAsciiWhitespace(absl::string_view(text).substr(at + 3, text.find("}}", at) - at - 3)),
          kPartial));
      if (used != "page" && !Templates().contains(used)) return absl::StrCat(name, ": no template ", used);
    }
  }
  return "";
}

std::vector<std::string> TextsOfTemplates() {
  std::vector<std::string> out;
  for (const auto& [name, text] : Templates()) {
    for (size_t at = text.find(kOpen); at != std::string::npos; at = text.find(kOpen, at + 1)) {
      const size_t begin = at + kOpen.size(), end = text.find(kClose, begin);
      if (end != std::string::npos) out.push_back(OneLine(std::string_view(text).substr(begin, end - begin)));
    }
  }
  return out;
}

}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
#include "tests/scenario/script.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace waarborg::testing {
namespace {

struct Bad {
  std::string why;
};

// Splits at spaces outside double quotes; the quotes go, "\"" inside them is a quote.
std::vector<std::string> Tokens(const std::string& text) {
  std::vector<std::string> out;
  std::string token;
  bool quoted = false, any = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == 'n')) {
      token += text[++i] == 'n' ? '\n' : '"';
    } else if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (!quoted && (c == ' ' || c == '\t')) {
      if (any) out.push_back(token);
      token.clear();
      any = false;
    } else {
      token += c;
      any = true;
    }
  }
  if (quoted) throw Bad{"a quote is opened and not closed"};
  if (any) out.push_back(token);
  return out;
}

// The place of `what` outside quotes, or npos.
size_t FindPlain(const std::string& text, const std::string& what) {
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text.compare(i, what.size(), what) == 0) {
      return i;
    }
  }
  return std::string::npos;
}

void ParseExpectation(Line& line, const std::string& text) {
  const std::vector<std::string> tokens = Tokens(text);
  if (tokens.empty())
    throw Bad{"behind => stands what is expected: ok, refused RULE, clear, banned, possible ..."};
  size_t i = 0;
  line.soon = tokens[0] == "soon";
  if (line.soon && ++i == tokens.size()) throw Bad{"behind soon stands what is expected soon"};
  line.word = tokens[i++];
  if (line.word == "refused") {
    if (i >= tokens.size() || tokens[i].find('=') != std::string::npos)
      throw Bad{"refused needs the name of the rule"};
    line.rule = tokens[i++];
  }
  for (; i < tokens.size(); ++i) {
    if (tokens[i] == "as") {
      if (i + 2 != tokens.size()) throw Bad{"\"as NAME\" stands last and takes one name"};
      line.remember = tokens[i + 1];
      return;
    }
    std::string token = tokens[i];
    if (absl::EndsWith(token, ",")) token.pop_back();
    Expectation e;
    if (token.rfind('!', 0) == 0) {
      e.how = Expectation::How::kAbsent;
      token = token.substr(1);
    }
    const size_t at = token.find('=');
    if (at == std::string::npos || at == 0) throw Bad{absl::StrCat("\"", token, "\" is not fact=value")};
    e.name = token.substr(0, at);
    e.value = token.substr(at + 1);
    if (e.name.back() == '>') {
      e.how = Expectation::How::kAtLeast;
      e.name.pop_back();
    }
    line.expectations.push_back(std::move(e));
  }
}

void ParseStep(Line& line, const std::string& text, const std::vector<std::string>& commands) {
  const size_t arrow = FindPlain(text, "=>");
  if (arrow == std::string::npos) throw Bad{"a step ends with => and what is expected"};
  const size_t colon = FindPlain(text, ":");
  if (colon == std::string::npos || colon > arrow) throw Bad{"a step begins with PERSON @ STATION:"};
  const std::vector<std::string> who = Tokens(text.substr(0, colon));
  if (who.size() != 3 || who[1] != "@") throw Bad{"a step begins with PERSON @ STATION:"};
  line.person = who[0];
  line.station = who[2];
  std::vector<std::string> tokens = Tokens(text.substr(colon + 1, arrow - colon - 1));
  if (tokens.empty()) throw Bad{"there is no command behind the colon"};
  auto known = [&](const std::string& name) {
    return std::find(commands.begin(), commands.end(), name) != commands.end();
  };
  size_t i = 1;
  line.command = tokens[0];
  if (!known(line.command) && tokens.size() > 1) {
    line.command += " " + tokens[1];
    i = 2;
  }
  if (!known(line.command))
    throw Bad{absl::StrCat("there is no command \"", line.command, "\"; --commands lists them")};
  for (; i < tokens.size(); ++i) {
    const size_t at = tokens[i].find('=');
    if (at == 0) throw Bad{absl::StrCat("\"", tokens[i], "\" is not option=value")};
    if (at == std::string::npos) {
      line.options.emplace_back(tokens[i], "yes");
    } else {
      line.options.emplace_back(tokens[i].substr(0, at), tokens[i].substr(at + 1));
    }
  }
  ParseExpectation(line, text.substr(arrow + 2));
}

void ParseLine(Line& line, const std::vector<std::string>& commands) {
  const std::string& text = line.text;
  const std::vector<std::pair<std::string, Line::What>> plain{{"stop", Line::What::kStop},
                                                              {"start", Line::What::kStart},
                                                              {"kill", Line::What::kKill},
                                                              {"restart", Line::What::kRestart}};
  for (const auto& [word, what] : plain) {
    if (text == word) {
      line.what = what;
      return;
    }
  }
  if (absl::StartsWith(text, "clock ")) {
    line.what = Line::What::kClock;
    line.moment = std::string(absl::StripAsciiWhitespace(text.substr(6)));
    return;
  }
  if (absl::StartsWith(text, "include ")) {
    line.what = Line::What::kInclude;
    line.file = std::string(absl::StripAsciiWhitespace(text.substr(8)));
    return;
  }
  ParseStep(line, text, commands);
}

}  // namespace

Script ParseScript(const std::string& text, const std::vector<std::string>& commands) {
  Script script;
  int number = 0;
  std::string pending;
  int pending_number = 0;
  for (absl::string_view raw : absl::StrSplit(text, '\n')) {
    ++number;
    std::string written(absl::StripAsciiWhitespace(raw));
    if (const size_t comment = FindPlain(written, "#"); comment != std::string::npos) {
      written = std::string(absl::StripAsciiWhitespace(written.substr(0, comment)));
    }
    if (written.empty() && pending.empty()) continue;
    if (pending.empty()) pending_number = number;
    const bool goes_on = absl::EndsWith(written, "\\");
    if (goes_on) written.pop_back();
    absl::StrAppend(&pending, pending.empty() ? "" : " ", written);
    if (goes_on) continue;
    Line line;
    line.number = pending_number;
    line.text = std::string(absl::StripAsciiWhitespace(pending));
    pending.clear();
    if (line.text.empty()) continue;
    try {
      ParseLine(line, commands);
      script.lines.push_back(std::move(line));
    } catch (const Bad& bad) {
      script.errors.push_back(absl::StrCat("line ", line.number, ": ", bad.why));
    }
  }
  if (!pending.empty())
    script.errors.push_back(
        absl::StrCat("line ", pending_number, ": the line goes on (\\) but the file ends"));
  if (script.lines.empty() && script.errors.empty()) script.errors.push_back("there is no step in this file");
  return script;
}

}  // namespace waarborg::testing

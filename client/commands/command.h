// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <google/protobuf/message.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/core/connection.h"

// What a person can do, as a table: one row per command with its options, its call and its words. The command
// line and the scenario player are two front ends of this table.
namespace waarborg::client {

enum class Language { kDutch, kEnglish };

enum class Kind {
  kText,   // any words
  kWord,   // one of the words named in the help
  kDate,   // 2026-03-02; in a date of birth 1980-05-00 or 1980-00-00 for unknown parts
  kTime,   // 2026-03-02T14:05, local time
  kCount,  // a whole number
  kFlag,   // given or not
  kList,   // separated by commas
  kMany,   // may be given more than once
  kFile,   // path of a file to read
  kOut,    // path of a file to write
};

struct Option {
  std::string name;
  Kind kind = Kind::kText;
  std::string help;
  bool required = false;
};

// Options as given, by name.
class Arguments {
 public:
  void Add(const std::string& name, std::string value) { values_[name].push_back(std::move(value)); }
  bool Has(const std::string& name) const { return values_.contains(name); }
  std::string Get(const std::string& name) const;
  const std::vector<std::string>& All(const std::string& name) const;
  std::vector<std::string> List(const std::string& name) const;  // split at commas
  const std::map<std::string, std::vector<std::string>>& values() const { return values_; }

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

// What came back: a word and facts for programs and scenarios, lines for people.
struct Reply {
  Error error;
  std::string usage_error;  // what is wrong with the options; nothing was called
  std::string word = "ok";  // "ok", "banned", "possible", "clear" ...
  std::vector<std::pair<std::string, std::string>> facts;  // in order; names may repeat
  std::vector<std::string> lines;                          // for people, in the language asked for
  std::vector<std::vector<std::string>> table;             // for --csv: a line of headings, then rows
  std::shared_ptr<google::protobuf::Message> message;      // the answer itself, for --json

  bool ok() const { return error.ok() && usage_error.empty(); }
  void Fact(std::string name, std::string value) { facts.emplace_back(std::move(name), std::move(value)); }
  std::optional<std::string> FindFact(const std::string& name) const;
};

// What a command works with.
struct Call {
  Connection& connection;
  const Arguments& arguments;
  Language language = Language::kDutch;
  // For a command that goes on: shows each answer as it comes. Empty where there is nobody to show it to.
  std::function<void(const Reply&)> show = {};
  // Dutch or English, as asked.
  std::string Say(const std::string& nl, const std::string& en) const {
    return language == Language::kDutch ? nl : en;
  }
};

struct Command {
  std::string name;     // "ban propose"
  std::string summary;  // one line, English
  std::vector<Option> options;
  std::function<Reply(Call&)> run;
};

// All commands, in the order in which help shows them.
const std::vector<Command>& AllCommands();
// The command of this name, or null.
const Command* FindCommand(const std::string& name);
// What is wrong with the options for this command: unknown, missing, twice; empty when nothing.
std::string CheckArguments(const Command& command, const Arguments& arguments);

// A message as JSON, as proto/waarborg/v1 describes it.
std::string Json(const google::protobuf::Message& message);
// A table as CSV (RFC 4180), every value quoted. A value that a spreadsheet would run as a formula gets an
// apostrophe in front.
std::string Csv(const std::vector<std::vector<std::string>>& table);

// One file per group.
void AddSessionCommands(std::vector<Command>& out);
void AddKeyCommands(std::vector<Command>& out);
void AddBanCommands(std::vector<Command>& out);
void AddPhotoCommands(std::vector<Command>& out);
void AddSubjectCommands(std::vector<Command>& out);
void AddTaskCommands(std::vector<Command>& out);
void AddCheckCommands(std::vector<Command>& out);
void AddPeopleCommands(std::vector<Command>& out);
void AddAuditCommands(std::vector<Command>& out);
void AddBackupCommands(std::vector<Command>& out);

}  // namespace waarborg::client

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "client/station/facts.h"
#include "client/station/page.h"
#include "waarborg/v1/bans.pb.h"
#include "waarborg/v1/tasks.pb.h"

// The workbench: tasks, files and what is done with them. What somebody may do with a file is one table
// (Actions); each row leads to a page of its own. Pages that are short forms are rows of a second table
// (work_actions.cc). A new kind of step is a row in the first, and a row in the second or a page elsewhere.
namespace waarborg::station {

// Values of an enumeration (below 32), as they stand in the table.
template <class Enum>
class SetOf {
 public:
  constexpr SetOf(std::initializer_list<Enum> values) {
    for (const Enum value : values) bits_ |= 1u << static_cast<unsigned>(value);
  }
  constexpr bool Has(Enum value) const { return ((bits_ >> static_cast<unsigned>(value)) & 1u) != 0; }

 private:
  uint32_t bits_ = 0;
};

// Something that can be done with a file, by somebody of these roles, when ban and photo stand so.
struct Action {
  const char* name;   // last part of its path, /files/ID/NAME
  const char* label;  // Dutch, a verb
  const char* icon;
  SetOf<pb::Role> roles;
  SetOf<pb::BanState> ban;
  SetOf<pb::PhotoState> photo;
  bool (*when)(const pb::Ban&);  // null: nothing more is asked
  bool danger;                   // takes something away
};

// In the order of the procedure.
const std::vector<Action>& Actions();
// What this person could do with this file. Whether the core allows it to this very person is its decision.
std::vector<const Action*> ActionsFor(const Visit& v, const pb::Ban& ban);

// "/files/LV-0123456789/advise".
std::string FilePath(const std::string& ban_id, const std::string& action = "");

// What a task asks for, as a sentence, and where it is done.
std::string TaskText(const Visit& v, const pb::Task& task);
std::string TaskPath(const Visit& v, const pb::Task& task);
// "tot en met 2 maart 2026"; empty without a term.
std::string TaskTerm(const Visit& v, const pb::Task& task);
// What waits for this person about one file; nothing when the core does not answer.
std::vector<pb::Task> TasksAbout(const Visit& v, const std::string& ban_id);

// Words.
std::string MeasureText(const Visit& v, pb::Measure measure);
std::string StateText(const Visit& v, const pb::Ban& ban);
std::string PhotoText(const Visit& v, pb::PhotoState state);
std::string LegalFormText(const Visit& v, pb::LegalForm form);
// "1 tot 3 maanden".
std::string MonthsText(const Visit& v, const pb::Months& months);
std::string GuidelineScopeText(const Visit& v, pb::GuidelineScope scope);
// The ground, or null when the configuration has none of this id.
const pb::GroundChoice* FindGround(Visit& v, const std::string& id);
// The name, else the description, else that nobody knows.
std::string Heading(const Visit& v, const pb::Identity& identity);

// Facts of a file, and its further parts ({ title, facts }): guideline, decision, photo, breaches,
// corrections.
FactList MeasureFacts(Visit& v, const pb::Ban& ban);
std::vector<View> FileParts(Visit& v, const pb::Ban& ban);
// The names that file_head.mustache asks for.
void SetFileHead(Visit& v, const pb::Ban& ban, const std::string& back_path, const std::string& back_label,
                 View& view);

// One file; what the core refuses stands as the page's problem.
bool ReadFile(Visit& v, pb::Ban* ban);
// The page for a file that cannot be read, after ReadFile said so.
Response NoFile(Visit& v);

// The last day of so many months from this day on: three months from 2 March end on 1 June.
pb::Date LastDayOfMonths(const pb::Date& from, int months);

// Pages, by file.
Response ShowTasks(Visit& v);
Response ShowFigures(Visit& v);
Response ShowFiles(Visit& v);
Response ShowFile(Visit& v);
Response ShowNewBan(Visit& v);
Response ProposeBan(Visit& v);
Response ShowAmend(Visit& v);
Response Amend(Visit& v);
Response ShowAction(Visit& v);
Response DoAction(Visit& v);
Response ShowAlert(Visit& v);
Response RaiseAlert(Visit& v);
Response ShowDenyNow(Visit& v);
Response DenyNow(Visit& v);

// The fieldset "where", of new_ban and alert: all municipal locations, or some.
void SetWhere(Visit& v, const std::string& prefix, const pb::Scope& scope, View& view);
pb::Scope ReadScope(const Visit& v, const std::string& prefix);

}  // namespace waarborg::station

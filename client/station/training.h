// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "client/station/desk.h"

// Training for the desk: people who do not exist, and what the desk answers about them. The core is asked
// nothing, so that training works while it is down and leaves no entry; nobody has to be signed in. It cannot
// be taken for the desk: every page and every answer says so, every path begins with /training, and of a name
// that is not one of the exercises it says that, and never "no ban found".
namespace waarborg::station {

// What there is to practise, in order; a bit of Progress::done each.
enum class Exercise {
  kClear,
  kBanned,
  kPhoto,
  kDemand,
  kTimeOut,
  kDescription,
  kDenied,
  kNearMiss,
  kTwins,
  kUnknown,
  kExpected,
  kDeny,
  kBriefing,
  kCount
};

struct ExerciseText {
  Exercise exercise;
  const char* task;    // Dutch
  const char* typed;   // what to type for it, or null
  const char* should;  // what should come of it, and what to do then
};
std::span<const ExerciseText> Exercises();

// What a browser remembers of it, in a cookie: nothing personal, and nothing in the station. Nobody gains by
// changing it.
struct Progress {
  uint32_t done = 0;  // a bit for each exercise
  int person = 0;     // the number of who is being told to leave; 0: nobody
  int demands = 0;    // 0 to 3
  bool police = false;

  bool Has(Exercise e) const { return (done >> static_cast<int>(e) & 1) != 0; }
  void Do(Exercise e) { done |= uint32_t{1} << static_cast<int>(e); }
  // "1f.1.2.0"; what cannot be read is the beginning.
  std::string Text() const;
  static Progress Read(std::string_view text);
};

// What came of something at the desk.
struct Lesson {
  // kUnknownName: not one of the people of the exercises, so nothing is said about them. kExpected: an
  // appointment.
  enum class Kind { kAnswer, kExpected, kCannotCheck, kUnknownName };
  Kind kind = Kind::kUnknownName;
  pb::CheckVisitorResponse response;  // of kAnswer; of kExpected the person
  std::optional<Exercise> did;
};
// What was typed, as ReadVisitor read it.
Lesson CheckInTraining(const pb::CheckVisitorRequest& request, const Words& words);
// Somebody of the list, or of the possible ones; with the demands that were made.
Lesson OpenInTraining(const std::string& ban, const Progress& progress, const Words& words);
// Records a touch; false when it is not one, or nobody has this number.
bool TouchInTraining(const std::string& ban, const std::string& code, Progress& progress);
// The demands that were made to this person; nothing when none were.
std::optional<pb::OpenBreach> BreachInTraining(const std::string& ban, const Progress& progress);
// Everybody who may not enter, as the list beside the desk and the briefing show them.
pb::WatchDeskResponse ListInTraining(const Words& words);
// A face, drawn by hand (SVG), that nobody takes for a photo; empty when nobody has this number.
std::string FaceInTraining(const std::string& ban, const Words& words);
DeskPlace PlaceInTraining(const Words& words);

}  // namespace waarborg::station

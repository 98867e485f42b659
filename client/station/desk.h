// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>
#include <string>

#include "client/station/page.h"
#include "client/station/view.h"
#include "waarborg/v1/changes.pb.h"
#include "waarborg/v1/checks.pb.h"

// What the desk shows, made of what the core says. Training makes the same of what it invents, so that both
// look alike; where a form posts comes from `root` in the templates, which differs (Visit::training).
namespace waarborg::station {

// Where the desk stands.
struct DeskPlace {
  pb::LocationChoice location;
  std::string demand;  // the demand to leave, to be read aloud
};

// The answer to a check, for desk_answer.mustache. What cannot be understood is "cannot check".
View DeskAnswer(const pb::CheckVisitorResponse& response, const DeskPlace& here, const Words& words);

// The desk. `view` holds `answer` and `list`, where there are; `query` is what was typed, shown again with
// what is wrong with it.
Response DeskPage(Visit& v, View view, const std::string& query = "", const std::string& query_error = "");

// What the touch with this code ("demand-1") records, and whether it ends the visit.
struct DeskTouch {
  size_t place;  // among the touches, below 16
  pb::DemandStep step;
  bool ends;
};
std::optional<DeskTouch> TouchOf(const std::string& code);
// For desk_log.mustache. `breach`: null when none is open.
View DeskLogView(const std::string& ban, const pb::OpenBreach* breach, const DeskPlace& here,
                 const Words& words);

// The form after a denial on the spot; it posts to the path of this visit.
Response DenialPage(Visit& v, const std::string& ban);

// One person of the briefing, posting to `path`; null before the first one.
Response BriefingPage(Visit& v, const std::string& path, const pb::NextBriefingResponse* response);

// The live list beside the desk, for desk_list.mustache. `root` is where its form posts, see Visit::root().
View DeskListView(const pb::WatchDeskResponse& list, const Words& words, const std::string& root = "/desk");

}  // namespace waarborg::station

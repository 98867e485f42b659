// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/station/log_check.h"
#include "client/station/page.h"

// What the pages on the log share (audit.cc, audit_log.cc).
namespace waarborg::station {

// ---- Handlers of audit_log.cc: searching and reading.
Response ShowLog(Visit& v);
Response SearchLog(Visit& v);
Response ListLog(Visit& v);
Response ExportLog(Visit& v);
Response ShowEntry(Visit& v);
Response DownloadOpening(Visit& v);

// ---- Parts.

// The heading of a page on the log and its tabs, for log_head.mustache. `tab` is the path of the one that is
// open.
void SetLogHead(View& view, Visit& v, const std::string& heading, const std::string& tab);
// The findings of a check, for log_findings.mustache.
std::vector<View> FindingViews(const Visit& v, const std::vector<Finding>& findings);
// What it comes to, for log_verdict.mustache; `good` is the sentence when all is.
View VerdictView(const Visit& v, Verdict verdict, const std::string& good);
// "2026:17", as people refer to an entry.
std::string Place(const std::string& origin, uint64_t index);
// "2026", of "waterdam.example/lokaalverboden/2026".
std::string LogName(const std::string& origin);
// "02-06-2026 14:05:09", local.
std::string Stamp(int64_t ms);
// Two days from the form or the query, "from" and "until", both included. False when one is none; the fault
// stands at its field. Without one, its part of the request stays empty.
bool ReadDays(Visit& v, const std::string& from, const std::string& until, google::protobuf::Timestamp* begin,
              bool* has_begin, google::protobuf::Timestamp* end, bool* has_end);
// Text as a value in a query.
std::string Escaped(const std::string& text);
// A file to keep. `name` is of letters, digits, dots and dashes.
Response Download(const std::string& name, const std::string& type, std::string bytes);

}  // namespace waarborg::station

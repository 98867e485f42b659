// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <span>
#include <string>
#include <vector>

#include "client/station/words.h"
#include "waarborg/v1/audit.pb.h"
#include "waarborg/v1/common.pb.h"

// What the log says, in words: its events and the rules that refused, in tables (events.cc). For the pages on
// the log, the timeline of a file and what goes out to a person concerned. Every function gives back the name
// itself where there are no words for it.
namespace waarborg::station {

// A kind of event, to search by.
struct EventKind {
  const char* code;
  const char* label;  // Dutch
};

// In the order of a list to choose from. The first is who saw a photo.
std::span<const EventKind> EventKinds();
// The names of the events of this kind, at most 50 (what the core takes in one question); none for a kind
// that is not there.
std::vector<std::string> EventsOf(const std::string& kind);
// "Foto bekeken", for "ShowPhoto".
std::string EventName(const Words& words, const std::string& event);
// Why it was refused, of somebody else: "niet ingedeeld op deze locatie", for "not-assigned-here".
std::string RuleName(const Words& words, const std::string& rule);

std::string NameOf(const Words& words, v1::Purpose purpose);
std::string NameOf(const Words& words, v1::BanState state);
std::string NameOf(const Words& words, v1::PhotoState state);
std::string NameOf(const Words& words, v1::DestructionReason reason);
std::string NameOf(const Words& words, v1::DestructionCheck check);
std::string NameOf(const Words& words, v1::SignalKind kind);
std::string NameOf(const Words& words, v1::DemandStep step);

}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>

#include "client/commands/command.h"

// The life of a file, from the proposal to a photo at the desk and to its end, as single steps: for harnesses
// that are interrupted anywhere and go on from there.
namespace waarborg::testing {

// Somebody at a station.
struct Seat {
  const char* person;
  const char* station;
};
inline constexpr Seat kManager{"teamleider", "kantoor-1"}, kSecretary{"secretaris", "kantoor-1"},
    kBoard{"collegesecretariaat", "kantoor-1"}, kCoordinator{"toezicht", "kantoor-1"},
    kCivilAffairs{"burgerzaken", "kantoor-1"}, kLegal{"jurist", "kantoor-1"}, kDesk{"receptie", "receptie-1"},
    kAuditor{"auditor", "kantoor-1"}, kAdministrator{"beheer", "kantoor-1"};

// A step: who, which command, which entry it leaves.
struct Step {
  Seat seat;
  const char* command;
  const char* event;
};
// From nothing to a photo that reception sees.
inline constexpr Step kToRelease[] = {
    {kManager, "ban propose", "ProposeBan"},
    {kSecretary, "ban advise", "AdviseBan"},
    {kBoard, "ban approve", "DecideBan"},
    {kManager, "photo inform", "RecordInformed"},
    {kCoordinator, "photo request", "RequestRelease"},
    {kManager, "photo consent", "DecideConsent"},
    {kCivilAffairs, "photo supply", "SupplyPhoto"},
    {kCoordinator, "photo release", "ReleasePhoto"},
};

// What the steps of one file are about.
struct Subject {
  std::string surname = "";
  std::string ban = "";       // id; not known before the proposal is answered
  std::string portrait = "";  // path
  std::string from = "2026-03-02";
  std::string until = "2026-06-01";
  std::string departure = "";  // why the term departs from the guideline, where it does
};

// The options of a command of this life; `key` is its idempotency key. Other commands get ban and key.
client::Arguments ArgumentsOf(const std::string& command, const Subject& subject, const std::string& key);

// Runs a command on a connection that is signed in. From any thread.
client::Reply RunOn(client::Connection& connection, const std::string& command,
                    const client::Arguments& arguments);

// True when there was no answer: the server is gone. A refusal is an answer.
bool Unanswered(const client::Reply& reply);

}  // namespace waarborg::testing

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "server/domain/types.h"

namespace waarborg::domain {

// Who runs a location; sharing with a third party needs a recorded basis.
enum class Operator { kOwn, kProcessor, kThirdParty };

// When a location is open, one line of the timetable.
struct OpeningHours {
  absl::Weekday first_day = absl::Weekday::monday, last_day = absl::Weekday::sunday;
  int from_minute = 0, until_minute = 24 * 60;  // of the day, local time; until is not included
};

struct Location {
  std::string id;
  std::string name;
  bool municipal = true;  // counts for "all municipal locations"
  Operator run_by = Operator::kOwn;
  std::string sharing_basis;        // for a third party; empty: nothing is shared
  std::vector<OpeningHours> opens;  // empty: always
  std::vector<std::string> steps;   // what desk staff do when a banned person stands here, in Dutch
  std::string phone;    // of Toezicht en Veiligheid, as called from here; empty: Municipality::phone
  int max_demands = 3;  // demands to leave that are made here at most, 1 to 3
};

// Somebody elsewhere who cosigns the checkpoints of the log.
struct LogWitness {
  std::string id;
  std::string url;  // without a slash at the end
  std::string key;  // verifier key text, type cosignature/v1
};

// What makes a signal for the auditor: so many in a day by one person.
struct SignalThresholds {
  int checks_a_day = 200;
  int photos_a_day = 30;
  int refusals_a_day = 10;
};

// Terms in days, and what the calendar of the act on terms cannot compute (deadlines.h).
struct Deadlines {
  int confirm_copies_days = 14;  // for a recipient to confirm that no copy of a photo is left
  int remind_after_days = 7;     // until it is reminded; less than the term itself
  // Days set equal to a holiday by decree (Algemene termijnenwet, art. 3, third paragraph).
  std::vector<absl::CivilDay> equal_days;
};

// A group of people that can be named as recipient of a photo.
struct Unit {
  std::string id;
  std::string name;
  bool may_see_photos = false;
};

enum class GuidelineScope { kIncidentLocation, kSeveral, kAllMunicipal };

// One line of the guideline: what goes with a ground.
struct Ground {
  std::string id;
  std::string name;
  Measure measure = Measure::kNone;
  GuidelineScope scope = GuidelineScope::kIncidentLocation;
  Role decided_by = Role::kNone;  // kMunicipalSecretary or kBoardSecretariat
  bool advice_needed = false;     // the secretary advises before the board decides
  // Terms in whole months.
  int first_min_months = 0;
  int first_max_months = 0;
  int repeat_min_months = 0;
  int repeat_max_months = 0;
};

struct Criterion {
  std::string id;
  std::string text;
};

struct PhotoSource {
  std::string id;
  std::string name;
  bool allowed = false;
};

struct LegalBasis {
  std::string id;
  std::string name;
};

// Everything a municipality may want to change. Made by config::ParseMunicipality, which checks it whole.
struct Municipality {
  std::string name;
  std::vector<Location> locations;
  std::vector<Unit> units;
  std::vector<Ground> grounds;
  std::vector<Criterion> criteria;
  std::vector<PhotoSource> sources;
  std::vector<LegalBasis> legal_bases;
  std::string instruction;  // on use, destruction and deletion of photos
  // Read aloud to a banned person who is to leave, in Dutch; these words go on record. At most 500
  // characters.
  std::string demand = "Ik vorder u dit gebouw nu te verlaten.";
  std::string phone;  // of Toezicht en Veiligheid, for who is in doubt; may be empty
  absl::Duration confirm_within = absl::Hours(24 * 21);  // a denial on the spot lapses after this
  int alert_max_days = 90;
  // How long a file is kept after its ban was closed, because a later offence counts the earlier; and whether
  // it has to be handed over to the archive or case system before it is destroyed.
  int file_keep_months = 24;
  bool file_hand_over = false;
  // How often one person, or one workplace, may check or see a photo in an hour.
  int checks_per_hour = 600;
  int photos_per_hour = 60;
  // The log: how long a closed year is kept (0: for ever), how often it is reviewed, how long the names of
  // staff are kept after their term, who cosigns it, and how many of them must.
  int log_keep_years = 0;
  int review_every_days = 183;  // BIO2 8.15.06: every half year
  int staff_names_keep_months = 24;
  std::vector<LogWitness> witnesses;
  int log_quorum = 0;
  absl::Duration log_witness_grace = absl::Minutes(15);
  bool release_waits_for_witnesses = true;
  SignalThresholds signals;
  Deadlines deadlines;
  // URI of this processing in the register of processing activities (Logboek Dataverwerkingen).
  std::string processing_activity;
  absl::Duration session_idle = absl::Minutes(10);
  absl::Duration session_max = absl::Hours(10);
  absl::Duration session_resume = absl::Hours(4);

  const Location* FindLocation(const std::string& id) const { return Find(locations, id); }
  const Unit* FindUnit(const std::string& id) const { return Find(units, id); }
  const Ground* FindGround(const std::string& id) const { return Find(grounds, id); }
  const PhotoSource* FindSource(const std::string& id) const { return Find(sources, id); }
  const LegalBasis* FindLegalBasis(const std::string& id) const { return Find(legal_bases, id); }

  // True when the location is known and may be told about bans: a third party only with a recorded basis.
  // Where this is false a check cannot be answered; "no ban found" would be a lie.
  bool Serves(const std::string& location_id) const;
  // True when the location is open at that moment, or keeps no hours; unknown locations are open.
  bool IsOpen(const std::string& location_id, absl::Time at) const;
  // True when a ban of this scope holds at the location.
  bool Covers(const Scope& scope, const std::string& location_id) const;

 private:
  template <class T>
  static const T* Find(const std::vector<T>& all, const std::string& id) {
    for (const T& one : all) {
      if (one.id == id) return &one;
    }
    return nullptr;
  }
};

}  // namespace waarborg::domain

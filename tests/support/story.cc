// SPDX-License-Identifier: EUPL-1.2
#include "tests/support/story.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/support/portrait.h"

namespace waarborg::testing {
namespace {

client::Reply Check(client::Reply reply, const std::string& person, const std::string& command) {
  if (!reply.ok()) {
    std::fprintf(stderr, "story: %s: %s: %s%s %s %s\n", person.c_str(), command.c_str(),
                 reply.usage_error.c_str(), reply.error.rule().c_str(), reply.error.detail.field().c_str(),
                 reply.error.detail.message().c_str());
    std::exit(1);
  }
  return reply;
}

}  // namespace

client::Reply Must(Town& town, const std::string& person, const std::string& station,
                   const std::string& command,
                   const std::vector<std::pair<std::string, std::string>>& options) {
  return Check(town.Run(person, station, command, options), person, command);
}

std::string ActiveBan(Town& town, const BanSpec& spec) {
  const auto proposed = Must(town, "teamleider", "kantoor-1", "ban propose",
                             {{"given", spec.given},
                              {"prefix", "de"},
                              {"surname", spec.surname},
                              {"born", spec.born},
                              {"established", "yes"},
                              {"ground", "fysiek-medewerker"},
                              {"measure", "access-ban"},
                              {"where", "gemeentehuis,sporthal"},
                              {"from", spec.from},
                              {"until", spec.until},
                              {"reasons", "Heeft een baliemedewerker geduwd."},
                              {"department", "sport"},
                              {"channels", "telefoon en post"}});
  const std::string ban = proposed.FindFact("id").value_or("");
  Must(town, "secretaris", "kantoor-1", "ban advise", {{"ban", ban}, {"advice", "Drie maanden."}});
  Must(town, "collegesecretariaat", "kantoor-1", "ban approve",
       {{"ban", ban}, {"number", "2026-1"}, {"date", spec.from}});
  return ban;
}

std::string PortraitFile(const Town& town, int portrait) {
  const std::string path = absl::StrCat(town.folder(), "/portrait-", portrait, ".jpg");
  std::ofstream(path, std::ios::binary) << PortraitJpeg(portrait);
  return path;
}

void SupplyPhoto(Town& town, const std::string& ban, int portrait) {
  Must(town, "teamleider", "kantoor-1", "photo inform",
       {{"ban", ban}, {"how", "letter"}, {"on", "2026-03-02"}});
  Must(town, "toezicht", "kantoor-1", "photo request", {{"ban", ban}});
  client::Arguments consent;
  consent.Add("ban", ban);
  consent.Add("basis", "avg-6-1-e");
  for (const char* criterion : {"noodzaak", "evenredig", "geinformeerd"}) {
    consent.Add("answer", absl::StrCat(criterion, "|yes|Toegelicht."));
  }
  Check(town.Run("teamleider", "kantoor-1", "photo consent", consent), "teamleider", "photo consent");
  Must(town, "burgerzaken", "kantoor-1", "photo supply",
       {{"ban", ban},
        {"file", PortraitFile(town, portrait)},
        {"source", "reisdocument"},
        {"basis", "avg-6-1-e"},
        {"basis-checked", "yes"},
        {"person-checked", "yes"},
        {"photo-checked", "yes"}});
}

void ReleasePhoto(Town& town, const std::string& ban, int portrait) {
  SupplyPhoto(town, ban, portrait);
  Must(town, "toezicht", "kantoor-1", "photo release", {{"ban", ban}, {"to", "receptie"}});
  Must(town, "receptie", "receptie-1", "instruction acknowledge", {});
}

}  // namespace waarborg::testing

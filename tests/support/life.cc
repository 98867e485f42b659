// SPDX-License-Identifier: EUPL-1.2
#include "tests/support/life.h"

#include <initializer_list>
#include <utility>

namespace waarborg::testing {

client::Arguments ArgumentsOf(const std::string& command, const Subject& subject, const std::string& key) {
  client::Arguments arguments;
  const auto add = [&](std::initializer_list<std::pair<const char*, std::string>> options) {
    for (const auto& [name, value] : options) {
      if (!value.empty()) arguments.Add(name, value);
    }
  };
  add({{"key", key}});
  if (command == "ban propose") {
    add({{"given", "Jan"},
         {"surname", subject.surname},
         {"born", "1985-03-12"},
         {"established", "yes"},
         {"ground", "fysiek-medewerker"},
         {"measure", "access-ban"},
         {"where", "gemeentehuis"},
         {"from", subject.from},
         {"until", subject.until},
         {"departure", subject.departure},
         {"reasons", "Heeft een baliemedewerker geduwd."},
         {"department", "sport"},
         {"channels", "telefoon"}});
    return arguments;
  }
  add({{"ban", subject.ban}});
  if (command == "ban advise") add({{"advice", "Drie maanden."}});
  if (command == "ban approve") add({{"number", "2026-1"}, {"date", subject.from}});
  if (command == "photo inform") add({{"how", "letter"}, {"on", subject.from}});
  if (command == "photo consent") {
    add({{"basis", "avg-6-1-e"}});
    for (const char* criterion : {"noodzaak", "evenredig", "geinformeerd"})
      arguments.Add("answer", std::string(criterion) + "|yes|Toegelicht.");
  }
  if (command == "photo supply") {
    add({{"file", subject.portrait},
         {"source", "reisdocument"},
         {"basis", "avg-6-1-e"},
         {"basis-checked", "yes"},
         {"person-checked", "yes"},
         {"photo-checked", "yes"}});
  }
  if (command == "photo release") add({{"to", "receptie"}});
  if (command == "photo darken" || command == "photo restore" || command == "photo wrong")
    add({{"reason", "Proef."}});
  if (command == "photo objection") add({{"upheld", "yes"}, {"reasons", "Proef."}});
  if (command == "report") add({{"outcome", "left"}});
  if (command == "ban lift") add({{"number", "2026-2"}, {"date", subject.from}, {"reason", "Proef."}});
  if (command == "ban extend") {
    add({{"number", "2026-3"}, {"date", subject.from}, {"until", subject.until}, {"reason", "Proef."}});
  }
  return arguments;
}

client::Reply RunOn(client::Connection& connection, const std::string& command,
                    const client::Arguments& arguments) {
  client::Call call{connection, arguments, client::Language::kEnglish};
  return client::FindCommand(command)->run(call);
}

bool Unanswered(const client::Reply& reply) {
  return !reply.ok() && reply.error.detail.rule().empty();
}

}  // namespace waarborg::testing

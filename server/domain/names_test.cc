// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <random>

#include "server/domain/match.h"

namespace waarborg::domain {
namespace {

constexpr Grade kExact = Grade::kExact, kPossible = Grade::kPossible, kNo = Grade::kNone;

struct Person {
  PersonName name;
  BirthDate born;
};

struct Pair {
  const char* what;
  Person known;
  Person asked;
  Grade typed;
  Grade on_document;  // the same names read from a machine-readable zone
};

constexpr BirthDate kBorn{1985, 3, 12};

// Pairs that must and must not match. `known` is the person concerned, `asked` the visitor.
const Pair kPairs[] = {
    {"the same",
     {{"Jan Pieter", "de", "Vries"}, kBorn},
     {{"Jan Pieter", "de", "Vries"}, kBorn},
     kExact,
     kExact},
    {"capitals do not count",
     {{"Jan Pieter", "de", "Vries"}, kBorn},
     {{"JAN PIETER", "DE", "VRIES"}, kBorn},
     kExact,
     kExact},
    {"prefix in the surname field",
     {{"Jan", "de", "Vries"}, kBorn},
     {{"Jan", "", "de Vries"}, kBorn},
     kExact,
     kExact},
    {"prefix left out", {{"Jan", "de", "Vries"}, kBorn}, {{"Jan", "", "Vries"}, kBorn}, kExact, kExact},
    {"prefix only asked", {{"Jan", "", "Vries"}, kBorn}, {{"Jan", "de", "Vries"}, kBorn}, kExact, kExact},
    {"another prefix is another name, perhaps",
     {{"Jan", "van den", "Berg"}, kBorn},
     {{"Jan", "van der", "Berg"}, kBorn},
     kPossible,
     kPossible},
    {"several prefixes",
     {{"Jan", "van der", "Berg"}, kBorn},
     {{"Jan", "", "van der Berg"}, kBorn},
     kExact,
     kExact},
    {"apostrophe", {{"Jan", "in 't", "Veld"}, kBorn}, {{"Jan", "", "in t Veld"}, kBorn}, kExact, kExact},
    {"typographic apostrophe",
     {{"Jan", "in ’t", "Veld"}, kBorn},
     {{"Jan", "in 't", "Veld"}, kBorn},
     kExact,
     kExact},
    {"d' before a name", {{"Anna", "", "d'Hont"}, kBorn}, {{"Anna", "", "dHont"}, kBorn}, kExact, kExact},
    {"diacritics typed plainly",
     {{"Gül", "", "Gündoğan"}, kBorn},
     {{"Gul", "", "Gundogan"}, kBorn},
     kExact,
     kExact},
    {"diacritics only asked",
     {{"Gul", "", "Gundogan"}, kBorn},
     {{"Gül", "", "GÜNDOĞAN"}, kBorn},
     kExact,
     kExact},
    {"u-umlaut as ue",
     {{"Jürgen", "", "Müller"}, kBorn},
     {{"JUERGEN", "", "MUELLER"}, kBorn},
     kExact,
     kExact},
    {"o-slash as oe", {{"Søren", "", "Ørsted"}, kBorn}, {{"SOEREN", "", "OERSTED"}, kBorn}, kExact, kExact},
    {"o-slash as o", {{"Søren", "", "Ørsted"}, kBorn}, {{"SOREN", "", "ORSTED"}, kBorn}, kExact, kExact},
    {"a-ring as aa", {{"Åsa", "", "Ångström"}, kBorn}, {{"AASA", "", "AANGSTROEM"}, kBorn}, kExact, kExact},
    {"sharp s", {{"Hans", "", "Groß"}, kBorn}, {{"HANS", "", "GROSS"}, kBorn}, kExact, kExact},
    {"n-tilde as nxx", {{"Ana", "", "Muñoz"}, kBorn}, {{"ANA", "", "MUNXXOZ"}, kBorn}, kExact, kExact},
    {"dotless i", {{"Işıl", "", "Yıldız"}, kBorn}, {{"ISIL", "", "YILDIZ"}, kBorn}, kExact, kExact},
    {"dotted capital I",
     {{"İbrahim", "", "Şimşek"}, kBorn},
     {{"Ibrahim", "", "Simsek"}, kBorn},
     kExact,
     kExact},
    {"Polish l", {{"Paweł", "", "Wałęsiak"}, kBorn}, {{"PAWEL", "", "WALESIAK"}, kBorn}, kExact, kExact},
    {"letters with separate marks",
     {{"Zoe\u0308", "", "Bos"}, kBorn},
     {{"Zoë", "", "Bos"}, kBorn},
     kExact,
     kExact},
    {"ij and y", {{"Gijs", "", "Dijkstra"}, kBorn}, {{"Gys", "", "Dykstra"}, kBorn}, kExact, kExact},
    {"ij as one letter", {{"Gĳs", "van", "Dĳk"}, kBorn}, {{"Gijs", "van", "Dijk"}, kBorn}, kExact, kExact},
    {"y with diaeresis", {{"Gijs", "van", "Dÿk"}, kBorn}, {{"Gijs", "van", "Dijk"}, kBorn}, kExact, kExact},
    {"hyphen and space",
     {{"Anne-Marie", "", "Jansen-Bakker"}, kBorn},
     {{"Anne Marie", "", "Jansen Bakker"}, kBorn},
     kExact,
     kExact},
    {"partners' names the other way round",
     {{"Anna", "", "Jansen-de Vries"}, kBorn},
     {{"Anna", "de", "Vries-Jansen"}, kBorn},
     kExact,
     kExact},
    {"partners' names the other way round, no prefix",
     {{"Anna", "", "Jansen-Bakker"}, kBorn},
     {{"Anna", "", "Bakker-Jansen"}, kBorn},
     kExact,
     kExact},
    {"one partner's name only",
     {{"Anna", "", "Jansen-de Vries"}, kBorn},
     {{"Anna", "", "Jansen"}, kBorn},
     kPossible,
     kPossible},
    {"two-letter surname", {{"Minh", "", "Ly"}, kBorn}, {{"Minh", "", "LY"}, kBorn}, kExact, kExact},
    {"a surname that is also a prefix",
     {{"Thi", "", "Le"}, kBorn},
     {{"Thi", "", "Le"}, kBorn},
     kExact,
     kExact},
    {"two-letter surnames are not near", {{"Minh", "", "Ly"}, kBorn}, {{"Minh", "", "Le"}, kBorn}, kNo, kNo},

    {"one of two given names",
     {{"Jan Pieter", "de", "Vries"}, kBorn},
     {{"Jan", "de", "Vries"}, kBorn},
     kPossible,
     kPossible},
    {"an initial", {{"Jan Pieter", "de", "Vries"}, kBorn}, {{"J.P.", "de", "Vries"}, kBorn}, kPossible, kNo},
    {"one initial",
     {{"Jan Pieter", "de", "Vries"}, kBorn},
     {{"J.", "de", "Vries"}, kBorn},
     kPossible,
     kPossible},
    {"no given name", {{"Jan", "de", "Vries"}, kBorn}, {{"", "de", "Vries"}, kBorn}, kPossible, kPossible},
    {"a call name is not on the document",
     {{"Johannes", "de", "Vries"}, kBorn},
     {{"Hans", "de", "Vries"}, kBorn},
     kPossible,
     kNo},
    {"twins: the document settles it",
     {{"Emma", "", "Smit"}, kBorn},
     {{"Sofie", "", "Smit"}, kBorn},
     kPossible,
     kNo},
    {"a name alone",
     {{"Jan Pieter", "de", "Vries"}, kBorn},
     {{"Jan Pieter", "de", "Vries"}, {}},
     kPossible,
     kPossible},
    {"a surname alone",
     {{"Jan Pieter", "de", "Vries"}, kBorn},
     {{"", "de", "Vries"}, {}},
     kPossible,
     kPossible},
    {"a name alone, other given names",
     {{"Jan Pieter", "de", "Vries"}, kBorn},
     {{"Kees", "de", "Vries"}, {}},
     kNo,
     kNo},

    {"day and month swapped",
     {{"Jan", "de", "Vries"}, {1985, 3, 12}},
     {{"Jan", "de", "Vries"}, {1985, 12, 3}},
     kPossible,
     kPossible},
    {"one digit of the year",
     {{"Jan", "de", "Vries"}, kBorn},
     {{"Jan", "de", "Vries"}, {1986, 3, 12}},
     kPossible,
     kPossible},
    {"one digit of the day",
     {{"Jan", "de", "Vries"}, kBorn},
     {{"Jan", "de", "Vries"}, {1985, 3, 13}},
     kPossible,
     kPossible},
    {"two digits is another date",
     {{"Jan", "de", "Vries"}, kBorn},
     {{"Jan", "de", "Vries"}, {1985, 4, 13}},
     kNo,
     kNo},
    {"near date and other given name",
     {{"Jan", "de", "Vries"}, kBorn},
     {{"Kees", "de", "Vries"}, {1985, 3, 13}},
     kNo,
     kNo},
    {"another date", {{"Jan", "de", "Vries"}, kBorn}, {{"Jan", "de", "Vries"}, {1971, 11, 30}}, kNo, kNo},
    {"day unknown in the file",
     {{"Jan", "de", "Vries"}, {1985, 3, 0}},
     {{"Jan", "de", "Vries"}, kBorn},
     kPossible,
     kPossible},
    {"only the year known in the file",
     {{"Jan", "de", "Vries"}, {1985, 0, 0}},
     {{"Jan", "de", "Vries"}, kBorn},
     kPossible,
     kPossible},
    {"only the year known, another year",
     {{"Jan", "de", "Vries"}, {1985, 0, 0}},
     {{"Jan", "de", "Vries"}, {1986, 3, 12}},
     kNo,
     kNo},
    {"unknown on both sides",
     {{"Jan", "de", "Vries"}, {1985, 0, 0}},
     {{"Jan", "de", "Vries"}, {1985, 0, 0}},
     kPossible,
     kPossible},

    {"a letter missing in a longer name",
     {{"Jan", "", "Janssen"}, kBorn},
     {{"Jan", "", "Jansen"}, kBorn},
     kPossible,
     kPossible},
    {"two letters swapped",
     {{"Jan", "", "Bakker"}, kBorn},
     {{"Jan", "", "Bakekr"}, kBorn},
     kPossible,
     kPossible},
    {"near surname and near date is too far",
     {{"Jan", "", "Janssen"}, kBorn},
     {{"Jan", "", "Jansen"}, {1985, 3, 13}},
     kNo,
     kNo},
    {"near surname without a date is too far",
     {{"Jan", "", "Janssen"}, kBorn},
     {{"Jan", "", "Jansen"}, {}},
     kNo,
     kNo},
    {"near surname and another given name",
     {{"Jan", "", "Janssen"}, kBorn},
     {{"Kees", "", "Jansen"}, kBorn},
     kNo,
     kNo},
    {"two letters in a short name", {{"Jan", "", "Bos"}, kBorn}, {{"Jan", "", "Bal"}, kBorn}, kNo, kNo},
    {"Muller is near Mueller, not the same",
     {{"Jan", "", "Muller"}, kBorn},
     {{"Jan", "", "Mueller"}, kBorn},
     kPossible,
     kPossible},
    {"another person", {{"Jan", "de", "Vries"}, kBorn}, {{"Piet", "", "Bakker"}, {1990, 1, 1}}, kNo, kNo},
    {"the same day, another person",
     {{"Jan", "de", "Vries"}, kBorn},
     {{"Jan", "", "Bakker"}, kBorn},
     kNo,
     kNo},
};

TEST(Names, PairsThatMustAndMustNotMatch) {
  for (const Pair& pair : kPairs) {
    const Known known{FoldName(pair.known.name), pair.known.born, true};
    Query query{FoldName(pair.asked.name), pair.asked.born, false, false};
    EXPECT_EQ(Compare(query, known), pair.typed) << pair.what << " (typed)";
    query.from_document = true;
    EXPECT_EQ(Compare(query, known), pair.on_document) << pair.what << " (document)";
  }
}

TEST(Names, AnIdentityNotEstablishedIsNeverMoreThanPossible) {
  const FoldedName name = FoldName({"Jan", "de", "Vries"});
  EXPECT_EQ(Compare({name, kBorn, true, false}, {name, kBorn, false}), Grade::kPossible);
}

TEST(Names, ATruncatedDocumentNameIsNeverMoreThanPossible) {
  const FoldedName known = FoldName({"Maximiliaan Alexander", "", "Wolkenkrabbermaker"});
  const FoldedName cut = FoldName({"Maximiliaan Alexan", "", "Wolkenkrabbermaker"});
  EXPECT_EQ(Compare({cut, kBorn, true, true}, {known, kBorn, true}), Grade::kPossible);
}

TEST(Names, HostileTextFoldsToSomethingHarmless) {
  EXPECT_EQ(Fold(""), "");
  EXPECT_EQ(Fold("\xFF\xFE\x80"), Fold("\xFF\xFE\x80"));
  EXPECT_EQ(Fold("  --''.. "), "");
  EXPECT_EQ(Fold("<script>"), "script");
  const std::string many(10000, 'a');
  EXPECT_EQ(Fold(many), many);
}

// The index must answer as the comparison does, for every pair of the table.
TEST(Names, PlainLettersFoldAsAnyOther) {
  // A mark after the last letter sends the text through the general folding, which drops it.
  std::mt19937 dice(7);
  for (int i = 0; i < 20000; ++i) {
    std::string text(dice() % 24, ' ');
    for (char& c : text) c = i % 2 == 0 ? static_cast<char>(1 + dice() % 127) : "ijIJy '.-`"[dice() % 10];
    EXPECT_EQ(Fold(text), Fold(text + "\xCC\x81")) << testing::PrintToString(text);
  }
}

TEST(Names, ANameSaidAsOneIsReadInEachWay) {
  using N = PersonName;
  EXPECT_EQ(ReadingsOf("Vries"), (std::vector<N>{{"", "", "Vries"}}));
  EXPECT_EQ(ReadingsOf(" Jan  de Vries "), (std::vector<N>{{"", "", "Jan de Vries"},
                                                           {"Jan", "", "de Vries"},
                                                           {"de Vries", "", "Jan"},
                                                           {"Jan de", "", "Vries"},
                                                           {"Vries", "", "Jan de"}}));
  EXPECT_EQ(ReadingsOf("Vries, Jan Pieter van de"), (std::vector<N>{{"Jan Pieter", "van de", "Vries"}}));
  // A prefix is a given name where nothing else is left to be one; a comma alone tells nothing apart.
  EXPECT_EQ(ReadingsOf("Vries, De"), (std::vector<N>{{"De", "", "Vries"}}));
  EXPECT_EQ(ReadingsOf("Vries,"), (std::vector<N>{{"", "", "Vries"}}));
  for (const char* nothing : {"", "   ", ",", ", ,", "a b c d e f g h i j k l m"})
    EXPECT_TRUE(ReadingsOf(nothing).empty()) << nothing;
  EXPECT_EQ(ReadingsOf("a b c d e f g h i j k l").size(), 23u);
}

TEST(MatchIndex, FindsWhatTheComparisonFinds) {
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  for (const Pair& pair : kPairs) {
    MatchIndex index;
    Ban ban;
    ban.id = "LV-1";
    ban.state = BanState::kActive;
    ban.identity = {pair.known.name, {}, pair.known.born, true, ""};
    ban.scope.location_ids = {"here"};
    ban.starts_at = now;
    ban.ends_at = now + absl::Hours(1);
    index.Put(ban);
    const Query query{FoldName(pair.asked.name), pair.asked.born, false, false};
    const auto hits = index.Find("here", true, query, now);
    const Grade found = hits.empty() ? Grade::kNone : hits.front().grade;
    EXPECT_EQ(found, pair.typed) << pair.what;
    EXPECT_TRUE(index.Find("elsewhere", true, query, now).empty()) << pair.what;
    EXPECT_TRUE(index.Find("here", true, query, ban.ends_at).empty()) << pair.what;
    EXPECT_TRUE(index.Find("here", true, query, now - absl::Seconds(1)).empty()) << pair.what;
    ban.state = BanState::kLifted;
    index.Put(ban);
    EXPECT_TRUE(index.Find("here", true, query, now).empty()) << pair.what;
  }
}

// The index against looking at everybody: names and dates close to one another, partly unknown, with
// prefixes, partners' names and letters that documents write in two ways.
TEST(MatchIndex, FindsExactlyWhomAComparisonWithEverybodyFinds) {
  const char* const surnames[] = {"Vries",
                                  "de Vries",
                                  "Vreis",
                                  "Bosch",
                                  "Bosch-Vries",
                                  "Gündoğan",
                                  "Gundogan",
                                  "Guendogan",
                                  "IJsselmeer",
                                  "Ysselmeer",
                                  "Van den Bergh",
                                  "Bergh",
                                  "Li",
                                  "Le",
                                  "Björk",
                                  "Bjoerk",
                                  "Oosterhout van de",
                                  "Oosterhuit",
                                  "Vriesbosch Bergh",
                                  "Osterhout"};
  const char* const givens[] = {"Jan", "Jan Pieter", "Pieter", "J", "", "Jana", "Müge", "Muege"};
  std::mt19937 dice(11);
  auto pick = [&](auto& list) { return list[dice() % std::size(list)]; };
  auto date = [&] {
    BirthDate d{static_cast<int>(1980 + dice() % 4 * (dice() % 3 == 0 ? 10 : 1)),
                static_cast<int>(1 + dice() % 12), static_cast<int>(1 + dice() % 12)};
    if (dice() % 8 == 0) d.day = 0;
    if (dice() % 12 == 0) d.month = d.day = 0;
    if (dice() % 20 == 0) d = {};
    return d;
  };
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  MatchIndex index;
  std::vector<Ban> bans;
  for (int i = 0; i < 1500; ++i) {
    Ban ban;
    ban.id = "LV-" + std::to_string(i);
    ban.state = BanState::kActive;
    ban.identity = {{pick(givens), "", pick(surnames)}, {}, date(), dice() % 5 != 0, ""};
    if (dice() % 6 == 0) ban.identity.other_names.push_back({"", "", pick(surnames)});
    ban.scope.location_ids = {"here", "here"};
    ban.scope.all_municipal = dice() % 3 == 0;
    ban.starts_at = now;
    ban.ends_at = now + absl::Hours(1);
    index.Put(ban);
    bans.push_back(ban);
  }
  // Some go again, some change.
  for (int i = 0; i < 300; ++i) {
    Ban& ban = bans[dice() % bans.size()];
    if (i % 2 == 0) ban.state = BanState::kLifted;
    ban.identity.birth_date = date();
    index.Put(ban);
  }
  int exact = 0, possible = 0;
  for (int i = 0; i < 3000; ++i) {
    // Half of them somebody who is in the index.
    const Identity& known = bans[dice() % bans.size()].identity;
    const bool somebody = i % 2 == 0;
    const Query query{FoldName(somebody ? known.name : PersonName{pick(givens), "", pick(surnames)}),
                      somebody ? known.birth_date : date(), dice() % 2 == 0, dice() % 7 == 0};
    std::map<std::string, Grade> expected;
    for (const Ban& ban : bans) {
      if (!IsEnforceable(ban.state)) continue;
      std::vector<PersonName> names = {ban.identity.name};
      for (PersonName other : ban.identity.other_names) {
        other.given_names = ban.identity.name.given_names;
        names.push_back(other);
      }
      for (const PersonName& name : names) {
        const Grade g = Compare(query, {FoldName(name), ban.identity.birth_date, ban.identity.established});
        if (g != Grade::kNone) expected[ban.id] = std::max(expected[ban.id], g);
      }
    }
    const bool certain = std::any_of(expected.begin(), expected.end(),
                                     [](const auto& e) { return e.second == Grade::kExact; });
    if (certain) std::erase_if(expected, [](const auto& e) { return e.second != Grade::kExact; });
    std::map<std::string, Grade> found;
    for (const Hit& hit : index.Find("here", true, query, now)) found[hit.ban_id] = hit.grade;
    ASSERT_EQ(found, expected) << "query " << i;
    (certain ? exact : possible) += !expected.empty();
  }
  EXPECT_GT(exact, 100);
  EXPECT_GT(possible, 1000);
}

TEST(MatchIndex, EarlierNamesAndAliasesCount) {
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  MatchIndex index;
  Ban ban;
  ban.id = "LV-1";
  ban.state = BanState::kActive;
  ban.identity = {{"Anna", "", "Bakker"}, {{"", "van", "Dalen"}, {"Annie", "", "Bakker"}}, kBorn, true, ""};
  ban.scope = {true, {}};
  ban.starts_at = now;
  ban.ends_at = now + absl::Hours(1);
  index.Put(ban);
  for (const PersonName& name : {PersonName{"Anna", "van", "Dalen"}, PersonName{"Annie", "", "Bakker"}}) {
    const auto hits = index.Find("any", true, {FoldName(name), kBorn, false, false}, now);
    ASSERT_EQ(hits.size(), 1u);
    EXPECT_EQ(hits[0].grade, Grade::kExact);
  }
  EXPECT_TRUE(index.Find("any", false, {FoldName({"Anna", "", "Bakker"}), kBorn, false, false}, now).empty());
}

}  // namespace
}  // namespace waarborg::domain

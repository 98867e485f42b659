// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/domain/types.h"

namespace waarborg::domain {

// A name folded for comparison. Case and diacritics are gone; ij, y and their ligatures are one letter;
// hyphens are spaces; apostrophes and points are gone. Letters that documents transliterate in more than one
// way (U-umlaut as U or UE, A-ring as A or AA, O-slash as O or OE) give a second variant.
struct FoldedName {
  // Surname without prefixes, its words in alphabetical order (partners' names stand in both orders), per
  // variant.
  std::vector<std::string> surname;
  // The same words apart, of every variant.
  std::vector<std::string> surname_words;
  // The words as written, prefixes left out, first variant; for names that a document cuts off.
  std::string in_order;
  std::string prefix;
  // Given names in order, per variant; the variants have equally many words.
  std::vector<std::vector<std::string>> given;
};

// The first variant of a text folded as above, its words separated by one space.
std::string Fold(std::string_view utf8);

FoldedName FoldName(const PersonName& name);

// The ways in which a name can be read that somebody said or typed as one: given names first, or surname
// first; with a comma only "surname, given names". Empty when it holds no word, or more than kMaxWordsOfName.
inline constexpr size_t kMaxWordsOfName = 12;
std::vector<PersonName> ReadingsOf(std::string_view full_name);

// How sure a match is. Surname and date alone are never certain.
enum class Grade {
  kNone,
  kPossible,  // ask for a document
  kExact,     // same full names, same complete date of birth
};

// Who is asked about.
struct Query {
  FoldedName name;
  BirthDate birth_date;
  bool from_document = false;   // full official names: other given names settle it
  bool name_truncated = false;  // a document's name field was full: names may be cut off
};

// A name of a person concerned with their date of birth.
struct Known {
  FoldedName name;
  BirthDate birth_date;
  bool established = true;  // an identity not established is never more than possible
};

// False when no comparison of these dates ends in anything but kNone, whatever the names.
bool DatesMayAgree(const BirthDate& a, const BirthDate& b);

// The one comparison of people. Table of pairs that must and must not match: tests beside this file.
Grade Compare(const Query& query, const Known& known);

}  // namespace waarborg::domain

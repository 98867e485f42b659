// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "audit/opening.h"
#include "audit/result.h"

// The certificate of a destruction (verklaring van vernietiging, Archiefbesluit 1995 art. 8): what was
// destroyed, on which ground, when, by which process and in which way, in Dutch, with the entry of the log
// that says so and the proof that it stands there.
namespace waarborg::audit {

// What the record of a destruction says, for people: lines of UTF-8 that each end in a newline. `origin` and
// `index` are where its proof finds it. It names nobody. What the record leaves open is said to be not
// recorded, and of the key's home the less favourable is then assumed.
//
// An error when the record is not that of a destruction that was done by itself ("PhotoDestroyed",
// "OrphanKeyDestroyed", "FileDestroyed"), lacks what a declaration cannot do without (what, ground, when), or
// holds a value that there are no words for.
//
// Words never change once they are handed out, or the certificates that hold them would be refused: other
// words are another format.
Result<std::string> Declaration(std::string_view record, std::string_view origin, uint64_t index);

// As a file:
//   waarborg/certificate@v1
//   (empty line)
//   the declaration
//   (empty line)
//   how to check it, the same in every certificate
//   (empty line)
//   an opening file, to the end
// All that stands before the opening follows from the opening, so it cannot say anything else than the record
// does. Whether the record is the entry, and who signed for that, is another question, as it is with any
// opening.
class Certificate {
 public:
  // Of the opening of a destruction's entry; an error as Declaration has it.
  static Result<Certificate> Of(OpeningFile opening);
  // In one spelling only, down to the byte.
  static Result<Certificate> Parse(std::string_view bytes);

  std::string Text() const;
  const OpeningFile& opening() const { return opening_; }
  const std::string& declaration() const { return declaration_; }

 private:
  Certificate(OpeningFile opening, std::string declaration)
      : opening_(std::move(opening)), declaration_(std::move(declaration)) {}

  OpeningFile opening_;
  std::string declaration_;
};

}  // namespace waarborg::audit

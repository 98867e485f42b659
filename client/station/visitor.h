// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>

#include "waarborg/v1/checks.pb.h"

namespace waarborg::station {

// Reads the one field of the desk: the machine-readable zone of a document as a scanner types it, or a name
// with or without a date of birth, in any order: "Jansen 12-03-1985", "Jan de Vries 1985", "12 maart 1985 de
// Vries, Jan", "12031985 Jansen". Empty, or what is wrong with it, in Dutch. Fills `visitor` of the request.
std::string ReadVisitor(const std::string& typed, v1::CheckVisitorRequest& request);

// "tel:0885550123" for "088 555 01 23"; empty for what cannot be dialled, such as an internal extension in
// words.
std::string TelephonePath(const std::string& number);

}  // namespace waarborg::station

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>

namespace waarborg::testing {

// A drawn face, the same for the same number and plainly another for another: nobody real. 826 x 1062 pixels,
// JPEG with metadata or PNG.
std::string PortraitJpeg(int number);
std::string PortraitPng(int number);

// Files that must be refused, by name: text, truncated-jpeg, truncated-png, trailing, too-many-pixels,
// too-large, too-small, disguised (a PDF called .jpg), empty. Empty string for an unknown name.
std::string BadPhoto(const std::string& name);

}  // namespace waarborg::testing

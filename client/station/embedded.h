// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <span>
#include <string_view>

// Files that are part of the program: templates, assets, translations. Made by embed.cmake from what stands
// in the folders, so that a station is one file that cannot be half renewed.
namespace waarborg::station {

struct EmbeddedFile {
  std::string_view path;  // "templates/desk.mustache", "assets/station.css", "translations/en.mo"
  std::string_view bytes;
};

// In order of path.
std::span<const EmbeddedFile> EmbeddedFiles();
// The bytes; ends the program when there is no such file, for that is a mistake in the program.
std::string_view Embedded(std::string_view path);

}  // namespace waarborg::station

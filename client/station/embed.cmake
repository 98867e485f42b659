# SPDX-License-Identifier: EUPL-1.2
# Writes OUT, a C++ file that holds the files of FILES ("name=path;...") as parts of the program.
set(body "// Made by embed.cmake.\n#include \"client/station/embedded.h\"\n\n#include <cstdlib>\n#include <iterator>\n\n")
set(table "")
set(i 0)
list(SORT FILES)
foreach(entry IN LISTS FILES)
  string(REGEX MATCH "^([^=]*)=(.*)$" _ "${entry}")
  set(name "${CMAKE_MATCH_1}")
  set(path "${CMAKE_MATCH_2}")
  string(APPEND body
         "__asm__(\".section .rodata\\n.global wb_file_${i}\\n.global wb_file_${i}_end\\nwb_file_${i}:\\n.incbin \\\"${path}\\\"\\nwb_file_${i}_end:\\n.previous\\n\");\nextern \"C\" const char wb_file_${i}[], wb_file_${i}_end[];\n")
  string(APPEND table
         "      {\"${name}\", {wb_file_${i}, static_cast<size_t>(wb_file_${i}_end - wb_file_${i})}},\n")
  math(EXPR i "${i} + 1")
endforeach()
string(APPEND body "
namespace waarborg::station {

std::span<const EmbeddedFile> EmbeddedFiles() {
  static const EmbeddedFile files[] = {
${table}  };
  return files;
}

std::string_view Embedded(std::string_view path) {
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (file.path == path) return file.bytes;
  }
  std::abort();
}

}  // namespace waarborg::station
")
file(WRITE "${OUT}" "${body}")

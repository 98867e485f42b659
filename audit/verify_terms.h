// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/result.h"

// What the parts of waarborg-verify share: how it speaks, how it ends, and the files it reads and writes.
namespace waarborg::audit {

// How the program ends; said in its help and its manual page.
inline constexpr int kGood = 0;
inline constexpr int kNotGood = 1;
inline constexpr int kNotChecked = 2;
inline constexpr int kUsage = 64;

// A line on standard error, with the program's name.
void Say(const std::string& line);
// What is checked comes from strangers: their text must not steer a terminal, look like a line of ours, or
// turn the order of what is read. Every byte of such a character becomes \xNN.
std::string Shown(std::string_view text);
// A line on standard output: name and value.
void Line(const char* name, const std::string& value);
std::string Plural(uint64_t n, const char* one, const char* many);
std::string Size(const Checkpoint& c);
std::string Root(const Checkpoint& c);
std::string UtcTime(uint64_t seconds);
// A key as its signature lines name it: NAME+8 digits.
std::string Short(const VerifierKey& key);
// "cannot open PATH: why", from errno.
std::string Reason(const char* doing, const std::string& path);

// Reads at most `size` bytes; -1 with errno.
ssize_t ReadUpTo(int fd, char* bytes, size_t size);
// A file of at most 4 MiB.
Result<std::string> ReadFile(const std::string& path);
// A new file that only its owner reads, durably; says why not, or nothing.
std::string WriteNewFile(const std::string& path, const char* bytes, size_t size);

// What a check has found; the last line says which of the three it is.
struct Outcome {
  std::vector<std::string> problems;
  std::vector<std::string> unchecked;  // was asked for, and could not be checked

  int code() const { return !problems.empty() ? kNotGood : !unchecked.empty() ? kNotChecked : kGood; }
};
// Prints it and returns its code.
int Conclude(const Outcome& outcome);

}  // namespace waarborg::audit

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>

#include "absl/strings/str_cat.h"

// What the house stands on: a raw disk of its own, and a token.
namespace waarborg::drill {

// Ends the program with a message.
[[noreturn]] void Fail(const std::string& what);
// A line of progress, on stderr.
void Say(const std::string& line);
// Runs a shell command; ends the program with what it said when it fails.
void Shell(const std::string& command);

// A file as a disk, with ext4 on it, mounted without discard: what is freed keeps its bytes, as on most
// disks. Fails when this machine cannot mount it.
class Disk {
 public:
  Disk(std::string image, std::string mount_point, int mebibytes);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  const std::string& image() const { return image_; }
  const std::string& mount_point() const { return mount_point_; }
  // The bytes of the disk as they are, in a file of their own.
  void CopyTo(const std::string& path) const;
  // Everything the file system holds back goes to the disk.
  void Sync() const;
  // Hands every free block to the disk to discard.
  void Trim() const;
  void Unmount();

 private:
  std::string image_;
  std::string mount_point_;
  bool mounted_ = false;
};

// Takes the files out of an image, without changing it: `path` of it, into the folder `to`. `scratch` is room
// for a copy of the image and for mounting it.
void Extract(const std::string& image, const std::string& path, const std::string& to,
             const std::string& scratch);

// A SoftHSM token in a folder of its own, in place of a device.
inline constexpr char kTokenModule[] = "/usr/lib/softhsm/libsofthsm2.so";
inline constexpr char kTokenLabel[] = "Waarborg drill";
inline constexpr char kTokenInstance[] = "drill";
inline constexpr char kTokenPin[] = "73105524";
void MakeToken(const std::string& folder);
// The token that this process, from its next connection on, and its children see.
void UseToken(const std::string& folder);
// Another token with the same objects, to be tried out.
void CopyToken(const std::string& from, const std::string& to);

}  // namespace waarborg::drill

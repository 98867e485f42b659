// SPDX-License-Identifier: EUPL-1.2
#include "tests/drill/disk.h"

#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "tests/support/town.h"

namespace waarborg::drill {
namespace {

void Configure(const std::string& folder) {
  std::ofstream(folder + "/softhsm2.conf")
      << "directories.tokendir = " << folder << "/tokens\nobjectstore.backend = file\nlog.level = ERROR\n";
}

}  // namespace

void Fail(const std::string& what) {
  std::fprintf(stderr, "drill: %s\n", what.c_str());
  std::exit(1);
}

void Say(const std::string& line) {
  std::fprintf(stderr, "drill: %s\n", line.c_str());
}

void Shell(const std::string& command) {
  const std::string said = testing::Output(absl::StrCat("{ ", command, "; } 2>&1 || echo FAILED"));
  if (said.ends_with("FAILED\n")) Fail(absl::StrCat(command, ": ", said));
}

Disk::Disk(std::string image, std::string mount_point, int mebibytes)
    : image_(std::move(image)), mount_point_(std::move(mount_point)) {
  Shell(absl::StrCat("truncate -s ", mebibytes, "M ", image_, " && mkfs.ext4 -q -b 4096 -F ", image_,
                     " && mkdir -p ", mount_point_));
  const std::string said = testing::Output(
      absl::StrCat("{ mount -o loop,nodiscard ", image_, " ", mount_point_, "; } 2>&1 || echo FAILED"));
  if (said.ends_with("FAILED\n")) {
    Fail(absl::StrCat(
        "this machine cannot mount an image (root and a loop device are needed), and without the raw disk "
        "there is "
        "no drill: ",
        said));
  }
  mounted_ = true;
}

Disk::~Disk() {
  if (mounted_) umount2(mount_point_.c_str(), MNT_DETACH);
}

void Disk::CopyTo(const std::string& path) const {
  Shell(absl::StrCat("cp --sparse=always ", image_, " ", path));
}

void Disk::Sync() const {
  Shell("sync -f " + mount_point_);
}

void Disk::Trim() const {
  Shell("fstrim " + mount_point_);
}

void Disk::Unmount() {
  if (umount(mount_point_.c_str()) != 0)
    Fail(absl::StrCat("cannot unmount ", mount_point_, ": ", std::strerror(errno)));
  mounted_ = false;
}

void Extract(const std::string& image, const std::string& path, const std::string& to,
             const std::string& scratch) {
  const std::string copy = scratch + "/extract.img", point = scratch + "/extract";
  Shell(absl::StrCat("mkdir -p ", point, " && cp --sparse=always ", image, " ", copy,
                     " && mount -o loop,nodiscard ", copy, " ", point));
  const std::string said = testing::Output(absl::StrCat("cp -a ", point, "/", path, " ", to));
  Shell(absl::StrCat("umount ", point, " && rm ", copy));
  if (!said.empty()) Fail(said);
}

void MakeToken(const std::string& folder) {
  Shell(absl::StrCat("mkdir -p ", folder, "/tokens && test -e ", kTokenModule));
  Configure(folder);
  UseToken(folder);
  Shell(absl::StrCat("softhsm2-util --init-token --free --label '", kTokenLabel, "' --so-pin 12344321 --pin ",
                     kTokenPin));
}

void UseToken(const std::string& folder) {
  setenv("SOFTHSM2_CONF", (folder + "/softhsm2.conf").c_str(), 1);
}

void CopyToken(const std::string& from, const std::string& to) {
  Shell(absl::StrCat("rm -rf ", to, " && cp -a ", from, " ", to));
  Configure(to);
}

}  // namespace waarborg::drill

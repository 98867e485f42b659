// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <string>

namespace waarborg::base {

// Room on the disk, and a piece of it set aside so that what must go on when the disk is full can go on. Used
// by one thread.
class Room {
 public:
  virtual ~Room() = default;
  // Whether there is room for everyday work. Cheap: asked before every batch. Where a piece could not be set
  // aside before and can be now, it is.
  virtual bool Enough() = 0;
  // Gives the piece set aside free, for the destruction of keys and nothing else.
  virtual void Release() = 0;
  // Sets it aside again, when there is room for it.
  virtual void Hold() = 0;
};

// The disk under `folder`. Enough means that `keep_free` bytes are left besides the piece set aside (16 MiB,
// in a file named reserve).
class DiskRoom : public Room {
 public:
  DiskRoom(std::string folder, int64_t keep_free) : folder_(std::move(folder)), keep_free_(keep_free) {}
  bool Enough() override;
  void Release() override;
  void Hold() override;

 protected:
  // Bytes that may be written; nothing when that cannot be told, which counts as none.
  virtual int64_t Free() const;

 private:
  std::string folder_;
  int64_t keep_free_;
  bool held_ = false;
};

}  // namespace waarborg::base

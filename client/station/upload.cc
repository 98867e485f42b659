// SPDX-License-Identifier: EUPL-1.2
#include "client/station/upload.h"

#include <utility>

#include "server/base/hex.h"
#include "server/base/secret.h"

namespace waarborg::station {

HeldPicture::~HeldPicture() {
  base::Wipe(bytes);
}

void UploadPlace::Put(std::shared_ptr<const HeldPicture> upload) {
  const std::lock_guard lock(mutex_);
  upload_ = std::move(upload);
  name_.clear();
  until_ = now_() + kStays;
}

std::shared_ptr<const HeldPicture> UploadPlace::For(const std::string& ban_id) {
  const std::lock_guard lock(mutex_);
  SweepLocked();
  return upload_ != nullptr && upload_->ban_id == ban_id ? upload_ : nullptr;
}

std::string UploadPlace::NewName(base::Random& random) {
  const std::lock_guard lock(mutex_);
  SweepLocked();
  name_ = upload_ == nullptr ? "" : base::ToHex(random.Bytes(16));
  return name_;
}

std::shared_ptr<const HeldPicture> UploadPlace::Named(const std::string& name) {
  const std::lock_guard lock(mutex_);
  SweepLocked();
  return !name_.empty() && base::ConstantTimeEquals(name, name_) ? upload_ : nullptr;
}

void UploadPlace::Clear() {
  const std::lock_guard lock(mutex_);
  upload_.reset();
  name_.clear();
}

void UploadPlace::Sweep() {
  const std::lock_guard lock(mutex_);
  SweepLocked();
}

void UploadPlace::SweepLocked() {
  if (upload_ == nullptr || now_() <= until_) return;
  upload_.reset();
  name_.clear();
}

}  // namespace waarborg::station

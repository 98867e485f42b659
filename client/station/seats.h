// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "client/core/connection.h"
#include "client/station/upload.h"
#include "server/base/random.h"
#include "waarborg/v1/changes.pb.h"
#include "waarborg/v1/sessions.pb.h"

// Who sits where: the sessions of the browsers beside this station. In memory only; a restart ends them here,
// and the core ends its own.
namespace waarborg::station {

// One person in one browser. The members that change are under `mutex`.
struct Seat {
  Seat(client::Connection c, v1::Session s) : connection(std::move(c)), session(std::move(s)) {}
  ~Seat();

  const client::Connection connection;  // with the session of this person
  const v1::Session session;            // as it was at sign-in
  // Tells this seat's event streams that it has ended.
  bool ended() const;

  // A message for the next page this person sees, in their language; taken when shown.
  void Tell(std::string notice);
  std::string TakeNotice();

  // Keeps one photo, to be fetched once, within half a minute; an earlier one is wiped. Returns the name
  // under which it is fetched.
  std::string HoldPhoto(std::string jpeg, base::Random& random);
  // The photo, which is then no longer here; empty when it was fetched, or its time has passed.
  std::string TakePhoto(const std::string& name);
  // A picture that this person is about to supply.
  UploadPlace& upload() { return upload_; }
  // Wipes what has had its time.
  void Sweep();

 private:
  friend class Seats;
  using Clock = std::chrono::steady_clock;
  mutable std::mutex mutex_;
  std::string notice_;
  std::string photo_name_, photo_;
  Clock::time_point photo_until_;
  UploadPlace upload_;
  Clock::time_point used_ = Clock::now();
  bool ended_ = false;
};

// All of them, by the secret in the browser's cookie. Safe from any thread.
class Seats {
 public:
  explicit Seats(base::Random& random) : random_(random) {}

  // Takes a seat; returns the secret for the cookie, 32 random bytes in hexadecimal.
  std::string Take(std::shared_ptr<Seat> seat);
  // Null when there is none, or it has ended. Counts as use.
  std::shared_ptr<Seat> Find(const std::string& secret);
  // Ends it here; the core is told by whoever asks for it.
  void Leave(const std::string& secret);
  // Ends what the core has ended by itself by now, and wipes what is overdue. To be called every second.
  void Sweep();

 private:
  base::Random& random_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Seat>> seats_;
};

}  // namespace waarborg::station

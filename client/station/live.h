// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "client/core/connection.h"
#include "client/station/http.h"
#include "waarborg/v1/checks.pb.h"

// What a page is told while it stands open: server-sent events, each with a fragment of a template.
//   list    the people banned here, as desk_list.mustache shows them; after every change
//   state   "ok" or "cannot-check"; at once, and whenever it changes
//   ended   the session is over: the page goes dark
namespace waarborg::station {

class Visit;

// The live list of one seat, from one stream of the core: for all pages of that seat, and for a little while
// after the last of them closed, because opening a stream shows everybody on it anew, each an entry in the
// log. Safe from any thread.
class DeskWatch {
 public:
  // How long it goes on without a page that listens.
  static constexpr auto kLingers = std::chrono::seconds(60);

  explicit DeskWatch(client::Connection connection);
  // Ends the stream.
  ~DeskWatch();
  DeskWatch(const DeskWatch&) = delete;
  DeskWatch& operator=(const DeskWatch&) = delete;

  struct News {
    uint64_t version = 0;   // of all of this; grows with every change
    bool tried = false;     // the core answered, or could not
    bool watching = false;  // the core tells of every change: the list is true now
    bool ended = false;     // the session is over
    std::shared_ptr<const v1::WatchDeskResponse> list;  // null while there is none that is true
  };
  // What there is, at once when it is newer than `version`, else after at most `limit`.
  News After(uint64_t version, std::chrono::milliseconds limit);

  void PageOpens();
  void PageCloses();
  // Nobody listened for so long that it can go.
  bool unheard() const;

 private:
  void Read();

  const client::Connection connection_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  News news_;
  int pages_ = 0;
  std::chrono::steady_clock::time_point last_heard_ = std::chrono::steady_clock::now();
  grpc::ClientContext* context_ = nullptr;  // of the stream that is open
  bool stop_ = false;
  std::thread reader_;
};

// The stream for the person of this visit; ends with the connection, or with the session. With `desk` it
// holds the live list.
std::shared_ptr<EventStream> Watch(const Visit& visit, bool desk);

// One event as it goes over the line.
std::string Event(std::string_view name, std::string_view text);

}  // namespace waarborg::station

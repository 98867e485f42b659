// SPDX-License-Identifier: EUPL-1.2
#include "client/station/live.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/station/desk.h"
#include "client/station/station.h"
#include "waarborg/v1/checks.grpc.pb.h"

namespace waarborg::station {
namespace {

// How long to wait before the core is asked again after it broke off, and after it refused: each refusal is
// an entry in its log.
constexpr auto kAgain = std::chrono::milliseconds(500);
constexpr auto kAfterRefusal = std::chrono::milliseconds(30000);
// How often a page without a list, or waiting for one, looks whether the core still answers.
constexpr auto kLook = std::chrono::milliseconds(100);

class Watching : public EventStream {
 public:
  Watching(const Visit& visit, bool desk)
      : station_(visit.station),
        words_(visit.words),
        seat_(visit.seat),
        watch_(desk ? visit.seat->Watch() : nullptr) {
    if (watch_ != nullptr) watch_->PageOpens();
  }
  ~Watching() override {
    if (watch_ != nullptr) watch_->PageCloses();
  }

  bool Next(std::chrono::milliseconds limit, std::string& out) override {
    const auto until = std::chrono::steady_clock::now() + limit;
    for (;;) {
      if (over_) return false;
      if (seat_->ended() || news_.ended) {
        over_ = true;
        out = Event("ended", "");
        return true;
      }
      const bool beats = station_.pulse().beats();
      // Until the core was heard, a list that is not there yet is no reason to alarm anybody.
      const bool known = watch_ == nullptr || news_.tried || !beats;
      const bool ok = beats && (watch_ == nullptr || news_.watching);
      // A list is only true while the core says so: first the state, then the list.
      if (known && told_ != ok) {
        told_ = ok;
        out = Event("state", ok ? "ok" : "cannot-check");
        // The page took its list away; it gets it again.
        if (!ok) shown_ = nullptr;
        return true;
      }
      if (ok && watch_ != nullptr && news_.list != nullptr && shown_ != news_.list) {
        shown_ = news_.list;
        out = Event("list", DeskListView(*shown_, words_).Render("desk_list", words_));
        return true;
      }
      if (std::chrono::steady_clock::now() >= until) return true;
      if (watch_ != nullptr) {
        news_ = watch_->After(news_.version, kLook);
      } else {
        std::this_thread::sleep_for(kLook);
      }
    }
  }

 private:
  Station& station_;
  const Words& words_;
  const std::shared_ptr<Seat> seat_;
  const std::shared_ptr<DeskWatch> watch_;  // null without a list
  DeskWatch::News news_;
  std::shared_ptr<const pb::WatchDeskResponse> shown_;
  std::optional<bool> told_;  // the state last sent
  bool over_ = false;
};

}  // namespace

DeskWatch::DeskWatch(client::Connection connection)
    : connection_(std::move(connection)), reader_([this] { Read(); }) {}

DeskWatch::~DeskWatch() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    if (context_ != nullptr) context_->TryCancel();
  }
  changed_.notify_all();
  reader_.join();
}

DeskWatch::News DeskWatch::After(uint64_t version, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, limit, [&] { return news_.version > version || stop_; });
  return news_;
}

void DeskWatch::PageOpens() {
  const std::lock_guard lock(mutex_);
  ++pages_;
}
void DeskWatch::PageCloses() {
  const std::lock_guard lock(mutex_);
  --pages_;
  last_heard_ = std::chrono::steady_clock::now();
}
bool DeskWatch::unheard() const {
  const std::lock_guard lock(mutex_);
  return pages_ == 0 && std::chrono::steady_clock::now() - last_heard_ > kLingers;
}

void DeskWatch::Read() {
  const auto stub = pb::CheckService::NewStub(connection_.channel());
  for (;;) {
    grpc::ClientContext context;
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
      context_ = &context;
    }
    connection_.PrepareStanding(context);
    const auto stream = stub->WatchDesk(&context, {});
    pb::WatchDeskResponse response;
    while (stream->Read(&response)) {
      auto list = std::make_shared<const pb::WatchDeskResponse>(response);
      const std::lock_guard lock(mutex_);
      news_ = {news_.version + 1, true, true, false, std::move(list)};
      changed_.notify_all();
    }
    const grpc::Status status = stream->Finish();
    std::unique_lock lock(mutex_);
    context_ = nullptr;
    const bool ended = status.error_code() == grpc::StatusCode::UNAUTHENTICATED;
    news_ = {news_.version + 1, true, false, ended, nullptr};
    changed_.notify_all();
    if (ended || stop_) return;
    // What the core refused it explains; everything else is a line that broke.
    const bool refused = !client::ErrorFrom(status).detail.rule().empty();
    changed_.wait_for(lock, refused ? kAfterRefusal : kAgain, [this] { return stop_; });
  }
}

std::string Event(std::string_view name, std::string_view text) {
  std::string out = absl::StrCat("event: ", std::string(name), "\n");
  for (absl::string_view line : absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    absl::StrAppend(&out, "data: ", line, "\n");
  }
  return out + "\n";
}

std::shared_ptr<EventStream> Watch(const Visit& visit, bool desk) {
  return std::make_shared<Watching>(visit, desk);
}

}  // namespace waarborg::station

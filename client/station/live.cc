// SPDX-License-Identifier: EUPL-1.2
#include "client/station/live.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/station/desk.h"
#include "client/station/station.h"
#include "server/base/secret.h"
#include "waarborg/v1/checks.grpc.pb.h"

namespace waarborg::station {
namespace {

// How long to wait before the core is asked again after it broke off, and after it refused: each refusal is
// an entry in its log.
constexpr auto kAgain = std::chrono::milliseconds(500);
constexpr auto kAfterRefusal = std::chrono::seconds(30);

class Watching : public EventStream {
 public:
  Watching(const Visit& visit, bool desk) : station_(visit.station), words_(visit.words), seat_(visit.seat) {
    if (desk) reader_ = std::thread([this] { Read(); });
  }

  ~Watching() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
      if (context_ != nullptr) context_->TryCancel();
    }
    changed_.notify_all();
    if (reader_.joinable()) reader_.join();
  }

  bool Next(std::chrono::milliseconds limit, std::string& out) override {
    std::unique_lock lock(mutex_);
    const auto until = std::chrono::steady_clock::now() + limit;
    for (;;) {
      if (over_) return false;
      if (ended_ || seat_->ended()) {
        over_ = true;
        out = Event("ended", "");
        return true;
      }
      // A list is only true while the core says so: first the state, then the list.
      const bool ok = station_.pulse().beats() && (!reader_.joinable() || watching_);
      if (told_ != ok && (ok || !reader_.joinable() || tried_ || !station_.pulse().beats())) {
        told_ = ok;
        out = Event("state", ok ? "ok" : "cannot-check");
        return true;
      }
      if (ok && list_) {
        out = Event("list", *list_);
        base::Wipe(*list_);
        list_.reset();
        return true;
      }
      if (std::chrono::steady_clock::now() >= until) return true;
      changed_.wait_for(lock, std::chrono::milliseconds(50));
    }
  }

 private:
  // Keeps the newest list, until the session ends or nobody listens any more.
  void Read() {
    const auto stub = pb::CheckService::NewStub(seat_->connection.channel());
    for (;;) {
      grpc::ClientContext context;
      {
        const std::lock_guard lock(mutex_);
        if (stop_) return;
        context_ = &context;
      }
      seat_->connection.PrepareStanding(context);
      const auto stream = stub->WatchDesk(&context, {});
      pb::WatchDeskResponse response;
      while (stream->Read(&response)) {
        std::string html = DeskListView(response, words_).Render("desk_list", words_);
        const std::lock_guard lock(mutex_);
        watching_ = tried_ = true;
        list_ = std::move(html);
        changed_.notify_all();
      }
      const grpc::Status status = stream->Finish();
      std::unique_lock lock(mutex_);
      context_ = nullptr;
      watching_ = false;
      tried_ = true;
      if (status.error_code() == grpc::StatusCode::UNAUTHENTICATED) ended_ = true;
      changed_.notify_all();
      if (ended_ || stop_) return;
      // What the core refused it explains; everything else is a line that broke.
      const bool refused = !client::ErrorFrom(status).detail.rule().empty();
      changed_.wait_for(lock, refused ? std::chrono::milliseconds(kAfterRefusal) : kAgain,
                        [this] { return stop_; });
    }
  }

  Station& station_;
  const Words& words_;
  const std::shared_ptr<Seat> seat_;
  std::mutex mutex_;
  std::condition_variable changed_;
  grpc::ClientContext* context_ = nullptr;  // of the stream that is open
  std::optional<std::string> list_;         // not sent yet
  std::optional<bool> told_;                // the state last sent
  bool watching_ = false;                   // the core tells of every change
  bool tried_ = false;                      // it did, or could not
  bool stop_ = false, ended_ = false, over_ = false;
  std::thread reader_;
};

}  // namespace

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

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "server/rpc/server.h"

// Streams that say how something stands, and again each time that it changes, for as long as the caller may
// know: a list beside a desk.
//
// What such a stream says goes the way of every answer: it is put together in a turn of the journal, at which
// the right is looked at anew, and leaves when the entries of that turn are durable. Between two turns the
// stream costs a look-up. One message is under way at a time; whoever reads slowly gets the newest state when
// the last one has gone, and never what lay between. Everything here happens on the polling thread.
namespace waarborg::rpc {

// What one stream is about, and what it has said of it.
template <class Req, class Res>
class View {
 public:
  virtual ~View() = default;
  // Puts together how things stand at this turn, and notes the entries of what is said for the first time.
  // Leaves `news` false when all of it was said before.
  virtual domain::Verdict Look(Context& c, const Req& in, Res& out, bool& news) = 0;
  // Whether a look might bring news: true when in doubt. Cheap, for it is asked of every stream.
  virtual bool MayHaveChanged(const state::World& world, absl::Time now) const = 0;
};

template <class Req, class Res>
class WatchCall final : public Tag, public Watcher {
 public:
  using RequestFn = std::function<void(grpc::ServerContext*, Req*, grpc::ServerAsyncWriter<Res>*, void*)>;
  using NewView = std::function<std::unique_ptr<View<Req, Res>>()>;

  static void Arm(Server& server, access::Rpc rpc, RequestFn request, NewView new_view) {
    auto* call = new WatchCall(server, rpc, std::move(request), std::move(new_view));
    call->context_.AsyncNotifyWhenDone(&call->over_);
    call->request_(&call->context_, &call->in_, &call->writer_, call);
  }

  void Proceed(bool ok) override {
    switch (state_) {
      case State::kWaiting:
        if (!ok) {
          delete this;  // nobody called; of that nothing more is heard
          return;
        }
        if (!server_.stopping()) Arm(server_, rpc_, request_, new_view_);
        credentials_ = server_.CredentialsOf(context_);
        begun_ = true;
        if (auto refused = server_.WatchBegins(this, credentials_.key_fingerprint)) {
          Finish(ToStatus(refused));
          return;
        }
        LookAgain();
        return;
      case State::kWriting:
        state_ = State::kIdle;
        if (!ok || gone_) {
          Finish(grpc::Status::CANCELLED);
        } else if (ending_) {
          Finish(ToStatus(ending_));
        }
        return;
      case State::kFinishing:
        finished_ = true;
        DeleteWhenOver();
        return;
      case State::kIdle:
      case State::kLooking:
        return;  // nothing of theirs comes by here
    }
  }

  void Look(const Moment& moment) override {
    if (state_ == State::kFinishing) return;
    domain::Verdict over = moment.over;
    if (!over) {
      access::Asker asker;
      over = access::Recognise(moment.world, credentials_, access::Caller::kRole, moment.now, asker);
    }
    if (over && !ending_) ending_ = over;
    if (state_ == State::kWriting) {
      // What is under way was allowed when it was said; but a reader that does not read holds nobody up.
      const auto waited = moment.clock - writing_since_;
      if (waited > kSlowestReader || (ending_ && waited > kSlowestEnd)) context_.TryCancel();
    } else if (state_ == State::kIdle && ending_) {
      Finish(ToStatus(ending_));
    } else if (state_ == State::kIdle && view_->MayHaveChanged(moment.world, moment.now)) {
      LookAgain();
    }
  }

 private:
  enum class State { kWaiting, kLooking, kIdle, kWriting, kFinishing };
  static constexpr std::chrono::seconds kSlowestReader{30};
  static constexpr std::chrono::seconds kSlowestEnd{1};

  // Comes back once when the call is over, also when the caller went away in between.
  class Over final : public Tag {
   public:
    Over(Server& server, WatchCall& call) : Tag(server.tags_alive()), call_(call) {}
    void Proceed(bool) override { call_.IsOver(); }

   private:
    WatchCall& call_;
  };

  WatchCall(Server& server, access::Rpc rpc, RequestFn request, NewView new_view)
      : Tag(server.tags_alive()),
        server_(server),
        rpc_(rpc),
        request_(std::move(request)),
        new_view_(std::move(new_view)),
        view_(new_view_()),
        over_(server, *this),
        writer_(&context_) {}
  ~WatchCall() override {
    if (begun_) server_.WatchEnds(this);
  }

  void LookAgain() {
    state_ = State::kLooking;
    auto body = [this](Context& c) {
      out_.Clear();
      news_ = false;
      return view_->Look(c, in_, out_, news_);
    };
    auto done = [this](domain::Verdict verdict) {
      writing_since_ = std::chrono::steady_clock::now();
      if (gone_) {
        Finish(grpc::Status::CANCELLED);
      } else if (verdict || ending_) {
        Finish(ToStatus(verdict ? verdict : ending_));
      } else if (news_) {
        state_ = State::kWriting;
        writer_.Write(out_, this);
      } else {
        state_ = State::kIdle;
      }
    };
    if (std::exchange(first_, false)) {
      server_.core().Run(rpc_, credentials_, body, done);
    } else {
      server_.core().GoOn(rpc_, credentials_, body, done);
    }
  }
  void Finish(const grpc::Status& status) {
    state_ = State::kFinishing;
    writer_.Finish(status, this);
  }
  void IsOver() {
    gone_ = true;
    if (state_ == State::kIdle) Finish(grpc::Status::CANCELLED);
    DeleteWhenOver();
  }
  void DeleteWhenOver() {
    if (gone_ && finished_) delete this;
  }

  Server& server_;
  access::Rpc rpc_;
  RequestFn request_;
  NewView new_view_;
  std::unique_ptr<View<Req, Res>> view_;
  Over over_;
  grpc::ServerContext context_;
  Req in_;
  Res out_;
  grpc::ServerAsyncWriter<Res> writer_;
  access::Credentials credentials_;
  State state_ = State::kWaiting;
  bool begun_ = false, first_ = true, news_ = false, gone_ = false, finished_ = false;
  domain::Verdict ending_;
  std::chrono::steady_clock::time_point writing_since_;
};

}  // namespace waarborg::rpc

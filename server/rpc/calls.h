// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/rpc/server.h"
#include "server/rpc/watching.h"
#include "server/rpc/wipe.h"

// The kinds of calls as state machines on the completion queue. Each deletes itself after its last event.
namespace waarborg::rpc {

// Request in, response out.
template <class Req, class Res>
class UnaryCall final : public Tag {
 public:
  using RequestFn =
      std::function<void(grpc::ServerContext*, Req*, grpc::ServerAsyncResponseWriter<Res>*, void*)>;
  // Must lead to exactly one call of `done`, on any thread.
  using Handler = std::function<void(const access::Credentials&, const Req&, Res*, Done done)>;

  static void Arm(Server& server, RequestFn request, Handler handler) {
    auto* call = new UnaryCall(server, std::move(request), std::move(handler));
    call->request_(&call->context_, &call->in_, &call->writer_, call);
  }

  ~UnaryCall() override {
    if (finishing_) server_.CallEnds();
    WipeSecrets(in_);
    WipeSecrets(out_);
  }

  void Proceed(bool ok) override {
    if (finishing_ || !ok) {
      delete this;
      return;
    }
    if (!server_.stopping()) Arm(server_, request_, handler_);
    finishing_ = true;
    if (!server_.CallBegins()) {
      writer_.FinishWithError(ToStatus(domain::Refusal(domain::Rule::kStopping)), this);
      return;
    }
    handler_(server_.CredentialsOf(context_), in_, &out_, [this](domain::Verdict verdict) {
      if (verdict) {
        writer_.FinishWithError(ToStatus(verdict), this);
      } else {
        writer_.Finish(out_, grpc::Status::OK, this);
      }
    });
  }

 private:
  UnaryCall(Server& server, RequestFn request, Handler handler)
      : Tag(server.tags_alive()),
        server_(server),
        request_(std::move(request)),
        handler_(std::move(handler)),
        writer_(&context_) {}

  Server& server_;
  RequestFn request_;
  Handler handler_;
  grpc::ServerContext context_;
  Req in_;
  Res out_;
  grpc::ServerAsyncResponseWriter<Res> writer_;
  bool finishing_ = false;
};

// Request in, bytes out in pieces: for photos. `Res` has a bytes field `chunk`.
template <class Req, class Res>
class BytesOutCall final : public Tag {
 public:
  using RequestFn = std::function<void(grpc::ServerContext*, Req*, grpc::ServerAsyncWriter<Res>*, void*)>;
  // Must lead to exactly one call of `done` after `*bytes` was filled, on any thread.
  using Handler = std::function<void(const access::Credentials&, const Req&, std::string* bytes, Done done)>;
  static constexpr size_t kChunk = size_t{64} * 1024;

  static void Arm(Server& server, RequestFn request, Handler handler) {
    auto* call = new BytesOutCall(server, std::move(request), std::move(handler));
    call->request_(&call->context_, &call->in_, &call->writer_, call);
  }

  ~BytesOutCall() override {
    if (state_ != State::kWaiting) server_.StreamEnds(&context_);
    base::Wipe(bytes_);
  }

  void Proceed(bool ok) override {
    if (state_ == State::kWaiting) {
      if (!ok) {
        delete this;
        return;
      }
      if (!server_.stopping()) Arm(server_, request_, handler_);
      const access::Credentials credentials = server_.CredentialsOf(context_);
      if (auto refused = server_.StreamBegins(&context_, credentials.key_fingerprint)) {
        Finish(ToStatus(refused));
        return;
      }
      state_ = State::kWriting;
      handler_(credentials, in_, &bytes_, [this](domain::Verdict verdict) {
        if (verdict) {
          Finish(ToStatus(verdict));
        } else {
          WriteNext();
        }
      });
    } else if (state_ == State::kWriting) {
      if (ok) {
        WriteNext();
      } else {
        Finish(grpc::Status::CANCELLED);
      }
    } else {
      delete this;
    }
  }

 private:
  enum class State { kWaiting, kWriting, kFinishing };

  BytesOutCall(Server& server, RequestFn request, Handler handler)
      : Tag(server.tags_alive()),
        server_(server),
        request_(std::move(request)),
        handler_(std::move(handler)),
        writer_(&context_) {}

  void WriteNext() {
    if (at_ >= bytes_.size()) {
      Finish(grpc::Status::OK);
      return;
    }
    Res piece;
    piece.set_chunk(bytes_.substr(at_, kChunk));
    at_ += kChunk;
    writer_.Write(piece, this);
  }
  void Finish(const grpc::Status& status) {
    state_ = State::kFinishing;
    writer_.Finish(status, this);
  }

  Server& server_;
  RequestFn request_;
  Handler handler_;
  grpc::ServerContext context_;
  Req in_;
  grpc::ServerAsyncWriter<Res> writer_;
  std::string bytes_;
  size_t at_ = 0;
  State state_ = State::kWaiting;
};

// A first message, then bytes in pieces, then a response: for supplying a photo. `Req` has a oneof of
// `approval` and `chunk`.
template <class Req, class Res>
class BytesInCall final : public Tag {
 public:
  using RequestFn = std::function<void(grpc::ServerContext*, grpc::ServerAsyncReader<Res, Req>*, void*)>;
  // Looks at the first message; a refusal ends the call before a single byte of the file is taken in.
  using First = std::function<void(const access::Credentials&, const Req& first, Done done)>;
  // The whole file. Must lead to exactly one call of `done`.
  using Handler =
      std::function<void(const access::Credentials&, const Req& first, std::string bytes, Res*, Done done)>;

  static void Arm(Server& server, RequestFn request, First first, Handler handler, size_t max_bytes) {
    auto* call = new BytesInCall(server, std::move(request), std::move(first), std::move(handler), max_bytes);
    call->request_(&call->context_, &call->reader_, call);
  }

  ~BytesInCall() override {
    if (counted_) server_.UploadEnds();
    if (state_ != State::kWaiting) server_.StreamEnds(&context_);
    base::Wipe(bytes_);
  }

  void Proceed(bool ok) override {
    switch (state_) {
      case State::kWaiting:
        if (!ok) {
          delete this;
          return;
        }
        if (!server_.stopping()) Arm(server_, request_, on_first_, handler_, max_bytes_);
        credentials_ = server_.CredentialsOf(context_);
        if (auto refused = server_.StreamBegins(&context_, credentials_.key_fingerprint)) {
          Fail(*refused);
          return;
        }
        state_ = State::kReadingFirst;
        reader_.Read(&first_, this);
        return;
      case State::kReadingFirst:
        if (!ok || !first_.has_approval()) {
          Fail(domain::Refusal(domain::Rule::kFieldMissing, "approval"));
          return;
        }
        state_ = State::kReading;
        on_first_(credentials_, first_, [this](domain::Verdict verdict) {
          if (verdict) {
            Fail(*verdict);
            return;
          }
          // Memory is set aside only for those who may supply.
          counted_ = true;
          if (server_.UploadBegins()) {
            reader_.Read(&piece_, this);
          } else {
            Fail(domain::Rule::kBusy);
          }
        });
        return;
      case State::kReading:
        if (!ok && server_.live_streams().WasCancelled(&context_)) {
          Fail(domain::Rule::kBusy);  // nobody hears it any more
          return;
        }
        if (ok && piece_.has_approval()) {
          Fail(domain::Refusal(domain::Rule::kFieldInvalid, "approval"));
        } else if (ok) {
          bytes_ += piece_.chunk();
          // Too much is enough: the handler refuses it, so that the refusal is logged.
          if (bytes_.size() <= max_bytes_) {
            reader_.Read(&piece_, this);
            return;
          }
        }
        if (!ok || bytes_.size() > max_bytes_) {
          state_ = State::kFinishing;
          handler_(credentials_, first_, std::move(bytes_), &out_, [this](domain::Verdict verdict) {
            if (verdict) {
              reader_.FinishWithError(ToStatus(verdict), this);
            } else {
              reader_.Finish(out_, grpc::Status::OK, this);
            }
          });
        }
        return;
      case State::kFinishing:
        delete this;
        return;
    }
  }

 private:
  enum class State { kWaiting, kReadingFirst, kReading, kFinishing };

  BytesInCall(Server& server, RequestFn request, First first, Handler handler, size_t max_bytes)
      : Tag(server.tags_alive()),
        server_(server),
        request_(std::move(request)),
        on_first_(std::move(first)),
        handler_(std::move(handler)),
        max_bytes_(max_bytes),
        reader_(&context_) {}

  void Fail(const domain::Refusal& refusal) {
    state_ = State::kFinishing;
    reader_.FinishWithError(ToStatus(refusal), this);
  }

  Server& server_;
  RequestFn request_;
  First on_first_;
  Handler handler_;
  size_t max_bytes_;
  grpc::ServerContext context_;
  grpc::ServerAsyncReader<Res, Req> reader_;
  access::Credentials credentials_;
  Req first_;
  Req piece_;
  Res out_;
  std::string bytes_;
  bool counted_ = false;
  State state_ = State::kWaiting;
};

// Binds the methods of one service. `ServiceT` is the generated AsyncService.
template <class ServiceT>
class Binder {
 public:
  Binder(Server& server, ServiceT* service) : server_(server), service_(service) {}

  template <class Req, class Res>
  using UnaryMethod = void (ServiceT::*)(grpc::ServerContext*, Req*, grpc::ServerAsyncResponseWriter<Res>*,
                                         grpc::CompletionQueue*, grpc::ServerCompletionQueue*, void*);
  template <class Req, class Res>
  using OutMethod = void (ServiceT::*)(grpc::ServerContext*, Req*, grpc::ServerAsyncWriter<Res>*,
                                       grpc::CompletionQueue*, grpc::ServerCompletionQueue*, void*);
  template <class Req, class Res>
  using InMethod = void (ServiceT::*)(grpc::ServerContext*, grpc::ServerAsyncReader<Res, Req>*,
                                      grpc::CompletionQueue*, grpc::ServerCompletionQueue*, void*);

  // A call that takes its own way.
  template <class Req, class Res>
  void Unary(access::Rpc rpc, UnaryMethod<Req, Res> method, typename UnaryCall<Req, Res>::Handler handler) {
    server_.MarkBound(rpc, [handler](const access::Credentials& who, std::string_view bytes, Done done) {
      auto in = std::make_shared<Req>();
      auto out = std::make_shared<Res>();
      if (!ParseLocal(bytes, *in, done)) return;
      handler(who, *in, out.get(), [in, out, done](domain::Verdict v) { done(std::move(v)); });
    });
    arms_.push_back([&server = server_, service = service_, method, handler = std::move(handler)] {
      auto request = [&server, service, method](auto* context, auto* in, auto* writer, void* tag) {
        (service->*method)(context, in, writer, server.queue(), server.queue(), tag);
      };
      UnaryCall<Req, Res>::Arm(server, request, handler);
    });
  }

  // A question: answered within its turn.
  template <class Req, class Res>
  void Query(access::Rpc rpc, UnaryMethod<Req, Res> method,
             std::function<domain::Verdict(Context&, const Req&, Res&)> body) {
    Unary<Req, Res>(rpc, method,
                    [rpc, body, &core = server_.core()](const access::Credentials& credentials, const Req& in,
                                                        Res* out, Done done) {
                      core.Run(
                          rpc, credentials, [body, &in, out](Context& c) { return body(c, in, *out); },
                          std::move(done));
                    });
  }

  // A command: with idempotency key and receipt.
  template <class Req, class Res>
  void Command(access::Rpc rpc, UnaryMethod<Req, Res> method,
               std::function<domain::Outcome<std::string>(Context&, const Req&, Res&)> body) {
    Unary<Req, Res>(rpc, method,
                    [rpc, body, &core = server_.core()](const access::Credentials& credentials, const Req& in,
                                                        Res* out, Done done) {
                      core.RunCommand(
                          rpc, credentials, {in.idempotency_key(), in.SerializeAsString()},
                          out->mutable_receipt(), [body, &in, out](Context& c) { return body(c, in, *out); },
                          std::move(done));
                    });
  }

  template <class Req, class Res>
  void BytesOut(access::Rpc rpc, OutMethod<Req, Res> method,
                typename BytesOutCall<Req, Res>::Handler handler) {
    server_.MarkBound(rpc, [handler](const access::Credentials& who, std::string_view bytes, Done done) {
      auto in = std::make_shared<Req>();
      auto out = std::make_shared<std::string>();
      if (!ParseLocal(bytes, *in, done)) return;
      handler(who, *in, out.get(), [in, out, done](domain::Verdict v) { done(std::move(v)); });
    });
    arms_.push_back([&server = server_, service = service_, method, handler = std::move(handler)] {
      auto request = [&server, service, method](auto* context, auto* in, auto* writer, void* tag) {
        (service->*method)(context, in, writer, server.queue(), server.queue(), tag);
      };
      BytesOutCall<Req, Res>::Arm(server, request, handler);
    });
  }

  // A stream that goes on until it is ended, each with a view of its own.
  template <class Req, class Res>
  void Watch(access::Rpc rpc, OutMethod<Req, Res> method, typename WatchCall<Req, Res>::NewView new_view) {
    server_.MarkBound(rpc, [rpc, new_view, &core = server_.core()](const access::Credentials& who,
                                                                   std::string_view bytes, Done done) {
      auto in = std::make_shared<Req>();
      auto out = std::make_shared<Res>();
      auto view = std::shared_ptr<View<Req, Res>>(new_view());
      if (!ParseLocal(bytes, *in, done)) return;
      core.Run(
          rpc, who,
          [in, out, view](Context& c) {
            bool news = false;
            return view->Look(c, *in, *out, news);
          },
          std::move(done));
    });
    arms_.push_back([&server = server_, service = service_, rpc, method, new_view] {
      auto request = [&server, service, method](auto* context, auto* in, auto* writer, void* tag) {
        (service->*method)(context, in, writer, server.queue(), server.queue(), tag);
      };
      WatchCall<Req, Res>::Arm(server, rpc, request, new_view);
    });
  }

  template <class Req, class Res>
  void BytesIn(access::Rpc rpc, InMethod<Req, Res> method, typename BytesInCall<Req, Res>::First first,
               typename BytesInCall<Req, Res>::Handler handler, size_t max_bytes) {
    server_.MarkBound(
        rpc, [first, handler](const access::Credentials& who, std::string_view bytes, Done done) {
          auto in = std::make_shared<Req>();
          auto out = std::make_shared<Res>();
          const size_t size = bytes.size() < 2 ? 0
                                               : static_cast<uint8_t>(bytes[0]) |
                                                     static_cast<size_t>(static_cast<uint8_t>(bytes[1])) << 8;
          bytes.remove_prefix(std::min<size_t>(2, bytes.size()));
          if (!ParseLocal(bytes.substr(0, size), *in, done)) return;
          std::string file(bytes.substr(std::min(size, bytes.size())));
          first(who, *in, [handler, who, in, out, file = std::move(file), done](domain::Verdict v) {
            if (v) {
              done(std::move(v));
            } else {
              handler(who, *in, file, out.get(), [in, out, done](domain::Verdict w) { done(std::move(w)); });
            }
          });
        });
    arms_.push_back([&server = server_, service = service_, method, first = std::move(first),
                     handler = std::move(handler), max_bytes] {
      auto request = [&server, service, method](auto* context, auto* reader, void* tag) {
        (service->*method)(context, reader, server.queue(), server.queue(), tag);
      };
      BytesInCall<Req, Res>::Arm(server, request, first, handler, max_bytes);
    });
  }

  template <class Req>
  static bool ParseLocal(std::string_view bytes, Req& in, const Done& done) {
    if (in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return true;
    done(domain::Refusal(domain::Rule::kFieldInvalid));
    return false;
  }

  Arm TakeArm() {
    return [arms = std::move(arms_)] {
      for (const Arm& arm : arms) arm();
    };
  }

 private:
  Server& server_;
  ServiceT* service_;
  std::vector<Arm> arms_;
};

}  // namespace waarborg::rpc

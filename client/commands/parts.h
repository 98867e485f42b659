// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "client/commands/command.h"
#include "waarborg/v1/bans.pb.h"
#include "waarborg/v1/common.pb.h"

// What the command files share: reading options into messages, and making replies of answers.
namespace waarborg::client {

namespace pb = ::waarborg::v1;

// Thrown by the readers below for an option that cannot be right; becomes the reply's usage_error.
struct BadOption {
  std::string what;
};

pb::Date ReadDate(const std::string& name, const std::string& text, bool parts_may_be_unknown);
google::protobuf::Timestamp ReadTime(const std::string& name, const std::string& text);
// "de Vries, Jan" is not read: given, prefix and surname are options of their own. Other names:
// "given|prefix|surname".
pb::Identity ReadIdentity(const Arguments& a);
bool HasIdentity(const Arguments& a);
pb::Scope ReadScope(const Arguments& a);
pb::Terms ReadTerms(const Arguments& a);
bool HasTerms(const Arguments& a);
// The option "purpose"; "none" for none.
pb::Purpose ReadPurpose(const Arguments& a, const std::string& otherwise);
std::string ReadFileBytes(const std::string& name, const std::string& path);
// Writes a file that this user alone can read. An existing one is replaced.
void WritePrivately(const std::string& name, const std::string& path, const std::string& bytes);
int ReadCount(const std::string& name, const std::string& text);
// The enumerator whose name ends in the word, "civil-affairs" for ROLE_CIVIL_AFFAIRS.
int ReadEnum(const std::string& name, const std::string& word, const google::protobuf::EnumDescriptor* type);
// The word for an enumerator: "civil-affairs".
std::string WordOf(const google::protobuf::EnumDescriptor* type, int value);
template <class E>
std::string Word(E value) {
  return WordOf(google::protobuf::GetEnumDescriptor<E>(), static_cast<int>(value));
}

// The same in the language of the screen: "vrijgegeven" for "released". Facts keep the English word.
std::string Shown(const Call& call, const std::string& word);

std::string Text(const pb::Date& date);                  // "2026-03-02"
std::string Text(const google::protobuf::Timestamp& t);  // "2026-03-02 14:05:09", local
std::string Text(const pb::PersonName& name);            // "Jan Pieter de Vries"
std::string Text(const pb::Identity& identity);          // "Jan Pieter de Vries, 1985-03-12 (Jan Bakker)"
std::string Text(const pb::Scope& scope);                // "all" or "gemeentehuis,sporthal"

std::vector<Option> IdentityOptions();
std::vector<Option> TermsOptions(bool required);
std::vector<Option> With(std::vector<Option> first, std::vector<Option> then);
Option BanOption();
// Options for trying a command again: the key of the first attempt.
Option KeyOption();

// "2 keer uitgereikt, "; nothing when it never was.
std::string HandedOut(const Call& call, int times);

// Id, place in the log and time, as facts and a line.
void AddReceipt(const Call& call, Reply& reply, const pb::Receipt& receipt);

// Calls, and fills reply.error and reply.message. `Method` is a pointer to a stub's blocking method.
template <class Stub, class Req, class Res>
Reply Ask(Call& call, grpc::Status (Stub::*method)(grpc::ClientContext*, const Req&, Res*),
          std::unique_ptr<Stub> stub, const Req& request, std::shared_ptr<Res>& response) {
  Reply reply;
  response = std::make_shared<Res>();
  reply.error = call.connection.Ask(kPatience, [&](grpc::ClientContext& context) {
    return (stub.get()->*method)(&context, request, response.get());
  });
  if (reply.ok()) reply.message = response;
  return reply;
}

// The same for a command: puts the idempotency key in and the receipt's facts into the reply.
template <class Stub, class Req, class Res>
Reply Tell(Call& call, grpc::Status (Stub::*method)(grpc::ClientContext*, const Req&, Res*),
           std::unique_ptr<Stub> stub, Req request, std::shared_ptr<Res>& response) {
  request.set_idempotency_key(call.arguments.Has("key") ? call.arguments.Get("key") : NewIdempotencyKey());
  Reply reply = Ask(call, method, std::move(stub), request, response);
  if (reply.ok()) AddReceipt(call, reply, response->receipt());
  return reply;
}

}  // namespace waarborg::client

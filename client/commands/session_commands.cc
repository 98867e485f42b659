// SPDX-License-Identifier: EUPL-1.2
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/commands/parts.h"
#include "waarborg/v1/health.grpc.pb.h"
#include "waarborg/v1/sessions.grpc.pb.h"

namespace waarborg::client {
namespace {

using Stub = pb::SessionService::Stub;

std::unique_ptr<Stub> NewStub(const Call& call) {
  return pb::SessionService::NewStub(call.connection.channel());
}

std::string Words(const google::protobuf::RepeatedField<int>& roles) {
  std::vector<std::string> words;
  for (int role : roles) words.push_back(WordOf(pb::Role_descriptor(), role));
  return absl::StrJoin(words, ",");
}

void AddSession(const Call& call, Reply& reply, const pb::Session& session) {
  reply.Fact("person", session.person_id());
  reply.Fact("name", session.display_name());
  reply.Fact("roles", Words(session.roles()));
  reply.Fact("station", session.station_id());
  reply.Fact("location", session.location_id());
  reply.lines.push_back(absl::StrCat(session.display_name(), call.Say(" op ", " at "), session.station_id(),
                                     " (", session.location_id(), "): ", Words(session.roles())));
}

// The last line of a file without its newline, or the option itself.
std::string Password(const Arguments& a) {
  if (!a.Has("password-file")) return a.Get("password");
  std::string text = ReadFileBytes("password-file", a.Get("password-file"));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

// Opens a session with what the request holds, in place of the one before.
Reply SignIn(Call& call, pb::OpenSessionRequest request) {
  request.set_replaces(call.connection.token());
  std::shared_ptr<pb::OpenSessionResponse> response;
  call.connection.set_token("");
  Reply reply = Ask(call, &Stub::OpenSession, NewStub(call), request, response);
  if (!reply.ok()) return reply;
  call.connection.set_token(response->token());
  // The token is a secret: it goes into the session file, never on the screen.
  response->clear_token();
  AddSession(call, reply, response->session());
  return reply;
}

Reply Login(Call& call) {
  const Arguments& a = call.arguments;
  pb::OpenSessionRequest request;
  request.set_login(a.Get("name"));
  request.set_password(Password(a));
  request.set_code(a.Get("code"));
  return SignIn(call, std::move(request));
}

Reply BeginOpenId(Call& call) {
  pb::BeginOpenIdRequest request;
  request.set_redirect_uri(call.arguments.Get("redirect-uri"));
  std::shared_ptr<pb::BeginOpenIdResponse> response;
  Reply reply = Ask(call, &Stub::BeginOpenId, NewStub(call), request, response);
  if (!reply.ok()) return reply;
  reply.Fact("url", response->authorization_url());
  reply.Fact("state", response->state());
  reply.Fact("until", Text(response->until()));
  reply.lines.push_back(
      call.Say("Open dit in een browser en geef daarna `session openid-finish` de state en de "
               "code waarmee de browser terugkomt:",
               "Open this in a browser, then give `session openid-finish` the state and the "
               "code with which the browser comes back:"));
  reply.lines.push_back(response->authorization_url());
  return reply;
}

Reply FinishOpenId(Call& call) {
  const Arguments& a = call.arguments;
  pb::OpenSessionRequest request;
  request.mutable_openid()->set_state(a.Get("state"));
  request.mutable_openid()->set_code(a.Get("code"));
  request.mutable_openid()->set_iss(a.Get("iss"));
  return SignIn(call, request);
}

Reply Logout(Call& call) {
  std::shared_ptr<pb::CloseSessionResponse> response;
  Reply reply = Ask(call, &Stub::CloseSession, NewStub(call), pb::CloseSessionRequest(), response);
  if (!reply.ok()) return reply;
  call.connection.set_token("");
  AddReceipt(call, reply, response->receipt());
  return reply;
}

Reply WhoAmI(Call& call) {
  std::shared_ptr<pb::GetSessionResponse> response;
  Reply reply = Ask(call, &Stub::GetSession, NewStub(call), pb::GetSessionRequest(), response);
  if (reply.ok()) AddSession(call, reply, response->session());
  return reply;
}

Reply Enrol(Call& call) {
  const Arguments& a = call.arguments;
  pb::CompleteEnrolmentRequest request;
  request.set_login(a.Get("name"));
  request.set_first_half(a.Get("first"));
  request.set_second_half(a.Get("second"));
  request.set_password(Password(a));
  std::shared_ptr<pb::CompleteEnrolmentResponse> response;
  Reply reply = Ask(call, &Stub::CompleteEnrolment, NewStub(call), request, response);
  if (!reply.ok()) return reply;
  AddReceipt(call, reply, response->receipt());
  reply.Fact("otpauth", response->otpauth_uri());
  reply.lines.push_back(call.Say("Zet dit in uw codeapp (eenmalig getoond):",
                                 "Put this in your authenticator app (shown once):"));
  reply.lines.push_back(response->otpauth_uri());
  return reply;
}

Reply Policy(Call& call) {
  std::shared_ptr<pb::GetPolicyResponse> response;
  Reply reply = Ask(call, &Stub::GetPolicy, NewStub(call), pb::GetPolicyRequest(), response);
  if (!reply.ok()) return reply;
  for (const auto& row : response->rows()) {
    const std::string who =
        row.caller() == "role" ? Words(row.roles()) : absl::StrCat("(", row.caller(), ")");
    std::string line = row.rpc();
    line.resize(std::max<size_t>(line.size() + 1, 24), ' ');
    absl::StrAppend(&line, who);
    if (row.conditions_size() > 0) absl::StrAppend(&line, "  if ", absl::StrJoin(row.conditions(), ", "));
    if (!row.logged()) absl::StrAppend(&line, "  (not logged)");
    reply.lines.push_back(line);
  }
  reply.Fact("rows", absl::StrCat(response->rows_size()));
  return reply;
}

// What is promised and whether it is kept; for people and for monitoring.
Reply ShowHealth(Call& call) {
  std::shared_ptr<pb::GetHealthResponse> response;
  Reply reply = Ask(call, &pb::HealthService::Stub::GetHealth,
                    pb::HealthService::NewStub(call.connection.channel()), pb::GetHealthRequest(), response);
  if (!reply.ok()) return reply;
  bool blocked = false, all_kept = true;
  for (const pb::PromiseHealth& p : response->promises()) {
    const std::string state = p.kept() ? "kept" : p.blocks() ? "broken" : "at-risk";
    reply.Fact(p.name(), state);
    blocked |= p.blocks();
    all_kept &= p.kept();
    reply.lines.push_back(absl::StrCat(p.kept() ? "  " : "! ", call.Say(p.message_nl(), p.message())));
    if (!p.kept()) reply.lines.push_back("  " + call.Say(p.next_step_nl(), p.next_step()));
    if (p.has_until()) {
      reply.lines.push_back(absl::StrCat("    ", call.Say("tot en met ", "until "), Text(p.until())));
    }
  }
  reply.word = blocked ? "broken" : all_kept ? "healthy" : "at-risk";
  return reply;
}

}  // namespace

void AddSessionCommands(std::vector<Command>& out) {
  const Option name{"name", Kind::kText, "sign-in name", true};
  const Option password{"password", Kind::kText, "password; asked for when left out"};
  const Option password_file{"password-file", Kind::kFile, "file that holds the password"};
  out.push_back(
      {"session login",
       "Sign in on this station (takes the place of the session before)",
       {name, password, password_file, {"code", Kind::kText, "one-time code; asked for when left out"}},
       Login});
  out.push_back({"session openid-begin",
                 "Begin signing in with the sign-in service of the municipality; shows where to go",
                 {{"redirect-uri", Kind::kText, "where the browser comes back, as configured", true}},
                 BeginOpenId});
  out.push_back({"session openid-finish",
                 "Sign in with what the browser brought back from the sign-in service",
                 {{"state", Kind::kText, "as openid-begin gave it", true},
                  {"code", Kind::kText, "from the address with which the browser came back", true},
                  {"iss", Kind::kText, "from the same address, where it has one"}},
                 FinishOpenId});
  out.push_back({"session logout", "End the session", {}, Logout});
  out.push_back({"session show", "Who is signed in, where, with which roles", {}, WhoAmI});
  out.push_back({"session enrol",
                 "Set the first password and get the secret for one-time codes",
                 {name,
                  {"first", Kind::kText, "half of the enrolment code from the proposer", true},
                  {"second", Kind::kText, "half from the confirmer", true},
                  password,
                  password_file},
                 Enrol});
  out.push_back({"health", "Which promises the service keeps now; needs no sign-in", {}, ShowHealth});
  out.push_back({"policy", "The whole table of who may do what under which conditions", {}, Policy});
}

}  // namespace waarborg::client

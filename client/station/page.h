// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "client/core/connection.h"
#include "client/core/photo_pieces.h"
#include "client/station/http.h"
#include "client/station/seats.h"
#include "client/station/view.h"
#include "client/station/words.h"

// What pages are made of. A page is a function from a visit to a response; which path leads to which page is
// a table per group of pages.
//
// How every page works, so that all work without script:
//   - reading is GET, everything else a form (POST) that ends in a redirect to the page that shows what came
//   of it;
//   - a refusal shows the same page again, with what was typed and with the core's own words on top;
//   - a form that commands carries the idempotency key `key`, made with the page, so that sending it twice
//   does it once;
//   - nothing personal stands in a path: ids only, searches are forms;
//   - a fragment of a page is a template of its own: asked for by the script (Visit::fragment), it is
//   answered without the page around it.
namespace waarborg::station {

namespace pb = ::waarborg::v1;

class Station;

// Thrown by a call to the core when the session is over; the visitor is led to the sign-in page.
struct SessionEnded {};

class Visit {
 public:
  Visit(Station& at, Request& asked, const Words& language, std::shared_ptr<Seat> who)
      : station(at), request(asked), words(language), seat(std::move(who)) {}

  Station& station;
  Request& request;
  const Words& words;
  const std::shared_ptr<Seat> seat;  // null on pages for which nobody signs in

  // The parts of the path that the route names (":ban").
  std::string Part(const std::string& name) const;
  // A field of the form, without blanks around it, its lines ended by \n alone.
  std::string Field(const std::string& name) const;
  bool Checked(const std::string& name) const { return !request.Field(name).empty(); }
  // The idempotency key of the form; a fresh one where it carries none that is well-formed.
  std::string Key() const;
  bool fragment() const { return !request.Header("x-waarborg-fragment").empty(); }
  std::string Say(const std::string& dutch) const { return words.Say(dutch); }
  std::string Say(const std::string& dutch,
                  const std::vector<std::pair<std::string, std::string>>& values) const {
    return words.Say(dutch, values);
  }
  bool Has(pb::Role role) const;

  // Calls the core in this person's session, and waits. What it refuses comes back; when the session is over,
  // this throws. `Method` is a pointer to a stub's blocking method.
  template <class Service, class Req, class Res>
  client::Error Ask(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Req&, Res*),
                    const Req& request_message, Res* response,
                    std::chrono::milliseconds deadline = std::chrono::seconds(10)) const {
    return Settled(AskOver<Service>(CoreConnection(), method, request_message, response, deadline));
  }
  // The same in nobody's session: before signing in.
  template <class Service, class Req, class Res>
  client::Error AskAsStation(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Req&, Res*),
                             const Req& request_message, Res* response,
                             std::chrono::milliseconds deadline = std::chrono::seconds(15)) const {
    return AskOver<Service>(StationConnection(), method, request_message, response, deadline);
  }
  // The same for a command whose answer is of no interest but that it is recorded.
  template <class Service, class Req, class Res>
  client::Error Tell(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Req&, Res*),
                     Req request_message) const {
    request_message.set_idempotency_key(Key());
    Res response;
    return Ask<Service>(method, request_message, &response);
  }
  // Receives a photo that comes in pieces. `open` starts the stream.
  template <class Res, class Open>
  client::Error Receive(Open open, std::string& jpeg) const {
    return Settled(client::ReceivePieces<Res>(CoreConnection(), std::chrono::seconds(10), open, jpeg));
  }
  // The connection with this person's session; without one when nobody is signed in.
  const client::Connection& CoreConnection() const;
  const client::Connection& StationConnection() const;
  // What the core's answer means here; throws SessionEnded.
  client::Error Settled(client::Error error) const;

  // The words for ids, from the municipality's configuration; asked of the core once per visit.
  const pb::Choices& choices();
  // The time by which the core decides, asked with the choices; when it did not answer, by this machine's
  // clock.
  absl::Time Now();
  pb::Date Today();

  // Training: everything on the page is fictitious, and says so.
  bool training = false;
  // Where the forms of the desk post: never the same in both.
  const char* root() const { return training ? "/training" : "/desk"; }

  // A page: the template in the layout. `title` is shown in the browser's tab and names nobody.
  Response Page(const std::string& tmpl, const std::string& title, View view, int status = 200);
  // The template alone, for the script.
  Response Fragment(const std::string& tmpl, View view, int status = 200);
  // Done: shows `path` with this notice on top.
  Response Done(const std::string& path, const std::string& notice) const;
  // The core refused: its words stand at the field that it names, when the form has one of that name, else on
  // top of the page. To be called before the page is made.
  void Problem(const client::Error& error);
  void Problem(const std::string& what, const std::string& next_step);
  // Something wrong with one field; may be called for several.
  void Fault(const std::string& field, const std::string& text);
  bool has_problem() const { return !problem_what_.empty() || !faults_.empty(); }
  // What is wrong with this field, or with a part of it; empty when nothing.
  std::string FaultAt(const std::string& field) const;

 private:
  friend class Station;
  template <class Service, class Req, class Res>
  static client::Error AskOver(const client::Connection& connection,
                               grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Req&, Res*),
                               const Req& request_message, Res* response,
                               std::chrono::milliseconds deadline) {
    const auto stub = Service::NewStub(connection.channel());
    return connection.Ask(deadline, [&](grpc::ClientContext& context) {
      return (stub.get()->*method)(&context, request_message, response);
    });
  }
  std::map<std::string, std::string> parts_;
  // What every template is given: `key`, `errors`, `root` and `training`.
  View Frame(View view);
  std::string problem_what_, problem_next_;
  std::vector<std::pair<std::string, std::string>> faults_;  // by field
  std::optional<pb::GetConfigurationResponse> configuration_;
};

enum class Who { kAnybody, kSignedIn };

struct Route {
  const char* method;  // "GET" answers HEAD as well
  const char* path;    // "/files/:ban"
  Who who;
  Response (*handler)(Visit&);
};

// A place in the navigation; shown to who holds one of the roles.
struct NavigationItem {
  const char* path;
  const char* label;            // Dutch
  std::vector<pb::Role> roles;  // empty: everybody
};

// The tables, one per group of pages. Adding a group is adding it to kGroups in station.cc.
std::span<const Route> SignInRoutes();
std::span<const Route> SecurityKeyRoutes();
std::span<const Route> OpenIdRoutes();
std::span<const Route> DeskRoutes();
std::span<const Route> TrainingRoutes();
std::span<const Route> WorkbenchRoutes();
std::span<const Route> PhotoRoutes();
std::span<const Route> OversightRoutes();
std::span<const Route> PrivacyRoutes();
std::span<const Route> AdministrationRoutes();

// ---- What the ways of signing in share.

// Ends the session of who sits here: here whatever the core answers, there by itself when it cannot be
// reached. Changes the cookies in `response`.
void SignOff(Visit& v, Response& response);

// The sign-in page, with what is wrong on top when Visit::Problem was called.
Response SignInPage(Visit& v);
// Opens the session in place of the one that this browser may have, and shows where this person begins; or
// the sign-in page again.
Response SignedIn(Visit& v, pb::OpenSessionRequest request);

// ---- Parts of views that many pages need.

// The id of the element of a field: "identity-birth_date".
std::string FieldId(const std::string& name);
// "Jan Pieter de Vries".
std::string FullName(const pb::PersonName& name);

}  // namespace waarborg::station

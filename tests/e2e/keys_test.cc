// SPDX-License-Identifier: EUPL-1.2
// Security keys through the real server, with a key and a browser in software.
#include <signal.h>

#include <fstream>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/e2e/town_test.h"
#include "tests/support/authenticator.h"
#include "tests/support/signing_in.h"
#include "waarborg/v1/audit.pb.h"
#include "waarborg/v1/changes.pb.h"
#include "waarborg/v1/security_keys.grpc.pb.h"
#include "waarborg/v1/sessions.grpc.pb.h"

namespace waarborg::testing {
namespace {

namespace pb = ::waarborg::v1;

constexpr char kParty[] = "waarborg.localhost";
constexpr char kPage[] = "http://balie.waarborg.localhost:8443";
constexpr char kDesk[] = "receptie-1";
constexpr char kOffice[] = "kantoor-1";

class KeysTest : public TownTest {
 protected:
  // Calls on this connection and returns the rule of the refusal; "" when it was not refused.
  template <class Stub, class Req, class Res>
  static std::string Rule(client::Connection& connection, std::unique_ptr<Stub> stub,
                          grpc::Status (Stub::*method)(grpc::ClientContext*, const Req&, Res*), const Req& in,
                          Res& out) {
    grpc::ClientContext context;
    connection.Prepare(context);
    const client::Error error = client::ErrorFrom((stub.get()->*method)(&context, in, &out));
    said = error.detail.message();
    return error.ok() ? "" : error.rule();
  }
  template <class Req, class Res>
  static std::string Keys(client::Connection& connection,
                          grpc::Status (pb::SecurityKeyService::Stub::*method)(grpc::ClientContext*,
                                                                               const Req&, Res*),
                          const Req& in, Res& out) {
    return Rule(connection, pb::SecurityKeyService::NewStub(connection.channel()), method, in, out);
  }

  using Stub = pb::SecurityKeyService::Stub;

  std::string BeginKey(const std::string& person, pb::BeginSecurityKeyResponse& out,
                       const std::string& code) {
    pb::BeginSecurityKeyRequest in;
    in.set_code(code);
    return Keys(town->At(person, kDesk), &Stub::BeginSecurityKey, in, out);
  }
  std::string BeginKey(const std::string& person, pb::BeginSecurityKeyResponse& out) {
    town->At(person, kDesk);  // signs in with a code of its own
    return BeginKey(person, out, town->NextCode(person));
  }
  std::string AddKey(const std::string& person, const Authenticator::Made& made,
                     std::string* change = nullptr, const std::string& label = "sleutelbos",
                     const char* station = kDesk) {
    pb::AddSecurityKeyRequest in;
    in.set_idempotency_key(client::NewIdempotencyKey());
    in.set_attestation_object(made.attestation_object);
    in.set_client_data_json(made.client_data_json);
    in.set_label(label);
    pb::AddSecurityKeyResponse out;
    const std::string rule = Keys(town->At(person, station), &Stub::AddSecurityKey, in, out);
    if (change != nullptr) *change = out.receipt().id();
    return rule;
  }
  // Makes a key with this device and proposes it; returns the change.
  std::string Propose(const std::string& person, Authenticator& with) {
    pb::BeginSecurityKeyResponse options;
    EXPECT_EQ(BeginKey(person, options), "");
    EXPECT_EQ(options.rp_id(), kParty);
    std::string change;
    EXPECT_EQ(AddKey(person, with.Make(options.challenge(), options.user_handle()), &change), "") << said;
    return change;
  }
  void Confirm(const std::string& change) { Do("privacy", kOffice, "change confirm", {{"change", change}}); }
  void Add(const std::string& person, Authenticator& with) { Confirm(Propose(person, with)); }

  // A challenge for signing in at this station.
  std::string Challenge(const char* station = kDesk) {
    pb::BeginSignInResponse out;
    EXPECT_EQ(Keys(town->At("nobody", station), &Stub::BeginSignIn, pb::BeginSignInRequest(), out), "");
    EXPECT_EQ(out.challenge().size(), 32u);
    EXPECT_EQ(out.rp_id(), kParty);
    EXPECT_EQ(out.timeout_ms(), 300000);
    return out.challenge();
  }
  static pb::OpenSessionRequest Request(const Authenticator::Used& used) {
    pb::OpenSessionRequest in;
    auto* shown = in.mutable_security_key();
    shown->set_credential_id(used.credential_id);
    shown->set_authenticator_data(used.authenticator_data);
    shown->set_client_data_json(used.client_data_json);
    shown->set_signature(used.signature);
    shown->set_user_handle(used.user_handle);
    return in;
  }
  std::string SignIn(const pb::OpenSessionRequest& in, const char* station = kDesk) {
    client::Connection& connection = town->At("nobody", station);
    session.Clear();
    return Rule(connection, pb::SessionService::NewStub(connection.channel()),
                &pb::SessionService::Stub::OpenSession, in, session);
  }
  std::string SignIn(Authenticator& with, const char* station = kDesk) {
    return SignIn(Request(with.Use(Challenge(station))), station);
  }
  // Entries of this event, newest first.
  std::vector<pb::AuditRecord> Entries(const std::string& event) {
    const auto reply = Do("auditor", kOffice, "audit list", {{"event", event}});
    std::vector<pb::AuditRecord> records;
    for (const auto& e : dynamic_cast<const pb::ListEntriesResponse&>(*reply.message).entries()) {
      records.push_back(e.record());
    }
    return records;
  }
  pb::ListSecurityKeysResponse List(const std::string& person) {
    pb::ListSecurityKeysResponse out;
    EXPECT_EQ(Keys(town->At(person, kDesk), &Stub::ListSecurityKeys, pb::ListSecurityKeysRequest(), out), "");
    return out;
  }
  const std::string& IdOf(const std::string& person) { return town->people().at(person).id; }

  Authenticator device{kParty, kPage};
  pb::OpenSessionResponse session;
  static inline std::string said;  // with the last refusal
};

TEST_F(KeysTest, AKeySignsItsHolderInWithoutNamePasswordOrCode) {
  const std::string change = Propose("receptie", device);
  EXPECT_EQ(SignIn(device), "sign-in-failed") << "nobody has confirmed it";
  EXPECT_EQ(Do("receptie", kDesk, "key list", {}).FindFact("confirmed"), "no");
  Confirm(change);
  EXPECT_EQ(Do("receptie", kDesk, "key list", {}).FindFact("confirmed"), "yes");
  Do("receptie", kDesk, "session logout", {});

  ASSERT_EQ(SignIn(device), "");
  EXPECT_EQ(session.session().person_id(), IdOf("receptie"));
  EXPECT_EQ(session.session().station_id(), kDesk);
  client::Connection& connection = town->At("nobody", kDesk);
  connection.set_token(session.token());
  EXPECT_TRUE(Do("nobody", kDesk, "check", {{"surname", "Bos"}}).ok());
  connection.set_token("");
  // At another station as well, and with a key of the other kind.
  EXPECT_EQ(SignIn(device, "sporthal-1"), "");
  Authenticator other(kParty, kPage, Authenticator::Kind::kEdDsa);
  Add("receptie", other);
  EXPECT_EQ(SignIn(other), "");
  EXPECT_EQ(SignIn(device), "");
}

TEST_F(KeysTest, WhatStandsInTheLogIsIdsAlone) {
  Add("receptie", device);
  const std::string key = List("receptie").keys(0).id();
  ASSERT_EQ(SignIn(device), "");
  device.count = 0;
  EXPECT_EQ(SignIn(device), "sign-in-failed");
  Do("receptie", kDesk, "key remove", {{"id", key}});

  const auto begun = Entries("BeginSecurityKey");
  ASSERT_EQ(begun.size(), 1u);
  EXPECT_EQ(begun[0].person_id(), IdOf("receptie"));
  const auto added = Entries("AddSecurityKey");
  ASSERT_EQ(added.size(), 1u);
  EXPECT_EQ(added[0].subject_id().substr(0, 2), "W-");
  EXPECT_EQ(Entries("ConfirmChange")[0].subject_id(), added[0].subject_id());
  const auto removed = Entries("RemoveSecurityKey");
  ASSERT_EQ(removed.size(), 1u);
  EXPECT_EQ(removed[0].subject_id(), key);
  int by_key = 0, refused = 0;
  for (const auto& record : Entries("OpenSession")) {
    if (record.subject_id() != key) continue;
    EXPECT_EQ(record.station_id(), kDesk);
    if (record.result() == pb::RESULT_DONE) {
      ++by_key;
      EXPECT_EQ(record.person_id(), IdOf("receptie"));
    } else {
      ++refused;
      EXPECT_EQ(record.rule(), "sign-in-failed");
    }
  }
  EXPECT_EQ(by_key, 1);
  EXPECT_EQ(refused, 1);
  for (const char* event : {"BeginSignIn", "ListSecurityKeys"}) EXPECT_TRUE(Entries(event).empty()) << event;
  std::string all;
  for (const char* event :
       {"BeginSecurityKey", "AddSecurityKey", "ConfirmChange", "OpenSession", "RemoveSecurityKey"}) {
    for (const auto& record : Entries(event)) all += record.SerializeAsString();
  }
  for (const std::string& personal : {std::string("sleutelbos"), std::string("receptie@"), device.user_handle,
                                      device.credential_id, std::string("Roodborst")}) {
    EXPECT_EQ(all.find(personal), std::string::npos) << personal;
  }
  EXPECT_EQ(town->Log().find("sleutelbos"), std::string::npos);
}

// The second person reads whose key it is, made where and when.
TEST_F(KeysTest, ANewKeyWaitsForASecondPersonAndNotForItsHolder) {
  const std::string change = Propose("privacy", device);
  EXPECT_EQ(Refused("privacy", kOffice, "change confirm", {{"change", change}}), "change-own-proposal");
  EXPECT_EQ(Refused("beheer", kOffice, "change confirm", {{"change", change}}), "role-not-allowed");
  const auto open = Do("secretaris", kOffice, "change list", {});
  const auto& listed = dynamic_cast<const pb::ListChangesResponse&>(*open.message).changes(0);
  EXPECT_EQ(listed.kind(), pb::CHANGE_KIND_SECURITY_KEY);
  EXPECT_EQ(listed.subject_id(), IdOf("privacy"));
  ASSERT_EQ(listed.summary_size(), 3);
  EXPECT_EQ(listed.summary(0), "security key for privacy: \"sleutelbos\"");
  EXPECT_EQ(listed.summary(1).rfind("made at receptie-1 on 2026-03-02", 0), 0u) << listed.summary(1);
  Do("secretaris", kOffice, "change reject", {{"change", change}});
  EXPECT_EQ(SignIn(device), "sign-in-failed");
  EXPECT_EQ(List("privacy").keys_size(), 0);
}

TEST_F(KeysTest, AChallengeIsForOneStationOneAnswerAndFiveMinutes) {
  Add("receptie", device);
  const auto used = Request(device.Use(Challenge()));
  EXPECT_EQ(SignIn(used, "sporthal-1"), "sign-in-failed") << "of another station";
  EXPECT_EQ(SignIn(used), "");
  EXPECT_EQ(SignIn(used), "sign-in-failed") << "played again";
  EXPECT_EQ(SignIn(Request(device.Use(std::string(32, 'x')))), "sign-in-failed") << "of nobody's";
  const auto late = Request(device.Use(Challenge()));
  town->SetClock(town->Now() + absl::Minutes(5));
  EXPECT_EQ(SignIn(late), "sign-in-failed") << "stale";
  const auto before = Request(device.Use(Challenge()));
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  ASSERT_TRUE(town->Start()) << town->Log();
  EXPECT_EQ(SignIn(before), "sign-in-failed") << "of before a restart";
  EXPECT_EQ(SignIn(device), "") << "the key itself was kept";
  // A challenge that was spent on a bad answer is spent.
  const std::string challenge = Challenge();
  auto bad = device.Use(challenge);
  bad.signature[10] ^= 1;
  EXPECT_EQ(SignIn(Request(bad)), "sign-in-failed");
  EXPECT_EQ(SignIn(Request(device.Use(challenge))), "sign-in-failed");
  // Pages left open keep nobody out; the oldest makes room.
  const std::string oldest = Challenge(), next = Challenge();
  for (int i = 0; i < 63; ++i) Challenge();
  EXPECT_EQ(SignIn(Request(device.Use(oldest))), "sign-in-failed");
  EXPECT_EQ(SignIn(Request(device.Use(next))), "");
}

TEST_F(KeysTest, WhateverIsWrongIsRefusedInTheSameWords) {
  Add("receptie", device);
  Authenticator other(kParty, kPage), unknown(kParty, kPage);
  Add("toezicht", other);
  ASSERT_EQ(SignIn(device), "");
  std::set<std::string> words;
  const auto refused = [&](const char* what, const pb::OpenSessionRequest& in) {
    EXPECT_EQ(SignIn(in), "sign-in-failed") << what;
    words.insert(said);
    EXPECT_FALSE(session.has_session()) << what;
    EXPECT_EQ(session.token(), "") << what;
  };
  const auto used = [&] { return device.Use(Challenge()); };
  auto u = used();
  u.user_handle = other.user_handle;
  refused("handle of another account", Request(u));
  u = used();
  u.user_handle.clear();
  refused("no handle", Request(u));
  u = used();
  u.credential_id = other.credential_id;
  refused("credential of another account", Request(u));
  u = used();
  u.credential_id.clear();
  refused("no credential", Request(u));
  unknown.user_handle = device.user_handle;
  refused("unknown credential", Request(unknown.Use(Challenge())));
  unknown.credential_id = device.credential_id;
  refused("made by another device", Request(unknown.Use(Challenge())));
  u = used();
  u.signature[12] ^= 1;
  refused("signature", Request(u));
  u = used();
  u.signature.resize(513);
  refused("signature too long", Request(u));
  u = used();
  u.authenticator_data.resize(1025);
  refused("authenticator data too long", Request(u));
  device.more_client_data = ",\"x\":\"" + std::string(4096, 'x') + "\"";
  refused("client data too long", Request(used()));
  device.more_client_data = ",\"crossOrigin\":true";
  refused("said twice", Request(used()));
  device.more_client_data.clear();
  device.origin = "http://evil.waarborg.localhost:8443";
  refused("origin", Request(used()));
  device.origin = kPage;
  device.rp_id = "localhost";
  refused("party", Request(used()));
  device.rp_id = kParty;
  device.flags = Authenticator::kPresent;
  refused("not verified", Request(used()));
  device.flags = Authenticator::kVerified;
  refused("not present", Request(used()));
  device.flags = Authenticator::kPresent | Authenticator::kVerified | Authenticator::kBackupEligible;
  refused("copied elsewhere", Request(used()));
  device.flags = Authenticator::kPresent | Authenticator::kVerified;
  u = used();
  u.client_data_json = device.ClientDataJson("webauthn.create", Challenge());
  refused("ceremony", Request(u));
  pb::OpenSessionRequest nothing;
  nothing.mutable_security_key();
  refused("nothing", nothing);
  device.count = 0;
  refused("count", Request(used()));
  EXPECT_EQ(words.size(), 1u);

  auto both = Request(used());
  both.set_login("receptie");
  EXPECT_EQ(SignIn(both), "field-invalid");
  device.count = 100;
  EXPECT_EQ(SignIn(device), "");
}

TEST_F(KeysTest, TheCountOfAKeyIsKeptOverARestart) {
  Add("receptie", device);
  device.count = 40;
  ASSERT_EQ(SignIn(device), "");
  ASSERT_EQ(town->Stop(SIGKILL), SIGKILL);
  ASSERT_TRUE(town->Start()) << town->Log();
  device.count = 40;
  EXPECT_EQ(SignIn(device), "sign-in-failed");
  device.count = 41;
  EXPECT_EQ(SignIn(device), "");
}

TEST_F(KeysTest, AResetTakesAllKeysAndThoseThatWait) {
  Add("receptie", device);
  Authenticator waiting(kParty, kPage);
  const std::string change = Propose("receptie", waiting);
  const auto reset = Do("beheer", kOffice, "people reset", {{"person", IdOf("receptie")}});
  EXPECT_EQ(SignIn(device), "") << "it takes two";
  const auto confirmed = Do("privacy", kOffice, "change confirm", {{"change", *reset.FindFact("id")}});
  EXPECT_EQ(SignIn(device), "sign-in-failed");
  EXPECT_EQ(Refused("privacy", kOffice, "change confirm", {{"change", change}}), "wrong-state");
  Do("nobody", kDesk, "session enrol",
     {{"name", "receptie"},
      {"first", *reset.FindFact("half")},
      {"second", *confirmed.FindFact("half")},
      {"password", "nieuw en lang genoeg"}});
  EXPECT_EQ(SignIn(device), "sign-in-failed") << "nor do they come back";
  EXPECT_EQ(SignIn(waiting), "sign-in-failed");
}

TEST_F(KeysTest, ABlockedPersonAndOneWhoseTermIsOverAreRefused) {
  Add("receptie", device);
  Authenticator waiting(kParty, kPage);
  const std::string change = Propose("receptie", waiting);
  ASSERT_EQ(SignIn(device), "");
  Do("beheer", kOffice, "people block", {{"person", IdOf("receptie")}});
  EXPECT_EQ(SignIn(device), "sign-in-failed");
  EXPECT_EQ(Refused("privacy", kOffice, "change confirm", {{"change", change}}), "wrong-state");
  Authenticator late(kParty, kPage);
  Add("toezicht", late);
  town->SetClock(*ParseMoment("2031-01-02 09:00", town->Now()));
  EXPECT_EQ(SignIn(late), "sign-in-failed");
}

TEST_F(KeysTest, AKeyIsMadeBySomebodyWhoSignedInHereInFullAndGivesACodeNow) {
  pb::BeginSecurityKeyResponse out;
  EXPECT_EQ(BeginKey("receptie", out, "000000"), "code-not-accepted");
  const std::string code = town->NextCode("receptie");
  ASSERT_EQ(BeginKey("receptie", out, code), "");
  EXPECT_EQ(BeginKey("receptie", out, code), "code-not-accepted") << "each once";
  for (int i = 0; i < 5; ++i) BeginKey("receptie", out, "000000");
  EXPECT_EQ(BeginKey("receptie", out, town->NextCode("receptie")), "sign-in-throttled");

  // Who came back with a code only.
  client::Connection& seat = town->At("toezicht", kDesk);
  pb::OpenSessionRequest in;
  in.set_login("toezicht");
  in.set_code(town->NextCode("toezicht"));
  in.set_replaces(seat.token());
  ASSERT_EQ(SignIn(in), "");
  seat.set_token(session.token());
  EXPECT_EQ(BeginKey("toezicht", out, town->NextCode("toezicht")), "full-sign-in-needed");
}

TEST_F(KeysTest, AKeyCountsAsAFullSignIn) {
  Add("receptie", device);
  Do("receptie", kDesk, "session logout", {});
  town->SetClock(town->Now() + absl::Hours(5));  // too long ago for a code only
  pb::OpenSessionRequest quick;
  quick.set_login("receptie");
  quick.set_code(town->NextCode("receptie"));
  EXPECT_EQ(SignIn(quick), "sign-in-failed");
  ASSERT_EQ(SignIn(device), "");
  const std::string token = session.token();
  town->SetClock(town->Now() + absl::Hours(1));
  quick.set_code(town->NextCode("receptie"));
  EXPECT_EQ(SignIn(quick), "");
  // And it takes the place of a session as others do.
  const std::string before = session.token();
  auto in = Request(device.Use(Challenge()));
  in.set_replaces(before);
  ASSERT_EQ(SignIn(in), "");
  client::Connection& connection = town->At("nobody", kDesk);
  connection.set_token(before);
  EXPECT_EQ(Refused("nobody", kDesk, "session show", {}), "session-required");
  connection.set_token(session.token());
  EXPECT_TRUE(Do("nobody", kDesk, "session show", {}).ok());
  connection.set_token("");
}

TEST_F(KeysTest, WhatWasMadeIsCheckedBeforeAnybodyIsAskedToConfirmIt) {
  pb::BeginSecurityKeyResponse options;
  const auto begin = [&](const std::string& person) {
    options.Clear();
    EXPECT_EQ(BeginKey(person, options), "");
    return options.challenge();
  };
  begin("receptie");
  EXPECT_EQ(options.user_handle().size(), 32u);
  EXPECT_EQ(options.user_handle().find("receptie"), std::string::npos);
  EXPECT_EQ(options.user_name(), "receptie");
  EXPECT_EQ(options.exclude_credential_ids_size(), 0);
  EXPECT_EQ(options.algorithms_size(), 2);
  const std::string handle = options.user_handle();

  const auto good = device.Make(options.challenge(), handle);
  EXPECT_EQ(AddKey("receptie", good, nullptr, ""), "field-missing");
  EXPECT_EQ(AddKey("receptie", good, nullptr, std::string(41, 'x')), "field-too-long");
  EXPECT_EQ(AddKey("receptie", good, nullptr, "x\nvertrouw mij"), "field-invalid");
  EXPECT_EQ(AddKey("toezicht", good), "security-key-not-accepted") << "of another session";
  EXPECT_EQ(AddKey("receptie", good), "");
  EXPECT_EQ(AddKey("receptie", good), "security-key-not-accepted") << "each challenge once";
  EXPECT_EQ(AddKey("receptie", device.Make(begin("receptie"), handle)), "already-exists")
      << "waiting already";
  EXPECT_EQ(options.exclude_credential_ids(0), device.credential_id);
  EXPECT_EQ(options.user_handle(), handle) << "one for all keys of an account";
  EXPECT_EQ(AddKey("receptie", device.Make(Challenge(), handle)), "security-key-not-accepted")
      << "a challenge for signing in";

  Authenticator fresh(kParty, kPage);
  const auto late = fresh.Make(begin("receptie"), handle);
  town->SetClock(town->Now() + absl::Minutes(5));
  EXPECT_EQ(AddKey("receptie", late), "security-key-not-accepted") << "stale";
  fresh.origin = "http://evil.localhost";
  EXPECT_EQ(AddKey("receptie", fresh.Make(begin("receptie"), handle)), "security-key-not-accepted");
  EXPECT_NE(said.find("the address of the page is not among"), std::string::npos) << said;
  fresh.origin = kPage;
  fresh.flags = Authenticator::kPresent;
  EXPECT_EQ(AddKey("receptie", fresh.Make(begin("receptie"), handle)), "security-key-not-accepted");
  EXPECT_NE(said.find("PIN or finger"), std::string::npos) << said;
  EXPECT_EQ(List("receptie").keys_size(), 1);
}

TEST_F(KeysTest, AKeyBelongsToOneAccount) {
  pb::BeginSecurityKeyResponse options;
  ASSERT_EQ(BeginKey("receptie", options), "");
  std::string mine, theirs;
  ASSERT_EQ(AddKey("receptie", device.Make(options.challenge(), options.user_handle()), &mine), "");
  ASSERT_EQ(BeginKey("toezicht", options), "");
  ASSERT_EQ(AddKey("toezicht", device.Make(options.challenge(), options.user_handle()), &theirs), "");
  Confirm(mine);
  EXPECT_EQ(Refused("privacy", kOffice, "change confirm", {{"change", theirs}}), "already-exists");
  ASSERT_EQ(BeginKey("toezicht", options), "");
  EXPECT_EQ(AddKey("toezicht", device.Make(options.challenge(), options.user_handle())), "already-exists");
}

TEST_F(KeysTest, AnAccountHasFiveKeysAndRemovesItsOwnAlone) {
  std::vector<std::unique_ptr<Authenticator>> devices;
  for (int i = 0; i < 5; ++i) {
    devices.push_back(std::make_unique<Authenticator>(kParty, kPage));
    const std::string change = Propose("receptie", *devices.back());
    if (i < 4) Confirm(change);
  }
  pb::BeginSecurityKeyResponse options;
  EXPECT_EQ(BeginKey("receptie", options), "too-many-security-keys");
  const auto keys = List("receptie");
  ASSERT_EQ(keys.keys_size(), 5);
  EXPECT_TRUE(keys.keys(3).confirmed());
  EXPECT_FALSE(keys.keys(4).confirmed());
  EXPECT_EQ(Refused("toezicht", kDesk, "key remove", {{"id", keys.keys(0).id()}}), "not-found");
  EXPECT_EQ(Refused("toezicht", kDesk, "key remove", {{"id", keys.keys(4).id()}}), "not-found");
  Do("receptie", kDesk, "key remove", {{"id", keys.keys(0).id()}});
  Do("receptie", kDesk, "key remove", {{"id", keys.keys(4).id()}});
  EXPECT_EQ(Refused("receptie", kDesk, "key remove", {{"id", keys.keys(0).id()}}), "not-found");
  EXPECT_EQ(List("receptie").keys_size(), 3);
  EXPECT_EQ(SignIn(*devices[0]), "sign-in-failed");
  EXPECT_EQ(SignIn(*devices[4]), "sign-in-failed");
  EXPECT_EQ(SignIn(*devices[1]), "");
}

TEST_F(KeysTest, WithoutTheTableNobodySignsInWithAKeyAndTheTableIsChecked) {
  Add("receptie", device);
  const auto in = Request(device.Use(Challenge()));
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  const std::string path = town->folder() + "/waarborgd.toml";
  const std::string with = Slurp(path);
  const std::string without = with.substr(0, with.find("[security_keys]"));
  ASSERT_LT(without.size(), with.size());
  const auto write = [&](const std::string& toml) { std::ofstream(path) << toml; };
  write(absl::StrReplaceAll(with, {{kPage, "http://balie.example"}}));
  EXPECT_FALSE(town->Start());
  EXPECT_NE(town->Log().find("waarborgd.toml:14: origins: \"http://balie.example\" must begin with https://"),
            std::string::npos)
      << town->Log();
  write(without);
  ASSERT_TRUE(town->Start()) << town->Log();
  EXPECT_EQ(SignIn(in), "security-keys-off");
  pb::BeginSignInResponse challenge;
  EXPECT_EQ(Keys(town->At("nobody", kDesk), &Stub::BeginSignIn, pb::BeginSignInRequest(), challenge),
            "security-keys-off");
  pb::BeginSecurityKeyResponse options;
  EXPECT_EQ(BeginKey("receptie", options), "security-keys-off");
  EXPECT_EQ(AddKey("receptie", device.Make("x", "y")), "security-keys-off");
  // What stands in the account can still be seen and removed.
  Do("receptie", kDesk, "key remove", {{"id", List("receptie").keys(0).id()}});
}

}  // namespace
}  // namespace waarborg::testing

// SPDX-License-Identifier: EUPL-1.2
// Nobody in: what somebody at the network, at a stolen workplace, or at the server's clock and disk may try.
#include <arpa/inet.h>
#include <fcntl.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <regex>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/rpc/wipe.h"
#include "tests/e2e/town_test.h"
#include "tests/support/portrait.h"
#include "tests/support/raw_call.h"
#include "waarborg/v1/audit.pb.h"
#include "waarborg/v1/checks.grpc.pb.h"
#include "waarborg/v1/releases.grpc.pb.h"
#include "waarborg/v1/sessions.pb.h"

namespace waarborg::testing {
namespace {

namespace fs = std::filesystem;
namespace pb = waarborg::v1;
using Clock = std::chrono::steady_clock;

class AttackTest : public TownTest {
 protected:
  // A raw connection to the server; closed by the destructor.
  int Connect() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(town->port()));
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
      close(fd);
      return -1;
    }
    open_.push_back(fd);
    return fd;
  }
  void TearDown() override {
    for (int fd : open_) close(fd);
    TownTest::TearDown();
  }
  // Restarts with options of the test build.
  void RestartWith(std::vector<std::string> options) {
    ASSERT_EQ(town->Stop(SIGTERM), 0);
    town->SetServerOptions(std::move(options));
    ASSERT_TRUE(town->Start()) << town->Log();
  }
  client::Reply Check() {
    return town->Run("receptie", "receptie-1", "check",
                     {{"given", "Jan"}, {"surname", "Nergensma"}, {"born", "1985-03-12"}});
  }
  // One command over a connection as it is, without signing in again.
  static client::Reply On(client::Connection& connection, const std::string& command, const Pairs& options) {
    client::Arguments arguments;
    for (const auto& [name, value] : options) arguments.Add(name, value);
    client::Call call{connection, arguments, client::Language::kEnglish};
    return client::FindCommand(command)->run(call);
  }
  // How many refused connections the log counts.
  uint64_t ConnectionsRefused() {
    const auto reply = town->Run("auditor", "kantoor-1", "audit list", {{"event", "ConnectionsRefused"}});
    uint64_t count = 0;
    for (const auto& e : dynamic_cast<const pb::ListEntriesResponse&>(*reply.message).entries())
      count += e.record().count();
    return count;
  }
  static bool GetsIn(const client::StationFiles& files) {
    client::Connection connection(files);
    const client::Arguments none;
    client::Call call{connection, none, client::Language::kEnglish};
    return client::FindCommand("health")->run(call).ok();
  }

 private:
  std::vector<int> open_;
};

// ---- At the door.

TEST_F(AttackTest, WithoutAGoodCertificateNobodyGetsInAndTheAttemptIsLogged) {
  const std::string pki = SourceFolder() + "/deploy/pki ";
  client::StationFiles none = town->Files("receptie-1");
  none.certificate_pem.clear();
  none.key_pem.clear();
  EXPECT_FALSE(GetsIn(none));

  MustRun(absl::StrCat("cp -a ", town->folder(), "/pki ", town->folder(), "/late && PKI_DAYS=0 ", pki,
                       "renew-station ", town->folder(), "/late receptie-1 && sleep 1"));
  client::StationFiles expired = town->Files("receptie-1");
  expired.certificate_pem = Slurp(town->folder() + "/late/stations/receptie-1/station.pem");
  ASSERT_NE(expired.certificate_pem, town->Files("receptie-1").certificate_pem);
  EXPECT_FALSE(GetsIn(expired));

  MustRun(pki + "authority " + town->folder() + "/other");
  MustRun(absl::StrCat(pki, "station ", town->folder(), "/other receptie-1 x"));
  client::StationFiles foreign = town->Files("receptie-1");
  foreign.certificate_pem = Slurp(town->folder() + "/other/stations/receptie-1/station.pem");
  foreign.key_pem = Slurp(town->folder() + "/other/stations/receptie-1/station.key");
  EXPECT_FALSE(GetsIn(foreign));

  EXPECT_TRUE(GetsIn(town->Files("receptie-1")));
  EXPECT_TRUE(Within(std::chrono::seconds(5), [&] { return ConnectionsRefused() >= 1; })) << town->Log();
}

// A certificate renewed for the same key needs no new registration.
TEST_F(AttackTest, ARenewedCertificateOfTheSameKeyIsTheSameStation) {
  MustRun(absl::StrCat(SourceFolder(), "/deploy/pki renew-station ", town->folder(), "/pki receptie-1"));
  Do("receptie", "receptie-1", "check", {{"surname", "Bos"}});
}

// Another program's judgement of the whole TLS set. Where it goes through openssl, openssl shows a good
// certificate: without one, whether a handshake counts as done depends on which side is quicker.
TEST_F(AttackTest, TestsslFindsTheGoodSetAndNothingElse) {
  const std::string wrapper = town->folder() + "/openssl",
                    station = town->folder() + "/pki/stations/receptie-1/";
  std::ofstream(wrapper) << "#!/bin/bash\n"
                         << "if [[ $1 == s_client ]]; then shift; exec openssl s_client -alpn h2 -cert "
                         << station << "station.pem -key " << station
                         << "station.key \"$@\"; fi\nexec openssl \"$@\"\n";
  MustRun("chmod +x " + wrapper);
  const std::string out = Output(absl::StrCat(
      "cd ", town->folder(), " && timeout 300 testssl --quiet --color 0 --warnings batch --openssl ", wrapper,
      " --openssl-timeout 10 -p -E -f localhost:", town->port()));
  for (const char* old : {"SSLv2", "SSLv3", "TLS 1 ", "TLS 1.1", "TLS 1.2"}) {
    EXPECT_TRUE(std::regex_search(out, std::regex(absl::StrCat(old, " *not offered")))) << old << "\n" << out;
  }
  EXPECT_TRUE(std::regex_search(out, std::regex("TLS 1.3 *offered \\(OK\\)"))) << out;
  EXPECT_NE(out.find("TLS_AES_256_GCM_SHA384"), std::string::npos) << out;
  EXPECT_NE(out.find("TLS_CHACHA20_POLY1305_SHA256"), std::string::npos) << out;
  EXPECT_EQ(out.find("TLS_AES_128"), std::string::npos) << out;
  EXPECT_EQ(out.find("TLS_RSA"), std::string::npos) << out;
}

TEST_F(AttackTest, TheDeskIsAnsweredAmongTwoThousandConnectionsThatDoNothing) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  ASSERT_TRUE(Check().ok());
  int half_open = 0, garbage = 0;
  for (int i = 0; i < 2000; ++i) {
    const int fd = Connect();
    ASSERT_GE(fd, 0) << "connection " << i;
    if (i % 2 == 0) {
      ++half_open;  // never says a word
    } else {
      const char words[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and then nothing";
      garbage += write(fd, words, sizeof words - 1) > 0;
    }
  }
  EXPECT_EQ(half_open + garbage, 2000);
  // A connection of its own, so that it must pass the same door.
  for (int i = 0; i < 5; ++i) {
    client::Connection fresh(town->Files("receptie-1"));
    fresh.set_token(town->At("receptie", "receptie-1").token());
    client::Arguments arguments;
    arguments.Add("surname", "Bos");
    client::Call call{fresh, arguments, client::Language::kEnglish};
    EXPECT_TRUE(client::FindCommand("check")->run(call).ok()) << i;
    EXPECT_TRUE(Check().ok()) << i;
  }
}

TEST_F(AttackTest, OversizedAndMalformedMessagesAreRefusedAndHarmNobody) {
  client::Connection& desk = town->At("receptie", "receptie-1");
  auto send = [&](const std::string& path, const std::string& bytes) {
    return RawCall(desk, path, bytes).error_code();
  };
  const std::string check = "/waarborg.v1.CheckService/CheckVisitor";
  EXPECT_EQ(send(check, std::string(1 << 20, 'x')), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_NE(send(check, "\xff\xff\xff\xff"), grpc::StatusCode::OK);
  EXPECT_NE(send(check, std::string("\x12\x02\x0a\x05", 4)), grpc::StatusCode::OK);
  EXPECT_EQ(send("/waarborg.v1.CheckService/NoSuchThing", ""), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(Check().ok());
}

// Calls that take no turn must not keep those that do from theirs.
TEST_F(AttackTest, AFloodOfHealthQuestionsKeepsNobodyWaiting) {
  std::atomic<bool> stop = false;
  std::atomic<int> asked = 0;
  std::vector<std::thread> flood;
  client::Connection stranger(town->Files(Town::kStranger));
  for (int t = 0; t < 32; ++t) {
    flood.emplace_back([&] {
      while (!stop) {
        asked += RawCall(stranger, "/grpc.health.v1.Health/Check", "").ok();
      }
    });
  }
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(Check().ok()) << i;
  stop = true;
  for (auto& t : flood) t.join();
  EXPECT_GT(asked, 100);
}

// ---- Streams.

TEST_F(AttackTest, AStationHasFewStreamsAndNoneLastsForEver) {
  const std::string ban = ActiveBan();
  SupplyPhoto(ban, 1);
  RestartWith({"--test-stream-seconds", "2"});
  client::Connection& office = town->At("burgerzaken", "kantoor-1");
  auto stub = pb::PhotoReleaseService::NewStub(office.channel());
  struct Upload {
    grpc::ClientContext context;
    pb::SupplyPhotoResponse response;
    std::unique_ptr<grpc::ClientWriter<pb::SupplyPhotoRequest>> writer;
  };
  // Uploads that never send their first message: nobody knows yet what they want.
  std::vector<std::unique_ptr<Upload>> uploads;
  for (int i = 0; i < 5; ++i) {
    auto upload = std::make_unique<Upload>();
    upload->context.AddMetadata("waarborg-session", office.token());
    upload->context.set_wait_for_ready(true);
    upload->context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    upload->writer = stub->SupplyPhoto(&upload->context, &upload->response);
    uploads.push_back(std::move(upload));
  }
  int refused = 0, cancelled = 0;
  const auto begun = Clock::now();
  for (auto& upload : uploads) {
    const auto code = upload->writer->Finish().error_code();
    refused += code == grpc::StatusCode::RESOURCE_EXHAUSTED;
    cancelled += code == grpc::StatusCode::CANCELLED;
  }
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(cancelled, 4);
  EXPECT_LT(Clock::now() - begun, std::chrono::seconds(20));
  EXPECT_TRUE(Check().ok());
}

// Somebody who asks for photos and never reads them holds no memory for long and keeps nobody waiting.
TEST_F(AttackTest, AReaderWhoDoesNotReadIsCutOff) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 1);
  RestartWith({"--test-stream-seconds", "2"});
  const std::string token = town->At("receptie", "receptie-1").token();
  const client::StationFiles files = town->Files("receptie-1");
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = files.ca_pem;
  tls.pem_cert_chain = files.certificate_pem;
  tls.pem_private_key = files.key_pem;
  grpc::ChannelArguments small;
  small.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 5);
  small.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  small.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  auto stub =
      pb::CheckService::NewStub(grpc::CreateCustomChannel(files.server, grpc::SslCredentials(tls), small));
  grpc::ClientContext context;
  context.AddMetadata("waarborg-session", token);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  pb::ShowPhotoRequest request;
  request.set_ban_id(ban);
  request.set_purpose(pb::PURPOSE_VISITOR_AT_DESK);
  auto reader = stub->ShowPhoto(&context, request);
  for (int i = 0; i < 8; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    EXPECT_TRUE(Check().ok());
  }
  pb::ShowPhotoResponse piece;
  int pieces = 0;
  while (reader->Read(&piece)) ++pieces;
  EXPECT_EQ(pieces, 0);
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

// ---- Sessions and codes.

TEST_F(AttackTest, ATokenFromBeforeSigningInIsNeverASession) {
  client::Connection desk(town->Files("receptie-1"));
  desk.set_token(std::string(64, 'a'));  // chosen by somebody else
  client::Arguments sign_in;
  sign_in.Add("name", "receptie");
  sign_in.Add("password", Town::kPassword);
  sign_in.Add("code", town->NextCode("receptie"));
  client::Call call{desk, sign_in, client::Language::kEnglish};
  ASSERT_TRUE(client::FindCommand("session login")->run(call).ok());
  EXPECT_NE(desk.token(), std::string(64, 'a'));
  client::Connection thief(town->Files("receptie-1"));
  thief.set_token(std::string(64, 'a'));
  const client::Arguments none;
  client::Call stolen{thief, none, client::Language::kEnglish};
  EXPECT_EQ(client::FindCommand("session show")->run(stolen).error.rule(), "session-required");
}

TEST_F(AttackTest, GuessingLocksOutNobodyElseAndNowhereElse) {
  auto sign_in = [&](const std::string& station, const std::string& name, const std::string& password,
                     const std::string& code) {
    client::Connection connection(town->Files(station));
    client::Arguments arguments;
    arguments.Add("name", name);
    arguments.Add("password", password);
    arguments.Add("code", code);
    client::Call call{connection, arguments, client::Language::kEnglish};
    const auto reply = client::FindCommand("session login")->run(call);
    return reply.ok() ? std::string() : reply.error.rule();
  };
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(sign_in("receptie-1", "receptie", "geraden", "000000"), "sign-in-failed");
  EXPECT_EQ(sign_in("receptie-1", "receptie", Town::kPassword, town->NextCode("receptie")),
            "sign-in-throttled");
  EXPECT_EQ(sign_in("receptie-1", "receptie-2", Town::kPassword, town->NextCode("receptie-2")), "");
  EXPECT_EQ(sign_in("kantoor-1", "receptie", Town::kPassword, town->NextCode("receptie")), "");
}

// Checking a password is dear: a stolen workplace that floods the door must not close it for the others.
TEST_F(AttackTest, AStationThatFloodsTheSignInKeepsNobodyElseOut) {
  std::atomic<bool> stop = false;
  std::atomic<int> slowed = 0;
  std::vector<std::thread> flood;
  for (int t = 0; t < 8; ++t) {
    flood.emplace_back([&, t] {
      client::Connection evil(town->Files("zwembad-1"));
      for (int i = 0; !stop; ++i) {
        const auto reply =
            On(evil, "session login",
               {{"name", absl::StrCat("gok", t, "x", i)}, {"password", "geraden zin"}, {"code", "000000"}});
        slowed += reply.error.rule() == "sign-in-throttled" || reply.error.rule() == "busy";
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  for (const char* person : {"receptie", "receptie-2"}) {
    client::Connection desk(town->Files("receptie-1"));
    EXPECT_TRUE(On(desk, "session login",
                   {{"name", person}, {"password", Town::kPassword}, {"code", town->NextCode(person)}})
                    .ok());
  }
  EXPECT_TRUE(Check().ok());
  stop = true;
  for (auto& t : flood) t.join();
  EXPECT_GT(slowed, 50);
}

// ---- Too much of the good.

TEST_F(AttackTest, MoreChecksThanUsualAreRefusedAndTheSignalStays) {
  for (int i = 0; i < 600; ++i) ASSERT_TRUE(Check().ok()) << i;
  EXPECT_EQ(Check().error.rule(), "too-many-checks");
  EXPECT_EQ(Refused("receptie", "receptie-1", "briefing", {}), "too-many-checks");
  // The workplace has had its share too, whoever sits there; the next one has not.
  EXPECT_EQ(Refused("receptie-2", "receptie-1", "check", {{"surname", "Bos"}}), "too-many-checks");
  Do("receptie-2", "kantoor-1", "check", {{"surname", "Bos"}});
  EXPECT_EQ(Refused("receptie", "kantoor-1", "check", {{"surname", "Bos"}}), "too-many-checks");
  const auto listed =
      Do("auditor", "kantoor-1", "audit list", {{"refused", "yes"}, {"event", "CheckVisitor"}});
  EXPECT_EQ(listed.FindFact("refused-by"), "too-many-checks");
  town->SetClock(town->Now() + absl::Hours(1));
  EXPECT_TRUE(Check().ok());
}

TEST_F(AttackTest, MorePhotosThanUsualAreRefusedAndTheSignalStays) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 1);
  for (int i = 0; i < 60; ++i) Do("receptie", "receptie-1", "photo show", {{"ban", ban}});
  EXPECT_EQ(Refused("receptie", "receptie-1", "photo show", {{"ban", ban}}), "too-many-photos");
  EXPECT_TRUE(Check().ok());
  EXPECT_EQ(Do("auditor", "kantoor-1", "audit list", {{"event", "ShowPhoto"}, {"refused", "yes"}})
                .FindFact("refused-by"),
            "too-many-photos");
}

TEST_F(AttackTest, AFloodOfRefusalsIsCountedInsteadOfListed) {
  Do("receptie", "receptie-1", "session show", {});
  client::Connection desk(town->Files("zwembad-1"));
  const client::Arguments none;
  client::Call call{desk, none, client::Language::kEnglish};
  for (int i = 0; i < 500; ++i)
    ASSERT_EQ(client::FindCommand("session show")->run(call).error.rule(), "session-required");
  town->SetClock(town->Now() + absl::Minutes(2));
  const auto receipt = Do("receptie", "receptie-1", "instruction acknowledge", {});
  const auto reply = Do("auditor", "kantoor-1", "audit list", {{"station", "zwembad-1"}, {"size", "1000"}});
  uint64_t listed = 0, counted = 0;
  for (const auto& e : dynamic_cast<const pb::ListEntriesResponse&>(*reply.message).entries()) {
    listed += e.record().event() == "GetSession";
    counted += e.record().event() == "RefusalsNotListed" ? e.record().count() : 0;
  }
  // What is counted comes behind a call's own entry, whose place its receipt names.
  const auto own = Do("auditor", "kantoor-1", "audit list", {{"event", "AcknowledgeInstruction"}});
  EXPECT_EQ(absl::StrCat(dynamic_cast<const pb::ListEntriesResponse&>(*own.message).entries(0).index()),
            *receipt.FindFact("entry"));
  EXPECT_EQ(listed, 60u);
  EXPECT_EQ(listed + counted, 500u);
}

// ---- The clock.

TEST_F(AttackTest, AClockThatJumpsAheadEndsNothingUntilTwoPeopleSaySo) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 1);
  // Nobody can sign in while the clock is wrong: telephones know better. Those who are signed in are told.
  client::Connection& desk = town->At("receptie", "receptie-1");
  client::Connection& office = town->At("teamleider", "kantoor-1");
  const absl::Time now = town->Now();
  town->SetClock(now + absl::Hours(24 * 365), /*synchronised=*/false);
  EXPECT_EQ(On(desk, "check", {{"surname", "Bos"}}).error.rule(), "clock-in-doubt");
  EXPECT_EQ(On(desk, "photo show", {{"ban", ban}}).error.rule(), "clock-in-doubt");
  EXPECT_EQ(On(office, "ban show", {{"ban", ban}}).error.rule(), "clock-in-doubt");
  EXPECT_EQ(Do("nobody", "receptie-1", "health", {}).FindFact("clock"), "broken");
  // A restart does not help.
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  ASSERT_TRUE(town->Start()) << town->Log();
  EXPECT_EQ(Do("nobody", "receptie-1", "health", {}).FindFact("clock"), "broken");
  // The clock set right again: nothing was lost.
  town->SetClock(now + absl::Minutes(5));
  Do("receptie", "receptie-1", "photo show", {{"ban", ban}});

  // After a long time off, without a time server: right, and two people say so.
  town->SetClock(now + absl::Hours(24 * 200), /*synchronised=*/false);
  EXPECT_EQ(Check().error.rule(), "clock-in-doubt");
  const std::string change = *Do("beheer", "kantoor-1", "clock propose", {}).FindFact("id");
  EXPECT_EQ(Refused("beheer", "kantoor-1", "change confirm", {{"change", change}}), "role-not-allowed");
  EXPECT_EQ(Check().error.rule(), "clock-in-doubt");
  Do("privacy", "kantoor-1", "change confirm", {{"change", change}});
  EXPECT_TRUE(Within(std::chrono::seconds(5), [&] {
    return town->Run("teamleider", "kantoor-1", "ban show", {{"ban", ban}}).FindFact("photo") == "destroyed";
  }));
}

TEST_F(AttackTest, AClockSetBackRevivesNothing) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 1);
  const absl::Time now = town->Now();
  town->SetClock(now + absl::Hours(24 * 120));
  EXPECT_TRUE(Check().ok());
  town->SetClock(now);
  // Sessions ended with the days that passed; the first call finds out.
  town->Run("teamleider", "kantoor-1", "ban show", {{"ban", ban}});
  EXPECT_EQ(Do("teamleider", "kantoor-1", "ban show", {{"ban", ban}}).FindFact("state"), "expired");
  EXPECT_TRUE(Within(std::chrono::seconds(5), [&] {
    return Do("teamleider", "kantoor-1", "ban show", {{"ban", ban}}).FindFact("photo") == "destroyed";
  }));
}

// ---- The disk.

TEST_F(AttackTest, AFullDiskStopsAnswersButNotDestruction) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 1);
  const std::string room = town->folder() + "/room";
  std::ofstream(room) << int64_t{10} * 1024 * 1024 * 1024;
  RestartWith({"--test-room", "room"});
  EXPECT_TRUE(Check().ok());
  EXPECT_EQ(access((town->folder() + "/data/reserve").c_str(), F_OK), 0);

  std::ofstream(room) << 1000;
  EXPECT_EQ(Check().error.rule(), "cannot-record");
  EXPECT_EQ(Do("nobody", "receptie-1", "health", {}).FindFact("recording"), "broken");
  EXPECT_EQ(Refused("nobody", Town::kStranger, "health", {}), "station-unknown");
  town->SetClock(town->Now() + absl::Hours(24 * 120));
  // Its photo's key goes all the same.
  const std::string keys = town->folder() + "/data/keys";
  EXPECT_TRUE(Within(std::chrono::seconds(5), [&] {
    return fs::exists(keys + "/photo-2.keys") && fs::file_size(keys + "/photo-2.keys") == 0 &&
           !fs::exists(keys + "/photo-1.gen");
  }));
  EXPECT_EQ(Check().error.rule(), "cannot-record");

  std::ofstream(room) << int64_t{10} * 1024 * 1024 * 1024;
  EXPECT_TRUE(Within(std::chrono::seconds(5), [&] { return Check().ok(); }));
  const auto begun =
      Do("auditor", "kantoor-1", "audit list", {{"ban", ban}, {"event", "PhotoDestructionStarted"}});
  EXPECT_EQ(begun.FindFact("count"), "1");
  const auto& list = dynamic_cast<const pb::ListEntriesResponse&>(*begun.message);
  const auto checks = Do("auditor", "kantoor-1", "audit list", {{"event", "CheckVisitor"}});
  const auto& newest = dynamic_cast<const pb::ListEntriesResponse&>(*checks.message);
  EXPECT_LT(list.entries(0).index(), newest.entries(0).index()) << "it waited for room";
  // Sweeping up had to wait for room, and then the entry that says that all is gone.
  EXPECT_TRUE(Within(std::chrono::seconds(5), [&] { return Destroyed(ban); })) << town->Log();
}

TEST_F(AttackTest, WhenTheDiskFailsNothingPretendsAndTheNextStartIsClean) {
  RestartWith({"--test-fault", "failing-store"});
  const std::string ban = ActiveBan();
  std::ofstream(town->folder() + "/fail") << "now";
  EXPECT_EQ(Refused("teamleider", "kantoor-1", "photo inform",
                    {{"ban", ban}, {"how", "letter"}, {"on", "2026-03-02"}}),
            "cannot-record");
  // It stops by itself, with a status that makes the system start it again.
  int status = 0;
  EXPECT_TRUE(Within(std::chrono::seconds(10), [&] { return town->Ended(status); }));
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 74);
  unlink((town->folder() + "/fail").c_str());
  ASSERT_TRUE(town->Start()) << town->Log();
  EXPECT_EQ(Do("teamleider", "kantoor-1", "ban show", {{"ban", ban}}).FindFact("photo"), "none");
}

// ---- Memory and papers.

TEST(WipeSecrets, KnowsEveryFieldThatHoldsOne) {
  pb::OpenSessionRequest in;
  in.set_login("receptie");
  in.set_password("een lange zin");
  in.set_code("123456");
  in.set_replaces("abcdef");
  rpc::WipeSecrets(in);
  EXPECT_EQ(in.login(), "receptie");
  EXPECT_EQ(in.password(), std::string(13, '\0'));
  EXPECT_EQ(in.code(), std::string(6, '\0'));
  EXPECT_EQ(in.replaces(), std::string(6, '\0'));
  pb::CompleteEnrolmentResponse out;
  out.set_otpauth_uri("otpauth://totp/x");
  rpc::WipeSecrets(out);
  EXPECT_EQ(out.otpauth_uri(), std::string(16, '\0'));
}

TEST_F(AttackTest, TheServersMemoryIsLocked) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer's shadow cannot be locked";
#endif
  const std::string status = Slurp(absl::StrCat("/proc/", town->pid(), "/status"));
  std::smatch locked;
  ASSERT_TRUE(std::regex_search(status, locked, std::regex("VmLck:\\s*(\\d+) kB")));
  EXPECT_GT(std::stol(locked[1]), 1000) << status;
}

TEST_F(AttackTest, ACertificateThatEndsSoonIsAnnouncedInTime) {
  EXPECT_EQ(Do("nobody", "receptie-1", "health", {}).FindFact("certificate"), "kept");
  MustRun(absl::StrCat("PKI_DAYS=20 ", SourceFolder(), "/deploy/pki renew-server ", town->folder(), "/pki"));
  MustRun(absl::StrCat("PKI_DAYS=20 ", SourceFolder(), "/deploy/pki renew-station ", town->folder(),
                       "/pki receptie-1"));
  // The certificates are of today, the test clock is not: bring it here.
  town->SetClock(absl::Now());
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  ASSERT_TRUE(town->Start()) << town->Log();
  EXPECT_EQ(Do("nobody", "receptie-1", "health", {}).FindFact("certificate"), "at-risk");
  EXPECT_NE(town->Log().find("WARNING: the certificate"), std::string::npos) << town->Log();
  const std::string folder = town->folder() + "/pki/stations/receptie-1";
  std::ofstream(folder + "/server") << "localhost:" << town->port() << "\n";
  const std::string out =
      Output(absl::StrCat(ProgramFolder(), "/waarborg --lang en --station ", folder, " health"));
  EXPECT_NE(out.find("The certificate of this workplace ends on"), std::string::npos) << out;
  EXPECT_NE(out.find("The certificate of the service ends within thirty days"), std::string::npos) << out;
}

}  // namespace
}  // namespace waarborg::testing

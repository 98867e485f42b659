// SPDX-License-Identifier: EUPL-1.2
// The house as a whole, with real processes, certificates and files.
#include <dirent.h>
#include <grpcpp/generic/generic_stub.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/base/hex.h"
#include "server/keys/keystore.h"
#include "server/photos/photo.h"
#include "server/photos/raster.h"
#include "tests/e2e/town_test.h"
#include "tests/support/portrait.h"
#include "tests/support/raw_call.h"
#include "tests/support/signing_in.h"
#include "waarborg/v1/checks.grpc.pb.h"
#include "waarborg/v1/releases.grpc.pb.h"
#include "waarborg/v1/subjects.grpc.pb.h"

namespace waarborg::testing {
namespace {

namespace fs = std::filesystem;
namespace pb = waarborg::v1;

class HouseTest : public TownTest {
 protected:
  // Files under the data folder in which the bytes stand.
  std::vector<std::string> FilesWith(const std::string& bytes) {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(town->folder() + "/data")) {
      if (entry.is_regular_file() && Slurp(entry.path()).find(bytes) != std::string::npos)
        found.push_back(entry.path());
    }
    return found;
  }
};

TEST_F(HouseTest, TheDeskSeesThePhotoOfThisPersonAndNoOther) {
  const std::string first = ActiveBan("Jan", "Vries", "1985-03-12"),
                    second = ActiveBan("Kees", "Bakker", "1970-01-31");
  ReleasePhoto(first, 1);
  ReleasePhoto(second, 2);
  const std::string a = Photo("receptie", "receptie-1", first), b = Photo("receptie", "receptie-1", second);
  EXPECT_LT(Difference(a, 1), Difference(a, 2));
  EXPECT_LT(Difference(b, 2), Difference(b, 1));
  // The watermark: another person's view of the same photo has other pixels.
  Do("receptie-2", "receptie-1", "instruction acknowledge", {});
  EXPECT_NE(Photo("receptie-2", "receptie-1", first), a);
}

// GDPR 15: what is held and who looked, as roles. Whoever of the staff did it is nobody's business but the
// house's.
TEST_F(HouseTest, AnExportForThePersonConcernedNamesNoStaffAndIsForOnePairOfEyes) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 1);
  Photo("receptie", "receptie-1", ban);
  Do("receptie", "receptie-1", "report",
     {{"ban", ban}, {"outcome", "left"}, {"demand", "2026-03-02T09:00|Wilt u het gebouw verlaten?"}});
  Do("jurist", "kantoor-1", "photo objection", {{"ban", ban}, {"reasons", "Noodzaak blijft."}});
  const std::string out = town->folder() + "/export.json";
  std::ofstream(out) << "from before";
  Do("privacy", "kantoor-1", "subject export", {{"ban", ban}, {"out", out}});
  const std::string json = Slurp(out);
  for (const char* held : {"baliemedewerker", "Wilt u het gebouw verlaten?", "Noodzaak blijft.", "1985",
                           "ROLE_DESK_STAFF", "PURPOSE_VISITOR_AT_DESK", "\"held\": true"}) {
    EXPECT_NE(json.find(held), std::string::npos) << held;
  }
  EXPECT_EQ(json.find("from before"), std::string::npos);
  for (const auto& [login, someone] : town->people()) {
    EXPECT_EQ(json.find(someone.id), std::string::npos) << login;
  }
  EXPECT_EQ(json.find("Roodborst"), std::string::npos);
  EXPECT_EQ(json.find("receptie-1"), std::string::npos) << "a workplace may be one person's";
  EXPECT_EQ(fs::status(out).permissions(), fs::perms::owner_read | fs::perms::owner_write);

  // Page by page it is the same, the file on the first alone.
  auto stub = pb::SubjectService::NewStub(town->At("privacy", "kantoor-1").channel());
  pb::ExportSubjectRequest request;
  request.set_ban_id(ban);
  std::set<uint64_t> places;
  int pages = 0;
  do {
    request.set_page_size(4);
    grpc::ClientContext context;
    town->At("privacy", "kantoor-1").Prepare(context);
    pb::ExportSubjectResponse page;
    ASSERT_TRUE(stub->ExportSubject(&context, request, &page).ok());
    EXPECT_LE(page.entries_size(), 4);
    EXPECT_EQ(page.has_file(), pages == 0);
    for (const auto& entry : page.entries()) EXPECT_TRUE(places.insert(entry.index()).second);
    request.set_page_token(page.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  const auto entries = Do("auditor", "kantoor-1", "audit list", {{"ban", ban}, {"size", "1000"}});
  // The pages themselves are entries, but for those that came after what they show.
  EXPECT_EQ(absl::StrCat(places.size() + static_cast<size_t>(pages)), entries.FindFact("count"));
}

// What the police take with them says so on its face, and is a file of the contact alone.
TEST_F(HouseTest, AFileForThePoliceIsMarkedAsHandedOut) {
  const std::string ban = ActiveBan();
  SupplyPhoto(ban, 1);
  Do("toezicht", "kantoor-1", "photo release", {{"ban", ban}, {"to", "politie"}});
  Do("politie", "kantoor-1", "instruction acknowledge", {});
  const std::string seen = Photo("politie", "kantoor-1", ban), out = town->folder() + "/taken.jpg";
  // Refused: there is no file, not even an empty one.
  EXPECT_EQ(Refused("politie", "kantoor-1", "photo export", {{"ban", ban}, {"out", out}}), "field-missing");
  EXPECT_FALSE(fs::exists(out));
  Do("politie", "kantoor-1", "photo export", {{"ban", ban}, {"out", out}, {"basis", "proces-verbaal 1"}});
  const std::string taken = Slurp(out);
  EXPECT_LT(Difference(taken, 1), Difference(taken, 2));
  EXPECT_NE(taken, seen) << "the same person, place and second: only the words differ";
  EXPECT_EQ(fs::status(out).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  // The basis stands in the words of the entry, sealed, and nowhere in the clear.
  EXPECT_TRUE(FilesWith("proces-verbaal").empty());
}

// Done when 3 of the first house: nothing personal and no key stands in the clear in the data folder.
TEST_F(HouseTest, NothingPersonalAndNoKeyStandsInTheClearOnDisk) {
  struct Someone {
    const char *given, *surname, *born;
  };
  const Someone people[] = {{"Wolfert", "Zonneschijn", "1961-07-23"},
                            {"Hildegonda", "Klaproosveld", "1994-11-05"},
                            {"Eustachius", "Vuurvliegje", "1979-02-14"}};
  std::vector<std::string> needles;
  int portrait = 0;
  for (const Someone& p : people) {
    const std::string ban = ActiveBan(p.given, p.surname, p.born);
    ReleasePhoto(ban, ++portrait);
    needles.insert(needles.end(), {p.given, p.surname, p.born});
    // A date of birth as protobuf writes it: field 3 of Identity, year, month, day.
    const std::vector<std::string> d = absl::StrSplit(p.born, '-');
    pb::Date date;
    date.set_year(std::stoi(d[0]));
    date.set_month(std::stoi(d[1]));
    date.set_day(std::stoi(d[2]));
    needles.push_back(date.SerializeAsString());
    // The photo: as it came in, normalised, and a piece out of its middle.
    const std::string photo = *photos::Normalise(PortraitJpeg(portrait));
    needles.push_back(photo.substr(0, 400));
    needles.push_back(photo.substr(photo.size() / 2, 48));
    needles.push_back(PortraitJpeg(portrait).substr(0, 400));
  }
  needles.insert(needles.end(), {"baliemedewerker", "Drie maanden", "Toegelicht", "Roos Roodborst"});
  Do("receptie", "receptie-1", "check",
     {{"given", "Visitor"}, {"surname", "Nietverboden"}, {"born", "1999-09-09"}});
  needles.insert(needles.end(), {"Nietverboden", "1999-09-09"});
  for (const auto& [login, someone] : town->people()) needles.push_back(someone.secret);
  needles.push_back(Town::kPassword);
  ASSERT_EQ(town->Stop(SIGTERM), 0);

  // Every key there is, from the live keystores.
  const std::string root = base::FromHex(Slurp(town->folder() + "/root.key").substr(0, 64));
  needles.push_back(root);
  base::SystemRandom random;
  int keys_seen = 0;
  const std::string copy = town->folder() + "/keys-copy";
  fs::copy(town->folder() + "/data/keys", copy);
  const auto home = keys::NewFileHome(base::Secret(root), random);
  for (const char* name : {"file", "photo"}) {
    auto store = keys::Keystore::Open(copy, name, *home, random);
    ASSERT_TRUE(store.ok()) << store.status();
    (*store)->ForEach([&](const std::string&, const base::Secret& key) {
      needles.emplace_back(key.Reveal());
      needles.push_back(base::ToHex(key.Reveal()));
      ++keys_seen;
    });
  }
  EXPECT_EQ(keys_seen, 1 + 3 + 3);  // house, files, photos

  for (const std::string& needle : needles) {
    const auto files = FilesWith(needle);
    EXPECT_TRUE(files.empty()) << "\"" << needle.substr(0, 40) << "\" stands in " << files.front();
  }
  // The search finds what is there: planted in the clear, and an id, which is no secret.
  std::ofstream(town->folder() + "/data/store/planted", std::ios::binary)
      << "xx" << needles.front() << "yy" << root << "zz";
  EXPECT_EQ(FilesWith(needles.front()).size(), 1u);
  EXPECT_EQ(FilesWith(root).size(), 1u);
  EXPECT_FALSE(FilesWith("m/schema").empty());
}

TEST_F(HouseTest, EverythingIsThereAfterAnAbruptEnd) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 3);
  const std::string head = *Do("auditor", "kantoor-1", "audit head", {}).FindFact("root");
  town->Stop(SIGKILL);
  ASSERT_TRUE(town->Start()) << town->Log();
  EXPECT_LT(Difference(Photo("receptie", "receptie-1", ban), 3), 20);
  EXPECT_NE(*Do("auditor", "kantoor-1", "audit head", {}).FindFact("root"), head);
}

TEST_F(HouseTest, AnEndThatPassesWhileTheServerIsDownIsDoneBeforeItServes) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 3);
  const std::string photo_id =
      *Do("teamleider", "kantoor-1", "ban show", {{"ban", ban}}).FindFact("photo-id");
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  EXPECT_FALSE(FilesWith(photo_id).empty());
  town->SetClock(*ParseMoment("2026-06-02 00:00:00", town->Now()));
  ASSERT_TRUE(town->Start()) << town->Log();
  // No call was made yet: what is on disk is the work of the start.
  const std::string root = base::FromHex(Slurp(town->folder() + "/root.key").substr(0, 64));
  const std::string copy = town->folder() + "/keys-copy";
  fs::copy(town->folder() + "/data/keys", copy);
  base::SystemRandom random;
  auto keys = keys::Keystore::Open(copy, "photo", *keys::NewFileHome(base::Secret(root), random), random);
  ASSERT_TRUE(keys.ok());
  EXPECT_EQ((*keys)->Find(photo_id), nullptr);
  const auto shown = Do("teamleider", "kantoor-1", "ban show", {{"ban", ban}});
  EXPECT_EQ(shown.FindFact("photo"), "destroyed");
}

TEST_F(HouseTest, ThePhotoAndItsKeyAreGoneByThemselvesWithinAMinute) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 3);
  const std::string before = *Do("auditor", "kantoor-1", "audit head", {}).FindFact("size");
  town->SetClock(*ParseMoment("2026-06-02 00:00:00", town->Now()));
  // Nobody asks anything. The keystore's second generation appears by itself.
  bool gone = false;
  for (int i = 0; i < 600 && !gone; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    gone = fs::exists(town->folder() + "/data/keys/photo-2.keys") &&
           !fs::exists(town->folder() + "/data/keys/photo-1.gen");
  }
  EXPECT_TRUE(gone);
  const auto events =
      Do("auditor", "kantoor-1", "audit list", {{"ban", ban}, {"event", "PhotoDestroyed,BanExpired"}});
  EXPECT_EQ(events.FindFact("count"), "2");
  EXPECT_NE(*Do("auditor", "kantoor-1", "audit head", {}).FindFact("size"), before);
}

TEST_F(HouseTest, ASecondServerOnTheSameDataIsRefused) {
  const std::string second =
      Output(absl::StrCat("cd ", town->folder(), " && ", ProgramFolder(),
                          "/waarborgd-test run --config waarborgd.toml --test-clock clock"));
  EXPECT_NE(second.find("in use by another waarborgd"), std::string::npos) << second;
  Do("receptie", "receptie-1", "session show", {});
}

TEST_F(HouseTest, AChangedLogIsNoticedAtTheStart) {
  ActiveBan();
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  // The newest write-ahead log holds the newest entries; a byte in the middle of it is turned.
  std::string newest;
  for (const auto& entry : fs::directory_iterator(town->folder() + "/data/store")) {
    if (entry.path().extension() == ".log" && fs::file_size(entry) > 1000)
      newest = std::max(newest, entry.path().string());
  }
  ASSERT_FALSE(newest.empty());
  std::string bytes = Slurp(newest);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  std::ofstream(newest, std::ios::binary | std::ios::trunc) << bytes;
  EXPECT_FALSE(town->Start());
}

TEST_F(HouseTest, ARevokedStationLosesItsSessionsAtOnceAndForGood) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 1);
  Photo("receptie", "receptie-1", ban);
  client::Connection& open = town->At("receptie", "receptie-1");
  Do("beheer", "kantoor-1", "station revoke", {{"station", "receptie-1"}});
  const client::Arguments none;
  client::Call call{open, none, client::Language::kEnglish};
  EXPECT_EQ(client::FindCommand("session show")->run(call).error.rule(), "station-unknown");
  EXPECT_EQ(
      Refused("nobody", "receptie-1", "session login",
              {{"name", "receptie"}, {"password", Town::kPassword}, {"code", town->NextCode("receptie")}}),
      "station-unknown");
  EXPECT_EQ(Refused("beheer", "kantoor-1", "station propose",
                    {{"station", "receptie-9"},
                     {"location", "gemeentehuis"},
                     {"certificate", town->folder() + "/pki/stations/receptie-1/station.pem"}}),
            "already-exists");
}

// A stream that is under way ends too: an upload of which the first part has been looked at and found in
// order.
TEST_F(HouseTest, ARevokedStationLosesAStreamThatIsUnderWay) {
  const std::string ban = ActiveBan();
  Do("teamleider", "kantoor-1", "photo inform", {{"ban", ban}, {"how", "letter"}, {"on", "2026-03-02"}});
  Do("toezicht", "kantoor-1", "photo request", {{"ban", ban}});
  client::Arguments consent;
  consent.Add("ban", ban);
  consent.Add("basis", "avg-6-1-e");
  for (const char* criterion : {"noodzaak|yes|x", "evenredig|yes|x", "geinformeerd|yes|x"})
    consent.Add("answer", criterion);
  ASSERT_TRUE(town->Run("teamleider", "kantoor-1", "photo consent", consent).ok());

  client::Connection& open = town->At("burgerzaken", "kantoor-1");
  auto stub = pb::PhotoReleaseService::NewStub(open.channel());
  grpc::ClientContext context;
  open.Prepare(context);
  pb::SupplyPhotoResponse response;
  auto writer = stub->SupplyPhoto(&context, &response);
  const std::string photo = PortraitJpeg(1);
  pb::SupplyPhotoRequest first, piece;
  auto* approval = first.mutable_approval();
  approval->set_idempotency_key("stream-under-way");
  approval->set_ban_id(ban);
  approval->set_source_id("reisdocument");
  approval->set_legal_basis_id("avg-6-1-e");
  approval->set_basis_checked(true);
  approval->set_person_checked(true);
  approval->set_photo_matches_person(true);
  approval->set_file_size(static_cast<int64_t>(photo.size()));
  piece.set_chunk(photo.substr(0, 1000));
  ASSERT_TRUE(writer->Write(first));
  ASSERT_TRUE(writer->Write(piece));
  Do("privacy", "receptie-1", "station revoke", {{"station", "kantoor-1"}});
  bool alive = true;
  for (int i = 0; i < 500 && alive; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    alive = writer->Write(piece);
  }
  EXPECT_FALSE(alive) << "the stream went on for five seconds after its station was revoked";
  EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(Do("auditor", "receptie-1", "audit list", {{"ban", ban}, {"event", "PhotoDestroyed"}})
                .FindFact("count"),
            "0");
}

TEST_F(HouseTest, AStolenTokenIsWorthNothingElsewhere) {
  const std::string token = town->At("receptie", "receptie-1").token();
  client::Connection thief(town->Files("zwembad-1"));
  thief.set_token(token);
  const client::Arguments none;
  client::Call call{thief, none, client::Language::kEnglish};
  EXPECT_EQ(client::FindCommand("session show")->run(call).error.rule(), "session-elsewhere");
  const auto listed = Do("auditor", "kantoor-1", "audit list", {{"refused", "yes"}});
  EXPECT_EQ(listed.FindFact("refused-by"), "session-elsewhere");
  EXPECT_EQ(listed.FindFact("at-station"), "zwembad-1");
}

TEST_F(HouseTest, TheSameKeyRepeatsTheAnswerAndNotTheDeed) {
  const Pairs propose{{"key", "key-0001-abcdef"}, {"surname", "Bos"},       {"given", "An"},
                      {"born", "1990-01-02"},     {"established", "yes"},   {"ground", "verbaal"},
                      {"measure", "time-out"},    {"where", "sporthal"},    {"from", "2026-03-02"},
                      {"until", "2026-06-01"},    {"reasons", "Schelden."}, {"channels", "post"}};
  const auto first = Do("teamleider", "kantoor-1", "ban propose", propose);
  const auto again = Do("teamleider", "kantoor-1", "ban propose", propose);
  EXPECT_EQ(again.FindFact("replayed"), "yes");
  EXPECT_EQ(again.FindFact("id"), first.FindFact("id"));
  EXPECT_EQ(again.FindFact("entry"), first.FindFact("entry"));
  EXPECT_EQ(Do("teamleider", "kantoor-1", "ban list", {}).FindFact("count"), "1");
  // Also after a restart, and also by another person: the key is theirs alone.
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  ASSERT_TRUE(town->Start());
  EXPECT_EQ(Do("teamleider", "kantoor-1", "ban propose", propose).FindFact("replayed"), "yes");
  EXPECT_EQ(Do("teamleider-sport", "kantoor-1", "ban propose", propose).FindFact("replayed"), "no");
  Pairs other = propose;
  other[1].second = "Boom";
  EXPECT_EQ(Refused("teamleider", "kantoor-1", "ban propose", other), "idempotency-key-reused");
  // Authorised again on replay: not for somebody who has lost the right.
  Do("beheer", "kantoor-1", "people block", {{"person", town->people().at("teamleider").id}});
  EXPECT_EQ(Refused("teamleider", "kantoor-1", "ban propose", propose), "session-required");
  // And not for ever.
  town->SetClock(town->Now() + absl::Hours(25));
  EXPECT_EQ(Do("teamleider-sport", "kantoor-1", "ban propose", propose).FindFact("replayed"), "no");
}

TEST_F(HouseTest, BannedElsewhereCannotBeToldFromNotBanned) {
  ActiveBan();  // town hall and sports hall
  auto ask = [&](const std::string& surname) {
    client::Connection& pool = town->At("zwembad", "zwembad-1");
    auto stub = pb::CheckService::NewStub(pool.channel());
    grpc::ClientContext context;
    pool.Prepare(context);
    pb::CheckVisitorRequest request;
    request.set_purpose(pb::PURPOSE_VISITOR_AT_DESK);
    request.mutable_typed()->mutable_name()->set_surname(surname);
    request.mutable_typed()->mutable_name()->set_given_names("Jan Pieter");
    request.mutable_typed()->mutable_birth_date()->set_year(1985);
    request.mutable_typed()->mutable_birth_date()->set_month(3);
    request.mutable_typed()->mutable_birth_date()->set_day(12);
    pb::CheckVisitorResponse response;
    EXPECT_TRUE(stub->CheckVisitor(&context, request, &response).ok());
    return response.SerializeAsString();
  };
  EXPECT_EQ(ask("de Vries"), ask("Nooitgehoord"));
  // Nor does the log tell what was asked: both entries say the same, of nobody.
  const auto entries = Do("auditor", "kantoor-1", "audit list",
                          {{"station", "zwembad-1"}, {"event", "CheckVisitor,MatchShown"}});
  EXPECT_EQ(entries.FindFact("count"), "2");
  EXPECT_FALSE(entries.FindFact("about"));
}

// Probed from outside by another program.
TEST_F(HouseTest, OnlyMutualTls13WithTheGoodSuitesIsSpoken) {
  const std::string client =
      absl::StrCat("echo | timeout 5 openssl s_client -connect localhost:", town->port(),
                   " -alpn h2 -CAfile ", town->folder(), "/pki/ca.pem");
  const std::string good =
      absl::StrCat(" -cert ", town->folder(), "/pki/stations/receptie-1/station.pem -key ", town->folder(),
                   "/pki/stations/receptie-1/station.key");
  auto handshake_is_good = [](const std::string& out) {
    return out.find("Verify return code: 0 (ok)") != std::string::npos &&
           out.find("Cipher is (NONE)") == std::string::npos && out.find("New, TLSv1.3") != std::string::npos;
  };
  EXPECT_TRUE(handshake_is_good(Output(client + good + " -ciphersuites TLS_AES_256_GCM_SHA384")));
  EXPECT_TRUE(handshake_is_good(Output(client + good + " -ciphersuites TLS_CHACHA20_POLY1305_SHA256")));
  EXPECT_FALSE(handshake_is_good(Output(client + good + " -ciphersuites TLS_AES_128_GCM_SHA256")));
  const std::string tls12 = Output(client + good + " -tls1_2");
  EXPECT_NE(tls12.find("Cipher is (NONE)"), std::string::npos) << tls12;
  // TLS 1.3 tells a client that it wants a certificate only after the handshake; a call shows it.
  client::StationFiles stranger = town->Files("receptie-1");
  stranger.certificate_pem.clear();
  stranger.key_pem.clear();
  client::Connection nobody(stranger);
  const client::Arguments none;
  client::Call call{nobody, none, client::Language::kEnglish};
  EXPECT_EQ(client::FindCommand("session show")->run(call).error.rule(), "cannot-reach");
}

TEST_F(HouseTest, ACertificateOfAnotherAuthorityIsNotLetIn) {
  const std::string pki = SourceFolder() + "/deploy/pki ";
  const std::string other = town->folder() + "/other";
  MustRun(pki + "authority " + other);
  MustRun(absl::StrCat(pki, "station ", other, " receptie-1 localhost:", town->port()));
  client::StationFiles files = town->Files("receptie-1");
  files.certificate_pem = Slurp(other + "/stations/receptie-1/station.pem");
  files.key_pem = Slurp(other + "/stations/receptie-1/station.key");
  client::Connection connection(files);
  const client::Arguments none;
  client::Call call{connection, none, client::Language::kEnglish};
  EXPECT_EQ(client::FindCommand("session show")->run(call).error.rule(), "cannot-reach");
}

// grpc.health.v1: an empty request asks for the whole server; field 1 of the answer is 1 when it serves.
TEST_F(HouseTest, HealthIsTheStandardService) {
  client::Connection& open = town->At("nobody", "receptie-1");
  std::string answer;
  const grpc::Status status = RawCall(open, "/grpc.health.v1.Health/Check", "", &answer);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(answer, std::string("\x08\x01"));
}

// The first week: somebody loses a telephone, two people give them another start, and the log shows what the
// administrator did.
TEST_F(HouseTest, ALostTelephoneIsReplacedByTwoPeopleAndTheLogShowsIt) {
  const std::string person = town->people().at("receptie").id;
  Do("receptie", "receptie-1", "session show", {});
  const auto proposed = Do("beheer", "kantoor-1", "people reset", {{"person", person}});
  const auto confirmed = Do("privacy", "kantoor-1", "change confirm", {{"change", *proposed.FindFact("id")}});
  auto on_new = [&](const std::string& command, const Pairs& options) {
    client::Connection connection(town->Files("receptie-1"));
    client::Arguments arguments;
    for (const auto& [name, value] : options) arguments.Add(name, value);
    client::Call call{connection, arguments, client::Language::kEnglish};
    return client::FindCommand(command)->run(call);
  };
  // What was lost is worth nothing any more, nor is one half.
  EXPECT_EQ(
      on_new("session login",
             {{"name", "receptie"}, {"password", Town::kPassword}, {"code", town->NextCode("receptie")}})
          .error.rule(),
      "sign-in-failed");
  const std::string first = *proposed.FindFact("half"), second = *confirmed.FindFact("half");
  EXPECT_EQ(
      on_new(
          "session enrol",
          {{"name", "receptie"}, {"first", first}, {"second", first}, {"password", "nieuw en lang genoeg"}})
          .error.rule(),
      "enrolment-failed");
  const auto enrolled = on_new(
      "session enrol",
      {{"name", "receptie"}, {"first", first}, {"second", second}, {"password", "nieuw en lang genoeg"}});
  ASSERT_TRUE(enrolled.ok()) << enrolled.error.rule();
  EXPECT_TRUE(
      on_new("session login", {{"name", "receptie"},
                               {"password", "nieuw en lang genoeg"},
                               {"code", CodeAt(SecretOf(*enrolled.FindFact("otpauth")), town->Now())}})
          .ok());
  const auto log =
      Do("auditor", "kantoor-1", "audit list", {{"person", town->people().at("beheer").id}, {"size", "1"}});
  EXPECT_EQ(log.FindFact("event"), "ProposeReset");
}

TEST_F(HouseTest, TheServersOwnLogHoldsNothingPersonal) {
  const std::string ban = ActiveBan("Wolfert", "Zonneschijn", "1961-07-23");
  Refused("receptie", "receptie-1", "photo show", {{"ban", ban}});
  Do("receptie", "receptie-1", "check",
     {{"given", "Wolfert"}, {"surname", "Zonneschijn"}, {"born", "1961-07-23"}});
  const std::string log = town->Log();
  for (const char* needle : {"Wolfert", "Zonneschijn", "1961", "Roodborst"}) {
    EXPECT_EQ(log.find(needle), std::string::npos) << needle;
  }
}

TEST_F(HouseTest, NobodyPhotographsTheServersMemory) {
  // /proc/PID/mem of an undumpable process belongs to root, and no core is written.
  const std::string limits = Output(
      "pgrep -f 'waarborgd-test run --config waarborgd.toml' | head -1 | xargs -I{} cat /proc/{}/limits "
      "| grep 'core file'");
  EXPECT_NE(limits.find("0                    0"), std::string::npos) << limits;
}

}  // namespace
}  // namespace waarborg::testing

// SPDX-License-Identifier: EUPL-1.2
// What is left when a ban, a file, a disk or a key has come to its end.
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/keys/keystore.h"
#include "server/keys/root_key.h"
#include "tests/e2e/town_test.h"
#include "tests/support/portrait.h"
#include "tests/support/signing_in.h"
#include "tests/support/story.h"

namespace waarborg::testing {
namespace {

namespace fs = std::filesystem;

class EndTest : public TownTest {
 protected:
  // Stops the server, adds to its configuration, and starts it again.
  void Configure(const std::string& toml) {
    ASSERT_EQ(town->Stop(SIGTERM), 0);
    std::ofstream(town->folder() + "/waarborgd.toml", std::ios::app) << toml;
    ASSERT_TRUE(town->Start()) << town->Log();
  }
  void WithBackups() { Configure("[backup]\nfolder = \"backups\"\nkeys_folder = \"key-backups\"\n"); }
  // The newest backup, as a path below the town.
  std::string Backup() {
    const client::Reply made = Do("beheer", "kantoor-1", "backup", {});
    return "backups/" + made.FindFact("id").value_or("");
  }
  // Runs a subcommand of the server program in the town's folder; its exit status.
  int Daemon(const std::string& words, const std::string& input = "") {
    const std::string command =
        absl::StrCat("cd ", town->folder(), " && printf '", input, "' | ", ProgramFolder(),
                     "/waarborgd-test ", words, " --config waarborgd.toml > said 2>&1");
    return WEXITSTATUS(std::system(command.c_str()));
  }
  std::string Said() const { return Slurp(town->folder() + "/said"); }
  bool PhotoIs(const std::string& ban, const std::string& state) {
    return Do("teamleider", "kantoor-1", "ban show", {{"ban", ban}}).FindFact("photo") == state;
  }
  // The certificate of this photo or file, once it is made, in a file.
  std::string Certificate(const std::string& id) {
    const std::string path = town->folder() + "/certificate.txt";
    EXPECT_TRUE(Within(std::chrono::seconds(10), [&] {
      return town->Run("auditor", "kantoor-1", "audit certificate", {{"of", id}, {"out", path}}).ok();
    })) << id;
    return path;
  }
  int Verify(const std::string& path) {
    MustRun(absl::StrCat("cd ", town->folder(), " && ", ProgramFolder(),
                         "/waarborgd-test log-key --config waarborgd.toml > log.vkey"));
    const std::string command =
        absl::StrCat(ProgramFolder(), "/waarborg-verify certificate ", path, " --key ", town->folder(),
                     "/log.vkey > ", town->folder(), "/said 2>&1");
    return WEXITSTATUS(std::system(command.c_str()));
  }
  // The keys of photos on the disk now, by a copy of the keystore.
  std::set<std::string> PhotoKeys() {
    const std::string copy = town->folder() + "/keys-copy";
    // The server may be putting a new generation in the place of the old one just now: then once more.
    EXPECT_TRUE(Within(std::chrono::seconds(10), [&] {
      std::error_code changing;
      fs::remove_all(copy);
      fs::copy(town->folder() + "/data/keys", copy, changing);
      return !changing;
    }));
    auto root = keys::ReadRootKey(town->folder() + "/root.key",
                                  [](const std::string&) { return base::Secret("a new secret sentence"); });
    EXPECT_TRUE(root.ok()) << root.status();
    const auto home = keys::NewFileHome(*root, random_);
    auto store = keys::Keystore::Open(copy, "photo", *home, random_);
    EXPECT_TRUE(store.ok()) << store.status();
    std::set<std::string> ids;
    (*store)->ForEach([&](const std::string& id, const base::Secret&) { ids.insert(id); });
    return ids;
  }
  std::string PhotoOf(const std::string& ban) {
    return Do("teamleider", "kantoor-1", "ban show", {{"ban", ban}}).FindFact("photo-id").value_or("");
  }
  void Lift(const std::string& ban) {
    Do("collegesecretariaat", "kantoor-1", "ban lift",
       {{"ban", ban}, {"reason", "Garantie gegeven."}, {"number", "2026-9"}, {"date", "2026-03-02"}});
  }

  base::SystemRandom random_;
};

TEST_F(EndTest, ACertificateSaysWhatWasDestroyedAndAStrangerCanCheckIt) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 3);
  const std::string photo = PhotoOf(ban);
  EXPECT_EQ(Refused("auditor", "kantoor-1", "audit certificate", {{"of", photo}}), "not-found");
  Lift(ban);
  const std::string path = Certificate(photo);
  EXPECT_EQ(Verify(path), 0) << Said();
  const std::string text = Slurp(path);
  EXPECT_NE(text.find(photo), std::string::npos);
  EXPECT_NE(text.find(ban), std::string::npos);
  EXPECT_NE(text.find("opgeheven"), std::string::npos);
  EXPECT_EQ(text.find("Vries"), std::string::npos) << "a certificate names nobody";
  // It is a file of its own too, and is made again from what is on disk after a crash before it was written.
  EXPECT_EQ(Slurp(town->folder() + "/data/certificates/2026/" + photo + ".txt"), text);
  std::ofstream(path, std::ios::binary) << absl::StrReplaceAll(text, {{"opgeheven", "verlengd."}});
  EXPECT_EQ(Verify(path), 1);
  EXPECT_EQ(Refused("receptie", "receptie-1", "audit certificate", {{"of", photo}}), "role-not-allowed");
  EXPECT_EQ(Refused("auditor", "kantoor-1", "audit certificate", {{"of", "../2026/" + photo}}), "not-found");
}

TEST_F(EndTest, AFileGoesWhenItsTermEndsAndCountsStay) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 3);
  Lift(ban);
  const std::string other = ActiveBan("Karel", "Kievit", "1990-01-02");
  ASSERT_TRUE(Within(std::chrono::seconds(10), [&] { return PhotoIs(ban, "destroyed"); }));
  // The day before: all of it is there.
  town->SetClock(*ParseMoment("2028-03-01 12:00", town->Now()));
  EXPECT_EQ(Do("teamleider", "kantoor-1", "ban show", {{"ban", ban}}).FindFact("state"), "lifted");
  town->SetClock(*ParseMoment("2028-03-02 00:00:01", town->Now()));
  EXPECT_TRUE(Within(std::chrono::seconds(10), [&] {
    const auto shown = town->Run("teamleider", "kantoor-1", "ban show", {{"ban", ban}});
    return !shown.ok() && shown.error.rule() == "not-found";
  }));
  EXPECT_EQ(Verify(Certificate(ban)), 0) << Said();
  const auto counts = Do("auditor", "kantoor-1", "audit counts", {{"year", "2026"}});
  EXPECT_EQ(counts.FindFact("file"), "<5");
  EXPECT_EQ(counts.FindFact("closed/lifted"), "<5");
  // What the log says about it can be proved and not read any more, but for its end.
  const auto entries = Do("auditor", "kantoor-1", "audit list", {{"ban", ban}});
  EXPECT_EQ(entries.FindFact("event"), "FileDestroyed");
  // After a restart as before it, and the other file has its own time.
  town->Stop(SIGKILL);
  ASSERT_TRUE(town->Start()) << town->Log();
  EXPECT_EQ(Refused("teamleider", "kantoor-1", "ban show", {{"ban", ban}}), "not-found");
  EXPECT_EQ(Do("teamleider", "kantoor-1", "ban show", {{"ban", other}}).FindFact("state"), "expired");
}

TEST_F(EndTest, ABackupOfAnotherMomentIsPutBackAndWhatWasDestroyedSinceStaysDestroyed) {
  const std::string kept = ActiveBan(), lifted = ActiveBan("Karel", "Kievit", "1990-01-02");
  ReleasePhoto(kept, 3);
  ReleasePhoto(lifted, 4);
  const std::string photo = PhotoOf(lifted);
  WithBackups();
  const std::string backup = Backup();
  Lift(lifted);
  ASSERT_EQ(Verify(Certificate(photo)), 0) << Said();
  ASSERT_EQ(town->Stop(SIGTERM), 0);

  // Over newer data it is refused, and nothing is touched.
  EXPECT_EQ(Daemon("restore --test-clock clock --from " + backup), 65);
  EXPECT_NE(Said().find("holds newer data"), std::string::npos) << Said();
  // The database is lost; the keystores and the memory of the log are not.
  fs::rename(town->folder() + "/data/store", town->folder() + "/lost-store");
  fs::create_directories(town->folder() + "/openings");
  fs::copy(town->folder() + "/certificate.txt", town->folder() + "/openings/lifted.txt");
  EXPECT_EQ(Daemon("restore --test-clock clock --openings openings --from " + backup), 0) << Said();
  ASSERT_TRUE(town->Start()) << town->Log();
  EXPECT_TRUE(PhotoIs(lifted, "destroyed"));
  EXPECT_EQ(Do("teamleider", "kantoor-1", "ban show", {{"ban", lifted}}).FindFact("state"), "lifted");
  EXPECT_TRUE(PhotoIs(kept, "released"));
  EXPECT_LT(Difference(Photo("receptie", "receptie-1", kept), 3), 20);
  // The log goes on under another name, and that is in it.
  EXPECT_EQ(Do("auditor", "kantoor-1", "audit head", {}).FindFact("origin"),
            "waterdam.example/lokaalverboden/2026-2");
  EXPECT_EQ(Do("auditor", "kantoor-1", "audit list", {{"event", "BackupRestored"}}).FindFact("count"), "1");
}

TEST_F(EndTest, AfterTheLossOfTheWholeDiskBansGoOnWithoutPhotosAndEachIsATask) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 3);
  WithBackups();
  const std::string backup = Backup();
  town->Stop(SIGKILL);
  fs::remove_all(town->folder() + "/data");
  EXPECT_EQ(Daemon("restore --test-clock clock --file-keys nothing --from " + backup), 65);
  EXPECT_EQ(Daemon("restore --test-clock clock --from " + backup), 0) << Said();
  ASSERT_TRUE(town->Start()) << town->Log();
  EXPECT_EQ(Do("receptie", "receptie-1", "check",
               {{"given", "Jan Pieter"}, {"prefix", "de"}, {"surname", "Vries"}, {"born", "1985-03-12"}})
                .word,
            "banned");
  EXPECT_EQ(Refused("receptie", "receptie-1", "photo show", {{"ban", ban}}), "photo-not-released");
  const auto tasks = Do("burgerzaken", "kantoor-1", "task list", {});
  EXPECT_EQ(tasks.FindFact("supply-photo"), ban);
  EXPECT_EQ(Do("auditor", "kantoor-1", "audit list", {{"event", "PhotoKeyLost"}}).FindFact("count"), "1");
  Do("burgerzaken", "kantoor-1", "photo supply",
     {{"ban", ban},
      {"file", PortraitFile(5)},
      {"source", "reisdocument"},
      {"basis", "avg-6-1-e"},
      {"basis-checked", "yes"},
      {"person-checked", "yes"},
      {"photo-checked", "yes"}});
  EXPECT_EQ(PhotoKeys().size(), 1u);
}

TEST_F(EndTest, ABackupThatWasChangedIsNotPutBack) {
  ActiveBan();
  WithBackups();
  const std::string backup = town->folder() + "/" + Backup();
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  fs::remove_all(town->folder() + "/data/store");
  for (const auto& entry : fs::recursive_directory_iterator(backup)) {
    if (!entry.is_regular_file()) continue;
    const std::string good = Slurp(entry.path().string());
    std::string bad = good.empty() ? "x" : good;
    bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 1);
    std::ofstream(entry.path(), std::ios::binary) << bad;
    EXPECT_EQ(Daemon("restore --test-clock clock --from " + backup), 65) << entry.path();
    EXPECT_FALSE(fs::exists(town->folder() + "/data/store")) << entry.path();
    std::ofstream(entry.path(), std::ios::binary) << good;
  }
  EXPECT_EQ(Daemon("restore --test-clock clock --from " + backup), 0) << Said();
}

TEST_F(EndTest, TheBackupsOfFileKeysAreDestroyedAfterTheirTerm) {
  WithBackups();
  Backup();
  const std::string folder = town->folder() + "/key-backups";
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
  town->SetClock(town->Now() + absl::Hours(24 * 15));
  EXPECT_TRUE(Within(std::chrono::seconds(10), [&] { return fs::is_empty(folder); }));
  EXPECT_EQ(Refused("auditor", "kantoor-1", "backup", {}), "role-not-allowed");
}

TEST_F(EndTest, ARootKeyIsReplacedAndAPassphraseSealsIt) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 3);
  WithBackups();
  Backup();
  EXPECT_NE(Daemon("rotate-root-key"), 0) << "the service runs";
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  const std::string old = Slurp(town->folder() + "/root.key");
  ASSERT_EQ(Daemon("rotate-root-key"), 0) << Said();
  EXPECT_NE(Said().find("4 of 4"), std::string::npos) << Said();
  const std::string plain = Slurp(town->folder() + "/root.key");
  EXPECT_NE(plain, old);
  ASSERT_TRUE(town->Start()) << town->Log();
  EXPECT_LT(Difference(Photo("receptie", "receptie-1", ban), 3), 20);
  ASSERT_EQ(town->Stop(SIGTERM), 0);

  ASSERT_EQ(Daemon("rotate-root-key --passphrase", "a new secret sentence\\n"), 0) << Said();
  EXPECT_NE(Slurp(town->folder() + "/root.key").find("argon2id"), std::string::npos);
  EXPECT_EQ(PhotoKeys().size(), 1u);
  EXPECT_EQ(Daemon("log-key", "another sentence\\n"), 65);
  EXPECT_NE(Said().find("not the passphrase"), std::string::npos) << Said();
  EXPECT_EQ(Daemon("log-key", "a new secret sentence\\n"), 0) << Said();
  // With the old root key nothing opens.
  std::ofstream(town->folder() + "/root.key") << old;
  EXPECT_EQ(Daemon("log-key"), 65);
}

// A kill at every moment of a rotation; the next call finishes it.
TEST_F(EndTest, AnInterruptedRotationIsFinished) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 3);
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  for (int ms = 0; ms <= 40; ms += 4) {
    const std::string command =
        absl::StrCat("cd ", town->folder(), " && timeout -s KILL 0.", ms < 10 ? "00" : "0", ms, " ",
                     ProgramFolder(), "/waarborgd-test rotate-root-key --config waarborgd.toml > said 2>&1");
    EXPECT_NE(std::system(command.c_str()), -1);
    ASSERT_EQ(Daemon("rotate-root-key"), 0) << ms << ": " << Said();
    EXPECT_FALSE(fs::exists(town->folder() + "/root.key.next"));
  }
  ASSERT_TRUE(town->Start()) << town->Log();
  EXPECT_LT(Difference(Photo("receptie", "receptie-1", ban), 3), 20);
}

TEST_F(EndTest, AnExtensionKeepsThePhotoAndItsKey) {
  const std::string ban = ActiveBan();
  ReleasePhoto(ban, 3);
  const std::set<std::string> before = PhotoKeys();
  Do("collegesecretariaat", "kantoor-1", "ban extend",
     {{"ban", ban},
      {"until", "2026-09-01"},
      {"reason", "Tweede gesprek."},
      {"number", "2026-9"},
      {"date", "2026-03-02"}});
  town->SetClock(*ParseMoment("2026-06-02 09:00", town->Now()));
  town->Run("receptie", "receptie-1", "check", {{"surname", "x"}, {"given", "y"}, {"born", "1990-01-01"}});
  EXPECT_LT(Difference(Photo("receptie", "receptie-1", ban), 3), 20);
  EXPECT_EQ(PhotoKeys(), before);
  town->SetClock(*ParseMoment("2026-09-02 00:00:01", town->Now()));
  EXPECT_TRUE(Within(std::chrono::seconds(10), [&] { return PhotoKeys().empty(); }));
}

TEST_F(EndTest, WhoeverWatchesTheMachineSeesWhetherADestructionWaits) {
  Configure("[metrics]\nfile = \"metrics\"\n");
  const std::string path = town->folder() + "/metrics";
  ASSERT_TRUE(Within(std::chrono::seconds(10), [&] { return fs::exists(path); }));
  EXPECT_NE(Slurp(path).find("\nwaarborg_destruction_waiting_seconds 0\n"), std::string::npos) << Slurp(path);
  EXPECT_NE(Slurp(path).find("\nwaarborg_certificates_waiting 0\n"), std::string::npos);
  EXPECT_EQ(fs::status(path).permissions() & fs::perms::others_read, fs::perms::others_read);
}

// The same house with its generation keys in a token.
TEST_F(EndTest, WithATokenAnOlderImageOfTheDiskOpensNothing) {
  const std::string soft = town->folder() + "/token";
  fs::create_directories(soft + "/tokens");
  std::ofstream(soft + "/softhsm2.conf")
      << "directories.tokendir = " << soft << "/tokens\nlog.level = ERROR\n";
  setenv("SOFTHSM2_CONF", (soft + "/softhsm2.conf").c_str(), 1);
  MustRun("softhsm2-util --init-token --free --label waarborg --so-pin 87654321 --pin 12345678 > /dev/null");
  std::ofstream(soft + "/pin") << "12345678\n";
  fs::permissions(soft + "/pin", fs::perms::owner_read | fs::perms::owner_write);
  // A house moves into a token by a backup: its photos are supplied again.
  const std::string ban = ActiveBan();
  WithBackups();
  const std::string backup = Backup();
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  fs::remove_all(town->folder() + "/data");
  std::ofstream(town->folder() + "/waarborgd.toml", std::ios::app)
      << "[token]\nmodule = \"/usr/lib/softhsm/libsofthsm2.so\"\nlabel = \"waarborg\"\npin_file = "
         "\"token/pin\"\n"
         "instance = \"waterdam\"\n";
  ASSERT_EQ(Daemon("restore --test-clock clock --from " + backup), 0) << Said();
  ASSERT_TRUE(town->Start()) << town->Log();
  ReleasePhoto(ban, 3);
  EXPECT_LT(Difference(Photo("receptie", "receptie-1", ban), 3), 20);
  const std::string photo = PhotoOf(ban);
  const std::string image = town->folder() + "/image";
  fs::copy(town->folder() + "/data", image, fs::copy_options::recursive);
  Lift(ban);
  ASSERT_EQ(Verify(Certificate(photo)), 0) << Said();
  EXPECT_NE(Slurp(town->folder() + "/certificate.txt").find("token"), std::string::npos);
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  // The older image, the root key, the PIN and the token itself: the generation it needs is gone.
  fs::rename(town->folder() + "/data", town->folder() + "/now");
  fs::rename(image, town->folder() + "/data");
  EXPECT_FALSE(town->Start());
  EXPECT_NE(town->Log().find("photo-"), std::string::npos) << town->Log();
  // And trying it harmed nothing.
  fs::rename(town->folder() + "/data", image);
  fs::rename(town->folder() + "/now", town->folder() + "/data");
  EXPECT_TRUE(town->Start()) << town->Log();
  // Nor does a restore beside it, unless somebody says that the keys are lost.
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  fs::rename(town->folder() + "/data", town->folder() + "/elsewhere");
  EXPECT_EQ(Daemon("restore --test-clock clock --from " + backup), 65);
  EXPECT_NE(Said().find("--keys-are-lost"), std::string::npos) << Said();
  fs::remove_all(town->folder() + "/data");
  fs::rename(town->folder() + "/elsewhere", town->folder() + "/data");
  ASSERT_TRUE(town->Start()) << town->Log();
  ASSERT_EQ(town->Stop(SIGTERM), 0);
  fs::remove_all(town->folder() + "/data");
  EXPECT_EQ(Daemon("restore --test-clock clock --keys-are-lost --from " + backup), 0) << Said();
  unsetenv("SOFTHSM2_CONF");
}

}  // namespace
}  // namespace waarborg::testing

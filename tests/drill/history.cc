// SPDX-License-Identifier: EUPL-1.2
#include "tests/drill/history.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "server/base/clock.h"
#include "server/base/file.h"
#include "server/base/hex.h"
#include "server/keys/keystore.h"
#include "server/keys/root_key.h"
#include "server/photos/photo.h"
#include "tests/support/portrait.h"
#include "tests/support/signing_in.h"
#include "tests/support/story.h"

namespace waarborg::drill {

namespace fs = std::filesystem;
namespace pb = waarborg::v1;
using testing::kAdministrator, testing::kAuditor, testing::kBoard, testing::kCivilAffairs,
    testing::kCoordinator, testing::kDesk, testing::kLegal, testing::kManager, testing::kSecretary;
using testing::Seat;
using testing::Town;

namespace {

constexpr Seat kSeats[] = {kManager,      kSecretary, kBoard, kCoordinator,
                           kCivilAffairs, kLegal,     kDesk,  kAdministrator};
constexpr size_t kWorkers = 2;
// Of portraits: every worker, and what is made between them.
constexpr int kSources = kWorkers + 1;
constexpr int kSteps = static_cast<int>(std::size(testing::kToRelease));
constexpr int kConsented = 6;
// Of every worker's files.
constexpr size_t kKept = 2;
// The server has this long to destroy what has ended, once it serves.
constexpr auto kPatience = std::chrono::seconds(10);

void SleepMs(int ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

std::string DayText(absl::CivilDay day) {
  return absl::FormatCivilTime(day);
}

// Proefwoudaab: letters only, and never the same.
std::string Surname(size_t worker, size_t number) {
  const auto letter = [](size_t n) { return static_cast<char>('a' + n % 26); };
  return absl::StrCat("Proefwoud", std::string(1, letter(worker)), std::string(1, letter(number / 26)),
                      std::string(1, letter(number)));
}

}  // namespace

absl::StatusOr<std::string> LookingHome::Seal(const std::string& /*name*/, uint64_t /*generation*/,
                                              const base::Secret& /*key*/) {
  return absl::FailedPreconditionError("this home seals nothing");
}

absl::StatusOr<base::Secret> LookingHome::Open(const std::string& name, uint64_t generation,
                                               std::string_view sealed) {
  return home_.Open(name, generation, sealed);
}

absl::Status LookingHome::Destroy(const std::string& /*name*/, uint64_t /*generation*/) {
  return absl::OkStatus();
}

absl::StatusOr<std::set<uint64_t>> LookingHome::Guarded(const std::string& /*name*/) {
  return std::set<uint64_t>();
}

History::History(Plan plan) : plan_(std::move(plan)), dice_(plan_.seed) {
  const std::string& s = plan_.scratch;
  std::string more =
      absl::StrCat("[destruction]\ntrim = false\n[disk]\nkeep_free_mib = 32\n[backup]\nfolder = \"", s,
                   "/backups\"\nkeys_folder = \"", s, "/filekeys\"\nkeys_keep_days = 90\n");
  if (plan_.token) {
    token_folder_ = s + "/token";
    MakeToken(token_folder_);
    std::ofstream(s + "/pin") << kTokenPin << "\n";
    Shell("chmod 600 " + s + "/pin");
    absl::StrAppend(&more, "[token]\nmodule = \"", kTokenModule, "\"\nlabel = \"", kTokenLabel,
                    "\"\npin_file = \"", s, "/pin\"\ninstance = \"", kTokenInstance, "\"\n");
  }
  disk_ = std::make_unique<Disk>(s + "/disk.img", s + "/disk", plan_.photos > 100 ? 512 : 256);
  Shell(absl::StrCat("mkdir -p ", s, "/copies ", s, "/portraits"));
  Town::Build(s + "/built", /*unlimited=*/true, DataFolder(), more);
  town_ = Town::Copy(s + "/built", s + "/town");
  Shell("rm -rf " + s + "/built");
  portraits_.resize(kSources);
  for (size_t i = 0; i < kWorkers; ++i) {
    workers_.emplace_back();
    workers_.back().number = i;
    workers_.back().dice.seed(dice_());
  }
}

base::Secret History::Root() const {
  auto root = keys::ReadRootKey(town_->folder() + "/root.key", nullptr);
  if (!root.ok()) Fail(std::string(root.status().message()));
  return std::move(*root);
}

std::unique_ptr<keys::GenerationHome> History::OpenHome() {
  if (!plan_.token) return keys::NewFileHome(Root(), random_);
  auto home = keys::OpenTokenHome({kTokenModule, kTokenLabel, kTokenInstance}, base::Secret(kTokenPin),
                                  Root(), random_);
  if (!home.ok()) Fail(std::string(home.status().message()));
  return std::move(*home);
}

absl::Time History::Moment(absl::CivilDay day, const char* time) const {
  return *testing::ParseMoment(absl::StrCat(DayText(day), " ", time), town_->Now());
}

History::Seats History::SignIn() {
  Seats seats;
  for (const Seat& seat : kSeats) seats[seat.person] = &town_->At(seat.person, seat.station);
  return seats;
}

std::string History::NewPortrait(size_t source) {
  const int number = static_cast<int>(source) + kSources * portraits_[source]++;
  const std::string path = absl::StrCat(plan_.scratch, "/portraits/", number, ".jpg");
  std::ofstream(path, std::ios::binary) << testing::PortraitJpeg(number);
  return path;
}

History::File History::NewFile(Worker& worker) {
  File file;
  file.subject.surname = Surname(worker.number, worker.files.size());
  file.subject.from = DayText(today_);
  file.subject.departure = "Proef.";
  // A fifth of the bans outlives the drill.
  const int span = std::max(4, plan_.crashes / 2);
  const int days = 3 + static_cast<int>(worker.dice() % static_cast<unsigned>(span));
  file.kept = worker.files.size() < kKept;
  file.subject.until = file.kept || worker.dice() % 5 == 0 ? "2026-12-01" : DayText(today_ + days);
  file.subject.portrait = NewPortrait(worker.number);
  return file;
}

bool History::Advance(Worker& worker, File& file, const Seats& seats) {
  if (file.steps == kSteps) {  // what its photo is called
    client::Arguments ban;
    ban.Add("ban", file.subject.ban);
    const auto shown = testing::RunOn(*seats.at(kManager.person), "ban show", ban);
    if (!shown.ok()) return !testing::Unanswered(shown);
    file.photo = shown.FindFact("photo-id").value_or("");
    ++supplied_;
    // Some are seen.
    if (worker.dice() % 3 != 0) return true;
    ban.Add("purpose", "visitor-at-desk");
    return !testing::Unanswered(testing::RunOn(*seats.at(kDesk.person), "photo show", ban));
  }
  const testing::Step& step = testing::kToRelease[file.steps];
  if (file.key.empty()) file.key = absl::StrFormat("proef-%016x", worker.dice());
  const auto reply = testing::RunOn(*seats.at(step.seat.person), step.command,
                                    testing::ArgumentsOf(step.command, file.subject, file.key));
  if (testing::Unanswered(reply)) return false;
  file.key.clear();
  if (!reply.ok()) {
    file.refused = absl::StrCat(step.command, ": ", reply.error.rule(), " ", reply.error.detail.field());
    return true;
  }
  if (file.subject.ban.empty()) file.subject.ban = reply.FindFact("id").value_or("");
  ++file.steps;
  return true;
}

void History::Work(Worker& worker, const Seats& seats, const std::atomic<bool>& stop) {
  while (!stop) {
    if (worker.unfinished.empty()) {
      worker.files.push_back(NewFile(worker));
      worker.unfinished.push_back(&worker.files.back());
    }
    File& next = *worker.unfinished.back();
    if (!Advance(worker, next, seats)) return;
    if (!next.photo.empty() || !next.refused.empty()) worker.unfinished.pop_back();
  }
}

void History::TakeIn() {
  for (Worker& worker : workers_) {
    for (File& file : worker.files) {
      absl::CivilDay until;
      if (!absl::ParseCivilTime(file.subject.until, &until)) Fail("no date: " + file.subject.until);
      const absl::Time ends = Moment(until + 1, "00:00:00");
      if (!file.refused.empty() && !file.ended) {
        if (ends > town_->Now())
          findings_.wrong.push_back(absl::StrCat(file.subject.ban, " was refused: ", file.refused));
        file.ended = true;
      }
      if (file.photo.empty() || photos_.contains(file.photo)) continue;
      Photo photo;
      photo.id = file.photo;
      photo.ban = file.subject.ban;
      photo.portrait = file.subject.portrait;
      photo.ends = ends;
      photos_[photo.id] = photo;
    }
  }
}

std::map<std::string, std::string> History::KeysOf(const std::string& data_folder) {
  const std::string copy = plan_.scratch + "/live-keys";
  Shell(absl::StrCat("rm -rf ", copy, " && cp -a ", data_folder, "/keys ", copy));
  const auto home = OpenHome();
  LookingHome looking(*home);
  auto store = keys::Keystore::Open(copy, "photo", looking, random_);
  if (!store.ok()) {
    findings_.wrong.push_back(
        absl::StrCat("the keystore that is in force does not open: ", std::string(store.status().message())));
    return {};
  }
  std::map<std::string, std::string> found;
  (*store)->ForEach([&](const std::string& id, const base::Secret& key) { found[id] = key.Reveal(); });
  return found;
}

void History::LearnKeys() {
  if (plan_.fault == "token") KeepTokenObjects();
  int generations = 0;
  for (const auto& entry : fs::directory_iterator(DataFolder() + "/keys"))
    generations +=
        entry.path().filename().string().starts_with("photo-") && entry.path().extension() == ".gen";
  const auto live = KeysOf(DataFolder());
  bool amid = generations > 1;
  const absl::Time now = town_->Now();
  for (auto& [id, photo] : photos_) {
    const auto it = live.find(id);
    if (it == live.end()) continue;
    photo.key = it->second;
    amid = amid || photo.EndedAt(now);
  }
  crashes_amid_ += amid;
}

bool History::Pending() const {
  return std::any_of(workers_.begin(), workers_.end(), [](const Worker& worker) {
    return std::any_of(worker.files.begin(), worker.files.end(),
                       [](const File& file) { return !file.ending.empty(); });
  });
}

// What was sent and is answered now.
void History::Done(File& file) {
  Photo& photo = photos_.at(file.photo);
  if (file.ending == "ban extend") {
    absl::CivilDay until;
    if (!absl::ParseCivilTime(file.subject.until, &until)) Fail("no date: " + file.subject.until);
    photo.ends = Moment(until + 1, "00:00:00");
  } else {
    photo.fate = file.ending == "ban lift"      ? Fate::kLifted
                 : file.ending == "photo wrong" ? Fate::kWrong
                                                : Fate::kObjection;
    file.ended = true;
    // Half of the wrong photos are followed by the right one, once they are gone.
    if (photo.fate == Fate::kWrong && dice_() % 2 == 0 && photo.ends > town_->Now() + absl::Hours(72)) {
      file.ended = false;
      file.steps = kConsented;
      file.photo.clear();
      file.subject.portrait = NewPortrait(kWorkers);
    }
  }
  file.ending.clear();
}

bool History::SendEnding(File& file, const Seats& seats) {
  const Seat& seat = file.ending == "photo wrong"       ? kCivilAffairs
                     : file.ending == "photo objection" ? kLegal
                                                        : kBoard;
  const auto reply = testing::RunOn(*seats.at(seat.person), file.ending,
                                    testing::ArgumentsOf(file.ending, file.subject, file.ending_key));
  if (testing::Unanswered(reply)) return false;
  if (!reply.ok()) {
    Fail(absl::StrCat(file.ending, " of ", file.subject.ban, " is refused: ", reply.error.rule(), " ",
                      reply.error.detail.field()));
  }
  Done(file);
  return true;
}

void History::Resolve(const Seats& seats) {
  for (Worker& worker : workers_) {
    for (File& file : worker.files) {
      if (!file.ending.empty() && !SendEnding(file, seats)) Fail("no answer: " + town_->Log());
    }
  }
}

std::vector<History::File*> History::Standing() {
  std::vector<File*> standing;
  const absl::Time now = town_->Now();
  for (Worker& worker : workers_) {
    for (File& file : worker.files) {
      const auto it = photos_.find(file.photo);
      if (it == photos_.end() || it->second.key.empty() || file.ended || file.kept) continue;
      if (!it->second.EndedAt(now + absl::Hours(1))) standing.push_back(&file);
    }
  }
  return standing;
}

bool History::EndSome(const Seats& seats, std::vector<File*> standing, int how_many) {
  for (; how_many > 0 && standing.size() > 3; --how_many) {
    const size_t n = dice_() % standing.size();
    File& file = *standing[n];
    standing.erase(standing.begin() + static_cast<std::ptrdiff_t>(n));
    const unsigned kind = dice_() % 100;
    file.ending = kind < 40   ? "ban lift"
                  : kind < 60 ? "photo objection"
                  : kind < 85 ? "photo wrong"
                              : "ban extend";
    file.ending_key = absl::StrFormat("einde-%016x", dice_());
    if (file.ending == "ban extend") {
      absl::CivilDay until;
      if (!absl::ParseCivilTime(file.subject.until, &until)) Fail("no date: " + file.subject.until);
      file.subject.until = DayText(until + 3 + static_cast<int>(dice_() % 20));
    }
    if (!SendEnding(file, seats)) return false;
  }
  return true;
}

// An image holds what has reached the disk and nothing else, as after a power cut: every key that is in force
// must be among it, and must open with the token as it is now.
void History::CheckPowerCut(const std::string& image) {
  const std::string to = plan_.scratch + "/power-cut";
  Extract(image, "data", to, plan_.scratch);
  const auto found = KeysOf(to);
  const absl::Time now = town_->Now();
  for (const auto& [id, photo] : photos_) {
    if (!photo.key.empty() && !photo.EndedAt(now) && !found.contains(id))
      findings_.lost_before_end.insert(id);
  }
  Shell("rm -rf " + to);
}

void History::Take(Copy::Kind kind) {
  Copy copy;
  copy.kind = kind;
  copy.at = town_->Now();
  static constexpr const char* kNames[] = {"backup", "keystore", "folder", "image"};
  copy.name = absl::StrCat(kNames[static_cast<int>(kind)], "-", copies_.size());
  const std::string to = absl::StrCat(plan_.scratch, "/copies/", copy.name);
  switch (kind) {
    case Copy::Kind::kKeystore:
      copy.folder = to;
      // Files that come and go meanwhile are as they are.
      Shell(absl::StrCat("mkdir ", to, " && { cp -a ", DataFolder(), "/keys ", to, "/keys || true; }"));
      break;
    case Copy::Kind::kFolder:
      copy.folder = to;
      Shell(absl::StrCat("cp -a ", DataFolder(), " ", to));
      break;
    case Copy::Kind::kImage:
      copy.image = to + ".img";
      disk_->CopyTo(copy.image);
      if (!town_->running()) CheckPowerCut(copy.image);
      break;
    case Copy::Kind::kBackup: {
      client::Reply reply;
      // One that was cut off by a crash may be in the way for a moment.
      for (int i = 0; i < 50; ++i) {
        reply = town_->Run(kAdministrator.person, kAdministrator.station, "backup", client::Arguments());
        if (reply.ok()) break;
        SleepMs(100);
      }
      if (!reply.ok()) Fail("no backup: " + reply.error.rule());
      const std::string id = *reply.FindFact("id");
      copy.folder = to;
      Shell(absl::StrCat("cp -a ", plan_.scratch, "/backups/", id, " ", to, " && cp -a ", plan_.scratch,
                         "/filekeys/", id, ".filekeys ", plan_.scratch, "/copies/"));
      copy.file_keys = absl::StrCat(plan_.scratch, "/copies/", id, ".filekeys");
      break;
    }
  }
  copies_.push_back(copy);
}

std::vector<pb::AuditRecord> History::Entries(const std::string& events) {
  std::vector<pb::AuditRecord> records;
  std::string page;
  do {
    client::Arguments arguments;
    arguments.Add("size", "1000");
    arguments.Add("event", events);
    if (!page.empty()) arguments.Add("page", page);
    const auto reply = town_->Run(kAuditor.person, kAuditor.station, "audit list", arguments);
    if (!reply.ok()) Fail("the log cannot be read: " + reply.error.rule());
    const auto& list = dynamic_cast<const pb::ListEntriesResponse&>(*reply.message);
    for (const pb::AuditEntry& e : list.entries()) {
      if (e.has_record()) records.push_back(e.record());
    }
    page = list.next_page_token();
  } while (!page.empty());
  return records;
}

void History::Look(bool everything) {
  std::set<std::string> started;
  std::map<std::string, pb::AuditRecord> destroyed;
  const absl::Time now = town_->Now();
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    for (const pb::AuditRecord& r : Entries("PhotoDestructionStarted,PhotoDestroyed"))
      r.event() == "PhotoDestroyed" ? void(destroyed[r.photo_id()] = r) : void(started.insert(r.photo_id()));
    const bool all = std::all_of(photos_.begin(), photos_.end(), [&](const auto& p) {
      return !p.second.EndedAt(now) || destroyed.contains(p.first);
    });
    if (all || std::chrono::steady_clock::now() > until) break;
    SleepMs(100);
  }
  const auto live = KeysOf(DataFolder());
  const auto shows = [&](const Photo& photo) {
    const auto shown = town_->Run(kManager.person, kManager.station, "ban show", {{"ban", photo.ban}});
    if (shown.FindFact("photo-id") != photo.id) return false;
    return town_
        ->Run(kDesk.person, kDesk.station, "photo show", {{"ban", photo.ban}, {"purpose", "visitor-at-desk"}})
        .ok();
  };
  for (auto& [id, photo] : photos_) {
    if (const auto key = live.find(id); key != live.end()) photo.key = key->second;
    const bool ask = everything || dice_() % 8 == 0;
    if (!photo.EndedAt(now)) {
      if (!live.contains(id) || (ask && !shows(photo))) findings_.lost_before_end.insert(id);
      if (destroyed.contains(id))
        findings_.wrong.push_back(
            absl::StrCat("the log says that ", id, " was destroyed, and it is in force"));
      continue;
    }
    const bool readable = live.contains(id) || (ask && shows(photo));
    if (readable && destroyed.contains(id)) findings_.destroyed_but_readable.insert(id);
    if (readable && !started.contains(id)) findings_.readable_without_log.insert(id);
    const auto entry = destroyed.find(id);
    if (entry == destroyed.end()) {
      findings_.wrong.push_back(absl::StrCat(id, " has ended, and nothing says that it was destroyed"));
      continue;
    }
    const pb::AuditRecord& r = entry->second;
    const auto found = [&](pb::DestructionCheck check) {
      return std::count(r.checks().begin(), r.checks().end(), check) > 0;
    };
    if (!found(pb::DESTRUCTION_CHECK_KEY_ABSENT) || !found(pb::DESTRUCTION_CHECK_ROW_GONE) ||
        !found(pb::DESTRUCTION_CHECK_FILES_GONE) ||
        (!found(pb::DESTRUCTION_CHECK_OLD_GENERATION_GONE) && r.destroyed_generation() != 0) ||
        r.key_home() != (plan_.token ? pb::KEY_HOME_TOKEN : pb::KEY_HOME_FILE)) {
      findings_.wrong.push_back(
          absl::StrCat("the entry about ", id, " lacks a check: ", r.ShortDebugString()));
    }
  }
}

// Some hours go by while the server is down; true when they end just before midnight. Never so many that a
// command whose answer was lost could no longer be repeated under its key.
bool History::PassTime() {
  const absl::Time now = town_->Now(), latest = answered_ + absl::Hours(23);
  absl::Time midnight = Moment(absl::ToCivilDay(now, base::Amsterdam()), "23:57:00");
  if (midnight <= now) midnight = Moment(absl::ToCivilDay(now, base::Amsterdam()) + 1, "23:57:00");
  const bool at_midnight = dice_() % 2 == 0 && midnight <= latest;
  const absl::Time later = now + absl::Minutes(600 + static_cast<int>(dice_() % 660));
  town_->SetClock(at_midnight ? midnight : std::max(now, std::min(later, latest)));
  return at_midnight;
}

// The copies that are due by now. Those that need a running server are left to the caller.
std::vector<Copy::Kind> History::TakeDue(int due, bool at_the_beginning) {
  std::vector<Copy::Kind> live_copies;
  for (; copies_due_ < due; ++copies_due_) {
    const Copy::Kind kind = copies_due_ % 8 == 1   ? Copy::Kind::kImage
                            : copies_due_ % 3 == 0 ? Copy::Kind::kBackup
                            : copies_due_ % 3 == 1 ? Copy::Kind::kKeystore
                                                   : Copy::Kind::kFolder;
    const bool live = kind == Copy::Kind::kBackup || (kind == Copy::Kind::kKeystore && copies_due_ % 2 == 0);
    if (live || at_the_beginning) {
      live_copies.push_back(kind);
    } else {
      Take(kind);
    }
  }
  return live_copies;
}

void History::CrashWhileStarting() {
  town_->Launch();
  SleepMs(30 + static_cast<int>(dice_() % 300));
  town_->Stop(SIGKILL);
  ++crashes_;
  LearnKeys();
}

History::Supply::Supply(History& history, const Seats& seats) {
  for (Worker& worker : history.workers_) {
    worker.unfinished.clear();
    for (File& file : worker.files) {
      if (file.photo.empty() && file.refused.empty() && !file.ended) worker.unfinished.push_back(&file);
    }
    threads_.emplace_back([this, &history, &worker, &seats] { history.Work(worker, seats, stop_); });
  }
}

void History::Supply::End() {
  stop_ = true;
  for (std::thread& t : threads_) t.join();
  threads_.clear();
}

void History::WaitForPhotos(int goal) {
  const auto late = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  while (supplied_ < goal && std::chrono::steady_clock::now() < late) SleepMs(5);
  if (supplied_ < goal) Fail("supply does not go on: " + town_->Log());
}

void History::Run() {
  begun_ = std::chrono::steady_clock::now();
  Begin();
  bool while_starting = false;
  while (crashes_ < plan_.crashes) {
    // Killed, or not started yet.
    const std::vector<Copy::Kind> live_copies =
        TakeDue(plan_.backups * (crashes_ + 2) / (plan_.crashes + 2), false);
    // What was sent and not answered is cleared up first.
    const bool pending = Pending();
    const bool at_midnight = !pending && PassTime();
    today_ = absl::ToCivilDay(town_->Now(), base::Amsterdam());
    // Now and then it is killed while it starts, and so while it destroys what ended meanwhile.
    while_starting = !while_starting && !pending && live_copies.empty() && dice_() % 8 == 0;
    if (while_starting) {
      CrashWhileStarting();
    } else {
      CrashAmid(live_copies, at_midnight);
    }
    if (crashes_ % std::max(1, plan_.crashes / 5) == 0) LookBetween();
  }
  Finish();
}

// No crash yet: what the rest begins with.
void History::Begin() {
  const std::vector<Copy::Kind> live_copies = TakeDue(plan_.backups / (plan_.crashes + 2), true);
  today_ = absl::ToCivilDay(town_->Now(), base::Amsterdam());
  if (!town_->Start()) Fail("the server does not start: " + town_->Log());
  const Seats seats = SignIn();
  Supply supply(*this, seats);
  WaitForPhotos(plan_.photos * 2 / 5);
  testing::Must(*town_, kDesk.person, kDesk.station, "instruction acknowledge", {});
  supply.End();
  for (const Copy::Kind kind : live_copies) Take(kind);
  TakeIn();
  answered_ = town_->Now();
  if (town_->Stop(SIGTERM) != 0) findings_.wrong.push_back("it did not stop well: " + town_->Log());
  LearnKeys();
  Say(absl::StrCat(supplied_.load(), " photos supplied; now with crashes"));
}

void History::CrashAmid(const std::vector<Copy::Kind>& live_copies, bool at_midnight) {
  if (!town_->Start()) Fail("the server does not start: " + town_->Log());
  const Seats seats = SignIn();
  Resolve(seats);
  const std::vector<File*> standing = Standing();
  // Supply goes on, whatever happens.
  Supply supply(*this, seats);
  const int left = std::max(1, plan_.crashes - crashes_);
  WaitForPhotos(supplied_ + std::max(1, (plan_.photos - supplied_) / left));
  // Backups are made amid the destructions, or before them.
  const bool amid = dice_() % 2 == 0;
  const auto take = [&] {
    for (const Copy::Kind kind : live_copies) Take(kind);
  };
  if (!amid) take();
  if (at_midnight) town_->SetClock(Moment(today_ + 1, "00:00:30"));
  EndSome(seats, standing, 1 + static_cast<int>(dice_() % 2));
  if (amid) take();
  SleepMs(static_cast<int>(dice_() % 61));
  town_->Stop(SIGKILL);
  ++crashes_;
  answered_ = town_->Now();
  supply.End();
  TakeIn();
  LearnKeys();
}

void History::LookBetween() {
  const auto took = std::chrono::steady_clock::now() - begun_;
  Say(absl::StrCat(crashes_, " crashes, ", crashes_amid_, " of them with a destruction due or under way; ",
                   photos_.size(), " photos, ", copies_.size(), " copies; ",
                   std::chrono::duration_cast<std::chrono::seconds>(took).count(), " s"));
  if (!town_->Start()) Fail("the server does not start: " + town_->Log());
  Look(false);
  town_->Stop(SIGKILL);
}

// The last start: what is unfinished is finished, and the server is left running, at rest.
void History::Finish() {
  const std::vector<Copy::Kind> live_copies = TakeDue(plan_.backups, false);
  if (!town_->Start()) Fail("the server does not start: " + town_->Log());
  const Seats seats = SignIn();
  Resolve(seats);
  Supply supply(*this, seats);
  WaitForPhotos(plan_.photos);
  supply.End();
  for (const Copy::Kind kind : live_copies) Take(kind);
  TakeIn();
  Look(true);
}

void History::KeepTokenObjects() const {
  Shell(absl::StrCat("mkdir -p ", plan_.scratch, "/kept && cp -an ", token_folder_, "/tokens ", plan_.scratch,
                     "/kept/"));
}

void History::BringTokenObjectsBack() const {
  KeepTokenObjects();
  Shell(absl::StrCat("cp -an ", plan_.scratch, "/kept/tokens ", token_folder_, "/"));
  Say("FAULT ON PURPOSE: the token has everything that it destroyed");
}

void History::PlantOnDisk() {
  const absl::Time now = town_->Now();
  for (const auto& [id, photo] : photos_) {
    if (!photo.EndedAt(now) || photo.key.empty()) continue;
    const auto normal = photos::Normalise(testing::Slurp(photo.portrait));
    for (const auto& [name, bytes] :
         {std::pair{"fault-photo", *normal}, {"fault-key", base::ToHex(photo.key)}}) {
      const std::string path = absl::StrCat(DataFolder(), "/", name);
      if (!base::WriteFileDurably(path, bytes).ok()) Fail("cannot plant the fault");
      fs::remove(path);
    }
    Say(absl::StrCat("FAULT ON PURPOSE: the picture and the key of ", id,
                     " were written to the disk, and the files removed"));
    return;
  }
  Fail("nothing has ended: no fault can be planted");
}

void History::TakeTheEnd() {
  end_ = town_->Now();
  if (town_->Stop(SIGTERM) != 0) findings_.wrong.push_back("it did not stop well: " + town_->Log());
  if (plan_.fault == "disk") PlantOnDisk();
  if (plan_.fault == "token") BringTokenObjectsBack();
  disk_->Sync();
  const std::string to = plan_.scratch + "/copies/";
  final_folder_ = to + "final";
  final_image_ = to + "final.img";
  trimmed_image_ = to + "trimmed.img";
  Shell(absl::StrCat("cp -a ", DataFolder(), " ", final_folder_));
  disk_->CopyTo(final_image_);
  disk_->Trim();
  disk_->Sync();
  disk_->CopyTo(trimmed_image_);
  disk_->Unmount();
}

}  // namespace waarborg::drill

// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "server/base/random.h"
#include "server/base/secret.h"
#include "server/keys/generation_home.h"
#include "tests/drill/disk.h"
#include "tests/support/life.h"
#include "tests/support/town.h"
#include "waarborg/v1/audit.pb.h"

namespace waarborg::drill {

struct Plan {
  int photos = 0;
  int backups = 0;
  int crashes = 0;
  bool token = false;
  std::string fault;  // "disk" or "token": what goes wrong on purpose
  uint64_t seed = 0;
  std::string scratch;  // a folder of the drill's own
};

// Why a photo has to be gone.
enum class Fate { kTerm, kLifted, kObjection, kWrong };

// A photo that was supplied, and what the drill knows of it from the time when it was in force.
struct Photo {
  std::string id;
  std::string ban;
  std::string portrait;  // path of the file that was supplied
  std::string key;       // as the live keystore held it
  Fate fate = Fate::kTerm;
  absl::Time ends;  // of the term; for the other fates the moment no longer matters

  bool EndedAt(absl::Time now) const { return fate != Fate::kTerm || now >= ends; }
};

// What somebody took away at some moment.
struct Copy {
  enum class Kind { kBackup, kKeystore, kFolder, kImage };
  Kind kind = Kind::kFolder;
  std::string name;
  std::string folder;     // of the backup, of the keystore, or of all data; of an image none
  std::string file_keys;  // of a backup
  std::string image;
  absl::Time at;
};

// What the running house says and does, compared with what the drill knows. Ids of photos.
struct Findings {
  std::set<std::string> lost_before_end;
  std::set<std::string> destroyed_but_readable;
  std::set<std::string> readable_without_log;
  std::vector<std::string> wrong;  // anything else that must not be, in words
};

// A home of generation keys that opens, and changes nothing: a keystore that is opened from an older copy
// would otherwise destroy in the token whatever it does not know.
class LookingHome : public keys::GenerationHome {
 public:
  explicit LookingHome(keys::GenerationHome& home) : home_(home) {}
  absl::StatusOr<std::string> Seal(const std::string& name, uint64_t generation,
                                   const base::Secret& key) override;
  absl::StatusOr<base::Secret> Open(const std::string& name, uint64_t generation,
                                    std::string_view sealed) override;
  absl::Status Destroy(const std::string& name, uint64_t generation) override;
  absl::StatusOr<std::set<uint64_t>> Guarded(const std::string& name) override;
  bool OutlivesImages() const override { return home_.OutlivesImages(); }

 private:
  keys::GenerationHome& home_;
};

// A municipality on a disk of its own that supplies photos and ends them, is killed again and again while it
// destroys their keys, and is copied meanwhile.
class History {
 public:
  explicit History(Plan plan);

  // Everything up to the last start, and a look at all of it; the server runs and is at rest.
  void Run();
  // Stops the server and takes what an attacker finds at the end: the folder, and the disk before and after
  // its free blocks are discarded. Unmounts it.
  void TakeTheEnd();

  const Plan& plan() const { return plan_; }
  testing::Town& town() { return *town_; }
  // Of photos by id.
  const std::map<std::string, Photo>& photos() const { return photos_; }
  const std::vector<Copy>& copies() const { return copies_; }
  const Findings& findings() const { return findings_; }
  // The end, not among the copies.
  const std::string& final_folder() const { return final_folder_; }
  const std::string& final_image() const { return final_image_; }
  const std::string& trimmed_image() const { return trimmed_image_; }
  int crashes() const { return crashes_; }
  absl::Time end() const { return end_; }
  const std::string& token_folder() const { return token_folder_; }

  base::Secret Root() const;
  // As somebody opens it who has every credential.
  std::unique_ptr<keys::GenerationHome> OpenHome();

 private:
  // A file on its way to a photo that reception sees. The worker that made it moves it on.
  struct File {
    testing::Subject subject;
    int steps = 0;
    std::string key;  // of the command under way; empty when none is
    std::string photo;
    std::string refused;
    // A command that ends or extends it, sent and not answered.
    std::string ending, ending_key, ending_until;
    bool ended = false;
    bool kept = false;  // in force from the beginning to the end: what the attacker's tools must find
  };
  struct Worker {
    std::deque<File> files;
    std::vector<File*> unfinished;  // as the worker finds them; nobody else touches these while it works
    std::mt19937_64 dice;
    size_t number = 0;
  };
  using Seats = std::map<std::string, client::Connection*>;
  // The workers at work, until the end or until the server is gone. `seats` outlives it.
  class Supply {
   public:
    Supply(History& history, const Seats& seats);
    ~Supply() { End(); }
    Supply(const Supply&) = delete;
    Supply& operator=(const Supply&) = delete;
    void End();

   private:
    std::atomic<bool> stop_ = false;
    std::vector<std::thread> threads_;
  };

  void Begin();
  void CrashAmid(const std::vector<Copy::Kind>& live_copies, bool at_midnight);
  void CrashWhileStarting();
  void LookBetween();
  void Finish();

  std::string DataFolder() const { return disk_->mount_point() + "/data"; }
  absl::Time Moment(absl::CivilDay day, const char* time) const;
  Seats SignIn();
  void Work(Worker& worker, const Seats& seats, const std::atomic<bool>& stop);
  // Takes the next step. False when the server is gone.
  bool Advance(Worker& worker, File& file, const Seats& seats);
  File NewFile(Worker& worker);
  // Another one for every call; `source` tells those who ask at the same time apart.
  std::string NewPortrait(size_t source);
  // What the workers finished are photos now.
  void TakeIn();
  // Remembers keys that the keystore holds, from a copy of it. The server does not run.
  void LearnKeys();
  // Keys of photos that stand in the keystore of this folder.
  std::map<std::string, std::string> KeysOf(const std::string& data_folder);
  void WaitForPhotos(int goal);
  // Somebody wanted to end a file, and was not answered.
  bool Pending() const;
  bool PassTime();
  void Resolve(const Seats& seats);
  // Files that can be ended while the workers work.
  std::vector<File*> Standing();
  // Ends, or extends, some of these. False when the server was gone before it answered.
  bool EndSome(const Seats& seats, std::vector<File*> standing, int how_many);
  bool SendEnding(File& file, const Seats& seats);
  void Done(File& file);
  // All photos that have ended are destroyed and logged; what the drill can see is as it must be.
  void Look(bool everything);
  std::vector<waarborg::v1::AuditRecord> Entries(const std::string& events);
  std::vector<Copy::Kind> TakeDue(int due, bool at_the_beginning);
  void Take(Copy::Kind kind);
  void CheckPowerCut(const std::string& image);
  // A picture and a key on the disk, in files that are removed again.
  void PlantOnDisk();
  // What the token destroys is kept, and comes back at the end.
  void KeepTokenObjects() const;
  void BringTokenObjectsBack() const;

  Plan plan_;
  std::mt19937_64 dice_;
  base::SystemRandom random_;
  std::string token_folder_;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<testing::Town> town_;
  std::vector<Worker> workers_;
  std::atomic<int> supplied_ = 0;
  std::vector<int> portraits_;  // drawn so far, by source
  absl::CivilDay today_;
  std::map<std::string, Photo> photos_;
  std::vector<Copy> copies_;
  Findings findings_;
  std::string final_folder_, final_image_, trimmed_image_;
  int crashes_ = 0;
  int crashes_amid_ = 0;
  int copies_due_ = 0;
  std::chrono::steady_clock::time_point begun_;
  absl::Time answered_;  // the server, for the last time
  absl::Time end_;
};

}  // namespace waarborg::drill

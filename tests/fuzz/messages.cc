// SPDX-License-Identifier: EUPL-1.2
// Every request message, as every role, through the real handlers: access, domain, journal, log - everything
// but the network and the disk. Each call is answered exactly once and nothing it does can stop the writer.
// Input: call, role, station and one spare byte, then the serialised request.
#include <google/protobuf/stubs/common.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/access/access.h"
#include "server/config/config.h"
#include "server/jobs/clockwork.h"
#include "server/rpc/server.h"
#include "tests/support/memory_room.h"
#include "tests/support/memory_store.h"

namespace waarborg {
namespace {

constexpr int kRoles = 14;  // one more than there are: somebody without a role

std::string Slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void Must(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "messages: %s\n", what);
  std::abort();
}

class House {
 public:
  House() {
    google::protobuf::SetLogHandler(nullptr);
    char name[] = "/tmp/waarborg-fuzz-XXXXXX";
    folder_ = mkdtemp(name);
    file_keys_ = *keys::Keystore::Open(folder_, "file", *home_, random_);
    photo_keys_ = *keys::Keystore::Open(folder_, "photo", *home_, random_);
    auto journal = journal::Journal::Open(
        {&clock_, &random_, &store_, file_keys_.get(), photo_keys_.get(), &room_, "fuzz.example/log"});
    Must(journal.ok(), "no journal");
    journal_ = std::move(*journal);
    journal_->SetClockwork(jobs::RunDue);
    rpc::Core::Parts parts{journal_.get(), &workers_, &workers_, &random_, {8192, 1}, "/bin/false"};
    parts.security_keys = {"waarborg.waterdam.example", {"https://balie.waarborg.waterdam.example"}, false};
    core_ = std::make_unique<rpc::Core>(parts);
    server_ = std::make_unique<rpc::Server>(*core_);
    server_->BindAll();
    Must(journal_->RunNow([this](journal::Turn& turn) { Furnish(turn); }).ok(), "cannot furnish");
  }
  ~House() { std::filesystem::remove_all(folder_); }

  void Call(const uint8_t* data, size_t size) {
    const auto rpc = static_cast<access::Rpc>(data[0] % static_cast<int>(access::Rpc::kRpcCount));
    access::Credentials who;
    who.key_fingerprint = data[2] % 3 == 0   ? Fingerprint("kantoor")
                          : data[2] % 3 == 1 ? Fingerprint("balie")
                                             : "";
    who.session_token = absl::StrCat("token-", data[1] % kRoles, data[2] % 3 == 0 ? "k" : "b");
    std::atomic<int> answers = 0;
    server_->LocalCall(rpc)(who, {reinterpret_cast<const char*>(data + 4), size - 4},
                            [&answers](const domain::Verdict&) { ++answers; });
    while (answers == 0) {
      journal_->RunQueued();
      if (answers == 0) usleep(20);
    }
    Must(answers == 1, "answered more than once");
    Must(!failed_, "the writer stopped");
  }

 private:
  static std::string Fingerprint(const std::string& name) {
    return name + std::string(64 - name.size(), '0');
  }

  void Furnish(journal::Turn& turn) {
    journal_->OnFailure([this](const absl::Status&) { failed_ = true; });
    const std::string toml = Slurp(WAARBORG_SOURCE_FOLDER "/deploy/example/municipality.toml");
    config::Errors errors;
    domain::Municipality m = config::ParseMunicipality(toml, "municipality.toml", errors);
    Must(errors.empty(), "the example configuration is wrong");
    std::vector<std::string> units;
    for (const auto& unit : m.units) units.push_back(unit.id);
    turn.PutConfiguration(toml, std::move(m));
    turn.Put(domain::Station{"kantoor-1", "gemeentehuis", Fingerprint("kantoor"), false});
    turn.Put(domain::Station{"receptie-1", "gemeentehuis", Fingerprint("balie"), false});
    for (int role = 0; role < kRoles; ++role) {
      domain::Person person;
      person.id = absl::StrCat("M-", role);
      person.login = absl::StrCat("mens", role);
      person.display_name = "Mens";
      if (role > 0) person.assignment.roles = {static_cast<domain::Role>(role)};
      person.assignment.unit_ids = units;
      person.assignment.location_ids = {"gemeentehuis"};
      person.assignment.from = turn.today();
      person.assignment.until = turn.today() + 3650;
      person.password_hash = "$argon2id$";
      person.totp_secret = std::string(20, 't');
      for (const char* station : {"kantoor-1", "receptie-1"}) {
        turn.sessions().OpenSession(
            {access::DigestOfToken(absl::StrCat("token-", role, station[0] == 'k' ? "k" : "b")), person.id,
             station, turn.now(), turn.now(), true});
      }
      turn.Put(std::move(person));
    }
    const domain::BanState states[] = {domain::BanState::kProposed, domain::BanState::kProvisional,
                                       domain::BanState::kAlert,    domain::BanState::kActive,
                                       domain::BanState::kExtended, domain::BanState::kLifted};
    int number = 0;
    for (domain::BanState state : states) {
      for (int photo = 0; photo <= static_cast<int>(domain::PhotoState::kDarkened); ++photo) {
        domain::Ban ban;
        ban.id = absl::StrCat("LV-", ++number);
        ban.state = state;
        ban.identity = {
            {"Jan", "de", "Vries"}, {}, {1985, 3, 12}, state != domain::BanState::kAlert, "Lang."};
        ban.terms = domain::Terms();
        ban.terms->ground_id = "overlast";
        ban.terms->from = turn.today();
        ban.terms->until = turn.today() + 90;
        ban.scope.location_ids = {"gemeentehuis"};
        ban.starts_at = turn.now();
        ban.ends_at = turn.now() + absl::Hours(24 * 90);
        ban.proposed_by = "M-99";
        if (state == domain::BanState::kActive || state == domain::BanState::kExtended) {
          ban.decision = domain::Decision{domain::Role::kMunicipalSecretary, "1", turn.today(), "M-98"};
        }
        ban.release.state = static_cast<domain::PhotoState>(photo);
        // A photo before this one was wrong, and reception has not answered for it.
        domain::CopyCheck check;
        check.photo_id = absl::StrCat("F-W", number);
        check.unit_id = "receptie";
        check.asked_at = turn.now();
        check.remind_at = turn.now() + absl::Hours(24 * 7);
        check.due_at = turn.now() + absl::Hours(24 * 14);
        ban.release.copies.push_back(check);
        if (ban.release.HasPhoto()) ban.release.photo_id = absl::StrCat("F-", number);
        turn.Put(std::move(ban));
      }
    }
  }

  std::string folder_;
  base::ManualClock clock_{absl::FromUnixSeconds(1'772'438'400)};
  base::SystemRandom random_;
  base::Secret root_{std::string(32, 'r')};
  testing::MemoryStore store_;
  testing::MemoryRoom room_;
  std::unique_ptr<keys::GenerationHome> home_ = keys::NewFileHome(root_, random_);
  std::unique_ptr<keys::Keystore> file_keys_, photo_keys_;
  base::Workers workers_{1, 64};
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<rpc::Core> core_;
  std::unique_ptr<rpc::Server> server_;
  bool failed_ = false;
};

}  // namespace
}  // namespace waarborg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  // A new house now and then: what earlier inputs did must not pile up.
  static std::unique_ptr<waarborg::House> house;
  static int calls = 0;
  if (house == nullptr || ++calls % 500 == 0) {
    house.reset();
    house = std::make_unique<waarborg::House>();
  }
  house->Call(data, size);
  return 0;
}

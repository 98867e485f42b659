// SPDX-License-Identifier: EUPL-1.2
// The drill of destruction: a municipality with a real history of photos that end, crashes amid it and copies
// all along; then an attacker who has every copy, every credential, the disk, and the use of the token.
// Prints one line of JSON on the standard output, and what the numbers mean on the standard error. Started by
// tests/drill/destruction, which sweeps up whatever happens.
//   waarborg-drill --scratch FOLDER [--quick] [--keys file|pkcs11] [--seed N] [--fault disk|token]
#include <chrono>
#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/access/wire.h"
#include "tests/drill/attack.h"
#include "tests/drill/history.h"

namespace waarborg::drill {
namespace {

int Main(int argc, char** argv) {
  Plan plan;
  plan.photos = 300;
  plan.backups = 30;
  plan.crashes = 100;
  plan.token = true;
  plan.seed = std::random_device()();
  bool good = true;
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    if (a == "--quick") {
      plan.photos = 30;
      plan.backups = 6;
      plan.crashes = 10;
    } else if (a == "--fault" && (value == "disk" || value == "token")) {
      plan.fault = value;
      ++i;
    } else if (a == "--keys" && (value == "file" || value == "pkcs11")) {
      plan.token = value == "pkcs11";
      ++i;
    } else if (a == "--scratch" && value.starts_with('/')) {
      plan.scratch = value;
      ++i;
    } else if (a == "--seed" && absl::SimpleAtoi(value, &plan.seed)) {
      ++i;
    } else {
      good = false;
    }
  }
  if (plan.fault == "token" && !plan.token) good = false;
  if (!good || plan.scratch.empty()) {
    std::fputs("usage: tests/drill/destruction [--quick] [--keys file|pkcs11] [--seed N]\n", stderr);
    return 64;
  }
  const auto begun = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begun).count();
  };
  Say(absl::StrCat("seed ", plan.seed, "; generation keys in ", plan.token ? "a token" : "a sealed file"));
  History history(plan);
  history.Run();
  history.TakeTheEnd();
  Say(absl::StrCat("the history took ", seconds(), " s; now the attack"));
  Attack attack(history);
  attack.Run();

  std::map<Fate, int> fates;
  size_t ended = 0, recovered = 0, control = 0, raw = 0, raw_control = 0;
  for (const auto& [id, photo] : history.photos()) {
    const bool over = photo.EndedAt(history.end());
    ended += over;
    if (over) ++fates[photo.fate];
    (over ? recovered : control) += attack.recovered().contains(id);
    (over ? raw : raw_control) +=
        attack.keys_from_raw().contains(id) || (over && attack.keys_in_clear().contains(id));
  }
  const Findings& findings = history.findings();
  std::printf("%s\n",
              absl::StrCat("{\"keys\": \"", plan.token ? "pkcs11" : "file",
                           "\", \"photos\": ", history.photos().size(), ", \"ended\": ", ended,
                           ", \"backups_restored\": ", attack.restored(),
                           ", \"photos_recovered_after_end\": ", recovered, ", \"keys_found_raw\": ", raw,
                           ", \"plaintext_found_raw\": ", attack.plaintext().size(),
                           ", \"photos_lost_before_end\": ", findings.lost_before_end.size(),
                           ", \"crashes\": ", history.crashes(),
                           ", \"log_says_destroyed_but_readable\": ", findings.destroyed_but_readable.size(),
                           ", \"readable_without_log\": ", findings.readable_without_log.size(),
                           ", \"control_found\": ", control, "}")
                  .c_str());

  std::vector<std::string> wrong = findings.wrong;
  wrong.insert(wrong.end(), attack.wrong().begin(), attack.wrong().end());
  const auto number = [&](const char* name, size_t n, bool as_it_must, const std::string& means) {
    std::fprintf(stderr, "  %-32s %6zu  %s%s\n", name, n, means.c_str(), as_it_must ? "" : "   <-- NOT SO");
    if (!as_it_must) wrong.push_back(absl::StrCat(name, " is ", n));
  };
  if (control + ended != history.photos().size())
    wrong.emplace_back("not every photo that is in force opens with the keystore of the end");
  const bool token = plan.token;
  number("photos", history.photos().size(), history.photos().size() >= static_cast<size_t>(plan.photos),
         "supplied through the API");
  number("ended", ended, ended > 0,
         absl::StrCat("of them have to be gone: ", fates[Fate::kTerm], " by their term, ",
                      fates[Fate::kLifted], " lifted, ", fates[Fate::kObjection], " on an objection, ",
                      fates[Fate::kWrong], " wrong photos"));
  number("backups_restored", static_cast<size_t>(attack.restored()), attack.restored() > 0,
         "combinations of a copy of the store and copies of keys put together");
  number(
      "photos_recovered_after_end", recovered, token ? recovered == 0 : recovered > 0,
      token ? "ended photos that any copy and all credentials opened; must be 0"
            : "ended photos that an older image of the same disk opens: so it is with a sealed file; must be "
              "seen");
  number("keys_found_raw", raw, token ? raw == 0 : raw > 0,
         token ? "keys of ended photos got out of the raw disk; must be 0"
               : "keys of ended photos got out of the raw disk, older images included; must be seen");
  number("plaintext_found_raw", attack.plaintext().size(), attack.plaintext().empty(),
         "photos of which a piece stands in the clear in any file or on the raw disk; must be 0");
  number("photos_lost_before_end", findings.lost_before_end.size(), findings.lost_before_end.empty(),
         "photos in force that are not there any more; must be 0");
  number("crashes", static_cast<size_t>(history.crashes()), history.crashes() >= plan.crashes,
         "times the server was killed");
  number("log_says_destroyed_but_readable", findings.destroyed_but_readable.size(),
         findings.destroyed_but_readable.empty(), "must be 0");
  number("readable_without_log", findings.readable_without_log.size(), findings.readable_without_log.empty(),
         "ended, readable, and no destruction has begun after 10 s; must be 0");
  number("control_found", control, control > 0,
         "photos in force that the same tools do recover; must not be 0");
  number("(in force, from the raw disk)", raw_control, raw_control > 0,
         "keys in force that the same tools do find on the raw disk; must not be 0");
  number("(keys in the clear)", attack.keys_in_clear().size(), attack.keys_in_clear().empty(),
         "photo keys that stand as they are in any file or on the raw disk; must be 0");
  for (const std::string& what : wrong) std::fprintf(stderr, "NOT AS IT MUST BE: %s\n", what.c_str());
  Say(absl::StrCat(wrong.empty() ? "everything is as it must be" : "THE DRILL FAILED", "; ", seconds(),
                   " s"));
  return wrong.empty() ? 0 : 1;
}

}  // namespace
}  // namespace waarborg::drill

int main(int argc, char** argv) {
  if (!waarborg::access::RestrictTls()) return 70;
  return waarborg::drill::Main(argc, argv);
}

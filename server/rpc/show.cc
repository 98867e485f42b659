// SPDX-License-Identifier: EUPL-1.2
#include "server/rpc/show.h"

#include "server/journal/rows.h"
#include "server/keys/sealing.h"
#include "server/photos/photo.h"

namespace waarborg::rpc {

using domain::Outcome;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;

namespace {

// What the worker needs, copied at the first look.
struct Sitting {
  std::string photo_id;
  base::Secret key;
  std::string who;
  std::string where;
  std::string when;
  std::string as;
};

}  // namespace

void ShowPhoto(Core& core, access::Rpc rpc, const access::Credentials& credentials, const PhotoWanted& wanted,
               std::string* bytes, Done done) {
  auto sitting = std::make_shared<Sitting>();
  sitting->as = wanted.as;
  auto look = [sitting, ban_id = wanted.ban_id, purpose = wanted.purpose,
               wrong = wanted.wrong](Context& c) -> Outcome<domain::Ban> {
    if (pb::Purpose_IsValid(purpose)) c.record.set_purpose(purpose);
    auto ban = c.RequireBan(
        ban_id, {.purpose_stated = pb::Purpose_IsValid(purpose) && purpose != pb::PURPOSE_UNSPECIFIED});
    if (!ban.ok()) return ban.refusal();
    if (wrong) return *wrong;
    c.record.set_photo_id(ban->release.photo_id);
    auto key = c.turn.PhotoKey(ban->release.photo_id);
    if (!key) return Refusal(Rule::kPhotoNotReleased);
    if (sitting->photo_id.empty()) {
      sitting->photo_id = ban->release.photo_id;
      sitting->key = std::move(*key);
      const domain::Location* location = c.municipality().FindLocation(c.asker.station->location_id);
      sitting->who = c.asker.person->display_name;
      sitting->where = (location == nullptr ? std::string() : location->name + " ") + c.asker.station->id;
      sitting->when = base::FormatLocal(c.now());
    }
    // Another photo in the meantime (the first was the wrong one): nobody saw it, ask again.
    if (sitting->photo_id != ban->release.photo_id) return Refusal(Rule::kPhotoNotReleased);
    return ban;
  };
  auto then = [&core, rpc, credentials, sitting, look, entered = wanted.entered, bytes,
               done](Verdict verdict) {
    if (verdict) {
      done(std::move(verdict));
      return;
    }
    core.Offload(done, [&core, rpc, credentials, sitting, look, entered, bytes, done] {
      Verdict failed;
      auto sealed = core.journal().ReadSealedPhoto(sitting->photo_id);
      auto jpeg = sealed.ok() ? keys::Unseal(sitting->key, *sealed, journal::PhotoRow(sitting->photo_id))
                              : std::nullopt;
      if (!jpeg) {
        failed = Refusal(Rule::kPhotoNotReleased);
      } else {
        auto marked = photos::Watermark(*jpeg, sitting->who, sitting->where, sitting->when, sitting->as);
        base::Wipe(*jpeg);
        if (marked.ok()) {
          *bytes = std::move(marked.value());
        } else {
          failed = marked.refusal();
        }
      }
      core.Run(
          rpc, credentials,
          [look, failed, entered](Context& c) -> Verdict {
            auto ban = look(c);
            if (!ban.ok()) return ban.refusal();
            if (failed || !entered) return failed;
            return entered(c, std::move(ban.value()));
          },
          [bytes, done](Verdict v) {
            if (v) {
              base::Wipe(*bytes);
              bytes->clear();
            }
            done(std::move(v));
          });
    });
  };
  const auto first = [look](Context& c) -> Verdict {
    auto ban = look(c);
    return ban.ok() ? domain::kAllowed : Verdict(ban.refusal());
  };
  core.Run(rpc, credentials, first, then, /*logged=*/false);
}

}  // namespace waarborg::rpc

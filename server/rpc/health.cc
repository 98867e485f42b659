// SPDX-License-Identifier: EUPL-1.2
#include "server/rpc/health.h"

#include <algorithm>

#include "grpc/health/v1/health.grpc.pb.h"
#include "server/access/wire.h"
#include "server/domain/tasks.h"
#include "server/rpc/calls.h"
#include "server/rpc/reviews.h"
#include "server/state/codec.h"
#include "waarborg/v1/health.grpc.pb.h"

namespace waarborg::rpc {
namespace {

using access::Rpc;
using domain::Verdict;

namespace hp = ::grpc::health::v1;

// A key that should be gone and is still there after this is overdue.

struct Words {
  const char* message;
  const char* next;
  const char* message_nl;
  const char* next_nl;
};

pb::PromiseHealth Promise(const char* name, bool kept, bool blocks, const Words& good, const Words& bad) {
  pb::PromiseHealth p;
  p.set_name(name);
  p.set_kept(kept);
  p.set_blocks(!kept && blocks);
  const Words& words = kept ? good : bad;
  p.set_message(words.message);
  p.set_next_step(words.next);
  p.set_message_nl(words.message_nl);
  p.set_next_step_nl(words.next_nl);
  return p;
}

// Answers a call that is not offered.
class RefuseWatch final : public Tag {
 public:
  static void Arm(Server& server, hp::Health::AsyncService* service) {
    auto* call = new RefuseWatch(server, service);
    service->RequestWatch(&call->context_, &call->in_, &call->writer_, server.queue(), server.queue(), call);
  }
  void Proceed(bool ok) override {
    if (finishing_ || !ok) {
      delete this;
      return;
    }
    finishing_ = true;
    if (!server_.stopping()) Arm(server_, service_);
    writer_.Finish({grpc::StatusCode::UNIMPLEMENTED, "ask Check again instead"}, this);
  }

 private:
  RefuseWatch(Server& server, hp::Health::AsyncService* service)
      : Tag(server.tags_alive()), server_(server), service_(service), writer_(&context_) {}

  Server& server_;
  hp::Health::AsyncService* service_;
  grpc::ServerContext context_;
  hp::HealthCheckRequest in_;
  grpc::ServerAsyncWriter<hp::HealthCheckResponse> writer_;
  bool finishing_ = false;
};

// On the polling thread, which is the journal's writer.
HouseState StateOf(Server& server) {
  const journal::Journal& journal = server.core().journal();
  const auto* publisher = server.core().publisher();
  const auto log = publisher == nullptr ? nullptr : publisher->state();
  const bool asks = publisher != nullptr && journal.world().municipality().log_quorum > 0;
  return {journal.condition(),
          server.certificate_until(),
          journal.time(),
          publisher == nullptr || !publisher->failing(),
          !asks || (log != nullptr && !log->lacking_since),
          LookAtReviews(journal.world(), journal.begun(), journal.time()).overdue};
}

}  // namespace

std::vector<pb::PromiseHealth> Promises(const HouseState& house) {
  const auto& [condition, certificate_until, now, published, witnessed, reviews_overdue] = house;
  std::vector<pb::PromiseHealth> out;
  out.push_back(Promise(
      "recording", !condition.failed && !condition.no_room, true,
      {"Every look and every step is recorded.", "", "Elke blik en elke stap wordt vastgelegd.", ""},
      condition.failed
          ? Words{"Recording failed: nothing is answered until the service starts again.",
                  "Look at the disk and at the journal, then start the service.",
                  "Vastleggen is mislukt: er komt geen antwoord tot het systeem opnieuw start.",
                  "Kijk naar de schijf en het systeemlogboek en start het systeem dan opnieuw."}
          : Words{
                "The disk is full: nothing is recorded, so nothing is answered; destruction goes on.",
                "Make room on the disk of the data folder; the service goes on by itself.",
                "De schijf is vol: er wordt niets vastgelegd en dus niets beantwoord; vernietigen gaat door.",
                "Maak ruimte op de schijf van de gegevensmap; het systeem gaat dan vanzelf verder."}));
  out.push_back(Promise(
      "destruction",
      std::min(condition.destruction_due, condition.sweeping_due) + domain::kDestructionGrace > now, false,
      {"Photos are destroyed when their ban ends.", "", "Foto's worden vernietigd als hun verbod eindigt.",
       ""},
      condition.destruction_due + domain::kDestructionGrace <= now
          ? Words{"A photo that should be gone still has its key; it cannot be seen any more.",
                  "Look at the journal; the service tries again by itself, and at every start.",
                  "Een foto die weg had moeten zijn heeft zijn sleutel nog; te zien is hij niet meer.",
                  "Kijk in het systeemlogboek; het systeem probeert het vanzelf opnieuw, en bij elke start."}
          : Words{"Keys are destroyed, but what they opened still stands on the disk, unreadable.",
                  "Look at the journal and at the room on the disk; the service tries again by itself.",
                  "Sleutels zijn vernietigd, maar wat zij openden staat nog onleesbaar op de schijf.",
                  "Kijk in het systeemlogboek en naar de ruimte op de schijf; het systeem probeert het "
                  "vanzelf opnieuw."}));
  out.push_back(Promise(
      "clock", !condition.clock_in_doubt && !condition.clock_behind, condition.clock_in_doubt,
      {"The time is believed.", "", "De klok wordt vertrouwd.", ""},
      condition.clock_in_doubt
          ? Words{"The clock jumped forward and is not synchronised: nothing is checked and nothing "
                  "destroyed.",
                  "Set the clock, or let two people confirm it: waarborg clock propose, waarborg change "
                  "confirm.",
                  "De klok versprong vooruit en loopt niet gelijk: er wordt niets gecontroleerd en niets "
                  "vernietigd.",
                  "Zet de klok goed, of laat twee mensen haar bevestigen: waarborg clock propose en waarborg "
                  "change "
                  "confirm."}
          : Words{"The clock is behind the log: for the service, time stands still until it has caught up.",
                  "Set the clock; bans that end meanwhile end when it has caught up.",
                  "De klok loopt achter op het logboek: voor het systeem staat de tijd stil tot zij weer "
                  "gelijk is.",
                  "Zet de klok goed; verboden die intussen eindigen, eindigen als zij weer gelijk is."}));
  out.push_back(Promise(
      "certificate", now + access::kCertificateWarning < certificate_until, false,
      {"The certificate of the service is valid.", "", "Het certificaat van het systeem is geldig.", ""},
      {"The certificate of the service ends within thirty days, or has ended.",
       "Renew it: deploy/pki server, then restart the service.",
       "Het certificaat van het systeem eindigt binnen dertig dagen, of is geëindigd.",
       "Vernieuw het: deploy/pki server, en start het systeem opnieuw."}));
  *out.back().mutable_until() = state::ToProto(certificate_until);
  out.push_back(Promise(
      "publishing", published, false, {"The log is published.", "", "Het logboek wordt gepubliceerd.", ""},
      {"The log cannot be published; it is kept all the same, and published later.",
       "Look at the journal and at the folder that [log] names.",
       "Het logboek kan niet worden gepubliceerd; bewaard wordt het wel, en later gepubliceerd.",
       "Kijk in het systeemlogboek en naar de map die onder [log] staat."}));
  out.push_back(
      Promise("witnesses", witnessed, false,
              {"The log is seen by its witnesses.", "", "Het logboek wordt gezien door zijn getuigen.", ""},
              {"Too few witnesses have cosigned the newest state of the log; steps that wait for them wait.",
               "Ask who runs them; `waarborg audit head` says which one does not answer, and why.",
               "Te weinig getuigen hebben de nieuwste stand van het logboek medeondertekend; stappen die "
               "daarop wachten, "
               "wachten.",
               "Vraag het wie hen beheert; `waarborg audit head` zegt welke niet antwoordt en waarom."}));
  out.push_back(Promise("reviews", !reviews_overdue, false,
                        {"The log is reviewed in time.", "", "Het logboek wordt op tijd beoordeeld.", ""},
                        {"A part of the log should have been reviewed by now.",
                         "Let the auditor look: waarborg audit reviews, waarborg audit sign-off.",
                         "Een deel van het logboek had al beoordeeld moeten zijn.",
                         "Laat de auditor kijken: waarborg audit reviews en waarborg audit sign-off."}));
  return out;
}

// On the polling thread, which is the journal's writer.
Bound BindHealth(Server& server) {
  using S = pb::HealthService::AsyncService;
  auto service = std::make_unique<S>();
  Binder<S> b(server, service.get());
  b.Unary<pb::GetHealthRequest, pb::GetHealthResponse>(
      Rpc::kGetHealth, &S::RequestGetHealth,
      [&server](const access::Credentials& who, const pb::GetHealthRequest&, pb::GetHealthResponse* out,
                const Done& done) {
        journal::Journal& journal = server.core().journal();
        auto fill = [&server, out] {
          for (auto& p : Promises(StateOf(server))) *out->add_promises() = std::move(p);
        };
        const auto condition = journal.condition();
        if (condition.failed || condition.no_room) {
          // The journal has no turns to give, and what is wrong is what is asked. This is the writer's
          // thread.
          const domain::Station* station = journal.world().FindStationByKey(who.key_fingerprint);
          const bool known = station != nullptr && !station->revoked;
          if (known) fill();
          done(known ? domain::kAllowed : Verdict(domain::Refusal(domain::Rule::kStationUnknown)));
          return;
        }
        server.core().Run(
            Rpc::kGetHealth, who,
            [fill](Context&) -> Verdict {
              fill();
              return domain::kAllowed;
            },
            done);
      });
  Arm arm = b.TakeArm();
  return {std::move(service), std::move(arm)};
}

Bound BindStandardHealth(Server& server) {
  using S = hp::Health::AsyncService;
  auto service = std::make_unique<S>();
  auto arm = [&server, s = service.get()] {
    auto request = [&server, s](auto* context, auto* in, auto* writer, void* tag) {
      s->RequestCheck(context, in, writer, server.queue(), server.queue(), tag);
    };
    // Answered without the journal, which may be what is wrong.
    auto handler = [&server](const access::Credentials&, const hp::HealthCheckRequest& in,
                             hp::HealthCheckResponse* out, const Done& done) {
      bool known = in.service().empty(), good = server.serving();
      for (const auto& p : Promises(StateOf(server))) {
        if (in.service().empty()) {
          good = good && (p.kept() || !p.blocks());
        } else if (in.service() == "waarborg." + p.name()) {
          known = true;
          good = p.kept();
        }
      }
      out->set_status(good ? hp::HealthCheckResponse::SERVING : hp::HealthCheckResponse::NOT_SERVING);
      done(known ? domain::kAllowed : Verdict(domain::Refusal(domain::Rule::kNotFound, "service")));
    };
    UnaryCall<hp::HealthCheckRequest, hp::HealthCheckResponse>::Arm(server, request, handler);
    RefuseWatch::Arm(server, s);
  };
  return {std::move(service), std::move(arm)};
}

}  // namespace waarborg::rpc

// SPDX-License-Identifier: EUPL-1.2
#include <algorithm>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "audit/opening.h"
#include "server/base/hex.h"
#include "server/journal/certifier.h"
#include "server/keys/sealing.h"
#include "server/rpc/calls.h"
#include "server/rpc/log_reading.h"
#include "server/rpc/reviews.h"
#include "server/state/codec.h"
#include "waarborg/v1/audit.grpc.pb.h"

namespace waarborg::rpc {
namespace {

using access::Credentials;
using access::Rpc;
using domain::Outcome;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;
using journal::LogEntry;
using journal::LogQuery;

constexpr int kMaxPage = 1000;
constexpr int kMaxProofs = 100;
constexpr int kDefaultPage = 100;
constexpr int kMaxDestructions = 10'000;
constexpr int kMaxSignalDays = 93;
constexpr int kMaxReportDays = 366;
constexpr size_t kIndexesOfASignal = 10;
constexpr size_t kMaxFindings = 4000;
constexpr size_t kMaxId = 64;
// Fewer than this are not told: somebody could be recognised.
constexpr uint64_t kFew = 5;

// [from, until) as asked for; both are needed, at most `max_days` apart.
template <class Request>
Verdict TakePeriod(const Request& in, int max_days, LogQuery& query) {
  if (!in.has_from()) return Refusal(Rule::kFieldMissing, "from");
  if (!in.has_until()) return Refusal(Rule::kFieldMissing, "until");
  query.from = state::FromProto(in.from());
  query.until = state::FromProto(in.until());
  if (query.until <= query.from || query.until - query.from > absl::Hours(24) * max_days) {
    return Refusal(Rule::kFieldInvalid, "until");
  }
  return domain::kAllowed;
}

void FillProof(const journal::Publisher* publisher, const LogEntry& entry, pb::AuditEntry& out) {
  if (publisher == nullptr || !entry.opening) return;
  auto proof = publisher->Prove(entry.origin, entry.index, entry.commitment);
  if (!proof.ok()) return;
  out.set_opening_file(
      audit::OpeningFile{entry.opening->key(), entry.opening->record(), std::move(*proof)}.Text());
}

void ListEntries(Core& core, const Credentials& credentials, const pb::ListEntriesRequest& in,
                 pb::ListEntriesResponse* out, const Done& done) {
  auto begin = [&in](Context& c, Reading& reading) -> Verdict {
    if (auto v = TakePage(in, kDefaultPage, in.with_proofs() ? kMaxProofs : kMaxPage, reading)) return v;
    LogQuery& q = reading.query;
    q.ban_id = reading.log->BanOf(in.ban_id()).value_or(in.ban_id());
    q.person_id = in.person_id();
    if (const auto* person = c.world().FindPersonByLogin(in.person_id())) q.person_id = person->id;
    q.station_id = in.station_id();
    q.subject_id = in.subject_id();
    q.events.assign(in.events().begin(), in.events().end());
    if (q.events.size() > 50) return Refusal(Rule::kFieldTooLong, "events");
    q.refused_only = in.refused_only();
    if (in.has_from()) q.from = state::FromProto(in.from());
    if (in.has_until()) q.until = state::FromProto(in.until());
    // Only ids that exist go into the log: what a caller makes up might be a name.
    if (c.world().FindBan(q.ban_id) != nullptr) c.record.set_ban_id(q.ban_id);
    if (c.world().FindPerson(q.person_id) != nullptr) c.record.set_subject_id(q.person_id);
    return domain::kAllowed;
  };
  auto read = [&core, &in, out](const Reading& reading) {
    return reading.log->ReadBack(reading.query, [&](const LogEntry& entry) {
      if (out->entries_size() == reading.page_size) {
        out->set_next_page_token(absl::StrCat(entry.number + 1));
        return false;
      }
      pb::AuditEntry& e = *out->add_entries();
      e.set_origin(entry.origin);
      e.set_index(entry.index);
      e.set_commitment(entry.commitment);
      e.set_damaged(entry.damaged);
      if (entry.record) {
        *e.mutable_record() = *entry.record;
        e.set_person_name(reading.NameOf(entry.record->person_id()));
      }
      if (in.with_proofs()) FillProof(core.publisher(), entry, e);
      return true;
    });
  };
  ReadLog(core, Rpc::kListEntries, credentials, begin, read, done);
}

Verdict GetTreeHead(Context& c, Core& core, pb::GetTreeHeadResponse& out) {
  out.set_size(core.journal().size());
  const audit::Hash root = core.journal().Root();
  out.set_root(root.data(), root.size());
  out.set_origin(core.journal().log_origin());
  out.set_quorum(c.municipality().log_quorum);
  if (core.publisher() == nullptr) return domain::kAllowed;
  out.set_verifier_key(core.publisher()->KeyOf(out.origin()).Text());
  const auto state = core.publisher()->state();
  if (state == nullptr) return domain::kAllowed;
  out.set_checkpoint(state->newest.note.Text());
  for (const auto& witness : state->witnesses) {
    pb::WitnessStanding& w = *out.add_witnesses();
    w.set_id(witness.id);
    w.set_cosigned(witness.good);
    w.set_why(witness.good ? "" : witness.why);
  }
  return domain::kAllowed;
}

void GetWords(Core& core, const Credentials& credentials, const pb::GetWordsRequest& in,
              pb::GetWordsResponse* out, const Done& done) {
  auto begin = [&in](Context& c, Reading& reading) -> Verdict {
    // Read here, one entry, so that this call's own entry says whose file it was about.
    auto entry = reading.log->ReadOne(in.origin(), in.index());
    if (entry.ok() && entry->record) c.record.set_ban_id(entry->record->ban_id());
    return entry.ok() ? domain::kAllowed : Refusal(Rule::kNotFound, "index");
  };
  auto read = [&in, out](const Reading& reading) -> absl::Status {
    auto entry = reading.log->ReadOne(in.origin(), in.index());
    if (!entry.ok()) return entry.status();
    if (!entry->opening || entry->opening->words().empty()) return absl::OkStatus();
    const auto& opening = *entry->opening;
    if (audit::Commit(opening.words_key(), opening.words()) != entry->record->words_commitment() ||
        !out->mutable_words()->ParseFromString(opening.words())) {
      return absl::DataLossError("the words do not fit what was committed to");
    }
    return absl::OkStatus();
  };
  ReadLog(core, Rpc::kGetWords, credentials, begin, read, done);
}

void ReportDestruction(Core& core, const Credentials& credentials, const pb::ReportDestructionRequest& in,
                       pb::ReportDestructionResponse* out, const Done& done) {
  auto begin = [&in](Context&, Reading& reading) -> Verdict {
    reading.query.events = {"PhotoDestroyed"};
    return TakePeriod(in, kMaxReportDays, reading.query);
  };
  auto read = [out](const Reading& reading) {
    return reading.log->ReadBack(reading.query, [&](const LogEntry& entry) {
      if (!entry.record) return true;
      const pb::AuditRecord& r = *entry.record;
      // Entries of the first versions do not say when it was due.
      const int64_t due_ms = r.due_at_ms() > 0 ? r.due_at_ms() : r.at_ms();
      out->set_longest_ms(std::max(out->longest_ms(), r.at_ms() - due_ms));
      if (out->destructions_size() == kMaxDestructions) {
        out->set_more(true);
        return true;
      }
      pb::Destruction& d = *out->add_destructions();
      d.set_ban_id(r.ban_id());
      d.set_photo_id(r.photo_id());
      d.set_reason(r.destruction_reason());
      *d.mutable_due_at() = state::ToProto(absl::FromUnixMillis(due_ms));
      *d.mutable_destroyed_at() = state::ToProto(absl::FromUnixMillis(r.at_ms()));
      d.set_origin(entry.origin);
      d.set_index(entry.index);
      return true;
    });
  };
  ReadLog(core, Rpc::kReportDestruction, credentials, begin, read, done);
}

void GetCertificate(Core& core, const Credentials& credentials, const pb::GetCertificateRequest& in,
                    pb::GetCertificateResponse* out, const Done& done) {
  auto text = std::make_shared<absl::StatusOr<std::string>>(absl::NotFoundError("none are made"));
  core.Offload(done, [&core, credentials, &in, out, done, text] {
    if (core.certificates() != nullptr) *text = core.certificates()->Find(in.id());
    core.Run(
        Rpc::kGetCertificate, credentials,
        [&in, out, text](Context& c) -> Verdict {
          if (in.id().size() <= kMaxId) c.record.set_subject_id(in.id());
          if (!text->ok()) return Refusal(Rule::kNotFound, "id");
          out->set_certificate(**text);
          return domain::kAllowed;
        },
        done);
  });
}

// On the writer's thread, which keeps the counts.
Verdict ReportCounts(Context& c, const pb::ReportCountsRequest& in, pb::ReportCountsResponse& out) {
  for (const auto& [what, count] : c.turn.CountsOf(in.year())) {
    pb::Count& p = *out.add_counts();
    p.set_what(what);
    p.set_few(count < kFew);
    if (!p.few()) p.set_count(count);
  }
  return domain::kAllowed;
}

Outcome<std::string> SignOffPeriod(Context& c, const pb::SignOffPeriodRequest& in) {
  LogQuery period;
  if (auto v = TakePeriod(in, kMaxReportDays, period)) return *v;
  if (period.until > c.now()) return Refusal(Rule::kDateInFuture, "until");
  if (in.findings().empty()) return Refusal(Rule::kFieldMissing, "findings");
  if (auto v = state::CheckText(in.findings(), kMaxFindings, "findings")) return *v;
  pb::ReviewRecord review;
  do {
    review.set_id(c.turn.random().Id("B-"));
  } while (c.world().reviews().contains(review.id()));
  review.set_from_ms(absl::ToUnixMillis(period.from));
  review.set_until_ms(absl::ToUnixMillis(period.until));
  review.set_findings(in.findings());
  review.set_by(c.me());
  review.set_at_ms(absl::ToUnixMillis(c.now()));
  review.set_origin(c.turn.log_origin());
  review.set_log_index(c.turn.NextIndex());
  c.record.set_period_from_ms(review.from_ms());
  c.record.set_period_until_ms(review.until_ms());
  c.record.set_subject_id(review.id());
  c.AddWords("findings", in.findings());
  std::string id = review.id();
  c.turn.Put(std::move(review));
  return id;
}

Verdict ListReviews(Context& c, Core& core, pb::ListReviewsResponse& out) {
  std::vector<const pb::ReviewRecord*> reviews;
  for (const auto& [id, review] : c.world().reviews()) reviews.push_back(&review);
  std::sort(reviews.begin(), reviews.end(),
            [](const auto* a, const auto* b) { return a->from_ms() > b->from_ms(); });
  for (const auto* r : reviews) {
    pb::Review& review = *out.add_reviews();
    review.set_id(r->id());
    *review.mutable_from() = state::ToProto(absl::FromUnixMillis(r->from_ms()));
    *review.mutable_until() = state::ToProto(absl::FromUnixMillis(r->until_ms()));
    review.set_findings(r->findings());
    review.set_by(r->by());
    if (const auto* person = c.world().FindPerson(r->by())) review.set_by_name(person->display_name);
    *review.mutable_at() = state::ToProto(absl::FromUnixMillis(r->at_ms()));
    review.set_origin(r->origin());
    review.set_index(r->log_index());
  }
  const Reviewed reviewed = LookAtReviews(c.world(), core.journal().begun(), c.now());
  for (const auto& [from, until] : reviewed.gaps) {
    pb::Gap& gap = *out.add_gaps();
    *gap.mutable_from() = state::ToProto(from);
    *gap.mutable_until() = state::ToProto(until);
  }
  if (!reviewed.gaps.empty()) *out.mutable_due_at() = state::ToProto(reviewed.due_at);
  out.set_overdue(reviewed.overdue);
  return domain::kAllowed;
}

bool IsView(const pb::AuditRecord& r) {
  return r.event() == "ShowPhoto" || r.event() == "PreviewPhoto" || r.event() == "ExportPhoto";
}
bool IsCheck(const pb::AuditRecord& r) {
  return r.event() == "CheckVisitor" || r.event() == "NextBriefing" || r.event() == "FindSubject";
}

// Gathers the entries of a period by kind, day, person and station.
class SignalFinder {
 public:
  explicit SignalFinder(const Reading& reading) : reading_(reading), m_(*reading.municipality) {}

  void Take(const LogEntry& entry) {
    const pb::AuditRecord& r = *entry.record;
    // Nobody's and nowhere: it is not about what people do.
    if (r.event() == "ConnectionsRefused") return;
    const absl::Time at = absl::FromUnixMillis(r.at_ms());
    const bool done = r.result() == pb::RESULT_DONE;
    // Who is not signed in is known by the station alone.
    const std::string station = r.person_id().empty() ? r.station_id() : "";
    const auto note = [&](pb::SignalKind kind, int threshold) {
      Found& found = found_[{base::LocalDay(at), kind, r.person_id(), station}];
      ++found.count;
      if (found.origin != entry.origin) found.indexes.clear();
      found.threshold = threshold;
      found.origin = entry.origin;
      found.indexes.push_back(entry.index);
      // Entries come newest first; the first ten of the day are kept.
      if (found.indexes.size() > 2 * kIndexesOfASignal) {
        found.indexes.erase(found.indexes.begin(), found.indexes.end() - ptrdiff_t{kIndexesOfASignal});
      }
    };
    if (done && IsView(r)) {
      note(pb::SIGNAL_KIND_MANY_VIEWS, m_.signals.photos_a_day);
      if (!m_.IsOpen(r.location_id(), at)) note(pb::SIGNAL_KIND_OUTSIDE_OPENING_HOURS, 1);
    }
    if (done && IsCheck(r)) note(pb::SIGNAL_KIND_MANY_CHECKS, m_.signals.checks_a_day);
    if (done && r.on_call()) note(pb::SIGNAL_KIND_ON_CALL_RELEASE, 1);
    if (!done) {
      if (r.rule() == domain::TextOf(Rule::kNotAssignedHere).name)
        note(pb::SIGNAL_KIND_OUTSIDE_ASSIGNMENT, 1);
      const int many =
          r.event() == "RefusalsNotListed" ? static_cast<int>(std::min<uint64_t>(r.count(), 1'000'000)) : 1;
      note(pb::SIGNAL_KIND_REPEATED_REFUSALS, m_.signals.refusals_a_day);
      found_[{base::LocalDay(at), pb::SIGNAL_KIND_REPEATED_REFUSALS, r.person_id(), station}].count +=
          many - 1;
    }
  }

  void Fill(pb::ListSignalsResponse& out) const {
    for (auto it = found_.rbegin(); it != found_.rend(); ++it) {
      const auto& [day, kind, person, station] = it->first;
      const Found& found = it->second;
      if (found.count < found.threshold) continue;
      pb::Signal& s = *out.add_signals();
      s.set_kind(kind);
      s.set_person_id(person);
      s.set_person_name(reading_.NameOf(person));
      s.set_station_id(station);
      *s.mutable_day() = state::ToProto(day);
      s.set_count(found.count);
      s.set_threshold(found.threshold);
      s.set_origin(found.origin);
      const size_t listed = std::min(found.indexes.size(), kIndexesOfASignal);
      for (size_t i = 0; i < listed; ++i) s.add_indexes(found.indexes[found.indexes.size() - 1 - i]);
    }
  }

 private:
  struct Found {
    int count = 0;
    int threshold = 1;
    std::string origin;
    std::vector<uint64_t> indexes;
  };
  const Reading& reading_;
  const domain::Municipality& m_;
  std::map<std::tuple<absl::CivilDay, pb::SignalKind, std::string, std::string>, Found> found_;
};

void ListSignals(Core& core, const Credentials& credentials, const pb::ListSignalsRequest& in,
                 pb::ListSignalsResponse* out, const Done& done) {
  auto begin = [&in](Context&, Reading& reading) { return TakePeriod(in, kMaxSignalDays, reading.query); };
  auto read = [out](const Reading& reading) {
    SignalFinder finder(reading);
    const auto s = reading.log->ReadBack(reading.query, [&](const LogEntry& entry) {
      if (entry.record) finder.Take(entry);
      return true;
    });
    finder.Fill(*out);
    return s;
  };
  ReadLog(core, Rpc::kListSignals, credentials, begin, read, done);
}

void ExportProcessing(Core& core, const Credentials& credentials, const pb::ExportProcessingRequest& in,
                      pb::ExportProcessingResponse* out, const Done& done) {
  auto begin = [&in](Context& c, Reading& reading) -> Verdict {
    if (c.municipality().processing_activity.empty()) return Refusal(Rule::kProcessingActivityMissing);
    if (auto v = TakePeriod(in, kMaxReportDays, reading.query)) return v;
    return TakePage(in, kMaxPage, kMaxPage, reading);
  };
  auto read = [out](const Reading& reading) {
    return reading.log->ReadBack(reading.query, [&](const LogEntry& entry) {
      // Without a ban there is no person concerned.
      if (!entry.record || entry.record->ban_id().empty()) return true;
      if (out->records_size() == reading.page_size) {
        out->set_next_page_token(absl::StrCat(entry.number + 1));
        return false;
      }
      const pb::AuditRecord& r = *entry.record;
      const std::string place = keys::Sha256(absl::StrCat(entry.origin, "\n", entry.index));
      pb::ProcessingRecord& p = *out->add_records();
      p.set_trace_id(base::ToHex(place.substr(0, 16)));
      p.set_span_id(base::ToHex(place.substr(16, 8)));
      p.set_status(r.result() == pb::RESULT_DONE ? "Ok" : "Error");
      p.set_name(r.event());
      p.set_start_time(static_cast<uint64_t>(r.at_ms()));
      p.set_end_time(static_cast<uint64_t>(r.at_ms()));
      p.set_processing_activity_id(reading.municipality->processing_activity);
      p.set_data_subject_id(reading.log->SubjectOf(r.ban_id()));
      p.set_data_subject_id_type("waarborg-ban-encrypted");
      p.set_origin(entry.origin);
      p.set_index(entry.index);
      return true;
    });
  };
  ReadLog(core, Rpc::kExportProcessing, credentials, begin, read, done);
}

}  // namespace

Bound BindAudit(Server& server) {
  using S = pb::AuditService::AsyncService;
  auto service = std::make_unique<S>();
  Binder<S> b(server, service.get());
  Core& core = server.core();
  // A call that reads the log on a worker.
  const auto reads = [&core](auto handler) {
    return [&core, handler](const Credentials& who, const auto& in, auto* out, Done done) {
      handler(core, who, in, out, done);
    };
  };
  b.Unary<pb::ListEntriesRequest, pb::ListEntriesResponse>(Rpc::kListEntries, &S::RequestListEntries,
                                                           reads(ListEntries));
  b.Query<pb::GetTreeHeadRequest, pb::GetTreeHeadResponse>(
      Rpc::kGetTreeHead, &S::RequestGetTreeHead,
      [&core](Context& c, const auto&, auto& out) { return GetTreeHead(c, core, out); });
  b.Unary<pb::GetWordsRequest, pb::GetWordsResponse>(Rpc::kGetWords, &S::RequestGetWords, reads(GetWords));
  b.Unary<pb::ReportDestructionRequest, pb::ReportDestructionResponse>(
      Rpc::kReportDestruction, &S::RequestReportDestruction, reads(ReportDestruction));
  b.Command<pb::SignOffPeriodRequest, pb::SignOffPeriodResponse>(
      Rpc::kSignOffPeriod, &S::RequestSignOffPeriod,
      [](Context& c, const auto& in, auto&) { return SignOffPeriod(c, in); });
  b.Query<pb::ListReviewsRequest, pb::ListReviewsResponse>(
      Rpc::kListReviews, &S::RequestListReviews,
      [&core](Context& c, const auto&, auto& out) { return ListReviews(c, core, out); });
  b.Unary<pb::ListSignalsRequest, pb::ListSignalsResponse>(Rpc::kListSignals, &S::RequestListSignals,
                                                           reads(ListSignals));
  b.Unary<pb::ExportProcessingRequest, pb::ExportProcessingResponse>(
      Rpc::kExportProcessing, &S::RequestExportProcessing, reads(ExportProcessing));
  b.Unary<pb::GetCertificateRequest, pb::GetCertificateResponse>(
      Rpc::kGetCertificate, &S::RequestGetCertificate,
      [&core](const Credentials& who, const pb::GetCertificateRequest& in, pb::GetCertificateResponse* out,
              const Done& done) { GetCertificate(core, who, in, out, done); });
  b.Query<pb::ReportCountsRequest, pb::ReportCountsResponse>(Rpc::kReportCounts, &S::RequestReportCounts,
                                                             ReportCounts);
  Arm arm = b.TakeArm();
  return {std::move(service), std::move(arm)};
}

}  // namespace waarborg::rpc

// SPDX-License-Identifier: EUPL-1.2
#include "absl/strings/str_cat.h"
#include "server/rpc/calls.h"
#include "server/rpc/propose.h"
#include "server/state/codec.h"
#include "waarborg/v1/stations.grpc.pb.h"

namespace waarborg::rpc {
namespace {

using access::Rpc;
using domain::Outcome;
using domain::Refusal;
using domain::Rule;
using domain::Verdict;

Outcome<std::string> ProposeStation(Context& c, const pb::ProposeStationRequest& in,
                                    pb::ProposeStationResponse&) {
  domain::Change change;
  change.kind = domain::ChangeKind::kStation;
  change.station = {in.station().id(), in.station().location_id(), in.station().key_fingerprint(), false};
  if (auto v = domain::CheckStation(c.municipality(), change.station)) return *v;
  if (auto v = CheckStationIsNew(c, change.station)) return *v;
  change.subject_id = change.station.id;
  change.summary = {absl::StrCat("new station ", change.station.id, " at ", change.station.location_id),
                    "public key (SHA-256): " + change.station.key_fingerprint};
  return Propose(c, std::move(change));
}

Outcome<std::string> RevokeStation(Context& c, Core& core, const pb::RevokeStationRequest& in) {
  const domain::Station* known = c.world().FindStation(in.station_id());
  if (known == nullptr) return Refusal(Rule::kNotFound, "station_id");
  domain::Station station = *known;
  c.record.set_subject_id(station.id);
  station.revoked = true;
  c.turn.sessions().CloseSessionsIf([&](const state::Session& s) { return s.station_id == station.id; });
  c.turn.sessions().ForgetFullSignIns(
      [&](const std::string&, const std::string& station_id) { return station_id == station.id; });
  core.RightsEnded(station.key_fingerprint);
  std::string id = station.id;
  c.turn.Put(std::move(station));
  return id;
}

Verdict ListStations(Context& c, const pb::ListStationsRequest&, pb::ListStationsResponse& out) {
  for (const auto& [id, station] : c.world().stations()) *out.add_stations() = state::ToProto(station);
  return domain::kAllowed;
}

}  // namespace

Bound BindStations(Server& server) {
  using S = pb::StationService::AsyncService;
  auto service = std::make_unique<S>();
  Binder<S> b(server, service.get());
  Core& core = server.core();
  b.Command<pb::ProposeStationRequest, pb::ProposeStationResponse>(Rpc::kProposeStation,
                                                                   &S::RequestProposeStation, ProposeStation);
  b.Command<pb::RevokeStationRequest, pb::RevokeStationResponse>(
      Rpc::kRevokeStation, &S::RequestRevokeStation,
      [&core](Context& c, const auto& in, auto&) { return RevokeStation(c, core, in); });
  b.Query<pb::ListStationsRequest, pb::ListStationsResponse>(Rpc::kListStations, &S::RequestListStations,
                                                             ListStations);
  Arm arm = b.TakeArm();
  return {std::move(service), std::move(arm)};
}

}  // namespace waarborg::rpc

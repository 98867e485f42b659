// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/ban.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "server/base/clock.h"
#include "server/domain/testing.h"

namespace waarborg::domain {
namespace {

using S = BanState;
using E = BanEvent;

// Every legal step, written down once more by hand. What is not here must be refused.
const std::map<std::pair<S, E>, S> kLegal{
    {{S::kUnspecified, E::kPropose}, S::kProposed},
    {{S::kUnspecified, E::kDeny}, S::kProvisional},
    {{S::kUnspecified, E::kRaiseAlert}, S::kAlert},
    {{S::kAlert, E::kAmend}, S::kAlert},
    {{S::kAlert, E::kEstablishIdentity}, S::kProposed},
    {{S::kAlert, E::kEndPasses}, S::kExpired},
    {{S::kProposed, E::kAmend}, S::kProposed},
    {{S::kProposed, E::kEstablishIdentity}, S::kProposed},
    {{S::kProposed, E::kAdvise}, S::kProposed},
    {{S::kProposed, E::kApprove}, S::kActive},
    {{S::kProposed, E::kReject}, S::kRejected},
    {{S::kProvisional, E::kAmend}, S::kProvisional},
    {{S::kProvisional, E::kEstablishIdentity}, S::kProvisional},
    {{S::kProvisional, E::kAdvise}, S::kProvisional},
    {{S::kProvisional, E::kApprove}, S::kActive},
    {{S::kProvisional, E::kReject}, S::kRejected},
    {{S::kProvisional, E::kEndPasses}, S::kLapsed},
    {{S::kActive, E::kAmend}, S::kActive},
    {{S::kActive, E::kExtend}, S::kExtended},
    {{S::kActive, E::kLift}, S::kLifted},
    {{S::kActive, E::kEndPasses}, S::kExpired},
    {{S::kExtended, E::kAmend}, S::kExtended},
    {{S::kExtended, E::kExtend}, S::kExtended},
    {{S::kExtended, E::kLift}, S::kLifted},
    {{S::kExtended, E::kEndPasses}, S::kExpired},
};

TEST(BanTable, EveryStateAndEventLeadsWhereTheProtocolSays) {
  for (int s = 0; s < static_cast<int>(S::kCount); ++s) {
    for (int e = 0; e < static_cast<int>(E::kCount); ++e) {
      const auto from = static_cast<S>(s);
      const auto event = static_cast<E>(e);
      const auto it = kLegal.find({from, event});
      const auto next = NextState(from, event);
      if (it == kLegal.end()) {
        EXPECT_FALSE(next.has_value()) << "state " << s << " event " << e;
      } else {
        ASSERT_TRUE(next.has_value()) << "state " << s << " event " << e;
        EXPECT_EQ(*next, it->second) << "state " << s << " event " << e;
      }
    }
  }
}

TEST(BanTable, NothingLeavesAFinalState) {
  for (S s : {S::kRejected, S::kLapsed, S::kLifted, S::kExpired}) {
    EXPECT_TRUE(IsFinal(s));
    for (int e = 0; e < static_cast<int>(E::kCount); ++e) EXPECT_FALSE(NextState(s, static_cast<E>(e)));
  }
}

class BanTest : public ::testing::Test {
 protected:
  Municipality m = TestMunicipality();
  absl::Time now = base::StartOfDay(absl::CivilDay(2026, 3, 2)) + absl::Hours(9);

  Ban Proposal(const std::string& ground = "verbaal") {
    Ban ban;
    ban.id = "LV-TEST";
    ban.identity.name = {"Jan", "de", "Vries"};
    ban.identity.birth_date = {1985, 3, 12};
    ban.identity.established = true;
    Terms t;
    t.ground_id = ground;
    t.measure = m.FindGround(ground)->measure;
    t.scope.location_ids = {"gemeentehuis"};
    t.from = absl::CivilDay(2026, 3, 2);
    t.until = absl::CivilDay(2026, 6, 1);
    t.legal_form = LegalForm::kAwbDecision;
    ban.terms = t;
    ban.reasons = "r";
    ban.open_channels = "post";
    return ban;
  }
  Ban Active() {
    Ban ban = Proposal();
    EXPECT_FALSE(Propose(m, ban, now));
    EXPECT_FALSE(Decide(m, ban, true, {Role::kMunicipalSecretary, "", {}, "M-1"}, now));
    return ban;
  }
};

TEST_F(BanTest, ThreeMonthsMayBeWrittenWithOrWithoutTheLastDay) {
  for (absl::CivilDay until :
       {absl::CivilDay(2026, 6, 1), absl::CivilDay(2026, 6, 2), absl::CivilDay(2026, 9, 2)}) {
    Ban ban = Proposal();
    ban.terms->until = until;
    EXPECT_FALSE(Propose(m, ban, now)) << until;
  }
  for (absl::CivilDay until : {absl::CivilDay(2026, 5, 31), absl::CivilDay(2026, 9, 3)}) {
    Ban ban = Proposal();
    ban.terms->until = until;
    auto verdict = Propose(m, ban, now);
    ASSERT_TRUE(verdict) << until;
    EXPECT_EQ(verdict->rule, Rule::kDepartureNeedsReason);
    ban.terms->departure_reason = "because";
    EXPECT_FALSE(Propose(m, ban, now)) << until;
  }
}

TEST_F(BanTest, MonthsOfDifferentLengthEndOnTheLastDay) {
  Ban ban = Proposal();
  ban.terms->from = absl::CivilDay(2026, 11, 30);
  ban.terms->until =
      absl::CivilDay(2027, 2, 28);  // three months from 30 November, there being no 30 February
  EXPECT_FALSE(Propose(m, ban, now));
}

TEST_F(BanTest, ScopeAndMeasureOtherThanTheGuidelineNeedAReason) {
  Ban two_places = Proposal();
  two_places.terms->scope.location_ids = {"gemeentehuis", "sporthal"};
  EXPECT_EQ(Propose(m, two_places, now)->rule, Rule::kDepartureNeedsReason);
  Ban everywhere = Proposal();
  everywhere.terms->scope = {true, {}};
  EXPECT_EQ(Propose(m, everywhere, now)->rule, Rule::kDepartureNeedsReason);
  Ban heavier = Proposal();
  heavier.terms->measure = Measure::kAccessBan;
  EXPECT_EQ(Propose(m, heavier, now)->rule, Rule::kDepartureNeedsReason);
}

TEST_F(BanTest, RefusalLeavesTheBanAsItWas) {
  Ban ban = Proposal();
  ban.reasons.clear();
  EXPECT_EQ(*Propose(m, ban, now), Refusal(Rule::kFieldMissing, "reasons"));
  EXPECT_EQ(ban.state, BanState::kUnspecified);
}

TEST_F(BanTest, ToAndIncludingMeansTheWholeLocalDay) {
  Ban ban = Active();
  EXPECT_TRUE(InForce(ban, now));
  // Summer time: midnight in Amsterdam is 22:00 UTC the day before.
  const absl::Time end = absl::FromCivil(absl::CivilSecond(2026, 6, 1, 22, 0, 0), absl::UTCTimeZone());
  EXPECT_EQ(ban.ends_at, end);
  EXPECT_TRUE(InForce(ban, end - absl::Milliseconds(1)));
  EXPECT_FALSE(InForce(ban, end));
  EXPECT_TRUE(EndIsDue(ban, end));
}

TEST_F(BanTest, ABanThatStartsLaterIsNotInForceYet) {
  Ban ban = Proposal();
  ban.terms->from = absl::CivilDay(2026, 3, 10);
  ban.terms->until = absl::CivilDay(2026, 6, 9);
  ASSERT_FALSE(Propose(m, ban, now));
  ASSERT_FALSE(Decide(m, ban, true, {Role::kMunicipalSecretary, "", {}, "M-1"}, now));
  EXPECT_FALSE(InForce(ban, now));
  EXPECT_TRUE(InForce(ban, base::StartOfDay(absl::CivilDay(2026, 3, 10))));
}

TEST_F(BanTest, TheBoardNeedsAdviceNumberAndDate) {
  Ban ban = Proposal("fysiek-medewerker");
  ASSERT_FALSE(Propose(m, ban, now));
  const absl::CivilDay today(2026, 3, 2);
  EXPECT_EQ(Decide(m, ban, true, {Role::kBoardSecretariat, "", today, "M-1"}, now)->rule,
            Rule::kBoardDecisionIncomplete);
  EXPECT_EQ(Decide(m, ban, true, {Role::kBoardSecretariat, "7", {}, "M-1"}, now)->rule,
            Rule::kBoardDecisionIncomplete);
  EXPECT_EQ(Decide(m, ban, true, {Role::kBoardSecretariat, "7", today, "M-1"}, now)->rule,
            Rule::kAdviceMissing);
  EXPECT_EQ(Decide(m, ban, true, {Role::kBoardSecretariat, "7", today + 1, "M-1"}, now)->rule,
            Rule::kDateInFuture);
  ASSERT_FALSE(Advise(ban, "agreed", "M-2"));
  EXPECT_FALSE(Decide(m, ban, true, {Role::kBoardSecretariat, "7", today, "M-1"}, now));
}

TEST_F(BanTest, OtherTermsVoidTheAdvice) {
  Ban ban = Proposal("fysiek-medewerker");
  ASSERT_FALSE(Propose(m, ban, now));
  ASSERT_FALSE(Advise(ban, "agreed", "M-2"));
  Amendment a;
  a.terms = ban.terms;
  a.terms->until = absl::CivilDay(2026, 8, 1);
  ASSERT_FALSE(Amend(m, ban, a, now));
  EXPECT_TRUE(ban.advised_by.empty());
}

TEST_F(BanTest, IdentityMustBeEstablishedBeforeTheDecisionAndNeverGoesBack) {
  Ban ban = Proposal();
  ban.identity.established = false;
  ban.identity.description = "red coat";
  ASSERT_FALSE(Propose(m, ban, now));
  EXPECT_EQ(Decide(m, ban, true, {Role::kMunicipalSecretary, "", {}, "M-1"}, now)->rule,
            Rule::kIdentityNotEstablished);
  Amendment a;
  a.identity = ban.identity;
  a.identity->established = true;
  ASSERT_FALSE(Amend(m, ban, a, now));
  a.identity->established = false;
  EXPECT_EQ(Amend(m, ban, a, now)->rule, Rule::kFieldInvalid);
}

TEST_F(BanTest, ADenialHoldsAtOnceAndLapses) {
  Ban ban;
  ban.incident_location_id = "zwembad";
  ASSERT_FALSE(Deny(m, ban, now));
  EXPECT_TRUE(InForce(ban, now));
  EXPECT_EQ(ban.ends_at, now + m.confirm_within);
  PassEnd(m, ban, now);
  EXPECT_EQ(ban.state, BanState::kLapsed);
}

TEST_F(BanTest, AnAlertBecomesAProposalWhenTheIdentityIsEstablished) {
  Ban ban;
  ban.identity.description = "tall, green cap";
  ban.reasons = "threw a chair";
  ban.scope.location_ids = {"sporthal"};
  EXPECT_EQ(RaiseAlert(m, ban, absl::CivilDay(2027, 3, 2), now)->rule, Rule::kDatesInWrongOrder);
  ASSERT_FALSE(RaiseAlert(m, ban, absl::CivilDay(2026, 4, 1), now));
  EXPECT_TRUE(InForce(ban, now));
  Amendment a;
  a.identity = Identity{{"Jan", "", "Bos"}, {}, {1990, 1, 1}, true, ""};
  ASSERT_FALSE(Amend(m, ban, a, now));
  EXPECT_EQ(ban.state, BanState::kProposed);
  EXPECT_FALSE(InForce(ban, now));
}

TEST_F(BanTest, ExtendingNeedsALaterDayAndKeepsTheReleaseGoing) {
  Ban ban = Active();
  ban.release.state = PhotoState::kReleased;
  const DecisionInput secretary{Role::kMunicipalSecretary, "", {}, "M-1"};
  EXPECT_EQ(Extend(ban, ban.terms->until, "r", secretary, now)->rule, Rule::kDatesInWrongOrder);
  ASSERT_FALSE(Extend(ban, absl::CivilDay(2026, 9, 1), "r", secretary, now));
  EXPECT_EQ(ban.state, BanState::kExtended);
  EXPECT_EQ(ban.release.state, PhotoState::kReleased);
  EXPECT_EQ(ban.extensions.at(0).previous_until, absl::CivilDay(2026, 6, 1));
}

TEST_F(BanTest, EveryEndOfABanEndsItsPhoto) {
  for (bool lifted : {false, true}) {
    Ban ban = Active();
    ban.release.state = PhotoState::kReleased;
    if (lifted) {
      ASSERT_FALSE(LiftBan(m, ban, "r", {Role::kMunicipalSecretary, "", {}, "M-1"}, now));
    } else {
      PassEnd(m, ban, now);
    }
    EXPECT_EQ(ban.release.state, PhotoState::kDestroying);
    EXPECT_EQ(ban.release.destruction_reason,
              lifted ? DestructionReason::kBanLifted : DestructionReason::kBanEnded);
  }
}

TEST_F(BanTest, AThirdPartyWithoutARecordedBasisGetsNothing) {
  Ban ban = Proposal();
  ban.terms->scope.location_ids = {"derde"};
  EXPECT_EQ(Propose(m, ban, now)->rule, Rule::kThirdPartyLocation);
  EXPECT_FALSE(m.Covers(Scope{true, {}}, "derde"));
  EXPECT_TRUE(m.Covers(Scope{true, {}}, "zwembad"));
}

TEST_F(BanTest, ABreachNeedsABanThatHoldsHereAndDemandsInOrder) {
  Ban ban = Active();
  Breach breach;
  breach.location_id = "gemeentehuis";
  breach.outcome = BreachOutcome::kLeft;
  breach.demands = {{now - absl::Minutes(5), "a"}, {now - absl::Minutes(9), "b"}};
  EXPECT_EQ(AddBreach(m, ban, breach, now)->rule, Rule::kDatesInWrongOrder);
  breach.demands = {{now + absl::Minutes(5), "a"}};
  EXPECT_EQ(AddBreach(m, ban, breach, now)->rule, Rule::kDateInFuture);
  breach.demands.clear();
  breach.location_id = "sporthal";
  EXPECT_EQ(AddBreach(m, ban, breach, now)->rule, Rule::kBanNotInForce);
  breach.location_id = "gemeentehuis";
  EXPECT_FALSE(AddBreach(m, ban, breach, now));
  EXPECT_EQ(ban.breaches.size(), 1u);
}

// Every step after every number of demands, police called or not, written down by hand: what fits.
TEST_F(BanTest, StepsOfMakingSomebodyLeaveFitWhereTheyShould) {
  using D = DemandStep;
  const auto step = [&](Ban& ban, D what) {
    return RecordDemand(m, ban, {what, "gemeentehuis", "M-1"}, now);
  };
  struct Case {
    std::vector<D> before;
    std::set<D> fits;
  };
  const Case cases[] = {
      {{}, {D::kFirst, D::kPoliceCalled}},
      {{D::kFirst}, {D::kSecond, D::kPoliceCalled, D::kLeft, D::kRemoved}},
      {{D::kPoliceCalled}, {D::kFirst, D::kLeft, D::kRemoved}},
      {{D::kFirst, D::kSecond}, {D::kThird, D::kPoliceCalled, D::kLeft, D::kRemoved}},
      {{D::kFirst, D::kPoliceCalled, D::kSecond}, {D::kThird, D::kLeft, D::kRemoved}},
      {{D::kFirst, D::kSecond, D::kThird}, {D::kPoliceCalled, D::kLeft, D::kRemoved}},
      {{D::kFirst, D::kLeft}, {D::kFirst, D::kPoliceCalled}},
      {{D::kPoliceCalled, D::kRemoved}, {D::kFirst, D::kPoliceCalled}},
  };
  for (const Case& c : cases) {
    Ban so_far = Active();
    for (D what : c.before) ASSERT_FALSE(step(so_far, what));
    const auto next = NextDemandSteps(m, so_far, "gemeentehuis", now);
    EXPECT_EQ(std::set<D>(next.begin(), next.end()), c.fits);
    for (int s = 1; s < static_cast<int>(D::kCount); ++s) {
      Ban ban = so_far;
      const auto v = step(ban, static_cast<D>(s));
      EXPECT_EQ(!v, c.fits.contains(static_cast<D>(s))) << s;
      if (v) {
        EXPECT_EQ(v->rule, Rule::kDemandOutOfOrder);
      }
    }
  }
  Ban ban = Active();
  EXPECT_EQ(step(ban, D::kUnspecified)->rule, Rule::kFieldMissing);
  EXPECT_EQ(RecordDemand(m, ban, {D::kFirst, "sporthal", "M-1"}, now)->rule, Rule::kBanNotInForce);
}

TEST_F(BanTest, StepsMakeUpOneBreachUntilItEndsOrIsOver) {
  Ban ban = Active();
  m.demand = "Ga weg.";
  const DemandMade first{DemandStep::kFirst, "gemeentehuis", "M-1"},
      police{DemandStep::kPoliceCalled, "gemeentehuis", "M-2"},
      left{DemandStep::kLeft, "gemeentehuis", "M-2"};
  ASSERT_FALSE(RecordDemand(m, ban, first, now));
  ASSERT_FALSE(RecordDemand(m, ban, police, now + absl::Minutes(5)));
  EXPECT_EQ(OpenBreach(ban, "sporthal", now), nullptr);
  ASSERT_FALSE(RecordDemand(m, ban, left, now + absl::Minutes(9)));
  ASSERT_EQ(ban.breaches.size(), 1u);
  const Breach& breach = ban.breaches[0];
  EXPECT_EQ(breach.at, now);
  EXPECT_EQ(breach.reported_by, "M-1");
  ASSERT_EQ(breach.demands.size(), 1u);
  EXPECT_EQ(breach.demands[0].words, "Ga weg.");
  EXPECT_TRUE(breach.police_called);
  EXPECT_EQ(breach.police_called_at, now + absl::Minutes(5));
  EXPECT_EQ(breach.outcome, BreachOutcome::kLeft);
  EXPECT_EQ(breach.ended_at, now + absl::Minutes(9));

  ASSERT_FALSE(RecordDemand(m, ban, first, now + absl::Hours(1)));
  ASSERT_FALSE(RecordDemand(m, ban, police, now + absl::Hours(2)));
  const absl::Time over = now + absl::Hours(2) + kBreachOpenFor;
  EXPECT_EQ(OpenUntil(ban.breaches[1]), over);
  EXPECT_NE(OpenBreach(ban, "gemeentehuis", over - absl::Seconds(1)), nullptr);
  EXPECT_EQ(RecordDemand(m, ban, left, over)->rule, Rule::kDemandOutOfOrder);
  ASSERT_FALSE(RecordDemand(m, ban, first, over));
  EXPECT_EQ(ban.breaches.size(), 3u);
  EXPECT_EQ(ban.breaches[1].outcome, BreachOutcome::kUnspecified);
}

TEST_F(BanTest, ALocationMakesNoMoreDemandsThanItSays) {
  for (Location& l : m.locations) l.max_demands = 1;
  Ban ban = Active();
  ASSERT_FALSE(RecordDemand(m, ban, {DemandStep::kFirst, "gemeentehuis", "M-1"}, now));
  EXPECT_EQ(RecordDemand(m, ban, {DemandStep::kSecond, "gemeentehuis", "M-1"}, now)->rule,
            Rule::kNoMoreDemands);
}

}  // namespace
}  // namespace waarborg::domain

// SPDX-License-Identifier: EUPL-1.2
#include "server/domain/subject.h"

#include <gtest/gtest.h>

#include "server/base/clock.h"
#include "server/domain/match.h"

namespace waarborg::domain {
namespace {

using S = BanState;

class SubjectTest : public ::testing::Test {
 protected:
  const absl::Time now = base::StartOfDay(absl::CivilDay(2026, 3, 2)) + absl::Hours(9);

  static Identity Who(const std::string& given, const std::string& surname) {
    Identity identity;
    identity.name = {given, "de", surname};
    identity.birth_date = {1985, 3, 12};
    identity.established = true;
    return identity;
  }
  Ban File(S state = S::kActive) const {
    Ban ban;
    ban.id = "LV-TEST";
    ban.state = state;
    ban.identity = Who("Jan Pieter", "Vries");
    ban.scope.location_ids = {"gemeentehuis"};
    ban.starts_at = now - absl::Hours(1);
    ban.ends_at = now + absl::Hours(48);
    return ban;
  }
  Verdict Put(Ban& ban, const Identity& identity, const std::string& reason = "Paspoort getoond.") const {
    return Correct(ban, identity, reason, "M-9", now);
  }
};

TEST_F(SubjectTest, ACorrectionKeepsWhatWasAndIsAllowedForAsLongAsTheFileIsHeld) {
  for (S state : {S::kProposed, S::kProvisional, S::kAlert, S::kActive, S::kExtended, S::kRejected,
                  S::kLapsed, S::kLifted, S::kExpired}) {
    Ban ban = File(state);
    ASSERT_FALSE(Put(ban, Who("Jan Pieter", "Fries"))) << static_cast<int>(state);
    EXPECT_EQ(ban.state, state);
    EXPECT_EQ(ban.identity.name.surname, "Fries");
    ASSERT_EQ(ban.corrections.size(), 1u);
    EXPECT_EQ(ban.corrections[0].previous, Who("Jan Pieter", "Vries"));
    EXPECT_EQ(ban.corrections[0].reason, "Paspoort getoond.");
    EXPECT_EQ(ban.corrections[0].by, "M-9");
    EXPECT_EQ(ban.corrections[0].at, now);
    ASSERT_FALSE(Put(ban, Who("Jan", "Fries")));
    EXPECT_EQ(ban.corrections[1].previous.name.given_names, "Jan Pieter");
  }
  Ban nothing;
  EXPECT_EQ(Put(nothing, Who("Jan", "Vries"))->rule, Rule::kWrongState);
}

TEST_F(SubjectTest, ACorrectionNeedsAReasonAChangeAndAWholeIdentity) {
  Ban ban = File();
  const auto refused = [&](const Identity& identity, const std::string& reason, const Refusal& expected) {
    const auto verdict = Put(ban, identity, reason);
    ASSERT_TRUE(verdict);
    EXPECT_EQ(*verdict, expected);
    EXPECT_TRUE(ban.corrections.empty());
    EXPECT_EQ(ban.identity, Who("Jan Pieter", "Vries"));
  };
  refused(Who("Jan", "Vries"), "", {Rule::kFieldMissing, "reason"});
  refused(Who("Jan Pieter", "Vries"), "r", {Rule::kNothingToCorrect, "identity"});
  Identity open = Who("Jan", "Vries");
  open.established = false;
  refused(open, "r", {Rule::kFieldInvalid, "identity.established"});
  Identity nameless = Who("Jan", "");
  refused(nameless, "r", {Rule::kFieldMissing, "identity.name.surname"});
  // A description goes on describing.
  Ban alert = File(S::kAlert);
  alert.identity = {};
  alert.identity.description = "Lange jas.";
  Identity empty;
  empty.name.surname = "Vries";
  EXPECT_EQ(*Put(alert, empty), Refusal(Rule::kFieldMissing, "identity.description"));
  empty.description = "Korte jas.";
  EXPECT_FALSE(Put(alert, empty));
}

TEST_F(SubjectTest, BeforeTheDecisionACorrectionCountsAsWritingInTheFile) {
  Ban proposal = File(S::kProposed);
  proposal.advice = "Drie maanden.";
  proposal.advised_by = "M-2";
  ASSERT_FALSE(Put(proposal, Who("Jan", "Vries")));
  EXPECT_EQ(proposal.prepared_by, std::vector<std::string>{"M-9"});
  EXPECT_TRUE(proposal.advised_by.empty());
  Ban decided = File();
  decided.advised_by = "M-2";
  ASSERT_FALSE(Put(decided, Who("Jan", "Vries")));
  EXPECT_TRUE(decided.prepared_by.empty());
  EXPECT_EQ(decided.advised_by, "M-2");
}

TEST_F(SubjectTest, TheDeskMatchesTheCorrectedNameAndNotTheWrongOne) {
  MatchIndex index;
  Ban ban = File();
  ban.identity.other_names = {{"Jan Pieter", "", "Ooievaar"}, {"Jan Pieter", "", "Zilverreiger"}};
  index.Put(ban);
  const auto hits = [&](const std::string& surname) {
    const Query query{FoldName({"Jan Pieter", "", surname}), {1985, 3, 12}};
    return index.Find("gemeentehuis", true, query, now).size();
  };
  EXPECT_EQ(hits("Vries"), 1u);
  // Ooievaar was the name before the marriage and stays; Zilverreiger never was.
  Identity right = Who("Jan Pieter", "Kwikstaart");
  right.other_names = {{"Jan Pieter", "", "Ooievaar"}};
  ASSERT_FALSE(Put(ban, right));
  index.Put(ban);
  EXPECT_EQ(hits("Kwikstaart"), 1u);
  EXPECT_EQ(hits("Ooievaar"), 1u);
  EXPECT_EQ(hits("Vries"), 0u);
  EXPECT_EQ(hits("Zilverreiger"), 0u);
}

TEST_F(SubjectTest, OnlyExactlyThisNameAndDateAreLookedUp) {
  Ban ban = File();
  ban.identity.other_names = {{"", "", "Ooievaar"}};
  const BirthDate born{1985, 3, 12};
  EXPECT_EQ(LookUp(ban, {"jan pieter", "", "DE VRIES"}, born), About::kPerson);
  EXPECT_EQ(LookUp(ban, {"Jan Pieter", "", "Ooievaar"}, born), About::kPerson);
  EXPECT_EQ(LookUp(ban, {"Jan", "de", "Vries"}, born), About::kOthers);
  EXPECT_EQ(LookUp(ban, {"", "de", "Vries"}, born), About::kOthers);
  EXPECT_EQ(LookUp(ban, {"Jan Pieter", "de", "Vris"}, born), About::kOthers);
  EXPECT_EQ(LookUp(ban, {"Jan Pieter", "de", "Vries"}, {1985, 12, 3}), About::kOthers);
  EXPECT_EQ(LookUp(ban, {"Jan Pieter", "de", "Vries"}, {1985, 3, 0}), About::kOthers);
  EXPECT_EQ(LookUp(ban, {"Jan Pieter", "de", "Vries"}, {}), About::kOthers);
  // What stands in the file with a part unknown is asked for with that part unknown.
  ban.identity.birth_date = {1985, 0, 0};
  EXPECT_EQ(LookUp(ban, {"Jan Pieter", "de", "Vries"}, {1985, 0, 0}), About::kPerson);
  EXPECT_EQ(LookUp(ban, {"Jan Pieter", "de", "Vries"}, born), About::kOthers);
  // Some people have one name.
  ban.identity.name = {"", "", "Vries"};
  ban.identity.birth_date = born;
  EXPECT_EQ(LookUp(ban, {"", "", "Vries"}, born), About::kPerson);
  EXPECT_EQ(LookUp(ban, {"Jan", "", "Vries"}, born), About::kOthers);
}

TEST_F(SubjectTest, WhoWasInTheFileByMistakeIsToldSo) {
  Ban ban = File();
  ASSERT_FALSE(Put(ban, Who("Klaas", "Bakker")));
  EXPECT_EQ(LookUp(ban, {"Jan Pieter", "de", "Vries"}, {1985, 3, 12}), About::kCorrectedAway);
  EXPECT_EQ(LookUp(ban, {"Klaas", "de", "Bakker"}, {1985, 3, 12}), About::kPerson);
}

}  // namespace
}  // namespace waarborg::domain

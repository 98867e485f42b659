// SPDX-License-Identifier: EUPL-1.2
#include "client/station/training.h"

#include <gtest/gtest.h>

#include "client/station/visitor.h"

namespace waarborg::station {
namespace {

const Words& Dutch() {
  return Words::Of(Language::kDutch);
}

Lesson Typed(const std::string& text) {
  pb::CheckVisitorRequest request;
  EXPECT_EQ(ReadVisitor(text, request), "") << text;
  return CheckInTraining(request, Dutch());
}

TEST(Training, SaysNothingAboutANameThatIsNotOfTheExercises) {
  for (const char* name :
       {"Jan de Vries 12-03-1985", "Vera 12-03-1985", "Karel Kievits 04-07-1979", "P<NLDVINK<<VERA<<<<"}) {
    const Lesson lesson = Typed(name);
    EXPECT_EQ(lesson.kind, Lesson::Kind::kUnknownName) << name;
    EXPECT_EQ(lesson.response.answer(), pb::CHECK_ANSWER_UNSPECIFIED) << name;
    EXPECT_FALSE(lesson.did) << name;
  }
}

TEST(Training, EveryExerciseThatIsTypedIsDoneByTypingIt) {
  int typed = 0;
  for (const ExerciseText& e : Exercises()) {
    if (e.typed == nullptr) continue;
    ++typed;
    EXPECT_EQ(Typed(e.typed).did, e.exercise) << e.typed;
  }
  EXPECT_EQ(typed, 7);
}

TEST(Training, TheAnswersAreThoseOfTheDesk) {
  EXPECT_EQ(Typed("vera VINK 12-03-1985").response.answer(), pb::CHECK_ANSWER_NO_BAN_FOUND);
  EXPECT_EQ(Typed("Karel Kievit 04-07-1979").response.answer(), pb::CHECK_ANSWER_BANNED);
  EXPECT_EQ(Typed("Karel Kievit").response.answer(), pb::CHECK_ANSWER_POSSIBLE);
  EXPECT_EQ(Typed("Carel Kievit 04-07-1979").response.answer(), pb::CHECK_ANSWER_POSSIBLE);
  EXPECT_EQ(Typed("Esdoorn 09-09-1992").response.matches_size(), 2);
  EXPECT_EQ(Typed("Sanne Spreeuw 30-05-1971").kind, Lesson::Kind::kCannotCheck);
  EXPECT_EQ(Typed("Hein Havik 17-02-1983").kind, Lesson::Kind::kExpected);
}

TEST(Training, EverybodyOnTheListCanBeOpened) {
  const auto list = ListInTraining(Dutch());
  ASSERT_GT(list.bans_size(), 5);
  for (const auto& match : list.bans()) {
    const Lesson lesson = OpenInTraining(match.ban_id(), {}, Dutch());
    EXPECT_NE(lesson.kind, Lesson::Kind::kUnknownName) << match.ban_id();
    EXPECT_EQ(lesson.response.matches(0).ban_id(), match.ban_id());
    EXPECT_NE(FaceInTraining(match.ban_id(), Dutch()).find("OEFENEN"), std::string::npos);
  }
  for (const char* not_there : {"", "LV-7K2M9QX4TB", "OEFEN-0", "OEFEN-1", "OEFEN-99"}) {
    EXPECT_EQ(OpenInTraining(not_there, {}, Dutch()).kind, Lesson::Kind::kUnknownName) << not_there;
  }
  EXPECT_EQ(FaceInTraining("LV-7K2M9QX4TB", Dutch()), "");
}

TEST(Training, DemandsFollowOneAnotherUntilThePersonHasLeft) {
  Progress progress;
  const std::string ban = "OEFEN-2";
  EXPECT_FALSE(BreachInTraining(ban, progress));
  EXPECT_TRUE(TouchInTraining(ban, "demand-1", progress));
  EXPECT_TRUE(TouchInTraining(ban, "police", progress));
  auto breach = BreachInTraining(ban, progress);
  ASSERT_TRUE(breach);
  EXPECT_EQ(breach->demands(), 1);
  EXPECT_TRUE(breach->police_called());
  EXPECT_EQ(breach->next(0), pb::DEMAND_STEP_SECOND);
  EXPECT_FALSE(BreachInTraining("OEFEN-3", progress));
  EXPECT_TRUE(TouchInTraining(ban, "left", progress));
  EXPECT_FALSE(BreachInTraining(ban, progress));
  EXPECT_TRUE(progress.Has(Exercise::kDemand));
  EXPECT_FALSE(TouchInTraining(ban, "something", progress));
  EXPECT_FALSE(TouchInTraining("LV-7K2M9QX4TB", "demand-1", progress));
}

TEST(Training, WhatTheBrowserRemembersIsReadBackAndNothingElseIs) {
  Progress progress;
  progress.Do(Exercise::kBriefing);
  progress.Do(Exercise::kClear);
  EXPECT_TRUE(TouchInTraining("OEFEN-2", "demand-3", progress));
  const Progress again = Progress::Read(progress.Text());
  EXPECT_EQ(again.Text(), progress.Text());
  EXPECT_TRUE(again.Has(Exercise::kBriefing));
  EXPECT_FALSE(again.Has(Exercise::kBanned));
  for (const char* wrong : {"", "1", "1.2.3", "ffffffff.0.0.0", "1.-1.0.0", "1.10.0.0", "1.2.4.0", "1.2.3.2",
                            "x.0.0.0", "1.2.3.1.5"}) {
    EXPECT_EQ(Progress::Read(wrong).Text(), Progress().Text()) << wrong;
  }
}

// What training posts to is never what the desk posts to, and nobody needs to be signed in for it.
TEST(Training, EveryPathIsUnderTraining) {
  int posts = 0;
  for (const Route& route : TrainingRoutes()) {
    EXPECT_EQ(std::string(route.path).rfind("/training", 0), 0U) << route.path;
    EXPECT_EQ(route.who, Who::kAnybody);
    posts += std::string_view(route.method) == "POST" ? 1 : 0;
  }
  EXPECT_GT(posts, 5);
  for (const Route& route : DeskRoutes())
    EXPECT_NE(std::string(route.path).rfind("/training", 0), 0U) << route.path;
}

}  // namespace
}  // namespace waarborg::station

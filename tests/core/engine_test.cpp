// The choice by examples: which mode wins, what holds it, what is told of it.
#include "core/engine.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "builders.h"

namespace auren::core::testing {
namespace {

TEST(ChoiceTest, HighestPriorityWins) {
  const Reading odd = Reading("blood_glucose", 30).Odd();
  const Reading tired("recovery_score", 20);
  const Reading racing("heart_rate", 140);
  Check({
      {"hypothesis alone", {odd}, "switch hypothesis anomalous_reading"},
      {"guardian over hypothesis", {odd, tired}, "switch guardian recovery_low"},
      {"reflex over both", {odd, tired, racing}, "switch reflex heart_rate_elevated"},
  });
  Config config = DefaultConfig();
  ASSERT_TRUE(AddMode(&config, "guardian", 450, "").ok());
  EXPECT_EQ(Outline(DecideOrDie({racing, tired}, In("pattern"), config)),
            "switch guardian recovery_low");
}

TEST(ChoiceTest, TheStrongestTriggerOfTheModeIsNamed) {
  Check({
      {"heart rate",
       {Reading("heart_rate", 155), Reading("stress_level", 0.86)},
       "switch reflex heart_rate_elevated"},
      {"stress",
       {Reading("heart_rate", 101), Reading("stress_level", 0.99)},
       "switch reflex stress_critical"},
  });
}

TEST(ChoiceTest, AlreadyThereStaysAndForgetsTheCalm) {
  CurrentMode current = Since("reflex", 4000);
  current.calm = 1;
  const Decision decision = DecideOrDie({Reading("heart_rate", 120)}, current);
  EXPECT_EQ(Outline(decision), "stay heart_rate_elevated");
  EXPECT_EQ(decision.calm, 0);
  EXPECT_GT(decision.confidence, 0.5);
  EXPECT_FALSE(decision.held_by_cooldown);
}

TEST(ChoiceTest, CooldownHoldsExceptForAHigherPriority) {
  const Delivery tired = {Reading("recovery_score", 20)};
  const Delivery racing = {Reading("heart_rate", 140)};

  Decision decision = DecideOrDie(tired, Since("reflex", 299));
  EXPECT_EQ(Outline(decision), "stay recovery_low");
  EXPECT_TRUE(decision.held_by_cooldown);
  EXPECT_STREQ(decision.reason,
               "recovery_score 20 % is below 40 %; held by the cooldown for another 1 s");
  EXPECT_EQ(Outline(DecideOrDie(tired, Since("reflex", 300))), "switch guardian recovery_low");
  EXPECT_EQ(Outline(DecideOrDie(racing, Since("guardian", 1))),
            "switch reflex heart_rate_elevated");
  EXPECT_EQ(Outline(DecideOrDie(tired, Since("reflex", -30))), "stay recovery_low")
      << "a delivery from before the switch is inside its cooldown";
  CurrentMode fresh = Since("reflex", 1);
  fresh.ever_switched = false;
  EXPECT_EQ(Outline(DecideOrDie(tired, fresh)), "switch guardian recovery_low");
}

TEST(ChoiceTest, ByHandIsLeftOnlyForAHigherMode) {
  const Delivery tired = {Reading("recovery_score", 20)};
  for (double seconds : {10.0, 100000.0}) {
    EXPECT_EQ(Outline(DecideOrDie(tired, ByHand("companion", seconds))),
              "switch guardian recovery_low");
    const Decision held = DecideOrDie(tired, ByHand("reflex", seconds));
    EXPECT_EQ(Outline(held), "stay recovery_low");
    EXPECT_FALSE(held.held_by_cooldown);
    EXPECT_STREQ(held.reason,
                 "recovery_score 20 % is below 40 %; the mode was set by hand and stays");
    CurrentMode calm = ByHand("companion", seconds);
    calm.calm = 1;
    const Decision nothing = DecideOrDie({Reading("heart_rate", 60)}, calm);
    EXPECT_EQ(Outline(nothing), "stay calm");
    EXPECT_EQ(nothing.calm, 0);
    EXPECT_STREQ(nothing.reason, "no trigger; the mode was set by hand and stays");
  }
}

TEST(ChoiceTest, AModeTheConfigurationForgotIsLeftByAnything) {
  EXPECT_EQ(Outline(DecideOrDie({Reading("recovery_score", 20)}, ByHand("night_watch"))),
            "switch guardian recovery_low");
}

TEST(ChoiceTest, OneReadingNeverSwitchesTwice) {
  const Delivery delivery = {Reading("heart_rate", 140)};
  const Decision first = DecideOrDie(delivery, Since("pattern", 1000));
  ASSERT_EQ(Outline(first), "switch reflex heart_rate_elevated");
  EXPECT_EQ(DecideOrDie(delivery, Since(first.to_mode, 0)).outcome, Outcome::kStay);
  EXPECT_EQ(DecideOrDie(delivery, Since(first.to_mode, 1000)).outcome, Outcome::kStay);
}

TEST(CalmTest, SettlesAfterTheCooldownAndEnoughEvaluations) {
  const Delivery fine = {Reading("heart_rate", 60)};
  Decision decision = DecideOrDie(fine, Since("reflex", 200));
  EXPECT_EQ(Outline(decision), "stay calm");
  EXPECT_EQ(decision.calm, 0) << "calm counts only after the cooldown";
  EXPECT_EQ(decision.confidence, 0);
  EXPECT_STREQ(decision.reason, "no trigger; the cooldown lasts another 100 s");

  CurrentMode current = Since("reflex", 400);
  decision = DecideOrDie(fine, current);
  EXPECT_EQ(Outline(decision), "stay calm");
  EXPECT_EQ(decision.calm, 1);
  EXPECT_STREQ(decision.reason, "no trigger in 1 of 2 evaluations");

  current.calm = decision.calm;
  decision = DecideOrDie(fine, current);
  EXPECT_EQ(Outline(decision), "switch pattern calm");
  EXPECT_EQ(decision.calm, 0);
  EXPECT_DOUBLE_EQ(decision.confidence, 0.75);
  EXPECT_STREQ(decision.reason, "no trigger in 2 of 2 evaluations");
}

TEST(CalmTest, ShortHistoryLeadsToBaseline) {
  CurrentMode current = Since("guardian", 400);
  current.calm = 1;
  const Config config = DefaultConfig();
  const Decision decision = DecideOrDie({Reading("heart_rate", 60)}, current, config, 13);
  EXPECT_EQ(Outline(decision), "switch baseline calm");
  EXPECT_DOUBLE_EQ(decision.confidence, 0.45);
  EXPECT_STREQ(decision.reason, "no trigger in 2 of 2 evaluations, history is 13 of 14 days");

  current.mode = "baseline";
  EXPECT_EQ(Outline(DecideOrDie({Reading("heart_rate", 60)}, current, config, 13)), "stay calm");
  EXPECT_EQ(Outline(DecideOrDie({Reading("heart_rate", 60)}, current, config, 14)),
            "switch pattern calm");
}

TEST(CalmTest, TheCountStopsAtItsGoal) {
  CurrentMode current = In("pattern");
  for (int stored : {1, 2, 1'000'000}) {
    current.calm = stored;
    const Decision decision = DecideOrDie({Reading("heart_rate", 60)}, current);
    EXPECT_EQ(Outline(decision), "stay calm");
    EXPECT_EQ(decision.calm, 2) << "an unchanged state needs no write";
  }
}

TEST(CalmTest, AlmostIsCalm) {
  CurrentMode current = Since("reflex", 400);
  current.calm = 1;
  const Decision decision = DecideOrDie({Reading("heart_rate", 99)}, current);
  EXPECT_EQ(Outline(decision), "switch pattern calm");
  ASSERT_EQ(decision.factor_count, 1);
  EXPECT_FALSE(decision.factors[0].fired);
  EXPECT_TRUE(decision.factors[0].borderline);
  EXPECT_EQ(decision.factors[0].contribution, 0);
}

TEST(BorderlineTest, WithinTheMarginOnBothSides) {
  struct Case {
    Reading reading;
    bool listed, fired, borderline;
  };
  const Case cases[] = {
      {Reading("heart_rate", 89.9), false, false, false},
      {Reading("heart_rate", 90), true, false, true},
      {Reading("heart_rate", 110), true, true, true},
      {Reading("heart_rate", 110.1), true, true, false},
      {Reading("recovery_score", 44), true, false, true},
      {Reading("recovery_score", 44.1), false, false, false},
      {Reading("stress_level", 0.94), true, true, false},
      // 60 ms and 30 %: the limit is 42 ms, a drop of 16.2 to 19.8 ms is within a tenth of it.
      {Reading("hrv_rmssd", 43.9), false, false, false},
      {Reading("hrv_rmssd", 43.7), true, false, true},
      {Reading("hrv_rmssd", 40.3), true, true, true},
      {Reading("hrv_rmssd", 40.1), true, true, false},
      {Reading("vo2_max", 60.9).With(Linear(50, 4)).ByZ(), true, false, true},
      {Reading("vo2_max", 60.7).With(Linear(50, 4)).ByZ(), false, false, false},
      {Reading("vo2_max", 63.3).With(Linear(50, 4)).ByZ(), true, true, false},
      {Reading("vo2_max", 4).Odd(), true, true, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.reading.metric) + " " + std::to_string(c.reading.value));
    const Decision decision = DecideOrDie({c.reading});
    ASSERT_EQ(decision.factor_count, c.listed ? 1 : 0);
    if (!c.listed) continue;
    EXPECT_EQ(decision.factors[0].fired, c.fired);
    EXPECT_EQ(decision.factors[0].borderline, c.borderline);
    EXPECT_EQ(decision.borderline, c.fired && c.borderline);
  }
}

TEST(BorderlineTest, OneClearTriggerMakesTheDecisionClear) {
  EXPECT_TRUE(DecideOrDie({Reading("heart_rate", 105), Reading("stress_level", 0.86)}).borderline);
  EXPECT_FALSE(DecideOrDie({Reading("heart_rate", 105), Reading("stress_level", 0.99)}).borderline);
  EXPECT_TRUE(DecideOrDie({Reading("heart_rate", 105), Reading("recovery_score", 10)}).borderline)
      << "a clear trigger of a lower mode does not make the winning one clear";
}

TEST(FactorTest, StrongestFirstOneForEachMetric) {
  const Decision decision = DecideOrDie({Reading("heart_rate", 95), Reading("stress_level", 0.8),
                                         Reading("heart_rate", 103), Reading("heart_rate", 130),
                                         Reading("recovery_score", 39)});
  ASSERT_EQ(decision.factor_count, 4);
  EXPECT_STREQ(decision.factors[0].metric, "heart_rate");
  EXPECT_EQ(decision.factors[0].value, 130);
  EXPECT_EQ(decision.factors[0].threshold, 100);
  EXPECT_TRUE(std::isnan(decision.factors[0].baseline));
  EXPECT_NEAR(decision.factors[0].contribution, 0.725, 1e-12);
  EXPECT_EQ(decision.factors[1].trigger, Trigger::kRecoveryLow);
  EXPECT_EQ(decision.factors[2].trigger, Trigger::kLowIndicators) << "low, but alone";
  EXPECT_FALSE(decision.factors[2].fired);
  EXPECT_STREQ(decision.factors[3].metric, "stress_level");
  EXPECT_FALSE(decision.factors[3].fired);
  EXPECT_STREQ(decision.reason,
               "heart_rate 130 /min is above 100 /min outside exercise; also recovery_low");
}

TEST(FactorTest, NoMoreThanThereIsRoomFor) {
  constexpr int kMany = 100;
  std::vector<std::string> names(kMany);
  Delivery delivery;
  delivery.reserve(kMany + 1);
  for (int i = 0; i < kMany; ++i) {
    names[i] = "custom_" + std::to_string(i);
    delivery.push_back(Reading(names[i], 60 + i * 0.5).With(Linear(30, 5)).ByZ());
  }
  delivery.push_back(Reading("recovery_score", 39.9));
  const Decision decision = DecideOrDie(delivery);
  EXPECT_EQ(Outline(decision), "switch guardian recovery_low")
      << "many anomalies must not push out a rarer trigger";
  EXPECT_EQ(decision.factor_count, 22) << "20 anomalies, recovery_low and the lone indicator";
  EXPECT_LE(decision.confidence, 1);
  EXPECT_NE(FindFactor(decision, Trigger::kAnomalousReading, "custom_99"), nullptr);
}

TEST(FactorTest, LongMetricNamesAreCutBetweenCodePoints) {
  std::string name = "a";
  for (int i = 0; i < 60; ++i) name += "\xc3\xa4";
  const Decision decision = DecideOrDie({Reading(name, 1).Odd()});
  EXPECT_EQ(std::string(decision.factors[0].metric), name.substr(0, 63));
  EXPECT_EQ(std::string(decision.reason).substr(0, 64), name.substr(0, 63) + " ");
}

TEST(DecideTest, AMissingModeIsABugOfTheCaller) {
  Config config;
  Decision decision;
  const Observation racing = Reading("heart_rate", 140);
  Status status = Decide(config, In("pattern"), &racing, 1, kHistory, kNow, &decision);
  EXPECT_EQ(status.code, Code::kInternal);
  EXPECT_STREQ(status.message, "mode \"reflex\" is missing from the configuration");
  CurrentMode current = In("reflex");
  current.calm = 1;
  const Observation fine = Reading("heart_rate", 60);
  status = Decide(config, current, &fine, 1, kHistory, kNow, &decision);
  EXPECT_STREQ(status.message, "mode \"pattern\" is missing from the configuration");
}

}  // namespace
}  // namespace auren::core::testing

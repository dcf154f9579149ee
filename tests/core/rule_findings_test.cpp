// Which deliveries meet a rule, by tables of examples; and what the decision says about it.
#include "core/rule_findings.h"

#include <gtest/gtest.h>

#include <cmath>

#include "builders.h"
#include "core/engine.h"
#include "rule_builder.h"

namespace auren::core::testing {
namespace {

const Rule kFever = MakeRule("fever_watch")
                        .When("skin_temperature_deviation", "above", 0.4)
                        .When("heart_rate", "above", 95, {"rest", "sleep"});

Reading Temperature(double value) { return {"skin_temperature_deviation", value}; }
Reading Pulse(double value) { return Reading("heart_rate", value).In(Context::kRest); }

std::string Under(const Rule& rule, const Delivery& delivery) {
  return Outline(DecideOrDie(delivery, In("pattern"), With(rule, "sentinel")));
}

const char* const kFires = "switch sentinel rule";

TEST(RuleFindingsTest, AllConditionsTogether) {
  const std::vector<Example> examples = {
      {"both", {Temperature(0.8), Pulse(99)}, kFires},
      {"one", {Temperature(0.8)}, "stay calm"},
      {"the other", {Pulse(99)}, "stay calm"},
      {"exactly at a threshold", {Temperature(0.8), Pulse(95)}, "stay calm"},
      {"another context", {Temperature(0.8), Pulse(99).In(Context::kWake)}, "stay calm"},
      {"no context", {Temperature(0.8), Pulse(99).In(Context::kNone)}, "stay calm"},
      {"a maximum", {Temperature(0.8), Pulse(99).As(Statistic::kMax)}, "stay calm"},
      {"one stands", {Temperature(0.8).Standing(), Pulse(99)}, kFires},
      {"both stand",
       {Temperature(0.8).Standing(), Pulse(99).Standing(), Reading("vo2_max", 40)},
       "stay calm"},
      {"a newer one is ordinary",
       {Temperature(0.8).Standing().Aged(600), Temperature(0.1), Pulse(99)},
       "stay calm"},
      {"a late one does not count", {Temperature(0.8).Late(), Pulse(99)}, "stay calm"},
      {"nor an unsettled one", {Temperature(0.8).Unsettled(), Pulse(99)}, "stay calm"},
      {"nor an old one", {Temperature(0.8).Aged(90000), Pulse(99)}, "stay calm"},
      {"nor what is no number", {Temperature(kNaN), Pulse(99)}, "stay calm"},
      {"any of several", {Temperature(0.1), Temperature(0.8), Pulse(60), Pulse(99)}, kFires},
  };
  for (const Example& example : examples) {
    EXPECT_EQ(Under(kFever, example.delivery), example.expected) << example.what;
  }
}

// The context of the newer reading is not the one that the condition looks at.
TEST(RuleFindingsTest, WhatStandsIsReplacedOnlyByWhatTheConditionLooksAt) {
  const Reading walking = Pulse(110).In(Context::kActive);
  EXPECT_EQ(Under(kFever, {Pulse(99).Standing().Aged(600), walking, Temperature(0.8)}), kFires);
}

TEST(RuleFindingsTest, EveryComparison) {
  const auto fires = [](const char* comparison, double number, const Reading& reading) {
    return Under(MakeRule("mine").When(reading.metric, comparison, number), {reading}) == kFires;
  };
  const auto glucose = [](double value) { return Reading("blood_glucose", value); };
  EXPECT_TRUE(fires("above", 90, glucose(90.5)));
  EXPECT_FALSE(fires("above", 90, glucose(90)));
  EXPECT_TRUE(fires("at_least", 90, glucose(90)));
  EXPECT_FALSE(fires("at_least", 90, glucose(89.9)));
  EXPECT_TRUE(fires("below", 90, glucose(89.5)));
  EXPECT_FALSE(fires("below", 90, glucose(90)));
  EXPECT_TRUE(fires("at_most", 90, glucose(90)));
  EXPECT_FALSE(fires("at_most", 90, glucose(90.1)));

  const auto known = [&](double value) { return glucose(value).With(Linear(90, 4)).ByZ(); };
  EXPECT_TRUE(fires("z_above", 2, known(98.1)));
  EXPECT_FALSE(fires("z_above", 2, known(98)));
  EXPECT_TRUE(fires("z_below", -2, known(81.9)));
  EXPECT_FALSE(fires("z_below", -2, known(82)));
  EXPECT_FALSE(fires("z_above", 2, glucose(98.1).With(Linear(90, 4)))) << "not judged by z";
  EXPECT_FALSE(fires("z_above", 2, glucose(98.1).With(Linear(90, 4, 13)).ByZ())) << "short history";
  EXPECT_FALSE(fires("z_above", 2, glucose(98.1).With(Linear(90, 0)).ByZ())) << "no spread";

  EXPECT_TRUE(fires("drop_percent", 10, known(80.9)));
  EXPECT_FALSE(fires("drop_percent", 10, known(81)));
  EXPECT_TRUE(fires("rise_percent", 10, known(99.1)));
  EXPECT_FALSE(fires("rise_percent", 10, known(98.9)));
  EXPECT_FALSE(fires("rise_percent", 10, glucose(500))) << "no reference and no default";
  EXPECT_FALSE(fires("drop_percent", 10, glucose(-9).With(Linear(-5, 1)))) << "no percentage";
}

TEST(RuleFindingsTest, OutsideTheSoftRange) {
  const Config config = With(MakeRule("odd").When("vo2_max", "outside_soft_range", 0), "guardian");
  EXPECT_EQ(Outline(DecideOrDie({Reading("vo2_max", 12).Odd()}, In("pattern"), config)),
            "switch guardian rule");
  EXPECT_EQ(Outline(DecideOrDie({Reading("vo2_max", 12)}, In("pattern"), config)), "stay calm");
}

TEST(RuleFindingsTest, ContextAndStatisticMayAskForWhatIsPassedOverOtherwise) {
  EXPECT_EQ(Under(MakeRule("mine").When("heart_rate", "above", 180, {"workout"}),
                  {Pulse(190).In(Context::kWorkout)}),
            kFires);
  EXPECT_EQ(
      Under(MakeRule("mine").When("heart_rate", "above", 80), {Pulse(90).In(Context::kWorkout)}),
      "stay calm");
  EXPECT_EQ(Under(MakeRule("mine").When("step_count", "below", 500, {}, {"sum", "daily"}),
                  {Reading("step_count", 200).As(Statistic::kSum)}),
            kFires);
  EXPECT_EQ(Under(MakeRule("mine").When("step_count", "below", 500),
                  {Reading("step_count", 200).As(Statistic::kSum)}),
            "stay calm");
}

TEST(RuleFindingsTest, TheDecisionNamesTheRuleAndItsFactors) {
  const Decision decision =
      DecideOrDie({Temperature(0.4 + 1e-9), Pulse(95 + 1e-9)}, In("pattern"), With(kFever));
  EXPECT_EQ(decision.trigger, Trigger::kRule);
  EXPECT_STREQ(TriggerName(decision), "fever_watch");
  EXPECT_STREQ(decision.reason,
               "fever_watch: skin_temperature_deviation 0.4 Cel is above 0.4 Cel and heart_rate 95 "
               "/min is above 95 /min");
  EXPECT_TRUE(decision.borderline);
  // At their thresholds the conditions together weigh what the rule does.
  EXPECT_NEAR(decision.confidence, 0.5, 1e-6);
  const Factor* factor = FindFactor(decision, Trigger::kRule, "heart_rate");
  ASSERT_NE(factor, nullptr);
  EXPECT_STREQ(TriggerName(*factor), "fever_watch");
  EXPECT_EQ(factor->threshold, 95);
  EXPECT_NEAR(factor->contribution, 1 - std::sqrt(0.5), 1e-6);
  EXPECT_TRUE(factor->fired);
  EXPECT_TRUE(factor->borderline);
}

TEST(RuleFindingsTest, TheWeightIsThatOfTheRule) {
  const Rule light = MakeRule("light").Weighing(0.2).When("blood_glucose", "above", 90);
  const Config config = With(light);
  const auto confidence = [&](double value) {
    return DecideOrDie({Reading("blood_glucose", value)}, In("pattern"), config).confidence;
  };
  EXPECT_NEAR(confidence(90 + 1e-9), 0.2, 1e-6);
  EXPECT_NEAR(confidence(135), 0.2 + 0.9 * 0.8 / 2, 1e-9);
  EXPECT_NEAR(confidence(180), 0.2 + 0.9 * 0.8, 1e-9);
  EXPECT_NEAR(confidence(500), 0.2 + 0.9 * 0.8, 1e-9);
}

TEST(RuleFindingsTest, ADefaultStandsInWithADiscountAndIsTold) {
  const Config config = With(MakeRule("slump").When("hrv_rmssd", "drop_percent", 20));
  const Decision decision = DecideOrDie({Reading("hrv_rmssd", 45)}, In("pattern"), config);
  EXPECT_EQ(Outline(decision), kFires);
  const Factor* factor = FindFactor(decision, Trigger::kRule, "hrv_rmssd");
  ASSERT_NE(factor, nullptr);
  EXPECT_TRUE(factor->baseline_is_default);
  EXPECT_EQ(factor->baseline, 60);
  EXPECT_DOUBLE_EQ(factor->threshold, 48);
  EXPECT_STREQ(decision.reason,
               "slump: hrv_rmssd 45 ms is 25 % below the default reference of 60 ms");
  const Decision own =
      DecideOrDie({Reading("hrv_rmssd", 45).With(Log(60, 0.5))}, In("pattern"), config);
  EXPECT_NEAR(decision.confidence, 0.6 * own.confidence, 1e-12);
}

TEST(RuleFindingsTest, NearlyIsTold) {
  const Decision decision = DecideOrDie({Temperature(0.8), Pulse(94)}, In("pattern"), With(kFever));
  EXPECT_EQ(Outline(decision), "stay calm");
  for (const char* metric : {"skin_temperature_deviation", "heart_rate"}) {
    const Factor* factor = FindFactor(decision, Trigger::kRule, metric);
    ASSERT_NE(factor, nullptr) << metric;
    EXPECT_FALSE(factor->fired);
    EXPECT_TRUE(factor->borderline);
    EXPECT_EQ(factor->contribution, 0);
  }
  const Decision far = DecideOrDie({Temperature(0.8), Pulse(60)}, In("pattern"), With(kFever));
  EXPECT_EQ(FindFactor(far, Trigger::kRule, "heart_rate"), nullptr);
}

TEST(RuleFindingsTest, PrioritiesCooldownAndHandHoldForRules) {
  const Config config = With(kFever);
  const Delivery fever = {Temperature(0.8), Pulse(99)};
  EXPECT_EQ(Outline(DecideOrDie(fever, Since("pattern", 10), config)), kFires) << "upwards";
  const Decision held = DecideOrDie(fever, Since("guardian", 10), config);
  EXPECT_EQ(Outline(held), "stay rule");
  EXPECT_TRUE(held.held_by_cooldown);
  EXPECT_EQ(Outline(DecideOrDie(fever, Since("guardian", 301), config)), kFires);
  EXPECT_TRUE(DecideOrDie(fever, Since("companion", 10), config).held_by_cooldown) << "no higher";
  EXPECT_EQ(Outline(DecideOrDie(fever, ByHand("companion", 9999), config)), "stay rule");
  EXPECT_EQ(Outline(DecideOrDie(fever, ByHand("pattern"), config)), kFires);
  EXPECT_EQ(Outline(DecideOrDie(fever, In("sentinel"), config)), "stay rule") << "already there";

  Delivery alarm = fever;
  alarm.push_back(Reading("stress_level", 0.95));
  const Decision decision = DecideOrDie(alarm, In("pattern"), config);
  EXPECT_EQ(Outline(decision), "switch reflex stress_critical");
  EXPECT_STREQ(decision.reason, "stress_level 0.95 is above 0.85; also fever_watch");
}

TEST(RuleFindingsTest, AModeOfOnesOwn) {
  Config config = DefaultConfig();
  ASSERT_TRUE(AddMode(&config, "night_watch", 250, "Whisper.").ok());
  config =
      With(MakeRule("sleepless").When("sleep_duration", "below", 18000), "night_watch", config);
  const Decision decision =
      DecideOrDie({Reading("sleep_duration", 14400)}, In("hypothesis"), config);
  EXPECT_STREQ(decision.to_mode, "night_watch");
  EXPECT_STREQ(decision.reason, "sleepless: sleep_duration 4 h is below 5 h");
  // The rule of a built-in mode competes with its triggers: the stronger names the switch.
  const Config strict =
      With(MakeRule("strict").Weighing(0.9).When("stress_level", "above", 0.7), "reflex");
  EXPECT_STREQ(TriggerName(DecideOrDie({Reading("stress_level", 0.9)}, In("pattern"), strict)),
               "strict");
  EXPECT_STREQ(
      TriggerName(DecideOrDie(
          {Reading("stress_level", 1)}, In("pattern"),
          With(MakeRule("mild").Weighing(0.1).When("stress_level", "above", 0.7), "reflex"))),
      "stress_critical");
}

TEST(RuleFindingsTest, WhichMetricsStand) {
  const Config config = With(MakeRule("b").When("vo2_max", "below", 20), "companion", With(kFever));
  EXPECT_TRUE(CountsWhileStanding(config, "heart_rate"));
  EXPECT_TRUE(CountsWhileStanding(config, "recovery_score")) << "a low indicator";
  EXPECT_FALSE(CountsWhileStanding(config, "vo2_max")) << "alone in its rule";
  EXPECT_FALSE(CountsWhileStanding(DefaultConfig(), "heart_rate"));
}

// More conditions than there is room for factors: the strongest are told, all fire.
TEST(RuleFindingsTest, VeryManyRulesAtOnce) {
  Config config = DefaultConfig();
  for (int i = 0; i < kMaxRules; ++i) {
    MakeRule rule("r" + std::to_string(i));
    for (int j = 0; j < kMaxConditions; ++j) rule.When("heart_rate", "above", 60 + i % 30);
    ASSERT_TRUE(AddRule(&config, i == 63 ? "companion" : "sentinel", rule).ok());
  }
  const Decision decision =
      DecideOrDie({Pulse(99), Reading("vo2_max", 40).Odd()}, In("pattern"), config);
  EXPECT_STREQ(decision.to_mode, "hypothesis");
  EXPECT_EQ(decision.factor_count, 32 + 1 + 1);
  EXPECT_GT(decision.confidence, 0.5);
  const Decision rules = DecideOrDie({Pulse(99)}, In("pattern"), config);
  EXPECT_STREQ(rules.to_mode, "companion") << "the earlier mode of equal priority";
}

}  // namespace
}  // namespace auren::core::testing

// The triggers by examples: what fires, what does not, what may not even be judged.
#include <gtest/gtest.h>

#include "builders.h"
#include "core/engine.h"

namespace auren::core::testing {
namespace {

TEST(TriggerTest, HeartRate) {
  Check({
      {"above", {Reading("heart_rate", 101)}, "switch reflex heart_rate_elevated"},
      {"at rest",
       {Reading("heart_rate", 130).In(Context::kRest)},
       "switch reflex heart_rate_elevated"},
      {"at the threshold", {Reading("heart_rate", 100)}, "stay calm"},
      {"in a workout", {Reading("heart_rate", 180).In(Context::kWorkout)}, "stay calm"},
      {"active", {Reading("heart_rate", 150).In(Context::kActive)}, "stay calm"},
      {"a workout's peak", {Reading("heart_rate", 231).In(Context::kWorkout).Odd()}, "stay calm"},
      {"a day's maximum", {Reading("heart_rate", 171).As(Statistic::kMax)}, "stay calm"},
      {"a night's minimum", {Reading("heart_rate", 28).As(Statistic::kMin).Odd()}, "stay calm"},
      {"an hour's average",
       {Reading("heart_rate", 112).As(Statistic::kAvg)},
       "switch reflex heart_rate_elevated"},
      {"a single one has no z", {Reading("heart_rate", 95).With(Linear(60, 5)).ByZ()}, "stay calm"},
      {"a daily one has",
       {Reading("heart_rate", 95).As(Statistic::kDaily).With(Linear(60, 5)).ByZ()},
       "switch hypothesis anomalous_reading"},
  });
}

TEST(TriggerTest, HrvAgainstTheOwnReference) {
  const Baseline sixty = Log(60, 0.15);
  const Baseline hundred = Log(100, 0.15);
  Check({
      {"47 % below", {Reading("hrv_rmssd", 32).With(sixty)}, "switch reflex hrv_drop"},
      {"32 % below, 19 ms", {Reading("hrv_rmssd", 40.8).With(sixty)}, "switch reflex hrv_drop"},
      {"27 ms below, 27 %", {Reading("hrv_rmssd", 73).With(hundred)}, "switch reflex hrv_drop"},
      {"24 ms below, 24 %", {Reading("hrv_rmssd", 76).With(hundred)}, "stay calm"},
      {"above", {Reading("hrv_rmssd", 90).With(sixty)}, "stay calm"},
      {"sdnn alike", {Reading("hrv_sdnn", 32).With(sixty)}, "switch reflex hrv_drop"},
      {"minimum of a night",
       {Reading("hrv_rmssd", 20).As(Statistic::kSessionMin).With(sixty)},
       "stay calm"},
      {"in a workout", {Reading("hrv_sdnn", 12).In(Context::kWorkout).With(sixty)}, "stay calm"},
  });
}

TEST(TriggerTest, HrvAgainstTheDefaultWhileHistoryIsShort) {
  Check({
      {"no history, 25 ms below 60", {Reading("hrv_sdnn", 35)}, "switch reflex hrv_drop"},
      {"no history, exactly 30 % below", {Reading("hrv_sdnn", 42)}, "stay calm"},
      {"13 days do not count",
       {Reading("hrv_sdnn", 41).With(Log(45, 0.1, 13))},
       "switch reflex hrv_drop"},
      {"14 days do", {Reading("hrv_sdnn", 41).With(Log(45, 0.1, 14))}, "stay calm"},
  });

  const Decision decision = DecideOrDie({Reading("hrv_sdnn", 30).With(Log(90, 0.1, 5))});
  const Factor* factor = FindFactor(decision, Trigger::kHrvDrop, "hrv_sdnn");
  ASSERT_NE(factor, nullptr);
  EXPECT_TRUE(factor->baseline_is_default);
  EXPECT_EQ(factor->baseline, 60);
  EXPECT_EQ(factor->threshold, 42);
  EXPECT_TRUE(std::isnan(factor->z));
  EXPECT_STREQ(decision.reason,
               "hrv_sdnn 30 ms is 30 ms (50 %) below the default reference of 60 ms");

  const Decision known = DecideOrDie({Reading("hrv_sdnn", 30).With(Log(60, 0))});
  EXPECT_FALSE(known.factors[0].baseline_is_default);
  EXPECT_NEAR(decision.confidence, 0.6 * known.confidence, 1e-12);
}

TEST(TriggerTest, Stress) {
  Check({
      {"above", {Reading("stress_level", 0.86)}, "switch reflex stress_critical"},
      {"at the threshold", {Reading("stress_level", 0.85)}, "stay calm"},
      {"a day's peak", {Reading("stress_level", 0.99).As(Statistic::kMax)}, "stay calm"},
  });
}

TEST(TriggerTest, Recovery) {
  Check({
      {"recovery below", {Reading("recovery_score", 39)}, "switch guardian recovery_low"},
      {"recovery at the threshold", {Reading("recovery_score", 40)}, "stay calm"},
      {"readiness by its own band",
       {Reading("readiness_score", 59)},
       "switch guardian recovery_low"},
      {"readiness at its band", {Reading("readiness_score", 60)}, "stay calm"},
      {"a sleep score is neither", {Reading("sleep_score", 20)}, "stay calm"},
  });
}

TEST(TriggerTest, Anomalies) {
  const Baseline known = Linear(50, 4);
  Check({
      {"outside the soft range",
       {Reading("blood_glucose", 30).Odd()},
       "switch hypothesis anomalous_reading"},
      {"three deviations up",
       {Reading("vo2_max", 62).With(known).ByZ()},
       "switch hypothesis anomalous_reading"},
      {"three deviations down",
       {Reading("vo2_max", 38).With(known).ByZ()},
       "switch hypothesis anomalous_reading"},
      {"a little less", {Reading("vo2_max", 61.9).With(known).ByZ()}, "stay calm"},
      {"not judged by z", {Reading("vo2_max", 62).With(known)}, "stay calm"},
      {"too little history", {Reading("vo2_max", 62).With(Linear(50, 4, 13)).ByZ()}, "stay calm"},
      {"no spread", {Reading("vo2_max", 62).With(Linear(50, 0)).ByZ()}, "stay calm"},
  });
}

TEST(TriggerTest, WhatMayNotDecide) {
  Check({
      {"a day old to the second",
       {Reading("heart_rate", 120).Aged(86400)},
       "switch reflex heart_rate_elevated"},
      {"older", {Reading("heart_rate", 120).Aged(86401)}, "none"},
      {"from the future, within the day allowed",
       {Reading("heart_rate", 120).Aged(-3600)},
       "switch reflex heart_rate_elevated"},
      {"pending", {Reading("recovery_score", 10).Unsettled()}, "none"},
      {"late", {Reading("heart_rate", 120).Late()}, "none"},
      {"not a number", {Reading("heart_rate", kNaN)}, "none"},
      {"only what stood", {Reading("heart_rate", 120).Standing()}, "none"},
      {"nothing", {}, "none"},
      {"a late one beside a good one",
       {Reading("heart_rate", 120).Late(), Reading("heart_rate", 70)},
       "stay calm"},
      {"standing ones fire nothing by themselves",
       {Reading("stress_level", 0.99).Standing(), Reading("recovery_score", 10).Standing(),
        Reading("vo2_max", 4).Odd().Standing(), Reading("step_count", 100)},
       "stay calm"},
  });
}

TEST(TriggerTest, NothingToJudgeKeepsTheCalmCount) {
  CurrentMode current = In("reflex");
  current.calm = 1;
  const Decision decision =
      DecideOrDie({Reading("heart_rate", 60).Aged(1e6), Reading("heart_rate", 60).Unsettled(),
                   Reading("heart_rate", 60).Late(), Reading("heart_rate", 60).Late()},
                  current);
  EXPECT_EQ(decision.outcome, Outcome::kNone);
  EXPECT_EQ(decision.calm, 1);
  EXPECT_STREQ(decision.reason,
               "no reading that may decide: 1 too old, 1 pending or calibrating, 2 late");
}

}  // namespace
}  // namespace auren::core::testing

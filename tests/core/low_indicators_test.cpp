// Low indicators: the limit of each, how they count together, what stood before.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "builders.h"
#include "core/engine.h"

namespace auren::core::testing {
namespace {

// Which side of its limit a reading is on shows in company: with one other low indicator it fires.
bool IsLow(const Observation& reading) {
  const Reading other = reading.metric == "sleep_duration" ? Reading("oxygen_saturation", 90)
                                                           : Reading("sleep_duration", 4 * 3600);
  const Decision decision = DecideOrDie({reading, other});
  const Factor* factor = FindFactor(decision, Trigger::kLowIndicators, reading.metric);
  return factor != nullptr && factor->fired;
}

TEST(LowIndicatorsTest, Limits) {
  const Baseline narrow = Linear(55, 2);  // 1.5 sd = 3: the 5 /min decide
  const Baseline wide = Linear(55, 6);    // 1.5 sd = 9
  const Baseline skin = Linear(34, 0.1);
  const Baseline varying_skin = Linear(34, 0.5);
  const Baseline breath = Linear(14, 1);
  struct Case {
    Reading reading;
    bool low;
  };
  const Case cases[] = {
      {Reading("recovery_score", 39.9), true},
      {Reading("recovery_score", 40), false},
      {Reading("readiness_score", 59), true},
      {Reading("readiness_score", 60), false},
      {Reading("resting_heart_rate", 60).With(narrow), true},
      {Reading("resting_heart_rate", 59.9).With(narrow), false},
      {Reading("resting_heart_rate", 64).With(wide), true},
      {Reading("resting_heart_rate", 63.9).With(wide), false},
      {Reading("resting_heart_rate", 75), true},
      {Reading("resting_heart_rate", 74.9), false},
      {Reading("resting_heart_rate", 75).As(Statistic::kMin), false},
      {Reading("skin_temperature_deviation", 0.5), true},
      {Reading("skin_temperature_deviation", 0.49), false},
      {Reading("body_temperature", 37.8), true},
      {Reading("body_temperature", 37.79), false},
      {Reading("body_temperature", 38.4).In(Context::kWorkout), false},
      {Reading("skin_temperature", 34.5).With(skin), true},
      {Reading("skin_temperature", 34.4).With(skin), false},
      {Reading("sleeping_wrist_temperature", 35).With(varying_skin), true},
      {Reading("sleeping_wrist_temperature", 34.9).With(varying_skin), false},
      {Reading("sleeping_wrist_temperature", 37).With(Linear(34, 0.1, 13)), false},
      {Reading("respiratory_rate", 16).With(breath), true},
      {Reading("respiratory_rate", 15.9).With(breath), false},
      {Reading("respiratory_rate", 25).With(Linear(14, 1, 13)), false},
      {Reading("respiratory_rate", 25).With(Linear(14, 0)), false},
      {Reading("respiratory_rate", 25).With(breath).In(Context::kActive), false},
      {Reading("oxygen_saturation", 91.9), true},
      {Reading("oxygen_saturation", 92), false},
      {Reading("oxygen_saturation", 80).As(Statistic::kMin), false},
      {Reading("sleep_duration", 17999).As(Statistic::kSession), true},
      {Reading("sleep_duration", 17999).As(Statistic::kSessionSum), true},
      {Reading("sleep_duration", 18000).As(Statistic::kSum), false},
      {Reading("step_count", 3), false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(IsLow(c.reading), c.low) << c.reading.metric << " " << c.reading.value;
  }
}

TEST(LowIndicatorsTest, TwoKindsMakeGuardian) {
  const Decision decision =
      DecideOrDie({Reading("sleep_duration", 4.2 * 3600).As(Statistic::kSession),
                   Reading("skin_temperature_deviation", 0.8),
                   Reading("resting_heart_rate", 68).With(Linear(58, 2))});
  EXPECT_EQ(Outline(decision), "switch guardian low_indicators");
  EXPECT_STREQ(decision.reason,
               "3 low indicators: resting_heart_rate 68 /min, skin_temperature_deviation 0.8 Cel, "
               "sleep_duration 4.2 h");
  ASSERT_EQ(decision.factor_count, 3);
  EXPECT_STREQ(decision.factors[0].indicator, "resting_heart_rate");
  EXPECT_EQ(decision.factors[0].baseline, 58);
  EXPECT_EQ(decision.factors[0].threshold, 63);
  EXPECT_NEAR(decision.factors[0].contribution, 0.6, 1e-12);
  EXPECT_STREQ(decision.factors[1].indicator, "temperature");
  EXPECT_NEAR(decision.factors[1].contribution, 0.48, 1e-12);
  EXPECT_STREQ(decision.factors[2].indicator, "sleep");
  EXPECT_NEAR(decision.factors[2].contribution, 0.348, 1e-12);
  EXPECT_NEAR(decision.confidence, 1 - 0.4 * 0.52 * 0.652, 1e-12);
}

TEST(LowIndicatorsTest, OneKindCountsOnce) {
  const Decision decision =
      DecideOrDie({Reading("skin_temperature_deviation", 0.6), Reading("body_temperature", 38.2)});
  EXPECT_EQ(Outline(decision), "stay calm");
  ASSERT_EQ(decision.factor_count, 1);
  EXPECT_STREQ(decision.factors[0].metric, "body_temperature") << "the stronger of the two";
  EXPECT_FALSE(decision.factors[0].fired);
  EXPECT_TRUE(decision.factors[0].borderline) << "one short of firing";
  EXPECT_EQ(decision.factors[0].contribution, 0);
}

TEST(LowIndicatorsTest, RecoveryIsBothATriggerAndAnIndicator) {
  const Decision decision =
      DecideOrDie({Reading("recovery_score", 30), Reading("oxygen_saturation", 91)});
  EXPECT_EQ(Outline(decision), "switch guardian recovery_low");
  const Factor* alarm = FindFactor(decision, Trigger::kRecoveryLow, "recovery_score");
  const Factor* sign = FindFactor(decision, Trigger::kLowIndicators, "recovery_score");
  const Factor* oxygen = FindFactor(decision, Trigger::kLowIndicators, "oxygen_saturation");
  ASSERT_TRUE(alarm != nullptr && sign != nullptr && oxygen != nullptr);
  EXPECT_NEAR(decision.confidence, 1 - (1 - alarm->contribution) * (1 - oxygen->contribution),
              1e-12)
      << "one metric is one piece of evidence";
}

TEST(LowIndicatorsTest, WhatStandsCountsWithWhatIsBrought) {
  const Reading slept = Reading("sleep_duration", 3 * 3600).Standing();
  const Reading warm("skin_temperature_deviation", 0.7);
  EXPECT_EQ(Outline(DecideOrDie({slept, warm})), "switch guardian low_indicators");
  EXPECT_EQ(Outline(DecideOrDie({Reading(slept).Aged(90000), warm})), "stay calm") << "too old";
  EXPECT_EQ(Outline(DecideOrDie({Reading(slept).Unsettled(), warm})), "stay calm");

  const Reading stood_warm = Reading(warm).Standing();
  const Decision bystander = DecideOrDie({slept, stood_warm, Reading("heart_rate", 60)});
  EXPECT_EQ(Outline(bystander), "stay calm") << "none of it was brought by this delivery";
  EXPECT_EQ(bystander.factor_count, 0);

  const Decision nearly = DecideOrDie({slept, stood_warm, Reading("oxygen_saturation", 92.5)});
  EXPECT_EQ(Outline(nearly), "stay calm") << "what was brought is not low";
  EXPECT_EQ(nearly.factor_count, 3);
}

TEST(LowIndicatorsTest, ANewerReadingReplacesWhatStood) {
  const Reading warm("skin_temperature_deviation", 0.7);
  const Reading slept_badly = Reading("sleep_duration", 3 * 3600).Standing().Aged(7200);
  const Reading slept_well("sleep_duration", 8 * 3600);
  EXPECT_EQ(Outline(DecideOrDie({slept_badly, slept_well, warm})), "stay calm");
  EXPECT_EQ(Outline(DecideOrDie({slept_badly, Reading(slept_well).Aged(9000), warm})),
            "switch guardian low_indicators");
  EXPECT_EQ(Outline(DecideOrDie({slept_badly, Reading(slept_well).As(Statistic::kMax), warm})),
            "switch guardian low_indicators")
      << "a maximum is not the level that stood";
}

TEST(LowIndicatorsTest, DefaultRestingHeartRateWeighsLess) {
  const Reading slept("sleep_duration", 3 * 3600);
  const Decision known =
      DecideOrDie({Reading("resting_heart_rate", 76).With(Linear(70, 1)), slept});
  const Decision unknown = DecideOrDie({Reading("resting_heart_rate", 76), slept});
  const Factor* with = FindFactor(known, Trigger::kLowIndicators, "resting_heart_rate");
  const Factor* without = FindFactor(unknown, Trigger::kLowIndicators, "resting_heart_rate");
  ASSERT_TRUE(with != nullptr && without != nullptr);
  EXPECT_FALSE(with->baseline_is_default);
  EXPECT_TRUE(without->baseline_is_default);
  EXPECT_EQ(without->baseline, 70);
  EXPECT_NEAR(without->contribution, 0.6 * with->contribution, 1e-12);
  EXPECT_LT(unknown.confidence, known.confidence);
}

TEST(LowIndicatorsTest, ASingleNearMissIsNotWorthTelling) {
  EXPECT_EQ(DecideOrDie({Reading("oxygen_saturation", 92.5)}).factor_count, 0);
  EXPECT_EQ(DecideOrDie({Reading("oxygen_saturation", 92.5), Reading("sleep_duration", 18100)})
                .factor_count,
            2);
}

}  // namespace
}  // namespace auren::core::testing

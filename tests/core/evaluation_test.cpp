// What stands between a delivery's readings and the engine.
#include "core/evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "builders.h"
#include "core/explanation.h"
#include "core/text.h"

namespace auren::core {
namespace {

using testing::kNaN;
using testing::kNow;
using testing::kSecond;

TEST(EvaluationTest, ValueOfDayIsTheMean) {
  double linear[] = {60, 70, 65};
  EXPECT_DOUBLE_EQ(ValueOfDay(linear, 3, Scale::kLinear), 65);
  double log[] = {20, 80};
  EXPECT_NEAR(ValueOfDay(log, 2, Scale::kLog), 40, 1e-12);
}

TEST(EvaluationTest, ValueOfDayDoesNotDependOnTheOrder) {
  const std::vector<double> values = {61.1, 0.3, 77.7, 1e6, 48.2, 1e-3};
  std::vector<double> order = values;
  std::sort(order.begin(), order.end());
  std::vector<double> first = values;
  const double expected = ValueOfDay(first.data(), 6, Scale::kLog);
  do {
    std::vector<double> again = order;
    ASSERT_EQ(ValueOfDay(again.data(), 6, Scale::kLog), expected);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(EvaluationTest, BaselineIsOfTheSixtyDaysBefore) {
  std::vector<DailyValue> days;
  for (int day = 0; day < 100; ++day) days.push_back({static_cast<double>(day), day, 1});
  DayBaseline baseline;
  ASSERT_TRUE(BaselineOfDay(days.data(), 100, 80, 1000, Scale::kLinear, &baseline).ok());
  EXPECT_EQ(baseline.baseline.days, 60);
  EXPECT_DOUBLE_EQ(baseline.baseline.mean, (20 + 79) / 2.0);
  EXPECT_TRUE(baseline.one_a_day);

  // Nothing of a day that has not been worked out.
  ASSERT_TRUE(BaselineOfDay(days.data(), 100, 80, 75, Scale::kLinear, &baseline).ok());
  EXPECT_EQ(baseline.baseline.days, 55);
  EXPECT_DOUBLE_EQ(baseline.baseline.mean, (20 + 74) / 2.0);
}

TEST(EvaluationTest, NoDayNoBaseline) {
  const DailyValue day = {60, 80, 1};
  DayBaseline baseline;
  ASSERT_TRUE(BaselineOfDay(&day, 1, 80, 1000, Scale::kLog, &baseline).ok());
  EXPECT_EQ(baseline.baseline.days, 0);
  EXPECT_FALSE(baseline.one_a_day);
}

TEST(EvaluationTest, ManyReadingsADayAreNotSingleOnes) {
  const DailyValue days[] = {{60, 1, 1}, {61, 2, 3}};
  DayBaseline baseline;
  ASSERT_TRUE(BaselineOfDay(days, 2, 3, 3, Scale::kLinear, &baseline).ok());
  EXPECT_FALSE(baseline.one_a_day);
}

TEST(EvaluationTest, AgeCountsFromWhenTheDeliveryWasReceived) {
  Config config = DefaultConfig();
  config.thresholds.max_reading_age_seconds = 600;
  EXPECT_EQ(OldestThatDecides(config, kNow), kNow - 600 * kSecond);
}

TEST(EvaluationTest, OfVeryManyReadingsTheNewestAreJudged) {
  Config config = DefaultConfig();
  config.thresholds.max_recent_readings = 100;
  std::vector<std::int64_t> ends;
  for (int i = 0; i < 250; ++i) ends.push_back((i * 37) % 250);
  EXPECT_EQ(CutOff(config, ends.data(), 250, -5), 150);
  EXPECT_EQ(CutOff(config, ends.data(), 100, -5), -5);
}

TEST(EvaluationTest, AnAnomalyNeedsHistoryAndALikeBaseline) {
  const Config config = DefaultConfig();
  Observation observation;
  observation.metric = "respiratory_rate";
  observation.value = 20;
  EXPECT_TRUE(HoldAgainst(config, testing::Linear(15, 1), true, &observation));
  EXPECT_EQ(observation.baseline.days, testing::kHistory);
  EXPECT_FALSE(HoldAgainst(config, testing::Linear(15, 1), false, &observation));
  EXPECT_FALSE(HoldAgainst(config, testing::Linear(15, 1, 5), true, &observation));
  EXPECT_FALSE(HoldAgainst(config, testing::Linear(15, 2), true, &observation));
}

TEST(EvaluationTest, OnlyANewIndicatorAsksForWhatStands) {
  const Config config = DefaultConfig();
  Observation observation;
  observation.metric = "oxygen_saturation";
  EXPECT_TRUE(BringsAPart(config, &observation, 1));
  observation.standing = true;
  EXPECT_FALSE(BringsAPart(config, &observation, 1));
  observation.standing = false;
  observation.late = true;
  EXPECT_FALSE(BringsAPart(config, &observation, 1));
  observation.late = false;
  observation.metric = "heart_rate";
  EXPECT_FALSE(BringsAPart(config, &observation, 1));
  EXPECT_FALSE(BringsAPart(config, nullptr, 0));
}

TEST(EvaluationTest, WhatCountsForADay) {
  EXPECT_TRUE(CountsForDay("heart_rate", Statistic::kInstant, Context::kRest));
  EXPECT_FALSE(CountsForDay("heart_rate", Statistic::kMax, Context::kRest));
  EXPECT_FALSE(CountsForDay("heart_rate", Statistic::kInstant, Context::kWorkout));
  EXPECT_TRUE(CountsForDay("oxygen_saturation", Statistic::kInstant, Context::kWorkout));
  EXPECT_TRUE(CountsForDay("hrv_rmssd", Statistic::kSessionMin, Context::kSleep));
}

Factor Drop() {
  Factor factor = {};
  factor.trigger = Trigger::kHrvDrop;
  CopyText(factor.metric, "hrv_rmssd");
  factor.value = 32;
  factor.baseline = 60.4;
  factor.threshold = 42.3;
  factor.z = kNaN;
  factor.contribution = 0.6;
  factor.fired = true;
  return factor;
}

std::string Describe(const Factor& factor, int days, double share) {
  char sentence[kMaxExplanation];
  DescribeFactor(factor, days, share, sentence);
  return sentence;
}

TEST(ExplanationTest, SaysWhatAFactorWasHeldAgainst) {
  Factor factor = Drop();
  EXPECT_EQ(Describe(factor, 20, 0.5),
            "hrv_rmssd 32 ms is 28.4 ms (47 %) below the 20-day reference of 60.4 ms; the "
            "threshold is 42.3 ms: hrv_drop fired, with 50 % of the evidence");
  factor.fired = false;
  factor.baseline_is_default = true;
  EXPECT_EQ(Describe(factor, 3, 0),
            "hrv_rmssd 32 ms is 28.4 ms (47 %) below the default reference of 60.4 ms; the "
            "threshold is 42.3 ms: hrv_drop nearly fired");
}

TEST(ExplanationTest, SaysSoWithoutAReference) {
  Factor factor = Drop();
  factor.trigger = Trigger::kHeartRateElevated;
  CopyText(factor.metric, "heart_rate");
  factor.value = 101;
  factor.baseline = kNaN;
  factor.threshold = 100;
  factor.borderline = true;
  EXPECT_EQ(Describe(factor, 0, 1),
            "heart_rate 101 /min is 1 /min above the threshold of 100 /min: heart_rate_elevated "
            "fired by a hair, with 100 % of the evidence");
  factor.trigger = Trigger::kAnomalousReading;
  factor.threshold = kNaN;
  EXPECT_EQ(Describe(factor, 0, 1),
            "heart_rate 101 /min is outside its expected range: anomalous_reading fired by a hair, "
            "with 100 % of the evidence");
}

TEST(ExplanationTest, SharesAddUp) {
  Decision decision;
  decision.factors[0] = decision.factors[1] = Drop();
  decision.factors[1].contribution = 0.2;
  decision.factor_count = 2;
  EXPECT_DOUBLE_EQ(ShareOf(decision, decision.factors[0]), 0.75);
  EXPECT_DOUBLE_EQ(ShareOf(decision, decision.factors[1]), 0.25);
  decision.factors[0].contribution = decision.factors[1].contribution = 0;
  EXPECT_EQ(ShareOf(decision, decision.factors[0]), 0);
}

}  // namespace
}  // namespace auren::core

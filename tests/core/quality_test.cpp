#include "core/quality.h"

#include <gtest/gtest.h>

#include <cmath>

namespace auren::core {
namespace {

constexpr Range kHeartRate = {20, 260, 30, 220};

TEST(QualityTest, RangeIncludesItsLimits) {
  EXPECT_EQ(CheckRange(kHeartRate, 30), RangeVerdict::kInside);
  EXPECT_EQ(CheckRange(kHeartRate, 220), RangeVerdict::kInside);
  EXPECT_EQ(CheckRange(kHeartRate, 29.9), RangeVerdict::kSoftLow);
  EXPECT_EQ(CheckRange(kHeartRate, 220.1), RangeVerdict::kSoftHigh);
  EXPECT_EQ(CheckRange(kHeartRate, 20), RangeVerdict::kSoftLow);
  EXPECT_EQ(CheckRange(kHeartRate, 260), RangeVerdict::kSoftHigh);
  EXPECT_EQ(CheckRange(kHeartRate, 19.9), RangeVerdict::kHardLow);
  EXPECT_EQ(CheckRange(kHeartRate, 260.1), RangeVerdict::kHardHigh);
}

TEST(QualityTest, MissingLimitsHoldNothingBack) {
  const double none = std::nan("");
  EXPECT_EQ(CheckRange({none, none, none, none}, -1e300), RangeVerdict::kInside);
  EXPECT_EQ(CheckRange({0, none, none, none}, -1), RangeVerdict::kHardLow);
  EXPECT_EQ(CheckRange({none, none, none, 5}, 6), RangeVerdict::kSoftHigh);
}

TEST(QualityTest, WhatIsNoNumberIsNotInAnyRange) {
  EXPECT_EQ(CheckRange(kHeartRate, std::nan("")), RangeVerdict::kNotFinite);
  EXPECT_EQ(CheckRange(kHeartRate, HUGE_VAL), RangeVerdict::kNotFinite);
  EXPECT_EQ(CheckRange(kHeartRate, -HUGE_VAL), RangeVerdict::kNotFinite);
}

TEST(QualityTest, ScoreFallsByAFifthForEachAnomaly) {
  EXPECT_EQ(QualityScore(0), 1);
  EXPECT_DOUBLE_EQ(QualityScore(1), 0.8);
  EXPECT_DOUBLE_EQ(QualityScore(3), 0.512);
  EXPECT_GT(QualityScore(1000), 0 - 1e-9);
  EXPECT_EQ(QualityScore(-1), 1);
}

}  // namespace
}  // namespace auren::core

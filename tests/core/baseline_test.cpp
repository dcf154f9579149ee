// The baseline against the known answers of tests/data/wearables/hrv_baseline_vectors.json, which
// were computed independently (Python's statistics module).
#include "core/baseline.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

namespace auren::core {
namespace {

constexpr double kTolerance = 1e-4;

nlohmann::json LoadVectors() {
  std::ifstream file(AUREN_TEST_DATA "/wearables/hrv_baseline_vectors.json");
  return nlohmann::json::parse(file);
}

Baseline Compute(const std::vector<double>& values, Scale scale) {
  Baseline baseline;
  const Status status =
      ComputeBaseline(values.data(), static_cast<int>(values.size()), scale, &baseline);
  EXPECT_TRUE(status.ok()) << status.message;
  return baseline;
}

TEST(BaselineTest, KnownAnswers) {
  const auto vectors = LoadVectors();
  const auto nights = vectors.at("nights").get<std::vector<double>>();
  ASSERT_EQ(vectors.at("rows").size(), 20u);
  for (const auto& row : vectors.at("rows")) {
    const int night = row.at("night");
    SCOPED_TRACE(night);
    EXPECT_EQ(row.size(), 20u) << "a column that nothing below compares";
    const auto expected = [&](const char* column) { return row.at(column).get<double>(); };
    const double today = nights.at(night);
    const std::vector<double> before(nights.begin(), nights.begin() + night);
    const std::vector<double> with_today(nights.begin(), nights.begin() + night + 1);
    const Baseline baseline = Compute(before, Scale::kLog);
    const Baseline up_to_today = Compute(with_today, Scale::kLog);
    const Deviation deviation = Deviate(baseline, today);

    EXPECT_DOUBLE_EQ(today, expected("rmssd"));
    EXPECT_NEAR(std::log(today), expected("ln"), kTolerance);
    EXPECT_EQ(baseline.days, row.at("ref_n").get<int>());
    EXPECT_NEAR(baseline.mean, expected("ref_mean"), kTolerance);
    EXPECT_NEAR(baseline.sd, expected("ref_sd"), kTolerance);
    EXPECT_NEAR(std::log(baseline.At(-0.5)), expected("swc_low"), kTolerance);
    EXPECT_NEAR(std::log(baseline.At(-1)), expected("low_1sd"), kTolerance);
    EXPECT_NEAR(deviation.z, expected("z"), kTolerance);
    EXPECT_NEAR(baseline.median, expected("median"), kTolerance);
    EXPECT_NEAR(baseline.mad, expected("mad"), kTolerance);
    EXPECT_NEAR(deviation.robust_z, expected("robust_z"), kTolerance);
    EXPECT_NEAR(up_to_today.short_mean, expected("roll7_incl_today"), kTolerance);
    EXPECT_NEAR(up_to_today.ewma, expected("ewma7"), kTolerance);
    EXPECT_NEAR(baseline.ShortReference(), expected("baseline7_ms"), kTolerance);
    EXPECT_NEAR(deviation.short_drop, expected("drop_ms"), kTolerance);
    EXPECT_NEAR(deviation.short_drop_percent, expected("drop_pct"), kTolerance);

    const double worthwhile = baseline.At(-0.5);
    EXPECT_EQ(today < worthwhile, row.at("below_swc_today").get<bool>());
    EXPECT_EQ(up_to_today.ShortReference() < worthwhile, row.at("below_swc_7d").get<bool>());
    EXPECT_EQ(deviation.short_drop > 25 || deviation.short_drop_percent > 30,
              row.at("seed_reflex").get<bool>());
  }
}

TEST(BaselineTest, LinearStatistics) {
  const Baseline baseline = Compute({50, 52, 54, 56, 58}, Scale::kLinear);
  EXPECT_EQ(baseline.days, 5);
  EXPECT_EQ(baseline.short_days, 5);
  EXPECT_DOUBLE_EQ(baseline.mean, 54);
  EXPECT_DOUBLE_EQ(baseline.Reference(), 54);
  EXPECT_DOUBLE_EQ(baseline.sd, std::sqrt(10.0));
  EXPECT_DOUBLE_EQ(baseline.median, 54);
  EXPECT_DOUBLE_EQ(baseline.mad, 2);
  EXPECT_DOUBLE_EQ(baseline.At(2), 54 + 2 * std::sqrt(10.0));

  const Deviation deviation = Deviate(baseline, 48.6);
  EXPECT_NEAR(deviation.drop, 5.4, 1e-12);
  EXPECT_NEAR(deviation.drop_percent, 10, 1e-12);
  EXPECT_NEAR(deviation.z, -5.4 / std::sqrt(10.0), 1e-12);
  EXPECT_NEAR(deviation.robust_z, -5.4 / (1.4826 * 2), 1e-12);
}

TEST(BaselineTest, EvenCountTakesTheMiddleOfTwo) {
  EXPECT_DOUBLE_EQ(Compute({4, 1, 3, 2}, Scale::kLinear).median, 2.5);
}

TEST(BaselineTest, LooksBackSixtyDaysAndSeven) {
  std::vector<double> values(40, 1000);  // long ago, must not count
  values.insert(values.end(), 53, 50);
  values.insert(values.end(), 7, 57);
  const Baseline baseline = Compute(values, Scale::kLinear);
  EXPECT_EQ(baseline.days, kLongWindowDays);
  EXPECT_EQ(baseline.short_days, kShortWindowDays);
  EXPECT_NEAR(baseline.mean, (53 * 50 + 7 * 57) / 60.0, 1e-9);
  EXPECT_DOUBLE_EQ(baseline.short_mean, 57);
}

TEST(BaselineTest, EmptyAndSingleHaveNoSpread) {
  const Baseline empty = Compute({}, Scale::kLog);
  EXPECT_EQ(empty.days, 0);
  EXPECT_EQ(empty.scale, Scale::kLog);
  const Deviation nothing = Deviate(empty, 40);
  EXPECT_EQ(nothing.z, 0);
  EXPECT_EQ(nothing.drop, 0);

  const Baseline one = Compute({60}, Scale::kLog);
  EXPECT_EQ(one.sd, 0);
  EXPECT_EQ(one.mad, 0);
  EXPECT_NEAR(one.Reference(), 60, 1e-9);
  const Deviation deviation = Deviate(one, 45);
  EXPECT_EQ(deviation.z, 0);
  EXPECT_EQ(deviation.robust_z, 0);
  EXPECT_NEAR(deviation.drop, 15, 1e-9);
  EXPECT_NEAR(deviation.drop_percent, 25, 1e-9);
}

TEST(BaselineTest, ReferenceOfZeroGivesNoPercentage) {
  const Deviation deviation = Deviate(Compute({-1, 1}, Scale::kLinear), 0.5);
  EXPECT_EQ(deviation.drop_percent, 0);
  EXPECT_EQ(deviation.drop, -0.5);
}

TEST(BaselineTest, ValueWithoutLogarithmHasNoZ) {
  const Deviation deviation = Deviate(Compute({50, 60, 70}, Scale::kLog), 0);
  EXPECT_EQ(deviation.z, 0);
  EXPECT_EQ(deviation.robust_z, 0);
  EXPECT_NEAR(deviation.drop_percent, 100, 1e-9);
}

TEST(BaselineTest, RefusesWhatItCannotAverage) {
  Baseline baseline;
  const double zero[] = {50, 0};
  Status status = ComputeBaseline(zero, 2, Scale::kLog, &baseline);
  EXPECT_EQ(status.code, Code::kInvalid);
  EXPECT_STREQ(status.message, "daily value 2 of the baseline is 0, which has no logarithm");
  EXPECT_TRUE(ComputeBaseline(zero, 2, Scale::kLinear, &baseline).ok());

  for (double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    status = ComputeBaseline(&bad, 1, Scale::kLinear, &baseline);
    EXPECT_EQ(status.code, Code::kInvalid);
    EXPECT_STREQ(status.message, "daily value 1 of the baseline is not a finite number");
    EXPECT_STREQ(status.hint, "Leave out days without a value.");
  }
}

}  // namespace
}  // namespace auren::core

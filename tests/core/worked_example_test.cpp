// The example of docs/mode-engine.md: one person's bad night, from the known answers' nights. What
// the page says is what this test sees; change both together.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "builders.h"
#include "core/engine.h"

namespace auren::core::testing {
namespace {

constexpr int kBadNight = 72;

std::vector<double> Nights() {
  std::ifstream file(AUREN_TEST_DATA "/wearables/hrv_baseline_vectors.json");
  return nlohmann::json::parse(file).at("nights").get<std::vector<double>>();
}

TEST(WorkedExampleTest, OneBadNight) {
  const std::vector<double> nights = Nights();
  Baseline hrv;
  ASSERT_TRUE(ComputeBaseline(nights.data(), kBadNight, Scale::kLog, &hrv).ok());
  EXPECT_NEAR(hrv.Reference(), 58.35, 0.005);
  EXPECT_NEAR(hrv.sd, 0.1312, 0.00005);

  // Morning: the night's HRV, resting heart rate and sleep.
  const Decision morning =
      DecideOrDie({Reading("hrv_rmssd", nights[kBadNight]).As(Statistic::kSessionAvg).With(hrv),
                   Reading("resting_heart_rate", 66).As(Statistic::kDaily).With(Linear(58, 2, 60)),
                   Reading("sleep_duration", 4.2 * 3600).As(Statistic::kSession)},
                  Since("pattern", 3 * 86400));
  EXPECT_EQ(Outline(morning), "switch reflex hrv_drop");
  EXPECT_STREQ(morning.reason,
               "hrv_rmssd 30.2 ms is 28.2 ms (48 %) below the 60-day reference of 58.4 ms; also "
               "low_indicators");
  EXPECT_NEAR(morning.confidence, 0.983, 0.0005);
  EXPECT_FALSE(morning.borderline);
  ASSERT_EQ(morning.factor_count, 3);
  const Factor& drop = morning.factors[0];
  EXPECT_NEAR(drop.baseline, 58.35, 0.005);
  EXPECT_NEAR(drop.threshold, 40.85, 0.005);
  EXPECT_NEAR(drop.z, -5.02, 0.005);
  EXPECT_NEAR(drop.contribution, 0.95, 0.0005);
  EXPECT_STREQ(morning.factors[1].indicator, "resting_heart_rate");
  EXPECT_EQ(morning.factors[1].threshold, 63);
  EXPECT_NEAR(morning.factors[1].contribution, 0.48, 0.0005);
  EXPECT_STREQ(morning.factors[2].indicator, "sleep");
  EXPECT_NEAR(morning.factors[2].contribution, 0.348, 0.0005);

  // Two minutes later a low recovery: a lower mode, so the cooldown holds reflex.
  const Decision held = DecideOrDie({Reading("recovery_score", 31)}, Since("reflex", 120));
  EXPECT_EQ(Outline(held), "stay recovery_low");
  EXPECT_TRUE(held.held_by_cooldown);
  EXPECT_STREQ(held.reason,
               "recovery_score 31 % is below 40 %; held by the cooldown for another 180 s");

  // After the cooldown two quiet deliveries lead back.
  CurrentMode reflex = Since("reflex", 600);
  const Delivery quiet = {Reading("heart_rate", 64)};
  const Decision first = DecideOrDie(quiet, reflex);
  EXPECT_EQ(first.outcome, Outcome::kStay);
  EXPECT_STREQ(first.reason, "no trigger in 1 of 2 evaluations");
  reflex.calm = first.calm;
  const Decision second = DecideOrDie(quiet, reflex);
  EXPECT_EQ(Outline(second), "switch pattern calm");
  EXPECT_DOUBLE_EQ(second.confidence, 0.75);
}

}  // namespace
}  // namespace auren::core::testing

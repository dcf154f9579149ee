#include <gtest/gtest.h>

#include <string>

#include "core/engine.h"

namespace auren::core {
namespace {

TEST(NamesTest, ContextsThereAndBack) {
  const char* names[] = {"rest", "sleep", "sedentary", "active", "workout", "wake", "unknown"};
  int expected = static_cast<int>(Context::kRest);
  for (const char* name : names) {
    Context context = Context::kNone;
    ASSERT_TRUE(ParseContext(name, &context)) << name;
    EXPECT_EQ(static_cast<int>(context), expected++);
    EXPECT_STREQ(Name(context), name);
  }
  Context context = Context::kSleep;
  for (const char* bad : {"", "Rest", "gym"}) EXPECT_FALSE(ParseContext(bad, &context)) << bad;
  EXPECT_EQ(context, Context::kSleep);
  EXPECT_STREQ(Name(Context::kNone), "");
}

TEST(NamesTest, StatisticsThereAndBack) {
  const char* names[] = {"instant",     "avg",         "min",        "max",
                         "sum",         "interval",    "daily",      "session",
                         "session_avg", "session_sum", "session_min"};
  int expected = 0;
  for (const char* name : names) {
    Statistic statistic = Statistic::kMax;
    ASSERT_TRUE(ParseStatistic(name, &statistic)) << name;
    EXPECT_EQ(static_cast<int>(statistic), expected++);
    EXPECT_STREQ(Name(statistic), name);
  }
  Statistic statistic = Statistic::kAvg;
  for (const char* bad : {"", "mean", "AVG"}) {
    EXPECT_FALSE(ParseStatistic(bad, &statistic)) << bad;
  }
  EXPECT_EQ(statistic, Statistic::kAvg);
}

TEST(NamesTest, Triggers) {
  EXPECT_STREQ(Name(Trigger::kHrvDrop), "hrv_drop");
  EXPECT_STREQ(Name(Trigger::kHeartRateElevated), "heart_rate_elevated");
  EXPECT_STREQ(Name(Trigger::kStressCritical), "stress_critical");
  EXPECT_STREQ(Name(Trigger::kRecoveryLow), "recovery_low");
  EXPECT_STREQ(Name(Trigger::kLowIndicators), "low_indicators");
  EXPECT_STREQ(Name(Trigger::kAnomalousReading), "anomalous_reading");
  EXPECT_STREQ(Name(Trigger::kCalm), "calm");
}

}  // namespace
}  // namespace auren::core

// Generated deliveries, modes and rules for the property tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>

#include "builders.h"
#include "core/engine.h"
#include "rule_builder.h"

namespace auren::core::testing {

// Deliveries rich in near misses, ties and mixtures: values come from small grids around the
// limits.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  int Below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  bool Chance(int percent) { return Below(100) < percent; }

  template <typename T>
  T OneOf(std::initializer_list<T> choices) {
    return *(choices.begin() + Below(static_cast<int>(choices.size())));
  }

  Observation Observe() {
    struct Metric {
      const char* name;
      double low, step;
      bool log;
    };
    static constexpr Metric kMetrics[] = {
        {"heart_rate", 60, 8, false},
        {"hrv_rmssd", 10, 6, true},
        {"hrv_sdnn", 10, 6, true},
        {"stress_level", 0.6, 0.05, false},
        {"recovery_score", 10, 8, false},
        {"readiness_score", 40, 4, false},
        {"resting_heart_rate", 50, 4, false},
        {"skin_temperature_deviation", -0.3, 0.2, false},
        {"body_temperature", 36.4, 0.2, false},
        {"skin_temperature", 33, 0.25, false},
        {"respiratory_rate", 12, 1, false},
        {"oxygen_saturation", 86, 1.5, false},
        {"sleep_duration", 9000, 1800, false},
        {"vo2_max", 30, 5, false},
        {"step_count", 0, 1000, false},
    };
    const Metric& metric = kMetrics[Below(static_cast<int>(std::size(kMetrics)))];
    Reading reading(metric.name, metric.low + metric.step * Below(12));
    reading.Aged(60.0 * Below(4));
    if (Chance(5)) reading.Aged(90000);
    if (Chance(20)) {
      reading.In(OneOf({Context::kRest, Context::kActive, Context::kWorkout, Context::kSleep}));
    }
    if (Chance(15)) {
      reading.As(OneOf({Statistic::kMin, Statistic::kMax, Statistic::kDaily, Statistic::kSum}));
    }
    if (Chance(5)) reading.Odd();
    if (Chance(5)) reading.Unsettled();
    if (Chance(5)) reading.Late();
    if (Chance(25)) reading.Standing();
    if (Chance(50)) reading.ByZ();
    if (Chance(70)) {
      const double middle = metric.low + metric.step * 5;
      const int days = OneOf({3, 13, 14, 60});
      const double spread = OneOf({0.0, 0.1, 0.3});
      reading.With(metric.log ? Log(middle, spread, days)
                              : Linear(middle, spread * metric.step * 5, days));
    }
    return reading;
  }

  Delivery Deliver() {
    Delivery delivery;
    for (int i = 1 + Below(8); i > 0; --i) delivery.push_back(Observe());
    return delivery;
  }

  CurrentMode Mode() {
    CurrentMode current =
        Since(OneOf({"reflex", "guardian", "hypothesis", "companion", "pattern", "baseline"}),
              OneOf({0, 100, 299, 300, 301, 5000}));
    current.by_hand = Chance(20);
    current.ever_switched = Chance(80);
    current.calm = Below(3);
    return current;
  }

  // The built-in configuration with a mode of one's own and a few rules, for modes from reflex down
  // to that. Each condition fires when its metric is bad, so that Worsen is never better for it.
  Config Configure() {
    Config config = DefaultConfig();
    EXPECT_TRUE(AddMode(&config, "night_watch", OneOf({120, 150, 250, 500}), "").ok());
    const int rules = 1 + Below(6);
    for (int i = 0; i < rules; ++i) {
      MakeRule rule("r" + std::to_string(i));
      rule.Weighing(OneOf({0.01, 0.3, 0.5, 1.0}));
      const int conditions = 1 + Below(3);
      for (int j = 0; j < conditions; ++j) AddCondition(&rule);
      const char* mode = OneOf({"reflex", "guardian", "companion", "sentinel", "night_watch"});
      EXPECT_TRUE(AddRule(&config, mode, rule).ok());
    }
    EXPECT_TRUE(Validate(config).ok());
    return config;
  }

  void Shuffle(Delivery* delivery) { std::shuffle(delivery->begin(), delivery->end(), random_); }

 private:
  void AddCondition(MakeRule* rule) {
    struct Choice {
      const char *metric, *comparison;
      double number;
    };
    static constexpr Choice kChoices[] = {
        {"heart_rate", "above", 92},           {"heart_rate", "at_least", 84},
        {"heart_rate", "rise_percent", 10},    {"hrv_rmssd", "drop_percent", 25},
        {"hrv_sdnn", "at_most", 40},           {"hrv_rmssd", "z_below", -1},
        {"stress_level", "at_least", 0.75},    {"sleep_duration", "below", 18000},
        {"oxygen_saturation", "at_most", 92},  {"respiratory_rate", "z_above", 1},
        {"skin_temperature", "above", 34},     {"skin_temperature_deviation", "above", 0.5},
        {"recovery_score", "below", 50},       {"vo2_max", "outside_soft_range", 0},
        {"body_temperature", "at_least", 37.2}};
    const Choice& choice = kChoices[Below(static_cast<int>(std::size(kChoices)))];
    if (Chance(25)) {
      rule->When(choice.metric, choice.comparison, choice.number, {"rest", "sleep"});
    } else {
      rule->When(choice.metric, choice.comparison, choice.number);
    }
  }

  std::mt19937 random_;
};

inline bool SameNumber(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

// Alike in all that is told.
inline ::testing::AssertionResult Same(const Decision& a, const Decision& b) {
  const auto differs = [](const char* what) { return ::testing::AssertionFailure() << what; };
  if (Outline(a) != Outline(b)) return differs("outcome") << Outline(a) << " / " << Outline(b);
  if (std::strcmp(a.rule, b.rule) != 0) return differs("rule");
  if (a.confidence != b.confidence) return differs("confidence");
  if (a.calm != b.calm) return differs("calm");
  if (a.held_by_cooldown != b.held_by_cooldown) return differs("held_by_cooldown");
  if (a.borderline != b.borderline) return differs("borderline");
  if (std::strcmp(a.reason, b.reason) != 0) return differs(a.reason) << " / " << b.reason;
  if (a.factor_count != b.factor_count) return differs("factor_count");
  for (int i = 0; i < a.factor_count; ++i) {
    const Factor& x = a.factors[i];
    const Factor& y = b.factors[i];
    const bool same = x.trigger == y.trigger && std::strcmp(x.metric, y.metric) == 0 &&
                      std::strcmp(x.indicator, y.indicator) == 0 &&
                      std::strcmp(x.rule, y.rule) == 0 && x.value == y.value &&
                      SameNumber(x.baseline, y.baseline) && SameNumber(x.threshold, y.threshold) &&
                      SameNumber(x.z, y.z) && x.contribution == y.contribution &&
                      x.fired == y.fired && x.borderline == y.borderline &&
                      x.baseline_is_default == y.baseline_is_default;
    if (!same) return differs("factor ") << i;
  }
  return ::testing::AssertionSuccess();
}

// Makes one reading worse, in the direction in which its metric is bad.
inline void Worsen(Observation* reading, double step) {
  static constexpr std::string_view kBadWhenLow[] = {"hrv_rmssd",         "hrv_sdnn",
                                                     "recovery_score",    "readiness_score",
                                                     "oxygen_saturation", "sleep_duration"};
  const bool low = std::find(std::begin(kBadWhenLow), std::end(kBadWhenLow), reading->metric) !=
                   std::end(kBadWhenLow);
  reading->value *= low ? 1 - step : 1 + step;
}

}  // namespace auren::core::testing

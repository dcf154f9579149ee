// Short ways to say what a delivery holds and what the engine made of it.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine.h"

namespace auren::core::testing {

inline constexpr std::int64_t kSecond = 1'000'000;
inline constexpr std::int64_t kNow = 800'000'000 * kSecond;
inline constexpr int kHistory = 30;  // days: more than min_baseline_days
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// A baseline with given reference and spread, as after `days` days.
inline Baseline Linear(double mean, double sd, int days = kHistory) {
  Baseline baseline;
  baseline.days = days;
  baseline.mean = mean;
  baseline.sd = sd;
  return baseline;
}

inline Baseline Log(double reference, double sd, int days = kHistory) {
  Baseline baseline = Linear(std::log(reference), sd, days);
  baseline.scale = Scale::kLog;
  return baseline;
}

// One observation, to be changed by chained calls: Reading("heart_rate",
// 120).In(Context::kWorkout).
struct Reading : Observation {
  Reading(std::string_view name, double number) {
    metric = name;
    value = number;
    at_us = kNow - 60 * kSecond;
  }
  Reading& In(Context where) { return context = where, *this; }
  Reading& As(Statistic kind) { return statistic = kind, *this; }
  Reading& With(const Baseline& known) { return baseline = known, *this; }
  Reading& Aged(double seconds) {
    return at_us = kNow - static_cast<std::int64_t>(seconds * 1e6), *this;
  }
  Reading& Standing() { return standing = true, *this; }
  Reading& Late() { return late = true, *this; }
  Reading& Unsettled() { return unsettled = true, *this; }
  Reading& Odd() { return outside_soft_range = true, *this; }
  Reading& ByZ() { return judged_by_z = true, *this; }
};

using Delivery = std::vector<Observation>;

inline CurrentMode In(std::string_view mode) {
  CurrentMode current;
  current.mode = mode;
  return current;
}

// Entered `seconds` before now.
inline CurrentMode Since(std::string_view mode, double seconds) {
  CurrentMode current = In(mode);
  current.ever_switched = true;
  current.since_us = kNow - static_cast<std::int64_t>(seconds * 1e6);
  return current;
}

inline CurrentMode ByHand(std::string_view mode, double seconds = 10) {
  CurrentMode current = Since(mode, seconds);
  current.by_hand = true;
  return current;
}

inline Decision DecideOrDie(const Delivery& delivery, const CurrentMode& current = In("pattern"),
                            const Config& config = DefaultConfig(), int history_days = kHistory) {
  Decision decision;
  const Status status = Decide(config, current, delivery.data(), static_cast<int>(delivery.size()),
                               history_days, kNow, &decision);
  EXPECT_TRUE(status.ok()) << status.message;
  return decision;
}

inline const Factor* FindFactor(const Decision& decision, Trigger trigger,
                                std::string_view metric) {
  for (int i = 0; i < decision.factor_count; ++i) {
    const Factor& factor = decision.factors[i];
    if (factor.trigger == trigger && metric == factor.metric) return &factor;
  }
  return nullptr;
}

// "switch reflex hrv_drop", "stay", "none": what a table of examples expects.
inline std::string Outline(const Decision& decision) {
  if (decision.outcome == Outcome::kNone) return "none";
  const std::string trigger = Name(decision.trigger);
  if (decision.outcome == Outcome::kStay) return "stay " + trigger;
  return "switch " + std::string(decision.to_mode) + " " + trigger;
}

// A table of examples, each decided on its own.
struct Example {
  const char* what;
  Delivery delivery;
  const char* expected;
};

inline void Check(const std::vector<Example>& examples,
                  const CurrentMode& current = In("pattern")) {
  for (const Example& example : examples) {
    EXPECT_EQ(Outline(DecideOrDie(example.delivery, current)), example.expected) << example.what;
  }
}

}  // namespace auren::core::testing

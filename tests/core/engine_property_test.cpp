// What must hold of every decision, tried on generated deliveries. The seed is fixed: a failure
// comes again, and names the round it came in.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "builders.h"
#include "core/engine.h"

namespace auren::core::testing {
namespace {

constexpr int kRounds = 20'000;

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

  void Shuffle(Delivery* delivery) { std::shuffle(delivery->begin(), delivery->end(), random_); }

 private:
  std::mt19937 random_;
};

int PriorityOf(std::string_view mode) { return DefaultConfig().FindMode(mode)->priority; }

bool SameNumber(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

::testing::AssertionResult Same(const Decision& a, const Decision& b) {
  const auto differs = [](const char* what) { return ::testing::AssertionFailure() << what; };
  if (Outline(a) != Outline(b)) return differs("outcome") << Outline(a) << " / " << Outline(b);
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
                      std::strcmp(x.indicator, y.indicator) == 0 && x.value == y.value &&
                      SameNumber(x.baseline, y.baseline) && SameNumber(x.threshold, y.threshold) &&
                      SameNumber(x.z, y.z) && x.contribution == y.contribution &&
                      x.fired == y.fired && x.borderline == y.borderline &&
                      x.baseline_is_default == y.baseline_is_default;
    if (!same) return differs("factor ") << i;
  }
  return ::testing::AssertionSuccess();
}

TEST(PropertyTest, TheOrderOfReadingsMakesNoDifference) {
  Generator generator(1);
  for (int round = 0; round < kRounds; ++round) {
    Delivery delivery = generator.Deliver();
    const CurrentMode current = generator.Mode();
    const Decision decision = DecideOrDie(delivery, current);
    generator.Shuffle(&delivery);
    ASSERT_TRUE(Same(decision, DecideOrDie(delivery, current))) << "round " << round;
  }
}

TEST(PropertyTest, NumbersStayInTheirRanges) {
  Generator generator(2);
  const Config config = DefaultConfig();
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    const Decision decision = DecideOrDie(generator.Deliver(), generator.Mode());
    ASSERT_GE(decision.confidence, 0);
    ASSERT_LE(decision.confidence, 1);
    ASSERT_GE(decision.calm, 0);
    ASSERT_LE(decision.calm, 2);
    ASSERT_GT(std::strlen(decision.reason), 0u);
    const bool switched = decision.outcome == Outcome::kSwitch;
    ASSERT_EQ(switched, decision.to_mode[0] != '\0');
    if (switched) {
      ASSERT_NE(config.FindMode(decision.to_mode), nullptr);
      ASSERT_GT(decision.confidence, 0);
    }
    for (int i = 0; i < decision.factor_count; ++i) {
      const Factor& factor = decision.factors[i];
      ASSERT_TRUE(factor.fired || factor.borderline);
      ASSERT_EQ(factor.fired, factor.contribution > 0);
      ASSERT_LE(factor.contribution, 0.95 + 1e-12);
      const double stronger = i > 0 ? decision.factors[i - 1].contribution : 1;
      ASSERT_GE(stronger, factor.contribution);
    }
  }
}

TEST(PropertyTest, NoSwitchInsideTheCooldownButUpwards) {
  Generator generator(3);
  int upwards = 0;
  int held = 0;
  for (int round = 0; round < kRounds; ++round) {
    CurrentMode current = generator.Mode();
    current.by_hand = false;
    current.ever_switched = true;
    current.since_us = kNow - generator.Below(300) * kSecond;
    const Decision decision = DecideOrDie(generator.Deliver(), current);
    if (decision.outcome == Outcome::kSwitch) {
      ASSERT_GT(PriorityOf(decision.to_mode), PriorityOf(current.mode)) << "round " << round;
      ++upwards;
    }
    if (decision.held_by_cooldown) ++held;
  }
  EXPECT_GT(upwards, 100) << "the generator no longer tries it";
  EXPECT_GT(held, 100) << "the generator no longer tries it";
}

TEST(PropertyTest, AModeSetByHandIsLeftOnlyUpwards) {
  Generator generator(4);
  int upwards = 0;
  for (int round = 0; round < kRounds; ++round) {
    CurrentMode current = generator.Mode();
    current.by_hand = true;
    const Decision decision = DecideOrDie(generator.Deliver(), current);
    if (decision.outcome != Outcome::kSwitch) continue;
    ASSERT_GT(PriorityOf(decision.to_mode), PriorityOf(current.mode)) << "round " << round;
    ++upwards;
  }
  EXPECT_GT(upwards, 100) << "the generator no longer tries it";
}

TEST(PropertyTest, OneReadingNeverSwitchesTwice) {
  Generator generator(5);
  for (int round = 0; round < kRounds; ++round) {
    const Delivery delivery = {generator.Observe()};
    const Decision first = DecideOrDie(delivery, generator.Mode());
    if (first.outcome != Outcome::kSwitch) continue;
    for (double seconds : {0.0, 299.0, 300.0, 9000.0}) {
      const CurrentMode entered = Since(first.to_mode, seconds);
      ASSERT_NE(DecideOrDie(delivery, entered).outcome, Outcome::kSwitch) << "round " << round;
    }
  }
}

// Makes one reading worse, in the direction in which its metric is bad.
void Worsen(Observation* reading, double step) {
  static constexpr std::string_view kBadWhenLow[] = {"hrv_rmssd",         "hrv_sdnn",
                                                     "recovery_score",    "readiness_score",
                                                     "oxygen_saturation", "sleep_duration"};
  const bool low = std::find(std::begin(kBadWhenLow), std::end(kBadWhenLow), reading->metric) !=
                   std::end(kBadWhenLow);
  reading->value *= low ? 1 - step : 1 + step;
}

TEST(PropertyTest, ConfidenceNeverFallsWhenAReadingGetsWorse) {
  Generator generator(6);
  int rose = 0;
  for (int round = 0; round < kRounds; ++round) {
    Delivery delivery = generator.Deliver();
    // A z-score has two bad ends; only one of them is "worse".
    for (Observation& observation : delivery) observation.judged_by_z = false;
    const CurrentMode current = In("baseline");
    Observation& worse = delivery[generator.Below(static_cast<int>(delivery.size()))];
    double before = DecideOrDie(delivery, current).confidence;
    for (int i = 0; i < 5; ++i) {
      Worsen(&worse, 0.15);
      const double after = DecideOrDie(delivery, current).confidence;
      ASSERT_GE(after, before - 1e-12)
          << "round " << round << ": " << worse.metric << " " << worse.value;
      if (after > before) ++rose;
      before = after;
    }
  }
  EXPECT_GT(rose, 1000) << "the generator no longer tries it";
}

TEST(PropertyTest, AnotherTriggerNeverLowersTheConfidence) {
  Generator generator(7);
  const Reading more[] = {Reading("heart_rate", 130), Reading("stress_level", 0.95),
                          Reading("recovery_score", 12), Reading("blood_glucose", 30).Odd()};
  for (int round = 0; round < kRounds; ++round) {
    Delivery delivery = generator.Deliver();
    const CurrentMode current = In("baseline");
    const double before = DecideOrDie(delivery, current).confidence;
    delivery.push_back(more[generator.Below(static_cast<int>(std::size(more)))]);
    ASSERT_GE(DecideOrDie(delivery, current).confidence, before - 1e-12) << "round " << round;
  }
}

// A walk of one person through many deliveries, as the caller lives it.
TEST(PropertyTest, AWalkKeepsTheRules) {
  Generator generator(8);
  const Config config = DefaultConfig();
  std::string mode = "baseline";
  CurrentMode current;
  std::int64_t now = kNow;
  int switches = 0;
  for (int step = 0; step < kRounds; ++step) {
    SCOPED_TRACE(step);
    now += generator.Below(400) * kSecond;
    Delivery delivery = generator.Deliver();
    for (Observation& observation : delivery) observation.at_us += now - kNow;
    current.mode = mode;
    Decision decision;
    ASSERT_TRUE(Decide(config, current, delivery.data(), static_cast<int>(delivery.size()),
                       kHistory, now, &decision)
                    .ok());
    current.calm = decision.calm;
    if (decision.outcome != Outcome::kSwitch) continue;
    const bool cooling = current.ever_switched && now - current.since_us < 300 * kSecond;
    ASSERT_NE(decision.to_mode, mode);
    if (cooling) {
      ASSERT_GT(PriorityOf(decision.to_mode), PriorityOf(mode));
    }
    mode = decision.to_mode;
    current.since_us = now;
    current.ever_switched = true;
    ++switches;
  }
  EXPECT_GT(switches, 1000) << "the generator no longer tries it";
}

}  // namespace
}  // namespace auren::core::testing

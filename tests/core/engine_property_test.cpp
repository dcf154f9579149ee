// What must hold of every decision, tried on generated deliveries. The seed is fixed: a failure
// comes again, and names the round it came in.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "builders.h"
#include "core/engine.h"
#include "generator.h"

namespace auren::core::testing {
namespace {

constexpr int kRounds = 20'000;

int PriorityOf(std::string_view mode) { return DefaultConfig().FindMode(mode)->priority; }

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

// What must hold of every decision must hold under any rules, too: generated configurations with
// generated deliveries. The seed is fixed: a failure comes again, and names the round it came in.
#include <gtest/gtest.h>

#include <string>

#include "builders.h"
#include "core/engine.h"
#include "generator.h"

namespace auren::core::testing {
namespace {

constexpr int kRounds = 20'000;

int PriorityOf(const Config& config, std::string_view mode) {
  return config.FindMode(mode)->priority;
}

TEST(RulePropertyTest, TheOrderOfReadingsMakesNoDifference) {
  Generator generator(11);
  int by_rule = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Config config = generator.Configure();
    Delivery delivery = generator.Deliver();
    const CurrentMode current = generator.Mode();
    const Decision decision = DecideOrDie(delivery, current, config);
    generator.Shuffle(&delivery);
    ASSERT_TRUE(Same(decision, DecideOrDie(delivery, current, config))) << "round " << round;
    if (decision.trigger == Trigger::kRule) ++by_rule;
  }
  EXPECT_GT(by_rule, 300) << "the generator no longer tries it";
}

TEST(RulePropertyTest, NoSwitchInsideTheCooldownButUpwards) {
  Generator generator(12);
  int upwards = 0;
  int held = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Config config = generator.Configure();
    CurrentMode current = generator.Mode();
    current.by_hand = false;
    current.ever_switched = true;
    current.since_us = kNow - generator.Below(300) * kSecond;
    const Decision decision = DecideOrDie(generator.Deliver(), current, config);
    if (decision.outcome == Outcome::kSwitch) {
      ASSERT_GT(PriorityOf(config, decision.to_mode), PriorityOf(config, current.mode))
          << "round " << round;
    }
    if (decision.trigger != Trigger::kRule) continue;
    if (decision.outcome == Outcome::kSwitch) ++upwards;
    if (decision.held_by_cooldown) ++held;
  }
  EXPECT_GT(upwards, 100) << "the generator no longer tries it";
  EXPECT_GT(held, 100) << "the generator no longer tries it";
}

TEST(RulePropertyTest, AModeSetByHandIsLeftOnlyUpwards) {
  Generator generator(13);
  for (int round = 0; round < kRounds; ++round) {
    const Config config = generator.Configure();
    CurrentMode current = generator.Mode();
    current.by_hand = true;
    const Decision decision = DecideOrDie(generator.Deliver(), current, config);
    if (decision.outcome != Outcome::kSwitch) continue;
    ASSERT_GT(PriorityOf(config, decision.to_mode), PriorityOf(config, current.mode))
        << "round " << round;
  }
}

TEST(RulePropertyTest, OneReadingNeverSwitchesTwice) {
  Generator generator(14);
  int by_rule = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Config config = generator.Configure();
    Delivery delivery = {generator.Observe()};
    const Decision first = DecideOrDie(delivery, generator.Mode(), config);
    if (first.outcome != Outcome::kSwitch) continue;
    if (first.trigger == Trigger::kRule) ++by_rule;
    // The same once more; then, as what stands beside a reading that says nothing.
    for (const double seconds : {0.0, 299.0, 300.0, 9000.0}) {
      const CurrentMode entered = Since(first.to_mode, seconds);
      ASSERT_NE(DecideOrDie(delivery, entered, config).outcome, Outcome::kSwitch) << round;
    }
    delivery[0].standing = true;
    delivery.push_back(Reading("blood_glucose", 90));
    for (const char* mode : {"baseline", "pattern", "companion", "reflex"}) {
      const Decision again = DecideOrDie(delivery, In(mode), config);
      ASSERT_EQ(again.trigger, Trigger::kCalm) << "round " << round;
    }
  }
  EXPECT_GT(by_rule, 100) << "the generator no longer tries it";
}

TEST(RulePropertyTest, ConfidenceNeverFallsWhenAReadingGetsWorse) {
  Generator generator(15);
  int rose = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Config config = generator.Configure();
    Delivery delivery = generator.Deliver();
    // An anomaly has two bad ends; only one of them is "worse".
    Config one_sided = config;
    one_sided.thresholds.anomaly_z = 1e9;
    Observation& worse = delivery[generator.Below(static_cast<int>(delivery.size()))];
    if (worse.value < 0) continue;
    double before = DecideOrDie(delivery, In("baseline"), one_sided).confidence;
    for (int i = 0; i < 5; ++i) {
      Worsen(&worse, 0.15);
      const double after = DecideOrDie(delivery, In("baseline"), one_sided).confidence;
      ASSERT_GE(after, before - 1e-12)
          << "round " << round << ": " << worse.metric << " " << worse.value;
      if (after > before) ++rose;
      before = after;
    }
  }
  EXPECT_GT(rose, 1000) << "the generator no longer tries it";
}

TEST(RulePropertyTest, FactorsAreToldAndSumUp) {
  Generator generator(16);
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    const Config config = generator.Configure();
    const Decision decision = DecideOrDie(generator.Deliver(), generator.Mode(), config);
    ASSERT_GE(decision.confidence, 0);
    ASSERT_LE(decision.confidence, 1);
    bool fired_by_rule = false;
    for (int i = 0; i < decision.factor_count; ++i) {
      const Factor& factor = decision.factors[i];
      ASSERT_EQ(factor.trigger == Trigger::kRule, factor.rule[0] != '\0');
      ASSERT_TRUE(factor.fired || factor.borderline);
      ASSERT_EQ(factor.fired, factor.contribution > 0);
      fired_by_rule = fired_by_rule || (factor.fired && std::string(factor.rule) == decision.rule);
    }
    ASSERT_EQ(decision.trigger == Trigger::kRule, decision.rule[0] != '\0');
    if (decision.trigger == Trigger::kRule) {
      ASSERT_TRUE(fired_by_rule);
      ASSERT_EQ(std::string(decision.reason).find(decision.rule), 0u);
    }
  }
}

// Two in a row, whatever was there before: only calm after the cooldown settles.
TEST(RulePropertyTest, CalmLeadsOutOfAModeThatARuleEntered) {
  Generator generator(17);
  for (int round = 0; round < kRounds / 20; ++round) {
    const Config config = generator.Configure();
    const Delivery calm = {Reading("blood_glucose", 90)};
    for (const char* mode : {"night_watch", "sentinel", "companion", "reflex"}) {
      CurrentMode current = Since(mode, 301);
      Decision decision = DecideOrDie(calm, current, config);
      ASSERT_EQ(decision.outcome, Outcome::kStay);
      current.calm = decision.calm;
      decision = DecideOrDie(calm, current, config);
      ASSERT_STREQ(decision.to_mode, "pattern");
      ASSERT_NE(DecideOrDie(calm, Since(mode, 299), config).outcome, Outcome::kSwitch);
    }
  }
}

}  // namespace
}  // namespace auren::core::testing

// Rules as data: what the setters take, and what is said about the rest. Which readings meet a rule
// is tried in rule_findings_test.cpp.
#include "core/rules.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "rule_builder.h"

namespace auren::core::testing {
namespace {

Rule Simple(const std::string& name) { return MakeRule(name).When("heart_rate", "above", 95); }

TEST(RulesTest, KeysAndWhatTheyTake) {
  EXPECT_EQ(KeyOfRule("name"), KeyKind::kText);
  EXPECT_EQ(KeyOfRule("weight"), KeyKind::kNumber);
  EXPECT_EQ(KeyOfRule("when"), KeyKind::kList);
  EXPECT_EQ(KeyOfRule("metric"), KeyKind::kUnknown);
  EXPECT_EQ(KeyOfCondition("metric"), KeyKind::kText);
  EXPECT_EQ(KeyOfCondition("context"), KeyKind::kTexts);
  EXPECT_EQ(KeyOfCondition("statistic"), KeyKind::kTexts);
  EXPECT_EQ(KeyOfCondition("outside_soft_range"), KeyKind::kFlag);
  for (int i = 0; i < static_cast<int>(Comparison::kOutsideSoftRange); ++i) {
    EXPECT_EQ(KeyOfCondition(Name(static_cast<Comparison>(i))), KeyKind::kNumber);
  }
  EXPECT_EQ(KeyOfCondition("name"), KeyKind::kUnknown);
  EXPECT_EQ(KeyOfCondition(""), KeyKind::kUnknown);
}

TEST(RulesTest, UnknownKeysGetTheNearestOne) {
  EXPECT_STREQ(WrongConditionKey("abvoe").hint, "Did you mean \"above\"?");
  EXPECT_STREQ(WrongConditionKey("drop_precent").hint, "Did you mean \"drop_percent\"?");
  EXPECT_STREQ(WrongRuleKey("wen").hint, "Did you mean \"when\"?");
  EXPECT_STREQ(WrongRuleKey("colour").hint, "The keys are name, weight and when.");
  EXPECT_NE(std::string(WrongConditionKey("colour").hint).find("z_below, drop_percent"),
            std::string::npos);
}

TEST(RulesTest, ValuesOfTheWrongKind) {
  EXPECT_STREQ(WrongRuleKey("name").message, "not a text");
  EXPECT_STREQ(WrongRuleKey("weight").message, "not a number");
  EXPECT_STREQ(WrongRuleKey("when").message, "not a list");
  EXPECT_STREQ(WrongConditionKey("context").message, "neither a text nor a list of texts");
  EXPECT_STREQ(WrongConditionKey("outside_soft_range").message, "not true");
}

TEST(RulesTest, EveryComparisonTakesItsRangeAndNothingElse) {
  const struct {
    const char* key;
    double min, max;
  } ranges[] = {{"above", -1e12, 1e12},   {"below", -1e12, 1e12},   {"at_least", -1e12, 1e12},
                {"at_most", -1e12, 1e12}, {"z_above", -10, 10},     {"z_below", -10, 10},
                {"drop_percent", 0, 100}, {"rise_percent", 0, 1000}};
  for (const auto& range : ranges) {
    SCOPED_TRACE(range.key);
    for (const double good : {range.min, range.max}) {
      Condition condition;
      EXPECT_TRUE(SetNumber(&condition, range.key, good).ok());
      EXPECT_EQ(condition.number, good);
      EXPECT_STREQ(Name(condition.comparison), range.key);
    }
    for (const double bad : {std::nextafter(range.min, -1e300), std::nextafter(range.max, 1e300),
                             std::nan(""), HUGE_VAL}) {
      Condition condition;
      EXPECT_EQ(SetNumber(&condition, range.key, bad).code, Code::kInvalid) << bad;
      EXPECT_EQ(condition.comparison, Comparison::kNone) << "a refused comparison was kept";
    }
  }
  for (const double bad : {0.0, 0.009, 1.001, -1.0, std::nan("")}) {
    Rule rule;
    EXPECT_STREQ(SetNumber(&rule, "weight", bad).hint, "Use a number from 0.01 to 1.");
    EXPECT_EQ(rule.weight, 0.5);
  }
}

TEST(RulesTest, NamesAreOnesOwn) {
  Rule rule;
  for (const char* bad : {"", "Fever", "fever__watch", "fever watch", "_fever"}) {
    EXPECT_FALSE(SetText(&rule, "name", bad).ok()) << bad;
  }
  EXPECT_FALSE(SetText(&rule, "name", std::string(64, 'a')).ok());
  EXPECT_TRUE(SetText(&rule, "name", std::string(63, 'a')).ok());
  for (const char* taken : {"hrv_drop", "low_indicators", "calm", "manual", "rule"}) {
    EXPECT_NE(std::string(SetText(&rule, "name", taken).message).find("built-in trigger"),
              std::string::npos)
        << taken;
  }
}

TEST(RulesTest, AConditionHasAMetricAndOneComparison) {
  Rule rule;
  Condition condition;
  EXPECT_STREQ(AddCondition(&rule, condition).message, "no metric");
  ASSERT_TRUE(SetText(&condition, "metric", "heart_rate").ok());
  EXPECT_STREQ(AddCondition(&rule, condition).message, "no comparison");
  ASSERT_TRUE(SetNumber(&condition, "above", 95).ok());
  EXPECT_STREQ(SetNumber(&condition, "below", 120).message, "a second comparison beside \"above\"");
  EXPECT_STREQ(SetFlag(&condition, "outside_soft_range", true).message,
               "a second comparison beside \"above\"");
  EXPECT_EQ(condition.number, 95);
  for (int i = 0; i < kMaxConditions; ++i) EXPECT_TRUE(AddCondition(&rule, condition).ok());
  EXPECT_STREQ(AddCondition(&rule, condition).message, "one condition too many");
}

TEST(RulesTest, UnknownContextsAndStatisticsAreTold) {
  Condition condition;
  EXPECT_STREQ(SetText(&condition, "context", "bed").hint,
               "Use one of rest, sleep, sedentary, active, workout, wake, unknown.");
  EXPECT_STREQ(SetText(&condition, "statistic", "mode").message, "unknown statistic \"mode\"");
  EXPECT_FALSE(SetText(&condition, "context", "").ok());
  EXPECT_EQ(condition.contexts, 0);
}

TEST(RulesTest, MetricsAreHeldAgainstACatalogue) {
  const char* const known[] = {"heart_rate", "step_count"};
  EXPECT_TRUE(CheckMetric("step_count", known, 2).ok());
  EXPECT_STREQ(CheckMetric("steps_count", known, 2).hint, "Did you mean \"step_count\"?");
  EXPECT_STREQ(CheckMetric("mood", known, 2).message, "unknown metric \"mood\"");
  EXPECT_FALSE(CheckMetric("mood", nullptr, 0).ok());
}

TEST(RulesTest, ARuleIsCompleteAndAlone) {
  Config config = DefaultConfig();
  EXPECT_STREQ(AddRule(&config, "sentinel", Rule{}).message, "no name");
  EXPECT_STREQ(AddRule(&config, "sentinel", MakeRule("bare")).message,
               "rule \"bare\" has no condition");
  ASSERT_TRUE(AddRule(&config, "sentinel", Simple("mine")).ok());
  EXPECT_STREQ(AddRule(&config, "companion", Simple("mine")).message,
               "rule \"mine\" is there already");
  EXPECT_EQ(AddRule(&config, "nirvana", Simple("other")).code, Code::kInternal);
  for (int i = config.rule_count; i < kMaxRules; ++i) {
    ASSERT_TRUE(AddRule(&config, "sentinel", Simple("r" + std::to_string(i))).ok());
  }
  EXPECT_STREQ(AddRule(&config, "sentinel", Simple("last")).message,
               "rule \"last\" is one too many");
  EXPECT_TRUE(Validate(config).ok());
}

// So that what is written down and read again decides alike.
TEST(RulesTest, RulesAreInTheOrderOfTheirModes) {
  Config config = DefaultConfig();
  for (const auto& [mode, name] : {std::pair{"sentinel", "c"}, std::pair{"reflex", "a"},
                                   std::pair{"sentinel", "d"}, std::pair{"companion", "b"}}) {
    ASSERT_TRUE(AddRule(&config, mode, Simple(name)).ok());
  }
  std::string order;
  for (int i = 0; i < config.rule_count; ++i) {
    order +=
        std::string(config.rules[i].name) + "=" + config.modes[config.rules[i].mode].name + " ";
  }
  EXPECT_EQ(order, "a=reflex b=companion c=sentinel d=sentinel ");
}

TEST(RulesTest, AModeWithRulesIsAbovePattern) {
  Config config = DefaultConfig();
  ASSERT_TRUE(AddRule(&config, "pattern", Simple("mine")).ok());
  EXPECT_STREQ(Validate(config).message,
               "mode \"pattern\" has rules and priority 100, not above pattern's 100");
  EXPECT_STREQ(Validate(config).hint,
               "A rule could never leave pattern: give the mode a higher priority.");
}

}  // namespace
}  // namespace auren::core::testing

// A short way to write a rule: MakeRule("fever").When("heart_rate", "above", 95).And(...).
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string_view>

#include "core/config.h"

namespace auren::core::testing {

struct MakeRule : Rule {
  explicit MakeRule(std::string_view name) { EXPECT_TRUE(SetText(this, "name", name).ok()); }
  MakeRule& Weighing(double value) {
    EXPECT_TRUE(SetNumber(this, "weight", value).ok());
    return *this;
  }
  MakeRule& When(std::string_view metric, std::string_view comparison, double number,
                 std::initializer_list<const char*> contexts = {},
                 std::initializer_list<const char*> statistics = {}) {
    Condition condition;
    EXPECT_TRUE(SetText(&condition, "metric", metric).ok());
    const Status status = KeyOfCondition(comparison) == KeyKind::kFlag
                              ? SetFlag(&condition, comparison, true)
                              : SetNumber(&condition, comparison, number);
    EXPECT_TRUE(status.ok()) << status.message;
    for (const char* name : contexts) EXPECT_TRUE(SetText(&condition, "context", name).ok());
    for (const char* name : statistics) EXPECT_TRUE(SetText(&condition, "statistic", name).ok());
    EXPECT_TRUE(AddCondition(this, condition).ok());
    return *this;
  }
};

// The built-in configuration with a rule more.
inline Config With(const Rule& rule, std::string_view mode = "sentinel",
                   Config config = DefaultConfig()) {
  const Status status = AddRule(&config, mode, rule);
  EXPECT_TRUE(status.ok()) << status.message;
  EXPECT_TRUE(Validate(config).ok());
  return config;
}

}  // namespace auren::core::testing

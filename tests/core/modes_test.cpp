#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "core/config.h"

namespace auren::core {
namespace {

TEST(ModesTest, BuiltInModes) {
  const std::map<std::string, int> contract = {
      {"reflex", 400},   {"guardian", 300}, {"hypothesis", 200}, {"companion", 150},
      {"sentinel", 150}, {"pattern", 100},  {"baseline", 0},
  };
  const Config config = DefaultConfig();
  ASSERT_EQ(config.mode_count, static_cast<int>(contract.size()));
  for (const auto& [name, priority] : contract) {
    const Mode* mode = config.FindMode(name);
    ASSERT_NE(mode, nullptr) << name;
    EXPECT_EQ(mode->priority, priority) << name;
    const std::string behavior = mode->behavior;
    EXPECT_EQ(behavior.back(), '.') << name << " says no full sentence";
    EXPECT_LT(behavior.size(), kMaxModeBehavior) << name << " may have been cut";
  }
  EXPECT_TRUE(Validate(config).ok());
  EXPECT_EQ(config.FindMode("Reflex"), nullptr);
}

TEST(ModesTest, AddsAndChanges) {
  Config config = DefaultConfig();
  ASSERT_TRUE(AddMode(&config, "night_watch", 120, "Watch at night.").ok());
  EXPECT_EQ(config.mode_count, 8);
  EXPECT_EQ(config.FindMode("night_watch")->priority, 120);

  ASSERT_TRUE(AddMode(&config, "night_watch", 130, "").ok());
  EXPECT_EQ(config.mode_count, 8);
  EXPECT_EQ(config.FindMode("night_watch")->priority, 130);
  EXPECT_STREQ(config.FindMode("night_watch")->behavior, "Watch at night.");

  ASSERT_TRUE(AddMode(&config, "reflex", 500, "Be quick.").ok());
  EXPECT_STREQ(config.FindMode("reflex")->behavior, "Be quick.");
  EXPECT_TRUE(Validate(config).ok());
}

TEST(ModesTest, RefusesBadNames) {
  Config config = DefaultConfig();
  for (const char* name : {"", "Night", "9to5", "_a", "a_", "a__b", "night watch", "n\xc3\xa4he"}) {
    const Status status = AddMode(&config, name, 10, "x");
    EXPECT_EQ(status.code, Code::kInvalid) << name;
    EXPECT_EQ(std::string(status.message), "bad mode name \"" + std::string(name) + "\"");
    EXPECT_STREQ(status.hint, "Use snake_case of at most 63 bytes, such as \"night_watch\".");
  }
  EXPECT_TRUE(AddMode(&config, std::string(63, 'a'), 10, "x").ok());
  EXPECT_FALSE(AddMode(&config, std::string(64, 'a'), 10, "x").ok());
  for (const char* name : {"a", "a1", "a_1", "zone2_day"}) {
    EXPECT_TRUE(AddMode(&config, name, 10, "x").ok()) << name;
  }
}

TEST(ModesTest, RefusesBadPriorities) {
  Config config = DefaultConfig();
  for (double priority : {-1.0, 1001.0, 1.5, std::nan(""), HUGE_VAL}) {
    const Status status = AddMode(&config, "watch", priority, "x");
    EXPECT_EQ(status.code, Code::kInvalid) << priority;
    EXPECT_STREQ(status.hint, "Use a whole number from 0 to 1000; the higher one wins.");
  }
  EXPECT_TRUE(AddMode(&config, "watch", 0, "x").ok());
  EXPECT_TRUE(AddMode(&config, "watch", 1000, "x").ok());
}

TEST(ModesTest, RefusesBadBehavior) {
  Config config = DefaultConfig();
  EXPECT_TRUE(AddMode(&config, "watch", 1, std::string(kMaxModeBehavior, 'x')).ok());
  Status status = AddMode(&config, "watch", 1, std::string(kMaxModeBehavior + 1, 'x'));
  EXPECT_STREQ(status.message, "behavior of mode \"watch\" has 512 bytes");
  status = AddMode(&config, "watch", 1, std::string_view("a\0b", 3));
  EXPECT_STREQ(status.message, "behavior of mode \"watch\" contains a NUL byte");
}

TEST(ModesTest, HasRoomForThirtyTwo) {
  Config config = DefaultConfig();
  for (int i = config.mode_count; i < kMaxModes; ++i) {
    ASSERT_TRUE(AddMode(&config, "mode_" + std::to_string(i), 10, "").ok());
  }
  const Status status = AddMode(&config, "straw", 10, "");
  EXPECT_STREQ(status.message, "mode \"straw\" is one too many");
  EXPECT_STREQ(status.hint, "A configuration holds at most 32 modes, the built-in ones included.");
  EXPECT_TRUE(AddMode(&config, "mode_9", 20, "").ok()) << "a known mode needs no room";
}

TEST(ModesTest, BaselineMustBeLowest) {
  Config config = DefaultConfig();
  ASSERT_TRUE(AddMode(&config, "baseline", 120, "").ok());
  const Status status = Validate(config);
  EXPECT_EQ(status.code, Code::kInvalid);
  EXPECT_STREQ(status.message, "mode \"pattern\" has priority 100, below baseline's 120");
}

TEST(ModesTest, PatternMustBeBelowEveryTriggersMode) {
  for (const char* name : {"reflex", "guardian", "hypothesis"}) {
    Config config = DefaultConfig();
    ASSERT_TRUE(AddMode(&config, name, 100, "").ok());
    const Status status = Validate(config);
    EXPECT_EQ(std::string(status.message),
              "mode \"" + std::string(name) + "\" has priority 100, not above pattern's 100");
  }
}

TEST(ModesTest, BuiltInModesMustBeThere) {
  for (const char* name : {"baseline", "pattern", "reflex", "guardian", "hypothesis"}) {
    Config config;
    const Config defaults = DefaultConfig();
    for (int i = 0; i < defaults.mode_count; ++i) {
      const Mode& mode = defaults.modes[i];
      if (std::string(mode.name) != name) {
        ASSERT_TRUE(AddMode(&config, mode.name, mode.priority, mode.behavior).ok());
      }
    }
    EXPECT_EQ(std::string(Validate(config).message),
              "mode \"" + std::string(name) + "\" is missing");
  }
}

}  // namespace
}  // namespace auren::core

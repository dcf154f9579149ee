#include "core/config.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>

namespace auren::core {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double Get(const Config& config, std::string_view section, std::string_view key) {
  double value = -1;
  const Status status = GetNumber(config, section, key, &value);
  EXPECT_TRUE(status.ok()) << status.message;
  return value;
}

TEST(ConfigTest, DefaultsAreThoseOfTheContract) {
  const std::map<std::string, double> contract = {
      {"hrv_drop_ms", 25},
      {"hrv_drop_percentage", 30},
      {"heart_rate_elevated", 100},
      {"stress_level_critical", 0.85},
      {"recovery_low_percentage", 40},
      {"anomaly_z", 3},
      {"borderline_margin", 0.1},
      {"mode_switch_cooldown_seconds", 300},
      {"calm_evaluations", 2},
      {"max_reading_age_seconds", 86400},
      {"max_recent_readings", 5000},
      {"hrv_default", 60},
      {"heart_rate_default", 70},
      {"min_baseline_days", 14},
  };
  const Config config = DefaultConfig();
  int count = 0;
  const NumberKey* keys = NumberKeys(&count);
  ASSERT_EQ(count, static_cast<int>(contract.size()));
  for (int i = 0; i < count; ++i) {
    SCOPED_TRACE(keys[i].key);
    EXPECT_EQ(Get(config, keys[i].section, keys[i].key), contract.at(keys[i].key));
  }
}

TEST(ConfigTest, EveryKeyTakesItsWholeRangeAndNothingElse) {
  int count = 0;
  const NumberKey* keys = NumberKeys(&count);
  for (int i = 0; i < count; ++i) {
    const NumberKey& key = keys[i];
    SCOPED_TRACE(key.key);
    Config config = DefaultConfig();
    for (double good : {key.min, key.max}) {
      EXPECT_TRUE(SetNumber(&config, key.section, key.key, good).ok());
      EXPECT_EQ(Get(config, key.section, key.key), good);
    }
    for (double bad : {std::nextafter(key.min, -kInfinity), std::nextafter(key.max, kInfinity),
                       kInfinity, -kInfinity, std::nan("")}) {
      const Status status = SetNumber(&config, key.section, key.key, bad);
      EXPECT_EQ(status.code, Code::kInvalid) << bad;
      EXPECT_NE(std::string(status.message).find(key.key), std::string::npos);
      EXPECT_EQ(Get(config, key.section, key.key), key.max) << "a refused value was kept";
    }
    if (key.whole) {
      EXPECT_FALSE(SetNumber(&config, key.section, key.key, key.min + 0.5).ok());
    }
  }
}

TEST(ConfigTest, SettingOneKeyChangesNoOther) {
  int count = 0;
  const NumberKey* keys = NumberKeys(&count);
  const Config defaults = DefaultConfig();
  for (int i = 0; i < count; ++i) {
    Config config = DefaultConfig();
    ASSERT_TRUE(SetNumber(&config, keys[i].section, keys[i].key, keys[i].max).ok());
    for (int j = 0; j < count; ++j) {
      if (i == j) continue;
      EXPECT_EQ(Get(config, keys[j].section, keys[j].key),
                Get(defaults, keys[j].section, keys[j].key))
          << keys[i].key << " changed " << keys[j].key;
    }
  }
}

TEST(ConfigTest, OutOfRangeSaysWhatIsAllowed) {
  Config config = DefaultConfig();
  Status status = SetNumber(&config, "thresholds", "hrv_drop_ms", 0);
  EXPECT_STREQ(status.message, "thresholds.hrv_drop_ms is 0, which is not allowed");
  EXPECT_STREQ(status.hint, "Use a number from 1 to 200 ms.");
  status = SetNumber(&config, "thresholds", "calm_evaluations", 2.5);
  EXPECT_STREQ(status.message, "thresholds.calm_evaluations is 2.5, which is not allowed");
  EXPECT_STREQ(status.hint, "Use a whole number from 1 to 100.");
}

TEST(ConfigTest, UnknownKeysGetTheNearestOne) {
  struct Example {
    const char *section, *key, *hint;
  };
  const Example examples[] = {
      {"thresholds", "hrv_drop_mss", "Did you mean \"hrv_drop_ms\"?"},
      {"thresholds", "hart_rate_elevated", "Did you mean \"heart_rate_elevated\"?"},
      {"thresholds", "anomaly-z", "Did you mean \"anomaly_z\"?"},
      {"thresholds", "hrv_default", "Did you mean \"hrv_default\" in baselines?"},
      {"baselines", "hrv_defalut", "Did you mean \"hrv_default\"?"},
      {"baselines", "colour", "Known keys: hrv_default, heart_rate_default, min_baseline_days."},
      {"thresholds", "",
       "Known keys: hrv_drop_ms, hrv_drop_percentage, heart_rate_elevated, stress_level_critical, "
       "recovery_low_percentage, anomaly_z, borderline_margin, mode_switch_cooldown_seconds, "
       "calm_evaluations, max_reading_age_seconds, max_recent_readings."},
  };
  Config config = DefaultConfig();
  for (const Example& example : examples) {
    const Status status = SetNumber(&config, example.section, example.key, 1);
    EXPECT_EQ(status.code, Code::kInvalid);
    EXPECT_EQ(std::string(status.message), "unknown key \"" + std::string(example.key) + "\" in " +
                                               std::string(example.section));
    EXPECT_STREQ(status.hint, example.hint);
    double value = 0;
    EXPECT_STREQ(GetNumber(config, example.section, example.key, &value).hint, example.hint);
  }
}

TEST(ConfigTest, UnknownSection) {
  Config config = DefaultConfig();
  const Status status = SetNumber(&config, "treshold", "hrv_drop_ms", 30);
  EXPECT_STREQ(status.message, "unknown section \"treshold\" in the configuration");
  EXPECT_STREQ(status.hint, "The sections are thresholds, baselines and modes.");
}

TEST(ConfigTest, LongNamesAreCutBetweenCodePoints) {
  Config config = DefaultConfig();
  const std::string key = "a" + std::string(40, 'b') + [] {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "\xc3\xa4";  // two bytes each: one straddles byte 63
    return text;
  }();
  const std::string message = SetNumber(&config, "thresholds", key, 1).message;
  const std::string shown = message.substr(message.find('"') + 1);
  const std::string text = shown.substr(0, shown.find('"'));
  EXPECT_EQ(text.size(), 63u);
  EXPECT_EQ(text, key.substr(0, 63));

  const std::string shifted = "b" + key;
  const std::string other = SetNumber(&config, "thresholds", shifted, 1).message;
  EXPECT_NE(other.find("\"" + shifted.substr(0, 62) + "\""), std::string::npos) << other;
}

}  // namespace
}  // namespace auren::core

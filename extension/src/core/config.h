// The mode engine's configuration: thresholds, baseline defaults, modes.
//
// One shape for the JSON of neuros.configure and for config/biometric_thresholds.yaml:
//
//   thresholds: {hrv_drop_ms: 25, ...}
//   baselines: {hrv_default: 60, ...}
//   modes: [{name: night_watch, priority: 120, behavior: "...", rules: [...]}]
//
// The core reads no format. Whoever walks the JSON or YAML calls SetNumber, AddMode and, for rules
// (rules.h), AddRule for what it finds; the core knows the keys, their ranges and their defaults,
// so that both ways in say the same thing about the same mistake.
#pragma once

#include <cstddef>
#include <string_view>
#include <type_traits>

#include "core/rules.h"
#include "core/status.h"

namespace auren::core {

struct Thresholds {
  double hrv_drop_ms = 25;                    // ms below the reference, 1..200
  double hrv_drop_percentage = 30;            // % below the reference, 1..100
  double heart_rate_elevated = 100;           // /min, 40..220
  double stress_level_critical = 0.85;        // 0..1
  double recovery_low_percentage = 40;        // %, 0..100
  double anomaly_z = 3;                       // standard deviations, 1..10
  double borderline_margin = 0.1;             // fraction of the threshold, 0..0.5
  double mode_switch_cooldown_seconds = 300;  // s, 0..86400
  double calm_evaluations = 2;                // whole number, 1..100
  double max_reading_age_seconds = 86400;     // s, 60..604800
  double max_recent_readings = 5000;          // whole number, 100..100000
};

struct BaselineDefaults {
  double hrv_default = 60;         // ms, 5..250: stands in while history is short
  double heart_rate_default = 70;  // /min, 30..150
  double min_baseline_days = 14;   // whole number of days with a value, 1..60
};

inline constexpr int kMaxModes = 32;
inline constexpr std::size_t kMaxModeName = 63;       // bytes
inline constexpr std::size_t kMaxModeBehavior = 511;  // bytes

struct Mode {
  char name[kMaxModeName + 1] = {};          // snake_case, as an event type
  int priority = 0;                          // 0..1000; the higher one wins
  char behavior[kMaxModeBehavior + 1] = {};  // what an agent should do in it
};

struct Config {
  Thresholds thresholds;
  BaselineDefaults baselines;
  Mode modes[kMaxModes];
  int mode_count = 0;
  Rule rules[kMaxRules];  // in the order of their modes, those of a mode as they were added
  int rule_count = 0;

  const Mode* FindMode(std::string_view name) const noexcept;
};

static_assert(std::is_trivially_copyable_v<Config>);

// The built-in configuration: the defaults above and the seven built-in modes (reflex 400,
// guardian 300, hypothesis 200, companion 150, sentinel 150, pattern 100, baseline 0).
Config DefaultConfig() noexcept;

// One number the configuration knows: "thresholds" or "baselines", its key, what is allowed.
struct NumberKey {
  const char* section;
  const char* key;
  double min;
  double max;
  bool whole;  // must be a whole number
  const char* unit;
};

// All number keys, in the order in which they are documented.
const NumberKey* NumberKeys(int* count) noexcept;

// Sets one number. kInvalid for an unknown section or key (the hint names the nearest one), for NaN
// and for a value outside its range (the hint gives the range).
Status SetNumber(Config* config, std::string_view section, std::string_view key,
                 double value) noexcept;

// Reads one number back. kInvalid for an unknown key.
Status GetNumber(const Config& config, std::string_view section, std::string_view key,
                 double* value) noexcept;

// Adds a mode, or changes the priority and behaviour of one that is there (an empty behaviour
// leaves the old). kInvalid for a bad name, a priority outside 0..1000, a behaviour over its
// length, or more than kMaxModes modes. A built-in mode keeps its meaning: its priority may change.
Status AddMode(Config* config, std::string_view name, double priority,
               std::string_view behavior) noexcept;

// Adds a rule that is complete to a mode that is there. kInvalid without a name or a condition, for
// a name that another rule has, and for more than kMaxRules.
Status AddRule(Config* config, std::string_view mode, const Rule& rule) noexcept;

// Checks what only the whole can tell: no mode is below baseline, and pattern is below the modes
// that triggers and rules lead to. kInvalid otherwise, or when one of the built-in modes this needs
// is missing.
Status Validate(const Config& config) noexcept;

}  // namespace auren::core

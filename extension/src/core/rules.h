// Rules of one's own: when a mode is to be entered, as data. One shape for JSON and YAML, inside an
// element of `modes`:
//
//   - name: sentinel
//     priority: 150
//     rules:                      # any of them is enough
//       - name: fever_watch       # the trigger that the switch names
//         weight: 0.5
//         when:                   # all of them together
//           - {metric: skin_temperature_deviation, above: 0.4}
//           - {metric: heart_rate, above: 95, context: [rest, sleep]}
//
// As with the rest of the configuration the core reads no format: whoever walks one asks KeyOf what
// a key takes, calls the setter for it, and shows the Status behind the key's path. What a rule
// does with readings is told in rule_findings.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "core/status.h"

namespace auren::core {

inline constexpr int kMaxRules = 64;               // of a configuration
inline constexpr int kMaxConditions = 8;           // of a rule
inline constexpr std::size_t kMaxRuleName = 63;    // bytes
inline constexpr std::size_t kMaxMetricName = 63;  // bytes

// How a condition compares. The name of the value is the key that spells it.
enum class Comparison : std::uint8_t {
  kAbove,             // value > n
  kBelow,             // value < n
  kAtLeast,           // value >= n
  kAtMost,            // value <= n
  kZAbove,            // z > n: standard deviations from the reference, below it negative
  kZBelow,            // z < n
  kDropPercent,       // more than n % below the reference
  kRisePercent,       // more than n % above it
  kOutsideSoftRange,  // outside what is expected of the metric; no number
  kNone
};

struct Condition {
  char metric[kMaxMetricName + 1] = {};
  Comparison comparison = Comparison::kNone;
  double number = 0;
  std::uint16_t contexts = 0;    // a bit for each Context; 0: any, but effort (metrics.h)
  std::uint16_t statistics = 0;  // a bit for each Statistic; 0: those that tell a level
};

struct Rule {
  char name[kMaxRuleName + 1] = {};  // snake_case, unique in the configuration
  int mode = -1;                     // in Config::modes
  double weight = 0.5;               // what it adds to the confidence at its thresholds
  Condition conditions[kMaxConditions];
  int condition_count = 0;
};

static_assert(std::is_trivially_copyable_v<Rule>);

// What a key takes.
enum class KeyKind : std::uint8_t {
  kUnknown,
  kText,
  kNumber,
  kFlag,   // true
  kTexts,  // a text or a list of texts
  kList    // a list of objects
};
KeyKind KeyOfRule(std::string_view key) noexcept;       // name, weight, when
KeyKind KeyOfCondition(std::string_view key) noexcept;  // metric, above, ..., context, statistic

// "expected a number" and so on, for a value of another kind; for kUnknown the nearest key.
Status WrongRuleKey(std::string_view key) noexcept;
Status WrongConditionKey(std::string_view key) noexcept;

// Each sets what `key` names. REQUIRES: a key of that kind. kInvalid names what is allowed; of
// kTexts each call adds one. A second comparison in one condition is refused.
Status SetText(Rule* rule, std::string_view key, std::string_view value) noexcept;
Status SetNumber(Rule* rule, std::string_view key, double value) noexcept;
Status SetText(Condition* condition, std::string_view key, std::string_view value) noexcept;
Status SetNumber(Condition* condition, std::string_view key, double value) noexcept;
Status SetFlag(Condition* condition, std::string_view key, bool value) noexcept;

// snake_case, [a-z][a-z0-9]*(_[a-z0-9]+)*: the rule for names of modes, rules and metrics.
bool IsSnakeCase(std::string_view name) noexcept;

// Whether the metric is one of `known`; kInvalid with the nearest otherwise. For those who have the
// catalogue: the core has none.
Status CheckMetric(std::string_view metric, const char* const* known, int count) noexcept;

// Adds a condition that is complete: it has a metric and a comparison.
Status AddCondition(Rule* rule, const Condition& condition) noexcept;

// The key and the number of a condition, for those who write it down ("above").
const char* Name(Comparison comparison) noexcept;

}  // namespace auren::core

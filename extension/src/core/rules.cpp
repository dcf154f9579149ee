#include "core/rules.h"

#include <cmath>
#include <iterator>

#include "core/engine.h"
#include "core/spelling.h"
#include "core/text.h"

namespace auren::core {
namespace {

constexpr double kAny = 1e12;  // beyond what any metric is measured in
constexpr double kMaxZ = 10;
constexpr double kMaxRise = 1000;
constexpr double kMinWeight = 0.01;

struct ComparisonKey {
  const char* name;
  double min;
  double max;
};

// In the order of Comparison.
constexpr ComparisonKey kComparisons[] = {
    {"above", -kAny, kAny},   {"below", -kAny, kAny},        {"at_least", -kAny, kAny},
    {"at_most", -kAny, kAny}, {"z_above", -kMaxZ, kMaxZ},    {"z_below", -kMaxZ, kMaxZ},
    {"drop_percent", 0, 100}, {"rise_percent", 0, kMaxRise}, {"outside_soft_range", 1, 1},
};
constexpr int kComparisonCount = static_cast<int>(std::size(kComparisons));
static_assert(kComparisonCount == static_cast<int>(Comparison::kNone));

constexpr const char* kRuleKeys[] = {"name", "weight", "when"};
constexpr const char* kConditionKeys[] = {
    "metric",  "above",        "below",        "at_least",           "at_most", "z_above",
    "z_below", "drop_percent", "rise_percent", "outside_soft_range", "context", "statistic"};
constexpr char kConditionKeyList[] =
    "metric; one of above, below, at_least, at_most, z_above, z_below, drop_percent, rise_percent "
    "and outside_soft_range; context, statistic";

// What a switch may be triggered by otherwise: a rule of that name would be taken for it.
constexpr const char* kTakenNames[] = {"manual", "rule"};

Comparison ComparisonOf(std::string_view key) noexcept {
  int i = 0;
  while (i < kComparisonCount && key != kComparisons[i].name) ++i;
  return static_cast<Comparison>(i);
}

Status Unknown(std::string_view key, const char* const* known, int count,
               const char* list) noexcept {
  const std::string_view shown = Clip(key, kMaxRuleName);
  const Status status =
      Status::Error(Code::kInvalid, "unknown key \"%.*s\"", Length(shown), shown.data());
  if (const char* nearest = Nearest(key, known, count)) {
    return status.WithHint("Did you mean \"%s\"?", nearest);
  }
  return status.WithHint("The keys are %s.", list);
}

Status Expected(KeyKind kind) noexcept {
  switch (kind) {
    case KeyKind::kNumber:
      return Status::Error(Code::kInvalid, "not a number");
    case KeyKind::kFlag:
      return Status::Error(Code::kInvalid, "not true").WithHint("Use true, or leave it out.");
    case KeyKind::kTexts:
      return Status::Error(Code::kInvalid, "neither a text nor a list of texts");
    case KeyKind::kList:
      return Status::Error(Code::kInvalid, "not a list")
          .WithHint(
              "Give a list of conditions, such as [{\"metric\": \"heart_rate\", \"above\": 95}].");
    case KeyKind::kText:
    case KeyKind::kUnknown:
      break;
  }
  return Status::Error(Code::kInvalid, "not a text");
}

bool IsTrigger(std::string_view name) noexcept {
  for (int i = 0; i <= static_cast<int>(Trigger::kCalm); ++i) {
    if (name == Name(static_cast<Trigger>(i))) return true;
  }
  return false;
}

bool IsTaken(std::string_view name) noexcept {
  for (const char* taken : kTakenNames) {
    if (name == taken) return true;
  }
  return IsTrigger(name);
}

Status Compare(Condition* condition, Comparison comparison, double number) noexcept {
  if (condition->comparison != Comparison::kNone) {
    return Status::Error(Code::kInvalid, "a second comparison beside \"%s\"",
                         Name(condition->comparison))
        .WithHint("A condition has one: write another condition for the other.");
  }
  condition->comparison = comparison;
  condition->number = number;
  return Status::Ok();
}

// The names of an enumeration from `first` on, as in "rest, sleep".
template <typename Enum>
void List(Enum first, Enum last, char (&list)[192]) noexcept {
  std::size_t used = 0;
  for (int i = static_cast<int>(first); i <= static_cast<int>(last); ++i) {
    const int added = std::snprintf(list + used, sizeof list - used, "%s%s", used == 0 ? "" : ", ",
                                    Name(static_cast<Enum>(i)));
    used += static_cast<std::size_t>(added);
  }
}

Status AddContext(Condition* condition, std::string_view name) noexcept {
  Context context;
  if (ParseContext(name, &context)) {
    condition->contexts |= static_cast<std::uint16_t>(1U << static_cast<unsigned>(context));
    return Status::Ok();
  }
  char known[192];
  List(Context::kRest, Context::kUnknown, known);
  const std::string_view shown = Clip(name, kMaxMetricName);
  return Status::Error(Code::kInvalid, "unknown context \"%.*s\"", Length(shown), shown.data())
      .WithHint("Use one of %s.", known);
}

Status AddStatistic(Condition* condition, std::string_view name) noexcept {
  Statistic statistic;
  if (ParseStatistic(name, &statistic)) {
    condition->statistics |= static_cast<std::uint16_t>(1U << static_cast<unsigned>(statistic));
    return Status::Ok();
  }
  char known[192];
  List(Statistic::kInstant, Statistic::kSessionMin, known);
  const std::string_view shown = Clip(name, kMaxMetricName);
  return Status::Error(Code::kInvalid, "unknown statistic \"%.*s\"", Length(shown), shown.data())
      .WithHint("Use one of %s.", known);
}

Status SetMetric(Condition* condition, std::string_view metric) noexcept {
  if (metric.size() > kMaxMetricName || !IsSnakeCase(metric)) {
    const std::string_view shown = Clip(metric, kMaxMetricName);
    return Status::Error(Code::kInvalid, "bad metric \"%.*s\"", Length(shown), shown.data())
        .WithHint("Use a metric_type of biometrics.metric_types, such as \"heart_rate\".");
  }
  CopyText(condition->metric, metric);
  return Status::Ok();
}

}  // namespace

bool IsSnakeCase(std::string_view name) noexcept {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  if (name.empty() || !is_lower(name.front()) || name.back() == '_') return false;
  char before = 'a';
  for (const char c : name) {
    if (!is_lower(c) && !(c >= '0' && c <= '9') && c != '_') return false;
    if (c == '_' && before == '_') return false;
    before = c;
  }
  return true;
}

KeyKind KeyOfRule(std::string_view key) noexcept {
  if (key == "name") return KeyKind::kText;
  if (key == "weight") return KeyKind::kNumber;
  return key == "when" ? KeyKind::kList : KeyKind::kUnknown;
}

KeyKind KeyOfCondition(std::string_view key) noexcept {
  if (key == "metric") return KeyKind::kText;
  if (key == "context" || key == "statistic") return KeyKind::kTexts;
  const Comparison comparison = ComparisonOf(key);
  if (comparison == Comparison::kOutsideSoftRange) return KeyKind::kFlag;
  return comparison == Comparison::kNone ? KeyKind::kUnknown : KeyKind::kNumber;
}

Status WrongRuleKey(std::string_view key) noexcept {
  const KeyKind kind = KeyOfRule(key);
  if (kind != KeyKind::kUnknown) return Expected(kind);
  return Unknown(key, kRuleKeys, static_cast<int>(std::size(kRuleKeys)), "name, weight and when");
}

Status WrongConditionKey(std::string_view key) noexcept {
  const KeyKind kind = KeyOfCondition(key);
  if (kind != KeyKind::kUnknown) return Expected(kind);
  return Unknown(key, kConditionKeys, static_cast<int>(std::size(kConditionKeys)),
                 kConditionKeyList);
}

Status SetText(Rule* rule, std::string_view, std::string_view value) noexcept {
  const std::string_view shown = Clip(value, kMaxRuleName);
  if (value.size() > kMaxRuleName || !IsSnakeCase(value)) {
    return Status::Error(Code::kInvalid, "bad rule name \"%.*s\"", Length(shown), shown.data())
        .WithHint("Use snake_case of at most %zu bytes, such as \"fever_watch\".", kMaxRuleName);
  }
  if (IsTaken(value)) {
    return Status::Error(Code::kInvalid, "rule name \"%.*s\" is that of a built-in trigger",
                         Length(shown), shown.data())
        .WithHint("A switch names its trigger: give the rule a name of its own.");
  }
  CopyText(rule->name, value);
  return Status::Ok();
}

Status SetNumber(Rule* rule, std::string_view, double value) noexcept {
  if (!(value >= kMinWeight && value <= 1)) {
    return Status::Error(Code::kInvalid, "%.15g is not allowed", value)
        .WithHint("Use a number from %g to 1.", kMinWeight);
  }
  rule->weight = value;
  return Status::Ok();
}

Status SetText(Condition* condition, std::string_view key, std::string_view value) noexcept {
  if (key == "context") return AddContext(condition, value);
  if (key == "statistic") return AddStatistic(condition, value);
  return SetMetric(condition, value);
}

Status SetNumber(Condition* condition, std::string_view key, double value) noexcept {
  const Comparison comparison = ComparisonOf(key);
  const ComparisonKey& allowed = kComparisons[static_cast<int>(comparison)];
  if (!(value >= allowed.min && value <= allowed.max)) {  // also NaN
    return Status::Error(Code::kInvalid, "%.15g is not allowed", value)
        .WithHint("Use a number from %.15g to %.15g.", allowed.min, allowed.max);
  }
  return Compare(condition, comparison, value);
}

Status SetFlag(Condition* condition, std::string_view key, bool value) noexcept {
  if (!value) return WrongConditionKey(key);
  return Compare(condition, ComparisonOf(key), 0);
}

Status CheckMetric(std::string_view metric, const char* const* known, int count) noexcept {
  for (int i = 0; i < count; ++i) {
    if (metric == known[i]) return Status::Ok();
  }
  const std::string_view shown = Clip(metric, kMaxMetricName);
  const Status status =
      Status::Error(Code::kInvalid, "unknown metric \"%.*s\"", Length(shown), shown.data());
  if (const char* nearest = Nearest(metric, known, count)) {
    return status.WithHint("Did you mean \"%s\"?", nearest);
  }
  return status.WithHint("The metrics are those of biometrics.metric_types that are numbers.");
}

Status AddCondition(Rule* rule, const Condition& condition) noexcept {
  if (condition.metric[0] == '\0') {
    return Status::Error(Code::kInvalid, "no metric")
        .WithHint("A condition is {\"metric\": \"heart_rate\", \"above\": 95}.");
  }
  if (condition.comparison == Comparison::kNone) {
    return Status::Error(Code::kInvalid, "no comparison")
        .WithHint("The keys are %s.", kConditionKeyList);
  }
  if (rule->condition_count == kMaxConditions) {
    return Status::Error(Code::kInvalid, "one condition too many")
        .WithHint("A rule has at most %d.", kMaxConditions);
  }
  rule->conditions[rule->condition_count++] = condition;
  return Status::Ok();
}

const char* Name(Comparison comparison) noexcept {
  return comparison == Comparison::kNone ? "" : kComparisons[static_cast<int>(comparison)].name;
}

}  // namespace auren::core

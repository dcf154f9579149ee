#include "core/rule_findings.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/metrics.h"
#include "core/triggers.h"

namespace auren::core {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

constexpr double kGrowth = 0.9;            // of the doubt that the weight leaves
constexpr double kSurestDeviations = 4.5;  // beyond the threshold, as for anomalies

// What a condition is held against, on its own scale: a level, a z-score or a percentage.
struct Test {
  bool judged = false;
  double value = 0;
  Limit limit = {};
  double limit_value = kNaN;  // the limit as Factor::threshold has it
  double reference = kNaN;
  double z = kNaN;
  int days = 0;
  bool by_default = false;
};

// What a condition found: its strongest finding, if any.
struct Held {
  Finding finding;
  bool seen = false;         // met or nearly
  bool brought = false;      // so by a reading of this delivery
  bool met_brought = false;  // met by one
};

bool Chosen(std::uint16_t bits, unsigned value) noexcept { return ((bits >> value) & 1U) != 0; }

bool LooksAt(const Condition& condition, const Observation& observation, MetricId id) noexcept {
  const bool context = condition.contexts == 0
                           ? !MovedByEffort(id, observation.context)
                           : Chosen(condition.contexts, static_cast<unsigned>(observation.context));
  if (!context) return false;
  if (condition.statistics == 0) return TellsLevel(id, observation.statistic);
  return Chosen(condition.statistics, static_cast<unsigned>(observation.statistic));
}

// How far a level is from what is ordinary; 1 where the threshold itself tells nothing.
double DistanceOf(MetricId id, double threshold) noexcept {
  constexpr double kNormalTemperature = 37;  // Cel
  constexpr double kFullOxygen = 100;        // %
  double distance = std::fabs(threshold);
  switch (id) {
    case MetricId::kBodyTemperature:
      distance = std::fabs(threshold - kNormalTemperature);
      break;
    case MetricId::kOxygenSaturation:
      distance = std::fabs(threshold - kFullOxygen);
      break;
    case MetricId::kSkinTemperature:
    case MetricId::kSleepingWristTemperature:
      return 1;
    default:
      break;
  }
  return distance > 0 ? distance : 1;
}

Test Level(const Condition& condition, const Observation& observation, MetricId id) noexcept {
  const bool above =
      condition.comparison == Comparison::kAbove || condition.comparison == Comparison::kAtLeast;
  const bool inclusive =
      condition.comparison == Comparison::kAtLeast || condition.comparison == Comparison::kAtMost;
  const double distance = DistanceOf(id, condition.number);
  const double full = condition.number + (above ? distance : -distance);
  return {.judged = true,
          .value = observation.value,
          .limit = {condition.number, full, distance, above, inclusive},
          .limit_value = condition.number};
}

Test ByZ(const Config& config, const Condition& condition, const Observation& observation,
         MetricId id) noexcept {
  if (!TakesZ(config, observation, id)) return {};
  const bool above = condition.comparison == Comparison::kZAbove;
  const double number = condition.number;
  const double distance = number == 0 ? 1 : std::fabs(number);
  const double full = number + (above ? kSurestDeviations : -kSurestDeviations);
  const double z = Deviate(observation.baseline, observation.value).z;
  return {.judged = true,
          .value = z,
          .limit = {number, full, distance, above, false},
          .limit_value = number,
          .reference = observation.baseline.Reference(),
          .z = z,
          .days = observation.baseline.days};
}

// The configured default of a metric, or NaN.
double DefaultOf(const Config& config, MetricId id) noexcept {
  switch (id) {
    case MetricId::kHrvRmssd:
    case MetricId::kHrvSdnn:
      return config.baselines.hrv_default;
    case MetricId::kHeartRate:
    case MetricId::kRestingHeartRate:
      return config.baselines.heart_rate_default;
    default:
      return kNaN;
  }
}

Test ByPercent(const Config& config, const Condition& condition, const Observation& observation,
               MetricId id) noexcept {
  const Baseline& baseline = observation.baseline;
  const bool by_default = !HasHistory(config, baseline);
  const double reference = by_default ? DefaultOf(config, id) : baseline.Reference();
  if (!(reference > 0)) return {};  // also NaN
  const bool rise = condition.comparison == Comparison::kRisePercent;
  const double change = rise ? observation.value - reference : reference - observation.value;
  const double number = condition.number;
  const double distance = number > 0 ? number : 1;
  return {.judged = true,
          .value = 100 * change / reference,
          .limit = {number, number + distance, distance, true, false},
          .limit_value = reference * (1 + (rise ? number : -number) / 100),
          .reference = reference,
          .days = baseline.days,
          .by_default = by_default};
}

Test TestOf(const Config& config, const Condition& condition, const Observation& observation,
            MetricId id) noexcept {
  switch (condition.comparison) {
    case Comparison::kAbove:
    case Comparison::kBelow:
    case Comparison::kAtLeast:
    case Comparison::kAtMost:
      return Level(condition, observation, id);
    case Comparison::kZAbove:
    case Comparison::kZBelow:
      return ByZ(config, condition, observation, id);
    case Comparison::kDropPercent:
    case Comparison::kRisePercent:
      return ByPercent(config, condition, observation, id);
    case Comparison::kOutsideSoftRange:
      return {.judged = observation.outside_soft_range};
    case Comparison::kNone:
      break;
  }
  return {};
}

// What one of `conditions` adds when all together are to add `whole`.
double Share(double whole, int conditions) noexcept {
  return 1 - std::pow(1 - whole, 1.0 / conditions);
}

class RuleEvaluation {
 public:
  RuleEvaluation(const Config& config, const Rule& rule, const Observation* observations, int count,
                 std::int64_t now_us) noexcept
      : config_(config), rule_(rule), observations_(observations), count_(count), now_us_(now_us) {
    const double surest = rule.weight + kGrowth * (1 - rule.weight);
    base_ = Share(rule.weight, rule.condition_count);
    span_ = Share(surest, rule.condition_count) - base_;
  }

  Held Hold(int index) const noexcept {
    const Condition& condition = rule_.conditions[index];
    const std::string_view metric = condition.metric;
    const MetricId id = Identify(metric);
    Held held;
    bool delivered = false;
    std::int64_t newest_us = 0;
    for (const bool standing : {false, true}) {
      for (int i = 0; i < count_; ++i) {
        const Observation& observation = observations_[i];
        if (observation.standing != standing || observation.metric != metric) continue;
        if (!MayDecide(config_, observation, now_us_)) continue;
        if (!LooksAt(condition, observation, id)) continue;
        if (standing) {
          if (delivered && newest_us >= observation.at_us) continue;
        } else {
          newest_us = delivered ? std::max(newest_us, observation.at_us) : observation.at_us;
          delivered = true;
        }
        Note(FindingOf(index, observation, id), standing, &held);
      }
    }
    return held;
  }

 private:
  Finding FindingOf(int index, const Observation& observation, MetricId id) const noexcept {
    const Condition& condition = rule_.conditions[index];
    const Test test = TestOf(config_, condition, observation, id);
    Finding finding;
    finding.trigger = Trigger::kRule;
    finding.rule = &rule_;
    finding.condition = index;
    finding.id = id;
    finding.metric = condition.metric;
    finding.value = observation.value;
    finding.reference = test.reference;
    finding.z = test.z;
    finding.low = finding.high = kNaN;
    finding.days = test.days;
    finding.by_default = test.by_default;
    if (condition.comparison == Comparison::kOutsideSoftRange) {
      finding.limit = kNaN;
      finding.fired = test.judged;
      finding.contribution = test.judged ? base_ : 0;
    } else if (test.judged) {
      HoldAgainst(test.limit, test.value, config_.thresholds.borderline_margin, base_, span_,
                  &finding);
      finding.limit = test.limit_value;
    }
    return finding;
  }

  static void Note(const Finding& finding, bool standing, Held* held) noexcept {
    if (!finding.fired && !finding.borderline) return;
    if (!held->seen || Stronger(finding, held->finding)) held->finding = finding;
    held->seen = true;
    if (standing) return;
    held->brought = true;
    held->met_brought = held->met_brought || finding.fired;
  }

  const Config& config_;
  const Rule& rule_;
  const Observation* observations_;
  int count_;
  std::int64_t now_us_;
  double base_;  // what a condition adds at its threshold ...
  double span_;  // ... and how much more far beyond it
};

void Report(int rule, const Held* held, int count, Findings* findings) noexcept {
  bool met = true;
  bool brought = false;
  bool met_brought = false;
  for (int i = 0; i < count; ++i) {
    met = met && held[i].finding.fired;
    brought = brought || held[i].brought;
    met_brought = met_brought || held[i].met_brought;
  }
  if (!brought) return;
  const bool fires = met && met_brought;
  double doubt = 1;
  for (int i = 0; i < count; ++i) {
    Finding finding = held[i].finding;
    if (!fires && finding.fired) {  // met, but the rule is not
      finding.fired = false;
      finding.contribution = 0;
      finding.borderline = true;
    }
    doubt *= 1 - finding.contribution;
    findings->Add(finding);
  }
  if (fires) findings->RuleFired(rule, 1 - doubt);
}

}  // namespace

bool CountsWhileStanding(const Config& config, std::string_view metric) noexcept {
  if (IndicatorOf(Identify(metric)) != Indicator::kNone) return true;
  for (int i = 0; i < config.rule_count; ++i) {
    const Rule& rule = config.rules[i];
    // A rule of one condition fires by what a delivery brings, or not at all.
    for (int j = 0; rule.condition_count > 1 && j < rule.condition_count; ++j) {
      if (metric == rule.conditions[j].metric) return true;
    }
  }
  return false;
}

void FindRules(const Config& config, const Observation* observations, int count,
               std::int64_t now_us, Findings* findings) noexcept {
  for (int i = 0; i < config.rule_count; ++i) {
    const Rule& rule = config.rules[i];
    const RuleEvaluation evaluation(config, rule, observations, count, now_us);
    Held held[kMaxConditions];
    int seen = 0;
    while (seen < rule.condition_count) {
      held[seen] = evaluation.Hold(seen);
      if (!held[seen].seen) break;
      ++seen;
    }
    if (seen == rule.condition_count) Report(i, held, seen, findings);
  }
}

}  // namespace auren::core

#include "core/low_indicators.h"

#include <algorithm>
#include <limits>

#include "core/triggers.h"

namespace auren::core {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// One mild sign weighs less than an alarm: 0.3, up to 0.6 when it is far beyond its limit.
constexpr double kBase = 0.3;
constexpr double kSpan = 0.3;

constexpr double kRestingRise = 5;  // /min
constexpr double kRestingRiseSds = 1.5;
constexpr double kTemperatureRise = 0.5;  // Cel
constexpr double kTemperatureRiseSds = 2;
constexpr double kFever = 37.8;            // Cel
constexpr double kNormalTemperature = 37;  // Cel: what the fever's margin is measured from
constexpr double kRespirationRiseSds = 2;
constexpr double kOxygenLow = 92;           // %
constexpr double kOxygenFull = 100;         // %
constexpr double kShortSleep = 5 * 3600.0;  // s

// What an indicator is held against.
struct Test {
  bool judged = false;
  Limit limit = {};
  double reference = kNaN;
  int days = 0;
  bool by_default = false;
};

Test Below(double limit) noexcept {
  return {.judged = true, .limit = {limit, 0, limit, false, false}};
}

// At least `rise` above the reference; twice the rise is as sure as it gets.
Test Above(double reference, double rise, int days) noexcept {
  return {.judged = true,
          .limit = {reference + rise, reference + 2 * rise, rise, true, true},
          .reference = reference,
          .days = days};
}

// How far that many standard deviations above the reference are, in the metric's unit.
double Rise(const Baseline& baseline, double deviations) noexcept {
  return baseline.At(deviations) - baseline.Reference();
}

Test RestingHeartRate(const Config& config, const Baseline& baseline, bool has_history) noexcept {
  if (has_history) {
    return Above(baseline.Reference(), std::max(kRestingRise, Rise(baseline, kRestingRiseSds)),
                 baseline.days);
  }
  Test test = Above(config.baselines.heart_rate_default, kRestingRise, baseline.days);
  test.by_default = true;
  return test;
}

Test TestOf(const Config& config, const Observation& observation, MetricId id) noexcept {
  if (!TellsLevel(id, observation.statistic)) return {};
  const Baseline& baseline = observation.baseline;
  const bool has_history = baseline.days >= config.baselines.min_baseline_days;
  switch (id) {
    case MetricId::kRecoveryScore:
      return Below(config.thresholds.recovery_low_percentage);
    case MetricId::kReadinessScore:
      return Below(kReadinessLow);
    case MetricId::kRestingHeartRate:
      return RestingHeartRate(config, baseline, has_history);
    case MetricId::kSkinTemperatureDeviation: {
      // A deviation is measured from 0 by the device, so no reference of ours is told.
      Test test = Above(0, kTemperatureRise, 0);
      test.reference = kNaN;
      return test;
    }
    case MetricId::kBodyTemperature: {
      Test test = Above(kNormalTemperature, kFever - kNormalTemperature, 0);
      test.limit.at = kFever;  // exactly, not the rounded sum
      test.reference = kNaN;
      return test;
    }
    case MetricId::kSkinTemperature:
    case MetricId::kSleepingWristTemperature:
      if (!has_history) return {};
      return Above(baseline.Reference(),
                   std::max(kTemperatureRise, Rise(baseline, kTemperatureRiseSds)), baseline.days);
    case MetricId::kRespiratoryRate:
      if (!has_history || baseline.sd <= 0) return {};
      return Above(baseline.Reference(), Rise(baseline, kRespirationRiseSds), baseline.days);
    case MetricId::kOxygenSaturation:
      return {.judged = true,
              .limit = {kOxygenLow, kOxygenLow - (kOxygenFull - kOxygenLow),
                        kOxygenFull - kOxygenLow, false, false}};
    case MetricId::kSleepDuration:
      return Below(kShortSleep);
    default:
      return {};
  }
}

}  // namespace

void LowIndicators::Note(const Observation& observation, MetricId id) noexcept {
  if (!TellsLevel(id, observation.statistic)) return;
  const int i = static_cast<int>(id);
  if (!delivered_[i] || observation.at_us > newest_us_[i]) newest_us_[i] = observation.at_us;
  delivered_[i] = true;
}

void LowIndicators::Judge(const Observation& observation, MetricId id) noexcept {
  const int i = static_cast<int>(id);
  if (observation.standing && delivered_[i] && newest_us_[i] >= observation.at_us) return;
  const Test test = TestOf(config_, observation, id);
  if (!test.judged) return;

  Finding finding;
  finding.trigger = Trigger::kLowIndicators;
  finding.id = id;
  finding.metric = observation.metric;
  finding.indicator = IndicatorOf(id);
  finding.value = observation.value;
  finding.reference = test.reference;
  finding.z = kNaN;
  finding.days = test.days;
  finding.by_default = test.by_default;
  HoldAgainst(test.limit, observation.value, config_.thresholds.borderline_margin, kBase, kSpan,
              &finding);
  if (!finding.fired && !finding.borderline) return;

  Kind& kind = kinds_[static_cast<int>(finding.indicator)];
  if (!kind.seen || Stronger(finding, kind.finding)) kind.finding = finding;
  kind.seen = true;
  if (!observation.standing) {
    kind.brought = true;
    kind.low_brought = kind.low_brought || finding.fired;
  }
}

void LowIndicators::Report(Findings* findings) const noexcept {
  int low = 0;
  int seen = 0;
  bool brought = false;
  bool low_brought = false;
  for (const Kind& kind : kinds_) {
    if (!kind.seen) continue;
    ++seen;
    if (kind.finding.fired) ++low;
    brought = brought || kind.brought;
    low_brought = low_brought || kind.low_brought;
  }
  if (!brought || (low == 0 && seen < 2)) return;

  const bool fires = low >= 2 && low_brought;
  for (const Kind& kind : kinds_) {
    if (!kind.seen) continue;
    Finding finding = kind.finding;
    if (finding.fired && !fires) {  // low, but one short of firing
      finding.fired = false;
      finding.contribution = 0;
      finding.borderline = true;
    }
    findings->Add(finding);
  }
}

}  // namespace auren::core

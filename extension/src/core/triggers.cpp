#include "core/triggers.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/low_indicators.h"
#include "core/metrics.h"
#include "core/rule_findings.h"

namespace auren::core {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Contributions: an alarm starts at 0.5 and ends at 0.95, an anomaly at 0.4 and 0.85.
constexpr double kAlarmBase = 0.5;
constexpr double kAnomalyBase = 0.4;
constexpr double kSpan = 0.45;
constexpr double kPerDeviation = 0.1;  // for each standard deviation

constexpr double kSurestHeartRate = 60;  // /min above the threshold

// A threshold compared in doubles must not miss its margin by the last bit.
constexpr double kRounding = 1e-9;

Finding FindingOf(Trigger trigger, const Observation& observation, MetricId id) noexcept {
  Finding finding;
  finding.trigger = trigger;
  finding.id = id;
  finding.metric = observation.metric;
  finding.value = observation.value;
  finding.reference = kNaN;
  finding.limit = kNaN;
  finding.z = kNaN;
  finding.low = finding.high = kNaN;
  return finding;
}

// The drop fires by milliseconds or by percentage, whichever is stricter for this person.
void CheckHrvDrop(const Config& config, const Observation& observation, MetricId id,
                  Findings* findings) noexcept {
  const Thresholds& thresholds = config.thresholds;
  const Baseline& baseline = observation.baseline;
  Finding finding = FindingOf(Trigger::kHrvDrop, observation, id);
  finding.by_default = !HasHistory(config, baseline);
  finding.days = baseline.days;
  finding.reference = finding.by_default ? config.baselines.hrv_default : baseline.Reference();
  finding.limit = std::max(finding.reference - thresholds.hrv_drop_ms,
                           finding.reference * (1 - thresholds.hrv_drop_percentage / 100));

  const double drop = finding.reference - observation.value;
  const double percent = 100 * drop / finding.reference;
  finding.severity =
      std::max(drop / thresholds.hrv_drop_ms, percent / thresholds.hrv_drop_percentage) - 1;
  finding.fired = drop > thresholds.hrv_drop_ms || percent > thresholds.hrv_drop_percentage;
  finding.borderline = std::fabs(finding.severity) <= thresholds.borderline_margin + kRounding;

  const bool has_z = !finding.by_default && baseline.sd > 0;
  if (has_z) finding.z = Deviate(baseline, observation.value).z;
  if (finding.fired) {
    const double growth = has_z ? std::min(kPerDeviation * std::fabs(finding.z), kSpan)
                                : kSpan * std::min(finding.severity, 1.0);
    finding.contribution = (kAlarmBase + growth) * (finding.by_default ? kDefaultDiscount : 1.0);
  }
  findings->Add(finding);
}

void CheckAlarm(Trigger trigger, const Limit& limit, const Config& config,
                const Observation& observation, MetricId id, Findings* findings) noexcept {
  Finding finding = FindingOf(trigger, observation, id);
  HoldAgainst(limit, observation.value, config.thresholds.borderline_margin, kAlarmBase, kSpan,
              &finding);
  findings->Add(finding);
}

void CheckAnomaly(const Config& config, const Observation& observation, MetricId id,
                  Findings* findings) noexcept {
  if (TakesZ(config, observation, id)) {
    const double threshold = config.thresholds.anomaly_z;
    const Baseline& baseline = observation.baseline;
    Finding finding = FindingOf(Trigger::kAnomalousReading, observation, id);
    finding.reference = baseline.Reference();
    finding.days = baseline.days;
    finding.z = Deviate(baseline, observation.value).z;
    finding.low = baseline.At(-threshold);
    finding.high = baseline.At(threshold);
    const Limit limit = {threshold, threshold + kSpan / kPerDeviation, threshold, true, true};
    HoldAgainst(limit, std::fabs(finding.z), config.thresholds.borderline_margin, kAnomalyBase,
                kSpan, &finding);
    findings->Add(finding);
  }
  if (observation.outside_soft_range) {
    Finding finding = FindingOf(Trigger::kAnomalousReading, observation, id);
    finding.fired = true;
    finding.contribution = kAnomalyBase;
    findings->Add(finding);
  }
}

bool IsPulse(MetricId id) noexcept {
  return id == MetricId::kHeartRate || id == MetricId::kHrvRmssd || id == MetricId::kHrvSdnn;
}

// Everything one delivered reading can trigger by itself.
void CheckReading(const Config& config, const Observation& observation, MetricId id,
                  Findings* findings) noexcept {
  const Thresholds& thresholds = config.thresholds;
  const bool level = TellsLevel(id, observation.statistic);
  // The minimum or maximum of a pulse is extreme by nature, so it is not even an anomaly.
  if (IsPulse(id) && !level) return;
  CheckAnomaly(config, observation, id, findings);
  if (!level) return;

  switch (id) {
    case MetricId::kHrvRmssd:
    case MetricId::kHrvSdnn:
      return CheckHrvDrop(config, observation, id, findings);
    case MetricId::kHeartRate: {
      const double limit = thresholds.heart_rate_elevated;
      return CheckAlarm(Trigger::kHeartRateElevated,
                        {limit, limit + kSurestHeartRate, limit, true, false}, config, observation,
                        id, findings);
    }
    case MetricId::kStressLevel: {
      const double limit = thresholds.stress_level_critical;
      return CheckAlarm(Trigger::kStressCritical, {limit, 1, limit, true, false}, config,
                        observation, id, findings);
    }
    case MetricId::kRecoveryScore:
    case MetricId::kReadinessScore: {
      const double limit =
          id == MetricId::kRecoveryScore ? thresholds.recovery_low_percentage : kReadinessLow;
      return CheckAlarm(Trigger::kRecoveryLow, {limit, 0, limit, false, false}, config, observation,
                        id, findings);
    }
    default:
      return;
  }
}

// Where a reading is counted when it is screened; `usable` when it may decide.
int Screening::*Screen(const Config& config, const Observation& observation,
                       std::int64_t now_us) noexcept {
  constexpr double kMicroseconds = 1e6;
  const double age =
      (static_cast<double>(now_us) - static_cast<double>(observation.at_us)) / kMicroseconds;
  if (age > config.thresholds.max_reading_age_seconds) return &Screening::old;
  if (observation.unsettled) return &Screening::unsettled;
  if (observation.late) return &Screening::late;
  return &Screening::usable;
}

// Whether the triggers look at a reading that is usable.
bool IsJudged(const Observation& observation, MetricId id) noexcept {
  return std::isfinite(observation.value) && !MovedByEffort(id, observation.context);
}

}  // namespace

bool MayDecide(const Config& config, const Observation& observation, std::int64_t now_us) noexcept {
  return std::isfinite(observation.value) &&
         Screen(config, observation, now_us) == &Screening::usable;
}

bool HasHistory(const Config& config, const Baseline& baseline) noexcept {
  return baseline.days >= config.baselines.min_baseline_days;
}

bool TakesZ(const Config& config, const Observation& observation, MetricId id) noexcept {
  if (!observation.judged_by_z || !HasHistory(config, observation.baseline)) return false;
  if (!(observation.baseline.sd > 0)) return false;
  return id != MetricId::kHeartRate || observation.statistic != Statistic::kInstant;
}

bool Beyond(const Limit& limit, double value) noexcept {
  if (limit.inclusive && value == limit.at) return true;
  return limit.above ? value > limit.at : value < limit.at;
}

void HoldAgainst(const Limit& limit, double value, double margin, double base, double span,
                 Finding* finding) noexcept {
  const double beyond = limit.above ? value - limit.at : limit.at - value;
  const double room = std::fabs(limit.full - limit.at);
  finding->limit = limit.at;
  finding->severity = limit.distance > 0 ? beyond / limit.distance : beyond;
  finding->fired = Beyond(limit, value);
  finding->borderline = std::fabs(beyond) <= limit.distance * (margin + kRounding);
  if (!finding->fired) return;
  const double surety = room > 0 ? std::clamp(beyond / room, 0.0, 1.0) : 1.0;
  finding->contribution = (base + span * surety) * (finding->by_default ? kDefaultDiscount : 1.0);
}

Findings FindTriggers(const Config& config, const Observation* observations, int count,
                      std::int64_t now_us, Screening* screening) noexcept {
  Findings findings;
  LowIndicators indicators(config);
  for (int i = 0; i < count; ++i) {
    const Observation& observation = observations[i];
    if (observation.standing || !std::isfinite(observation.value)) continue;
    const auto counter = Screen(config, observation, now_us);
    ++(screening->*counter);
    const MetricId id = Identify(observation.metric);
    if (counter != &Screening::usable || !IsJudged(observation, id)) continue;
    indicators.Note(observation, id);
    CheckReading(config, observation, id, &findings);
  }
  for (int i = 0; i < count; ++i) {
    const Observation& observation = observations[i];
    const MetricId id = Identify(observation.metric);
    if (Screen(config, observation, now_us) != &Screening::usable) continue;
    if (IsJudged(observation, id)) indicators.Judge(observation, id);
  }
  indicators.Report(&findings);
  FindRules(config, observations, count, now_us, &findings);
  findings.Sort();
  return findings;
}

}  // namespace auren::core

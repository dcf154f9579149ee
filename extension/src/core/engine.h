// The mode engine: one delivery's readings, the person's baselines and current mode in; a decision
// with all its factors out. Pure: no clock, no storage; the same code live and in backtests.
//
// One evaluation is one delivery. In order:
//
// 1. Which readings may decide. A reading is left out when it is older than max_reading_age_seconds
//    at `now` (age counts from its end), carries the flag `pending` or `calibrating`, or is late
//    (older than one of the same device and metric that was judged before). If none is left,
//    nothing is evaluated: the decision is kNone and the calm count stays.
//
// 2. Triggers, each from a reading this delivery brought, and the mode each asks for:
//      reflex      hrv_drop             more than hrv_drop_ms or hrv_drop_percentage below the
//                                       long reference
//                  heart_rate_elevated  above heart_rate_elevated
//                  stress_critical      stress_level above stress_level_critical
//      guardian    recovery_low         recovery_score below recovery_low_percentage, or
//                                       readiness_score below its own band (60)
//                  low_indicators       two or more kinds of low indicator (low_indicators.h),
//                                       this delivery's and those still standing; at least one of
//                                       them brought by this delivery
//      hypothesis  anomalous_reading    |z| >= anomaly_z where the metric is judged by z, or
//                                       outside the soft range
//      any         a rule's name        all conditions of a rule of the configuration (rules.h,
//                                       rule_findings.h)
//    Thresholds are strict: a value exactly at its threshold does not fire. Where a rule says "at
//    least" (anomaly_z, most low indicators) it does.
//
//    Readings that say nothing about rest are not judged, though they count as an evaluation: a
//    pulse (heart_rate, hrv_rmssd, hrv_sdnn), breath or body temperature in the context workout or
//    active; the min, max or sum of a pulse in any context. Other thresholds, too, are for levels:
//    a min, max or sum is held against none (a sum of sleep_duration is). A single (instant) heart
//    rate has no z-score: its baseline is of days.
//
// 3. Choice: the mode of the highest priority wins. Within the cooldown only a mode of higher
//    priority than the current one may be entered; a mode set by hand is left only for a higher
//    one. No trigger for calm_evaluations evaluations after the cooldown: pattern, or baseline
//    while history is short.
//
// 4. Result: Decision, with every factor that fired and every one that nearly did (borderline).
//
// Confidence: each factor that fired contributes 0.5 (an alarm), 0.3 (a low indicator) or 0.4 (an
// anomaly) at its threshold and more beyond it, up to 0.95, 0.6 and 0.85 (the conditions of a rule:
// its weight together, up to 0.9 of what that leaves); six tenths of that when a
// configured default stands in for the person's own history. Together: 1 - product(1 -
// contribution) over the metrics, each with its strongest factor. So it never falls when a reading
// gets worse.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "core/baseline.h"
#include "core/config.h"
#include "core/status.h"

namespace auren::core {

enum class Context : std::uint8_t {
  kNone,
  kRest,
  kSleep,
  kSedentary,
  kActive,
  kWorkout,
  kWake,
  kUnknown
};
enum class Statistic : std::uint8_t {
  kInstant,
  kAvg,
  kMin,
  kMax,
  kSum,
  kInterval,
  kDaily,
  kSession,
  kSessionAvg,
  kSessionSum,
  kSessionMin
};

// Names as in the contract ("sleep", "session_avg"); false for a name that is not one of them.
bool ParseContext(std::string_view name, Context* context) noexcept;
bool ParseStatistic(std::string_view name, Statistic* statistic) noexcept;
const char* Name(Context context) noexcept;  // "" for kNone
const char* Name(Statistic statistic) noexcept;

// One reading as the engine sees it. `metric` must outlive the call.
struct Observation {
  std::string_view metric;
  double value = 0;        // in the metric's unit
  std::int64_t at_us = 0;  // its end, else its start: microseconds, any epoch that `now_us` shares
  Context context = Context::kNone;
  Statistic statistic = Statistic::kInstant;
  bool outside_soft_range = false;
  bool unsettled = false;  // flagged pending or calibrating
  bool late = false;       // older than one of the same device and metric judged before
  bool standing = false;   // not of this delivery: the newest stored one of its device and metric,
                           // given only so that low indicators, and the conditions of a rule, can
                           // be counted together
  bool judged_by_z = false;  // the metric's baseline is of the kind a z-score may be taken against
  Baseline baseline;         // days = 0 when there is none
};

struct CurrentMode {
  std::string_view mode = "baseline";
  bool by_hand = false;
  bool ever_switched = false;  // false: there is no cooldown
  std::int64_t since_us = 0;   // when it was entered
  int calm = 0;                // calm evaluations since the cooldown ended
};

enum class Trigger : std::uint8_t {
  kHrvDrop,
  kHeartRateElevated,
  kStressCritical,
  kRecoveryLow,
  kLowIndicators,
  kAnomalousReading,
  kCalm,
  kRule  // of the configuration: which one is told beside it
};
const char* Name(Trigger trigger) noexcept;  // "hrv_drop", ...

// Whether the newest stored reading of each device is to be given along with a delivery
// (Observation::standing): the metric is that of a low indicator, or of a rule that counts several
// conditions together.
bool CountsWhileStanding(const Config& config, std::string_view metric) noexcept;

inline constexpr int kMaxFactors = 64;

// Why: one value that was held against one threshold. Of several readings that say the same (the
// same trigger and metric, the same kind of low indicator, or the same condition of a rule) only
// the strongest is told; of very many anomalies, and of very many conditions, the strongest.
struct Factor {
  Trigger trigger;
  char rule[kMaxRuleName + 1];  // kRule: its name; else empty
  char metric[64];
  char indicator[24];  // for low_indicators: "recovery", "resting_heart_rate", "temperature",
                       // "respiration", "oxygen", "sleep"; else empty
  double value;
  double baseline;      // the reference it was held against; NaN when there is none
  double threshold;     // the value at which it would have fired, in the metric's unit (z: in z);
                        // NaN when only known to be outside the soft range
  double z;             // NaN when not taken
  double low, high;     // the values between which |z| stays below anomaly_z; NaN when not by z
  double contribution;  // 0..1, what it adds to the confidence; 0 when it did not fire
  bool fired;
  bool borderline;  // fired or missed by no more than borderline_margin
  bool baseline_is_default;
};

enum class Outcome : std::uint8_t {
  kNone,    // nothing to judge
  kStay,    // judged, the mode stays; `calm` is the new count
  kSwitch,  // enter `to_mode`
};

struct Decision {
  Outcome outcome = Outcome::kNone;
  char to_mode[kMaxModeName + 1] = {};  // kSwitch only
  Trigger trigger = Trigger::kCalm;     // the strongest of the winning mode; kCalm: none fired
  char rule[kMaxRuleName + 1] = {};     // kRule: its name; else empty
  double confidence = 0;                // 0..1; 0 when nothing fired and the mode stays
  int calm = 0;                         // to be stored for the next evaluation
  bool held_by_cooldown = false;        // a trigger fired but the cooldown kept the mode
  bool borderline = false;              // all that fired for the winning mode was borderline
  char reason[256] = {};                // one sentence for people
  Factor factors[kMaxFactors];          // fired first, then borderline ones, strongest first
  int factor_count = 0;
};

static_assert(std::is_trivially_copyable_v<Decision>);

// The trigger as users know it: "hrv_drop", or the name of the rule. Points into the argument.
inline const char* TriggerName(const Factor& factor) noexcept {
  return factor.trigger == Trigger::kRule ? factor.rule : Name(factor.trigger);
}
inline const char* TriggerName(const Decision& decision) noexcept {
  return decision.trigger == Trigger::kRule ? decision.rule : Name(decision.trigger);
}

// `observations` may come in any order: the answer does not depend on it. A value that is not
// finite is passed over. `history_days`: the most days with a value in any of the person's
// baselines. REQUIRES: Validate(config); kInternal when a mode the decision needs is missing.
Status Decide(const Config& config, const CurrentMode& current, const Observation* observations,
              int count, int history_days, std::int64_t now_us, Decision* decision) noexcept;

}  // namespace auren::core

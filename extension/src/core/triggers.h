// The triggers: one delivery's observations held against thresholds and baselines. Internal to the
// core; what each trigger means is said in engine.h, the figures of low indicators in
// low_indicators.h.
#pragma once

#include <cstdint>

#include "core/config.h"
#include "core/engine.h"
#include "core/findings.h"

namespace auren::core {

// A limit: fires beyond `at`; surest at `full`. `distance` is what the borderline margin is a
// fraction of: the threshold itself, or its distance from what is ordinary where the scale has no
// meaningful zero (a tenth of 37.8 Cel would make every temperature borderline).
struct Limit {
  double at;
  double full;
  double distance;
  bool above;      // fires above the limit, else below
  bool inclusive;  // fires at the limit, too
};

bool Beyond(const Limit& limit, double value) noexcept;

// Fills in limit, severity, fired, borderline and contribution of a finding whose value is `value`
// on the limit's scale. The contribution grows from `base` at the limit to `base + span` at `full`.
void HoldAgainst(const Limit& limit, double value, double margin, double base, double span,
                 Finding* finding) noexcept;

// What is left of a contribution when a configured default stands in for the person's own history.
inline constexpr double kDefaultDiscount = 0.6;

// How many delivered readings may decide, and why the others may not.
struct Screening {
  int usable = 0;
  int old = 0;
  int unsettled = 0;
  int late = 0;
};

// Whether a finite reading may decide at all: not old, not unsettled, not late.
bool MayDecide(const Config& config, const Observation& observation, std::int64_t now_us) noexcept;

bool HasHistory(const Config& config, const Baseline& baseline) noexcept;

// Whether the reading may be held against its baseline by z-score. A single heart rate has no daily
// baseline to be held against.
bool TakesZ(const Config& config, const Observation& observation, MetricId id) noexcept;

// Every trigger and rule over every observation that may decide.
Findings FindTriggers(const Config& config, const Observation* observations, int count,
                      std::int64_t now_us, Screening* screening) noexcept;

}  // namespace auren::core

// The rules of a configuration held against one delivery. Internal to the core; what a rule
// consists of is said in rules.h.
//
// A condition looks at the readings of its metric that may decide (engine.h): those of this
// delivery, and those that still stand, unless the delivery brought a newer one that the condition
// looks at. It is met when any of them meets it. `context` and `statistic` choose which readings it
// looks at; left out, they are those that built-in triggers look at: none taken in motion where
// effort moves the metric, and no minimum, maximum or sum. A rule fires when all its conditions are
// met, at least one of them by a reading of this delivery. It nearly fires when what is missing is
// missed by no more than borderline_margin.
//
// Where a condition needs a reference and history is short, hrv_default and heart_rate_default
// stand in for a percentage of hrv_rmssd, hrv_sdnn, heart_rate and resting_heart_rate, with the
// usual discount; nothing stands in for a z-score.
//
// Contributions: a rule of n conditions whose values are exactly at their thresholds adds up to its
// weight w, each of them 1 - (1 - w)^(1/n); beyond them it grows to w + 0.9 (1 - w).
#pragma once

#include <cstdint>
#include <string_view>

#include "core/config.h"
#include "core/engine.h"
#include "core/findings.h"

namespace auren::core {

// Adds what every rule found, in the order of the configuration.
void FindRules(const Config& config, const Observation* observations, int count,
               std::int64_t now_us, Findings* findings) noexcept;

}  // namespace auren::core

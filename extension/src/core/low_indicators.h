// Low indicators: mild signs, of which two kinds together say that the body needs rest. Internal to
// the core.
//
//   recovery            recovery_score < recovery_low_percentage, or readiness_score < 60
//   resting_heart_rate  >= reference + max(5 /min, 1.5 sd); while history is short the configured
//                       heart_rate_default is the reference
//   temperature         skin_temperature_deviation >= 0.5 Cel, body_temperature >= 37.8 Cel,
//                       skin_temperature or sleeping_wrist_temperature >= reference + max(0.5 Cel,
//                       2 sd)
//   respiration         respiratory_rate >= reference + 2 sd
//   oxygen              oxygen_saturation < 92 %
//   sleep               sleep_duration < 5 h
//
// Where a reference is needed and no default exists, short history means: not judged. Sources: the
// bands of WHOOP and Oura for recovery (60 is where Oura's "pay attention" ends); the other figures
// are this project's judgement of what a nightly value has to do to be worth a second look, not
// diagnostic limits.
#pragma once

#include <cstdint>

#include "core/config.h"
#include "core/engine.h"
#include "core/findings.h"
#include "core/metrics.h"

namespace auren::core {

inline constexpr double kReadinessLow = 60;

// Collects one delivery's indicators, then tells whether two kinds are low.
class LowIndicators {
 public:
  explicit LowIndicators(const Config& config) noexcept : config_(config) {}

  // Note takes every delivered reading that may decide, then Judge takes those and the standing
  // ones: a standing reading is replaced by a newer one of its metric that was delivered, whatever
  // the device.
  void Note(const Observation& observation, MetricId id) noexcept;
  void Judge(const Observation& observation, MetricId id) noexcept;

  // Adds what was found. Nothing unless this delivery brought a part of it, and nothing for a
  // single kind that is only close to its limit.
  void Report(Findings* findings) const noexcept;

 private:
  struct Kind {
    Finding finding;           // the strongest; `fired` says low
    bool seen = false;         // low or borderline
    bool brought = false;      // so in a reading of this delivery
    bool low_brought = false;  // low in a reading of this delivery
  };

  const Config& config_;
  bool delivered_[kMetricIds] = {};
  std::int64_t newest_us_[kMetricIds] = {};  // of what was delivered
  Kind kinds_[kIndicators];
};

}  // namespace auren::core

// The metrics the engine has rules for. Every other metric is judged by its z-score and its soft
// range only. Internal to the core.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/engine.h"

namespace auren::core {

enum class MetricId : std::uint8_t {
  kHeartRate,
  kHrvRmssd,
  kHrvSdnn,
  kStressLevel,
  kRecoveryScore,
  kReadinessScore,
  kRestingHeartRate,
  kSkinTemperatureDeviation,
  kBodyTemperature,
  kSleepingWristTemperature,
  kSkinTemperature,
  kRespiratoryRate,
  kOxygenSaturation,
  kSleepDuration,
  kOther
};
inline constexpr int kMetricIds = static_cast<int>(MetricId::kOther) + 1;

// The kinds of low indicator (low_indicators.h).
enum class Indicator : std::uint8_t {
  kNone,
  kRecovery,
  kRestingHeartRate,
  kTemperature,
  kRespiration,
  kOxygen,
  kSleep
};
inline constexpr int kIndicators = static_cast<int>(Indicator::kSleep) + 1;
const char* Name(Indicator indicator) noexcept;

MetricId Identify(std::string_view metric) noexcept;

// The kind of low indicator a metric can be, or kNone.
Indicator IndicatorOf(MetricId id) noexcept;

// A reading taken in motion says nothing about rest: pulse, its variability, breath and the skin
// all follow the effort.
bool MovedByEffort(MetricId id, Context context) noexcept;

// Whether the statistic tells the level of the metric, as thresholds and baselines mean it. The
// minimum of a night or the sum of a day does not; of a duration, the sum does.
bool TellsLevel(MetricId id, Statistic statistic) noexcept;

// A value for people: "60.4 ms", "4.2 h". A unit is left out where it would only repeat the name.
struct Shown {
  char text[48];
};
Shown Show(MetricId id, double value) noexcept;

}  // namespace auren::core

#include "core/metrics.h"

#include <cstdio>
#include <cstring>

namespace auren::core {
namespace {

struct Traits {
  const char* name;
  const char* unit;  // as shown
  double per_shown;  // how many of the metric's unit make one of the shown one
  int digits;        // at most, after the point
  bool effort_moves;
  Indicator indicator;
};

// In the order of MetricId.
constexpr Traits kTraits[] = {
    {"heart_rate", " /min", 1, 1, true, Indicator::kNone},
    {"hrv_rmssd", " ms", 1, 1, true, Indicator::kNone},
    {"hrv_sdnn", " ms", 1, 1, true, Indicator::kNone},
    {"stress_level", "", 1, 3, false, Indicator::kNone},
    {"recovery_score", " %", 1, 1, false, Indicator::kRecovery},
    {"readiness_score", "", 1, 1, false, Indicator::kRecovery},
    {"resting_heart_rate", " /min", 1, 1, false, Indicator::kRestingHeartRate},
    {"skin_temperature_deviation", " Cel", 1, 2, false, Indicator::kTemperature},
    {"body_temperature", " Cel", 1, 2, true, Indicator::kTemperature},
    {"sleeping_wrist_temperature", " Cel", 1, 2, false, Indicator::kTemperature},
    {"skin_temperature", " Cel", 1, 2, true, Indicator::kTemperature},
    {"respiratory_rate", " /min", 1, 1, true, Indicator::kRespiration},
    {"oxygen_saturation", " %", 1, 1, false, Indicator::kOxygen},
    {"sleep_duration", " h", 3600, 1, false, Indicator::kSleep},
    {"", "", 1, 3, false, Indicator::kNone},  // kOther: any name, any unit
};
static_assert(std::size(kTraits) == kMetricIds);

const Traits& TraitsOf(MetricId id) noexcept { return kTraits[static_cast<int>(id)]; }

constexpr const char* kIndicatorNames[] = {
    "", "recovery", "resting_heart_rate", "temperature", "respiration", "oxygen", "sleep"};
static_assert(std::size(kIndicatorNames) == kIndicators);

// "60.40" -> "60.4", "60.00" -> "60".
void DropTrailingZeros(char* text) noexcept {
  if (std::strchr(text, '.') == nullptr) return;
  char* end = text + std::strlen(text);
  while (end[-1] == '0') *--end = '\0';
  if (end[-1] == '.') end[-1] = '\0';
}

}  // namespace

MetricId Identify(std::string_view metric) noexcept {
  for (int i = 0; i < static_cast<int>(MetricId::kOther); ++i) {
    if (metric == kTraits[i].name) return static_cast<MetricId>(i);
  }
  return MetricId::kOther;
}

const char* Name(Indicator indicator) noexcept {
  return kIndicatorNames[static_cast<int>(indicator)];
}

Indicator IndicatorOf(MetricId id) noexcept { return TraitsOf(id).indicator; }

bool MovedByEffort(MetricId id, Context context) noexcept {
  if (context != Context::kWorkout && context != Context::kActive) return false;
  return TraitsOf(id).effort_moves;
}

bool TellsLevel(MetricId id, Statistic statistic) noexcept {
  switch (statistic) {
    case Statistic::kInstant:
    case Statistic::kAvg:
    case Statistic::kInterval:
    case Statistic::kDaily:
    case Statistic::kSession:
    case Statistic::kSessionAvg:
      return true;
    case Statistic::kSum:
    case Statistic::kSessionSum:
      return id == MetricId::kSleepDuration;
    case Statistic::kMin:
    case Statistic::kMax:
    case Statistic::kSessionMin:
      return false;
  }
  return false;
}

Shown Show(MetricId id, double value) noexcept {
  const Traits& traits = TraitsOf(id);
  char number[40];
  std::snprintf(number, sizeof number, "%.*f", traits.digits, value / traits.per_shown);
  DropTrailingZeros(number);
  Shown shown;
  std::snprintf(shown.text, sizeof shown.text, "%s%s", number, traits.unit);
  return shown;
}

}  // namespace auren::core

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
};

// In the order of MetricId.
constexpr Traits kTraits[] = {
    {"heart_rate", " /min", 1, 1, true},
    {"hrv_rmssd", " ms", 1, 1, true},
    {"hrv_sdnn", " ms", 1, 1, true},
    {"stress_level", "", 1, 3, false},
    {"recovery_score", " %", 1, 1, false},
    {"readiness_score", "", 1, 1, false},
    {"resting_heart_rate", " /min", 1, 1, false},
    {"skin_temperature_deviation", " Cel", 1, 2, false},
    {"body_temperature", " Cel", 1, 2, true},
    {"sleeping_wrist_temperature", " Cel", 1, 2, false},
    {"skin_temperature", " Cel", 1, 2, true},
    {"respiratory_rate", " /min", 1, 1, true},
    {"oxygen_saturation", " %", 1, 1, false},
    {"sleep_duration", " h", 3600, 1, false},
};
static_assert(std::size(kTraits) == static_cast<std::size_t>(MetricId::kOther));

constexpr int kOtherDigits = 3;

// "60.40" -> "60.4", "60.00" -> "60".
void DropTrailingZeros(char* text) noexcept {
  if (std::strchr(text, '.') == nullptr) return;
  char* end = text + std::strlen(text);
  while (end[-1] == '0') *--end = '\0';
  if (end[-1] == '.') end[-1] = '\0';
}

}  // namespace

MetricId Identify(std::string_view metric) noexcept {
  for (std::size_t i = 0; i < std::size(kTraits); ++i) {
    if (metric == kTraits[i].name) return static_cast<MetricId>(i);
  }
  return MetricId::kOther;
}

bool MovedByEffort(MetricId id, Context context) noexcept {
  if (context != Context::kWorkout && context != Context::kActive) return false;
  return id != MetricId::kOther && kTraits[static_cast<int>(id)].effort_moves;
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
  constexpr Traits kOther = {"", "", 1, kOtherDigits, false};
  const Traits& traits = id == MetricId::kOther ? kOther : kTraits[static_cast<int>(id)];
  char number[40];
  std::snprintf(number, sizeof number, "%.*f", traits.digits, value / traits.per_shown);
  DropTrailingZeros(number);
  Shown shown;
  std::snprintf(shown.text, sizeof shown.text, "%s%s", number, traits.unit);
  return shown;
}

}  // namespace auren::core

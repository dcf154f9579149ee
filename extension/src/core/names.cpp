// The names of the contract for the engine's enumerations. The position in a table is the value.
#include <cstddef>
#include <string_view>

#include "core/engine.h"

namespace auren::core {
namespace {

constexpr const char* kContexts[] = {"",       "rest",    "sleep", "sedentary",
                                     "active", "workout", "wake",  "unknown"};
constexpr const char* kStatistics[] = {"instant",     "avg",         "min",        "max",
                                       "sum",         "interval",    "daily",      "session",
                                       "session_avg", "session_sum", "session_min"};
constexpr const char* kTriggers[] = {"hrv_drop",
                                     "heart_rate_elevated",
                                     "stress_critical",
                                     "recovery_low",
                                     "low_indicators",
                                     "anomalous_reading",
                                     "calm",
                                     "rule"};

static_assert(std::size(kContexts) == static_cast<std::size_t>(Context::kUnknown) + 1);
static_assert(std::size(kStatistics) == static_cast<std::size_t>(Statistic::kSessionMin) + 1);
static_assert(std::size(kTriggers) == static_cast<std::size_t>(Trigger::kRule) + 1);

template <typename Enum, std::size_t kCount>
bool Parse(const char* const (&names)[kCount], std::size_t first, std::string_view name,
           Enum* value) noexcept {
  for (std::size_t i = first; i < kCount; ++i) {
    if (name == names[i]) {
      *value = static_cast<Enum>(i);
      return true;
    }
  }
  return false;
}

}  // namespace

// kNone is the absence of a name, so it cannot be spelled.
bool ParseContext(std::string_view name, Context* context) noexcept {
  return Parse(kContexts, 1, name, context);
}

bool ParseStatistic(std::string_view name, Statistic* statistic) noexcept {
  return Parse(kStatistics, 0, name, statistic);
}

const char* Name(Context context) noexcept { return kContexts[static_cast<std::size_t>(context)]; }

const char* Name(Statistic statistic) noexcept {
  return kStatistics[static_cast<std::size_t>(statistic)];
}

const char* Name(Trigger trigger) noexcept { return kTriggers[static_cast<std::size_t>(trigger)]; }

}  // namespace auren::core

// The steps between a delivery's readings and what the engine is shown, for whoever evaluates: the
// ingest, which has the person's history in tables, and the backtest, which has it in memory. What
// both do here they do alike to the last bit.
//
// Days are local ones, counted from any epoch that all of them share.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/baseline.h"
#include "core/config.h"
#include "core/engine.h"
#include "core/status.h"

namespace auren::core {

struct DailyValue {
  double value;
  std::int32_t day;
  int readings;
};

// The baseline a reading of some day is held against.
struct DayBaseline {
  Baseline baseline;
  bool one_a_day = false;  // its daily values are single readings
};

// The value of a day from its readings: the mean, on the log scale the geometric one. They are
// added up in order of size, so that it does not matter how they were found; `values` is sorted.
// REQUIRES: count > 0; on the log scale every value is positive.
double ValueOfDay(double* values, int count, Scale scale) noexcept;

// From the daily values of the 60 days before `day` that are also before `before`. `days`: oldest
// first, each day once; others than those are passed over.
Status BaselineOfDay(const DailyValue* days, int count, std::int32_t day, std::int32_t before,
                     Scale scale, DayBaseline* baseline) noexcept;

// The end before which a reading of a delivery received then is too old to decide anything.
std::int64_t OldestThatDecides(const Config& config, std::int64_t received_at_us) noexcept;

// Of very many readings only the newest max_recent_readings are judged: the end before which they
// are left out, never below `oldest`. `ends`: of all that may decide, in any order; is reordered.
std::int64_t CutOff(const Config& config, std::int64_t* ends, int count,
                    std::int64_t oldest) noexcept;

// Holds an observation against its baseline. True when its z-score is anomalous.
bool HoldAgainst(const Config& config, const Baseline& baseline, bool comparable_by_z,
                 Observation* observation) noexcept;

// What stands from before (CountsWhileStanding) counts only together with something of the kind
// that the delivery itself brings: whether it brings any.
bool BringsAPart(const Config& config, const Observation* observations, int count) noexcept;

// Whether a reading counts for the value of its day: not a min, max or sum, which do not tell the
// level, and, of what effort moves, none of a workout or of activity, for the baseline is one of
// rest. As biometrics.refresh_daily_values says it.
bool CountsForDay(std::string_view metric, Statistic statistic, Context context) noexcept;

}  // namespace auren::core

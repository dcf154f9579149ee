#include "core/evaluation.h"

#include <algorithm>
#include <cmath>

#include "core/metrics.h"

namespace auren::core {
namespace {

// At most this many readings a day on average: a day of the series is a reading.
constexpr double kOneADay = 1.5;
constexpr double kMicroseconds = 1e6;

}  // namespace

double ValueOfDay(double* values, int count, Scale scale) noexcept {
  std::sort(values, values + count);
  double sum = 0;
  for (int i = 0; i < count; ++i) sum += scale == Scale::kLog ? std::log(values[i]) : values[i];
  const double mean = sum / count;
  return scale == Scale::kLog ? std::exp(mean) : mean;
}

Status BaselineOfDay(const DailyValue* days, int count, std::int32_t day, std::int32_t before,
                     Scale scale, DayBaseline* baseline) noexcept {
  double values[kLongWindowDays];
  double readings = 0;
  int used = 0;
  for (int i = 0; i < count && used < kLongWindowDays; ++i) {
    if (days[i].day < day - kLongWindowDays) continue;
    if (days[i].day >= day || days[i].day >= before) break;
    values[used++] = days[i].value;
    readings += days[i].readings;
  }
  *baseline = DayBaseline{};
  baseline->one_a_day = used > 0 && readings / used <= kOneADay;
  if (used == 0) return Status::Ok();
  return ComputeBaseline(values, used, scale, &baseline->baseline);
}

std::int64_t OldestThatDecides(const Config& config, std::int64_t received_at_us) noexcept {
  return received_at_us -
         static_cast<std::int64_t>(config.thresholds.max_reading_age_seconds * kMicroseconds);
}

std::int64_t CutOff(const Config& config, std::int64_t* ends, int count,
                    std::int64_t oldest) noexcept {
  const int most = static_cast<int>(config.thresholds.max_recent_readings);
  if (count <= most) return oldest;
  std::nth_element(ends, ends + (count - most), ends + count);
  return std::max(oldest, ends[count - most]);
}

bool HoldAgainst(const Config& config, const Baseline& baseline, bool comparable_by_z,
                 Observation* observation) noexcept {
  observation->baseline = baseline;
  observation->judged_by_z = comparable_by_z;
  return comparable_by_z && baseline.days >= config.baselines.min_baseline_days &&
         std::fabs(Deviate(baseline, observation->value).z) >= config.thresholds.anomaly_z;
}

bool BringsAPart(const Config& config, const Observation* observations, int count) noexcept {
  for (int i = 0; i < count; ++i) {
    if (!observations[i].late && !observations[i].standing &&
        CountsWhileStanding(config, observations[i].metric)) {
      return true;
    }
  }
  return false;
}

bool CountsForDay(std::string_view metric, Statistic statistic, Context context) noexcept {
  if (statistic == Statistic::kMin || statistic == Statistic::kMax ||
      statistic == Statistic::kSum) {
    return false;
  }
  return (context != Context::kWorkout && context != Context::kActive) ||
         !MovedByEffort(Identify(metric), context);
}

}  // namespace auren::core

#include "biometrics/baselines.h"

#include "postgres/errors.h"
#include "postgres/spi.h"
#include "postgres/values.h"

extern "C" {
#include "utils/date.h"
}

namespace auren::biometrics {
namespace {

// At most this many readings a day on average: a day of the series is a reading.
constexpr double kOneADay = 1.5;

pg::Statement refresh = {
    "SELECT biometrics.refresh_daily_values($1, $2)"
    " WHERE EXISTS (SELECT FROM biometrics.daily_values"
    "                WHERE user_id = $1 AND stale AND day < $2)",
    2,
    {TEXTOID, DATEOID}};

pg::Statement select_days = {
    "SELECT day, value, readings FROM biometrics.daily_values"
    " WHERE user_id = $1 AND device_type = $2 AND metric_type = $3"
    "   AND day >= $4 AND day < $5 AND NOT stale AND readings > 0 ORDER BY day",
    5,
    {TEXTOID, TEXTOID, TEXTOID, DATEOID, DATEOID}};

pg::Statement count_days = {
    "SELECT coalesce(max(d.n), 0)::integer FROM ("
    " SELECT count(*) AS n FROM biometrics.daily_values"
    "  WHERE user_id = $1 AND day >= $2 AND day < $3 AND NOT stale AND readings > 0"
    "  GROUP BY device_type, metric_type) d",
    3,
    {TEXTOID, DATEOID, DATEOID}};

// Computes the baseline of the window before `day`.
void Compute(Series* series, int32 day) {
  int first = 0;
  while (first < series->count && series->days[first].day < day - core::kLongWindowDays) first++;
  int end = first;
  double* values = static_cast<double*>(palloc(sizeof(double) * (series->count + 1)));
  double readings = 0;
  while (end < series->count && series->days[end].day < day) {
    values[end - first] = series->days[end].value;
    readings += series->days[end].readings;
    end++;
  }
  const int count = end - first;
  series->baseline = core::Baseline{};
  if (count > 0) {
    pg::ThrowIfError(core::ComputeBaseline(
        values, count,
        series->metric->baseline == BaselineKind::kLog ? core::Scale::kLog : core::Scale::kLinear,
        &series->baseline));
  }
  pfree(values);
  series->one_a_day = count > 0 && readings / count <= kOneADay;
  series->computed_day = day;
  series->computed = true;
}

}  // namespace

Baselines::Baselines(text* user_id, int32 first_day, int32 last_day)
    : user_id_(user_id), first_day_(first_day), last_day_(last_day) {
  const Datum values[] = {PointerGetDatum(user_id_), DateADTGetDatum(last_day_)};
  pg::Execute(&refresh, values);
}

Series* Baselines::Load(std::string_view device, const MetricType& metric) {
  for (int i = 0; i < count_; i++) {
    if (series_[i].metric == &metric && series_[i].device == device) return &series_[i];
  }
  const Datum values[] = {PointerGetDatum(user_id_), PointerGetDatum(pg::Text(device)),
                          PointerGetDatum(pg::Text(metric.name)),
                          DateADTGetDatum(first_day_ - core::kLongWindowDays),
                          DateADTGetDatum(last_day_)};
  const int count = static_cast<int>(pg::Execute(&select_days, values));

  if (count_ == capacity_) {
    capacity_ = capacity_ == 0 ? 8 : capacity_ * 2;
    const size_t size = sizeof(Series) * capacity_;
    series_ = static_cast<Series*>(series_ == nullptr ? palloc(size) : repalloc(series_, size));
  }
  Series& series = series_[count_++];
  series = Series{};
  series.device = device;
  series.metric = &metric;
  series.days = static_cast<DailyValue*>(palloc(sizeof(DailyValue) * (count + 1)));
  for (int i = 0; i < count; i++) {
    series.days[i] = {DatumGetDateADT(pg::Column(i, 1)), DatumGetFloat8(pg::Column(i, 2)),
                      DatumGetInt32(pg::Column(i, 3))};
  }
  series.count = count;
  return &series;
}

const Series* Baselines::Find(std::string_view device, const MetricType& metric, int32 day) {
  if (metric.baseline == BaselineKind::kNone) return nullptr;
  Series* series = Load(device, metric);
  if (!series->computed || series->computed_day != day) Compute(series, day);
  return series;
}

int Baselines::HistoryDays(int enough) {
  int days = 0;
  for (int i = 0; i < count_; i++) days = Max(days, series_[i].baseline.days);
  if (days >= enough) return days;
  const Datum values[] = {PointerGetDatum(user_id_),
                          DateADTGetDatum(last_day_ - core::kLongWindowDays),
                          DateADTGetDatum(last_day_)};
  pg::Execute(&count_days, values);
  return DatumGetInt32(pg::Column(0, 1));
}

bool ComparableByZ(const Series& series, core::Statistic statistic) {
  switch (statistic) {
    case core::Statistic::kDaily:
    case core::Statistic::kSession:
    case core::Statistic::kSessionAvg:
    case core::Statistic::kSessionSum:
      return true;
    case core::Statistic::kMin:
    case core::Statistic::kMax:
    case core::Statistic::kSum:
      return false;
    default:
      return series.one_a_day;
  }
}

}  // namespace auren::biometrics

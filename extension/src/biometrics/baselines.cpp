#include "biometrics/baselines.h"

#include "postgres/errors.h"
#include "postgres/rows.h"
#include "postgres/spi.h"
#include "postgres/values.h"

extern "C" {
#include "utils/date.h"
}

namespace auren::biometrics {
namespace {

constexpr pg::RowColumn kPerson[] = {{"user_id", TEXTOID}, {"before", DATEOID}};

// The function only for who needs it: as a rule nobody does.
pg::Statement refresh = {
    "SELECT biometrics.refresh_daily_values(p.user_id, p.before) FROM stale_persons p"
    " WHERE (SELECT true FROM biometrics.daily_values d"
    "         WHERE d.user_id = p.user_id AND d.stale AND d.day < p.before LIMIT 1)",
    0,
    {}};

constexpr pg::RowColumn kWanted[] = {{"n", INT4OID},      {"user_id", TEXTOID},
                                     {"device", TEXTOID}, {"metric", TEXTOID},
                                     {"first", DATEOID},  {"before", DATEOID}};

pg::Statement select_days = {
    "SELECT s.n, d.day, d.value, d.readings FROM wanted_series s CROSS JOIN LATERAL ("
    " SELECT v.day, v.value, v.readings FROM biometrics.daily_values v"
    "  WHERE v.user_id = s.user_id AND v.device_type = s.device AND v.metric_type = s.metric"
    "    AND v.day >= s.first AND v.day < s.before AND NOT v.stale AND v.readings > 0"
    "  ORDER BY v.day OFFSET 0) d",
    0,
    {}};

constexpr pg::RowColumn kCounted[] = {
    {"n", INT4OID}, {"user_id", TEXTOID}, {"first", DATEOID}, {"before", DATEOID}};

pg::Statement count_days = {
    "SELECT p.n, (SELECT coalesce(max(d.n), 0)::integer FROM ("
    "   SELECT count(*) AS n FROM biometrics.daily_values v"
    "    WHERE v.user_id = p.user_id AND v.day >= p.first AND v.day < p.before"
    "      AND NOT v.stale AND v.readings > 0"
    "    GROUP BY v.device_type, v.metric_type) d)"
    "  FROM counted_persons p",
    0,
    {}};

// Computes the baseline of the window before `day`.
void Compute(Series* series, int32 day) {
  core::DayBaseline computed;
  pg::ThrowIfError(core::BaselineOfDay(
      series->days, series->count, day, PG_INT32_MAX,
      series->metric->baseline == BaselineKind::kLog ? core::Scale::kLog : core::Scale::kLinear,
      &computed));
  series->baseline = computed.baseline;
  series->one_a_day = computed.one_a_day;
  series->computed_day = day;
  series->computed = true;
}

}  // namespace

Series* Baselines::Known(std::string_view device, const MetricType& metric) {
  for (int i = 0; i < count_; i++) {
    if (series_[i].metric == &metric && series_[i].device == device) return &series_[i];
  }
  return nullptr;
}

void Baselines::Want(std::string_view device, const MetricType& metric) {
  if (metric.baseline == BaselineKind::kNone || Known(device, metric) != nullptr) return;
  if (count_ == capacity_) {
    capacity_ = capacity_ == 0 ? 4 : capacity_ * 2;
    const size_t size = sizeof(Series) * capacity_;
    series_ = static_cast<Series*>(series_ == nullptr ? palloc(size) : repalloc(series_, size));
  }
  Series& series = series_[count_++];
  series = Series{};
  series.device = device;
  series.metric = &metric;
}

const Series* Baselines::Find(std::string_view device, const MetricType& metric, int32 day) {
  Series* series = Known(device, metric);
  if (series == nullptr) return nullptr;
  if (!series->computed || series->computed_day != day) Compute(series, day);
  return series;
}

void Refresh(Baselines* const* all, int count) {
  if (count == 0) return;
  pg::Rows rows("stale_persons", kPerson);
  for (int i = 0; i < count; i++) {
    rows.Text(all[i]->user_id_);
    rows.Add(DateADTGetDatum(all[i]->last_day_));
    rows.EndRow();
  }
  rows.Offer();
  pg::Execute(&refresh);
}

void LoadSeries(Baselines* const* all, int count) {
  int wanted = 0;
  for (int i = 0; i < count; i++) wanted += all[i]->count_;
  if (wanted == 0) return;

  pg::Rows rows("wanted_series", kWanted);
  auto** series = static_cast<Series**>(palloc(sizeof(void*) * wanted));
  for (int i = 0; i < count; i++) {
    for (int j = 0; j < all[i]->count_; j++) {
      Series* it = &all[i]->series_[j];
      series[rows.count()] = it;
      rows.Add(Int32GetDatum(rows.count()));
      rows.Text(all[i]->user_id_);
      rows.Text(it->device);
      rows.Text(it->metric->name);
      rows.Add(DateADTGetDatum(all[i]->first_day_ - core::kLongWindowDays));
      rows.Add(DateADTGetDatum(all[i]->last_day_));
      rows.EndRow();
    }
  }
  rows.Offer();
  const uint64 days = pg::Execute(&select_days);
  auto* values =
      static_cast<DailyValue*>(palloc_extended(sizeof(DailyValue) * (days + 1), MCXT_ALLOC_HUGE));
  for (uint64 row = 0; row < days; row++) {
    // The days of one series come one after the other.
    Series* it = series[DatumGetInt32(pg::Column(row, 1))];
    if (it->count++ == 0) it->days = &values[row];
    values[row] = {.value = DatumGetFloat8(pg::Column(row, 3)),
                   .day = DatumGetDateADT(pg::Column(row, 2)),
                   .readings = DatumGetInt32(pg::Column(row, 4))};
  }
}

void CountHistory(Baselines* const* all, int count, int enough) {
  pg::Rows rows("counted_persons", kCounted);
  for (int i = 0; i < count; i++) {
    Baselines* it = all[i];
    for (int j = 0; j < it->count_; j++) {
      it->history_days_ = Max(it->history_days_, it->series_[j].baseline.days);
    }
    if (it->history_days_ >= enough) continue;
    rows.Add(Int32GetDatum(i));
    rows.Text(it->user_id_);
    rows.Add(DateADTGetDatum(it->last_day_ - core::kLongWindowDays));
    rows.Add(DateADTGetDatum(it->last_day_));
    rows.EndRow();
  }
  if (rows.count() == 0) return;
  rows.Offer();
  const uint64 counted = pg::Execute(&count_days);
  for (uint64 row = 0; row < counted; row++) {
    all[DatumGetInt32(pg::Column(row, 1))]->history_days_ = DatumGetInt32(pg::Column(row, 2));
  }
}

bool ComparableByZ(bool one_a_day, core::Statistic statistic) {
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
      return one_a_day;
  }
}

}  // namespace auren::biometrics

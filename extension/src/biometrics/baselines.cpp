#include "biometrics/baselines.h"

#include <algorithm>

#include "biometrics/series_reader.h"
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

bool InOrder(const Series* a, const Series* b) {
  return a->device != b->device ? a->device < b->device : a->metric->name < b->metric->name;
}

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
  pg::Rows rows("stale_persons", kPerson);
  for (int i = 0; i < count; i++) {
    if (all[i]->begin_today_) continue;
    rows.Text(all[i]->user_id_);
    rows.Add(DateADTGetDatum(all[i]->last_day_));
    rows.EndRow();
  }
  if (rows.count() == 0) return;
  rows.Offer();
  pg::Execute(&refresh);
}

// No day of them is stale: Refresh has been there.
// Without a statement: a series is up to sixty rows, and there are some of them for every delivery.
void LoadSeries(Baselines* const* all, int count) {
  SeriesReader reader;
  reader.Begin();
  for (int i = 0; i < count; i++) {
    CHECK_FOR_INTERRUPTS();
    const Baselines& it = *all[i];
    if (it.begin_today_ || it.count_ == 0) continue;
    auto** ordered = static_cast<Series**>(palloc(sizeof(void*) * it.count_));
    for (int j = 0; j < it.count_; j++) ordered[j] = &it.series_[j];
    std::sort(ordered, ordered + it.count_, InOrder);
    reader.Read(it.user_id_, ordered, it.count_, it.first_day_ - core::kLongWindowDays,
                it.last_day_);
  }
  reader.End();
}

void CountHistory(Baselines* const* all, int count, int enough) {
  pg::Rows rows("counted_persons", kCounted);
  for (int i = 0; i < count; i++) {
    Baselines* it = all[i];
    for (int j = 0; j < it->count_; j++) {
      it->history_days_ = Max(it->history_days_, it->series_[j].baseline.days);
    }
    if (it->begin_today_ || it->history_days_ >= enough) continue;
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

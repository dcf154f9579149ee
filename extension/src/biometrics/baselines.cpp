#include "biometrics/baselines.h"

#include "biometrics/tables.h"
#include "postgres/errors.h"
#include "postgres/probe.h"
#include "postgres/rows.h"
#include "postgres/spi.h"
#include "postgres/values.h"

extern "C" {
#include "access/table.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
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

// What the index of daily_values has beside the key since 0.2.0.
constexpr int kReadingsInIndex = 4;
constexpr int kValueInIndex = 5;

void AddDay(int32 day, Datum value, Datum readings, Series* series, int* capacity) {
  if (series->count == *capacity) {
    *capacity = *capacity == 0 ? core::kLongWindowDays : *capacity * 2;
    const size_t size = sizeof(DailyValue) * *capacity;
    series->days = static_cast<DailyValue*>(series->days == nullptr ? palloc(size)
                                                                    : repalloc(series->days, size));
  }
  series->days[series->count++] = {
      .value = DatumGetFloat8(value), .day = day, .readings = DatumGetInt32(readings)};
}

// By the index alone.
void ReadEntries(const Datum* keys, pg::Probe* probe, Series* series) {
  Datum values[INDEX_MAX_KEYS];
  bool is_null[INDEX_MAX_KEYS];
  int capacity = 0;
  for (bool found = probe->FirstEntry(keys, values, is_null); found;
       found = probe->NextEntry(values, is_null)) {
    if (is_null[kReadingsInIndex] || is_null[kValueInIndex]) continue;
    if (DatumGetInt32(values[kReadingsInIndex]) == 0) continue;
    AddDay(DatumGetDateADT(values[kDayDay - 1]), values[kValueInIndex], values[kReadingsInIndex],
           series, &capacity);
  }
}

// By the rows: in the schema of 0.1.0 the index had the key only.
void ReadRows(const Datum* keys, pg::Probe* probe, Series* series) {
  int capacity = 0;
  for (bool found = probe->First(keys); found; found = probe->Next()) {
    bool no_readings, no_value, is_null;
    const Datum readings = slot_getattr(probe->slot(), kDayReadings, &no_readings);
    const Datum value = slot_getattr(probe->slot(), kDayValue, &no_value);
    if (no_readings || no_value || DatumGetInt32(readings) == 0) continue;
    AddDay(DatumGetDateADT(slot_getattr(probe->slot(), kDayDay, &is_null)), value, readings, series,
           &capacity);
  }
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

// No day of them is stale: Refresh has been there.
// Without a statement: a series is up to sixty rows, and there are some of them for every delivery.
void LoadSeries(Baselines* const* all, int count) {
  Relation table = OpenDays();
  pg::Probe probe;
  probe.Begin(table, DayKey(), {F_TEXTEQ, F_TEXTEQ, F_TEXTEQ});
  probe.AddRange(F_DATE_GE, F_DATE_LT);
  for (int i = 0; i < count; i++) {
    CHECK_FOR_INTERRUPTS();
    for (int j = 0; j < all[i]->count_; j++) {
      Series* series = &all[i]->series_[j];
      const Datum keys[] = {PointerGetDatum(all[i]->user_id_),
                            PointerGetDatum(pg::Text(series->device)),
                            PointerGetDatum(pg::Text(series->metric->name)),
                            DateADTGetDatum(all[i]->first_day_ - core::kLongWindowDays),
                            DateADTGetDatum(all[i]->last_day_)};
      probe.index_columns() > kValueInIndex ? ReadEntries(keys, &probe, series)
                                            : ReadRows(keys, &probe, series);
    }
  }
  probe.End();
  table_close(table, AccessShareLock);
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

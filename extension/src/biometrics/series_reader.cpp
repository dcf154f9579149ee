#include "biometrics/series_reader.h"

#include "biometrics/tables.h"
#include "postgres/values.h"

extern "C" {
#include "access/table.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
}

namespace auren::biometrics {
namespace {

// What the index of daily_values has beside the key since 0.2.0.
constexpr int kReadingsInIndex = 4;
constexpr int kValueInIndex = 5;

// So many entries of no use are passed over before the next series is looked up by itself.
constexpr int kPatience = 32;

void AddDay(int32 day, double value, int readings, Series* series) {
  if (series->count == series->capacity) {
    series->capacity = series->capacity == 0 ? core::kLongWindowDays : series->capacity * 2;
    const size_t size = sizeof(DailyValue) * series->capacity;
    series->days = static_cast<DailyValue*>(series->days == nullptr ? palloc(size)
                                                                    : repalloc(series->days, size));
  }
  series->days[series->count++] = {.value = value, .day = day, .readings = readings};
}

}  // namespace

void SeriesReader::Begin() {
  table_ = OpenDays();
  probe_.Begin(table_, DayKey(), {F_TEXTEQ, F_TEXTEQ});
  probe_.AddPairFrom(F_BTTEXTCMP, F_DATE_CMP);
}

void SeriesReader::Read(text* user_id, Series* const* series, int count, int32 from, int32 before) {
  while (count > 0) {
    int of_device = 1;
    while (of_device < count && series[of_device]->device == series[0]->device) of_device++;
    ReadDevice(user_id, series, of_device, from, before);
    series += of_device;
    count -= of_device;
  }
}

// Goes from series to series, either along the index or by looking the next one up.
void SeriesReader::ReadDevice(text* user_id, Series* const* series, int count, int32 from,
                              int32 before) {
  text* device = pg::Text(series[0]->device);
  Row row;
  int current = 0;
  while (current < count) {
    const Datum keys[] = {PointerGetDatum(user_id), PointerGetDatum(device),
                          PointerGetDatum(pg::Text(series[current]->metric->name)),
                          DateADTGetDatum(from)};
    int passed = 0;
    bool found = Get(keys, &row);
    for (; found && passed <= kPatience; found = Get(nullptr, &row)) {
      while (current < count && series[current]->metric->name < row.metric) current++;
      if (current == count) return;
      if (series[current]->metric->name != row.metric || row.day < from) {
        passed++;
      } else if (row.day < before) {
        if (!row.has_value || (HasValuesInIndex() && !probe_.IsVisible())) continue;
        AddDay(row.day, row.value, row.readings, series[current]);
      } else if (++current == count) {
        return;
      }
    }
    if (!found) return;
  }
}

// In the schema of 0.1.0 it had the key only.
bool SeriesReader::HasValuesInIndex() const { return probe_.index_columns() > kValueInIndex; }

bool SeriesReader::Get(const Datum* keys, Row* row) {
  if (!HasValuesInIndex()) return GetByRow(keys, row);
  Datum values[INDEX_MAX_KEYS];
  bool is_null[INDEX_MAX_KEYS];
  const bool found = keys == nullptr ? probe_.NextEntry(values, is_null)
                                     : probe_.FirstEntry(keys, values, is_null);
  if (!found) return false;
  row->metric = pg::View(DatumGetTextPP(values[kDayMetricType - 1]));
  row->day = DatumGetDateADT(values[kDayDay - 1]);
  row->readings = is_null[kReadingsInIndex] ? 0 : DatumGetInt32(values[kReadingsInIndex]);
  row->has_value = row->readings > 0 && !is_null[kValueInIndex];
  row->value = row->has_value ? DatumGetFloat8(values[kValueInIndex]) : 0;
  return true;
}

bool SeriesReader::GetByRow(const Datum* keys, Row* row) {
  if (keys == nullptr ? !probe_.Next() : !probe_.First(keys)) return false;
  TupleTableSlot* slot = probe_.slot();
  bool is_null, no_value;
  row->metric = pg::View(DatumGetTextPP(slot_getattr(slot, kDayMetricType, &is_null)));
  row->day = DatumGetDateADT(slot_getattr(slot, kDayDay, &is_null));
  const Datum readings = slot_getattr(slot, kDayReadings, &is_null);
  row->readings = is_null ? 0 : DatumGetInt32(readings);
  const Datum value = slot_getattr(slot, kDayValue, &no_value);
  row->has_value = row->readings > 0 && !no_value;
  row->value = row->has_value ? DatumGetFloat8(value) : 0;
  return true;
}

void SeriesReader::End() {
  probe_.End();
  table_close(table_, AccessShareLock);
}

}  // namespace auren::biometrics

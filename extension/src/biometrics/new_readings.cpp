#include "biometrics/new_readings.h"

#include "biometrics/day_marks.h"
#include "biometrics/tables.h"
#include "biometrics/timestamp.h"
#include "core/quality.h"
#include "postgres/heap_insert.h"
#include "postgres/probe.h"
#include "postgres/values.h"

extern "C" {
#include "access/table.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
}

namespace auren::biometrics {
namespace {

bool SameText(TupleTableSlot* slot, AttrNumber column, std::string_view expected) {
  bool is_null;
  const Datum value = slot_getattr(slot, column, &is_null);
  if (is_null) return expected.empty();
  return !expected.empty() && pg::View(DatumGetTextPP(value)) == expected;
}

// The rest of the key, which an index scan cannot be asked for: nulls are equal.
bool SameKey(TupleTableSlot* slot, const Reading& reading) {
  bool is_null;
  const Datum end = slot_getattr(slot, kEndedAt, &is_null);
  return is_null != reading.has_end && (is_null || DatumGetTimestampTz(end) == reading.end) &&
         SameText(slot, kSource, reading.source) &&
         SameText(slot, kStatistic, reading.statistic_name);
}

bool IsStored(pg::Probe* probe, const Brought& from, text* metric, const Reading& reading) {
  const Datum keys[] = {PointerGetDatum(from.user_id), PointerGetDatum(from.device_type),
                        PointerGetDatum(metric), TimestampTzGetDatum(reading.start)};
  for (bool found = probe->First(keys); found; found = probe->Next()) {
    if (SameKey(probe->slot(), reading)) return true;
  }
  return false;
}

// False: a reading of the device is stored between the first and the last start of these. Then any
// of them may be stored; as a rule they are newer than all that is.
bool AreNew(pg::Probe* span, const Brought& from) {
  if (from.is_first) return true;
  TimestampTz first = DT_NOEND;
  TimestampTz last = DT_NOBEGIN;
  for (int i = 0; i < from.count; i++) {
    if (!from.readings[i].to_be_stored()) continue;
    first = Min(first, from.readings[i].start);
    last = Max(last, from.readings[i].start);
  }
  if (first > last) return true;
  const Datum keys[] = {PointerGetDatum(from.user_id), PointerGetDatum(from.device_type),
                        TimestampTzGetDatum(first), TimestampTzGetDatum(last + 1)};
  return !span->First(keys);
}

void PutText(TupleTableSlot* row, AttrNumber column, std::string_view value) {
  row->tts_isnull[column - 1] = value.empty();
  if (!value.empty()) row->tts_values[column - 1] = PointerGetDatum(pg::Text(value));
}

Datum FlagsOf(const Reading& reading) {
  if (reading.flag_count == 0) return PointerGetDatum(construct_empty_array(TEXTOID));
  auto* flags = static_cast<Datum*>(palloc(sizeof(Datum) * reading.flag_count));
  for (int i = 0; i < reading.flag_count; i++) {
    flags[i] = PointerGetDatum(pg::Text(reading.flags[i]));
  }
  return PointerGetDatum(
      construct_array(flags, reading.flag_count, TEXTOID, -1, false, TYPALIGN_INT));
}

// Fills the slot; it borrows what the row points to.
void Fill(TupleTableSlot* row, const Brought& from, text* metric, const Reading& reading,
          int32 day) {
  Datum* values = row->tts_values;
  bool* is_null = row->tts_isnull;
  memset(is_null, 0, sizeof(bool) * kDay);
  values[kUserId - 1] = PointerGetDatum(from.user_id);
  values[kDeviceType - 1] = PointerGetDatum(from.device_type);
  values[kMetricType - 1] = PointerGetDatum(metric);
  values[kRecordedAt - 1] = TimestampTzGetDatum(reading.start);
  values[kEndedAt - 1] = TimestampTzGetDatum(reading.end);
  is_null[kEndedAt - 1] = !reading.has_end;
  values[kValue - 1] = Float8GetDatum(reading.value);
  is_null[kValue - 1] = reading.metric->is_state;
  PutText(row, kState, reading.state);
  values[kUnit - 1] = PointerGetDatum(pg::Text(reading.metric->unit));
  PutText(row, kStatistic, reading.statistic_name);
  PutText(row, kContext, reading.context_name);
  PutText(row, kSource, reading.source);
  values[kZoneOffset - 1] = Int16GetDatum(static_cast<int16>(reading.zone_offset));
  is_null[kZoneOffset - 1] = !reading.has_zone;
  values[kQuality - 1] = Float4GetDatum(QualityOf(reading));
  values[kFlags - 1] = FlagsOf(reading);
  PutText(row, kExternalId, reading.external_id);
  PutText(row, kDeliveredIn,
          reading.external_id.empty() ? std::string_view{} : WithoutPart(from.delivery_id));
  values[kPosition - 1] = Int64GetDatum(from.position);
  values[kEndAt - 1] = TimestampTzGetDatum(reading.end);
  values[kDay - 1] = DateADTGetDatum(day);
  ExecStoreVirtualTuple(row);
}

int Order(const void* a, const void* b) {
  return pg::View((*static_cast<const Brought* const*>(a))->user_id)
      .compare(pg::View((*static_cast<const Brought* const*>(b))->user_id));
}

}  // namespace

bool InsertNew(const Brought* deliveries, int count,
               void (*known)(const Brought& from, const Reading& reading, void* argument),
               void* argument, analytics::TouchedGroups* touched) {
  Relation table = OpenReadingsDirectly();
  if (table == nullptr) return false;
  DayMarks marks;
  if (!marks.Begin()) {
    table_close(table, NoLock);
    return false;
  }
  int rows = 0;
  auto** ordered = static_cast<const Brought**>(palloc(sizeof(void*) * count));
  for (int i = 0; i < count; i++) {
    ordered[i] = &deliveries[i];
    rows += deliveries[i].count;
  }
  // Every index begins with the person: one entry leads to the next.
  qsort(ordered, count, sizeof(void*), Order);

  pg::HeapInsert heap;
  heap.Begin(table, Max(1, Min(rows, pg::HeapInsert::kChunk)));
  pg::Probe probe;
  probe.Begin(table, ReadingKey(), {F_TEXTEQ, F_TEXTEQ, F_TEXTEQ, F_TIMESTAMPTZ_EQ});
  pg::Probe span;
  span.Begin(table, ReadingsByTime(), {F_TEXTEQ, F_TEXTEQ});
  span.AddRange(F_TIMESTAMPTZ_GE, F_TIMESTAMPTZ_LT);
  for (int i = 0; i < count; i++) {
    const Brought& from = *ordered[i];
    const bool are_new = AreNew(&span, from);
    const MetricType* last = nullptr;
    text* metric = nullptr;
    marks.Of(from);
    for (int j = 0; j < from.count; j++) {
      CHECK_FOR_INTERRUPTS();
      const Reading& reading = from.readings[j];
      if (!reading.to_be_stored()) continue;
      if (metric == nullptr || reading.metric != last) metric = pg::Text(reading.metric->name);
      last = reading.metric;
      if (!are_new && IsStored(&probe, from, metric, reading)) {
        known(from, reading, argument);
        continue;
      }
      const int32 day = LocalDay(reading.end, reading.has_zone ? reading.zone_offset : 0);
      if (heap.IsFull()) heap.Flush();
      Fill(heap.Next(), from, metric, reading, day);
      marks.Add(*reading.metric, day);
      touched->Add(pg::View(from.user_id), reading.metric->name, day);
    }
  }
  probe.End();
  span.End();
  heap.Flush();
  heap.End();
  marks.Write();
  table_close(table, NoLock);
  return true;
}

}  // namespace auren::biometrics

#include "biometrics/day_marks.h"

#include <algorithm>

#include "biometrics/tables.h"
#include "postgres/spi.h"
#include "postgres/values.h"

extern "C" {
#include "access/table.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
}

namespace auren::biometrics {
namespace {

// Of a person's stale days; who has more of them on one day is looked up mark by mark.
constexpr int kMostLookedAt = 64;

constexpr pg::RowColumn kFreshDay[] = {
    {"user_id", TEXTOID}, {"device", TEXTOID}, {"metric", TEXTOID}, {"day", DATEOID}};

// Days that have been worked out since they were last marked.
pg::Statement mark_again = {
    "UPDATE biometrics.daily_values d SET stale = true"
    " WHERE d.ctid = ANY (ARRAY("
    "  SELECT (SELECT v.ctid FROM biometrics.daily_values v"
    "           WHERE v.user_id = f.user_id AND v.device_type = f.device"
    "             AND v.metric_type = f.metric AND v.day = f.day)"
    "    FROM fresh_days f))",
    0,
    {}};

}  // namespace

bool DayMarks::Begin() {
  table_ = OpenDaysDirectly();
  delivery_ = nullptr;
  marks_ = nullptr;
  count_ = capacity_ = 0;
  return table_ != nullptr;
}

void DayMarks::Add(const MetricType& metric, int32 day) {
  if (metric.baseline == BaselineKind::kNone) return;
  // Readings come in runs of a metric and a day.
  if (count_ > 0 && marks_[count_ - 1].delivery == delivery_ &&
      marks_[count_ - 1].metric == &metric && marks_[count_ - 1].day == day) {
    return;
  }
  if (count_ == capacity_) {
    capacity_ = capacity_ == 0 ? 64 : capacity_ * 2;
    const size_t size = sizeof(Mark) * capacity_;
    marks_ = static_cast<Mark*>(marks_ == nullptr ? palloc(size) : repalloc_huge(marks_, size));
  }
  marks_[count_++] = {delivery_, &metric, day};
}

// By person and day, then by metric.
int DayMarks::Compare(const void* left, const void* right) {
  const Mark& a = *static_cast<const Mark*>(left);
  const Mark& b = *static_cast<const Mark*>(right);
  if (a.delivery != b.delivery) {
    return pg::View(a.delivery->user_id).compare(pg::View(b.delivery->user_id));
  }
  if (a.day != b.day) return a.day < b.day ? -1 : 1;
  return a.metric < b.metric ? -1 : a.metric > b.metric ? 1 : 0;
}

int DayMarks::Distinct() {
  if (count_ == 0) return 0;
  qsort(marks_, count_, sizeof(Mark), Compare);
  int distinct = 1;
  for (int i = 1; i < count_; i++) {
    if (Compare(&marks_[distinct - 1], &marks_[i]) != 0) marks_[distinct++] = marks_[i];
  }
  return distinct;
}

// Leaves out of the marks, all of one person's day, those that are there already.
int DayMarks::LeaveOutStale(pg::Probe* stale, Mark* marks, int count) {
  const Datum key[] = {PointerGetDatum(marks->delivery->user_id), DateADTGetDatum(marks->day)};
  const std::string_view device = pg::View(marks->delivery->device_type);
  int looked_at = 0;
  for (bool found = stale->First(key); found && count > 0; found = stale->Next()) {
    if (looked_at++ > kMostLookedAt) break;
    bool is_null;
    TupleTableSlot* row = stale->slot();
    if (pg::View(DatumGetTextPP(slot_getattr(row, kDayDeviceType, &is_null))) != device) continue;
    const std::string_view metric =
        pg::View(DatumGetTextPP(slot_getattr(row, kDayMetricType, &is_null)));
    const Mark* end = std::remove_if(
        marks, marks + count, [metric](const Mark& mark) { return mark.metric->name == metric; });
    count = static_cast<int>(end - marks);
  }
  return count;
}

void DayMarks::Write() {
  const int count = Distinct();
  pg::Rows fresh("fresh_days", kFreshDay);
  pg::HeapInsert heap;
  heap.Begin(table_, Max(1, Min(count, pg::HeapInsert::kChunk)));
  pg::Probe probe;
  probe.Begin(table_, DayKey(), {F_TEXTEQ, F_TEXTEQ, F_TEXTEQ, F_DATE_EQ});
  pg::Probe stale;
  stale.Begin(table_, StaleDays(), {F_TEXTEQ, F_DATE_EQ});
  for (int first = 0, next; first < count; first = next) {
    CHECK_FOR_INTERRUPTS();
    Mark* marks = &marks_[first];
    next = first + 1;
    while (next < count && marks_[next].delivery == marks->delivery &&
           marks_[next].day == marks->day) {
      next++;
    }
    int missing = next - first;
    if (!marks->delivery->is_first) missing = LeaveOutStale(&stale, marks, missing);
    for (int i = 0; i < missing; i++) WriteOne(marks[i], &probe, &heap, &fresh);
  }
  stale.End();
  probe.End();
  heap.Flush();
  heap.End();
  table_close(table_, NoLock);
  if (fresh.count() == 0) return;
  fresh.Offer();
  pg::Execute(&mark_again);
}

void DayMarks::WriteOne(const Mark& mark, pg::Probe* probe, pg::HeapInsert* heap, pg::Rows* fresh) {
  const Datum key[] = {PointerGetDatum(mark.delivery->user_id),
                       PointerGetDatum(mark.delivery->device_type),
                       PointerGetDatum(pg::Text(mark.metric->name)), DateADTGetDatum(mark.day)};
  if (!mark.delivery->is_first && probe->First(key)) {
    bool is_null;
    if (DatumGetBool(slot_getattr(probe->slot(), kDayStale, &is_null))) return;
    for (const Datum value : key) fresh->Add(value);
    fresh->EndRow();
    return;
  }
  if (heap->IsFull()) heap->Flush();
  TupleTableSlot* row = heap->Next();
  memset(row->tts_isnull, 0, sizeof(bool) * kDayStale);
  memcpy(row->tts_values, key, sizeof(key));
  row->tts_isnull[kDayReadings - 1] = row->tts_isnull[kDayValue - 1] = true;
  row->tts_values[kDayStale - 1] = BoolGetDatum(true);
  ExecStoreVirtualTuple(row);
}

}  // namespace auren::biometrics

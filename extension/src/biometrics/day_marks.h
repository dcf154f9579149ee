// The days that new readings touch, marked stale in biometrics.daily_values: a day that is not
// there yet goes straight into the heap, one that is marked already is left alone.
//
//   DayMarks marks;
//   if (marks.Begin()) {
//     for (each delivery, in the order of the persons) { marks.Of(delivery); marks.Add(...); ... }
//     marks.Write();
//   }
#pragma once

#include "biometrics/store.h"
#include "postgres/backend.h"
#include "postgres/heap_insert.h"
#include "postgres/probe.h"
#include "postgres/rows.h"

extern "C" {
#include "utils/rel.h"
}

namespace auren::biometrics {

class DayMarks {
 public:
  // False: the table is not as we made it, statements have to do it.
  bool Begin();

  // Whose days the next ones are.
  void Of(const Brought& delivery) { delivery_ = &delivery; }

  // Nothing for a metric without a baseline.
  void Add(const MetricType& metric, int32 day);

  // REQUIRES: within an SPI session, under the locks of the persons' streams.
  void Write();

 private:
  struct Mark {
    const Brought* delivery;
    const MetricType* metric;
    int32 day;
  };
  static int Compare(const void* a, const void* b);
  int Distinct();
  static int LeaveOutStale(pg::Probe* stale, Mark* marks, int count);
  static void WriteOne(const Mark& mark, pg::Probe* probe, pg::HeapInsert* heap, pg::Rows* fresh);

  Relation table_;
  const Brought* delivery_;
  Mark* marks_;
  int count_;
  int capacity_;
};

}  // namespace auren::biometrics

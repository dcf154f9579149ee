// One person's stored readings in memory: what biometrics.biometric_events would hold of them at a
// moment of the past. It takes deliveries in the order of their versions, as biometrics/store.h
// does, and answers what bridge/newest.h, bridge/standing.cpp and biometrics/baselines.h ask of the
// tables.
//
// Readings whose values are words are left out: nothing is decided by them.
#pragma once

#include "biometrics/catalogue.h"
#include "biometrics/reading.h"
#include "neuros/replica_series.h"

namespace auren::neuros {

// A reading of a delivery on its way in.
struct ReplayedReading {
  biometrics::Reading reading;
  ReplicaSeries* series;      // nullptr: not accepted, or its values are words
  ReplicaReading stored;      // as the replica keeps it
  TimestampTz newest_before;  // of its series, before the delivery
};

class Replica {
 public:
  // Everything lives in `context`, and goes with it.
  void Begin(MemoryContext context);

  // Fills in all but `reading`, which has been read and checked for what supersedes it.
  // `version`: the event's, which tells deliveries apart.
  void Prepare(std::string_view device, std::string_view delivery_id, int64 version,
               ReplayedReading* readings, int count);

  // Marks what is stored already and comes again. REQUIRES: before Store.
  void MarkKnown(ReplayedReading* readings, int count) const;

  // What the delivery deletes goes, then a document that comes again loses what it had, then the
  // rest is stored.
  void Store(ReplayedReading* readings, int count);

  // In the order of device and metric.
  ReplicaSeries* series(int index) const { return series_[index].at; }
  int series_count() const { return series_count_; }
  const std::string_view* names() const { return names_; }

  // The most days from `first` and before `before` with a value in any of the baselines.
  int HistoryDays(int32 first, int32 before) const;

 private:
  // One that stays where it is.
  struct Kept {
    ReplicaSeries* at;
  };

  ReplicaSeries* SeriesOf(std::string_view device, const biometrics::MetricType* metric);
  int32 NumberOf(std::string_view name);
  std::string_view Keep(std::string_view text) const;

  MemoryContext context_;
  Kept* series_;
  int32 series_count_;
  int32 series_capacity_;
  std::string_view* names_;  // by their number; the first is empty
  int32 name_count_;
  int32 name_capacity_;
  PlaceIndex by_name_;
  int32 delivery_;  // the number of the delivery without its part
};

}  // namespace auren::neuros

// One person's readings of one metric of one device, in memory, as biometrics.biometric_events and
// biometrics.daily_values had them at the moment up to which they have been replayed.
//
// A reading's key is its start, end, source and statistic: one that comes again takes the place of
// the earlier. The values of days, and the baseline, are worked out when they are asked for and
// kept until a reading of the days behind them comes, changes or goes.
#pragma once

#include "biometrics/catalogue.h"
#include "biometrics/reading.h"
#include "core/evaluation.h"
#include "neuros/place_index.h"

namespace auren::neuros {

// Texts are numbered by the replica, 0 for an absent one.
struct ReplicaReading {
  TimestampTz start;
  TimestampTz end;  // = start unless has_end
  double value;
  int64 version;     // of the event it came with
  int32 day;         // the person's local one
  int32 day_before;  // the place of the next reading of the same day
  int32 source;
  int32 document;      // its external_id
  int32 delivered_in;  // of a document: the delivery without its part number
  core::Context context;
  core::Statistic statistic;
  bool has_statistic;
  bool has_end;
  bool unsettled;
  bool stands;  // false: deleted
  bool moved;   // to another day, where it is another element
};

class ReplicaSeries {
 public:
  void Begin(MemoryContext context, std::string_view device, const biometrics::MetricType* metric);

  std::string_view device() const { return device_; }
  const biometrics::MetricType& metric() const { return *metric_; }

  // The end of the newest reading that is settled; DT_NOBEGIN: there is none.
  TimestampTz Newest();

  // Whether this very reading is stored, settled, with the same context and value.
  bool Knows(const ReplicaReading& reading);

  void Put(const ReplicaReading& reading);
  void Delete(const ReplicaReading& key);

  // Deletes the readings of a document; `but_of` other than 0: but for those of that delivery.
  void DeleteDocument(int32 document, int32 but_of);

  // The newest settled reading that did not come with `version` and does not end before `oldest`;
  // nullptr: there is none. `sources`: the texts behind the numbers.
  const ReplicaReading* Standing(TimestampTz oldest, int64 version,
                                 const std::string_view* sources) const;

  // What a reading of that day is held against, from days before `before`. Valid until the next
  // call. REQUIRES: the metric has a baseline.
  const core::DayBaseline& BaselineOf(int32 day, int32 before);

  // How many days from `first` and before `before` have a value.
  int DaysBetween(int32 first, int32 before);

  // For whoever evaluates: the days of the baseline last asked for within that evaluation.
  int64 asked_in = 0;
  int asked_days = 0;

 private:
  struct Day {
    core::DailyValue value;
    int32 newest;  // the place of one of its readings, from which day_before leads to the others
    bool stale;
  };
  struct InDocument {
    int32 document;
    int32 reading;
    int32 next;  // of the same document
  };

  int32 Find(const ReplicaReading& key);
  void Append(const ReplicaReading& reading);
  void Remove(ReplicaReading* reading);
  void NoteDocument(int32 place);
  void Touch(int32 day);
  int32 FirstDayFrom(int32 day) const;
  void Refresh(Day* day);
  core::Scale scale() const;

  MemoryContext context_;
  std::string_view device_;
  const biometrics::MetricType* metric_;

  ReplicaReading* readings_ = nullptr;  // in the order in which they came
  int32 count_ = 0;
  int32 capacity_ = 0;
  PlaceIndex by_key_;
  int32 indexed_ = 0;  // how many of the readings are in by_key_: it is filled when it is needed
  TimestampTz last_start_ = DT_NOBEGIN;
  TimestampTz newest_ = DT_NOBEGIN;
  bool newest_is_gone_ = false;

  Day* days_ = nullptr;  // oldest first
  int32 day_count_ = 0;
  int32 day_capacity_ = 0;

  PlaceIndex by_document_;  // to the newest element of the document
  InDocument* in_documents_ = nullptr;
  int32 in_document_count_ = 0;
  int32 in_document_capacity_ = 0;

  core::DayBaseline baseline_;
  int32 baseline_day_ = 0;
  int32 baseline_before_ = 0;
  bool has_baseline_ = false;
};

}  // namespace auren::neuros

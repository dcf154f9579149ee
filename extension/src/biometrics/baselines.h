// Baselines of persons, from the daily values of the 60 local days before the day in question.
//
// Used for many persons at once, step by step: Refresh what is stale -> say with Want which series
// are needed -> LoadSeries -> Find, as often as need be -> CountHistory. All of it lives in the
// current memory context.
#pragma once

#include "biometrics/catalogue.h"
#include "core/baseline.h"
#include "core/engine.h"
#include "core/evaluation.h"
#include "postgres/backend.h"

namespace auren::biometrics {

using core::DailyValue;  // `day`: since 2000-01-01

// One (device, metric) with its daily values, and the baseline last asked for.
struct Series {
  std::string_view device;
  const MetricType* metric;
  DailyValue* days;  // oldest first
  int count;
  int capacity;
  int32 computed_day;
  bool computed;
  core::Baseline baseline;
  bool one_a_day;  // the daily values of that baseline are single readings
};

// One person's. Trivially destructible.
class Baselines {
 public:
  // Covers the days from `first_day` to `last_day`, each with the 60 days before it.
  Baselines(text* user_id, int32 first_day, int32 last_day)
      : user_id_(user_id), first_day_(first_day), last_day_(last_day) {}

  // Says that nothing is stored of the person before `last_day`: then nothing is looked up.
  void BeginToday() { begin_today_ = true; }

  // Says that the series will be asked for. Nothing for a metric without a baseline.
  void Want(std::string_view device, const MetricType& metric);

  // The baseline a reading of that local day is held against; nullptr when its metric has none.
  // Valid until the next call for the same series. REQUIRES: wanted before LoadSeries.
  const Series* Find(std::string_view device, const MetricType& metric, int32 day);

  // The most days with a value in any of the person's baselines. REQUIRES: CountHistory.
  int history_days() const { return history_days_; }

 private:
  friend void Refresh(Baselines* const* all, int count);
  friend void LoadSeries(Baselines* const* all, int count);
  friend void CountHistory(Baselines* const* all, int count, int enough);

  Series* Known(std::string_view device, const MetricType& metric);

  text* user_id_;
  int32 first_day_;
  int32 last_day_;
  bool begin_today_ = false;
  Series* series_ = nullptr;
  int count_ = 0;
  int capacity_ = 0;
  int history_days_ = 0;
};

// REQUIRES, for these three: within an SPI session, under the locks of the persons' streams, each
// person once.

// Works out the daily values that are stale.
void Refresh(Baselines* const* all, int count);

// Reads the series that are wanted. REQUIRES: after Refresh.
void LoadSeries(Baselines* const* all, int count);

// Finds each person's history_days. `enough`: more than that makes no difference to the caller, and
// who has that many in a baseline already found is not counted anew.
void CountHistory(Baselines* const* all, int count, int enough);

// Whether a reading may be held against a baseline by its z-score: like with like. The spread of
// daily values says nothing about a single sample of a day with hundreds, so the reading has to sum
// up a day or a session, or the days of the baseline have to be single readings themselves.
bool ComparableByZ(bool one_a_day, core::Statistic statistic);

}  // namespace auren::biometrics

// Baselines of one person, from the daily values of the 60 local days before the day in question.
//
// Loaded once per (device, metric) of a delivery and computed once per day asked for. Lives in the
// current memory context.
#pragma once

#include "biometrics/catalogue.h"
#include "core/baseline.h"
#include "core/engine.h"
#include "postgres/backend.h"

namespace auren::biometrics {

struct DailyValue {
  int32 day;  // days since 2000-01-01
  double value;
  int readings;
};

// One (device, metric) with its daily values, and the baseline last asked for.
struct Series {
  std::string_view device;
  const MetricType* metric;
  DailyValue* days;  // oldest first
  int count;
  int32 computed_day;
  bool computed;
  core::Baseline baseline;
  bool one_a_day;  // the daily values of that baseline are single readings
};

class Baselines {
 public:
  // Covers the days from `first_day` to `last_day`, each with the 60 days before it, and works out
  // what of them is stale. REQUIRES: within an SPI session, under the lock of the person's stream.
  Baselines(text* user_id, int32 first_day, int32 last_day);

  // The baseline a reading of that local day is held against; nullptr when its metric has none.
  // Valid until the next call for the same series.
  const Series* Find(std::string_view device, const MetricType& metric, int32 day);

  // The most days with a value in any of the person's baselines. `enough`: more than that makes no
  // difference to the caller.
  int HistoryDays(int enough);

 private:
  Series* Load(std::string_view device, const MetricType& metric);

  text* user_id_;
  int32 first_day_;
  int32 last_day_;
  Series* series_ = nullptr;
  int count_ = 0;
  int capacity_ = 0;
};

// Whether a reading may be held against a baseline by its z-score: like with like. The spread of
// daily values says nothing about a single sample of a day with hundreds, so the reading has to sum
// up a day or a session, or the days of the baseline have to be single readings themselves.
bool ComparableByZ(const Series& series, core::Statistic statistic);

}  // namespace auren::biometrics

// An arrival: a delivery on its way in, whose readings have been read. A round takes many of them
// from step to step together, each of another person: what is done for one is independent of the
// others.
#pragma once

#include "biometrics/reading.h"
#include "bridge/delivery.h"
#include "bridge/newest_list.h"
#include "postgres/backend.h"

namespace auren::bridge {

// How new the newest reading of each metric of the delivery was before the delivery was stored.
struct NewestReading {
  const biometrics::MetricType* metric;
  TimestampTz end;  // DT_NOBEGIN: there is none
};
struct NewestReadings {
  NewestReading* items;
  int count;

  TimestampTz Before(const biometrics::MetricType* metric) const {
    for (int i = 0; i < count; i++) {
      if (items[i].metric == metric) return items[i].end;
    }
    return DT_NOBEGIN;
  }
};

// What the decision was. Empty texts when the mode stayed.
struct Judgement {
  std::string_view from_mode;
  std::string_view to_mode;
  std::string_view trigger;
  double confidence;
};

// What a decision needs to know of what came before (bridge/person_state.h).
struct PersonState {
  bool has_row;           // one that says what is newest
  TimestampTz folded_at;  // received_at of the delivery with which the row was written
  NewestList in_row;
  int calm_in_row;  // -1: there is no row at all
  int unfolded;     // readings behind the row's position

  NewestList before;  // the delivery
  NewestList after;
  int calm;  // evaluations, after it is judged

  bool brings_again;  // the delivery brings a reading of `before` itself again, or takes it away
  bool takes_away;    // what is newest now has to be looked for
};

struct Arrival {
  const Delivery* delivery;
  biometrics::Reading* readings;
  int count;
  text* device;  // the delivery's source
  int64 position;
  int64 position_before;  // of the person's last event before this one
  bool is_first;          // of the person: there was nothing before
  PersonState state;
  NewestReadings newest;  // of no metric: nothing is young enough to decide anything
  Judgement judgement;
};

}  // namespace auren::bridge

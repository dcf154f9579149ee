// A replay: one person's stored events, taken through the engine again, in the order of their
// versions. What ingest has in tables a replay has in memory; what it does with it is the same
// code: biometrics/reading.h reads, core/evaluation.h prepares, core/engine.h decides.
//
// Of the events only two kinds matter. Each `biometric_received` that ingest has stored is one
// evaluation, by the configuration that is given or else by the version it was judged by then; what
// was refused then is refused now. Each `mode_switched` by hand is carried out when the mode is
// another than the person is in and the configuration that is given has it. Switches that the
// engine made are not looked at: they are what is worked out anew.
//
// It takes the catalogue of metrics and units as it is now.
#pragma once

#include "biometrics/catalogue.h"
#include "core/engine.h"
#include "neuros/config_history.h"
#include "neuros/replica.h"
#include "postgres/backend.h"

extern "C" {
#include "executor/tuptable.h"
}

namespace auren::neuros {

struct ReplayedMode {
  char mode[core::kMaxModeName + 1];
  bool by_hand;
  bool ever_switched;
  TimestampTz since;
  int calm;
};

// One step of a replay: an evaluation, or a switch by hand.
struct ReplayedStep {
  TimestampTz at;  // when the delivery was received, or the switch by hand stored
  int64 version;   // of the event in its stream
  ReplayedMode before;
  const ReplayedMode* after;
  const char* trigger;
  double confidence;
  const core::Config* config;
  int64 config_version;            // -1: the configuration was given
  const core::Decision* decision;  // nullptr: by hand
  const core::Observation* observations;
  int count;

  bool switches() const { return strcmp(before.mode, after->mode) != 0; }
};

// Gets every step, in order; what it points to is valid during the call only.
struct Witness {
  void (*see)(void* self, const ReplayedStep& step);
  void* self;
};

// What all replays of a call share.
struct ReplaySetting {
  biometrics::Catalogue catalogue;
  ConfigHistory history;
  const core::Config* config;  // nullptr: each event's own version
};

class Replay {
 public:
  // REQUIRES: `setting` outlives it; the person's memory goes with the current memory context.
  void Begin(const ReplaySetting* setting, Witness witness);

  // Takes the person's next event, a row of events.event_store.
  void Take(TupleTableSlot* event);

 private:
  struct Event;

  void Deliver(const Event& event);
  void SwitchByHand(const Event& event);
  ReplayedReading* Read(const Event& event, int* count) const;
  bool Observe(const core::Config& config, TimestampTz received_at, const ReplayedReading* readings,
               int count);
  void AddStanding(const core::Config& config, int64 version);
  int HoldAgainstBaselines(const core::Config& config);

  // An observation and the series it is of.
  struct Origin {
    ReplicaSeries* series;
    int32 day;
  };
  core::Observation* Add(ReplicaSeries* series, int32 day);

  const ReplaySetting* setting_;
  Witness witness_;
  MemoryContext person_;  // all of the replay
  MemoryContext moment_;  // of one event
  Replica replica_;
  ReplayedMode mode_;

  // The evaluation.
  core::Observation* observations_;
  Origin* origins_;
  int32 count_;
  int32 observation_capacity_;
  int32 origin_capacity_;
  TimestampTz oldest_;
  int32 last_day_;
  int64 evaluation_;  // its number
  core::Decision decision_;
};

}  // namespace auren::neuros

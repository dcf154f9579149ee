// A person's mode: reading it, and entering another. The one way in which neuros.user_modes
// changes, for neuros.switch_mode and for ingest alike.
#pragma once

#include "core/engine.h"
#include "postgres/backend.h"

namespace auren::neuros {

struct ModeState {
  bool known;  // has a row in neuros.user_modes
  std::string_view mode;
  bool by_hand;
  bool ever_switched;
  TimestampTz since;
  int calm;  // calm evaluations so far
};

// REQUIRES: within an SPI session, under the lock of the person's stream. The state lives as long
// as the session.
ModeState LoadMode(text* user_id);

// What a switch is and why.
struct ModeSwitch {
  text* user_id;
  text* stream_id;  // user:<user_id>
  std::string_view to_mode;
  std::string_view trigger;
  double confidence;
  std::string_view reason;  // one sentence
  int64 config_version;
  const Jsonb* context;  // nullptr: null
  const core::Factor* factors;
  int factor_count;
  TimestampTz since;  // 0: when the event is stored
  bool by_hand;
};

// Appends `mode_switched` to the person's stream and enters the mode; the update notifies. Returns
// the event's id. REQUIRES: as LoadMode; `state` is what it returned.
pg_uuid_t EnterMode(const ModeState& state, const ModeSwitch& mode_switch);

// Keeps the count of calm evaluations; writes only when it changed.
void StoreCalm(text* user_id, const ModeState& state, int calm);

}  // namespace auren::neuros

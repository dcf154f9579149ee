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

// The modes of many persons; `calm` is left for the caller to fill in. REQUIRES: under the locks of
// the persons' streams. The states live in the current memory context.
void LoadModes(text* const* user_ids, int count, ModeState* states);

// One person's, with the calm count.
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

// Appends `mode_switched` to the person's stream and enters the mode; the update notifies. A
// hypothesis (neuros/hypothesis.h) is closed and begun behind it. Returns the event's id. REQUIRES:
// as LoadMode; `state` is what it returned.
pg_uuid_t EnterMode(const ModeState& state, const ModeSwitch& mode_switch);

}  // namespace auren::neuros

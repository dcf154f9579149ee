// A hypothesis: what a person in mode `hypothesis` is watched for. Two events in their stream.
//
//   hypothesis_generated  behind the mode_switched that entered the mode: {metric, value, z,
//   baseline,
//                         kind (z_score, soft_range; null: by hand), would_confirm {metric, below,
//                         above}, mode_switched, config_version}
//   hypothesis_resolved   behind the one that left it: {hypothesis, metric, resolution, to_mode,
//                         trigger, mode_switched}
//
// `resolution`: confirmed, a trigger fired on the same metric; superseded, on another one; refuted,
// calm came; withdrawn, by hand.
#pragma once

#include "events/append.h"
#include "neuros/mode.h"

namespace auren::neuros {

inline constexpr std::string_view kHypothesisMode = "hypothesis";

// An open hypothesis; its event_id all zero when there is none.
struct Hypothesis {
  pg_uuid_t event_id;
  bool known;
  std::string_view metric;  // empty: none in particular
};

// The hypothesis of the mode the person is in. REQUIRES: before the mode is left, within an SPI
// session, whose end frees the metric.
Hypothesis FindHypothesis(text* user_id, text* stream_id);

// Appends what the switch, `switched`, makes of hypotheses.
void GenerateHypothesis(const ModeSwitch& mode_switch, const events::Appended& switched);
void ResolveHypothesis(const Hypothesis& hypothesis, const ModeSwitch& mode_switch,
                       const events::Appended& switched);

}  // namespace auren::neuros

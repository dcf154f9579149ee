// The rows of neuros.person_states, read by index. The schema of 0.1.0 had only the calm count, in
// neuros.evaluations.
//
//   StateRows rows;
//   rows.Begin();
//   for (...) if (rows.Find(user_id, &row)) ...
//   rows.End();
//
// REQUIRES: under the locks of the persons' streams. An ERROR in between needs no cleaning up.
#pragma once

#include "postgres/backend.h"
#include "postgres/probe.h"

namespace auren::neuros {

// A row, copied out of the table. What it holds beside the calm count: bridge/person_state.h.
struct StateRow {
  int calm;
  int64 position;
  TimestampTz folded_at;
  bytea* newest;  // nullptr: the three are absent
};

// Whether there is neuros.person_states.
bool HasPersonStates();

class StateRows {
 public:
  void Begin();
  bool Find(text* user_id, StateRow* row);
  void End();

 private:
  Relation table_;
  pg::Probe probe_;
};

}  // namespace auren::neuros

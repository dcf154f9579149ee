// Which (person, metric, local day) groups have to be summed up anew: the rows of
// analytics.touched_days, from which analytics.refresh_user_metrics takes its work. A row, a mark,
// is for some metrics of a person's day: what comes together is marked together.
//
//   TouchedGroups touched;                         // the triggers keep quiet from here ...
//   ... write biometrics.biometric_events, and for every reading that came, changed or went:
//   touched.Add(user_id, metric->name, day);       // the day it is on, and the one it was on
//   touched.Mark();                                // ... to here
//
// A group is marked in the transaction that touches it, whichever way the readings are written:
// what goes straight into the heap fires no trigger, so whoever writes so says it here. Plain SQL
// by the owner is marked by statement triggers on biometric_events (analytics/triggers.cpp).
//
// No mark is lost, and nobody waits:
//   1. A mark that is there already serves again: it is locked FOR KEY SHARE, not written twice.
//   2. A refresh takes away only marks that it could lock FOR UPDATE without waiting. So either it
//      leaves a mark that a transaction in flight relies on, or that transaction finds the mark
//      locked, passes it over and writes its own.
//   3. A refresh reads readings by a snapshot taken after it has locked the marks. So it sees
//      everything of those who relied on them and have ended.
// The table has no unique index: inserting beside a mark that a refresh is taking away would wait.
// A group in two marks does no harm.
#pragma once

#include "postgres/backend.h"

extern "C" {
#include "utils/date.h"
}

namespace auren::analytics {

struct TouchedGroup {
  std::string_view user_id;
  std::string_view metric_type;
  DateADT day;
};

// One at a time in a transaction. An ERROR in between needs no cleaning up.
class TouchedGroups {
 public:
  TouchedGroups();

  // A group may be added as often as is convenient. The texts are borrowed until Mark.
  void Add(std::string_view user_id, std::string_view metric_type, DateADT day);

  // Later statements, and later functions of the running one, see the marks.
  void Mark();

  // Whether the running (sub)transaction is between making one and Mark.
  static bool IsCollecting();

  // What the triggers call, whose work this class does. InvalidOid: there is none.
  static Oid TriggerFunction();

 private:
  TouchedGroup* groups_;
  int count_ = 0;
  int capacity_;
};

}  // namespace auren::analytics

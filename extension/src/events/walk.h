// A walk over the global order: the rows of store and archive behind a position, in position order,
// under one snapshot.
//
//   Walk walk;
//   walk.Begin(nullptr, after, snapshot);
//   while (walk.Next()) ... walk.slot() ...
//   walk.End();
//
// An ERROR in between needs no cleaning up.
#pragma once

#include "events/store.h"

extern "C" {
#include "access/genam.h"
}

namespace auren::events {

class Walk {
 public:
  // `category` nullptr: all of them. The snapshot stays the caller's.
  void Begin(text* category, int64 after, Snapshot snapshot);

  // Goes to the next row; false at the end. The row is valid until the next call.
  bool Next();
  TupleTableSlot* slot() const { return legs_[at_].slot; }
  int64 position() const { return legs_[at_].position; }

  // Whether the row is an append of the running transaction. One that it has only moved from one
  // table to the other was settled before.
  bool IsInFlight() const { return IsOwn(slot()) && position() >= FirstDrawn(); }

  void End();

 private:
  // One of the two tables.
  struct Leg {
    Relation table;  // nullptr: nothing is in it
    Relation index;
    TupleTableSlot* slot;
    IndexScanDesc scan;
    int64 position;  // of the row that comes next; kAtEnd: none
  };

  static constexpr int64 kAtEnd = PG_INT64_MAX;
  static constexpr int kLegs = 2;

  static void BeginLeg(Leg* leg, Relation table, const TableNames& names, text* category,
                       int64 after, Snapshot snapshot);
  static void Step(Leg* leg);

  Leg legs_[kLegs];
  int at_;  // the leg that has the current row; -1: none yet
};

}  // namespace auren::events

// Rows written together, straight into a table's heap and its indexes: one page lock and one WAL
// record for many, and then index by index instead of row by row.
//
//   HeapInsert heap;
//   heap.Begin(table, capacity);
//   for (...) {
//     if (heap.IsFull()) heap.Flush();
//     TupleTableSlot* row = heap.Next();    // fill tts_values and tts_isnull, then
//     ExecStoreVirtualTuple(row);
//   }
//   heap.Flush();
//   heap.End();
//
// What PostgreSQL does besides is left out: no default, no generated column, no constraint but
// uniqueness, no trigger, no rule, no policy. REQUIRES: HasOnlyPlainRows(table), that the caller
// fills every column, and that its rows keep the table's constraints.
//
// What a row points to is borrowed until Flush. An ERROR in between needs no cleaning up. After
// Flush, later statements and later functions of the running one see the rows, as after an INSERT.
#pragma once

#include "postgres/backend.h"

extern "C" {
#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"
}

namespace auren::pg {

// Whether nothing but the rows themselves has to be written: an ordinary table without INSERT
// triggers (as foreign keys are, too), rules and row level security. Triggers that call
// `our_trigger` do not count: the caller does what they would.
bool HasOnlyPlainRows(Relation table, Oid our_trigger = InvalidOid);

// Whether one of its indexes would run code that a user may have added: an expression, or a
// predicate other than a column that is true or not null. Or is deferrable, or excludes: such an
// index is looked at more than once.
bool HasForeignIndexes(Relation table);

class HeapInsert {
 public:
  static constexpr int kChunk = 4000;

  void Begin(Relation table, int capacity);  // capacity: 1 to kChunk
  bool IsFull() const { return count_ == capacity_; }
  int count() const { return count_; }

  // The slot of the next row, empty. REQUIRES: not full.
  TupleTableSlot* Next();

  // Writes the rows. With an order, indexes that begin with the column `by` take them in that
  // order: what one entry has brought into the processor's caches serves the next.
  void Flush(const int* order = nullptr, AttrNumber by = InvalidAttrNumber);
  void End();

 private:
  void InsertIntoIndex(int index, const int* order);

  EState* estate_;
  ResultRelInfo* target_;
  TupleTableSlot** slots_;
  int capacity_;
  int count_;
};

}  // namespace auren::pg

// Writing rows into events.event_store: straight into the heap and its indexes where the table is
// as we made it, by an ordinary INSERT where somebody has added to it.
//
// Added to means: an INSERT trigger or a foreign key, row level security, a rule, a column, a CHECK
// constraint, an expression or a predicate in an index (but for the category's, and for the one
// predicate that finds a delivery by its id), or the INSERT privilege taken from the owner. All
// that is then PostgreSQL's to obey, under the pinned search_path of pg::SpiBegin.
#pragma once

#include "events/store.h"
#include "postgres/heap_insert.h"

namespace auren::events {

// Whether rows may go straight to the heap. REQUIRES: `store` is open under RowExclusiveLock or
// stronger, which keeps the answer true to the end of the transaction as far as others go.
bool CanInsertDirectly(Relation store);

// Whether the table is as we made it, so that rows may go straight into it or out of it.
bool IsAsMade(Relation table, const TableNames& names);

// Inserts one row, by the way that CanInsertDirectly tells.
void Insert(Relation store, const NewRow& row);

// Events written together (postgres/heap_insert.h), and into the indexes by stream in the order of
// the streams. Constraints are not looked at: rows keep ours as they are made, and there are no
// others. REQUIRES: CanInsertDirectly.
//
// Rows are borrowed until Flush. An ERROR in between needs no cleaning up.
class HeapInsert {
 public:
  static constexpr int kChunk = pg::HeapInsert::kChunk;

  void Begin(Relation table, int capacity);  // capacity: 1 to kChunk
  bool IsFull() const { return heap_.IsFull(); }

  // `rank`: where the row's stream stands among all streams of this insert, by the bytes of their
  // ids. REQUIRES: not full.
  void Add(const NewRow& row, int rank = 0);

  // Adds a copy of a row of a table of the same columns; such rows are of one stream. REQUIRES: not
  // full.
  void AddCopy(TupleTableSlot* row);

  void Flush();
  void End();

 private:
  pg::HeapInsert heap_;
  NewRow* rows_;
  int* ranks_;
  int* by_stream_;  // the rows' numbers, in the order of their streams
};

}  // namespace auren::events

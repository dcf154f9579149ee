// A GIN index takes new entries into a pending list, row by row: a lock, a look at the last page
// and a record in the log for each. Here the rows of a chunk are handed over together, as many as
// fit on a page of the list, which holds several rows' entries anyway.
//
//   PendingList list;
//   if (list.Begin(index)) {
//     for (...) list.Add(values, is_null, tid);
//     list.End();
//   }
//
// An ERROR in between needs no cleaning up.
#pragma once

#include "postgres/backend.h"

extern "C" {
#include "access/gin_private.h"
}

namespace auren::pg {

class PendingList {
 public:
  // False: the index is no GIN index, or takes entries at once (fastupdate = off).
  bool Begin(Relation index);
  void Add(const Datum* values, const bool* is_null, ItemPointer tid);
  void End();

 private:
  void HandOver(uint32 tuples, uint32 size);

  GinState* state_;
  GinTupleCollector entries_;
  MemoryContext memory_;
};

}  // namespace auren::pg

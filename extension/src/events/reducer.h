// How a category folds its events: by the default merge (fold.h), or by a function of the user's
// that events.register_reducer has named.
#pragma once

#include "postgres/backend.h"

extern "C" {
#include "utils/rel.h"
}

namespace auren::events {

struct Reducer {
  Oid function;  // InvalidOid: the default fold
  // What states that it made are kept under: the function's name and a digest of its definition, so
  // that a state is never taken for that of another definition, after CREATE OR REPLACE or a
  // restore.
  text* name;
};

// The reducer of the stream's category. 42883 when its function is gone, 42501 when the current
// user may not execute it.
Reducer FindReducer(const text* stream_id);

// Applies the reducer's function, event by event, with the current user's rights and search_path
// pg_catalog, pg_temp. `state` is borrowed, nullptr for SQL NULL; the result is in the current
// memory context. An error says which event it came from.
class ReducerCall {
 public:
  // `store`: the table whose row type the function takes. REQUIRES: the reducer has a function.
  void Begin(const Reducer& reducer, Relation store);
  Jsonb* Apply(Jsonb* state, TupleTableSlot* row);
  void End();

 private:
  static void Say(void* self);

  FmgrInfo function_;
  TupleTableSlot* event_;
  int search_path_;
  int64 version_;
  ErrorContextCallback context_;
};

}  // namespace auren::events

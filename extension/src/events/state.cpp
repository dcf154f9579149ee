// events.get_stream_state: what a stream amounts to.
#include "events/fold.h"
#include "events/reducer.h"
#include "events/snapshots.h"
#include "events/stream.h"
#include "postgres/values.h"

extern "C" {
#include "access/table.h"
#include "utils/snapmgr.h"
}

namespace auren::events {
namespace {

// What is asked for: the stream as the running statement sees it, up to a version.
struct Question {
  text* stream_id;
  int64 up_to;
  Snapshot snapshot;
};

void Advance(State* state, const Scan& event) {
  state->version = DatumGetInt64(event.Get(kVersion));
  state->updated_at = DatumGetTimestampTz(event.Get(kCreatedAt));
}

// Folds the events behind `from` by the default merge: backwards, down to the state that is there.
State Merge(const Question& question, const State& from, int64* folded) {
  State result = from;
  Fold fold;
  fold.Begin();
  const MemoryContext per_event =
      // NOLINTNEXTLINE(bugprone-implicit-widening-of-multiplication-result): the macro's own
      AllocSetContextCreate(CurrentMemoryContext, "one event", ALLOCSET_DEFAULT_SIZES);
  Stream events;
  events.Begin(question.stream_id, from.version, question.up_to, BackwardScanDirection,
               question.snapshot);
  for (*folded = 0; events.Next(); ++*folded) {
    if (*folded == 0) Advance(&result, events.row());
    const MemoryContext caller = MemoryContextSwitchTo(per_event);
    fold.Take(DatumGetJsonbP(events.row().Get(kEventData)));
    MemoryContextSwitchTo(caller);
    MemoryContextReset(per_event);
  }
  events.End();
  MemoryContextDelete(per_event);
  if (*folded == 0) return from;
  if (from.state != nullptr) fold.Take(from.state);
  result.state = fold.Finish();
  return result;
}

// Folds them by the category's own function: forwards, one state after the other.
State Reduce(const Question& question, const Reducer& reducer, const State& from, int64* folded) {
  State result = from;
  if (from.version == 0) result.state = pg::EmptyObject();
  Relation store = OpenStore(AccessShareLock);
  ReducerCall call;
  call.Begin(reducer, store);
  // The state before and the state after, each with what it took to make it.
  MemoryContext before =
      AllocSetContextCreate(CurrentMemoryContext, "state", ALLOCSET_DEFAULT_SIZES);
  MemoryContext after =
      AllocSetContextCreate(CurrentMemoryContext, "state", ALLOCSET_DEFAULT_SIZES);
  Stream events;
  events.Begin(question.stream_id, from.version, question.up_to, ForwardScanDirection,
               question.snapshot);
  for (*folded = 0; events.Next(); ++*folded) {
    Advance(&result, events.row());
    const MemoryContext caller = MemoryContextSwitchTo(after);
    result.state = call.Apply(result.state, events.row().slot());
    MemoryContextSwitchTo(caller);
    MemoryContextReset(before);
    std::swap(before, after);
  }
  events.End();
  call.End();
  table_close(store, AccessShareLock);
  return result;
}

int64 UpTo(FunctionCallInfo fcinfo, text* stream_id, Snapshot snapshot) {
  const int64 at_version = PG_ARGISNULL(1) ? PG_INT64_MAX : PG_GETARG_INT64(1);
  if (PG_ARGISNULL(2)) return at_version;
  return Min(at_version, VersionAsOf(stream_id, PG_GETARG_TIMESTAMPTZ(2), snapshot));
}

// The arguments: p_stream_id, p_at_version, p_as_of.
Datum Answer(FunctionCallInfo fcinfo, bool with_snapshots) {
  if (PG_ARGISNULL(0)) PG_RETURN_NULL();
  text* stream_id = PG_GETARG_TEXT_PP(0);
  const Snapshot snapshot = GetActiveSnapshot();
  const Question question = {stream_id, UpTo(fcinfo, stream_id, snapshot), snapshot};
  const Reducer reducer = FindReducer(stream_id);
  State from = {0, DT_NOBEGIN, nullptr};
  if (with_snapshots) from = FindSnapshot(stream_id, reducer.name, question.up_to, snapshot);
  int64 folded;
  const State state = OidIsValid(reducer.function) ? Reduce(question, reducer, from, &folded)
                                                   : Merge(question, from, &folded);
  if (state.version == 0) PG_RETURN_NULL();
  // Where versions are missing, which only a raw INSERT can bring about, nothing is kept.
  if (with_snapshots && folded >= kSnapshotEvery && folded == state.version - from.version) {
    KeepSnapshot(stream_id, reducer.name, state);
  }
  pg::JsonbBuilder answer;
  answer.BeginObject();
  answer.Add("stream_id", pg::View(stream_id));
  answer.Add("version", state.version);
  answer.Key("updated_at");
  answer.Timestamp(state.updated_at);
  answer.Key("state");
  state.state == nullptr ? answer.Null() : answer.Document(state.state);
  answer.EndObject();
  PG_RETURN_JSONB_P(answer.Finish());
}

}  // namespace
}  // namespace auren::events

AUREN_SQL_FUNCTION(events_get_stream_state) { return auren::events::Answer(fcinfo, true); }

AUREN_SQL_FUNCTION(events_fold_stream) { return auren::events::Answer(fcinfo, false); }

// events.current_reducer(p_stream_id): what states of the stream are kept under.
AUREN_SQL_FUNCTION(events_current_reducer) {
  PG_RETURN_TEXT_P(auren::events::FindReducer(PG_GETARG_TEXT_PP(0)).name);
}

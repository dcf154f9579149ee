// events.merge_stream, the default fold behind events.get_stream_state: what a stream amounts to.
#include "events/fold.h"
#include "events/store.h"
#include "postgres/values.h"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
}

namespace auren::events {
namespace {

struct State {
  int64 version;  // 0: there is none
  TimestampTz updated_at;
  Jsonb* state;
};

// Folds the stream's events up to the given version and time, as the running statement sees them.
State FoldStream(text* stream_id, int64 at_version, TimestampTz as_of) {
  Relation store = OpenStore(AccessShareLock);
  Relation index = index_open(RelationOid(kStore.by_version), AccessShareLock);
  TupleTableSlot* slot = table_slot_create(store, nullptr);
  ScanKeyData keys[2];
  ScanKeyEntryInitialize(&keys[0], 0, 1, BTEqualStrategyNumber, InvalidOid,
                         index->rd_indcollation[0], F_TEXTEQ, PointerGetDatum(stream_id));
  ScanKeyInit(&keys[1], 2, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(at_version));
  IndexScanDesc scan = AUREN_INDEX_BEGINSCAN(store, index, GetActiveSnapshot(), 2);
  index_rescan(scan, keys, 2, nullptr, 0);

  State result{};
  Fold fold;
  fold.Begin();
  const MemoryContext per_event =
      // NOLINTNEXTLINE(bugprone-implicit-widening-of-multiplication-result): the macro's own
      AllocSetContextCreate(CurrentMemoryContext, "one event", ALLOCSET_DEFAULT_SIZES);
  while (index_getnext_slot(scan, BackwardScanDirection, slot)) {
    CHECK_FOR_INTERRUPTS();
    bool is_null;
    const TimestampTz created_at = DatumGetTimestampTz(slot_getattr(slot, kCreatedAt, &is_null));
    if (created_at > as_of) continue;
    if (result.version == 0) {
      result.version = DatumGetInt64(slot_getattr(slot, kVersion, &is_null));
      result.updated_at = created_at;
    }
    const MemoryContext caller = MemoryContextSwitchTo(per_event);
    fold.Take(DatumGetJsonbP(slot_getattr(slot, kEventData, &is_null)));
    MemoryContextSwitchTo(caller);
    MemoryContextReset(per_event);
  }
  MemoryContextDelete(per_event);
  if (result.version > 0) result.state = fold.Finish();

  index_endscan(scan);
  ExecDropSingleTupleTableSlot(slot);
  index_close(index, AccessShareLock);
  table_close(store, AccessShareLock);
  return result;
}

}  // namespace
}  // namespace auren::events

AUREN_SQL_FUNCTION(events_get_stream_state) {
  using namespace auren;
  if (PG_ARGISNULL(0)) PG_RETURN_NULL();
  text* stream_id = PG_GETARG_TEXT_PP(0);
  const events::State state =
      events::FoldStream(stream_id, PG_ARGISNULL(1) ? PG_INT64_MAX : PG_GETARG_INT64(1),
                         PG_ARGISNULL(2) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(2));
  if (state.version == 0) PG_RETURN_NULL();
  pg::JsonbBuilder answer;
  answer.BeginObject();
  answer.Add("stream_id", pg::View(stream_id));
  answer.Add("version", state.version);
  answer.Key("updated_at");
  answer.Timestamp(state.updated_at);
  answer.Key("state");
  answer.Document(state.state);
  answer.EndObject();
  PG_RETURN_JSONB_P(answer.Finish());
}

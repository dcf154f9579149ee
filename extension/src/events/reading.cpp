// events.read_all, events.read_category, events.safe_position: the global order for whoever follows
// it.
#include "events/horizon.h"
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

// What to read: the rows behind `after`, of one category or (nullptr) of all, at most `limit`.
struct Request {
  text* category;
  int64 after;
  int64 limit;
};

int64 LimitArgument(FunctionCallInfo fcinfo, int argument) {
  if (PG_ARGISNULL(argument)) return PG_INT64_MAX;
  const int32 limit = PG_GETARG_INT32(argument);
  if (limit < 0) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("p_limit must not be negative"), errhint("Use NULL for no limit.")));
  }
  return limit;
}

// Under one snapshot for the whole transaction a hole cannot be proved; standing still there
// without a word would look like the end.
void RefuseHole(int64 hole) {
  ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                  errmsg("cannot tell whether position " INT64_FORMAT " will still come", hole),
                  errdetail("The transaction's snapshot may be older than the answer."),
                  errhint("Read the global order under READ COMMITTED.")));
}

// Puts the rows up to `safe` into the result.
void Read(const Request& request, int64 safe, const ReturnSetInfo* result) {
  Relation store = OpenStore(AccessShareLock);
  Relation index = index_open(
      RelationOid(request.category == nullptr ? kPositionIndex : kCategoryIndex), AccessShareLock);
  TupleTableSlot* slot = table_slot_create(store, nullptr);
  const Snapshot snapshot = ReaderSnapshot();
  ScanKeyData keys[2];
  int key_count = 0;
  if (request.category != nullptr) {
    ScanKeyEntryInitialize(&keys[key_count++], 0, 1, BTEqualStrategyNumber, InvalidOid,
                           index->rd_indcollation[0], F_TEXTEQ, PointerGetDatum(request.category));
  }
  ScanKeyInit(&keys[key_count], static_cast<AttrNumber>(key_count + 1), BTGreaterStrategyNumber,
              F_INT8GT, Int64GetDatum(request.after));
  key_count++;
  IndexScanDesc scan = AUREN_INDEX_BEGINSCAN(store, index, snapshot, key_count);
  index_rescan(scan, keys, key_count, nullptr, 0);
  int64 given = 0;
  bool more = false;
  while (given < request.limit && index_getnext_slot(scan, ForwardScanDirection, slot)) {
    CHECK_FOR_INTERRUPTS();
    bool is_null;
    more = DatumGetInt64(slot_getattr(slot, kPosition, &is_null)) > safe;
    if (more) break;
    tuplestore_puttupleslot(result->setResult, slot);
    given++;
  }
  if (more && given == 0 && IsolationUsesXactSnapshot() && !IsOwn(slot)) RefuseHole(safe + 1);
  index_endscan(scan);
  UnregisterSnapshot(snapshot);
  ExecDropSingleTupleTableSlot(slot);
  index_close(index, AccessShareLock);
  table_close(store, AccessShareLock);
}

Datum ReadInto(FunctionCallInfo fcinfo, const Request& request) {
  InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
  // Without a category, as many positions as rows are wanted are enough.
  const int64 safe =
      SafePosition(request.after, request.category == nullptr ? request.limit : PG_INT64_MAX);
  Read(request, safe, reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo));
  return Datum{0};
}

int64 AfterArgument(FunctionCallInfo fcinfo, int argument) {
  return PG_ARGISNULL(argument) ? 0 : Max(PG_GETARG_INT64(argument), 0);
}

}  // namespace
}  // namespace auren::events

AUREN_SQL_FUNCTION(events_read_all) {
  using namespace auren::events;
  return ReadInto(fcinfo, {nullptr, AfterArgument(fcinfo, 0), LimitArgument(fcinfo, 1)});
}

AUREN_SQL_FUNCTION(events_read_category) {
  using namespace auren;
  using namespace auren::events;
  text* category = pg::TextArgument(fcinfo, 0);
  if (category == nullptr) category = pg::Text("");  // no stream has it
  return ReadInto(fcinfo, {category, AfterArgument(fcinfo, 1), LimitArgument(fcinfo, 2)});
}

AUREN_SQL_FUNCTION(events_safe_position) { PG_RETURN_INT64(auren::events::SafePosition()); }

// events.read_all, events.read_category, events.safe_position: the global order for whoever follows
// it.
#include "events/reading.h"

#include <algorithm>

#include "events/horizon.h"
#include "events/walk.h"
#include "postgres/values.h"

extern "C" {
#include "access/xlog.h"
#include "utils/snapmgr.h"
}

namespace auren::events {
namespace {

// Under one snapshot for the whole transaction a hole cannot be proved; standing still there
// without a word would look like the end.
void RefuseHole(int64 hole) {
  ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                  errmsg("cannot tell whether position " INT64_FORMAT " will still come", hole),
                  errdetail("The transaction's snapshot may be older than the answer."),
                  RecoveryInProgress()
                      ? errhint("Read on in a new transaction, when a subscription on the primary "
                                "has come further.")
                      : errhint("Read the global order under READ COMMITTED.")));
}

bool Wanted(const Request& request, const Walk& walk) {
  if (request.members > 1) {
    bool is_null;
    text* stream_id = DatumGetTextPP(slot_getattr(walk.slot(), kStreamId, &is_null));
    if (MemberOf(stream_id, request.members) != request.member) return false;
  }
  return !std::binary_search(request.skip, request.skip + request.skip_count, walk.position());
}

// Goes to the next row that the request asks for; false at the end.
bool Next(const Request& request, Walk* walk) {
  while (walk->Next()) {
    if (Wanted(request, *walk)) return true;
  }
  return false;
}

// Puts the rows up to `safe` into the result.
void Read(const Request& request, int64 safe, const ReturnSetInfo* result) {
  const Snapshot snapshot = ReaderSnapshot();
  Walk walk;
  walk.Begin(request.category, request.after, snapshot);
  int64 given = 0;
  bool more = false;
  while (given < request.limit && Next(request, &walk)) {
    more = walk.position() > safe;
    if (more) break;
    tuplestore_puttupleslot(result->setResult, walk.slot());
    given++;
  }
  if (more && given == 0 && IsolationUsesXactSnapshot() && !walk.IsInFlight()) {
    RefuseHole(safe + 1);
  }
  walk.End();
  UnregisterSnapshot(snapshot);
}

int64 AfterArgument(FunctionCallInfo fcinfo, int argument) {
  return PG_ARGISNULL(argument) ? 0 : Max(PG_GETARG_INT64(argument), 0);
}

}  // namespace

int32 MemberOf(const text* stream_id, int32 members) {
  return static_cast<int32>(HashOf(stream_id) % static_cast<uint64>(members)) + 1;
}

Datum ReadInto(FunctionCallInfo fcinfo, const Request& request) {
  InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
  // Where every row counts, as many positions as rows are wanted are enough.
  const bool all = request.category == nullptr && request.members == 1 && request.skip_count == 0;
  const int64 safe = SafePosition(request.after, all ? request.limit : PG_INT64_MAX);
  Read(request, safe, reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo));
  return Datum{0};
}

bool AnythingFor(const Request& request) {
  const Snapshot snapshot = ReaderSnapshot();
  Walk walk;
  walk.Begin(request.category, request.after, snapshot);
  const bool found = Next(request, &walk);
  walk.End();
  UnregisterSnapshot(snapshot);
  return found;
}

int64 LimitArgument(FunctionCallInfo fcinfo, int argument) {
  if (PG_ARGISNULL(argument)) return PG_INT64_MAX;
  const int32 limit = PG_GETARG_INT32(argument);
  if (limit < 0) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("p_limit must not be negative"), errhint("Use NULL for no limit.")));
  }
  return limit;
}

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

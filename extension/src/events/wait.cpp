// CALL events.wait_for_events: returns as soon as there is something behind a position.
//
// A procedure, because it ends its transaction before it waits: while it does it holds no snapshot,
// so that VACUUM goes on, and no lock.
#include "events/horizon.h"
#include "postgres/errors.h"
#include "postgres/waking.h"

extern "C" {
#include "access/htup_details.h"
#include "nodes/parsenodes.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"
}

namespace auren::events {
namespace {

constexpr long kLookAgainMs = 1000;  // whatever happens
constexpr long kInFlightMs = 20;     // something is there but not settled
constexpr int64 kPaceUs = 2000;      // between two answers, while there is always something new

TimestampTz answered_at = 0;

// Who waits again at once while others append without a pause finds something new each time, and
// would take their processor for it: it gets more at a time instead.
void Pace() {
  const int64 since = GetCurrentTimestamp() - answered_at;
  if (since >= 0 && since < kPaceUs) pg_usleep(kPaceUs - since);
}

// When to give up, by p_timeout: 22004 for NULL, 22023 for less than nothing.
TimestampTz DeadlineArgument(FunctionCallInfo fcinfo, int argument) {
  pg::RequireNotNull(fcinfo, argument, "p_timeout");
  const TimestampTz now = GetCurrentTimestamp();
  const TimestampTz deadline = DatumGetTimestampTz(DirectFunctionCall2(
      timestamptz_pl_interval, TimestampTzGetDatum(now), PG_GETARG_DATUM(argument)));
  if (deadline < now) {
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("p_timeout must not be negative"),
             errhint("Use for example interval '30 seconds'.")));
  }
  return deadline;
}

void RequireAutocommit(FunctionCallInfo fcinfo) {
  const bool atomic = fcinfo->context == nullptr || !IsA(fcinfo->context, CallContext) ||
                      reinterpret_cast<CallContext*>(fcinfo->context)->atomic;
  // In a procedure or a DO block, too, what has been written is not committed behind its back.
  if (!atomic && !IsSubTransaction() && !TransactionIdIsValid(GetTopTransactionIdIfAny())) return;
  ereport(ERROR,
          (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
           errmsg("events.wait_for_events cannot run inside a transaction block or function"),
           errhint("Call it by itself, with autocommit.")));
}

// Ends the transaction and its snapshot, and begins one that keeps none.
void LetGo() {
  if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
  SPI_commit();
  XactIsoLevel = XACT_READ_COMMITTED;
}

// ... and goes on with one as the caller has set them up.
void Resume() {
  SPI_commit();
  SPI_finish();
}

int64 Wait(int64 after, TimestampTz deadline) {
  for (bool first = true;; first = false) {
    pg::BeginLook();
    const int64 head = LastDrawn();
    if (head > after && SafePosition(after, 1) > after) {
      if (first) Pace();
      break;
    }
    InvalidateCatalogSnapshot();
    const long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
    if (left <= 0) break;
    pg::SleepUntilChange(Min(left, head > after ? kInFlightMs : kLookAgainMs));
  }
  pg::EndWaiting();
  answered_at = GetCurrentTimestamp();
  return SafePosition(after < LastDrawn() ? after : 0, PG_INT64_MAX, 0);  // it has waited enough
}

}  // namespace
}  // namespace auren::events

AUREN_SQL_FUNCTION(events_wait_for_events) {
  using namespace auren::events;
  RequireAutocommit(fcinfo);
  const int64 after = PG_ARGISNULL(0) ? 0 : Max(PG_GETARG_INT64(0), 0);
  const TimestampTz deadline = DeadlineArgument(fcinfo, 1);
  LetGo();
  Datum position = Int64GetDatum(Wait(after, deadline));
  Resume();
  TupleDesc descriptor;
  if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE) {
    elog(ERROR, "return type must be a row type");
  }
  bool is_null = false;
  PG_RETURN_DATUM(
      HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), &position, &is_null)));
}

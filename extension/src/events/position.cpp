// Global positions. Every one of them is drawn behind the gate: lock first, then the sequence, so
// that whoever sees a position missing can find out whether its transaction is still running.
#include "events/store.h"
#include "postgres/waking.h"

extern "C" {
#include "catalog/pg_sequence.h"
#include "commands/sequence.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/syscache.h"
}

namespace auren::events {
namespace {

// What the running transaction has drawn first. A rolled back savepoint is not forgotten here.
struct {
  LocalTransactionId transaction;
  int64 position;
} first = {InvalidLocalTransactionId, 0};

// The proof needs positions one by one and upwards; a changed sequence is refused, not obeyed.
void CheckSequence(Oid sequence) {
  HeapTuple tuple = SearchSysCache1(SEQRELID, ObjectIdGetDatum(sequence));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for sequence %u", sequence);
  const auto* form = reinterpret_cast<Form_pg_sequence>(GETSTRUCT(tuple));
  const bool sound = form->seqcache == 1 && form->seqincrement == 1 && !form->seqcycle;
  ReleaseSysCache(tuple);
  if (!sound) {
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("sequence \"events.event_store_position_seq\" has been changed"),
             errdetail("Positions must be handed out one by one, in order."),
             errhint("Run ALTER SEQUENCE events.event_store_position_seq INCREMENT 1 CACHE 1 "
                     "NO CYCLE.")));
  }
}

}  // namespace

int64 Positions::Next() {
  if (!OidIsValid(sequence_)) {
    // Whether the transaction holds it already or not: a savepoint may have been rolled back.
    LockRelationOid(RelationOid("append_gate"), RowExclusiveLock);
    sequence_ = RelationOid("event_store_position_seq");
    CheckSequence(sequence_);
    pg::WakeAtEnd();
  }
  const int64 position = nextval_internal(sequence_, false);
  const LocalTransactionId transaction = AUREN_LOCAL_TRANSACTION_ID();
  if (first.transaction != transaction) first = {transaction, position};
  return position;
}

int64 FirstDrawn() {
  return first.transaction == AUREN_LOCAL_TRANSACTION_ID() ? first.position : PG_INT64_MAX;
}

}  // namespace auren::events

AUREN_SQL_FUNCTION(events_next_position) {
  PreventCommandIfReadOnly("events.next_position()");
  auren::events::Positions positions;
  PG_RETURN_INT64(positions.Next());
}

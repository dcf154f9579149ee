#include "events/horizon.h"

#include "events/checkpoints.h"
#include "events/settled.h"
#include "events/walk.h"

extern "C" {
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xlog.h"
#include "commands/sequence.h"
#include "portability/instr_time.h"
#include "storage/bufmgr.h"
#include "storage/lock.h"
#include "utils/snapmgr.h"
}

namespace auren::events {
namespace {

constexpr long kPauseUs = 100;

// What this connection knows, of itself and from others. `holders` are those who must end before
// `pending` is settled.
struct {
  Oid sequence;  // another one: the extension has been created anew
  int64 settled;
  int64 pending;  // 0: no proof is under way
  VirtualTransactionId* holders;
  int holder_count;
} known = {InvalidOid, 0, 0, nullptr, 0};

void Abandon() {
  if (known.holders != nullptr) pfree(known.holders);
  known.holders = nullptr;
  known.holder_count = 0;
  known.pending = 0;
}

// Remembers that everything up to a position is settled, and tells the other connections.
void Learn(int64 settled) {
  if (settled <= known.settled) return;
  known.settled = settled;
  ShareSettled(known.sequence, settled);
}

// The last position drawn, read from the sequence's page: its SQL functions would lock like a
// writer.
int64 Head(Oid sequence) {
  Relation relation = relation_open(sequence, AccessShareLock);
  const Buffer buffer = ReadBuffer(relation, 0);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  const Page page = BufferGetPage(buffer);
  const auto* tuple =
      reinterpret_cast<HeapTupleHeader>(PageGetItem(page, PageGetItemId(page, FirstOffsetNumber)));
  const auto* data = reinterpret_cast<const FormData_pg_sequence_data*>(
      reinterpret_cast<const char*>(tuple) + tuple->t_hoff);
  const int64 head = data->is_called ? data->last_value : data->last_value - 1;
  UnlockReleaseBuffer(buffer);
  relation_close(relation, AccessShareLock);
  return head;
}

LOCKTAG GateTag() {
  LOCKTAG tag;
  SET_LOCKTAG_RELATION(tag, MyDatabaseId, RelationOid("append_gate"));
  return tag;
}

// Remembers who holds the gate now. H has been read before: whoever drew a position up to H and has
// not ended is among them.
void BeginProof(int64 head) {
  const LOCKTAG tag = GateTag();
  int count;
  VirtualTransactionId* holders = GetLockConflicts(&tag, ShareLock, &count);
  if (count > 0) {
    const size_t size = sizeof(VirtualTransactionId) * static_cast<size_t>(count);
    known.holders = static_cast<VirtualTransactionId*>(MemoryContextAlloc(TopMemoryContext, size));
    memcpy(known.holders, holders, size);
  }
  known.holder_count = count;
  known.pending = head;
  pfree(holders);
}

// Forgets the holders that have ended; true when all have.
bool AllEnded() {
  int left = 0;
  for (int i = 0; i < known.holder_count; i++) {
    if (!VirtualXactLock(known.holders[i], false)) known.holders[left++] = known.holders[i];
  }
  known.holder_count = left;
  return left == 0;
}

// Tries to settle everything up to `wanted`, which has been drawn, and waits for it as long as
// told.
bool Prove(Oid sequence, int64 wanted, double patience_ms) {
  const LOCKTAG gate = GateTag();
  instr_time begun;
  INSTR_TIME_SET_CURRENT(begun);
  for (;;) {
    CHECK_FOR_INTERRUPTS();
    // Our own hold is not listed among the conflicts: what we have drawn ourselves is in flight.
    if (known.pending == 0) {
      if (AUREN_LOCK_HELD_BY_ME(&gate, RowExclusiveLock)) return false;
      BeginProof(Head(sequence));
    }
    if (AllEnded()) {
      Learn(known.pending);
      Abandon();
      if (known.settled >= wanted) return true;
      continue;
    }
    instr_time now;
    INSTR_TIME_SET_CURRENT(now);
    INSTR_TIME_SUBTRACT(now, begun);
    if (INSTR_TIME_GET_MILLISEC(now) >= patience_ms) return false;
    pg_usleep(kPauseUs);
  }
}

// The end of the run of consecutive committed positions after `from`, no further than `enough`.
int64 EndOfRun(int64 from, int64 enough) {
  const Snapshot snapshot = ReaderSnapshot();
  Walk walk;
  walk.Begin(nullptr, from, snapshot);
  int64 end = from;
  while (end < enough && walk.Next()) {
    if (walk.position() != end + 1 || walk.IsInFlight()) break;
    end = walk.position();
  }
  walk.End();
  UnregisterSnapshot(snapshot);
  return end;
}

// What a standby, which sees nobody append, learns from the primary: some consumer there has
// acknowledged it.
int64 Replicated() {
  const Snapshot snapshot = ReaderSnapshot();
  const int64 highest = HighestCheckpoint(snapshot);
  UnregisterSnapshot(snapshot);
  return highest;
}

}  // namespace

Snapshot ReaderSnapshot() {
  return RegisterSnapshot(IsolationUsesXactSnapshot() ? GetTransactionSnapshot()
                                                      : GetLatestSnapshot());
}

int64 LastDrawn() { return Head(RelationOid("event_store_position_seq")); }

int64 SafePosition(int64 after, int64 rows, double patience_ms) {
  const Oid sequence = RelationOid("event_store_position_seq");
  // A snapshot that is older than a proof would not show what the proof has settled, whoever made
  // it. (What this connection knew before the transaction began is older than its snapshot.)
  const bool standby = RecoveryInProgress();
  const bool may_prove = !IsolationUsesXactSnapshot() && !standby;
  if (known.sequence != sequence) {
    Abandon();
    known.sequence = sequence;
    known.settled = 0;
  }
  if (may_prove) known.settled = Max(known.settled, SharedSettled(sequence));
  const int64 head = Head(sequence);  // read last: nobody knows of more than has been drawn
  if (head < known.settled) {
    Abandon();
    known.settled = 0;
    ForgetSettled();
  }
  // A checkpoint beyond what has been drawn: a dump is being restored.
  if (standby && known.settled < head) Learn(Min(Replicated(), head));
  if (known.settled >= head) return known.settled;
  if (known.pending <= known.settled) Abandon();

  if (may_prove && Prove(sequence, head, 0)) return known.settled;

  // Somebody is appending. What comes before the first hole is settled nevertheless.
  const int64 from = Max(known.settled, after);
  const int64 enough = rows < PG_INT64_MAX - from ? from + rows : PG_INT64_MAX;
  const int64 end = EndOfRun(from, enough);
  if (from == known.settled) Learn(end);  // the caller's word is not remembered
  if (end >= Min(head, enough)) return end;
  return may_prove && Prove(sequence, head, patience_ms) ? known.settled : end;
}

}  // namespace auren::events

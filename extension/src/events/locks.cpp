// One writer per stream at a time. The lock is on the 64-bit hash of the stream id, in a lock class
// of our own, so that no advisory lock of a user can stand in its way.
//
// A transaction holds at most kMaxStreamLocks of them: the shared lock table is finite. Beyond that
// it takes the store lock, which all others take in a mode that agrees with each other but not with
// it.
#include <algorithm>

#include "events/append.h"
#include "events/store.h"

extern "C" {
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
}

namespace auren::events {
namespace {

constexpr uint16 kLockClass = 0x4155;  // advisory locks of users are classes 1 and 2
constexpr int kMaxStreamLocks = 1000;

// How many stream locks the running transaction has taken. A rolled back savepoint gives locks up
// without being subtracted here: the store lock is then taken earlier than need be, never too late.
struct {
  LocalTransactionId transaction;
  int taken;
} current = {InvalidLocalTransactionId, 0};

void LockStore(LOCKMODE mode) { LockRelationOid(RelationOid("append_lock"), mode); }

// True when the lock was not held before.
bool LockKey(uint64 key) {
  LOCKTAG tag;
  SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, static_cast<uint32>(key >> 32), static_cast<uint32>(key),
                       kLockClass);
  return LockAcquire(&tag, ExclusiveLock, false, false) == LOCKACQUIRE_OK;
}

}  // namespace

void LockStreams(text** stream_ids, int count, const char* function) {
  // Said early and by name; the insert would complain about nextval() or an INSERT nobody wrote.
  PreventCommandDuringRecovery(function);
  PreventCommandIfReadOnly(function);
  PreventCommandIfParallelMode(function);

  const LocalTransactionId transaction = AUREN_LOCAL_TRANSACTION_ID();
  if (current.transaction != transaction) current = {transaction, 0};

  auto* keys = static_cast<uint64*>(palloc(sizeof(uint64) * Max(count, 1)));
  for (int i = 0; i < count; i++) keys[i] = HashOf(stream_ids[i]);
  std::sort(keys, keys + count);
  const int distinct = static_cast<int>(std::unique(keys, keys + count) - keys);

  // A single call that needs too many does not even begin to take them one by one.
  if (distinct > kMaxStreamLocks) current.taken = kMaxStreamLocks;
  if (current.taken < kMaxStreamLocks) LockStore(RowExclusiveLock);
  int locked = 0;
  for (; locked < distinct && current.taken < kMaxStreamLocks; locked++) {
    if (LockKey(keys[locked])) current.taken++;
  }
  if (locked < distinct) LockStore(ShareRowExclusiveLock);
  pfree(keys);
}

}  // namespace auren::events

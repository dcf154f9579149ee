#include "postgres/waking.h"

#include "postgres/shared_memory.h"

extern "C" {
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/latch.h"
#include "storage/proclist.h"
#include "utils/wait_event.h"
}

namespace auren::pg {
namespace {

constexpr int64 kWindowUs = 2000;  // at most one broadcast in it
constexpr long kAfterWindowMs = 3;
constexpr long kPollMs = 10;  // without shared memory

struct Shared {
  ConditionVariable changed;
  pg_atomic_uint64 broadcast_at;  // a TimestampTz
};

Shared* shared = nullptr;  // nullptr: not preloaded
bool wake_at_end = false;
TimestampTz looked_at = 0;

void Attach(void* memory, bool is_new) {
  shared = static_cast<Shared*>(memory);
  if (!is_new) return;
  ConditionVariableInit(&shared->changed);
  pg_atomic_init_u64(&shared->broadcast_at, 0);
}

bool InWindow(TimestampTz now) {
  const int64 since = now - static_cast<int64>(pg_atomic_read_u64(&shared->broadcast_at));
  return since >= 0 && since < kWindowUs;  // a clock that was set back closes it
}

void Broadcast() {
  // The commit is visible before this look, as a waiter is on the list before its own: one of the
  // two sees the other.
  pg_memory_barrier();
  if (proclist_is_empty(&shared->changed.wakeup)) return;
  const TimestampTz now = GetCurrentTimestamp();
  uint64 last = pg_atomic_read_u64(&shared->broadcast_at);
  if (InWindow(now)) return;
  // Of several that end at the same time one is enough.
  if (!pg_atomic_compare_exchange_u64(&shared->broadcast_at, &last, static_cast<uint64>(now))) {
    return;
  }
  ConditionVariableBroadcast(&shared->changed);
}

// Runs when the transaction has left the list of running ones. Must not raise.
void AtEnd(XactEvent event, void*) {
  switch (event) {
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_ABORT:  // what it had drawn is settled now
      if (wake_at_end) Broadcast();
      wake_at_end = false;
      break;
    case XACT_EVENT_PREPARE:
      wake_at_end = false;  // its end comes elsewhere
      break;
    default:
      break;
  }
}

}  // namespace

void InitWaking() {
  if (!process_shared_preload_libraries_in_progress) return;
  ShareMemory({"auren waking", sizeof(Shared), Attach});
  RegisterXactCallback(AtEnd, nullptr);
}

void WakeAtEnd() { wake_at_end = shared != nullptr; }

void BeginLook() {
  if (shared == nullptr) return;
  ConditionVariablePrepareToSleep(&shared->changed);
  looked_at = GetCurrentTimestamp();
  pg_memory_barrier();
}

void SleepUntilChange(long milliseconds) {
  if (shared != nullptr) {
    // Who ended within the window after a broadcast has not said so: look when it is over.
    if (InWindow(looked_at)) milliseconds = Min(milliseconds, kAfterWindowMs);
    (void)ConditionVariableTimedSleep(&shared->changed, milliseconds, PG_WAIT_EXTENSION);
    return;
  }
  const int happened = WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                                 Min(milliseconds, kPollMs), PG_WAIT_EXTENSION);
  if ((happened & WL_LATCH_SET) != 0) ResetLatch(MyLatch);
  CHECK_FOR_INTERRUPTS();
}

void EndWaiting() {
  if (shared != nullptr) ConditionVariableCancelSleep();
}

}  // namespace auren::pg

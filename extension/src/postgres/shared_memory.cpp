#include "postgres/shared_memory.h"

extern "C" {
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
}

namespace auren::pg {
namespace {

constexpr int kMaxShared = 4;

SharedMemory wanted[kMaxShared];
int wanted_count = 0;

shmem_request_hook_type next_request_hook = nullptr;
shmem_startup_hook_type next_startup_hook = nullptr;

void Request() {
  if (next_request_hook != nullptr) next_request_hook();
  for (int i = 0; i < wanted_count; i++) RequestAddinShmemSpace(MAXALIGN(wanted[i].size));
}

void Startup() {
  if (next_startup_hook != nullptr) next_startup_hook();
  LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
  for (int i = 0; i < wanted_count; i++) {
    bool found;
    void* memory = ShmemInitStruct(wanted[i].name, wanted[i].size, &found);
    wanted[i].attach(memory, !found);
  }
  LWLockRelease(AddinShmemInitLock);
}

}  // namespace

void ShareMemory(const SharedMemory& memory) {
  if (!process_shared_preload_libraries_in_progress) return;
  if (wanted_count == 0) {
    next_request_hook = shmem_request_hook;
    shmem_request_hook = Request;
    next_startup_hook = shmem_startup_hook;
    shmem_startup_hook = Startup;
  }
  Assert(wanted_count < kMaxShared);
  wanted[wanted_count++] = memory;
}

}  // namespace auren::pg

#include "events/settled.h"

#include "postgres/shared_memory.h"

extern "C" {
#include "port/atomics.h"
#include "storage/spin.h"
}

namespace auren::events {
namespace {

constexpr int kPlaces = 64;

struct Place {
  pg_atomic_uint32 database;  // 0: free; once taken, taken for good
  slock_t lock;               // for what follows
  Oid sequence;
  int64 settled;
};

struct Shared {
  Place places[kPlaces];
};

Shared* shared = nullptr;  // nullptr: not preloaded
Place* ours = nullptr;

void Attach(void* memory, bool is_new) {
  shared = static_cast<Shared*>(memory);
  if (!is_new) return;
  for (Place& place : shared->places) {
    pg_atomic_init_u32(&place.database, InvalidOid);
    SpinLockInit(&place.lock);
    place.sequence = InvalidOid;
    place.settled = 0;
  }
}

// This database's place, taken if it has none yet; nullptr when there is none to be had. All look
// in the same order and none is ever given back, so no database gets two.
Place* Ours() {
  if (ours != nullptr || shared == nullptr) return ours;
  for (Place& place : shared->places) {
    uint32 database = pg_atomic_read_u32(&place.database);
    if (database == MyDatabaseId ||
        (database == InvalidOid &&
         (pg_atomic_compare_exchange_u32(&place.database, &database, MyDatabaseId) ||
          database == MyDatabaseId))) {
      ours = &place;
      break;
    }
  }
  return ours;
}

}  // namespace

void InitSettled() { pg::ShareMemory({"auren settled", sizeof(Shared), Attach}); }

int64 SharedSettled(Oid sequence) {
  Place* place = Ours();
  if (place == nullptr) return 0;
  SpinLockAcquire(&place->lock);
  const int64 settled = place->sequence == sequence ? place->settled : 0;
  SpinLockRelease(&place->lock);
  return settled;
}

void ShareSettled(Oid sequence, int64 position) {
  Place* place = Ours();
  if (place == nullptr) return;
  SpinLockAcquire(&place->lock);
  if (place->sequence != sequence) {
    place->sequence = sequence;
    place->settled = 0;
  }
  place->settled = Max(place->settled, position);
  SpinLockRelease(&place->lock);
}

void ForgetSettled() {
  Place* place = Ours();
  if (place == nullptr) return;
  SpinLockAcquire(&place->lock);
  place->settled = 0;
  SpinLockRelease(&place->lock);
}

}  // namespace auren::events

#include "postgres/pending_list.h"

extern "C" {
#include "catalog/pg_am.h"
}

namespace auren::pg {
namespace {

// What a page of the list holds, as gin/ginfast.c reckons it. More than that would be taken for one
// row.
constexpr uint32 kPage = BLCKSZ - SizeOfPageHeaderData - MAXALIGN(sizeof(GinPageOpaqueData));

uint32 SpaceFor(uint32 tuples, uint32 size) {
  return size + tuples * static_cast<uint32>(sizeof(ItemIdData));
}

}  // namespace

bool PendingList::Begin(Relation index) {
  if (index->rd_rel->relam != GIN_AM_OID || !GinGetUseFastUpdate(index)) return false;
  state_ = static_cast<GinState*>(palloc(sizeof(GinState)));
  initGinState(state_, index);
  entries_ = {};
  // NOLINTNEXTLINE(bugprone-implicit-widening-of-multiplication-result): the macro's own
  memory_ = AllocSetContextCreate(CurrentMemoryContext, "pending entries", ALLOCSET_DEFAULT_SIZES);
  return true;
}

void PendingList::Add(const Datum* values, const bool* is_null, ItemPointer tid) {
  const uint32 tuples = entries_.ntuples;
  const uint32 size = entries_.sumsize;
  MemoryContext caller = MemoryContextSwitchTo(memory_);
  for (int i = 0; i < state_->origTupdesc->natts; i++) {
    ginHeapTupleFastCollect(state_, &entries_, static_cast<OffsetNumber>(i + 1), values[i],
                            is_null[i], tid);
  }
  MemoryContextSwitchTo(caller);
  // One row too many: it waits for the next page.
  if (tuples > 0 && SpaceFor(entries_.ntuples, entries_.sumsize) > kPage) HandOver(tuples, size);
}

// Hands the first entries over and keeps the others.
void PendingList::HandOver(uint32 tuples, uint32 size) {
  if (tuples == 0) return;
  const uint32 all = entries_.ntuples;
  const uint32 all_size = entries_.sumsize;
  MemoryContext caller = MemoryContextSwitchTo(memory_);
  entries_.ntuples = tuples;
  entries_.sumsize = size;
  ginHeapTupleFastInsert(state_, &entries_);
  for (uint32 i = 0; i < tuples; i++) pfree(entries_.tuples[i]);
  memmove(entries_.tuples, entries_.tuples + tuples, sizeof(IndexTuple) * (all - tuples));
  entries_.ntuples = all - tuples;
  entries_.sumsize = all_size - size;
  MemoryContextSwitchTo(caller);
}

void PendingList::End() {
  HandOver(entries_.ntuples, entries_.sumsize);
  MemoryContextDelete(memory_);
  pfree(state_);
}

}  // namespace auren::pg

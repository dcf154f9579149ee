#include "events/appender.h"

#include "postgres/values.h"

extern "C" {
#include "access/table.h"
#include "common/hashfn.h"
#include "port/pg_bitutils.h"
#include "utils/hsearch.h"
}

namespace auren::events {
namespace {

HTAB* NewIdSet() {
  HASHCTL control{};
  control.keysize = UUID_LEN;
  control.entrysize = UUID_LEN;
  control.hcxt = CurrentMemoryContext;
  return hash_create("ids of events not yet written", HeapInsert::kChunk, &control,
                     HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

}  // namespace

void Appender::Begin(int count) {
  store_ = OpenStore(RowExclusiveLock);
  direct_ = CanInsertDirectly(store_);
  if (!direct_) return;
  heap_.Begin(store_, Min(count, HeapInsert::kChunk));
  const uint32 size = pg_nextpower2_32(static_cast<uint32>(Max(count, 1)) * 2);
  streams_ = static_cast<KnownStream*>(MemoryContextAllocExtended(
      CurrentMemoryContext, sizeof(KnownStream) * size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
  mask_ = size - 1;
  waiting_ids_ = nullptr;
  session_user_ = SessionUser();
}

// The stream's tip, looked up at its first event only: nobody else can move it under our lock.
Tip* Appender::TipOf(text* stream_id) {
  const std::string_view id = pg::View(stream_id);
  uint32 slot =
      hash_bytes(reinterpret_cast<const unsigned char*>(id.data()), static_cast<int>(id.size())) &
      mask_;
  while (streams_[slot].stream_id != nullptr && pg::View(streams_[slot].stream_id) != id) {
    slot = (slot + 1) & mask_;
  }
  KnownStream& known = streams_[slot];
  if (known.stream_id == nullptr) known = {stream_id, FindTip(store_, stream_id)};
  return &known.tip;
}

Appended Appender::Append(const NewEvent& event, int64 expected_version) {
  if (!direct_) return events::Append(event, expected_version);
  CheckNewEvent(event, expected_version);
  if (event.event_id != nullptr) {
    const bool waits = waiting_ids_ != nullptr &&
                       hash_search(waiting_ids_, event.event_id, HASH_FIND, nullptr) != nullptr;
    if (waits) Flush();
    Appended first;
    if (IsRepeated(store_, event, &first)) return first;
  }
  Tip* tip = TipOf(event.stream_id);
  RequireInSnapshot(tip->in_snapshot, event.stream_id);
  const NewRow row = Place(event, *tip, expected_version, session_user_);
  *tip = TipAfter(row);
  if (heap_.IsFull()) Flush();
  heap_.Add(row);
  if (event.event_id != nullptr) {
    if (waiting_ids_ == nullptr) waiting_ids_ = NewIdSet();
    hash_search(waiting_ids_, event.event_id, HASH_ENTER, nullptr);
  }
  return AnswerFor(row);
}

void Appender::Flush() {
  heap_.Flush();
  if (waiting_ids_ != nullptr) hash_destroy(waiting_ids_);
  waiting_ids_ = nullptr;
}

void Appender::Finish() {
  if (direct_) {
    Flush();
    heap_.End();
    pfree(streams_);
  }
  table_close(store_, NoLock);
}

}  // namespace auren::events

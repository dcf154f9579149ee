#include "events/appender.h"

#include <algorithm>

#include "postgres/values.h"

extern "C" {
#include "access/table.h"
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

void* Allocate(size_t size, int count) {
  return MemoryContextAllocHuge(CurrentMemoryContext, size * static_cast<size_t>(Max(count, 1)));
}

}  // namespace

void Appender::Begin(text** stream_ids, int count, const Tip* known) {
  store_ = OpenStore(RowExclusiveLock);
  direct_ = CanInsertDirectly(store_);
  if (!direct_) return;
  heap_.Begin(store_, Min(count, HeapInsert::kChunk));
  LookUpTips(stream_ids, count, known);
  next_ = 0;
  positions_ = {};
  waiting_ids_ = nullptr;
  session_user_ = SessionUser();
}

// Nobody else can move a tip under our locks. In byte order, so that one probe leads to the next.
void Appender::LookUpTips(text** stream_ids, int count, const Tip* known) {
  auto* order = static_cast<int*>(Allocate(sizeof(int), count));
  for (int i = 0; i < count; i++) order[i] = i;
  std::sort(order, order + count, [stream_ids](int a, int b) {
    return pg::View(stream_ids[a]) < pg::View(stream_ids[b]);
  });
  auto** distinct = static_cast<text**>(Allocate(sizeof(text*), count));
  stream_of_ = static_cast<int*>(Allocate(sizeof(int), count));
  int streams = 0;
  for (int i = 0; i < count; i++) {
    text* stream_id = stream_ids[order[i]];
    if (streams == 0 || pg::View(distinct[streams - 1]) != pg::View(stream_id)) {
      distinct[streams++] = stream_id;
    }
    stream_of_[order[i]] = streams - 1;
  }
  tips_ = static_cast<Tip*>(Allocate(sizeof(Tip), streams));
  if (known == nullptr) {
    FindTips(store_, distinct, streams, tips_);
  } else {
    for (int i = 0; i < count; i++) tips_[stream_of_[i]] = known[i];
  }
  pfree(distinct);
  pfree(order);
}

Appended Appender::Append(const NewEvent& event, int64 expected_version) {
  if (!direct_) return events::Append(event, expected_version);
  const int stream = stream_of_[next_++];
  Tip* tip = &tips_[stream];
  CheckNewEvent(event, expected_version);
  const bool may_repeat = event.event_id != nullptr && !event.id_is_new;
  // A stream that is new has no event to repeat.
  if (may_repeat && tip->version > 0) {
    const bool waits = waiting_ids_ != nullptr &&
                       hash_search(waiting_ids_, event.event_id, HASH_FIND, nullptr) != nullptr;
    if (waits) Flush();
    Appended first;
    if (IsRepeated(store_, event, &first)) return first;
  }
  RequireInSnapshot(tip->in_snapshot, event.stream_id);
  const NewRow row = Place(event, *tip, expected_version, session_user_, &positions_);
  *tip = TipAfter(row);
  if (heap_.IsFull()) Flush();
  heap_.Add(row, stream);
  if (may_repeat) {
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
    pfree(tips_);
    pfree(stream_of_);
  }
  table_close(store_, NoLock);
}

}  // namespace auren::events

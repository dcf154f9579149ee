#include "events/lookup.h"

#include <algorithm>

#include "postgres/values.h"

extern "C" {
#include "access/table.h"
#include "utils/snapmgr.h"
}

namespace auren::events {

void Lookup::Begin(text** stream_ids, int count) {
  stream_ids_ = stream_ids;
  store_ = OpenStore(AccessShareLock);
  by_id_.Begin(store_, kStore.by_id, SnapshotSelf);
  Relation archive = OpenArchiveIfFilled(AccessShareLock);
  has_archive_ = archive != nullptr;
  if (has_archive_) table_close(archive, AccessShareLock);

  // In byte order, so that one probe leads to the next.
  auto* order = static_cast<int*>(palloc(sizeof(int) * count));
  auto** ordered = static_cast<text**>(palloc(sizeof(text*) * count));
  auto* tips = static_cast<Tip*>(palloc(sizeof(Tip) * count));
  for (int i = 0; i < count; i++) order[i] = i;
  std::sort(order, order + count, [stream_ids](int a, int b) {
    return pg::View(stream_ids[a]) < pg::View(stream_ids[b]);
  });
  for (int i = 0; i < count; i++) ordered[i] = stream_ids[order[i]];
  FindTips(store_, ordered, count, tips);
  tips_ = static_cast<Tip*>(palloc(sizeof(Tip) * count));
  for (int i = 0; i < count; i++) tips_[order[i]] = tips[i];
}

bool Lookup::Find(int i, const pg_uuid_t* event_id, StoredEvent* event) {
  if (tips_[i].version == 0) return false;
  by_id_.Again();
  by_id_.Equal(stream_ids_[i]);
  by_id_.Equal(event_id);
  if (!by_id_.Next(ForwardScanDirection) && !has_archive_) return false;
  Row row;
  if (!FindById(store_, stream_ids_[i], event_id, &row)) return false;
  *event = {row.version, row.position, row.event_type, row.event_data};
  return true;
}

void Lookup::End() {
  by_id_.End();
  table_close(store_, AccessShareLock);
}

}  // namespace auren::events

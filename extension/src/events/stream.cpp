#include "events/stream.h"

extern "C" {
#include "access/table.h"
}

namespace auren::events {

void Stream::Begin(text* stream_id, int64 after, int64 up_to, ScanDirection direction,
                   Snapshot snapshot) {
  // What is in the archive is older.
  const int archive = ScanDirectionIsForward(direction) ? 0 : 1;
  const int store = 1 - archive;
  tables_[archive] = OpenArchiveIfFilled(AccessShareLock);
  tables_[store] = OpenStore(AccessShareLock);
  for (int i = 0; i < kParts; i++) {
    if (tables_[i] == nullptr) continue;
    const TableNames& names = i == archive ? kArchive : kStore;
    parts_[i].Begin(tables_[i], names.by_version, snapshot);
    parts_[i].Equal(stream_id);
    if (ScanDirectionIsForward(direction)) {
      parts_[i].MoreThan(after);
    } else {
      parts_[i].AtMost(up_to);
    }
  }
  after_ = after;
  up_to_ = up_to;
  direction_ = direction;
  at_ = 0;
}

bool Stream::Next() {
  CHECK_FOR_INTERRUPTS();
  for (; at_ < kParts; at_++) {
    if (tables_[at_] == nullptr || !parts_[at_].Next(direction_)) continue;
    const int64 version = DatumGetInt64(parts_[at_].Get(kVersion));
    return version > after_ && version <= up_to_;
  }
  return false;
}

void Stream::End() {
  for (int i = 0; i < kParts; i++) {
    if (tables_[i] == nullptr) continue;
    parts_[i].End();
    table_close(tables_[i], AccessShareLock);
  }
}

namespace {

struct Place {
  int64 version;  // 0: nothing there
  TimestampTz created_at;
};

// The newest event at or before a version.
Place NewestUpTo(text* stream_id, int64 up_to, Snapshot snapshot) {
  Stream stream;
  stream.Begin(stream_id, 0, up_to, BackwardScanDirection, snapshot);
  Place place = {0, DT_NOBEGIN};
  if (stream.Next()) {
    place = {DatumGetInt64(stream.row().Get(kVersion)),
             DatumGetTimestampTz(stream.row().Get(kCreatedAt))};
  }
  stream.End();
  return place;
}

}  // namespace

int64 VersionAsOf(text* stream_id, TimestampTz as_of, Snapshot snapshot) {
  int64 low = 0;
  int64 high = NewestUpTo(stream_id, PG_INT64_MAX, snapshot).version;
  while (low < high) {
    const int64 middle = low + (high - low + 1) / 2;
    const Place place = NewestUpTo(stream_id, middle, snapshot);
    if (place.created_at <= as_of) {
      low = middle;
    } else {
      high = place.version - 1;
    }
  }
  return low;
}

}  // namespace auren::events

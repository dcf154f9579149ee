// One stream in version order, from store and archive, as one snapshot sees it.
//
//   Stream stream;
//   stream.Begin(stream_id, after, up_to, ForwardScanDirection, snapshot);
//   while (stream.Next()) ... stream.row() ...
//   stream.End();
//
// Gives the versions above `after`, up to `up_to`. No lock is needed: what moves to the archive or
// back meanwhile is found where the snapshot has it. An ERROR in between needs no cleaning up.
#pragma once

#include "events/scan.h"
#include "events/store.h"

namespace auren::events {

class Stream {
 public:
  void Begin(text* stream_id, int64 after, int64 up_to, ScanDirection direction, Snapshot snapshot);
  bool Next();
  const Scan& row() const { return parts_[at_]; }
  void End();

 private:
  static constexpr int kParts = 2;

  Relation tables_[kParts];  // in the order of the walk; nullptr: nothing is in it
  Scan parts_[kParts];
  int64 after_;
  int64 up_to_;
  ScanDirection direction_;
  int at_;
};

// The newest version that had been appended at a time; 0 when there was none. REQUIRES: created_at
// never goes back within the stream, as appends see to.
int64 VersionAsOf(text* stream_id, TimestampTz as_of, Snapshot snapshot);

}  // namespace auren::events

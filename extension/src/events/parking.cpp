#include "events/parking.h"

#include "events/horizon.h"
#include "events/reading.h"
#include "events/scan.h"
#include "events/walk.h"
#include "postgres/spi.h"

extern "C" {
#include "access/table.h"
#include "storage/bufmgr.h"
#include "utils/snapmgr.h"
}

namespace auren::events {

namespace {

// Whether the event at the position is one of the member's.
bool IsOf(const Member& member, int64 position, Snapshot snapshot) {
  if (member.members == 1) return true;
  Walk walk;
  walk.Begin(nullptr, position - 1, snapshot);
  bool is_null;
  const bool found = walk.Next() && walk.position() == position &&
                     MemberOf(DatumGetTextPP(slot_getattr(walk.slot(), kStreamId, &is_null)),
                              member.members) == member.member;
  walk.End();
  return found;
}

}  // namespace

Parked FindParked(const Member& member, int64 checkpoint) {
  enum : AttrNumber { kParkedPosition = 2, kRetry = 6 };
  Parked parked = {nullptr, 0, 0};
  Relation table = table_open(RelationOid("parked"), AccessShareLock);
  if (RelationGetNumberOfBlocks(table) == 0) {  // nobody has ever parked one
    table_close(table, AccessShareLock);
    return parked;
  }
  const Snapshot snapshot = ReaderSnapshot();
  int capacity = 64;
  parked.positions = static_cast<int64*>(palloc(sizeof(int64) * capacity));
  Scan scan;
  scan.Begin(table, "parked_pkey", snapshot);  // (name, position)
  scan.Equal(member.name);
  while (scan.Next(ForwardScanDirection)) {
    const int64 position = DatumGetInt64(scan.Get(kParkedPosition));
    const bool retry = DatumGetBool(scan.Get(kRetry));
    if (position <= checkpoint) {
      if (retry && parked.retry == 0 && IsOf(member, position, snapshot)) parked.retry = position;
    } else if (!retry) {
      if (parked.count == capacity) {
        capacity *= 2;
        parked.positions = static_cast<int64*>(
            repalloc_huge(parked.positions, sizeof(int64) * static_cast<size_t>(capacity)));
      }
      parked.positions[parked.count++] = position;
    }
  }
  scan.End();
  UnregisterSnapshot(snapshot);
  table_close(table, AccessShareLock);
  return parked;
}

void ForgetRetried(const Member& member, int64 position) {
  static pg::Statement forget = {
      "DELETE FROM events.parked WHERE name = $1 AND position = $2 AND retry",
      2,
      {TEXTOID, INT8OID}};
  const Datum values[] = {PointerGetDatum(member.name), Int64GetDatum(position)};
  const pg::SpiSession spi = pg::SpiBegin();
  pg::Execute(&forget, values);
  pg::SpiEnd(spi);
}

}  // namespace auren::events

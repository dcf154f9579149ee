#include "events/parking.h"

#include "events/by_name.h"
#include "events/horizon.h"
#include "events/reading.h"
#include "postgres/spi.h"

extern "C" {
#include "utils/snapmgr.h"
}

namespace auren::events {
namespace {

bool AnyParked(text* name) {
  const Snapshot snapshot = ReaderSnapshot();
  const ByName rows = BeginByName(kParked, name, snapshot);
  const bool any = Next(rows);
  End(rows);
  UnregisterSnapshot(snapshot);
  return any;
}

}  // namespace

Parked FindParked(const Member& member, int64 checkpoint) {
  static pg::Statement find = {
      "SELECT p.position, e.stream_id FROM events.parked p"
      " JOIN events.event_store e ON e.position = p.position"
      " WHERE p.name = $1 AND p.retry = (p.position <= $2) ORDER BY p.position",
      2,
      {TEXTOID, INT8OID}};
  const Datum values[] = {PointerGetDatum(member.name), Int64GetDatum(checkpoint)};
  Parked parked = {nullptr, 0, 0};
  if (!AnyParked(member.name)) return parked;
  const pg::SpiSession spi = pg::SpiBegin();
  const uint64 rows = pg::Execute(&find, values);
  if (rows > 0) parked.positions = static_cast<int64*>(SPI_palloc(sizeof(int64) * rows));
  for (uint64 row = 0; row < rows; row++) {
    const int64 position = DatumGetInt64(pg::Column(row, 1));
    if (position > checkpoint) {
      parked.positions[parked.count++] = position;
    } else if (parked.retry == 0 &&
               MemberOf(DatumGetTextPP(pg::Column(row, 2)), member.members) == member.member) {
      parked.retry = position;
    }
  }
  pg::SpiEnd(spi);
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

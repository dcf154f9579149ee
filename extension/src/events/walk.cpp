#include "events/walk.h"

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "utils/fmgroids.h"
}

namespace auren::events {

void Walk::Begin(text* category, int64 after, Snapshot snapshot) {
  BeginLeg(&legs_[0], OpenArchiveIfFilled(AccessShareLock), kArchive, category, after, snapshot);
  BeginLeg(&legs_[1], OpenStore(AccessShareLock), kStore, category, after, snapshot);
  at_ = -1;
}

void Walk::BeginLeg(Leg* leg, Relation table, const TableNames& names, text* category, int64 after,
                    Snapshot snapshot) {
  leg->table = table;
  leg->position = kAtEnd;
  if (table == nullptr) return;
  const char* index = category == nullptr ? names.by_position : names.by_category;
  leg->index = index_open(RelationOid(index), AccessShareLock);
  leg->slot = table_slot_create(table, nullptr);
  ScanKeyData keys[2];
  int key_count = 0;
  if (category != nullptr) {
    ScanKeyEntryInitialize(&keys[key_count++], 0, 1, BTEqualStrategyNumber, InvalidOid,
                           leg->index->rd_indcollation[0], F_TEXTEQ, PointerGetDatum(category));
  }
  ScanKeyInit(&keys[key_count], static_cast<AttrNumber>(key_count + 1), BTGreaterStrategyNumber,
              F_INT8GT, Int64GetDatum(after));
  key_count++;
  leg->scan = AUREN_INDEX_BEGINSCAN(table, leg->index, snapshot, key_count);
  index_rescan(leg->scan, keys, key_count, nullptr, 0);
  Step(leg);
}

void Walk::Step(Leg* leg) {
  leg->position = kAtEnd;
  if (!index_getnext_slot(leg->scan, ForwardScanDirection, leg->slot)) return;
  bool is_null;
  leg->position = DatumGetInt64(slot_getattr(leg->slot, kPosition, &is_null));
}

bool Walk::Next() {
  CHECK_FOR_INTERRUPTS();
  if (at_ >= 0) Step(&legs_[at_]);
  at_ = legs_[0].position < legs_[1].position ? 0 : 1;
  return legs_[at_].position != kAtEnd;
}

void Walk::End() {
  for (const Leg& leg : legs_) {
    if (leg.table == nullptr) continue;
    index_endscan(leg.scan);
    ExecDropSingleTupleTableSlot(leg.slot);
    index_close(leg.index, AccessShareLock);
    table_close(leg.table, AccessShareLock);
  }
}

}  // namespace auren::events

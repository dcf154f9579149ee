#include "events/walk.h"

extern "C" {
#include "access/table.h"
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
  leg->scan.Begin(table, category == nullptr ? names.by_position : names.by_category, snapshot);
  if (category != nullptr) leg->scan.Equal(category);
  leg->scan.MoreThan(after);
  Step(leg);
}

void Walk::Step(Leg* leg) {
  leg->position =
      leg->scan.Next(ForwardScanDirection) ? DatumGetInt64(leg->scan.Get(kPosition)) : kAtEnd;
}

bool Walk::Next() {
  CHECK_FOR_INTERRUPTS();
  if (at_ >= 0) Step(&legs_[at_]);
  at_ = legs_[0].position < legs_[1].position ? 0 : 1;
  return legs_[at_].position != kAtEnd;
}

void Walk::End() {
  for (Leg& leg : legs_) {
    if (leg.table == nullptr) continue;
    leg.scan.End();
    table_close(leg.table, AccessShareLock);
  }
}

}  // namespace auren::events

#include "analytics/touched.h"

#include <algorithm>

#include "postgres/values.h"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "executor/executor.h"
#include "storage/proc.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace auren::analytics {
namespace {

// The columns of the table, and of its index in the same order.
constexpr int kColumns = 3;

constexpr int kFirst = 256;  // groups there is room for to begin with

// The (sub)transaction in which a TouchedGroups stands for the triggers. An ERROR leaves it behind,
// and ends that (sub)transaction, whose number is not used again.
struct Collecting {
  LocalTransactionId transaction;
  SubTransactionId subtransaction;
};
constexpr Collecting kNobody = {0, InvalidSubTransactionId};
Collecting collecting = kNobody;

// InvalidOid until ALTER EXTENSION has been run after an installation of this version over 0.1.0;
// it then marks everything there is.
Oid FindRelation(const char* name) {
  const Oid schema = get_namespace_oid("analytics", true);
  return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
}

bool IsBefore(const TouchedGroup& a, const TouchedGroup& b) {
  if (const int order = a.user_id.compare(b.user_id); order != 0) return order < 0;
  if (const int order = a.metric_type.compare(b.metric_type); order != 0) return order < 0;
  return a.day < b.day;
}

bool IsSame(const TouchedGroup& a, const TouchedGroup& b) {
  return a.user_id == b.user_id && a.metric_type == b.metric_type && a.day == b.day;
}

// The table under the hands of one Mark.
class Marks {
 public:
  void Begin(Oid table) {
    table_ = table_open(table, RowExclusiveLock);
    index_ = index_open(FindRelation("touched_groups_key"), AccessShareLock);
    found_ = table_slot_create(table_, nullptr);
    locked_ = table_slot_create(table_, nullptr);
    scan_ = AUREN_INDEX_BEGINSCAN(table_, index_, SnapshotSelf, kColumns);
    estate_ = CreateExecutorState();
    target_ = makeNode(ResultRelInfo);
    InitResultRelInfo(target_, table_, 0, nullptr, 0);
    ExecOpenIndices(target_, false);
    pages_ = GetBulkInsertState();
  }

  // True when a mark is there that this transaction may rely on: it is locked from now on.
  // SnapshotSelf shows what is committed now, whatever the isolation level: there is nothing to
  // conflict with.
  bool Relies(const Datum* group) {
    ScanKeyData keys[kColumns];
    constexpr RegProcedure kEqual[kColumns] = {F_TEXTEQ, F_TEXTEQ, F_DATE_EQ};
    for (int i = 0; i < kColumns; i++) {
      ScanKeyEntryInitialize(&keys[i], 0, static_cast<AttrNumber>(i + 1), BTEqualStrategyNumber,
                             InvalidOid, index_->rd_indcollation[i], kEqual[i], group[i]);
    }
    index_rescan(scan_, keys, kColumns, nullptr, 0);
    while (index_getnext_slot(scan_, ForwardScanDirection, found_)) {
      TM_FailureData failure;
      const TM_Result result = table_tuple_lock(table_, &found_->tts_tid, SnapshotSelf, locked_,
                                                GetCurrentCommandId(false), LockTupleKeyShare,
                                                LockWaitSkip, 0, &failure);
      ExecClearTuple(locked_);
      if (result == TM_Ok) return true;
    }
    return false;
  }

  void Write(const Datum* group) {
    ExecClearTuple(locked_);
    for (int i = 0; i < kColumns; i++) {
      locked_->tts_values[i] = group[i];
      locked_->tts_isnull[i] = false;
    }
    ExecStoreVirtualTuple(locked_);
    table_tuple_insert(table_, locked_, GetCurrentCommandId(true), 0, pages_);
    AUREN_INSERT_INDEX_TUPLES(target_, locked_, estate_);
    ResetPerTupleExprContext(estate_);
  }

  void End() {
    FreeBulkInsertState(pages_);
    ExecCloseIndices(target_);
    FreeExecutorState(estate_);
    index_endscan(scan_);
    ExecDropSingleTupleTableSlot(found_);
    ExecDropSingleTupleTableSlot(locked_);
    index_close(index_, AccessShareLock);
    table_close(table_, NoLock);
    CommandCounterIncrement();
  }

 private:
  Relation table_;
  Relation index_;
  TupleTableSlot* found_;
  TupleTableSlot* locked_;  // or to be written
  IndexScanDesc scan_;
  EState* estate_;
  ResultRelInfo* target_;
  BulkInsertState pages_;
};

}  // namespace

TouchedGroups::TouchedGroups()
    : groups_(static_cast<TouchedGroup*>(palloc(sizeof(TouchedGroup) * kFirst))),
      capacity_(kFirst) {
  collecting = {AUREN_LOCAL_TRANSACTION_ID(), GetCurrentSubTransactionId()};
}

bool TouchedGroups::IsCollecting() {
  return collecting.transaction == AUREN_LOCAL_TRANSACTION_ID() &&
         collecting.subtransaction == GetCurrentSubTransactionId();
}

void TouchedGroups::Add(std::string_view user_id, std::string_view metric_type, DateADT day) {
  const TouchedGroup group = {user_id, metric_type, day};
  if (count_ > 0 && IsSame(groups_[count_ - 1], group)) return;
  if (count_ == capacity_) {
    capacity_ *= 2;
    groups_ = static_cast<TouchedGroup*>(repalloc_huge(groups_, sizeof(TouchedGroup) * capacity_));
  }
  groups_[count_++] = group;
}

void TouchedGroups::Mark() {
  collecting = kNobody;
  if (count_ == 0) return;
  const Oid table = FindRelation("touched_groups");
  if (!OidIsValid(table)) return;
  std::sort(groups_, groups_ + count_, IsBefore);
  const TouchedGroup* end = std::unique(groups_, groups_ + count_, IsSame);

  Marks marks;
  marks.Begin(table);
  for (const TouchedGroup* group = groups_; group < end; group++) {
    CHECK_FOR_INTERRUPTS();
    text* user_id = pg::Text(group->user_id);
    text* metric_type = pg::Text(group->metric_type);
    const Datum columns[kColumns] = {PointerGetDatum(user_id), PointerGetDatum(metric_type),
                                     DateADTGetDatum(group->day)};
    if (!marks.Relies(columns)) marks.Write(columns);
    pfree(metric_type);
    pfree(user_id);
  }
  marks.End();
  count_ = 0;
}

}  // namespace auren::analytics

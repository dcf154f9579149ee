#include "analytics/touched.h"

#include <algorithm>

#include "postgres/values.h"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "executor/executor.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "storage/proc.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace auren::analytics {
namespace {

// The columns of the table. The first two are those of its index, too.
enum Column : AttrNumber { kUserId = 1, kDay, kMetricTypes };
constexpr int kColumns = kMetricTypes;
constexpr int kIndexColumns = kDay;

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
  if (a.day != b.day) return a.day < b.day;
  return a.metric_type < b.metric_type;
}

bool IsSame(const TouchedGroup& a, const TouchedGroup& b) {
  return a.user_id == b.user_id && a.metric_type == b.metric_type && a.day == b.day;
}

// The table under the hands of one Mark.
class Marks {
 public:
  void Begin(Oid table) {
    table_ = table_open(table, RowExclusiveLock);
    index_ = index_open(FindRelation("touched_days_key"), AccessShareLock);
    found_ = table_slot_create(table_, nullptr);
    locked_ = table_slot_create(table_, nullptr);
    scan_ = AUREN_INDEX_BEGINSCAN(table_, index_, SnapshotSelf, kIndexColumns);
    estate_ = CreateExecutorState();
    target_ = makeNode(ResultRelInfo);
    InitResultRelInfo(target_, table_, 0, nullptr, 0);
    ExecOpenIndices(target_, false);
  }

  // Marks the metrics of one person's day, `count` groups that differ in nothing else.
  void Mark(const TouchedGroup* groups, int count) {
    MemoryContext caller = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate_));
    auto* missing = static_cast<Datum*>(palloc(sizeof(Datum) * count));
    for (int i = 0; i < count; i++) {
      missing[i] = PointerGetDatum(pg::Text(groups[i].metric_type));
    }
    const Datum user_id = PointerGetDatum(pg::Text(groups->user_id));
    const Datum day = DateADTGetDatum(groups->day);
    MemoryContextSwitchTo(caller);  // a scan keeps what it allocates on its way
    count = Rely(user_id, day, missing, count);
    if (count > 0) Write(user_id, day, missing, count);
    ResetPerTupleExprContext(estate_);
  }

  void End() {
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
  // Leaves in `missing` the metrics for which no mark is there that this transaction may rely on;
  // returns how many. What it relies on is locked from now on. SnapshotSelf shows what is committed
  // now, whatever the isolation level: there is nothing to conflict with.
  int Rely(Datum user_id, Datum day, Datum* missing, int count) {
    ScanKeyData keys[kIndexColumns];
    ScanKeyEntryInitialize(&keys[0], 0, kUserId, BTEqualStrategyNumber, InvalidOid,
                           index_->rd_indcollation[0], F_TEXTEQ, user_id);
    ScanKeyEntryInitialize(&keys[1], 0, kDay, BTEqualStrategyNumber, InvalidOid, InvalidOid,
                           F_DATE_EQ, day);
    index_rescan(scan_, keys, kIndexColumns, nullptr, 0);
    const auto is_found = [this](Datum metric) { return IsFoundFor(metric); };
    while (count > 0 && index_getnext_slot(scan_, ForwardScanDirection, found_)) {
      if (std::any_of(missing, missing + count, is_found) && Lock(&found_->tts_tid)) {
        count = static_cast<int>(std::remove_if(missing, missing + count, is_found) - missing);
      }
    }
    return count;
  }

  bool IsFoundFor(Datum metric) {
    MemoryContext caller = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate_));
    bool is_null;
    const Datum array = slot_getattr(found_, kMetricTypes, &is_null);
    const pg::Elements metrics = pg::ElementsOf(DatumGetArrayTypeP(array), TEXTOID, "metric_types");
    bool is_found = false;
    for (int i = 0; i < metrics.count && !is_found; i++) {
      is_found = pg::View(DatumGetTextPP(metrics.values[i])) == pg::View(DatumGetTextPP(metric));
    }
    MemoryContextSwitchTo(caller);
    return is_found;
  }

  bool Lock(ItemPointer place) {
    TM_FailureData failure;
    const TM_Result result =
        table_tuple_lock(table_, place, SnapshotSelf, locked_, GetCurrentCommandId(false),
                         LockTupleKeyShare, LockWaitSkip, 0, &failure);
    ExecClearTuple(locked_);
    return result == TM_Ok;
  }

  void Write(Datum user_id, Datum day, Datum* metrics, int count) {
    MemoryContext caller = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate_));
    const Datum values[kColumns] = {
        user_id, day,
        PointerGetDatum(construct_array(metrics, count, TEXTOID, -1, false, TYPALIGN_INT))};
    ExecClearTuple(locked_);
    for (int i = 0; i < kColumns; i++) {
      locked_->tts_values[i] = values[i];
      locked_->tts_isnull[i] = false;
    }
    ExecStoreVirtualTuple(locked_);
    table_tuple_insert(table_, locked_, GetCurrentCommandId(true), 0, nullptr);
    AUREN_INSERT_INDEX_TUPLES(target_, locked_, estate_);
    ExecClearTuple(locked_);
    MemoryContextSwitchTo(caller);
  }

  Relation table_;
  Relation index_;
  TupleTableSlot* found_;
  TupleTableSlot* locked_;  // or to be written
  IndexScanDesc scan_;
  EState* estate_;
  ResultRelInfo* target_;
};

}  // namespace

TouchedGroups::TouchedGroups()
    : groups_(static_cast<TouchedGroup*>(palloc(sizeof(TouchedGroup) * kFirst))),
      capacity_(kFirst) {
  collecting = {AUREN_LOCAL_TRANSACTION_ID(), GetCurrentSubTransactionId()};
}

Oid TouchedGroups::TriggerFunction() {
  List* name =
      list_make2(makeString(pstrdup("analytics")), makeString(pstrdup("mark_touched_groups")));
  return LookupFuncName(name, 0, nullptr, /*missing_ok=*/true);
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
  const Oid table = FindRelation("touched_days");
  if (!OidIsValid(table)) return;
  std::sort(groups_, groups_ + count_, IsBefore);
  const TouchedGroup* end = std::unique(groups_, groups_ + count_, IsSame);

  Marks marks;
  marks.Begin(table);
  for (const TouchedGroup* first = groups_; first < end;) {
    CHECK_FOR_INTERRUPTS();
    const TouchedGroup* next = first + 1;
    while (next < end && next->user_id == first->user_id && next->day == first->day) next++;
    marks.Mark(first, static_cast<int>(next - first));
    first = next;
  }
  marks.End();
  count_ = 0;
}

}  // namespace auren::analytics

#include "postgres/heap_insert.h"

#include "postgres/pending_list.h"

extern "C" {
#include "access/genam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "executor/executor.h"
#include "nodes/primnodes.h"
}

namespace auren::pg {
namespace {

bool HasInsertTriggers(const TriggerDesc* triggers, Oid but) {
  for (int i = 0; triggers != nullptr && i < triggers->numtriggers; i++) {
    const Trigger& trigger = triggers->triggers[i];
    if (TRIGGER_FOR_INSERT(trigger.tgtype) && trigger.tgfoid != but) return true;
  }
  return false;
}

bool IsPlainPredicate(const List* predicate) {
  if (predicate == NIL) return true;
  if (list_length(predicate) != 1) return false;
  const Node* only = static_cast<const Node*>(linitial(predicate));
  if (IsA(only, NullTest)) only = reinterpret_cast<const Node*>(castNode(NullTest, only)->arg);
  return IsA(only, Var);
}

}  // namespace

bool HasOnlyPlainRows(Relation table, Oid our_trigger) {
  const Form_pg_class form = table->rd_rel;
  return form->relkind == RELKIND_RELATION && form->relam == HEAP_TABLE_AM_OID &&
         !form->relispartition && !form->relrowsecurity && table->rd_rules == nullptr &&
         !HasInsertTriggers(table->trigdesc, our_trigger);
}

bool HasForeignIndexes(Relation table) {
  bool found = false;
  List* indexes = RelationGetIndexList(table);
  ListCell* cell;
  foreach (cell, indexes) {
    Relation index = index_open(lfirst_oid(cell), AccessShareLock);
    found = found || RelationGetIndexExpressions(index) != NIL ||
            !IsPlainPredicate(RelationGetIndexPredicate(index)) || !index->rd_index->indimmediate ||
            index->rd_index->indisexclusion;
    index_close(index, AccessShareLock);
  }
  list_free(indexes);
  return found;
}

void HeapInsert::Begin(Relation table, int capacity) {
  capacity_ = capacity;
  count_ = 0;
  estate_ = CreateExecutorState();
  target_ = makeNode(ResultRelInfo);
  InitResultRelInfo(target_, table, 0, nullptr, 0);
  ExecOpenIndices(target_, false);
  for (int i = 0; i < target_->ri_NumIndices; i++) {
    IndexInfo* info = target_->ri_IndexRelationInfo[i];
    info->ii_PredicateState = ExecPrepareQual(info->ii_Predicate, estate_);
  }
  // A description of our own is not counted by the resource owner, slot by slot.
  TupleDesc columns = CreateTupleDescCopyConstr(RelationGetDescr(table));
  slots_ = static_cast<TupleTableSlot**>(palloc(sizeof(TupleTableSlot*) * capacity));
  for (int i = 0; i < capacity; i++) {
    slots_[i] = MakeTupleTableSlot(columns, table_slot_callbacks(table));
  }
}

TupleTableSlot* HeapInsert::Next() {
  TupleTableSlot* slot = slots_[count_++];
  ExecClearTuple(slot);
  return slot;
}

void HeapInsert::Flush(const int* order, AttrNumber by) {
  if (count_ == 0) return;
  if (count_ == 1) {
    simple_table_tuple_insert(target_->ri_RelationDesc, slots_[0]);
  } else {
    // What the table's code allocates per chunk goes with the chunk.
    MemoryContext caller = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate_));
    table_multi_insert(target_->ri_RelationDesc, slots_, count_, GetCurrentCommandId(true), 0,
                       nullptr);
    MemoryContextSwitchTo(caller);
  }
  for (int i = 0; i < target_->ri_NumIndices; i++) {
    const IndexInfo* info = target_->ri_IndexRelationInfo[i];
    const bool in_order = order != nullptr && info->ii_IndexAttrNumbers[0] == by;
    InsertIntoIndex(i, in_order ? order : nullptr);
  }
  for (int i = 0; i < count_; i++) ExecClearTuple(slots_[i]);
  count_ = 0;
  CommandCounterIncrement();
}

// What ExecInsertIndexTuples does for one row and all indexes, for all rows and one index.
void HeapInsert::InsertIntoIndex(int index, const int* order) {
  Relation relation = target_->ri_IndexRelationDescs[index];
  IndexInfo* info = target_->ri_IndexRelationInfo[index];
  if (!info->ii_ReadyForInserts) return;
  const IndexUniqueCheck check =
      relation->rd_index->indisunique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO;
  PendingList pending;
  const bool is_pending = count_ > 1 && pending.Begin(relation);
  ExprContext* context = GetPerTupleExprContext(estate_);
  MemoryContext caller = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate_));
  for (int i = 0; i < count_; i++) {
    CHECK_FOR_INTERRUPTS();
    TupleTableSlot* slot = slots_[order != nullptr ? order[i] : i];
    context->ecxt_scantuple = slot;
    if (info->ii_PredicateState != nullptr && !ExecQual(info->ii_PredicateState, context)) {
      continue;
    }
    Datum values[INDEX_MAX_KEYS];
    bool is_null[INDEX_MAX_KEYS];
    FormIndexDatum(info, slot, estate_, values, is_null);
    if (is_pending) {
      pending.Add(values, is_null, &slot->tts_tid);
    } else {
      index_insert(relation, values, is_null, &slot->tts_tid, target_->ri_RelationDesc, check,
                   false, info);
    }
    ResetPerTupleExprContext(estate_);
  }
  MemoryContextSwitchTo(caller);
  if (is_pending) pending.End();
}

void HeapInsert::End() {
  for (int i = 0; i < capacity_; i++) ExecDropSingleTupleTableSlot(slots_[i]);
  ExecCloseIndices(target_);
  FreeExecutorState(estate_);
}

}  // namespace auren::pg

#include "events/insert.h"

#include "postgres/spi.h"

extern "C" {
#include "access/genam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/rel.h"
}

namespace auren::events {
namespace {

constexpr Oid kColumnTypes[kColumns] = {INT8OID,  UUIDOID,  TEXTOID, INT8OID,        TEXTOID,
                                        JSONBOID, JSONBOID, TEXTOID, TIMESTAMPTZOID, BYTEAOID};

// What was found out about the table, until the server reports a change to it.
struct {
  Oid store = InvalidOid;  // InvalidOid: to be found out
  bool is_as_made = false;
} known;
bool is_listening = false;

void Forget(Datum, Oid relation) {
  if (relation == InvalidOid || relation == known.store) known.store = InvalidOid;
}

// The schema of 0.1.0 had no hash. A column that was added and dropped again does no harm.
bool HasOurColumns(Relation table, const TableNames& names) {
  TupleDesc columns = RelationGetDescr(table);
  if (columns->natts != kCreatedAt && HashColumn(table) != kHash) return false;
  for (int i = 0; i < columns->natts; i++) {
    const Form_pg_attribute column = TupleDescAttr(columns, i);
    const bool fits = i < kColumns ? column->atttypid == kColumnTypes[i] : column->attisdropped;
    if (!fits || column->attgenerated != '\0') return false;
  }
  const TupleConstr* constraints = columns->constr;
  return constraints != nullptr &&
         (constraints->num_check == 0 ||
          (constraints->num_check == 1 &&
           strcmp(constraints->check[0].ccname, names.version_check) == 0));
}

bool HasInsertTriggers(const TriggerDesc* triggers) {
  return triggers != nullptr &&
         (triggers->trig_insert_before_row || triggers->trig_insert_after_row ||
          triggers->trig_insert_instead_row || triggers->trig_insert_before_statement ||
          triggers->trig_insert_after_statement);
}

// Code of others in an index would run under the caller's search_path, with the owner's rights.
bool HasForeignIndexCode(Relation table, const TableNames& names) {
  const Oid ours = RelationOid(names.by_category);
  bool found = false;
  List* indexes = RelationGetIndexList(table);
  ListCell* cell;
  foreach (cell, indexes) {
    if (lfirst_oid(cell) == ours) continue;
    Relation index = index_open(lfirst_oid(cell), AccessShareLock);
    found = found || RelationGetIndexExpressions(index) != NIL ||
            RelationGetIndexPredicate(index) != NIL;
    index_close(index, AccessShareLock);
  }
  list_free(indexes);
  return found;
}

void InsertByStatement(Relation store, const NewRow& row) {
  static pg::Statement insert = {
      "INSERT INTO events.event_store (position, event_id, stream_id, version, event_type,"
      " event_data, metadata, created_by, created_at, hash)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
      kColumns,
      {INT8OID, UUIDOID, TEXTOID, INT8OID, TEXTOID, JSONBOID, JSONBOID, TEXTOID, TIMESTAMPTZOID,
       BYTEAOID}};
  // Into the schema of 0.1.0.
  static pg::Statement insert_before_hash = {
      "INSERT INTO events.event_store (position, event_id, stream_id, version, event_type,"
      " event_data, metadata, created_by, created_at)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
      kCreatedAt,
      {INT8OID, UUIDOID, TEXTOID, INT8OID, TEXTOID, JSONBOID, JSONBOID, TEXTOID, TIMESTAMPTZOID}};
  const Datum values[kColumns] = {
      Int64GetDatum(row.position),         UUIDPGetDatum(&row.event_id),
      PointerGetDatum(row.stream_id),      Int64GetDatum(row.version),
      PointerGetDatum(row.event_type),     PointerGetDatum(row.event_data),
      PointerGetDatum(row.metadata),       PointerGetDatum(row.created_by),
      TimestampTzGetDatum(row.created_at), PointerGetDatum(row.hash)};
  bool is_null[kColumns] = {};
  is_null[kMetadata - 1] = row.metadata == nullptr;
  is_null[kHash - 1] = row.hash == nullptr;
  const pg::SpiSession spi = pg::SpiBegin();
  pg::Execute(HashColumn(store) == 0 ? &insert_before_hash : &insert, values, is_null);
  pg::SpiEnd(spi);
}

// What was added behind our columns and dropped again is NULL.
void FillDropped(TupleTableSlot* slot) {
  for (int i = kColumns; i < slot->tts_tupleDescriptor->natts; i++) slot->tts_isnull[i] = true;
}

// Fills a slot; it borrows the row.
void Fill(TupleTableSlot* slot, const NewRow& row) {
  ExecClearTuple(slot);
  Datum* values = slot->tts_values;
  values[kPosition - 1] = Int64GetDatum(row.position);
  values[kEventId - 1] = UUIDPGetDatum(&row.event_id);
  values[kStreamId - 1] = PointerGetDatum(row.stream_id);
  values[kVersion - 1] = Int64GetDatum(row.version);
  values[kEventType - 1] = PointerGetDatum(row.event_type);
  values[kEventData - 1] = PointerGetDatum(row.event_data);
  values[kMetadata - 1] = PointerGetDatum(row.metadata);
  values[kCreatedBy - 1] = PointerGetDatum(row.created_by);
  values[kCreatedAt - 1] = TimestampTzGetDatum(row.created_at);
  memset(slot->tts_isnull, 0, sizeof(bool) * kCreatedAt);
  slot->tts_isnull[kMetadata - 1] = row.metadata == nullptr;
  if (slot->tts_tupleDescriptor->natts >= kColumns) {
    values[kHash - 1] = PointerGetDatum(row.hash);
    slot->tts_isnull[kHash - 1] = row.hash == nullptr;
  }
  FillDropped(slot);
  ExecStoreVirtualTuple(slot);
}

}  // namespace

bool IsAsMade(Relation table, const TableNames& names) {
  const Form_pg_class form = table->rd_rel;
  return form->relkind == RELKIND_RELATION && form->relam == HEAP_TABLE_AM_OID &&
         !form->relispartition && !form->relrowsecurity && table->rd_rules == nullptr &&
         !HasInsertTriggers(table->trigdesc) && HasOurColumns(table, names) &&
         !HasForeignIndexCode(table, names);
}

bool CanInsertDirectly(Relation store) {
  const Oid oid = RelationGetRelid(store);
  if (known.store != oid) {
    if (!is_listening) {
      CacheRegisterRelcacheCallback(Forget, Datum{0});
      is_listening = true;
    }
    // Noted first: should a change be reported while we look, we look again next time.
    known.store = oid;
    known.is_as_made = false;
    const bool is_as_made = IsAsMade(store, kStore);
    if (known.store == oid) known.is_as_made = is_as_made;
    if (!is_as_made) return false;
  }
  return known.is_as_made && pg_class_aclcheck(oid, GetUserId(), ACL_INSERT) == ACLCHECK_OK;
}

void Insert(Relation store, const NewRow& row) {
  if (!CanInsertDirectly(store)) {
    InsertByStatement(store, row);
    return;
  }
  HeapInsert heap;
  heap.Begin(store, 1);
  heap.Add(row);
  heap.Flush();
  heap.End();
}

void HeapInsert::Begin(Relation table, int capacity) {
  capacity_ = capacity;
  count_ = 0;
  estate_ = CreateExecutorState();
  target_ = makeNode(ResultRelInfo);
  InitResultRelInfo(target_, table, 0, nullptr, 0);
  ExecOpenIndices(target_, false);
  slots_ = static_cast<TupleTableSlot**>(palloc(sizeof(TupleTableSlot*) * capacity));
  for (int i = 0; i < capacity; i++) slots_[i] = table_slot_create(table, nullptr);
  rows_ = static_cast<NewRow*>(palloc(sizeof(NewRow) * capacity));
}

void HeapInsert::Add(const NewRow& row) {
  rows_[count_] = row;
  Fill(slots_[count_], rows_[count_]);
  CheckConstraints();
  count_++;
}

void HeapInsert::AddCopy(TupleTableSlot* row) {
  TupleTableSlot* slot = slots_[count_];
  slot_getsomeattrs(row, kColumns);
  ExecClearTuple(slot);
  memcpy(slot->tts_values, row->tts_values, sizeof(Datum) * kColumns);
  memcpy(slot->tts_isnull, row->tts_isnull, sizeof(bool) * kColumns);
  FillDropped(slot);
  ExecStoreVirtualTuple(slot);
  // A copy of its own: what points to the row would keep its page pinned.
  ExecMaterializeSlot(slot);
  CheckConstraints();
  count_++;
}

void HeapInsert::CheckConstraints() {
  if (target_->ri_RelationDesc->rd_att->constr == nullptr) return;
  ExecConstraints(target_, slots_[count_], estate_);
}

void HeapInsert::Flush() {
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
  for (int i = 0; i < count_; i++) {
    CHECK_FOR_INTERRUPTS();
    ResetPerTupleExprContext(estate_);
    list_free(AUREN_INSERT_INDEX_TUPLES(target_, slots_[i], estate_));
    ExecClearTuple(slots_[i]);
  }
  ResetPerTupleExprContext(estate_);
  count_ = 0;
  CommandCounterIncrement();
}

void HeapInsert::End() {
  for (int i = 0; i < capacity_; i++) ExecDropSingleTupleTableSlot(slots_[i]);
  ExecCloseIndices(target_);
  FreeExecutorState(estate_);
}

}  // namespace auren::events

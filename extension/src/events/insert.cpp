#include "events/insert.h"

#include <algorithm>

#include "postgres/spi.h"
#include "postgres/values.h"

extern "C" {
#include "access/genam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "nodes/primnodes.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
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

// The schema of 0.1.0 had no hash. A column that was added behind ours and dropped again does no
// harm.
bool HasOurColumns(Relation table, const TableNames& names) {
  TupleDesc columns = RelationGetDescr(table);
  if (columns->natts != kCreatedAt && HashColumn(table) != kHash) return false;
  for (int i = 0; i < columns->natts; i++) {
    const Form_pg_attribute column = TupleDescAttr(columns, i);
    const bool may_be_null = i == kMetadata - 1 || i == kHash - 1;
    const bool fits = i < kColumns ? column->atttypid == kColumnTypes[i] : column->attisdropped;
    if (!fits || column->attgenerated != '\0' || (may_be_null && column->attnotnull)) return false;
  }
  const TupleConstr* constraints = columns->constr;
  return constraints != nullptr &&
         (constraints->num_check == 0 ||
          (constraints->num_check == 1 &&
           strcmp(constraints->check[0].ccname, names.version_check) == 0));
}

// `event_type = 'biometric_received'`, the predicate of the index that finds a delivery. Nothing of
// it can raise an error or look up a name, and a row tells by itself whether it is meant.
bool IsDeliveryPredicate(const List* predicate) {
  if (list_length(predicate) != 1 || !IsA(linitial(predicate), OpExpr)) return false;
  const auto* comparison = static_cast<const OpExpr*>(linitial(predicate));
  if (comparison->opfuncid != F_TEXTEQ || comparison->inputcollid != C_COLLATION_OID) return false;
  const auto* column = static_cast<const Var*>(linitial(comparison->args));
  const auto* value = static_cast<const Const*>(lsecond(comparison->args));
  return IsA(column, Var) && column->varattno == kEventType && IsA(value, Const) &&
         !value->constisnull && pg::View(DatumGetTextPP(value->constvalue)) == kDeliveryType;
}

// Code of others in an index would run under the caller's search_path, with the owner's rights; a
// constraint that is deferrable or excludes is looked at more than once.
bool HasForeignIndex(Relation table, const TableNames& names) {
  const Oid by_category = RelationOid(names.by_category);
  bool found = false;
  List* indexes = RelationGetIndexList(table);
  ListCell* cell;
  foreach (cell, indexes) {
    Relation index = index_open(lfirst_oid(cell), AccessShareLock);
    const List* predicate = RelationGetIndexPredicate(index);
    found = found ||
            (RelationGetIndexExpressions(index) != NIL && lfirst_oid(cell) != by_category) ||
            (predicate != NIL && !IsDeliveryPredicate(predicate)) ||
            !index->rd_index->indimmediate || index->rd_index->indisexclusion;
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
  static pg::Statement insert_before_hash = {
      // into the schema of 0.1.0
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
  return pg::HasOnlyPlainRows(table) && HasOurColumns(table, names) &&
         !HasForeignIndex(table, names);
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
  heap_.Begin(table, capacity);
  rows_ = static_cast<NewRow*>(palloc(sizeof(NewRow) * capacity));
  ranks_ = static_cast<int*>(palloc(sizeof(int) * capacity));
  by_stream_ = static_cast<int*>(palloc(sizeof(int) * capacity));
}

void HeapInsert::Add(const NewRow& row, int rank) {
  const int i = heap_.count();
  rows_[i] = row;
  ranks_[i] = rank;
  Fill(heap_.Next(), rows_[i]);
}

void HeapInsert::AddCopy(TupleTableSlot* row) {
  ranks_[heap_.count()] = 0;
  TupleTableSlot* copy = heap_.Next();
  CopyRow(row, copy);
  // A copy of its own: what points to the row would keep its page pinned.
  ExecMaterializeSlot(copy);
}

void HeapInsert::Flush() {
  const int count = heap_.count();
  for (int i = 0; i < count; i++) by_stream_[i] = i;
  std::stable_sort(by_stream_, by_stream_ + count,
                   [this](int a, int b) { return ranks_[a] < ranks_[b]; });
  heap_.Flush(by_stream_, kStreamId);
}

void HeapInsert::End() { heap_.End(); }

}  // namespace auren::events

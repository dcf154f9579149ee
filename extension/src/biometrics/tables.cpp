#include "biometrics/tables.h"

#include "analytics/touched.h"
#include "postgres/heap_insert.h"

extern "C" {
#include "access/table.h"
#include "catalog/namespace.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
}

namespace auren::biometrics {
namespace {

struct ExpectedColumn {
  const char* name;
  Oid type;
  bool is_generated;
};

constexpr ExpectedColumn kReadingColumns[] = {{"user_id", TEXTOID, false},
                                              {"device_type", TEXTOID, false},
                                              {"metric_type", TEXTOID, false},
                                              {"recorded_at", TIMESTAMPTZOID, false},
                                              {"ended_at", TIMESTAMPTZOID, false},
                                              {"value", FLOAT8OID, false},
                                              {"state", TEXTOID, false},
                                              {"unit", TEXTOID, false},
                                              {"statistic", TEXTOID, false},
                                              {"context", TEXTOID, false},
                                              {"source", TEXTOID, false},
                                              {"zone_offset", INT2OID, false},
                                              {"quality", FLOAT4OID, false},
                                              {"flags", TEXTARRAYOID, false},
                                              {"external_id", TEXTOID, false},
                                              {"delivered_in", TEXTOID, false},
                                              {"position", INT8OID, false},
                                              {"end_at", TIMESTAMPTZOID, true},
                                              {"day", DATEOID, true}};
constexpr ExpectedColumn kDayColumns[] = {
    {"user_id", TEXTOID, false}, {"device_type", TEXTOID, false}, {"metric_type", TEXTOID, false},
    {"day", DATEOID, false},     {"readings", INT4OID, false},    {"value", FLOAT8OID, false},
    {"stale", BOOLOID, false}};

// A table, and what was found out about it until the server reports a change.
struct Table {
  const char* name;
  const ExpectedColumn* columns;
  int column_count;
  int checks;
  Oid oid;  // InvalidOid: to be found out
  bool is_as_made;
};
Table readings = {"biometric_events", kReadingColumns, kDay, 3, InvalidOid, false};
Table days = {"daily_values", kDayColumns, kDayStale, 0, InvalidOid, false};
bool is_listening = false;

void Forget(Datum, Oid relation) {
  for (Table* table : {&readings, &days}) {
    if (relation == InvalidOid || relation == table->oid) table->oid = InvalidOid;
  }
}

Oid RelationOf(const char* name) {
  return get_relname_relid(name, get_namespace_oid("biometrics", false));
}

bool IsAsMade(Relation relation, const Table& table) {
  TupleDesc columns = RelationGetDescr(relation);
  const int checks = columns->constr == nullptr ? 0 : columns->constr->num_check;
  if (columns->natts != table.column_count || checks != table.checks) return false;
  for (int i = 0; i < columns->natts; i++) {
    const Form_pg_attribute column = TupleDescAttr(columns, i);
    const ExpectedColumn& expected = table.columns[i];
    if (column->attisdropped || column->atttypid != expected.type ||
        strcmp(NameStr(column->attname), expected.name) != 0 ||
        (column->attgenerated != '\0') != expected.is_generated) {
      return false;
    }
  }
  return pg::HasOnlyPlainRows(relation, analytics::TouchedGroups::TriggerFunction()) &&
         !pg::HasForeignIndexes(relation);
}

Relation OpenDirectly(Table* table) {
  const Oid oid = RelationOf(table->name);
  if (!OidIsValid(oid)) return nullptr;
  Relation relation = table_open(oid, RowExclusiveLock);
  if (table->oid != oid) {
    if (!is_listening) {
      CacheRegisterRelcacheCallback(Forget, Datum{0});
      is_listening = true;
    }
    // Noted first: should a change be reported while we look, we look again next time.
    table->oid = oid;
    table->is_as_made = false;
    const bool is_as_made = IsAsMade(relation, *table);
    if (table->oid == oid) table->is_as_made = is_as_made;
  }
  if (table->is_as_made && pg_class_aclcheck(oid, GetUserId(), ACL_INSERT) == ACLCHECK_OK) {
    return relation;
  }
  table_close(relation, NoLock);
  return nullptr;
}

}  // namespace

Relation OpenReadingsDirectly() { return OpenDirectly(&readings); }
Relation OpenDaysDirectly() { return OpenDirectly(&days); }
Relation OpenDays() { return table_open(RelationOf(days.name), AccessShareLock); }
Oid ReadingKey() { return RelationOf("biometric_events_key"); }
Oid DayKey() { return RelationOf("daily_values_pkey"); }
Oid ReadingsByTime() { return RelationOf("idx_biometric_events_user_device_time"); }
Oid StaleDays() { return RelationOf("daily_values_stale"); }

}  // namespace auren::biometrics

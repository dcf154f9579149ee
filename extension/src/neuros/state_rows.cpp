#include "neuros/state_rows.h"

extern "C" {
#include "access/table.h"
#include "catalog/namespace.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
}

namespace auren::neuros {
namespace {

// The columns' numbers, fixed by extension/schema/neuros.sql. 0.1.0 had the first two.
enum Column : AttrNumber { kUserId = 1, kCalm, kPosition, kFoldedAt, kNewest };

Oid RelationOf(const char* name) {
  return get_relname_relid(name, get_namespace_oid("neuros", false));
}

}  // namespace

bool HasPersonStates() { return OidIsValid(RelationOf("person_states")); }

void StateRows::Begin() {
  const bool is_current = HasPersonStates();
  table_ = table_open(RelationOf(is_current ? "person_states" : "evaluations"), AccessShareLock);
  probe_.Begin(table_, RelationOf(is_current ? "person_states_pkey" : "evaluations_pkey"),
               {F_TEXTEQ});
}

bool StateRows::Find(text* user_id, StateRow* row) {
  const Datum keys[] = {PointerGetDatum(user_id)};
  if (!probe_.First(keys)) return false;
  TupleTableSlot* slot = probe_.slot();
  bool is_null;
  *row = StateRow{};
  row->calm = DatumGetInt32(slot_getattr(slot, kCalm, &is_null));
  if (RelationGetNumberOfAttributes(table_) < kNewest) return true;
  const Datum newest = slot_getattr(slot, kNewest, &is_null);
  if (is_null) return true;
  row->newest = DatumGetByteaPCopy(newest);
  row->position = DatumGetInt64(slot_getattr(slot, kPosition, &is_null));
  row->folded_at = DatumGetTimestampTz(slot_getattr(slot, kFoldedAt, &is_null));
  return true;
}

void StateRows::End() {
  probe_.End();
  table_close(table_, AccessShareLock);
}

}  // namespace auren::neuros

// The trigger that keeps the store as it is.
#include "postgres/errors.h"

extern "C" {
#include "commands/trigger.h"
#include "utils/rel.h"
}

namespace {

const char* Attempt(const TriggerData* trigger) {
  if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)) return "update";
  if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event)) return "delete from";
  return "truncate";
}

}  // namespace

AUREN_SQL_FUNCTION(events_refuse_change) {
  if (!CALLED_AS_TRIGGER(fcinfo)) {
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("events.refuse_change() is a trigger function")));
  }
  const auto* trigger = reinterpret_cast<TriggerData*>(fcinfo->context);
  ereport(ERROR, (errcode(ERRCODE_AUREN_IMMUTABLE),
                  errmsg("cannot %s \"events.%s\": events are immutable", Attempt(trigger),
                         RelationGetRelationName(trigger->tg_relation)),
                  errhint("Append a compensating event instead.")));
  return PointerGetDatum(nullptr);
}

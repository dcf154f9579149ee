// events.append_event and events.append: one event per call.
#include "events/append.h"
#include "postgres/values.h"

namespace auren::events {
namespace {

// Both functions have the same parameters, in this order.
Appended AppendArguments(FunctionCallInfo fcinfo) {
  const NewEvent event = {
      .stream_id = pg::TextArgument(fcinfo, 0),
      .event_type = pg::TextArgument(fcinfo, 1),
      .event_data = pg::JsonbArgument(fcinfo, 2),
      .metadata = pg::JsonbArgument(fcinfo, 6),
      .created_by = pg::TextArgument(fcinfo, 3),
      .event_id = pg::UuidArgument(fcinfo, 5),
  };
  return Append(event, PG_ARGISNULL(4) ? kAnyVersion : PG_GETARG_INT64(4));
}

}  // namespace
}  // namespace auren::events

AUREN_SQL_FUNCTION(events_append_event) {
  const auren::events::Appended appended = auren::events::AppendArguments(fcinfo);
  auto* event_id = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t)));
  *event_id = appended.event_id;
  PG_RETURN_UUID_P(event_id);
}

AUREN_SQL_FUNCTION(events_append) {
  InitMaterializedSRF(fcinfo, 0);
  const auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  const auren::events::Appended appended = auren::events::AppendArguments(fcinfo);
  Datum values[] = {UUIDPGetDatum(&appended.event_id), Int64GetDatum(appended.version),
                    Int64GetDatum(appended.position), BoolGetDatum(appended.was_duplicate)};
  bool is_null[lengthof(values)] = {};
  tuplestore_putvalues(result->setResult, result->setDesc, values, is_null);
  return Datum{0};
}

// events.append_message: what the message-db facade appends with. Its stream names and types are
// those of another store and are kept as they are, in the category `message_store`.
#include "events/append.h"
#include "postgres/errors.h"
#include "postgres/values.h"

extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"
}

namespace auren::events {
namespace {

constexpr std::string_view kPrefix = "message_store:";

text* StreamIdOf(const text* name) {
  const std::string_view given = pg::View(name);
  const size_t size = VARHDRSZ + kPrefix.size() + given.size();
  auto* stream_id = static_cast<text*>(palloc(size));
  SET_VARSIZE(stream_id, size);
  memcpy(VARDATA(stream_id), kPrefix.data(), kPrefix.size());
  memcpy(VARDATA(stream_id) + kPrefix.size(), given.data(), given.size());
  return stream_id;
}

}  // namespace
}  // namespace auren::events

// (p_stream_name, p_type, p_data, p_metadata, p_id, p_expected_version) -> (version, position)
AUREN_SQL_FUNCTION(events_append_message) {
  using namespace auren;
  pg::RequireNotNull(fcinfo, 0, "p_stream_name");
  pg::RequireNotNull(fcinfo, 1, "p_type");
  pg::RequireNotNull(fcinfo, 4, "p_id");
  TupleDesc row_type;
  get_call_result_type(fcinfo, nullptr, &row_type);
  const events::NewEvent event = {
      .stream_id = events::StreamIdOf(pg::TextArgument(fcinfo, 0)),
      .event_type = pg::TextArgument(fcinfo, 1),
      .event_data = pg::JsonbArgument(fcinfo, 2),
      .metadata = pg::JsonbArgument(fcinfo, 3),
      .created_by = nullptr,
      .event_id = pg::UuidArgument(fcinfo, 4),
      .names_as_given = true,
  };
  const events::Appended appended =
      events::Append(event, PG_ARGISNULL(5) ? events::kAnyVersion : PG_GETARG_INT64(5));
  Datum values[] = {Int64GetDatum(appended.version), Int64GetDatum(appended.position)};
  bool is_null[lengthof(values)] = {};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, is_null)));
}

#include "events/hash_chain.h"

#include "postgres/values.h"

extern "C" {
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/fmgrprotos.h"
}

namespace auren::events {
namespace {

constexpr int64 kMicrosecondsTo2000 =
    int64{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;

void AddField(StringInfo fields, std::string_view value) {
  appendStringInfo(fields, "%zu:", value.size());
  appendBinaryStringInfo(fields, value.data(), static_cast<int>(value.size()));
  appendStringInfoChar(fields, ',');
}

void AddNull(StringInfo fields) { appendStringInfoString(fields, "-,"); }

void AddText(StringInfo fields, std::string_view value) {
  char* utf8 = pg_server_to_any(value.data(), static_cast<int>(value.size()), PG_UTF8);
  AddField(fields, utf8 == value.data() ? value : std::string_view(utf8));
}

void AddNumber(StringInfo fields, int64 value) {
  char digits[24];
  AddField(fields, {digits, static_cast<size_t>(pg_lltoa(value, digits))});
}

void AddDocument(StringInfo fields, Jsonb* value) {
  if (value == nullptr) {
    AddNull(fields);
    return;
  }
  StringInfoData text;
  initStringInfo(&text);
  JsonbToCString(&text, &value->root, static_cast<int>(VARSIZE(value)));
  AddText(fields, {text.data, static_cast<size_t>(text.len)});
  pfree(text.data);
}

void AddHash(StringInfo fields, const bytea* hash) {
  if (hash == nullptr) {
    AddNull(fields);
    return;
  }
  const std::string_view bytes = pg::View(hash);
  char* hex = static_cast<char*>(palloc(bytes.size() * 2));
  hex_encode(bytes.data(), bytes.size(), hex);
  AddField(fields, {hex, bytes.size() * 2});
}

}  // namespace

bytea* ChainedHash(const NewRow& row, const bytea* previous) {
  StringInfoData fields;
  initStringInfo(&fields);
  // What sha256() takes: the fields as a bytea.
  appendStringInfoSpaces(&fields, VARHDRSZ);
  AddHash(&fields, previous);
  AddText(&fields, pg::View(row.stream_id));
  AddNumber(&fields, row.version);
  AddField(&fields, DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&row.event_id))));
  AddText(&fields, pg::View(row.event_type));
  AddDocument(&fields, row.event_data);
  AddDocument(&fields, row.metadata);
  AddText(&fields, pg::View(row.created_by));
  AddNumber(&fields, row.created_at + kMicrosecondsTo2000);
  SET_VARSIZE(fields.data, fields.len);
  const Datum hash = DirectFunctionCall1(sha256_bytea, PointerGetDatum(fields.data));
  pfree(fields.data);
  return DatumGetByteaP(hash);
}

}  // namespace auren::events

// events.event_hash: the hash an event has to carry; NULL when a field that all events have is.
AUREN_SQL_FUNCTION(events_event_hash) {
  using namespace auren;
  const auto* previous = PG_ARGISNULL(0) ? nullptr : PG_GETARG_BYTEA_PP(0);
  const pg_uuid_t* event_id = pg::UuidArgument(fcinfo, 3);
  text* stream_id = pg::TextArgument(fcinfo, 1);
  text* event_type = pg::TextArgument(fcinfo, 4);
  Jsonb* event_data = pg::JsonbArgument(fcinfo, 5);
  text* created_by = pg::TextArgument(fcinfo, 7);
  if (stream_id == nullptr || PG_ARGISNULL(2) || event_id == nullptr || event_type == nullptr ||
      event_data == nullptr || created_by == nullptr || PG_ARGISNULL(8)) {
    PG_RETURN_NULL();
  }
  const events::NewRow row = {.position = 0,
                              .event_id = *event_id,
                              .stream_id = stream_id,
                              .version = PG_GETARG_INT64(2),
                              .event_type = event_type,
                              .event_data = event_data,
                              .metadata = pg::JsonbArgument(fcinfo, 6),
                              .created_by = created_by,
                              .created_at = PG_GETARG_TIMESTAMPTZ(8),
                              .hash = nullptr};
  PG_RETURN_BYTEA_P(events::ChainedHash(row, previous));
}

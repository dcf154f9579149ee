// events.append_events (an array of events to one stream) and events.append_batch (one event each
// to many streams). All or nothing: an error anywhere undoes the statement.
#include <algorithm>

#include "events/append.h"
#include "events/appender.h"
#include "events/names.h"
#include "events/store.h"
#include "postgres/errors.h"
#include "postgres/values.h"

extern "C" {
#include "access/table.h"
}

namespace auren::events {
namespace {

// Says in an error's context which element of the array it is about.
struct ElementContext {
  ErrorContextCallback callback;
  int index;
  int count;

  static void Say(void* argument) {
    const auto* self = static_cast<ElementContext*>(argument);
    errcontext("event %d of %d", self->index + 1, self->count);
  }
  void Enter(int total) {
    count = total;
    index = 0;
    callback.callback = Say;
    callback.arg = this;
    callback.previous = error_context_stack;
    error_context_stack = &callback;
  }
  void Leave() const { error_context_stack = callback.previous; }
};

// One call of append_events.
struct Call {
  text* stream_id;
  NewEvent* events;
  int count;
};

[[noreturn]] void RefuseElement(const char* problem) {
  ereport(ERROR,
          (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", problem),
           errhint("An event is an object such as {\"event_type\": \"order_placed\", "
                   "\"event_data\": {\"amount\": 1}}, with event_id and metadata if need be.")));
  pg_unreachable();
}

// One member of an element goes to its place; anything else is refused, for a misspelt key would
// silently lose what it holds.
void TakeMember(std::string_view key, JsonbValue* value, NewEvent* event) {
  const bool is_null = value->type == jbvNull;
  if (key == "event_type") {
    if (is_null) return;
    if (value->type != jbvString) RefuseElement("event_type must be a string");
    event->event_type = pg::Text(pg::View(*value));
  } else if (key == "event_data") {
    if (!is_null) event->event_data = JsonbValueToJsonb(value);
  } else if (key == "metadata") {
    if (!is_null) event->metadata = JsonbValueToJsonb(value);
  } else if (key == "event_id") {
    if (is_null) return;
    auto* event_id = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t)));
    if (value->type != jbvString || !pg::ParseUuid(pg::View(*value), event_id)) {
      RefuseElement("event_id must be a UUID");
    }
    event->event_id = event_id;
  } else {
    RefuseElement(psprintf("unknown key \"%s\" in an event", pg::CString(key)));
  }
}

void TakeElement(JsonbValue* element, NewEvent* event) {
  if (!pg::IsObject(*element)) RefuseElement("an event must be a JSON object");
  JsonbIterator* members = JsonbIteratorInit(element->val.binary.data);
  JsonbValue key;
  JsonbValue value;
  JsonbIteratorToken token;
  while ((token = JsonbIteratorNext(&members, &key, true)) != WJB_DONE) {
    if (token != WJB_KEY) continue;
    JsonbIteratorNext(&members, &value, true);
    TakeMember(pg::View(key), &value, event);
  }
}

Call ReadCall(text* stream_id, Jsonb* array, text* created_by) {
  if (!JB_ROOT_IS_ARRAY(array) || JB_ROOT_IS_SCALAR(array)) {
    RefuseElement("p_events must be a JSON array of events");
  }
  Call call{stream_id, nullptr, static_cast<int>(JB_ROOT_COUNT(array))};
  call.events = static_cast<NewEvent*>(palloc0(sizeof(NewEvent) * Max(call.count, 1)));
  ElementContext context;
  context.Enter(call.count);
  JsonbIterator* elements = JsonbIteratorInit(&array->root);
  JsonbValue element;
  JsonbIteratorToken token;
  while ((token = JsonbIteratorNext(&elements, &element, true)) != WJB_DONE) {
    if (token != WJB_ELEM) continue;
    CHECK_FOR_INTERRUPTS();
    NewEvent* event = &call.events[context.index];
    event->stream_id = stream_id;
    event->created_by = created_by;
    TakeElement(&element, event);
    CheckEventType(event->event_type);
    CheckEventData(event->event_data);
    CheckMetadata(event->metadata);
    context.index++;
  }
  context.Leave();
  return call;
}

// Whether this call has been made before: all its ids are there, with the same content. Then
// `version` is what it returned the first time. Events without an id are compared where they must
// stand: as far before or behind a known one as they are in the array.
bool IsRepeat(const Call& call, int64* version) {
  Relation store = OpenStore(AccessShareLock);
  auto* stored = static_cast<Row*>(palloc0(sizeof(Row) * call.count));
  int with_id = 0;
  int found = 0;
  int known = -1;  // an element that was found
  for (int i = 0; i < call.count; i++) {
    if (call.events[i].event_id == nullptr) continue;
    with_id++;
    if (!FindById(store, call.stream_id, call.events[i].event_id, &stored[i])) continue;
    RequireInSnapshot(stored[i].in_snapshot, call.stream_id);
    found++;
    known = i;
  }
  ElementContext context;
  context.Enter(call.count);
  for (; found > 0 && context.index < call.count; context.index++) {
    const int i = context.index;
    const NewEvent& event = call.events[i];
    if (event.event_id != nullptr) {
      if (stored[i].version == 0) {
        RefuseId(call.events[known], "Only some of the events of this call are stored already.");
      }
      if (!SameContent(event, stored[i].event_type, stored[i].event_data)) {
        RefuseId(event, "The stored event has another type or other data.");
      }
    } else if (!FindByVersion(store, call.stream_id, stored[known].version + i - known,
                              &stored[i]) ||
               !SameContent(event, stored[i].event_type, stored[i].event_data)) {
      RefuseId(call.events[known], "The events of this call that have no id are not beside it.");
    }
  }
  context.Leave();
  if (found > 0) *version = stored[call.count - 1].version;
  table_close(store, AccessShareLock);
  return found > 0;
}

int64 CurrentVersion(text* stream_id) {
  Relation store = OpenStore(AccessShareLock);
  const int64 version = FindTip(store, stream_id).version;
  table_close(store, AccessShareLock);
  return version;
}

int64 AppendAll(const Call& call, int64 expected_version) {
  text* stream_id = call.stream_id;
  LockStreams(&stream_id, 1);
  if (call.count == 0) return CurrentVersion(stream_id);
  int64 version = 0;
  if (IsRepeat(call, &version)) return version;
  auto** stream_ids = static_cast<text**>(palloc(sizeof(text*) * call.count));
  std::fill_n(stream_ids, call.count, stream_id);
  Appender appender;
  appender.Begin(stream_ids, call.count);
  ElementContext context;
  context.Enter(call.count);
  for (; context.index < call.count; context.index++) {
    CHECK_FOR_INTERRUPTS();
    const int64 expected = context.index == 0 ? expected_version : kAnyVersion;
    version = appender.Append(call.events[context.index], expected).version;
  }
  context.Leave();
  appender.Finish();
  return version;
}

// One array argument of append_batch; absent ones read as NULL throughout.
struct Batch {
  pg::Elements stream_ids, event_types, event_data, event_ids, metadata, expected_versions;
};

pg::Elements ArrayArgument(FunctionCallInfo fcinfo, int argument, Oid type, const char* name) {
  if (PG_ARGISNULL(argument)) return {};
  return pg::ElementsOf(PG_GETARG_ARRAYTYPE_P(argument), type, name);
}

void RequireLength(FunctionCallInfo fcinfo, int argument, int length, int expected,
                   const char* name) {
  if (PG_ARGISNULL(argument) || length == expected) return;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("%s has %d elements, p_stream_ids has %d", name, length, expected),
                  errhint("Pass arrays of equal length, one element per event.")));
}

Batch ReadBatch(FunctionCallInfo fcinfo) {
  pg::RequireNotNull(fcinfo, 0, "p_stream_ids");
  pg::RequireNotNull(fcinfo, 1, "p_event_types");
  pg::RequireNotNull(fcinfo, 2, "p_event_data");
  const Batch batch = {
      .stream_ids = ArrayArgument(fcinfo, 0, TEXTOID, "p_stream_ids"),
      .event_types = ArrayArgument(fcinfo, 1, TEXTOID, "p_event_types"),
      .event_data = ArrayArgument(fcinfo, 2, JSONBOID, "p_event_data"),
      .event_ids = ArrayArgument(fcinfo, 4, UUIDOID, "p_event_ids"),
      .metadata = ArrayArgument(fcinfo, 5, JSONBOID, "p_metadata"),
      .expected_versions = ArrayArgument(fcinfo, 6, INT8OID, "p_expected_versions"),
  };
  const int count = batch.stream_ids.count;
  RequireLength(fcinfo, 1, batch.event_types.count, count, "p_event_types");
  RequireLength(fcinfo, 2, batch.event_data.count, count, "p_event_data");
  RequireLength(fcinfo, 4, batch.event_ids.count, count, "p_event_ids");
  RequireLength(fcinfo, 5, batch.metadata.count, count, "p_metadata");
  RequireLength(fcinfo, 6, batch.expected_versions.count, count, "p_expected_versions");
  return batch;
}

bool IsNull(const pg::Elements& elements, int i) {
  return elements.values == nullptr || elements.is_null[i];
}

NewEvent EventOf(const Batch& batch, int i, text* created_by) {
  return {
      .stream_id =
          IsNull(batch.stream_ids, i) ? nullptr : DatumGetTextPP(batch.stream_ids.values[i]),
      .event_type =
          IsNull(batch.event_types, i) ? nullptr : DatumGetTextPP(batch.event_types.values[i]),
      .event_data =
          IsNull(batch.event_data, i) ? nullptr : DatumGetJsonbP(batch.event_data.values[i]),
      .metadata = IsNull(batch.metadata, i) ? nullptr : DatumGetJsonbP(batch.metadata.values[i]),
      .created_by = created_by,
      .event_id = IsNull(batch.event_ids, i) ? nullptr : DatumGetUUIDP(batch.event_ids.values[i]),
  };
}

int64 AppendBatch(const Batch& batch, text* created_by) {
  const int count = batch.stream_ids.count;
  if (count == 0) return 0;
  auto** stream_ids = static_cast<text**>(palloc(sizeof(text*) * count));
  ElementContext context;
  context.Enter(count);
  for (; context.index < count; context.index++) {
    const int i = context.index;
    stream_ids[i] =
        IsNull(batch.stream_ids, i) ? nullptr : DatumGetTextPP(batch.stream_ids.values[i]);
    CheckStreamId(stream_ids[i]);
  }
  context.Leave();  // waiting for a lock is about no event in particular
  LockStreams(stream_ids, count);

  Appender appender;
  appender.Begin(stream_ids, count);
  int64 appended = 0;
  context.Enter(count);
  for (; context.index < count; context.index++) {
    CHECK_FOR_INTERRUPTS();
    const int i = context.index;
    const int64 expected = IsNull(batch.expected_versions, i)
                               ? kAnyVersion
                               : DatumGetInt64(batch.expected_versions.values[i]);
    if (!appender.Append(EventOf(batch, i, created_by), expected).was_duplicate) appended++;
  }
  context.Leave();
  appender.Finish();
  return appended;
}

}  // namespace
}  // namespace auren::events

AUREN_SQL_FUNCTION(events_append_events) {
  using namespace auren;
  text* stream_id = pg::TextArgument(fcinfo, 0);
  events::CheckStreamId(stream_id);
  pg::RequireNotNull(fcinfo, 1, "p_events");
  const events::Call call =
      events::ReadCall(stream_id, pg::JsonbArgument(fcinfo, 1), pg::TextArgument(fcinfo, 2));
  PG_RETURN_INT64(
      events::AppendAll(call, PG_ARGISNULL(3) ? events::kAnyVersion : PG_GETARG_INT64(3)));
}

AUREN_SQL_FUNCTION(events_append_batch) {
  using namespace auren;
  const events::Batch batch = events::ReadBatch(fcinfo);
  PG_RETURN_INT64(events::AppendBatch(batch, pg::TextArgument(fcinfo, 3)));
}

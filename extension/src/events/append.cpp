#include "events/append.h"

#include "events/hash_chain.h"
#include "events/insert.h"
#include "events/names.h"
#include "events/place.h"
#include "postgres/errors.h"
#include "postgres/settings.h"
#include "postgres/uuid.h"
#include "postgres/values.h"

extern "C" {
#include "access/table.h"
}

namespace auren::events {
namespace {

void CheckEvent(const NewEvent& event) {
  if (!event.names_as_given) {
    CheckStreamId(event.stream_id);
    CheckEventType(event.event_type);
  }
  if (!event.is_tombstone && event.event_type != nullptr &&
      pg::View(event.event_type) == kTombstoneType) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("event type \"%s\" is reserved", text_to_cstring(event.event_type)),
                    errhint("Close a stream with events.tombstone_stream.")));
  }
  CheckEventData(event.event_data);
  CheckMetadata(event.metadata);
}

void CheckExpectation(int64 expected) {
  if (expected < -1 && expected != kAnyVersion) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("invalid expected version " INT64_FORMAT, expected),
                    errhint("Use NULL for any version, 0 for a new stream, -1 for a stream that "
                            "exists, or the version it must be at.")));
  }
}

void RequireVersion(int64 expected, int64 actual, text* stream_id) {
  const bool met = expected == kAnyVersion || (expected == -1 ? actual > 0 : actual == expected);
  if (met) return;
  const char* id = text_to_cstring(stream_id);
  ereport(ERROR,
          (errcode(ERRCODE_AUREN_WRONG_EXPECTED_VERSION),
           expected == 0    ? errmsg("stream \"%s\" already exists", id)
           : expected == -1 ? errmsg("stream \"%s\" does not exist", id)
                            : errmsg("stream \"%s\" is not at version " INT64_FORMAT, id, expected),
           errdetail("Expected version " INT64_FORMAT ", actual version " INT64_FORMAT ".",
                     expected, actual),
           errhint("Read the stream again and decide anew.")));
}

void RequireOpen(const Tip& tip, text* stream_id) {
  if (!tip.is_tombstone) return;
  ereport(ERROR, (errcode(ERRCODE_AUREN_TOMBSTONED),
                  errmsg("stream \"%s\" is closed", text_to_cstring(stream_id)),
                  errdetail("Version " INT64_FORMAT " is its tombstone.", tip.version),
                  errhint("Append to a stream with another id; this one can still be read.")));
}

}  // namespace

void RequireInSnapshot(bool in_snapshot, text* stream_id) {
  if (in_snapshot) return;
  ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                  errmsg("could not append to stream \"%s\" due to a concurrent append",
                         text_to_cstring(stream_id)),
                  errhint("The transaction might succeed if retried.")));
}

bool SameContent(const NewEvent& event, text* stored_type, Jsonb* stored_data) {
  // The stored bytes are compared: equal input is stored as equal bytes.
  return pg::View(event.event_type) == pg::View(stored_type) &&
         VARSIZE(event.event_data) == VARSIZE(stored_data) &&
         memcmp(event.event_data, stored_data, VARSIZE(stored_data)) == 0;
}

void RefuseId(const NewEvent& event, const char* detail) {
  ereport(
      ERROR,
      (errcode(ERRCODE_AUREN_EVENT_ID_CONFLICT),
       errmsg("event id \"%s\" is already used in stream \"%s\"",
              DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(event.event_id))),
              text_to_cstring(event.stream_id)),
       errdetail("%s", detail), errhint("Repeat an event unchanged, or give a new one a new id.")));
  pg_unreachable();
}

void CheckNewEvent(const NewEvent& event, int64 expected_version) {
  CheckEvent(event);
  CheckExpectation(expected_version);
}

bool IsRepeated(Relation store, const NewEvent& event, Appended* first) {
  Row row;
  if (event.event_id == nullptr || !FindById(store, event.stream_id, event.event_id, &row)) {
    return false;
  }
  RequireInSnapshot(row.in_snapshot, event.stream_id);
  if (!SameContent(event, row.event_type, row.event_data)) {
    RefuseId(event, "The stored event has another type or other data.");
  }
  *first = {row.event_id, row.version, row.position, row.created_at, true};
  return true;
}

NewRow Place(const NewEvent& event, const Tip& tip, int64 expected_version, text* created_by,
             Positions* positions) {
  RequireOpen(tip, event.stream_id);
  RequireVersion(expected_version, tip.version, event.stream_id);
  NewRow row = {
      .position = positions->Next(),
      .event_id = event.event_id != nullptr ? *event.event_id : pg::NewUuidV7(),
      .stream_id = event.stream_id,
      .version = tip.version + 1,
      .event_type = event.event_type,
      .event_data = event.event_data,
      .metadata = event.metadata,
      .created_by = event.created_by != nullptr ? event.created_by : created_by,
      .created_at = Max(GetCurrentTimestamp(), tip.created_at),
      .hash = nullptr,
  };
  if (tip.hash != nullptr || pg::HashChainSetting()) row.hash = ChainedHash(row, tip.hash);
  return row;
}

Tip TipAfter(const NewRow& row) {
  return {.version = row.version,
          .position = row.position,
          .created_at = row.created_at,
          .is_tombstone = false,
          .hash = row.hash,
          .in_snapshot = true};
}

Appended AnswerFor(const NewRow& row) {
  return {row.event_id, row.version, row.position, row.created_at, false};
}

text* SessionUser() { return cstring_to_text(GetUserNameFromId(GetSessionUserId(), false)); }

Appended Append(const NewEvent& event, int64 expected_version) {
  CheckNewEvent(event, expected_version);
  text* stream_id = event.stream_id;
  LockStreams(&stream_id, 1);

  Relation store = OpenStore(RowExclusiveLock);
  const Tip tip = FindTip(store, stream_id);
  Appended result;
  // A stream that is new has no event to repeat.
  if (tip.version == 0 || !IsRepeated(store, event, &result)) {
    RequireInSnapshot(tip.in_snapshot, stream_id);
    Positions positions;
    const NewRow row = Place(event, tip, expected_version,
                             event.created_by != nullptr ? nullptr : SessionUser(), &positions);
    Insert(store, row);
    result = AnswerFor(row);
  }
  table_close(store, NoLock);
  return result;
}

}  // namespace auren::events

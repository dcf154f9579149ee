#include "neuros/mode.h"

#include "events/append.h"
#include "neuros/factor_json.h"
#include "neuros/hypothesis.h"
#include "neuros/state_rows.h"
#include "postgres/probe.h"
#include "postgres/spi.h"
#include "postgres/values.h"

extern "C" {
#include "access/table.h"
#include "catalog/namespace.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
}

namespace auren::neuros {
namespace {

// The columns' numbers of user_modes, fixed by extension/schema/neuros.sql.
enum Column : AttrNumber { kCurrentMode = 2, kSince = 3, kEventId = 6, kByHand = 8 };

// A new person starts in baseline, so that the first switch is an update, too, and notifies.
pg::Statement insert_mode = {
    "INSERT INTO neuros.user_modes (user_id, current_mode, since) VALUES ($1, 'baseline', $2)",
    2,
    {TEXTOID, TIMESTAMPTZOID}};

pg::Statement update_mode = {
    "UPDATE neuros.user_modes SET (current_mode, since, confidence, trigger, event_id, position,"
    " by_hand, from_mode) = ($2, $3, $4, $5, $6, $7, $8, current_mode) WHERE user_id = $1",
    8,
    {TEXTOID, TEXTOID, TIMESTAMPTZOID, FLOAT8OID, TEXTOID, UUIDOID, INT8OID, BOOLOID}};

pg::Statement reset_calm = {
    "UPDATE neuros.person_states SET calm = 0 WHERE user_id = $1", 1, {TEXTOID}};
pg::Statement reset_calm_of_0_1_0 = {
    "UPDATE neuros.evaluations SET calm = 0 WHERE user_id = $1", 1, {TEXTOID}};

Jsonb* Describe(const ModeState& state, const ModeSwitch& mode_switch) {
  pg::JsonbBuilder json;
  json.BeginObject();
  json.Add("from_mode", state.mode);
  json.Add("to_mode", mode_switch.to_mode);
  json.Add("trigger", mode_switch.trigger);
  json.Add("confidence", mode_switch.confidence);
  json.Add("reason", mode_switch.reason);
  json.Add("config_version", mode_switch.config_version);
  json.Key("context");
  mode_switch.context == nullptr ? json.Null() : json.Document(mode_switch.context);
  json.Key("factors");
  json.BeginArray();
  for (int i = 0; i < mode_switch.factor_count; i++) {
    json.BeginObject();
    AddFactor(mode_switch.factors[i], &json);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return json.Finish();
}

// When it holds from, where that is not when the event is stored, and who chose it.
Jsonb* Circumstances(const ModeSwitch& mode_switch) {
  pg::JsonbBuilder json;
  json.BeginObject();
  if (mode_switch.since != 0) {
    json.Key("since");
    json.Timestamp(mode_switch.since);
  }
  json.Add("by_hand", mode_switch.by_hand);
  json.EndObject();
  return json.Finish();
}

}  // namespace

void LoadModes(text* const* user_ids, int count, ModeState* states) {
  const Oid schema = get_namespace_oid("neuros", false);
  Relation table = table_open(get_relname_relid("user_modes", schema), AccessShareLock);
  pg::Probe probe;
  probe.Begin(table, get_relname_relid("user_modes_pkey", schema), {F_TEXTEQ});
  for (int i = 0; i < count; i++) {
    ModeState* state = &states[i];
    *state = ModeState{};
    state->mode = "baseline";
    const Datum keys[] = {PointerGetDatum(user_ids[i])};
    state->known = probe.First(keys);
    if (!state->known) continue;
    TupleTableSlot* row = probe.slot();
    bool is_null;
    state->mode = pg::View(DatumGetTextPCopy(slot_getattr(row, kCurrentMode, &is_null)));
    state->by_hand = DatumGetBool(slot_getattr(row, kByHand, &is_null));
    state->since = DatumGetTimestampTz(slot_getattr(row, kSince, &is_null));
    (void)slot_getattr(row, kEventId, &is_null);
    state->ever_switched = !is_null;
  }
  probe.End();
  table_close(table, AccessShareLock);
}

ModeState LoadMode(text* user_id) {
  ModeState state;
  LoadModes(&user_id, 1, &state);
  StateRows rows;
  rows.Begin();
  StateRow row;
  if (rows.Find(user_id, &row)) state.calm = row.calm;
  rows.End();
  return state;
}

pg_uuid_t EnterMode(const ModeState& state, const ModeSwitch& mode_switch) {
  const Hypothesis open = state.mode == kHypothesisMode
                              ? FindHypothesis(mode_switch.user_id, mode_switch.stream_id)
                              : Hypothesis{};
  const events::Appended event = events::Append({.stream_id = mode_switch.stream_id,
                                                 .event_type = pg::Text("mode_switched"),
                                                 .event_data = Describe(state, mode_switch),
                                                 .metadata = Circumstances(mode_switch),
                                                 .created_by = nullptr,
                                                 .event_id = nullptr},
                                                events::kAnyVersion);
  const TimestampTz since = mode_switch.since == 0 ? event.created_at : mode_switch.since;
  if (!state.known) {
    const Datum values[] = {PointerGetDatum(mode_switch.user_id), TimestampTzGetDatum(since)};
    pg::Execute(&insert_mode, values);
  }
  const Datum values[] = {PointerGetDatum(mode_switch.user_id),
                          PointerGetDatum(pg::Text(mode_switch.to_mode)),
                          TimestampTzGetDatum(since),
                          Float8GetDatum(mode_switch.confidence),
                          PointerGetDatum(pg::Text(mode_switch.trigger)),
                          UUIDPGetDatum(&event.event_id),
                          Int64GetDatum(event.position),
                          BoolGetDatum(mode_switch.by_hand)};
  pg::Execute(&update_mode, values);
  if (state.calm != 0) {
    pg::Execute(HasPersonStates() ? &reset_calm : &reset_calm_of_0_1_0, values);
  }
  ResolveHypothesis(open, mode_switch, event);
  if (mode_switch.to_mode == kHypothesisMode) GenerateHypothesis(mode_switch, event);
  return event.event_id;
}

}  // namespace auren::neuros

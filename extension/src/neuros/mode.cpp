#include "neuros/mode.h"

#include "events/append.h"
#include "postgres/spi.h"
#include "postgres/values.h"

namespace auren::neuros {
namespace {

pg::Statement select_mode = {
    "SELECT m.current_mode, m.by_hand, m.event_id IS NOT NULL, m.since, coalesce(e.calm, 0)"
    "  FROM (SELECT $1::text AS user_id) u"
    "  LEFT JOIN neuros.user_modes m ON m.user_id = u.user_id"
    "  LEFT JOIN neuros.evaluations e ON e.user_id = u.user_id",
    1,
    {TEXTOID}};

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

pg::Statement upsert_calm = {
    "INSERT INTO neuros.evaluations AS e (user_id, calm) VALUES ($1, $2)"
    " ON CONFLICT (user_id) DO UPDATE SET calm = excluded.calm",
    2,
    {TEXTOID, INT4OID}};

void AddFactor(const core::Factor& factor, pg::JsonbBuilder* json) {
  json->BeginObject();
  json->Add("trigger", core::Name(factor.trigger));
  json->Add("metric", factor.metric);
  if (factor.indicator[0] != '\0') json->Add("indicator", factor.indicator);
  json->Add("value", factor.value);
  json->Add("baseline", factor.baseline);
  json->Add("threshold", factor.threshold);
  json->Add("z", factor.z);
  json->Add("contribution", factor.contribution);
  json->Add("fired", factor.fired);
  json->Add("borderline", factor.borderline);
  json->Add("baseline_is_default", factor.baseline_is_default);
  json->EndObject();
}

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
  for (int i = 0; i < mode_switch.factor_count; i++) AddFactor(mode_switch.factors[i], &json);
  json.EndArray();
  json.EndObject();
  return json.Finish();
}

}  // namespace

ModeState LoadMode(text* user_id) {
  const Datum values[] = {PointerGetDatum(user_id)};
  pg::Execute(&select_mode, values);
  ModeState state = {};
  bool is_null;
  const Datum mode = pg::Column(0, 1, &is_null);
  state.known = !is_null;
  state.mode = "baseline";
  if (state.known) {
    state.mode = pg::View(DatumGetTextPP(mode));
    state.by_hand = DatumGetBool(pg::Column(0, 2));
    state.ever_switched = DatumGetBool(pg::Column(0, 3));
    state.since = DatumGetTimestampTz(pg::Column(0, 4));
  }
  state.calm = DatumGetInt32(pg::Column(0, 5));
  return state;
}

pg_uuid_t EnterMode(const ModeState& state, const ModeSwitch& mode_switch) {
  const events::Appended event = events::Append({.stream_id = mode_switch.stream_id,
                                                 .event_type = pg::Text("mode_switched"),
                                                 .event_data = Describe(state, mode_switch),
                                                 .metadata = nullptr,
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
  StoreCalm(mode_switch.user_id, state, 0);
  return event.event_id;
}

void StoreCalm(text* user_id, const ModeState& state, int calm) {
  if (calm == state.calm) return;
  const Datum values[] = {PointerGetDatum(user_id), Int32GetDatum(calm)};
  pg::Execute(&upsert_calm, values);
}

}  // namespace auren::neuros

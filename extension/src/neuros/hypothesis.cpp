#include "neuros/hypothesis.h"

#include <cmath>

#include "postgres/spi.h"
#include "postgres/values.h"

namespace auren::neuros {
namespace {

// Behind the event that entered the mode.
pg::Statement select_hypothesis = {
    "SELECT h.event_id, h.event_data ->> 'metric'"
    "  FROM neuros.user_modes m"
    "  JOIN events.all_events s ON s.stream_id = $2 AND s.event_id = m.event_id"
    "  JOIN events.all_events h ON h.stream_id = $2 AND h.version = s.version + 1"
    " WHERE m.user_id = $1 AND h.event_type = 'hypothesis_generated'",
    2,
    {TEXTOID, TEXTOID}};

// The strongest anomaly: factors come strongest first.
const core::Factor* Anomaly(const ModeSwitch& mode_switch) {
  for (int i = 0; i < mode_switch.factor_count; i++) {
    const core::Factor& factor = mode_switch.factors[i];
    if (factor.fired && factor.trigger == core::Trigger::kAnomalousReading) return &factor;
  }
  return nullptr;
}

bool FiredOn(const ModeSwitch& mode_switch, std::string_view metric) {
  for (int i = 0; i < mode_switch.factor_count; i++) {
    const core::Factor& factor = mode_switch.factors[i];
    if (factor.fired && metric == factor.metric) return true;
  }
  return false;
}

const char* Resolution(const Hypothesis& hypothesis, const ModeSwitch& mode_switch) {
  if (mode_switch.by_hand) return "withdrawn";
  if (mode_switch.trigger == core::Name(core::Trigger::kCalm)) return "refuted";
  return FiredOn(mode_switch, hypothesis.metric) ? "confirmed" : "superseded";
}

void AddId(std::string_view key, const pg_uuid_t& id, pg::JsonbBuilder* json) {
  json->Add(key, DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&id))));
}

void Append(const ModeSwitch& mode_switch, const char* type, Jsonb* data) {
  events::Append({.stream_id = mode_switch.stream_id,
                  .event_type = pg::Text(type),
                  .event_data = data,
                  .metadata = nullptr,
                  .created_by = nullptr,
                  .event_id = nullptr},
                 events::kAnyVersion);
}

}  // namespace

Hypothesis FindHypothesis(text* user_id, text* stream_id) {
  Hypothesis hypothesis = {};
  const Datum values[] = {PointerGetDatum(user_id), PointerGetDatum(stream_id)};
  if (pg::Execute(&select_hypothesis, values) == 0) return hypothesis;
  hypothesis.known = true;
  hypothesis.event_id = *DatumGetUUIDP(pg::Column(0, 1));
  bool is_null;
  const Datum metric = pg::Column(0, 2, &is_null);
  if (!is_null) hypothesis.metric = pg::View(DatumGetTextPP(metric));
  return hypothesis;
}

void GenerateHypothesis(const ModeSwitch& mode_switch, const events::Appended& switched) {
  const core::Factor* anomaly = Anomaly(mode_switch);
  pg::JsonbBuilder json;
  json.BeginObject();
  if (anomaly == nullptr) {
    for (const char* key : {"metric", "value", "z", "baseline", "kind", "would_confirm"}) {
      json.Key(key);
      json.Null();
    }
  } else {
    json.Add("metric", anomaly->metric);
    json.Add("value", anomaly->value);
    json.Add("z", anomaly->z);
    json.Add("baseline", anomaly->baseline);
    json.Add("kind", std::isnan(anomaly->z) ? "soft_range" : "z_score");
    json.Key("would_confirm");
    json.BeginObject();
    json.Add("metric", anomaly->metric);
    json.Add("below", anomaly->low);
    json.Add("above", anomaly->high);
    json.EndObject();
  }
  AddId("mode_switched", switched.event_id, &json);
  json.Add("config_version", mode_switch.config_version);
  json.EndObject();
  Append(mode_switch, "hypothesis_generated", json.Finish());
}

void ResolveHypothesis(const Hypothesis& hypothesis, const ModeSwitch& mode_switch,
                       const events::Appended& switched) {
  if (!hypothesis.known) return;
  pg::JsonbBuilder json;
  json.BeginObject();
  AddId("hypothesis", hypothesis.event_id, &json);
  json.Key("metric");
  hypothesis.metric.empty() ? json.Null() : json.String(hypothesis.metric);
  json.Add("resolution", Resolution(hypothesis, mode_switch));
  json.Add("to_mode", mode_switch.to_mode);
  json.Add("trigger", mode_switch.trigger);
  AddId("mode_switched", switched.event_id, &json);
  json.EndObject();
  Append(mode_switch, "hypothesis_resolved", json.Finish());
}

}  // namespace auren::neuros

#include "bridge/person_state.h"

#include <cmath>

#include "biometrics/timestamp.h"
#include "neuros/state_rows.h"
#include "postgres/rows.h"
#include "postgres/spi.h"
#include "postgres/values.h"

extern "C" {
#include "utils/date.h"
}

namespace auren::bridge {
namespace {

using biometrics::MetricType;
using biometrics::Reading;

constexpr int64 kCheckpointSeconds = 30;

// So many readings are folded again with every decision, and no more.
constexpr int kMaxUnfolded = 500;

constexpr pg::RowColumn kPerson[] = {{"n", INT4OID}, {"user_id", TEXTOID}};

constexpr pg::RowColumn kFolded[] = {{"n", INT4OID}, {"user_id", TEXTOID}, {"position", INT8OID}};

#define NEWEST_COLUMNS                                                        \
  " b.device_type, b.metric_type, b.recorded_at, b.ended_at, b.value, b.day," \
  " b.external_id, b.source, b.statistic, b.context"
#define SETTLED_NUMBER " b.value IS NOT NULL AND NOT b.flags && '{pending,calibrating}'"

pg::Statement select_unfolded = {
    "SELECT p.n, r.* FROM folded_persons p CROSS JOIN LATERAL ("
    " SELECT" NEWEST_COLUMNS
    "   FROM biometrics.biometric_events b"
    "  WHERE b.user_id = p.user_id AND b.position > p.position AND" SETTLED_NUMBER "  OFFSET 0) r",
    0,
    {}};

// Steps from pair to pair by the unique key, then takes the newest of each: as long as a person has
// devices and metrics, not as their history is.
pg::Statement select_newest = {
    "SELECT p.n, r.* FROM unknown_persons p CROSS JOIN LATERAL ("
    " WITH RECURSIVE pairs AS ("
    "  (SELECT b.device_type, b.metric_type FROM biometrics.biometric_events b"
    "    WHERE b.user_id = p.user_id ORDER BY b.device_type, b.metric_type LIMIT 1)"
    "  UNION ALL"
    "  SELECT n.device_type, n.metric_type FROM pairs s CROSS JOIN LATERAL ("
    "   SELECT b.device_type, b.metric_type FROM biometrics.biometric_events b"
    "    WHERE b.user_id = p.user_id"
    "      AND (b.device_type, b.metric_type) > (s.device_type, s.metric_type)"
    "    ORDER BY b.device_type, b.metric_type LIMIT 1) n)"
    " SELECT n.* FROM pairs s CROSS JOIN LATERAL ("
    "  SELECT" NEWEST_COLUMNS
    "    FROM biometrics.biometric_events b"
    "   WHERE b.user_id = p.user_id AND b.device_type = s.device_type"
    "     AND b.metric_type = s.metric_type AND" SETTLED_NUMBER
    "   ORDER BY b.end_at DESC, b.recorded_at DESC, b.source, b.statistic LIMIT 1) n"
    " OFFSET 0) r",
    0,
    {}};

constexpr pg::RowColumn kSaved[] = {{"user_id", TEXTOID},
                                    {"calm", INT4OID},
                                    {"position", INT8OID},
                                    {"folded_at", TIMESTAMPTZOID},
                                    {"newest", BYTEAOID}};

pg::Statement upsert = {
    "INSERT INTO neuros.person_states (user_id, calm, position, folded_at, newest)"
    " SELECT s.user_id, s.calm, s.position, s.folded_at, s.newest FROM saved_states s"
    " ON CONFLICT (user_id) DO UPDATE SET (calm, position, folded_at, newest) ="
    "  (excluded.calm, excluded.position, excluded.folded_at, excluded.newest)",
    0,
    {}};

pg::Statement upsert_calm_of_0_1_0 = {
    "INSERT INTO neuros.evaluations (user_id, calm)"
    " SELECT s.user_id, s.calm FROM saved_states s"
    " ON CONFLICT (user_id) DO UPDATE SET calm = excluded.calm",
    0,
    {}};

// NEWEST_COLUMNS, behind the number of the person.
NewestOf NewestFrom(uint64 row) {
  NewestOf newest;
  newest.device = pg::TextColumn(row, 2);
  newest.metric = pg::TextColumn(row, 3);
  newest.start = DatumGetTimestampTz(pg::Column(row, 4));
  bool no_end;
  const Datum end = pg::Column(row, 5, &no_end);
  newest.has_end = !no_end;
  newest.end = no_end ? newest.start : DatumGetTimestampTz(end);
  newest.value = DatumGetFloat8(pg::Column(row, 6));
  newest.day = DatumGetDateADT(pg::Column(row, 7));
  newest.document = DocumentHash(pg::TextColumn(row, 8));
  newest.source = pg::TextColumn(row, 9);
  newest.statistic = pg::TextColumn(row, 10);
  newest.context = pg::TextColumn(row, 11);
  return newest;
}

NewestOf NewestFrom(const Arrival& arrival, const Reading& reading) {
  return {.device = arrival.delivery->source,
          .metric = reading.metric->name,
          .start = reading.start,
          .end = reading.end,
          .has_end = reading.has_end,
          .value = reading.value,
          .day = biometrics::LocalDay(reading.end, reading.zone_offset),
          .document = DocumentHash(reading.external_id),
          .source = reading.source,
          .statistic = reading.statistic_name,
          .context = reading.context_name};
}

void ReadRows(Arrival* arrivals, int count) {
  pg::Rows folded("folded_persons", kFolded);
  neuros::StateRows rows;
  rows.Begin();
  for (int i = 0; i < count; i++) {
    PersonState* state = &arrivals[i].state;
    state->calm_in_row = -1;
    neuros::StateRow row;
    if (arrivals[i].is_first || !rows.Find(arrivals[i].delivery->user_id, &row)) continue;
    state->calm = state->calm_in_row = row.calm;
    if (row.newest == nullptr) continue;  // counted, never folded
    state->has_row = true;
    state->folded_at = row.folded_at;
    state->in_row = NewestList::Unpack(row.newest);
    state->before = state->in_row.Copy();
    if (row.position >= arrivals[i].position_before) continue;
    folded.Add(Int32GetDatum(i));
    folded.Text(arrivals[i].delivery->user_id);
    folded.Add(Int64GetDatum(row.position));
    folded.EndRow();
  }
  rows.End();
  if (folded.count() == 0) return;
  folded.Offer();
  const uint64 unfolded = pg::Execute(&select_unfolded);
  for (uint64 row = 0; row < unfolded; row++) {
    PersonState* state = &arrivals[DatumGetInt32(pg::Column(row, 1))].state;
    state->before.Fold(NewestFrom(row));
    state->unfolded++;
  }
}

// Looks among all readings for what is newest, for those persons that need it.
template <typename Needs>
void FindAmongAll(Arrival* arrivals, int count, NewestList PersonState::*into, Needs needs) {
  pg::Rows rows("unknown_persons", kPerson);
  for (int i = 0; i < count; i++) {
    if (!needs(arrivals[i])) continue;
    rows.Add(Int32GetDatum(i));
    rows.Text(arrivals[i].delivery->user_id);
    rows.EndRow();
  }
  if (rows.count() == 0) return;
  rows.Offer();
  const uint64 found = pg::Execute(&select_newest);
  for (uint64 row = 0; row < found; row++) {
    (arrivals[DatumGetInt32(pg::Column(row, 1))].state.*into).Fold(NewestFrom(row));
  }
}

// What the reading does to the one that is newest so far.
void Compare(const Arrival& arrival, const Reading& reading, PersonState* state) {
  const NewestOf* newest = state->before.Find(arrival.delivery->source, reading.metric->name);
  if (newest == nullptr) return;
  if (!reading.external_id.empty() && DocumentHash(reading.external_id) == newest->document) {
    state->brings_again = state->takes_away = true;
  }
  if (reading.superseded || !reading.has_start || !SameKey(NewestFrom(arrival, reading), *newest)) {
    return;
  }
  state->brings_again = true;
  if (reading.deleted || reading.unsettled) state->takes_away = true;
}

void FoldArrival(Arrival* arrival) {
  PersonState* state = &arrival->state;
  for (int i = 0; i < arrival->count; i++) {
    if (arrival->readings[i].accepted()) Compare(*arrival, arrival->readings[i], state);
  }
  if (state->takes_away) return;
  state->after = state->before.Copy();
  for (int i = 0; i < arrival->count; i++) {
    const Reading& reading = arrival->readings[i];
    if (!reading.accepted() || reading.deleted || reading.superseded) continue;
    state->unfolded++;
    if (reading.unsettled || reading.metric->is_state) continue;
    state->after.Fold(NewestFrom(*arrival, reading));
  }
}

// From which difference on a value really changed: what the original service wrote for, and for
// other metrics a tenth of their soft range.
double SignificantChange(const MetricType& metric) {
  if (metric.name == "hrv_rmssd" || metric.name == "hrv_sdnn") return 5;
  if (metric.name == "heart_rate" || metric.name == "resting_heart_rate" ||
      metric.name == "walking_heart_rate_average") {
    return 10;
  }
  if (metric.name == "stress_level") return 0.1;
  const double tenth = (metric.range.soft_max - metric.range.soft_min) / 10;
  return std::isfinite(tenth) ? tenth : 0;
}

// Only the delivery's own metrics can have changed since the row was read; what lies between row
// and delivery was looked at when it came.
bool ReallyChanged(const Arrival& arrival) {
  const PersonState& state = arrival.state;
  const MetricType* last = nullptr;
  for (int i = 0; i < arrival.count; i++) {
    const Reading& reading = arrival.readings[i];
    if (!reading.accepted() || reading.metric == last || reading.metric->is_state) continue;
    last = reading.metric;
    const NewestOf* now = state.after.Find(arrival.delivery->source, last->name);
    if (now == nullptr) continue;
    const NewestOf* then = state.in_row.Find(arrival.delivery->source, last->name);
    if (then == nullptr || std::fabs(now->value - then->value) >= SignificantChange(*last)) {
      return true;
    }
  }
  return false;
}

bool WorthSaving(const Arrival& arrival) {
  const PersonState& state = arrival.state;
  if (!state.has_row || state.takes_away || state.calm != state.calm_in_row ||
      state.unfolded > kMaxUnfolded) {
    return true;
  }
  const int64 apart = arrival.delivery->received_at - state.folded_at;
  return std::abs(apart) >= kCheckpointSeconds * USECS_PER_SEC || ReallyChanged(arrival);
}

}  // namespace

void LoadStates(Arrival* arrivals, int count) {
  ReadRows(arrivals, count);
  FindAmongAll(arrivals, count, &PersonState::before,
               [](const Arrival& arrival) { return !arrival.is_first && !arrival.state.has_row; });
}

void FoldArrivals(Arrival* arrivals, int count) {
  for (int i = 0; i < count; i++) FoldArrival(&arrivals[i]);
  FindAmongAll(arrivals, count, &PersonState::after,
               [](const Arrival& arrival) { return arrival.state.takes_away; });
}

void SaveStates(const Arrival* arrivals, int count) {
  pg::Rows rows("saved_states", kSaved);
  for (int i = 0; i < count; i++) {
    const Arrival& arrival = arrivals[i];
    if (!WorthSaving(arrival)) continue;
    rows.Text(arrival.delivery->user_id);
    rows.Add(Int32GetDatum(arrival.state.calm));
    rows.Add(Int64GetDatum(arrival.position));
    rows.Add(TimestampTzGetDatum(arrival.delivery->received_at));
    rows.Add(PointerGetDatum(arrival.state.after.Pack()));
    rows.EndRow();
  }
  if (rows.count() == 0) return;
  rows.Offer();
  pg::Execute(neuros::HasPersonStates() ? &upsert : &upsert_calm_of_0_1_0);
}

}  // namespace auren::bridge

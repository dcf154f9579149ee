#include "bridge/newest.h"

#include "core/evaluation.h"
#include "postgres/rows.h"
#include "postgres/spi.h"

namespace auren::bridge {
namespace {

using biometrics::Reading;

constexpr pg::RowColumn kComingReading[] = {
    {"n", INT4OID},      {"user_id", TEXTOID},      {"device", TEXTOID},
    {"metric", TEXTOID}, {"start", TIMESTAMPTZOID}, {"stop", TIMESTAMPTZOID},
    {"source", TEXTOID}, {"statistic", TEXTOID},    {"context", TEXTOID},
    {"value", FLOAT8OID}};

// Which readings are stored already, to the letter: exporters send the same hours again and again.
pg::Statement select_known = {
    "SELECT r.n FROM coming_readings r"
    " WHERE (SELECT true FROM biometrics.biometric_events b"
    "         WHERE b.user_id = r.user_id AND b.device_type = r.device"
    "           AND b.metric_type = r.metric AND b.recorded_at = r.start"
    "           AND b.ended_at IS NOT DISTINCT FROM r.stop"
    "           AND b.source IS NOT DISTINCT FROM r.source"
    "           AND b.statistic IS NOT DISTINCT FROM r.statistic"
    "           AND b.context IS NOT DISTINCT FROM r.context AND b.value = r.value"
    "           AND NOT b.flags && '{pending,calibrating}'"
    "         LIMIT 1)",
    0,
    {}};

// The metrics of which a reading may decide, each once.
NewestReadings MetricsThatDecide(const core::Config& config, const Arrival& arrival) {
  const TimestampTz oldest = OldestThatDecides(*arrival.delivery, config);
  NewestReadings newest = {nullptr, 0};
  int capacity = 0;
  const biometrics::MetricType* last = nullptr;
  for (int i = 0; i < arrival.count; i++) {
    const Reading& reading = arrival.readings[i];
    if (!MayDecide(reading, oldest) || reading.metric == last) continue;
    last = reading.metric;
    bool found = false;
    for (int j = 0; j < newest.count; j++) found = found || newest.items[j].metric == last;
    if (found) continue;
    if (newest.count == capacity) {
      capacity = capacity == 0 ? 4 : capacity * 2;
      const size_t size = sizeof(NewestReading) * capacity;
      newest.items =
          static_cast<NewestReading*>(capacity == 4 ? palloc(size) : repalloc(newest.items, size));
    }
    newest.items[newest.count++] = {last, DT_NOBEGIN};
  }
  return newest;
}

// What is newer than all that is stored cannot be stored already.
bool MayBeKnown(const Reading& reading, const NewestReadings& newest) {
  return reading.accepted() && !reading.deleted && !reading.superseded &&
         !reading.metric->is_state && reading.end <= newest.Before(reading.metric);
}

void Ask(const Arrival& arrival, const Reading& reading, int number, pg::Rows* rows) {
  rows->Add(Int32GetDatum(number));
  rows->Text(arrival.delivery->user_id);
  rows->Text(arrival.device);
  rows->Text(reading.metric->name);
  rows->Add(TimestampTzGetDatum(reading.start));
  reading.has_end ? rows->Add(TimestampTzGetDatum(reading.end)) : rows->Null();
  rows->TextOrNull(reading.source);
  rows->TextOrNull(reading.statistic_name);
  rows->TextOrNull(reading.context_name);
  rows->Add(Float8GetDatum(reading.value));
  rows->EndRow();
}

}  // namespace

TimestampTz OldestThatDecides(const Delivery& delivery, const core::Config& config) {
  return core::OldestThatDecides(config, delivery.received_at);
}

bool MayDecide(const Reading& reading, TimestampTz oldest) {
  return reading.accepted() && !reading.deleted && !reading.superseded &&
         !reading.metric->is_state && !reading.unsettled && reading.end >= oldest;
}

void FindNewest(const core::Config& config, Arrival* arrivals, int count) {
  for (int i = 0; i < count; i++) {
    Arrival* arrival = &arrivals[i];
    arrival->newest = MetricsThatDecide(config, *arrival);
    for (int j = 0; j < arrival->newest.count; j++) {
      NewestReading* item = &arrival->newest.items[j];
      const NewestOf* newest =
          arrival->state.before.Find(arrival->delivery->source, item->metric->name);
      if (newest != nullptr) item->end = newest->end;
    }
  }
}

void MarkKnown(Arrival* arrivals, int count) {
  // As a rule nothing comes again: then nothing is asked.
  int asked = 0;
  for (int i = 0; i < count; i++) {
    for (int j = 0; j < arrivals[i].count; j++) {
      asked += MayBeKnown(arrivals[i].readings[j], arrivals[i].newest);
    }
  }
  if (asked == 0) return;

  pg::Rows rows("coming_readings", kComingReading);
  auto** readings = static_cast<Reading**>(
      palloc_extended(sizeof(Reading*) * static_cast<size_t>(asked), MCXT_ALLOC_HUGE));
  for (int i = 0; i < count; i++) {
    CHECK_FOR_INTERRUPTS();
    for (int j = 0; j < arrivals[i].count; j++) {
      Reading* reading = &arrivals[i].readings[j];
      if (!MayBeKnown(*reading, arrivals[i].newest)) continue;
      readings[rows.count()] = reading;
      Ask(arrivals[i], *reading, rows.count(), &rows);
    }
  }
  rows.Offer();
  const uint64 found = pg::Execute(&select_known);
  for (uint64 row = 0; row < found; row++) {
    readings[DatumGetInt32(pg::Column(row, 1))]->known = true;
  }
}

}  // namespace auren::bridge

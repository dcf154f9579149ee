// bridge.ingest_batch: deliveries in, one answer each.
//
// Way of a batch: read all envelopes -> lock all persons' streams, once, in key order -> then
// delivery by delivery, each seeing what the former did: look the event up (a repeat is a
// duplicate) -> look whether the person's stream is closed -> check its readings -> append the
// event -> store the readings -> judge. All in the caller's transaction.
//
// What is wrong with a delivery, or with one of its readings, is an answer and never an error, so
// that its neighbours do not suffer. An error means that the batch as a whole could not be done.
#include "biometrics/reading.h"
#include "biometrics/store.h"
#include "bridge/delivery.h"
#include "bridge/judge.h"
#include "core/quality.h"
#include "events/append.h"
#include "events/names.h"
#include "neuros/config.h"
#include "postgres/errors.h"
#include "postgres/spi.h"
#include "postgres/values.h"

namespace auren::bridge {
namespace {

using biometrics::Anomaly;
using biometrics::Reading;

constexpr int kMaxReported = 100;  // refused readings named in `problem`

// One row of the result.
struct Answer {
  const char* status;
  bool has_event;
  pg_uuid_t event_id;
  int64 position;
  int accepted;
  int rejected;
  Jsonb* problem;    // nullptr: none
  Jsonb* anomalies;  // nullptr: []
  Judgement judgement;
};

// What all deliveries of a call share.
struct Batch {
  TimestampTz now;
  biometrics::Catalogue catalogue;
  neuros::ActiveConfig config;
};

Answer Rejected(const Problem& problem) {
  pg::JsonbBuilder json;
  json.BeginObject();
  json.Add("code", problem.code);
  json.Add("detail", problem.detail);
  json.EndObject();
  Answer answer = {};
  answer.status = "rejected";
  answer.problem = json.Finish();
  return answer;
}

// The known event's answer; other readings under the same id are not stored, but told.
Answer Duplicate(const Delivery& delivery, const events::StoredEvent& stored) {
  Answer answer = {};
  answer.status = "duplicate";
  answer.has_event = true;
  answer.event_id = delivery.event_id;
  answer.position = stored.position;
  JsonbValue readings;
  const bool same = pg::Member(stored.event_data, "readings", &readings) && pg::IsArray(readings) &&
                    compareJsonbContainers(readings.val.binary.data,
                                           const_cast<JsonbContainer*>(delivery.readings)) == 0;
  if (!same) {
    pg::JsonbBuilder json;
    json.BeginObject();
    json.Add("code", "content_differs");
    json.Add("detail",
             "this delivery_id is known with other readings; what came first stays, nothing was "
             "stored");
    json.EndObject();
    answer.problem = json.Finish();
  }
  return answer;
}

Reading* ReadReadings(const Batch& batch, const Delivery& delivery) {
  auto* readings = static_cast<Reading*>(
      palloc_extended(sizeof(Reading) * delivery.reading_count, MCXT_ALLOC_HUGE));
  JsonbIterator* iterator = JsonbIteratorInit(const_cast<JsonbContainer*>(delivery.readings));
  JsonbValue item;
  JsonbIteratorToken token;
  int index = 0;
  while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE) {
    if (token != WJB_ELEM) continue;
    CHECK_FOR_INTERRUPTS();
    biometrics::ReadReading(batch.catalogue, item, index + 1, batch.now, &readings[index]);
    index++;
  }
  return readings;
}

// The refused readings with their reasons, at most `most`; nullptr when there are none.
Jsonb* Refused(const Reading* readings, int count, int most) {
  pg::JsonbBuilder json;
  int listed = 0;
  json.BeginArray();
  for (int i = 0; i < count && listed < most; i++) {
    const Reading& reading = readings[i];
    if (reading.accepted()) continue;
    listed++;
    json.BeginObject();
    json.Add("index", reading.index);
    if (!reading.metric_name.empty()) json.Add("metric", reading.metric_name);
    json.Add("code", biometrics::Name(reading.refusal));
    json.Add("detail", reading.detail);
    json.EndObject();
  }
  json.EndArray();
  return listed == 0 ? nullptr : json.Finish();
}

// Applied, but not all of it: says which readings were refused. Its code is the first one's.
Jsonb* PartialProblem(const Reading* readings, int count, int rejected) {
  const Jsonb* refused = Refused(readings, count, kMaxReported);
  if (refused == nullptr) return nullptr;
  int first = 0;
  while (readings[first].accepted()) first++;
  pg::JsonbBuilder json;
  json.BeginObject();
  json.Add("code", biometrics::Name(readings[first].refusal));
  json.Add("detail", psprintf("%d of %d readings refused; the first: %s", rejected, count,
                              readings[first].detail));
  json.Key("readings");
  json.Document(refused);
  json.EndObject();
  return json.Finish();
}

int CountAnomalies(const Reading* readings, int count) {
  int anomalies = 0;
  for (int i = 0; i < count; i++) anomalies += __builtin_popcount(readings[i].anomalies);
  return anomalies;
}

// [{"type", "metric", "count"}], in the order of first appearance. An unknown metric is counted
// under no name of its own: the worker makes labels of these.
Jsonb* Anomalies(const Reading* readings, int count) {
  struct Tally {
    Anomaly anomaly;
    const biometrics::MetricType* metric;
    int count;
  };
  Tally* tallies = nullptr;
  int tally_count = 0, capacity = 0;
  for (int i = 0; i < count; i++) {
    if (readings[i].anomalies == 0) continue;
    for (int a = 0; a < biometrics::kAnomalies; a++) {
      const auto anomaly = static_cast<Anomaly>(a);
      if (!readings[i].Has(anomaly)) continue;
      int t = 0;
      while (t < tally_count &&
             (tallies[t].anomaly != anomaly || tallies[t].metric != readings[i].metric)) {
        t++;
      }
      if (t == tally_count) {
        if (tally_count == capacity) {
          capacity = capacity == 0 ? 8 : capacity * 2;
          const size_t size = sizeof(Tally) * capacity;
          tallies =
              static_cast<Tally*>(tallies == nullptr ? palloc(size) : repalloc(tallies, size));
        }
        tallies[tally_count++] = {anomaly, readings[i].metric, 0};
      }
      tallies[t].count++;
    }
  }
  if (tally_count == 0) return nullptr;
  pg::JsonbBuilder json;
  json.BeginArray();
  for (int t = 0; t < tally_count; t++) {
    json.BeginObject();
    json.Add("type", biometrics::Name(tallies[t].anomaly));
    json.Key("metric");
    tallies[t].metric == nullptr ? json.Null() : json.String(tallies[t].metric->name);
    json.Add("count", tallies[t].count);
    json.EndObject();
  }
  json.EndArray();
  return json.Finish();
}

Answer Apply(const Batch& batch, const Delivery& delivery) {
  Reading* readings = ReadReadings(batch, delivery);
  const int count = delivery.reading_count;
  Jsonb* data = EventData(delivery, Refused(readings, count, count));
  if (VARSIZE(data) > events::kMaxDocument) {
    return Rejected({"too_large", "the delivery is over 16 MiB as stored"});
  }
  const events::Appended event = events::Append(
      {.stream_id = delivery.stream_id,
       .event_type = pg::Text("biometric_received"),
       .event_data = data,
       .metadata = EventMetadata(delivery, core::QualityScore(CountAnomalies(readings, count))),
       .created_by = nullptr,
       .event_id = &delivery.event_id},
      events::kAnyVersion);

  biometrics::MarkSuperseded(readings, count);
  const NewestReadings newest = FindNewest(delivery, *batch.config.config, readings, count);
  MarkKnown(delivery, newest, readings, count);
  biometrics::StoreReadings({.user_id = delivery.user_id,
                             .device_type = pg::Text(delivery.source),
                             .delivery_id = delivery.delivery_id,
                             .position = event.position},
                            readings, count);

  Answer answer = {};
  answer.status = "applied";
  answer.has_event = true;
  answer.event_id = event.event_id;
  answer.position = event.position;
  for (int i = 0; i < count; i++) readings[i].accepted() ? answer.accepted++ : answer.rejected++;
  answer.judgement =
      Judge(delivery, batch.config, batch.catalogue, newest, event.position, readings, count);
  answer.problem = PartialProblem(readings, count, answer.rejected);
  answer.anomalies = Anomalies(readings, count);
  return answer;
}

Answer Take(const Batch& batch, const Delivery& delivery) {
  if (delivery.problem.code != nullptr) return Rejected(delivery.problem);
  events::StoredEvent stored;
  if (events::FindEvent(delivery.stream_id, &delivery.event_id, &stored)) {
    return Duplicate(delivery, stored);
  }
  if (events::IsTombstoned(delivery.stream_id)) {
    return Rejected({"stream_tombstoned", "the person's stream is closed for good"});
  }
  return Apply(batch, delivery);
}

Jsonb* EmptyArray() {
  pg::JsonbBuilder json;
  json.BeginArray();
  json.EndArray();
  return json.Finish();
}

void PutRow(ReturnSetInfo* result, int index, const Answer& answer) {
  enum {
    kIdx,
    kStatus,
    kEventId,
    kAccepted,
    kRejected,
    kFromMode,
    kToMode,
    kProblem,
    kTrigger,
    kConfidence,
    kPosition,
    kAnomaliesColumn,
    kColumns
  };
  Datum values[kColumns] = {};
  bool is_null[kColumns] = {};
  values[kIdx] = Int32GetDatum(index);
  values[kStatus] = CStringGetTextDatum(answer.status);
  values[kAccepted] = Int32GetDatum(answer.accepted);
  values[kRejected] = Int32GetDatum(answer.rejected);
  is_null[kEventId] = is_null[kPosition] = !answer.has_event;
  values[kEventId] = UUIDPGetDatum(&answer.event_id);
  values[kPosition] = Int64GetDatum(answer.position);
  const Judgement& judgement = answer.judgement;
  if (judgement.to_mode.empty()) {
    is_null[kFromMode] = is_null[kToMode] = is_null[kTrigger] = is_null[kConfidence] = true;
  } else {
    values[kFromMode] = PointerGetDatum(pg::Text(judgement.from_mode));
    values[kToMode] = PointerGetDatum(pg::Text(judgement.to_mode));
    values[kTrigger] = PointerGetDatum(pg::Text(judgement.trigger));
    values[kConfidence] = Float8GetDatum(judgement.confidence);
  }
  is_null[kProblem] = answer.problem == nullptr;
  values[kProblem] = PointerGetDatum(answer.problem);
  values[kAnomaliesColumn] =
      PointerGetDatum(answer.anomalies == nullptr ? EmptyArray() : answer.anomalies);
  tuplestore_putvalues(result->setResult, result->setDesc, values, is_null);
}

void IngestBatch(const pg::Elements& documents, ReturnSetInfo* result) {
  Batch batch;
  batch.now = GetCurrentTimestamp();
  auto* deliveries = static_cast<Delivery*>(
      palloc_extended(sizeof(Delivery) * (documents.count + 1), MCXT_ALLOC_HUGE));
  auto** streams = static_cast<text**>(palloc(sizeof(text*) * (documents.count + 1)));
  int stream_count = 0;
  for (int i = 0; i < documents.count; i++) {
    ReadDelivery(documents.is_null[i] ? nullptr : DatumGetJsonbP(documents.values[i]), batch.now,
                 &deliveries[i]);
    if (deliveries[i].problem.code == nullptr) streams[stream_count++] = deliveries[i].stream_id;
  }
  if (stream_count > 0) events::LockStreams(streams, stream_count);

  const pg::SpiSession shared = pg::SpiBegin();
  batch.catalogue = biometrics::LoadCatalogue();
  batch.config = neuros::LoadConfig();
  for (int i = 0; i < documents.count; i++) {
    CHECK_FOR_INTERRUPTS();
    // A session of its own, so that its memory goes with it.
    const pg::SpiSession own = pg::SpiBegin();
    PutRow(result, i + 1, Take(batch, deliveries[i]));
    pg::SpiEnd(own);
  }
  pg::SpiEnd(shared);
}

}  // namespace
}  // namespace auren::bridge

AUREN_SQL_FUNCTION(bridge_ingest_batch) {
  auren::pg::RequireNotNull(fcinfo, 0, "p_deliveries");
  InitMaterializedSRF(fcinfo, 0);
  auren::bridge::IngestBatch(
      auren::pg::ElementsOf(PG_GETARG_ARRAYTYPE_P(0), JSONBOID, "p_deliveries"),
      reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo));
  return Datum{0};
}

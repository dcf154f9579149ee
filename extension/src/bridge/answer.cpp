#include "bridge/answer.h"

#include "postgres/spi.h"
#include "postgres/values.h"

namespace auren::bridge {
namespace {

using biometrics::Anomaly;
using biometrics::Reading;

constexpr int kMaxReported = 100;  // refused readings named in `problem`

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

// [{"type", "severity", "metric", "count"}], in the order of first appearance. An unknown metric is
// counted under no name of its own: the worker makes labels of these.
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
    json.Add("severity", biometrics::Severity(tallies[t].anomaly));
    json.Key("metric");
    tallies[t].metric == nullptr ? json.Null() : json.String(tallies[t].metric->name);
    json.Add("count", tallies[t].count);
    json.EndObject();
  }
  json.EndArray();
  return json.Finish();
}

Jsonb* EmptyArray() {
  pg::JsonbBuilder json;
  json.BeginArray();
  json.EndArray();
  return json.Finish();
}

Jsonb* CopyOut(Jsonb* value) {
  if (value == nullptr) return nullptr;
  return DatumGetJsonbP(pg::CopyOut(PointerGetDatum(value)));
}

std::string_view CopyOut(std::string_view value) {
  if (value.empty()) return {};
  auto* copy = static_cast<char*>(SPI_palloc(value.size()));
  memcpy(copy, value.data(), value.size());
  return {copy, value.size()};
}

}  // namespace

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

Answer Applied(const Arrival& arrival) {
  const Reading* readings = arrival.readings;
  Answer answer = {};
  answer.status = "applied";
  answer.has_event = true;
  answer.event_id = arrival.delivery->event_id;
  answer.position = arrival.position;
  for (int i = 0; i < arrival.count; i++) {
    readings[i].accepted() ? answer.accepted++ : answer.rejected++;
  }
  answer.judgement = arrival.judgement;
  answer.problem = PartialProblem(readings, arrival.count, answer.rejected);
  answer.anomalies = Anomalies(readings, arrival.count);
  return answer;
}

Answer CopyOut(const Answer& answer) {
  Answer copy = answer;
  copy.problem = CopyOut(answer.problem);
  copy.anomalies = CopyOut(answer.anomalies);
  copy.judgement.from_mode = CopyOut(answer.judgement.from_mode);
  copy.judgement.to_mode = CopyOut(answer.judgement.to_mode);
  copy.judgement.trigger = CopyOut(answer.judgement.trigger);
  return copy;
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

}  // namespace auren::bridge

#include "biometrics/store.h"

#include "core/quality.h"
#include "postgres/array.h"
#include "postgres/spi.h"
#include "postgres/values.h"

namespace auren::biometrics {
namespace {

// Marks what a statement's `touched` (metric_type, day) names; $1 is the person, $2 the device.
#define MARK_STALE                                                                     \
  " INSERT INTO biometrics.daily_values AS v (user_id, device_type, metric_type, day)" \
  " SELECT DISTINCT $1, $2, t.metric_type, t.day"                                      \
  "   FROM touched t JOIN biometrics.metric_types m USING (metric_type)"               \
  "  WHERE m.baseline IS NOT NULL"                                                     \
  " ON CONFLICT (user_id, device_type, metric_type, day)"                              \
  " DO UPDATE SET stale = true WHERE NOT v.stale"

// A reading that takes another's place may have moved to another day: the offset written in its
// timestamp may differ. The old day is at most one off the day in UTC.
pg::Statement upsert = {
    "WITH stored AS ("
    " INSERT INTO biometrics.biometric_events AS b"
    "  (user_id, device_type, position, metric_type, recorded_at, ended_at, value, state, unit,"
    "   statistic, context, source, zone_offset, quality, flags, external_id, delivered_in)"
    " SELECT $1, $2, $3, r.metric, r.start, r.stop, r.value, r.state, r.unit,"
    "   r.statistic, r.context, r.source, r.zone_offset, r.quality,"
    "   coalesce(string_to_array(r.flags, chr(31)), '{}'), r.external_id,"
    "   CASE WHEN r.external_id IS NOT NULL THEN $4 END"
    "  FROM unnest($5::text[], $6::timestamptz[], $7::timestamptz[], $8::float8[], $9::text[],"
    "   $10::text[], $11::text[], $12::text[], $13::text[], $14::int2[], $15::float4[],"
    "   $16::text[], $17::text[])"
    "   AS r(metric, start, stop, value, state, unit, statistic, context, source, zone_offset,"
    "        quality, flags, external_id)"
    " ON CONFLICT (user_id, device_type, metric_type, recorded_at, ended_at, source, statistic)"
    " DO UPDATE SET (position, value, state, unit, context, zone_offset, quality, flags,"
    "   external_id, delivered_in) = (excluded.position, excluded.value, excluded.state,"
    "   excluded.unit, excluded.context, excluded.zone_offset, excluded.quality, excluded.flags,"
    "   excluded.external_id, excluded.delivered_in)"
    " RETURNING b.metric_type, b.day, b.xmax <> 0 AS replaced,"
    "   (b.end_at AT TIME ZONE 'UTC')::date AS utc_day"
    "), touched AS ("
    " SELECT s.metric_type, d.day FROM stored s CROSS JOIN LATERAL unnest("
    "   CASE WHEN s.replaced THEN ARRAY[s.utc_day - 1, s.utc_day, s.utc_day + 1]"
    "        ELSE ARRAY[s.day] END) AS d(day))" MARK_STALE,
    17,
    {TEXTOID, TEXTOID, INT8OID, TEXTOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID,
     FLOAT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
     INT2ARRAYOID, FLOAT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID}};

// $3 metrics, $4 documents, $5 whether it goes whatever delivery it came in, $6 this delivery
pg::Statement delete_documents = {
    "WITH touched AS ("
    " DELETE FROM biometrics.biometric_events b"
    "  USING (SELECT r.metric, r.document, bool_or(r.gone) AS gone"
    "           FROM unnest($3::text[], $4::text[], $5::bool[]) AS r(metric, document, gone)"
    "          GROUP BY r.metric, r.document) d"
    "  WHERE b.user_id = $1 AND b.external_id = d.document AND b.device_type = $2"
    "    AND b.metric_type = d.metric AND (d.gone OR b.delivered_in <> $6)"
    " RETURNING b.metric_type, b.day)" MARK_STALE,
    6,
    {TEXTOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID, BOOLARRAYOID, TEXTOID}};

pg::Statement delete_readings = {
    "WITH touched AS ("
    " DELETE FROM biometrics.biometric_events b"
    "  USING unnest($3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[])"
    "    AS r(metric, start, stop, source, statistic)"
    "  WHERE b.user_id = $1 AND b.device_type = $2 AND b.metric_type = r.metric"
    "    AND b.recorded_at = r.start AND b.ended_at IS NOT DISTINCT FROM r.stop"
    "    AND b.source IS NOT DISTINCT FROM r.source"
    "    AND b.statistic IS NOT DISTINCT FROM r.statistic"
    " RETURNING b.metric_type, b.day)" MARK_STALE,
    7,
    {TEXTOID, TEXTOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID,
     TEXTARRAYOID}};

// "whoop/42#1" is a part of "whoop/42".
std::string_view WithoutPart(std::string_view delivery_id) {
  const size_t hash = delivery_id.rfind('#');
  if (hash == std::string_view::npos || hash + 1 == delivery_id.size()) return delivery_id;
  for (const char c : delivery_id.substr(hash + 1)) {
    if (c < '0' || c > '9') return delivery_id;
  }
  return delivery_id.substr(0, hash);
}

bool DeletesDocument(const Reading& reading) {
  return reading.deleted && !reading.external_id.empty();
}

// Order of the key that makes two readings the same one, then of their place in the delivery.
int CompareReadings(const void* left, const void* right) {
  const Reading& a = **static_cast<Reading* const*>(left);
  const Reading& b = **static_cast<Reading* const*>(right);
  if (a.metric != b.metric) return a.metric < b.metric ? -1 : 1;
  if (a.start != b.start) return a.start < b.start ? -1 : 1;
  if (a.has_end != b.has_end) return a.has_end < b.has_end ? -1 : 1;
  if (a.end != b.end) return a.end < b.end ? -1 : 1;
  if (const int order = a.source.compare(b.source); order != 0) return order;
  if (const int order = a.statistic_name.compare(b.statistic_name); order != 0) return order;
  return a.index < b.index ? -1 : a.index > b.index ? 1 : 0;
}

bool SameReading(const Reading& a, const Reading& b) {
  return a.metric == b.metric && a.start == b.start && a.has_end == b.has_end && a.end == b.end &&
         a.source == b.source && a.statistic_name == b.statistic_name;
}

void DeleteReadings(const Provenance& from, const Reading* readings, int count) {
  pg::ArrayBuilder metrics(TEXTOID, count), starts(TIMESTAMPTZOID, count),
      ends(TIMESTAMPTZOID, count), sources(TEXTOID, count), statistics(TEXTOID, count);
  bool any = false;
  for (int i = 0; i < count; i++) {
    const Reading& reading = readings[i];
    if (!reading.accepted() || !reading.deleted || reading.superseded || DeletesDocument(reading)) {
      continue;
    }
    any = true;
    metrics.Text(reading.metric->name);
    starts.Add(TimestampTzGetDatum(reading.start));
    reading.has_end ? ends.Add(TimestampTzGetDatum(reading.end)) : ends.Null();
    sources.TextOrNull(reading.source);
    statistics.TextOrNull(reading.statistic_name);
  }
  if (!any) return;
  const Datum values[] = {PointerGetDatum(from.user_id),
                          PointerGetDatum(from.device_type),
                          metrics.Finish(),
                          starts.Finish(),
                          ends.Finish(),
                          sources.Finish(),
                          statistics.Finish()};
  pg::Execute(&delete_readings, values);
}

void DeleteDocuments(const Provenance& from, text* delivery, const Reading* readings, int count) {
  pg::ArrayBuilder metrics(TEXTOID, count), documents(TEXTOID, count), gone(BOOLOID, count);
  bool any = false;
  const Reading* last = nullptr;
  for (int i = 0; i < count; i++) {
    const Reading& reading = readings[i];
    if (!reading.accepted() || reading.external_id.empty()) continue;
    // Readings of a document come in runs of one metric: one row per run.
    if (last != nullptr && last->metric == reading.metric && last->deleted == reading.deleted &&
        last->external_id == reading.external_id) {
      continue;
    }
    last = &reading;
    any = true;
    metrics.Text(reading.metric->name);
    documents.Text(reading.external_id);
    gone.Add(BoolGetDatum(reading.deleted));
  }
  if (!any) return;
  const Datum values[] = {PointerGetDatum(from.user_id),
                          PointerGetDatum(from.device_type),
                          metrics.Finish(),
                          documents.Finish(),
                          gone.Finish(),
                          PointerGetDatum(delivery)};
  pg::Execute(&delete_documents, values);
}

// The flags as one text, to be split at the unit separator, which no flag contains.
void AddFlags(const Reading& reading, pg::ArrayBuilder* flags) {
  if (reading.flag_count == 0) return flags->Null();
  size_t size = 0;
  for (int i = 0; i < reading.flag_count; i++) size += reading.flags[i].size() + 1;
  char* joined = static_cast<char*>(palloc(size));
  char* end = joined;
  for (int i = 0; i < reading.flag_count; i++) {
    if (i > 0) *end++ = '\x1f';
    memcpy(end, reading.flags[i].data(), reading.flags[i].size());
    end += reading.flags[i].size();
  }
  flags->Text({joined, static_cast<size_t>(end - joined)});
}

int AnomalyCount(const Reading& reading) {
  int anomalies = 0;
  for (int i = 0; i < kAnomalies; i++) anomalies += reading.Has(static_cast<Anomaly>(i));
  return anomalies;
}

void Upsert(const Provenance& from, text* delivery, const Reading* readings, int count) {
  pg::ArrayBuilder metrics(TEXTOID, count), starts(TIMESTAMPTZOID, count),
      ends(TIMESTAMPTZOID, count), numbers(FLOAT8OID, count), states(TEXTOID, count),
      units(TEXTOID, count), statistics(TEXTOID, count), contexts(TEXTOID, count),
      sources(TEXTOID, count), zones(INT2OID, count), qualities(FLOAT4OID, count),
      flags(TEXTOID, count), documents(TEXTOID, count);
  bool any = false;
  for (int i = 0; i < count; i++) {
    const Reading& reading = readings[i];
    if (!reading.accepted() || reading.deleted || reading.superseded) continue;
    any = true;
    metrics.Text(reading.metric->name);
    starts.Add(TimestampTzGetDatum(reading.start));
    reading.has_end ? ends.Add(TimestampTzGetDatum(reading.end)) : ends.Null();
    reading.metric->is_state ? numbers.Null() : numbers.Add(Float8GetDatum(reading.value));
    states.TextOrNull(reading.state);
    units.Text(reading.metric->unit);
    statistics.TextOrNull(reading.statistic_name);
    contexts.TextOrNull(reading.context_name);
    sources.TextOrNull(reading.source);
    reading.has_zone ? zones.Add(Int16GetDatum(reading.zone_offset)) : zones.Null();
    qualities.Add(Float4GetDatum(static_cast<float4>(core::QualityScore(AnomalyCount(reading)))));
    AddFlags(reading, &flags);
    documents.TextOrNull(reading.external_id);
  }
  if (!any) return;
  const Datum values[] = {PointerGetDatum(from.user_id),
                          PointerGetDatum(from.device_type),
                          Int64GetDatum(from.position),
                          PointerGetDatum(delivery),
                          metrics.Finish(),
                          starts.Finish(),
                          ends.Finish(),
                          numbers.Finish(),
                          states.Finish(),
                          units.Finish(),
                          statistics.Finish(),
                          contexts.Finish(),
                          sources.Finish(),
                          zones.Finish(),
                          qualities.Finish(),
                          flags.Finish(),
                          documents.Finish()};
  pg::Execute(&upsert, values);
}

}  // namespace

void MarkSuperseded(Reading* readings, int count) {
  auto** sorted = static_cast<Reading**>(palloc(sizeof(void*) * (count + 1)));
  int sorted_count = 0;
  for (int i = 0; i < count; i++) {
    if (readings[i].accepted() && !DeletesDocument(readings[i]))
      sorted[sorted_count++] = &readings[i];
  }
  qsort(sorted, sorted_count, sizeof(void*), CompareReadings);
  for (int i = 1; i < sorted_count; i++) {
    if (SameReading(*sorted[i - 1], *sorted[i])) sorted[i - 1]->superseded = true;
  }

  // Documents are deleted one or two at a time.
  for (int d = 1; d < count; d++) {
    if (!readings[d].accepted() || !DeletesDocument(readings[d])) continue;
    CHECK_FOR_INTERRUPTS();
    for (int i = 0; i < d; i++) {
      if (readings[i].metric == readings[d].metric &&
          readings[i].external_id == readings[d].external_id) {
        readings[i].superseded = true;
      }
    }
  }
}

void StoreReadings(const Provenance& from, const Reading* readings, int count) {
  text* delivery = pg::Text(WithoutPart(from.delivery_id));
  DeleteReadings(from, readings, count);
  DeleteDocuments(from, delivery, readings, count);
  Upsert(from, delivery, readings, count);
}

}  // namespace auren::biometrics

#include "biometrics/store.h"

#include "analytics/touched.h"
#include "biometrics/new_readings.h"
#include "core/quality.h"
#include "postgres/rows.h"
#include "postgres/spi.h"
#include "postgres/values.h"

namespace auren::biometrics {
namespace {

// Marks what a statement's `touched` (user_id, device_type, metric_type, day) names, and returns
// it. A day that is marked already is left alone: ON CONFLICT alone would lock its row, which is a
// write, too.
#define MARK_STALE                                                                     \
  ", stale AS ("                                                                       \
  " INSERT INTO biometrics.daily_values AS v (user_id, device_type, metric_type, day)" \
  " SELECT t.user_id, t.device_type, t.metric_type, t.day"                             \
  "   FROM (SELECT DISTINCT user_id, device_type, metric_type, day FROM touched) t"    \
  "  WHERE (SELECT m.baseline IS NOT NULL FROM biometrics.metric_types m"              \
  "          WHERE m.metric_type = t.metric_type)"                                     \
  "    AND (SELECT d.stale FROM biometrics.daily_values d"                             \
  "          WHERE d.user_id = t.user_id AND d.device_type = t.device_type"            \
  "            AND d.metric_type = t.metric_type AND d.day = t.day) IS NOT TRUE"       \
  " ON CONFLICT (user_id, device_type, metric_type, day)"                              \
  " DO UPDATE SET stale = true WHERE NOT v.stale)"                                     \
  " SELECT user_id, metric_type, day FROM touched"

constexpr pg::RowColumn kBroughtReading[] = {
    {"user_id", TEXTOID},     {"device", TEXTOID},      {"position", INT8OID},
    {"delivery", TEXTOID},    {"metric", TEXTOID},      {"start", TIMESTAMPTZOID},
    {"stop", TIMESTAMPTZOID}, {"value", FLOAT8OID},     {"state", TEXTOID},
    {"unit", TEXTOID},        {"statistic", TEXTOID},   {"context", TEXTOID},
    {"source", TEXTOID},      {"zone_offset", INT2OID}, {"quality", FLOAT4OID},
    {"flags", TEXTOID},       {"external_id", TEXTOID}};

// A reading that takes another's place may have moved to another day: the offset written in its
// timestamp may differ. The old day is at most one off the day in UTC.
pg::Statement upsert = {
    "WITH stored AS ("
    " INSERT INTO biometrics.biometric_events AS b"
    "  (user_id, device_type, position, metric_type, recorded_at, ended_at, value, state, unit,"
    "   statistic, context, source, zone_offset, quality, flags, external_id, delivered_in)"
    " SELECT r.user_id, r.device, r.position, r.metric, r.start, r.stop, r.value, r.state, r.unit,"
    "   r.statistic, r.context, r.source, r.zone_offset, r.quality,"
    "   coalesce(string_to_array(r.flags, chr(31)), '{}'), r.external_id,"
    "   CASE WHEN r.external_id IS NOT NULL THEN r.delivery END"
    "  FROM brought_readings r"
    " ON CONFLICT (user_id, device_type, metric_type, recorded_at, ended_at, source, statistic)"
    " DO UPDATE SET (position, value, state, unit, context, zone_offset, quality, flags,"
    "   external_id, delivered_in) = (excluded.position, excluded.value, excluded.state,"
    "   excluded.unit, excluded.context, excluded.zone_offset, excluded.quality, excluded.flags,"
    "   excluded.external_id, excluded.delivered_in)"
    " RETURNING b.user_id, b.device_type, b.metric_type, b.day, b.xmax <> 0 AS replaced,"
    "   (b.end_at AT TIME ZONE 'UTC')::date AS utc_day"
    "), touched AS ("
    " SELECT s.user_id, s.device_type, s.metric_type, s.day FROM stored s WHERE NOT s.replaced"
    " UNION ALL"
    " SELECT s.user_id, s.device_type, s.metric_type, s.utc_day + d.day FROM stored s"
    "  CROSS JOIN (VALUES (-1), (0), (1)) AS d(day) WHERE s.replaced)" MARK_STALE,
    0,
    {}};

constexpr pg::RowColumn kDocument[] = {{"user_id", TEXTOID}, {"device", TEXTOID},
                                       {"metric", TEXTOID},  {"external_id", TEXTOID},
                                       {"gone", BOOLOID},    {"delivery", TEXTOID}};

// `gone`: whatever delivery it came in. The rows are found one by one, whatever the planner thinks
// of the table's size, and deleted by their place.
pg::Statement delete_documents = {
    "WITH touched AS ("
    " DELETE FROM biometrics.biometric_events b"
    "  WHERE b.ctid = ANY (ARRAY("
    "    SELECT f.ctid"
    "      FROM (SELECT r.user_id, r.device, r.metric, r.external_id, r.delivery,"
    "              bool_or(r.gone) AS gone"
    "              FROM documents r GROUP BY 1, 2, 3, 4, 5) d"
    "     CROSS JOIN LATERAL ("
    "       SELECT e.ctid FROM biometrics.biometric_events e"
    "        WHERE e.user_id = d.user_id AND e.external_id = d.external_id"
    "          AND e.device_type = d.device AND e.metric_type = d.metric"
    "          AND (d.gone OR e.delivered_in <> d.delivery) OFFSET 0) f))"
    " RETURNING b.user_id, b.device_type, b.metric_type, b.day)" MARK_STALE,
    0,
    {}};

constexpr pg::RowColumn kGoneReading[] = {
    {"user_id", TEXTOID},     {"device", TEXTOID}, {"metric", TEXTOID},   {"start", TIMESTAMPTZOID},
    {"stop", TIMESTAMPTZOID}, {"source", TEXTOID}, {"statistic", TEXTOID}};

pg::Statement delete_readings = {
    "WITH touched AS ("
    " DELETE FROM biometrics.biometric_events b"
    "  WHERE b.ctid = ANY (ARRAY("
    "    SELECT (SELECT e.ctid FROM biometrics.biometric_events e"
    "             WHERE e.user_id = r.user_id AND e.device_type = r.device"
    "               AND e.metric_type = r.metric AND e.recorded_at = r.start"
    "               AND e.ended_at IS NOT DISTINCT FROM r.stop"
    "               AND e.source IS NOT DISTINCT FROM r.source"
    "               AND e.statistic IS NOT DISTINCT FROM r.statistic LIMIT 1)"
    "      FROM gone_readings r))"
    " RETURNING b.user_id, b.device_type, b.metric_type, b.day)" MARK_STALE,
    0,
    {}};

// Runs a statement that ends with MARK_STALE; what it touched is added to `touched`.
void Store(pg::Statement* statement, analytics::TouchedGroups* touched) {
  const uint64 found = pg::Execute(statement);
  for (uint64 row = 0; row < found; row++) {
    touched->Add(pg::View(DatumGetTextPP(pg::Column(row, 1))),
                 pg::View(DatumGetTextPP(pg::Column(row, 2))), DatumGetDateADT(pg::Column(row, 3)));
  }
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

void DeleteReadings(const Brought* deliveries, int count, analytics::TouchedGroups* touched) {
  pg::Rows rows("gone_readings", kGoneReading);
  for (const Brought* from = deliveries; from < deliveries + count; from++) {
    if (from->is_first) continue;
    for (int i = 0; i < from->count; i++) {
      const Reading& reading = from->readings[i];
      if (!reading.accepted() || !reading.deleted || reading.superseded ||
          DeletesDocument(reading)) {
        continue;
      }
      rows.Text(from->user_id);
      rows.Text(from->device_type);
      rows.Text(reading.metric->name);
      rows.Add(TimestampTzGetDatum(reading.start));
      reading.has_end ? rows.Add(TimestampTzGetDatum(reading.end)) : rows.Null();
      rows.TextOrNull(reading.source);
      rows.TextOrNull(reading.statistic_name);
      rows.EndRow();
    }
  }
  if (rows.count() == 0) return;
  rows.Offer();
  Store(&delete_readings, touched);
}

void AddDocuments(const Brought& from, pg::Rows* rows) {
  const Reading* last = nullptr;
  for (int i = 0; i < from.count; i++) {
    const Reading& reading = from.readings[i];
    if (!reading.accepted() || reading.external_id.empty()) continue;
    // Readings of a document come in runs of one metric: one row per run.
    if (last != nullptr && last->metric == reading.metric && last->deleted == reading.deleted &&
        last->external_id == reading.external_id) {
      continue;
    }
    last = &reading;
    rows->Text(from.user_id);
    rows->Text(from.device_type);
    rows->Text(reading.metric->name);
    rows->Text(reading.external_id);
    rows->Add(BoolGetDatum(reading.deleted));
    rows->Text(WithoutPart(from.delivery_id));
    rows->EndRow();
  }
}

void DeleteDocuments(const Brought* deliveries, int count, analytics::TouchedGroups* touched) {
  pg::Rows rows("documents", kDocument);
  for (int i = 0; i < count; i++) {
    if (!deliveries[i].is_first) AddDocuments(deliveries[i], &rows);
  }
  if (rows.count() == 0) return;
  rows.Offer();
  Store(&delete_documents, touched);
}

// The flags as one text, to be split at the unit separator, which no flag contains.
void AddFlags(const Reading& reading, pg::Rows* rows) {
  if (reading.flag_count == 0) return rows->Null();
  size_t size = 0;
  for (int i = 0; i < reading.flag_count; i++) size += reading.flags[i].size() + 1;
  char* joined = static_cast<char*>(palloc(size));
  char* end = joined;
  for (int i = 0; i < reading.flag_count; i++) {
    if (i > 0) *end++ = '\x1f';
    memcpy(end, reading.flags[i].data(), reading.flags[i].size());
    end += reading.flags[i].size();
  }
  rows->Text({joined, static_cast<size_t>(end - joined)});
  pfree(joined);
}

void AddReading(const Brought& from, const Reading& reading, pg::Rows* rows) {
  rows->Text(from.user_id);
  rows->Text(from.device_type);
  rows->Add(Int64GetDatum(from.position));
  rows->Text(WithoutPart(from.delivery_id));
  rows->Text(reading.metric->name);
  rows->Add(TimestampTzGetDatum(reading.start));
  reading.has_end ? rows->Add(TimestampTzGetDatum(reading.end)) : rows->Null();
  reading.metric->is_state ? rows->Null() : rows->Add(Float8GetDatum(reading.value));
  rows->TextOrNull(reading.state);
  rows->Text(reading.metric->unit);
  rows->TextOrNull(reading.statistic_name);
  rows->TextOrNull(reading.context_name);
  rows->TextOrNull(reading.source);
  reading.has_zone ? rows->Add(Int16GetDatum(reading.zone_offset)) : rows->Null();
  rows->Add(Float4GetDatum(QualityOf(reading)));
  AddFlags(reading, rows);
  rows->TextOrNull(reading.external_id);
  rows->EndRow();
}

void AddKnown(const Brought& from, const Reading& reading, void* rows) {
  AddReading(from, reading, static_cast<pg::Rows*>(rows));
}

void AddAll(const Brought& from, pg::Rows* rows) {
  for (int i = 0; i < from.count; i++) {
    if (from.readings[i].to_be_stored()) AddReading(from, from.readings[i], rows);
  }
}

void Upsert(const Brought* deliveries, int count, analytics::TouchedGroups* touched) {
  pg::Rows rows("brought_readings", kBroughtReading);
  if (!InsertNew(deliveries, count, AddKnown, &rows, touched)) {
    for (int i = 0; i < count; i++) {
      CHECK_FOR_INTERRUPTS();
      AddAll(deliveries[i], &rows);
    }
  }
  if (rows.count() == 0) return;
  rows.Offer();
  Store(&upsert, touched);
}

}  // namespace

std::string_view WithoutPart(std::string_view delivery_id) {
  const size_t hash = delivery_id.rfind('#');
  if (hash == std::string_view::npos || hash + 1 == delivery_id.size()) return delivery_id;
  for (const char c : delivery_id.substr(hash + 1)) {
    if (c < '0' || c > '9') return delivery_id;
  }
  return delivery_id.substr(0, hash);
}

float4 QualityOf(const Reading& reading) {
  int anomalies = 0;
  for (int i = 0; i < kAnomalies; i++) anomalies += reading.Has(static_cast<Anomaly>(i));
  return static_cast<float4>(core::QualityScore(anomalies));
}

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

void StoreReadings(const Brought* deliveries, int count) {
  analytics::TouchedGroups touched;
  DeleteReadings(deliveries, count, &touched);
  DeleteDocuments(deliveries, count, &touched);
  Upsert(deliveries, count, &touched);
  touched.Mark();
}

}  // namespace auren::biometrics

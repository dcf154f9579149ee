#include "bridge/evaluation.h"
#include "core/evaluation.h"
#include "postgres/rows.h"
#include "postgres/spi.h"
#include "postgres/values.h"

extern "C" {
#include "utils/date.h"
}

namespace auren::bridge {
namespace {

constexpr pg::RowColumn kPerson[] = {
    {"n", INT4OID}, {"user_id", TEXTOID}, {"oldest", TIMESTAMPTZOID}, {"position", INT8OID}};

// The newest reading of each device and metric that still stands, for those whose delivery brings
// the newest one itself again: then the one before it stands, which no state knows. Only of
// the metrics that the engine counts together.
pg::Statement select_standing = {
    "SELECT p.n, s.* FROM standing_persons p CROSS JOIN LATERAL ("
    " SELECT DISTINCT ON (b.device_type, b.metric_type) b.device_type, b.metric_type, b.value,"
    "   b.end_at, b.statistic, b.context, b.day"
    "  FROM biometrics.biometric_events b"
    " WHERE b.user_id = p.user_id AND b.end_at >= p.oldest AND b.position <> p.position"
    "   AND b.value IS NOT NULL"
    "   AND b.metric_type = ANY ($1)"
    "   AND NOT b.flags && '{pending,calibrating}'"
    " ORDER BY b.device_type, b.metric_type, b.end_at DESC, b.recorded_at DESC,"
    "   b.source, b.statistic) s",
    1,
    {TEXTARRAYOID}};

// The metrics of the catalogue that the engine counts together.
ArrayType* MetricsThatStand(const core::Config& config, const biometrics::Catalogue& catalogue) {
  auto* names = static_cast<Datum*>(palloc(sizeof(Datum) * Max(catalogue.metric_count, 1)));
  int count = 0;
  for (int i = 0; i < catalogue.metric_count; i++) {
    const std::string_view name = catalogue.metrics[i].name;
    if (core::CountsWhileStanding(config, name)) names[count++] = PointerGetDatum(pg::Text(name));
  }
  return construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT);
}

void AddReading(const biometrics::Catalogue& catalogue, const NewestOf& newest,
                Evaluation* evaluation) {
  const biometrics::MetricType* metric = biometrics::FindMetric(catalogue, newest.metric);
  if (metric == nullptr) return;
  core::Observation* observation = evaluation->Add(
      {.device = newest.device, .metric = metric, .day = newest.day, .reading = nullptr});
  observation->metric = metric->name;
  observation->value = newest.value;
  observation->at_us = newest.end;
  (void)core::ParseStatistic(newest.statistic, &observation->statistic);
  (void)core::ParseContext(newest.context, &observation->context);
  observation->standing = true;
}

void AddFromState(const core::Config& config, const biometrics::Catalogue& catalogue,
                  Evaluation* evaluation) {
  for (const NewestOf& newest : evaluation->arrival->state.before) {
    if (newest.end >= evaluation->oldest && core::CountsWhileStanding(config, newest.metric)) {
      AddReading(catalogue, newest, evaluation);
    }
  }
}

}  // namespace

core::Observation* Evaluation::Add(const Origin& origin) {
  if (count == capacity) {
    capacity = capacity == 0 ? 16 : capacity * 2;
    const size_t size = sizeof(core::Observation) * capacity;
    const size_t origin_size = sizeof(Origin) * capacity;
    observations = static_cast<core::Observation*>(
        observations == nullptr ? palloc(size) : repalloc_huge(observations, size));
    origins = static_cast<Origin*>(origins == nullptr ? palloc(origin_size)
                                                      : repalloc_huge(origins, origin_size));
  }
  observations[count] = core::Observation{};
  origins[count] = origin;
  return &observations[count++];
}

void AddStanding(const core::Config& config, const biometrics::Catalogue& catalogue,
                 Evaluation* evaluations, int count) {
  pg::Rows rows("standing_persons", kPerson);
  for (int i = 0; i < count; i++) {
    if (!core::BringsAPart(config, evaluations[i].observations, evaluations[i].count)) continue;
    if (!evaluations[i].arrival->state.brings_again) {
      AddFromState(config, catalogue, &evaluations[i]);
      continue;
    }
    rows.Add(Int32GetDatum(i));
    rows.Text(evaluations[i].arrival->delivery->user_id);
    rows.Add(TimestampTzGetDatum(evaluations[i].oldest));
    rows.Add(Int64GetDatum(evaluations[i].arrival->position));
    rows.EndRow();
  }
  if (rows.count() == 0) return;
  rows.Offer();
  const Datum values[] = {PointerGetDatum(MetricsThatStand(config, catalogue))};
  const uint64 found = pg::Execute(&select_standing, values);
  for (uint64 row = 0; row < found; row++) {
    NewestOf newest = {};
    newest.device = pg::TextColumn(row, 2);
    newest.metric = pg::TextColumn(row, 3);
    newest.value = DatumGetFloat8(pg::Column(row, 4));
    newest.end = DatumGetTimestampTz(pg::Column(row, 5));
    newest.statistic = pg::TextColumn(row, 6);
    newest.context = pg::TextColumn(row, 7);
    newest.day = DatumGetDateADT(pg::Column(row, 8));
    AddReading(catalogue, newest, &evaluations[DatumGetInt32(pg::Column(row, 1))]);
  }
}

}  // namespace auren::bridge

#include "bridge/judge.h"

#include <cmath>

#include "biometrics/baselines.h"
#include "biometrics/timestamp.h"
#include "core/engine.h"
#include "neuros/mode.h"
#include "postgres/array.h"
#include "postgres/errors.h"
#include "postgres/spi.h"
#include "postgres/values.h"

extern "C" {
#include "utils/date.h"
}

namespace auren::bridge {
namespace {

using biometrics::Reading;

pg::Statement select_newest = {
    "SELECT (SELECT b.end_at FROM biometrics.biometric_events b"
    "         WHERE b.user_id = $1 AND b.device_type = $2 AND b.metric_type = m.metric"
    "           AND NOT b.flags && '{pending,calibrating}'"
    "         ORDER BY b.end_at DESC LIMIT 1)"
    "  FROM unnest($3::text[]) WITH ORDINALITY AS m(metric, n) ORDER BY m.n",
    3,
    {TEXTOID, TEXTOID, TEXTARRAYOID}};

// Which readings are stored already, to the letter: exporters send the same hours again and again.
pg::Statement select_known = {
    "SELECT r.i FROM unnest($3::int4[], $4::text[], $5::timestamptz[], $6::timestamptz[],"
    "   $7::text[], $8::text[], $9::text[], $10::float8[])"
    "   AS r(i, metric, start, stop, source, statistic, context, value)"
    "  JOIN biometrics.biometric_events b ON b.user_id = $1 AND b.device_type = $2"
    "   AND b.metric_type = r.metric AND b.recorded_at = r.start"
    "   AND b.ended_at IS NOT DISTINCT FROM r.stop AND b.source IS NOT DISTINCT FROM r.source"
    "   AND b.statistic IS NOT DISTINCT FROM r.statistic"
    "   AND b.context IS NOT DISTINCT FROM r.context AND b.value = r.value"
    "   AND NOT b.flags && '{pending,calibrating}'",
    10,
    {TEXTOID, TEXTOID, INT4ARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID,
     TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, FLOAT8ARRAYOID}};

// The newest reading of each device and metric that still stands. Only the metrics behind low
// indicators (core/low_indicators.h): the engine counts nothing else together.
pg::Statement select_standing = {
    "SELECT DISTINCT ON (b.device_type, b.metric_type) b.device_type, b.metric_type, b.value,"
    "   b.end_at, b.statistic, b.context, b.day"
    "  FROM biometrics.biometric_events b"
    " WHERE b.user_id = $1 AND b.end_at >= $2 AND b.position <> $3 AND b.value IS NOT NULL"
    "   AND b.metric_type = ANY ('{recovery_score,readiness_score,resting_heart_rate,"
    "skin_temperature_deviation,body_temperature,sleeping_wrist_temperature,skin_temperature,"
    "respiratory_rate,oxygen_saturation,sleep_duration}'::text[])"
    "   AND NOT b.flags && '{pending,calibrating}'"
    " ORDER BY b.device_type, b.metric_type, b.end_at DESC, b.recorded_at DESC,"
    "   b.source, b.statistic",
    3,
    {TEXTOID, TIMESTAMPTZOID, INT8OID}};

TimestampTz OldestThatDecides(const Delivery& delivery, const core::Config& config) {
  return delivery.received_at -
         static_cast<int64>(config.thresholds.max_reading_age_seconds * USECS_PER_SEC);
}

bool MayDecide(const Reading& reading, TimestampTz oldest) {
  return reading.accepted() && !reading.deleted && !reading.superseded &&
         !reading.metric->is_state && !reading.unsettled && reading.end >= oldest;
}

TimestampTz NewestBefore(const NewestReadings& newest, const biometrics::MetricType* metric) {
  for (int i = 0; i < newest.count; i++) {
    if (newest.items[i].metric == metric) return newest.items[i].end;
  }
  return DT_NOBEGIN;
}

// What is newer than all that is stored cannot be stored already.
bool MayBeKnown(const Reading& reading, const NewestReadings& newest) {
  return reading.accepted() && !reading.deleted && !reading.superseded &&
         !reading.metric->is_state && reading.end <= NewestBefore(newest, reading.metric);
}

// The observations of one evaluation.
struct Observations {
  core::Observation* items;
  int count;
  int capacity;

  core::Observation* Add() {
    if (count == capacity) {
      capacity *= 2;
      items = static_cast<core::Observation*>(
          repalloc_huge(items, sizeof(core::Observation) * capacity));
    }
    items[count] = core::Observation{};
    return &items[count++];
  }
};

void HoldAgainst(const biometrics::Series* series, core::Observation* observation) {
  if (series == nullptr) return;
  observation->baseline = series->baseline;
  observation->judged_by_z = biometrics::ComparableByZ(*series, observation->statistic);
}

// A reading of this delivery.
void Observe(const Reading& reading, const NewestReadings& newest, std::string_view device,
             biometrics::Baselines* baselines, core::Observation* observation) {
  observation->metric = reading.metric->name;
  observation->value = reading.value;
  observation->at_us = reading.end;
  observation->context = reading.context;
  observation->statistic = reading.statistic;
  observation->outside_soft_range = reading.Has(biometrics::Anomaly::kSoftRange);
  observation->late = reading.end < NewestBefore(newest, reading.metric);
  observation->standing = reading.known;
  if (observation->late) return;
  HoldAgainst(baselines->Find(device, *reading.metric,
                              biometrics::LocalDay(reading.end, reading.zone_offset)),
              observation);
}

std::string_view TextOrEmpty(uint64 row, int column) {
  bool is_null;
  const Datum value = pg::Column(row, column, &is_null);
  return is_null ? std::string_view{} : pg::View(DatumGetTextPP(value));
}

// What stands from before, so that low indicators can be counted together.
void ObserveStanding(const Delivery& delivery, const biometrics::Catalogue& catalogue,
                     TimestampTz oldest, int64 position, biometrics::Baselines* baselines,
                     Observations* observations) {
  const Datum values[] = {PointerGetDatum(delivery.user_id), TimestampTzGetDatum(oldest),
                          Int64GetDatum(position)};
  const uint64 rows = pg::Execute(&select_standing, values);
  // Looking up a baseline runs a statement of its own: the rows are read before that.
  struct Row {
    std::string_view device;
    int32 day;
  };
  Row* keys = static_cast<Row*>(palloc(sizeof(Row) * (rows + 1)));
  const int first = observations->count;
  for (uint64 i = 0; i < rows; i++) {
    const biometrics::MetricType* metric = biometrics::FindMetric(catalogue, TextOrEmpty(i, 2));
    if (metric == nullptr) continue;
    core::Observation* observation = observations->Add();
    keys[observations->count - 1 - first] = {TextOrEmpty(i, 1), DatumGetDateADT(pg::Column(i, 7))};
    observation->metric = metric->name;
    observation->value = DatumGetFloat8(pg::Column(i, 3));
    observation->at_us = DatumGetTimestampTz(pg::Column(i, 4));
    (void)core::ParseStatistic(TextOrEmpty(i, 5), &observation->statistic);
    (void)core::ParseContext(TextOrEmpty(i, 6), &observation->context);
    observation->standing = true;
  }
  for (int i = first; i < observations->count; i++) {
    core::Observation* observation = &observations->items[i];
    HoldAgainst(baselines->Find(keys[i - first].device,
                                *biometrics::FindMetric(catalogue, observation->metric),
                                keys[i - first].day),
                observation);
  }
}

// The local days of the readings that may decide.
void DayRange(const Reading* readings, int count, TimestampTz oldest, int32* first, int32* last) {
  *first = PG_INT32_MAX;
  *last = PG_INT32_MIN;
  for (int i = 0; i < count; i++) {
    if (!MayDecide(readings[i], oldest)) continue;
    const int32 day = biometrics::LocalDay(readings[i].end, readings[i].zone_offset);
    *first = Min(*first, day);
    *last = Max(*last, day);
  }
}

// Only the newest of very many readings are judged: the end before which they are left out.
TimestampTz CutOff(const Reading* readings, int count, TimestampTz oldest, int most) {
  TimestampTz* ends = static_cast<TimestampTz*>(palloc(sizeof(TimestampTz) * (count + 1)));
  int candidates = 0;
  for (int i = 0; i < count; i++) {
    if (MayDecide(readings[i], oldest)) ends[candidates++] = readings[i].end;
  }
  if (candidates <= most) return oldest;
  qsort(ends, candidates, sizeof(TimestampTz), [](const void* a, const void* b) {
    const TimestampTz x = *static_cast<const TimestampTz*>(a);
    const TimestampTz y = *static_cast<const TimestampTz*>(b);
    return x < y ? -1 : x > y ? 1 : 0;
  });
  return ends[candidates - most];
}

Jsonb* Context(const Delivery& delivery, const core::Decision& decision) {
  pg::JsonbBuilder json;
  json.BeginObject();
  json.Add("source", delivery.source);
  json.Add("delivery_id", delivery.delivery_id);
  json.Key("received_at");
  json.Timestamp(delivery.received_at);
  json.Add("borderline", decision.borderline);
  json.EndObject();
  return json.Finish();
}

Judgement CarryOut(const Delivery& delivery, const neuros::ActiveConfig& config,
                   const neuros::ModeState& state, const core::Decision& decision) {
  Judgement judgement = {};
  switch (decision.outcome) {
    case core::Outcome::kNone:
      break;
    case core::Outcome::kStay:
      neuros::StoreCalm(delivery.user_id, state, decision.calm);
      break;
    case core::Outcome::kSwitch:
      neuros::EnterMode(state, {.user_id = delivery.user_id,
                                .stream_id = delivery.stream_id,
                                .to_mode = decision.to_mode,
                                .trigger = core::Name(decision.trigger),
                                .confidence = decision.confidence,
                                .reason = decision.reason,
                                .config_version = config.version,
                                .context = Context(delivery, decision),
                                .factors = decision.factors,
                                .factor_count = decision.factor_count,
                                .since = delivery.received_at,
                                .by_hand = false});
      judgement = {.from_mode = state.mode,
                   .to_mode = config.config->FindMode(decision.to_mode)->name,
                   .trigger = core::Name(decision.trigger),
                   .confidence = decision.confidence};
      break;
  }
  return judgement;
}

}  // namespace

void MarkKnown(const Delivery& delivery, const NewestReadings& newest, Reading* readings,
               int count) {
  // As a rule nothing comes again: then nothing is asked.
  int first = 0;
  while (first < count && !MayBeKnown(readings[first], newest)) first++;
  if (first == count) return;

  pg::ArrayBuilder places(INT4OID, count), metrics(TEXTOID, count), starts(TIMESTAMPTZOID, count),
      ends(TIMESTAMPTZOID, count), sources(TEXTOID, count), statistics(TEXTOID, count),
      contexts(TEXTOID, count), values(FLOAT8OID, count);
  for (int i = first; i < count; i++) {
    const Reading& reading = readings[i];
    if (!MayBeKnown(reading, newest)) continue;
    places.Add(Int32GetDatum(i));
    metrics.Text(reading.metric->name);
    starts.Add(TimestampTzGetDatum(reading.start));
    reading.has_end ? ends.Add(TimestampTzGetDatum(reading.end)) : ends.Null();
    sources.TextOrNull(reading.source);
    statistics.TextOrNull(reading.statistic_name);
    contexts.TextOrNull(reading.context_name);
    values.Add(Float8GetDatum(reading.value));
  }
  const Datum arguments[] = {PointerGetDatum(delivery.user_id),
                             PointerGetDatum(pg::Text(delivery.source)),
                             places.Finish(),
                             metrics.Finish(),
                             starts.Finish(),
                             ends.Finish(),
                             sources.Finish(),
                             statistics.Finish(),
                             contexts.Finish(),
                             values.Finish()};
  const uint64 rows = pg::Execute(&select_known, arguments);
  for (uint64 i = 0; i < rows; i++) readings[DatumGetInt32(pg::Column(i, 1))].known = true;
}

NewestReadings FindNewest(const Delivery& delivery, const core::Config& config,
                          const Reading* readings, int count) {
  const TimestampTz oldest = OldestThatDecides(delivery, config);
  NewestReadings newest = {static_cast<NewestReading*>(palloc(sizeof(NewestReading) * (count + 1))),
                           0};
  const biometrics::MetricType* last = nullptr;
  for (int i = 0; i < count; i++) {
    if (!MayDecide(readings[i], oldest) || readings[i].metric == last) continue;
    last = readings[i].metric;
    bool found = false;
    for (int j = 0; j < newest.count; j++) found = found || newest.items[j].metric == last;
    if (!found) newest.items[newest.count++] = {last, DT_NOBEGIN};
  }
  if (newest.count == 0) return newest;

  pg::ArrayBuilder metrics(TEXTOID, newest.count);
  for (int i = 0; i < newest.count; i++) metrics.Text(newest.items[i].metric->name);
  const Datum values[] = {PointerGetDatum(delivery.user_id),
                          PointerGetDatum(pg::Text(delivery.source)), metrics.Finish()};
  pg::Execute(&select_newest, values);
  for (int i = 0; i < newest.count; i++) {
    bool is_null;
    const Datum end = pg::Column(i, 1, &is_null);
    if (!is_null) newest.items[i].end = DatumGetTimestampTz(end);
  }
  return newest;
}

Judgement Judge(const Delivery& delivery, const neuros::ActiveConfig& config,
                const biometrics::Catalogue& catalogue, const NewestReadings& newest,
                int64 position, Reading* readings, int count) {
  if (newest.count == 0) return Judgement{};
  const core::Thresholds& thresholds = config.config->thresholds;
  const TimestampTz oldest = CutOff(readings, count, OldestThatDecides(delivery, *config.config),
                                    static_cast<int>(thresholds.max_recent_readings));
  int32 first_day, last_day;
  DayRange(readings, count, oldest, &first_day, &last_day);
  if (first_day > last_day) return Judgement{};

  // A standing reading may be of an earlier day than any of the delivery's.
  const int32 standing_day = biometrics::LocalDay(oldest, 0) - 1;
  biometrics::Baselines baselines(delivery.user_id, Min(first_day, standing_day), last_day);

  constexpr int kFirst = 64;
  Observations observations = {
      static_cast<core::Observation*>(palloc(sizeof(core::Observation) * kFirst)), 0, kFirst};
  for (int i = 0; i < count; i++) {
    if (!MayDecide(readings[i], oldest)) continue;
    core::Observation* observation = observations.Add();
    Observe(readings[i], newest, delivery.source, &baselines, observation);
    if (observation->judged_by_z &&
        observation->baseline.days >= config.config->baselines.min_baseline_days &&
        std::fabs(core::Deviate(observation->baseline, readings[i].value).z) >=
            thresholds.anomaly_z) {
      readings[i].Add(biometrics::Anomaly::kZScore);
    }
  }
  ObserveStanding(delivery, catalogue, oldest, position, &baselines, &observations);

  const neuros::ModeState state = neuros::LoadMode(delivery.user_id);
  const core::CurrentMode current = {.mode = state.mode,
                                     .by_hand = state.by_hand,
                                     .ever_switched = state.ever_switched,
                                     .since_us = state.since,
                                     .calm = state.calm};
  const int history =
      baselines.HistoryDays(static_cast<int>(config.config->baselines.min_baseline_days));
  auto* decision = static_cast<core::Decision*>(palloc(sizeof(core::Decision)));
  pg::ThrowIfError(core::Decide(*config.config, current, observations.items, observations.count,
                                history, delivery.received_at, decision));
  return CarryOut(delivery, config, state, *decision);
}

}  // namespace auren::bridge
